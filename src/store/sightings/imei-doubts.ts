/** Doubts about IMEIs on PostgreSQL: one open row a handset and kind, told in the history of the newest order of each SIM in it. */
import type { DoubtKind, FoundDoubt, ImeiDoubt, ImeiDoubts } from "../../kernel/detection/doubts.ts";
import type { EventKind } from "../../kernel/order/event-kind.ts";
import { TurnupError } from "../../term/error.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { noteIn } from "../operator/audited.ts";
import { insertSteps, stepsOf } from "../orders/event-rows.ts";

/** What was looked at, and what came of it; null: nothing is to be doubted by this any more. */
type Look = {
  readonly operatorId: string;
  readonly deviceId: string;
  readonly kind: DoubtKind;
  readonly found: FoundDoubt | null;
};

type DoubtBook = ImeiDoubts & {
  /** Writes down what was found; answers how many are new. */
  book(looks: readonly Look[]): Promise<number>;
  /** Handsets whose false IMEI was not found again since: lists may say something else of their TACs by now. */
  modelsUnconfirmed(since: Date, limit: number): Promise<readonly string[]>;
  /** Of all operators, by kind. */
  countOpen(): Promise<ReadonlyMap<DoubtKind, number>>;
};

const DOUBT = `d.id, d.device_id as "deviceId", d.kind, d.reason, d.detail, d.found_at as "foundAt", d.confirmed_at as "confirmedAt",
  d.ended_at as "endedAt", d.ended_by as "endedBy", d.end_reason as "endReason"`;
const OF_DEVICES = {
  name: "open_doubts_of_devices", // imei_doubt_open
  text: `select ${DOUBT} from imei_doubt d
          where d.operator_id = $1 and d.device_id = any($2::uuid[]) and d.ended_at is null order by d.id`,
};
const OPEN_AMONG = {
  name: "open_doubts_among_devices", // imei_doubt_open
  text: `select device_id as "deviceId", kind from imei_doubt where device_id = any($1::uuid[]) and ended_at is null`,
};
const LOCK_DEVICE = {
  name: "lock_doubted_device", // device_pkey: whoever looks at the same handset comes behind
  text: "select id from device where operator_id = $1 and id = $2 for no key update",
};
const LAST_OF = {
  name: "last_doubt_of_device", // imei_doubt_of_device
  text: `select ${DOUBT} from imei_doubt d
          where d.operator_id = $1 and d.device_id = $2 and d.kind = $3 order by d.id desc limit 1`,
};
const INSERT = {
  name: "insert_imei_doubt", // imei_doubt_open
  text: `insert into imei_doubt (id, operator_id, device_id, kind, reason, detail, found_at, confirmed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)`,
};
const CONFIRM = {
  name: "confirm_imei_doubt", // imei_doubt_pkey
  text: "update imei_doubt set confirmed_at = $2, reason = $3, detail = $4 where id = $1",
};
const END = {
  name: "end_imei_doubt", // imei_doubt_pkey
  text: `update imei_doubt set ended_at = $3, ended_by = $4, end_reason = $5 where operator_id = $1 and id = $2 and ended_at is null`,
};
const ORDERS = {
  name: "newest_orders_of_sims_in_device", // pairing_of_device, provisioning_order_of_subscriber
  text: `select o.id from pairing p
          cross join lateral (select id from provisioning_order where subscriber_id = p.subscriber_id order by id desc limit 1) o
          where p.operator_id = $1 and p.device_id = $2 and p.is_current order by p.id limit 100`,
};

const COUNT_OPEN = {
  name: "count_open_doubts", // imei_doubt_open
  text: "select kind, count(*)::float8 as count from imei_doubt where ended_at is null group by kind",
};
const UNCONFIRMED = {
  name: "unconfirmed_false_models", // imei_doubt_unconfirmed
  text: `select device_id as "deviceId" from imei_doubt
          where ended_at is null and kind = 'false_model' and confirmed_at < $1 order by confirmed_at limit $2`,
};

type Stored = Omit<ImeiDoubt, "foundAt" | "confirmedAt" | "endedAt"> & {
  readonly foundAt: Date;
  readonly confirmedAt: Date;
  readonly endedAt: Date | null;
};
const viewOf = ({ foundAt, confirmedAt, endedAt, ...row }: Stored): ImeiDoubt => ({
  ...row,
  foundAt: foundAt.toISOString(),
  confirmedAt: confirmedAt.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
});

type Deps = { readonly database: Database; readonly newId: () => string; readonly clock: () => Date };

/** Who ends what is no more. */
const KNOWLEDGE = "knowledge";
const OVER = "What it rested on is said, or known, no more.";

