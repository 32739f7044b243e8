/**
 * Hands queued messages to the SMSC, part by part in order, and books what the SMSC said. A message interrupted by a
 * crash, or by a booking that failed, is leased again, and only the parts without a booking go out once more, octet for octet.
 * One that was leased as it was written need not be claimed: it is handed over once it is on disk.
 */

import { minutesAfter, secondsAfter } from "../../term/moment.ts";
import { carriesKey, KEY_WITHHELD, KEY_WITHHELD_REASON } from "../detected/withheld-key.ts";
import { quietFrom, quietUntil } from "../operator/quiet-hours.ts";
import { partCostMicros, SmsPace, type SmsSpend } from "../operator/sms-limits.ts";
import { SETTINGS_UNCONFIRMED, WITHHELD_REASON } from "../operator/unconfirmed.ts";
import { faultOf } from "../order/fault.ts";
import type { OutgoingMessage, UnsentMessage } from "../order/message.ts";
import type { OrderStore } from "../order/order-store.ts";
import { cutMessage, esmClassOf, type MessagePart } from "../payload/compose.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import { type CentreChoice, chooseCentre } from "./centre-choice.ts";
import type { InHand } from "./in-hand.ts";
import { claimOf, operatorsWithMore } from "./lane-claim.ts";
import { type CentreState, type LaneOwner, Lanes } from "./lanes.ts";
import { limitsOf } from "./limit-hold.ts";
import { Unserved } from "./unserved.ts";

/** Longer than the SMSC session's own deadline for a part, so that a lease never lapses under a living sender. */
export const LEASE_MS = 120_000;
const FIRST_RETRY_SECONDS = 5;
const MAX_RETRY_MINUTES = 15;
/** Messages on their way that were handed over; beyond it they wait in the database for their turn. */
const HANDED_MAX = 1_000;
/** Claimed messages on their way, of all operators; beyond it a claim waits for some to end. */
const CLAIMED_MAX = 4_000;
/** What no centre takes now is looked at again after this at the latest: one may be bound then. */
const MAX_WAIT_SECONDS = 60;
/** What a centre has perhaps goes out again there, under the same reference; by another only after this: it would come twice. */
const DOUBT_SECONDS = 600;
/** A look past those whose lanes are closed reads all that they have: not again so soon where it found nothing. */
const FRUITLESS_MS = 250;

