/** Several message centres: where a message goes, what waits for which, and that one operator's queue holds up nobody else's. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { NO_SMS_LIMITS } from "../operator/sms-limits.ts";
import type { OutgoingMessage, SubmittedPart, UnsentMessage } from "../order/message.ts";
import { createInHand } from "./in-hand.ts";
import type { CentreState } from "./lanes.ts";
import { createOutbox, type PartOutcome, type PartToSubmit } from "./outbox.ts";

const START = Date.parse("2026-05-04T08:00:00Z");
const centre = (name: string, more: Partial<CentreState> = {}): CentreState => ({
  name,
  operators: [],
  prefixes: [],
  drain: false,
  failoverMs: 30_000,
  downSinceMs: null,
  room: Number.POSITIVE_INFINITY,
  ...more,
});
let ids = 0;
const message = (operator: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  messageId: `m${++ids}`,
  operatorId: `id of ${operator}`,
  operatorSlug: operator,
  orderId: null,
  kind: "settings",
  protocol: "omacp",
  sender: "2948",
  content: { to: "4915112345678", payload: new Uint8Array(300).fill(7) },
  reference: 9,
  partCount: 3,
  acceptedParts: [],
  acceptedBy: null,
  attempts: 1,
  expiresAt: new Date(START + 86_400_000),
  ...more,
});
const taken = (): PartOutcome => ({ kind: "accepted", smscMessageId: "x" });

/** An outbox over a queue in memory, oldest first, with centres and answers that a test changes. */
function outboxWith(given: {
  centres: CentreState[];
  answer?: (part: PartToSubmit, centre: string) => Promise<PartOutcome>;
}) {
  const world = {
    nowMs: START,
    answer: async (): Promise<PartOutcome> => taken(),
    queue: [] as OutgoingMessage[],
    claims: [] as { except: readonly string[]; took: number }[],
    rooms: 0,
    unfit: [] as string[],
    spend: { spent: 0, lately: 0, spentMicros: 0, latelyMicros: 0 },
    slept: [] as number[],
    ...given,
  } as {
    nowMs: number;
    centres: CentreState[];
    answer: (part: PartToSubmit, centre: string) => Promise<PartOutcome>;
    queue: OutgoingMessage[];
    claims: { except: readonly string[]; took: number }[];
    rooms: number;
    unfit: string[];
    spend: { spent: number; lately: number; spentMicros: number; latelyMicros: number };
    slept: number[];
  };
  const sent: { operator: string; centre: string }[] = [];
  const booked: SubmittedPart[] = [];
  const unsent: UnsentMessage[] = [];
  const failedOver: string[] = [];
  const told: { operatorId: string; reason: string; limit: number }[] = [];
  /** As the row of the message keeps it. */
  const perhaps = new Map<string, { readonly smsc: string; readonly until: Date }>();
  const outbox = createOutbox({
    store: {
      async claimMessages({ now, limit, except = [], most = new Map(), mostOfOthers = limit }) {
        const counts = new Map<string, number>();
        const due = world.queue
          .filter(({ operatorId }) => !except.includes(operatorId))
          .filter(({ operatorId }) => {
            counts.set(operatorId, (counts.get(operatorId) ?? 0) + 1);
            const cap = most.size + except.length > 0 ? (most.get(operatorId) ?? mostOfOthers) : limit;
            return (counts.get(operatorId) ?? 0) <= cap;
          })
          .slice(0, limit);
        world.queue = world.queue.filter((one) => !due.includes(one));
        world.claims.push({ except, took: due.length });
        return due.map((one) => {
          const held = perhaps.get(one.messageId);
          return held && held.until > now ? { ...one, perhapsWith: held.smsc } : one;
        });
      },
      async tellWaiting({ operatorId, reason, limit }) {
        told.push({ operatorId, reason, limit });
        return null;
      },
      termsOf: () => Promise.reject(new Error("not asked")),
    },
    books: {
      submitted: async (part) => void booked.push(part),
      async unsent(one) {
        unsent.push(one);
        if (one.perhapsWith) perhaps.set(one.messageId, one.perhapsWith);
      },
    },
    smsc: {
      centres: () => world.centres,
      canWrite: (_, name) => !world.unfit.includes(name),
      submit(part, name) {
        sent.push({ operator: part.lane, centre: name });
        return world.answer(part, name);
      },
      failedOver: (name) => failedOver.push(name),
    },
    clock: () => new Date(world.nowMs),
    random: () => 1,
    inHand: createInHand(),
    spend: {
      now: async () => ({
        ...{ spent: world.spend.spent, waiting: 0, waitingParts: 0 },
        spentMicros: world.spend.spentMicros,
        get lately() {
          return world.spend.lately;
        },
        get latelyMicros() {
          return world.spend.latelyMicros;
        },
      }),
      handedOver(_, parts, costMicros) {
        world.spend.lately += parts;
        world.spend.latelyMicros += costMicros;
      },
    },
    sleep: async (ms) => void world.slept.push(ms),
    isKeyWithheld: async () => false,
    onRoom: () => (world.rooms += 1),
  });
  const pass = async (...messages: OutgoingMessage[]): Promise<void> => {
    world.queue.push(...messages);
    await outbox.pass(250);
    await outbox.idle();
  };
  return { world, outbox, pass, sent, booked, unsent, failedOver, told };
}
const centresOf = (sent: readonly { readonly centre: string }[]) => sent.map(({ centre }) => centre);

