/** Answers that staff give to a request for its subscriber: to its terms, to what a service misses, after a failed installation. */
import Type from "typebox";
import type { Caller } from "../../../kernel/account/role.ts";
import type { RequestScope } from "../../../kernel/order/request.ts";
import type { HttpDeps } from "../../ports.ts";
import { ok, route } from "../../route.ts";
import { id, words } from "../../schema.ts";
import { detailNamed, requestNotFound, STAFF, STAFF_CHANNEL } from "../requests.ts";
import { Detail, fieldValues, requestName } from "./schema.ts";

const ANSWERS = ["accept", "decline"] as const;
const CHOICES = ["retransmit", "give_up"] as const;

const shared = { method: "POST", tag: "requests", roles: STAFF, status: 200, answer: Detail } as const;
const itemParams = { id: requestName, itemId: id("Of the item in the request.") };

type Answering = {
  readonly deps: HttpDeps;
  readonly caller: Caller;
  readonly name: string;
  /** Of the audit; nothing of a user in it. */
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Answers, notes who it was, and shows how the request stands then. @throws TurnupError `order_not_found` */
async function answered(
  { deps, caller, name, action, detail }: Answering,
  work: (scope: RequestScope, orderId: string) => Promise<void>,
) {
  const { operatorId, label } = caller;
  const { requests, audit } = deps;
  const known = await requests.reader.detail(operatorId, name);
  if (!known) throw requestNotFound();
  await work({ operatorId, subscriberId: null }, known.id);
  await audit.record(operatorId, { actor: label, action, subject: known.id, detail });
  return ok(await detailNamed(requests, operatorId, known.id));
}

export const answerRequestTerms = route({
  ...shared,
  path: "/v1/requests/:id/terms",
  summary: "Answer the terms of a request for its subscriber, after they were read out",
  errors: ["order_not_found", "nothing_to_answer"],
  params: { id: requestName },
  body: Type.Object({ answer: words(ANSWERS) }, { additionalProperties: false }),
  handle: (deps, { params, body: { answer }, caller }) =>
    answered(
      { deps, caller, name: params.id, action: "request.terms", detail: { answer } },
      (scope, orderId) => deps.requests.desk.answerTerms(scope, orderId, answer, STAFF_CHANNEL),
    ),
});

export const supplyRequestFields = route({
  ...shared,
  path: "/v1/requests/:id/items/:itemId/fields",
  summary: "Give just the fields that a service asked for",
  errors: ["order_not_found", "nothing_to_answer", "field_unknown"],
  params: itemParams,
  body: Type.Object({ fields: fieldValues }, { additionalProperties: false }),
  handle: (deps, { params: { id: name, itemId }, body: { fields }, caller }) =>
    answered(
      { deps, caller, name, action: "request.fields", detail: { itemId, fields: Object.keys(fields) } },
      (scope, orderId) => deps.requests.desk.supplyFields(scope, orderId, itemId, fields),
    ),
});

export const giveRequestDetails = route({
  ...shared,
  path: "/v1/requests/:id/details",
  summary: "Give for the subscriber just the details of who asks that are asked for again",
  errors: ["order_not_found", "nothing_to_answer", "field_unknown", "details_malformed"],
  params: { id: requestName },
  body: Type.Object({ user: fieldValues }, { additionalProperties: false }),
  handle: (deps, { params: { id: name }, body: { user }, caller }) =>
    answered(
      { deps, caller, name, action: "request.details", detail: { fields: Object.keys(user) } },
      (scope, orderId) => deps.requests.desk.giveDetails(scope, orderId, user, STAFF_CHANNEL),
    ),
});

export const chooseForRequest = route({
  ...shared,
  path: "/v1/requests/:id/items/:itemId/choice",
  summary: "Choose for the subscriber what happens to an item that the device could not install",
  errors: ["order_not_found", "nothing_to_answer"],
  params: itemParams,
  body: Type.Object({ choice: words(CHOICES) }, { additionalProperties: false }),
  handle: (deps, { params: { id: name, itemId }, body: { choice }, caller }) =>
    answered({ deps, caller, name, action: "request.choice", detail: { itemId, choice } }, (scope, orderId) =>
      deps.requests.desk.chooseRetransmission(scope, { orderId, itemId }, choice, STAFF_CHANNEL),
    ),
});
