/** Texts by the API: on disk before they are accepted, sent once. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { NO_SMS_LIMITS, type SmsLimits } from "../../kernel/operator/sms-limits.ts";
import type { OutgoingMessage } from "../../kernel/order/message.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { createSmsSpend } from "./sms-spend.ts";
import { createTextDesk } from "./text-desk.ts";

const database = await freshDatabase();
const operatorId = uuidv7();
await database.run("insert into operator (id, slug, name, kind) values ($1, 'desk', 'Desk', 'mvno')", [
  operatorId,
]);

const handed: OutgoingMessage[] = [];
const desk = (
  hasRoom = false,
  smsLimits: Partial<SmsLimits> = {},
  spend = createSmsSpend(database, () => new Date()),
) =>
  createTextDesk({
    database,
    sealer: createSealer(Buffer.alloc(32, 7)),
    newId: () => uuidv7(),
    clock: () => new Date(),
    randomBytes: (octets) => new Uint8Array(octets).fill(9),
    termsOf: async () => ({
      operatorId,
      operatorSlug: "desk",
      operatorName: "Desk",
      kind: "mvno",
      homePlmns: [],
      policy: { ...DEFAULT_POLICY, smsLimits: { ...NO_SMS_LIMITS, ...smsLimits } },
      policyVersion: 1,
      relations: new Map(),
      accessPoints: [],
      overrides: new Map(),
    }),
    courier: {
      hasRoom: () => hasRoom,
      hand: (written) => void written.then((messages) => handed.push(...messages)),
    },
    spend,
    nodeNumber: () => 7,
    onMessages: () => undefined,
  });
/** What was handed over stays what was handed over just now, of this day, however long the test takes. */
const spendAtOneMoment = () => {
  const at = new Date();
  return createSmsSpend(database, () => at);
};
const message = (idempotencyKey: string, text = "hello") => ({ to: "+4915112345678", text, idempotencyKey });
const rowsOf = async (key: string): Promise<number> =>
  (await database.rows("select 1 from message where idempotency_key = $1", [`text:${key}`])).length;

test("texts to one phone at a time bear references of their own, whatever chance gives", async () => {
  const keys = Array.from({ length: 20 }, (_, n) => `burst-${n}`);
  await desk().send(
    operatorId,
    keys.map((key) => message(key, "long ".repeat(60))),
  );
  const rows = await database.rows<{ reference: number; parts: number }>(
    "select reference, part_count as parts from message where idempotency_key = any($1)",
    [keys.map((key) => `text:${key}`)],
  );
  assert.ok(rows.every(({ parts }) => parts > 1));
  assert.equal(new Set(rows.map(({ reference }) => reference)).size, keys.length);
});

test("an accepted text is on disk, sealed, and due", async () => {
  const [sent] = await desk().send(operatorId, [message("first")]);
  const row = await database.one<{
    state: string;
    destination_sealed: Buffer;
    due_at: Date | null;
    part_count: number;
  }>("select state, destination_sealed, due_at, part_count from message where id = $1", [sent!.id]);
  assert.equal(row?.state, "queued");
  assert.ok(row?.due_at);
  assert.ok(!row?.destination_sealed.toString("latin1").includes("4915112345678"));
});

test("a text that is handed over is leased to this server on disk before, and a repeat of it is not handed over again", async () => {
  const text = message("handed", "to the courier");
  const [[sent], [again]] = [
    await desk(true).send(operatorId, [text]),
    await desk(true).send(operatorId, [text]),
  ];
  assert.deepEqual(
    handed.map(({ messageId, content, sender }) => [messageId, content?.to, sender]),
    [[sent!.id, "4915112345678", DEFAULT_POLICY.sender]],
  );
  assert.equal(again!.id, sent!.id);
  const row = await database.one<{ state: string; leased_by: number; attempts: number; isLeased: boolean }>(
    `select state, leased_by, attempts, lease_until > now() and due_at = lease_until as "isLeased" from message where id = $1`,
    [sent!.id],
  );
  assert.deepEqual(row, { state: "submitting", leased_by: 7, attempts: 1, isLeased: true });
});

