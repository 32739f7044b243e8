/**
 * What handsets said of themselves, and on which radios they were seen: gathered in memory, each handset and source once however often it
 * came, and written every other second. A server that is killed loses that much, which comes again.
 */
import { nextSaid } from "../../kernel/detection/keep-said.ts";
import type { HandsetSaid } from "../../kernel/detection/propose-model.ts";
import { RADIO_TYPES, type RadioType } from "../../kernel/detection/radio-type.ts";
import { handsetOf } from "../../kernel/detection/read-sighting.ts";
import { SAID_CHARACTERS_MAX, type Said, type SaidSource } from "../../kernel/detection/said-of-device.ts";
import { groupBy } from "../../term/collections.ts";
import { keysOf } from "../../term/record.ts";
import { bulkInsert } from "../database/bulk.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Which handset: by its number, in any form that sightings may have it, or by the order whose link it opened. */
type WhichDevice = { readonly imei: string } | { readonly orderId: string };
type Heard = { readonly operatorId: string; readonly device: WhichDevice; readonly at: Date } & (
  | { readonly source: SaidSource; readonly value: string }
  | { readonly radio: RadioType }
);

/** Different handsets and sources that are kept between two writes; more are not noted. */
const WAITING_MAX = 20_000;
/** Handsets and radios that were written already, so that each session of each day writes nothing. */
const WRITTEN_MAX = 200_000;
/** What of an IMEI never varies: without its check digit. */
const IMEI_INDEX_DIGITS = 14;
/** Handsets of one TAC whose words are read: they tell enough. */
const HANDSETS_READ_MAX = 200;

/** What is known of a handset that may bear a false IMEI. */
type DeviceWords = {
  readonly deviceId: string;
  readonly operatorId: string;
  readonly tac: string;
  readonly said: readonly Said[];
  readonly radios: readonly RadioType[];
};

export type DeviceStatements = {
  note(heard: Heard): void;
  /** Writes what waits; answers all that is known of the handsets of which something was news. */
  flush(): Promise<readonly DeviceWords[]>;
  /** All that is known of these handsets. */
  ofDevices(deviceIds: readonly string[]): Promise<readonly DeviceWords[]>;
  /** By TAC: what its handsets said, and the radios that they were seen on. */
  ofTacs(operatorId: string, tacs: readonly string[]): Promise<ReadonlyMap<string, TacWords>>;
};
type TacWords = { readonly radios: readonly RadioType[]; readonly handsets: readonly HandsetSaid[] };

type Deps = { readonly database: Database; readonly sealer: Sealer };

export function createDeviceStatements(deps: Deps): DeviceStatements {
  let waiting = new Map<string, Heard>();
  const written = writtenRadios();
  return {
    note(heard) {
      const { operatorId, device } = heard;
      if ("radio" in heard && written.has(heard)) return;
      const what = "radio" in heard ? heard.radio : heard.source;
      const key = `${operatorId} ${"imei" in device ? device.imei : device.orderId} ${what}`;
      const before = waiting.get(key);
      if (before ? before.at > heard.at : waiting.size >= WAITING_MAX) return;
      waiting.set(key, heard);
    },
    async flush() {
      const taken = waiting;
      waiting = new Map();
      const words: DeviceWords[] = [];
      try {
        for (const [operatorId, all] of groupBy([...taken.values()], (one) => one.operatorId))
          words.push(...(await write(deps, operatorId, all)));
      } catch (error) {
        waiting = new Map([...taken, ...waiting]); // what is newer counts; nothing is lost while the database is away
        throw error;
      }
      for (const heard of taken.values()) if ("radio" in heard) written.add(heard);
      return words;
    },
    ofDevices: (deviceIds) => wordsOf(deps.database, deviceIds),
    ofTacs: (operatorId, tacs) => wordsOfTacs(deps.database, operatorId, tacs),
  };
}

type HeardRadio = Extract<Heard, { readonly radio: RadioType }>;

