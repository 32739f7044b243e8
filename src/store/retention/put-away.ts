/**
 * Puts away messages that nothing can come for any more: their parts and payloads go with them into `past_message`, a table of
 * months (store/orders/past-messages.ts), so that what is under way stays small, and a month goes as a whole.
 *
 *   an order     has ended, and every message of it ended MESSAGE_REST_DAYS ago: all of them go at once
 *   no order     a text, an offer: its key is written into `message_key` first, and it goes at a later pass
 *
 * Later, since whoever inserts a message looks for its key by what was committed before: a statement that began before the key was
 * there must not insert after the message went. None lives as long as KEY_PATIENCE.
 */
import {
  MESSAGE_KEY_MONTHS,
  MESSAGE_REST_DAYS,
  MOST_MONTHS,
  monthOf,
} from "../../kernel/operator/retention.ts";
import { hoursAfter } from "../../term/moment.ts";
import type { Database, Tx } from "../database/database.ts";
import { START_OF_ORDER } from "../database/page.ts";
import { PUT_AWAY } from "../orders/past-messages.ts";
import { boundOf, GROWN, isOurTurn, makeMonthOf, monthsLacking, TABLE_WAIT_MS } from "./partitions.ts";

/** A transaction well under a second. */
const BATCH = 1_000;
const KEY_PATIENCE = "10 minutes";
const STEP_TIMEOUT_MS = 60_000;
const DAY_HOURS = 24;

/** A server that does not look for what was put away would not find it. */
const EVERYBODY_READS = "select not exists (select from node where not reads_past) as yes";
const CANDIDATES = {
  name: "messages_to_put_away", // message_pkey
  text: `select id, order_id as "orderId" from message where id > $1 and id < $2 order by id limit ${BATCH}`,
};
/** An order that is under way, or was touched lately, is not asked again before the next pass. */
const LOCK_ENDED_ORDERS = {
  name: "lock_ended_orders", // provisioning_order_pkey
  text: `select id from provisioning_order where id = any($1::uuid[]) and due_at is null and updated_at < $2
          order by id for update skip locked`,
};
const isOver = (message: string): string =>
  `(${message}.due_at is null and ${message}.state in ('delivered', 'failed', 'expired', 'cancelled') and ${message}.expires_at < $1)`;
const KEEP_KEYS = {
  name: "keep_message_keys", // message_pkey, message_key_pkey
  text: `insert into message_key (operator_id, digest, message_id)
         select m.operator_id, message_key_digest(m.idempotency_key), m.id from message m
          where m.id = any($2::uuid[]) and ${isOver("m")}
             on conflict (operator_id, digest) do nothing`,
};
/** Behind the locks of their orders. */
const MAY_GO = {
  name: "messages_that_may_go", // message_of_order, message_pkey, message_key_pkey
  text: `select m.id from unnest($2::uuid[]) as o(id) join message m on m.order_id = o.id
          where not exists (select from message n where n.order_id = o.id and not ${isOver("n")})
         union all
         select m.id from message m join message_key k
             on k.operator_id = m.operator_id and k.digest = message_key_digest(m.idempotency_key) and k.message_id = m.id
          where m.id = any($3::uuid[]) and ${isOver("m")} and k.kept_at < now() - interval '${KEY_PATIENCE}'`,
};
const FORGET_KEYS = {
  name: "forget_message_keys", // message_key_by_age
  text: `delete from message_key where (operator_id, digest) in (
           select operator_id, digest from message_key where message_id < $1 order by message_id limit ${BATCH})`,
};

type PutAwayDeps = { readonly database: Database; readonly clock: () => Date };

/** Each call is one step; whether there is more to do at once. After the last message it begins with the oldest again. */
export function createPutAway({ database, clock }: PutAwayDeps): () => Promise<boolean> {
  let after = START_OF_ORDER;
  return async () => {
    const now = clock();
    const restedBefore = hoursAfter(now, -MESSAGE_REST_DAYS * DAY_HOURS);
    const seen = await database.rows<Candidate>(CANDIDATES, [after, boundOf(GROWN.messages, restedBefore)]);
    const last = seen.at(-1);
    if (!last) {
      after = START_OF_ORDER;
      return (await database.run(FORGET_KEYS, [forgottenBefore(now)])) > 0;
    }
    const isDone = await inTurn(database, seen, { now, restedBefore });
    if (isDone) after = last.id;
    return isDone;
  };
}

type Candidate = { readonly id: string; readonly orderId: string | null };

type At = { readonly now: Date; readonly restedBefore: Date };

/** False where another server is at it, or one of another release works here. */
async function inTurn(database: Database, seen: readonly Candidate[], at: At): Promise<boolean> {
  const take = () =>
    database.transaction((tx) => takeThose(tx, seen, at), { statementTimeoutMs: STEP_TIMEOUT_MS });
  const lacking = await take();
  if (lacking === "not now") return false;
  for (const month of lacking) await makeMonthOf(database, "messages", month);
  return lacking.length === 0 || (await take()) !== "not now";
}

/** Months that are there for none of them yet: nothing goes before they are made. */
async function takeThose(
  tx: Tx,
  seen: readonly Candidate[],
  { now, restedBefore }: At,
): Promise<readonly Date[] | "not now"> {
  if (!(await isOurTurn(tx))) return "not now";
  if (!(await tx.one<{ yes: boolean }>(EVERYBODY_READS))?.yes) return "not now";
  tx.send(`set local lock_timeout = ${TABLE_WAIT_MS}`);
  const alone = seen.flatMap(({ id, orderId }) => (orderId === null ? [id] : []));
  const orders = new Set(seen.flatMap(({ orderId }) => orderId ?? []));
  const ended = await tx.rows<{ id: string }>(LOCK_ENDED_ORDERS, [[...orders], restedBefore]);
  tx.send(KEEP_KEYS, [restedBefore, alone]);
  const rows = await tx.rows<{ id: string }>(MAY_GO, [restedBefore, ended.map(({ id }) => id), alone]);
  const going = rows.map(({ id }) => id);
  const oldest = monthOf(now, -MOST_MONTHS); // what claims to be older lies in the default
  const months = new Set(going.map((id) => monthOf(new Date(writtenAt(id))).getTime()));
  const wanted = [...months].map((ms) => new Date(ms)).filter((month) => month >= oldest && month <= now);
  const lacking = await monthsLacking(tx, "messages", wanted);
  if (lacking.length === 0 && going.length > 0) await tx.run(PUT_AWAY, [going]);
  return lacking;
}

const forgottenBefore = (now: Date): string => boundOf(GROWN.messages, monthOf(now, -MESSAGE_KEY_MONTHS));

/** An id is a UUIDv7: its first 48 bits are milliseconds (RFC 9562 clause 5.7). */
const writtenAt = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
