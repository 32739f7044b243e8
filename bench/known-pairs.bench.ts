// Question: how many sightings a second of a million SIMs, each known and none seen a moment ago, does one server take, and two on one database?
// Aim: 100,000/s in batches of 100 and 15,000/s one a request, with one server and no less with two; p99 below 5 ms at 2,000/s; ten millions known
// within 15 s of the start at no more than 48 octets each.
import { randomBytes } from "node:crypto";
import { watchCpu } from "./cpu.ts";
import { runLoad } from "./http-load.ts";
import { debianPostgres, POSTGRES_MISSING, startDebianPostgres } from "./postgres.ts";
import { alternate, type Bench, type Figure, type Question } from "./question.ts";
import { startSink } from "./smpp-sink.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const PAIRS = 1_000_000;
const QUICK_PAIRS = 50_000;
const RUN_MS = 8_000;
const QUICK_RUN_MS = 1_000;
const BATCH_ROWS = 100;
const MODERATE_PER_SECOND = 2_000;

export const knownPairsQuestion: Question = {
  name: "known-pairs",
  asks: "How many sightings a second of a million known SIMs are taken, by one server and by two on one database?",
  how: [
    `${PAIRS.toLocaleString("en")} pairs of SIM and phone are copied into a database of Debian's PostgreSQL, each last seen two minutes ago. A server`,
    "starts on it and fills its memory; then a load process reports the SIMs in turn, so that none comes twice before all came",
    "once, asking for counts alone. Two servers: the load goes to one of them while the other lives. CPU is of that server a sighting.",
  ].join(" "),
  durability:
    "a sighting that says nothing new writes nothing but when the pair was seen last, which a crash may lose by a minute. There is no peer.",
  uses: ["PostgreSQL of Debian"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  if (debianPostgres() === undefined) throw new Error(POSTGRES_MISSING);
  const pairs = bench.quick ? QUICK_PAIRS : PAIRS;
  const closers: (() => unknown)[] = [];
  const opened = <Thing extends { close(): unknown }>(thing: Thing): Thing => {
    closers.push(() => thing.close());
    return thing;
  };
  try {
    const sink = opened(await startSink());
    const postgres = opened(await startDebianPostgres());
    const options = {
      smscPort: sink.port,
      databaseUrl: postgres.url,
      sealKey: randomBytes(32).toString("hex"),
    };
    bench.progress(`copying ${pairs} pairs`);
    const first = await startTurnup(options);
    await first.copyPairs(pairs);
    await first.close();
    bench.progress("starting on them");
    const turnup = opened(await startTurnup(options));
    const fill = await turnup.filled(pairs);
    const figures: Figure[] = [
      {
        what: `${pairs} pairs known after`,
        unit: "s",
        values: [fill.seconds],
        peers: [],
        note: "CPU of the server until then, its start included",
      },
      {
        what: "memory of a pair",
        unit: "octets",
        values: [fill.octetsAPair],
        isSteady: true,
        peers: [],
        aim: { kind: "at most", value: 48 },
      },
    ];
    figures.push(...(await measureRates(bench, { turnup, pairs, nodes: "one server" })));
    const other = opened(await startTurnup(options));
    await other.filled(pairs);
    figures.push(...(await measureRates(bench, { turnup, pairs, nodes: "two servers" })));
    return figures;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

type Fixture = { readonly turnup: TurnupProcess; readonly pairs: number; readonly nodes: string };

async function measureRates(bench: Bench, fixture: Fixture): Promise<Figure[]> {
  const batches = await measureRate(bench, fixture, {
    rowsPerRequest: BATCH_ROWS,
    connections: 8,
    aim: 100_000,
  });
  const singles = await measureRate(bench, fixture, { rowsPerRequest: 1, connections: 64, aim: 15_000 });
  const p99s: number[] = [];
  const what = `${fixture.nodes}: one a request, at ${MODERATE_PER_SECOND}/s`;
  await alternate(bench, {
    [what]: async () => {
      const { p99Ms } = await load(bench, fixture, {
        rowsPerRequest: 1,
        connections: 32,
        perSecond: MODERATE_PER_SECOND,
      });
      p99s.push(p99Ms);
      return p99Ms;
    },
  });
  return [
    ...batches,
    ...singles,
    { what: `${what}: p99`, unit: "ms", values: p99s, peers: [], aim: { kind: "at most", value: 5 } },
  ];
}

type Rate = { readonly rowsPerRequest: number; readonly connections: number; readonly aim: number };

async function measureRate(
  bench: Bench,
  fixture: Fixture,
  { rowsPerRequest, connections, aim }: Rate,
): Promise<Figure[]> {
  const what = `${fixture.nodes}: ${rowsPerRequest === 1 ? "one a request" : `${rowsPerRequest} a request`}, ${connections} connections`;
  const cpu: number[] = [];
  const rates = await alternate(
    bench,
    {
      [what]: async () => {
        const watch = watchCpu();
        watch.start();
        const result = await load(bench, fixture, { rowsPerRequest, connections });
        const ours = watch.stop().find(({ pid }) => pid === fixture.turnup.pid);
        cpu.push(((ours?.ms ?? Number.NaN) * 1_000) / (result.good * rowsPerRequest));
        return result.goodPerSecond * rowsPerRequest;
      },
    },
    { warmUp: true },
  );
  return [
    {
      what,
      unit: "sightings/s",
      values: rates.get(what) ?? [],
      peers: [],
      aim: { kind: "at least", value: aim },
    },
    { what: `${what}: CPU of the server`, unit: "µs a sighting", values: cpu, peers: [], isSteady: true },
  ];
}

type Load = { readonly rowsPerRequest: number; readonly connections: number; readonly perSecond?: number };

async function load(bench: Bench, { turnup, pairs }: Fixture, { rowsPerRequest, ...job }: Load) {
  const result = await runLoad({
    ...job,
    host: turnup.host,
    port: turnup.port,
    forMs: bench.quick ? QUICK_RUN_MS : RUN_MS,
    requestsMax: 10_000_000,
    method: "POST",
    path: "/v1/sightings?summary=true",
    headers: { authorization: "Bearer {token}", "content-type": "application/json" },
    body: {
      open: rowsPerRequest > 1 ? '{"source":"s13","sightings":[' : "",
      row: '{"imei":"35332811{N:6}","imsi":"00101{N:10}","plmn":"001-01"}',
      close: rowsPerRequest > 1 ? "]}" : "",
      rowsPerRequest,
    },
    wanted: '"refused":0,"orders":0',
    firstNumber: 0,
    numbers: pairs,
    tokens: turnup.tokens,
  });
  if (result.good !== result.requests || result.broken > 0)
    throw new Error(`${result.requests - result.good} of ${result.requests} were refused: ${result.example}`);
  return result;
}
