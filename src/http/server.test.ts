/** The server around all routes: tokens, limits, logs, readiness. */
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "vitest";
import {
  bearer,
  IMEI,
  IMSI,
  OPERATOR_A,
  OPERATOR_B,
  openFixture,
  tokenFor,
} from "../../test/fixture/http.ts";

const PROBE = bearer(OPERATOR_A, "probe");
const ADMIN = bearer(OPERATOR_A, "admin");
const fixture = await openFixture();
const { server } = fixture;

test("every answer carries the request's id, is not cached, and is not framed", async () => {
  for (const url of ["/healthz", "/nowhere", "/v1/orders"]) {
    const { headers } = await server.inject({ url, headers: { "x-request-id": "order-import-7" } });
    assert.equal(headers["x-request-id"], "order-import-7");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-frame-options"], "DENY");
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
  }
});

test("whatever answers, its answer bears the headers that protect its reader in a browser", async () => {
  const protection = {
    "content-security-policy":
      "default-src 'none';style-src 'unsafe-inline';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-download-options": "noopen",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
    "x-xss-protection": "0",
    "cache-control": "no-store",
  };
  const statuses: number[] = [];
  for (const url of ["/healthz", "/nowhere", "/v1/orders", "/v1/orders/%zz", "/v1/orders?limit=x"]) {
    const { headers, statusCode } = await server.inject({ url, headers: url.endsWith("x") ? ADMIN : {} });
    statuses.push(statusCode);
    assert.deepEqual({ ...headers, ...protection }, headers, url);
  }
  assert.deepEqual(statuses, [200, 404, 401, 400, 400]);
});

test("a request id that could hold a subscriber's number is replaced", async () => {
  for (const id of [IMSI, "a b", "x".repeat(65), "<script>"]) {
    const { headers } = await server.inject({ url: "/healthz", headers: { "x-request-id": id } });
    assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
  }
});

test("a problem document names its code, what to do, and the request", async () => {
  const answer = await server.inject({ url: "/v1/orders", headers: { "x-request-id": "r-1" } });
  assert.equal(answer.headers["content-type"], "application/problem+json; charset=utf-8");
  assert.deepEqual(answer.json(), {
    type: "urn:turnup:error:token_missing",
    title: "Token missing",
    status: 401,
    code: "token_missing",
    detail: "This address answers only with a token.",
    nextStep: "Send the header 'Authorization: Bearer tup_...'.",
    instance: "r-1",
  });
});

test("an address of another method answers 405 with what it allows, an unknown one 404", async () => {
  const wrong = await server.inject({ method: "DELETE", url: "/v1/orders", headers: ADMIN });
  assert.equal(wrong.statusCode, 405);
  assert.equal(wrong.json().code, "method_not_allowed");
  assert.deepEqual(String(wrong.headers.allow).split(", ").sort(), ["GET", "HEAD", "POST"]);
  const unknown = await server.inject({ url: "/v1/nothing", headers: ADMIN });
  assert.equal(unknown.statusCode, 404);
  assert.equal(unknown.json().code, "not_found");
});

test("a revoked token is refused as soon as word of it is heard, and where none is heard it is looked up each time", async () => {
  const fresh = await openFixture();
  const ask = () => fresh.server.inject({ url: "/v1/orders", headers: bearer(OPERATOR_A, "care") });
  assert.equal((await ask()).statusCode, 200);
  const [key, record] = [...fresh.records].find(
    ([, one]) => one.operatorId === OPERATOR_A && one.role === "care",
  ) as [string, NonNullable<ReturnType<typeof fresh.records.get>>];
  fresh.records.set(key, { ...record, revokedAt: new Date(fresh.nowMs) });
  assert.equal((await ask()).statusCode, 200, "nobody told of it yet");
  for (const listener of fresh.told.listeners)
    listener({ kind: "tokens", operatorId: OPERATOR_A, version: 1 });
  assert.equal((await ask()).json().code, "token_revoked");
  fresh.records.set(key, record);
  for (const listener of fresh.told.listeners) listener("everything");
  assert.equal((await ask()).statusCode, 200);
  fresh.told.heard = false;
  fresh.records.set(key, { ...record, revokedAt: new Date(fresh.nowMs) });
  assert.equal((await ask()).json().code, "token_revoked");
  await fresh.server.close();
});

