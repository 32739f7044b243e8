/** A handset's way through the packet gateway: sessions on access points, and HTTP through them, over pooled connections. */
import { Agent, request } from "node:http";
import type { AccessPointEntry } from "../../device/settings.ts";

/** For the whole fleet; thousands of phones share them in turn. */
const MAX_SOCKETS = 32;
const TIMEOUT_MS = 15_000;
const MAX_ANSWER_OCTETS = 65_536;

type OutgoingHeaders = Readonly<Record<string, string>>;
export type Reached = { readonly status: number; readonly body: string };
export type SessionOutcome =
  | { readonly kind: "open"; readonly session: string }
  | { readonly kind: "refused"; readonly cause: string };
export type HandsetNetwork = ReturnType<typeof createHandsetNetwork>;

export function createHandsetNetwork(gateway: { readonly host: string; readonly port: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: "lifo" });

  function call(
    method: string,
    path: string,
    body: object | undefined,
    headers: OutgoingHeaders = {},
  ): Promise<Reached> {
    const text = body === undefined ? "" : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...gateway,
          method,
          path,
          agent,
          timeout: TIMEOUT_MS,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(text),
            ...headers,
          },
        },
        (incoming) => {
          let answer = "";
          incoming.setEncoding("utf8");
          incoming.on("data", (chunk: string) => {
            answer += chunk;
            if (answer.length > MAX_ANSWER_OCTETS) outgoing.destroy(new Error("the answer is too long"));
          });
          incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body: answer }));
          incoming.on("error", reject);
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("the gateway is silent")));
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  return {
    async open(
      { imsi, imei }: { readonly imsi: string; readonly imei: string },
      { apn, user, password }: Pick<AccessPointEntry, "apn" | "user" | "password">,
    ): Promise<SessionOutcome> {
      const { status, body } = await call("POST", "/pdp", {
        imsi,
        imei,
        apn,
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { password }),
      });
      const answer = JSON.parse(body) as { readonly session?: string; readonly cause?: string }; // the gateway is ours
      return status === 201 && answer.session !== undefined
        ? { kind: "open", session: answer.session }
        : { kind: "refused", cause: answer.cause ?? `status ${status}` };
    },
    /** Sends to a host through a session. */
    send: (session: string, method: "GET" | "POST", url: string, body?: object): Promise<Reached> =>
      call(method, url, body, { "x-pdp-session": session }),
    /** The same, and ends the session: how a phone leaves an access point that one application needed once. */
    sendLast: (session: string, method: "GET" | "POST", url: string, body?: object): Promise<Reached> =>
      call(method, url, body, { "x-pdp-session": session, "x-pdp-release": "1" }),
    end: (): void => agent.destroy(),
  };
}
