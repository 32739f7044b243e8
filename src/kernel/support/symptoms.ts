/**
 * What being left behind means for a handset (US 11,109,201, claims 10 and 13; R90 and R129): no access point updates,
 * and which applications cannot reach the manufacturer. Each is said with where it comes from: an attempt that the network
 * saw fail, or the data about the model. Where neither tells, the record says "not known"; a contract tells nothing of it.
 */
import { membersOf } from "../../term/narrow.ts";
import type { CutOffApplication } from "./cut-off.ts";

const NOT_KNOWN = "not known";
/** An attempt that is older says nothing of today. */
export const SYMPTOM_DAYS = 90;

/** An application of a handset that the network saw fail to reach its server. */
export type SeenSymptom = {
  /** `mms`, `video_call`: in lower case. */
  readonly application: string;
  /** Host that it could not reach. */
  readonly server: string;
  /** Over which access point it tried, where that was seen. */
  readonly apn: string | null;
  /** Why, in the network's word: `no_route`, `unknown_apn`. */
  readonly cause: string;
  /** Who saw it. */
  readonly source: string;
  readonly seenAt: Date;
};
export type SymptomInput = SeenSymptom & { readonly imei: string };

/** `noted`: the first of its kind on this handset. */
export type SymptomResult = { readonly outcome: "noted" | "repeated" };
export interface Symptoms {
  accept(operatorId: string, seen: readonly SymptomInput[]): Promise<readonly SymptomResult[]>;
}

type Unreachable = {
  readonly application: string;
  readonly from: "seen" | "model_data";
  readonly source: string;
  readonly server?: string;
  readonly apn?: string;
  readonly cause?: string;
  readonly seenAt?: string;
};
type SymptomRecord = {
  readonly accessPointUpdates: string;
  readonly cannotReach: readonly Unreachable[] | typeof NOT_KNOWN;
};

export function symptomsOf(
  reasons: unknown,
  cutOff: readonly CutOffApplication[],
  seen: readonly SeenSymptom[],
): SymptomRecord {
  const found = [
    ...seen.map(unreachableOf),
    ...cutOff.map((one) => ({ ...one, from: "model_data" as const })),
  ];
  return {
    accessPointUpdates: updatesOf(reasons),
    cannotReach: found.length > 0 ? found : NOT_KNOWN,
  };
}

const unreachableOf = ({ application, server, apn, cause, source, seenAt }: SeenSymptom): Unreachable => ({
  application,
  from: "seen",
  source,
  server,
  ...(apn === null ? {} : { apn }),
  cause,
  seenAt: seenAt.toISOString(),
});

/** `mms could not reach mms.maker.example: no_route` */
export const symptomWords = ({ application, server, cause }: SeenSymptom): string =>
  `${application} could not reach ${server}: ${cause}`;

/** The maker's own end of support tells it; an operator's rule, a contract or an estimate of age does not. */
function updatesOf(reasons: unknown): string {
  const all = Array.isArray(reasons) ? reasons.map(membersOf) : [];
  const { rule, saw: seen } = all.find((one) => one.decided) ?? {};
  const saw = membersOf(seen);
  if (rule === "maker_support_end") {
    const day = saw.ends ?? saw.endedBy;
    return day ? `none since ${day}, by ${saw.source ?? "the lifecycle data"}` : NOT_KNOWN;
  }
  if (rule === "maker_exit" && saw.endedBy)
    return `none since ${saw.endedBy}: ${saw.note ?? "the maker left"}`;
  return NOT_KNOWN;
}
