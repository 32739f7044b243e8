/**
 * What the feed may tell: one type a kind of change, with what it says and the shape of its data. The words are API:
 * docs/events.md lists them (`turnup events types --update docs/events.md`), none is renamed. A kind of event of an order that is new
 * has its type here by itself.
 */
import { EVENT_KINDS } from "../order/event-kind.ts";
import { ITEM_STATES } from "../order/order.ts";

export const SUBJECTS = ["order", "pairing", "message", "charge", "registration"] as const;
type EventSubject = (typeof SUBJECTS)[number];

type EventType = { readonly type: string; readonly subject: EventSubject; readonly says: string };

const PREFIX = "turnup";
const OF_ORDERS = "order_";

/** Of an order's own history: `turnup.order.completed`, `turnup.order.fee_paid`; `turnup.item.works` where an item moved. */
export function typeOfKind(kind: string): string {
  if (kind.startsWith(OF_ORDERS)) return `${PREFIX}.order.${kind.slice(OF_ORDERS.length)}`;
  return ITEM_STATES.some((state) => state === kind) ? `${PREFIX}.item.${kind}` : `${PREFIX}.order.${kind}`;
}
export const typeOfState = (subject: Exclude<EventSubject, "order">, state: string): string =>
  `${PREFIX}.${subject}.${state}`;

const STATES: Readonly<Record<Exclude<EventSubject, "order">, Readonly<Record<string, string>>>> = {
  pairing: {
    first_registration: "The network saw a SIM for the first time.",
    sim_moved: "A SIM is in another handset now.",
    late: "It was told late where a SIM had been; where it is now did not change.",
  },
  message: {
    queued: "It waits for its turn at the message centre.",
    submitted: "The message centre took all its parts.",
    delivered: "It reached the handset: receipts for all parts.",
    failed: "It did not reach the handset.",
    expired: "It did not reach the handset in its time.",
    cancelled: "It is not wanted any more, and goes out no more.",
  },
  charge: {
    requested: "The fee of a proven key is asked for.",
    paid: "The operator paid the fee.",
    refused: "The payment system refused it.",
    settled: "The manufacturer's portion is paid too.",
  },
  registration: {
    asked: "A service server is asked to register the user.",
    needs_information: "The service server asks for some fields.",
    registered: "The service server registered the user.",
    removing: "The service server is asked to end it.",
    removed: "The service server ended it.",
    not_removed: "The service server did not end it: a person has to see to it.",
    refused: "The service server refused it, or did not answer in time.",
    withheld: "Nobody was asked for it, and nobody will be.",
    replaced: "A registration of a newer version is in its place.",
  },
};

/** Every type, by subject, in the order of the handbook. */
export const EVENT_TYPES: readonly EventType[] = [
  ...Object.entries(EVENT_KINDS).map(([kind, says]) => ({
    type: typeOfKind(kind),
    subject: "order" as const,
    says,
  })),
  ...SUBJECTS.flatMap((subject) =>
    subject === "order"
      ? []
      : Object.entries(STATES[subject]).map(([state, says]) => ({
          type: typeOfState(subject, state),
          subject,
          says,
        })),
  ),
];

type Field = {
  readonly type: string | readonly string[];
  readonly description: string;
  readonly format?: string;
};
const text = (description: string): Field => ({ type: "string", description });
const textOrNull = (description: string): Field => ({ type: ["string", "null"], description });
const ORDER_ID = "Of the order: GET /v1/orders/{id}.";

/** JSON Schema of `data`, by subject. Numbers of people and devices never stand in it in clear. */
export const DATA_FIELDS: Readonly<Record<EventSubject, Readonly<Record<string, Field>>>> = {
  order: {
    orderId: text(ORDER_ID),
    itemId: textOrNull("Of its item; null where the whole order is meant."),
    kind: text("As in the order's history (docs/api.md, Events of an order)."),
    state: textOrNull("Of the item or the order from now on; null where nothing moved."),
    reason: text("Why, in words."),
    evidence: textOrNull("Who saw it."),
    detail: {
      type: ["object", "array", "string", "number", "boolean", "null"],
      description: "Facts of this kind.",
    },
  },
  pairing: {
    subscriberId: text("Of the SIM: GET /v1/orders?subscriberId={id}."),
    deviceId: text("Of the handset: GET /v1/orders?deviceId={id}."),
    outcome: text("What it meant: first_registration, sim_moved, late."),
    servingPlmn: text("MCC and MNC of the network that saw it."),
    source: text("What told it."),
    seenAt: { type: "string", format: "date-time", description: "When it was seen." },
  },
  message: {
    messageId: text("Of the message: GET /v1/messages."),
    orderId: textOrNull("Of its order; null for a text by the API."),
    kind: text("What it carries."),
    state: text("From now on."),
    reason: text("Why, in words."),
  },
  charge: {
    chargeId: text("Of the charge: GET /v1/charges."),
    orderId: text(ORDER_ID),
    itemId: text("Of its item."),
    keySource: text("Who made the key: own, maker, stock."),
    state: text("From now on."),
    reason: text("Why, in words."),
  },
  registration: {
    registrationId: text("Of the registration."),
    orderId: text(ORDER_ID),
    itemId: text("Of its item."),
    service: text("The catalog's name of the service server."),
    state: text("From now on."),
  },
};

export const schemaOfData = (subject: EventSubject): Readonly<Record<string, unknown>> => ({
  type: "object",
  properties: DATA_FIELDS[subject],
  required: Object.keys(DATA_FIELDS[subject]),
});

/**
 * Whether a type is among those that are asked for: whole, or by its beginning (`turnup.order.*`). None asked for: all are.
 */
export const isWanted = (asked: readonly string[], type: string): boolean =>
  asked.length === 0 ||
  asked.some((one) => (one.endsWith("*") ? type.startsWith(one.slice(0, -1)) : one === type));
