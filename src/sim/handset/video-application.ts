/**
 * The application for video calls on a phone: a call over its own access point, set up, confirmed and ended (RFC 3261, RFC 3264), with
 * its streams over the same road (RTP over connections that it opens, RFC 4145 and RFC 4571).
 */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import { decodeSip, encodeSip, type SipHeader, type SipResponse, sipHeader } from "../../wire/sip/message.ts";
import { decodeSdp, encodeSdp, type SdpMedia } from "../../wire/sip/sdp.ts";
import type { FleetState, Phone } from "./fleet-state.ts";
import { exchangeMedia, type OwnStream } from "./media-stream.ts";
import { tunnel } from "./roads.ts";

export const VIDEO_PORT = 5060;
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_BUFFERED = 65_536;
/** How soon a call ends once the world does. */
const CLOSED_SEEN_MS = 500;

/** Whether the call was set up, its video went both ways, and it was ended as it should. */
export async function callVideo(fleet: FleetState, phone: Phone, server: string): Promise<boolean> {
  const socket = await tunnel(fleet, phone, { application: "video_call", host: server, port: VIDEO_PORT });
  if (!socket) return false;
  socket.on("error", () => undefined); // the line was cut: "close" follows, and ends the call
  const watch = setInterval(() => fleet.closed && socket.destroy(), CLOSED_SEEN_MS);
  try {
    return await call(socket, fleet, phone, server);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof CallEnded) return false;
    throw error;
  } finally {
    clearInterval(watch);
    socket.destroy();
  }
}

class CallEnded extends Error {
  override readonly name = "CallEnded";
}

async function call(socket: Socket, fleet: FleetState, phone: Phone, server: string): Promise<boolean> {
  const { msisdn, model } = phone.status.spec;
  const id = String(++phone.lastTransaction);
  const uri = `sip:video@${server}`;
  const next = answersOn(socket);
  const request = (method: string, to: string, body = ""): Uint8Array => {
    const number = method === "BYE" ? 2 : 1;
    const headers: SipHeader[] = [
      ["Via", `SIP/2.0/TCP phone.invalid;branch=z9hG4bK${id}${method}`],
      ["From", `<sip:+${msisdn}@${server};user=phone>;tag=${id}`],
      ["To", to],
      ["Call-ID", `${id}@phone.invalid`],
      ["CSeq", `${number} ${method}`],
      ["Max-Forwards", "70"],
      ["Contact", "<sip:phone.invalid;transport=tcp>"],
      ["User-Agent", model],
      ...(body === "" ? [] : [["Content-Type", "application/sdp"] as const]),
    ];
    return encodeSip({ kind: "request", method, uri, headers, body: Buffer.from(body) });
  };
  const streams = ownStreams(`${msisdn} ${id}`);
  socket.write(request("INVITE", `<${uri}>`, offerOf(streams)));
  const answered = await next();
  if (answered.status !== 200) return false;
  const to = sipHeader(answered, "To") ?? `<${uri}>`;
  const { media } = decodeSdp(Buffer.from(answered.body).toString("utf8"));
  socket.write(request("ACK", to));
  const seen = await Promise.all(
    streams.map((own, at) => runStream(fleet, phone, { own, far: media[at], host: server })),
  );
  socket.write(request("BYE", to));
  const ended = await next();
  return ended.status === 200 && streams.every(({ kind }, at) => kind !== "video" || seen[at] === true);
}

/** Whether all of a stream went both ways; undefined where the far end did not take it. */
async function runStream(
  fleet: FleetState,
  phone: Phone,
  {
    own,
    far,
    host,
  }: { readonly own: OfferedStream; readonly far: SdpMedia | undefined; readonly host: string },
): Promise<boolean | undefined> {
  if (!far?.port) return undefined;
  const media = await tunnel(fleet, phone, { application: "video_call", host, port: far.port });
  if (!media) return false;
  const { sent, received } = await exchangeMedia(media, own);
  return received === sent;
}

type OfferedStream = OwnStream & { readonly kind: string; readonly codec: string };
/** Each a source of its own, named in the offer (RFC 5576), by whose call it is. */
const ownStreams = (call: string): OfferedStream[] =>
  [
    { kind: "audio", payloadType: 97, codec: "AMR/8000", ticks: 160 },
    { kind: "video", payloadType: 34, codec: "H263/90000", ticks: 3_600 },
  ].map((stream) => ({
    ...stream,
    ssrc: createHash("sha256").update(`${call} ${stream.kind}`).digest().readUInt32BE(),
  }));

const offerOf = (streams: readonly OfferedStream[]): string =>
  encodeSdp({
    origin: "phone 1 1 IN IP4 192.0.2.2",
    connection: "IN IP4 192.0.2.2",
    media: streams.map(({ kind, payloadType, codec, ssrc }, at) => ({
      kind,
      port: 49_170 + 2 * at,
      protocol: "TCP/RTP/AVP",
      formats: [String(payloadType)],
      attributes: [`rtpmap:${payloadType} ${codec}`, `ssrc:${ssrc} cname:phone`, "setup:active"],
    })),
  });

/** Final answers in turn; one that is under way (1xx) is waited past. @throws CallEnded */
function answersOn(socket: Socket): () => Promise<SipResponse> {
  let received = Buffer.alloc(0);
  const taken = (): SipResponse | undefined => {
    for (let next = decodeSip(received); next; next = decodeSip(received)) {
      received = received.subarray(next.next);
      if (next.message.kind === "response" && next.message.status >= 200) return next.message;
    }
    if (received.length > MAX_BUFFERED) throw new CallEnded("more than a call says");
    return undefined;
  };
  return () =>
    new Promise((resolve, reject) => {
      const there = taken();
      if (there) return resolve(there);
      if (socket.destroyed) return reject(new CallEnded("the line was cut"));
      const end = (error: Error): void => {
        socket.removeAllListeners("data");
        clearTimeout(late);
        reject(error);
      };
      const late = setTimeout(() => end(new CallEnded("no answer")), ANSWER_TIMEOUT_MS);
      socket.once("close", () => end(new CallEnded("the line was cut")));
      socket.on("data", (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        try {
          const answer = taken();
          if (!answer) return;
          socket.removeAllListeners("data");
          clearTimeout(late);
          resolve(answer);
        } catch (error) {
          end(error instanceof Error ? error : new CallEnded(String(error)));
        }
      });
    });
}