test("the same idempotency key sends nothing twice: later, in one batch, or through two servers at once", async () => {
  const one = desk();
  const [first] = await one.send(operatorId, [message("again")]);
  const [second] = await one.send(operatorId, [message("again", "another text")]);
  assert.deepEqual(second, { id: first!.id, created: false });

  const both = await one.send(operatorId, [message("twins"), message("twins")]);
  assert.equal(both[0]!.id, both[1]!.id);

  const raced = await Promise.all(
    [desk(), desk(), desk()].map((each) => each.send(operatorId, [message("race")])),
  );
  assert.equal(new Set(raced.map(([sent]) => sent!.id)).size, 1);
  for (const key of ["again", "twins", "race"]) assert.equal(await rowsOf(key), 1, key);
});

test("an empty text, one of more than ten SMS and a number that is none are refused before anything is stored", async () => {
  const before = (await database.rows("select 1 from message")).length;
  await assert.rejects(desk().send(operatorId, [message("empty", "")]), { code: "text_empty" });
  await assert.rejects(desk().send(operatorId, [message("long", "ä€".repeat(760))]), {
    code: "text_too_long",
  });
  await assert.rejects(desk().send(operatorId, [{ ...message("who"), to: "12" }]), {
    code: "msisdn_malformed",
  });
  assert.equal((await database.rows("select 1 from message")).length, before);
});

test("texts beyond what may wait or be spent in a day are refused whole, with the limit named; a repeat of what was accepted is not", async () => {
  const waits = (await database.rows("select 1 from message where state in ('queued', 'submitting')")).length;
  const narrow = desk(false, { waiting: waits + 2 });
  const two = [message("room-1"), message("room-2")];
  await narrow.send(operatorId, two);
  await assert.rejects(narrow.send(operatorId, [message("room-3")]), { code: "sms_queue_full" });
  assert.equal(await rowsOf("room-3"), 0);
  assert.deepEqual(
    (await narrow.send(operatorId, two)).map(({ created }) => created),
    [false, false],
  );
  const [{ parts }] = (await database.rows<{ parts: number }>(
    "select sum(part_count)::int as parts from message where state in ('queued', 'submitting')",
  )) as [{ parts: number }];
  const poor = desk(false, { perDay: parts + 3 });
  await poor.send(operatorId, [message("spent-1", "long ".repeat(60))]); // two parts
  await assert.rejects(poor.send(operatorId, [message("spent-2"), message("spent-3")]), {
    code: "sms_day_spent",
  });
  await poor.send(operatorId, [message("spent-4")]);
  await assert.rejects(poor.send(operatorId, [message("spent-5")]), { code: "sms_day_spent" });
});

test("texts that come at once do not go beyond what may wait or be spent together; what is on its way counts once", async () => {
  const countOf = async (what: string): Promise<number> => {
    const [row] = await database.rows<{ n: number }>(
      `select coalesce(${what}, 0)::int as n from message where state in ('queued', 'submitting')`,
    );
    return row?.n ?? 0;
  };
  const acceptedOf = async (limits: Partial<SmsLimits>, keys: string): Promise<number> => {
    const all = desk(false, limits);
    const sent = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => all.send(operatorId, [message(`${keys}-${at}`)])),
    );
    return sent.filter(({ status }) => status === "fulfilled").length;
  };
  assert.equal(await acceptedOf({ waiting: (await countOf("count(*)")) + 5 }, "at-once"), 5);
  assert.equal(await acceptedOf({ perDay: (await countOf("sum(part_count)")) + 4 }, "of-a-day"), 4);
  const spend = spendAtOneMoment();
  const parts = await countOf("sum(part_count)");
  spend.handedOver(operatorId, parts, 0); // their booking is under way
  await desk(false, { perDay: parts + 1 }, spend).send(operatorId, [message("counted-once")]);
});

test("a text that would cost more than is left of the day's sum is refused by what its number costs", async () => {
  const prices = { currency: "EUR", perPart: { default: 900_000, "49": 60_000 } };
  const spend = spendAtOneMoment();
  spend.handedOver(operatorId, 10, 850_000);
  const poor = desk(false, { costMicrosPerDay: 1_000_000, prices }, spend);
  await poor.send(operatorId, [message("cheap-1", "long ".repeat(60))]); // two parts
  await assert.rejects(poor.send(operatorId, [message("cheap-2", "long ".repeat(80))]), {
    code: "sms_day_spent",
    message: /^The day's 1 EUR for SMS .* 0.18 EUR more would be beyond them\.$/,
  });
  await assert.rejects(poor.send(operatorId, [{ ...message("dear"), to: "+12025550123" }]), {
    code: "sms_day_spent",
  });
  assert.equal(await rowsOf("dear"), 0);
});
