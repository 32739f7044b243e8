/**
 * Turnup's side of the talk with one manufacturer's key server, over mutual TLS 1.3. Every outcome is a value: an order
 * waits with the cause as its reason. What a key itself is worth (its signature, its handset) is the kernel's to judge.
 *
 * `tunnel` keeps requests inside a VPN: they leave from the tunnel's own address or not at all. While the interface or
 * the address is gone nothing is sent and open connections are closed. (The routing table must send that address
 * through the tunnel; what leaves is TLS in any case, plain http is refused when the client is made.)
 */
import { Agent, request } from "node:https";
import { networkInterfaces } from "node:os";
import {
  type DownloadNotice,
  type KeyRefusalCode,
  type KeyRequest,
  MAX_BATCH,
  type NoticeAnswer,
  type Remittance,
  readIssuedKeys,
  readKeyAnswers,
  readKeyRequest,
  readNoticeAnswer,
  readPaymentStates,
} from "../../wire/message/maker-api.ts";
import { type Read, ShapeError, shapeFaultOf } from "../../wire/message/shape.ts";
import { CERTIFICATE_ALERT, CUT, certificateRefusal } from "../exchange/certificate-refusal.ts";
import { causeOfStatus, type NoAnswer, wholeAnswer } from "../exchange/whole-answer.ts";

/** 500 keys of the greatest length, in base64, with room. */
const MAX_ANSWER_OCTETS = 2 * 1_048_576;
const MAX_SOCKETS = 8;
const KEEP_ALIVE_MS = 30_000;

type MakerClientOptions = {
  readonly url: string;
  readonly certificate: string;
  readonly key: string;
  /** The authority of the manufacturer's server; no other is trusted. */
  readonly authority: string;
  /** For a whole request: connect, send, answer. */
  readonly timeoutMs: number;
  readonly tunnel?: { readonly interfaceName?: string; readonly address?: string };
  /** The addresses of this machine, by interface; the machine's own unless given. */
  readonly interfaces?: () => Readonly<Record<string, readonly string[]>>;
};

type MakerFailure = {
  readonly kind: "failed";
  readonly cause:
    | "timeout"
    | "unreachable"
    | "tls"
    | "unauthorised"
    | "busy"
    | "bad_answer"
    | "bad_request"
    | "tunnel_down";
  readonly detail: string;
};
export type KeyOutcome =
  | { readonly kind: "issued"; readonly requestId: string; readonly keyBytes: Uint8Array }
  | {
      readonly kind: "refused";
      readonly requestId: string;
      readonly code: KeyRefusalCode;
      readonly reason: string;
    }
  | (MakerFailure & { readonly requestId: string });
export type NoticeOutcome = ({ readonly kind: "noted" } & NoticeAnswer) | MakerFailure;
export type MakerClient = ReturnType<typeof createMakerClient>;

/** The connections to one manufacturer. */
type Maker = {
  readonly options: MakerClientOptions;
  readonly base: URL;
  readonly interfaces: NonNullable<MakerClientOptions["interfaces"]>;
  readonly agent: Agent;
};

export function createMakerClient(options: MakerClientOptions) {
  const base = new URL(options.url);
  if (base.protocol !== "https:") throw new RangeError("a manufacturer is reached over https only");
  const agent = new Agent({
    cert: options.certificate,
    key: options.key,
    ca: options.authority,
    minVersion: "TLSv1.3",
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: MAX_SOCKETS,
  });
  const maker: Maker = { options, base, interfaces: options.interfaces ?? ownInterfaces, agent };

  return {
    /**
     * One outcome a request, in the order of the requests; at most 500. Safe to repeat: the request id decides. One
     * that the maker could not read is refused here, so that it does not spoil the batch for the others.
     */
    requestKeys: (requests: readonly KeyRequest[]): Promise<KeyOutcome[]> => requestKeys(maker, requests),
    reportDownloads(downloads: readonly DownloadNotice[]): Promise<NoticeOutcome> {
      return note(maker, "/v1/downloads", { downloads: limited(downloads) });
    },
    reportPayments(payments: readonly Remittance[]): Promise<NoticeOutcome> {
      return note(maker, "/v1/payments", { payments: limited(payments) });
    },
    issuedKeys: (page: PageQuery = {}) =>
      call(maker, "GET", `/v1/keys${queryOf(page)}`, undefined, readIssuedKeys),
    paymentStates: (page: PageQuery = {}) =>
      call(maker, "GET", `/v1/payments${queryOf(page)}`, undefined, readPaymentStates),
    /** Whether the server answers to our certificate. */
    async check(): Promise<{ readonly kind: "answered" } | MakerFailure> {
      const outcome = await call(maker, "GET", "/healthz", undefined, (value) => value);
      return outcome.kind === "answered" ? { kind: "answered" } : outcome;
    },
    close: (): void => agent.destroy(),
  };
}

