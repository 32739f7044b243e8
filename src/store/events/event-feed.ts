/**
 * The feed of events on PostgreSQL. Positions are numbers of transactions, and nothing is told of one at or above the horizon: the
 * oldest transaction that was still under way when the snapshot was taken. All below it are over, so their rows are all there, and
 * no writer waits for anybody (docs/adr/0019-event-feed.md).
 *
 * Whoever waits for news is woken by one look a server, not one a reader.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CloudEvent, EventFeed, FeedPage } from "../../kernel/events/event-feed.ts";
import { isWanted } from "../../kernel/events/event-types.ts";
import {
  comparePlaces,
  epochOf,
  type Place,
  placeBefore,
  readPosition,
  writePosition,
} from "../../kernel/events/position.ts";
import { TurnupError } from "../../term/error.ts";
import type { Database, Db } from "../database/database.ts";
import { type FeedRow, feedRows, lastRowOfFirst, type StoredEvent } from "./event-rows.ts";

/** How often a server looks for news while somebody waits. */
const LOOK_MS = 200;
/** Pages of which nothing is asked for are skipped, so many in one answer: then the reader has a position further on. */
const SKIPPED_PAGES_MAX = 20;
/** Where some types alone are asked for, so many rows are looked through at once, however few are wanted. */
const ROWS_SOUGHT = 500;
/** What was written at a moment may stand behind what was written a little later: a transaction takes time. */
const SLACK_MS = 120_000;

type Feed = { readonly epoch: string; readonly floor: bigint; readonly horizon: bigint };

const LOOK = {
  name: "feed_horizon", // event_feed_pkey
  text: `select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
                (select epoch || '.' || floor from event_feed where operator_id = $1) as feed`,
};

/** An operator's feed as it stands now. */
export async function lookAtFeed(db: Db, operatorId: string): Promise<Feed> {
  for (;;) {
    const row = await db.one<{ horizon: string; feed: string | null }>(LOOK, [operatorId]);
    const [epoch, floor] = row?.feed?.split(".") ?? [];
    if (row && epoch !== undefined && floor !== undefined)
      return { epoch: epochOf(epoch), floor: BigInt(floor), horizon: BigInt(row.horizon) };
    await db.run("insert into event_feed (operator_id) values ($1) on conflict do nothing", [operatorId]);
  }
}

type ReadEvent = { readonly event: StoredEvent; readonly place: Place };

/** Where to begin. @throws TurnupError `cursor_malformed`, `event_position_gone` */
function placeIn({ epoch, floor, horizon }: Feed, position: string | undefined): Place {
  if (position === undefined) return placeBefore(floor);
  const place = readPosition(epoch, position);
  // Horizons only grow: none of this database's own positions stands behind today's.
  if (place && place.tx >= floor && place.tx <= (horizon > floor ? horizon : floor)) return place;
  throw new TurnupError(
    "event_position_gone",
    place && place.tx < floor
      ? "What stood behind this position is kept no longer."
      : "The database was restored, or went back to an earlier moment, since this position was given.",
    {
      nextStep:
        "Look at what you may have missed through the lists, and read on from `after=start` or `after=now`.",
    },
  );
}

/** Events from a place on, and where to read on. */
async function readFrom(
  db: Db,
  operatorId: string,
  from: Place,
  { horizon, limit }: { readonly horizon: bigint; readonly limit: number },
): Promise<{ readonly events: readonly ReadEvent[]; readonly next: Place; readonly hasMore: boolean }> {
  if (from.tx >= horizon) return { events: [], next: from, hasMore: false };
  const rowsMax = limit + 1; // the row that the place stands in may hold nothing more
  const rows = [...(await feedRows(db, { operatorId, from, horizon, limit: rowsMax }))].sort(comparePlaces);
  const events: ReadEvent[] = [];
  let last: Place | undefined;
  for (const row of rows.slice(0, rowsMax)) {
    for (const one of eventsBehind(row, from)) {
      if (events.length === limit) return { events, next: last ?? from, hasMore: true };
      events.push(one);
      last = one.place;
    }
    last = { tx: row.tx, row: row.row, event: row.events.length - 1 };
  }
  // Of each kind there were at most as many rows as were asked for: fewer in all means that none is left.
  const isAll = rows.length < rowsMax;
  return { events, next: isAll ? placeBefore(horizon) : (last ?? from), hasMore: !isAll };
}

function eventsBehind({ tx, row, events }: FeedRow, from: Place): readonly ReadEvent[] {
  const skip = comparePlaces({ tx, row }, from) === 0 ? from.event + 1 : 0;
  return events.slice(skip).map((event, at) => ({ event, place: { tx, row, event: skip + at } }));
}

const cloudEventOf = (operatorId: string, { event }: ReadEvent, position: string): CloudEvent => ({
  specversion: "1.0",
  id: event.id,
  source: `urn:uuid:${operatorId}`,
  type: event.type,
  subject: event.subject,
  time: event.at,
  datacontenttype: "application/json",
  position,
  data: event.data,
});

type ClosableFeed = EventFeed & { close(): void };