test("a token is looked up again after the time that it is believed, and one that expires is refused at once", async () => {
  const fresh = await openFixture({ limits: { tokenFreshMs: 5_000 } });
  const ask = () => fresh.server.inject({ url: "/v1/orders", headers: bearer(OPERATOR_A, "care") });
  assert.equal((await ask()).statusCode, 200);
  const [key, record] = [...fresh.records].find(
    ([, one]) => one.operatorId === OPERATOR_A && one.role === "care",
  ) as [string, NonNullable<ReturnType<typeof fresh.records.get>>];
  fresh.records.set(key, { ...record, revokedAt: new Date(fresh.nowMs) });
  fresh.nowMs += 4_999;
  assert.equal((await ask()).statusCode, 200);
  fresh.nowMs += 1;
  assert.equal((await ask()).json().code, "token_revoked");
  fresh.records.set(key, { ...record, expiresAt: new Date(fresh.nowMs + 6_000) });
  fresh.nowMs += 5_000;
  assert.equal((await ask()).statusCode, 200);
  fresh.nowMs += 1_000;
  assert.equal((await ask()).json().code, "token_expired");
  await fresh.server.close();
});

test("a known token costs one lookup, however many requests come with it", async () => {
  const fresh = await openFixture();
  const ask = () => fresh.server.inject({ url: "/v1/orders", headers: bearer(OPERATOR_A, "care") });
  await Promise.all(Array.from({ length: 20 }, ask));
  await ask();
  assert.equal(fresh.lookups, 1);
  await fresh.server.close();
});

test("whoever guesses at tokens is slowed by address, and a known token behind that address still works", async () => {
  const fresh = await openFixture({ limits: { failuresPerMinute: 3 } });
  const good = () => fresh.server.inject({ url: "/v1/orders", headers: bearer(OPERATOR_A, "care") });
  assert.equal((await good()).statusCode, 200);
  const guess = (n: number) =>
    fresh.server.inject({
      url: "/v1/orders",
      headers: { authorization: `Bearer tup_${String(n).padStart(43, "x")}` },
    });
  for (let n = 0; n < 3; n++) assert.equal((await guess(n)).statusCode, 401);
  const looked = fresh.lookups;
  const slowed = await guess(4);
  assert.equal(slowed.statusCode, 429);
  assert.equal(slowed.json().code, "too_many_requests");
  assert.ok(Number(slowed.headers["retry-after"]) >= 1);
  assert.equal(fresh.lookups, looked, "a slowed guess costs no lookup");
  assert.equal((await good()).statusCode, 200);
  fresh.nowMs += 60_000;
  assert.equal((await guess(5)).statusCode, 401);
  await fresh.server.close();
});

test("one token's requests in a minute are bounded, another's are not touched by it", async () => {
  const fresh = await openFixture({ limits: { requestsPerMinute: 2 } });
  const ask = (operatorId: string) =>
    fresh.server.inject({ url: "/v1/orders", headers: bearer(operatorId, "care") });
  assert.equal((await ask(OPERATOR_A)).statusCode, 200);
  assert.equal((await ask(OPERATOR_A)).statusCode, 200);
  assert.equal((await ask(OPERATOR_A)).statusCode, 429);
  assert.equal((await ask(OPERATOR_B)).statusCode, 200);
  await fresh.server.close();
});

function logLines(): { lines: string[]; stream: Writable } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, stream };
}

