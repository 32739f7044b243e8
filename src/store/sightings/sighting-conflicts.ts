/**
 * SIMs that two sources see in two handsets, on PostgreSQL: one row a pair of sources and handsets, however often they disagree, told in
 * the history of the SIM's newest order when it is new or comes again after a day.
 */

import type { SourceConflict } from "../../kernel/detection/conflict.ts";
import type { SightingConflict, SightingConflicts } from "../../kernel/detection/conflict-view.ts";
import type { SightingSource } from "../../kernel/detection/sighting.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { insertSteps, stepsOf } from "../orders/event-rows.ts";
import type { Sealer } from "../seal/seal.ts";

/** One that comes again later than this is told again. */
const TOLD_AGAIN = "24 hours";

/** `handset` is the IMEI without its check digit. */
type Found = SourceConflict & { readonly operatorId: string; readonly imsi: string };

type ConflictBook = SightingConflicts & {
  /** Writes down what was found; answers how many are new, or come again. */
  book(found: readonly Found[]): Promise<number>;
};

const PUT = {
  name: "put_sighting_conflict", // subscriber_operator_id_imsi_index_key, device_operator_id_imei_index_key, sighting_conflict_of_pair
  text: `with known as (
           select s.id as subscriber_id, d.id as device_id, o.id as other_device_id from subscriber s, device d, device o
            where s.operator_id = $2 and s.imsi_index = $3 and d.operator_id = $2 and d.imei_index = $4
              and o.operator_id = $2 and o.imei_index = $5),
         before as (
           select c.last_at from sighting_conflict c, known k
            where c.subscriber_id = k.subscriber_id and c.source = $6 and c.other_source = $7
              and c.device_id = k.device_id and c.other_device_id = k.other_device_id),
         put as (
           insert into sighting_conflict as c (id, operator_id, subscriber_id, device_id, source, other_device_id, other_source,
                                               rule, found_at, last_at, times)
           select $1, $2, k.subscriber_id, k.device_id, $6, k.other_device_id, $7, $8, $9, $9, 1 from known k
               on conflict (subscriber_id, source, other_source, device_id, other_device_id) do update
              set last_at = greatest(c.last_at, excluded.last_at), times = c.times + 1, rule = excluded.rule
           returning c.id, c.subscriber_id)
         select put.id, put.subscriber_id as "subscriberId",
                not exists (select from before where last_at > $9::timestamptz - interval '${TOLD_AGAIN}') as "isNews" from put`,
};
const NEWEST_ORDER = {
  name: "newest_order_of_disputed_sim", // provisioning_order_of_subscriber
  text: "select id from provisioning_order where subscriber_id = $1 order by id desc limit 1",
};
const CONFLICT = `c.id, c.subscriber_id as "subscriberId", s.imsi_sealed as imsi, c.rule, c.source, d.imei_sealed as imei,
  c.other_source as "otherSource", o.imei_sealed as "otherImei", c.found_at as "foundAt", c.last_at as "lastAt", c.times
  from sighting_conflict c join subscriber s on s.id = c.subscriber_id join device d on d.id = c.device_id join device o on o.id = c.other_device_id`;
const OF_SUBSCRIBER = {
  name: "sighting_conflicts_of_subscriber", // sighting_conflict_of_pair
  text: `select ${CONFLICT} where c.operator_id = $1 and c.subscriber_id = $2 order by c.last_at desc limit 20`,
};

type Row = Omit<SightingConflict, "imsiMasked" | "imeiMasked" | "otherImeiMasked" | "foundAt" | "lastAt"> & {
  readonly imsi: Buffer;
  readonly imei: Buffer;
  readonly otherImei: Buffer;
  readonly foundAt: Date;
  readonly lastAt: Date;
};

type Deps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};

export function createSightingConflicts(deps: Deps): ConflictBook {
  const { database, sealer } = deps;
  const masked = (kind: "imsi" | "imei", sealed: Buffer): string =>
    maskIdentifier(sealer.open(kind, sealed), kind);
  const viewOf = ({ imsi, imei, otherImei, foundAt, lastAt, ...row }: Row): SightingConflict => ({
    ...row,
    imsiMasked: masked("imsi", imsi),
    imeiMasked: masked("imei", imei),
    otherImeiMasked: masked("imei", otherImei),
    foundAt: foundAt.toISOString(),
    lastAt: lastAt.toISOString(),
  });
  return {
    async book(found) {
      let news = 0;
      for (const one of found) if (await database.transaction((tx) => bookOne(tx, deps, one))) news++;
      return news;
    },
    async list(operatorId, page) {
      const conditions = new Conditions().add("c.operator_id = ?", operatorId);
      const { text, values } = conditions.page(`select ${CONFLICT}`, "c", page); // sighting_conflict_by_id
      return cutPage((await database.rows<Row>(text, values)).map(viewOf), page.limit);
    },
    async ofSubscriber(operatorId, subscriberId) {
      return (await database.rows<Row>(OF_SUBSCRIBER, [operatorId, subscriberId])).map(viewOf);
    },
  };
}

/** Answers whether it is news. A SIM or a handset that the operator does not have any more is nobody's. */
async function bookOne(tx: Tx, deps: Deps, { operatorId, imsi, rule, one, other }: Found): Promise<boolean> {
  const { sealer, newId, clock } = deps;
  const at = clock();
  const index = (kind: "imsi" | "imei", text: string) => sealer.blindIndex(kind, operatorId, text);
  const handsets = [index("imei", one.handset), index("imei", other.handset)];
  const put = await tx.one<{ id: string; subscriberId: string; isNews: boolean }>(PUT, [
    ...[newId(), operatorId, index("imsi", imsi), ...handsets, one.source, other.source, rule, at],
  ]);
  if (!put?.isNews) return false;
  const order = await tx.one<{ id: string }>(NEWEST_ORDER, [put.subscriberId]);
  if (!order) return true;
  const event = {
    ...({
      id: newId(),
      operatorId,
      orderId: order.id,
      itemId: null,
      kind: "sighting_conflict",
      state: null,
    } as const),
    ...{ reason: wordsOf(one.source, other.source), evidence: null, at },
    detail: { conflictId: put.id, rule, source: one.source, otherSource: other.source },
  };
  await insertSteps(tx, stepsOf([event]));
  return true;
}

const wordsOf = (source: SightingSource, other: SightingSource): string =>
  `The SIM is seen in one handset by ${source} and in another by ${other} at the same time.`;