test("all parts of a message go to the centre of its operator, and are booked under that centre's name", async () => {
  const { pass, sent, booked } = outboxWith({
    centres: [centre("north's", { operators: ["north"] }), centre("south's", { operators: ["south"] })],
  });
  await pass(message("south"));
  assert.deepEqual(centresOf(sent), ["south's", "south's", "south's"]);
  assert.deepEqual([...new Set(booked.map(({ smsc }) => smsc))], ["south's"]);
});

test("a message goes by another centre when its own is unbound for longer than its time, which is counted", async () => {
  const { world, pass, sent, unsent, failedOver } = outboxWith({
    centres: [centre("first", { downSinceMs: START - 29_000 }), centre("second")],
  });
  await pass(message("north"));
  assert.deepEqual(sent, []);
  assert.equal(unsent[0]?.errorCode, "smsc_unbound");
  assert.match(
    unsent[0]?.reason ?? "",
    /its message centre first is not bound; it is looked at again at 2026/,
  );
  world.nowMs += 1_000;
  await pass(message("north"));
  assert.deepEqual(centresOf(sent), ["second", "second", "second"]);
  assert.deepEqual(failedOver, ["first"]);
});

test("what a centre has in part stays with it, though others are bound", async () => {
  const { world, pass, sent, unsent } = outboxWith({
    centres: [centre("first", { downSinceMs: 0 }), centre("second")],
  });
  const begun = { acceptedParts: [1], acceptedBy: "first" };
  await pass(message("north", begun));
  assert.deepEqual([sent, unsent[0]?.errorCode], [[], "smsc_unbound"]);
  world.centres = [centre("first", { drain: true }), centre("second")];
  await pass(message("north", begun));
  assert.deepEqual(centresOf(sent), ["first", "first"], "also where nothing new goes there");
});

test("what a centre has perhaps is not sent by another within ten minutes, and its reason says so; then it is", async () => {
  const { world, pass, sent, unsent } = outboxWith({
    centres: [centre("first"), centre("second")],
    answer: async () => ({ kind: "later", code: "disconnected", isPerhapsTaken: true }),
  });
  const one = message("north", {
    partCount: 1,
    content: { to: "4915112345678", payload: new Uint8Array(20) },
  });
  await pass(one);
  assert.match(
    unsent[0]?.reason ?? "",
    /^disconnected; first has it perhaps, and it is sent there again at /,
  );
  world.centres = [centre("first", { downSinceMs: START }), centre("second")];
  world.nowMs += 599_000;
  await pass(one);
  assert.deepEqual([sent.length, unsent[1]?.errorCode], [1, "smsc_unbound"]);
  world.nowMs += 2_000;
  world.answer = async () => taken();
  await pass(one);
  assert.deepEqual(centresOf(sent), ["first", "second"]);
});

