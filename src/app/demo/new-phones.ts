/**
 * New phones of the simulated world and what their users do with them: switch on, choose, agree, by keys alone. Three
 * journeys take turns: software that sleeps on the phone, a package, and something with terms and a price.
 */

import type { Phone } from "../../sim/phone/phone.ts";
import type { Step } from "../../sim/phone/user.ts";
import { roundAt } from "../../term/collections.ts";
import { imeiFromNetwork } from "../../term/imei.ts";
import type { DeviceWorld } from "./device-world.ts";
import type { WorldOptions } from "./world-options.ts";

/**
 * Beside the fleet's serial numbers, which begin at 100,000. Numbers stand apart and have no long runs of a digit, so that a
 * search for them in any octets is not met by chance (`test/fault/identifier-scan.ts`); the steps are primes.
 */
const SERIALS = { first: 41_728, step: 7_919, of: 100_000 };
/** Of the network 001 01, beside the fleet's. */
const IMSI_PREFIX = "001019";
const MSISDN_PREFIX = "88210900";
const IMSIS = { first: 137_258_469, step: 104_729, of: 1_000_000_000 };
const MSISDNS = { first: 3_714, step: 2_719, of: 10_000 };
const SERIAL_DIGITS = 6;
const IMSI_DIGITS = 9;
const MSISDN_DIGITS = 4;

const numberAt = (at: number, numbers: typeof SERIALS, digits: number): string =>
  String((numbers.first + at * numbers.step) % numbers.of).padStart(digits, "0");

const JOURNEYS: readonly Journey[] = [
  { road: "Features", item: "Java runtime", hasTerms: false },
  { road: "Packages", item: "Starter package", hasTerms: false },
  { road: "Features", item: "Ring-back tone", hasTerms: true },
];
type Journey = { readonly road: string; readonly item: string; readonly hasTerms: boolean };

/** Who a user says to be, where the form asks for it: the bureau of this world takes everybody at their word. */
const NAME = { u_givenName: "Alex", u_familyName: "Meridian" };
const ORDER: readonly Step[] = [
  { choose: "Order" },
  { await: "order" },
  { fillIfAsked: NAME },
  { submit: true },
];
/** The terms come by SMS and open by themselves. */
const AGREE: readonly Step[] = [{ await: "notice-terms" }, { action: "accept" }];
const REMOVE: readonly Step[] = [{ choose: "Remove" }, { await: "remove" }, { submit: true }];

/** Their models are the fleet's from its end. */
export function newPhonesOf({ newPhones = 0, models }: Pick<WorldOptions, "newPhones" | "models">) {
  return Array.from({ length: newPhones }, (_, at) => {
    const { tac } = roundAt(models, -1 - (at % models.length));
    return {
      imei: imeiFromNetwork(tac + numberAt(at, SERIALS, SERIAL_DIGITS)),
      imsi: IMSI_PREFIX + numberAt(at, IMSIS, IMSI_DIGITS),
      msisdn: MSISDN_PREFIX + numberAt(at, MSISDNS, MSISDN_DIGITS),
    };
  });
}

export async function makeNewPhones(
  road: Pick<DeviceWorld, "phone" | "phones">,
  options: Pick<WorldOptions, "newPhones" | "models">,
): Promise<void> {
  for (const phone of newPhonesOf(options).slice(road.phones.length)) await road.phone(phone);
}

/** On a data folder of an earlier start the user has it already: then it is taken back. */
export async function askFor(phone: Phone, at: number): Promise<void> {
  const { road, item, hasTerms } = roundAt(JOURNEYS, at);
  phone.powerOn();
  const { entries } = await phone.walk([
    { await: "start" },
    { choose: road },
    { await: "list" },
    { choose: item },
    { await: "item" },
  ]);
  const isHad = entries.some(({ label }) => label === "Remove");
  await phone.walk(isHad ? REMOVE : hasTerms ? [...ORDER, ...AGREE] : ORDER);
}
