/**
 * The manufacturer's server for video calls: SIP over TCP (RFC 3261), with the streams agreed by offer and answer (RFC 3264). It
 * answers each call itself, as an announcement would. A call that was set up and ended by both sides, and of whose video packets came
 * (`media-server.ts`), is evidence that the application works.
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
import { answerSdp, decodeSdp, encodeSdp, type SdpMedia, ssrcOf } from "../../wire/sip/sdp.ts";
import { closed, listening } from "../web/listen.ts";
import { type CallStreams, type MediaServer, startMediaServer } from "./media-server.ts";

const MAX_CALLS = 10_000;
const MAX_BUFFERED = 65_536;
const TIMEOUT_MS = 30_000;
const SDP_TYPE = "application/sdp";
/** The ports by which callers reach the streams; whoever leads there leads to `mediaPort`. */
export const MEDIA_PORTS = { audio: 40_000, video: 40_002 } as const;
const STREAMS = new Map([
  ["audio", { port: MEDIA_PORTS.audio, codecs: ["AMR", "PCMU"] }],
  ["video", { port: MEDIA_PORTS.video, codecs: ["H264", "H263"] }],
]);

type VideoServerOptions = {
  /**
   * A call was set up, seen and ended: so many packets of its video came. `port` is the caller's on this machine, by which the
   * network knows whose it was.
   */
  onCall(call: { readonly port: number; readonly videoPackets: number }): void;
  readonly host?: string;
};
type Call = {
  readonly id: string;
  readonly state: "answered" | "set_up";
  readonly streams: CallStreams;
  /** The source of its video; undefined where the offer named none. */
  readonly video: number | undefined;
};
type Line = {
  readonly socket: Socket;
  readonly media: MediaServer;
  readonly counts: Counts;
  received: Buffer;
  call: Call | undefined;
};
/** `silent`: calls that were set up and ended without a packet of video. */
type Counts = { calls: number; refused: number; silent: number };

export type VideoServer = Awaited<ReturnType<typeof startVideoServer>>;

export async function startVideoServer({ onCall, host = "127.0.0.1" }: VideoServerOptions) {
  const sockets = new Set<Socket>();
  const counts: Counts = { calls: 0, refused: 0, silent: 0 };
  const media = await startMediaServer(host);
  const server: Server = createServer((socket) => {
    if (sockets.size >= MAX_CALLS) return void socket.destroy();
    sockets.add(socket);
    const line: Line = { socket, media, counts, received: Buffer.alloc(0), call: undefined };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      line.call?.streams.close();
    });
    socket.on("data", (chunk) => {
      if (!takeAll(line, chunk, onCall)) socket.destroy();
    });
  });
  const port = await listening(server, host);
  return {
    host,
    port,
    mediaPort: media.port,
    counts: () => ({ ...counts, open: sockets.size, ...media.counts() }),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await closed(server);
      await media.close();
    },
  };
}

/** False where the line is to be cut: no SIP, or more of it than anybody sends. */
function takeAll(line: Line, chunk: Buffer, onCall: VideoServerOptions["onCall"]): boolean {
  line.received = Buffer.concat([line.received, chunk]);
  try {
    for (let next = decodeSip(line.received); next; next = decodeSip(line.received)) {
      line.received = line.received.subarray(next.next);
      const { call } = line;
      answer(line, next.message);
      if (call && !line.call) callEnded(line, call, onCall);
    }
    return line.received.length <= MAX_BUFFERED;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function callEnded(
  { socket, counts }: Line,
  { state, streams, video }: Call,
  onCall: VideoServerOptions["onCall"],
): void {
  const videoPackets = video === undefined ? 0 : streams.received(video);
  streams.close();
  if (state !== "set_up") return;
  if (videoPackets === 0) return void counts.silent++;
  counts.calls++;
  onCall({ port: socket.remotePort ?? 0, videoPackets });
}

function answer(line: Line, message: SipMessage): void {
  if (message.kind !== "request") return;
  const id = sipHeader(message, "Call-ID") ?? "";
  const isOurs = line.call?.id === id;
  switch (message.method) {
    case "INVITE": {
      const agreed = line.call ? undefined : agreedFor(line, message);
      if (!agreed) {
        line.counts.refused++;
        return say(line, message, line.call ? [486, "Busy Here"] : [488, "Not Acceptable Here"]);
      }
      line.call = { id, state: "answered", streams: agreed.streams, video: agreed.video };
      return say(line, message, [200, "OK"], agreed.sdp);
    }
    case "ACK":
      if (line.call && isOurs) line.call = { ...line.call, state: "set_up" };
      return;
    case "BYE":
      if (!isOurs) return say(line, message, [481, "Call/Transaction Does Not Exist"]);
      line.call = undefined;
      return say(line, message, [200, "OK"]);
    default:
      return say(line, message, [501, "Not Implemented"]);
  }
}

/** The answer to what the caller offers, and its streams waited for; undefined where no video can come of it. */
function agreedFor({ media }: Line, invite: SipRequest) {
  if (sipHeader(invite, "Content-Type") !== SDP_TYPE) return undefined;
  const offer = decodeSdp(Buffer.from(invite.body).toString("utf8"));
  const who = { origin: "server 1 1 IN IP4 192.0.2.1", connection: "IN IP4 192.0.2.1" };
  const answered = answerSdp(offer, STREAMS, who);
  const isTaken = ({ port }: SdpMedia): boolean => port > 0;
  if (!answered.media.some((stream) => stream.kind === "video" && isTaken(stream))) return undefined;
  const offered = offer.media.flatMap((stream, at) => {
    const ssrc = ssrcOf(stream);
    const taken = answered.media[at];
    if (ssrc === undefined || !taken || !isTaken(taken)) return [];
    return [{ kind: stream.kind, ssrc, payloadTypes: taken.formats.map(Number) }];
  });
  const streams = media.open(offered);
  const video = offered.find(({ kind }) => kind === "video")?.ssrc;
  // Who called opens the connections of the streams (RFC 4145 §4).
  const passive = answered.media.map((stream) =>
    isTaken(stream) ? { ...stream, attributes: [...stream.attributes, "setup:passive"] } : stream,
  );
  return streams && { streams, video, sdp: encodeSdp({ ...answered, media: passive }) };
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
