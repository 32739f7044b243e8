/** What staff see of SIMs that two sources see in two handsets. Numbers are masked; times are RFC 3339. */
import type { CONFLICT_RULES } from "./conflict.ts";
import type { SightingSource } from "./sighting.ts";

export type SightingConflict = {
  readonly id: string;
  readonly subscriberId: string;
  readonly imsiMasked: string;
  /** How it was told (`conflict.ts`), the last time. */
  readonly rule: (typeof CONFLICT_RULES)[number];
  readonly source: SightingSource;
  readonly imeiMasked: string;
  readonly otherSource: SightingSource;
  readonly otherImeiMasked: string;
  readonly foundAt: string;
  readonly lastAt: string;
  /** How often they disagreed so. */
  readonly times: number;
};

export interface SightingConflicts {
  /** Newest first; `cursor` is the last id of the page before. */
  list(
    operatorId: string,
    page: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly order?: "asc" | "desc" | undefined;
    },
  ): Promise<{ readonly rows: readonly SightingConflict[]; readonly nextCursor: string | null }>;
  /** The last 20 of a SIM. */
  ofSubscriber(operatorId: string, subscriberId: string): Promise<readonly SightingConflict[]>;
}
