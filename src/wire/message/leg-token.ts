/**
 * The token of one leg's session: whoever opened the session shows it with each message. It holds all that its issuer
 * needs to believe it again, so any process with the key can; it is bound to the leg and to the peer's certificate, and
 * each leg has a key of its own, so a token of one leg, or of another's certificate, is useless (US 6,647,260 claims 36
 * and 42).
 *
 *   base64url( "turnup-leg-1" LF leg LF subject LF peer LF ends LF nonce ) . base64url( HMAC-SHA-256 )
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const FORM = "turnup-leg-1";
/** A longer one is not looked at. */
const LEG_TOKEN_CHARACTERS_MAX = 600;
const KEY_OCTETS = 32;
const NONCE_OCTETS = 16;

/** What a token says, and its issuer can believe again. */
export type LegSession = {
  readonly leg: "air" | "land";
  /** The device's or proxy's id. */
  readonly subject: string;
  /** What the session is bound to: the fingerprint of the peer's certificate. */
  readonly peer: string;
  readonly endsAt: Date;
};

/**
 * The token of a session, as text for a header.
 * @param nonce 16 octets that nobody can guess: two sessions never have the same token
 * @param key 32 octets, of this leg alone
 * @throws RangeError: a key or nonce of another length, a line end in a word
 */
export function issueLegToken(session: LegSession, nonce: Uint8Array, key: Uint8Array): string {
  if (key.length !== KEY_OCTETS) throw new RangeError(`a leg's key has ${KEY_OCTETS} octets`);
  if (nonce.length !== NONCE_OCTETS) throw new RangeError(`a nonce has ${NONCE_OCTETS} octets`);
  const { leg, subject, peer, endsAt } = session;
  const words = [
    FORM,
    leg,
    subject,
    peer,
    String(endsAt.getTime()),
    Buffer.from(nonce).toString("base64url"),
  ];
  if (words.some((word) => /[\n\r]/.test(word))) throw new RangeError("a word of a token holds a line end");
  const body = Buffer.from(words.join("\n")).toString("base64url");
  return `${body}.${macOf(body, key)}`;
}

/** The session, where the token is this key's, of this leg, this peer's and not over. */
export function openLegToken(
  token: string,
  expected: { readonly leg: LegSession["leg"]; readonly peer: string; readonly now: Date },
  key: Uint8Array,
): LegSession | undefined {
  if (token.length > LEG_TOKEN_CHARACTERS_MAX) return undefined;
  const [, body, mac] = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
  if (body === undefined || mac === undefined) return undefined;
  const wanted = macOf(body, key);
  if (!timingSafeEqual(Buffer.from(wanted), Buffer.from(mac))) return undefined;
  const [form, leg, subject = "", peer = "", ends = ""] = Buffer.from(body, "base64url")
    .toString("utf8")
    .split("\n");
  const endsAt = new Date(Number(ends));
  const isFit = form === FORM && leg === expected.leg && peer === expected.peer && endsAt > expected.now;
  return isFit ? { leg: expected.leg, subject, peer, endsAt } : undefined;
}

const macOf = (body: string, key: Uint8Array): string =>
  createHmac("sha256", key).update(body).digest("base64url");