export function createImeiDoubts(deps: Deps): DoubtBook {
  const { database } = deps;
  return {
    async list(operatorId, { kind, open }, page) {
      const conditions = new Conditions().add("d.operator_id = ?", operatorId).maybe("d.kind = ?", kind);
      if (open !== undefined) conditions.fixed(`d.ended_at is ${open ? "" : "not "}null`);
      const { text, values } = conditions.page(`select ${DOUBT} from imei_doubt d`, "d", page); // imei_doubt_by_id
      return cutPage((await database.rows<Stored>(text, values)).map(viewOf), page.limit);
    },
    async ofDevices(operatorId, deviceIds) {
      if (deviceIds.length === 0) return [];
      return (await database.rows<Stored>(OF_DEVICES, [operatorId, deviceIds])).map(viewOf);
    },
    end: (operatorId, doubtId, said) =>
      database.transaction((tx) => endByPerson(tx, deps, { operatorId, doubtId, ...said })),
    async book(looks) {
      // Most looks find nothing where nothing was: those take no lock and no transaction.
      const quiet = looks.filter(({ found }) => found === null).map(({ deviceId }) => deviceId);
      const rows =
        quiet.length === 0
          ? []
          : await database.rows<{ deviceId: string; kind: DoubtKind }>(OPEN_AMONG, [quiet]);
      const open = new Set(rows.map(({ deviceId, kind }) => `${deviceId} ${kind}`));
      const telling = looks.filter(
        ({ found, deviceId, kind }) => found !== null || open.has(`${deviceId} ${kind}`),
      );
      let added = 0;
      for (const look of telling) if (await database.transaction((tx) => bookOne(tx, deps, look))) added++;
      return added;
    },
    async modelsUnconfirmed(since, limit) {
      const rows = await database.rows<{ deviceId: string }>(UNCONFIRMED, [since, limit]);
      return rows.map(({ deviceId }) => deviceId);
    },
    async countOpen() {
      const rows = await database.rows<{ kind: DoubtKind; count: number }>(COUNT_OPEN, []);
      return new Map(rows.map(({ kind, count }) => [kind, count]));
    },
  };
}

/** Answers whether it is new. */
async function bookOne(tx: Tx, deps: Deps, { operatorId, deviceId, kind, found }: Look): Promise<boolean> {
  if (!(await tx.one(LOCK_DEVICE, [operatorId, deviceId]))) return false;
  const last = await tx.one<Stored>(LAST_OF, [operatorId, deviceId, kind]);
  const open = last?.endedAt === null ? last : undefined;
  const now = deps.clock();
  if (found === null) {
    if (!open) return false;
    await tx.run(END, [operatorId, open.id, now, KNOWLEDGE, OVER]);
    await tell(tx, deps, { ...open, operatorId, event: "imei_doubt_ended", words: OVER });
    return false;
  }
  const detail = JSON.stringify(found.detail);
  if (open) {
    await tx.run(CONFIRM, [open.id, now, found.reason, detail]);
    return false;
  }
  // A person has looked at the same already; what is known by programs alone may come back.
  if (last && last.endedBy !== KNOWLEDGE && saysSame(last, found)) return false;
  const id = deps.newId();
  await tx.run(INSERT, [id, operatorId, deviceId, kind, found.reason, detail, now]);
  await tell(tx, deps, {
    id,
    operatorId,
    deviceId,
    kind,
    event: "imei_doubted",
    words: sentenceOf(found.reason),
  });
  return true;
}

/** By its rule or its class where it has one: figures of a second sight differ. */
const saysSame = (last: Stored, found: FoundDoubt): boolean =>
  ["rule", "class", "countries"].every((name) => last.detail[name] === found.detail[name]);

type Told = {
  readonly id: string;
  readonly operatorId: string;
  readonly deviceId: string;
  readonly kind: DoubtKind;
  readonly event: Extract<EventKind, "imei_doubted" | "imei_doubt_ended">;
  readonly words: string;
};

async function tell(tx: Tx, { newId, clock }: Deps, told: Told): Promise<void> {
  const { operatorId, deviceId, kind, event, words, id: doubtId } = told;
  const orders = await tx.rows<{ id: string }>(ORDERS, [operatorId, deviceId]);
  const events = orders.map(({ id: orderId }) => ({
    ...{ id: newId(), operatorId, orderId, itemId: null, kind: event, state: null },
    ...{ reason: words, evidence: null, detail: { doubtId, kind }, at: clock() },
  }));
  await insertSteps(tx, stepsOf(events));
}

async function endByPerson(
  tx: Tx,
  deps: Deps,
  said: {
    readonly operatorId: string;
    readonly doubtId: string;
    readonly actor: string;
    readonly reason: string;
  },
): Promise<ImeiDoubt> {
  const { operatorId, doubtId, actor, reason } = said;
  const find = `select ${DOUBT} from imei_doubt d where d.operator_id = $1 and d.id = $2 for update`; // imei_doubt_pkey
  const row = await tx.one<Stored>(find, [operatorId, doubtId]);
  if (!row) throw notFound();
  if (row.endedAt !== null) return viewOf(row);
  const now = deps.clock();
  await tx.run(END, [operatorId, doubtId, now, actor, reason]);
  await tell(tx, deps, { ...row, operatorId, event: "imei_doubt_ended", words: reason });
  const detail = { device: row.deviceId, kind: row.kind, reason };
  await noteIn(deps)(tx, operatorId, { actor, action: "imei_doubt.end", subject: doubtId, detail });
  return viewOf({ ...row, endedAt: now, endedBy: actor, endReason: reason });
}

const notFound = (): TurnupError =>
  new TurnupError("imei_doubt_not_found", "There is no such doubt about an IMEI.", {
    nextStep: "GET /v1/devices/doubts lists them.",
  });
