/** What applications of handsets were seen to fail at, by the blind index of the device, which need not be known yet. */
import { TELLING_KINDS, type Told, tellsOfApplications } from "../../kernel/support/applications.ts";
import type { SeenSymptom, SymptomInput } from "../../kernel/support/symptoms.ts";
import { getFrom } from "../../term/collections.ts";
import { type Imei, imei14Of } from "../../term/imei.ts";
import type { Db } from "../database/database.ts";
import { historyOf } from "../orders/event-rows.ts";
import type { Sealer } from "../seal/seal.ts";

/** Of one handset in one record: beyond it, older ones say nothing new. */
const SYMPTOMS_OF_DEVICE_MAX = 16;

const NOTE = {
  name: "note_symptoms", // symptom_pkey
  text: `insert into symptom as s (operator_id, imei_index, application, server, apn, cause, source, attempts, first_seen_at, last_seen_at)
         select $1, v.imei_index, v.application, v.server, v.apn, v.cause, v.source, v.attempts, v.first_seen_at, v.seen_at
           from unnest($2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::timestamptz[],
                       $10::timestamptz[])
             as v(imei_index, application, server, apn, cause, source, attempts, seen_at, first_seen_at)
          order by v.imei_index, v.application, v.server -- two batches take their rows in one order
             on conflict (operator_id, imei_index, application, server) do update
            set (apn, cause, source) = -- of the latest attempt, in whatever order they are told
                  (select l.apn, l.cause, l.source from (values (s.apn, s.cause, s.source, s.last_seen_at),
                     (excluded.apn, excluded.cause, excluded.source, excluded.last_seen_at)) as l(apn, cause, source, at)
                    order by l.at desc limit 1),
                attempts = s.attempts + excluded.attempts, first_seen_at = least(s.first_seen_at, excluded.first_seen_at),
                last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at)
      returning imei_index as "imeiIndex", application, server, attempts`,
};
/** A handset's present record: its newest order, where it was judged to be left behind, or is to be judged yet. */
const ORDERS_OF = {
  name: "orders_of_symptoms", // device_operator_id_imei_index_key, provisioning_order_of_device
  text: `select d.imei_index as "imeiIndex", o.id, o.verdict is not null as "isJudged" from device d
          cross join lateral (select id, verdict from provisioning_order where device_id = d.id order by id desc limit 1) o
          where d.operator_id = $1 and d.imei_index = any($2::bytea[]) and (o.verdict = 'ended' or o.verdict is null)`,
};
const OF_DEVICES = {
  name: "symptoms_of_devices", // device_pkey, symptom_pkey
  text: `select d.id as "deviceId", s.application, s.server, s.apn, s.cause, s.source, s.last_seen_at as "seenAt"
           from device d cross join lateral (
             select * from symptom where operator_id = d.operator_id and imei_index = d.imei_index
              order by last_seen_at desc limit ${SYMPTOMS_OF_DEVICE_MAX}) s
          where d.id = any($1::uuid[])`,
};
export const DROP_SYMPTOMS = {
  name: "drop_symptoms", // symptom_by_age
  text: "delete from symptom where last_seen_at < $1",
};

type Row = SymptomInput & { readonly index: Buffer; readonly attempts: number; readonly firstSeenAt: Date };
const nameOf = (
  index: Buffer,
  { application, server }: Pick<SymptomInput, "application" | "server">,
): string => `${index.toString("hex")} ${application} ${server}`;

export async function noteSymptoms(
  db: Db,
  sealer: Sealer,
  operatorId: string,
  seen: readonly SymptomInput[],
): Promise<{ readonly isNew: boolean; readonly orderId: string | null }[]> {
  const rows = new Map<string, Row>();
  const names = seen.map((one) => {
    const index = sealer.blindIndex("imei", operatorId, imei14Of(one.imei as Imei)); // the kernel has read it
    const name = nameOf(index, one);
    const known = rows.get(name);
    // One statement may not touch a row twice: the latest of a batch speaks for all of them.
    const latest = known && known.seenAt > one.seenAt ? known : one;
    const firstSeenAt = known && known.firstSeenAt < one.seenAt ? known.firstSeenAt : one.seenAt;
    rows.set(name, { ...latest, index, attempts: (known?.attempts ?? 0) + 1, firstSeenAt });
    return name;
  });
  const all = [...rows.values()];
  const kept = await db.rows<{ imeiIndex: Buffer; application: string; server: string; attempts: number }>(
    NOTE,
    [
      operatorId,
      all.map(({ index }) => index),
      all.map(({ application }) => application),
      all.map(({ server }) => server),
      all.map(({ apn }) => apn),
      all.map(({ cause }) => cause),
      all.map(({ source }) => source),
      all.map(({ attempts }) => attempts),
      all.map(({ seenAt }) => seenAt),
      all.map(({ firstSeenAt }) => firstSeenAt),
    ],
  );
  const fresh = new Set(
    kept
      .map((row) => ({ name: nameOf(row.imeiIndex, row), attempts: row.attempts }))
      .filter(({ name, attempts }) => attempts === rows.get(name)?.attempts)
      .map(({ name }) => name),
  );
  const orders = await ordersOf(db, operatorId, all);
  return names.map((name, at) => {
    const order = orders.get(getFrom(rows, name).index.toString("hex"));
    // An order that is being judged now may have read what is kept before this was: what is known longer, it knows.
    const isItsOwn = order !== undefined && (order.isJudged || fresh.has(name));
    return {
      isNew: fresh.has(name) && names.indexOf(name) === at,
      orderId: isItsOwn ? order.id : null,
    };
  });
}

type RecordRow = { readonly imeiIndex: Buffer; readonly id: string; readonly isJudged: boolean };

async function ordersOf(db: Db, operatorId: string, rows: readonly Row[]): Promise<Map<string, RecordRow>> {
  const found = await db.rows<RecordRow>(ORDERS_OF, [operatorId, rows.map(({ index }) => index)]);
  return new Map(found.map((row) => [row.imeiIndex.toString("hex"), row]));
}

const EVENTS_OF = {
  name: "application_events_of", // order_event_pkey
  text: `select order_id as "orderId", kind, state, evidence, detail, at from (${historyOf("e.order_id = any($1::uuid[])")}) h
          where kind = any($2::text[]) or evidence is not null order by order_id, id`,
};

/** What the histories of orders say of applications and of proof, oldest first. */
export async function applicationEvents(
  db: Db,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Told[]>> {
  if (orderIds.length === 0) return new Map();
  type EventRow = Omit<Told, "at"> & { readonly orderId: string; readonly at: Date };
  const rows = await db.rows<EventRow>(EVENTS_OF, [orderIds, TELLING_KINDS]);
  const found = new Map<string, Told[]>();
  for (const { orderId, at, ...event } of rows.filter(tellsOfApplications)) {
    const told = { ...event, at: at.toISOString() };
    found.set(orderId, [...(found.get(orderId) ?? []), told]);
  }
  return found;
}

export async function symptomsOfDevices(
  db: Db,
  deviceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly SeenSymptom[]>> {
  const found = new Map<string, SeenSymptom[]>();
  if (deviceIds.length === 0) return found;
  for (const { deviceId, ...symptom } of await db.rows<SeenSymptom & { deviceId: string }>(OF_DEVICES, [
    deviceIds,
  ]))
    found.set(deviceId, [...(found.get(deviceId) ?? []), symptom]);
  return found;
}
