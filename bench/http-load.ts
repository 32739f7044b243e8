/**
 * Load on an HTTP server, from a process of its own that takes as little of the machine as we can make it: requests are
 * filled from a template on raw sockets, answers are read for status and length alone. Closed (each connection asks
 * again when answered) or at a fixed rate, where latency counts from when the request was due, so that a slow server
 * does not slow its own measure.
 */
import { fork } from "node:child_process";
import { connect, type Socket } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";

export type LoadJob = {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly forMs: number;
  /** No more requests than this, whatever the time. */
  readonly requestsMax: number;
  /** Requests a second; as fast as answers come where it is not given. */
  readonly perSecond?: number;
  readonly method: "GET" | "POST";
  /** Path and header lines may hold {token} and {N:digits}, the request's number. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body is `rowsPerRequest` rows between `open` and `close`; a row may hold {N:digits}, the row's number. */
  readonly body?: {
    readonly open: string;
    readonly row: string;
    readonly close: string;
    readonly rowsPerRequest: number;
  };
  /** Number of the first request and of the first row. */
  readonly firstNumber: number;
  /** Numbers begin again after this many. */
  readonly numbers?: number;
  /** Used in turn: a token has an allowance. */
  readonly tokens?: readonly string[];
  /** What a good answer's body holds. */
  readonly wanted?: string;
};

export type LoadResult = {
  readonly requests: number;
  /** Answered with 2xx and the wanted body. */
  readonly good: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that broke. */
  readonly broken: number;
  /** Epoch, ms: the first request sent, the last answer read. */
  readonly startMs: number;
  readonly endMs: number;
  readonly goodPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** A bad answer's body, for a person. */
  readonly example?: string;
};

const DRAIN_MS = 30_000;
const LATENCIES_MAX = 2_000_000;
const HEADERS_END = Buffer.from("\r\n\r\n");

/** Runs the load in a child process. */
export function runLoad(job: LoadJob): Promise<LoadResult> {
  const child = fork(fileURLToPath(import.meta.url), [], { execArgv: ["--import", "tsx"] });
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      resolve(message as LoadResult);
      child.kill();
    });
    child.on("exit", (code) => reject(new Error(`the load ended with ${code}`)));
    child.send(job);
  });
}

// ---- the process itself

const nowMs = (): number => performance.timeOrigin + performance.now();

/** Pieces between which numbers stand: filling one is then a join. */
function template(text: string): (number: number, token: string) => string {
  const pieces = text.split(/\{(N:\d+|token)\}/);
  return (number, token) => {
    let out = pieces[0] as string;
    for (let at = 1; at < pieces.length; at += 2) {
      const hole = pieces[at] as string;
      out +=
        hole === "token"
          ? token
          : String(number % 10 ** Number(hole.slice(2))).padStart(Number(hole.slice(2)), "0");
      out += pieces[at + 1];
    }
    return out;
  };
}

