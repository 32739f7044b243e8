/** Several message centres over real sockets: what goes where, what a fall leaves, how the configuration changes them. */
import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { PartToSubmit } from "../../kernel/conductor/outbox.ts";
import { createBinds } from "../../net/smsc/binds.ts";
import { createSmscSimulator, type SmscSimulator } from "../../sim/smsc/smsc.ts";
import { openCentres, type SmscOptions } from "./message-centres.ts";

const ACCOUNT = { systemId: "turnup", password: "password" };
const RECONNECT = { minMs: 20, maxMs: 50, jitter: 0 };

const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 10_000, interval: 10 });

async function simulated(): Promise<SmscSimulator> {
  const smsc = await createSmscSimulator({
    port: 0,
    ...ACCOUNT,
    seed: 1,
    onMessage: async () => "delivered",
  });
  whenDone(() => smsc.close());
  return smsc;
}
const optionsOf = (
  name: string,
  { port }: { readonly port: number },
  more: Partial<SmscOptions> = {},
): SmscOptions => ({
  name,
  label: name,
  route: { operators: [], prefixes: [], drain: false, failoverMs: 0 },
  host: "127.0.0.1",
  port,
  ...ACCOUNT,
  reconnect: RECONNECT,
  receiptIds: "as-is",
  receiptsMarked: true,
  receiptsPer: "part",
  forms: {},
  ...more,
});
const opened = (...smscs: readonly SmscOptions[]) => openedAt(() => Date.now(), smscs);
function openedAt(nowMs: () => number, smscs: readonly SmscOptions[]) {
  const bound: number[] = [];
  const centres = openCentres(smscs, {
    open: ({
      name: _,
      label: _label,
      route: _route,
      forms: _forms,
      receiptIds: _ids,
      receiptsMarked: _m,
      receiptsPer: _p,
      ...session
    }) => createBinds({ ...session, onDeliver: async () => 0 }),
    clock: () => new Date(nowMs()),
    onBound: () => bound.push(1),
    onTrouble: () => undefined,
  });
  whenDone(() => centres.stop());
  centres.start();
  return centres;
}
const part = (more: Partial<PartToSubmit> = {}): PartToSubmit => ({
  lane: "o",
  to: "4915112345678",
  from: "2948",
  esmClass: 0,
  dataCoding: 4,
  userData: Uint8Array.of(1, 2, 3),
  moreToSend: false,
  expiresAt: new Date(Date.now() + 3_600_000),
  ...more,
});

test("each centre is a session of its own: what goes to one is taken there, and a fall of one leaves the other bound", async () => {
  const [one, two] = [await simulated(), await simulated()];
  const centres = opened(optionsOf("north", one), optionsOf("south", two));
  await until(() => centres.all().every(({ downSinceMs }) => downSinceMs === null));
  assert.equal((await centres.port.submit(part(), "south")).kind, "accepted");
  assert.deepEqual([one.stats.accepted, two.stats.accepted], [0, 1]);
  await one.close();
  await until(() => centres.port.centres()[0]?.downSinceMs !== null);
  assert.ok(centres.isAnyBound());
  assert.equal((await centres.port.submit(part(), "south")).kind, "accepted");
});

test("a change of where messages go ends no session; another password does, a centre more is bound, one less is unbound", async () => {
  const [one, two] = [await simulated(), await simulated()];
  const centres = opened(optionsOf("north", one));
  await until(() => centres.isAnyBound());
  centres.prepare([
    optionsOf("north", one, { route: { operators: ["vega"], prefixes: [], drain: true, failoverMs: 1 } }),
    optionsOf("south", two),
  ])();
  await until(() => two.stats.sessions === 1);
  const [north] = centres.port.centres();
  assert.deepEqual([north?.operators, north?.drain], [["vega"], true]);
  assert.equal(centres.port.centres()[0], north, "asked again, it is told as it was and not made anew");
  assert.equal(centres.all()[0]?.stats.binds, 1, "it was not bound anew");
  centres.prepare([optionsOf("south", two)])();
  await until(() => one.stats.sessions === 0);
  assert.deepEqual(
    centres.all().map(({ name }) => name),
    ["south"],
  );
  assert.deepEqual(await centres.port.submit(part(), "north"), { kind: "later", code: "smsc_none" });
});

test("what a centre refuses is counted by its own code, and what we refuse is not", async () => {
  const one = await simulated();
  const centres = opened(optionsOf("north", one, { forms: { alphabet: "ascii" } }));
  await until(() => centres.isAnyBound());
  one.setFaults({ refuse: { part: 1, status: 0x0b } });
  assert.deepEqual(await centres.port.submit(part(), "north"), { kind: "refused", code: "ESME_RINVDSTADR" });
  await centres.port.submit(part({ from: "a sender of many letters" }), "north");
  assert.deepEqual([...(centres.all()[0]?.refusals ?? [])], [["ESME_RINVDSTADR", 1]]);
});

test("a centre that falls seconds after its bind is known as one that does, until a bind of it holds", async () => {
  const smsc = await simulated();
  let nowMs = 1_000;
  const centres = openedAt(() => nowMs, [optionsOf("north", smsc)]);
  const bound = (times: number) =>
    until(() => centres.all()[0]?.stats.binds === times && centres.port.centres()[0]?.downSinceMs === null);
  const shakySince = () => centres.port.centres()[0]?.shakySinceMs;
  await bound(1);
  assert.equal(shakySince(), null, "a first bind is trusted");
  nowMs = 3_000;
  smsc.dropConnections();
  await bound(2);
  nowMs = 9_000;
  smsc.dropConnections();
  await bound(3);
  assert.equal(shakySince(), 1_000, "since its first bind that did not hold");
  nowMs = 39_000;
  assert.equal(shakySince(), null, "it holds");
  smsc.dropConnections();
  await bound(4);
  assert.equal(shakySince(), null, "one fall after it held is an outage like any");
});
