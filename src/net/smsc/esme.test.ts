/** The session against the simulated SMSC: what an operator's day brings. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, test } from "vitest";
import { freePort } from "../../../test/fixture/free-port.ts";
import { createSmscSimulator, type SmscOptions, type SmscSimulator } from "../../sim/smsc/smsc.ts";
import { parseReceipt } from "../../wire/smpp/receipt.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { systemClock } from "./clock.ts";
import { createEsme, type Esme, type EsmeOptions, type EsmeState } from "./esme.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";

const open: { esmes: Esme[]; smscs: SmscSimulator[] } = { esmes: [], smscs: [] };

afterEach(async () => {
  await Promise.all(open.esmes.splice(0).map((esme) => esme.stop({ drainMs: 0 })));
  await Promise.all(open.smscs.splice(0).map((smsc) => smsc.close()));
});

async function smscOf(options: Partial<SmscOptions> = {}): Promise<SmscSimulator> {
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "secret",
    seed: 7,
    onMessage: async () => "delivered",
    redeliverMs: 20,
    ...options,
  });
  open.smscs.push(smsc);
  return smsc;
}

function esmeOf(port: number, options: Partial<EsmeOptions> = {}): Esme {
  const esme = createEsme({
    host: "127.0.0.1",
    port,
    systemId: "turnup",
    password: "secret",
    reconnect: { minMs: 5, maxMs: 50 },
    ...options,
  });
  open.esmes.push(esme);
  return esme;
}

const message = (to: number, more: Partial<SubmitMessage> = {}): SubmitMessage => ({
  source_addr: "2948",
  destination_addr: String(to),
  data_coding: 4,
  short_message: Uint8Array.of(1, 2, 3),
  ...more,
});

const messages = (count: number, more: Partial<SubmitMessage> = {}): SubmitMessage[] =>
  Array.from({ length: count }, (_, i) => message(4_500_000 + i, more));

const countOf = (outcomes: readonly SubmitOutcome[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

/** Resolves when the condition holds; fails loudly when it does not in 20 s. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 4_000; tries++) {
    if (condition()) return;
    await sleep(5);
  }
  assert.fail(`waited in vain until ${what}`);
}

/** Time that passes at a word, so that no limit that is waited for is one that a slow machine meets by itself. */
function timeAtWill() {
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const passes = (ms: number): void => {
    aheadMs += ms;
  };
  return { clock, passes };
}

function states(esme: Esme): EsmeState[] {
  const seen: EsmeState[] = [];
  esme.on("state", (state) => seen.push(state));
  return seen;
}

test("ESME: every message is accepted once under its own id, and each id gets its receipt", async () => {
  const smsc = await smscOf();
  const receipts: string[] = [];
  const esme = esmeOf(smsc.port, {
    onDeliver: async (pdu) => {
      receipts.push(String(parseReceipt(pdu)?.messageId));
      return 0;
    },
  });
  const submits = messages(500, { registered_delivery: 1 }).map((each) => esme.submit(each));
  esme.start(); // what was submitted before is sent as soon as there is a bind
  const outcomes = await Promise.all(submits);
  const ids = outcomes.map((outcome) => (outcome.kind === "accepted" ? outcome.messageId : ""));
  assert.deepEqual(countOf(outcomes), { accepted: 500 });
  assert.deepEqual(
    smsc.log.map(({ messageId, to }) => [messageId, to]),
    ids.map((id, i) => [id, String(4_500_000 + i)]),
  );
  await until(() => smsc.stats.receiptsAcknowledged === 500, "all receipts are acknowledged");
  assert.deepEqual(receipts.sort(), ids.sort());
});

test("ESME: a throttling centre gets everything in the end, each message once, by a lower rate", async () => {
  const smsc = await smscOf({ faults: { throttleAbovePerSecond: 400 } });
  const esme = esmeOf(smsc.port);
  esme.start();
  const outcomes = await esme.submitBatch(messages(600));
  assert.deepEqual(countOf(outcomes), { accepted: 600 });
  assert.equal(new Set(smsc.log.map(({ to }) => to)).size, 600);
  assert.equal(smsc.log.length, 600);
  assert.ok(smsc.stats.throttled > 0);
  assert.equal(esme.stats.congested, smsc.stats.throttled);
  assert.ok(esme.stats.ratePerSecond < 2_000, `rate ${esme.stats.ratePerSecond}`);
});

