/**
 * What an operator said, remembered by this server and never believed longer than it is so.
 *
 * For an answer, what is remembered counts while word of changes is heard (`change-channel.ts`); else its versions are asked
 * for, which is one small look-up. For a decision the versions are asked for within the transaction that writes it, and who
 * changes them is answered when every transaction that may have decided by the former ones has ended:
 *
 *   deciding:  begin ─ I am deciding (shared lock) ─ versions ─ decide ─ write ─ commit
 *   changing:  begin ─ write, versions + 1 ─ commit ─ whoever was deciding then has ended ─ answered
 *
 * So a decision that is written after the answer was made by what was answered, on whichever server. Nobody waits for that
 * lock, so it holds up nobody and is part of no deadlock; who changes looks who holds it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeKind, Changes } from "../../kernel/account/changes.ts";
import { TurnupError } from "../../term/error.ts";
import { isOneOf } from "../../term/narrow.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import type { ChangeChannel } from "./change-channel.ts";

/** The advisory locks of this use: first of two keys; the second is made of the operator's id. */
const DECIDING_CLASS = 1_953_854_064;
/** Longer than a statement may take. */
const DECIDING_LIMIT_MS = 40_000;
const FIRST_LOOK_MS = 2;
const MAX_LOOK_MS = 50;
/** Operators remembered at once, in each memory. */
const REMEMBERED_MAX = 1_000;

const DECIDING = {
  name: "i_am_deciding",
  text: "select pg_advisory_xact_lock_shared($1, hashtext($2::text))",
};
const VERSIONS = {
  name: "change_versions", // change_version_pkey
  text: "select kind, version from change_version where operator_id = $1",
};
/** A transaction of the same session that began since has another number. */
const WHO_DECIDES = `
  select pid || ' ' || virtualtransaction as who from pg_locks
   where locktype = 'advisory' and granted and classid = $1::int::oid and objid::bigint = hashtext($2::text)::bigint & 4294967295
     and objsubid = 2 and database = (select oid from pg_database where datname = current_database())`;

type Versions = ReadonlyMap<string, bigint>;

async function versionsOf(db: Db, operatorId: string, asText = false): Promise<Versions> {
  const rows = await db.rows<{ kind: string; version: bigint }>(asText ? VERSIONS.text : VERSIONS, [
    operatorId,
  ]);
  return new Map(rows.map(({ kind, version }) => [kind, version]));
}

/** Of each transaction: what it decides by. */
const decidedBy = new WeakMap<Tx, Map<string, Promise<Versions>>>();

function versionsIn(tx: Tx, operatorId: string): Promise<Versions> {
  const known = decidedBy.get(tx) ?? new Map<string, Promise<Versions>>();
  decidedBy.set(tx, known);
  const before = known.get(operatorId);
  if (before) return before;
  tx.send(DECIDING, [DECIDING_CLASS, operatorId]);
  const versions = versionsOf(tx, operatorId);
  known.set(operatorId, versions);
  return versions;
}

type Remembered<Value> = {
  /** For an answer: a second old at most, and never older than what this server wrote itself. */
  of(operatorId: string): Promise<Value>;
  /** For a decision that `tx` writes. */
  in(tx: Tx, operatorId: string): Promise<Value>;
};

/** `read` is asked outside the transaction: on a connection of another kind than that one's. */
export function remembered<Value>(
  { database, changes }: { readonly database: Database; readonly changes: Changes },
  kinds: readonly ChangeKind[],
  read: (operatorId: string) => Promise<Value>,
): Remembered<Value> {
  const memory = new Map<string, { readonly stamp: string; readonly value: Value }>();
  const reading = new Map<string, Promise<Value>>();
  let changed = 0;
  changes.onChange((news) => {
    if (news !== "everything" && !isOneOf(kinds, news.kind)) return;
    changed++; // what is being read may be of before
    if (news === "everything") memory.clear();
    else memory.delete(news.operatorId);
  });
  const stampOf = (versions: Versions): string => kinds.map((kind) => versions.get(kind) ?? 0n).join(" ");

  /** Versions are read before what they are of, so a value is never older than its stamp. */
  function valueAt(operatorId: string, stamp: string): Promise<Value> {
    const known = memory.get(operatorId);
    if (known?.stamp === stamp) return Promise.resolve(known.value);
    const key = `${operatorId} ${stamp}`;
    const running = reading.get(key);
    if (running) return running;
    const before = changed;
    const value = read(operatorId)
      .then((found) => {
        if (changed !== before) return found;
        memory.delete(operatorId);
        memory.set(operatorId, { stamp, value: found });
        const [oldest] = memory.keys();
        if (memory.size > REMEMBERED_MAX && oldest !== undefined) memory.delete(oldest);
        return found;
      })
      .finally(() => reading.delete(key));
    reading.set(key, value);
    return value;
  }

  return {
    async of(operatorId) {
      const known = memory.get(operatorId);
      if (known && changes.isHeard()) return known.value;
      const before = changed;
      const versions = await versionsOf(database, operatorId, true);
      // Word of a change that came meanwhile may be of before the look or after it.
      if (changed !== before) return read(operatorId);
      return valueAt(operatorId, stampOf(versions));
    },
    in: async (tx, operatorId) => valueAt(operatorId, stampOf(await versionsIn(tx, operatorId))),
  };
}

/**
 * Writes a change of an operator's words and answers when it is in force: this server has forgotten what it remembered,
 * and no transaction is under way any more that decides by what was before, on any server.
 * @throws TurnupError `database_timeout`: it is written, and something that began before it does not end
 */
export async function putInForce<Result>(
  {
    database,
    changes,
  }: { readonly database: Database; readonly changes?: Pick<ChangeChannel, "tellHere"> | undefined },
  operatorId: string,
  kinds: readonly ChangeKind[],
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await database.transaction(work);
  } finally {
    // Also where nobody knows whether it was committed.
    for (const kind of kinds) changes?.tellHere({ kind, operatorId, version: 0 });
  }
  await untilDecided(database, operatorId);
  return result;
}

async function untilDecided(database: Database, operatorId: string): Promise<void> {
  const deciding = async (): Promise<Set<string>> => {
    const rows = await database.rows<{ who: string }>(WHO_DECIDES, [DECIDING_CLASS, operatorId]);
    return new Set(rows.map(({ who }) => who));
  };
  const until = performance.now() + DECIDING_LIMIT_MS;
  let left = await deciding();
  for (let pauseMs = FIRST_LOOK_MS; left.size > 0; pauseMs = Math.min(2 * pauseMs, MAX_LOOK_MS)) {
    if (performance.now() > until) {
      throw new TurnupError(
        "database_timeout",
        "It is written, but orders that were decided before it are not.",
        {
          nextStep: "It is in force for all that comes; look for a long transaction in pg_stat_activity.",
        },
      );
    }
    await sleep(pauseMs);
    const now = await deciding();
    left = new Set([...left].filter((who) => now.has(who)));
  }
}
