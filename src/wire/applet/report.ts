/**
 * What an applet on the card reports in a short message to the operator: the terminal's number, and whose card it is. No
 * standard says how; these are the three shapes that applets in the field have.
 *
 *   data objects  94 08 <IMEI> | E2 09 <IMEISV> | 09 .. <IMSI> | 99 0A <ICCID> | 0B .. <terminal profile> | C8 01 <home>   any order
 *   fixed         <IMEI : 8> <IMSI : 9> [<ICCID : 10>]
 *   text          IMEI:356938035643809 IMSI:234150000000001 ICCID:... HOME:uicc      a pattern with these names
 */
import { DecodeError } from "../decode-error.ts";
import {
  decodeIccid,
  decodeImei,
  decodeImeisv,
  decodeImsi,
  encodeIccid,
  encodeImei,
  encodeImeisv,
  encodeImsi,
  IMEI_OCTETS,
  IMSI_OCTETS,
} from "./identity.ts";
import { decodeObjects, encodeObject, plainTag } from "./tlv.ts";

/** Where the applet lives: a SIM card, a UICC, or a profile of an embedded SIM. The octet on the wire is the place + 1. */
const APPLET_HOMES = ["sim", "uicc", "esim"] as const;
export type AppletHome = (typeof APPLET_HOMES)[number];

/** What a report says; null where it is silent. It always names the terminal, by one of two numbers. */
export type AppletReport = {
  readonly imei: string | null;
  readonly imeisv: string | null;
  readonly imsi: string | null;
  readonly iccid: string | null;
  readonly home: AppletHome | null;
  /** TERMINAL PROFILE as the card had it, hexadecimal (TS 102 223 clause 5.2). */
  readonly profile: string | null;
};
const NOTHING: AppletReport = {
  ...{ imei: null, imeisv: null, imsi: null, iccid: null, home: null, profile: null },
};

const TAG = { imei: 0x14, imeisv: 0x62, imsi: 0x09, iccid: 0x19, profile: 0x0b, home: 0x48 } as const;
const MUST_UNDERSTAND = 0x80;
const TAGS: readonly number[] = Object.values(TAG);
const FIXED_OCTETS = IMEI_OCTETS + IMSI_OCTETS;
/** A text longer than this is no report: two short messages. */
const REPORT_CHARACTERS_MAX = 306;
/** Regular expression for the text shape; groups `imei` (or an IMEISV), `imsi`, `iccid`, `home`. */
export const DEFAULT_TEXT_PATTERN =
  "(?:IMEI|DCI)\\W{0,3}(?<imei>\\d{14,16})(?!\\d)(?:\\W{1,3}IMSI\\W{0,3}(?<imsi>\\d{6,15})(?!\\d))?(?:\\W{1,3}ICCID\\W{0,3}(?<iccid>\\d{19,20})(?!\\d))?(?:\\W{1,3}HOME\\W{0,3}(?<home>\\w{3,4}))?";

/**
 * Data objects where the first octet is one of their tags, else the fixed shape.
 * @throws DecodeError with the offset: cut short, digits that are none, or no terminal named
 */
export function decodeBinaryReport(bytes: Uint8Array): AppletReport {
  const [first] = bytes;
  if (first === undefined) throw new DecodeError("the report is empty", 0);
  return TAGS.includes(plainTag(first)) ? decodeObjectReport(bytes) : decodeFixedReport(bytes);
}

