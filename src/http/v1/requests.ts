/**
 * The representative's channel (US 6,647,260, column 2; R66 and R70): a person of the operator enters a request for a
 * subscriber, sees where it stands, and changes what somebody has. The subscriber hears of it before anything is done; the
 * audit names who it was.
 */
import Type, { type Static } from "typebox";
import type { Role } from "../../kernel/account/role.ts";
import { CHANNELS, ORDER_STATES } from "../../kernel/order/order.ts";
import { TurnupError } from "../../term/error.ts";
import { answerPage, pageOf } from "../page.ts";
import type { HttpDeps } from "../ports.ts";
import { ok, route } from "../route.ts";
import { formerWords, id, page, pageQuery, text, words } from "../schema.ts";
import { IDENTIFIER_ERRORS, identifierQuery, identifiersIn } from "./identifiers.ts";
import { marketIn } from "./market-schema.ts";
import { type Asked, ENTRY_ERRORS, enterRequest, withoutPerson } from "./requests/enter.ts";
import {
  accountNumber,
  agreed,
  asked,
  Detail,
  detailBody,
  Entered,
  Row,
  requestName,
  rowBody,
} from "./requests/schema.ts";

/** Whoever of the operator answers subscribers. */
export const STAFF: readonly Role[] = ["admin", "engineer", "care", "representative"];
/** What representatives read out counts as answered on this channel. */
export const STAFF_CHANNEL = "representative";

const body = Type.Object(
  {
    ...asked,
    agreed,
    accountNumber: Type.Optional(accountNumber),
    offerId: Type.Optional(id("Of an offer that the subscriber takes with this.")),
  },
  { additionalProperties: false },
);

export const enterForSubscriber = route({
  method: "POST",
  path: "/v1/requests",
  summary: "Enter a request for a subscriber, who is told of it; also to remove what they have",
  description:
    "Terms that were read out and agreed to stand in `agreed`; others go to the subscriber by SMS. A card's number goes to " +
    "the payment provider and is kept nowhere; a repeat is known by everything but card, user and fields.",
  tag: "requests",
  roles: STAFF,
  errors: [...ENTRY_ERRORS, "nothing_to_answer"],
  status: 202,
  once: "door",
  tellsApart: withoutPerson,
  body,
  answer: Entered,
  handle: (deps, { body: { agreed = [], offerId = null, accountNumber, ...given }, caller, once }) =>
    enterRequest(
      deps,
      caller,
      given as Asked, // the rest of a body that the schema has checked
      {
        channel: "representative",
        assurance: "none", // a representative answers for whom they bring; nothing technical does
        agreed: agreed.map((one) => ({ ...one, channel: STAFF_CHANNEL })),
        offerId,
        ...(accountNumber !== undefined && { accountNumber }),
        idempotencyKey: once.subjectId,
      },
    ),
});

export const listRequests = route({
  method: "GET",
  path: "/v1/requests",
  summary: "Requests of all channels, newest first",
  tag: "requests",
  roles: STAFF,
  errors: IDENTIFIER_ERRORS,
  status: 200,
  query: {
    ...pageQuery,
    state: Type.Optional(words(ORDER_STATES)),
    channel: Type.Optional(words(CHANNELS)),
    road: Type.Optional(formerWords(CHANNELS, "channel")),
    market: Type.Optional(marketIn),
    actor: Type.Optional(text("Who entered it.", 200)),
    subscriberId: Type.Optional(id("Of a request or an order.")),
    ...identifierQuery,
  },
  answer: page(Row),
  async handle({ requests }, { query, caller, request }) {
    const { limit, cursor, order, imsi, imei, msisdn, road, channel = road, ...plain } = query;
    const filter = {
      ...plain,
      channel,
      ...identifiersIn({ imsi, imei, msisdn }),
    };
    const found = await requests.reader.list(caller.operatorId, filter, pageOf({ limit, cursor, order }));
    return answerPage({ ...found, rows: found.rows.map(rowBody) }, request);
  },
});

export const getRequest = route({
  method: "GET",
  path: "/v1/requests/:id",
  summary: "One request: where each item stands, what was agreed to, how verification went",
  description: "No user data, no access data; of a card, the first six and last four digits.",
  tag: "requests",
  roles: STAFF,
  errors: ["order_not_found"],
  status: 200,
  params: { id: requestName },
  answer: Detail,
  handle: async ({ requests }, { params, caller }) =>
    ok(await detailNamed(requests, caller.operatorId, params.id)),
});

/** @throws TurnupError `order_not_found` */
export async function detailNamed(
  { desk, reader }: HttpDeps["requests"],
  operatorId: string,
  name: string,
): Promise<Static<typeof Detail>> {
  const detail = await reader.detail(operatorId, name);
  const status = detail && (await desk.find({ operatorId, subscriberId: null }, detail.id));
  if (!status) throw requestNotFound();
  return detailBody(status, detail);
}

export const requestNotFound = (): TurnupError =>
  new TurnupError("order_not_found", "There is no such request.", {
    nextStep: "GET /v1/requests lists them.",
  });