test("a centre that has a message perhaps keeps it though the next try did not even leave", async () => {
  const { world, pass, sent, unsent } = outboxWith({
    centres: [centre("first"), centre("second")],
    answer: async () => ({ kind: "later", code: "disconnected", isPerhapsTaken: true }),
  });
  const one = message("north", {
    partCount: 1,
    content: { to: "4915112345678", payload: new Uint8Array(20) },
  });
  await pass(one);
  world.answer = async () => ({ kind: "later", code: "deadline" });
  world.nowMs += 60_000;
  await pass(one);
  world.centres = [centre("first", { downSinceMs: START }), centre("second")];
  world.nowMs += 60_000;
  await pass(one);
  assert.deepEqual(centresOf(sent), ["first", "first"]);
  assert.equal(unsent.at(-1)?.errorCode, "smsc_unbound");
});

test("what was certainly not taken goes by another centre at once", async () => {
  const { world, pass, sent } = outboxWith({
    centres: [centre("first", { failoverMs: 0 }), centre("second")],
    answer: async () => ({ kind: "later", code: "deadline" }),
  });
  const one = message("north", {
    partCount: 1,
    content: { to: "4915112345678", payload: new Uint8Array(20) },
  });
  await pass(one);
  world.centres = [centre("first", { failoverMs: 0, downSinceMs: START }), centre("second")];
  await pass(one);
  assert.deepEqual(centresOf(sent), ["first", "second"]);
});

test("a refusal names the centre that it came from, and our own is not told as one", async () => {
  const { world, pass, unsent } = outboxWith({
    centres: [centre("first")],
    answer: async () => ({ kind: "refused", code: "ESME_RINVDSTADR" }),
  });
  await pass(message("north"));
  world.answer = async () => ({ kind: "refused", code: "alphabet_unfit", by: "us" });
  await pass(message("north"));
  assert.deepEqual(
    unsent.map(({ reason }) => reason),
    ["the SMSC first refused it: ESME_RINVDSTADR", "it was not given to the SMSC: alphabet_unfit"],
  );
});

test("an operator whose centres are all unbound is claimed for no more: its queue waits as it is, and others' goes on", async () => {
  const { world, pass, sent } = outboxWith({
    centres: [
      centre("north's", { operators: ["north"], downSinceMs: START }),
      centre("south's", { operators: ["south"] }),
    ],
  });
  await pass(message("north"));
  await pass(message("north"), message("south"));
  assert.deepEqual(
    world.queue.map(({ operatorSlug }) => operatorSlug),
    ["north"],
  );
  assert.deepEqual(centresOf(sent), ["south's", "south's", "south's"]);
  world.centres = world.centres.map((one) => ({ ...one, downSinceMs: null }));
  await pass();
  assert.deepEqual(world.queue, []);
});

test("what waits since no centre of its operator is bound says so, with the moment; another operator's says nothing of it", async () => {
  const { world, pass, told } = outboxWith({
    centres: [
      centre("north's", { operators: ["north"], downSinceMs: START }),
      centre("south's", { operators: ["south"] }),
    ],
  });
  await pass(message("north"), message("south"));
  assert.equal(told.length, 0);
  await pass(message("north"), message("south"));
  assert.deepEqual(
    told.map(({ operatorId, reason }) => [operatorId, reason]),
    [
      [
        "id of north",
        "no message centre of its operator was bound at 2026-05-04T08:00:00.000Z (north's); it goes in its turn once one is",
      ],
    ],
  );
  await pass();
  assert.equal(told.length, 1, "not at each look");
  world.nowMs += 5_000;
  await pass();
  assert.equal(told.length, 2, "what became due meanwhile is told too");
  world.centres = world.centres.filter(({ name }) => name !== "north's");
  world.nowMs += 5_000;
  await pass();
  assert.match(told.at(-1)?.reason ?? "", /^no message centre serves its operator/);
});

test("an operator with little room is claimed for little, and another's claim is as large as ever", async () => {
  const { world, outbox, pass, sent } = outboxWith({ centres: [centre("one")] });
  const single = { partCount: 1, content: { to: "4915112345678", payload: new Uint8Array(20) } };
  const slow = { ...single, smsLimits: { ...NO_SMS_LIMITS, perSecond: 1 } };
  await pass(message("slow", slow), message("fast", single));
  world.queue = Array.from({ length: 400 }, (_, at) =>
    at % 2 ? message("slow", slow) : message("fast", single),
  );
  assert.equal(await outbox.pass(250), true);
  const counts = (operator: string) =>
    sent.slice(2).filter((one) => one.operator === `id of ${operator}`).length;
  await outbox.idle();
  assert.deepEqual([counts("slow"), counts("fast")], [10, 200]);
});

