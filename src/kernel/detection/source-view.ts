/** What staff see of the sources of sightings, and of numbers that name no handset. Times are RFC 3339. */
import type { SightingSource } from "./sighting.ts";
import type { SourceHealth } from "./source-health.ts";
import type { SOURCES_TELL } from "./sources.ts";
import type { ImeiClass } from "./special-imei.ts";

type SourceSeen = SourceHealth & {
  readonly source: SightingSource;
  readonly tells: (typeof SOURCES_TELL)[number];
  /** Whether a handset that it names no more is there no more. */
  readonly silenceProves: boolean;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
  /** By its own clock; null: it tells no times. */
  readonly lastSeenAt: string | null;
  /** Sightings a minute, of the last five minutes. */
  readonly perMinute: number;
  readonly lastHour: {
    readonly received: number;
    /** Of which orders were opened. */
    readonly changed: number;
    readonly refused: number;
    /** Between what was seen and its arrival, on average and at most; null: nothing came with a time. */
    readonly lagMs: number | null;
    readonly lagMsMax: number | null;
  };
};

/** Sightings of the last 30 days that were refused since their number names no handset. */
export type SpecialImeis = {
  readonly class: ImeiClass;
  readonly source: SightingSource;
  readonly times: number;
  readonly lastAt: string;
};

export interface SourceView {
  /** Every source that ever told this operator something, as of a few seconds ago. */
  sources(operatorId: string): Promise<readonly SourceSeen[]>;
  special(operatorId: string): Promise<readonly SpecialImeis[]>;
}
