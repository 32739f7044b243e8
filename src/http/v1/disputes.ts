/** Disputed lines of statements, and their decisions. */
import Type from "typebox";
import { DISPUTE_STATES } from "../../kernel/settlement/dispute.ts";
import { answerPage, pageOf } from "../page.ts";
import { created, ok, route } from "../route.ts";
import { id, instant, instantOrNull, named, page, pageQuery, text, textOrNull, words } from "../schema.ts";

export const DisputeOut = named(
  "Dispute",
  Type.Object({
    id: Type.String(),
    postingId: Type.String({ description: "The line." }),
    chargeId: Type.String(),
    make: Type.String(),
    raisedBy: words(["maker", "operator"]),
    raisedAs: Type.String({ description: "Label of the token." }),
    reason: Type.String(),
    state: words(DISPUTE_STATES, "`reversed`: taken back by a posting of its own."),
    owner: Type.String({ description: "Who has to decide." }),
    nextAction: Type.String(),
    deadlineAt: instantOrNull(),
    decidedBy: textOrNull(),
    decision: textOrNull(),
    decidedAt: instantOrNull(),
    createdAt: instant(),
  }),
);
export const DisputeIn = Type.Object(
  { postingId: id("Of the line, as the statement has it."), reason: text("What is wrong with it.") },
  { additionalProperties: false },
);
export const state = Type.Optional(words(DISPUTE_STATES));

export const openDispute = route({
  method: "POST",
  path: "/v1/disputes",
  summary:
    "Say that a line of a statement is wrong; its portion is held out of payment files until it is decided",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: ["posting_not_found", "dispute_not_possible", "dispute_limit"],
  status: 201,
  once: "door",
  body: DisputeIn,
  answer: DisputeOut,
  async handle({ settlement }, { body, caller, once }) {
    const asked = { ...body, id: once.subjectId, side: "operator" as const };
    return created(await settlement.disputes.open(caller.operatorId, asked, caller.label));
  },
});

export const listDisputes = route({
  method: "GET",
  path: "/v1/disputes",
  summary: "Disputed lines, newest first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: { ...pageQuery, state, make: Type.Optional(text("As the catalog spells it.", 80)) },
  answer: page(DisputeOut),
  async handle({ settlement }, { query, caller, request }) {
    const { make, state } = query;
    const filter = { make, state };
    return answerPage(await settlement.disputes.list(caller.operatorId, filter, pageOf(query)), request);
  },
});

export const decideDispute = route({
  method: "POST",
  path: "/v1/disputes/:id/decision",
  summary: "Decide a dispute: the line is kept, or reversed by a posting of its own",
  description: "A portion that was paid already is set off against the manufacturer's next transfer.",
  tag: "money",
  roles: ["admin"],
  errors: ["dispute_not_found", "dispute_closed", "dispute_not_possible"],
  status: 200,
  params: { id: id("Of the dispute.") },
  body: Type.Object(
    { outcome: words(["kept", "reversed"]), reason: text("Why; both sides read it.") },
    { additionalProperties: false },
  ),
  answer: DisputeOut,
  async handle({ settlement }, { params, body, caller }) {
    return ok(await settlement.disputes.decide(caller.operatorId, params.id, body, caller.label));
  },
});