test("ESME: a full queue at the centre is retried, other refusals are given back with their name", async () => {
  const smsc = await smscOf({ faults: { queueFullPart: 0.05 } });
  const esme = esmeOf(smsc.port);
  esme.start();
  assert.deepEqual(countOf(await esme.submitBatch(messages(100))), { accepted: 100 });
  assert.ok(esme.stats.congested > 0);

  smsc.setFaults({ refuse: { part: 1, status: STATUS.ESME_RINVDSTADR } });
  assert.deepEqual(await esme.submit(message(1)), {
    kind: "refused",
    status: 0x0b,
    statusName: "ESME_RINVDSTADR",
    permanent: true,
  });
  smsc.setFaults({ refuse: { part: 1, status: 0x0450 } });
  assert.deepEqual(await esme.submit(message(1)), {
    kind: "refused",
    status: 0x450,
    statusName: "0x00000450",
    permanent: false,
  });
  smsc.setFaults({ refuse: { part: 1, status: STATUS.ESME_RSYSERR } });
  assert.deepEqual(await esme.submit(message(1)), {
    kind: "deferred",
    cause: "temporary_error",
    status: 8,
    statusName: "ESME_RSYSERR",
  });
});

test("ESME: congestion that outlasts the deadline defers the message with the centre's reason", async () => {
  const smsc = await smscOf({ faults: { queueFullPart: 1 } });
  const esme = esmeOf(smsc.port, { responseTimeoutMs: 500 });
  esme.start();
  const outcome = await esme.submit(message(1, { deadlineMs: 300 }));
  assert.deepEqual(outcome, {
    kind: "deferred",
    cause: "deadline",
    status: STATUS.ESME_RMSGQFUL,
    statusName: "ESME_RMSGQFUL",
  });
  assert.equal(smsc.log.length, 0);
});

test("ESME: over a link that is cut again and again, nothing is lost silently and only unknowns arrive twice", async () => {
  const smsc = await smscOf({ faults: { dropAfterPdus: 60 } });
  const esme = esmeOf(smsc.port, { window: 20 });
  const seen = states(esme);
  esme.start();
  let left = messages(400);
  const unknownOnce = new Set<string>();
  for (let round = 0; left.length > 0; round++) {
    assert.ok(round < 50, "400 messages are through after 50 rounds");
    const outcomes = await esme.submitBatch(left);
    assert.equal(outcomes.filter(Boolean).length, left.length);
    const again = left.filter((_, i) => outcomes[i]?.kind !== "accepted");
    for (const { destination_addr } of again) unknownOnce.add(destination_addr);
    left = again;
  }
  const arrivals = new Map<string, number>();
  for (const { to } of smsc.log) arrivals.set(to, (arrivals.get(to) ?? 0) + 1);
  assert.equal(arrivals.size, 400);
  for (const [to, times] of arrivals)
    assert.ok(times === 1 || unknownOnce.has(to), `${to} came ${times} times`);
  assert.ok(esme.stats.binds > 5);
  assert.ok(esme.stats.unknown > 0);
  assert.ok(seen.some((state) => state.name === "waiting" && state.retryInMs <= 50));
});

test("ESME: a receipt for a message sent before the link was cut comes after the next bind", async () => {
  let release: () => void = () => undefined;
  const delivered = new Promise<void>((resolve) => {
    release = resolve;
  });
  const smsc = await smscOf({
    onMessage: async () => {
      await delivered;
      return "delivered";
    },
  });
  const receipts: (string | undefined)[] = [];
  const esme = esmeOf(smsc.port, {
    onDeliver: (pdu) => {
      receipts.push(parseReceipt(pdu)?.messageId);
      return 0;
    },
  });
  esme.start();
  const outcome = await esme.submit(message(1, { registered_delivery: 1 }));
  esme.on("state", ({ name }) => name === "waiting" && release());
  smsc.dropConnections();
  await until(() => receipts.length === 1, "the receipt comes");
  assert.deepEqual(receipts, [outcome.kind === "accepted" ? outcome.messageId : ""]);
  assert.equal(esme.stats.binds, 2);
});

