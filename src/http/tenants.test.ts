/** Every route, knocked at without a token, with another role, and for another operator's things. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "vitest";
import {
  bearer,
  IMEI,
  keyBatchOf,
  OPERATOR_A,
  OPERATOR_B,
  ORDER_ID,
  openFixture,
  RELATION,
  THING_ID,
} from "../../test/fixture/http.ts";
import { CONTENT, CONTENT_SHA256 } from "../../test/fixture/memory-catalog.ts";
import { MSISDN, REFERENCE } from "../../test/fixture/memory-request.ts";
import { ROLES, type Role } from "../kernel/account/role.ts";
import { DEFAULT_POLICY } from "../kernel/operator/policy.ts";
import { createMeasures } from "./measures.ts";
import type { Route } from "./route.ts";
import { routesOf } from "./routes.ts";

const ROUTES = routesOf({ measures: createMeasures(), description: () => ({}) });
const CLOSED = ROUTES.filter((route) => route.roles !== "open");

/** What operator A's own things are called, so that a foreign token asks for something that exists. */
const PARAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/v1/sessions/:id": { id: THING_ID },
  "/v1/orders/:id": { id: ORDER_ID },
  "/v1/orders/:id/resend": { id: ORDER_ID },
  "/v1/orders/:id/cancel": { id: ORDER_ID },
  "/v1/access-points/:id": { id: THING_ID },
  "/v1/wireless-networks/:id": { id: THING_ID },
  "/v1/devices/doubts/:id/end": { id: THING_ID },
  "/v1/models/:name": { name: "ours" },
  "/v1/overrides/:id": { id: THING_ID },
  "/v1/tokens/:id": { id: "" }, // an id of A's token, filled in below
  "/v1/relations/:make": { make: "Nokia" },
  "/v1/key-batches/:batchId": { batchId: "nokia-1" },
  "/v1/creditors/:make": { make: "Nokia" },
  "/v1/payment-batches/:id": { id: THING_ID },
  "/v1/payment-batches/:id/file": { id: THING_ID },
  "/v1/payment-batches/:id/release": { id: THING_ID },
  "/v1/collections/:id/booking": { id: THING_ID },
  "/v1/collection-returns/:id/settlement": { id: THING_ID },
  "/v1/payment-transfers/:id/advice": { id: THING_ID },
  "/v1/payment-transfers/:id/cancel": { id: THING_ID },
  "/v1/disputes/:id/decision": { id: THING_ID },
  "/v1/jobs/:id": { id: THING_ID },
  "/v1/datasets/:id/restore": { id: THING_ID },
  "/v1/jobs/:id/rows": { id: THING_ID },
  "/v1/jobs/:id/rows.csv": { id: THING_ID },
  "/v1/jobs/:id/cancel": { id: THING_ID },
  "/v1/approvals/:id": { id: THING_ID },
  "/v1/sim-locks/:imsi": { imsi: "262019876543210" },
  "/v1/equipment-lists/:id": { id: THING_ID },
  "/v1/equipment-lists/:id/entries": { id: THING_ID },
  "/v1/equipment-lists/:id/entries.csv": { id: THING_ID },
  "/v1/equipment-lists/:id/imports": { id: THING_ID },
  "/v1/equipment-lists/:id/versions": { id: THING_ID },
  "/v1/equipment-lists/:id/restore": { id: THING_ID },
  "/v1/policy/versions/:version": { version: "0" },
  "/v1/devices/:imei": { imei: IMEI },
  "/v1/catalog/:id": { id: "mms" },
  "/v1/catalog/content/:sha256": { sha256: CONTENT_SHA256 },
  "/v1/terms/:id": { id: "mail-terms" },
  "/v1/requests/:id": { id: REFERENCE },
  "/v1/reviews/:id": { id: REFERENCE },
  "/v1/requests/:id/terms": { id: REFERENCE },
  "/v1/requests/:id/items/:itemId/fields": { id: REFERENCE, itemId: THING_ID },
  "/v1/requests/:id/items/:itemId/choice": { id: REFERENCE, itemId: THING_ID },
  "/v1/requests/:id/details": { id: REFERENCE },
  "/v1/partner/requests/:id/details": { id: REFERENCE },
  "/v1/subscriber-records/:number": { number: MSISDN },
  "/v1/proxy-accounts/:imei": { imei: IMEI },
  "/v1/subscribers/:number/services": { number: MSISDN },
  "/v1/subscribers/:number/billing-account": { number: MSISDN },
  "/v1/subscribers/:number/telephone-pin": { number: MSISDN },
  "/v1/subscribers/:number/erase": { number: MSISDN },
  "/v1/subscribers/:number/data": { number: MSISDN },
  "/v1/partner/requests/:id": { id: REFERENCE },
  "/v1/partner/requests/:id/items/:itemId/fields": { id: REFERENCE, itemId: THING_ID },
  "/v1/care/standings/:id": { id: THING_ID },
  "/v1/care/standings/:id/link": { id: THING_ID },
  "/v1/care/subscribers/:number": { number: MSISDN },
  "/v1/care/subscribers/:number/link": { number: MSISDN },
};
const QUERIES: Readonly<Record<string, string>> = {
  "/v1/events/stream": "?after=start&seconds=0",
  "/v1/data-sessions": `?number=${encodeURIComponent(MSISDN)}`,
  "/v1/settings/find": "?mcc=262&mnc=01",
  "/v1/access-points/file": "?format=apns-conf",
  "/v1/reports/retained-counts": "?kind=sightings",
};
const { make: _make, feeMinor: _fee, ...agreed } = RELATION;
/** Of a bank, as octets: an entry that is no transfer of ours. */
const CAMT =
  '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>1</MsgId></GrpHdr>' +
  "</BkToCstmrDbtCdtNtfctn></Document>";
