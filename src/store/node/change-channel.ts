/**
 * The one channel on which servers on one database tell each other what changed: LISTEN and NOTIFY of PostgreSQL. Word is
 * given within the transaction that writes, so that it goes out with the commit or not at all; for an operator's words the
 * triggers of migration 0013 give it, for anything else `tellAll` does.
 *
 *   connect ── listen ── "everything" ── beat, beat, beat ── connection lost, or a beat unanswered ── connect again
 *
 * A beat is a question over the listening session itself, which is answered behind all word that was sent before it: while
 * beats are answered nothing was missed. Between them and the next there is less than a second; after that `isHeard` says
 * no, and whoever remembers asks the database instead. The beat also looks whether it is the session that listens, since a
 * pooler may give each statement another.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Changes, News } from "../../kernel/account/changes.ts";
import { membersOf } from "../../term/narrow.ts";
import type { Tx } from "../database/database.ts";
import { processIdOf, sessionConfigOf, socketOf, the } from "../database/driver.ts";

/** As in migration 0013. */
const CHANNEL = "turnup_changed";
const BEAT_MS = 250;
/** From when a beat was sent that was answered: a change is noticed within this time, told or not. */
const HEARD_FOR_MS = 800;
/** A session that does not answer for so long is given up. */
const BEAT_PATIENCE_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_PAUSE_MS = 250;
/** PostgreSQL takes less than 8,000 octets. */
const WORD_OCTETS_MAX = 7_900;

export type ChangeChannel = Changes & {
  /** What this server did itself is told to itself at once, before it is answered. */
  tellHere(news: News): void;
  close(): Promise<void>;
};

/** Of one answered beat: what the database's clock said, and when the beat went out and came back by `performance.now()`. */
export type Beat = { readonly databaseMs: number; readonly sentMs: number; readonly answeredMs: number };

/** Tells all servers, this one among them, once `tx` is committed. */
export function tellAll(tx: Tx, news: Exclude<News, "everything">): void {
  const word = JSON.stringify(news);
  if (Buffer.byteLength(word) > WORD_OCTETS_MAX)
    throw new RangeError(`a word to all servers has at most ${WORD_OCTETS_MAX} octets`);
  tx.send("select pg_notify($1, $2)", [CHANNEL, word]);
}

type Channel = {
  readonly connection: pg.PoolConfig;
  readonly onFault: (name: string, error: unknown) => void;
  readonly onBeat: (beat: Beat) => void;
  readonly listeners: Set<(news: News) => void>;
  /** The session that listens; undefined while there is none. */
  session: pg.Client | undefined;
  heardUntilMs: number;
  closed: boolean;
  /** Ends the pause between two beats. */
  wake: () => void;
};

export async function openChangeChannel(
  connection: pg.PoolConfig,
  /** A listener that fails is told of and stops no other. */
  onFault: (name: string, error: unknown) => void = () => undefined,
  onBeat: (beat: Beat) => void = () => undefined,
): Promise<ChangeChannel> {
  const channel: Channel = {
    connection,
    onFault,
    onBeat,
    listeners: new Set(),
    session: undefined,
    heardUntilMs: 0,
    closed: false,
    wake: () => undefined,
  };

  await enter(channel);
  const running = run(channel);
  return {
    isHeard: () => performance.now() < channel.heardUntilMs,
    onChange(listener) {
      channel.listeners.add(listener);
      return () => void channel.listeners.delete(listener);
    },
    tellHere: (news) => tell(channel, news),
    async close() {
      const client = channel.session;
      channel.closed = true;
      channel.heardUntilMs = 0;
      channel.session = undefined;
      channel.wake();
      await client?.end().catch(() => undefined);
      await running;
    },
  };
}

function tell(channel: Channel, news: News): void {
  for (const listener of channel.listeners) {
    try {
      listener(news);
    } catch (error) {
      channel.onFault("change", error);
    }
  }
}

async function enter(channel: Channel): Promise<void> {
  const client = new pg.Client({
    ...sessionConfigOf(channel.connection),
    application_name: "turnup changes",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: BEAT_PATIENCE_MS,
    keepAlive: true,
  });
  client.on("error", () => undefined); // `end` follows
  client.on("notification", (note) => {
    if (note.channel === CHANNEL) tell(channel, newsIn(note.payload ?? ""));
  });
  try {
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    client.once("end", () => lost(channel, client));
    channel.session = client;
    tell(channel, "everything"); // what was said while nobody listened; before it is heard again
    await beat(channel, client);
  } catch (error) {
    lost(channel, client);
    client.end().catch(() => undefined);
    throw error;
  }
}

function lost(channel: Channel, client: pg.Client): void {
  if (client !== channel.session) return;
  channel.session = undefined;
  channel.heardUntilMs = 0;
  channel.wake();
}

async function beat(channel: Channel, client: pg.Client): Promise<void> {
  const sentMs = performance.now();
  const { rows } = await client.query<{ pid: number; now: string }>(
    "select pg_backend_pid() as pid, extract(epoch from clock_timestamp()) * 1000 as now",
  );
  const { pid, now } = the(rows);
  if (pid !== processIdOf(client)) return;
  if (client === channel.session) channel.heardUntilMs = sentMs + HEARD_FOR_MS;
  channel.onBeat({ databaseMs: Number(now), sentMs, answeredMs: performance.now() });
}

const pause = (channel: Channel, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    channel.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

async function run(channel: Channel): Promise<void> {
  while (!channel.closed) {
    const client = channel.session;
    try {
      if (!client) await enter(channel);
      else await beat(channel, client);
      await pause(channel, BEAT_MS);
    } catch {
      if (client) lost(channel, client);
      // A session that hangs is not waited for: its end may never come.
      if (client) socketOf(client)?.destroy();
      if (!channel.closed) await sleep(RECONNECT_PAUSE_MS, undefined, { ref: false }); // the database is away; others tell of it
    }
  }
}

/** Of whoever may write to the channel: what cannot be read may mean anything. */
function newsIn(payload: string): News {
  try {
    const { kind, operatorId, version, detail } = membersOf(JSON.parse(payload));
    if (typeof kind !== "string" || typeof operatorId !== "string") return "everything";
    return {
      kind,
      operatorId,
      version: typeof version === "number" ? version : 0,
      ...(typeof detail === "string" ? { detail } : {}),
    };
  } catch {
    return "everything";
  }
}
