/**
 * Has its maker left this device behind? Every branch of the decision is in this file. Rules, in the order in which
 * they are asked (US 11,109,201 F3:330, R85 to R91):
 *
 *   operator_override  what the operator says of this device, TAC or model stands above all, either way
 *   model_list         a model or series that the operator lists is left behind whatever its age (R87)
 *   maker_support_end  the maker's end of support, by the day asked for
 *   maker_exit         the maker has left the business
 *   maker_relation     no deal between operator and maker: left behind however new (R88)
 *   age_cutoff         older than the operator's cut-off, from the model's release to the day asked for (R86)
 *   support_estimate   how long makers support what they release: an estimate, and said to be one
 *   number_age         for a TAC in no list: only what the number's own range allows
 *
 * Rules that are for the operator to set do nothing until set. The first rule that says `ended` decides. `supported`
 * needs a rule that says so and none that says `ended`; otherwise the verdict is `unknown`, and never a guess.
 */
import { firstOf, onlyOf } from "../../term/collections.ts";
import type { Device } from "../devices/catalog.ts";
import type { SettingsForm } from "../devices/form-names.ts";
import { isModelListed } from "../devices/names.ts";
import {
  daysBetween,
  plusYears,
  type SupportEnd,
  type SupportKnowledge,
  supportEndOf,
} from "./support-knowledge.ts";

export type SupportVerdict = "ended" | "supported" | "unknown";

export type SupportPolicy = {
  /** Years from a model's release after which it counts as left behind; null: the rule is off. */
  readonly ageCutOffYears: number | null;
  /** `make/model`, or `make/prefix*` for a series; letter case, spaces and hyphens do not count. */
  readonly listedModels: readonly string[];
};

/** Where no operator is asked: the maker's own support and what is known of it decide. */
export const DEFAULT_SUPPORT_POLICY: SupportPolicy = { ageCutOffYears: null, listedModels: [] };

export type SupportOverride = {
  readonly scope: "imei" | "tac" | "model";
  /** Absent where the word is about something else. */
  readonly verdict?: SupportVerdict;
  readonly supportEnds?: string | null;
  /** Whether it runs a device key that comes over the air. */
  readonly takesKey?: boolean;
  /** The form in which it gets access points. */
  readonly settingsForm?: SettingsForm;
  /** Uses whose access points the maker lets nobody set on it; an empty list: none, whatever the data says. */
  readonly blockedUses?: readonly string[];
  readonly note?: string;
};

export type SupportQuestion = {
  readonly device: Device;
  readonly policy: SupportPolicy;
  /** Of the operator with this device's maker; null: nothing was agreed and the rule is off. */
  readonly relation: { readonly make: string; readonly deal: boolean } | null;
  /** The most specific one that fits the device. */
  readonly override: SupportOverride | null;
  /** ISO date. */
  readonly asOf: string;
};

type SupportRule =
  | "operator_override"
  | "model_list"
  | "maker_support_end"
  | "maker_exit"
  | "maker_relation"
  | "age_cutoff"
  | "support_estimate"
  | "number_age";

export type SupportReason = {
  readonly rule: SupportRule;
  readonly outcome: SupportVerdict;
  /** The facts the rule had before it. */
  readonly saw: Readonly<Record<string, string | number | boolean | null>>;
  /** Whether this rule made the verdict. */
  readonly decided: boolean;
};

export type SupportDecision = {
  readonly verdict: SupportVerdict;
  /** The maker's end of support as an ISO date, past or to come; null where no source dates it. */
  readonly supportEnds: string | null;
  readonly reasons: readonly SupportReason[];
};

type Finding = Omit<SupportReason, "decided"> & { readonly supportEnds?: string | null };

/** After the snapshot of the lifecycle list a flag without a date is believed for so long, in days. */
const FLAG_BELIEVED_DAYS = 365;

