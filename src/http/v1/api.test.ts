/** The API's routes one by one, over stores in memory. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  bearer,
  IMEI,
  IMSI,
  OPERATOR_A,
  ORDER_ID,
  openFixture,
  SECRET_PASSWORD,
  STORY,
  THING_ID,
} from "../../../test/fixture/http.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { hexOf } from "../../wire/hex.ts";

const ADMIN = bearer(OPERATOR_A, "admin");
const CARE = bearer(OPERATOR_A, "care");
const PROBE = bearer(OPERATOR_A, "probe");
const fixture = await openFixture();
const { server, calls } = fixture;
const lastCall = (name: string) => calls.filter((call) => call.name === name).at(-1)?.input as never;

const sight = (payload: unknown, query = "", type = "application/json") =>
  server.inject({
    method: "POST",
    url: `/v1/sightings${query}`,
    headers: { ...PROBE, "content-type": type },
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  });
const row = { imei: IMEI, imsi: IMSI };

test("sightings come alone, as a list, or with the source that they share", async () => {
  for (const [payload, rows, source] of [
    [row, 1, "api"],
    [[row, row], 2, "api"],
    [{ sightings: [row, row, row], source: "radius" }, 3, "radius"],
  ] as const) {
    const answer = await sight(payload);
    assert.equal(answer.statusCode, 200);
    assert.deepEqual([answer.json().accepted, answer.json().refused, answer.json().orders], [rows, 0, rows]);
    const { sightings, source: given } = lastCall("intake.accept") as {
      sightings: unknown[];
      source: string;
    };
    assert.equal(sightings.length, rows);
    assert.equal(given, source);
  }
});

test("a bad row is refused in its place with its reason while the rest goes on", async () => {
  const answer = await sight([
    row,
    { imei: 356938035643809, imsi: IMSI },
    null,
    "x",
    { imsi: IMSI },
    { ...row, spn: "a\0" },
    row,
  ]);
  assert.equal(answer.statusCode, 200);
  const { accepted, refused, results } = answer.json();
  assert.deepEqual([accepted, refused], [2, 5]);
  assert.deepEqual(
    results.map(({ outcome, code }: { outcome: string; code?: string }) => code ?? outcome),
    [
      "first_registration",
      "sighting_malformed",
      "sighting_malformed",
      "sighting_malformed",
      "imei_malformed",
      "sighting_malformed",
      "first_registration",
    ],
  );
  assert.match(results[1].reason, /imei must be a JSON string/);
});

test("10,000 sightings are taken, one more is refused whole, and a summary leaves the rows out", async () => {
  const many = await sight(
    Array.from({ length: 10_000 }, () => row),
    "?summary=true",
  );
  assert.deepEqual(many.json(), { accepted: 10_000, refused: 0, orders: 10_000 });
  const before = calls.length;
  const tooMany = await sight(Array.from({ length: 10_001 }, () => row));
  assert.equal(tooMany.statusCode, 413);
  assert.equal(tooMany.json().code, "batch_too_large");
  const tooManyLines = await sight(`imei,imsi\n${`${IMEI},${IMSI}\n`.repeat(10_001)}`, "", "text/csv");
  assert.equal(tooManyLines.json().code, "batch_too_large");
  assert.equal(calls.length, before, "nothing reached the intake");
});

test("CSV is read by its header, quoted or not, with or without BOM and carriage returns", async () => {
  for (const csv of [
    `imei,imsi,spn\n${IMEI},${IMSI},Telco\n`,
    `\uFEFFIMSI,SPN,IMEI\r\n${IMSI},Telco,${IMEI}\r\n\r\n`,
    `imsi,imei,spn\n"${IMSI}","${IMEI}","Telco"`,
  ]) {
    const answer = await sight(csv, "", "text/csv");
    assert.equal(answer.json().accepted, 1, answer.body);
    const { sightings, source } = lastCall("intake.accept") as { sightings: unknown[]; source: string };
    assert.deepEqual(
      sightings.map((one) => ({ ...(one as object) })),
      [{ imei: IMEI, imsi: IMSI, spn: "Telco" }],
    );
    assert.equal(source, "csv");
  }
});

test("a CSV line of another width is refused in its place; an unknown or doubled column refuses the file", async () => {
  const lines = await sight(`imei,imsi\n${IMEI}\n${IMEI},${IMSI}\n${IMEI},${IMSI},x\n`, "", "text/csv");
  assert.deepEqual([lines.json().accepted, lines.json().refused], [1, 2]);
  for (const csv of ["imei,imzi\n1,2\n", "imei,imei\n1,2\n", "", "\n\n", `"imei","imsi\n1,2`]) {
    const answer = await sight(csv, "", "text/csv");
    assert.equal(answer.statusCode, 400, csv);
    assert.match(answer.json().code, /invalid_request|body_malformed/);
  }
});

test("an envelope of another shape is refused with the place", async () => {
  for (const [payload, at] of [
    [{ sightings: {} }, "body/sightings"],
    [{ sightings: [], source: "telepathy" }, "body/source"],
    [{ sightings: [], extra: 1 }, "body/extra"],
    ["7", "body"],
  ] as const) {
    const answer = await sight(payload);
    assert.equal(answer.statusCode, 400);
    assert.equal(answer.json().errors[0].at, at);
  }
});

test("an order's filters arrive as given, numbers in their checked form; the next page has a link", async () => {
  const answer = await server.inject({
    url: `/v1/orders?limit=1&state=waiting&imsi=${IMSI}&imei=35-693803-564380-9&msisdn=%2B491701234567&createdFrom=2026-01-01T00:00:00Z`,
    headers: CARE,
  });
  assert.equal(answer.statusCode, 200, answer.body);
  assert.deepEqual(lastCall("orders.listOrders"), {
    filter: {
      state: "waiting",
      imsi: IMSI,
      imei: IMEI,
      msisdn: "491701234567",
      createdFrom: "2026-01-01T00:00:00Z",
    },
    page: { limit: 1, cursor: undefined, sort: "created", order: "desc", total: undefined },
  });
  assert.equal(answer.json().nextCursor, ORDER_ID);
  const next = /^<(.+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
  assert.ok(next?.includes(`cursor=${ORDER_ID}`) && next.includes("state=waiting"));
  assert.equal((await server.inject({ url: next as string, headers: CARE })).statusCode, 200);
});

test("the story shows the message octet by octet to an administrator", async () => {
  const [message] = (await server.inject({ url: `/v1/orders/${ORDER_ID}`, headers: ADMIN })).json().messages;
  const payload = STORY.messages[0]?.payload as Uint8Array;
  assert.equal(message.content.hex, hexOf(payload));
  assert.equal(message.content.parts.map(({ data }: { data: string }) => data).join(""), hexOf(payload));
  assert.deepEqual(
    message.content.parts.map(({ header }: { header: { destPort: number } }) => header.destPort),
    message.content.parts.map(() => 2948),
  );
  const [body] = message.content.bodies;
  assert.equal(body.sec, "netwpin");
  assert.match(body.mac, /^[0-9A-F]{40}$/i);
  assert.ok(body.xml.includes(`name="AUTHSECRET" value="${SECRET_PASSWORD}"`));
  assert.equal(message.content.problem, null);
});

test("the story hides from everyone else the password, the MAC and the octets that hold them", async () => {
  const answer = await server.inject({ url: `/v1/orders/${ORDER_ID}`, headers: CARE });
  const [message] = answer.json().messages;
  assert.ok(!answer.body.includes(SECRET_PASSWORD));
  assert.ok(!answer.body.includes(Buffer.from(SECRET_PASSWORD).toString("hex")));
  assert.equal(message.content.hex, null);
  assert.deepEqual(
    new Set(message.content.parts.map(({ data }: { data: unknown }) => data)),
    new Set([null]),
  );
  const [body] = message.content.bodies;
  assert.equal(body.mac, "***");
  assert.ok(body.xml.includes('name="AUTHSECRET" value="***"'));
  assert.ok(body.xml.includes('value="internet.telco"'));
  assert.equal(message.content.wsp.params.MAC, "***");
});

test("money is written as whole minor units, beyond what a float can hold", async () => {
  const answer = await server.inject({ url: "/v1/charges", headers: ADMIN });
  assert.ok(answer.body.includes('"feeMinor":9007199254740993,'), answer.body);
});

test("an order by hand is opened with checked numbers and leaves an audit row with who did it", async () => {
  const answer = await server.inject({
    method: "POST",
    url: "/v1/orders",
    headers: { ...CARE, "idempotency-key": `imsi-${IMSI}` },
    payload: { imei: IMEI, imsi: IMSI, msisdn: "+49 170 1234567" },
  });
  assert.equal(answer.statusCode, 202);
  assert.deepEqual(answer.json(), { orderId: ORDER_ID, created: true });
  const request = lastCall("orderDesk.open") as { msisdn: string; idempotencyKey: string };
  assert.equal(request.msisdn, "491701234567");
  assert.ok(!request.idempotencyKey.includes(IMSI), "a key can hold a number: only its hash goes further");
  assert.deepEqual(fixture.audit.at(-1), {
    operatorId: OPERATOR_A,
    actor: "care-token",
    action: "order.open",
    subject: ORDER_ID,
  });
});

test("texts go out one or many, each under its own key", async () => {
  const send = (payload: object) =>
    server.inject({
      method: "POST",
      url: "/v1/messages",
      headers: { ...ADMIN, "idempotency-key": "k" },
      payload,
    });
  assert.equal((await send({ to: "+491701234567", text: "hello" })).statusCode, 202);
  const one = lastCall("texts.send") as { to: string; idempotencyKey: string }[];
  assert.deepEqual([one.length, one[0]?.to], [1, "491701234567"]);
  const many = await send({
    messages: Array.from({ length: 1_000 }, () => ({ to: "+491701234567", text: "x" })),
  });
  assert.equal(many.json().messages.length, 1_000);
  const keys = (lastCall("texts.send") as { idempotencyKey: string }[]).map(
    ({ idempotencyKey }) => idempotencyKey,
  );
  assert.equal(new Set(keys).size, 1_000);
  assert.equal((await send({ messages: [] })).statusCode, 400);
  const tooMany = { messages: Array.from({ length: 1_001 }, () => ({ to: "+491701234567", text: "x" })) };
  assert.equal((await send(tooMany)).statusCode, 400);
});

test("a manufacturer's arrivals carry the key's id as we keep it, and the proof in octets", async () => {
  const answer = await server.inject({
    method: "POST",
    url: "/v1/arrivals",
    headers: bearer(OPERATOR_A, "maker"),
    payload: {
      arrivals: [
        {
          arrivalId: "a-1",
          keyId: "0190000000007000800000000000abcd",
          at: "2026-03-01T12:00:00Z",
          apn: "maker.example",
          proof: Buffer.alloc(16, 7).toString("base64"),
        },
      ],
    },
  });
  assert.deepEqual(answer.json(), { accepted: 1, repeated: 0, refused: [], unknown: [] });
  const [arrival] = lastCall("confirmations.accept") as {
    keyId: string;
    proof: Uint8Array;
    source: string;
  }[];
  assert.equal(arrival?.keyId, "01900000-0000-7000-8000-00000000abcd");
  assert.deepEqual([...(arrival?.proof ?? [])], new Array(16).fill(7));
});

test("the policy is changed only from the version that was read, and each change is a new version", async () => {
  const put = (headers: Record<string, string>, body: object = { ...DEFAULT_POLICY, resendLimit: 5 }) =>
    server.inject({ method: "PUT", url: "/v1/policy", headers: { ...ADMIN, ...headers }, payload: body });
  const first = await server.inject({ url: "/v1/policy", headers: ADMIN });
  assert.deepEqual([first.headers.etag, first.json().body], ['"0"', { ...DEFAULT_POLICY }]);
  assert.equal((await put({})).json().code, "precondition_required");
  assert.equal((await put({ "if-match": '"7"' })).json().code, "precondition_failed");
  const changed = await put({ "if-match": '"0"' });
  assert.deepEqual(
    [changed.statusCode, changed.headers.etag, changed.json().body.resendLimit],
    [200, '"1"', 5],
  );
  assert.equal((await put({ "if-match": '"0"' })).statusCode, 412);
  const wrong = await put(
    { "if-match": '"1"' },
    { ...DEFAULT_POLICY, texts: { pinNotice: "no pin", link: "{link}" } },
  );
  assert.deepEqual([wrong.statusCode, wrong.json().errors[0].at], [400, "body/texts/pinNotice"]);
  const { resendLimit: _, ...lacking } = DEFAULT_POLICY;
  assert.equal((await put({ "if-match": '"1"' }, lacking)).statusCode, 400);
});

test("a client of release 0.1.0 puts the policy without the members that it does not know: they stay as they are", async () => {
  const read = async () => (await server.inject({ url: "/v1/policy", headers: ADMIN })).json();
  const put = (version: number, payload: object) =>
    server.inject({
      method: "PUT",
      url: "/v1/policy",
      headers: { ...ADMIN, "if-match": `"${version}"` },
      payload,
    });
  const before = await read();
  const limited = {
    ...before.body,
    unknownBearer: "lte",
    marketRules: { AT: { doneAt: "delivered" } },
    smsLimits: { ...before.body.smsLimits, perDay: 500 },
    payments: { secondPerson: true, approvalHours: 5 },
    retention: { sightings: 13, events: null, audit: null, messages: null, people: null },
    request: { ...before.body.request, collection: { ...before.body.request.collection, retries: 9 } },
  };
  assert.equal((await put(before.version, limited)).statusCode, 200);
  const { unknownBearer: _u, bearers: _b, marketRules: _m, ...others } = limited;
  const { smsLimits: _s, payments: _p, retention: _r, ...older } = others;
  const { ownRecords: _o, collection: _c, ...olderRequest } = limited.request;
  const changed = await put(before.version + 1, { ...older, resendLimit: 7, request: olderRequest });
  assert.equal(changed.statusCode, 200, changed.body);
  assert.deepEqual((await read()).body, { ...limited, resendLimit: 7 });
  const part = await put(before.version + 2, { ...before.body, smsLimits: { perSecond: 5 } });
  assert.deepEqual(part.json().body.smsLimits, { ...limited.smsLimits, perSecond: 5 });
  for (const [smsLimits, at] of [
    [{ costMicrosPerDay: 5 }, "body/smsLimits/prices"],
    [{ prices: { currency: "EUR", perPart: { "49": 1 } } }, "body/smsLimits/prices/perPart/default"],
    [{ prices: { currency: "EUR", perPart: { default: 1, "+49": 1 } } }, "body/smsLimits/prices/perPart/+49"],
  ] as const) {
    const refused = await put(before.version + 3, { ...before.body, smsLimits });
    assert.deepEqual([refused.statusCode, refused.json().errors?.[0]?.at], [400, at]);
  }
  const unknown = await put(before.version + 3, { ...before.body, smsLimits: { perWeek: 5 } });
  assert.equal(unknown.statusCode, 400);
  assert.equal((await put(before.version + 3, before.body)).statusCode, 200);
});

test("how long data is kept is an admin's word: an engineer leaves it as it is, and nobody keeps less than other work needs", async () => {
  const { version, body } = (await server.inject({ url: "/v1/policy", headers: ADMIN })).json();
  const put = (who: object, retention: object | undefined) =>
    server.inject({
      method: "PUT",
      url: "/v1/policy",
      headers: { ...who, "if-match": `"${version}"` },
      payload: { ...body, retention },
    });
  const engineer = bearer(OPERATOR_A, "engineer");
  const refused = await put(engineer, { sightings: 13 });
  assert.equal(refused.statusCode, 403, refused.body);
  assert.equal(refused.json().code, "role_not_allowed");
  const short = await put(ADMIN, { audit: 3 });
  assert.equal(short.statusCode, 400, short.body);
  const set = await put(ADMIN, { sightings: 13 });
  assert.deepEqual(
    set.json().body?.retention,
    { sightings: 13, events: null, audit: null, messages: null, people: null },
    set.body,
  );
});

test("a policy that would leave subscribers no way to say no, or no such time zone, is refused", async () => {
  const { version } = (await server.inject({ url: "/v1/policy", headers: ADMIN })).json();
  const put = (body: object) =>
    server.inject({
      method: "PUT",
      url: "/v1/policy",
      headers: { ...ADMIN, "if-match": `"${version}"` },
      payload: body,
    });
  const { request } = DEFAULT_POLICY;
  const night = {
    from: "21:00",
    to: "08:00",
    timeZone: "Europe/Berlin",
    timeZones: { "234": "Europe/London" },
  };
  for (const [body, at] of [
    [{ request: { ...request, acceptWords: ["no"] } }, "body/request/acceptWords and declineWords"],
    [
      { request: { ...request, acceptWords: ["sure"], declineWords: ["Sure"] } },
      "body/request/acceptWords and declineWords",
    ],
    [{ quietHours: { ...night, timeZone: "Europe/Atlantis" } }, "body/quietHours"],
    [{ quietHours: { ...night, timeZones: { "234": "London" } } }, "body/quietHours"],
    [{ quietHours: { ...night, to: "21:00" } }, "body/quietHours/to"],
    [{ quietHours: { ...night, from: "24:00" } }, "body/quietHours/from"],
  ] as const) {
    const answer = await put({ ...DEFAULT_POLICY, ...body });
    assert.deepEqual([answer.statusCode, answer.json().errors?.[0]?.at], [400, at], JSON.stringify(body));
  }
  const good = await put({
    ...DEFAULT_POLICY,
    quietHours: night,
    request: { ...request, acceptWords: ["sure"], declineWords: ["nada"] },
  });
  assert.deepEqual([good.statusCode, good.json().body.quietHours], [200, night]);
});

test("a relation is changed only as it was read where If-Match says so; its password is an administrator's", async () => {
  const url = "/v1/relations/nokia";
  const seen = await server.inject({ url, headers: ADMIN });
  assert.equal(seen.json().accessPoints[0].password, "hunter2hunter2");
  assert.equal((await server.inject({ url, headers: CARE })).json().accessPoints[0].password, "***");
  const { make: _, ...terms } = seen.json();
  const put = (etag: string, portionBasisPoints: number) =>
    server.inject({
      method: "PUT",
      url,
      headers: { ...ADMIN, "if-match": etag },
      payload: { ...terms, portionBasisPoints },
    });
  assert.equal((await put('"stale"', 1)).statusCode, 412);
  const changed = await put(String(seen.headers.etag), 4_000);
  assert.deepEqual([changed.statusCode, changed.json().portionBasisPoints], [200, 4_000]);
  assert.equal((await put(String(seen.headers.etag), 5_000)).statusCode, 412);
  const plain = await server.inject({
    method: "PUT",
    url,
    headers: ADMIN,
    payload: { ...terms, keyServer: "http://a" },
  });
  assert.equal(plain.statusCode, 400, "a key server without TLS");
});

test("a token is shown once: a repeat gets the same answer without it", async () => {
  const make = () =>
    server.inject({
      method: "POST",
      url: "/v1/tokens",
      headers: { ...ADMIN, "idempotency-key": "t-1" },
      payload: { role: "probe", label: "radius", expiresAt: "2030-01-01T00:00:00Z" },
    });
  const first = await make();
  assert.equal(first.statusCode, 201);
  assert.match(first.json().token, /^tup_[A-Za-z0-9_-]{43}$/);
  const used = await server.inject({
    method: "POST",
    url: "/v1/sightings",
    headers: { authorization: `bearer ${first.json().token}` },
    payload: row,
  });
  assert.equal(used.statusCode, 200);
  const again = await make();
  assert.deepEqual([again.json().id, again.json().token], [first.json().id, null]);
  const late = await server.inject({
    method: "POST",
    url: "/v1/tokens",
    headers: { ...ADMIN, "idempotency-key": "t-2" },
    payload: { role: "probe", label: "radius", expiresAt: "2020-01-01T00:00:00Z" },
  });
  assert.equal(late.json().errors[0].at, "body/expiresAt");
});

test("an access point is added under the id of its request, and its password is never shown back", async () => {
  const add = (payload: object) =>
    server.inject({
      method: "POST",
      url: "/v1/access-points",
      headers: { ...ADMIN, "idempotency-key": "ap" },
      payload,
    });
  const answer = await add({
    name: "Telco MMS",
    uses: ["mms"],
    apn: "mms.telco",
    authType: "pap",
    password: "hunter2hunter2",
    mmsc: "http://010.0.0.1/mms",
    mmsProxy: "010.010.010.011",
    mmsPort: 8080,
    criteria: { mcc: "262", mnc: "01" },
  });
  assert.equal(answer.statusCode, 201, answer.body);
  assert.equal(answer.json().password, "***");
  assert.deepEqual([answer.json().mmsc, answer.json().mmsProxy], ["http://10.0.0.1/mms", "10.10.10.11"]);
  const point = lastCall("accessPoints.add") as {
    id: string;
    password: string;
    confirmed: boolean;
    ownership: string;
  };
  assert.deepEqual(
    [point.id, point.password, point.confirmed, point.ownership],
    [answer.json().id, "hunter2hunter2", true, "operator"],
  );
});

test("an access point whose values no network or phone could hold is refused by the field, and none is added", async () => {
  const good = {
    name: "Telco",
    uses: ["internet"],
    apn: "internet.telco",
    criteria: { mcc: "262", mnc: "01" },
  };
  for (const [field, value] of [
    ["apn", "internet telco"],
    ["apn", "internet\u0001telco"],
    ["apn", "sgsn.telco"],
    ["apn", `${"a".repeat(64)}.telco`],
    ["apn", "tel\ud800co"],
    ["user", "gu\u0085est"],
    ["password", "half \udc00"],
    ["name", "Telco\uffff"],
  ] as const) {
    const answer = await server.inject({
      method: "POST",
      url: "/v1/access-points",
      headers: {
        ...ADMIN,
        "idempotency-key": `ap-${field}-${value.length}`,
        "content-type": "application/json",
      },
      payload: JSON.stringify({ ...good, [field]: value }), // half a pair as its escape
    });
    assert.equal(answer.statusCode, 400, `${field} ${JSON.stringify(value)}`);
    assert.equal(answer.json().errors[0].at, `body/${field}`);
  }
});

const NOT_ADDED: readonly (readonly [string, object, RegExp])[] = [
  ["an APN with a space", { apn: "bad apn" }, /body\/apn/],
  ["an APN that names a network node", { apn: "rac1.telco" }, /body\/apn/],
  ["a label longer than 63 octets", { apn: `${"a".repeat(64)}.telco` }, /body\/apn/],
  ["a control character", { name: "Net\u0007" }, /body\/name/],
  ["a port that is none", { port: 70_000 }, /body\/port/],
  ["MMS without its message centre", { uses: ["mms"] }, /body\/mmsc/],
  ["a message centre that is no URL", { uses: ["mms"], mmsc: "ftp://mms.telco" }, /body\/mmsc/],
  ["digits that are no address", { proxy: "10.0.0.300" }, /body\/proxy/],
  ["an authentication that nobody knows", { authType: "kerberos" }, /body\/authType/],
];
for (const [what, fault, at] of NOT_ADDED) {
  test(`an access point is not added with ${what}`, async () => {
    const before = fixture.calls.length;
    const answer = await server.inject({
      method: "POST",
      url: "/v1/access-points",
      headers: { ...ADMIN, "idempotency-key": "no" },
      payload: {
        ...{ name: "Net", uses: ["internet"], apn: "net.telco", criteria: { mcc: "262", mnc: "01" } },
        ...fault,
      },
    });
    assert.equal(answer.statusCode, 400, answer.body);
    assert.match(answer.body, at);
    assert.equal(fixture.calls.length, before);
  });
}

test("a suggestion is confirmed as an access point of the operator's own, under the id of the request", async () => {
  const confirm = (id: string) =>
    server.inject({
      method: "POST",
      url: "/v1/access-points/confirmations",
      headers: { ...ADMIN, "idempotency-key": `confirm-${id}` },
      payload: { network: "262-01", accessPoints: [{ id, uses: ["internet"] }] },
    });
  const shownTo = async (headers: typeof CARE) =>
    (await server.inject({ url: "/v1/access-points/suggestions", headers })).json().networks[0]
      .suggestions[0];
  assert.equal((await shownTo(CARE)).password, "***");
  assert.equal((await shownTo(ADMIN)).password, "hunter2hunter2");
  const answer = await confirm("set-1");
  assert.equal(answer.statusCode, 201, answer.body);
  const [point] = answer.json().accessPoints;
  assert.deepEqual([point.apn, point.confirmed, point.password], ["internet.telco", true, "***"]);
  assert.equal((lastCall("accessPoints.add") as { password: string }).password, "hunter2hunter2");
  assert.equal((await confirm("set-2")).json().code, "suggestion_not_found");
});

test("a SIM to be tested is named by one of IMSI, phone number and id", async () => {
  const tested = (payload: object) =>
    server.inject({ method: "POST", url: "/v1/access-points/test", headers: CARE, payload });
  assert.equal((await tested({ imsi: "262019876543210" })).statusCode, 200);
  assert.equal((await tested({})).json().code, "invalid_request");
  const both = await tested({ imsi: "262019876543210", msisdn: "+491701234567" });
  assert.equal(both.json().code, "invalid_request");
});

test("an override of one device goes by its checked IMEI, of a model by make/model in lower case", async () => {
  const put = (scope: string, key: string) =>
    server.inject({
      method: "PUT",
      url: "/v1/overrides",
      headers: ADMIN,
      payload: { scope, key, body: { verdict: "supported" }, why: "the maker said so" },
    });
  assert.equal((await put("imei", "356938035643808")).json().code, "imei_check_digit");
  assert.equal((await put("tac", "3569380")).json().code, "imei_malformed");
  assert.equal((await put("model", "Nokia")).json().code, "invalid_request");
  assert.equal((await put("model", "Nokia/6610")).statusCode, 200);
  assert.equal((lastCall("overrides.put") as { key: string }).key, "nokia/6610");
});

test("a device is described with its verdict, reasons and the SIMs that were in it, its number masked", async () => {
  const answer = await server.inject({ url: `/v1/devices/${IMEI}`, headers: CARE });
  const { imeiMasked, make, verdict, reasons, facts, pairings, deviceId } = answer.json();
  assert.deepEqual([imeiMasked, make, verdict, deviceId], ["35693803*******", "Nokia", "ended", THING_ID]);
  assert.deepEqual([reasons[0].rule, facts[0].source, pairings.length], ["maker_exit", "osmocom", 1]);
  assert.ok(!answer.body.includes(IMEI));
});
