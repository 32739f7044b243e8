/** The doors of the feed: pages, a stream that goes on where it was cut off, and that ends with its token. */
import assert from "node:assert/strict";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { bearer, OPERATOR_A, openFixture, THING_ID, tokenFor } from "../../../test/fixture/http.ts";
import { eventsCommand } from "../../app/command/events.ts";
import { portOf } from "../../app/server/address.ts";
import { takeReader } from "./events/readers.ts";

const fixture = await openFixture();
await fixture.server.listen({ host: "127.0.0.1", port: 0 });
afterAll(() => fixture.server.close());
const URL_HERE = `http://127.0.0.1:${portOf(fixture.server.server)}`;
const admin = bearer(OPERATOR_A, "admin");
const get = (url: string, headers: Record<string, string> = {}) =>
  fixture.server.inject({ url, headers: { ...admin, ...headers } });

test("a page is a batch of CloudEvents, and its link leads on, from an empty one too", async () => {
  const first = await get("/v1/events?types=turnup.order.*&limit=7");
  assert.match(String(first.headers["content-type"]), /^application\/cloudevents-batch\+json/);
  const [event, ...others] = first.json();
  assert.deepEqual(others, []);
  assert.equal(event.specversion, "1.0");
  assert.equal(event.id, THING_ID);
  const [, next = ""] = /^<(.*)>; rel="next"$/.exec(String(first.headers.link)) ?? [];
  assert.match(next, /^\/v1\/events\?types=turnup.order.\*&limit=7&after=B+$/);
  const empty = await get(next);
  assert.deepEqual(empty.json(), []);
  assert.equal(empty.headers.link, `<${next}>; rel="next"`);
  assert.deepEqual((await get("/v1/events?types=turnup.charge.*")).json(), []);
  assert.equal((await get("/v1/events?after=nonsense")).json().code, "invalid_request");
});

test("a request that waits asks again when there may be news, and is answered when its time is over", async () => {
  const before = fixture.calls.length;
  const passing = setInterval(() => {
    fixture.nowMs += 500; // the fixture's time stands still by itself
  }, 50);
  const answer = await get("/v1/events?after=now&wait=1").finally(() => clearInterval(passing));
  assert.deepEqual(answer.json(), []);
  const asked = fixture.calls.slice(before).map(({ name }) => name);
  assert.ok(asked.includes("events.wait"), asked.join());
});

test("of a feed in which nothing wanted is found a page leads on after a while, whatever is left of it", async () => {
  const passing = setInterval(() => {
    fixture.nowMs += 2_500;
  }, 20);
  const endless = "E".repeat(60);
  const answer = await get(`/v1/events?after=${endless}`).finally(() => clearInterval(passing));
  assert.deepEqual(answer.json(), []);
  assert.equal(answer.headers.link, `</v1/events?after=${endless}>; rel="next"`);
});

test("a stream begins where its client was cut off, and each event bears its position", async () => {
  const whole = await get("/v1/events/stream?after=start&seconds=0");
  assert.match(String(whole.headers["content-type"]), /^text\/event-stream/);
  const [retry, event, heartbeat, ...rest] = whole.body.split("\n\n");
  assert.equal(retry, "retry: 1000");
  assert.match(String(event), /^id: A{60}\nevent: turnup\.order\.completed\ndata: \{"specversion":"1\.0"/);
  assert.match(String(heartbeat), /^id: B{60}$/);
  assert.deepEqual(rest, [""]);
  const later = await get("/v1/events/stream?after=start&seconds=0", { "last-event-id": "C".repeat(60) });
  assert.doesNotMatch(later.body, /specversion/);
  const asked = fixture.calls
    .filter(({ name }) => name === "events.read")
    .map(({ input }) => JSON.stringify(input));
  assert.match(String(asked.at(-1)), /"after":"C{60}"/);
});

test("a stream ends when its token is revoked, and says so", async () => {
  const answer = await fetch(`${URL_HERE}/v1/events/stream`, { headers: bearer(OPERATOR_A, "engineer") });
  assert.equal(answer.status, 200);
  const body = answer.body?.getReader();
  const first = await body?.read();
  assert.match(new TextDecoder().decode(first?.value), /^retry/);
  const [hash, record] =
    [...fixture.records].find(([, one]) => one.role === "engineer" && one.operatorId === OPERATOR_A) ?? [];
  assert.ok(hash !== undefined && record);
  fixture.records.set(hash, { ...record, revokedAt: new Date(fixture.nowMs - 1) });
  for (const listener of fixture.told.listeners)
    listener({ kind: "tokens", operatorId: OPERATOR_A, version: 2 });
  let said = "";
  for (let part = await body?.read(); part && !part.done; part = await body?.read())
    said += new TextDecoder().decode(part.value);
  assert.match(said, /event: end\ndata: \{"code":"token_revoked"\}\n\n$/);
  fixture.records.set(hash, record);
});

test("one token waits so many times and no more; what is given back is there again", async () => {
  const caller = { tokenId: "one", operatorId: OPERATOR_A, role: "admin", label: "" } as const;
  const held = Array.from({ length: 20 }, () => takeReader(caller));
  assert.throws(() => takeReader(caller), { code: "too_many_requests" });
  held[0]?.();
  held[0]?.();
  const again = takeReader(caller);
  assert.throws(() => takeReader(caller), { code: "too_many_requests" });
  for (const give of [again, ...held]) give();
  takeReader(caller)();
});

test("`turnup events` prints what there is, as lines and as CloudEvents", async () => {
  const entries = [{ name: "events", summary: "", load: async () => eventsCommand }];
  const env = { TURNUP_URL: URL_HERE, TURNUP_TOKEN: tokenFor(OPERATOR_A, "admin") };
  const lines = await runWith(entries, ["events"], "", { env });
  assert.equal(lines.exitCode, 0, lines.stderr);
  assert.match(lines.stdout, /turnup\.order\.completed +orders\/\S+ {2}completed: all is done\n$/);
  const json = await runWith(entries, ["events", "--json"], "", { env });
  assert.equal(JSON.parse(json.stdout).id, THING_ID);
  const refused = await runWith(entries, ["events"], "", {
    env: { ...env, TURNUP_TOKEN: tokenFor(OPERATOR_A, "care") },
  });
  assert.match(refused.stderr, /^role_not_allowed/);
});