/** A form with a file. */
const FORM =
  '--form\r\ncontent-disposition: form-data; name="kind"\r\n\r\ntac\r\n--form\r\n' +
  'content-disposition: form-data; name="file"; filename="tac.csv"\r\n\r\ntac,make,model\r\n--form--\r\n';
const LIST_FORM =
  '--form\r\ncontent-disposition: form-data; name="file"; filename="tacs.csv"\r\n\r\n35010210\r\n--form--\r\n';
const HANDSETS = "device\r\n35693803564380\r\n";
const BODIES: Readonly<Record<string, unknown>> = {
  "POST /v1/sightings": { imei: IMEI, imsi: "262019876543210" },
  "POST /v1/orders": { imei: IMEI, imsi: "262019876543210" },
  "POST /v1/messages": { to: "+491701234567", text: "hello" },
  "POST /v1/access-points/test": { imsi: "262019876543210" },
  "POST /v1/access-points/confirmations": { network: "262-01", accessPoints: [{ id: "set-1" }] },
  "POST /v1/messages/decode": { content: "030b6a004501" },
  "POST /v1/devices/said": { said: [{ imei: IMEI, source: "apple_product", value: "iPhone14,2" }] },
  "POST /v1/devices/unknown/proposals": {
    rows: [{ tac: "86999901", make: "Samsung", model: "Galaxy A54" }],
    reason: "seen in the shop",
  },
  "POST /v1/devices/doubts/:id/end": { reason: "Seen in the shop." },
  "POST /v1/confirmations": {
    confirmations: [{ imsi: "262019876543210", apn: "internet", source: "radius" }],
  },
  "POST /v1/symptoms": {
    symptoms: [
      {
        imei: "352013071234568",
        application: "mms",
        server: "mms.maker.example",
        cause: "no_route",
        source: "gateway",
      },
    ],
  },
  "POST /v1/data-sessions/disconnect": { number: MSISDN, reason: "It is in a machine that is not its own." },
  "POST /v1/data-sessions/change": { number: MSISDN, reason: "Out of volume.", filterId: "slow" },
  "POST /v1/arrivals": {
    arrivals: [
      {
        arrivalId: "a1",
        keyId: "0".repeat(32),
        at: "2026-03-01T12:00:00Z",
        apn: "a.b",
        proof: "A".repeat(22),
      },
    ],
  },
  "POST /v1/key-batches": keyBatchOf(Date.parse("2026-03-01T12:00:00Z")),
  "PUT /v1/policy": DEFAULT_POLICY,
  "PATCH /v1/policy": { resendLimit: 4 },
  "POST /v1/policy/diff": { resendLimit: 4 },
  "POST /v1/policy/rollback": { version: 0 },
  "POST /v1/policy/replays": { since: "2026-03-01" },
  "PUT /v1/relations/:make": { ...agreed, feeMinor: 120 },
  "POST /v1/access-points": {
    name: "n",
    uses: ["internet"],
    apn: "internet",
    criteria: { mcc: "262", mnc: "01" },
  },
  "POST /v1/wireless-networks": { name: "n", ssid: "n", security: "open" },
  "PUT /v1/models/:name": { models: [{ make: "Acme", name: "One" }] },
  "PUT /v1/overrides": { scope: "tac", key: "35693803", body: { verdict: "ended" }, why: "because" },
  "PUT /v1/catalog.yaml": { catalog: 1, items: {} },
  "PUT /v1/catalog/:id": { kind: "feature", name: { en: "MMS" }, description: { en: "Pictures" } },
  "PUT /v1/catalog/content/:sha256": CONTENT,
  "PUT /v1/terms/:id": { en: "It costs." },
  "POST /v1/requests": { subscriber: { msisdn: MSISDN }, selection: ["mms"] },
  "PUT /v1/subscribers/:number/billing-account": { accountNumber: "C-4711" },
  "PUT /v1/subscribers/:number/telephone-pin": { pin: "2580" },
  "POST /v1/subscribers/:number/erase": {},
  "POST /v1/reviews/:id": { outcome: "approved", reason: "seen" },
  "POST /v1/requests/:id/terms": { answer: "accept" },
  "POST /v1/requests/:id/items/:itemId/fields": { fields: { mailbox: "ada" } },
  "POST /v1/requests/:id/items/:itemId/choice": { choice: "retransmit" },
  "POST /v1/partner/requests": { subscriber: { msisdn: MSISDN }, selection: ["mms"], assurance: "otp" },
  "POST /v1/partner/requests/:id/items/:itemId/fields": { fields: { mailbox: "ada" } },
  "POST /v1/partner/requests/:id/details": { user: { givenName: "Ada" } },
  "POST /v1/requests/:id/details": { user: { givenName: "Ada" } },
  "POST /v1/subscriber-records": { records: [{ msisdn: MSISDN, user: { familyName: "Lovelace" } }] },
  "PUT /v1/subscriber-records": {
    records: [{ msisdn: MSISDN, user: { familyName: "Lovelace" } }],
    confirmRemoved: 9,
  },
  "PUT /v1/subscriber-records/:number": { user: { familyName: "Lovelace" } },
  "PUT /v1/proxy-accounts/:imei": { blocked: true },
  "POST /v1/enrolments": { msisdn: MSISDN },
  "POST /v1/offers": { itemId: "mms", to: [{ msisdn: MSISDN }] },
  "PUT /v1/creditors/:make": { name: "Nokia Oyj", iban: "FI21 1234 5600 0007 85" },
  "PUT /v1/payer": { name: "Telco", iban: "DE89 3704 0044 0532 0130 00" },
  "POST /v1/payment-batches": {},
  "POST /v1/payment-transfers/:id/cancel": { reason: "the file was lost" },
  "POST /v1/bank-files": CAMT,
  "POST /v1/payment-batches/:id/release": { outcome: "approved", reason: "looked at" },
  "POST /v1/collections/:id/booking": { outcome: "taken", reason: "asked by telephone" },
  "POST /v1/collection-returns/:id/settlement": { reason: "none of ours" },
  "POST /v1/disputes": { postingId: THING_ID, reason: "wrong sum" },
  "POST /v1/disputes/:id/decision": { outcome: "kept", reason: "it is right" },
  "POST /v1/maker/disputes": { postingId: THING_ID, reason: "wrong sum" },
  "POST /v1/imports": FORM,
  "POST /v1/policy/comparisons": LIST_FORM,
  "POST /v1/equipment-lists": { name: "stolen", status: "black", priority: 1, reason: "stolen" },
  "PATCH /v1/equipment-lists/:id": { priority: 2 },
  "POST /v1/equipment-lists/:id/entries": { add: [{ device: "35693803564380" }], reason: "reported" },
  "POST /v1/equipment-lists/:id/imports": HANDSETS,
  "POST /v1/equipment-lists/:id/restore": { version: 0, reason: "the new one is wrong" },
  "POST /v1/sim-locks": { imsis: ["262019876543210"], action: "arm", reason: "a meter" },
  "POST /v1/equipment-checks": { imei: "35693803564380" },
  "PUT /v1/equipment-switch": { answersBlack: false, reason: "all are refused" },
  "POST /v1/datasets/:id/restore": { reason: "the new one is wrong" },
  "POST /v1/jobs/:id/cancel": { reason: "not needed any more" },
  "POST /v1/approvals/:id": { outcome: "approved", reason: "looked at" },
  "POST /v1/care/look-ups": { number: MSISDN },
  "POST /v1/tokens": { role: "probe", label: "radius" },
};

