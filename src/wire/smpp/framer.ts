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

export type TakePdu = (buffer: Buffer, start: number, end: number) => void;

export interface PduFramer {
  /**
   * Yields each whole PDU's octets (views of the chunk where possible).
   * @throws DecodeError at a length below 16 or above the limit, after the PDUs before it; for good
   */
  push(chunk: Uint8Array): Generator<Uint8Array, void, void>;
  /** The same without a view per PDU: `take` sees where each lies. */
  feed(chunk: Uint8Array, take: TakePdu): void;
  /** Octets of an unfinished PDU that are kept. */
  readonly pendingOctets: number;
}

export function createPduFramer({
  maxPduOctets = DEFAULT_MAX_PDU_OCTETS,
}: {
  readonly maxPduOctets?: number;
} = {}): PduFramer {
  /** The unfinished PDU: the octets of its length first, then room for all of it. */
  let pending: Buffer = Buffer.alloc(LENGTH_OCTETS);
  let pendingOctets = 0;
  let refused: DecodeError | undefined;

  const checkedLength = (buffer: Buffer, at: number): number => {
    const length = uint32At(buffer, at);
    if (length >= HEADER_OCTETS && length <= maxPduOctets) return length;
    refused = new DecodeError(`command_length ${length} is not ${HEADER_OCTETS} to ${maxPduOctets}`, 0);
    throw refused;
  };

  /** Moves octets from the chunk until `pending` holds `count`; returns how far the chunk is used up. */
  const fill = (chunk: Buffer, at: number, count: number): number => {
    const taken = Math.min(count - pendingOctets, chunk.length - at);
    chunk.copy(pending, pendingOctets, at, at + taken);
    pendingOctets += taken;
    return at + taken;
  };

  /** Goes on with the unfinished PDU. */
  const resume = (chunk: Buffer, take: TakePdu): number => {
    let at = 0;
    if (pendingOctets < LENGTH_OCTETS) {
      at = fill(chunk, at, LENGTH_OCTETS);
      if (pendingOctets < LENGTH_OCTETS) return at;
      const whole = Buffer.allocUnsafe(checkedLength(pending, 0));
      pending.copy(whole, 0, 0, LENGTH_OCTETS);
      pending = whole;
    }
    at = fill(chunk, at, pending.length);
    if (pendingOctets < pending.length) return at;
    const whole = pending;
    pending = Buffer.alloc(LENGTH_OCTETS);
    pendingOctets = 0;
    take(whole, 0, whole.length);
    return at;
  };

  const feed = (bytes: Uint8Array, take: TakePdu): void => {
    if (refused) throw refused;
    const chunk = bufferOf(bytes);
    let at = pendingOctets > 0 ? resume(chunk, take) : 0;
    while (chunk.length - at >= LENGTH_OCTETS) {
      const length = checkedLength(chunk, at);
      if (chunk.length - at < length) {
        pending = Buffer.allocUnsafe(length);
        break;
      }
      take(chunk, at, at + length);
      at += length;
    }
    if (at < chunk.length) fill(chunk, at, chunk.length - at);
  };

  return {
    feed,
    *push(chunk) {
      const whole: Uint8Array[] = [];
      let failure: unknown;
      try {
        feed(chunk, (buffer, start, end) => whole.push(buffer.subarray(start, end)));
      } catch (error) {
        failure = error;
      }
      yield* whole;
      if (failure) throw failure;
    },
    get pendingOctets() {
      return pendingOctets;
    },
  };
}
