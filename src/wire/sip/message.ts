/**
 * SIP messages as they stand on a stream, both ways. Source: RFC 3261 §7 (form), §7.3.1 (folding), §7.3.3 (compact names), §18.3
 * (on a stream Content-Length says where the body ends).
 *
 *   INVITE sip:bob@example SIP/2.0   or   SIP/2.0 200 OK
 *   name: value                      each with CR LF; a line that begins with a space goes on with the one before
 *   (empty line), body
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";

/** One header: its name in full, as it is best known ("Call-ID"), and its value without folds. */
export type SipHeader = readonly [name: string, value: string];
type Content = { readonly headers: readonly SipHeader[]; readonly body: Uint8Array };
/** A request: `uri` as it stands in the line. */
export type SipRequest = Content & {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
};
/** An answer: 100 to 699 and its words. */
export type SipResponse = Content & {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
};
export type SipMessage = SipRequest | SipResponse;

/** Longest head and longest body, in octets, and how many headers. */
const SIP_LIMITS = { headOctets: 8_192, bodyOctets: 16_384, headers: 64 } as const;

const END = Buffer.from("\r\n\r\n");
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const REQUEST = /^([A-Z]{1,20}) ([^\s]{1,512}) SIP\/2\.0$/;
const RESPONSE = /^SIP\/2\.0 ([1-6]\d\d) ([^\r\n]{0,128})$/;
/** §7.3.3 and §20, of those that are met here. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ["i", "Call-ID"],
  ["m", "Contact"],
  ["l", "Content-Length"],
  ["c", "Content-Type"],
  ["f", "From"],
  ["s", "Subject"],
  ["k", "Supported"],
  ["t", "To"],
  ["v", "Via"],
]);

/**
 * The message that begins at `at`; undefined while it is not whole.
 * @throws DecodeError with the offset: no SIP, no Content-Length, or more than `SIP_LIMITS` allow
 */
export function decodeSip(
  bytes: Uint8Array,
  at = 0,
): { readonly message: SipMessage; readonly next: number } | undefined {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headEnd = octets.indexOf(END, at);
  if ((headEnd < 0 ? octets.length : headEnd) - at > SIP_LIMITS.headOctets)
    throw new DecodeError(`a SIP head of more than ${SIP_LIMITS.headOctets} octets`, at);
  if (headEnd < 0) return undefined;
  const [start = "", ...lines] = unfolded(octets.toString("utf8", at, headEnd)).split("\r\n");
  if (lines.length > SIP_LIMITS.headers)
    throw new DecodeError(`more than ${SIP_LIMITS.headers} SIP headers`, at);
  const headers = lines.map((line) => headerOf(line, at));
  const from = headEnd + END.length;
  const next = from + lengthOf(headers, at);
  if (next > octets.length) return undefined;
  const content = { headers, body: bytes.subarray(from, next) };
  return { message: { ...startOf(start, at), ...content }, next };
}

/** @throws TurnupError `payload_malformed`: a line break in a line, or a name that is none */
export function encodeSip(message: SipMessage): Uint8Array {
  const { headers, body } = message;
  const start =
    message.kind === "request"
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = headers
    .filter(([name]) => !isName(name, "Content-Length"))
    .map(([name, value]) => {
      if (!TOKEN.test(name)) throw new TurnupError("payload_malformed", "A SIP header without a name.");
      return `${name}: ${value}`;
    });
  const all = [start, ...lines, `Content-Length: ${body.length}`];
  if (all.some((line) => /[\r\n]/.test(line)))
    throw new TurnupError("payload_malformed", "A line break in a line of SIP.");
  return Uint8Array.from(Buffer.concat([Buffer.from(`${all.join("\r\n")}\r\n\r\n`, "utf8"), body]));
}

/** The first header of a name, whatever its case; undefined where there is none. */
export const sipHeader = ({ headers }: Pick<SipMessage, "headers">, name: string): string | undefined =>
  headers.find(([known]) => isName(known, name))?.[1];

const isName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
const unfolded = (head: string): string => head.replace(/\r\n[ \t]+/g, " ");

function startOf(line: string, at: number) {
  const [, method, uri] = REQUEST.exec(line) ?? [];
  if (method !== undefined && uri !== undefined) return { kind: "request", method, uri } as const;
  const [, status, reason = ""] = RESPONSE.exec(line) ?? [];
  if (status === undefined) throw new DecodeError("no start line of SIP", at);
  return { kind: "response", status: Number(status), reason } as const;
}

function headerOf(line: string, at: number): SipHeader {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0)).trimEnd();
  if (!TOKEN.test(name)) throw new DecodeError("a SIP header without a name", at);
  return [COMPACT.get(name.toLowerCase()) ?? name, line.slice(colon + 1).trim()];
}

function lengthOf(headers: readonly SipHeader[], at: number): number {
  const all = headers.filter(([name]) => isName(name, "Content-Length"));
  const [length, ...others] = all;
  if (!length || others.length > 0) throw new DecodeError("a SIP message with none or several lengths", at);
  if (!/^\d{1,9}$/.test(length[1])) throw new DecodeError("a length of SIP that is no number", at);
  const octets = Number(length[1]);
  if (octets > SIP_LIMITS.bodyOctets)
    throw new DecodeError(`a SIP body of more than ${SIP_LIMITS.bodyOctets} octets`, at);
  return octets;
}