test("ESME: a peer that falls silent on a quiet link is noticed", async () => {
  const smsc = await smscOf();
  const { clock, passes } = timeAtWill();
  const esme = esmeOf(smsc.port, { enquireLinkMs: 20, clock });
  const seen = states(esme);
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  smsc.setFaults({ silent: true });
  const outcome = esme.submit(message(1));
  await until(() => {
    passes(100);
    return esme.state.name !== "bound";
  }, "the silence is noticed");
  assert.equal((await outcome).kind, "unknown");
  const lost = seen.find((state) => state.name === "waiting");
  assert.equal(lost?.name === "waiting" && lost.reason, "enquire_link unanswered");

  smsc.setFaults({});
  passes(10_001); // a bind that was asked for in the silence is given up
  await until(() => esme.state.name === "bound", "bound again");
  assert.equal((await esme.submit(message(2))).kind, "accepted");
});

test("ESME: a lost response makes the outcome unknown after its time, and the session goes on", async () => {
  const smsc = await smscOf({ faults: { responseLostPart: 1 } });
  const { clock, passes } = timeAtWill();
  const esme = esmeOf(smsc.port, { responseTimeoutMs: 5_000, clock });
  esme.start();
  const lost = esme.submit(message(1));
  await until(() => smsc.log.length === 1, "the centre has it");
  passes(5_001);
  assert.deepEqual(await lost, { kind: "unknown", cause: "timeout" });
  smsc.setFaults({});
  assert.equal((await esme.submit(message(2))).kind, "accepted");
  assert.equal(esme.stats.binds, 1);
});

test("ESME: a receipt is acknowledged only when its handler is done, a failed handler gets it again", async () => {
  const smsc = await smscOf();
  let release: () => void = () => undefined;
  const safe = new Promise<void>((resolve) => {
    release = resolve;
  });
  let calls = 0;
  const troubles: Error[] = [];
  const esme = esmeOf(smsc.port, {
    onDeliver: async () => {
      calls += 1;
      if (calls === 1) throw new Error("the disk is full");
      await safe;
      return 0;
    },
  });
  esme.on("trouble", (error) => troubles.push(error));
  esme.start();
  await esme.submit(message(1, { registered_delivery: 1 }));
  await until(() => calls === 2, "the receipt comes again");
  assert.equal(String(troubles[0]?.cause), "Error: the disk is full");
  await esme.submit(message(2)); // there and back on the same session, behind whatever was answered
  assert.equal(smsc.stats.receiptsAcknowledged, 0);
  release();
  await until(() => smsc.stats.receiptsAcknowledged === 1, "the receipt is acknowledged");
  assert.equal(calls, 2);
});

test("ESME: slow handlers are never more than allowed, the rest waits or comes again, all arrive", async () => {
  const smsc = await smscOf({ deliverWindow: 60 });
  let running = 0;
  let most = 0;
  let mostUnanswered = 0;
  const seen = new Set<string>();
  const esme: Esme = esmeOf(smsc.port, {
    maxUnansweredDeliveries: 4,
    maxWaitingDeliveries: 10,
    onDeliver: async (pdu) => {
      running += 1;
      most = Math.max(most, running);
      mostUnanswered = Math.max(mostUnanswered, esme.stats.unansweredDeliveries);
      await sleep(2);
      running -= 1;
      seen.add(pdu.source_addr);
      return 0;
    },
  });
  esme.start();
  const sent = Array.from({ length: 200 }, (_, i) =>
    smsc.sendMobileOriginated({
      from: `45${i}`,
      to: "2948",
      dataCoding: 0,
      esmClass: 0,
      data: Uint8Array.of(65),
    }),
  );
  assert.deepEqual(new Set(await Promise.all(sent)), new Set(["taken"]));
  assert.equal(seen.size, 200);
  assert.equal(most, 4);
  assert.ok(mostUnanswered <= 14, `${mostUnanswered}`);
  assert.ok(esme.stats.deliveries > 200, "some were sent away and came again");
});

