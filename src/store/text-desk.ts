/** Plain SMS through the durable outbox: accepted means on disk, and the same idempotency key sends nothing twice. */
import type { NewMessage, NewPayload } from "../kernel/order/change-set.ts";
import type { TextDesk } from "../kernel/order/order-reader.ts";
import type { OrderStore } from "../kernel/order/order-store.ts";
import { minutesAfter } from "../kernel/order/scribe.ts";
import { composeText, cutMessage } from "../kernel/payload/compose.ts";
import { TurnupError } from "../term/error.ts";
import { parseMsisdn } from "../term/msisdn.ts";
import { createCoalescer } from "./coalescer.ts";
import type { Database, Db } from "./database.ts";
import { insertMessages, insertPayloads } from "./order-rows.ts";
import type { Sealer } from "./seal.ts";

/** Ten SMS: a longer text is a mistake, and somebody pays for each. */
const MAX_PARTS = 10;
const MAX_CHARACTERS = 1_600;
const BATCH = { maxBatchRows: 500, maxBatchesAtOnce: 2, maxWaitingRows: 50_000 };

type Row = { readonly payload: NewPayload; readonly message: NewMessage };
type Sent = { readonly id: string; readonly created: boolean };

const KNOWN = {
  name: "known_messages", // message_operator_id_idempotency_key_key
  text: `select m.id, m.operator_id as "operatorId", m.idempotency_key as "key"
           from unnest($1::uuid[], $2::text[]) as q(operator_id, key)
           join message m on m.operator_id = q.operator_id and m.idempotency_key = q.key`,
};

export function createTextDesk(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly termsOf: OrderStore["termsOf"];
  /** Called when messages were queued. */
  readonly onMessages: () => void;
}): TextDesk {
  const rows = createCoalescer<Row, Sent>({
    ...BATCH,
    async work(batch) {
      const now = deps.clock();
      const sent = await deps.database.transaction(
        (tx) =>
          write(
            tx,
            deps.sealer,
            batch.map(({ row }) => row),
            now,
          ),
        { safeToRepeat: true },
      );
      for (const [at, { answer }] of batch.entries()) answer(sent[at]!);
      if (sent.some(({ created }) => created)) deps.onMessages();
    },
  });
  return {
    async send(operatorId, messages) {
      const { policy } = await deps.termsOf(operatorId);
      const now = deps.clock();
      return Promise.all(
        rows.put(
          messages.map(({ to, text, idempotencyKey }) => {
            const payload = payloadOf(operatorId, deps.newId(), text);
            const reference = deps.randomBytes(1)[0]!;
            const partCount = cutMessage("text", payload.bytes, reference).parts.length;
            if (partCount > MAX_PARTS) throw tooLong(`${partCount} SMS`);
            return {
              payload,
              message: {
                id: deps.newId(),
                operatorId,
                orderId: null,
                subscriberId: null,
                destination: parseMsisdn(to),
                payloadId: payload.id,
                kind: "text" as const,
                idempotencyKey: `text:${idempotencyKey}`,
                reference,
                partCount,
                dueAt: now,
                expiresAt: minutesAfter(now, policy.messageValidityMinutes),
              },
            };
          }),
        ),
      );
    },
  };
}

function payloadOf(operatorId: string, id: string, text: string): NewPayload {
  if (text === "") throw new TurnupError("text_empty", "a message without text is not sent");
  if (text.length > MAX_CHARACTERS) throw tooLong(`${text.length} characters`);
  return { id, operatorId, kind: "text", protocol: "text", sec: null, bytes: composeText(text) };
}

const tooLong = (fact: string): TurnupError =>
  new TurnupError("text_too_long", `${fact} are more than the ${MAX_PARTS} SMS that one message may have`, {
    nextStep: "shorten the text or send it as several messages",
  });

const keyOf = (operatorId: string, key: string): string => `${operatorId} ${key}`;

async function write(tx: Db, sealer: Sealer, rows: readonly Row[], now: Date): Promise<Sent[]> {
  const wanted = new Map<string, Row>();
  for (const row of rows) {
    const key = keyOf(row.message.operatorId, row.message.idempotencyKey);
    if (!wanted.has(key)) wanted.set(key, row);
  }
  const ids = await knownIds(tx, [...wanted.values()]);
  const fresh = [...wanted].flatMap(([key, row]) => (ids.has(key) ? [] : [row]));
  await insertPayloads(
    tx,
    fresh.map(({ payload }) => ({ ...payload, now, sealed: sealer.seal("payload", payload.bytes) })),
  );
  const inserted = await insertMessages(
    tx,
    fresh.map(({ message }) => ({
      ...message,
      now,
      destinationSealed: sealer.seal("msisdn", message.destination!),
    })),
  );
  for (const { message } of fresh) ids.set(keyOf(message.operatorId, message.idempotencyKey), message.id);
  if (inserted < fresh.length) for (const [key, id] of await knownIds(tx, fresh)) ids.set(key, id); // another was first
  return rows.map(({ message }) => {
    const id = ids.get(keyOf(message.operatorId, message.idempotencyKey))!;
    return { id, created: id === message.id };
  });
}

async function knownIds(tx: Db, rows: readonly Row[]): Promise<Map<string, string>> {
  const stored = await tx.rows<{ id: string; operatorId: string; key: string }>(KNOWN, [
    rows.map(({ message }) => message.operatorId),
    rows.map(({ message }) => message.idempotencyKey),
  ]);
  return new Map(stored.map(({ id, operatorId, key }) => [keyOf(operatorId, key), id]));
}