/** Asked with each session: by operator and text of the number, each radio a bit, so that nothing is made to look it up. */
function writtenRadios() {
  const bits = new Map(keysOf(RADIO_TYPES).map((radio, at) => [radio, 1 << at]));
  const byOperator = new Map<string, Map<string, number>>();
  let size = 0;
  const textOf = (device: WhichDevice): string => ("imei" in device ? device.imei : device.orderId);
  return {
    has: ({ operatorId, device, radio }: HeardRadio): boolean =>
      ((byOperator.get(operatorId)?.get(textOf(device)) ?? 0) & (bits.get(radio) ?? 0)) !== 0,
    add({ operatorId, device, radio }: HeardRadio): void {
      if (size >= WRITTEN_MAX) {
        byOperator.clear();
        size = 0;
      }
      const own = byOperator.get(operatorId) ?? new Map<string, number>();
      byOperator.set(operatorId, own);
      const before = own.get(textOf(device));
      if (before === undefined) size++;
      own.set(textOf(device), (before ?? 0) | (bits.get(radio) ?? 0));
    },
  };
}

// Which handsets they are of.

const BY_IMEI = {
  name: "statement_devices_by_imei", // device_operator_id_imei_index_key
  text: `select encode(imei_index, 'hex') as key, id from device where operator_id = $1 and imei_index = any($2::bytea[])`,
};
const BY_ORDER = {
  name: "statement_devices_by_order", // provisioning_order_pkey
  text: `select id::text as key, device_id as id from provisioning_order where operator_id = $1 and id = any($2::uuid[])`,
};
type Found = { readonly key: string; readonly id: string };

const keyOf = (sealer: Sealer, operatorId: string, device: WhichDevice): string =>
  "orderId" in device
    ? device.orderId
    : sealer
        .blindIndex("imei", operatorId, handsetOf({ imei: device.imei }).slice(0, IMEI_INDEX_DIGITS))
        .toString("hex");

/** By key; a handset that the operator never saw is nobody's, and what it says is not kept. */
async function devicesOf(
  { database, sealer }: Deps,
  operatorId: string,
  all: readonly Heard[],
): Promise<ReadonlyMap<string, string>> {
  const orders = all.flatMap(({ device }) => ("orderId" in device ? [device.orderId] : []));
  const imeis = all.flatMap(({ device }) =>
    "imei" in device ? [Buffer.from(keyOf(sealer, operatorId, device), "hex")] : [],
  );
  const found: Found[] = [];
  if (orders.length > 0) found.push(...(await database.rows<Found>(BY_ORDER, [operatorId, orders])));
  if (imeis.length > 0) found.push(...(await database.rows<Found>(BY_IMEI, [operatorId, imeis])));
  return new Map(found.map(({ key, id }) => [key, id]));
}

// The rows.

type SaidRow = Said & { readonly deviceId: string; readonly saidAt: Date };
const LOCK_SAID = {
  name: "lock_device_statements", // device_statement_pkey; in one order, so that two servers never wait for each other
  text: `select device_id as "deviceId", source, value, days as times, said_at as "saidAt"
           from device_statement where device_id = any($1::uuid[]) order by device_id, source for update`,
};
const putSaid = bulkInsert<SaidRow & { readonly operatorId: string }>(
  "device_statement",
  [
    { name: "device_id", type: "uuid", value: (row) => row.deviceId },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "source", type: "text", value: (row) => row.source },
    { name: "value", type: "text", value: (row) => row.value },
    { name: "days", type: "int4", value: (row) => row.times },
    { name: "first_said_at", type: "timestamptz", value: (row) => row.saidAt },
    { name: "said_at", type: "timestamptz", value: (row) => row.saidAt },
  ],
  `on conflict (device_id, source) do update
     set value = excluded.value, days = excluded.days, said_at = excluded.said_at
   where device_statement.said_at <= excluded.said_at`,
);
type RadioRow = {
  readonly deviceId: string;
  readonly operatorId: string;
  readonly radio: string;
  readonly at: Date;
};
const putRadios = bulkInsert<RadioRow>(
  "device_radio",
  [
    { name: "device_id", type: "uuid", value: (row) => row.deviceId },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "radio", type: "text", value: (row) => row.radio },
    { name: "first_seen_at", type: "timestamptz", value: (row) => row.at },
  ],
  "on conflict (device_id, radio) do nothing",
);

