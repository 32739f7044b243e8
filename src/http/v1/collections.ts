/** Sums that are collected from subscribers by the token that they left. */
import Type from "typebox";
import { COLLECTION_PURPOSES, COLLECTION_STATES } from "../../kernel/settlement/collection.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import {
  currency,
  id,
  instant,
  instantOrNull,
  minorUnits,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

const Collection = named(
  "Collection",
  Type.Object({
    id: Type.String(),
    orderId: Type.String({ description: "Whose history tells of it." }),
    itemId: Type.String(),
    catalogId: Type.String(),
    purpose: words(COLLECTION_PURPOSES, "What is due with the order, or a further month of it."),
    period: Type.Integer({ description: "0 with the order, n for the n-th month after it." }),
    amountMinor: minorUnits("Minor units."),
    currency: currency(),
    state: words(
      COLLECTION_STATES,
      "`waiting`: refused for now; `unknown`: the payment provider never said whether it took it; `returned`: it came back after it was taken.",
    ),
    attempt: Type.Integer(),
    reason: Type.String(),
    nextAction: Type.String(),
    dueAt: instantOrNull(),
    deadlineAt: instantOrNull(),
    meansMasked: textOrNull({ description: "What paid, or was to, masked; null where nothing was left." }),
    reference: textOrNull({ description: "The payment provider's own number of it." }),
    returnedMinor: minorUnits("What came back of it."),
    returnCode: textOrNull({
      description: "Why: ISO 20022 external return reason (AM04, AC04, MD06), or the card scheme's.",
    }),
    returnedAt: instantOrNull(),
    owedMinor: minorUnits("What the subscriber owes of it now."),
    createdAt: instant(),
    updatedAt: instant(),
  }),
);

export const listCollections = route({
  method: "GET",
  path: "/v1/collections",
  summary: "Sums that are collected from subscribers by the token that they left, newest first",
  tag: "money",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    state: Type.Optional(words(COLLECTION_STATES)),
    orderId: Type.Optional(id("Of the order whose items they are of.")),
    toSeeTo: Type.Optional(
      Type.Boolean({
        description: "Only those that a person has to see to: refused for good, never answered, or returned.",
      }),
    ),
  },
  answer: page(Collection),
  async handle({ settlement }, { query, caller, request }) {
    const { state, orderId, toSeeTo } = query;
    const filter = { state, orderId, toSeeTo };
    return answerPage(await settlement.collections.list(caller.operatorId, filter, pageOf(query)), request);
  },
});

export const listOwed = route({
  method: "GET",
  path: "/v1/collections/owed",
  summary: "What subscribers owe together: sums that were not taken, and those that came back",
  tag: "money",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({
    rows: Type.Array(
      Type.Object({
        currency: currency(),
        state: words(COLLECTION_STATES),
        owedMinor: minorUnits("Minor units."),
        sums: Type.Integer({ description: "How many." }),
      }),
    ),
  }),
  async handle({ settlement }, { caller }) {
    return ok({ rows: [...(await settlement.collections.owed(caller.operatorId))] });
  },
});

export const bookCollection = route({
  method: "POST",
  path: "/v1/collections/:id/booking",
  summary:
    "Book what the payment provider says of a sum that it never answered, or that one which was refused or came back was paid otherwise",
  tag: "money",
  roles: ["admin"],
  errors: ["collection_not_found", "collection_closed"],
  status: 200,
  params: { id: id("Of the sum.") },
  body: Type.Object(
    {
      outcome: words(["taken", "not_taken"]),
      reference: Type.Optional(text("The payment provider's own number of it.", 128)),
      reason: text("By what it is known; it stands in the order's history and in the audit."),
    },
    { additionalProperties: false },
  ),
  answer: Collection,
  async handle({ settlement }, { params, body, caller }) {
    return ok(await settlement.collections.book(caller.operatorId, params.id, body, caller.label));
  },
});
