/** Parts of messages to the message centre: in order, under one reference, never twice without need. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { OutgoingMessage, SubmittedPart, UnsentMessage } from "../order/message.ts";
import type { OrderStore } from "../order/order-store.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import { createInHand } from "./in-hand.ts";
import type { CentreState } from "./lanes.ts";
import { createOutbox, type PartOutcome, type PartToSubmit, type SmscPort } from "./outbox.ts";

const NOW = new Date("2026-05-04T08:00:00Z");
const message = (more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  messageId: "m",
  operatorId: "o",
  operatorSlug: "north",
  orderId: "order",
  kind: "settings",
  protocol: "omacp",
  sender: "2948",
  content: { to: "4915112345678", payload: new Uint8Array(300).fill(7) },
  reference: 9,
  partCount: 3,
  acceptedParts: [],
  acceptedBy: null,
  attempts: 1,
  expiresAt: new Date(NOW.getTime() + 3_600_000),
  ...more,
});

const NO_WORD = async (): Promise<boolean> => false;

async function pass(
  messages: readonly OutgoingMessage[],
  answer: (part: PartToSubmit) => PartOutcome,
  isKeyWithheld: (message: OutgoingMessage) => Promise<boolean> = NO_WORD,
) {
  const taken: SubmittedPart[] = [];
  const unsent: UnsentMessage[] = [];
  const submitted: PartToSubmit[] = [];
  const outbox = createOutbox({
    store: { claimMessages: async () => [...messages] } as unknown as OrderStore,
    books: {
      submitted: async (part: SubmittedPart) => void taken.push(part),
      unsent: async (one: UnsentMessage) => void unsent.push(one),
    } as unknown as Bookkeeper,
    smsc: oneCentre(async (part) => {
      submitted.push(part);
      return answer(part);
    }),
    clock: () => NOW,
    random: () => 1,
    inHand: createInHand(),
    ...UNLIMITED,
    isKeyWithheld,
  });
  await outbox.pass(10);
  await outbox.idle();
  return { taken, unsent, submitted };
}
const CENTRE: CentreState = {
  name: "one",
  operators: [],
  prefixes: [],
  drain: false,
  failoverMs: 30_000,
  downSinceMs: null,
  room: Number.POSITIVE_INFINITY,
};
/** An operator whose policy limits nothing: neither is asked. */
const UNLIMITED = {
  spend: { now: () => Promise.reject(new Error("not asked")), handedOver: () => undefined },
  sleep: () => Promise.reject(new Error("not asked")),
};
const oneCentre = (submit: SmscPort["submit"]): SmscPort => ({
  centres: () => [CENTRE],
  submit,
  canWrite: () => true,
  failedOver: () => undefined,
});
const accepted = (): PartOutcome => ({ kind: "accepted", smscMessageId: "x" });

