/**
 * Asks a gateway by UDP to end or to change a session (RFC 5176): the same octets again until it answers, at most three times. Each request
 * has a socket of its own, so that no identifier is met twice within the five minutes for which a gateway remembers it.
 */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type DynamicAnswer, readDynamicAnswer } from "../../../wire/radius/dynamic.ts";
import {
  decodeRadius,
  encodeRequest,
  isAnswerAuthentic,
  messageAuthenticator,
  type RADIUS,
  type RadiusPacket,
  type RadiusValue,
} from "../../../wire/radius/packet.ts";
import { packetIn } from "./accounting-desk.ts";

export type DynamicRequest = {
  readonly code: typeof RADIUS.disconnectRequest | typeof RADIUS.coaRequest;
  readonly attributes: readonly RadiusValue[];
};
/** What the gateway said; `unanswered`: nothing in time; `unreachable`: nobody listens there, or there is no way. */
export type DynamicOutcome = DynamicAnswer | "unanswered" | "unreachable";

type Gateway = {
  /** An address, or a name that is looked up. */
  readonly host: string;
  readonly port: number;
  readonly secret: Uint8Array;
  /** Waits after each try; 2, 3 and 5 s unless given. */
  readonly waitsMs?: readonly number[];
};

const WAITS_MS = [2_000, 3_000, 5_000];

export async function askGateway(
  { host, port, secret, waitsMs = WAITS_MS }: Gateway,
  { code, attributes }: DynamicRequest,
  identifier: number,
): Promise<DynamicOutcome> {
  const octets = encodeRequest({ code, identifier, attributes, isSigned: true }, secret);
  const request = decodeRadius(octets);
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<DynamicOutcome>((resolve) => {
      const say = ([waitMs, ...later]: readonly number[]): void => {
        if (waitMs === undefined) return resolve("unanswered");
        socket.send(octets, (error) => error && resolve("unreachable"));
        timer = setTimeout(() => say(later), waitMs);
      };
      socket.on("error", () => resolve("unreachable")); // ICMP says so, or the name is nobody's
      socket.on("message", (bytes) => {
        const answer = answerIn(bytes, { request, code, secret });
        if (answer) resolve(answer);
      });
      socket.connect(port, host, () => say(waitsMs));
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** Undefined: no answer to this request, or one of somebody who has not the secret. */
export function answerIn(
  bytes: Uint8Array,
  {
    request,
    code,
    secret,
  }: { readonly request: RadiusPacket; readonly code: DynamicRequest["code"]; readonly secret: Uint8Array },
): DynamicAnswer | undefined {
  const answer = packetIn(bytes);
  if (answer?.identifier !== request.identifier || !isAnswerAuthentic(answer, request, secret))
    return undefined;
  return messageAuthenticator(answer, secret, request) === "wrong"
    ? undefined
    : readDynamicAnswer(answer, code);
}
