/**
 * Doubts about an IMEI: that a handset is not what its number says. A doubt stands on the handset, and so on every SIM that is in it, until
 * what it rests on holds no more or a person ends it; what that person said is not undone by the same finding again.
 */
import { type Clone, cloneWords } from "./clone.ts";
import type { FalseModel } from "./false-model.ts";
import type { ImeiClass } from "./special-imei.ts";

export const DOUBT_KINDS = ["false_model", "clone", "special"] as const;
export type DoubtKind = (typeof DOUBT_KINDS)[number];

/** What was found, before it is anybody's. */
export type FoundDoubt = {
  readonly kind: DoubtKind;
  /** A clause; no identifier of a person in it. */
  readonly reason: string;
  /** The same in figures and words of programs. */
  readonly detail: Readonly<Record<string, string | number>>;
};

/** As it stands on a handset. Times are RFC 3339. */
export type ImeiDoubt = FoundDoubt & {
  readonly id: string;
  readonly deviceId: string;
  readonly foundAt: string;
  /** When it was last found again. */
  readonly confirmedAt: string;
  readonly endedAt: string | null;
  /** Who ended it, and why: a person, or what is known by now. */
  readonly endedBy: string | null;
  readonly endReason: string | null;
};

export const doubtOfModel = ({ rule, reason }: FalseModel): FoundDoubt => ({
  kind: "false_model",
  reason,
  detail: { rule },
});

export const doubtOfClone = (clone: Clone): FoundDoubt => ({
  kind: "clone",
  reason: cloneWords(clone),
  detail: {
    // In one order, whichever was seen first: what a person has looked at is known again by them.
    countries: [clone.one.country, clone.other.country].sort().join(" "),
    distanceKm: clone.distanceKm,
    minutesBetween: clone.minutesBetween,
    seenAt: new Date(clone.other.seenMs).toISOString(),
  },
});

/** Of one that many phones bear; null: it is an ordinary number. */
export const doubtOfSpecial = (imeiClass: ImeiClass): FoundDoubt | null =>
  imeiClass === "ordinary"
    ? null
    : {
        kind: "special",
        reason: SPECIAL_WORDS[imeiClass],
        detail: { class: imeiClass },
      };

const SPECIAL_WORDS: Readonly<Record<Exclude<ImeiClass, "ordinary">, string>> = {
  zeros: "its number is all zeros, which many phones bear",
  run: "its number is a run of digits, which many phones bear",
  test: "its number is one for tests, which many phones bear",
  blank_serial: "its serial number is one that repair tools write, which many phones bear",
};

type DoubtFilter = { readonly kind?: DoubtKind | undefined; readonly open?: boolean | undefined };

/** What staff see of doubts, and do about them. */
export interface ImeiDoubts {
  /** Newest first; `cursor` is the last id of the page before. */
  list(
    operatorId: string,
    filter: DoubtFilter,
    page: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly order?: "asc" | "desc" | undefined;
    },
  ): Promise<{ readonly rows: readonly ImeiDoubt[]; readonly nextCursor: string | null }>;
  /** The open ones of these handsets. */
  ofDevices(operatorId: string, deviceIds: readonly string[]): Promise<readonly ImeiDoubt[]>;
  /**
   * A person has looked: the handset is what it says.
   * @throws TurnupError `imei_doubt_not_found`
   */
  end(
    operatorId: string,
    doubtId: string,
    said: { readonly actor: string; readonly reason: string },
  ): Promise<ImeiDoubt>;
}
