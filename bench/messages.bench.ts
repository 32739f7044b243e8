// Question: how many HTTP requests a second become submit_sm at the message centre, each accepted only when it is on disk?
// Budget: 2,800, 8,500 and 9,000 a second at 1, 10 and 64 connections: as fast as a Kannel that waits for the disk once for
// each message with one connection, and twice as fast with more.
// Peers: Kannel bearerbox and smsbox, made durable and as they are; the same sink, the same load, in turn.
import { type CpuWatch, type WatchedProcess, watchCpu } from "./cpu.ts";
import { type LoadResult, runLoad } from "./http-load.ts";
import { hasKannel, KANNEL_MISSING, KANNEL_USER, type Kannel, startKannel } from "./kannel.ts";
import { alternate, type Bench, type Figure, median, type Peer, type Question } from "./question.ts";
import { NUMBER_DIGITS, type Sink, startSink } from "./smpp-sink.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

/** Connections, requests of a run (some four seconds on a quiet machine), and the messages a second that are aimed at. */
const CONTESTS = [
  { connections: 1, requests: 6_000, aim: 2_800 },
  { connections: 10, requests: 25_000, aim: 8_500 },
  { connections: 64, requests: 35_000, aim: 9_000 },
] as const;
const BATCHES = { connections: 4, requests: 800 };
/** A runtime that is cold takes several times as much of the processor. */
const WARM_UP = { connections: 10, requests: 10_000 };
const QUICK_SHARE = 0.1;
/** A run takes what it takes, up to this. */
const RUN_MS_MAX = 120_000;
/** A batch as a campaign or a billing run sends it. */
const BATCH_ROWS = 100;
/** The sink has everything, or nothing came for this long and something is lost. */
const STILL_MS = 5_000;
const WORDS = "A text of sixty characters, as a customer service sends";
const TURNUP = "Turnup";
const DURABLE = "Kannel, waiting for the disk";
const PLAIN = "Kannel as it is";

export const messagesQuestion: Question = {
  name: "messages",
  asks: "How many HTTP requests a second become submit_sm, each answered only when it is on disk?",
  how: [
    "A load process asks over keep-alive connections, each again when answered; a sink process answers every submit_sm.",
    "The rate is messages at the sink between the first request and the last submit. A run counts only when every",
    "accepted message came to the sink exactly once. Turnup answers after the commit of its outbox (fsync on) and books",
    "each submit_sm_resp; 64 tokens, because one may ask 5,000 times a second. Kannel has its store file on,",
    "max-pending-submits 100 as our window, logs errors only. What a message takes of the processor, user and system, is counted",
    "over server and database, and over bearerbox and smsbox, until its submit is at the sink.",
  ].join(" "),
  durability: [
    "alike with the first peer. Ours is answered when it is on disk (fsync on) and outlives a loss of power. Kannel by itself writes its",
    "store file and never waits for the disk (its bearerbox imports neither fsync nor fdatasync): what it answered outlives its own death,",
    "not the machine's. So the first peer is Kannel with a library of the bench preloaded (`bench/peer/kannel-durable.c`), which waits by one",
    "fdatasync for each message that is stored; a run counts only when it waited as often as messages came. Kannel as it is stands beside",
    "it and promises less.",
  ].join(" "),
  uses: ["Kannel", "PostgreSQL embedded"],
  measure,
};

type Kannels = ReadonlyMap<string, Kannel>;

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const sink = await startSink();
  let turnup: TurnupProcess | undefined;
  const kannels = new Map<string, Kannel>();
  try {
    bench.progress("starting Turnup");
    turnup = await startTurnup({ smscPort: sink.port });
    if (hasKannel()) {
      bench.progress("starting Kannel");
      kannels.set(DURABLE, await startKannel(sink, { isDurable: true }));
      kannels.set(PLAIN, await startKannel(sink));
    }
    const postmaster = await turnup.postmaster();
    const fixture: Fixture = {
      sink,
      turnup,
      postmaster,
      kannels,
      share: bench.quick ? QUICK_SHARE : 1,
    };
    bench.progress("warming up");
    await turnupRun(fixture, WARM_UP, 1);
    for (const kannel of kannels.values()) await kannelRun(fixture, kannel, WARM_UP);
    const figures: Figure[] = [];
    for (const contest of CONTESTS) figures.push(...(await measureSingles(bench, fixture, contest)));
    figures.push(...(await measureBatches(bench, fixture)));
    return figures;
  } finally {
    await turnup?.close();
    for (const kannel of kannels.values()) await kannel.close();
    sink.close();
  }
}

