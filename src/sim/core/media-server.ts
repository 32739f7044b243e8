/**
 * The far end of a call's streams: RTP over connections (RFC 3550, RFC 4571), each stream known by the source that the call's offer
 * named for it (`a=ssrc`, RFC 5576). Whatever comes of a stream is counted and answered with a packet of our own: what was received
 * here is the evidence that a call was more than its signalling.
 */
import { createServer, type Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import { decodeRtp, encodeRtp, frameRtp, type RtpPacket, unframeRtp } from "../../wire/rtp/packet.ts";
import { closed, listening } from "../web/listen.ts";

const MAX_CONNECTIONS = 20_000;
const MAX_STREAMS = 20_000;
const MAX_BUFFERED = 65_537;
const TIMEOUT_MS = 30_000;

type Stream = { readonly payloadTypes: readonly number[]; readonly ours: number; received: number };
/** What a call has of streams; ended with it. */
export type CallStreams = {
  /** Packets that came of it since it was opened; none where it never was. */
  received(ssrc: number): number;
  close(): void;
};
export type MediaServer = Awaited<ReturnType<typeof startMediaServer>>;

export async function startMediaServer(host: string) {
  const streams = new Map<number, Stream>();
  const sockets = new Set<Socket>();
  const counts = { packets: 0 };
  let lastOfOurs = 0;
  const server = createServer((socket) => {
    if (sockets.size >= MAX_CONNECTIONS) return void socket.destroy();
    sockets.add(socket);
    let rest: Uint8Array = new Uint8Array(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      const came = unframeRtp(Buffer.concat([rest, chunk]));
      rest = came.rest;
      const isTaken = came.packets.every((bytes) => take(streams, socket, bytes));
      if (isTaken) counts.packets += came.packets.length;
      if (!isTaken || rest.length > MAX_BUFFERED) socket.destroy();
    });
  });
  const port = await listening(server, host);
  return {
    port,
    counts: () => ({ ...counts, streams: streams.size }),
    /** Waits for the streams of one call; undefined where one of them has a source that another call has. */
    open(offered: readonly { readonly ssrc: number; readonly payloadTypes: readonly number[] }[]) {
      const isFull = streams.size + offered.length > MAX_STREAMS;
      if (isFull || offered.some(({ ssrc }) => streams.has(ssrc))) return undefined;
      for (const { ssrc, payloadTypes } of offered)
        streams.set(ssrc, { payloadTypes, ours: ++lastOfOurs, received: 0 });
      return {
        received: (ssrc) => streams.get(ssrc)?.received ?? 0,
        close: () => {
          for (const { ssrc } of offered) streams.delete(ssrc);
        },
      } satisfies CallStreams;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

/** False where the connection is to be cut: no RTP, of no call, or in a format that the call did not agree to. */
function take(streams: ReadonlyMap<number, Stream>, socket: Socket, bytes: Uint8Array): boolean {
  const packet = packetIn(bytes);
  const stream = packet && streams.get(packet.ssrc);
  if (!packet || !stream?.payloadTypes.includes(packet.payloadType)) return false;
  stream.received++;
  socket.write(frameRtp(encodeRtp({ ...packet, ssrc: stream.ours })));
  return true;
}

function packetIn(bytes: Uint8Array): RtpPacket | undefined {
  try {
    return decodeRtp(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
