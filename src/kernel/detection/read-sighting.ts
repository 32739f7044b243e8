/** Reads one sighting as a network, a SIM or a file tells it; what is wrong is refused with its reason, row by row. */
import { beginsWithDay } from "../../term/calendar.ts";
import { type ErrorCode, TurnupError } from "../../term/error.ts";
import { parseIccid } from "../../term/iccid.ts";
import { type Imei, imei14Of, imeiFromNetwork, imeiOf, parseImeisv, tacOf } from "../../term/imei.ts";
import { type HomePlmnResolver, type Imsi, parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { type Plmn, parsePlmn } from "../../term/plmn.ts";
import { isRounded, plainNumber, plainText, ROUNDED, ZEROS_LOST } from "../../term/spreadsheet.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS, refuseFuture } from "./clock-tolerance.ts";
import {
  APPLET_HOMES,
  type AppletHome,
  SIGHTING_SOURCES,
  type SightingInput,
  type SightingSource,
} from "./sighting.ts";

const MAX_NAME_CHARACTERS = 64;

export type ReadSighting = {
  readonly imsi: Imsi;
  readonly imei: Imei;
  readonly imei14: string;
  readonly tac: string;
  readonly softwareVersion: string | null;
  readonly msisdn: string | null;
  readonly iccid: string | null;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly homePlmn: string;
  readonly servingPlmn: string;
  readonly seenMs: number;
  readonly appletHome: AppletHome | null;
  /** Which optional fields were left out since they cannot be read, and why; clauses. */
  readonly notes: readonly string[];
};

/** @throws TurnupError with the code of what is wrong; an IMEI of a test set or of filler digits is never taken */
export function readSighting(
  input: SightingInput,
  nowMs: number,
  homePlmnOf: HomePlmnResolver,
  clockToleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS,
): ReadSighting {
  const { imei, softwareVersion } = readDevice(input);
  const imsi = readImsi(required(input.imsi, "imsi"));
  const servingPlmn = readPlmn(required(input.plmn, "plmn"));
  const notes: string[] = [];
  return {
    imsi,
    imei,
    imei14: imei14Of(imei),
    tac: tacOf(imei),
    softwareVersion,
    msisdn: readOptional(input.msisdn, "msisdn", parseMsisdn, notes),
    iccid: readOptional(input.iccid, "iccid", parseIccid, notes),
    gid1: readGid1(input.gid1),
    spn: readSpn(input.spn),
    // A country with two- and three-digit codes and a network nobody knows: the two digits that most have.
    homePlmn: homePlmnOf(imsi) ?? imsi.slice(0, 5),
    servingPlmn,
    seenMs: readSeenAt(input.seenAt, nowMs, clockToleranceMs),
    appletHome: readAppletHome(input.appletHome),
    notes,
  };
}

/**
 * Who saw it: what the row itself says, or else what holds for all rows that came with it.
 * @throws TurnupError `sighting_malformed`: a word that no probe here has
 */
export function readSource(input: SightingInput, ofAll: SightingSource): SightingSource {
  if (!given(input.source)) return ofAll;
  const source = SIGHTING_SOURCES.find((known) => known === input.source);
  if (source) return source;
  throw new TurnupError("sighting_malformed", `The source is none of ${SIGHTING_SOURCES.join(", ")}.`);
}

function readAppletHome(text: string | undefined): AppletHome | null {
  if (!given(text)) return null;
  const home = APPLET_HOMES.find((known) => known === text);
  if (home) return home;
  throw new TurnupError("sighting_malformed", `appletHome is none of ${APPLET_HOMES.join(", ")}.`);
}

const given = (text: string | undefined): text is string =>
  text !== undefined && text !== null && text !== "";

function required(text: string | undefined, field: string): string {
  if (typeof text === "string" && text !== "") return text;
  throw new TurnupError("sighting_malformed", `${field} is missing.`, { nextStep: `Give ${field} as text.` });
}

/**
 * The handset that a sighting names.
 * @throws TurnupError with the code of what is wrong
 */
export const handsetOf = (input: Pick<SightingInput, "imei" | "imeisv">): Imei => readDevice(input).imei;

function readDevice(input: Pick<SightingInput, "imei" | "imeisv">): {
  readonly imei: Imei;
  readonly softwareVersion: string | null;
} {
  if (given(input.imeisv)) {
    const imeisv = parseImeisv(deviceDigits(input.imeisv, "imeisv"));
    const imei = imeiOf(imeisv);
    if (given(input.imei) && imei14Of(imeiFromNetwork(deviceDigits(input.imei, "imei"))) !== imei14Of(imei)) {
      throw new TurnupError("sighting_malformed", "The fields imei and imeisv name two devices.");
    }
    return { imei, softwareVersion: imeisv.slice(14) };
  }
  const digits = deviceDigits(required(input.imei, "imei or imeisv"), "imei");
  const softwareVersion = digits.length === 16 ? digits.slice(14) : null;
  return { imei: imeiFromNetwork(digits), softwareVersion };
}

/**
 * The digits of a device as elements, people and spreadsheets write them: `imei-` or `imeisv-` in front (the PEI of TS
 * 29.571 clause 5.3.2), separators, hexadecimal filler behind.
 * @throws TurnupError `imei_malformed`: digits are lost
 */
function deviceDigits(text: unknown, field: string): string {
  const plain = digitsOf(text, field, "imei_malformed")
    .replace(/^imei(?:sv)?-/i, "")
    .replace(/[\s/-]/g, "");
  const [, digits = plain] = /^(\d{14,15})[fF]{1,2}$/.exec(plain) ?? [];
  // With the zero of 01 gone, 14 digits are 13 and 15 are 14; no reporting body but DECT's 10 begins with 1 (TS.06).
  if (/^(?:\d{13}|1[1-9]\d{12})$/.test(digits)) {
    throw new TurnupError(
      "imei_malformed",
      `The number of the device has ${digits.length} digits: ${ZEROS_LOST}.`,
    );
  }
  return digits;
}

/** @throws TurnupError `imsi_malformed` */
function readImsi(text: string): Imsi {
  const digits = digitsOf(text, "imsi", "imsi_malformed").replace(/^imsi-/i, "");
  // 001 is the one country code with a zero in front, and none begins with 1 (ITU-T E.212).
  if (/^0?1\d{9,12}$/.test(digits)) {
    throw new TurnupError("imsi_malformed", `The IMSI has ${digits.length} digits: ${ZEROS_LOST}.`);
  }
  return parseImsi(digits);
}

/** @throws TurnupError `plmn_malformed` */
function readPlmn(text: string): Plmn {
  const plain = plainText(asText(text, "plmn"));
  if (/^(?:\d{1,2}[-/. ]\d{1,3}|\d{3}[-/. ]?\d)$/.test(plain)) {
    throw new TurnupError("plmn_malformed", `The network lacks digits of MCC or MNC: ${ZEROS_LOST}.`);
  }
  return parsePlmn(plain);
}

function digitsOf(text: unknown, field: string, code: ErrorCode): string {
  const digits = plainNumber(asText(text, field));
  if (!isRounded(digits)) return digits;
  throw new TurnupError(code, `The field ${field} is no number any more: ${ROUNDED}.`);
}

/** The sighting counts without it: it is left out, and that is noted. */
function readOptional(
  text: string | undefined,
  field: string,
  parse: (text: string) => string,
  notes: string[],
): string | null {
  if (!given(text)) return null;
  const plain = asText(text, field);
  try {
    return parse(digitsOf(plain, field, "sighting_malformed"));
  } catch (error) {
    if (!(error instanceof TurnupError)) throw error;
    notes.push(`${field} is left out: ${error.message.replace(/\.$/, "")}`);
    return null;
  }
}

function asText(value: unknown, field: string): string {
  if (typeof value === "string") return value;
  throw new TurnupError("sighting_malformed", `${field} is no text.`, {
    nextStep: `Quote ${field}: leading zeros count.`,
  });
}

function readGid1(text: string | undefined): string | null {
  if (!given(text)) return null;
  if (/^(?:[0-9a-fA-F]{2}){1,32}$/.test(asText(text, "gid1"))) return text.toUpperCase();
  throw new TurnupError("sighting_malformed", "The field gid1 is 1 to 32 octets in hexadecimal.");
}

function readSpn(text: string | undefined): string | null {
  if (!given(text)) return null;
  const name = asText(text, "spn").trim();
  if (name.length <= MAX_NAME_CHARACTERS && !/\p{Cc}/u.test(name)) return name === "" ? null : name;
  throw new TurnupError(
    "sighting_malformed",
    `The field spn has at most ${MAX_NAME_CHARACTERS} printable characters.`,
  );
}

/** @throws TurnupError `sighting_malformed`, `seen_in_future` */
export function readSeenAt(
  text: string | undefined,
  nowMs: number,
  clockToleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS,
): number {
  if (!given(text)) return nowMs;
  const plain = plainText(asText(text, "seenAt"));
  const seenMs = /^\d{10}(?:\.\d+|\d{3})?$/.test(plain) ? sinceEpoch(plain) : sinceRfc3339(plain);
  if (Number.isNaN(seenMs) || seenMs < 0) {
    const fact = isRounded(plain)
      ? `The field seenAt is no time any more: ${ROUNDED}.`
      : "seenAt is no RFC 3339 time with a zone, like 2026-05-04T10:20:30Z.";
    throw new TurnupError("sighting_malformed", fact, {
      nextStep: "Write it so, or as seconds or milliseconds since 1970.",
    });
  }
  refuseFuture(seenMs, nowMs, clockToleranceMs);
  return seenMs;
}

/** Ten digits are seconds from 2001 to 2286, thirteen are milliseconds. */
const sinceEpoch = (text: string): number =>
  text.length === 13 && !text.includes(".") ? Number(text) : Math.trunc(Number(text) * 1_000);

function sinceRfc3339(text: string): number {
  const isTime = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})$/.test(text);
  return isTime && beginsWithDay(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
}
