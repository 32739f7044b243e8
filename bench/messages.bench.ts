// Question: how many HTTP requests a second become submit_sm at the message centre, each accepted only when it is on disk?
// Budget: twice Kannel's rate with its store file on, at 1, 10 and 64 connections.
// Peer: Kannel bearerbox and smsbox, the same sink, the same load, in turn.
import { type LoadResult, runLoad } from "./http-load.ts";
import { hasKannel, KANNEL_MISSING, KANNEL_USER, type Kannel, startKannel } from "./kannel.ts";
import { alternate, type Bench, type Contest, type Figure, type Peer, type Question } from "./question.ts";
import { NUMBER_DIGITS, type Sink, startSink } from "./smpp-sink.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const CONNECTIONS = [1, 10, 64] as const;
const RUN_MS = 4_000;
const QUICK_RUN_MS = 1_000;
const REQUESTS_MAX = 400_000;
/** A batch as a campaign or a billing run sends it. */
const BATCH_ROWS = 100;
/** The sink has everything, or nothing came for this long and something is lost. */
const STILL_MS = 5_000;
const WORDS = "A text of sixty characters, as a customer service sends";

export const messagesQuestion: Question = {
  name: "messages",
  asks: "How many HTTP requests a second become submit_sm, each answered only when it is on disk?",
  how: [
    "A load process asks over keep-alive connections, each again when answered; a sink process answers every submit_sm.",
    "The rate is messages at the sink between the first request and the last submit. A run counts only when every",
    "accepted message came to the sink exactly once. Turnup answers after the commit of its outbox (fsync on) and books",
    "each submit_sm_resp; 64 tokens, because one may ask 5,000 times a second. Kannel has its store file on,",
    "max-pending-submits 100 as our window, logs errors only.",
  ].join(" "),
  durability: [
    "not alike. Ours is answered when it is on disk (fsync on) and outlives a loss of power. Kannel writes its store file and never",
    "waits for the disk (its bearerbox imports neither fsync nor fdatasync): what it answered outlives its own death, not the machine's. The",
    "ratio is therefore to a peer that promises less.",
  ].join(" "),
  uses: ["Kannel", "PostgreSQL embedded"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const sink = await startSink();
  let turnup: TurnupProcess | undefined;
  let kannel: Kannel | undefined;
  try {
    bench.progress("starting Turnup");
    turnup = await startTurnup({ smscPort: sink.port });
    if (hasKannel()) {
      bench.progress("starting Kannel");
      kannel = await startKannel(sink);
    }
    const fixture: Fixture = { sink, turnup, kannel, forMs: bench.quick ? QUICK_RUN_MS : RUN_MS };
    await turnupRate(fixture, 10, 1); // both meet their caches and files once before they are measured
    const figures: Figure[] = [];
    for (const connections of CONNECTIONS) figures.push(await measureSingles(bench, fixture, connections));
    figures.push(await measureBatches(bench, fixture));
    return figures;
  } finally {
    await turnup?.close();
    await kannel?.close();
    sink.close();
  }
}

type Fixture = {
  readonly sink: Sink;
  readonly turnup: TurnupProcess;
  readonly kannel: Kannel | undefined;
  readonly forMs: number;
};

async function measureSingles(bench: Bench, fixture: Fixture, connections: number): Promise<Figure> {
  const latencies: number[] = [];
  const { kannel } = fixture;
  const taken = await alternate(bench, {
    [`Turnup, ${connections} connections`]: async () => {
      const { perSecond, load } = await turnupRate(fixture, connections, 1);
      latencies.push(load.p99Ms);
      return perSecond;
    },
    ...(kannel && { [`Kannel, ${connections} connections`]: () => kannelRate(fixture, kannel, connections) }),
  });
  return {
    what: connections === 1 ? "1 connection" : `${connections} connections`,
    unit: "messages/s",
    values: taken.get(`Turnup, ${connections} connections`) ?? [],
    peers: [kannelPeer(taken, connections)],
    aim: { kind: "times the peer", value: 2 },
    note: `p99 of our answers ${Math.max(...latencies).toFixed(1)} ms at worst`,
  };
}

function kannelPeer(taken: Contest, connections: number): Peer {
  const values = taken.get(`Kannel, ${connections} connections`);
  return { name: "Kannel", values: values ?? [], ...(values ? {} : { missing: KANNEL_MISSING }) };
}

async function measureBatches(bench: Bench, fixture: Fixture): Promise<Figure> {
  const name = `Turnup, ${BATCH_ROWS} messages a request`;
  const taken = await alternate(bench, {
    [name]: async () => (await turnupRate(fixture, 4, BATCH_ROWS)).perSecond,
  });
  return {
    what: `${BATCH_ROWS} messages a request, 4 connections`,
    unit: "messages/s",
    values: taken.get(name) ?? [],
    peers: [],
    note: "Kannel has no such request",
  };
}

let runs = 0;

async function turnupRate(
  { sink, turnup, forMs }: Fixture,
  connections: number,
  rowsPerRequest: number,
): Promise<{ readonly perSecond: number; readonly load: LoadResult }> {
  await sink.reset();
  const { host, port, tokens } = turnup;
  const load = await runLoad({
    host,
    port,
    connections,
    forMs,
    requestsMax: REQUESTS_MAX,
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
  return { perSecond: await reconciled(sink, load, rowsPerRequest, "Turnup"), load };
}

async function kannelRate({ sink, forMs }: Fixture, { port }: Kannel, connections: number): Promise<number> {
  await sink.reset();
  const { name, password } = KANNEL_USER;
  const text = `{N:${NUMBER_DIGITS}} ${WORDS}`.replaceAll(" ", "+");
  const load = await runLoad({
    host: "127.0.0.1",
    port,
    connections,
    forMs,
    requestsMax: REQUESTS_MAX,
    method: "GET",
    path: `/cgi-bin/sendsms?username=${name}&password=${password}&to=882100{N:${NUMBER_DIGITS}}&text=${text}`,
    headers: {},
    firstNumber: 0,
  });
  return reconciled(sink, load, 1, "Kannel");
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