test("a text that the first centre's alphabet lacks goes by one that has it; by none of them it is refused as ours", async () => {
  const { world, pass, sent, unsent } = outboxWith({ centres: [centre("ascii"), centre("gsm")] });
  world.unfit = ["ascii"];
  await pass(message("north"));
  assert.deepEqual(centresOf(sent), ["gsm", "gsm", "gsm"]);
  world.centres = [centre("ascii"), centre("gsm", { downSinceMs: START })];
  await pass(message("north"));
  assert.deepEqual([sent.length, unsent[0]?.errorCode], [3, "smsc_unbound"]);
  world.centres = [centre("ascii")];
  await pass(message("north"));
  assert.deepEqual([unsent[1]?.errorCode, unsent[1]?.retryAt], ["alphabet_unfit", null]);
  world.centres = [centre("ascii", { operators: ["other"] })];
  world.unfit = [];
  await pass(message("west"));
  assert.equal(unsent[2]?.errorCode, "smsc_none");
});

test("a centre that falls seconds after each bind is passed over once that goes on for its time, and used where there is no other", async () => {
  const { world, pass, sent } = outboxWith({
    centres: [centre("first", { shakySinceMs: START - 29_000 }), centre("second")],
  });
  const single = { partCount: 1, content: { to: "4915112345678", payload: new Uint8Array(20) } };
  await pass(message("north", single));
  world.nowMs += 1_000;
  await pass(message("north", single));
  world.centres = [centre("first", { shakySinceMs: START - 29_000 }), centre("second", { downSinceMs: 0 })];
  await pass(message("north", single));
  world.centres = [
    centre("first", { shakySinceMs: START - 29_000, downSinceMs: world.nowMs }),
    centre("second"),
  ];
  await pass(message("north", single));
  assert.deepEqual(centresOf(sent), ["first", "second", "first", "second"]);
});

test("what SMS may cost a day holds back by the price of each number's prefix, and others' go on", async () => {
  const { world, pass, sent, booked, unsent } = outboxWith({ centres: [centre("one")] });
  const prices = { currency: "EUR", perPart: { default: 100_000, "49": 70_000, "49151": 50_000 } };
  const smsLimits = { ...NO_SMS_LIMITS, costMicrosPerDay: 1_000_000, prices };
  world.spend.spentMicros = 700_000;
  await pass(message("north", { smsLimits }));
  assert.deepEqual(
    [booked.map(({ costMicros }) => costMicros), world.spend.latelyMicros],
    [[50_000, 50_000, 50_000], 150_000],
  );
  const abroad = { to: "+12025550123", payload: new Uint8Array(300).fill(7) };
  await pass(message("north", { smsLimits, content: abroad }));
  assert.equal(unsent[0]?.errorCode, "sms_day_spent");
  world.spend = { ...world.spend, spentMicros: 850_000, latelyMicros: 0 };
  await pass(
    message("north", { smsLimits, content: abroad }),
    message("north", { smsLimits }),
    message("south"),
  );
  assert.deepEqual(
    [unsent[1]?.reason, sent.length],
    [
      "the operator's 1 EUR for SMS of the day are spent; it is looked at again at 2026-05-05T00:00:00.000Z",
      9,
    ],
  );
});

test("a queue of 100,000 fills its operator's own lane alone: what another gives is claimed at the next pass", async () => {
  const waiting: (() => void)[] = [];
  const { world, outbox, sent } = outboxWith({
    centres: [centre("one")],
    answer: () => new Promise((resolve) => waiting.push(() => resolve(taken()))),
  });
  const single = { partCount: 1, content: { to: "4915112345678", payload: new Uint8Array(20) } };
  world.queue = Array.from({ length: 100_000 }, () => message("north", single));
  while (await outbox.pass(250));
  await new Promise(setImmediate);
  const north = sent.length;
  assert.ok(north >= 250 && north <= 1_250, `${north} of them are on their way`);
  world.queue.push(message("south", single));
  assert.equal(outbox.hasRoom([message("north")]), false, "what comes now for north waits behind its own");
  assert.equal(outbox.hasRoom([message("south")]), true);
  world.nowMs += 300;
  assert.equal(await outbox.pass(250), false);
  assert.equal(sent.at(-1)?.operator, "id of south");
  for (const answer of waiting.splice(0, north - 400)) answer();
  await new Promise(setImmediate);
  assert.equal(world.rooms, 1, "its lane is open again when half of it is done, and that is told once");
  assert.equal(await outbox.pass(250), true);
  for (; waiting.length > 0; await new Promise(setImmediate))
    for (const answer of waiting.splice(0)) answer();
  await outbox.idle();
});