test("parts go out in order under one reference, each with its UDH, the last without more to come", async () => {
  const { submitted, taken } = await pass([message()], accepted);
  assert.deepEqual(
    submitted.map(({ userData }) => [...userData.subarray(0, 12)].slice(7)),
    [
      [0, 3, 9, 3, 1],
      [0, 3, 9, 3, 2],
      [0, 3, 9, 3, 3],
    ],
  );
  assert.deepEqual(
    submitted.map(({ moreToSend }) => moreToSend),
    [true, true, false],
  );
  assert.deepEqual(
    taken.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
});

test("parts that an earlier attempt got accepted are not sent again", async () => {
  const { submitted } = await pass([message({ acceptedParts: [1, 3] })], accepted);
  assert.deepEqual(
    submitted.map(({ userData }) => userData[11]),
    [2],
  );
});

test("a part refused for good ends the message, one put off makes it due later and never after its expiry", async () => {
  const refused = await pass([message()], () => ({ kind: "refused", code: "ESME_RINVDSTADR" }));
  assert.deepEqual(
    refused.unsent.map(({ retryAt, errorCode }) => ({ retryAt, errorCode })),
    [{ retryAt: null, errorCode: "ESME_RINVDSTADR" }],
  );
  const waits = [1, 2, 9].map(async (attempts) => {
    const later = await pass([message({ attempts })], () => ({ kind: "later", code: "ESME_RTHROTTLED" }));
    return (later.unsent[0]!.retryAt!.getTime() - NOW.getTime()) / 1_000;
  });
  assert.deepEqual(await Promise.all(waits), [5, 10, 900]);
  const soon = new Date(NOW.getTime() + 2_000);
  const last = await pass([message({ expiresAt: soon })], () => ({ kind: "later", code: "ESME_RTHROTTLED" }));
  assert.deepEqual(last.unsent[0]?.retryAt, soon);
});

test("what has expired, or cannot be read or cut, is given up without a part of it sent, beside others that go", async () => {
  const { submitted, unsent, taken } = await pass(
    [
      message({ messageId: "expired", expiresAt: NOW }),
      message({ messageId: "unreadable", content: null }),
      message({ messageId: "too long", content: { to: "1", payload: new Uint8Array(60_000) } }),
      message({ messageId: "sound" }),
    ],
    accepted,
  );
  assert.deepEqual(
    unsent.map(({ messageId, errorCode, retryAt }) => [messageId, errorCode, retryAt]).sort(),
    [
      ["expired", "expired", null],
      ["too long", "unreadable", null],
      ["unreadable", "unreadable", null],
    ],
  );
  assert.equal(submitted.length, 3);
  assert.ok(taken.every(({ messageId }) => messageId === "sound"));
});

test("a key whose handset is to get none any more is given up, also where a part of it is with the centre; what cannot be told waits", async () => {
  const asked: string[] = [];
  const isKeyWithheld = async ({ messageId }: OutgoingMessage): Promise<boolean> => {
    asked.push(messageId);
    if (messageId === "untold") throw new RangeError("no such model");
    return messageId !== "wanted";
  };
  const { submitted, unsent, taken } = await pass(
    [
      message({ messageId: "key", kind: "key", acceptedParts: [1] }),
      message({ messageId: "both", kind: "package" }),
      message({ messageId: "untold", kind: "key" }),
      message({ messageId: "wanted", kind: "key" }),
      message({ messageId: "settings" }),
      message({ messageId: "expired", kind: "key", expiresAt: NOW }),
    ],
    accepted,
    isKeyWithheld,
  );
  assert.deepEqual(asked.sort(), ["both", "key", "untold", "wanted"]);
  assert.deepEqual(
    unsent.map(({ messageId, errorCode, retryAt }) => [messageId, errorCode, retryAt !== null]).sort(),
    [
      ["both", "key_withheld", false],
      ["expired", "expired", false],
      ["key", "key_withheld", false],
      ["untold", "fault", true],
    ],
  );
  assert.equal(submitted.length, 6);
  assert.deepEqual([...new Set(taken.map(({ messageId }) => messageId))].sort(), ["settings", "wanted"]);
});

const many = (count: number) => Array.from({ length: count }, () => message());

test("messages are handed over while few are on their way, and none while others wait longer", async () => {
  const onTheirWay: (() => void)[] = [];
  const outbox = createOutbox({
    store: {
      claimMessages: async ({ limit }: { readonly limit: number }) =>
        Array.from({ length: limit === 2 ? 2 : 0 }, () => message({ content: null })),
    } as unknown as OrderStore,
    books: { submitted: async () => undefined, unsent: async () => undefined } as unknown as Bookkeeper,
    smsc: oneCentre(() => new Promise((resolve) => onTheirWay.push(() => resolve(accepted())))),
    clock: () => NOW,
    random: () => 1,
    inHand: createInHand(),
    ...UNLIMITED,
    isKeyWithheld: NO_WORD,
  });
  const text = message({ kind: "text", protocol: "text", partCount: 1 });
  const one = { ...text, content: { to: "4915112345678", payload: new TextEncoder().encode("hello") } };
  assert.equal(outbox.hasRoom(many(1_000)), true);
  outbox.hand(Promise.resolve([one]));
  await new Promise(setImmediate);
  assert.deepEqual([outbox.hasRoom(many(1_000)), outbox.hasRoom(many(999))], [false, true]);
  onTheirWay.shift()?.();
  await outbox.idle();
  assert.equal(outbox.hasRoom(many(1_000)), true);
  await outbox.pass(2); // as many as were asked for: more may be due
  assert.equal(outbox.hasRoom(many(1)), false);
  await outbox.pass(10);
  assert.equal(outbox.hasRoom(many(1)), true);
});

test("settings that nobody confirmed and that may go out no more are given up for good, and the centre sees none of it", async () => {
  const { submitted, unsent } = await pass([message({ isWithheld: true })], accepted);
  assert.deepEqual(submitted, []);
  assert.deepEqual(
    unsent.map(({ messageId, retryAt, errorCode }) => [messageId, retryAt, errorCode]),
    [["m", null, "settings_unconfirmed"]],
  );
});

test("a part that the centre took and that could not be booked is no longer in hand: the message is given back", async () => {
  const inHand = createInHand();
  let refuse = (_: Error): void => undefined;
  const outbox = createOutbox({
    store: { claimMessages: async () => [message()] } as unknown as OrderStore,
    books: {
      submitted: ({ sequence }: SubmittedPart) =>
        sequence === 2 ? new Promise<void>((_, reject) => (refuse = reject)) : Promise.resolve(),
    } as unknown as Bookkeeper,
    smsc: oneCentre(async () => accepted()),
    inHand,
    ...UNLIMITED,
    isKeyWithheld: NO_WORD,
    clock: () => NOW,
    random: () => 1,
  });
  await outbox.pass(10);
  const back: string[] = [];
  const leases = {
    leasedHere: async () => [{ id: "m", attempts: 1 }],
    giveBack: async (leased: readonly { readonly id: string }[]) => back.push(...leased.map(({ id }) => id)),
  };
  await inHand.giveBack(leases, () => NOW);
  assert.deepEqual(back, [], "its booking is under way");
  refuse(new Error("the database took too long"));
  await new Promise(setImmediate);
  await inHand.giveBack(leases, () => NOW);
  assert.deepEqual(back, ["m"]);
});
