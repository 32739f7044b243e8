/**
 * How an applet learns the IMEI: it asks the terminal by a proactive command, and the terminal answers.
 * Source: ETSI TS 102 223 §6.4.15, §6.6.15, §6.8 (PROVIDE LOCAL INFORMATION and its terminal response).
 *
 *   command   D0 09 | 81 03 01 26 QQ | 82 02 81 82                                    QQ: 01 IMEI, 08 IMEISV
 *   response  81 03 01 26 QQ | 82 02 82 81 | 83 01 RR | 94 08 ... or E2 09 ...        RR: 00 to 0F it was done
 */
import { entriesOf } from "../../term/record.ts";
import { DecodeError } from "../decode-error.ts";
import { decodeImei, decodeImeisv, encodeImei, encodeImeisv } from "./identity.ts";
import { type DataObject, decodeObjects, encodeObject, plainTag } from "./tlv.ts";

const PROACTIVE = 0xd0;
const PROVIDE_LOCAL_INFORMATION = 0x26;
const TAG = { details: 0x01, devices: 0x02, result: 0x03, imei: 0x14, imeisv: 0x62 } as const;
const MUST_UNDERSTAND = 0x80;
const [CARD, TERMINAL] = [0x81, 0x82];
const LAST_DONE = 0x0f;
/** "Command beyond terminal's capabilities". */
const BEYOND_CAPABILITIES = 0x30;

const QUALIFIERS = { imei: 0x01, imeisv: 0x08 } as const;
/** What is asked for. */
export type LocalInformation = keyof typeof QUALIFIERS;
/** What the terminal answered: the digits, or its general result (TS 102 223 §8.12). */
export type TerminalResponse =
  | { readonly asked: LocalInformation; readonly kind: "given"; readonly digits: string }
  /** The terminal did not do it: its general result. */
  | { readonly asked: LocalInformation; readonly kind: "refused"; readonly result: number };

/** PROVIDE LOCAL INFORMATION for one of the two numbers, 11 octets. */
export function encodeCommand(asked: LocalInformation): Uint8Array {
  const body = Buffer.concat([
    details(asked),
    encodeObject(TAG.devices | MUST_UNDERSTAND, Uint8Array.of(CARD, TERMINAL)),
  ]);
  return Uint8Array.from([PROACTIVE, body.length, ...body]);
}

/**
 * Which number a proactive command asks for.
 * @throws DecodeError with the offset: cut short, or another command
 */
export function decodeCommand(bytes: Uint8Array): LocalInformation {
  if (bytes[0] !== PROACTIVE) throw new DecodeError("no proactive command", 0);
  if (bytes[1] !== bytes.length - 2) throw new DecodeError("the length is not that of the command", 1);
  return askedIn(decodeObjects(bytes, 2));
}

/**
 * The terminal response, as the terminal sends it.
 * @throws RangeError: digits that are no IMEI or IMEISV
 */
export function encodeResponse(response: TerminalResponse): Uint8Array {
  const { asked } = response;
  const result = response.kind === "given" ? 0 : response.result;
  const head = [
    details(asked),
    encodeObject(TAG.devices | MUST_UNDERSTAND, Uint8Array.of(TERMINAL, CARD)),
    encodeObject(TAG.result | MUST_UNDERSTAND, Uint8Array.of(result)),
  ];
  if (response.kind === "refused") return Uint8Array.from(Buffer.concat(head));
  const value = asked === "imei" ? encodeImei(response.digits) : encodeImeisv(response.digits);
  return Uint8Array.from(Buffer.concat([...head, encodeObject(TAG[asked] | MUST_UNDERSTAND, value)]));
}

/** The answer of a terminal that does not know the command. */
export const cannotDo = (asked: LocalInformation): TerminalResponse => ({
  asked,
  kind: "refused",
  result: BEYOND_CAPABILITIES,
});

/**
 * What the terminal answered to one of the two commands.
 * @throws DecodeError with the offset: cut short, without a result, or of another command
 */
export function decodeResponse(bytes: Uint8Array): TerminalResponse {
  const objects = decodeObjects(bytes);
  const asked = askedIn(objects);
  const result = find(objects, TAG.result);
  if (result?.value[0] === undefined) throw new DecodeError("the response has no result", bytes.length);
  if (result.value[0] > LAST_DONE) return { asked, kind: "refused", result: result.value[0] };
  const given = find(objects, TAG[asked]);
  if (!given) throw new DecodeError(`the response has no ${asked}`, bytes.length);
  const decode = asked === "imei" ? decodeImei : decodeImeisv;
  return { asked, kind: "given", digits: decode(given.value, given.at) };
}

const details = (asked: LocalInformation): Uint8Array =>
  encodeObject(TAG.details | MUST_UNDERSTAND, Uint8Array.of(1, PROVIDE_LOCAL_INFORMATION, QUALIFIERS[asked]));

const find = (objects: readonly DataObject[], tag: number): DataObject | undefined =>
  objects.find((object) => plainTag(object.tag) === tag);

function askedIn(objects: readonly DataObject[]): LocalInformation {
  const found = find(objects, TAG.details);
  if (found?.value.length !== 3) throw new DecodeError("there are no command details", found?.at ?? 0);
  if (found.value[1] !== PROVIDE_LOCAL_INFORMATION)
    throw new DecodeError("the command is not PROVIDE LOCAL INFORMATION", found.at + 1);
  for (const [asked, qualifier] of entriesOf(QUALIFIERS)) if (found.value[2] === qualifier) return asked;
  throw new DecodeError(
    `local information ${found.value[2]} is not about the terminal's number`,
    found.at + 2,
  );
}
