/** The conductor's store on PostgreSQL. Every statement names the index that it runs on. */
import { type ChangeKind, type Changes, NOTHING_HEARD } from "../../kernel/account/changes.ts";
import { readCallContent } from "../../kernel/calls/call-body.ts";
import type { NetworkKind, OperatorTerms, Relation } from "../../kernel/operator/operator-terms.ts";
import { type OrderPolicy, withDefaults } from "../../kernel/operator/policy.ts";
import type { TakenKey } from "../../kernel/order/device-key.ts";
import type { OutgoingMessage } from "../../kernel/order/message.ts";
import type { DueOrder, Subscriber } from "../../kernel/order/order-draft.ts";
import type { OrderStore, OrderTransaction } from "../../kernel/order/order-store.ts";
import type { OpenCall, OutboundCall } from "../../kernel/order/outbound-call.ts";
import type { AccountDraft } from "../../kernel/order/request-draft.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import type { WirelessNetwork } from "../../kernel/settings/wireless-network.ts";
import type { ChargeDraft } from "../../kernel/settlement/charge.ts";
import type { SupportOverride } from "../../kernel/support/decide-support.ts";
import { pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import type { HomePlmnOf } from "../../term/imsi.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import { createLeaseWatch } from "../node/node-presence.ts";
import { remembered } from "../node/versions.ts";
import { writeReplies } from "../requests/reply-rows.ts";
import { writeRequests } from "../requests/request-rows.ts";
import { requestStore, requestTransaction } from "../requests/request-store.ts";
import { takeServingChanges } from "../requests/serving-changes.ts";
import type { Sealer } from "../seal/seal.ts";
import { writeCollections } from "../settlement/collection-rows.ts";
import {
  applicationEvents,
  DROP_SYMPTOMS,
  noteSymptoms,
  symptomsOfDevices,
} from "../sightings/symptom-rows.ts";
import { issuedKeys } from "./issued-keys.ts";
import { CLAIM_MANAGED, writeManagement } from "./management-rows.ts";
import { claimMessages, messageTransaction, outgoing, tellWaiting } from "./message-rows.ts";
import {
  lockWithItems,
  ORDER,
  type OrderColumns,
  OWN_VERSION,
  readOrders,
  withItems,
} from "./order-drafts.ts";
import { createOrderMemory, type Recall } from "./order-memory.ts";
import { CALL_DOMAIN, writeChanges } from "./order-rows.ts";
import { ownLeases } from "./own-leases.ts";
import { CLAIM_DOWNLOAD } from "./settings-pages.ts";
import { stockKeys } from "./stock-keys.ts";

type SealedSubject = {
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly iccid_sealed: Buffer | null;
  readonly imei_sealed: Buffer;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly home_plmn: string;
  readonly number_lost_at: Date | null;
  readonly former_msisdn_sealed?: Buffer | null;
};
const SUBJECT = `s.imsi_sealed, s.msisdn_sealed, s.iccid_sealed, s.gid1, s.spn, s.home_plmn, s.number_lost_at, d.imei_sealed`;

const CLAIM_DUE = {
  name: "claim_due", // provisioning_order_due, provisioning_order_of_subscriber
  text: `select ${ORDER}, ${SUBJECT},
                ${OWN_VERSION}, exists (select from provisioning_order y where y.subscriber_id = o.subscriber_id and y.id > o.id
                                                           and y.cause in ('first_registration', 'sim_moved')) as "isSuperseded"
           from provisioning_order o join subscriber s on s.id = o.subscriber_id join device d on d.id = o.device_id
          where o.due_at <= $1 order by o.due_at limit $2
            for update of o skip locked -- conductors never wait on each other's rows`,
};
const ACCOUNTS_OF = {
  name: "accounts_of", // provisioning_order_pkey, user_account_operator_id_subscriber_id_key
  text: `select o.id as "orderId", a.id, a.state from provisioning_order o
           join user_account a on a.operator_id = o.operator_id and a.subscriber_id = o.subscriber_id
          where o.id = any($1::uuid[])`,
};
const SUBJECTS_OF = {
  name: "subjects_of", // provisioning_order_pkey, former_number_of_subscriber
  text: `select o.id, ${SUBJECT},
                (select f.msisdn_sealed from former_number f where f.subscriber_id = s.id and f.lost_at >= o.created_at
                  order by f.lost_at limit 1) as former_msisdn_sealed
           from provisioning_order o
           join subscriber s on s.id = o.subscriber_id join device d on d.id = o.device_id where o.id = any($1::uuid[])`,
};

const CLAIM_CALLS = {
  name: "claim_calls", // outbound_call_due
  text: `update outbound_call c set attempts = c.attempts + 1, lease_until = $4, due_at = $4, leased_by = $5, updated_at = $2
          where c.id in (select id from outbound_call where kind = $1 and due_at <= $2 order by due_at limit $3
                            for update skip locked)
      returning c.id, c.operator_id as "operatorId", c.order_id as "orderId", c.item_id as "itemId", c.kind, c.body, c.sealed,
                c.attempts, c.deadline_at as "deadlineAt", c.created_at as "createdAt"`,
};
const MAKES_OF = {
  name: "makes_of", // provisioning_order_pkey
  text: `select o.id, coalesce(o.make, '') as make, coalesce(o.model, '') as model, d.tac
           from provisioning_order o join device d on d.id = o.device_id where o.id = any($1::uuid[])`,
};
const ITEMS_BY_TRAFFIC = {
  name: "items_by_traffic", // subscriber_operator_id_imsi_index_key, provisioning_order_of_subscriber, order_item_of_order, message_of_order
  text: `select q.at::int as at, i.order_id as "orderId", i.id as "itemId"
           from unnest($2::bytea[], $3::text[]) with ordinality as q(imsi_index, apn, at)
          cross join lateral (select id from subscriber -- as a plain join it may read every subscriber of the operator
                               where operator_id = $1 and imsi_index = q.imsi_index limit 1) s
           join lateral (select r.id from provisioning_order r -- a request without access points proves nothing of them
                          where r.subscriber_id = s.id and (r.cause in ('first_registration', 'sim_moved', 'requested')
                             or exists (select from order_item a where a.order_id = r.id and a.apns <> '{}'))
                          order by r.id desc limit 1) o on true
           join order_item i on i.order_id = o.id and q.apn = any(i.apns)
          where exists (select from message c join message m on m.order_id = o.id and m.payload_id = c.payload_id
                         where c.id = i.message_id and (m.state = 'submitting' -- what no server ever took up is no doing of ours
                               or m.leased_by is not null -- also one that died before it could book that it was handed over
                               or exists (select from message_part p where p.message_id = m.id)))
             or was_sent_long_ago(i.message_id, o.id)`,
};
/** The advisory locks of this use: seed of the hash of an id. */
const KEY_ID_SEED = 7_103;
const LOCK_KEY_IDS = {
  name: "lock_key_ids", // in one order, so that two transactions never wait on each other
  text: `select pg_advisory_xact_lock(k.hash)
           from (select hashtextextended(id, ${KEY_ID_SEED}) as hash from unnest($1::text[]) as id order by 1) k`,
};
const TAKEN_KEYS = {
  name: "taken_keys", // device_key_pkey, order_item_of_key, charge_item_id_key
  text: `select k.id, k.device_id as "deviceId", k.order_id as "orderId", k.state,
                exists (select from order_item i join charge c on c.item_id = i.id where i.key_id = k.id) as "isCharged"
           from device_key k where k.id = any($1::uuid[])`,
};
const OPEN_CALLS_OF = {
  name: "open_calls_of", // outbound_call_of_order
  text: `select id, item_id as "itemId", kind, body, attempts, lease_until as "leaseUntil"
           from outbound_call where order_id = $1 and state = 'due' order by id for update`,
};
const LOCK_CHARGES = {
  name: "lock_charges", // charge_pkey
  text: `select id, operator_id as "operatorId", order_id as "orderId", item_id as "itemId", make, key_source as "keySource",
                fee_minor as "feeMinor", portion_minor as "portionMinor", currency, state
           from charge where id = any($1::uuid[]) order by id for update`,
};
/** Asked within a transaction, so without its name: on a connection of another kind than the transaction's. */
const TERMS = {
  name: "terms",
  text: `select o.slug, o.name, o.kind, o.home_plmns as "homePlmns",
                p.body as policy, p.version as "policyVersion"
           from operator o left join lateral (select body, version from operator_policy
                                               where operator_id = o.id order by version desc limit 1) p on true
          where o.id = $1`,
};

/** What an operator said itself, read through the registry that seals its secrets. */
type OwnWords = {
  readonly accessPointsOf: (operatorId: string) => Promise<readonly AccessPoint[]>;
  readonly wirelessNetworksOf?: (operatorId: string) => Promise<readonly WirelessNetwork[]>;
  readonly overridesOf: (operatorId: string) => Promise<ReadonlyMap<string, SupportOverride>>;
  readonly relationsOf: (operatorId: string) => Promise<readonly Relation[]>;
};

/** Of what terms are made. */
const TERMS_KINDS: readonly ChangeKind[] = ["operator", "policy", "relations", "access_points", "overrides"];

export type PgOrderStore = OrderStore & {
  /** What decides within this transaction, until it is written; see `versions.ts`. */
  termsIn(tx: Tx, operatorId: string): Promise<OperatorTerms>;
};

type Surroundings = {
  /** This server's number in the database, which its leases bear; without one they lapse by their time alone. */
  readonly nodeNumber?: () => number | null;
  readonly homePlmnOf?: HomePlmnOf;
  readonly changes?: Changes;
  readonly clock?: () => Date;
};

export function createOrderStore(
  database: Database,
  sealer: Sealer,
  registry: OwnWords,
  surroundings: Surroundings = {},
): PgOrderStore {
  const { nodeNumber = () => null, homePlmnOf = () => undefined, changes = NOTHING_HEARD } = surroundings;
  const recalling = createOrderMemory();
  const terms = remembered({ database, changes }, TERMS_KINDS, (operatorId) =>
    readTerms(database, registry, operatorId),
  );
  return {
    // Statements only: nothing outside the database is touched, so a deadlock's victim may simply run again.
    async transaction(work) {
      let recall: Recall | undefined;
      const result = await database.transaction(
        (tx) => {
          recall = recalling();
          return work(orderTransaction(tx, sealer, { homePlmnOf, termsIn: terms.in, recall, nodeNumber }));
        },
        { keepsPlans: true, safeToRepeat: true },
      );
      recall?.committed();
      return result;
    },
    termsOf: terms.of,
    termsIn: terms.in,
    async claimMessages(claim) {
      const rows = await claimMessages(database, { ...claim, node: nodeNumber() });
      const messages: OutgoingMessage[] = [];
      for (const row of rows) {
        messages.push(outgoing(row, sealer, await terms.of(row.operatorId)));
      }
      return messages;
    },
    tellWaiting: (waiting) => tellWaiting(database, waiting),
    async claimCalls({ kind, now, limit, leaseMs }) {
      const leaseUntil = new Date(now.getTime() + leaseMs);
      const values = [kind, now, limit, leaseUntil, nodeNumber()];
      const rows = await database.rows<CallRow>(CLAIM_CALLS, values);
      return rows.map(({ body, sealed, ...call }) => {
        const secret = sealed === null ? undefined : secretIn(sealer, sealed);
        const content = readCallContent(kind, body, secret);
        return content ? { ...call, ...content } : { ...call, kind, body: null };
      });
    },
    requests: requestStore(database, sealer, (orderIds) => readOrders(database, sealer, orderIds)),
    async accountsOf(orderIds) {
      const rows = await database.rows<AccountDraft & { orderId: string }>(ACCOUNTS_OF, [orderIds]);
      return new Map(rows.map(({ orderId, ...account }) => [orderId, account]));
    },
    reclaimLeases: createLeaseWatch(database),
    ownLeases: ownLeases(database, nodeNumber),
    subjectsOf: (orderIds) => subjectsOf(database, sealer, orderIds),
    async makesOf(orderIds) {
      const rows = await database.rows<{ id: string; make: string; model: string; tac: string }>(MAKES_OF, [
        orderIds,
      ]);
      return new Map(rows.map(({ id, ...made }) => [id, made]));
    },
    async itemsByTraffic(operatorId, traffic) {
      const rows = await database.rows<{ at: number; orderId: string; itemId: string }>(ITEMS_BY_TRAFFIC, [
        operatorId,
        traffic.map(({ imsi }) => sealer.blindIndex("imsi", operatorId, imsi)),
        traffic.map(({ apn }) => apn.toLowerCase()),
      ]);
      return traffic.map((_, at) => rows.filter((row) => row.at === at + 1));
    },
    noteSymptoms: (operatorId, seen) => noteSymptoms(database, sealer, operatorId, seen),
    applicationEvents: (orderIds) => applicationEvents(database, orderIds),
    ...issuedKeys(database, sealer),
    ...stockKeys(database, sealer, surroundings.clock),
  };
}

type CallRow = Omit<OutboundCall, "kind" | "body" | "secret"> & {
  readonly body: unknown;
  readonly sealed: Buffer | null;
};
type OpenCallRow = Omit<OpenCall, "kind" | "body" | "secret"> & {
  readonly kind: OpenCall["kind"];
  readonly body: unknown;
};

/** Undefined where the seal does not open: the call says so, and stops no other. */
function secretIn(sealer: Sealer, sealed: Buffer): unknown {
  try {
    return JSON.parse(sealer.open(CALL_DOMAIN, sealed));
  } catch (error) {
    if (error instanceof TurnupError && error.code === "seal_broken") return undefined;
    throw error;
  }
}

async function readTerms(db: Db, registry: OwnWords, operatorId: string): Promise<OperatorTerms> {
  const operator = await db.one<{
    slug: string;
    name: string;
    kind: NetworkKind;
    homePlmns: string[];
    policy: Partial<OrderPolicy> | null;
    policyVersion: number | null;
  }>(TERMS.text, [operatorId]);
  if (!operator) throw new TurnupError("operator_not_found", `There is no operator ${operatorId}.`);
  const relations = await registry.relationsOf(operatorId);
  return {
    operatorId,
    operatorSlug: operator.slug,
    operatorName: operator.name,
    homePlmns: operator.homePlmns.map((plmn) => plmn.replace("-", "/")),
    accessPoints: await registry.accessPointsOf(operatorId),
    wirelessNetworks: (await registry.wirelessNetworksOf?.(operatorId)) ?? [],
    overrides: await registry.overridesOf(operatorId),
    kind: operator.kind,
    policy: { ...withDefaults(operator.policy), tests: [] }, // those are asked before it goes live, by whoever makes it
    policyVersion: operator.policyVersion ?? 0,
    relations: new Map(relations.map((relation) => [relation.make.toLowerCase(), relation])),
  };
}

const subjectOf = (row: SealedSubject, sealer: Sealer): Subscriber => ({
  imsi: sealer.open("imsi", row.imsi_sealed),
  imei: sealer.open("imei", row.imei_sealed),
  msisdn: row.msisdn_sealed && sealer.open("msisdn", row.msisdn_sealed),
  iccid: row.iccid_sealed && sealer.open("iccid", row.iccid_sealed),
  gid1: row.gid1,
  spn: row.spn,
  homePlmn: row.home_plmn,
  numberLostAt: row.number_lost_at,
  ...(row.former_msisdn_sealed && { formerMsisdn: sealer.open("msisdn", row.former_msisdn_sealed) }),
});

async function subjectsOf(
  db: Db,
  sealer: Sealer,
  orderIds: readonly string[],
): Promise<Map<string, Subscriber>> {
  const rows = await db.rows<SealedSubject & { id: string }>(SUBJECTS_OF, [orderIds]);
  return new Map(rows.map((row) => [row.id, subjectOf(row, sealer)]));
}

type Within = {
  readonly homePlmnOf: HomePlmnOf;
  readonly termsIn: PgOrderStore["termsIn"];
  readonly recall: Recall;
  readonly nodeNumber: () => number | null;
};

function orderTransaction(
  db: Tx,
  sealer: Sealer,
  { homePlmnOf, termsIn, recall, nodeNumber }: Within,
): OrderTransaction {
  return {
    termsOf: (operatorId) => termsIn(db, operatorId),
    ...requestTransaction(db, sealer, homePlmnOf),
    async claimDue({ now, limit }): Promise<DueOrder[]> {
      const rows = await db.rows<DueRow>(CLAIM_DUE, [now, limit]);
      const [first] = rows;
      if (first) recall.begin(first.ownVersion);
      const orders = await withItems(db, sealer, rows.map(orderColumns));
      const symptoms = await symptomsOfDevices(
        db,
        rows.filter(isToBeJudged).map(({ deviceId }) => deviceId),
      );
      return pairsOf(orders, rows).map(([order, row]) => {
        return {
          order,
          subject: subjectOf(row, sealer),
          isSuperseded: row.isSuperseded,
          symptoms: symptoms.get(order.deviceId) ?? [],
        };
      });
    },
    lockOrders: (orderIds) => lockWithItems(db, sealer, recall, orderIds),
    subjectsOf: (orderIds) => subjectsOf(db, sealer, orderIds),

    ...messageTransaction(db, nodeNumber() ?? 0),
    async lockKeyIds(keyIds) {
      if (keyIds.length > 0) await db.rows(LOCK_KEY_IDS, [keyIds]);
    },
    takenKeys: async (keyIds) => (keyIds.length === 0 ? [] : await db.rows<TakenKey>(TAKEN_KEYS, [keyIds])),
    takeServingChanges: (limit) => takeServingChanges(db, limit),
    dropSymptoms: (seenBefore) => db.run(DROP_SYMPTOMS, [seenBefore]),
    applicationEvents: (orderIds) => applicationEvents(db, orderIds),
    async openCallsOf(orderId) {
      const rows = await db.rows<OpenCallRow>(OPEN_CALLS_OF, [orderId]);
      return rows.flatMap(({ kind, body, ...call }) => {
        const content = readCallContent(kind, body, undefined);
        return content ? [{ ...call, ...content }] : []; // given up where it is claimed
      });
    },
    lockCharges: (chargeIds) => db.rows<ChargeDraft>(LOCK_CHARGES, [chargeIds]),
    claimDownload: async (linkId, now) => (await db.rows(CLAIM_DOWNLOAD, [linkId, now])).length > 0,
    claimManaged: async (taskId, now) => (await db.rows(CLAIM_MANAGED, [taskId, now])).length > 0,
    async write(changes, now) {
      writeChanges(db, sealer, changes, now);
      writeManagement(db, sealer, changes, now);
      recall.noteWritten(changes.orders);
      await writeRequests(db, sealer, changes, now);
      await writeReplies(db, sealer, changes, now);
      await writeCollections(db, changes, now);
    },
  };
}

const isToBeJudged = ({ state }: OrderColumns): boolean => state === "received" || state === "waiting";

type DueRow = OrderColumns & SealedSubject & { readonly isSuperseded: boolean; readonly ownVersion: string };

/** The draft's own columns, without the sealed ones that came along. */
function orderColumns(row: DueRow): OrderColumns {
  const {
    imsi_sealed,
    msisdn_sealed,
    iccid_sealed,
    imei_sealed,
    gid1,
    spn,
    home_plmn,
    number_lost_at,
    isSuperseded,
    ownVersion,
    ...order
  } = row;
  return order;
}
