/**
 * What each source of sightings told, by the minute: gathered in memory and added to rows that all servers share, so that whoever looks
 * sees the whole. A server that is killed loses a few seconds of it.
 */

import { SIGHTING_SOURCES, type SightingSource } from "../../kernel/detection/sighting.ts";
import { healthOf, type SourceFigures, type SourceHealth } from "../../kernel/detection/source-health.ts";
import type { SourceView, SpecialImeis } from "../../kernel/detection/source-view.ts";
import { provesAbsence, whatTells } from "../../kernel/detection/sources.ts";
import type { ImeiClass } from "../../kernel/detection/special-imei.ts";
import { wordOf } from "../../term/narrow.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Database } from "../database/database.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The last day of each source is read, however long ago it ended: what it was used to. */
const MINUTES_KEPT_MS = 26 * HOUR_MS;
/** Days of special numbers that are kept. */
const SPECIAL_DAYS_KEPT_MS = 400 * 24 * HOUR_MS;
/** Days of them that are shown. */
const SPECIAL_DAYS_SHOWN = 30;

/** What one sighting adds. */
type Told = {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly receivedMs: number;
  readonly isChanged: boolean;
  readonly isRefused: boolean;
  /** Null: it told no time, or its time was not looked at. */
  readonly seenMs: number | null;
  /** Of a number that names no handset. */
  readonly special: ImeiClass | null;
};

type Minute = {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly minuteMs: number;
  received: number;
  changed: number;
  refused: number;
  lagging: number;
  lagMs: number;
  lagMsMax: number;
  lastReceivedMs: number;
  lastSeenMs: number | null;
};
/** The row that was counted last is most often the next one. */
type Minutes = { readonly rows: Map<string, Minute>; last: Minute | undefined };
type Special = {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly class: ImeiClass;
  readonly day: string;
  times: number;
  lastMs: number;
};

export type SourceCounts = SourceView & {
  count(told: Told): void;
  /** Writes what waits. */
  flush(): Promise<void>;
  /** Deletes what nobody reads any more. */
  sweep(): Promise<void>;
  /** How many operators have which source in which state. */
  states(): Promise<readonly { readonly source: SightingSource; readonly state: SourceHealth["state"] }[]>;
};

export function createSourceCounts({
  database,
  clock,
}: {
  readonly database: Database;
  readonly clock: () => Date;
}): SourceCounts {
  let minutes: Minutes = { rows: new Map(), last: undefined };
  let specials = new Map<string, Special>();
  return {
    count(told) {
      countMinute(minutes, told);
      if (told.special !== null) countSpecial(specials, told, told.special);
    },
    async flush() {
      if (minutes.rows.size + specials.size === 0) return;
      const [taken, takenSpecials] = [minutes.rows, specials];
      minutes = { rows: new Map(), last: undefined };
      specials = new Map();
      try {
        await database.transaction(async (tx) => {
          const rows = [...taken.values()].sort(byKey);
          await addMinutes(tx, rows);
          await addSources(tx, sourcesOf(rows));
          await addSpecials(tx, [...takenSpecials.values()].sort(byKey));
        });
      } catch (error) {
        // Nothing is lost while the database is away; what came meanwhile is of other keys, or is added.
        for (const [key, row] of taken) minutes.rows.set(key, joined(row, minutes.rows.get(key)));
        minutes.last = undefined;
        for (const [key, row] of takenSpecials)
          specials.set(key, { ...row, times: row.times + (specials.get(key)?.times ?? 0) });
        throw error;
      }
    },
    async sweep() {
      const now = clock().getTime();
      await database.run(SWEEP_MINUTES, [new Date(now - MINUTES_KEPT_MS)]);
      await database.run(SWEEP_SPECIALS, [new Date(now - SPECIAL_DAYS_KEPT_MS)]);
    },
    async sources(operatorId) {
      const now = clock();
      const rows = await database.rows<Row>(FIGURES, [operatorId, now, new Date(now.getTime() - HOUR_MS)]);
      return rows.flatMap((row) => viewOf(row, now.getTime()) ?? []);
    },
    async special(operatorId) {
      const since = new Date(clock().getTime() - SPECIAL_DAYS_SHOWN * 24 * HOUR_MS);
      const rows = await database.rows<Omit<SpecialImeis, "lastAt"> & { readonly lastAt: Date }>(SPECIALS, [
        operatorId,
        since,
      ]);
      return rows.map(({ lastAt, ...row }) => ({ ...row, lastAt: lastAt.toISOString() }));
    },
    async states() {
      const now = clock();
      const rows = await database.rows<Row>(FIGURES, [null, now, new Date(now.getTime() - HOUR_MS)]);
      return rows.flatMap((row) => {
        const view = viewOf(row, now.getTime());
        return view ? [{ source: view.source, state: view.state }] : [];
      });
    },
  };
}