/** Every request of a job has the same length, because numbers are padded and tokens alike: it is counted once. */
function requestsOf(job: LoadJob): (number: number) => string {
  const numbers = job.numbers ?? Number.POSITIVE_INFINITY;
  const tokens = job.tokens ?? [""];
  const rows = job.body?.rowsPerRequest ?? 0;
  const row = template(job.body?.row ?? "");
  const bodyOf = (number: number): string => {
    if (!job.body) return "";
    let text = job.body.open;
    for (let at = 0; at < rows; at++) text += (at > 0 ? "," : "") + row((number * rows + at) % numbers, "");
    return text + job.body.close;
  };
  const length = Buffer.byteLength(bodyOf(0));
  const lines = Object.entries({
    host: `${job.host}:${job.port}`,
    ...job.headers,
    "content-length": String(length),
  });
  const head = template(
    `${job.method} ${job.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
  );
  return (number) => head(number % numbers, tokens[number % tokens.length] as string) + bodyOf(number);
}

type Line = { socket: Socket; dueMs: number; pending: Buffer | undefined; isFree: boolean };

async function run(job: LoadJob): Promise<LoadResult> {
  const requestOf = requestsOf(job);
  const wanted = job.wanted ? Buffer.from(job.wanted) : undefined;
  const latencies = new Float64Array(Math.min(LATENCIES_MAX, job.requestsMax));
  const statuses: Record<string, number> = {};
  const lines: Line[] = [];
  const free: Line[] = [];
  /** When requests without a free connection were due. */
  const waiting: number[] = [];
  let sent = 0;
  let answered = 0;
  let good = 0;
  let broken = 0;
  let example: string | undefined;
  let lastMs = 0;
  let isOver = false;
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });

  const send = (line: Line, dueMs: number): void => {
    line.dueMs = dueMs;
    line.socket.write(requestOf(job.firstNumber + sent++), "latin1");
  };
  const next = (line: Line): void => {
    const now = nowMs();
    if (!isOver && (now - startMs >= job.forMs || sent >= job.requestsMax)) isOver = true;
    if (waiting.length > 0) return send(line, waiting.shift() as number);
    if (isOver) {
      if (answered >= sent) done();
      return;
    }
    if (job.perSecond === undefined) send(line, now);
    else free.push(line);
  };
  const take = (line: Line, status: number, body: Buffer): void => {
    lastMs = nowMs();
    if (answered < latencies.length) latencies[answered] = lastMs - line.dueMs;
    answered += 1;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status >= 200 && status < 300 && (!wanted || body.includes(wanted))) good += 1;
    else example ??= body.toString("latin1").slice(0, 300);
    next(line);
  };

  await Promise.all(
    Array.from({ length: job.connections }, async () => {
      const socket = connect(job.port, job.host);
      const line: Line = { socket, dueMs: 0, pending: undefined, isFree: true };
      socket.setNoDelay(true);
      socket.on("data", (chunk) => feed(line, chunk, take));
      socket.on("close", () => {
        if (isOver && answered >= sent) return;
        broken += 1;
        if (broken === lines.length) done();
      });
      socket.on("error", () => undefined);
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", reject);
      });
      lines.push(line);
    }),
  );
  const startMs = nowMs();
  if (job.perSecond === undefined) for (const line of lines) send(line, nowMs());
  else {
    free.push(...lines);
    pace(job.perSecond, startMs);
  }
  const limit = setTimeout(done, job.forMs + DRAIN_MS);
  await finished;
  clearTimeout(limit);
  isOver = true;
  for (const { socket } of lines) socket.destroy();
  const sorted = latencies.subarray(0, Math.min(answered, latencies.length)).sort();
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    requests: sent,
    good,
    statuses,
    broken,
    startMs,
    endMs: lastMs,
    goodPerSecond: (good / (lastMs - startMs)) * 1_000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: sorted.at(-1) ?? 0,
    ...(example === undefined ? {} : { example }),
  };

  /** Sends what is due by the clock; what finds no free connection waits, and its wait counts. */
  function pace(perSecond: number, fromMs: number): void {
    let issued = 0;
    const turn = (): void => {
      const now = nowMs();
      const due = Math.min(
        job.requestsMax,
        Math.floor(((Math.min(now, fromMs + job.forMs) - fromMs) * perSecond) / 1_000),
      );
      for (; issued < due; issued++) {
        const dueMs = fromMs + (issued * 1_000) / perSecond;
        const line = free.pop();
        if (line) send(line, dueMs);
        else waiting.push(dueMs);
      }
      if (now - fromMs < job.forMs && issued < job.requestsMax) setTimeout(turn, 1);
      else {
        isOver = true;
        if (answered >= sent && waiting.length === 0) done();
      }
    };
    turn();
  }
}

/** One answer at a time on a connection, so what is pending is at most one answer cut short. */
function feed(line: Line, chunk: Buffer, take: (line: Line, status: number, body: Buffer) => void): void {
  const bytes = line.pending ? Buffer.concat([line.pending, chunk]) : chunk;
  const end = bytes.indexOf(HEADERS_END);
  if (end >= 0) {
    const head = bytes.toString("latin1", 0, end);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? "0");
    const bodyAt = end + HEADERS_END.length;
    if (bytes.length >= bodyAt + length) {
      line.pending = undefined;
      take(line, Number(head.slice(9, 12)), bytes.subarray(bodyAt, bodyAt + length));
      return;
    }
  }
  line.pending = bytes;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (job: LoadJob) => {
    void run(job).then((result) => process.send?.(result));
  });
}
