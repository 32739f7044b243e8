/**
 * What a subscriber hears of their request, by SMS. A device with our client module gets notices that only it can read;
 * any other gets texts in the request's language. Which channel was chosen, and by which rule (US 6,647,260 column 4:
 * small notices narrowband, all else wideband), stands in the event of each.
 */

import { createHash } from "node:crypto";
import { minutesAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import { type BearerProfile, isNarrowbandOnly } from "../../wire/message/bearer-profile.ts";
import {
  encodeNotice,
  MAX_NOTICE_TEXT_OCTETS,
  type Notice,
  type NoticeKind,
} from "../../wire/message/notice.ts";
import { localized } from "../catalog/localized.ts";
import { CODE_OCTETS, newCode } from "../consent/read-reply.ts";
import { airOf, onAir, partsOnAir } from "../delivery/fit.ts";
import { freeReference } from "../delivery/reference.ts";
import { airBy } from "../operator/air.ts";
import { type NoticeText, noticeText } from "../operator/notice-texts.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import type { CarrierMessage, MessageAir } from "../order/message.ts";
import type { OrderState } from "../order/order.ts";
import type { RequestItem, RequestTurn, Turn } from "../order/turn.ts";
import { composeKnock, composeNotice, composeText, cutMessage } from "../payload/compose.ts";

/** Beyond it a notice points to the screen that says the rest. */
const NARROWBAND_PARTS_MAX = 3;
/** A text to a phone without our client has no other road, but somebody pays for each part. */
const TEXT_PARTS_MAX = 10;
/** Of the default alphabet in one part alone (TS 23.038): no text of more characters fits. */
const charactersIn = ({ partOctets }: BearerProfile): number => Math.floor((partOctets * 8) / 7);
/** What fits into three parts beside a notice's frame. */
const POINTER_CHARACTERS = 120;

type Telling = {
  readonly kind: NoticeKind;
  readonly text: NoticeText;
  readonly values?: Readonly<Record<string, string>>;
  /** Sentences that follow it. */
  readonly more?: readonly string[];
  /** For the client module alone. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly content?: Uint8Array;
  readonly item?: RequestItem;
  /** It goes by SMS whatever its size: access data, and content that is small enough (R22 and R46). */
  readonly rule?: "access_data" | "small_content";
};

/** Queues it and says so in an event; answers its message. */
export function tell(turn: RequestTurn, telling: Telling): CarrierMessage {
  const { scribe, order } = turn;
  const payloadId = scribe.newId();
  const written = write(turn, telling, payloadId);
  const message = queueNotice(turn, {
    bytes: written.bytes,
    protocol: written.protocol,
    air: airOfNotice(turn, written),
    payloadId,
    orderId: order.id,
    subscriberId: order.subscriberId,
    idempotencyKey: `${payloadId}:1`,
  });
  scribe.note(order, {
    kind: "notice_queued",
    itemId: telling.item?.id ?? null,
    reason: `${article(telling.kind)} notice goes to the device: ${written.rule}`,
    detail: {
      notice: telling.kind,
      messageId: message.id,
      parts: message.partCount,
      channel: written.channel,
      rule: written.rule,
      bearer: airOf(turn).bearer,
    },
  });
  return message;
}

function airOfNotice(turn: RequestTurn, { channel, rule }: Written): MessageAir {
  const { bearer, profile } = airOf(turn);
  return { bearer, channel, rule, partOctets: profile.partOctets };
}

/**
 * A device that never asked this server has given it no key to seal a notice with. Where a client module is on it, a knock tells
 * that module where content waits; on any other device it does nothing.
 */
export function knock(turn: RequestTurn, item: RequestItem): void {
  const { deps, scribe, order } = turn;
  const server = deps.landName?.() ?? null;
  if (order.request.noticeKey || server === null) return;
  const payloadId = scribe.newId();
  const message = queueNotice(turn, {
    bytes: composeKnock({ server, reference: order.request.reference, itemId: item.id }),
    protocol: "notice",
    air: onAir(airOf(turn), "a knock goes narrowband"),
    payloadId,
    orderId: order.id,
    subscriberId: order.subscriberId,
    idempotencyKey: `${payloadId}:1`,
  });
  scribe.note(order, {
    kind: "knock_queued",
    itemId: item.id,
    reason:
      "the device never asked this server: a knock tells its client module, if there is one, where content waits",
    detail: { messageId: message.id, parts: message.partCount, channel: "narrowband" },
  });
}

const article = (kind: string): string =>
  `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind.replaceAll("_", " ")}`;

/** What a message needs that stands outside an order too. */
type Sending = Pick<Turn, "deps" | "scribe" | "terms">;

/** A message of requests that stands alone or beside an order. */
export function queueNotice(
  { deps, scribe, terms }: Sending,
  message: {
    readonly bytes: Uint8Array;
    readonly protocol: "notice" | "text";
    readonly payloadId: string;
    readonly orderId: string | null;
    readonly subscriberId: string | null;
    readonly destination?: string | null;
    readonly idempotencyKey: string;
    /** Nobody asked for it; see `isUnasked` of a message. Null: it may go at once. */
    readonly unasked?: { readonly notBefore: Date | null };
    /** Absent: a text to a device of which nobody says what carries it. */
    readonly air?: MessageAir;
  },
): CarrierMessage {
  const { bytes, protocol, payloadId, unasked, air = textAir(terms), ...to } = message;
  const onItsWay = { items: [], messages: scribe.changes.messages, subscriberId: to.subscriberId };
  const reference = freeReference(deps.randomBytes(1)[0] ?? 0, onItsWay);
  const { parts } = cutMessage(protocol, bytes, reference, air.partOctets);
  const carrier = {
    id: scribe.newId(),
    payloadId,
    kind: "notice",
    partCount: parts.length,
    reference,
  } as const;
  const { operatorId } = terms;
  scribe.changes.payloads.push({
    id: payloadId,
    operatorId,
    kind: "notice",
    protocol,
    sec: null,
    bytes,
    air,
  });
  const dueAt = unasked?.notBefore ?? scribe.now;
  scribe.changes.messages.push({
    ...carrier,
    destination: null,
    ...to,
    operatorId,
    dueAt,
    expiresAt: minutesAfter(dueAt, terms.policy.messageValidityMinutes),
    isUnasked: unasked !== undefined,
  });
  return carrier;
}

const textAir = ({ policy }: OperatorTerms): MessageAir =>
  onAir(airBy(policy, null), "a text goes narrowband");

type Written = {
  readonly bytes: Uint8Array;
  readonly protocol: "notice" | "text";
  readonly channel: "narrowband" | "wideband";
  readonly rule: string;
};

function write(turn: RequestTurn, telling: Telling, payloadId: string): Written {
  const air = airOf(turn);
  const text = [textOf(turn, telling.text, telling.values), ...(telling.more ?? [])].join(" ");
  const { noticeKey } = turn.order.request;
  if (!noticeKey) return asText(turn, text, telling.rule === "access_data");
  const sealing = { noticeKey, payloadId };
  const full = sealed(turn, telling, sealing, text);
  if (telling.rule === "access_data") {
    const bytes = full ?? sealed(turn, telling, sealing, "");
    if (!bytes) throw new RangeError("the access data does not fit into a notice");
    return narrowband(bytes, "access data goes narrowband");
  }
  if (telling.rule === "small_content" && full) return narrowband(full, "content that is small enough");
  const isNarrow = isNarrowbandOnly(air.profile);
  const partsMax = isNarrow ? air.profile.partsMax : NARROWBAND_PARTS_MAX;
  if (full && partsOnAir("notice", full, air) <= partsMax)
    return narrowband(full, `a notice of at most ${partsMax} SMS`);
  const short = `${text.slice(0, POINTER_CHARACTERS)}…`;
  const bytes = assured(
    sealed(turn, { ...telling, fields: {} }, sealing, short),
    "so short a text always fits",
  );
  return {
    bytes,
    protocol: "notice",
    channel: isNarrow ? "narrowband" : "wideband",
    rule: `longer than ${partsMax} SMS: the screen holds the whole text`,
  };
}

const narrowband = (bytes: Uint8Array, rule: string): Written => ({
  bytes,
  protocol: "notice",
  channel: "narrowband",
  rule,
});

/** The key that the device gave with its request, and what a reply names the notice by. */
type Sealing = { readonly noticeKey: Uint8Array; readonly payloadId: string };

/** Undefined where it is more than a notice may hold. */
function sealed(
  { deps, scribe, order }: RequestTurn,
  { kind, item, fields = {}, content }: Telling,
  { noticeKey, payloadId }: Sealing,
  text: string,
): Uint8Array | undefined {
  if (Buffer.byteLength(text) > MAX_NOTICE_TEXT_OCTETS) return undefined;
  const notice: Notice = {
    messageId: noticeIdOf(payloadId),
    kind,
    reference: order.request.reference,
    itemId: item?.id ?? null,
    text,
    fields,
    at: scribe.now,
    server: deps.landName?.() ?? null,
    ...(content ? { content } : {}),
  };
  try {
    return composeNotice(encodeNotice(notice, noticeKey));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a reply of the client names the notice by: every sending of one payload has the same. */
export const noticeIdOf = (payloadId: string): Uint8Array =>
  Uint8Array.from(createHash("sha256").update(payloadId).digest().subarray(0, 8));

/** A text that is too long for its parts ends where they end, with the address of the whole; access data has none. */
function asText(turn: RequestTurn, text: string, mustBeWhole: boolean): Written {
  const rule = "a device without our client module gets texts";
  const air = airOf(turn);
  const partsMax = Math.min(TEXT_PARTS_MAX, air.profile.partsMax);
  const partsOf = (bytes: Uint8Array): number => partsOnAir("text", bytes, air);
  let characters = Math.min(text.length, partsMax * charactersIn(air.profile));
  const whole = composeText(text.slice(0, characters));
  if (characters === text.length && partsOf(whole) <= partsMax)
    return { bytes: whole, protocol: "text", channel: "narrowband", rule };
  if (mustBeWhole) throw new RangeError("the access data does not fit into a text");
  const link = ` … ${linkOf(turn)}`;
  let cut = composeText(text.slice(0, characters) + link);
  while (partsOf(cut) > partsMax && characters > 0) {
    characters = Math.max(0, characters - 20);
    cut = composeText(text.slice(0, characters) + link);
  }
  return {
    bytes: cut,
    protocol: "text",
    channel: "narrowband",
    rule: `${rule}, of ${partsMax} SMS at most`,
  };
}

/** To a reply by text that led to no request and to no step of one. */
export function queueAnswer(
  turn: Sending,
  to: {
    readonly subscriberId: string | null;
    /** For a number that nobody is known by. */
    readonly destination?: string;
    readonly language: string;
  },
  why: Extract<
    NoticeText,
    | "notUnderstood"
    | "whichQuestion"
    | "offerNotTaken"
    | "offerLacksField"
    | "offerLacksForm"
    | "offerRead"
    | "offerMisread"
    | "stopped"
    | "started"
  >,
  values: Readonly<Record<string, string>> = {},
): void {
  const { scribe, terms } = turn;
  const text = filled(noticeText(terms.policy.request, why, to.language), {
    operator: terms.operatorName,
    ...values,
  });
  const payloadId = scribe.newId();
  queueNotice(turn, {
    bytes: composeText(text),
    protocol: "text",
    payloadId,
    orderId: null,
    subscriberId: to.subscriberId,
    destination: to.subscriberId === null ? (to.destination ?? null) : null,
    idempotencyKey: `${payloadId}:1`,
  });
}

export const linkOf = ({ deps, order }: Pick<RequestTurn, "deps" | "order">): string =>
  deps.requestUrl(order.request.reference);

export function textOf(
  turn: Pick<RequestTurn, "order" | "terms" | "deps">,
  name: NoticeText,
  values: Readonly<Record<string, string>> = {},
): string {
  const { order, terms } = turn;
  const known: Record<string, string> = {
    operator: terms.operatorName,
    reference: order.request.reference,
    link: linkOf(turn),
    ...values,
  };
  return filled(noticeText(terms.policy.request, name, order.request.language), known);
}

export const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

export const nameOf = (turn: Pick<RequestTurn, "order">, item: RequestItem): string =>
  localized(item.subject.name, turn.order.request.language);

export const namesOf = (turn: Pick<RequestTurn, "order">, items: readonly RequestItem[]): string =>
  items
    .filter(({ subject }) => subject.moduleOf === null)
    .map((item) => nameOf(turn, item))
    .join(", ");

/** What a reply by text names its question by, unlike those of the subscriber's other open questions. */
export const freshCode = (deps: Pick<RequestTurn["deps"], "randomBytes">, taken: readonly string[]): string =>
  newCode(deps.randomBytes(CODE_OCTETS), taken);

/** How far an open request is, for the periodic status; a request that has ended is told by texts of its own. */
const STATE_WORDS: Readonly<Record<string, Readonly<Partial<Record<OrderState, string>>>>> = {
  en: {
    received: "received",
    waiting: "waiting",
    verifying: "your details are being checked",
    awaiting_consent: "waiting for your answer to the terms",
    provisioning: "being set up",
  },
  de: {
    received: "angekommen",
    waiting: "wartet",
    verifying: "Ihre Angaben werden geprüft",
    awaiting_consent: "wartet auf Ihre Antwort zu den Bedingungen",
    provisioning: "wird eingerichtet",
  },
};

export const stateWords = (state: OrderState, language: string): string =>
  localized(
    Object.fromEntries(
      Object.entries(STATE_WORDS).map(([of, words]) => [of, words[state] ?? state.replaceAll("_", " ")]),
    ),
    language,
  );
