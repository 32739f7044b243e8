/** The rows that a sighting becomes: statements and bulk writers. Each statement names the index that it runs on. */
import type { ReadSighting } from "../../kernel/detection/read-sighting.ts";
import type { SightingInput, SightingSource } from "../../kernel/detection/sighting.ts";
import { bulkInsert, bulkUpdate } from "../database/bulk.ts";
import { slotAt } from "../orders/updated-slot.ts";

/** An order that waits may wait this long before its own policy takes over. */
const WAIT_DEADLINE_MS = 7 * 86_400_000;

/** A sighting with the blind indexes that find its SIM and its handset. */
export type Row = ReadSighting & {
  readonly operatorId: string;
  /** The SIM in the memory of readings. */
  readonly sim: string;
  readonly input: SightingInput;
  readonly source: SightingSource;
  readonly imsiIndex: Buffer;
  readonly imeiIndex: Buffer;
  readonly msisdnIndex: Buffer | null;
};

/**
 * Each row by its own three index probes. As plain joins the planner sees that all three tables share an operator and,
 * while it has no statistics, reads every subscriber of the operator for every row.
 */
export const LOOK_UP = {
  name: "look_up_pairs", // subscriber_operator_id_imsi_index_key, device_operator_id_imei_index_key, pairing_current
  text: `select q.at::int as at, s.id as "subscriberId", s.msisdn_index as "msisdnIndex", s.gid1, s.spn,
                s.iccid_sealed is not null as "hasIccid", d.id as "deviceId",
                p.device_id as "currentDeviceId", p.last_seen_at as "lastSeenAt", p.id as "pairingId", p.serving_plmn as "servingPlmn"
           from unnest($1::uuid[], $2::bytea[], $3::bytea[]) with ordinality as q(operator_id, imsi_index, imei_index, at)
          cross join lateral (select id, msisdn_index, gid1, spn, iccid_sealed from subscriber
                               where operator_id = q.operator_id and imsi_index = q.imsi_index limit 1) s
          cross join lateral (select id from device
                               where operator_id = q.operator_id and imei_index = q.imei_index limit 1) d
          cross join lateral (select id, device_id, last_seen_at, serving_plmn from pairing
                               where subscriber_id = s.id and is_current limit 1) p`,
};
export const TOUCH = {
  name: "touch_pairings", // pairing_pkey; whoever holds one at this moment writes it itself
  text: `update pairing p set last_seen_at = v.seen_at
           from (select x.id, q.seen_at from unnest($1::uuid[], $2::timestamptz[]) as q(id, seen_at)
                   join pairing x on x.id = q.id where x.last_seen_at < q.seen_at
                  order by x.id for update of x skip locked) v
          where p.id = v.id`,
};
/** Where a stay goes on: the network that serves the SIM now. */
export const PLACE = {
  name: "place_pairings", // pairing_pkey
  text: `update pairing p set serving_plmn = v.plmn from unnest($1::uuid[], $2::text[]) as v(id, plmn)
          where p.id = v.id and p.serving_plmn is distinct from v.plmn`,
};
export const insertSubscribers = bulkInsert<NewSubscriber>(
  "subscriber",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "imsi_index", type: "bytea", value: (row) => row.imsiIndex },
    { name: "imsi_sealed", type: "bytea", value: (row) => row.imsiSealed },
    { name: "home_plmn", type: "text", value: (row) => row.homePlmn },
    { name: "msisdn_index", type: "bytea", value: (row) => row.msisdnIndex },
    { name: "msisdn_sealed", type: "bytea", value: (row) => row.msisdnSealed },
    { name: "iccid_sealed", type: "bytea", value: (row) => row.iccidSealed },
    { name: "gid1", type: "text", value: (row) => row.gid1 },
    { name: "spn", type: "text", value: (row) => row.spn },
  ],
  "on conflict (operator_id, imsi_index) do nothing returning id",
);
/** What is told of a SIM beside where it is, as its row holds it. */
export type ToldColumns = Pick<Row, "msisdnIndex" | "gid1" | "spn"> & {
  readonly msisdnSealed: Buffer | null;
  readonly iccidSealed: Buffer | null;
};
type NewSubscriber = Pick<Row, "operatorId" | "imsiIndex" | "homePlmn"> &
  ToldColumns & {
    readonly id: string;
    readonly imsiSealed: Buffer;
  };