test("ESME: a wrong password is a clear state and no tight loop", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, {
    password: () => "wrong",
    reconnect: { minMs: 1, maxMs: 2, refusedMs: 60_000 },
  });
  const seen = states(esme);
  esme.start();
  await until(() => esme.state.name === "refused", "the refusal");
  const { state } = esme;
  assert.ok(state.name === "refused");
  assert.equal(state.statusName, "ESME_RINVPASWD");
  assert.ok(state.retryInMs >= 30_000 && state.retryInMs <= 60_000);
  // Meanwhile one with the same times that finds nobody has tried ten times.
  const lost = esmeOf(await freePort(), { reconnect: { minMs: 1, maxMs: 2, refusedMs: 60_000 } });
  const tries = states(lost);
  lost.start();
  await until(() => tries.filter(({ name }) => name === "connecting").length >= 10, "the other's tries");
  assert.deepEqual(
    seen.map(({ name }) => name),
    ["connecting", "binding", "refused"],
  );
});

test("ESME: a password that no field holds is refused at once, one that turns up later is a refused bind", async () => {
  assert.throws(() => esmeOf(1, { password: "x".repeat(65) }), { code: "smpp_field_invalid" });
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, { password: () => "x".repeat(65) });
  esme.start();
  await until(() => esme.state.name === "refused", "the refusal");
});

test("ESME: without a centre the waits double up to the limit, less what chance takes off", async () => {
  const port = await freePort();
  const waits = async (random: () => number): Promise<number[]> => {
    const esme = esmeOf(port, { reconnect: { minMs: 4, maxMs: 20, jitter: 0.5 }, random });
    const seen = states(esme);
    esme.start();
    const found = () => seen.flatMap((state) => (state.name === "waiting" ? [state.retryInMs] : []));
    await until(() => found().length >= 5, "five attempts");
    return found().slice(0, 5);
  };
  assert.deepEqual(await waits(() => 0), [4, 8, 16, 20, 20]);
  assert.deepEqual(await waits(() => 1), [2, 4, 8, 10, 10]);
});

test("ESME: while there is no bind a submit waits, is deferred at its deadline, or at once when the queue is full", async () => {
  const esme = esmeOf(1, { maxQueued: 2, responseTimeoutMs: 100 });
  esme.start();
  const [first, second, third] = [1, 2, 3].map((to) => esme.submit(message(to, { deadlineMs: 50 })));
  assert.deepEqual(await third, {
    kind: "deferred",
    cause: "queue_full",
    status: undefined,
    statusName: undefined,
  });
  for (const outcome of [await first, await second]) {
    assert.deepEqual(outcome, {
      kind: "deferred",
      cause: "deadline",
      status: undefined,
      statusName: undefined,
    });
  }
});

test("ESME: a message that cannot be written rejects, one by one or as a batch, and disturbs nothing", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port);
  const bad = message(1, { short_message: new Uint8Array(255) });
  await assert.rejects(esme.submit(bad), { code: "smpp_field_invalid" });
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  await assert.rejects(esme.submit(bad), { code: "smpp_field_invalid" });
  await assert.rejects(esme.submitBatch([message(1), bad]), { code: "smpp_field_invalid" });
  assert.equal((await esme.submit(message(2))).kind, "accepted");
  assert.deepEqual(
    smsc.log.map(({ to }) => to),
    ["2"],
  );
  assert.equal(esme.stats.inFlight + esme.stats.queued, 0);
});

test("ESME: stop sends what is queued, unbinds, and takes nothing more", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, { window: 5 });
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  const submits = messages(200).map((each) => esme.submit(each));
  const stopped = esme.stop({ drainMs: 10_000 });
  assert.equal((await esme.submit(message(1))).kind, "deferred");
  await stopped;
  assert.deepEqual(countOf(await Promise.all(submits)), { accepted: 200 });
  assert.equal(esme.state.name, "stopped");
  await until(() => smsc.stats.sessions === 0, "the centre has seen us go");
  await esme.stop();
});

test("ESME: stop gives up at its limit: sent is unknown, unsent is deferred", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, { window: 5 });
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  smsc.setFaults({ silent: true });
  const submits = messages(8).map((each) => esme.submit(each));
  await esme.stop({ drainMs: 50 });
  assert.deepEqual(
    (await Promise.all(submits)).map(({ kind }) => kind),
    ["unknown", "unknown", "unknown", "unknown", "unknown", "deferred", "deferred", "deferred"],
  );
});

