/**
 * What stands in addresses and hidden fields between two screens, since devices may keep no cookie: short, ASCII, signed,
 * nothing secret inside. Anybody may read them; only who has the key writes one.
 *
 *   session  base64url( 1 | assurance 1 | ends, seconds since 1970 : 4 | subscriber 16 | HMAC 16 )                `?s=`
 *   state    base64url( 2 | ends, seconds since 1970 : 4 | nonce 9 | HMAC 12 )                            field `state`
 *
 * A session says who was let in by an SMS to their SIM. A state says that this very form was drawn for this very person: it
 * keeps other pages from sending it, and its nonce keeps a repeat from being done twice. What a state is bound to is in
 * the signature alone, so it stays short enough for a deck of WML.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Assurance } from "../catalog/catalog-item.ts";

const SESSION_KIND = 1;
const STATE_KIND = 2;
const SESSION_MAC_OCTETS = 16;
const STATE_MAC_OCTETS = 12;
const ENDS_OCTETS = 4;
const SUBSCRIBER_OCTETS = 16;
export const STATE_NONCE_OCTETS = 9;
const PORTAL_KEY_OCTETS = 32;
export const PORTAL_SESSION_MS = 45 * 60_000;
/** Ways in by SMS. What a token says is its place here. */
const BY_SMS = ["link", "otp"] as const satisfies readonly Assurance[];

export type PortalSession = {
  readonly subscriberId: string;
  readonly assurance: (typeof BY_SMS)[number];
  readonly endsAt: Date;
};

export function issueSession(session: PortalSession, operatorId: string, key: Uint8Array): string {
  const body = Buffer.alloc(2 + ENDS_OCTETS + SUBSCRIBER_OCTETS);
  body[0] = SESSION_KIND;
  body[1] = BY_SMS.indexOf(session.assurance);
  body.writeUInt32BE(secondsOf(session.endsAt), 2);
  body.set(Buffer.from(session.subscriberId.replaceAll("-", ""), "hex"), 2 + ENDS_OCTETS);
  return sealed(body, ["session", operatorId], SESSION_MAC_OCTETS, key);
}

/** It was let in by an SMS to a number that became another SIM's since. Seconds count: that of the loss is not good any more. */
export const isOfFormerNumber = (
  provedAt: Date,
  { numberLostAt }: { readonly numberLostAt?: Date | null | undefined },
): boolean => numberLostAt != null && secondsOf(provedAt) <= secondsOf(numberLostAt);

/** Undefined where it is not this operator's, was changed, or is over. */
export function openSession(
  token: string,
  operatorId: string,
  now: Date,
  key: Uint8Array,
): PortalSession | undefined {
  const length = 2 + ENDS_OCTETS + SUBSCRIBER_OCTETS;
  const body = opened(token, { length, macOctets: SESSION_MAC_OCTETS }, ["session", operatorId], key);
  const assurance = BY_SMS[body?.[1] ?? BY_SMS.length];
  if (!body || body[0] !== SESSION_KIND || !assurance) return undefined;
  const endsAt = new Date(body.readUInt32BE(2) * 1000);
  const hex = body.toString("hex", 2 + ENDS_OCTETS);
  const subscriberId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return endsAt > now ? { subscriberId, assurance, endsAt } : undefined;
}

/** What a form is bound to: who it was drawn for and what sending it does. */
type StateScope = { readonly subject: string; readonly purpose: string };

/** @param nonce 9 octets that nobody can guess */
export function issueState(scope: StateScope, endsAt: Date, nonce: Uint8Array, key: Uint8Array): string {
  if (nonce.length !== STATE_NONCE_OCTETS)
    throw new RangeError(`the nonce of a state has ${STATE_NONCE_OCTETS} octets`);
  const body = Buffer.alloc(1 + ENDS_OCTETS + STATE_NONCE_OCTETS);
  body[0] = STATE_KIND;
  body.writeUInt32BE(secondsOf(endsAt), 1);
  body.set(nonce, 1 + ENDS_OCTETS);
  return sealed(body, wordsOf(scope), STATE_MAC_OCTETS, key);
}

type StateRead =
  | { readonly kind: "good"; readonly nonce: string }
  /** Ours and this person's, but the form was open too long. */
  | { readonly kind: "over" }
  | { readonly kind: "foreign" };

export function readState(token: string, scope: StateScope, now: Date, key: Uint8Array): StateRead {
  const length = 1 + ENDS_OCTETS + STATE_NONCE_OCTETS;
  const body = opened(token, { length, macOctets: STATE_MAC_OCTETS }, wordsOf(scope), key);
  if (!body || body[0] !== STATE_KIND) return { kind: "foreign" };
  if (body.readUInt32BE(1) <= secondsOf(now)) return { kind: "over" };
  return { kind: "good", nonce: body.toString("base64url", 1 + ENDS_OCTETS) };
}

const wordsOf = ({ subject, purpose }: StateScope): readonly string[] => ["state", subject, purpose];
const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1000);

function sealed(body: Buffer, words: readonly string[], macOctets: number, key: Uint8Array): string {
  return Buffer.concat([body, macOf(body, words, macOctets, key)]).toString("base64url");
}

function opened(
  token: string,
  { length, macOctets }: { readonly length: number; readonly macOctets: number },
  words: readonly string[],
  key: Uint8Array,
): Buffer | undefined {
  if (token.length > 2 * (length + macOctets) || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const whole = Buffer.from(token, "base64url");
  // The same octets written in another way are another token, and none of ours.
  if (whole.length !== length + macOctets || whole.toString("base64url") !== token) return undefined;
  const [body, mac] = [whole.subarray(0, length), whole.subarray(length)];
  return timingSafeEqual(mac, macOf(body, words, macOctets, key)) ? body : undefined;
}

/** A NUL parts the words: it stands in none of them. */
function macOf(body: Uint8Array, words: readonly string[], octets: number, key: Uint8Array): Buffer {
  if (key.length !== PORTAL_KEY_OCTETS)
    throw new RangeError(`the portal's key has ${PORTAL_KEY_OCTETS} octets`);
  const hmac = createHmac("sha256", key);
  for (const word of ["turnup-portal-1", ...words]) hmac.update(word).update("\0");
  return hmac.update(body).digest().subarray(0, octets);
}