const keyOf = ({ operatorId, source }: Pick<Told, "operatorId" | "source">, more: string | number): string =>
  `${operatorId} ${source} ${more}`;
/** Rows of all servers are locked in one order. */
const byKey = (one: Minute | Special, other: Minute | Special): number =>
  orderOf(one) < orderOf(other) ? -1 : 1;
const orderOf = (row: Minute | Special): string =>
  keyOf(row, "minuteMs" in row ? row.minuteMs : `${row.day} ${row.class}`);

function countMinute(minutes: Minutes, told: Told): void {
  const { operatorId, source, receivedMs, seenMs } = told;
  const minuteMs = receivedMs - (receivedMs % MINUTE_MS);
  const { last } = minutes;
  const isSame = last?.minuteMs === minuteMs && last.source === source && last.operatorId === operatorId;
  const row = isSame ? last : rowAt(minutes.rows, told, minuteMs);
  minutes.last = row;
  row.received++;
  if (told.isChanged) row.changed++;
  if (told.isRefused) row.refused++;
  row.lastReceivedMs = Math.max(row.lastReceivedMs, receivedMs);
  if (seenMs === null) return;
  const lagMs = Math.max(0, receivedMs - seenMs); // a clock that is ahead is no lag
  row.lagging++;
  row.lagMs += lagMs;
  row.lagMsMax = Math.max(row.lagMsMax, lagMs);
  row.lastSeenMs = Math.max(row.lastSeenMs ?? 0, seenMs);
}

function rowAt(rows: Map<string, Minute>, told: Told, minuteMs: number): Minute {
  const { operatorId, source, receivedMs } = told;
  const key = keyOf(told, minuteMs);
  const known = rows.get(key);
  if (known) return known;
  const row: Minute = {
    ...{ operatorId, source, minuteMs, received: 0, changed: 0, refused: 0 },
    ...{ lagging: 0, lagMs: 0, lagMsMax: 0, lastReceivedMs: receivedMs, lastSeenMs: null },
  };
  rows.set(key, row);
  return row;
}

function countSpecial(specials: Map<string, Special>, told: Told, imeiClass: ImeiClass): void {
  const { operatorId, source, receivedMs } = told;
  const day = new Date(receivedMs).toISOString().slice(0, 10);
  const key = keyOf(told, `${day} ${imeiClass}`);
  const row = specials.get(key) ?? {
    operatorId,
    source,
    day,
    class: imeiClass,
    times: 0,
    lastMs: receivedMs,
  };
  specials.set(key, { ...row, times: row.times + 1, lastMs: Math.max(row.lastMs, receivedMs) });
}

const joined = (one: Minute, other: Minute | undefined): Minute =>
  other === undefined
    ? one
    : {
        ...one,
        received: one.received + other.received,
        changed: one.changed + other.changed,
        refused: one.refused + other.refused,
        lagging: one.lagging + other.lagging,
        lagMs: one.lagMs + other.lagMs,
        lagMsMax: Math.max(one.lagMsMax, other.lagMsMax),
        lastReceivedMs: Math.max(one.lastReceivedMs, other.lastReceivedMs),
        lastSeenMs: other.lastSeenMs ?? one.lastSeenMs,
      };

// The rows.

const addMinutes = bulkInsert<Minute>(
  "sighting_minute",
  [
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "source", type: "text", value: (row) => row.source },
    { name: "minute", type: "timestamptz", value: (row) => new Date(row.minuteMs) },
    { name: "received", type: "int8", value: (row) => row.received },
    { name: "changed", type: "int8", value: (row) => row.changed },
    { name: "refused", type: "int8", value: (row) => row.refused },
    { name: "lagging", type: "int8", value: (row) => row.lagging },
    { name: "lag_ms", type: "int8", value: (row) => row.lagMs },
    { name: "lag_ms_max", type: "int8", value: (row) => row.lagMsMax },
  ],
  `on conflict (operator_id, source, minute) do update
     set received = sighting_minute.received + excluded.received, changed = sighting_minute.changed + excluded.changed,
         refused = sighting_minute.refused + excluded.refused, lagging = sighting_minute.lagging + excluded.lagging,
         lag_ms = sighting_minute.lag_ms + excluded.lag_ms, lag_ms_max = greatest(sighting_minute.lag_ms_max, excluded.lag_ms_max)`,
);
const addSources = bulkInsert<Minute>(
  "sighting_source",
  [
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "source", type: "text", value: (row) => row.source },
    { name: "first_received_at", type: "timestamptz", value: (row) => new Date(row.minuteMs) },
    { name: "last_received_at", type: "timestamptz", value: (row) => new Date(row.lastReceivedMs) },
    {
      name: "last_seen_at",
      type: "timestamptz",
      value: (row) => (row.lastSeenMs === null ? null : new Date(row.lastSeenMs)),
    },
  ],
  `on conflict (operator_id, source) do update
     set last_received_at = greatest(sighting_source.last_received_at, excluded.last_received_at),
         last_seen_at = greatest(sighting_source.last_seen_at, excluded.last_seen_at)`,
);
const addSpecials = bulkInsert<Special>(
  "special_imei_day",
  [
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "day", type: "date", value: (row) => row.day },
    { name: "class", type: "text", value: (row) => row.class },
    { name: "source", type: "text", value: (row) => row.source },
    { name: "times", type: "int8", value: (row) => row.times },
    { name: "last_at", type: "timestamptz", value: (row) => new Date(row.lastMs) },
  ],
  `on conflict (operator_id, day, class, source) do update
     set times = special_imei_day.times + excluded.times, last_at = greatest(special_imei_day.last_at, excluded.last_at)`,
);

