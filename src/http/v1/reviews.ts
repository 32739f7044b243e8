/**
 * People of whom nothing is known wait for a person of the operator (US 6,647,260, claim 7; R38): who waits, what each
 * told of themselves, and the yes or no. Whoever looks stands in the audit, and so does whoever answers.
 */
import Type from "typebox";
import type { Role } from "../../kernel/account/role.ts";
import { USER_FIELDS } from "../../kernel/account/user-data.ts";
import { recordOf } from "../../term/record.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import { named, page, pageQuery, text, words } from "../schema.ts";
import { Detail, Row, requestName, rowBody } from "./requests/schema.ts";
import { detailNamed, requestNotFound } from "./requests.ts";

/** Whoever enters requests for others does not say who they are. */
const REVIEWERS: readonly Role[] = ["admin", "care"];
const REASON_CHARACTERS_MAX = 200;

const shared = { tag: "requests", roles: REVIEWERS, status: 200 } as const;

export const listReviews = route({
  ...shared,
  method: "GET",
  path: "/v1/reviews",
  summary: "Requests that wait for a person to look at who asks, each with its reason and deadline",
  errors: [],
  query: pageQuery,
  answer: page(Row),
  async handle({ requests }, { query, caller, request }) {
    const found = await requests.reader.list(caller.operatorId, { isForReview: true }, pageOf(query));
    return answerPage({ ...found, rows: found.rows.map(rowBody) }, request);
  },
});

const userFields = recordOf(USER_FIELDS, () => Type.Optional(Type.String()));
const Review = named(
  "Review",
  Type.Object({
    request: Detail,
    user: Type.Object(userFields, { description: "What they told of themselves, as far as they did." }),
    onFile: Type.Object(userFields, {
      description:
        "Of the operator's own record of them the first character of each field; empty where there is none.",
    }),
  }),
);

export const getReview = route({
  ...shared,
  method: "GET",
  path: "/v1/reviews/:id",
  summary:
    "One request that waits for a person, with what its subscriber told of themselves; the look is audited",
  errors: ["order_not_found"],
  params: { id: requestName },
  answer: Review,
  async handle({ requests, audit, ownRecords }, { params, caller: { operatorId, label } }) {
    const waiting = await requests.desk.underReview(operatorId, params.id);
    if (!waiting) throw requestNotFound();
    const { orderId, user } = waiting;
    await audit.record(operatorId, { actor: label, action: "review.read", subject: orderId });
    const request = await detailNamed(requests, operatorId, orderId);
    const onFile = await ownRecords.ofSubscriber(operatorId, request.subscriberId);
    return ok({ request, user: { ...user }, onFile: { ...onFile?.user } });
  },
});

export const answerReview = route({
  ...shared,
  method: "POST",
  path: "/v1/reviews/:id",
  summary: "Approve or refuse who asks, after a person looked",
  errors: ["order_not_found", "nothing_to_answer"],
  params: { id: requestName },
  body: Type.Object(
    {
      outcome: words(["approved", "refused"]),
      reason: text("Why, for the audit; nothing of the person.", REASON_CHARACTERS_MAX),
    },
    { additionalProperties: false },
  ),
  answer: Detail,
  async handle({ requests, audit }, { params, body: { outcome, reason }, caller: { operatorId, label } }) {
    const known = await requests.reader.detail(operatorId, params.id);
    if (!known) throw requestNotFound();
    await requests.desk.review(operatorId, known.id, { outcome, actor: label });
    const detail = { outcome, reason };
    await audit.record(operatorId, { actor: label, action: "review.answer", subject: known.id, detail });
    return ok(await detailNamed(requests, operatorId, known.id));
  },
});
