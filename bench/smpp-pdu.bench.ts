// Question: how many submit_sm with 140 octets of user data can one core decode and encode again a second?
// Budget: 500,000/s; one submit and its response at 100,000 messages/s then cost less than a third of a core.
// Peer: npm smpp 0.5.1 in the same process and run.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { decodePdu, decodePduAt, encodePdu, encodePduInto, makePdu } from "../src/wire/smpp/pdu.ts";

type PeerPdu = { toBuffer(): Buffer };
/** npm smpp has no types; this is what the bench calls of it. */
const { PDU: PeerPduOf } = createRequire(import.meta.url)("smpp") as { PDU: new (octets: Buffer) => PeerPdu };

const RUNS = 5;
const RUN_MS = 300;
const ROUNDS_PER_LOOK = 1_000;

export type PduMeasure = {
  readonly what: string;
  readonly perSecond: number;
  readonly peerPerSecond: number;
  readonly ratio: number;
};

const ENCODED = Buffer.from(
  encodePdu(
    makePdu("submit_sm", 7, {
      source_addr: "2948",
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr: "4512345678",
      esm_class: 0x03, // without a user data header: npm smpp does not write back the one it read
      data_coding: 4,
      registered_delivery: 1,
      short_message: Uint8Array.from({ length: 140 }, (_, i) => (i === 0 ? 11 : (i * 7) & 0xff)),
    }),
  ),
);

/** Rounds a second in one run. */
function rate(round: () => number): number {
  const start = performance.now();
  let rounds = 0;
  let octets = 0;
  let elapsed = 0;
  while (elapsed < RUN_MS) {
    for (let i = 0; i < ROUNDS_PER_LOOK; i++) octets += round();
    rounds += ROUNDS_PER_LOOK;
    elapsed = performance.now() - start;
  }
  if (octets < rounds * ENCODED.length) throw new Error("a round gave fewer octets than went in");
  return (rounds / elapsed) * 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Medians of alternating runs, so that a slow moment of the machine meets both. */
export function measureSmppPdu(): PduMeasure[] {
  const target = Buffer.alloc(1024);
  const rounds: Record<string, () => number> = {
    "into a shared buffer": () => encodePduInto(decodePduAt(ENCODED, 0, ENCODED.length, true), target, 0),
    "each to octets of its own": () => encodePdu(decodePdu(ENCODED)).length,
  };
  const peerRound = (): number => new PeerPduOf(ENCODED).toBuffer().length;
  const taken = new Map<string, number[]>();
  const peerTaken: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    for (const [what, round] of Object.entries(rounds)) {
      const perSecond = rate(round);
      if (run > 0) taken.set(what, [...(taken.get(what) ?? []), perSecond]); // the first warms up
    }
    const perSecond = rate(peerRound);
    if (run > 0) peerTaken.push(perSecond);
  }
  const peerPerSecond = median(peerTaken);
  return [...taken].map(([what, values]) => {
    const perSecond = median(values);
    return { what, perSecond, peerPerSecond, ratio: perSecond / peerPerSecond };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { what, perSecond, peerPerSecond, ratio } of measureSmppPdu()) {
    process.stdout.write(
      `submit_sm decode + encode, ${what}: ${Math.round(perSecond)}/s, ` +
        `npm smpp ${Math.round(peerPerSecond)}/s, ${ratio.toFixed(1)} times\n`,
    );
  }
}
