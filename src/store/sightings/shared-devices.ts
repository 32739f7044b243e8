/**
 * Handsets that were seen with more than one SIM, and where: what a clone is told by. They are found among the handsets of new orders, since
 * each new pair opens one, and are looked at again and again: two SIMs in one IMEI may go on for months as what they are.
 */
import type { PlaceSeen } from "../../kernel/detection/clone.ts";
import { groupBy } from "../../term/collections.ts";
import type { Database } from "../database/database.ts";
import { START_OF_ORDER } from "../database/page.ts";
import type { Sealer } from "../seal/seal.ts";

const ORDERS_READ = 1_000;
/** An order may be on disk later than one with a later id: what is younger than this is walked at the next look. */
const SETTLED_MS = 120_000;
/** A handset is looked at again after this: half of what `CLONE_WINDOW_MS` compares would do. */
const LOOK_AGAIN_MS = 6 * 3_600_000;
/** Sights of one handset that are compared. */
const SIGHTS_MAX = 200;

type SharedDevice = {
  readonly deviceId: string;
  readonly operatorId: string;
  readonly imei: string;
  readonly seen: readonly PlaceSeen[];
};

type SharedDevices = {
  /** Looks for new ones among an operator's orders; answers whether there is more to walk. */
  gather(operatorId: string): Promise<boolean>;
  /** Handsets that a SIM just came into: those with several are due at once. Answers how many. */
  seen(operatorId: string, deviceIds: readonly string[]): Promise<number>;
  /** The next that are due, with their sights since; they are due again later. */
  take(limit: number, sinceMs: number): Promise<readonly SharedDevice[]>;
};

const CURSOR = {
  name: "shared_device_cursor", // shared_device_cursor_pkey
  text: `select order_id as "orderId" from shared_device_cursor where operator_id = $1`,
};
const WALK = {
  name: "walk_orders_for_shared_devices", // provisioning_order_by_id
  text: `select id, device_id as "deviceId" from provisioning_order
          where operator_id = $1 and id > $2 and created_at <= $3 order by id limit ${ORDERS_READ}`,
};
const INSERT_SHARED = `insert into shared_device (device_id, operator_id, looked_at)
         select q.id, $1::uuid, '-infinity'::timestamptz from unnest($2::uuid[]) as q(id)
          where (select count(*) from (select from pairing where device_id = q.id limit 2) p) > 1
          order by q.id
             on conflict (device_id)`;
const MARK = {
  name: "mark_shared_devices", // pairing_of_device, shared_device_pkey
  text: `${INSERT_SHARED} do nothing`,
};
const MARK_ANEW = {
  name: "mark_shared_devices_anew", // pairing_of_device, shared_device_pkey
  text: `${INSERT_SHARED} do update set looked_at = excluded.looked_at`,
};
const MOVE_CURSOR = {
  name: "move_shared_device_cursor", // shared_device_cursor_pkey
  text: `insert into shared_device_cursor (operator_id, order_id) values ($1, $2)
             on conflict (operator_id) do update set order_id = greatest(shared_device_cursor.order_id, excluded.order_id)`,
};
const TAKE = {
  name: "take_shared_devices", // shared_device_due, shared_device_pkey
  text: `update shared_device set looked_at = $1
          where device_id in (select device_id from shared_device where looked_at < $2 order by looked_at limit $3 for update skip locked)
      returning device_id as "deviceId"`,
};
const IMEIS = {
  name: "imeis_of_shared_devices", // device_pkey
  text: `select id as "deviceId", operator_id as "operatorId", imei_sealed as sealed from device where id = any($1::uuid[])`,
};
/**
 * Where each SIM is now, and where it came into the handset. What the applet on a card reports bears no place: its SIM is taken to be at
 * home, and that proves nothing.
 */
const SIGHTS = {
  name: "sights_of_shared_devices", // pairing_of_device, sighting_of_subscriber
  text: `select v.device_id as "deviceId", v.subscriber_id as "subscriberId", v.plmn, v.at
           from unnest($1::uuid[]) as q(id)
          cross join lateral (
            select p.device_id, p.subscriber_id, p.serving_plmn as plmn, p.last_seen_at as at
              from pairing p
             where p.device_id = q.id and p.last_seen_at >= $2
               and not exists (select from sighting s where s.operator_id = p.operator_id and s.subscriber_id = p.subscriber_id
                                and s.device_id = p.device_id and s.source = 'applet')
             union all
            select s.device_id, s.subscriber_id, s.serving_plmn, s.seen_at
              from pairing p
              join sighting s on s.operator_id = p.operator_id and s.subscriber_id = p.subscriber_id and s.device_id = p.device_id
             where p.device_id = q.id and s.seen_at >= $2 and s.source <> 'applet'
             order by at desc limit ${SIGHTS_MAX}) v`,
};
type Sight = {
  readonly deviceId: string;
  readonly subscriberId: string;
  readonly plmn: string | null;
  readonly at: Date;
};

export function createSharedDevices(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
  /** ISO country of a network, by what the operator says of it; null where it tells no place. */
  readonly countryOfNetwork: (plmn: string, operatorId: string) => string | null;
}): SharedDevices {
  const { database, sealer, clock, countryOfNetwork } = deps;
  return {
    async gather(operatorId) {
      const cursor = await database.one<{ orderId: string }>(CURSOR, [operatorId]);
      const settled = new Date(clock().getTime() - SETTLED_MS);
      const from = cursor?.orderId ?? START_OF_ORDER;
      const orders = await database.rows<{ id: string; deviceId: string | null }>(WALK, [
        operatorId,
        from,
        settled,
      ]);
      const last = orders.at(-1);
      if (!last) return false;
      const deviceIds = [...new Set(orders.flatMap(({ deviceId }) => (deviceId === null ? [] : [deviceId])))];
      await database.transaction(async (tx) => {
        await tx.run(MARK, [operatorId, deviceIds]);
        await tx.run(MOVE_CURSOR, [operatorId, last.id]);
      });
      return orders.length === ORDERS_READ;
    },
    seen: (operatorId, deviceIds) => database.run(MARK_ANEW, [operatorId, [...new Set(deviceIds)]]),
    async take(limit, sinceMs) {
      const now = clock();
      const due = new Date(now.getTime() - LOOK_AGAIN_MS);
      const taken = await database.rows<{ deviceId: string }>(TAKE, [now, due, limit]);
      if (taken.length === 0) return [];
      const ids = taken.map(({ deviceId }) => deviceId);
      const devices = await database.rows<{ deviceId: string; operatorId: string; sealed: Buffer }>(IMEIS, [
        ids,
      ]);
      const sights = groupBy(
        await database.rows<Sight>(SIGHTS, [ids, new Date(sinceMs)]),
        ({ deviceId }) => deviceId,
      );
      return devices.map(({ deviceId, operatorId, sealed }) => ({
        deviceId,
        operatorId,
        imei: sealer.open("imei", sealed),
        seen: (sights.get(deviceId) ?? []).map(({ subscriberId, plmn, at }) => ({
          subscriberId,
          country: plmn === null ? null : countryOfNetwork(plmn, operatorId),
          seenMs: at.getTime(),
        })),
      }));
    },
  };
}
