/**
 * A PIN beside the code by SMS on the telephone: who holds somebody's SIM, or reads their messages, does not yet speak for them.
 * It is the subscriber's own, asked for where one is set. The rules; how it is kept is the store's.
 */
import { TurnupError } from "../../term/error.ts";

export const PIN_DIGITS = { min: 4, max: 8 } as const;
/** Wrong ones in a row; then it is locked, longer with each that follows. */
export const PIN_TRIES = 5;
export const PIN_LOCK = { firstHours: 1, longestHours: 24 } as const;

type PinAnswer = "right" | "wrong" | "locked";

export interface TelephonePins {
  isSet(operatorId: string, subscriberId: string): Promise<boolean>;
  /** In place of the one before, and free of its wrong tries. @throws TurnupError `telephone_pin_unfit` */
  put(operatorId: string, subscriberId: string, pin: string): Promise<void>;
  /** Whether there was one. */
  remove(operatorId: string, subscriberId: string): Promise<boolean>;
  /**
   * Each answer but `locked` spends a try; the right one gives them back. `locked` too where there is none. What can be no PIN is `wrong`
   * and spends none: keys that were cut short lock nobody out.
   */
  check(operatorId: string, subscriberId: string, pin: string): Promise<PinAnswer>;
}

/** @throws TurnupError `telephone_pin_unfit`: no 4 to 8 digits, one digit again and again, or digits in a row */
export function checkPin(pin: string): void {
  const unfit = (fact: string): TurnupError =>
    new TurnupError("telephone_pin_unfit", fact, {
      nextStep: "Choose 4 to 8 digits that nobody guesses: not one digit again and again, and none in a row.",
    });
  if (!/^\d+$/.test(pin) || pin.length < PIN_DIGITS.min || pin.length > PIN_DIGITS.max)
    throw unfit(`A PIN for the telephone has ${PIN_DIGITS.min} to ${PIN_DIGITS.max} digits.`);
  const steps = new Set([...pin].slice(1).map((digit, at) => Number(digit) - Number(pin[at])));
  const [step = 0] = steps;
  if (steps.size === 1 && Math.abs(step) <= 1) throw unfit("This PIN is among the first that anybody tries.");
}