test("ESME: a stop before any bind defers what waits", async () => {
  const esme = esmeOf(1);
  const submit = esme.submit(message(1));
  await esme.stop();
  assert.deepEqual(await submit, {
    kind: "deferred",
    cause: "stopped",
    status: undefined,
    statusName: undefined,
  });
});

test("ESME: the configured rate is kept", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, { ratePerSecond: 200 });
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  const began = performance.now();
  const submits = esme.submitBatch(messages(100));
  // 10 at once and 200 a second; timers come late here, never early.
  while (smsc.log.length < 100) {
    const arrived = smsc.log.length;
    const allowed = 10 + (performance.now() - began) / 5;
    assert.ok(arrived <= allowed + 1, `${arrived} arrived where ${allowed} may have been sent`);
    await sleep(5);
  }
  assert.ok(performance.now() - began > 400, "90 beyond the first ten need 450 ms");
  assert.deepEqual(countOf(await submits), { accepted: 100 });
  assert.equal(smsc.stats.throttled, 0);
});

test("ESME: ids in hexadecimal in the response and decimal in the receipt meet under one key", async () => {
  const smsc = await smscOf({ faults: { idForms: { response: "hex", text: "decimal", tlv: "decimal" } } });
  const receipts: (string | undefined)[] = [];
  const esme = esmeOf(smsc.port, {
    messageIdForm: "hex",
    onDeliver: (pdu) => {
      receipts.push(parseReceipt(pdu, { inText: "decimal", inTlv: "decimal" })?.messageId);
      return 0;
    },
  });
  esme.start();
  const outcome = await esme.submit(message(1, { registered_delivery: 1 }));
  await until(() => receipts.length === 1, "the receipt comes");
  assert.deepEqual(receipts, [outcome.kind === "accepted" ? outcome.messageId : ""]);
});

test("ESME: a callback that submits at once keeps one message of window 1 in flight", async () => {
  const smsc = await smscOf();
  const esme = esmeOf(smsc.port, { window: 1 });
  esme.start();
  await new Promise<void>((resolve) => {
    const next = (outcome: SubmitOutcome | undefined, count: number): void => {
      if (outcome) assert.equal(outcome.kind, "accepted");
      if (count === 0) resolve();
      else esme.submitWith(message(count), next, count - 1);
      assert.ok(esme.stats.inFlight <= 1);
    };
    next(undefined, 300);
  });
  assert.equal(smsc.log.length, 300);
});

const partsOf = (name: string, count: number): SubmitMessage[] =>
  Array.from({ length: count }, (_, at) =>
    message(4_500_000, { partOf: name, short_message: Uint8Array.from(Buffer.from(`${name} ${at}`)) }),
  );

test("ESME: parts of one message reach a centre in their order, though it refuses some at random", async () => {
  const smsc = await smscOf({ faults: { queueFullPart: 1 / 7 } });
  const esme = esmeOf(smsc.port);
  esme.start();
  const names = Array.from({ length: 30 }, (_, at) => `message ${at}`);
  const outcomes = await esme.submitBatch(names.flatMap((name) => partsOf(name, 4)));
  assert.deepEqual(countOf(outcomes), { accepted: 120 });
  assert.ok(esme.stats.congested > 0);
  const came = smsc.log.map(({ userData }) => Buffer.from(userData).toString());
  for (const name of names)
    assert.deepEqual(
      came.filter((one) => one.startsWith(`${name} `)),
      [0, 1, 2, 3].map((at) => `${name} ${at}`),
    );
});

test("ESME: parts behind one that was not taken stay here, and say so", async () => {
  const smsc = await smscOf({ faults: { refuse: { part: 1, status: STATUS.ESME_RINVDSTADR } } });
  const esme = esmeOf(smsc.port);
  esme.start();
  const outcomes = await esme.submitBatch([...partsOf("refused", 3), message(1)]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "deferred" ? outcome.cause : outcome.kind)),
    ["refused", "part_before", "part_before", "refused"],
  );
  assert.deepEqual([esme.stats.queued, esme.stats.inFlight], [0, 0]);
  smsc.setFaults({});
  assert.deepEqual(countOf(await esme.submitBatch(partsOf("refused", 3))), { accepted: 3 });
});
