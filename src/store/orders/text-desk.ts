/**
 * Plain SMS through the durable outbox: accepted means on disk, and the same idempotency key sends nothing twice. Where
 * the courier has room a message is leased as it is written and handed over once it is on disk; else it waits its turn.
 */

import { LEASE_MS, type Outbox } from "../../kernel/conductor/outbox.ts";
import { quietUntil } from "../../kernel/operator/quiet-hours.ts";
import { costText, partCostMicros, type SmsLimits, type SmsSpend } from "../../kernel/operator/sms-limits.ts";
import type { NewMessage, NewPayload } from "../../kernel/order/change-set.ts";
import type { OutgoingMessage } from "../../kernel/order/message.ts";
import type { TextDesk } from "../../kernel/order/order-reader.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import { composeText, cutMessage } from "../../kernel/payload/compose.ts";
import { getFrom, pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { minutesAfter } from "../../term/moment.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { assured } from "../../term/narrow.ts";
import { createCoalescer, type Waiting } from "../database/coalescer.ts";
import type { Database, Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Ten SMS: a longer text is a mistake, and somebody pays for each. */
const MAX_PARTS = 10;
const MAX_CHARACTERS = 1_600;
/** Of concatenated messages (TS 23.040 clause 9.2.3.24.1). */
const REFERENCES = 256;
const BATCH = { maxBatchRows: 500, maxBatchesAtOnce: 2, maxWaitingRows: 50_000 };

type Row = {
  readonly payload: NewPayload;
  readonly message: NewMessage;
  readonly sender: string;
  readonly operatorSlug: string;
  readonly smsLimits: SmsLimits;
};
type Sent = { readonly id: string; readonly created: boolean };
type Lease = { readonly until: Date; readonly node: number | null };

/**
 * One row a message, which holds its text itself, in one statement, which is a transaction by itself: one round trip and one
 * commit for all that wait. Answers the keys that were new.
 */
const putOf = (columns: string, values: string, arrays: string, names: string): string =>
  `insert into message (id, operator_id, destination_sealed, sealed, octets, kind, idempotency_key, reference, part_count,
                        expires_at, destination_index, created_at, updated_at, ${columns})
   select id, operator_id, destination_sealed, sealed, octets, 'text', key, reference, part_count, expires_at, destination_index,
          $1, $1, ${values}
     from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::integer[], $7::text[], $8::integer[], $9::integer[],
                 $10::timestamptz[], $11::bytea[]${arrays}) as v(id, operator_id, destination_sealed, sealed, octets, key, reference,
                 part_count, expires_at, destination_index${names})
    where (select true from message_key k where k.operator_id = v.operator_id and k.digest = message_key_digest(v.key)) is null
       on conflict (operator_id, idempotency_key) do nothing
   returning id`;
const PUT_QUEUED = {
  name: "put_texts_queued", // message_operator_id_idempotency_key_key, message_key_pkey
  text: putOf("state, reason, due_at", "'queued', 'waits for its turn at the SMSC', $1", "", ""),
};
const PUT_LEASED = {
  name: "put_texts_leased", // message_operator_id_idempotency_key_key, message_key_pkey
  text: putOf(
    "state, reason, due_at, lease_until, leased_by, attempts",
    "'submitting', 'being handed to the SMSC', $12::timestamptz, $12::timestamptz, $13::integer, 1",
    "",
    "",
  ),
};
/** What nobody asked for is claimed in its turn, since a claim looks for STOP. */
const PUT_UNASKED = {
  name: "put_texts_unasked", // message_operator_id_idempotency_key_key, message_key_pkey
  text: putOf(
    "state, reason, due_at, is_unasked",
    `'queued', case when not_before > $1 then 'waits for the end of the quiet hours' else 'waits for its turn at the SMSC' end,
     not_before, true`,
    ", $12::timestamptz[]",
    ", not_before",
  ),
};
const KNOWN = {
  name: "known_messages", // message_operator_id_idempotency_key_key, message_key_pkey
  text: `select m.id, m.operator_id as "operatorId", m.idempotency_key as "key"
           from unnest($1::uuid[], $2::text[]) as q(operator_id, key)
           join message m on m.operator_id = q.operator_id and m.idempotency_key = q.key
          union
         select k.message_id, k.operator_id, q.key from unnest($1::uuid[], $2::text[]) as q(operator_id, key)
           join message_key k on k.operator_id = q.operator_id and k.digest = message_key_digest(q.key)`,
};

type TextDeskDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly termsOf: OrderStore["termsOf"];
  /** Takes messages that are leased as they are written. */
  readonly courier: Pick<Outbox, "hasRoom" | "hand">;
  /** What an operator's messages come to, where its policy limits them. */
  readonly spend: SmsSpend;
  /** This server's number in the database, which its leases bear. */
  readonly nodeNumber: () => number | null;
  /** Called when messages were queued. */
  readonly onMessages: () => void;
};

export function createTextDesk(deps: TextDeskDeps): TextDesk {
  const rows = createCoalescer<Row, Sent>({ ...BATCH, work: (batch) => writeAndHand(deps, batch) });
  let lastReference = deps.randomBytes(1)[0] ?? 0;
  /** One behind the other: texts to one phone at a time have each its own, which chance would not give them. */
  const nextReference = (): number => {
    lastReference = (lastReference + 1) % REFERENCES;
    return lastReference;
  };
  return {
    async send(operatorId, messages, { isUnasked = false } = {}) {
      const { policy, operatorSlug } = await deps.termsOf(operatorId);
      const now = deps.clock();
      const dueAt = (isUnasked && quietUntil(policy.quietHours, null, now)) || now;
      const validity = { dueAt, expiresAt: minutesAfter(dueAt, policy.messageValidityMinutes) };
      const composed = messages.map(({ to, text, idempotencyKey }): Row => {
        const payload = payloadOf(operatorId, deps.newId(), text);
        const parts = partsOf(payload, nextReference());
        const message = {
          id: deps.newId(),
          operatorId,
          orderId: null,
          subscriberId: null,
          destination: parseMsisdn(to),
          payloadId: payload.id,
          kind: "text" as const,
          idempotencyKey: `text:${idempotencyKey}`,
          ...parts,
          ...validity,
          isUnasked,
        };
        return { payload, sender: policy.sender, operatorSlug, smsLimits: policy.smsLimits, message };
      });
      await admit(deps, operatorId, policy.smsLimits, composed);
      return Promise.all(rows.put(composed));
    },
  };
}

/** @throws TurnupError `sms_queue_full`, `sms_day_spent`: none of them is written; a repeat of what was written before is let through */
async function admit(
  deps: TextDeskDeps,
  operatorId: string,
  limits: SmsLimits,
  rows: readonly Row[],
): Promise<void> {
  const { waiting, perDay, costMicrosPerDay, prices } = limits;
  if (waiting === null && perDay === null && costMicrosPerDay === null) return;
  const parts = rows.reduce((sum, { message }) => sum + message.partCount, 0);
  const now = await deps.spend.now(operatorId);
  const isFull = waiting !== null && now.waiting + rows.length > waiting;
  // What was handed over lately waits still, or is spent: it counts already.
  const isSpent = perDay !== null && now.spent + now.waitingParts + parts > perDay;
  // What waits has no price yet: it is held back where its turn comes after the last of the day's cost.
  const costMicros = rows.reduce((sum, row) => sum + costOf(row), 0);
  const isPaidFor =
    costMicrosPerDay === null || now.spentMicros + now.latelyMicros + costMicros <= costMicrosPerDay;
  if (!isFull && !isSpent && isPaidFor) return deps.spend.admitted(operatorId, rows.length, parts);
  if ((await knownOf(deps.database, rows)).length === rows.length) return;
  if (isFull)
    throw new TurnupError(
      "sms_queue_full",
      `${now.waiting} messages of this operator wait already: its policy lets ${waiting} wait.`,
      { nextStep: "Send them when fewer wait, or raise `smsLimits.waiting` of the policy." },
    );
  if (!isPaidFor && prices)
    throw new TurnupError(
      "sms_day_spent",
      `The day's ${costText(costMicrosPerDay, prices)} for SMS of this operator are spent, or nearly: ${costText(costMicros, prices)} more would be beyond them.`,
      { nextStep: "Send them after midnight UTC, or raise `smsLimits.costMicrosPerDay` of the policy." },
    );
  throw new TurnupError(
    "sms_day_spent",
    `The day's ${perDay} SMS of this operator are sent, or wait: ${parts} more would be beyond them.`,
    { nextStep: "Send them after midnight UTC, or raise `smsLimits.perDay` of the policy." },
  );
}

const costOf = ({ message, smsLimits }: Row): number =>
  message.partCount * partCostMicros(smsLimits.prices, message.destination ?? "");

/** Where the courier has room, what is written is leased and handed over; else it waits its turn. */
async function writeAndHand(deps: TextDeskDeps, batch: readonly Waiting<Row, Sent>[]): Promise<void> {
  const now = deps.clock();
  const rows = batch.map(({ row }) => row);
  const owners = rows.map(({ message: { operatorId }, operatorSlug, smsLimits }) => ({
    operatorId,
    operatorSlug,
    smsLimits,
  }));
  const lease = deps.courier.hasRoom(owners)
    ? { until: new Date(now.getTime() + LEASE_MS), node: deps.nodeNumber() }
    : null;
  const writing = write(deps, rows, now, lease);
  const createdOf = (sent: readonly Sent[]): Row[] =>
    pairsOf(rows, sent).flatMap(([row, { created }]) => (created ? [row] : []));
  const isAsked = ({ message }: Row): boolean => !message.isUnasked;
  if (lease) deps.courier.hand(writing.then((sent) => createdOf(sent).filter(isAsked).map(outgoing)));
  const sent = await writing;
  for (const [{ answer }, one] of pairsOf(batch, sent)) answer(one);
  if (createdOf(sent).some((row) => !lease || !isAsked(row))) deps.onMessages();
}

function partsOf(payload: NewPayload, reference: number) {
  const partCount = cutMessage("text", payload.bytes, reference).parts.length;
  if (partCount > MAX_PARTS) throw tooLong(`${partCount} SMS`);
  return { reference, partCount };
}

function payloadOf(operatorId: string, id: string, text: string): NewPayload {
  if (text === "") throw new TurnupError("text_empty", "A message without text is not sent.");
  if (text.length > MAX_CHARACTERS) throw tooLong(`${text.length} characters`);
  return { id, operatorId, kind: "text", protocol: "text", sec: null, bytes: composeText(text) };
}

const tooLong = (fact: string): TurnupError =>
  new TurnupError("text_too_long", `${fact} are more than the ${MAX_PARTS} SMS that one message may have.`, {
    nextStep: "Shorten the text or send it as several messages.",
  });

const keyOf = (operatorId: string, key: string): string => `${operatorId} ${key}`;

/** As a claim would give it. */
const outgoing = ({ payload, message, sender, operatorSlug, smsLimits }: Row): OutgoingMessage => ({
  messageId: message.id,
  operatorId: message.operatorId,
  operatorSlug,
  smsLimits,
  orderId: null,
  kind: "text",
  protocol: "text",
  sender,
  content: { to: numberOf(message), payload: payload.bytes },
  reference: message.reference,
  partCount: message.partCount,
  acceptedParts: [],
  acceptedBy: null,
  attempts: 1,
  expiresAt: message.expiresAt,
});

/** Those that were written before, by their keys. */
const knownOf = (database: Db, rows: readonly Row[]) =>
  database.rows<{ id: string; operatorId: string; key: string }>(KNOWN, [
    rows.map(({ message }) => message.operatorId),
    rows.map(({ message }) => message.idempotencyKey),
  ]);

type Writing = { readonly database: Db; readonly sealer: Sealer };

async function write(
  writing: Writing,
  rows: readonly Row[],
  now: Date,
  lease: Lease | null,
): Promise<Sent[]> {
  const wanted = new Map<string, Row>();
  for (const row of rows) {
    const key = keyOf(row.message.operatorId, row.message.idempotencyKey);
    if (!wanted.has(key)) wanted.set(key, row);
  }
  const first = [...wanted.values()];
  const created = await insert(writing, first, now, lease);
  const ids = new Map(
    first.map(({ message }) => [keyOf(message.operatorId, message.idempotencyKey), message.id]),
  );
  const repeated = first.filter(({ message }) => !created.has(message.id));
  if (repeated.length > 0) {
    const known = await knownOf(writing.database, repeated);
    for (const { id, operatorId, key } of known) ids.set(keyOf(operatorId, key), id);
  }
  return rows.map(({ message }) => {
    const id = getFrom(ids, keyOf(message.operatorId, message.idempotencyKey));
    return { id, created: id === message.id };
  });
}

/** Answers which were new. */
async function insert(
  { database, sealer }: Writing,
  rows: readonly Row[],
  now: Date,
  lease: Lease | null,
): Promise<ReadonlySet<string>> {
  const asked = rows.filter(({ message }) => !message.isUnasked);
  const unasked = rows.filter(({ message }) => message.isUnasked);
  const written: Promise<{ id: string }[]>[] = [];
  if (asked.length > 0) {
    const values = [now, ...columnsOf(sealer, asked)];
    written.push(
      lease
        ? database.rows(PUT_LEASED, [...values, lease.until, lease.node])
        : database.rows(PUT_QUEUED, values),
    );
  }
  if (unasked.length > 0)
    written.push(
      database.rows(PUT_UNASKED, [
        now,
        ...columnsOf(sealer, unasked),
        unasked.map(({ message }) => message.dueAt),
      ]),
    );
  return new Set((await Promise.all(written)).flat().map(({ id }) => id));
}

const numberOf = ({ destination }: NewMessage): string => assured(destination, "a text goes to a number");

const columnsOf = (sealer: Sealer, rows: readonly Row[]): unknown[][] => [
  rows.map(({ message }) => message.id),
  rows.map(({ message }) => message.operatorId),
  rows.map(({ message }) => sealer.seal("msisdn", numberOf(message))),
  rows.map(({ payload }) => sealer.seal("payload", payload.bytes)),
  rows.map(({ payload }) => payload.bytes.length),
  rows.map(({ message }) => message.idempotencyKey),
  rows.map(({ message }) => message.reference),
  rows.map(({ message }) => message.partCount),
  rows.map(({ message }) => message.expiresAt),
  rows.map(({ message }) => sealer.blindIndex("msisdn", message.operatorId, numberOf(message))),
];
