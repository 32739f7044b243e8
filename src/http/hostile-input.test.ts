/** Input that cannot be meant is refused with its code, and costs little. */
import assert from "node:assert/strict";
import type { InjectOptions } from "fastify";
import { test } from "vitest";
import { bearer, IMEI, IMSI, OPERATOR_A, ORDER_ID, openFixture } from "../../test/fixture/http.ts";

const ADMIN = bearer(OPERATOR_A, "admin");
const fixture = await openFixture();
const { server } = fixture;
const JSON_TYPE = { "content-type": "application/json" };
const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
const hostile: {
  name: string;
  request: InjectOptions;
  status: number;
  code: string;
}[] = [
  {
    name: "JSON cut short",
    request: { method: "POST", url: "/v1/orders", headers: JSON_TYPE, payload: '{"imei":' },
    status: 400,
    code: "body_malformed",
  },
  {
    name: "an empty JSON body",
    request: { method: "POST", url: "/v1/orders", headers: JSON_TYPE, payload: "" },
    status: 400,
    code: "body_malformed",
  },
  {
    name: "no body at all",
    request: { method: "POST", url: "/v1/orders" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "__proto__ as a member",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: JSON_TYPE,
      payload: '{"__proto__":{"role":"admin"},"imei":"1","imsi":"2"}',
    },
    status: 400,
    code: "body_malformed",
  },
  {
    name: "constructor.prototype as a member",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: JSON_TYPE,
      payload: '{"constructor":{"prototype":{"a":1}},"imei":"1","imsi":"2"}',
    },
    status: 400,
    code: "body_malformed",
  },
  {
    name: "JSON 50,000 deep",
    request: { method: "POST", url: "/v1/orders", headers: JSON_TYPE, payload: deep },
    status: 413,
    code: "body_too_large",
  },
  {
    name: "JSON 5,000 deep",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: JSON_TYPE,
      payload: `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
    },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a body past the limit",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: JSON_TYPE,
      payload: JSON.stringify({ imei: "1".repeat(300_000) }),
    },
    status: 413,
    code: "body_too_large",
  },
  {
    name: "sightings past their limit",
    request: {
      method: "POST",
      url: "/v1/sightings",
      headers: JSON_TYPE,
      payload: JSON.stringify([{ imei: "1".repeat(9_000_000) }]),
    },
    status: 413,
    code: "body_too_large",
  },
  {
    name: "a media type nobody reads",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: { "content-type": "application/xml" },
      payload: "<a/>",
    },
    status: 415,
    code: "media_type_unsupported",
  },
  {
    name: "CSV where only JSON is read",
    request: {
      method: "POST",
      url: "/v1/orders",
      headers: { "content-type": "text/csv" },
      payload: "imei\n1",
    },
    status: 415,
    code: "media_type_unsupported",
  },
  {
    name: "plain text",
    request: {
      method: "POST",
      url: "/v1/sightings",
      headers: { "content-type": "text/plain" },
      payload: "x",
    },
    status: 415,
    code: "media_type_unsupported",
  },
  {
    name: "a number where a text is wanted",
    request: { method: "POST", url: "/v1/orders", payload: { imei: 356938035643809, imsi: IMSI } },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "null where an object is wanted",
    request: { method: "POST", url: "/v1/orders", headers: JSON_TYPE, payload: "null" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "an unknown member",
    request: { method: "POST", url: "/v1/orders", payload: { imei: IMEI, imsi: IMSI, role: "admin" } },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a null character",
    request: { method: "POST", url: "/v1/tokens", payload: { role: "probe", label: "a\u0000b" } },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a line feed in a label",
    request: { method: "POST", url: "/v1/tokens", payload: { role: "probe", label: "a\nb" } },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "an IMEI with a wrong check digit",
    request: { method: "POST", url: "/v1/orders", payload: { imei: "356938035643808", imsi: IMSI } },
    status: 400,
    code: "imei_check_digit",
  },
  {
    name: "an IMSI with letters",
    request: { method: "POST", url: "/v1/orders", payload: { imei: IMEI, imsi: "26201x" } },
    status: 400,
    code: "imsi_malformed",
  },
  { name: "a negative limit", request: { url: "/v1/orders?limit=-1" }, status: 400, code: "invalid_request" },
  {
    name: "a limit above 1,000",
    request: { url: "/v1/orders?limit=1001" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a limit that is no number",
    request: { url: "/v1/orders?limit=ten" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a day that its month lacks",
    request: { url: "/v1/orders?createdFrom=2026-02-30T00:00:00Z" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a leap second",
    request: { url: "/v1/orders?createdTo=2016-12-31T23:59:60Z" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a limit twice",
    request: { url: "/v1/orders?limit=1&limit=2" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a cursor that is no id",
    request: { url: "/v1/orders?cursor=abc" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a cursor with SQL",
    request: { url: `/v1/orders?cursor=${encodeURIComponent("' or 1=1 --")}` },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a state with SQL",
    request: { url: `/v1/messages?state=${encodeURIComponent("failed' or '1'='1")}` },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "an unknown filter",
    request: { url: "/v1/orders?stat=waiting" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "__proto__ in the query",
    request: { url: "/v1/orders?__proto__=1" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a time without a zone",
    request: { url: "/v1/orders?createdFrom=2026-01-01T00:00:00" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a day that is none",
    request: { url: "/v1/orders?createdFrom=2026-02-31T00:00:00Z" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "an id that is none",
    request: { url: "/v1/orders/1%20or%201=1" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a null character in the path",
    request: { url: "/v1/relations/a%00b" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a path that is no URL",
    request: { url: "/v1/relations/%E0%A4%A" },
    status: 400,
    code: "invalid_request",
  },
  {
    name: "a path parameter past its limit",
    request: { url: `/v1/relations/${"a".repeat(300)}` },
    status: 400,
    code: "invalid_request",
  },
];

for (const { name, request, status, code } of hostile) {
  test(`hostile input: ${name} answers ${status} ${code}`, async () => {
    const headers = { ...ADMIN, "idempotency-key": `hostile-${name.length}`, ...request.headers };
    const answer = await server.inject({ ...request, headers });
    assert.equal(answer.statusCode, status, answer.body);
    assert.equal(answer.json().code, code, answer.body);
    assert.equal(answer.headers["content-type"], "application/problem+json; charset=utf-8");
  });
}

test("a problem never repeats the number that it is about", async () => {
  const answer = await server.inject({ url: `/v1/orders?imsi=${IMSI}9999&${IMSI}=1`, headers: ADMIN });
  assert.equal(answer.statusCode, 400);
  assert.ok(!answer.body.includes(IMSI), answer.body);
});

test("where no body is wanted, a media type beside none does no harm, and a body of it is still looked at", async () => {
  const fresh = await openFixture();
  const resend = (key: string, payload?: string) =>
    fresh.server.inject({
      method: "POST",
      url: `/v1/orders/${ORDER_ID}/resend`,
      headers: { ...bearer(OPERATOR_A, "care"), ...JSON_TYPE, "idempotency-key": key },
      ...(payload !== undefined && { payload }),
    });
  assert.equal((await resend("k1")).statusCode, 202);
  assert.equal((await resend("k2", "")).statusCode, 202);
  assert.equal((await resend("k3", "{")).json().code, "body_malformed");
  await fresh.server.close();
});
