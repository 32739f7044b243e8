/** Accounts of devices at the proxies on PostgreSQL: whose list it is, and how each proxy comes to know all of it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop } from "../../../test/fixture/order-shop.ts";
import type { ToldProxy } from "../../kernel/account/proxy-accounts.ts";
import { tellProxy } from "../../kernel/account/tell-proxies.ts";
import { parseImei } from "../../term/imei.ts";
import type { AccountChanges, AccountStanding } from "../../wire/message/account-api.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createProxyAccounts } from "./proxy-accounts.ts";
import { createProxyBook } from "./proxy-book.ts";

const shop = await orderShop();
const deps = {
  database: shop.database,
  sealer: shop.sealer,
  newId: uuidv7,
  clock: () => new Date(shop.time.now),
};
const accounts = createProxyAccounts(deps);
const book = createProxyBook(deps);
const [ONE, TWO] = [parseImei("356938035643809"), parseImei("490154203237518")];
const LEASE_MS = 60_000;

/** A proxy as its door is agreed: it takes what follows on its own version, or begins anew from 0. */
function proxyAlone() {
  const versions = new Map<string, number>();
  const standings = new Map<string, AccountStanding>();
  const lines = new Map<string, string | null>();
  const proxy = { isUp: true, calls: [] as AccountChanges[], versions, standings, lines, change };
  async function change(changes: AccountChanges) {
    if (!proxy.isUp) return { kind: "failed", cause: "unreachable", reason: "ECONNREFUSED" } as const;
    proxy.calls.push(changes);
    const { list, after, upto } = changes;
    const known = versions.get(list) ?? 0;
    if (after !== known && after !== 0) return { kind: "told", version: known } as const;
    for (const { deviceId, standing, line } of changes.accounts) {
      standings.set(deviceId, standing);
      if (line) lines.set(deviceId, line.imsi);
    }
    versions.set(list, upto);
    return { kind: "told", version: upto } as const;
  }
  return proxy;
}
type Alone = ReturnType<typeof proxyAlone>;

/** One turn of the server's loop over these proxies. */
async function turn(operatorId: string, proxies: Readonly<Record<string, Alone>>): Promise<void> {
  for (const due of await book.claimDue(operatorId, Object.keys(proxies), LEASE_MS))
    await tellProxy({ book, operatorId, doorOf: (id) => proxies[id], now: deps.clock }, due);
}
const toldOf = async (operatorId: string, proxy: string): Promise<ToldProxy | undefined> =>
  (await accounts.proxies(operatorId)).find((one) => one.proxy === proxy);

test("R34: an account is one operator's, stands sealed, and each change of it takes the list one version further", async () => {
  const [mine, theirs] = [await shop.operator(), await shop.operator()];
  const opened = await accounts.put(
    mine,
    { imei: ONE, imsi: "234150999999999", msisdn: "447700900123" },
    "engineer",
  );
  assert.deepEqual([opened.standing, opened.version, opened.imeiMasked], ["open", 1, "35693803*******"]);
  assert.equal(
    (await accounts.put(mine, { imei: ONE }, "engineer")).version,
    1,
    "what stands so changes nothing",
  );
  assert.equal((await accounts.put(mine, { imei: ONE, isBlocked: true }, "care")).version, 2);
  assert.equal(await accounts.find(theirs, ONE), undefined);
  assert.equal(await accounts.close(theirs, ONE, "engineer"), false);
  assert.equal(
    await accounts.isShutOut(theirs, ONE, "edge-1"),
    false,
    "another operator's block is none here",
  );
  assert.equal(await accounts.isShutOut(mine, ONE, "edge-1"), true);
  const rows = await shop.database.rows("select * from proxy_account where operator_id = $1", [mine]);
  for (const secret of [ONE, "234150999999999", "447700900123"])
    assert.ok(!JSON.stringify(rows).includes(secret));
  assert.equal(await accounts.close(mine, ONE, "engineer"), true);
  assert.equal((await accounts.find(mine, ONE))?.imsiMasked, null, "a closed one keeps no SIM");
  const { rows: audit } = await shop.registry.audit.list(mine, { limit: 10 });
  assert.deepEqual(audit.map(({ action }) => action).sort(), [
    "proxy_account.change",
    "proxy_account.close",
    "proxy_account.open",
  ]);
  assert.ok(!JSON.stringify(audit).includes(ONE));
});

