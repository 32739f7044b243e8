/**
 * What the proxy asks of its land side: a session of its own with each provisioning server, with keys of its own. Nothing
 * is forwarded in a session whose server has not proved itself (claims 20, 33, 36).
 */
import type { EnrolmentAnswer } from "../wire/message/legs.ts";
import type { ServerName } from "./servers.ts";

export type LandFailure = {
  readonly kind: "failed";
  readonly cause:
    | "server_unknown"
    /** Its proof is missing, forged, stale or another's: nothing was sent to it. */
    | "server_not_proved"
    /** It does not take our certificate, signature or session. */
    | "server_refused_us"
    | "unreachable"
    | "timeout"
    | "busy"
    | "bad_answer";
  readonly detail: string;
};

export type LandRequest = {
  readonly server: ServerName;
  readonly method: "GET" | "POST";
  /** Path and query. */
  readonly target: string;
  /** In small letters; identity among them. The leg adds session, digest and signature. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** May be sent again when nobody knows whether it arrived. */
  readonly isRepeatable: boolean;
};
export type LandAnswer = {
  readonly kind: "answered";
  readonly status: number;
  /** In small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** At the reader's own pace. Left unread, it must be destroyed. */
  readonly body: AsyncIterable<Uint8Array> & { destroy(): void };
};

export interface LandLeg {
  readonly servers: ReadonlySet<ServerName>;
  /** Resolved when the server has proved itself, in this session or just now. */
  authenticate(server: ServerName): Promise<{ readonly kind: "verified" } | LandFailure>;
  forward(request: LandRequest): Promise<LandAnswer | LandFailure>;
  /** Whose a one-time token is. It is kept or spent as asked; a server of the release before spends it whatever is asked. */
  enrolmentOf(
    server: ServerName,
    token: string,
    about: { readonly isKept: boolean },
  ): Promise<
    | ({ readonly kind: "known"; readonly isSpent: boolean } & EnrolmentAnswer)
    | { readonly kind: "unknown" }
    | LandFailure
  >;
}