export const insertDevices = bulkInsert<NewDevice>(
  "device",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "imei_index", type: "bytea", value: (row) => row.imeiIndex },
    { name: "imei_sealed", type: "bytea", value: (row) => row.imeiSealed },
    { name: "tac", type: "text", value: (row) => row.tac },
    { name: "software_version", type: "text", value: (row) => row.softwareVersion },
  ],
  "on conflict (operator_id, imei_index) do nothing",
);
type NewDevice = Pick<Row, "operatorId" | "imeiIndex" | "tac" | "softwareVersion"> & {
  readonly id: string;
  readonly imeiSealed: Buffer;
};

export const LOCK_SUBSCRIBERS = {
  name: "lock_subscribers", // subscriber_operator_id_imsi_index_key, subscriber_pkey
  text: `select s.id, s.operator_id as "operatorId", s.imsi_index as "imsiIndex", s.msisdn_index as "msisdnIndex",
                s.msisdn_sealed as "msisdnSealed", s.gid1, s.spn, s.iccid_sealed is not null as "hasIccid"
           from subscriber s
          where s.id = any(array(
                  select k.id from unnest($1::uuid[], $2::bytea[]) as q(operator_id, imsi_index)
                   cross join lateral (select id from subscriber
                                        where operator_id = q.operator_id and imsi_index = q.imsi_index limit 1) k))
          order by s.id for update of s`,
};
export const DEVICE_IDS = {
  name: "device_ids", // device_operator_id_imei_index_key
  text: `select d.id, d.operator_id as "operatorId", d.imei_index as "imeiIndex"
           from unnest($1::uuid[], $2::bytea[]) as q(operator_id, imei_index)
          cross join lateral (select id, operator_id, imei_index from device
                               where operator_id = q.operator_id and imei_index = q.imei_index limit 1) d`,
};
export const PAIRINGS_OF = {
  name: "pairings_of", // pairing_subscriber_id_device_id_key, device_pkey
  text: `select p.id, p.subscriber_id as "subscriberId", p.device_id as "deviceId", p.since, p.last_seen_at as "lastSeenAt",
                p.is_current as "isCurrent", (select imei_index from device where id = p.device_id and p.is_current) as "imeiIndex"
           from pairing p where p.subscriber_id = any($1::uuid[])`,
};
export const LEAVE = {
  name: "leave_handsets", // pairing_pkey
  text: "update pairing set is_current = false where id = any($1::uuid[])",
};
export const upsertPairings = bulkInsert<PairingWrite>(
  "pairing",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
    { name: "device_id", type: "uuid", value: (row) => row.deviceId },
    { name: "first_seen_at", type: "timestamptz", value: (row) => row.since },
    { name: "last_seen_at", type: "timestamptz", value: (row) => row.lastSeenAt },
    { name: "since", type: "timestamptz", value: (row) => row.since },
    { name: "is_current", type: "boolean", value: (row) => row.isCurrent },
    { name: "serving_plmn", type: "text", value: (row) => row.servingPlmn },
  ],
  `on conflict (subscriber_id, device_id) do update
     set last_seen_at = greatest(pairing.last_seen_at, excluded.last_seen_at), is_current = excluded.is_current,
         serving_plmn = case when excluded.last_seen_at >= pairing.last_seen_at then excluded.serving_plmn else pairing.serving_plmn end,
         first_seen_at = least(pairing.first_seen_at, excluded.first_seen_at),
         since = case when excluded.is_current then excluded.since else pairing.since end`,
);
export type PairingWrite = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  since: Date;
  lastSeenAt: Date;
  isCurrent: boolean;
  readonly servingPlmn: string;
};
/** What is null is not told, and stays. */
export const updateSubscribers = bulkUpdate<ToldColumns & { readonly id: string }>("subscriber", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "msisdn_index", type: "bytea", value: (row) => row.msisdnIndex, keep: true },
  { name: "msisdn_sealed", type: "bytea", value: (row) => row.msisdnSealed, keep: true },
  { name: "iccid_sealed", type: "bytea", value: (row) => row.iccidSealed, keep: true },
  { name: "gid1", type: "text", value: (row) => row.gid1, keep: true },
  { name: "spn", type: "text", value: (row) => row.spn, keep: true },
]);
/** Written with a SIM that is new, and somebody else's as it turned out. */
export const UNWRITE_NUMBERS = {
  name: "unwrite_numbers", // subscriber_pkey
  text: "update subscriber set msisdn_index = null, msisdn_sealed = null where id = any($1::uuid[])",
};
/** What somebody ordered for a SIM that was never seen, in which handset; what came to nothing is none. */
export const ASKED_BEFORE = {
  name: "orders_before_first_sighting", // provisioning_order_of_subscriber
  text: `select o.id, o.subscriber_id as "subscriberId", o.device_id as "deviceId"
           from unnest($1::uuid[]) as q(id)
          cross join lateral (select id, subscriber_id, device_id, cause from provisioning_order
                               where subscriber_id = q.id and state in ('received', 'waiting', 'provisioning', 'completed')
                               order by id desc limit 20) o
          where o.cause = 'requested' and o.device_id is not null`,
};
/**
 * Orders of these SIMs are due at once: what waited may have what it waited for, and what was open when a SIM moved on
 * is left to the order of the move. One that a conductor is just deciding about is waited for, so that none is missed.
 */
