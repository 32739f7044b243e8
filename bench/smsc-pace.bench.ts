// Question: how many messages a second does a message centre take from us that says "too fast", and how many does it refuse?
// Budget: 75/s at a centre of 100/s that also refuses one in seven at random; under 5% refused at a hard limit of 20/s;
// 80% of a centre of 1 to 3/s.
import { createEsme } from "../src/net/smsc/esme.ts";
import { createSmscSimulator } from "../src/sim/smsc/smsc.ts";
import { STATUS } from "../src/wire/smpp/status.ts";
import type { Bench, Figure, Question } from "./question.ts";

const RUN_MS = 60_000;
const QUICK_MS = 10_000;
/** Always more than leaves: the pace alone decides. */
const WAITING = 200;

type Centre = { readonly perSecond: number; readonly refusedPart: number };
const CENTRES: readonly (Centre & { readonly what: string; readonly aim: number })[] = [
  { what: "100/s, and one in seven refused at random", perSecond: 100, refusedPart: 1 / 7, aim: 75 },
  { what: "20/s", perSecond: 20, refusedPart: 0, aim: 15 },
  { what: "3/s", perSecond: 3, refusedPart: 0, aim: 1.5 },
  { what: "1/s", perSecond: 1, refusedPart: 0, aim: 0.5 },
];

export const smscPaceQuestion: Question = {
  name: "smsc-pace",
  asks: "How many messages a second does a congested message centre take, and how many does it refuse?",
  how: "Our session for a minute with as many messages as it wants, over a real socket, against the simulated centre with that limit (a bucket of a tenth of a second).",
  durability: "nothing is stored, on either side.",
  uses: [],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { what, aim, ...centre } of CENTRES) {
    const values: number[] = [];
    const parts: string[] = [];
    for (let run = 0; run < (bench.quick ? 1 : bench.runs); run++) {
      bench.progress(`${what}, run ${run + 1}`);
      const { takenPerSecond, refusedPart } = await minuteAt(
        centre,
        bench.quick ? QUICK_MS : RUN_MS,
        run + 1,
      );
      values.push(takenPerSecond);
      parts.push(`${(refusedPart * 100).toFixed(1)}%`);
    }
    figures.push({
      what,
      unit: "messages/s",
      values,
      isSteady: true,
      peers: [],
      aim: { kind: "at least", value: aim },
      note: `refused: ${parts.join(", ")}`,
    });
  }
  return figures;
}

async function minuteAt(
  { perSecond, refusedPart }: Centre,
  runMs: number,
  seed: number,
): Promise<{ readonly takenPerSecond: number; readonly refusedPart: number }> {
  const account = { systemId: "turnup", password: "password" };
  const faults = {
    throttleAbovePerSecond: perSecond,
    ...(refusedPart > 0 && { refuse: { part: refusedPart, status: STATUS.ESME_RTHROTTLED } }),
  };
  const smsc = await createSmscSimulator({
    port: 0,
    ...account,
    seed,
    faults,
    onMessage: async () => "delivered",
  });
  const esme = createEsme({ host: "127.0.0.1", port: smsc.port, ...account, onDeliver: async () => 0 });
  let isOver = false;
  const again = (): void => {
    if (!isOver)
      esme.submitWith({ destination_addr: "491701234567", deadlineMs: runMs * 2 }, again, undefined);
  };
  esme.start();
  for (let waiting = 0; waiting < WAITING; waiting++) again();
  await new Promise((resolve) => setTimeout(resolve, runMs));
  isOver = true;
  const { accepted, congested } = esme.stats;
  await esme.stop({ drainMs: 0 });
  await smsc.close();
  return { takenPerSecond: accepted / (runMs / 1_000), refusedPart: congested / (accepted + congested) };
}
