/** A phone's end of a call's stream: a short run of RTP over a connection, and what came back of the far end's (RFC 3550, RFC 4571). */
import type { Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import { decodeRtp, encodeRtp, frameRtp, unframeRtp } from "../../wire/rtp/packet.ts";

/** Half a second of video, or a fifth of one of sound. */
const PACKETS = 12;
const PAYLOAD_OCTETS = 160;
const TIMEOUT_MS = 30_000;
const MAX_BUFFERED = 65_537;

export type OwnStream = {
  readonly payloadType: number;
  readonly ssrc: number;
  /** Ticks of its clock from one packet to the next. */
  readonly ticks: number;
};

/** Packets of the far end that came for ours; fewer than were sent where the line was cut or spoke no RTP. */
export function exchangeMedia(
  socket: Socket,
  stream: OwnStream,
): Promise<{ sent: number; received: number }> {
  return new Promise((resolve) => {
    let rest: Uint8Array = new Uint8Array(0);
    let received = 0;
    const end = (): void => {
      clearTimeout(late);
      socket.destroy();
      resolve({ sent: PACKETS, received });
    };
    const late = setTimeout(end, TIMEOUT_MS);
    socket.on("error", end);
    socket.on("close", end);
    socket.on("data", (chunk) => {
      const came = unframeRtp(Buffer.concat([rest, chunk]));
      rest = came.rest;
      for (const bytes of came.packets) {
        if (!isOfFarEnd(bytes, stream)) return end();
        received++;
      }
      if (received >= PACKETS || rest.length > MAX_BUFFERED) end();
    });
    for (let at = 0; at < PACKETS; at++) socket.write(frameRtp(packetAt(stream, at)));
  });
}

/** What is in it is nobody's affair here: grey, or silence. */
const packetAt = ({ payloadType, ssrc, ticks }: OwnStream, at: number): Uint8Array =>
  encodeRtp({
    payloadType,
    ssrc,
    sequence: at,
    timestamp: at * ticks,
    marker: true,
    payload: new Uint8Array(PAYLOAD_OCTETS),
  });

function isOfFarEnd(bytes: Uint8Array, { payloadType, ssrc }: OwnStream): boolean {
  try {
    const packet = decodeRtp(bytes);
    return packet.payloadType === payloadType && packet.ssrc !== ssrc;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