type Fixture = {
  readonly sink: Sink;
  readonly turnup: TurnupProcess;
  readonly postmaster: number | undefined;
  readonly kannels: Kannels;
  /** Of the requests of a run. */
  readonly share: number;
};
type Load = { readonly connections: number; readonly requests: number };

/** One run: messages a second, and what one took of the processor, in microseconds. */
type Run = { readonly perSecond: number; readonly cpu: readonly number[]; readonly p99Ms: number };

/** Runs all of them in turn. */
async function contest(bench: Bench, what: string, runs: Readonly<Record<string, () => Promise<Run>>>) {
  const taken = new Map<string, Run[]>(Object.keys(runs).map((name) => [name, []]));
  const named = Object.entries(runs).map(([name, run]): [string, () => Promise<number>] => [
    `${name}, ${what}`,
    async () => {
      const one = await run();
      taken.get(name)?.push(one);
      return one.perSecond;
    },
  ]);
  await alternate(bench, Object.fromEntries(named));
  return (name: string): readonly Run[] => taken.get(name) ?? [];
}

async function measureSingles(
  bench: Bench,
  fixture: Fixture,
  { aim, ...load }: (typeof CONTESTS)[number],
): Promise<Figure[]> {
  const what = load.connections === 1 ? "1 connection" : `${load.connections} connections`;
  const kannelRuns = [...fixture.kannels].map(
    ([name, kannel]) => [name, () => kannelRun(fixture, kannel, load)] as const,
  );
  const runsOf = await contest(bench, what, {
    [TURNUP]: () => turnupRun(fixture, load, 1),
    ...Object.fromEntries(kannelRuns),
  });
  const peers = (figureOf: (run: Run) => number): Peer[] =>
    [DURABLE, PLAIN].map((name) => {
      const values = runsOf(name).map(figureOf);
      return { name, values, ...(values.length === 0 && { missing: KANNEL_MISSING }) };
    });
  const ours = runsOf(TURNUP);
  return [
    {
      what,
      unit: "messages/s",
      values: ours.map(({ perSecond }) => perSecond),
      peers: peers(({ perSecond }) => perSecond),
      aim: { kind: "at least", value: aim },
      note: `p99 of our answers ${Math.max(...ours.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms at worst`,
    },
    { ...cpuFigure(what, ours), peers: peers(cpuOf) },
  ];
}

async function measureBatches(bench: Bench, fixture: Fixture): Promise<Figure[]> {
  const what = `${BATCH_ROWS} messages a request, ${BATCHES.connections} connections`;
  const runsOf = await contest(bench, what, { [TURNUP]: () => turnupRun(fixture, BATCHES, BATCH_ROWS) });
  const ours = runsOf(TURNUP);
  return [
    {
      what,
      unit: "messages/s",
      values: ours.map(({ perSecond }) => perSecond),
      peers: [],
      note: "Kannel has no such request",
    },
    cpuFigure(what, ours),
  ];
}

const cpuOf = ({ cpu }: Run): number => cpu.reduce((sum, one) => sum + one, 0);

function cpuFigure(what: string, ours: readonly Run[]): Figure {
  const [server, database] = [0, 1].map((at) => Math.round(median(ours.map(({ cpu }) => cpu[at] ?? 0))));
  return {
    what: `${what}: CPU`,
    unit: "µs a message",
    values: ours.map(cpuOf),
    isSteady: true,
    peers: [],
    note: `ours: server ${server}, PostgreSQL ${database}`,
  };
}

