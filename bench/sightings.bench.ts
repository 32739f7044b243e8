// Question: how many sightings a second does one server take from probes over HTTP, each durable when answered?
// Budget: 5,000/s one a request and 100,000/s in batches of 100, as a prototype did; unchanged ones' p99 below 5 ms.
import { type LoadJob, type LoadResult, runLoad } from "./http-load.ts";
import { alternate, type Bench, type Figure, type Question } from "./question.ts";
import { startSink } from "./smpp-sink.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const RUN_MS = 4_000;
const QUICK_RUN_MS = 1_000;
const REQUESTS_MAX = 1_000_000;
/** Pairs of SIM and phone that are known before; an operator's active ones of a few minutes. */
const SUBSCRIBERS = 20_000;
const QUICK_SUBSCRIBERS = 2_000;
const BATCH_ROWS = 100;
const MODERATE_PER_SECOND = 2_000;
/** Serial numbers of new phones begin above those that are known. */
const FIRST_NEW = 100_000;
const NEW_RUN_MS = 2_000;

export const sightingsQuestion: Question = {
  name: "sightings",
  asks: "How many sightings a second are taken over HTTP into PostgreSQL, and how fast is one answered?",
  how: [
    "A load process reports sightings to a server on the embedded database over keep-alive connections, each again when",
    "answered. Unchanged: every SIM is known in the phone it is seen in. New: a SIM and a phone never seen, so that a",
    "subscriber, a device, a pairing and an order are written; they come without a phone number, so that the order waits",
    "after its verdict. Latency at a fixed rate counts from when a request was due. Batches ask for counts alone.",
  ].join(" "),
  durability: [
    "a sighting that says something new is answered when its transaction is on disk (fsync on); one that says nothing new writes",
    "nothing but when the pair was seen last, which a crash may lose by a minute. There is no peer.",
  ].join(" "),
  uses: ["PostgreSQL embedded"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const sink = await startSink();
  let turnup: TurnupProcess | undefined;
  try {
    bench.progress("starting Turnup");
    turnup = await startTurnup({ smscPort: sink.port });
    const subscribers = bench.quick ? QUICK_SUBSCRIBERS : SUBSCRIBERS;
    bench.progress(`making ${subscribers} pairs known`);
    const batches = { rowsPerRequest: BATCH_ROWS, connections: 4 };
    await load(turnup, {
      ...batches,
      numbers: subscribers,
      requestsMax: subscribers / BATCH_ROWS,
      forMs: 60_000,
      opensOrders: true,
    });
    await turnup.idle();
    const fixture: Fixture = {
      turnup,
      subscribers,
      forMs: bench.quick ? QUICK_RUN_MS : RUN_MS,
      next: FIRST_NEW,
    };
    return [
      await measureUnchanged(bench, fixture, "unchanged, one a request, 64 connections", 1, 64, 5_000),
      await measureUnchanged(
        bench,
        fixture,
        "unchanged, 100 a request, 8 connections",
        BATCH_ROWS,
        8,
        100_000,
      ),
      ...(await measureLatency(bench, fixture)),
      await measureNew(bench, fixture, "new, one a request, 64 connections", 1, 64),
      await measureNew(bench, fixture, "new, 100 a request, 8 connections", BATCH_ROWS, 8),
    ];
  } finally {
    await turnup?.close();
    sink.close();
  }
}

type Fixture = {
  readonly turnup: TurnupProcess;
  readonly subscribers: number;
  readonly forMs: number;
  next: number;
};

async function measureUnchanged(
  bench: Bench,
  { turnup, subscribers, forMs }: Fixture,
  what: string,
  rowsPerRequest: number,
  connections: number,
  aim: number,
): Promise<Figure> {
  const latencies: LoadResult[] = [];
  const taken = await alternate(
    bench,
    {
      [what]: async () => {
        const result = await load(turnup, { rowsPerRequest, connections, forMs, numbers: subscribers });
        latencies.push(result);
        return result.goodPerSecond * rowsPerRequest;
      },
    },
    { warmUp: true },
  );
  return {
    what,
    unit: "sightings/s",
    values: taken.get(what) ?? [],
    peers: [],
    aim: { kind: "at least", value: aim },
    note: `p99 of an answer ${worst(latencies)} ms at worst`,
  };
}

/** Two figures of the same runs: the median and the 99th percentile of the time to an answer. */
async function measureLatency(bench: Bench, { turnup, subscribers, forMs }: Fixture): Promise<Figure[]> {
  const results: LoadResult[] = [];
  const what = `unchanged, one a request, at ${MODERATE_PER_SECOND}/s`;
  await alternate(bench, {
    [what]: async () => {
      const result = await load(turnup, {
        rowsPerRequest: 1,
        connections: 32,
        forMs: forMs * 2,
        numbers: subscribers,
        perSecond: MODERATE_PER_SECOND,
      });
      results.push(result);
      return result.p99Ms;
    },
  });
  const figure = (name: string, values: number[]): Figure => ({
    what: `${what}: ${name}`,
    unit: "ms",
    values,
    peers: [],
  });
  return [
    figure(
      "p50",
      results.map(({ p50Ms }) => p50Ms),
    ),
    {
      ...figure(
        "p99",
        results.map(({ p99Ms }) => p99Ms),
      ),
      aim: { kind: "at most", value: 5 },
    },
  ];
}

async function measureNew(
  bench: Bench,
  fixture: Fixture,
  what: string,
  rowsPerRequest: number,
  connections: number,
): Promise<Figure> {
  const forMs = Math.min(NEW_RUN_MS, fixture.forMs);
  const taken = await alternate(bench, {
    [what]: async () => {
      const firstNumber = Math.ceil(fixture.next / rowsPerRequest);
      const result = await load(fixture.turnup, {
        rowsPerRequest,
        connections,
        forMs,
        firstNumber,
        opensOrders: true,
      });
      fixture.next += result.requests * rowsPerRequest + rowsPerRequest;
      bench.progress("working the orders off before the next run");
      await fixture.turnup.idle();
      return result.goodPerSecond * rowsPerRequest;
    },
  });
  return {
    what,
    unit: "sightings/s",
    values: taken.get(what) ?? [],
    peers: [],
    note: "each opens an order; the engine works on them beside the load",
  };
}

const worst = (results: readonly LoadResult[]): string =>
  Math.max(...results.map(({ p99Ms }) => p99Ms)).toFixed(1);

async function load(
  { host, port, tokens }: TurnupProcess,
  job: Pick<LoadJob, "connections" | "forMs"> &
    Partial<LoadJob> & { readonly rowsPerRequest: number; readonly opensOrders?: boolean },
): Promise<LoadResult> {
  const { rowsPerRequest, opensOrders = false, ...rest } = job;
  const result = await runLoad({
    host,
    port,
    requestsMax: REQUESTS_MAX,
    method: "POST",
    path: "/v1/sightings?summary=true",
    headers: { authorization: "Bearer {token}", "content-type": "application/json" },
    body: {
      open: rowsPerRequest > 1 ? '{"source":"s13","sightings":[' : "",
      // The IMEI as the network sends it: no check digit, six digits of serial number on a TAC of the shipped lists.
      row: '{"imei":"35332811{N:6}","imsi":"00101{N:10}","plmn":"001-01"}',
      close: rowsPerRequest > 1 ? "]}" : "",
      rowsPerRequest,
    },
    wanted: `"refused":0,"orders":${opensOrders ? rowsPerRequest : 0}`,
    firstNumber: 0,
    tokens,
    ...rest,
  });
  if (result.good !== result.requests || result.broken > 0) {
    throw new Error(`${result.requests - result.good} of ${result.requests} were refused: ${result.example}`);
  }
  return result;
}
