/**
 * A telephone call between two documents, since a voice platform keeps nothing for us: sealed in the addresses and forms
 * of the documents, so that neither the platform nor its logs learn a number or a code's other half.
 *
 *   call   base64url( nonce 12 | AES-256-GCM( JSON ) | tag 16 )     key: HMAC(portal key, "turnup-voice-1"); bound to the operator
 */
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

const ALGORITHM = "aes-256-gcm";
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
/** What a hidden field of a screen holds; calls stay far below. */
const TOKEN_CHARACTERS_MAX = 400;
/** A call that pauses longer begins anew. */
const CALL_MS = 45 * 60_000;

export type VoiceCall = {
  readonly language: string;
  /** E.164 without +, as the exchange told it: no proof of anything. Null where it told none. */
  readonly caller: string | null;
  /** The other half of the code that was sent by SMS; null before one was. */
  readonly challenge: string | null;
  /** Wrong codes and broken answers of this call. */
  readonly failures: number;
  /** Proved by the code, and by the PIN where one is set; null before. */
  readonly subscriberId: string | null;
  /** Proved by the code, while their PIN is awaited; null before and after. */
  readonly pinOf: string | null;
  /** When the code was right, in ms since 1970; null before. */
  readonly provedMs: number | null;
};

type Sealed = VoiceCall & { readonly ends: number };
type CallKey = { readonly key: Uint8Array; readonly operatorId: string };

/** @param nonce 12 octets that were never used before */
export function sealCall(call: VoiceCall, now: Date, nonce: Uint8Array, of: CallKey): string {
  if (nonce.length !== NONCE_OCTETS) throw new RangeError(`the nonce of a call has ${NONCE_OCTETS} octets`);
  const cipher = createCipheriv(ALGORITHM, keyOf(of), nonce).setAAD(Buffer.from(of.operatorId));
  const sealed: Sealed = { ...call, ends: now.getTime() + CALL_MS };
  const body = Buffer.concat([cipher.update(JSON.stringify(sealed), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url");
}

/** Undefined where it is none of this operator's, was changed, or is over. */
export function openCall(token: string, now: Date, of: CallKey): VoiceCall | undefined {
  if (token.length > TOKEN_CHARACTERS_MAX || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const whole = Buffer.from(token, "base64url");
  if (whole.length <= NONCE_OCTETS + TAG_OCTETS) return undefined;
  const nonce = whole.subarray(0, NONCE_OCTETS);
  const tag = whole.subarray(-TAG_OCTETS);
  const decipher = createDecipheriv(ALGORITHM, keyOf(of), nonce, { authTagLength: TAG_OCTETS })
    .setAAD(Buffer.from(of.operatorId))
    .setAuthTag(tag);
  let text: string;
  try {
    text = `${decipher.update(whole.subarray(NONCE_OCTETS, -TAG_OCTETS), undefined, "utf8")}${decipher.final("utf8")}`;
  } catch {
    return undefined; // of another key or operator, or changed
  }
  const { ends, pinOf = null, ...call } = JSON.parse(text) as Sealed; // only we have the key; a release ago it held no pinOf
  return ends > now.getTime() ? { ...call, pinOf } : undefined;
}

export const CALL_NONCE_OCTETS = NONCE_OCTETS;

const keyOf = ({ key }: CallKey): Buffer => createHmac("sha256", key).update("turnup-voice-1").digest();
