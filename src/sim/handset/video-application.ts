/** The application for video calls on a phone: a call over its own access point, set up, confirmed and ended (RFC 3261, RFC 3264). */
import type { Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import { decodeSip, encodeSip, type SipHeader, type SipResponse, sipHeader } from "../../wire/sip/message.ts";
import { decodeSdp, encodeSdp } from "../../wire/sip/sdp.ts";
import type { FleetState, Phone } from "./fleet-state.ts";
import { tunnel } from "./roads.ts";

export const VIDEO_PORT = 5060;
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_BUFFERED = 65_536;

/** Whether the call was set up with video, and ended as it should. */
export async function callVideo(fleet: FleetState, phone: Phone, server: string): Promise<boolean> {
  const socket = await tunnel(fleet, phone, { application: "video_call", host: server, port: VIDEO_PORT });
  if (!socket) return false;
  try {
    return await call(socket, phone, server);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof CallEnded) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

class CallEnded extends Error {
  override readonly name = "CallEnded";
}

async function call(socket: Socket, phone: Phone, server: string): Promise<boolean> {
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
  socket.write(request("INVITE", `<${uri}>`, OFFER));
  const answered = await next();
  if (answered.status !== 200) return false;
  const to = sipHeader(answered, "To") ?? `<${uri}>`;
  const { media } = decodeSdp(Buffer.from(answered.body).toString("utf8"));
  socket.write(request("ACK", to));
  socket.write(request("BYE", to));
  const ended = await next();
  return ended.status === 200 && media.some(({ kind, port }) => kind === "video" && port > 0);
}

const OFFER = encodeSdp({
  origin: "phone 1 1 IN IP4 192.0.2.2",
  connection: "IN IP4 192.0.2.2",
  media: [
    { kind: "audio", port: 49_170, protocol: "RTP/AVP", formats: ["97"], attributes: ["rtpmap:97 AMR/8000"] },
    {
      kind: "video",
      port: 49_172,
      protocol: "RTP/AVP",
      formats: ["34"],
      attributes: ["rtpmap:34 H263/90000"],
    },
  ],
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
