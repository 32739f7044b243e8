/** A handset's way through the packet gateway: sessions on access points, and HTTP through them. */
import { request } from "node:http";
import type { Socket } from "node:net";
import type { AccessPointEntry } from "../../device/settings.ts";
import { membersOf } from "../../term/narrow.ts";
import { createPipeline, type PipelineAnswer } from "../core/pipeline.ts";

type SessionOutcome =
  | { readonly kind: "open"; readonly session: string }
  | { readonly kind: "refused"; readonly cause: string };
export type HandsetNetwork = ReturnType<typeof createHandsetNetwork>;

const TUNNEL_TIMEOUT_MS = 30_000;
const JSON_HEADER = "content-type: application/json\r\n";
const NO_NETWORK: PipelineAnswer = { status: 0, body: "{}", octets: new Uint8Array(0), contentType: "" };

/** Of an application that says its name: over a session, and by the proxy that its settings name. */
type ApplicationRequest = {
  readonly session: string;
  readonly application: string;
  readonly method: "GET" | "POST";
  readonly url: string;
  /** `10.11.12.13:8080`. */
  readonly proxy?: string | undefined;
  readonly contentType?: string;
  readonly body?: Uint8Array;
};

export function createHandsetNetwork(gateway: { readonly host: string; readonly port: number }) {
  const pipeline = createPipeline(gateway);
  /** Status 0 where there is no network. */
  async function call(
    method: string,
    target: string,
    headers: string,
    body: string | Uint8Array = "",
  ): Promise<PipelineAnswer> {
    try {
      return await pipeline.send(method, target, headers, body);
    } catch {
      return NO_NETWORK;
    }
  }
  const through = (session: string): string => `x-pdp-session: ${session}\r\n`;

  return {
    gateway,
    async open(
      { imsi, imei }: { readonly imsi: string; readonly imei: string },
      { apn, user, password }: Pick<AccessPointEntry, "apn" | "user" | "password">,
    ): Promise<SessionOutcome> {
      // JSON leaves out what is undefined.
      const asked = JSON.stringify({ imsi, imei, apn, user, password });
      const { status, body } = await call("POST", "/pdp", JSON_HEADER, asked);
      const answer = membersOf(JSON.parse(body));
      return status === 201 && typeof answer.session === "string"
        ? { kind: "open", session: answer.session }
        : { kind: "refused", cause: typeof answer.cause === "string" ? answer.cause : "no_network" };
    },
    /** An application sends to a host through a session. */
    send({ session, application, method, url, proxy, contentType, body }: ApplicationRequest) {
      const by = proxy === undefined ? "" : `x-wap-proxy: ${proxy}\r\n`;
      const type = contentType === undefined ? "" : `content-type: ${contentType}\r\n`;
      return call(method, url, `${through(session)}x-application: ${application}\r\n${by}${type}`, body);
    },
    /** The same for JSON, and ends the session: how a phone leaves an access point that one application needed once. */
    sendLast: (
      session: string,
      method: "GET" | "POST",
      url: string,
      body?: object,
    ): Promise<PipelineAnswer> =>
      call(
        method,
        url,
        `${JSON_HEADER}${through(session)}x-pdp-release: 1\r\n`,
        body === undefined ? "" : JSON.stringify(body),
      ),
    /** A stream to a host through a session (RFC 9110 §9.3.6); undefined where it leads nowhere. */
    tunnel: (session: string, application: string, to: string): Promise<Socket | undefined> =>
      new Promise((resolve) => {
        const asked = request({
          ...gateway,
          method: "CONNECT",
          path: to,
          agent: false,
          timeout: TUNNEL_TIMEOUT_MS,
          headers: { "x-pdp-session": session, "x-application": application },
        });
        asked.on("connect", ({ statusCode }, socket) => {
          if (statusCode === 200) return resolve(socket);
          socket.destroy();
          resolve(undefined);
        });
        asked.on("timeout", () => asked.destroy());
        asked.on("error", () => resolve(undefined));
        asked.end();
      }),
    end: (): void => pipeline.close(),
  };
}
