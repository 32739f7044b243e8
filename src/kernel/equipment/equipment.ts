/**
 * Whether a handset may be used, as a core asks an equipment identity register (EIR): 3GPP TS 22.016 clause 5, TS 29.272 clause 6.2.1.1.
 * The question is answered before anything else happens; that it was asked is a sighting (US 11,109,201 Fig. 1:110; R73).
 */
import type { SightingInput, SightingSource } from "../detection/sighting.ts";

/** `unknown`: on no list, and the operator wants that told (ERROR_EQUIPMENT_UNKNOWN); cores may refuse such a handset. */
export type EquipmentAnswer = "white" | "grey" | "black" | "unknown";

/** What a core names. Digits whose form was checked; nobody knows yet whether such a device was ever made. */
export type Equipment = {
  /** 14 to 16: TAC, serial number, and a check digit, a spare digit or the software version. */
  readonly imei: string;
  /** Two digits, where it stands apart. */
  readonly softwareVersion: string | undefined;
  /** 6 to 15. */
  readonly imsi: string | undefined;
  readonly msisdn: string | undefined;
  /** Network where the handset is, 5 or 6 digits. */
  readonly visited: string | undefined;
};

/** Answers at once, from memory or a local file: a core waits no longer than a few seconds, and then lets handsets in or out by its own rule. */
export interface EquipmentStatuses {
  statusOf(operatorId: string, equipment: Equipment): EquipmentAnswer;
}

const IMEI_DIGITS = 14;
const IMEISV_DIGITS = 16;
const EPC_REALM = /(?:^|\.)epc\.mnc(\d{3})\.mcc(\d{3})\.3gppnetwork\.org$/i;

/**
 * Undefined without a SIM: nobody is seen. The check digit is left out, since nodes send a spare zero, or what the handset said, in its
 * place (TS 29.272 clause 7.3.7).
 */
export function sightingOf(
  { imei, softwareVersion, imsi, msisdn, visited }: Equipment,
  source: SightingSource,
  seenAt: string,
  homeOf: (imsi: string) => string | undefined,
): SightingInput | undefined {
  if (imsi === undefined) return undefined;
  const imei14 = imei.slice(0, IMEI_DIGITS);
  const version = softwareVersion ?? (imei.length === IMEISV_DIGITS ? imei.slice(IMEI_DIGITS) : undefined);
  const device = version === undefined ? { imei: imei14 } : { imeisv: imei14 + version };
  return { ...device, imsi, msisdn, plmn: visited ?? homeOf(imsi) ?? imsi.slice(0, 5), source, seenAt };
}

/**
 * The network that a realm of an evolved packet core names (TS 23.003 clause 19.2). The code's third digit is a zero where the network
 * has two: whether it has is the caller's to know.
 */
export function networkOfRealm(realm: string): { readonly mcc: string; readonly mnc: string } | undefined {
  const [, mnc, mcc] = EPC_REALM.exec(realm) ?? [];
  return mnc === undefined || mcc === undefined ? undefined : { mcc, mnc };
}
