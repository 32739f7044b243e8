/**
 * One request to another company's machine and its whole answer, within a time and a size. Every outcome is a value.
 * A redirect is never followed, a connection is never shared with another machine's, and nothing of what was sent or
 * of what came back stands in a reason: only codes, numbers and our own words.
 */
import { createHash, X509Certificate } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { PeerCertificate } from "node:tls";
import { CERTIFICATE_ALERT, CUT, certificateRefusal } from "./certificate-refusal.ts";
import { causeOfStatus, type NoAnswer, wholeAnswer } from "./whole-answer.ts";

const MAX_ANSWER_OCTETS = 1_048_576;
const MAX_SOCKETS = 8;
/** Addresses to which a secret may go without TLS: this machine's own. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export type ExchangeOptions = {
  /** Its path stands before the path of each request. */
  readonly url: string;
  /** PEM of the only authority trusted; the system's own list unless given. */
  readonly authority?: string;
  /** Our own certificate and its key, for mutual TLS. */
  readonly identity?: { readonly certificate: string; readonly key: string };
  /** SHA-256 of the public keys (SPKI in DER) that the other may show, in base64; any of the authority unless given. */
  readonly pins?: readonly string[];
  /** For a whole request: connect, send, answer. */
  readonly timeoutMs: number;
};
export type Answered = {
  readonly kind: "answered";
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
};
export type ExchangeFailure = {
  readonly kind: "failed";
  readonly cause:
    | "timeout"
    | "unreachable"
    | "tls"
    | "wrong_key"
    | "unauthorised"
    | "busy"
    | "bad_answer"
    | "bad_request"
    | "pending"
    | "closed";
  readonly reason: string;
};
export type Outgoing = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Behind the base's own; with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
};
export type Exchange = ReturnType<typeof createExchange>;

export const failed = (cause: ExchangeFailure["cause"], reason: string): ExchangeFailure => ({
  kind: "failed",
  cause,
  reason,
});

/** @throws RangeError for a URL to another machine without TLS */
export function createExchange(options: ExchangeOptions) {
  const base = new URL(options.url);
  const secure = base.protocol === "https:";
  if (!secure && !(base.protocol === "http:" && LOOPBACK.has(base.hostname)))
    throw new RangeError("another machine is reached over https only");
  if (base.username || base.password) throw new RangeError("no secret stands in a URL");
  const agent = secure ? secureAgent(options) : new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const host = base.hostname.replace(/^\[|\]$/g, "");
  let closed = false;

  return {
    base,
    async send(outgoing: Outgoing): Promise<Answered | ExchangeFailure> {
      if (closed) return failed("closed", "the connection to it is closed");
      const whole = await wholeAnswer(
        secure ? httpsRequest : httpRequest,
        {
          method: outgoing.method,
          host,
          port: base.port || (secure ? 443 : 80),
          path: base.pathname.replace(/\/$/, "") + outgoing.path,
          // Without the word a packed answer would be as good (RFC 9110 clause 12.5.3).
          headers: { accept: "application/json", "accept-encoding": "identity", ...outgoing.headers },
          agent,
        },
        outgoing.body,
        { timeoutMs: options.timeoutMs, answerOctets: MAX_ANSWER_OCTETS },
      );
      const answer = whole.kind === "none" ? failureOf(whole) : whole;
      if (answer.kind === "failed" && options.identity && secure && CUT.test(answer.reason)) {
        const refusal = await certificateRefusal({
          host,
          port: Number(base.port) || 443,
          ...options.identity,
          ...(options.authority === undefined ? {} : { authority: options.authority }),
        });
        if (refusal !== undefined) return failed("unauthorised", refusal);
      }
      if (answer.kind === "answered" && answer.status >= 300 && answer.status < 400)
        return failed("bad_answer", `a redirect (HTTP ${answer.status}) is not followed`);
      return answer;
    },
    close(): void {
      closed = true;
      agent.destroy();
    },
  };
}

/** What a status that no caller expects says: who asked wrong, who is not allowed, who should ask later. */
export function failureOfStatus({ status, text }: Answered): ExchangeFailure {
  return failed(causeOfStatus(status), `HTTP ${status}${codeIn(text)}`);
}

/** The JSON of an answer, or that it is none. */
export function jsonOf({ text }: Answered): { readonly value: unknown } | ExchangeFailure {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch {
    return failed("bad_answer", "the answer is no JSON");
  }
}

/** The other's own code of a refusal, if its answer has one; never more of the answer. */
function codeIn(text: string): string {
  const [, code] = /"(?:code|scimType)"\s*:\s*"([A-Za-z_.]{1,60})"/.exec(text.slice(0, 4_000)) ?? [];
  return code ? ` ${code}` : "";
}

/** Sessions are not resumed: each handshake shows both certificates anew. */
function secureAgent({ authority, identity, pins }: ExchangeOptions): HttpsAgent {
  return new HttpsAgent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    maxCachedSessions: 0,
    minVersion: identity ? "TLSv1.3" : "TLSv1.2",
    ...(authority === undefined ? {} : { ca: authority }),
    ...(identity ? { cert: identity.certificate, key: identity.key } : {}),
    ...(pins && pins.length > 0
      ? { checkServerIdentity: (name: string, peer: PeerCertificate) => identityFault(name, peer, pins) }
      : {}),
  });
}

/** Both the name and the pin must fit. */
function identityFault(name: string, peer: PeerCertificate, pins: readonly string[]): Error | undefined {
  const certificate = new X509Certificate(peer.raw);
  const named = certificate.checkHost(name) ?? certificate.checkIP(name);
  if (!named) return Object.assign(new Error("another name"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  return pins.includes(pinOf(certificate))
    ? undefined
    : Object.assign(new Error("another key than the pinned"), { code: WRONG_KEY });
}
const WRONG_KEY = "ERR_TLS_WRONG_KEY";

/** SHA-256 of a certificate's public key, in base64 (as RFC 7469 clause 2.4 counts it). */
export function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}

function failureOf(none: NoAnswer): ExchangeFailure {
  if (none.why === "error") return failureOfError(none.error);
  const causes = { timeout: "timeout", too_long: "bad_answer", cut_short: "unreachable" } as const;
  return failed(causes[none.why], none.reason);
}

function failureOfError(error: NodeJS.ErrnoException): ExchangeFailure {
  const code = error.code ?? "";
  if (code === WRONG_KEY) return failed("wrong_key", "it shows another key than the pinned one");
  // Under TLS 1.3 a server's refusal of our certificate comes as an alert after the handshake.
  if (CERTIFICATE_ALERT.test(code)) return failed("unauthorised", code);
  if (/^ERR_SSL|^ERR_TLS|CERT|SELF_SIGNED|UNABLE_TO|HPE_/.test(code))
    return failed(code.startsWith("HPE_") ? "bad_answer" : "tls", code);
  return failed("unreachable", code || "socket hang up");
}
