/**
 * The partner's channel (US 6,647,260, column 2; R68): another company's server gives user data and selection in a secure
 * session, and looks by itself how it goes. The outcome is that of a request from the device: verified, agreed to by the subscriber,
 * delivered to the subscriber's device. A partner sees what it entered, by its token's label, and nothing else.
 */
import Type from "typebox";
import type { Caller } from "../../../kernel/account/role.ts";
import { ASSURANCES } from "../../../kernel/catalog/catalog-item.ts";
import { ORDER_STATES } from "../../../kernel/order/order.ts";
import { answerPage, pageOf } from "../../page.ts";
import type { HttpDeps } from "../../ports.ts";
import { ok, route } from "../../route.ts";
import { id, page, pageQuery, words } from "../../schema.ts";
import { type Asked, ENTRY_ERRORS, enterRequest, withoutPerson } from "../requests/enter.ts";
import {
  asked,
  Entered,
  fieldValues,
  Row,
  requestName,
  rowBody,
  Status,
  statusBody,
} from "../requests/schema.ts";
import { requestNotFound } from "../requests.ts";

const PARTNER = ["partner"] as const;
const CHANNEL = "partner";

const body = Type.Object(
  {
    ...asked,
    assurance: words(
      ASSURANCES,
      "How the partner knows its customer; it counts as far as the operator's policy trusts partners.",
    ),
    noticeKey: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9+/]{43}=$",
        description: "Base64 of the 32 octets by which notices to the device's client module are sealed.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const enterForPartner = route({
  method: "POST",
  path: "/v1/partner/requests",
  summary: "Enter a request for a customer of yours",
  description: "Terms go to the customer by SMS. GET the request to see how it goes: nobody calls back.",
  tag: "partner",
  roles: PARTNER,
  errors: ENTRY_ERRORS,
  status: 202,
  once: "door",
  tellsApart: withoutPerson,
  body,
  answer: Entered,
  handle: (deps, { body: { assurance, noticeKey, ...given }, caller, once }) =>
    enterRequest(
      deps,
      caller,
      given as Asked, // the rest of a body that the schema has checked
      {
        channel: CHANNEL,
        assurance,
        agreed: [],
        offerId: null,
        noticeKey: noticeKey === undefined ? null : Uint8Array.from(Buffer.from(noticeKey, "base64")),
        idempotencyKey: once.subjectId,
      },
    ),
});

export const listPartnerRequests = route({
  method: "GET",
  path: "/v1/partner/requests",
  summary: "The requests that you entered, newest first",
  tag: "partner",
  roles: PARTNER,
  errors: [],
  status: 200,
  query: { ...pageQuery, state: Type.Optional(words(ORDER_STATES)) },
  answer: page(Row),
  async handle({ requests }, { query: { state, ...asks }, caller, request }) {
    const filter = { state, channel: CHANNEL, actor: caller.label } as const;
    const found = await requests.reader.list(caller.operatorId, filter, pageOf(asks));
    return answerPage({ ...found, rows: found.rows.map(rowBody) }, request);
  },
});

/** @throws TurnupError `order_not_found`: also where somebody else entered it */
async function statusNamed({ requests }: HttpDeps, { operatorId, label }: Caller, name: string) {
  const own = await requests.reader.detail(operatorId, name, { channel: CHANNEL, actor: label });
  const status = own && (await requests.desk.find({ operatorId, subscriberId: null }, own.id));
  if (!status) throw requestNotFound();
  return status;
}

export const getPartnerRequest = route({
  method: "GET",
  path: "/v1/partner/requests/:id",
  summary: "Where a request that you entered stands",
  tag: "partner",
  roles: PARTNER,
  errors: ["order_not_found"],
  status: 200,
  params: { id: requestName },
  answer: Status,
  handle: async (deps, { params, caller }) => ok(statusBody(await statusNamed(deps, caller, params.id))),
});

export const givePartnerDetails = route({
  method: "POST",
  path: "/v1/partner/requests/:id/details",
  summary: "Give just the details of your customer that are asked for again",
  tag: "partner",
  roles: PARTNER,
  errors: ["order_not_found", "nothing_to_answer", "field_unknown", "details_malformed"],
  status: 200,
  params: { id: requestName },
  body: Type.Object({ user: fieldValues }, { additionalProperties: false }),
  answer: Status,
  async handle(deps, { params: { id: name }, body: { user }, caller }) {
    const { orderId } = await statusNamed(deps, caller, name);
    const { operatorId, label } = caller;
    await deps.requests.desk.giveDetails({ operatorId, subscriberId: null }, orderId, user, "partner");
    const detail = { fields: Object.keys(user) };
    await deps.audit.record(operatorId, {
      actor: label,
      action: "request.details",
      subject: orderId,
      detail,
    });
    return ok(statusBody(await statusNamed(deps, caller, orderId)));
  },
});

export const supplyPartnerFields = route({
  method: "POST",
  path: "/v1/partner/requests/:id/items/:itemId/fields",
  summary: "Give just the fields that a service asked for",
  tag: "partner",
  roles: PARTNER,
  errors: ["order_not_found", "nothing_to_answer", "field_unknown"],
  status: 200,
  params: { id: requestName, itemId: id("Of the item in the request.") },
  body: Type.Object({ fields: fieldValues }, { additionalProperties: false }),
  answer: Status,
  async handle(deps, { params: { id: name, itemId }, body: { fields }, caller }) {
    const { orderId } = await statusNamed(deps, caller, name);
    const { operatorId, label } = caller;
    await deps.requests.desk.supplyFields({ operatorId, subscriberId: null }, orderId, itemId, fields);
    const detail = { itemId, fields: Object.keys(fields) };
    await deps.audit.record(operatorId, { actor: label, action: "request.fields", subject: orderId, detail });
    return ok(statusBody(await statusNamed(deps, caller, orderId)));
  },
});
