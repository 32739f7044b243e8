/** What an operator said, in the database: tokens, policy, relations, overrides, access points. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { hashToken, tokenOf } from "../../kernel/account/token.ts";
import { DEFAULT_KEY_TERMS, type Relation } from "../../kernel/operator/operator-terms.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { createRegistry } from "./registry.ts";
import { createRepeats } from "./repeats.ts";
import { createSessions } from "./sessions.ts";

const MINE = uuidv7();
const THEIRS = uuidv7();
const database = await freshDatabase();
let now = new Date("2026-03-01T12:00:00Z");
const clock = (): Date => now;
const sealer = createSealer(Buffer.alloc(32, 7));
const registry = createRegistry({ database, sealer, newId: uuidv7, clock });
const repeats = createRepeats({ database, newId: uuidv7, clock });
const sessions = createSessions({ database, sealer, newId: uuidv7, clock });
const page = { limit: 100 };

for (const [id, slug] of [
  [MINE, "mine"],
  [THEIRS, "theirs"],
]) {
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
}
const actions = async (operatorId: string): Promise<string[]> =>
  (await registry.audit.list(operatorId, page)).rows.map(({ action }) => action);

test("a token is found by its hash alone, and the database holds nothing of the token itself", async () => {
  const token = tokenOf(new Uint8Array(32).fill(5));
  const made = {
    id: uuidv7(),
    hash: hashToken(token),
    role: "probe",
    label: "radius",
    expiresAt: null,
  } as const;
  const view = await registry.tokens.create(MINE, made, "root");
  assert.equal(view.lastUsedAt, null);
  const found = await registry.tokens.findByHash(hashToken(token));
  assert.deepEqual([found?.id, found?.operatorId, found?.role], [made.id, MINE, "probe"]);
  assert.equal(await registry.tokens.findByHash(hashToken(`${token}x`)), undefined);
  const dump = await database.rows<{ row: string }>("select api_token::text as row from api_token");
  assert.ok(!JSON.stringify(dump).includes(token.slice(4)));
  await registry.tokens.touch([made.id], now);
  const listed = await registry.tokens.list(MINE, page);
  assert.equal(listed.rows[0]?.lastUsedAt, now.toISOString());
  assert.equal((await actions(MINE))[0], "token.create");
});

test("revoking keeps the first time, and reaches no other operator's token", async () => {
  const id = uuidv7();
  const hash = hashToken("tup_revoked");
  await registry.tokens.create(MINE, { id, hash, role: "care", label: "c", expiresAt: null }, "root");
  assert.equal(await registry.tokens.revoke(THEIRS, id, "mallory"), false);
  assert.equal((await registry.tokens.findByHash(hash))?.revokedAt, null);
  const first = now;
  assert.equal(await registry.tokens.revoke(MINE, id, "root"), true);
  now = new Date(now.getTime() + 1_000);
  assert.equal(await registry.tokens.revoke(MINE, id, "root"), true);
  assert.deepEqual((await registry.tokens.findByHash(hash))?.revokedAt, first);
  assert.deepEqual(await actions(THEIRS), []);
});

test("the policy begins as shipped, keeps its versions, and of two that change one version only one does", async () => {
  assert.deepEqual((await registry.policies.current(MINE)).body, DEFAULT_POLICY);
  const [one, other] = await Promise.all(
    [3, 4].map((resendLimit) => registry.policies.put(MINE, 0, { ...DEFAULT_POLICY, resendLimit }, "root")),
  );
  assert.equal([one, other].filter(Boolean).length, 1);
  const current = await registry.policies.current(MINE);
  assert.deepEqual([current.version, current.madeBy], [1, "root"]);
  assert.equal(await registry.policies.put(MINE, 7, DEFAULT_POLICY, "root"), undefined);
  assert.equal((await registry.policies.put(MINE, 1, DEFAULT_POLICY, "root"))?.version, 2);
  const kept = await database.rows("select version from operator_policy where operator_id = $1", [MINE]);
  assert.equal(kept.length, 2);
  assert.equal((await registry.policies.current(THEIRS)).version, 0);
});

test("a policy of an older release gets the switches that came since", async () => {
  const { doneAt: _, ...older } = DEFAULT_POLICY;
  const body = JSON.stringify({ ...older, resendLimit: 9 });
  await database.run(
    "insert into operator_policy (operator_id, version, body, made_by) values ($1, 1, $2, 'older')",
    [THEIRS, body],
  );
  const { body: read } = await registry.policies.current(THEIRS);
  assert.deepEqual([read.resendLimit, read.doneAt], [9, DEFAULT_POLICY.doneAt]);
});

const relation: Relation = {
  make: "Nokia",
  deal: true,
  keySource: "maker",
  keyServer: "https://keys.nokia.example",
  accessPoints: [{ use: "mms", apn: "mms.nokia.example", authType: "none" }],
  appHosts: ["apps.nokia.example"],
  keyIssuers: { "Nokia keys": "MCowBQYDK2VwAyEA" },
  feeMinor: 9_007_199_254_740_993n,
  currency: "EUR",
  feeLevel: "works",
  portionBasisPoints: 3_000,
  ...DEFAULT_KEY_TERMS,
  portionPaidBy: "payment_file",
};

test("a relation is one a make whatever its letter case, and comes back as it was given", async () => {
  const always = (): boolean => true;
  assert.equal(await registry.relations.put(MINE, relation, always, "root"), "stored");
  assert.deepEqual(await registry.relations.find(MINE, "NOKIA"), relation);
  await registry.relations.put(MINE, { ...relation, make: "nokia", deal: false }, always, "root");
  const all = await registry.relations.list(MINE);
  assert.deepEqual(
    all.map(({ make, deal }) => [make, deal]),
    [["nokia", false]],
  );
  assert.equal(await registry.relations.find(THEIRS, "nokia"), undefined);
  assert.equal(await registry.relations.remove(THEIRS, "nokia", "mallory"), false);
});

test("a relation that is not as the caller saw it stays", async () => {
  const seen: (Relation | undefined)[] = [];
  const refuse = (current: Relation | undefined): boolean => {
    seen.push(current);
    return false;
  };
  assert.equal(await registry.relations.put(MINE, { ...relation, deal: true }, refuse, "root"), "changed");
  assert.equal(seen[0]?.deal, false);
  assert.equal((await registry.relations.find(MINE, "nokia"))?.deal, false);
  assert.equal(await registry.relations.remove(MINE, "Nokia", "root"), true);
  assert.equal(await registry.relations.remove(MINE, "Nokia", "root"), false);
});

const point = (id: string): AccessPoint => ({
  id,
  ownership: "operator",
  name: "Telco MMS",
  provider: null,
  uses: ["mms"],
  apn: "mms.telco",
  protocol: null,
  authType: "pap",
  user: "mms",
  password: "correcthorse",
  mmsc: "http://mms.telco.example",
  mmsProxy: null,
  mmsPort: null,
  proxy: null,
  port: null,
  homepage: null,
  plan: null,
  shown: true,
  wifiOnly: false,
  confirmed: true,
  source: { name: "operator", version: "1", licence: "own" },
  criteria: { mcc: "262", mnc: "01" },
});

test("an own access point comes back whole, its password sealed at rest, once however often it is added", async () => {
  const id = uuidv7();
  await registry.accessPoints.add(MINE, point(id), "root");
  await registry.accessPoints.add(MINE, point(id), "root");
  assert.deepEqual(await registry.accessPoints.list(MINE), [point(id)]);
  assert.deepEqual(await registry.ownWords.accessPointsOf(MINE), [point(id)]);
  const dump = await database.rows<{ row: string }>("select access_point::text as row from access_point");
  assert.ok(!JSON.stringify(dump).includes("correcthorse"));
  assert.deepEqual(await registry.accessPoints.list(THEIRS), []);
  assert.equal(await registry.accessPoints.find(THEIRS, id), undefined);
  assert.equal(await registry.accessPoints.retire(THEIRS, id, "mallory"), false);
  assert.equal(await registry.accessPoints.retire(MINE, id, "root"), true);
  assert.equal(await registry.accessPoints.retire(MINE, id, "root"), false);
  assert.deepEqual(await registry.accessPoints.list(MINE), []);
  assert.deepEqual((await actions(MINE)).slice(0, 2), ["access_point.retire", "access_point.add"]);
});

test("several access points are added all or none: of a word that breaks off nothing stands", async () => {
  const before = (await actions(MINE)).length;
  const broken = registry.accessPoints.addAll(MINE, [point(uuidv7()), point("no id")], "root");
  await assert.rejects(broken);
  assert.deepEqual(await registry.accessPoints.list(MINE), []);
  assert.equal((await actions(MINE)).length, before);
});

test("an override of one device is kept under its blind index; a later word replaces the earlier", async () => {
  const imei = "356938035643809";
  const put = (verdict: string) =>
    registry.overrides.put(MINE, { scope: "imei", key: imei, body: { verdict }, why: "tested" }, "root");
  const first = await put("ended");
  const second = await put("supported");
  assert.equal(second.id, first.id);
  const index = sealer.blindIndex("imei", MINE, imei.slice(0, 14)).toString("hex");
  const map = await registry.ownWords.overridesOf(MINE);
  assert.deepEqual([...map], [[`imei:${index}`, { scope: "imei", verdict: "supported", note: "tested" }]]);
  const everything = await database.rows("select o::text, a::text from device_override o, audit a");
  assert.ok(!JSON.stringify(everything).includes(imei.slice(0, 14)), "the number stands nowhere");
  assert.equal((await registry.overrides.list(THEIRS, page)).rows.length, 0);
  assert.equal(await registry.overrides.remove(THEIRS, first.id, "mallory"), false);
  assert.equal(await registry.overrides.remove(MINE, first.id, "root"), true);
  assert.equal((await registry.ownWords.overridesOf(MINE)).size, 0);
});

test("datasets are the shipped ones and the operator's own, retired ones only when asked for", async () => {
  const insert = (operatorId: string | null, name: string, retiredAt: Date | null) =>
    database.run(
      `insert into dataset (id, operator_id, kind, name, version, sha256, licence, row_count, retired_at)
       values ($1, $2, 'tac', $3, '1', '\\xab', 'CC0', 10, $4)`,
      [uuidv7(), operatorId, name, retiredAt],
    );
  await insert(null, "shipped", null);
  await insert(null, "older", now);
  await insert(MINE, "mine", null);
  await insert(THEIRS, "theirs", null);
  const names = async (retired: boolean) =>
    (await registry.datasets.list(MINE, { retired })).map(({ name, own }) => `${name} ${own}`);
  assert.deepEqual(await names(false), ["mine true", "shipped false"]);
  assert.deepEqual(await names(true), ["mine true", "older false", "shipped false"]);
});

test("the audit pages newest first, each row once", async () => {
  for (let n = 0; n < 5; n++) {
    await registry.audit.record(THEIRS, { actor: "cli", action: `a${n}`, subject: "s", detail: { n } });
  }
  const first = await registry.audit.list(THEIRS, { limit: 3 });
  const rest = await registry.audit.list(THEIRS, { limit: 3, cursor: first.nextCursor as string });
  assert.deepEqual(
    [...first.rows, ...rest.rows].map(({ action }) => action),
    ["a4", "a3", "a2", "a1", "a0"],
  );
  assert.equal(rest.nextCursor, null);
  const oldest = await registry.audit.list(THEIRS, { limit: 1, order: "asc" });
  assert.deepEqual(
    oldest.rows.map(({ action, detail }) => [action, detail]),
    [["a0", { n: 0 }]],
  );
});

const asked = (key: string, fingerprint = 1) => ({
  scope: "POST /x",
  key,
  fingerprint: Uint8Array.of(fingerprint),
});

test("of many requests with one key, one does the work; the others hear that it runs, then its answer", async () => {
  const states = await Promise.all(Array.from({ length: 8 }, () => repeats.begin(MINE, asked("k1"))));
  assert.deepEqual(states.map(({ state }) => state).sort(), ["first", ...new Array(7).fill("running")]);
  await repeats.finish(MINE, asked("k1"), { status: 201, body: { id: "a" } });
  assert.deepEqual(await repeats.begin(MINE, asked("k1")), {
    state: "done",
    answer: { status: 201, body: { id: "a" } },
  });
  assert.deepEqual(await repeats.begin(MINE, asked("k1", 2)), { state: "other_request" });
  assert.equal((await repeats.begin(THEIRS, asked("k1"))).state, "first", "keys are an operator's own");
});

test("work whose server died is taken up again after a minute, under the same id", async () => {
  const first = await repeats.begin(MINE, asked("k2"));
  now = new Date(now.getTime() + 59_000);
  assert.equal((await repeats.begin(MINE, asked("k2"))).state, "running");
  now = new Date(now.getTime() + 2_000);
  assert.deepEqual(await repeats.begin(MINE, asked("k2")), first);
});

test("a key is free again when its work was refused, and forgotten after its time; it is never kept in clear", async () => {
  const key = "imsi-262019876543210";
  assert.equal((await repeats.begin(MINE, asked(key))).state, "first");
  const dump = await database.rows<{ row: string }>("select api_request::text as row from api_request");
  assert.ok(!JSON.stringify(dump).includes("262019876543210"));
  await repeats.abandon(MINE, asked(key));
  assert.equal((await repeats.begin(MINE, asked(key, 2))).state, "first");
  assert.ok((await repeats.forget(new Date(now.getTime() + 1))) >= 3);
  assert.equal((await repeats.begin(MINE, asked("k1", 2))).state, "first");
});

const SESSION_LIMITS = { idleMinutes: 60, totalHours: 12 };
async function tokenOfMine(label: string): Promise<{ readonly id: string; readonly hash: Uint8Array }> {
  const made = { id: uuidv7(), hash: hashToken(label), role: "admin", label, expiresAt: null } as const;
  await registry.tokens.create(MINE, made, "root");
  return made;
}

test("a session is found by its hash with the token that it stands for, is listed, and is ended once, by its own operator", async () => {
  const token = await tokenOfMine("a person");
  const session = { id: uuidv7(), hash: hashToken("tus_one"), tokenId: token.id, browser: "Firefox" };
  await sessions.open(MINE, session, "a person");
  await assert.rejects(sessions.open(THEIRS, { ...session, id: uuidv7(), hash: hashToken("x") }, "mallory"));
  const found = await sessions.findByHash(session.hash);
  assert.deepEqual([found?.id, found?.token.id, found?.token.operatorId], [session.id, token.id, MINE]);
  assert.equal(await sessions.findByHash(hashToken("tus_two")), undefined);
  const later = new Date(now.getTime() + 5 * 60_000);
  await sessions.touch(session.id, later);
  await sessions.touch(session.id, now); // a note that comes late takes nothing back
  assert.deepEqual((await sessions.findByHash(session.hash))?.lastSeenAt, later);
  const listed = async (operatorId: string) =>
    (await sessions.list(operatorId, SESSION_LIMITS, page)).rows.map(({ id }) => id);
  assert.deepEqual(await listed(MINE), [session.id]);
  assert.deepEqual(await listed(THEIRS), []);
  assert.equal(await sessions.end(THEIRS, session.id, "mallory"), false);
  assert.equal(await sessions.end(MINE, session.id, "root"), true);
  assert.equal(await sessions.end(MINE, session.id, "root"), false);
  assert.ok((await sessions.findByHash(session.hash))?.endedAt);
  assert.deepEqual(await listed(MINE), []);
  assert.deepEqual((await actions(MINE)).slice(0, 2), ["session.end", "session.open"]);
});

test("the list of sessions holds none that is over: idle, old, or of a token that was revoked", async () => {
  const [idle, revoked] = [await tokenOfMine("idle"), await tokenOfMine("soon revoked")];
  const [one, other] = [uuidv7(), uuidv7()];
  await sessions.open(MINE, { id: one, hash: hashToken("s1"), tokenId: idle.id, browser: "" }, "idle");
  await sessions.open(
    MINE,
    { id: other, hash: hashToken("s2"), tokenId: revoked.id, browser: "" },
    "revoked",
  );
  const listed = async () => (await sessions.list(MINE, SESSION_LIMITS, page)).rows.map(({ id }) => id);
  assert.deepEqual(await listed(), [other, one]);
  assert.equal((await sessions.findByHash(hashToken("s2")))?.token.revokedAt, null);
  await registry.tokens.revoke(MINE, revoked.id, "root");
  assert.deepEqual(await listed(), [one]);
  const found = await sessions.findByHash(hashToken("s2"));
  assert.ok(found?.token.revokedAt, "what asks with it is refused by this");
  const before = now;
  now = new Date(now.getTime() + 61 * 60_000);
  assert.deepEqual(await listed(), []);
  now = before;
});

test("a sign-in link is taken by one of many who try it at once, and by nobody after its time", async () => {
  const token = await tokenOfMine("by link");
  const hash = hashToken("link one");
  await sessions.makeLink({ hash, tokenId: token.id, expiresAt: new Date(now.getTime() + 60_000) });
  const taken = await Promise.all(Array.from({ length: 8 }, () => sessions.spendLink(hash)));
  assert.equal(taken.filter((one) => one?.id === token.id).length, 1);
  const late = hashToken("link two");
  await sessions.makeLink({ hash: late, tokenId: token.id, expiresAt: new Date(now.getTime() + 60_000) });
  const before = now;
  now = new Date(now.getTime() + 60_001);
  assert.equal(await sessions.spendLink(late), undefined);
  now = before;
});
