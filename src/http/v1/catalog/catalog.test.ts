/** The catalog by the API: items, versions, ETags, files and terms. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { bearer, OPERATOR_A, OPERATOR_B, openFixture } from "../../../../test/fixture/http.ts";
import { MSISDN } from "../../../../test/fixture/memory-request.ts";

const fixture = await openFixture();
const { server } = fixture;
const ENGINEER = bearer(OPERATOR_A, "engineer");
const READER = bearer(OPERATOR_A, "representative");
type Method = "GET" | "PUT" | "DELETE";
const ask = (method: Method, url: string, payload?: unknown, headers: Record<string, string> = {}) =>
  server.inject({
    method,
    url,
    headers: { ...ENGINEER, ...headers },
    ...(payload !== undefined && { payload: payload as object }),
  });
const feature = { kind: "feature", name: { en: "Browser" }, description: { en: "Pages" } };

test("a new item needs no ETag, a change needs that of what was read, the same again changes nothing", async () => {
  const made = await ask("PUT", "/v1/catalog/browser", feature);
  assert.equal(made.statusCode, 200, made.body);
  assert.deepEqual([made.json().version, made.headers.etag], [1, '"1"']);
  assert.equal((await ask("PUT", "/v1/catalog/browser", feature)).json().code, "precondition_required");
  const stale = await ask(
    "PUT",
    "/v1/catalog/browser",
    { ...feature, available: false },
    { "if-match": '"7"' },
  );
  assert.equal(stale.json().code, "precondition_failed");
  const changed = await ask(
    "PUT",
    "/v1/catalog/browser",
    { ...feature, available: false },
    { "if-match": '"1"' },
  );
  assert.deepEqual([changed.json().version, changed.json().available], [2, false]);
  const same = await ask(
    "PUT",
    "/v1/catalog/browser",
    { ...feature, available: false },
    { "if-match": '"2"' },
  );
  assert.deepEqual([same.json().version, same.headers.etag], [2, '"2"']);
});

test("what is read shows every member and the versions", async () => {
  const { item, versions } = (await ask("GET", "/v1/catalog/mms")).json();
  assert.deepEqual(item.content, { kind: "none" });
  assert.deepEqual([item.price, item.service, item.needs], [null, null, []]);
  assert.deepEqual(versions, [
    { version: 1, madeBy: "cli", madeAt: "2026-03-01T12:00:00.000Z", retiredAt: null },
  ]);
});

test("an item that does not fit is refused with the places in it", async () => {
  const answer = await ask("PUT", "/v1/catalog/odd", {
    ...feature,
    price: { currency: "eur" },
    needs: ["nothing"],
    colour: 1,
  });
  assert.equal(answer.statusCode, 400);
  assert.deepEqual(
    answer.json().errors.map(({ at }: { at: string }) => at),
    ["body/colour", "body/price/currency"],
  );
  const lonely = await ask("PUT", "/v1/catalog/odd", { ...feature, needs: ["nothing"] });
  assert.deepEqual(lonely.json().errors, [{ at: "body/needs/0", wanted: "there is no item nothing" }]);
  assert.equal((await ask("PUT", "/v1/catalog/UPPER", feature)).statusCode, 400);
  for (const payload of ["null", "[]", "7", '"x"']) {
    const other = await ask("PUT", "/v1/catalog/odd", payload, { "content-type": "application/json" });
    assert.equal(other.statusCode, 400, payload);
  }
});

test("lists are paged by id and held to one kind", async () => {
  const answer = await ask("GET", "/v1/catalog?limit=1");
  assert.equal(answer.headers.link, '</v1/catalog?limit=1&cursor=browser>; rel="next"');
  const first = answer.json();
  assert.deepEqual([first.rows.length, first.nextCursor], [1, "browser"]);
  const second = (await ask("GET", `/v1/catalog?limit=1&cursor=${first.nextCursor}`)).json();
  assert.deepEqual([second.rows[0].id, second.nextCursor], ["mms", null]);
  assert.deepEqual((await ask("GET", "/v1/catalog?kind=service")).json().rows, []);
  for (const query of ["?kind=gadget", "?limit=0", "?cursor=A%20B", "?colour=red"])
    assert.equal((await ask("GET", `/v1/catalog${query}`)).statusCode, 400, query);
});

test("an item is offered no more after DELETE; with the ETag of another version it stays", async () => {
  await ask("PUT", "/v1/catalog/spare", feature);
  const stale = await ask("DELETE", "/v1/catalog/spare", undefined, { "if-match": '"9"' });
  assert.equal(stale.json().code, "precondition_failed");
  assert.equal((await ask("DELETE", "/v1/catalog/spare")).statusCode, 204);
  assert.equal((await ask("DELETE", "/v1/catalog/spare")).json().code, "catalog_item_not_found");
});

test("the whole catalog goes out as a file, and comes back as it went without a change", async () => {
  const file = await ask("GET", "/v1/catalog.yaml");
  assert.match(String(file.headers["content-type"]), /^application\/yaml/);
  assert.match(file.body, /^catalog: 1\n/);
  const back = await ask("PUT", "/v1/catalog.yaml", file.body, {
    "content-type": "application/yaml",
    "if-match": String(file.headers.etag),
  });
  assert.equal(back.statusCode, 200, back.body);
  const { items, terms, applied } = back.json();
  assert.deepEqual(
    [items.added, items.changed, items.retired, terms.changed, applied],
    [[], [], [], [], true],
  );
});

test("a dry run tells what would change and changes nothing; the same file then changes it", async () => {
  const yaml =
    "catalog: 1\nitems:\n  radio:\n    kind: feature\n    name: { en: Radio }\n    description: { en: Music }\n";
  const put = (query: string, headers = {}) =>
    ask("PUT", `/v1/catalog.yaml${query}`, yaml, { "content-type": "application/yaml", ...headers });
  const tried = (await put("?dry_run=true")).json();
  assert.deepEqual(
    [tried.applied, tried.items.added, tried.items.retired.includes("mms")],
    [false, ["radio"], true],
  );
  assert.equal((await ask("GET", "/v1/catalog/radio")).statusCode, 404);
  assert.equal((await put("", { "if-match": '"of another time"' })).json().code, "precondition_failed");
  const done = (await put("")).json();
  assert.deepEqual([done.applied, done.items], [true, tried.items]);
  assert.equal((await ask("GET", "/v1/catalog/mms")).statusCode, 404);
  assert.equal((await ask("GET", "/v1/catalog/radio")).statusCode, 200);
});

test("a file with a problem is refused whole, with all its places; one that is no YAML with its line", async () => {
  const wrong = await ask("PUT", "/v1/catalog.yaml", "catalog: 1\nitems: { a: {}, b: { kind: x } }", {
    "content-type": "text/yaml",
  });
  assert.equal(wrong.statusCode, 400);
  assert.ok(wrong.json().errors.length > 4);
  const broken = await ask("PUT", "/v1/catalog.yaml", "a: [", { "content-type": "application/yaml" });
  assert.equal(broken.json().code, "catalog_malformed");
  const large = await ask("PUT", "/v1/catalog.yaml", `# ${"x".repeat(1_100_000)}`, {
    "content-type": "application/yaml",
  });
  assert.equal(large.statusCode, 413);
  assert.equal((await ask("GET", "/v1/catalog/radio")).statusCode, 200);
});

test("terms are put in every language at once, and change by their ETag", async () => {
  assert.equal((await ask("PUT", "/v1/terms/new", { en: "It costs.", de: "Es kostet." })).json().version, 1);
  assert.equal((await ask("PUT", "/v1/terms/new", { en: "More." })).json().code, "precondition_required");
  const more = await ask("PUT", "/v1/terms/new", { en: "More." }, { "if-match": '"1"' });
  assert.deepEqual([more.json().version, more.json().texts], [2, { en: "More." }]);
  assert.equal(
    (await ask("PUT", "/v1/terms/new", { en: "X." }, { "if-match": '"1"' })).json().code,
    "precondition_failed",
  );
  assert.equal((await ask("PUT", "/v1/terms/other", { de: "Nur deutsch" })).json().errors[0].at, "body/en");
  assert.equal((await ask("GET", "/v1/terms/new")).headers.etag, '"2"');
});

test("octets go in and out under their hash, and no JSON passes for them", async () => {
  const octets = Buffer.from([0, 1, 2, 255, 13, 10]);
  const sha256 = createHash("sha256").update(octets).digest("hex");
  const url = `/v1/catalog/content/${sha256}`;
  const put = await ask("PUT", url, octets, { "content-type": "application/octet-stream" });
  assert.deepEqual(put.json(), { sha256, octets: 6, isNew: true });
  const got = await ask("GET", url);
  assert.deepEqual(got.rawPayload, octets);
  const json = await ask("PUT", url, { a: 1 });
  assert.equal(json.json().code, "media_type_unsupported");
  assert.equal(
    (await ask("PUT", "/v1/catalog/content/xyz", octets, { "content-type": "application/octet-stream" }))
      .statusCode,
    400,
  );
  assert.equal((await ask("GET", `/v1/catalog/content/${"0".repeat(64)}`)).json().code, "content_not_found");
  const large = await ask("PUT", url, Buffer.alloc(4_194_305), {
    "content-type": "application/octet-stream",
  });
  assert.equal(large.statusCode, 413);
});

test("care and representatives read and do not write; another operator sees nothing", async () => {
  for (const role of ["care", "representative"] as const) {
    const headers = bearer(OPERATOR_A, role);
    assert.equal((await server.inject({ url: "/v1/catalog", headers })).statusCode, 200);
    const put = await server.inject({ method: "PUT", url: "/v1/catalog/x", headers, payload: feature });
    assert.equal(put.json().code, "role_not_allowed");
  }
  const theirs = await server.inject({ url: "/v1/catalog", headers: bearer(OPERATOR_B, "engineer") });
  assert.deepEqual(theirs.json().rows, []);
  assert.equal((await server.inject({ url: "/v1/terms", headers: READER })).statusCode, 200);
});

test("with a subscriber each item says what their device is without of what it needs, and null where nothing is known (R78)", async () => {
  const requires = { hardware: ["camera"] };
  for (const [id, item] of Object.entries({ zoom: { ...feature, requires }, plain: feature }))
    assert.equal((await ask("PUT", `/v1/catalog/${id}`, item)).statusCode, 200);
  const lacks = async (query: string): Promise<Record<string, string | null | undefined>> => {
    const answer = await ask("GET", `/v1/catalog?subscriber=${query}`);
    assert.equal(answer.statusCode, 200, answer.body);
    const items: { id: string; lacks?: string | null }[] = answer.json().rows;
    return Object.fromEntries(items.map((item) => [item.id, item.lacks]));
  };
  const { zoom, plain } = await lacks(`%2B${MSISDN}`);
  assert.deepEqual([zoom, plain], ["camera", null]);
  const all: object[] = (await ask("GET", "/v1/catalog")).json().rows;
  assert.ok(all.length > 0 && all.every((item) => !("lacks" in item)), "nobody was named");
  const nobody = await ask("GET", "/v1/catalog?subscriber=%2B4915100000000");
  assert.deepEqual([nobody.statusCode, nobody.json().code], [404, "subscriber_not_found"]);
  const malformed = await ask("GET", "/v1/catalog?subscriber=%2B0123456789");
  assert.deepEqual([malformed.statusCode, malformed.json().code], [400, "msisdn_malformed"]);
});
