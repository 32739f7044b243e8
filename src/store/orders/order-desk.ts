/** Orders by hand: a request for a pair that nobody has seen, resending, cancelling. */
import type { Conductor } from "../../kernel/conductor/conductor.ts";
import { readSighting } from "../../kernel/detection/read-sighting.ts";
import { marketOf } from "../../kernel/operator/market.ts";
import type { OrderDesk } from "../../kernel/order/order-reader.ts";
import { TurnupError } from "../../term/error.ts";
import type { HomePlmnOf } from "../../term/imsi.ts";
import type { Database, Tx } from "../database/database.ts";
import { the } from "../database/driver.ts";
import type { Sealer } from "../seal/seal.ts";
import { WAKE } from "../sightings/intake-rows.ts";
import type { PairMemory } from "../sightings/pair-memory.ts";
import type { PgOrderStore } from "./order-store.ts";

const WAIT_DEADLINE_MS = 7 * 86_400_000;

const UPSERT_SUBSCRIBER = {
  name: "upsert_subscriber", // subscriber_operator_id_imsi_index_key
  text: `insert into subscriber (id, operator_id, imsi_index, imsi_sealed, msisdn_index, msisdn_sealed, home_plmn)
         values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (operator_id, imsi_index) do update
            set msisdn_index = coalesce(excluded.msisdn_index, subscriber.msisdn_index),
                msisdn_sealed = coalesce(excluded.msisdn_sealed, subscriber.msisdn_sealed)
         returning id`,
};
const UPSERT_DEVICE = {
  name: "upsert_device", // device_operator_id_imei_index_key
  text: `insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, $5)
             on conflict (operator_id, imei_index) do update set tac = excluded.tac returning id`,
};
const INSERT_ORDER = {
  name: "insert_requested_order", // provisioning_order_once
  text: `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, idempotency_key, network_kind, market,
                serving_plmn, state, reason, next_action, due_at, deadline_at, created_at, updated_at)
         values ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, 'received', 'asked for', 'judge the handset', $9, $10, $9, $9)
             on conflict (operator_id, idempotency_key) where idempotency_key is not null do nothing`,
};
const PLACE_OF = {
  name: "place_of_subscriber", // pairing_current
  text: "select serving_plmn as plmn from pairing where subscriber_id = $1 and is_current",
};
const FIND_ORDER = {
  name: "find_requested_order", // provisioning_order_once
  text: "select id from provisioning_order where operator_id = $1 and idempotency_key = $2",
};
const INSERT_EVENT = {
  name: "insert_requested_event",
  text: `insert into order_event (id, operator_id, order_id, kind, state, reason, at)
         values ($1, $2, $3, 'order_received', 'received', 'asked for by hand or by another server', $4)`,
};

const IS_ERASED = {
  name: "order_of_erased_subscriber", // provisioning_order_pkey, subscriber_pkey
  text: `select from provisioning_order o join subscriber s on s.id = o.subscriber_id
          where o.operator_id = $1 and o.id = $2 and s.erased_at is not null`,
};
const erased = (): TurnupError =>
  new TurnupError(
    "order_closed",
    "The order's subscriber was erased: nobody is known whom it could be sent to.",
    {
      nextStep: "A SIM that the network sees again is a new one: its order opens by itself.",
    },
  );

type OrderDeskDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly conductor: Conductor;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly homePlmnOf: HomePlmnOf;
  readonly countryOf: (mcc: string, operatorId: string | undefined) => string | null;
  readonly termsIn: PgOrderStore["termsIn"];
  readonly onOrders: (count: number) => void;
  /** A number that is given here may be another than the one of the last sighting. */
  readonly memory?: PairMemory;
};

export function createOrderDesk(deps: OrderDeskDeps): OrderDesk {
  return {
    async open(operatorId, { idempotencyKey, ...request }) {
      const now = deps.clock();
      // The same reading as a sighting's: what would be refused there is refused here.
      const pair = readSighting({ ...request, plmn: request.imsi.slice(0, 5) }, now.getTime(), (imsi) =>
        deps.homePlmnOf(imsi, operatorId),
      );
      const endChange = deps.memory?.change([deps.sealer.blindIndex("imsi", operatorId, pair.imsi)]);
      const opened = await deps.database
        .transaction((tx) => openInside(deps, tx, { operatorId, idempotencyKey, pair, now }), {
          safeToRepeat: true,
        })
        .finally(endChange);
      if (opened.created) deps.onOrders(1);
      return opened;
    },
    async resend(operatorId, orderId, actor) {
      if (await deps.database.one(IS_ERASED, [operatorId, orderId])) throw erased();
      await deps.conductor.resend(operatorId, orderId, actor);
    },
    cancel: (operatorId, orderId, actor) => deps.conductor.cancel(operatorId, orderId, actor),
  };
}

type Asked = {
  readonly operatorId: string;
  readonly idempotencyKey: string;
  readonly pair: ReturnType<typeof readSighting>;
  readonly now: Date;
};

/** The order that was asked for under this key before, or a new one. */
async function openInside(
  deps: OrderDeskDeps,
  tx: Tx,
  { operatorId, idempotencyKey, pair, now }: Asked,
): Promise<{ orderId: string; created: boolean }> {
  const { sealer, newId } = deps;
  const { policy, kind } = await deps.termsIn(tx, operatorId);
  const { imsi, msisdn, imei, imei14, tac, homePlmn } = pair;
  const subscribers = await tx.rows<{ id: string }>(UPSERT_SUBSCRIBER, [
    newId(),
    operatorId,
    sealer.blindIndex("imsi", operatorId, imsi),
    sealer.seal("imsi", imsi),
    msisdn === null ? null : sealer.blindIndex("msisdn", operatorId, msisdn),
    msisdn === null ? null : sealer.seal("msisdn", msisdn),
    homePlmn,
  ]);
  const devices = await tx.rows<{ id: string }>(UPSERT_DEVICE, [
    newId(),
    operatorId,
    sealer.blindIndex("imei", operatorId, imei14),
    sealer.seal("imei", imei),
    tac,
  ]);
  const subscriberId = the(subscribers).id;
  if (msisdn !== null) await tx.run(WAKE, [[subscriberId], [false], now]);
  const place = await tx.one<{ readonly plmn: string | null }>(PLACE_OF, [subscriberId]);
  const servingPlmn = place?.plmn ?? null;
  const countryOf = (mcc: string): string | null => deps.countryOf(mcc, operatorId);
  const market = marketOf({ servingPlmn, homePlmn }, countryOf, policy.markets);
  const orderId = newId();
  const inserted = await tx.run(INSERT_ORDER, [
    ...[orderId, operatorId, subscriberId, the(devices).id, idempotencyKey, kind, market],
    ...[servingPlmn, now],
    new Date(now.getTime() + WAIT_DEADLINE_MS),
  ]);
  if (inserted === 0) {
    const known = await tx.rows<{ id: string }>(FIND_ORDER, [operatorId, idempotencyKey]);
    return { orderId: the(known).id, created: false };
  }
  await tx.run(INSERT_EVENT, [newId(), operatorId, orderId, now]);
  return { orderId, created: true };
}