test("R34: a proxy that was away while an account was blocked and another closed knows both when it is back, whatever it missed", async () => {
  const operatorId = await shop.operator();
  const [near, away] = [proxyAlone(), proxyAlone()];
  const proxies = { near, away };
  await accounts.put(operatorId, { imei: ONE, imsi: "234150999999999" }, "engineer");
  await accounts.put(operatorId, { imei: TWO }, "engineer");
  await turn(operatorId, proxies);
  assert.deepEqual([...away.standings.values()], ["open", "open"]);

  away.isUp = false;
  await accounts.put(operatorId, { imei: ONE, isBlocked: true }, "care");
  await accounts.close(operatorId, TWO, "engineer");
  await turn(operatorId, proxies);
  assert.deepEqual(
    near.standings,
    new Map([
      [ONE, "blocked"],
      [TWO, "closed"],
    ]),
  );
  const missing = await toldOf(operatorId, "away");
  assert.deepEqual(
    [missing?.version, missing?.listVersion, missing?.tries, missing?.outcome],
    [2, 4, 1, "unreachable: ECONNREFUSED"],
  );
  assert.equal(await accounts.isShutOut(operatorId, TWO, "near"), false, "near told its devices itself");
  assert.equal(
    await accounts.isShutOut(operatorId, TWO, "away"),
    true,
    "a proxy that does not know is not believed",
  );

  away.isUp = true;
  await turn(operatorId, proxies);
  assert.equal((await toldOf(operatorId, "away"))?.version, 2, "its next try is not due yet");
  shop.time.now += 1_000;
  await turn(operatorId, proxies);
  assert.deepEqual(away.standings, near.standings);
  const back = await toldOf(operatorId, "away");
  assert.deepEqual([back?.version, back?.tries, back?.outcome], [4, 0, "told"]);
  assert.deepEqual(
    away.calls.at(-1)?.accounts.map(({ line }) => line),
    [null, null],
    "no SIM changed",
  );
});

test("R34: a proxy whose books were lost or are of before is found out within a minute and told all of it", async () => {
  const operatorId = await shop.operator();
  const proxy = proxyAlone();
  await accounts.put(operatorId, { imei: ONE, imsi: "234150999999999", isBlocked: true }, "engineer");
  await turn(operatorId, { proxy });
  proxy.versions.clear();
  proxy.standings.clear();
  proxy.lines.clear();
  shop.time.now += 59_000;
  await turn(operatorId, { proxy });
  assert.equal(proxy.standings.size, 0);
  shop.time.now += 1_000;
  await turn(operatorId, { proxy });
  assert.deepEqual([proxy.standings.get(ONE), proxy.lines.get(ONE)], ["blocked", "234150999999999"]);
  // It has spoken to us: no minute is waited.
  proxy.versions.clear();
  proxy.standings.clear();
  await book.wake(operatorId, "proxy");
  await turn(operatorId, { proxy });
  assert.equal(proxy.standings.get(ONE), "blocked");
});

test("R34: a list that is older than what a proxy was told, as after a restore, is told anew from its beginning", async () => {
  const operatorId = await shop.operator();
  const proxy = proxyAlone();
  await accounts.put(operatorId, { imei: ONE }, "engineer");
  await accounts.put(operatorId, { imei: ONE, isBlocked: true }, "engineer");
  await turn(operatorId, { proxy });
  const [list = ""] = proxy.versions.keys();
  proxy.versions.set(list, 9);
  proxy.standings.set(ONE, "open");
  shop.time.now += 60_000;
  await turn(operatorId, { proxy });
  assert.deepEqual([proxy.versions.get(list), proxy.standings.get(ONE)], [2, "blocked"]);
});

test("R34: what is changed while a proxy is being told follows at once, and one server tells it at a time", async () => {
  const operatorId = await shop.operator();
  const proxy = proxyAlone();
  await accounts.put(operatorId, { imei: ONE }, "engineer");
  const slow = {
    ...proxy,
    async change(changes: AccountChanges) {
      if (proxy.calls.length === 0) await accounts.put(operatorId, { imei: TWO }, "engineer");
      return proxy.change(changes);
    },
  };
  for (const due of await book.claimDue(operatorId, ["edge"], LEASE_MS)) {
    assert.deepEqual(
      await book.claimDue(operatorId, ["edge"], LEASE_MS),
      [],
      "one server tells it at a time",
    );
    await tellProxy({ book, operatorId, doorOf: () => slow, now: deps.clock }, due);
  }
  const told = await toldOf(operatorId, "edge");
  assert.deepEqual([told?.version, told?.listVersion, told?.nextTryAt], [1, 2, deps.clock().toISOString()]);
  await turn(operatorId, { edge: proxy });
  assert.deepEqual([...proxy.standings.keys()].sort(), [ONE, TWO].sort());
  const lines = proxy.calls.flatMap((call) => call.accounts.map(({ line }) => line));
  assert.deepEqual(lines, [null, null], "nothing was said of a SIM: a proxy keeps the one that it knows");
});
