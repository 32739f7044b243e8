// Question: how many submit_sm with 140 octets of user data can one core decode and encode again a second?
// Budget: 500,000/s; one submit and its response at 100,000 messages/s then cost less than a third of a core.
// Peer: npm smpp 0.5.1 in the same process and run.
import { createRequire } from "node:module";
import { decodePdu, decodePduAt, encodePdu, encodePduInto, makePdu } from "../src/wire/smpp/pdu.ts";
import { alternate, type Bench, type Figure, type Question } from "./question.ts";

type PeerPdu = { toBuffer(): Buffer };
/** npm smpp has no types; this is what the bench calls of it. */
const { PDU: PeerPduOf } = createRequire(import.meta.url)("smpp") as { PDU: new (octets: Buffer) => PeerPdu };

const RUN_MS = 1_000;
const ROUNDS_PER_LOOK = 1_000;

export const smppPduQuestion: Question = {
  name: "smpp-pdu",
  asks: "How many submit_sm with 140 octets of user data does one core decode and encode again a second?",
  how: [
    "One PDU in one process, decoded and written again: into a shared buffer, as the session does it, and each to octets of",
    "its own. npm smpp decodes and writes the same PDU in the same process.",
  ].join(" "),
  durability: "nothing is stored, on either side.",
  uses: ["npm smpp"],
  measure,
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

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const target = Buffer.alloc(1024);
  const shared = "into a shared buffer";
  const own = "each to octets of its own";
  const peer = "npm smpp";
  const taken = await alternate(
    bench,
    {
      [shared]: () => rate(() => encodePduInto(decodePduAt(ENCODED, 0, ENCODED.length, true), target, 0)),
      [own]: () => rate(() => encodePdu(decodePdu(ENCODED)).length),
      [peer]: () => rate(() => new PeerPduOf(ENCODED).toBuffer().length),
    },
    { warmUp: true },
  );
  return [shared, own].map((what) => ({
    what,
    unit: "PDUs/s",
    values: taken.get(what) ?? [],
    peers: [{ name: peer, values: taken.get(peer) ?? [] }],
    ...(what === shared ? { aim: { kind: "at least" as const, value: 500_000 } } : {}),
  }));
}
