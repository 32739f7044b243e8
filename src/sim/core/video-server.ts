/**
 * The manufacturer's server for video calls: SIP over TCP (RFC 3261), with the streams agreed by offer and answer (RFC 3264). It
 * answers each call itself, as an announcement would; a call that was set up and ended by both sides is evidence that the application
 * works.
 *
 *   idle -- INVITE: 200 --> answered -- ACK --> set_up -- BYE: 200 --> idle
 */
import { createServer, type Server, type Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import {
  decodeSip,
  encodeSip,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  sipHeader,
} from "../../wire/sip/message.ts";
import { answerSdp, decodeSdp, encodeSdp } from "../../wire/sip/sdp.ts";
import { closed, listening } from "../web/listen.ts";

const MAX_CALLS = 10_000;
const MAX_BUFFERED = 65_536;
const TIMEOUT_MS = 30_000;
const SDP_TYPE = "application/sdp";
const STREAMS = new Map([
  ["audio", { port: 40_000, codecs: ["AMR", "PCMU"] }],
  ["video", { port: 40_002, codecs: ["H264", "H263"] }],
]);

type VideoServerOptions = {
  /** A call was set up and ended; `port` is the caller's on this machine, by which the network knows whose it was. */
  onCall(call: { readonly port: number }): void;
  readonly host?: string;
};
type Call = { readonly id: string; readonly state: "answered" | "set_up" };
type Line = { readonly socket: Socket; received: Buffer; call: Call | undefined };

export async function startVideoServer({ onCall, host = "127.0.0.1" }: VideoServerOptions) {
  const sockets = new Set<Socket>();
  const counts = { calls: 0, refused: 0 };
  const server: Server = createServer((socket) => {
    if (sockets.size >= MAX_CALLS) return void socket.destroy();
    sockets.add(socket);
    const line: Line = { socket, received: Buffer.alloc(0), call: undefined };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      if (!takeAll(line, chunk, counts, onCall)) socket.destroy();
    });
  });
  const port = await listening(server, host);
  return {
    host,
    port,
    counts: () => ({ ...counts, open: sockets.size }),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

/** False where the line is to be cut: no SIP, or more of it than anybody sends. */
function takeAll(
  line: Line,
  chunk: Buffer,
  counts: { calls: number; refused: number },
  onCall: VideoServerOptions["onCall"],
): boolean {
  line.received = Buffer.concat([line.received, chunk]);
  try {
    for (let next = decodeSip(line.received); next; next = decodeSip(line.received)) {
      line.received = line.received.subarray(next.next);
      const { call } = line;
      answer(line, next.message, counts);
      if (call?.state !== "set_up" || line.call) continue;
      counts.calls++;
      onCall({ port: line.socket.remotePort ?? 0 });
    }
    return line.received.length <= MAX_BUFFERED;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function answer(line: Line, message: SipMessage, counts: { refused: number }): void {
  if (message.kind !== "request") return;
  const id = sipHeader(message, "Call-ID") ?? "";
  const isOurs = line.call?.id === id;
  switch (message.method) {
    case "INVITE": {
      const streams = line.call ? undefined : streamsFor(message);
      if (!streams) {
        counts.refused++;
        return say(line, message, line.call ? [486, "Busy Here"] : [488, "Not Acceptable Here"]);
      }
      line.call = { id, state: "answered" };
      return say(line, message, [200, "OK"], streams);
    }
    case "ACK":
      if (isOurs) line.call = { id, state: "set_up" };
      return;
    case "BYE":
      if (!isOurs) return say(line, message, [481, "Call/Transaction Does Not Exist"]);
      line.call = undefined;
      return say(line, message, [200, "OK"]);
    default:
      return say(line, message, [501, "Not Implemented"]);
  }
}

/** The answer to what the caller offers; undefined where no video can come of it. */
function streamsFor(invite: SipRequest): string | undefined {
  if (sipHeader(invite, "Content-Type") !== SDP_TYPE) return undefined;
  const offer = decodeSdp(Buffer.from(invite.body).toString("utf8"));
  const who = { origin: "server 1 1 IN IP4 192.0.2.1", connection: "IN IP4 192.0.2.1" };
  const streams = answerSdp(offer, STREAMS, who);
  return streams.media.some(({ kind, port }) => kind === "video" && port > 0)
    ? encodeSdp(streams)
    : undefined;
}

/** Via, From, To, Call-ID and CSeq go back as they came (§8.2.6.2); To gets our tag. */
function say(
  { socket }: Line,
  request: SipRequest,
  [status, reason]: readonly [number, string],
  sdp?: string,
): void {
  const kept = request.headers.filter(([name]) =>
    ["via", "from", "call-id", "cseq"].includes(name.toLowerCase()),
  );
  const to = sipHeader(request, "To") ?? "";
  const headers: SipHeader[] = [
    ...kept,
    ["To", to.includes(";tag=") ? to : `${to};tag=server`],
    ...(sdp === undefined ? [] : [["Content-Type", SDP_TYPE] as const]),
  ];
  socket.write(encodeSip({ kind: "response", status, reason, headers, body: Buffer.from(sdp ?? "") }));
}
