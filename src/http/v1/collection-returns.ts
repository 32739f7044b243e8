/** Sums that were taken from subscribers and came back: direct debits returned or refunded, cards charged back. */
import Type, { type Static } from "typebox";
import {
  type CollectionReturnView,
  RETURN_KINDS,
  RETURN_OUTCOMES,
  RETURN_SOURCES,
} from "../../kernel/settlement/collection-return.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import { id, instant, integerOrNull, named, page, pageQuery, text, textOrNull, words } from "../schema.ts";

export const CollectionReturn = named(
  "CollectionReturn",
  Type.Object({
    id: Type.String(),
    source: words(RETURN_SOURCES, "Who told of it."),
    kind: words(RETURN_KINDS, "By the debtor's bank, or by the card's."),
    named: Type.Array(Type.String(), { description: "What the teller calls the sum." }),
    collectionId: textOrNull({ description: "Of the sum; null as long as nobody knows which." }),
    orderId: textOrNull({ description: "Whose history tells of it." }),
    amountMinor: integerOrNull(),
    currency: textOrNull(),
    code: textOrNull({
      description: "ISO 20022 external return reason (AM04, AC04, MD06), or the card scheme's.",
    }),
    returnedOn: textOrNull(),
    outcome: words(
      RETURN_OUTCOMES,
      "`confirmed`: booked before by another's word; `unknown`, `mismatch` and `conflict` booked nothing and wait for a person; `settled`: one saw to it.",
    ),
    reason: Type.String(),
    toldBy: Type.String(),
    toldAt: instant(),
  }),
);

/** The writer of answers tells null from an integer by looking, and does not know those above 2^53. */
export const writtenReturn = ({
  amountMinor,
  named: names,
  ...one
}: CollectionReturnView): Static<typeof CollectionReturn> => ({
  ...one,
  named: [...names],
  amountMinor: amountMinor === null ? null : Number(amountMinor),
});

export const listCollectionReturns = route({
  method: "GET",
  path: "/v1/collection-returns",
  summary: "Sums that were taken from subscribers and came back, newest first",
  tag: "money",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    unsettled: Type.Optional(
      Type.Boolean({ description: "Only what booked nothing and a person has to look at." }),
    ),
    collectionId: Type.Optional(id("Of the sum.")),
  },
  answer: page(CollectionReturn),
  async handle({ settlement }, { query, caller, request }) {
    const { unsettled, collectionId } = query;
    const found = await settlement.returns.list(
      caller.operatorId,
      { unsettled, collectionId },
      pageOf(query),
    );
    return answerPage({ rows: found.rows.map(writtenReturn), nextCursor: found.nextCursor }, request);
  },
});

export const settleCollectionReturn = route({
  method: "POST",
  path: "/v1/collection-returns/:id/settlement",
  summary: "Say which sum a return is of, or that a person has seen to one that is of none",
  tag: "money",
  roles: ["admin"],
  errors: ["collection_return_not_found", "collection_return_closed", "collection_not_found"],
  status: 200,
  params: { id: id("Of the return.") },
  body: Type.Object(
    {
      collectionId: Type.Optional(id("Of the sum that came back; left out where it is none of ours.")),
      reason: text("By what it is known; it stands in the audit."),
    },
    { additionalProperties: false },
  ),
  answer: CollectionReturn,
  async handle({ settlement }, { params, body, caller }) {
    const settled = await settlement.returns.settle(caller.operatorId, params.id, body, caller.label);
    return ok(writtenReturn(settled));
  },
});
