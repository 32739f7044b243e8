/** Orders: the list, one order's whole story, and a request without a sighting. */
import Type from "typebox";
import { ITEM_KINDS, ITEM_STATES, ORDER_CAUSES, ORDER_STATES, VERDICTS } from "../../kernel/order/order.ts";
import { ATTEMPTS_FROM_MIN, ORDER_LISTS, ORDER_SORTS } from "../../kernel/order/order-list.ts";
import type { ItemSubjectView } from "../../kernel/order/order-reader.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { answerPage } from "../page.ts";
import { accepted, ok, route } from "../route.ts";
import {
  anything,
  id,
  instant,
  instantIn,
  instantOrNull,
  integerOrNull,
  named,
  PAGE_ROWS_DEFAULT,
  page,
  pageLimit,
  text,
  textOrNull,
  words,
  wordsOrNull,
} from "../schema.ts";
import { Charge } from "./charges.ts";
import { IDENTIFIER_ERRORS, identifierQuery, identifiersIn } from "./identifiers.ts";
import { marketIn } from "./market-schema.ts";
import { messageFields } from "./messages.ts";
import { DecodedMessage, decodedMessage } from "./orders/decoded-message.ts";

/** More than any policy sends. */
const ATTEMPTS_FROM_MAX = 1_000;

const orderFields = {
  id: Type.String(),
  state: words(ORDER_STATES),
  reason: Type.String({ description: "Why it stands where it stands." }),
  nextAction: Type.String({ description: "What is done next, and by whom." }),
  dueAt: instantOrNull(),
  deadlineAt: instantOrNull(),
  cause: words(ORDER_CAUSES),
  networkKind: words(["mno", "mvno", "secondary", "tertiary"]),
  market: textOrNull({
    description: "Country of a listed market: where the network is that served the device.",
  }),
  servingPlmn: textOrNull({ description: "MCC and MNC of that network; null where nobody saw the device." }),
  make: textOrNull(),
  model: textOrNull(),
  verdict: wordsOrNull(VERDICTS),
  attempts: Type.Integer({ description: "Sends of that of its items which was sent most often." }),
  subscriberId: Type.String(),
  deviceId: Type.String(),
  createdAt: instant(),
  updatedAt: instant(),
  endedAt: instantOrNull(),
};
const Order = named("Order", Type.Object(orderFields));

const subjectFields = {
  catalogId: Type.String(),
  version: Type.Integer(),
  action: words(["add", "remove"]),
  package: textOrNull(),
  name: Type.String(),
  channel: wordsOrNull(["narrowband", "wideband"]),
  retransmissions: Type.Integer(),
  missing: Type.Array(Type.String()),
  elements: Type.Record(Type.String(), Type.String()),
  billing: Type.String(),
};
/** An object or null, written as a list of types: the serializer then needs no validation to tell which. */
const itemSubject = Type.Unsafe<ItemSubjectView | null>({
  type: ["object", "null"],
  description: "Of a feature or service: what of the catalog it is, and how far its parts are.",
  properties: subjectFields,
  required: Object.keys(subjectFields),
});

const Item = named(
  "OrderItem",
  Type.Object({
    id: Type.String(),
    kind: words(ITEM_KINDS),
    subject: itemSubject,
    state: words(ITEM_STATES),
    cause: textOrNull(),
    reason: Type.String(),
    nextAction: Type.String(),
    deadlineAt: instantOrNull(),
    attempt: Type.Integer(),
    messageId: textOrNull(),
    keyId: textOrNull(),
    apns: Type.Array(Type.String(), { description: "Access points that it sets." }),
    apnsSeen: Type.Array(Type.String(), { description: "Those of them on which traffic was seen." }),
    updatedAt: instant(),
  }),
);

const Event = named(
  "OrderEvent",
  Type.Object({
    id: Type.String(),
    itemId: textOrNull(),
    kind: Type.String(),
    state: textOrNull(),
    reason: Type.String(),
    evidence: textOrNull({ description: "Who saw it." }),
    detail: anything("Facts of this kind of event."),
    at: instant(),
  }),
);