test("who shares a slow centre shares what it takes in its time, so that nothing waits in memory beyond its deadline", async () => {
  const { world, outbox, sent } = outboxWith({
    centres: [centre("slow", { room: 40 })],
    answer: () => new Promise(() => undefined),
  });
  const single = { partCount: 1, content: { to: "4915112345678", payload: new Uint8Array(20) } };
  world.queue = Array.from({ length: 1_000 }, (_, at) => message(at % 2 ? "north" : "south", single));
  for (let passes = 0; passes < 20; passes++) {
    await outbox.pass(250);
    world.nowMs += 300;
    await new Promise(setImmediate);
  }
  assert.ok(sent.length >= 40 && sent.length <= 60, `${sent.length} are on their way`);
});

test("an operator's rate lets its parts leave one after the other, and others' at once", async () => {
  const { world, pass, sent } = outboxWith({ centres: [centre("one")] });
  const smsLimits = { ...NO_SMS_LIMITS, perSecond: 5 };
  await pass(message("north", { smsLimits }), message("north", { smsLimits }), message("south"));
  assert.deepEqual(world.slept, [600], "three parts take 600 ms");
  assert.equal(sent.length, 9);
});

test("what is beyond a day's SMS waits for the next day with that reason, and no centre is told to have refused it", async () => {
  const { world, pass, sent, unsent } = outboxWith({ centres: [centre("one")] });
  const smsLimits = { ...NO_SMS_LIMITS, perDay: 100 };
  world.spend.spent = 96;
  await pass(message("north", { smsLimits }));
  assert.equal(sent.length, 3);
  await pass(message("north", { smsLimits }));
  const soon = unsent[0]?.retryAt?.getTime() ?? 0;
  assert.equal(soon - START, 15_000, "it is not certain yet that the three are spent");
  world.spend = { ...world.spend, spent: 99, lately: 0 };
  await pass(message("north", { smsLimits }), message("south"));
  assert.deepEqual(
    [unsent[1]?.errorCode, unsent[1]?.retryAt?.toISOString()],
    ["sms_day_spent", "2026-05-05T00:00:00.000Z"],
  );
  assert.match(unsent[1]?.reason ?? "", /^the operator's 100 SMS of the day are spent/);
  assert.equal(sent.length, 6, "another operator's go on");
});

test("many that are claimed at once do not go beyond the day together", async () => {
  const { world, pass, sent, unsent } = outboxWith({ centres: [centre("one")] });
  const smsLimits = { ...NO_SMS_LIMITS, perDay: 100 };
  world.spend.spent = 93;
  await pass(...Array.from({ length: 20 }, () => message("north", { smsLimits })));
  assert.deepEqual([sent.length, unsent.length], [6, 18], "two messages of three parts are within it");
});

test("what would wait for its turn longer than its lease may take is given back with the time of its turn, and expires as any", async () => {
  const { world, pass, sent, unsent } = outboxWith({ centres: [centre("one")] });
  const smsLimits = { ...NO_SMS_LIMITS, perSecond: 1, perDay: 100 };
  await pass(...Array.from({ length: 40 }, () => message("north", { smsLimits })));
  assert.equal(Math.max(...world.slept), 30_000);
  assert.deepEqual([sent.length, unsent.length], [33, 29]);
  assert.equal(world.spend.lately, 33, "what is given back is not spent");
  const [first] = unsent;
  assert.match(first?.reason ?? "", /^the operator's 1 SMS a second are taken; it is looked at again at /);
  assert.equal((first?.retryAt?.getTime() ?? 0) - START, 33_000);
  world.queue = [];
  await pass(message("north", { smsLimits, expiresAt: new Date(START + 20_000) }));
  assert.equal((unsent.at(-1)?.retryAt?.getTime() ?? 0) - START, 20_000);
});
