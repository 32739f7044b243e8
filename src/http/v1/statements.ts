/** Statements: one side's account over a span. The operator reads its own and each manufacturer's. */
import Type, { type Static } from "typebox";
import { DISPUTE_STATES, LINE_KINDS } from "../../kernel/settlement/dispute.ts";
import type { Statement } from "../../kernel/settlement/payment-desk.ts";
import { pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import {
  currency,
  instant,
  instantIn,
  minorUnits,
  named,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

const Dispute = Type.Object({ id: Type.String(), state: words(DISPUTE_STATES) });
const StatementLine = named(
  "StatementLine",
  Type.Object({
    id: Type.String({ description: "Of the posting: what a dispute names." }),
    bookedAt: instant(),
    kind: words(LINE_KINDS),
    reference: Type.String(),
    chargeId: textOrNull({ description: "Of a key's fee." }),
    collectionId: textOrNull({ description: "Of a sum that is collected from a subscriber." }),
    orderId: Type.String(),
    itemId: Type.String(),
    keyReference: textOrNull({ description: "The key's id in hex, as in the manufacturer's own list." }),
    endToEndId: textOrNull({ description: "Of a payment: its transfer on the bank's statement." }),
    amountMinor: minorUnits("Above zero: owed to the account's holder; below: paid, or taken back."),
    currency: currency(),
    dispute: Type.Unsafe<Static<typeof Dispute> | null>({ anyOf: [Dispute, { type: "null" }] }),
  }),
);
export const StatementOut = named(
  "Statement",
  Type.Object({
    account: Type.String(),
    from: textOrNull(),
    to: textOrNull(),
    balances: Type.Array(
      Type.Object({
        currency: currency(),
        openingMinor: minorUnits("What was owed before."),
        closingMinor: minorUnits("What was owed at the end: opening and all lines sum to it."),
        lines: Type.Integer({ description: "In the span." }),
      }),
    ),
    rows: Type.Array(StatementLine),
    nextCursor: textOrNull({ description: "Give it as `cursor` for the next page; null on the last." }),
  }),
);

export const spanQuery = {
  ...pageQuery,
  from: Type.Optional(instantIn("From this moment on; from the beginning unless given.")),
  to: Type.Optional(instantIn("Before this moment; until now unless given.")),
  currency: Type.Optional(currency()),
};

export const written = (statement: Statement): Static<typeof StatementOut> => ({
  ...statement,
  balances: [...statement.balances],
  rows: [...statement.rows],
});

export const getStatement = route({
  method: "GET",
  path: "/v1/statements",
  summary:
    "A manufacturer's account, your own, or your subscribers', with opening and closing balances; oldest line first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    ...spanQuery,
    make: Type.Optional(text("Whose; your own fees unless given.", 80)),
    of: Type.Optional(
      words(["fees", "subscribers"], "Without `make`: your own fees, or what subscribers owe and paid."),
    ),
  },
  answer: StatementOut,
  async handle({ settlement }, { query, caller }) {
    const { make, from, to, currency } = query;
    const whose = make === undefined ? (query.of ?? "fees") : { make };
    const page = pageOf({ ...query, order: query.order ?? "asc" });
    return ok(
      written(await settlement.statements.of(caller.operatorId, whose, { from, to, currency }, page)),
    );
  },
});
