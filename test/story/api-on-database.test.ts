/** The operator's API over real HTTP on a real database: what one request writes the next one shows, to its tenant alone. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createHttpServer } from "../../src/http/server.ts";
import type { Role } from "../../src/kernel/account/role.ts";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createRepeats } from "../../src/store/operator/repeats.ts";
import { createOrderReader } from "../../src/store/orders/order-reader.ts";
import { createOrderStore } from "../../src/store/orders/order-store.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { createIntake } from "../../src/store/sightings/intake.ts";
import { createPairings } from "../../src/store/sightings/pairings.ts";
import { homePlmnResolver } from "../../src/term/imsi.ts";
import { parsePlmn } from "../../src/term/plmn.ts";
import { freshDatabase } from "../fixture/database.ts";
import { makeFixture } from "../fixture/http.ts";

const IMSI = "262019876543210";
const IMEI = "356938035643809";
const MSISDN = "491701234567";
const MINE = uuidv7();
const THEIRS = uuidv7();

const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 9));
const clock = (): Date => new Date();
const shared = { database, sealer, newId: uuidv7, clock };
const registry = createRegistry(shared);
const { termsIn } = createOrderStore(database, sealer, registry.ownWords);
const server = await createHttpServer({
  ...makeFixture().deps,
  ...registry,
  clock,
  newId: uuidv7,
  repeats: createRepeats(shared),
  orders: createOrderReader(database, sealer),
  pairings: createPairings(database, sealer),
  intake: createIntake({
    ...shared,
    termsIn,
    homePlmnOf: homePlmnResolver([parsePlmn("262-01")]),
    countryOf: () => "DE",
    onOrders: () => undefined,
  }),
});

const tokens = new Map<string, string>();
let count = 0;
for (const [operatorId, slug] of [
  [MINE, "mine"],
  [THEIRS, "theirs"],
] as const) {
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    operatorId,
    slug,
  ]);
  for (const role of ["admin", "probe"] as const) {
    const token = tokenOf(new Uint8Array(32).fill(++count));
    tokens.set(operatorId + role, token);
    const made = { id: uuidv7(), hash: hashToken(token), role, label: `${slug} ${role}`, expiresAt: null };
    await registry.tokens.create(operatorId, made, "cli");
  }
}
const as = (operatorId: string, role: Role = "admin") => ({
  authorization: `Bearer ${tokens.get(operatorId + role)}`,
});
const get = (url: string, operatorId = MINE) => server.inject({ url, headers: as(operatorId) });

test("a sighting opens one order, which the list, the story and the handset show, to its operator alone", async () => {
  const sight = () =>
    server.inject({
      method: "POST",
      url: "/v1/sightings",
      headers: as(MINE, "probe"),
      payload: { imei: IMEI, imsi: IMSI, msisdn: MSISDN, plmn: "262-01" },
    });
  const first = await sight();
  assert.equal(first.statusCode, 200, first.body);
  const [result] = first.json().results;
  assert.equal(result.outcome, "first_registration");
  assert.equal((await sight()).json().results[0].outcome, "unchanged");

  for (const filter of [
    "",
    `?imsi=${IMSI}`,
    `?msisdn=${MSISDN}`,
    `?imei=${IMEI}`,
    "?state=received",
    "?createdFrom=2020-01-01T00:00:00Z",
  ]) {
    const { rows } = (await get(`/v1/orders${filter}`)).json();
    assert.deepEqual(
      rows.map(({ id }: { id: string }) => id),
      [result.orderId],
      filter,
    );
    assert.deepEqual((await get(`/v1/orders${filter}`, THEIRS)).json().rows, [], filter);
  }
  const story = await get(`/v1/orders/${result.orderId}`);
  assert.equal(story.statusCode, 200, story.body);
  assert.deepEqual(
    [story.json().imsiMasked, story.json().imeiMasked, story.json().cause],
    ["262019*********", "35693803*******", "first_registration"],
  );
  assert.ok(story.json().events.length >= 1);
  assert.equal((await get(`/v1/orders/${result.orderId}`, THEIRS)).json().code, "order_not_found");

  const device = (await get(`/v1/devices/${IMEI}`)).json();
  assert.deepEqual(
    device.pairings.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent),
    [true],
  );
  assert.equal((await get(`/v1/devices/${IMEI}`, THEIRS)).json().deviceId, null);
});

test("a token made over the API works at once, and not any more after it was revoked and forgotten", async () => {
  const made = await server.inject({
    method: "POST",
    url: "/v1/tokens",
    headers: { ...as(MINE), "idempotency-key": "t-1" },
    payload: { role: "care", label: "desk 4" },
  });
  assert.equal(made.statusCode, 201, made.body);
  const { id, token } = made.json();
  const ask = () => server.inject({ url: "/v1/orders", headers: { authorization: `Bearer ${token}` } });
  assert.equal((await ask()).statusCode, 200);
  assert.equal(
    (await server.inject({ method: "DELETE", url: `/v1/tokens/${id}`, headers: as(THEIRS) })).statusCode,
    404,
  );
  assert.equal(
    (await server.inject({ method: "DELETE", url: `/v1/tokens/${id}`, headers: as(MINE) })).statusCode,
    204,
  );
  const stranger = await createHttpServer({ ...makeFixture().deps, ...registry, clock });
  const elsewhere = await stranger.inject({
    url: "/v1/orders",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(elsewhere.json().code, "token_revoked", "another server knows at once");
  await stranger.close();
});

test("policy, relations, access points and overrides written over the API are read back, and the audit names who", async () => {
  const send = (method: "PUT" | "POST", url: string, payload: object, headers = {}) =>
    server.inject({ method, url, payload, headers: { ...as(MINE), "idempotency-key": url, ...headers } });
  const { body: policy } = (await get("/v1/policy")).json();
  const put = await send("PUT", "/v1/policy", { ...policy, markets: ["DE"] }, { "if-match": '"0"' });
  assert.equal(put.headers.etag, '"1"', put.body);
  assert.deepEqual((await get("/v1/policy")).json().body.markets, ["DE"]);

  const terms = {
    deal: true,
    keySource: "own",
    keyServer: null,
    accessPoints: [],
    appHosts: [],
    keyIssuers: {},
    feeMinor: 120,
    currency: "EUR",
    feeLevel: "works",
    portionBasisPoints: 0,
  };
  const relation = await send("PUT", "/v1/relations/Nokia", terms);
  assert.equal(relation.statusCode, 200, relation.body);
  const again = await get("/v1/relations/NOKIA");
  assert.deepEqual([again.json().feeMinor, again.headers.etag], [120, relation.headers.etag]);

  const point = {
    name: "MMS",
    uses: ["mms"],
    apn: "mms.telco",
    mmsc: "http://mms.telco/",
    password: "correcthorse",
    criteria: { mcc: "262", mnc: "01" },
  };
  assert.equal((await send("POST", "/v1/access-points", point)).statusCode, 201);
  assert.equal((await send("POST", "/v1/access-points", point)).headers["idempotency-replayed"], "true");
  assert.deepEqual(
    (await get("/v1/access-points"))
      .json()
      .accessPoints.map(({ password }: { password: string }) => password),
    ["correcthorse"],
  );

  const override = { scope: "imei", key: IMEI, body: { verdict: "supported" }, why: "tested" };
  const word = await send("PUT", "/v1/overrides", override);
  assert.equal(word.statusCode, 200, word.body);
  assert.ok(!word.body.includes(IMEI));

  const audit = (await get("/v1/audit")).json().rows as { actor: string; action: string }[];
  assert.deepEqual(
    audit.slice(0, 4).map(({ actor, action }) => `${actor}: ${action}`),
    ["override.put", "access_point.add", "relation.put", "policy.put"].map(
      (action) => `mine admin: ${action}`,
    ),
  );
  for (const url of ["/v1/relations", "/v1/access-points", "/v1/overrides"]) {
    assert.ok(!/Nokia|telco|tested/.test((await get(url, THEIRS)).body), url);
  }
});

test("nothing that was asked stands in the database in clear", async () => {
  const tables = await database.rows<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  for (const { name } of tables) {
    const rows = await database.rows<{ row: string }>(`select t::text as row from "${name}" t`);
    const text = rows.map(({ row }) => row).join("\n");
    for (const secret of [IMSI, MSISDN, IMEI.slice(0, 14), "correcthorse", ...tokens.values()]) {
      assert.ok(!text.includes(secret), `${name} holds ${secret}`);
    }
  }
});
