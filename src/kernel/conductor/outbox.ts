/**
 * Hands queued messages to the SMSC, part by part in order, and books what the SMSC said. A message interrupted by a
 * crash, or by a booking that failed, is leased again, and only the parts without a booking go out once more, octet for octet.
 * One that was leased as it was written need not be claimed: it is handed over once it is on disk.
 */

import { minutesAfter, secondsAfter } from "../../term/moment.ts";
import { carriesKey, KEY_WITHHELD, KEY_WITHHELD_REASON } from "../detected/withheld-key.ts";
import { quietFrom, quietUntil } from "../operator/quiet-hours.ts";
import { SETTINGS_UNCONFIRMED, WITHHELD_REASON } from "../operator/unconfirmed.ts";
import { faultOf } from "../order/fault.ts";
import type { OutgoingMessage, UnsentMessage } from "../order/message.ts";
import type { OrderStore } from "../order/order-store.ts";
import { cutMessage, esmClassOf, type MessagePart } from "../payload/compose.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import type { InHand } from "./in-hand.ts";

/** Longer than the SMSC session's own deadline for a part, so that a lease never lapses under a living sender. */
export const LEASE_MS = 120_000;
const FIRST_RETRY_SECONDS = 5;
const MAX_RETRY_MINUTES = 15;
/** Messages on their way that were handed over; beyond it they wait in the database for their turn. */
const HANDED_MAX = 1_000;

export type PartToSubmit = {
  /** The message, where it has several parts: they reach the SMSC in their order. */
  readonly partOf?: string;
  readonly to: string;
  readonly from: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  /** UDH and data. */
  readonly userData: Uint8Array;
  readonly moreToSend: boolean;
  readonly expiresAt: Date;
};

export type PartOutcome =
  | { readonly kind: "accepted"; readonly smscMessageId: string }
  /** For good: the SMSC would say the same again; or we, who did not ask it. */
  | { readonly kind: "refused"; readonly code: string; readonly by?: "us" }
  /** Not now, or nobody knows: it goes out again with the same reference. */
  | { readonly kind: "later"; readonly code: string };

export interface SmscPort {
  readonly name: string;
  submit(part: PartToSubmit): Promise<PartOutcome>;
}

export type Outbox = {
  /** Sends what is due; answers how many messages it took. */
  pass(limit: number): Promise<number>;
  /** Whether as many more may be handed over: few are on their way, and none waits longer already. */
  hasRoom(count: number): boolean;
  /** Sends messages that are leased as they are written, once they are. */
  hand(written: Promise<readonly OutgoingMessage[]>): void;
  /** Resolves when nothing that was handed over is on its way. */
  idle(): Promise<void>;
};

export function createOutbox(deps: {
  readonly store: OrderStore;
  readonly books: Bookkeeper;
  readonly smsc: SmscPort;
  readonly inHand: InHand;
  readonly clock: () => Date;
  /** 0 to 1. */
  readonly random: () => number;
  /** Of a message that carries a key: whether its handset is to get none any more. */
  readonly isKeyWithheld: (message: OutgoingMessage, now: Date) => Promise<boolean>;
}): Outbox {
  const takings = new Set<Promise<void>>();
  const handed = new Set<Promise<void>>();
  let isBehind = false;
  return {
    async pass(limit) {
      const claim = deps.store.claimMessages({ now: deps.clock(), limit, leaseMs: LEASE_MS });
      const messages = await deps.inHand.take(claim, idOf);
      isBehind = messages.length === limit;
      await Promise.all(messages.map((message) => sendInHand(deps, message)));
      return messages.length;
    },
    hasRoom: (count) => !isBehind && handed.size + count <= HANDED_MAX,
    hand(written) {
      const sendAll = async (): Promise<void> => {
        for (const message of await deps.inHand.take(written, idOf)) {
          const sending = sendInHand(deps, message)
            .catch(() => undefined) // not booked: it is given back and claimed
            .finally(() => handed.delete(sending));
          handed.add(sending);
        }
      };
      const taking = sendAll()
        .catch(() => undefined) // whoever writes them hears of it
        .finally(() => takings.delete(taking));
      takings.add(taking);
    },
    async idle() {
      await Promise.all(takings);
      await Promise.all(handed);
    },
  };
}

