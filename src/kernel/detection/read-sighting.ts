/** Reads one sighting as a network, a SIM or a file tells it; what is wrong is refused with its reason, row by row. */
import { beginsWithDay } from "../../term/calendar.ts";
import { TurnupError } from "../../term/error.ts";
import { parseIccid } from "../../term/iccid.ts";
import { type Imei, imei14Of, imeiFromNetwork, imeiOf, parseImeisv, tacOf } from "../../term/imei.ts";
import { type HomePlmnResolver, type Imsi, parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { parsePlmn } from "../../term/plmn.ts";
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
};

/** @throws TurnupError with the code of what is wrong; an IMEI of a test set or of filler digits is never taken */
export function readSighting(
  input: SightingInput,
  nowMs: number,
  homePlmnOf: HomePlmnResolver,
  clockToleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS,
): ReadSighting {
  const { imei, softwareVersion } = readDevice(input);
  const imsi = parseImsi(required(input.imsi, "imsi"));
  const servingPlmn = parsePlmn(required(input.plmn, "plmn"));
  return {
    imsi,
    imei,
    imei14: imei14Of(imei),
    tac: tacOf(imei),
    softwareVersion,
    msisdn: given(input.msisdn) ? parseMsisdn(asText(input.msisdn, "msisdn")) : null,
    iccid: given(input.iccid) ? parseIccid(asText(input.iccid, "iccid")) : null,
    gid1: readGid1(input.gid1),
    spn: readSpn(input.spn),
    // A country with two- and three-digit codes and a network nobody knows: the two digits that most have.
    homePlmn: homePlmnOf(imsi) ?? imsi.slice(0, 5),
    servingPlmn,
    seenMs: readSeenAt(input.seenAt, nowMs, clockToleranceMs),
    appletHome: readAppletHome(input.appletHome),
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

function readDevice(input: SightingInput): { readonly imei: Imei; readonly softwareVersion: string | null } {
  if (given(input.imeisv)) {
    const imeisv = parseImeisv(asText(input.imeisv, "imeisv"));
    const imei = imeiOf(imeisv);
    if (given(input.imei) && imei14Of(imeiFromNetwork(asText(input.imei, "imei"))) !== imei14Of(imei)) {
      throw new TurnupError("sighting_malformed", "The fields imei and imeisv name two devices.");
    }
    return { imei, softwareVersion: imeisv.slice(14) };
  }
  const digits = asText(required(input.imei, "imei or imeisv"), "imei");
  const softwareVersion = digits.length === 16 ? digits.slice(14) : null;
  return { imei: imeiFromNetwork(digits), softwareVersion };
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
  const isTime = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})$/.test(
    asText(text, "seenAt"),
  );
  const seenMs = isTime && beginsWithDay(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(seenMs) || seenMs < 0) {
    throw new TurnupError("sighting_malformed", "seenAt is no RFC 3339 time with a zone.", {
      nextStep: "Write it like 2026-05-04T10:20:30Z.",
    });
  }
  refuseFuture(seenMs, nowMs, clockToleranceMs);
  return seenMs;
}