const ApplicationSide = named(
  "ApplicationSide",
  Type.Object({
    outcome: words(["failed", "cut_off", "reached", "works", "not_seen"]),
    server: textOrNull({ description: "Host that it tried, or did its work with." }),
    apn: textOrNull(),
    cause: textOrNull({ description: "Why it failed, in the network's word." }),
    source: textOrNull({ description: "Who saw it, or what data says so." }),
    seenAt: textOrNull({ description: "RFC 3339 time." }),
  }),
);

const Application = named(
  "OrderApplication",
  Type.Object(
    { application: Type.String(), before: ApplicationSide, after: ApplicationSide },
    {
      description:
        "An application of the handset before the order provided it and after, by the last evidence of each side: cut_off is what the model's data says, reached an arrival at its server with the key's proof, works an exchange that was seen whole, not_seen that nobody saw it.",
    },
  ),
);

const Call = named(
  "OutboundCall",
  Type.Object(
    {
      kind: Type.String(),
      state: Type.String(),
      reason: Type.String(),
      attempts: Type.Integer(),
      dueAt: instantOrNull(),
      updatedAt: instant(),
    },
    { description: "What another company's machine was asked or told." },
  ),
);

const OrderStory = named(
  "OrderStory",
  Type.Object({
    ...orderFields,
    reasonCode: textOrNull({
      description: "Stable: what it waits for, or failed of before anything was sent.",
    }),
    verdictReasons: anything("The rules that decided, and what each saw."),
    policyVersion: integerOrNull({
      description:
        "The version of the policy that judged it; null: no verdict yet, or of an earlier release.",
    }),
    imeiMasked: Type.String(),
    imsiMasked: Type.String(),
    msisdnMasked: textOrNull(),
    items: Type.Array(Item),
    events: Type.Array(Event),
    applications: Type.Array(Application),
    messages: Type.Array(
      Type.Object({ ...messageFields, reference: Type.Integer(), content: DecodedMessage }),
    ),
    calls: Type.Array(Call),
    charges: Type.Array(Charge),
  }),
);

export const listOrders = route({
  method: "GET",
  path: "/v1/orders",
  summary:
    "Orders, newest first, or by another sort; docs/api.md has the pairs of sort and filter that are offered",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: [...IDENTIFIER_ERRORS, "list_not_offered", "cursor_malformed"],
  status: 200,
  query: {
    limit: pageLimit,
    cursor: Type.Optional(
      Type.String({
        description: "`nextCursor` of the page before, with the same sort and order.",
        pattern: "^[A-Za-z0-9_-]{36,1000}$", // an id is the shortest
      }),
    ),
    sort: Type.Optional(
      words(ORDER_SORTS, "`created` unless given; orders of one value follow by creation."),
    ),
    order: Type.Optional(
      words(["asc", "desc"], "`desc` by created, updated and attempts, else `asc`, unless given."),
    ),
    total: Type.Optional(
      words(
        ["estimate", "exact"],
        "Says in `total` how many orders fit on all pages: by statistics at once, or counted.",
      ),
    ),
    state: Type.Optional(words(ORDER_STATES)),
    cause: Type.Optional(words(ORDER_CAUSES)),
    market: Type.Optional(marketIn),
    verdict: Type.Optional(words(VERDICTS)),
    make: Type.Optional(text("As the catalog spells it.", 80)),
    model: Type.Optional(text("As the catalog spells it.", 120)),
    ...identifierQuery,
    subscriberId: Type.Optional(id("Of an order or a pairing.")),
    deviceId: Type.Optional(id("Of an order or a pairing.")),
    createdFrom: Type.Optional(instantIn("RFC 3339 time; orders of this moment and later.")),
    createdTo: Type.Optional(instantIn("RFC 3339 time; orders before this moment.")),
    updatedFrom: Type.Optional(instantIn("RFC 3339 time; changed last at this moment or later.")),
    updatedTo: Type.Optional(instantIn("RFC 3339 time; changed last before this moment.")),
    deadlineFrom: Type.Optional(instantIn("RFC 3339 time; that end at this moment at the latest, or later.")),
    deadlineTo: Type.Optional(instantIn("RFC 3339 time; that end before this moment at the latest.")),
    attemptsFrom: Type.Optional(
      Type.Integer({
        minimum: ATTEMPTS_FROM_MIN,
        maximum: ATTEMPTS_FROM_MAX,
        description: "Orders of which something was sent so often, or more often.",
      }),
    ),
  },
  answer: Type.Object({
    ...page(Order).properties,
    total: Type.Optional(
      Type.Object(
        { kind: words(["estimate", "exact"]), count: Type.Integer() },
        {
          description: "Where it was asked for.",
        },
      ),
    ),
  }),
  async handle({ orders }, { query, caller, request }) {
    const { limit = PAGE_ROWS_DEFAULT, cursor, sort = "created", imsi, imei, msisdn, ...rest } = query;
    const { order = ORDER_LISTS[sort].order, total, ...plain } = rest;
    const filter = {
      ...plain,
      ...identifiersIn({ imsi, imei, msisdn }),
    };
    const list = await orders.listOrders(caller.operatorId, filter, { limit, cursor, sort, order, total });
    const { body, ...answer } = answerPage(list, request);
    return { ...answer, body: { ...body, ...(list.total && { total: list.total }) } };
  },
});

