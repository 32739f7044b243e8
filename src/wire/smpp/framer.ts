/**
 * Cuts a stream into PDUs. A length that no PDU can have is refused when its four octets are there, before anything
 * is kept for it; an unfinished PDU costs at most `maxPduOctets`.
 */
import { DecodeError } from "../decode-error.ts";
import { bufferOf, uint32At } from "./octets.ts";
import { HEADER_OCTETS } from "./pdu.ts";

/** A message_payload of 65,535 octets with everything else a data_sm can bear. */
export const DEFAULT_MAX_PDU_OCTETS = 67_584;
const LENGTH_OCTETS = 4;

/** Takes one whole PDU, from `start` to before `end`; the buffer is the chunk's own where possible: copy what is kept. */
export type TakePdu = (buffer: Buffer, start: number, end: number) => void;

/** Framing of one connection; after a refusal it takes nothing more. */
export interface PduFramer {
  /**
   * Yields each whole PDU's octets (views of the chunk where possible).
   * @throws DecodeError at a length below 16 or above the limit, after the PDUs before it; for good
   */
  push(chunk: Uint8Array): Generator<Uint8Array, void, void>;
  /**
   * The same without a view per PDU: `take` sees where each lies.
   * @throws DecodeError as `push`
   */
  feed(chunk: Uint8Array, take: TakePdu): void;
  /** Octets of an unfinished PDU that are kept. */
  readonly pendingOctets: number;
}

/** What is left of the stream, of one connection. Plain fields and no closures: it stands in the path of every PDU. */
type Framing = {
  readonly maxPduOctets: number;
  /** The unfinished PDU: the octets of its length first, then room for all of it. */
  pending: Buffer;
  pendingOctets: number;
  refused: DecodeError | undefined;
};

/**
 * A framer for one connection.
 * @param maxPduOctets the longest PDU taken, its header counted
 * @throws DecodeError by its methods: a length that no PDU has
 */
export function createPduFramer({
  maxPduOctets = DEFAULT_MAX_PDU_OCTETS,
}: {
  readonly maxPduOctets?: number;
} = {}): PduFramer {
  const framing: Framing = {
    maxPduOctets,
    pending: Buffer.alloc(LENGTH_OCTETS),
    pendingOctets: 0,
    refused: undefined,
  };
  return {
    push: (chunk) => push(framing, chunk),
    feed: (chunk, take) => feed(framing, chunk, take),
    get pendingOctets() {
      return framing.pendingOctets;
    },
  };
}

function* push(framing: Framing, chunk: Uint8Array): Generator<Uint8Array, void, void> {
  const whole: Uint8Array[] = [];
  let failure: unknown;
  try {
    feed(framing, chunk, (buffer, start, end) => whole.push(buffer.subarray(start, end)));
  } catch (error) {
    failure = error;
  }
  yield* whole;
  if (failure) throw failure;
}

function feed(framing: Framing, bytes: Uint8Array, take: TakePdu): void {
  if (framing.refused) throw framing.refused;
  const chunk = bufferOf(bytes);
  let at = framing.pendingOctets > 0 ? resume(framing, chunk, take) : 0;
  while (chunk.length - at >= LENGTH_OCTETS) {
    const length = checkedLength(framing, chunk, at);
    if (chunk.length - at < length) {
      framing.pending = Buffer.allocUnsafe(length);
      break;
    }
    take(chunk, at, at + length);
    at += length;
  }
  if (at < chunk.length) fill(framing, chunk, at, chunk.length - at);
}

/** Goes on with the unfinished PDU; returns how far the chunk is used up. */
function resume(framing: Framing, chunk: Buffer, take: TakePdu): number {
  let at = 0;
  if (framing.pendingOctets < LENGTH_OCTETS) {
    at = fill(framing, chunk, at, LENGTH_OCTETS);
    if (framing.pendingOctets < LENGTH_OCTETS) return at;
    const whole = Buffer.allocUnsafe(checkedLength(framing, framing.pending, 0));
    framing.pending.copy(whole, 0, 0, LENGTH_OCTETS);
    framing.pending = whole;
  }
  at = fill(framing, chunk, at, framing.pending.length);
  if (framing.pendingOctets < framing.pending.length) return at;
  const whole = framing.pending;
  framing.pending = Buffer.alloc(LENGTH_OCTETS);
  framing.pendingOctets = 0;
  take(whole, 0, whole.length);
  return at;
}

/** Moves octets from the chunk until `pending` holds `count`; returns how far the chunk is used up. */
function fill(framing: Framing, chunk: Buffer, at: number, count: number): number {
  const taken = Math.min(count - framing.pendingOctets, chunk.length - at);
  chunk.copy(framing.pending, framing.pendingOctets, at, at + taken);
  framing.pendingOctets += taken;
  return at + taken;
}

function checkedLength(framing: Framing, buffer: Buffer, at: number): number {
  const length = uint32At(buffer, at);
  const { maxPduOctets } = framing;
  if (length >= HEADER_OCTETS && length <= maxPduOctets) return length;
  framing.refused = new DecodeError(`command_length ${length} is not ${HEADER_OCTETS} to ${maxPduOctets}`, 0);
  throw framing.refused;
}
