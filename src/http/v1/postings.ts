/** Postings of the operator's ledger, read. */
import Type from "typebox";
import { answerPage, pageOf } from "../page.ts";
import { route } from "../route.ts";
import { currency, id, instant, minorUnits, named, page, pageQuery, text, textOrNull } from "../schema.ts";

const Posting = named(
  "Posting",
  Type.Object({
    id: Type.String(),
    reference: Type.String({ description: "What it books, once." }),
    chargeId: textOrNull({ description: "Of the key's fee that it books; null of a subscriber's sum." }),
    collectionId: textOrNull({ description: "Of the subscriber's sum that it books; null of a key's fee." }),
    debit: Type.String({ description: "Account." }),
    credit: Type.String({ description: "Account." }),
    amountMinor: minorUnits("Minor units, above 0."),
    currency: currency(),
    bookedAt: instant(),
  }),
);

export const listPostings = route({
  method: "GET",
  path: "/v1/postings",
  summary: "The ledger, newest first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    account: Type.Optional(text("On either side.", 120)),
    chargeId: Type.Optional(id("Of the charge that it books.")),
    collectionId: Type.Optional(id("Of the subscriber's sum that it books.")),
  },
  answer: page(Posting),
  async handle({ orders }, { query, caller, request }) {
    const { account, chargeId, collectionId } = query;
    const filter = { account, chargeId, collectionId };
    return answerPage(await orders.listPostings(caller.operatorId, filter, pageOf(query)), request);
  },
});