async function call<Answer>(
  maker: Maker,
  method: "GET" | "POST",
  path: string,
  body: unknown,
  read: Read<Answer>,
): Promise<{ readonly kind: "answered"; readonly answer: Answer } | MakerFailure> {
  const way = wayOut(maker.options.tunnel, maker.interfaces());
  if (way.kind === "down") {
    maker.agent.destroy(); // an idle connection must not outlive the tunnel either
    return failed("tunnel_down", way.detail);
  }
  const place = {
    host: maker.base.hostname.replace(/^\[|\]$/g, ""),
    port: Number(maker.base.port) || 443,
    ...(way.address === undefined ? {} : { localAddress: way.address }),
  };
  const exchanged = await wholeAnswer(
    request,
    { ...place, method, path: maker.base.pathname.replace(/\/$/, "") + path, agent: maker.agent },
    body === undefined ? undefined : { type: "application/json", text: JSON.stringify(body) },
    { timeoutMs: maker.options.timeoutMs, answerOctets: MAX_ANSWER_OCTETS },
  );
  if (exchanged.kind === "none") {
    const failure = failureOf(exchanged);
    const { certificate, key, authority } = maker.options;
    const refusal = CUT.test(failure.detail)
      ? await certificateRefusal({ ...place, certificate, key, authority })
      : undefined;
    return refusal === undefined ? failure : failed("unauthorised", refusal);
  }
  const { status, text } = exchanged;
  if (status !== 200) return failed(causeOfStatus(status), `HTTP ${status}${codeIn(text)}`);
  try {
    return { kind: "answered", answer: read(JSON.parse(text), "") };
  } catch (error) {
    if (error instanceof ShapeError) return failed("bad_answer", error.message);
    if (error instanceof SyntaxError) return failed("bad_answer", "the answer is no JSON");
    throw error;
  }
}

async function requestKeys(maker: Maker, requests: readonly KeyRequest[]): Promise<KeyOutcome[]> {
  const faults = new Map(
    limited(requests).flatMap((request) => {
      const fault = shapeFaultOf(request, readKeyRequest);
      return fault === undefined ? [] : [[request.requestId, fault] as const];
    }),
  );
  const sound = requests.filter(({ requestId }) => !faults.has(requestId));
  const answered = new Map((await askKeys(maker, sound)).map((outcome) => [outcome.requestId, outcome]));
  return requests.map(
    ({ requestId }) =>
      answered.get(requestId) ?? {
        kind: "refused",
        requestId,
        code: "malformed",
        reason: faults.get(requestId) ?? "a request id given twice",
      },
  );
}

async function askKeys(maker: Maker, requests: readonly KeyRequest[]): Promise<KeyOutcome[]> {
  if (requests.length === 0) return [];
  const outcome = await call(maker, "POST", "/v1/keys", { keys: requests }, readKeyAnswers);
  if (outcome.kind === "failed") return requests.map(({ requestId }) => ({ ...outcome, requestId }));
  const asked = new Set(requests.map(({ requestId }) => requestId));
  const answers = new Map(outcome.answer.keys.map((answer) => [answer.requestId, answer]));
  // An id answered twice, or one never asked: which key is whose can no longer be told.
  const clean =
    answers.size === outcome.answer.keys.length &&
    outcome.answer.keys.every(({ requestId }) => asked.has(requestId));
  return requests.map(({ requestId }): KeyOutcome => {
    const answer = answers.get(requestId);
    if (!clean || !answer) {
      const detail = clean ? "this request was not answered" : "the answer does not match what was asked";
      return { ...failed("bad_answer", detail), requestId };
    }
    return "key" in answer
      ? { kind: "issued", requestId, keyBytes: answer.key }
      : { kind: "refused", requestId, ...answer.refused };
  });
}

async function note(maker: Maker, path: string, body: object): Promise<NoticeOutcome> {
  const outcome = await call(maker, "POST", path, body, readNoticeAnswer);
  return outcome.kind === "answered" ? { kind: "noted", ...outcome.answer } : outcome;
}

type PageQuery = { readonly after?: string; readonly limit?: number };

function queryOf({ after, limit }: PageQuery): string {
  const query = new URLSearchParams();
  if (after !== undefined) query.set("after", after);
  if (limit !== undefined) query.set("limit", String(limit));
  return query.size > 0 ? `?${query}` : "";
}

function limited<Entry>(batch: readonly Entry[]): readonly Entry[] {
  if (batch.length < 1 || batch.length > MAX_BATCH) throw new RangeError(`1 to ${MAX_BATCH} entries a call`);
  return batch;
}

function failureOf(none: NoAnswer): MakerFailure {
  // An answer that stopped in its middle is told as the cut that it is.
  if (none.why === "cut_short") return failed("unreachable", "ECONNRESET");
  if (none.why !== "error") return failed(none.why === "timeout" ? "timeout" : "bad_answer", none.reason);
  const { code = "", message } = none.error;
  // Under TLS 1.3 a server's refusal of our certificate comes as an alert after the handshake.
  if (CERTIFICATE_ALERT.test(code)) return failed("unauthorised", code);
  if (/^ERR_SSL|^ERR_TLS|CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return failed("tls", code);
  return failed("unreachable", code || message);
}

/** The maker's own code of the refusal, if its answer has one; never more of the answer. */
function codeIn(text: string): string {
  const [, code] = /"code"\s*:\s*"([a-z_]{1,40})"/.exec(text.slice(0, 2_000)) ?? [];
  return code ? ` ${code}` : "";
}

const failed = (cause: MakerFailure["cause"], detail: string): MakerFailure => ({
  kind: "failed",
  cause,
  detail,
});

type Way =
  | { readonly kind: "open"; readonly address: string | undefined }
  | { readonly kind: "down"; readonly detail: string };

function wayOut(
  tunnel: MakerClientOptions["tunnel"],
  interfaces: Readonly<Record<string, readonly string[]>>,
): Way {
  if (!tunnel) return { kind: "open", address: undefined };
  const { interfaceName, address } = tunnel;
  const candidates =
    interfaceName === undefined ? Object.values(interfaces).flat() : (interfaces[interfaceName] ?? []);
  const found = address === undefined ? candidates[0] : candidates.find((own) => own === address);
  if (found !== undefined && (interfaceName !== undefined || address !== undefined))
    return { kind: "open", address: found };
  return { kind: "down", detail: `no address for requests on ${interfaceName ?? "any interface"}` };
}

const ownInterfaces = (): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(networkInterfaces()).map(([name, addresses = []]) => [
      name,
      addresses.map(({ address }) => address),
    ]),
  );
