/**
 * A message centre that accepts every submit_sm at once and keeps what it was given, in a process of its own: the far
 * end of the benches that send. It is as cheap as we can make it, so that what is measured is the sender.
 */
import { type ChildProcess, fork } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Pdu, SubmitSmResp } from "../src/wire/smpp/command.ts";
import { createPduFramer } from "../src/wire/smpp/framer.ts";
import { createPduPacker } from "../src/wire/smpp/packer.ts";
import { decodePduAt, makePdu } from "../src/wire/smpp/pdu.ts";

/** Characters of a text that name its message: what comes first in it. */
export const NUMBER_DIGITS = 8;
const ASK_TIMEOUT_MS = 10_000;
const STILL_POLL_MS = 50;

export type SinkCount = {
  /** submit_sm accepted since the last `reset`. */
  readonly submits: number;
  /** Different numbers that texts began with, and those that came more than once. */
  readonly texts: number;
  readonly repeated: number;
  /** Sums of the numbers, so that a gap between what was sent and what came shows without sending them all. */
  readonly numberSum: number;
  /** Epoch, ms, of the first and the last submit. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly binds: number;
};

export type Sink = {
  readonly port: number;
  reset(): Promise<void>;
  count(): Promise<SinkCount>;
  /** Waits until nothing has come for `stillMs`, or `wanted` submits are there. */
  settled(wanted: number, stillMs: number): Promise<SinkCount>;
  close(): void;
};

type ToSink = { readonly kind: "reset" | "count" };
type FromSink =
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "count"; readonly count: SinkCount };

export async function startSink(): Promise<Sink> {
  const child = fork(fileURLToPath(import.meta.url), [], { execArgv: ["--import", "tsx"] });
  const first = await answerOf(child);
  if (first.kind !== "port") throw new Error("the sink did not start");
  const ask = async (kind: ToSink["kind"]): Promise<SinkCount> => {
    child.send({ kind } satisfies ToSink);
    const answer = await answerOf(child);
    if (answer.kind !== "count") throw new Error("the sink did not count");
    return answer.count;
  };
  return {
    port: first.port,
    reset: async () => void (await ask("reset")),
    count: () => ask("count"),
    async settled(wanted, stillMs) {
      for (;;) {
        const count = await ask("count");
        const stillSince = Math.max(count.lastAtMs, count.firstAtMs);
        if (count.submits >= wanted || epochMs() - stillSince > stillMs) return count;
        await new Promise((resolve) => setTimeout(resolve, STILL_POLL_MS));
      }
    },
    close: () => void child.kill(),
  };
}

function answerOf(child: ChildProcess): Promise<FromSink> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the sink does not answer")), ASK_TIMEOUT_MS);
    child.once("message", (message) => {
      clearTimeout(timer);
      resolve(message as FromSink);
    });
  });
}

const epochMs = (): number => performance.timeOrigin + performance.now();

// ---- the process itself

type Counting = { -readonly [Name in Exclude<keyof SinkCount, "texts">]: SinkCount[Name] } & {
  numbers: Set<number>;
};

const startCounting = (): Counting => ({
  submits: 0,
  repeated: 0,
  numberSum: 0,
  firstAtMs: epochMs(),
  lastAtMs: 0,
  binds: 0,
  numbers: new Set(),
});

function serve(): void {
  let counting = startCounting();
  process.on("disconnect", () => process.exit(0));
  process.on("message", ({ kind }: ToSink) => {
    const { numbers, ...count } = counting;
    process.send?.({ kind: "count", count: { ...count, texts: numbers.size } } satisfies FromSink);
    if (kind === "reset") counting = startCounting();
  });
  const server = createServer((socket) => serveSession(socket, () => counting));
  server.listen(0, "127.0.0.1", () => {
    process.send?.({ kind: "port", port: (server.address() as AddressInfo).port } satisfies FromSink);
  });
}

function serveSession(socket: Socket, counting: () => Counting): void {
  const framer = createPduFramer();
  const packer = createPduPacker((octets) => void socket.write(octets));
  let messageId = 0;
  const answer = (pdu: Pdu): void => {
    switch (pdu.command) {
      case "submit_sm": {
        note(counting(), pdu.short_message);
        const response: SubmitSmResp = {
          command: "submit_sm_resp",
          command_status: 0,
          sequence_number: pdu.sequence_number,
          message_id: (++messageId).toString(16),
          tlvs: [],
        };
        return packer.add(response);
      }
      case "bind_transceiver":
      case "bind_transmitter":
      case "bind_receiver":
        counting().binds += 1;
        return packer.add(makePdu(`${pdu.command}_resp`, pdu.sequence_number));
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
    packer.flush();
  });
}

/** A text of the benches begins with its number in digits, which are the same octets in every coding used here. */
function note(counting: Counting, text: Uint8Array): void {
  counting.submits += 1;
  counting.lastAtMs = epochMs();
  let number = 0;
  for (let at = 0; at < NUMBER_DIGITS; at++) {
    const digit = (text[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return; // no text of ours: a document's part
    number = number * 10 + digit;
  }
  if (counting.numbers.has(number)) counting.repeated += 1;
  else counting.numberSum += number;
  counting.numbers.add(number);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) serve();
