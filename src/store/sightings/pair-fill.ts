/**
 * What is on disk of all pairs, into the memory of a server that just started, or that may have missed word of changes: one
 * COPY in binary, read as it comes, beside everything else that the server does. A pair that changes meanwhile is left out.
 * Source of the format: PostgreSQL, COPY, "Binary Format".
 */
import pg from "pg";
import { dropOldest } from "../../term/collections.ts";
import { copyOutEach } from "../database/copy.ts";
import { sessionConfigOf, socketOf } from "../database/driver.ts";
import type { PairMemory } from "./pair-memory.ts";

/** The columns that many rows have alike come first: their octets are looked at once for all. */
const PAIRS = `copy (
  select s.operator_id, coalesce(p.serving_plmn, ''), s.gid1, s.spn, s.iccid_sealed is not null,
         substr(s.imsi_index, 1, 8), substr(d.imei_index, 1, 4), substr(s.msisdn_index, 1, 4), p.last_seen_at
    from pairing p join subscriber s on s.id = p.subscriber_id join device d on d.id = p.device_id
   where p.is_current
) to stdout with (format binary)`;
const COLUMNS = 9;
const COLUMNS_ALIKE = 5;
/** What the file begins with: a signature of 11 octets, flags, and the length of an extension. */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const HEADER_OCTETS = 19;
const NULL = -1;
const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 10_000;
const CANCEL_POLL_MS = 250;
/** Operators with their networks and names that are kept at once. */
const ALIKES_MAX = 10_000;
const MS_OF_2000 = Date.UTC(2000, 0, 1);
/** Sorting and joining ten millions in the usual 4 MiB goes over the disk. */
const WORK_MEMORY = "256MB";

/** Answers how many pairs were read; `isCancelled` ends it early. */
export async function fillPairs(
  connection: pg.PoolConfig,
  memory: PairMemory,
  isCancelled: () => boolean,
): Promise<number> {
  const asking = memory.ask();
  const client = new pg.Client({
    ...sessionConfigOf(connection),
    application_name: "turnup pairs",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on("error", () => undefined); // the statement fails with it
  let read = 0;
  const row = rowReader();
  // It may wait for a lock, for a join or for a machine that is gone: no row comes then.
  const watch = setInterval(() => {
    if (isCancelled()) socketOf(client)?.destroy();
  }, CANCEL_POLL_MS);
  try {
    await client.connect();
    await client.query(
      `begin; set local work_mem = '${WORK_MEMORY}'; set local statement_timeout = 0; set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
    );
    await copyOutEach(client, PAIRS, (chunk) => {
      const pair = row(chunk);
      if (pair) asking.know(pair);
      if (pair) read++;
      return !isCancelled();
    });
    return read;
  } catch (error) {
    if (isCancelled()) return read;
    throw error;
  } finally {
    clearInterval(watch);
    asking.end();
    await client.end().catch(() => undefined);
  }
}

type Alike = {
  operatorId: string;
  servingPlmn: string;
  gid1: string | null;
  spn: string | null;
  hasIccid: boolean;
};

/** Reads one row a chunk, as PostgreSQL sends them; undefined for the end of the file. */
function rowReader() {
  const alikes = new Map<string, Alike>();
  return (chunk: Buffer) => {
    const begin = chunk.indexOf(SIGNATURE) === 0 ? HEADER_OCTETS : 0;
    if (chunk.length < begin + 2 || chunk.readInt16BE(begin) !== COLUMNS) return undefined;
    let at = begin + 2;
    for (let column = 0; column < COLUMNS_ALIKE; column++) at += 4 + Math.max(0, chunk.readInt32BE(at));
    const text = chunk.toString("latin1", begin + 2, at);
    let alike = alikes.get(text);
    if (!alike) {
      alike = readAlike(chunk, begin + 2);
      alikes.set(text, alike);
      dropOldest(alikes, ALIKES_MAX);
    }
    const next = (): Buffer | null => {
      const length = chunk.readInt32BE(at);
      const from = at + 4;
      at = from + Math.max(0, length);
      return length === NULL ? null : chunk.subarray(from, at);
    };
    const [imsiIndex, imeiIndex, msisdnIndex, seenAt] = [next(), next(), next(), next()];
    if (!imsiIndex || !imeiIndex || !seenAt) return undefined;
    const lastSeenMs = MS_OF_2000 + Number(seenAt.readBigInt64BE(0)) / 1_000;
    return { ...alike, imsiIndex, imeiIndex, msisdnIndex, lastSeenMs };
  };
}

function readAlike(chunk: Buffer, from: number): Alike {
  let at = from;
  const next = (): Buffer | null => {
    const length = chunk.readInt32BE(at);
    const begin = at + 4;
    at = begin + Math.max(0, length);
    return length === NULL ? null : chunk.subarray(begin, at);
  };
  const id = next()?.toString("hex") ?? "";
  const operatorId = `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
  const [servingPlmn, gid1, spn, hasIccid] = [next(), next(), next(), next()];
  return {
    operatorId,
    servingPlmn: servingPlmn?.toString() ?? "",
    gid1: gid1?.toString() ?? null,
    spn: spn?.toString() ?? null,
    hasIccid: hasIccid?.[0] === 1,
  };
}
