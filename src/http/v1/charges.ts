/** Charges of keys: fee, portion, and where each stands. */
import Type from "typebox";
import { LEVELS } from "../../kernel/operator/policy.ts";
import { answerPage, pageOf } from "../page.ts";
import { route } from "../route.ts";
import { currency, instant, minorUnits, named, page, pageQuery, text, textOrNull, words } from "../schema.ts";

const CHARGE_STATES = ["requested", "paid", "refused", "settled"] as const;

export const Charge = named(
  "Charge",
  Type.Object({
    id: Type.String(),
    orderId: Type.String(),
    itemId: Type.String(),
    make: Type.String(),
    keySource: words(["own", "maker", "stock"]),
    feeMinor: minorUnits("What the operator pays, in minor units."),
    portionMinor: minorUnits("The manufacturer's part of the fee, in minor units."),
    currency: currency(),
    level: words(LEVELS, "The proof after which the contract lets it be asked for."),
    state: Type.Unsafe<string>(words(CHARGE_STATES)),
    reason: Type.String(),
    bankReference: textOrNull(),
    payoutReference: textOrNull(),
    createdAt: instant(),
    updatedAt: instant(),
  }),
);

export const listCharges = route({
  method: "GET",
  path: "/v1/charges",
  summary: "Fees asked of the operator, newest first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    state: Type.Optional(words(CHARGE_STATES)),
    make: Type.Optional(text("As the catalog spells it.", 80)),
  },
  answer: page(Charge),
  async handle({ orders }, { query, caller, request }) {
    const filter = { state: query.state, make: query.make };
    return answerPage(await orders.listCharges(caller.operatorId, filter, pageOf(query)), request);
  },
});
