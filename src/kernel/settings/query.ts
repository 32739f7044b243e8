/** Reads a question about a SIM, as JSON or options give it. What would change the answer silently is refused. */
import { TurnupError } from "../../term/error.ts";
import { isObject } from "../../term/narrow.ts";
import type { SettingsQuery } from "./access-point.ts";

const FIELDS = ["mcc", "mnc", "gid1", "spn", "imsi", "iccid"] as const;
type Field = (typeof FIELDS)[number];

/** EF_GID1 has 1 to n octets; eSIM profiles go up to some 20. */
const GID1_HEX_MAX = 64;
/** EF_SPN holds 16 octets (TS 31.102 clause 4.2.12); longer names come from operators' own lists. */
const SPN_CHARACTERS_MAX = 64;

const RULES: Record<Field, { readonly pattern: RegExp; readonly rule: string }> = {
  mcc: { pattern: /^\d{3}$/, rule: "3 digits" },
  mnc: { pattern: /^\d{2,3}$/, rule: "2 or 3 digits" },
  gid1: { pattern: new RegExp(`^[0-9a-f]{0,${GID1_HEX_MAX}}$`, "i"), rule: "hexadecimal digits" },
  spn: {
    pattern: new RegExp(`^[^\\p{Cc}]{0,${SPN_CHARACTERS_MAX}}$`, "u"),
    rule: "text of at most 64 characters",
  },
  imsi: { pattern: /^\d{6,15}$/, rule: "6 to 15 digits" },
  iccid: { pattern: /^\d{6,22}$/, rule: "digits" },
};

/**
 * @param plmnOfImsi names the network of an IMSI given without MCC and MNC
 * @throws TurnupError `settings_query_malformed`
 */
export function readSettingsQuery(
  given: unknown,
  plmnOfImsi: (imsi: string) => { readonly mcc: string; readonly mnc: string } | undefined,
): SettingsQuery {
  if (!isObject(given)) {
    throw malformed("A query is a JSON object with mcc, mnc and what the SIM says.");
  }
  const read: Partial<Record<Field, string>> = {};
  for (const field of FIELDS) {
    const value = given[field];
    if (value !== undefined && value !== null) read[field] = readField(field, value);
  }
  if (read.imsi !== undefined && read.mcc === undefined && read.mnc === undefined) {
    const plmn = plmnOfImsi(read.imsi);
    if (!plmn) throw malformed("The network of the IMSI is not known: give mcc and mnc.");
    return { ...read, ...plmn };
  }
  const { mcc, mnc, ...rest } = read;
  if (mcc === undefined || mnc === undefined) throw malformed("A query needs both mcc and mnc, or an imsi.");
  return { mcc, mnc, ...rest };
}

function readField(field: Field, value: unknown): string {
  if (typeof value !== "string") {
    throw malformed(`${field} must be text: a number loses leading zeros, and MNC 01 is not 1.`);
  }
  const text = field === "iccid" ? value.replace(/[\s-]/g, "").replace(/f$/i, "") : value.trim();
  const { pattern, rule } = RULES[field];
  if (!pattern.test(text)) throw malformed(`${field} is not ${rule}.`);
  return text;
}

const malformed = (message: string) =>
  new TurnupError("settings_query_malformed", message, {
    nextStep: 'A query looks like {"mcc":"262","mnc":"01","spn":"congstar"}.',
  });
