/**
 * Messages of GSUP, which an MSC or SGSN of Osmocom exchanges with its subscriber register, as far as a handset is named in them.
 * Source: Osmocom's user manuals, chapter "Generic Subscriber Update Protocol"; osmo-hlr 1.5.0 on the wire.
 *
 *   | message type 1 | { tag 1 | length 1 | value } ... |      the IMSI comes first
 *   | length 1 | swapped digits |                             value of a number but the IMSI, whose digits begin at once
 */
import { DecodeError } from "../decode-error.ts";
import { octetAt } from "../octet-at.ts";

/** Requests end in binary 00, errors in 01, results in 10. */
export const GSUP = {
  updateLocation: 0x04,
  insertData: 0x10,
  checkImei: 0x30,
  checkImeiError: 0x31,
  checkImeiResult: 0x32,
} as const;
/** GMM cause values (3GPP TS 24.008 clause 10.5.5.14). */
export const GSUP_CAUSE = { imsiUnknown: 0x02, networkFailure: 0x11, invalidMandatory: 0x60 } as const;
const ELEMENT = {
  imsi: 0x01,
  cause: 0x02,
  msisdn: 0x08,
  messageClass: 0x0a,
  imei: 0x50,
  imeiResult: 0x51,
  source: 0x60,
  destination: 0x61,
} as const;
/** On the wire; the manuals give the values that programs hold in memory. */
const ACK = 0x00;
const NACK = 0x01;
const IMEI_DIGITS = 14;

type Element = { readonly tag: number; readonly value: Uint8Array };
/** Numbers are digits; undefined where they are missing or are none. */
export type GsupMessage = {
  readonly type: number;
  readonly imsi: string | undefined;
  readonly imei: string | undefined;
  readonly msisdn: string | undefined;
  /** Of an answer. */
  readonly isAccepted: boolean | undefined;
  readonly cause: number | undefined;
  readonly elements: readonly Element[];
};

/** The payload behind the octet of the extension. @throws DecodeError: an element that does not end inside */
export function decodeGsup(payload: Uint8Array): GsupMessage {
  if (payload.length === 0) throw new DecodeError("a message without a type", 0);
  const elements: Element[] = [];
  for (let at = 1; at < payload.length; ) {
    const length = octetAt(payload, at + 1);
    if (at + 2 + length > payload.length) throw new DecodeError("an element does not end inside", at);
    elements.push({ tag: octetAt(payload, at), value: payload.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  const of = (tag: number) => elements.find((element) => element.tag === tag)?.value;
  const [imei, result, cause] = [of(ELEMENT.imei), of(ELEMENT.imeiResult), of(ELEMENT.cause)];
  const imeiDigits = imei && numbered(imei);
  return {
    type: octetAt(payload, 0),
    imsi: formed(swapped(of(ELEMENT.imsi)), /^\d{6,15}$/),
    imei: formed(imeiDigits, /^\d{14}$/),
    msisdn: formed(numbered(of(ELEMENT.msisdn)), /^\d{5,15}$/),
    isAccepted: result?.length === 1 ? octetAt(result, 0) === ACK : undefined,
    cause: cause?.length === 1 ? octetAt(cause, 0) : undefined,
    elements,
  };
}

const formed = (text: string | undefined, form: RegExp): string | undefined =>
  text !== undefined && form.test(text) ? text : undefined;

/** A number with its own length in front: what it says beyond its element is none. */
function numbered(value: Uint8Array | undefined): string | undefined {
  if (!value || value.length === 0 || octetAt(value, 0) !== value.length - 1) return undefined;
  return swapped(value.subarray(1));
}

/** Low half octet first; one filler F behind. */
function swapped(value: Uint8Array | undefined): string | undefined {
  if (!value) return undefined;
  const digits = Array.from(value, (octet) => (octet & 0x0f).toString(16) + (octet >> 4).toString(16)).join(
    "",
  );
  return digits.replace(/f$/, "");
}

function swappedOctets(digits: string): number[] {
  const whole = digits.length % 2 === 0 ? digits : `${digits}f`;
  return (whole.match(/../g) ?? []).map((pair) => Number.parseInt(`${pair[1]}${pair[0]}`, 16));
}

/** The answer to CHECK-IMEI, as osmo-hlr writes it: the class stays, the names of the two ends change places. */
export const encodeImeiAnswer = (request: GsupMessage, isAccepted: boolean): Uint8Array =>
  answerTo(request, GSUP.checkImeiResult, [ELEMENT.imeiResult, 1, isAccepted ? ACK : NACK]);

/** Of any request: its type and the bit of errors. */
export const encodeGsupError = (request: GsupMessage, cause: number): Uint8Array =>
  answerTo(request, request.type | 0x01, [ELEMENT.cause, 1, cause]);

function answerTo({ elements }: GsupMessage, type: number, own: readonly number[]): Uint8Array {
  const copied = (tag: number, as = tag): number[] => {
    const value = elements.find((element) => element.tag === tag)?.value;
    return value ? [as, value.length, ...value] : [];
  };
  return Uint8Array.from([
    type,
    ...copied(ELEMENT.imsi),
    ...own,
    ...copied(ELEMENT.messageClass),
    ...copied(ELEMENT.destination, ELEMENT.source),
    ...copied(ELEMENT.source, ELEMENT.destination),
  ]);
}

/** What an MSC asks: for the simulated core, and for tests. `imei` has 14 digits. @throws RangeError: another length */
export function encodeImeiRequest(imsi: string, imei: string): Uint8Array {
  if (imei.length !== IMEI_DIGITS) throw new RangeError(`an IMEI of ${imei.length} digits is none of GSUP`);
  const [subscriber, handset] = [swappedOctets(imsi), swappedOctets(imei)];
  return Uint8Array.from([
    ...[GSUP.checkImei, ELEMENT.imsi, subscriber.length, ...subscriber],
    ...[ELEMENT.imei, handset.length + 1, handset.length, ...handset],
    ...[ELEMENT.messageClass, 1, 1],
  ]);
}