/** What is there for every operator: a number's own meaning, the policy as it ships. */
const IS_FOR_ALL = ["/v1/devices/:imei", "/v1/policy/versions/:version"];

/** What the caller names itself, and so makes or changes as its own. */
const MAKES_ITS_OWN = [
  "PUT /v1/relations/:make",
  "PUT /v1/models/:name",
  "PUT /v1/creditors/:make",
  "PUT /v1/catalog/:id",
  "PUT /v1/proxy-accounts/:imei",
  "PUT /v1/catalog/content/:sha256",
  "PUT /v1/terms/:id",
];

function mediaTypeOf(body: unknown): Record<string, string> {
  if (body === FORM || body === LIST_FORM) return { "content-type": "multipart/form-data; boundary=form" };
  if (body === HANDSETS) return { "content-type": "text/csv" };
  if (body === FORM) return { "content-type": "multipart/form-data; boundary=form" };
  if (Buffer.isBuffer(body)) return { "content-type": "application/octet-stream" };
  return typeof body === "string" ? { "content-type": "application/xml" } : {};
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const fixture = await openFixture();
const tokenIdOfA =
  [...fixture.records.values()].find(({ operatorId }) => operatorId === OPERATOR_A)?.id ?? "";

function requestTo(route: Route, headers: Record<string, string>) {
  const params = PARAMS[route.path] ?? {};
  const url = route.path.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(params[name] || tokenIdOfA),
  );
  const body = BODIES[nameOf(route)];
  return fixture.server.inject({
    method: route.method,
    url: url + (QUERIES[route.path] ?? ""),
    headers: { ...headers, ...mediaTypeOf(body), "idempotency-key": `key-${randomUUID()}`, "if-match": "*" },
    ...(body !== undefined && { payload: body as object }),
  });
}