export const getOrder = route({
  method: "GET",
  path: "/v1/orders/:id",
  summary: "The whole story of one order: items, events with evidence, messages octet by octet, money",
  description:
    "Secrets in messages (passwords, PINs, keys) read *** unless the role is admin; so do the octets of a message that holds one, and a MAC, from which an IMSI could be guessed.",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: ["order_not_found"],
  status: 200,
  params: { id: id("Of the order.") },
  answer: OrderStory,
  async handle({ orders }, { params, caller }) {
    const story = await orders.findOrder(caller.operatorId, params.id);
    if (!story)
      throw new TurnupError("order_not_found", "There is no such order.", {
        nextStep: "GET /v1/orders lists them.",
      });
    return ok({
      ...story,
      items: story.items.map((item) => ({
        ...item,
        apns: [...item.apns],
        apnsSeen: [...item.apnsSeen],
      })),
      events: [...story.events],
      applications: [...story.applications],
      calls: [...story.calls],
      charges: [...story.charges],
      messages: story.messages.map(({ payload, parts, ...message }) => ({
        ...message,
        parts: [...parts],
        content: decodedMessage({ ...message, payload }, caller.role === "admin"),
      })),
    });
  },
});

export const openOrder = route({
  method: "POST",
  path: "/v1/orders",
  summary: "Ask for settings and key for a subscriber's phone, without a sighting",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: IDENTIFIER_ERRORS,
  status: 202,
  once: "door",
  body: Type.Object(
    {
      imei: text("15 digits.", 40),
      imsi: text("6 to 15 digits.", 15),
      msisdn: Type.Optional(text("E.164; without it the order waits until it is known.", 40)),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    orderId: Type.String(),
    created: Type.Boolean({ description: "False where this key opened the order before." }),
  }),
  async handle({ orderDesk, audit }, { body, caller, once }) {
    const opened = await orderDesk.open(caller.operatorId, {
      imei: parseImei(body.imei),
      imsi: parseImsi(body.imsi),
      msisdn: body.msisdn === undefined ? undefined : parseMsisdn(body.msisdn),
      idempotencyKey: once.key,
    });
    if (opened.created) {
      await audit.record(caller.operatorId, {
        actor: caller.label,
        action: "order.open",
        subject: opened.orderId,
      });
    }
    return accepted(opened);
  },
});
