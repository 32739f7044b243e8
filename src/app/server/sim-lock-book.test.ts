/** Locks of SIMs and devices: a core asks two servers on one database, a gateway tells of a session, somebody asks by the API. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { LockWish } from "../../kernel/equipment/sim-lock.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createSimLocks } from "../../store/equipment/sim-locks.ts";
import { openChangeChannel } from "../../store/node/change-channel.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { ClosingStack } from "./closing-stack.ts";
import { type DisconnectSession, openSimLockBook } from "./sim-lock-book.ts";

const { database, url } = await freshDatabaseConfig();
const [mine, theirs] = [uuidv7(1_000), uuidv7(2_000)];
for (const [id, slug] of [
  [mine, "north"],
  [theirs, "south"],
] as const)
  await ensureOperator(database, { id, slug, name: slug, kind: "mvno", homePlmns: ["23415"] });
const sealer = createSealer(new Uint8Array(32).fill(7));
let nowMs = Date.parse("2026-03-01T12:00:00Z");
const store = createSimLocks({ database, sealer, newId: () => uuidv7(), clock: () => new Date(nowMs) });
const METER = "35693803564380";
const PHONE = "35209900111111";

/** What this server is told to let in although lists say no. */
let answersBlack = true;
async function serverWith(disconnect?: DisconnectSession) {
  const closing = new ClosingStack();
  whenDone(() => closing.close());
  const changes = closing.use(await openChangeChannel({ connectionString: url }));
  const noList = { find: () => undefined, isOn: (list: string) => list === "meters" };
  return openSimLockBook(closing, {
    ...{ store, sealer, changes, disconnect, clock: () => new Date(nowMs), monotonicMs: () => nowMs },
    ...{ ownOf: () => ({ index: noList, answersBlack: true }), answersBlack: () => answersBlack },
    registry: new Registry(),
    onFault: (name, error) => assert.fail(`${name}: ${error}`),
  });
}
const ended: string[] = [];
const here = await serverWith(async ({ imsi }) => {
  ended.push(imsi);
  return "ack";
});
const there = await serverWith();
const shown = (imsi: string, imei: string, source = "s13") => ({
  ...{ operatorId: mine, imsi, imei, source, client: "mme-1" },
});
const ask = (imsi: string, action: LockWish["action"], more: Partial<LockWish> = {}, operatorId = mine) =>
  store.ask(
    operatorId,
    [{ ...{ imsi, action, scope: undefined, expected: undefined, graceSeconds: undefined }, ...more }],
    { actor: "ada", reason: "a meter" },
  );
const stands = (imsi: string, state: string) =>
  until(
    () => store.find(mine, imsi),
    (lock) => lock?.state === state,
    `${imsi} is ${state}`,
  );
let sims = 0;
const sim = () => `2341500000${String(++sims).padStart(5, "0")}`;

test("R73: an armed SIM takes the first device that a core shows, and is refused in another at every server, with an event of both", async () => {
  const imsi = sim();
  await ask(imsi, "arm");
  await ask(imsi, "arm", {}, theirs);
  // The first core to ask is answered as always; the lock is its device's then.
  await until(
    () => {
      assert.equal(here.isRefused(shown(imsi, `${METER}9`)), false);
      return store.find(mine, imsi);
    },
    (lock) => lock?.state === "locked",
    "the lock took its device",
  );
  await until(
    () => there.isRefused(shown(imsi, `${PHONE}01`)),
    (isRefused) => isRefused,
    "the other server refuses the foreign device",
  );
  await stands(imsi, "deferred");
  assert.equal(there.isRefused(shown(imsi, `${METER}02`)), false, "its own, with other software");
  await stands(imsi, "locked");
  const events = await store.events(mine, imsi);
  assert.deepEqual(events.map(({ kind, expected, received }) => [kind, expected, received]).reverse(), [
    ["armed", null, null],
    ["locked", METER, METER],
    ["triggered", METER, PHONE],
    ["refused", METER, PHONE],
    ["returned", METER, METER],
  ]);
  assert.deepEqual([events[1]?.source, events[1]?.client], ["s13", "mme-1"]);
  assert.equal((await store.find(theirs, imsi))?.state, "armed", "another operator's SIM is another's");
  const kept = JSON.stringify([
    await database.rows("select * from sim_lock"),
    await database.rows("select * from sim_lock_event"),
  ]);
  assert.ok(!kept.includes(METER) && !kept.includes(imsi), "numbers stand sealed");
  const [listed] = (await store.list(mine, { state: "locked" }, { limit: 10 })).rows;
  assert.match(listed?.expected ?? "", /^35693803\*+$/);
});

test("R73: a data session of a SIM in a foreign device is ended when its grace time is over, and told with what the gateway said", async () => {
  const imsi = sim();
  await ask(imsi, "lock", { expected: METER, graceSeconds: 600 });
  const session = () => here.session(shown(imsi, `${PHONE}01`, "radius"));
  await until(
    () => {
      session();
      return store.find(mine, imsi);
    },
    (lock) => lock?.state === "deferred",
    "the foreign device is seen",
  );
  assert.deepEqual(ended, [], "it is let be for its time");
  nowMs += 600_000;
  session();
  session();
  assert.deepEqual(ended, [imsi], "asked once, not with each packet");
  const events = await until(
    () => store.events(mine, imsi),
    (all) => all.some(({ kind }) => kind === "disconnected") && all.some(({ kind }) => kind === "refused"),
    "it is told",
  );
  const told = events.find(({ kind }) => kind === "disconnected");
  assert.deepEqual([told?.expected, told?.received, told?.outcome], [METER, PHONE, "ack"]);
  answersBlack = false;
  assert.equal(here.isRefused(shown(imsi, PHONE)), false, "the switch lets everybody in");
  answersBlack = true;
  assert.equal(here.isRefused(shown(imsi, PHONE)), true);
});

test("R73: a lock is kept or moved to the device that the SIM is in, and what cannot be is told SIM by SIM", async () => {
  const imsi = sim();
  const [none] = await ask(imsi, "lock", { scope: "list", expected: "metres" });
  assert.deepEqual([none?.outcome, none?.state], ["refused", null], "a list that is not there refuses all");
  await ask(imsi, "lock", { expected: METER });
  const [refused] = await ask(imsi, "move");
  assert.deepEqual([refused?.outcome, refused?.state], ["refused", "locked"]);
  await until(
    () => here.isRefused(shown(imsi, PHONE)),
    (isRefused) => isRefused,
    "it is refused",
  );
  await stands(imsi, "deferred");
  await ask(imsi, "move");
  await until(
    () => here.isRefused(shown(imsi, PHONE)) || !here.isRefused(shown(imsi, METER)),
    (isStale) => !isStale,
    "the foreign device is its own now",
  );
  assert.equal((await store.find(mine, imsi))?.expected, PHONE);
});