type Deps = Parameters<typeof createOutbox>[0];

const idOf = ({ messageId }: OutgoingMessage): string => messageId;

/** In hand until what the SMSC took is on disk too, which nobody waits for. */
function sendInHand(deps: Deps, message: OutgoingMessage): Promise<void> {
  const bookings: Promise<void>[] = [];
  const sent = sendMessage(deps, message, (booking) => bookings.push(booking));
  const done = sent.finally(() => Promise.allSettled(bookings)).then(() => Promise.all(bookings));
  deps.inHand.until(message.messageId, done).catch(() => undefined); // it is given back
  return sent;
}

/** Why a message does not go out, or not now. */
type NotSent = Omit<UnsentMessage, "messageId">;

async function sendMessage(
  deps: Deps,
  message: OutgoingMessage,
  onBooking: (booking: Promise<void>) => void,
): Promise<void> {
  const { messageId } = message;
  const now = deps.clock();
  // Without a turn in between for what was asked for: it is on its way when its handing over returns.
  const held =
    overWith(message, now) ??
    (message.unasked
      ? await heldBack(deps, message, now)
      : carriesKey(message)
        ? await keyHeldBack(deps, message, now)
        : undefined);
  if (held) return deps.books.unsent({ messageId, ...held });
  const cut = partsOf(message);
  if (!cut) return deps.books.unsent({ messageId, ...UNREADABLE });
  const validUntil = message.unasked ? await validityOf(deps, message, now) : message.expiresAt;
  const outcomes = await submitParts(deps, { ...message, expiresAt: validUntil }, cut, onBooking);
  const unsent = notTaken(message, outcomes, { now, random: deps.random });
  if (unsent) return deps.books.unsent({ messageId, ...unsent });
}

const UNREADABLE: NotSent = {
  reason: "it cannot be read: its subscriber has no number, or its seal does not open",
  retryAt: null,
  errorCode: "unreadable",
};

function overWith({ expiresAt, isWithheld }: OutgoingMessage, now: Date): NotSent | undefined {
  if (expiresAt <= now)
    return { reason: "it expired before the SMSC took it", retryAt: null, errorCode: "expired" };
  if (isWithheld) return { reason: WITHHELD_REASON, retryAt: null, errorCode: SETTINGS_UNCONFIRMED };
  return undefined;
}

/** All that are left are handed over in this turn: the session keeps their order. */
function submitParts(
  deps: Deps,
  message: OutgoingMessage,
  { to, dataCoding, parts }: CutParts,
  onBooking: (booking: Promise<void>) => void,
): Promise<PartOutcome[]> {
  const { messageId } = message;
  const wanted = parts.flatMap((part, at) =>
    message.acceptedParts.includes(at + 1) ? [] : [{ part, sequence: at + 1 }],
  );
  return Promise.all(
    wanted.map(async ({ part, sequence }) => {
      const wrapping = { to, dataCoding, moreToSend: sequence < parts.length };
      const smsc = deps.smsc.name; // before the answer: by then the centre may be another
      const outcome = await deps.smsc.submit(toSubmit(message, part, wrapping));
      if (outcome.kind === "accepted") {
        const { smscMessageId } = outcome;
        const booking = deps.books.submitted({ messageId, sequence, smsc, smscMessageId });
        booking.catch(() => undefined); // looked at when all are sent
        onBooking(booking);
      }
      return outcome;
    }),
  );
}

