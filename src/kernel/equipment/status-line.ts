/**
 * A line of an equipment list, as operators and registries hand them over: a handset, a range of them, a model, or a model with one
 * software version, and the SIMs that are let in all the same. Source: 3GPP TS 22.016 clause 5.2; TS 23.003 clause 6.2 for the numbers.
 *
 *   35693803564380                       14 to 15 digits: one handset; its check digit is not looked at
 *   3569380356438001                     16: one handset with one software version; 99 stands for any
 *   35693803564380-35693803569999        14 digits each, both within
 *   35693803   35693803/01               a model (TAC), a model with one software version
 *   35693803564380,234150000000001 234150000000002
 */
export type EquipmentEntry = {
  /** First and last 14 digits as numbers, both within. */
  readonly from: number;
  readonly to: number;
  /** 0 to 98; undefined: any. */
  readonly softwareVersion: number | undefined;
  /** SIMs that may use it although it is on a black list. */
  readonly imsis: readonly string[];
};
/** `undefined`: an empty line or a comment. */
type Line = { readonly entry: EquipmentEntry } | { readonly fault: string } | undefined;

const IMEI_DIGITS = 14;
const TAC_DIGITS = 8;
const SERIALS = 1_000_000;
const ANY_VERSION = 99;
/** Oracle's registers hold ten; more are a list of another kind. */
const IMSIS_MAX = 100;

export function readEquipmentLine(line: string): Line {
  const text = line.replace(/^\uFEFF/, "").trim();
  if (text === "" || text.startsWith("#")) return undefined;
  const [device = "", sims = "", more] = text.split(/[,;\t]/).map((cell) => cell.trim());
  if (more !== undefined) return { fault: "a handset, and SIMs with blanks between, are wanted" };
  const imsis = sims === "" ? [] : sims.split(/\s+/);
  if (imsis.length > IMSIS_MAX) return { fault: `more than ${IMSIS_MAX} SIMs` };
  if (!imsis.every((imsi) => /^\d{6,15}$/.test(imsi))) return { fault: "a SIM has 6 to 15 digits" };
  const found = placeOf(device);
  return typeof found === "string" ? { fault: found } : { entry: { ...found, imsis } };
}

/** What the entry is about, in the one way in which it is kept and compared: as `readEquipmentLine` reads it. */
export function writeEquipmentDevice({ from, to, softwareVersion }: Omit<EquipmentEntry, "imsis">): string {
  const version = softwareVersion === undefined ? "" : String(softwareVersion).padStart(2, "0");
  if (from === to) return digitsOf(from) + version;
  if (from % SERIALS === 0 && to === from + SERIALS - 1)
    return digitsOf(from).slice(0, TAC_DIGITS) + (version && `/${version}`);
  return `${digitsOf(from)}-${digitsOf(to)}`;
}

const digitsOf = (imei14: number): string => String(imei14).padStart(IMEI_DIGITS, "0");

function placeOf(device: string): Omit<EquipmentEntry, "imsis"> | string {
  const [, tac, version] = /^(\d{8})(?:\/(\d{2}))?$/.exec(device) ?? [];
  if (tac !== undefined) {
    const from = Number(tac) * SERIALS;
    return { from, to: from + SERIALS - 1, softwareVersion: versionOf(version) };
  }
  const [, first, last] = /^(\d{14})\s*-\s*(\d{14})$/.exec(device) ?? [];
  if (first !== undefined && last !== undefined) {
    if (Number(last) < Number(first)) return "the range ends before it begins";
    return { from: Number(first), to: Number(last), softwareVersion: undefined };
  }
  if (!/^\d{14,16}$/.test(device))
    return "14 to 16 digits, two of 14 with a hyphen between, or a TAC of 8 digits are wanted";
  const from = Number(device.slice(0, IMEI_DIGITS));
  return {
    from,
    to: from,
    softwareVersion: versionOf(device.length === 16 ? device.slice(IMEI_DIGITS) : undefined),
  };
}

const versionOf = (digits: string | undefined): number | undefined =>
  digits === undefined || Number(digits) === ANY_VERSION ? undefined : Number(digits);
