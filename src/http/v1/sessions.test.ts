/** Sessions of the console: opened by a token or a link, proof against other sites, over when they are over. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bearer, OPERATOR_A, OPERATOR_B, openFixture, tokenFor } from "../../../test/fixture/http.ts";
import { hashToken } from "../../kernel/account/token.ts";

const CONSOLE = { "x-turnup-console": "1" };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
type Fixture = Awaited<ReturnType<typeof openFixture>>;

async function signedIn(fixture: Fixture, role: "admin" | "care" = "admin"): Promise<string> {
  const { statusCode, headers } = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: bearer(OPERATOR_A, role),
  });
  assert.equal(statusCode, 201);
  return String(headers["set-cookie"]).split(";")[0] ?? "";
}
const codeOf = (answer: { json(): { code: string } }): string => answer.json().code;

test("a token is exchanged for a cookie that no script reads and no other site sends, and that asks as the token does", async () => {
  const fixture = await openFixture();
  Object.assign(fixture.deps.requests, { publicUrl: () => "http://turnup.example" });
  const { headers, body } = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: bearer(OPERATOR_A, "care"),
  });
  const cookie = String(headers["set-cookie"]);
  assert.match(cookie, /^turnup_session=tus_[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.equal(JSON.parse(body).role, "care");
  assert.ok(!body.includes("tus_"), "what the cookie holds stands nowhere else");
  const own = { cookie: cookie.split(";")[0] ?? "" };
  assert.equal((await fixture.server.inject({ url: "/v1/orders", headers: own })).json().rows.length, 1);
  assert.equal(
    (await fixture.server.inject({ url: "/v1/tokens", headers: own })).statusCode,
    403,
    "care stays care",
  );
  await fixture.server.close();
});

test("under https the cookie is of this host alone and goes over nothing else", async () => {
  const fixture = await openFixture({ trustProxy: "127.0.0.1" });
  Object.assign(fixture.deps.requests, { publicUrl: () => "http://turnup.example" });
  const { headers } = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: { ...bearer(OPERATOR_A, "admin"), "x-forwarded-proto": "https" },
  });
  assert.match(String(headers["set-cookie"]), /^__Host-turnup_session=tus_.*; SameSite=Strict; Secure$/);
  const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
  assert.equal(
    (await fixture.server.inject({ url: "/v1/sessions/current", headers: { cookie } })).statusCode,
    200,
  );
  await fixture.server.close();
});

test("under https a cookie of the plain name, which a neighbouring host can plant, opens nothing and stands before none", async () => {
  const fixture = await openFixture({ trustProxy: "127.0.0.1" });
  Object.assign(fixture.deps.requests, { publicUrl: () => "http://turnup.example" });
  const planted = await signedIn(fixture, "care");
  assert.match(planted, /^turnup_session=/);
  const secure = { "x-forwarded-proto": "https" };
  const opened = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: { ...bearer(OPERATOR_A, "admin"), ...secure },
  });
  const own = String(opened.headers["set-cookie"]).split(";")[0] ?? "";
  const ask = async (cookie: string) =>
    fixture.server.inject({ url: "/v1/sessions/current", headers: { cookie, ...secure } });
  assert.equal(codeOf(await ask(planted)), "token_missing");
  assert.equal((await ask(`${planted}; ${own}`)).json().role, "admin");
  await fixture.server.close();
});

test("what a session changes needs the console's header and this server's own page; a look needs neither", async () => {
  const fixture = await openFixture();
  const cookie = await signedIn(fixture);
  const revoke = (headers: Record<string, string>) =>
    fixture.server.inject({
      method: "POST",
      url: "/v1/tokens",
      headers: { cookie, host: "turnup.example", "idempotency-key": "k1", ...headers },
      payload: { role: "probe", label: "radius" },
    });
  assert.equal(codeOf(await revoke({})), "origin_refused");
  for (const origin of ["https://evil.example", "null", "http://turnup.example.evil.example"])
    assert.equal(codeOf(await revoke({ ...CONSOLE, origin })), "origin_refused", origin);
  assert.equal(
    codeOf(await revoke({ ...CONSOLE, origin: "https://evil.example", "sec-fetch-site": "cross-site" })),
    "origin_refused",
  );
  assert.equal((await revoke({ ...CONSOLE, origin: "https://turnup.example" })).statusCode, 201);
  assert.equal((await fixture.server.inject({ url: "/v1/orders", headers: { cookie } })).statusCode, 200);
  await fixture.server.close();
});

test("a session ends when it lies idle, when it is too old, and with its token, each at once", async () => {
  const fixture = await openFixture();
  const ask = async (cookie: string) => fixture.server.inject({ url: "/v1/orders", headers: { cookie } });
  const idle = await signedIn(fixture);
  fixture.nowMs += 61 * MINUTE_MS;
  assert.equal(codeOf(await ask(idle)), "session_ended");

  const busy = await signedIn(fixture);
  for (let asked = 0; asked < 12; asked++) {
    fixture.nowMs += HOUR_MS - MINUTE_MS;
    assert.equal((await ask(busy)).statusCode, 200, `after ${asked + 1} times 59 minutes`);
  }
  fixture.nowMs += 13 * MINUTE_MS;
  assert.equal(codeOf(await ask(busy)), "session_ended", "12 hours are over, however busy it was");

  const revoked = await signedIn(fixture);
  const key = Buffer.from(hashToken(tokenFor(OPERATOR_A, "admin"))).toString("hex");
  const record = fixture.records.get(key);
  assert.ok(record);
  fixture.records.set(key, { ...record, revokedAt: new Date(fixture.nowMs) });
  assert.equal(codeOf(await ask(revoked)), "token_revoked");
  await fixture.server.close();
});

test("a session opens no other, so that its time cannot be made longer", async () => {
  const fixture = await openFixture();
  const cookie = await signedIn(fixture);
  const again = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: { cookie, ...CONSOLE },
  });
  assert.equal(codeOf(again), "token_missing");
  await fixture.server.close();
});

test("a sign-in link opens one session, once, and not after its time", async () => {
  const fixture = await openFixture();
  const { sessions } = fixture.deps;
  const tokenId = [...fixture.records.values()].find(
    ({ operatorId, role }) => operatorId === OPERATOR_A && role === "admin",
  )?.id;
  assert.ok(tokenId);
  const make = async (letter: string): Promise<string> => {
    const link = letter.repeat(43);
    await sessions.makeLink({ hash: hashToken(link), tokenId, expiresAt: new Date(fixture.nowMs + HOUR_MS) });
    return link;
  };
  const open = (link: string) =>
    fixture.server.inject({ method: "POST", url: "/v1/sessions/by-link", payload: { link } });
  const link = await make("a");
  const first = await open(link);
  assert.equal(first.statusCode, 201);
  assert.equal(first.json().role, "admin");
  assert.equal(codeOf(await open(link)), "sign_in_link_spent");
  assert.equal(codeOf(await open("b".repeat(43))), "sign_in_link_spent");
  const late = await make("c");
  fixture.nowMs += HOUR_MS;
  assert.equal(codeOf(await open(late)), "sign_in_link_spent");
  await fixture.server.close();
});

test("sessions are listed and ended by an administrator of their operator alone; signing out ends one's own", async () => {
  const fixture = await openFixture();
  const { server } = fixture;
  const care = await signedIn(fixture, "care");
  const list = async (operatorId: string) =>
    (await server.inject({ url: "/v1/sessions", headers: bearer(operatorId, "admin") })).json().rows;
  const [session] = (await list(OPERATOR_A)).filter(({ browser }: { browser: string }) => browser !== "");
  assert.equal(session.role, "care");
  assert.deepEqual(await list(OPERATOR_B), []);
  const end = (operatorId: string) =>
    server.inject({
      method: "DELETE",
      url: `/v1/sessions/${session.id}`,
      headers: bearer(operatorId, "admin"),
    });
  assert.equal(codeOf(await end(OPERATOR_B)), "session_not_found");
  assert.equal((await end(OPERATOR_A)).statusCode, 204);
  const ask = (cookie: string) => server.inject({ url: "/v1/sessions/current", headers: { cookie } });
  assert.equal(codeOf(await ask(care)), "session_ended");

  const own = await signedIn(fixture);
  const out = await server.inject({
    method: "DELETE",
    url: "/v1/sessions/current",
    headers: { cookie: own, ...CONSOLE },
  });
  assert.equal(out.statusCode, 204);
  assert.match(String(out.headers["set-cookie"]), /^__Host-turnup_session=; Max-Age=0;.*Secure$/);
  assert.equal(codeOf(await ask(own)), "session_ended");
  await server.close();
});

test("a machine's token opens no session, since it has no pages to look at", async () => {
  const fixture = await openFixture();
  const answer = await fixture.server.inject({
    method: "POST",
    url: "/v1/sessions",
    headers: bearer(OPERATOR_A, "probe"),
  });
  assert.equal(codeOf(answer), "role_not_allowed");
  await fixture.server.close();
});
