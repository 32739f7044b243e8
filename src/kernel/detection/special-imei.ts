/**
 * IMEIs that name no handset, though they have the form of one: a class of their own. Many phones bear each of them, so they say nothing
 * of a model, one of them with many SIMs is no clone, and nobody is asked what model they are.
 */

/**
 * `zeros`: 15 of them, as a phone sends that lost its memory. `run`: one digit over and over, or a count up or down, typed in by a repair
 * tool. `test`: of a reporting body that gives out numbers for tests alone (GSMA TS.06: 00, 02 to 09). `blank_serial`: a TAC of a model with a
 * serial number of no single handset: zeros, nines, a count.
 */
export const IMEI_CLASSES = ["ordinary", "zeros", "run", "test", "blank_serial"] as const;
export type ImeiClass = (typeof IMEI_CLASSES)[number];

const TAC_DIGITS = 8;
const IMEI_DIGITS = 14;
const TEST_BODY = /^0[02-9]/;
/** A TAC whose model part is empty: 35000000. */
const EMPTY_MODEL = /^\d{2}0{6}$/;
/** Serial numbers that repair tools write and makers do not: each was met on phones of many models. */
const BLANK_SERIALS = ["000000", "111111", "123456", "012345", "654321", "999999"];

/** @param imei its first 14 digits at least; what comes behind is not looked at */
export function imeiClassOf(imei: string): ImeiClass {
  const digits = imei.slice(0, IMEI_DIGITS);
  if (/^0+$/.test(digits)) return "zeros";
  if (isRun(digits)) return "run";
  if (TEST_BODY.test(digits)) return "test";
  const serial = digits.slice(TAC_DIGITS);
  return BLANK_SERIALS.includes(serial) || EMPTY_MODEL.test(digits.slice(0, TAC_DIGITS))
    ? "blank_serial"
    : "ordinary";
}

/** Whether all numbers of a TAC are special, whatever their serial numbers. */
export const isSpecialTac = (tac: string): boolean =>
  TEST_BODY.test(tac) || EMPTY_MODEL.test(tac) || isRun(tac);

/** One digit repeated, or each digit one more, or one less, than the one before. */
function isRun(digits: string): boolean {
  const steps = new Set<number>();
  for (let at = 1; at < digits.length; at++)
    steps.add((digits.charCodeAt(at) - digits.charCodeAt(at - 1) + 10) % 10);
  const [step] = steps;
  return steps.size === 1 && step !== undefined && [0, 1, 9].includes(step);
}