function notTaken(
  message: OutgoingMessage,
  outcomes: readonly PartOutcome[],
  { now, random }: { readonly now: Date; readonly random: () => number },
): NotSent | undefined {
  const refused = outcomes.find((outcome) => outcome.kind === "refused");
  if (refused) {
    const who = refused.by === "us" ? "it was not given to the SMSC" : "the SMSC refused it";
    return { reason: `${who}: ${refused.code}`, retryAt: null, errorCode: refused.code };
  }
  const later = outcomes.find((outcome) => outcome.kind === "later");
  if (!later) return undefined;
  const retryAt = retryTime(message, now, random());
  return {
    reason: `${later.code}; it is sent again at ${retryAt.toISOString()}`,
    retryAt,
    errorCode: later.code,
  };
}

/** What was decided before it waited may not hold any more; where that cannot be told, it does not go out either. */
async function keyHeldBack(deps: Deps, message: OutgoingMessage, now: Date): Promise<NotSent | undefined> {
  try {
    if (!(await deps.isKeyWithheld(message, now))) return undefined;
    return { reason: KEY_WITHHELD_REASON, retryAt: null, errorCode: KEY_WITHHELD };
  } catch (error) {
    const reason = `the handset could not be judged: ${faultOf(error)}`;
    return { reason, retryAt: retryTime(message, now, deps.random()), errorCode: "fault" };
  }
}

/**
 * STOP and quiet hours hold as they are when a message goes out, whenever it was queued: an offer that waited for the morning,
 * or for the message centre. One whose parts are with the centre in part goes on: half a text is worse.
 */
async function heldBack(
  deps: Deps,
  { unasked, operatorId, acceptedParts }: OutgoingMessage,
  now: Date,
): Promise<NotSent | undefined> {
  if (!unasked || acceptedParts.length > 0) return undefined;
  if (unasked.isStopped) return { reason: "the number said STOP", retryAt: null, errorCode: "opted_out" };
  const { policy } = await deps.store.termsOf(operatorId);
  const retryAt = quietUntil(policy.quietHours, unasked.homePlmn, now);
  return retryAt
    ? { reason: `quiet hours until ${retryAt.toISOString()}`, retryAt, errorCode: "quiet_hours" }
    : undefined;
}

/** A centre that finds the phone switched off tries again, but never in the night. */
async function validityOf(
  deps: Deps,
  { unasked, operatorId, expiresAt }: OutgoingMessage,
  now: Date,
): Promise<Date> {
  if (!unasked) return expiresAt;
  const { policy } = await deps.store.termsOf(operatorId);
  const night = quietFrom(policy.quietHours, unasked.homePlmn, now);
  return night && night < expiresAt ? night : expiresAt;
}

type CutParts = ReturnType<typeof cutMessage> & { readonly to: string };

/** Undefined where nothing can be sent: it is given up for good, so that it does not come up for ever. */
function partsOf({ content, protocol, reference, partOctets }: OutgoingMessage): CutParts | undefined {
  if (!content) return undefined;
  try {
    return { to: content.to, ...cutMessage(protocol, content.payload, reference, partOctets) };
  } catch {
    return undefined;
  }
}

function toSubmit(
  message: OutgoingMessage,
  part: MessagePart,
  { to, dataCoding, moreToSend }: Pick<PartToSubmit, "to" | "dataCoding" | "moreToSend">,
): PartToSubmit {
  const userData = new Uint8Array(part.udh.length + part.data.length);
  userData.set(part.udh);
  userData.set(part.data, part.udh.length);
  return {
    to,
    from: message.sender,
    esmClass: esmClassOf(part),
    dataCoding,
    userData,
    moreToSend,
    expiresAt: message.expiresAt,
    ...(message.partCount > 1 && { partOf: message.messageId }),
  };
}

function retryTime(message: OutgoingMessage, now: Date, random: number): Date {
  const seconds = FIRST_RETRY_SECONDS * 2 ** Math.min(message.attempts - 1, 10) * (0.5 + random / 2);
  const at = secondsAfter(now, seconds);
  const latest = minutesAfter(now, MAX_RETRY_MINUTES);
  const soonest = at < latest ? at : latest;
  return soonest < message.expiresAt ? soonest : message.expiresAt;
}
