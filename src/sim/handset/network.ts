/** A handset's way through the packet gateway: sessions on access points, and HTTP through them. */
import type { AccessPointEntry } from "../../device/settings.ts";
import { membersOf } from "../../term/narrow.ts";
import { createPipeline, type PipelineAnswer } from "../core/pipeline.ts";

type SessionOutcome =
  | { readonly kind: "open"; readonly session: string }
  | { readonly kind: "refused"; readonly cause: string };
export type HandsetNetwork = ReturnType<typeof createHandsetNetwork>;

const JSON_HEADER = "content-type: application/json\r\n";

export function createHandsetNetwork(gateway: { readonly host: string; readonly port: number }) {
  const pipeline = createPipeline(gateway);
  /** Status 0 where there is no network. */
  async function call(
    method: string,
    target: string,
    body: object | undefined,
    headers = "",
  ): Promise<PipelineAnswer> {
    const text = body === undefined ? "" : JSON.stringify(body);
    try {
      return await pipeline.send(method, target, JSON_HEADER + headers, text);
    } catch {
      return { status: 0, body: "{}" };
    }
  }
  const through = (session: string): string => `x-pdp-session: ${session}\r\n`;

  return {
    async open(
      { imsi, imei }: { readonly imsi: string; readonly imei: string },
      { apn, user, password }: Pick<AccessPointEntry, "apn" | "user" | "password">,
    ): Promise<SessionOutcome> {
      // JSON leaves out what is undefined.
      const { status, body } = await call("POST", "/pdp", { imsi, imei, apn, user, password });
      const answer = membersOf(JSON.parse(body));
      return status === 201 && typeof answer.session === "string"
        ? { kind: "open", session: answer.session }
        : { kind: "refused", cause: typeof answer.cause === "string" ? answer.cause : "no_network" };
    },
    /** An application sends to a host through a session. */
    send: (
      session: string,
      method: "GET" | "POST",
      url: string,
      application: string,
    ): Promise<PipelineAnswer> =>
      call(method, url, undefined, `${through(session)}x-application: ${application}\r\n`),
    /** The same, and ends the session: how a phone leaves an access point that one application needed once. */
    sendLast: (
      session: string,
      method: "GET" | "POST",
      url: string,
      body?: object,
    ): Promise<PipelineAnswer> => call(method, url, body, `${through(session)}x-pdp-release: 1\r\n`),
    end: (): void => pipeline.close(),
  };
}