function decodeObjectReport(bytes: Uint8Array): AppletReport {
  const report: { -readonly [Name in keyof AppletReport]: AppletReport[Name] } = { ...NOTHING };
  for (const { tag, value, at } of decodeObjects(bytes)) {
    switch (plainTag(tag)) {
      case TAG.imei:
        report.imei = decodeImei(value, at);
        break;
      case TAG.imeisv:
        report.imeisv = decodeImeisv(value, at);
        break;
      case TAG.imsi:
        report.imsi = decodeImsi(value, at);
        break;
      case TAG.iccid:
        report.iccid = decodeIccid(value, at);
        break;
      case TAG.home: {
        const home = APPLET_HOMES[(value[0] ?? 0) - 1];
        if (!home || value.length !== 1) throw new DecodeError("there is no such home of an applet", at);
        report.home = home;
        break;
      }
      case TAG.profile:
        report.profile = Buffer.from(value).toString("hex");
        break;
      default: // what a vendor adds
    }
  }
  if (report.imei === null && report.imeisv === null)
    throw new DecodeError("the report names no terminal", bytes.length);
  return report;
}

function decodeFixedReport(bytes: Uint8Array): AppletReport {
  const hasIccid = bytes.length > FIXED_OCTETS;
  const imei = decodeImei(bytes.subarray(0, IMEI_OCTETS));
  const imsi = decodeImsi(bytes.subarray(IMEI_OCTETS, FIXED_OCTETS), IMEI_OCTETS);
  if (bytes.length < FIXED_OCTETS) throw new DecodeError("the IMSI's field is cut short", bytes.length);
  const iccid = hasIccid ? decodeIccid(bytes.subarray(FIXED_OCTETS), FIXED_OCTETS) : null;
  return { ...NOTHING, imei, imsi, iccid };
}

/** What a pattern found in a text, by the names of its groups; null where it matched nowhere. */
export type TextGroups = Readonly<Record<string, string | null | undefined>>;

/** Null where the text is no report. `groupsIn` finds imei, imsi, iccid, home; the first match counts. */
export function readTextReport(
  text: string,
  groupsIn: (text: string) => TextGroups | null,
): AppletReport | null {
  if (text.length > REPORT_CHARACTERS_MAX) return null;
  const groups = groupsIn(text);
  if (!groups?.imei) return null;
  const { imei, imsi, iccid, home } = groups;
  const is16 = imei.length === 16;
  return {
    imei: is16 ? null : imei,
    imeisv: is16 ? imei : null,
    imsi: imsi ?? null,
    iccid: iccid ?? null,
    home: APPLET_HOMES.find((known) => known === home?.toLowerCase()) ?? null,
    profile: null,
  };
}

/**
 * Writes the data objects of what is not null, for simulated applets.
 * @throws RangeError: a number of another length
 */
export function encodeObjectReport({ imei, imeisv, imsi, iccid, home, profile }: AppletReport): Uint8Array {
  const objects = [
    imei === null ? null : encodeObject(TAG.imei | MUST_UNDERSTAND, encodeImei(imei)),
    imeisv === null ? null : encodeObject(TAG.imeisv | MUST_UNDERSTAND, encodeImeisv(imeisv)),
    imsi === null ? null : encodeObject(TAG.imsi, encodeImsi(imsi)),
    iccid === null ? null : encodeObject(TAG.iccid | MUST_UNDERSTAND, encodeIccid(iccid)),
    profile === null ? null : encodeObject(TAG.profile, Buffer.from(profile, "hex")),
    home === null
      ? null
      : encodeObject(TAG.home | MUST_UNDERSTAND, Uint8Array.of(APPLET_HOMES.indexOf(home) + 1)),
  ];
  return Uint8Array.from(Buffer.concat(objects.filter((object) => object !== null)));
}

/**
 * Writes the fixed shape; a shorter IMSI would not fill its field.
 * @throws RangeError: an IMSI of fewer than 14 digits, or another number of a wrong length
 */
export function encodeFixedReport(report: {
  readonly imei: string;
  readonly imsi: string;
  readonly iccid: string | null;
}): Uint8Array {
  const imsi = encodeImsi(report.imsi);
  if (imsi.length !== IMSI_OCTETS) throw new RangeError("the fixed report holds an IMSI of 14 or 15 digits");
  const iccid = report.iccid === null ? new Uint8Array(0) : encodeIccid(report.iccid);
  return Uint8Array.from(Buffer.concat([encodeImei(report.imei), imsi, iccid]));
}