export function createEventFeed(database: Database): ClosableFeed {
  const bell = createBell(database);
  const placed = async (
    operatorId: string,
    place: (feed: Feed) => Promise<Place> | Place,
  ): Promise<string> => {
    const feed = await lookAtFeed(database, operatorId);
    return writePosition(feed.epoch, await place(feed));
  };
  return {
    async read(operatorId, { after, limit, types }): Promise<FeedPage> {
      const feed = await lookAtFeed(database, operatorId);
      const cut = { ...feed, limit: types.length === 0 ? limit : Math.max(limit, ROWS_SOUGHT) };
      let place = placeIn(feed, after);
      for (let page = 1; ; page++) {
        const { events, next, hasMore } = await readFrom(database, operatorId, place, cut);
        const found = events.filter(({ event }) => isWanted(types, event.type));
        const wanted = found.slice(0, limit);
        const isCut = wanted.length < found.length;
        if (wanted.length > 0 || !hasMore || page === SKIPPED_PAGES_MAX)
          return {
            events: wanted.map((one) => cloudEventOf(operatorId, one, writePosition(feed.epoch, one.place))),
            next: writePosition(feed.epoch, (isCut ? wanted.at(-1)?.place : undefined) ?? next),
            hasMore: hasMore || isCut,
          };
        place = next;
      }
    },
    now: (operatorId) => placed(operatorId, ({ horizon }) => placeBefore(horizon)),
    at: (operatorId, moment) =>
      placed(operatorId, async (feed) => placeBefore(await firstTxAt(database, operatorId, feed, moment))),
    async wait(operatorId, position, timeoutMs, signal) {
      const { epoch } = await lookAtFeed(database, operatorId);
      const place = readPosition(epoch, position);
      if (place) await bell.wait(operatorId, place.tx, timeoutMs, signal);
    },
    close: bell.close,
  };
}

/** Numbers of transactions grow with time: the first whose rows are of a moment or later, found by halves. */
export async function firstTxAt(
  db: Db,
  operatorId: string,
  { floor, horizon }: Feed,
  moment: Date,
): Promise<bigint> {
  const wantedMs = moment.getTime() - SLACK_MS;
  let [low, high] = [floor, horizon]; // what is before `low` is too old, what is from `high` on is not
  while (low < high) {
    const middle = (low + high) / 2n;
    const row = await lastRowOfFirst(db, operatorId, middle);
    if (row && row.ms < wantedMs) low = row.tx + 1n;
    else high = middle;
  }
  return high;
}

type Waiter = { readonly operatorId: string; readonly tx: bigint; readonly wake: () => void };

const NEWS = {
  name: "feed_news", // order_event_by_position, sighting_by_position, change_pkey
  text: `select exists (select from order_event where operator_id = $1 and tx >= $2::xid8 and tx is not null and tx < $3::xid8)
             or exists (select from sighting where operator_id = $1 and tx >= $2::xid8 and tx is not null and tx < $3::xid8)
             or exists (select from change where operator_id = $1 and tx >= $2::xid8 and tx < $3::xid8) as news`,
};
const HORIZON = {
  name: "horizon_now",
  text: "select pg_snapshot_xmin(pg_current_snapshot())::text as horizon",
};

/** Looks for all who wait, as long as somebody does. */
function createBell(database: Database) {
  const waiters = new Set<Waiter>();
  const closing = new AbortController();
  let looking = false;

  async function look(): Promise<void> {
    const row = await database.one<{ horizon: string }>(HORIZON);
    const horizon = row?.horizon ?? "0";
    for (const operatorId of new Set([...waiters].map((waiter) => waiter.operatorId))) {
      const waiting = [...waiters].filter((waiter) => waiter.operatorId === operatorId);
      const oldest = waiting.reduce((least, { tx }) => (tx < least ? tx : least), BigInt(horizon));
      const found = await database.one<{ news: boolean }>(NEWS, [operatorId, String(oldest), horizon]);
      if (found?.news) for (const { wake } of waiting) wake();
    }
  }

  async function run(): Promise<void> {
    looking = true;
    try {
      while (waiters.size > 0 && !closing.signal.aborted) {
        await look();
        await sleep(LOOK_MS, undefined, { ref: false });
      }
    } catch {
      for (const { wake } of waiters) wake(); // each meets what is wrong by itself
    } finally {
      looking = false;
    }
  }

  return {
    close: () => closing.abort(),
    async wait(operatorId: string, tx: bigint, timeoutMs: number, signal: AbortSignal): Promise<void> {
      const ends = [signal, closing.signal];
      if (ends.some(({ aborted }) => aborted)) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          for (const end of ends) end.removeEventListener("abort", done);
          waiters.delete(waiter);
          resolve();
        };
        // A timer of its own: Node's collector takes an AbortSignal.timeout that only AbortSignal.any holds, and it never comes.
        const timer = setTimeout(done, timeoutMs);
        const waiter: Waiter = { operatorId, tx, wake: done };
        for (const end of ends) end.addEventListener("abort", done);
        waiters.add(waiter);
        if (!looking) void run();
      });
    },
  };
}
