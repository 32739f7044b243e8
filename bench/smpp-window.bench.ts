// Question: how many submit_sm with their responses pass between two processes over loopback, by window?
// Budget: 27,000/s at window 1, 150,000/s at 10, 300,000/s at 100; with receipts on 100,000/s at 100.
// Peer: npm smpp 0.5.1 as client and server, same machine, alternating with ours.
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createEsme, type Esme } from "../src/net/smsc/esme.ts";
import type { SubmitMessage, SubmitOutcome } from "../src/net/smsc/outcome.ts";
import type { DeliverSm, Pdu, SubmitSmResp } from "../src/wire/smpp/command.ts";
import { createPduFramer } from "../src/wire/smpp/framer.ts";
import { createPduPacker } from "../src/wire/smpp/packer.ts";
import { decodePduAt, makePdu } from "../src/wire/smpp/pdu.ts";
import { formatReceipt } from "../src/wire/smpp/receipt.ts";
import { alternate, type Bench, type Figure, type Question } from "./question.ts";

const WARM_MS = 400;
const RUN_MS = 1_000;
const WINDOWS = [1, 10, 100] as const;
const AIMS = { 1: 27_000, 10: 150_000, 100: 300_000 } as const;
const RECEIPTS_AIM = 100_000;
/** Unanswered deliver_sm of the sink. */
const DELIVER_WINDOW = 100;
/** A submit_sm of the measure. */
const ECHO_OCTETS = 140;
const TEXT = "A message of 82 characters, as in the measure that this one is to be compared with";

export const smppWindowQuestion: Question = {
  name: "smpp-window",
  asks: "How many submit_sm with their responses pass between two processes over loopback, by window?",
  how: [
    `Our session with that many submits unanswered, an ${TEXT.length}-character text, against a sink of our codec in a process`,
    "of its own; npm smpp as client and server in the same way, at the same window. With receipts a message counts when its",
    "receipt is answered too; the peer beside it runs without receipts. At window 1 each waits for the other: an echo over",
    "the same sockets without any protocol shows what the runtime and the machine allow.",
  ].join(" "),
  durability: "nothing is stored, on either side.",
  uses: ["npm smpp"],
  measure,
};

const ECHO = "plain sockets of Node, an echo of as many octets";

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const contestants: Record<string, () => Promise<number>> = {};
  for (const window of WINDOWS) {
    contestants[`window ${window}`] = () => withSink("own", (port) => ownRate(port, window, false));
    contestants[`npm smpp, window ${window}`] = () => withSink("peer", (port) => peerRate(port, window));
  }
  contestants[ECHO] = () => withSink("echo", echoRate);
  contestants["window 100, with receipts"] = () =>
    withSink("own-receipts", (port) => ownRate(port, 100, true));
  const taken = await alternate(bench, contestants);
  const figure = (what: string, window: number, aim: number): Figure => ({
    what,
    unit: "submits/s",
    values: taken.get(what) ?? [],
    peers: [
      { name: "npm smpp", values: taken.get(`npm smpp, window ${window}`) ?? [] },
      ...(window === 1 ? [{ name: ECHO, values: taken.get(ECHO) ?? [] }] : []),
    ],
    aim: { kind: "at least", value: aim },
  });
  return [
    ...WINDOWS.map((window) => figure(`window ${window}`, window, AIMS[window])),
    figure("window 100, with receipts", 100, RECEIPTS_AIM),
  ];
}

// ---- npm smpp, which has no types: what the bench calls of it

type PeerAnswer = { readonly command_status: number };
type PeerRequest = { response(fields?: object): object };
type PeerSession = {
  on(event: string, listener: (pdu: PeerRequest) => void): void;
  send(pdu: object): void;
  bind_transceiver(fields: object, done: (answer: PeerAnswer) => void): void;
  submit_sm(fields: object, done: (answer: PeerAnswer) => void): void;
  close(): void;
};
const peer = createRequire(import.meta.url)("smpp") as {
  connect(options: { host: string; port: number }, connected: () => void): PeerSession;
  createServer(accept: (session: PeerSession) => void): {
    listen(port: number, ready: () => void): void;
    address(): { port: number };
  };
};

// ---- the sink, in a process of its own

type SinkKind = "own" | "own-receipts" | "peer" | "echo";