export function decideSupport(question: SupportQuestion, knowledge: SupportKnowledge): SupportDecision {
  const { override } = question;
  if (override?.verdict) {
    const saw = { scope: override.scope, note: override.note ?? null };
    const reason = { rule: "operator_override", outcome: override.verdict, saw, decided: true } as const;
    return { verdict: override.verdict, supportEnds: override.supportEnds ?? null, reasons: [reason] };
  }
  const findings = [
    modelList(question),
    makerSupportEnd(question, knowledge),
    makerExit(question, knowledge),
    makerRelation(question),
    ageCutOff(question),
    supportEstimate(question, knowledge),
    numberAge(question, knowledge),
  ].filter((finding) => finding !== undefined);
  const deciding =
    findings.find(({ outcome }) => outcome === "ended") ??
    findings.find(({ outcome }) => outcome === "supported");
  return {
    verdict: deciding?.outcome ?? "unknown",
    supportEnds: findings.find(({ supportEnds }) => supportEnds)?.supportEnds ?? null,
    reasons: findings.map(({ rule, outcome, saw }) => ({
      rule,
      outcome,
      saw,
      decided: rule === deciding?.rule,
    })),
  };
}

function modelList({ device, policy }: SupportQuestion): Finding | undefined {
  const { make } = device;
  if (make === null || policy.listedModels.length === 0) return undefined;
  const names = [device.model ?? "", ...device.modelCodes];
  const listed = policy.listedModels.find((pattern) =>
    names.some((name) => isModelListed(pattern, make, name)),
  );
  const saw = { listed: listed ?? null, entries: policy.listedModels.length };
  return { rule: "model_list", outcome: listed ? "ended" : "unknown", saw };
}

/** Several lifecycle rows may fit: the device is one of them, so only what all say counts. */
function makerSupportEnd(
  { device, asOf }: SupportQuestion,
  knowledge: SupportKnowledge,
): Finding | undefined {
  const { lifecycle } = device;
  if (!lifecycle) return undefined;
  const ends = lifecycle.rows.map((row) => supportEndOf(row, knowledge.snapshot));
  const outcomes = new Set(ends.map((end) => outcomeOn(end, asOf)));
  const outcome = onlyOf([...outcomes]) ?? "unknown";
  const dates = new Set(ends.map((end) => (end.kind === "date" ? end.date : null)));
  const supportEnds = dates.size === 1 ? ([...dates][0] ?? null) : null;
  const end = firstOf(ends);
  const saw = {
    model: lifecycle.rows.map(({ label }) => label).join(" | "),
    matchedBy: lifecycle.how,
    ends: supportEnds,
    ...(end.kind === "date" ? {} : { [end.kind === "ended_by" ? "endedBy" : "supportedOn"]: end.date }),
    quality: end.quality,
    source: lifecycle.rows[0]?.sourceUrl ?? null,
  };
  return { rule: "maker_support_end", outcome, saw, supportEnds };
}

function outcomeOn(end: SupportEnd, asOf: string): SupportVerdict {
  switch (end.kind) {
    case "date":
      return asOf > end.date ? "ended" : "supported";
    case "ended_by":
      return asOf >= end.date ? "ended" : "unknown";
    case "supported_on":
      return daysBetween(end.date, asOf) <= FLAG_BELIEVED_DAYS ? "supported" : "unknown";
  }
}

function makerExit({ device, asOf }: SupportQuestion, knowledge: SupportKnowledge): Finding | undefined {
  const exit = device.make === null ? undefined : knowledge.exitOf(device.make);
  if (!exit || device.make === null || device.lifecycle) return undefined;
  const latestYear = device.release ? Number(device.release.to.slice(0, 4)) : null;
  const isMeant = exit.releasedUntil === null || (latestYear !== null && latestYear <= exit.releasedUntil);
  const saw = {
    endedBy: exit.endedBy,
    holdsUntilRelease: exit.releasedUntil,
    releasedBy: latestYear,
    note: exit.note,
  };
  return { rule: "maker_exit", outcome: isMeant && asOf > exit.endedBy ? "ended" : "unknown", saw };
}

function makerRelation({ relation }: SupportQuestion): Finding | undefined {
  if (!relation) return undefined;
  const saw = { make: relation.make, deal: relation.deal };
  return { rule: "maker_relation", outcome: relation.deal ? "unknown" : "ended", saw };
}