export const WAKE = {
  name: "wake_orders_of_subscribers", // provisioning_order_of_subscriber, provisioning_order_pkey
  text: `update provisioning_order o set due_at = least(o.due_at, $3)
           from (select id from provisioning_order
                  where id = any(array(
                          select open.id from unnest($1::uuid[], $2::boolean[]) as q(id, has_moved)
                           cross join lateral (select id, state from provisioning_order
                                                where subscriber_id = q.id
                                                  and state in ('received', 'waiting', 'provisioning')
                                                order by id desc limit 20) open
                           where q.has_moved or open.state <> 'provisioning'))
                    and due_at is not null
                  order by id for update) v
          where o.id = v.id`,
};
export const insertSightings = bulkInsert<NewSighting>("sighting", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "device_id", type: "uuid", value: (row) => row.deviceId },
  { name: "serving_plmn", type: "text", value: (row) => row.row.servingPlmn },
  { name: "source", type: "text", value: (row) => row.row.source },
  { name: "applet_home", type: "text", value: (row) => row.row.appletHome },
  { name: "outcome", type: "text", value: (row) => row.outcome },
  { name: "seen_at", type: "timestamptz", value: (row) => new Date(row.row.seenMs) },
]);
export type NewSighting = {
  readonly id: string;
  readonly row: Row;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly outcome: string;
};
export const insertOrders = bulkInsert<NewOrder>("provisioning_order", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "device_id", type: "uuid", value: (row) => row.deviceId },
  { name: "cause", type: "text", value: (row) => row.cause },
  { name: "network_kind", type: "text", value: (row) => row.networkKind },
  { name: "market", type: "text", value: (row) => row.market },
  { name: "serving_plmn", type: "text", value: (row) => row.servingPlmn },
  { name: "state", type: "text", value: () => "received" },
  { name: "reason", type: "text", value: () => "seen on the network" },
  { name: "next_action", type: "text", value: () => "judge the handset" },
  { name: "due_at", type: "timestamptz", value: (row) => row.now },
  {
    name: "deadline_at",
    type: "timestamptz",
    value: (row) => new Date(row.now.getTime() + WAIT_DEADLINE_MS),
  },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
  { name: "updated_at", type: "timestamptz", value: (row) => row.now },
  { name: "updated_slot", type: "timestamptz", value: (row) => slotAt(row.now) },
]);
export type NewOrder = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cause: "first_registration" | "sim_moved";
  readonly networkKind: string;
  readonly market: string | null;
  readonly servingPlmn: string;
  readonly now: Date;
};
export const insertOrderEvents = bulkInsert<NewOrder & { readonly eventId: string }>("order_event", [
  { name: "id", type: "uuid", value: (row) => row.eventId },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.id },
  { name: "kind", type: "text", value: () => "order_received" },
  { name: "state", type: "text", value: () => "received" },
  {
    name: "reason",
    type: "text",
    value: (row) =>
      row.cause === "first_registration"
        ? "the SIM registered for the first time"
        : "the SIM moved to another handset",
  },
  { name: "at", type: "timestamptz", value: (row) => row.now },
]);
