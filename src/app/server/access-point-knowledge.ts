/** What the doors ask about access points beyond what a SIM is sent: what may be confirmed, and what a SIM would get and why. */
import type { TriedSim } from "../../http/ports.ts";
import type { Device } from "../../kernel/devices/catalog.ts";
import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import { chosenFor, settingsQueryOf } from "../../kernel/operator/settings-choice.ts";
import { isHost } from "../../kernel/operator/unconfirmed.ts";
import type { Subscriber } from "../../kernel/order/order-draft.ts";
import type { SettingsQuery } from "../../kernel/settings/access-point.ts";
import type { Found } from "../../kernel/settings/find-settings.ts";
import { type NetworkSuggestions, type SimGroup, suggestFor } from "../../kernel/settings/suggest.ts";
import { triedUses } from "../../kernel/settings/try-out.ts";
import type { UseRecord } from "../../kernel/settings/use-record.ts";
import type { SupportOverride } from "../../kernel/support/decide-support.ts";
import { type JudgeQuestion, judge } from "../../kernel/support/judge.ts";
import { blockedOn } from "../../kernel/support/overrides.ts";
import type { DeviceKnowledge, NetworkKnowledge } from "./own-devices.ts";

const TAC_DIGITS = 8;

export type AccessPointKnowledge = {
  /** What the operator may confirm for these SIMs; of no group, for all of its networks. */
  suggest(group: SimGroup | undefined, terms: OperatorTerms): readonly NetworkSuggestions[];
  /** What a SIM would get now, and why each other access point is passed over. */
  tryOut(subject: Subscriber, terms: OperatorTerms, asOf: Date): TriedSim;
};

type Parts = {
  readonly networksOf: (operatorId: string) => Pick<NetworkKnowledge, "index">;
  readonly useRecordsOf: (operatorId: string) => readonly UseRecord[];
  readonly find: (query: SettingsQuery, terms: OperatorTerms) => Found;
  readonly devicesOf: (terms: OperatorTerms) => DeviceKnowledge;
  readonly wordsFor: (terms: OperatorTerms, device: Device, imei: string) => readonly SupportOverride[];
  readonly question: (imei: string, terms: OperatorTerms, asOf: Date) => JudgeQuestion;
};

export const accessPointKnowledge = (parts: Parts): AccessPointKnowledge => ({
  suggest(group, { operatorId, operatorName, kind, homePlmns }) {
    const records = parts.useRecordsOf(operatorId);
    const { index } = parts.networksOf(operatorId);
    const given = { index, records, operatorName, isHost: isHost(kind) };
    const groups = group ? [group] : homePlmns.map(networkOf);
    return groups.map((one) => suggestFor(one, given));
  },
  tryOut(subject, terms, asOf) {
    const { imei } = subject;
    const { catalog } = parts.devicesOf(terms);
    const device = imei === "" ? undefined : catalog.deviceOf(imei.slice(0, TAC_DIGITS));
    const query = {
      ...settingsQueryOf(subject),
      ...(device ? { make: device.make, model: device.model } : {}),
    };
    const found = parts.find(query, terms);
    return {
      uses: triedUses(query, found, chosenFor(found, query, terms), terms.accessPoints),
      unchecked: found.unchecked?.reason ?? null,
      device: device ? deviceTold(parts, { device, imei, terms, asOf }) : null,
    };
  },
});

type Held = {
  readonly device: Device;
  readonly imei: string;
  readonly terms: OperatorTerms;
  readonly asOf: Date;
};

function deviceTold(
  { devicesOf, question, wordsFor }: Parts,
  { device, imei, terms, asOf }: Held,
): TriedSim["device"] {
  const judged = judge(question(imei, terms, asOf), devicesOf(terms).support);
  const { make, model, form, pageForm, protocol } = judged;
  const blocked = blockedOn(device, wordsFor(terms, device, imei));
  return { make, model, form: form ?? pageForm ?? null, protocol, blockedUses: blocked?.uses ?? [] };
}

function networkOf(plmn: string): SimGroup {
  const digits = plmn.replace(/\D/g, "");
  return { mcc: digits.slice(0, 3), mnc: digits.slice(3) };
}