/** What the processes of each of these took between now and when it is asked, in microseconds a message. */
function cpuWatched(owners: readonly ((one: WatchedProcess) => boolean)[]): (messages: number) => number[] {
  const watch: CpuWatch = watchCpu();
  watch.start();
  return (messages) => {
    const taken = watch.stop();
    return owners.map(
      (isTheirs) => (taken.filter(isTheirs).reduce((sum, { ms }) => sum + ms, 0) * 1_000) / messages,
    );
  };
}

let runs = 0;

async function turnupRun(
  { sink, turnup, postmaster, share }: Fixture,
  { connections, requests }: Load,
  rowsPerRequest: number,
): Promise<Run> {
  await sink.reset();
  const { host, port, tokens } = turnup;
  const cpu = cpuWatched([
    ({ pid }) => pid === turnup.pid,
    ({ pid, parent }) => postmaster !== undefined && (pid === postmaster || parent === postmaster),
  ]);
  const load = await runLoad({
    host,
    port,
    connections,
    forMs: RUN_MS_MAX,
    requestsMax: Math.round(requests * share),
    method: "POST",
    path: "/v1/messages",
    headers: {
      authorization: "Bearer {token}",
      "content-type": "application/json",
      "idempotency-key": `run${++runs}-{N:${NUMBER_DIGITS}}`,
    },
    body: {
      open: rowsPerRequest > 1 ? '{"messages":[' : "",
      row: `{"to":"+882100{N:${NUMBER_DIGITS}}","text":"{N:${NUMBER_DIGITS}} ${WORDS}"}`,
      close: rowsPerRequest > 1 ? "]}" : "",
      rowsPerRequest,
    },
    firstNumber: 0,
    tokens,
  });
  const perSecond = await reconciled(sink, load, rowsPerRequest, TURNUP);
  return { perSecond, cpu: cpu(load.good * rowsPerRequest), p99Ms: load.p99Ms };
}

async function kannelRun(
  { sink, share }: Fixture,
  { port, pids, syncs }: Kannel,
  { connections, requests }: Load,
): Promise<Run> {
  await sink.reset();
  const syncsBefore = syncs();
  const cpu = cpuWatched([({ pid }) => pids.includes(pid)]);
  const { name, password } = KANNEL_USER;
  const text = `{N:${NUMBER_DIGITS}} ${WORDS}`.replaceAll(" ", "+");
  const load = await runLoad({
    host: "127.0.0.1",
    port,
    connections,
    forMs: RUN_MS_MAX,
    requestsMax: Math.round(requests * share),
    method: "GET",
    path: `/cgi-bin/sendsms?username=${name}&password=${password}&to=882100{N:${NUMBER_DIGITS}}&text=${text}`,
    headers: {},
    firstNumber: 0,
  });
  const perSecond = await reconciled(sink, load, 1, "Kannel");
  const taken = cpu(load.good);
  if (syncsBefore !== undefined && (syncs() ?? 0) - syncsBefore < load.good)
    throw new Error(
      `Kannel waited for the disk ${(syncs() ?? 0) - syncsBefore} times for ${load.good} messages`,
    );
  return { perSecond, cpu: taken, p99Ms: load.p99Ms };
}

/** Messages a second from the first request to the last submit. @throws Error where one is lost, doubled or refused */
async function reconciled(
  sink: Sink,
  load: LoadResult,
  rowsPerRequest: number,
  who: string,
): Promise<number> {
  const wanted = load.good * rowsPerRequest;
  const count = await sink.settled(wanted, STILL_MS);
  const numberSum = (wanted * (wanted - 1)) / 2;
  if (
    load.good !== load.requests ||
    count.submits !== wanted ||
    count.numberSum !== numberSum ||
    count.repeated > 0
  ) {
    throw new Error(
      `${who} does not reconcile: ${load.requests} requests, ${load.good} accepted, ${wanted} messages; ` +
        `${count.submits} came, ${count.repeated} of them again; ${JSON.stringify(load.statuses)} ${load.example ?? ""}`,
    );
  }
  return (wanted / (count.lastAtMs - load.startMs)) * 1_000;
}