test("a fault of ours says nothing about the inside, and is logged with the request's id", async () => {
  const { lines, stream } = logLines();
  const fresh = await openFixture({ log: { level: "info", stream } });
  Object.assign(fresh.deps.orders, {
    listOrders: async () => {
      throw new Error(`duplicate key (imsi)=(${IMSI}) in /srv/secret/place`);
    },
  });
  const answer = await fresh.server.inject({
    url: "/v1/orders",
    headers: { ...bearer(OPERATOR_A, "care"), "x-request-id": "r-9" },
  });
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json().code, "internal_error");
  assert.ok(!answer.body.includes("secret"), answer.body);
  const fault = lines.map((line) => JSON.parse(line)).find((line) => line.msg === "failed");
  assert.equal(fault.reqId, "r-9");
  assert.match(fault.err.message, /secret/);
  assert.ok(!lines.join("").includes(IMSI), "masked in the log");
  await fresh.server.close();
});

test("log lines name the route's pattern, never the number in the address, nor a token", async () => {
  const { lines, stream } = logLines();
  const fresh = await openFixture({ log: { level: "debug", stream } });
  const ask = (url: string) => fresh.server.inject({ url, headers: bearer(OPERATOR_A, "care") });
  await ask(`/v1/devices/${IMEI}`);
  await ask(`/v1/orders?imsi=${IMSI}`);
  await ask(`/v1/nowhere/${IMEI}`);
  await fresh.server.inject({
    method: "POST",
    url: "/v1/sightings",
    headers: PROBE,
    payload: { imei: IMEI, imsi: IMSI },
  });
  const log = lines.join("");
  assert.ok(log.includes('"route":"/v1/devices/:imei"'));
  for (const number of [IMEI, IMSI, tokenFor(OPERATOR_A, "care")]) assert.ok(!log.includes(number));
  await fresh.server.close();
});

test("/metrics counts without identifiers, tenants or addresses", async () => {
  await server.inject({ url: `/v1/devices/${IMEI}`, headers: bearer(OPERATOR_A, "care") });
  const { body, headers } = await server.inject({ url: "/metrics" });
  assert.match(String(headers["content-type"]), /^text\/plain/);
  assert.match(
    body,
    /turnup_http_requests_total\{method="GET",route="\/v1\/devices\/:imei",status="200"\} [1-9]/,
  );
  for (const line of body.split("\n").filter((one) => one && !one.startsWith("#"))) {
    assert.match(line, /^turnup_[a-z_]+/);
    assert.ok(!line.includes(IMEI) && !line.includes(OPERATOR_A) && !line.includes("-token"), line);
  }
});

test("a server that is not ready says so in one line of its log, with what is missing and without a stack", async () => {
  const { lines, stream } = logLines();
  const fresh = await openFixture({ log: { level: "warn", stream } });
  const readiness = fresh.deps.readiness as { name: string; check: () => Promise<void> }[];
  readiness.push({ name: "smsc", check: () => Promise.reject(new Error("not bound")) });
  await fresh.server.inject({ url: "/readyz" });
  assert.equal(lines.length, 1);
  const { level, code, reason, route } = JSON.parse(lines[0]!);
  assert.deepEqual(
    { level, code, reason, route },
    { level: 40, code: "dependency_unavailable", reason: "The server is not ready: smsc.", route: "/readyz" },
  );
  assert.ok(!lines[0]!.includes("stack"));
  await fresh.server.close();
});

test("/readyz says which part is missing and asks no more often than once a second", async () => {
  const fresh = await openFixture();
  let asked = 0;
  const readiness = fresh.deps.readiness as { name: string; check: () => Promise<void> }[];
  readiness.push({
    name: "smsc",
    check: async () => {
      asked++;
      throw new Error("10.0.0.7:2775 refused");
    },
  });
  const first = await fresh.server.inject({ url: "/readyz" });
  assert.equal(first.statusCode, 503);
  assert.equal(first.json().code, "dependency_unavailable");
  assert.match(first.json().detail, /smsc/);
  assert.ok(!first.body.includes("10.0.0.7"));
  await fresh.server.inject({ url: "/readyz" });
  assert.equal(asked, 1);
  readiness.pop();
  fresh.nowMs += 1_000;
  assert.equal((await fresh.server.inject({ url: "/readyz" })).statusCode, 200);
  await fresh.server.close();
});
