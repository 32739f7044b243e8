/** Approvals: what waits for a person to agree to it, who asked and why, and the decision. */
import Type, { type Static } from "typebox";
import { actingOf } from "../../kernel/account/person.ts";
import { APPROVAL_STATES, type ApprovalView } from "../../kernel/jobs/approval.ts";
import { TurnupError } from "../../term/error.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import {
  anything,
  id,
  instant,
  instantOrNull,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

const Approval = named(
  "Approval",
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    subject: Type.String({ description: "The id of what waits for it, such as a job's." }),
    state: words(APPROVAL_STATES),
    title: Type.String({ description: "What it would do, in a sentence." }),
    summary: anything("The same with its figures, as it was when it was asked for."),
    digest: Type.String({ description: "SHA-256 of what would be done." }),
    reason: Type.String({ description: "Why it is asked." }),
    roles: Type.Array(Type.String(), { description: "Who may decide." }),
    secondPerson: Type.Boolean({ description: "Whether it has to be another person than who asked." }),
    askedBy: Type.String(),
    askedByPerson: textOrNull(),
    askedAt: instant(),
    expiresAt: instant("Until when somebody can decide."),
    decidedBy: textOrNull(),
    decidedByPerson: textOrNull(),
    decidedAt: instantOrNull(),
    decisionReason: textOrNull(),
  }),
);
const written = (view: ApprovalView): Static<typeof Approval> => ({ ...view, roles: [...view.roles] });

const shared = { tag: "jobs", roles: ["admin", "engineer"], status: 200 } as const;

export const listApprovals = route({
  ...shared,
  method: "GET",
  path: "/v1/approvals",
  summary: "What waits for a person to agree to it, and what was decided, newest first",
  errors: [],
  query: {
    ...pageQuery,
    kind: Type.Optional(text("Only approvals of this kind.", 60)),
    state: Type.Optional(words(APPROVAL_STATES)),
  },
  answer: page(Approval),
  async handle({ approvals }, { query, caller, request }) {
    const { kind, state } = query;
    const { rows, nextCursor } = await approvals.list(caller.operatorId, { kind, state }, pageOf(query));
    return answerPage({ rows: rows.map(written), nextCursor }, request);
  },
});

export const getApproval = route({
  ...shared,
  method: "GET",
  path: "/v1/approvals/:id",
  summary: "One approval: what it would do, who asked for it and why, until when it waits",
  errors: ["approval_not_found"],
  params: { id: id("Of the approval.") },
  answer: Approval,
  async handle({ approvals }, { params, caller }) {
    const found = await approvals.find(caller.operatorId, params.id);
    if (!found)
      throw new TurnupError("approval_not_found", "There is no such approval.", {
        nextStep: "GET /v1/approvals lists them.",
      });
    return ok(written(found));
  },
});

export const decideApproval = route({
  ...shared,
  method: "POST",
  path: "/v1/approvals/:id",
  summary: "Approve it, and it is carried out at once, or refuse it",
  description:
    "Where it needs a second person, that is another person than who asked, under a token that neither made for the other: persons count, not tokens. Whoever asked may refuse it, which takes it back.",
  errors: [
    "approval_changed",
    "approval_decided",
    "approval_not_found",
    "person_unknown",
    "second_person_needed",
  ],
  params: { id: id("Of the approval.") },
  body: Type.Object(
    {
      outcome: words(["approved", "refused"]),
      reason: text("Why; it stands in the audit."),
      digest: Type.Optional(
        Type.String({
          pattern: "^[0-9a-f]{64}$",
          description:
            "`digest` of what was looked at: nothing is done where it is about something else by now.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  answer: Approval,
  async handle({ approvals }, { params, body, caller }) {
    const decider = { ...actingOf(caller), role: caller.role };
    return ok(written(await approvals.decide(caller.operatorId, params.id, body, decider)));
  },
});
