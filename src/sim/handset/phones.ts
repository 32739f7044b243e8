/** Makes the subscribers of a simulated network: handsets of real models with SIMs of one operator. */

import type { HandsetProtocol } from "../../device/client.ts";
import { roundAt } from "../../term/collections.ts";
import { imeiFromNetwork } from "../../term/imei.ts";
import type { ApplicationName } from "./application-state.ts";
import { chanceFrom } from "./chance.ts";
import type { ManagedModel } from "./management/client.ts";

export type HandsetCapability = {
  readonly opensBy: "itself" | "prompt" | "pin";
  readonly takes: readonly HandsetProtocol[];
};
export type HandsetModel = {
  readonly tac: string;
  readonly make: string;
  readonly model: string;
  readonly capability: HandsetCapability;
  /** The newest radio that it has: value of 3GPP-RAT-Type. */
  readonly radioType?: number;
  /** How it speaks where it is managed by OMA DM. */
  readonly managed?: ManagedModel;
  /** Applications that it has; all of them without it. */
  readonly claims?: readonly ApplicationName[];
};
export type PhoneSpec = HandsetModel & {
  readonly imei: string;
  readonly imsi: string;
  readonly msisdn: string;
  /** The access point that the phone was set up with, long ago. */
  readonly factoryApn: string;
};

/** Serial numbers of one TAC (TS 23.003 clause 6.2.1), and subscribers that fit the shortest MSIN used here. */
const MAX_PHONES = 900_000;
const SUBSCRIBER_DIGITS = 6;
/** Before the subscriber's number in an IMSI. No long run of a digit: see `test/fault/identifier-scan.ts`. */
const MSIN_START = "0729";
const IMSI_DIGITS = 15;

/**
 * `count` phones that take their models in turn, each with a serial number, IMSI and MSISDN of its own.
 * @param network MSISDN prefix and MCC/MNC; the same seed gives the same phones
 */
export function buildPhones(options: {
  readonly models: readonly HandsetModel[];
  readonly count: number;
  readonly seed: number;
  readonly network: { readonly mcc: string; readonly mnc: string; readonly msisdnPrefix: string };
  readonly factoryApn: string;
}): PhoneSpec[] {
  const { models, count, seed, network, factoryApn } = options;
  if (models.length === 0) throw new RangeError("a fleet needs at least one model");
  if (count > MAX_PHONES) throw new RangeError(`a fleet has at most ${MAX_PHONES} phones`);
  const chance = chanceFrom(seed);
  const start = chance.between(100_000, 999_999);
  const home = network.mcc + network.mnc;
  const msinStart = MSIN_START.slice(0, IMSI_DIGITS - home.length - SUBSCRIBER_DIGITS);
  return Array.from({ length: count }, (_, at) => {
    const model = roundAt(models, at);
    // Steps of 7919, a prime that does not divide 900,000: every serial number once before any comes again.
    const serial = String(100_000 + ((start + at * 7_919) % MAX_PHONES));
    const subscriber = String(((start + at) % MAX_PHONES) + 100_000);
    return {
      ...model,
      imei: imeiFromNetwork(model.tac + serial),
      imsi: home + msinStart + subscriber,
      msisdn: network.msisdnPrefix + subscriber,
      factoryApn,
    };
  });
}