function runSink(kind: SinkKind): void {
  process.on("disconnect", () => process.exit(0));
  if (kind === "peer") {
    const server = peer.createServer((session) => {
      session.on("bind_transceiver", (pdu) => session.send(pdu.response()));
      session.on("submit_sm", (pdu) => session.send(pdu.response({ message_id: "1" })));
      session.on("enquire_link", (pdu) => session.send(pdu.response()));
      session.on("error", () => undefined);
    });
    server.listen(0, () => process.send?.(server.address().port));
    return;
  }
  const server = createServer((socket) => {
    if (kind === "echo") serveEcho(socket);
    else serveOwn(socket, kind === "own-receipts");
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
}

/** Answers every submit; with receipts on, sends one for each, DELIVER_WINDOW unanswered at most. */
function serveOwn(socket: Socket, receipts: boolean): void {
  const framer = createPduFramer();
  const packer = createPduPacker((octets) => void socket.write(octets));
  const receipt = {
    ...makePdu("deliver_sm", 0, { source_addr: "4512345678", destination_addr: "2948", esm_class: 4 }),
    ...formatReceipt({ messageId: "1", state: "delivered", submitDate: new Date(), doneDate: new Date() }),
  };
  let owed = 0;
  let unanswered = 0;
  let sequence = 1;
  const answer = (pdu: Pdu): void => {
    switch (pdu.command) {
      case "submit_sm": {
        const { sequence_number } = pdu;
        const response: SubmitSmResp = {
          command: "submit_sm_resp",
          command_status: 0,
          sequence_number,
          message_id: "1",
          tlvs: [],
        };
        packer.add(response);
        if (receipts) owed += 1;
        return;
      }
      case "deliver_sm_resp":
        unanswered -= 1;
        return;
      case "bind_transceiver":
        return packer.add(makePdu("bind_transceiver_resp", pdu.sequence_number));
      case "enquire_link":
        return packer.add(makePdu("enquire_link_resp", pdu.sequence_number));
      case "unbind":
        return packer.add(makePdu("unbind_resp", pdu.sequence_number));
    }
  };
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    framer.feed(chunk, (buffer, start, end) => answer(decodePduAt(buffer, start, end, true)));
    while (owed > 0 && unanswered < DELIVER_WINDOW) {
      const due: DeliverSm = { ...receipt, sequence_number: sequence++ };
      packer.add(due);
      owed -= 1;
      unanswered += 1;
    }
    packer.flush();
  });
}

function serveEcho(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => void socket.write(chunk));
}

async function withSink<T>(kind: SinkKind, use: (port: number) => Promise<T>): Promise<T> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ["sink", kind], {
    execArgv: ["--import", "tsx"],
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once("message", (message) => resolve(Number(message)));
      child.once("exit", (code) => reject(new Error(`the sink ended with ${code}`)));
    });
    return await use(port);
  } finally {
    child.removeAllListeners("exit");
    child.kill();
  }
}

// ---- the two clients: keep `window` submits unanswered, count answers

/** Answers a second between the end of the warm-up and the end of the run. */
async function counted(count: () => number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  const start = performance.now();
  const before = count();
  await new Promise((resolve) => setTimeout(resolve, RUN_MS));
  return ((count() - before) / (performance.now() - start)) * 1000;
}

async function ownRate(port: number, window: number, receipts: boolean): Promise<number> {
  let delivered = 0;
  const esme: Esme = createEsme({
    host: "127.0.0.1",
    port,
    systemId: "bench",
    password: "bench",
    window,
    onDeliver: () => {
      delivered += 1;
      return 0;
    },
  });
  await new Promise<void>((resolve) => {
    esme.on("state", ({ name }) => name === "bound" && resolve());
    esme.start();
  });
  const message: SubmitMessage = {
    source_addr: "2948",
    destination_addr: "4512345678",
    registered_delivery: receipts ? 1 : 0,
    short_message: Buffer.from(TEXT),
  };
  let going = true;
  const next = (outcome: SubmitOutcome | undefined): void => {
    if (outcome && outcome.kind !== "accepted" && going) throw new Error(`a submit ended as ${outcome.kind}`);
    if (going) esme.submitWith(message, next, undefined);
  };
  for (let i = 0; i < window; i++) next(undefined);
  // With receipts a message counts when its receipt has been answered too.
  const perSecond = await counted(() =>
    receipts ? Math.min(delivered, esme.stats.accepted) : esme.stats.accepted,
  );
  going = false;
  await esme.stop({ drainMs: 1_000 });
  return perSecond;
}

/** What Node's sockets allow at window 1 without any protocol: as many octets to and fro. */
async function echoRate(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  socket.setNoDelay(true);
  const octets = Buffer.alloc(ECHO_OCTETS);
  let answers = 0;
  let missing = 0;
  const next = (): void => {
    missing = octets.length;
    socket.write(octets);
  };
  socket.on("data", (chunk) => {
    missing -= chunk.length;
    if (missing > 0) return;
    answers += 1;
    next();
  });
  next();
  const perSecond = await counted(() => answers);
  socket.destroy();
  return perSecond;
}

async function peerRate(port: number, window: number): Promise<number> {
  let answers = 0;
  let going = true;
  const session = await new Promise<PeerSession>((resolve) => {
    const opened = peer.connect({ host: "127.0.0.1", port }, () => {
      opened.bind_transceiver({ system_id: "bench", password: "bench" }, () => resolve(opened));
    });
    opened.on("error", () => undefined);
  });
  const next = (): void => {
    if (!going) return;
    session.submit_sm(
      { source_addr: "2948", destination_addr: "4512345678", short_message: TEXT },
      (answer) => {
        if (answer.command_status !== 0) throw new Error("the peer refused");
        answers += 1;
        next();
      },
    );
  };
  for (let i = 0; i < window; i++) next();
  const perSecond = await counted(() => answers);
  going = false;
  session.close();
  return perSecond;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href && process.argv[2] === "sink") {
  runSink(process.argv[3] as SinkKind);
}
