/**
 * Puts the parts of long messages together, in any order, as 3GPP TS 23.040 §9.2.3.24.1 joins them: parts belong to one
 * message when sender, receiver, ports, reference and total are the same. Has no clock: each part brings its time.
 *
 * Memory is bounded: too many unfinished messages, or too many octets in them, push out the ones that waited longest
 * for a part.
 */
import { getFrom } from "../../term/collections.ts";
import { DecodeError } from "../decode-error.ts";
import { type Concatenation, decodeUdh, type Udh } from "./udh.ts";

/** What bounds memory and waiting. */
export type ReassemblyLimits = {
  /** Unfinished messages. */
  readonly limitMessages: number;
  /** Octets of data in unfinished messages. */
  readonly limitOctets: number;
  /** How long an unfinished message waits for its next part. */
  readonly timeoutMs: number;
};

/** One short message, with the time at which it came; `data` is what stands behind the header. */
export type IncomingPart = {
  readonly from: string;
  readonly to: string;
  /** With its length octet; empty where the message has none. */
  readonly udh: Uint8Array;
  readonly data: Uint8Array;
  readonly atMs: number;
};

/** A message whose parts are all there, joined in their order. */
export type WholeMessage = {
  readonly from: string;
  readonly to: string;
  /** Of the first part, without its concatenation. */
  readonly udh: Udh;
  readonly bytes: Uint8Array;
};

/** Keeps parts until their message is whole. */
export type Reassembler = {
  /**
   * The whole message when this part completes it, else null. A part that came before is dropped, also for a while
   * after its message was complete.
   * @throws DecodeError: a header that cannot be read, another total or other octets than the same reference has already
   */
  accept(part: IncomingPart): WholeMessage | null;
  /** Messages that wait for parts. */
  readonly pending: number;
};

type Collected = {
  readonly total: number;
  readonly parts: Map<number, Uint8Array>;
  octets: number;
  lastAtMs: number;
  udh: Udh;
  /** Complete and handed out: kept until its time is over, so that a part that comes twice opens no new message. */
  isDone: boolean;
  /** Parts that came again since. They belong to a new message if another part of it turns out to differ. */
  readonly repeated: Set<number>;
};

/** What a receiver holds. */
type Waiting = {
  readonly limits: ReassemblyLimits;
  /** In the order of their last part: the oldest first. */
  readonly messages: Map<string, Collected>;
  octets: number;
};

/**
 * A reassembler with its own memory; it has no clock and no timer, so old parts go when the next part comes.
 * @throws DecodeError by `accept`
 */
export function createReassembler(limits: ReassemblyLimits): Reassembler {
  const waiting: Waiting = { limits, messages: new Map(), octets: 0 };
  return {
    accept: (part) => accept(waiting, part),
    get pending() {
      return [...waiting.messages.values()].filter(({ isDone }) => !isDone).length;
    },
  };
}

function accept(waiting: Waiting, { from, to, udh, data, atMs }: IncomingPart): WholeMessage | null {
  const { concat, ...rest } = decodeUdh(udh);
  if (!concat || concat.total === 1) return { from, to, udh: rest, bytes: data };
  forgetOld(waiting, atMs);
  const key = JSON.stringify([from, to, rest.destPort, rest.srcPort, concat.refBits, concat.ref]);
  const message = messageFor(waiting, key, concat, data);
  if (!message) return null;
  forget(waiting, key);
  message.parts.set(concat.seq, data.slice());
  message.octets += data.length;
  message.lastAtMs = atMs;
  if (concat.seq === 1) message.udh = rest;
  message.isDone = message.parts.size === message.total;
  waiting.messages.set(key, message);
  waiting.octets += message.octets;
  forgetOld(waiting, atMs);
  return message.isDone ? { from, to, udh: message.udh, bytes: joined(message) } : null;
}

function forget(waiting: Waiting, key: string): void {
  waiting.octets -= waiting.messages.get(key)?.octets ?? 0;
  waiting.messages.delete(key);
}

function forgetOld(waiting: Waiting, atMs: number): void {
  for (const [key, message] of waiting.messages) {
    const isOver = atMs - message.lastAtMs > waiting.limits.timeoutMs;
    const isTooMuch =
      waiting.messages.size > waiting.limits.limitMessages || waiting.octets > waiting.limits.limitOctets;
    if (!isOver && !isTooMuch) return;
    forget(waiting, key);
  }
}

/** The message that this part belongs to, new or begun; undefined where it has the part already. */
function messageFor(
  waiting: Waiting,
  key: string,
  { total, seq }: Concatenation,
  data: Uint8Array,
): Collected | undefined {
  const known = waiting.messages.get(key);
  if (!known) return collected(total);
  if (known.total !== total) {
    if (known.isDone) return collected(total); // the reference is used again, for another message
    throw new DecodeError(`a part of ${total} where ${known.total} were announced`, 0);
  }
  const before = known.parts.get(seq);
  if (!before) return known;
  if (Buffer.compare(before, data) === 0) {
    known.repeated.add(seq);
    return undefined;
  }
  if (!known.isDone) throw new DecodeError(`part ${seq} with other octets than before`, 0);
  return collected(
    total,
    [...known.repeated].map((again) => [again, getFrom(known.parts, again)]),
  );
}

function collected(total: number, parts: readonly (readonly [number, Uint8Array])[] = []): Collected {
  return {
    total,
    parts: new Map(parts),
    octets: parts.reduce((sum, [, data]) => sum + data.length, 0),
    lastAtMs: 0,
    udh: {},
    isDone: false,
    repeated: new Set(),
  };
}

function joined({ parts, total }: Collected): Uint8Array {
  const pieces = Array.from({ length: total }, (_, index) => getFrom(parts, index + 1));
  return Uint8Array.from(Buffer.concat(pieces));
}