export type PartToSubmit = {
  /** Whose it is: what one operator sends takes turns with what others send. */
  readonly lane: string;
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
  | {
      readonly kind: "later";
      readonly code: string /** It left and nobody answered. */;
      readonly isPerhapsTaken?: boolean;
    };

/** The message centres. */
export interface SmscPort {
  /** As they are now, in the order of the file. */
  centres(): readonly CentreState[];
  submit(part: PartToSubmit, centre: string): Promise<PartOutcome>;
  /** Whether a centre's alphabet has what the part says. */
  canWrite(part: PartToSubmit, centre: string): boolean;
  /** A message goes by another centre, since this one is unbound. */
  failedOver(centre: string): void;
}

export type Outbox = {
  /** Claims what is due and begins to send it; answers whether more may be due. @throws what an earlier one failed by */
  pass(limit: number): Promise<boolean>;
  /** Whether these may be handed over: few are on their way, and none of theirs waits longer already. */
  hasRoom(messages: readonly LaneOwner[]): boolean;
  /** Sends messages that are leased as they are written, once they are. */
  hand(written: Promise<readonly OutgoingMessage[]>): void;
  /** Resolves when nothing that was handed over is on its way. */
  idle(): Promise<void>;
};

type Deps = {
  readonly store: Pick<OrderStore, "claimMessages" | "termsOf" | "tellWaiting">;
  readonly books: Pick<Bookkeeper, "submitted" | "unsent">;
  readonly smsc: SmscPort;
  readonly inHand: InHand;
  readonly clock: () => Date;
  /** 0 to 1. */
  readonly random: () => number;
  /** Of a message that carries a key: whether its handset is to get none any more. */
  readonly isKeyWithheld: (message: OutgoingMessage, now: Date) => Promise<boolean>;
  /** What operators' messages come to, where their policy limits them. */
  readonly spend: Pick<SmsSpend, "now" | "handedOver">;
  readonly sleep: (ms: number) => Promise<void>;
  /** There is room again for an operator of whom no more was claimed. */
  readonly onRoom?: () => void;
};
type Sending = Deps & { readonly pace: SmsPace };

export function createOutbox(deps: Deps): Outbox {
  const sending: Sending = { ...deps, pace: new SmsPace() };
  const lanes = new Lanes();
  const unserved = new Unserved();
  const takings = new Set<Promise<void>>();
  const handed = new Set<Promise<void>>();
  const claimed = new Set<Promise<void>>();
  /** Operators that have more due than was claimed. */
  let behind: ReadonlySet<string> = new Set();
  let fruitlessAtMs = Number.NEGATIVE_INFINITY;
  let failure: { readonly error: unknown } | undefined;

  const send = (message: OutgoingMessage, among: Set<Promise<void>>): Promise<void> => {
    lanes.enter(message);
    const one = sendInHand(sending, message).finally(() => {
      among.delete(one);
      if (lanes.leave(message, deps.smsc.centres())) deps.onRoom?.();
    });
    among.add(one);
    return one;
  };
  return {
    async pass(limit) {
      if (failure) {
        const { error } = failure;
        failure = undefined;
        throw error;
      }
      while (claimed.size >= CLAIMED_MAX) await Promise.race(claimed);
      const now = deps.clock();
      const except = lanes.closed(deps.smsc.centres());
      await unserved.tell(deps.store, lanes, deps.smsc.centres(), now);
      const sinceMs = now.getTime() - fruitlessAtMs;
      if (except.length > 0 && sinceMs >= 0 && sinceMs < FRUITLESS_MS) return false;
      const claim = claimOf(lanes.rooms(deps.smsc.centres()), limit);
      const claiming = deps.store.claimMessages({ now, leaseMs: LEASE_MS, except, ...claim });
      const messages = await deps.inHand.take(claiming, idOf);
      fruitlessAtMs = messages.length === 0 && except.length > 0 ? now.getTime() : Number.NEGATIVE_INFINITY;
      const withMore = operatorsWithMore(messages, claim);
      behind = new Set([...except, ...withMore]);
      for (const message of messages)
        send(message, claimed).catch((error: unknown) => {
          failure ??= { error }; // told by the next pass; the message is given back
        });
      return withMore.size > 0;
    },
    hasRoom: (messages) =>
      handed.size + messages.length <= HANDED_MAX && haveRoom(lanes, behind, messages, deps.smsc.centres()),
    hand(written) {
      const sendAll = async (): Promise<void> => {
        for (const message of await deps.inHand.take(written, idOf))
          send(message, handed).catch(() => undefined); // not booked: it is given back and claimed
      };
      const taking = sendAll()
        .catch(() => undefined) // whoever writes them hears of it
        .finally(() => takings.delete(taking));
      takings.add(taking);
    },
    async idle() {
      await Promise.all(takings);
      await Promise.allSettled([...handed, ...claimed]);
    },
  };
}

/** Each operator's own lane has to have it. */
function haveRoom(
  lanes: Lanes,
  behind: ReadonlySet<string>,
  messages: readonly LaneOwner[],
  centres: readonly CentreState[],
): boolean {
  const counts = new Map<string, { readonly owner: LaneOwner; count: number }>();
  for (const owner of messages) {
    const known = counts.get(owner.operatorId);
    if (known) known.count += 1;
    else counts.set(owner.operatorId, { owner, count: 1 });
  }
  return [...counts.values()].every(
    ({ owner, count }) => !behind.has(owner.operatorId) && lanes.hasRoom(owner, count, centres),
  );
}

const idOf = ({ messageId }: OutgoingMessage): string => messageId;

/** In hand until what the SMSC took is on disk too, which nobody waits for. */
function sendInHand(deps: Sending, message: OutgoingMessage): Promise<void> {
  const bookings: Promise<void>[] = [];
  const sent = sendMessage(deps, message, (booking) => bookings.push(booking));
  const done = sent.finally(() => Promise.allSettled(bookings)).then(() => Promise.all(bookings));
  deps.inHand.until(message.messageId, done).catch(() => undefined); // it is given back
  return sent;
}

/** Why a message does not go out, or not now. */
type NotSent = Omit<UnsentMessage, "messageId">;

async function sendMessage(
  deps: Sending,
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
  const limits = message.smsLimits && limitsOf(deps, message, message.smsLimits);
  const limited = limits && (await limits);
  if (limited) return deps.books.unsent({ messageId, ...limited });
  const cut = partsOf(message);
  if (!cut) return deps.books.unsent({ messageId, ...UNREADABLE });
  const validUntil = message.unasked ? await validityOf(deps, message, now) : message.expiresAt;
  const centre = centreFor(deps, message, cut, now);
  if (centre.kind === "unfit") return deps.books.unsent({ messageId, ...ALPHABET_UNFIT });
  if (centre.kind === "waits")
    return deps.books.unsent({ messageId, ...waiting(message, centre, { now, random: deps.random }) });
  if (centre.insteadOf !== undefined) deps.smsc.failedOver(centre.insteadOf);
  const way = { cut, smsc: centre.centre };
  const outcomes = await submitParts(deps, { ...message, expiresAt: validUntil }, way, onBooking);
  const unsent = notTaken(message, outcomes, { now, random: deps.random, smsc: centre.centre });
  if (unsent) return deps.books.unsent({ messageId, ...unsent });
}

/** Once for all its parts, which stay with one centre: one whose alphabet has all that they say, where one serves it. */
function centreFor(
  { smsc }: Sending,
  message: OutgoingMessage,
  cut: CutParts,
  now: Date,
): CentreChoice | { readonly kind: "unfit" } {
  const { operatorSlug: operator, acceptedBy, perhapsWith } = message;
  const wanted = { operator, to: cut.to, staysWith: acceptedBy ?? perhapsWith ?? null };
  const parts = wantedParts(message, cut).map(({ toSubmit }) => toSubmit);
  const all = smsc.centres();
  const fit = all.filter(
    ({ name }) => name === wanted.staysWith || parts.every((part) => smsc.canWrite(part, name)),
  );
  const choice = chooseCentre(fit, wanted, now.getTime());
  if (fit.length === all.length || choice.kind === "goes" || choice.code === "smsc_unbound") return choice;
  const ofAny = chooseCentre(all, wanted, now.getTime());
  return ofAny.kind === choice.kind && ofAny.code === choice.code ? choice : { kind: "unfit" };
}

/** No other try would write it: its parts are cut already. */
const ALPHABET_UNFIT: NotSent = {
  reason: "it was not given to the SMSC: alphabet_unfit",
  retryAt: null,
  errorCode: "alphabet_unfit",
};

function waiting(
  message: OutgoingMessage,
  { code, centre }: Extract<CentreChoice, { kind: "waits" }>,
  { now, random }: { readonly now: Date; readonly random: () => number },
): NotSent {
  const soonest = retryTime(message, now, random());
  const latest = secondsAfter(now, MAX_WAIT_SECONDS * (0.5 + random() / 2));
  const retryAt = soonest < latest ? soonest : latest;
  return {
    reason: `${WHY_WAITS[code](centre)}; it is looked at again at ${retryAt.toISOString()}`,
    retryAt,
    errorCode: code,
  };
}
const WHY_WAITS: Readonly<
  Record<Extract<CentreChoice, { kind: "waits" }>["code"], (centre?: string) => string>
> = {
  smsc_unbound: (centre) => `its message centre${centre ? ` ${centre}` : ""} is not bound`,
  smsc_drained: () => "every message centre that serves it is being drained",
  smsc_none: () => "no message centre serves its operator and number",
};

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
  { cut, smsc }: { readonly cut: CutParts; readonly smsc: string },
  onBooking: (booking: Promise<void>) => void,
): Promise<PartOutcome[]> {
  const { messageId } = message;
  const costMicros = partCostMicros(message.smsLimits?.prices ?? null, cut.to);
  return Promise.all(
    wantedParts(message, cut).map(async ({ toSubmit, sequence }) => {
      const outcome = await deps.smsc.submit(toSubmit, smsc);
      if (outcome.kind === "accepted") {
        const { smscMessageId } = outcome;
        const booking = deps.books.submitted({ messageId, sequence, smsc, smscMessageId, costMicros });
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
  { now, random, smsc }: { readonly now: Date; readonly random: () => number; readonly smsc: string },
): NotSent | undefined {
  const refused = outcomes.find((outcome) => outcome.kind === "refused");
  if (refused) {
    const who = refused.by === "us" ? "it was not given to the SMSC" : `the SMSC ${smsc} refused it`;
    return { reason: `${who}: ${refused.code}`, retryAt: null, errorCode: refused.code };
  }
  const later = outcomes.find((outcome) => outcome.kind === "later");
  if (!later) return undefined;
  const retryAt = retryTime(message, now, random());
  const doubt = outcomes.some((outcome) => outcome.kind === "later" && outcome.isPerhapsTaken);
  const perhapsWith = { smsc, until: secondsAfter(now, DOUBT_SECONDS) };
  const again = doubt ? `${smsc} has it perhaps, and it is sent there again` : "it is sent again";
  return {
    reason: `${later.code}; ${again} at ${retryAt.toISOString()}`,
    retryAt,
    errorCode: later.code,
    ...(doubt && { perhapsWith }),
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

/** Those that no earlier attempt got accepted. */
const wantedParts = (message: OutgoingMessage, { to, dataCoding, parts }: CutParts) =>
  parts.flatMap((part, at) => {
    if (message.acceptedParts.includes(at + 1)) return [];
    const moreToSend = at + 1 < parts.length;
    return [{ sequence: at + 1, toSubmit: partToSubmit(message, part, { to, dataCoding, moreToSend }) }];
  });

function partToSubmit(
  message: OutgoingMessage,
  part: MessagePart,
  { to, dataCoding, moreToSend }: Pick<PartToSubmit, "to" | "dataCoding" | "moreToSend">,
): PartToSubmit {
  const userData = new Uint8Array(part.udh.length + part.data.length);
  userData.set(part.udh);
  userData.set(part.data, part.udh.length);
  return {
    lane: message.operatorId,
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
