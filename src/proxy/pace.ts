/**
 * Content goes at the pace of the device's bearer: what is handed to the air side faster than it carries fills the buffers of
 * a gateway, and keeps the other answers to the device waiting behind it.
 */
import { airTimeMs, type BearerProfile } from "../wire/message/bearer-profile.ts";

/** Handed over at once before the pace counts: a small answer is never held back. */
const BURST_MS = 1_000;
/** A piece is on the air for so long. */
const PIECE_MS = 250;
const PIECE_OCTETS_MIN = 128;

type Clock = {
  /** Goes on whatever is done to the time of day. */
  monotonicMs(): number;
  pause(ms: number): Promise<void>;
};

/** How long to wait until so many octets may have gone, in ms. */
export const waitMs = (profile: BearerProfile, octets: number, elapsedMs: number): number =>
  Math.max(0, airTimeMs(profile, octets) - BURST_MS - elapsedMs);

/** The same octets, in pieces, none before its time. */
export async function* paced(
  body: AsyncIterable<Uint8Array>,
  profile: BearerProfile,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const pieceOctets = Math.max(PIECE_OCTETS_MIN, Math.floor((profile.rateBps * PIECE_MS) / 8_000));
  const begin = clock.monotonicMs();
  let octets = 0;
  let waitedMs = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += pieceOctets) {
      const piece = chunk.subarray(at, at + pieceOctets);
      octets += piece.length;
      const wait = waitMs(profile, octets, Math.max(waitedMs, clock.monotonicMs() - begin));
      if (wait > 0) await clock.pause(wait);
      waitedMs += wait;
      yield piece;
    }
  }
}