async function write(deps: Deps, operatorId: string, all: readonly Heard[]): Promise<DeviceWords[]> {
  const devices = await devicesOf(deps, operatorId, all);
  const said: (Heard & { readonly source: SaidSource; readonly value: string; readonly deviceId: string })[] =
    [];
  const radios: RadioRow[] = [];
  for (const heard of all) {
    const deviceId = devices.get(keyOf(deps.sealer, operatorId, heard.device));
    if (deviceId === undefined) continue;
    if ("radio" in heard) radios.push({ deviceId, operatorId, radio: heard.radio, at: heard.at });
    else said.push({ ...heard, deviceId, value: plainText(heard.value) });
  }
  const touched = [...new Set([...said, ...radios].map(({ deviceId }) => deviceId))].sort();
  if (touched.length === 0) return [];
  return await deps.database.transaction(async (tx) => {
    await writeSaid(tx, operatorId, said);
    radios.sort((one, other) => (one.deviceId < other.deviceId ? -1 : 1));
    await putRadios(tx, radios);
    return await wordsOf(tx, touched);
  });
}

/** PostgreSQL keeps no NUL in a text. */
const plainText = (text: string): string => text.replaceAll("\0", "").slice(0, SAID_CHARACTERS_MAX);

type HeardOf = {
  readonly deviceId: string;
  readonly source: SaidSource;
  readonly value: string;
  readonly at: Date;
};

async function writeSaid(tx: Tx, operatorId: string, heard: readonly HeardOf[]): Promise<void> {
  if (heard.length === 0) return;
  const ids = [...new Set(heard.map(({ deviceId }) => deviceId))];
  const rows = await tx.rows<SaidRow>(LOCK_SAID, [ids]);
  const kept = new Map(rows.map((row) => [`${row.deviceId} ${row.source}`, row]));
  for (const one of heard) {
    const key = `${one.deviceId} ${one.source}`;
    kept.set(key, { deviceId: one.deviceId, ...nextSaid(kept.get(key), one) });
  }
  const changed = [...kept.values()].filter((row) => !rows.includes(row));
  changed.sort((one, other) =>
    `${one.deviceId} ${one.source}` < `${other.deviceId} ${other.source}` ? -1 : 1,
  );
  await putSaid(
    tx,
    changed.map((row) => ({ ...row, operatorId })),
  );
}

// What is known of them.

const WORDS_OF = {
  name: "words_of_devices", // device_pkey, device_statement_pkey, device_radio_pkey
  text: `select d.id as "deviceId", d.operator_id as "operatorId", d.tac,
                coalesce((select json_agg(json_build_object('source', s.source, 'value', s.value, 'times', s.days) order by s.source)
                            from device_statement s where s.device_id = d.id), '[]') as said,
                array(select r.radio from device_radio r where r.device_id = d.id order by r.radio) as radios
           from device d where d.id = any($1::uuid[])`,
};
const wordsOf = (db: Db, deviceIds: readonly string[]): Promise<DeviceWords[]> =>
  db.rows<DeviceWords>(WORDS_OF, [deviceIds]);

const OF_TACS = {
  name: "words_of_tacs", // device_by_tac, device_statement_pkey, device_radio_pkey
  text: `select d.id as "deviceId", d.tac, w.said, w.radios
           from unnest($2::text[]) as q(tac)
          cross join lateral (select id, tac from device where operator_id = $1 and tac = q.tac order by id desc limit 10000) d
          cross join lateral (
            select (select json_agg(json_build_object('source', s.source, 'value', s.value, 'times', s.days) order by s.source)
                      from device_statement s where s.device_id = d.id) as said,
                   array(select r.radio from device_radio r where r.device_id = d.id order by r.radio) as radios) w
          where w.said is not null or cardinality(w.radios) > 0`,
};
type TacRow = Pick<DeviceWords, "deviceId" | "tac" | "radios"> & { readonly said: readonly Said[] | null };

async function wordsOfTacs(
  database: Database,
  operatorId: string,
  tacs: readonly string[],
): Promise<ReadonlyMap<string, TacWords>> {
  const rows = await database.rows<TacRow>(OF_TACS, [operatorId, tacs]);
  return new Map(
    [...groupBy(rows, ({ tac }) => tac)].map(([tac, all]) => [
      tac,
      {
        radios: [...new Set(all.flatMap(({ radios }) => radios))].sort(),
        handsets: all
          .flatMap(({ deviceId, said }) => (said === null ? [] : [{ deviceId, said }]))
          .slice(0, HANDSETS_READ_MAX),
      },
    ]),
  );
}