function ageCutOff({ device, policy, asOf }: SupportQuestion): Finding | undefined {
  const { ageCutOffYears } = policy;
  if (ageCutOffYears === null) return undefined;
  const { release, ageWindow } = device;
  const from = release ? release.from : ageWindow ? `${ageWindow.from}-01-01` : null;
  const to = release ? release.to : ageWindow ? `${ageWindow.to}-12-31` : null;
  const basis = release?.basis ?? (ageWindow ? "number" : null);
  const saw = { releasedFrom: from, releasedBy: to, basis, cutOffYears: ageCutOffYears, asOf };
  const isOlder = to !== null && plusYears(to, ageCutOffYears) < asOf;
  const isYounger = from !== null && plusYears(from, ageCutOffYears) >= asOf;
  return { rule: "age_cutoff", outcome: isOlder ? "ended" : isYounger ? "supported" : "unknown", saw };
}

/** Only where no dated end is known: years since the release against what the maker gives, or anybody gave. */
function supportEstimate(
  { device, asOf }: SupportQuestion,
  knowledge: SupportKnowledge,
): Finding | undefined {
  const { make, release } = device;
  if (make === null || !release || hasDatedEnd(device, knowledge, asOf)) return undefined;
  const latestYear = Number(release.to.slice(0, 4));
  const length = knowledge.lengthOf(make, familyOf(device), latestYear);
  const allEndedBy = knowledge.allEndedBy(latestYear);
  const saw = {
    estimate: true,
    releasedFrom: release.from,
    releasedBy: release.to,
    basis: release.basis,
    yearsMin: length?.yearsMin ?? null,
    yearsMax: length?.yearsMax ?? null,
    policy: length?.basis ?? null,
    guess: length?.isGuess ?? true,
    anyPhoneOfThatAgeEndedBy: allEndedBy,
  };
  const isPast = length !== undefined && plusYears(release.to, length.yearsMax) < asOf;
  const isPastForAll = allEndedBy !== null && allEndedBy < asOf;
  const isWithin =
    length !== undefined && release.from !== null && plusYears(release.from, length.yearsMin) >= asOf;
  return {
    rule: "support_estimate",
    outcome: isPast || isPastForAll ? "ended" : isWithin ? "supported" : "unknown",
    saw,
  };
}

/** A dated end decides; a flag without a date, or rows that disagree, leave room for the estimate. */
function hasDatedEnd({ lifecycle }: Device, { snapshot }: SupportKnowledge, asOf: string): boolean {
  if (!lifecycle) return false;
  const outcomes = new Set(lifecycle.rows.map((row) => outcomeOn(supportEndOf(row, snapshot), asOf)));
  return outcomes.size === 1 && !outcomes.has("unknown");
}

/**
 * For a TAC in no list. Ended: every handset known, of any maker, that came out up to the end of the number's window
 * has lost its support. Supported: even the first year of the window is within what the shortest policy gives.
 */
function numberAge({ device, asOf }: SupportQuestion, knowledge: SupportKnowledge): Finding | undefined {
  if (device.make !== null) return undefined;
  const { ageWindow, ageWindows } = device;
  if (!ageWindow) {
    const windows = ageWindows.map(({ from, to }) => `${from}-${to}`).join(" or ");
    return {
      rule: "number_age",
      outcome: "unknown",
      saw: { window: windows || null, undecided: ageWindows.length > 1 },
    };
  }
  const allEndedBy = knowledge.allEndedBy(ageWindow.to);
  const shortest = knowledge.lengthOf("*", "*", ageWindow.from)?.yearsMin ?? 0;
  const isPast = allEndedBy !== null && allEndedBy < asOf;
  const isWithin = plusYears(`${ageWindow.from}-01-01`, shortest) >= asOf;
  const saw = {
    window: `${ageWindow.from}-${ageWindow.to}`,
    anyPhoneOfThatAgeEndedBy: allEndedBy,
    yearsMin: shortest,
    estimate: true,
  };
  return { rule: "number_age", outcome: isPast ? "ended" : isWithin ? "supported" : "unknown", saw };
}

/** The family that the policies are kept by, told by the name. */
function familyOf({ make, model, form, lifecycle }: Device): string {
  const family = lifecycle?.rows[0]?.family;
  if (family) return family;
  if (make === "Apple") return form === "tablet" ? "iPad" : form === "watch" ? "Apple Watch" : "iPhone";
  if (make === "Samsung") return form === "tablet" ? "Galaxy Tab" : "Galaxy";
  if (make === "Google") return /watch/i.test(model ?? "") ? "Pixel Watch" : "Pixel";
  if (make === "Sony") return "Xperia";
  if (make === "Nokia") return "Nokia (HMD)";
  return make ?? "";
}