test("every route with a path parameter names a thing of operator A here, so that none escapes these tests", () => {
  const unnamed = CLOSED.filter(({ path }) => path.includes(":") && !(path in PARAMS)).map(nameOf);
  assert.deepEqual(unnamed, []);
  const bodiless = CLOSED.filter((route) => route.body && !(nameOf(route) in BODIES)).map(nameOf);
  assert.deepEqual(bodiless, []);
});

test("only health, measures, the page behind a link, the door of managed devices and a sign-in link answer without a token", () => {
  const open = ROUTES.filter((route) => route.roles === "open").map(nameOf);
  const pages = ["GET /s/:token", "POST /s/:token", "GET /s/:token/profile", "GET /s/:token/removal"];
  const devices = "POST /dm/:token";
  assert.deepEqual(open, [
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    ...pages,
    devices,
    "POST /v1/sessions/by-link",
  ]);
});

for (const route of CLOSED) {
  const roles = route.roles as readonly Role[];
  const [role] = roles as readonly [Role];

  test(`${nameOf(route)} answers 401 without a token and with one that nobody gave out`, async () => {
    fixture.nowMs += 60_000; // refused tokens are counted by the minute, and there are many doors
    const none = await requestTo(route, {});
    assert.equal(none.statusCode, 401);
    assert.equal(none.json().code, "token_missing");
    assert.match(String(none.headers["www-authenticate"]), /^Bearer/);
    const unknown = await requestTo(route, { authorization: `Bearer tup_${"A".repeat(43)}` });
    assert.equal(unknown.json().code, "token_unknown");
  });

  test(`${nameOf(route)} answers 403 to every role that it does not name`, async () => {
    for (const other of ROLES.filter((one) => !roles.includes(one))) {
      const answer = await requestTo(route, bearer(OPERATOR_A, other));
      assert.equal(answer.statusCode, 403, other);
      assert.equal(answer.json().code, "role_not_allowed");
    }
  });

  test(`${nameOf(route)} shows and changes nothing of another operator`, async () => {
    const before = fixture.calls.length;
    const answer = await requestTo(route, bearer(OPERATOR_B, role));
    const isJson = /json/.test(String(answer.headers["content-type"]));
    const body = isJson ? answer.json() : {};
    if (route.path in PARAMS && !IS_FOR_ALL.includes(route.path) && !MAKES_ITS_OWN.includes(nameOf(route))) {
      assert.equal(answer.statusCode, 404, answer.body);
      assert.match(body.code, /_not_found$/);
    } else {
      // What was agreed with the maker of the body is operator A's, and so is the number of the body.
      const isForeign = ["relation_not_found", "subscriber_not_found"].includes(body.code);
      assert.ok(answer.statusCode < 300 || answer.statusCode === 412 || isForeign, answer.body);
      const isOwnSession = route.path === "/v1/sessions"; // the token of B opened one a moment ago
      for (const rows of [
        isOwnSession ? [] : body.rows,
        body.accessPoints,
        body.relations,
        body.balances,
        body.pairings,
        body.proxies,
        body.sessions,
        Array.isArray(body.terms) ? body.terms : [],
      ]) {
        assert.deepEqual(rows ?? [], []);
      }
    }
    assert.ok(fixture.calls.slice(before).every(({ operatorId }) => operatorId === OPERATOR_B));
    assert.ok(!answer.body.includes("hunter2"));
  });

  test(`${nameOf(route)} answers its own operator`, async () => {
    const fresh = await openFixture();
    try {
      const params = PARAMS[route.path] ?? {};
      const spare = [...fresh.records.values()].find(
        (one) => one.operatorId === OPERATOR_A && one.role !== role,
      );
      const url = route.path.replace(/:(\w+)/g, (_, name: string) => params[name] || (spare?.id ?? ""));
      const body = BODIES[nameOf(route)];
      const answer = await fresh.server.inject({
        method: route.method,
        url: url + (QUERIES[route.path] ?? ""),
        headers: {
          ...bearer(OPERATOR_A, role),
          ...mediaTypeOf(body),
          "idempotency-key": "k",
          "if-match": "*",
        },
        ...(body !== undefined && { payload: body as object }),
      });
      assert.equal(answer.statusCode, route.status, answer.body);
    } finally {
      await fresh.server.close();
    }
  });
}
