// Question: how much memory does a serving process take with the models of a national TAC list of 255,000 codes?
// Budget: 100 MB more than without it, of the whole process and after garbage was collected.
import { randomBytes } from "node:crypto";
import { debianPostgres, POSTGRES_MISSING, startDebianPostgres } from "./postgres.ts";
import type { Bench, Figure, Question } from "./question.ts";
import { startSink } from "./smpp-sink.ts";
import { type MemoryLook, startTurnup } from "./turnup-process.ts";

const TACS = 255_000;
const QUICK_TACS = 25_000;
const AIM_MB = 100;
const OCTETS_PER_MB = 1_000_000;

export const modelsQuestion: Question = {
  name: "models",
  asks: "How much memory does a serving process take for a TAC list of 255,000 codes of an operator's own?",
  how: [
    "A server starts on an empty database of Debian's PostgreSQL, from the sources, with the shipped lists alone; it is looked at, given an operator's own",
    "list and ended. A second one starts on that database and knows the list before it serves. RSS, heapUsed and external are those of process.memoryUsage(),",
    "as they are when the server is ready and after garbage was collected twice. What the list takes is the difference of both servers; of RSS it",
    "holds what the reading left behind too.",
  ].join(" "),
  durability: "nothing is written while it is measured. There is no peer.",
  uses: ["PostgreSQL of Debian"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  if (debianPostgres() === undefined) throw new Error(POSTGRES_MISSING);
  const tacs = bench.quick ? QUICK_TACS : TACS;
  const [without, within]: [MemoryLook[], MemoryLook[]] = [[], []];
  for (let run = 1; run <= bench.runs; run++) {
    bench.progress(`run ${run} of ${bench.runs}`);
    const { shipped, own } = await lookAtBoth(tacs);
    without.push(shipped);
    within.push(own);
  }
  return [
    ...figuresOf("shipped lists alone", without),
    ...figuresOf(`with ${tacs} codes more`, within),
    {
      ...figure(
        "what the list takes: heapUsed and external, collected",
        within.map((own, run) => held(own) - held(without[run])),
      ),
      aim: { kind: "at most", value: AIM_MB },
    },
    {
      ...figure(
        "what the list takes: RSS, collected",
        within.map((own, run) => own.after.rss - (without[run]?.after.rss ?? Number.NaN)),
      ),
      aim: { kind: "at most", value: AIM_MB },
    },
  ];
}

async function lookAtBoth(tacs: number): Promise<{ readonly shipped: MemoryLook; readonly own: MemoryLook }> {
  const sink = await startSink();
  const postgres = await startDebianPostgres();
  try {
    const options = {
      ...{ smscPort: sink.port, databaseUrl: postgres.url },
      sealKey: randomBytes(32).toString("hex"),
    };
    const looked = async (then?: number): Promise<MemoryLook> => {
      const turnup = await startTurnup(options);
      try {
        const look = await turnup.memory();
        if (then !== undefined) await turnup.importTacs(then);
        return look;
      } finally {
        await turnup.close();
      }
    };
    return { shipped: await looked(tacs), own: await looked() };
  } finally {
    await postgres.close();
    sink.close();
  }
}

const held = (look: MemoryLook | undefined): number =>
  look === undefined ? Number.NaN : look.after.heapUsed + look.after.external;

const figure = (what: string, octets: readonly number[]): Figure => ({
  what,
  unit: "MB",
  values: octets.map((one) => one / OCTETS_PER_MB),
  isSteady: true,
  peers: [],
});

const figuresOf = (what: string, looks: readonly MemoryLook[]): Figure[] =>
  (["rss", "heapUsed", "external"] as const).flatMap((name) => [
    figure(
      `${what}: ${name}, ready`,
      looks.map(({ before }) => before[name]),
    ),
    figure(
      `${what}: ${name}, collected`,
      looks.map(({ after }) => after[name]),
    ),
  ]);
