/**
 * The answer about a handset out of all that is known of it: lists in memory, lists of the operator's own, a sorted file of statuses. Of
 * two sources the list with the higher priority counts, and of two with the same the source that is named first.
 */
import type { Equipment, EquipmentAnswer } from "./equipment.ts";
import type { EquipmentFound } from "./status-index.ts";

export type EquipmentRules = {
  /** Of a handset on no list. */
  readonly whenUnlisted: "white" | "grey" | "unknown";
  /** Of numbers that are no handset's: zeros and other runs, test numbers (TS 23.003 clause 6.2; GSMA TS.06). */
  readonly whenSpecial: "white" | "grey" | "black" | "unknown";
  /** False: nobody is refused, whatever lists say. */
  readonly answersBlack: boolean;
};
export type EquipmentVerdict = {
  readonly answer: EquipmentAnswer;
  /** Which list says so; undefined: none. */
  readonly list: string | undefined;
  readonly isSpecial: boolean;
};
type Handset = Pick<Equipment, "imei" | "softwareVersion" | "imsi">;
type EquipmentSource = { find(handset: Handset): EquipmentFound | undefined };

const IMEI_DIGITS = 14;

export function equipmentVerdict(
  handset: Handset,
  sources: readonly (EquipmentSource | undefined)[],
  rules: EquipmentRules,
): EquipmentVerdict {
  if (isSpecial(handset.imei.slice(0, IMEI_DIGITS)))
    return { answer: withoutBlack(rules.whenSpecial, rules), list: undefined, isSpecial: true };
  let found: EquipmentFound | undefined;
  for (const source of sources) {
    const other = source?.find(handset);
    if (other && (!found || other.list.priority > found.list.priority)) found = other;
  }
  if (!found) return { answer: rules.whenUnlisted, list: undefined, isSpecial: false };
  const { list, isLetIn } = found;
  const answer = isLetIn ? "white" : withoutBlack(list.status, rules);
  return { answer, list: list.name, isSpecial: false };
}

const withoutBlack = (answer: EquipmentAnswer, { answersBlack }: EquipmentRules): EquipmentAnswer =>
  answer === "black" && !answersBlack ? "white" : answer;

/** Zeros, one digit over and over, and numbers of test reporting bodies: many handsets say them, and none has one. */
const isSpecial = (digits: string): boolean => /^(\d)\1+$/.test(digits) || /^0[02-9]/.test(digits);