/** One row a source: a statement changes no row twice. */
function sourcesOf(rows: readonly Minute[]): Minute[] {
  const found = new Map<string, Minute>();
  for (const row of rows) {
    const key = keyOf(row, "");
    const before = found.get(key);
    found.set(
      key,
      before ? { ...joined(before, row), minuteMs: Math.min(before.minuteMs, row.minuteMs) } : row,
    );
  }
  return [...found.values()];
}

const SWEEP_MINUTES = {
  name: "sweep_sighting_minutes", // sighting_minute_by_time
  text: `delete from sighting_minute m using sighting_source s
          where m.minute < $1 and s.operator_id = m.operator_id and s.source = m.source and m.minute < s.last_received_at - interval '24 hours'`,
};
const SWEEP_SPECIALS = {
  name: "sweep_special_imei_days", // special_imei_day_by_day
  text: "delete from special_imei_day where day < $1::timestamptz::date",
};
const FIGURES = {
  name: "figures_of_sources", // sighting_source_pkey, sighting_minute_pkey
  text: `select s.source, s.first_received_at as "firstReceivedAt", s.last_received_at as "lastReceivedAt", s.last_seen_at as "lastSeenAt", m.*
           from sighting_source s
          cross join lateral (
            select count(*) filter (where minute > s.last_received_at - interval '24 hours')::int as "activeMinutes",
                   coalesce(sum(received) filter (where minute >= $3), 0)::float8 as received,
                   coalesce(sum(changed) filter (where minute >= $3), 0)::float8 as changed,
                   coalesce(sum(refused) filter (where minute >= $3), 0)::float8 as refused,
                   coalesce(sum(received) filter (where minute >= $2::timestamptz - interval '5 minutes'), 0)::float8 as lately,
                   (sum(lag_ms) filter (where minute >= $3) / nullif(sum(lagging) filter (where minute >= $3), 0))::float8 as "lagMs",
                   (max(lag_ms_max) filter (where minute >= $3))::float8 as "lagMsMax"
              from sighting_minute where operator_id = s.operator_id and source = s.source) m
          where $1::uuid is null or s.operator_id = $1 order by s.source`,
};
type Row = Omit<SourceFigures, "source" | "firstReceivedMs" | "lastReceivedMs"> & {
  readonly source: string;
  readonly firstReceivedAt: Date;
  readonly lastReceivedAt: Date;
  readonly lastSeenAt: Date | null;
  readonly changed: number;
  /** Of the last five minutes. */
  readonly lately: number;
  readonly lagMsMax: number | null;
};
const SPECIALS = {
  name: "special_imeis", // special_imei_day_pkey
  text: `select class, source, sum(times)::float8 as times, max(last_at) as "lastAt" from special_imei_day
          where operator_id = $1 and day >= $2::timestamptz::date group by class, source order by class, source`,
};

const LATELY_MINUTES = 5;
/** Undefined: a source that this release does not know any more. */
function viewOf(row: Row, nowMs: number) {
  const source = wordOf(SIGHTING_SOURCES, row.source);
  if (source === undefined) return undefined;
  const { firstReceivedAt, lastReceivedAt, lastSeenAt, received, changed, refused, lagMs, lagMsMax } = row;
  const figures = {
    ...row,
    source,
    firstReceivedMs: firstReceivedAt.getTime(),
    lastReceivedMs: lastReceivedAt.getTime(),
  };
  return {
    source,
    ...healthOf(figures, nowMs),
    tells: whatTells(source),
    silenceProves: provesAbsence(source),
    firstReceivedAt: firstReceivedAt.toISOString(),
    lastReceivedAt: lastReceivedAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    perMinute: row.lately / LATELY_MINUTES,
    lastHour: { received, changed, refused, lagMs: lagMs && Math.round(lagMs), lagMsMax },
  };
}
