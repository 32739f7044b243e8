/** Balances of the operator's ledger. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { currency, minorUnits, named } from "../schema.ts";

const Balance = named(
  "Balance",
  Type.Object({
    account: Type.String(),
    currency: currency(),
    balanceMinor: minorUnits("Debits minus credits, in minor units; each currency sums to zero."),
  }),
);

export const listBalances = route({
  method: "GET",
  path: "/v1/balances",
  summary: "Every account and what stands on it",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({ balances: Type.Array(Balance) }),
  handle: async ({ orders }, { caller }) => ok({ balances: [...(await orders.balances(caller.operatorId))] }),
});
