/** The road from a device through the proxy to a provisioning server, over real sockets (US 6,647,260 claims 20, 26, 33-42). */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, test } from "vitest";
import {
  ask,
  IMEI,
  IMSI,
  MSISDN,
  OTHER_IMEI,
  openParties,
  type Parties,
  PROXY_ID,
  screenIn,
  screenOf,
} from "../../../test/fixture/parties.ts";
import type { LandHandler } from "../../http/land/handler.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import { TurnupError } from "../../term/error.ts";
import { AIR_HEADERS, DEVICE_PATHS, LAND_HEADERS } from "../../wire/message/legs.ts";

const FORM = "application/x-www-form-urlencoded";
const MODULE = randomBytes(300_000);
const LONG_TERMS = Array.from({ length: 30 }, (_, at) => `Clause ${at}. ${"Words of the terms. ".repeat(8)}`);
const GATEWAY: GatewayRule = {
  name: "wap-1",
  addresses: ["127.0.0.1"],
  bearer: "gsm",
  msisdnHeader: "x-wap-network-client-msisdn",
  imsiHeader: null,
  deviceIdHeader: "x-imei",
};

let road: Parties;
let handler: LandHandler;
beforeEach(async () => {
  handler = async () => ({ kind: "screen", status: 200, screen: screenOf("https://127.0.0.1:1") });
  road = await openParties({
    handler: (identity, request) => handler(identity, request),
    proxy: {
      gatewayDoor: { host: "127.0.0.1", port: 0 },
      gateways: [GATEWAY],
      limits: { retryPauseMs: 1, timeoutMs: 4_000, inFlight: 2, waiting: 2 },
    },
  });
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
});
afterEach(() => road.close());

const start = (headers: Record<string, string> = {}) =>
  road.air(road.start(), { pair: road.factory, headers });
const gateway = (headers: Record<string, string | string[]>, path = road.start()) =>
  ask(new URL(path, road.proxy.gatewayUrl), {
    headers: { accept: "application/vnd.turnup.screen+json", ...headers },
  });
const lastReason = (): string | undefined => road.records.at(-1)?.reason;

test("a request arrives with the identity of its account, and its screen comes back leading through the proxy", async () => {
  handler = async () => ({ kind: "screen", status: 200, screen: screenOf(road.otherLand.url) });
  const answer = await start({ "accept-language": "en-GB", [AIR_HEADERS.bearer]: "cdma" });
  assert.equal(answer.status, 200, answer.body.toString());
  assert.deepEqual(road.received.at(-1)?.identity, {
    imei: IMEI,
    imsi: IMSI,
    msisdn: MSISDN,
    assurance: "cert",
    bearer: "cdma",
    airOctets: null,
    capability: null,
    proxy: PROXY_ID,
    language: "en-GB",
  });
  const screen = screenIn(answer);
  assert.equal(screen.entries[0]?.href, DEVICE_PATHS.through(road.server, "/d/packages"));
  assert.equal(screen.entries[1]?.href, DEVICE_PATHS.through(road.otherServer, "/d/services"));
  assert.equal(screen.form?.action, DEVICE_PATHS.through(road.server, DEVICE_PATHS.requests));
  assert.equal(screen.actions[0]?.href, "https://operator.example/help");
  assert.match(String(answer.headers["turnup-channel"]), /^wideband; rule=not_a_notice/);
});

test("two entries of one list lead to two servers, and both requests arrive at the right one (R6)", async () => {
  for (const server of [road.server, road.otherServer]) {
    const answer = await road.air(DEVICE_PATHS.through(server, "/d/services?page=2"), { pair: road.factory });
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(
    road.received.map(({ request }) => [request.path, request.query.get("page")]),
    [
      ["/d/services", "2"],
      ["/d/services", "2"],
    ],
  );
});

test("what a device says of its own identity goes no further: a spoofed phone number is ignored", async () => {
  const answer = await start({
    "x-wap-network-client-msisdn": "447700900999",
    msisdn: "447700900999",
    [LAND_HEADERS.msisdn]: "447700900999",
    [LAND_HEADERS.imei]: OTHER_IMEI,
    [LAND_HEADERS.assurance]: "aka",
  });
  assert.equal(answer.status, 200);
  const { identity } = road.received.at(-1)!;
  assert.deepEqual([identity.msisdn, identity.imei, identity.assurance], [MSISDN, IMEI, "cert"]);
});

test("a device ID that is not the account's is refused at the proxy, and nothing reaches a server (R10)", async () => {
  assert.equal((await start({ [AIR_HEADERS.deviceId]: OTHER_IMEI })).status, 403);
  assert.equal(lastReason(), "device_mismatch");
  assert.equal((await start({ [AIR_HEADERS.deviceId]: IMEI })).status, 200);
  const unknown = await road.certificates.factoryPair(OTHER_IMEI);
  assert.equal((await road.air(road.start(), { pair: unknown })).status, 403);
  assert.equal(lastReason(), "device_unknown");
  assert.equal(road.received.length, 1);
});

test("every refusal looks the same to the device, and leaves one record", async () => {
  const unknown = await road.certificates.factoryPair(OTHER_IMEI);
  const answers = [
    await start({ [AIR_HEADERS.deviceId]: OTHER_IMEI }),
    await road.air(road.start(), { pair: unknown }),
    await road.air(DEVICE_PATHS.through("127.0.0.1:9", DEVICE_PATHS.start), { pair: road.factory }),
    await start({ [AIR_HEADERS.session]: "x.y" }),
    await road.air(road.start()),
  ];
  assert.equal(new Set(answers.map(({ status, body }) => `${status} ${body.toString()}`)).size, 1);
  assert.deepEqual(
    road.records.map(({ leg, reason }) => `${leg} ${reason}`),
    [
      "air device_mismatch",
      "air device_unknown",
      "land server_unknown",
      "air session_unknown",
      "air no_certificate",
    ],
  );
});

test("what somebody writes into an address in a server's place is not written down", async () => {
  await road.air(DEVICE_PATHS.through(MSISDN, DEVICE_PATHS.start), { pair: road.factory });
  assert.equal(road.records.at(-1)?.server, "unknown");
  assert.doesNotMatch(JSON.stringify(road.records), new RegExp(`${IMEI}|${MSISDN}`));
});

test("what is between proxy and server alone is no device's business, nor is any address that climbs", async () => {
  for (const path of [
    DEVICE_PATHS.authentications,
    DEVICE_PATHS.enrolments,
    "/d/../v1/orders",
    "/d/%2e%2e/x",
    "/v1/orders",
    "/d//x",
  ]) {
    const { status } = await road
      .air(`/r/${encodeURIComponent(road.server)}${path}`, {
        method: "POST",
        pair: road.factory,
        body: "{}",
        headers: { "content-type": "application/json" },
      })
      .catch(() => ({ status: 403 }));
    assert.ok([403, 404].includes(status), path);
  }
  assert.deepEqual(road.received, []);
});

test("the air session's token is bound to the device's certificate and to the air leg", async () => {
  const token = String((await start()).headers[AIR_HEADERS.session]);
  const again = await start({ [AIR_HEADERS.session]: token });
  assert.equal(again.status, 200);
  assert.equal(again.headers[AIR_HEADERS.session], undefined);
  await road.proxy.keepAccounts([{ deviceId: OTHER_IMEI, imsi: null, msisdn: null }]);
  const other = await road.certificates.factoryPair(OTHER_IMEI);
  const stolen = await road.air(road.start(), { pair: other, headers: { [AIR_HEADERS.session]: token } });
  assert.equal(stolen.status, 403);
  assert.equal(lastReason(), "session_unknown");
});

test("a form in the charset of an old phone arrives in UTF-8, and names and values stay", async () => {
  await road.air(DEVICE_PATHS.through(road.server, DEVICE_PATHS.requests), {
    method: "POST",
    pair: road.factory,
    headers: { "content-type": `${FORM}; charset=Shift_JIS`, [AIR_HEADERS.idempotencyKey]: "k-1" },
    body: "familyName=%93%63%92%86&note=a%26b+c",
  });
  const { request } = road.received.at(-1)!;
  assert.equal(request.contentType, FORM);
  assert.equal(request.idempotencyKey, "k-1");
  const form = new URLSearchParams(Buffer.from(request.body).toString());
  assert.deepEqual([form.get("familyName"), form.get("note")], ["田中", "a&b c"]);
});

test("forms that are none are refused before they are sent on", async () => {
  const post = (type: string, body: string) =>
    road.air(DEVICE_PATHS.through(road.server, DEVICE_PATHS.requests), {
      method: "POST",
      pair: road.factory,
      headers: { "content-type": type },
      body,
    });
  assert.equal((await post(FORM, "a=%zz")).status, 400);
  assert.equal((await post(`${FORM}; charset=utf-8`, "a=%ff")).status, 400);
  assert.equal((await post(`${FORM}; charset=klingon`, "a=1")).status, 415);
  assert.equal((await post("text/plain", "a=1")).status, 415);
  assert.equal((await post(FORM, "a=".padEnd(70_000, "x"))).status, 413);
  assert.deepEqual(road.received, []);
});

test("content passes unchanged, at the device's pace", async () => {
  handler = async () => ({
    kind: "content",
    status: 200,
    contentType: "application/vnd.turnup.content",
    body: MODULE,
  });
  const answer = await road.air(DEVICE_PATHS.through(road.server, "/d/orders/AB12CD34/items/x/content"), {
    pair: road.factory,
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], "application/vnd.turnup.content");
  assert.deepEqual(answer.body, MODULE);
  for (let turn = 0; turn < 6; turn++)
    assert.equal((await start()).status, 200, "each place at the server is free again");
});

const MARKUPS: readonly [string, string, RegExp][] = [
  ["text/vnd.wap.wml", "text/vnd.wap.wml", /<wml /],
  ["application/vnd.wap.wmlc", "application/vnd.wap.wmlc", /[\s\S]/],
  ["text/html", "text/html", /<html/i],
  ["text/x-hdml", "text/x-hdml", /<hdml/i],
];
for (const [accept, type, pattern] of MARKUPS) {
  test(`a device that takes ${accept} is shown that, with addresses through the proxy`, async () => {
    const answer = await start({ accept });
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers["content-type"]), new RegExp(`^${type}`));
    const text = answer.body.toString("latin1");
    assert.match(text, pattern);
    assert.ok(text.includes("/r/127.0.0.1"));
  });
}

test("a device is never sent what it cannot draw", async () => {
  const answer = await start({ accept: "image/png" });
  assert.equal(answer.status, 406);
  const known = await start({ accept: "*/*", [AIR_HEADERS.capability]: "markups=wml; screen=16x4" });
  assert.match(String(known.headers["content-type"]), /wml/);
});

test("long terms come in decks of a phone's size; further pages are asked for at their address, or kept where a form was the question", async () => {
  handler = async () => ({
    kind: "screen",
    status: 200,
    screen: { ...screenOf("https://127.0.0.1:1"), text: LONG_TERMS },
  });
  const headers = { accept: "text/vnd.wap.wml" };
  const first = (await start(headers)).body.toString();
  const next = /href="([^"]*turnup-page=1)"/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
  assert.match(next, /^\/r\/.*turnup-page=1$/);
  const second = await road.air(next, { pair: road.factory, headers });
  assert.equal(second.status, 200);
  assert.equal(road.received.length, 2);
  assert.equal(road.received.at(-1)?.request.query.get("turnup-page"), null);

  const posted = await road.air(DEVICE_PATHS.through(road.server, DEVICE_PATHS.requests), {
    method: "POST",
    pair: road.factory,
    headers: { ...headers, "content-type": FORM },
    body: "a=1",
  });
  const kept = /href="(\/p\/[^"]*turnup-page=1)"/.exec(posted.body.toString())?.[1] ?? "";
  assert.notEqual(kept, "");
  assert.equal((await road.air(kept, { pair: road.factory, headers })).status, 200);
  assert.equal(road.received.length, 3, "a kept page is asked of nobody");
  await road.proxy.keepAccounts([{ deviceId: OTHER_IMEI, imsi: null, msisdn: null }]);
  const other = await road.certificates.factoryPair(OTHER_IMEI);
  assert.equal(
    (await road.air(kept, { pair: other, headers })).status,
    404,
    "another device's page is nobody's",
  );
});

test("a screen that would send what a user enters to a server that nobody proved is not shown", async () => {
  const screen = screenOf("https://127.0.0.1:1");
  handler = async () => ({
    kind: "screen",
    status: 200,
    screen: { ...screen, form: { ...screen.form!, action: "https://thief.example/d/requests" } },
  });
  const answer = await start();
  assert.equal(answer.status, 503);
  assert.ok(!answer.body.includes("thief"));
});

test("an error of the server reaches the device as a plain screen, with its code for a client module", async () => {
  handler = async () => {
    throw new TurnupError("order_not_found", "There is no such order.");
  };
  const answer = await start();
  assert.equal(answer.status, 404);
  assert.equal(answer.headers["turnup-error"], "order_not_found");
  assert.equal(screenIn(answer).text[0], "There is no such order.");
  handler = async () => {
    throw new Error("select secret from somewhere");
  };
  const fault = await start();
  assert.equal(fault.status, 503);
  assert.ok(!fault.body.includes("secret"));
});

// ---- an operator's own gateway

test("an operator's gateway vouches for the line by its agreed header, and the assurance says so", async () => {
  const answer = await gateway({ "x-wap-network-client-msisdn": "+44 7700 900123", "x-imei": IMEI });
  assert.equal(answer.status, 200);
  const { identity } = road.received.at(-1)!;
  assert.deepEqual(
    [identity.imei, identity.msisdn, identity.assurance, identity.bearer],
    [IMEI, MSISDN, "network", "gsm"],
  );
});

const GATEWAY_REFUSALS: readonly [string, Record<string, string | string[]>, string][] = [
  ["no header at all", {}, "no_certificate"],
  ["another header than the agreed one", { "x-msisdn": MSISDN }, "no_certificate"],
  [
    "two lines of the agreed header that differ",
    { "x-wap-network-client-msisdn": [MSISDN, "447700900999"] },
    "identity_conflict",
  ],
  [
    "two numbers in one line",
    { "x-wap-network-client-msisdn": `${MSISDN}, 447700900999` },
    "identity_conflict",
  ],
  [
    "a second header of another number",
    { "x-wap-network-client-msisdn": MSISDN, "x-up-calling-line-id": "447700900999" },
    "identity_conflict",
  ],
  ["no number in the header", { "x-wap-network-client-msisdn": "none" }, "identity_conflict"],
  ["a number without an account", { "x-wap-network-client-msisdn": "447700900999" }, "device_unknown"],
  [
    "another device than the account's",
    { "x-wap-network-client-msisdn": MSISDN, "x-imei": OTHER_IMEI },
    "device_mismatch",
  ],
];
for (const [name, headers, reason] of GATEWAY_REFUSALS) {
  test(`gateway: ${name} is refused`, async () => {
    assert.equal((await gateway(headers)).status, 403);
    assert.equal(lastReason(), reason);
    assert.deepEqual(road.received, []);
  });
}

test("from an address that is no gateway's the same headers are worth nothing", async () => {
  await road.restartProxy({ gateways: [{ ...GATEWAY, addresses: ["10.9.8.7"] }] });
  assert.equal((await gateway({ "x-wap-network-client-msisdn": MSISDN, "x-imei": IMEI })).status, 403);
  assert.equal(lastReason(), "not_a_gateway");
  assert.deepEqual(road.received, []);
});

test("the gateway's door has no enrolment: a key is not issued over plain HTTP", async () => {
  assert.equal(
    (await gateway({ "x-wap-network-client-msisdn": MSISDN }, "/.well-known/est/cacerts")).status,
    404,
  );
});

// ---- limits

test("five failures of one device lock it out, a right request too, and another device is not touched", async () => {
  for (let turn = 0; turn < 5; turn++) await start({ [AIR_HEADERS.deviceId]: OTHER_IMEI });
  assert.equal((await start()).status, 403);
  assert.equal(lastReason(), "locked_out");
  assert.deepEqual(road.received, []);
  await road.proxy.keepAccounts([{ deviceId: OTHER_IMEI, imsi: null, msisdn: null }]);
  const other = await road.certificates.factoryPair(OTHER_IMEI);
  assert.equal((await road.air(road.start(), { pair: other })).status, 200);
});

test("fifty failures behind an address hold back whoever has no certificate there, and nobody who has one", async () => {
  for (let turn = 0; turn < 50; turn++) assert.equal((await road.air(road.start())).status, 403);
  assert.equal(lastReason(), "no_certificate");
  assert.equal((await road.air(road.start())).status, 403);
  assert.equal(lastReason(), "locked_out");
  assert.equal((await start()).status, 200, "a good phone behind the same address translation");
});

test("more requests than a server is sent at once wait, and what is more than may wait is turned away", async () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  handler = async () => {
    await released;
    return { kind: "screen", status: 200, screen: screenOf("https://127.0.0.1:1") };
  };
  const running = Array.from({ length: 7 }, () => start());
  // Two are at the server, two wait, three are turned away while the others still stand.
  const turnedAway: number[] = [];
  await Promise.all(
    running.map((one) =>
      one.then(({ status }) => {
        if (status === 503) turnedAway.push(status);
        if (turnedAway.length === 3) release();
      }),
    ),
  );
  const statuses = (await Promise.all(running)).map(({ status }) => status).toSorted();
  assert.deepEqual(statuses, [200, 200, 200, 200, 503, 503, 503]);
});

test("a server that has lost the session proves itself again, and the request is not lost", async () => {
  assert.equal((await start()).status, 200);
  const sessionKey = road.certificates.land.sessionKey;
  sessionKey.fill(7); // every token that it gave out is unknown to it now
  const answer = await road.air(DEVICE_PATHS.through(road.server, DEVICE_PATHS.requests), {
    method: "POST",
    pair: road.factory,
    headers: { "content-type": FORM },
    body: "a=1",
  });
  assert.equal(answer.status, 200);
  assert.equal(road.received.length, 2);
  assert.ok(road.refusals.some(({ cause }) => cause === "session_refused"));
});

test("a server that is away: the device is told to try later, and nothing is kept of its request", async () => {
  await road.land.close();
  const answer = await start();
  assert.equal(answer.status, 503);
  assert.equal(screenIn(answer).id, "unavailable");
  assert.equal(lastReason(), "server_unreachable");
  assert.equal(
    (await road.air(DEVICE_PATHS.through(road.otherServer, DEVICE_PATHS.start), { pair: road.factory }))
      .status,
    200,
  );
});

// ---- a bearer without packet data

const ON_TDMA = { [AIR_HEADERS.bearer]: "tdma" };
const LONG_LIST = {
  ...screenOf("https://127.0.0.1:1"),
  text: LONG_TERMS.slice(0, 12),
};
const TDMA_OCTETS = 1_816;

for (const [accept, type, rule] of [
  ["text/html", "text/html; charset=us-ascii", "narrow_form"],
  ["text/html, text/vnd.wap.wml", "text/vnd.wap.wml; charset=utf-8", "narrow_form"],
  ["application/vnd.wap.wmlc", "application/vnd.wap.wmlc", "no_wideband"],
  ["application/vnd.turnup.screen+json", "application/vnd.turnup.screen+json", "no_wideband"],
] as const) {
  test(`R30, R31: a page too large for TDMA goes to a device that draws ${accept} in a form that fits, page by page`, async () => {
    handler = async () => ({ kind: "screen", status: 200, screen: LONG_LIST });
    const first = await start({ ...ON_TDMA, accept });
    assert.equal(first.status, 200);
    assert.equal(first.headers["content-type"], type);
    assert.equal(road.received.at(-1)?.identity.airOctets, TDMA_OCTETS, "the server hears what fits");
    const told = String(first.headers["turnup-channel"]);
    assert.match(
      told,
      new RegExp(`^narrowband; rule=${rule}; octets=${first.body.length}; parts=[1-8]; bearer=tdma`),
    );
    let pages = 0;
    for (; pages < 40; pages++) {
      const path = `${road.start()}?turnup-page=${pages}`;
      const page = await road.air(path, { pair: road.factory, headers: { ...ON_TDMA, accept } });
      assert.ok(page.body.length <= TDMA_OCTETS, `page ${pages} has ${page.body.length} octets`);
      if (!page.body.includes(`turnup-page=${pages + 1}`)) break;
    }
    assert.ok(pages >= 1 && pages < 40, `${pages + 1} pages`);
    const wide = await start({ accept });
    assert.match(String(wide.headers["turnup-channel"]), /^wideband; rule=not_a_notice/);
  });
}

test("R31: a device on TDMA that draws no small form of a page is refused, with the reason and a text that fits", async () => {
  handler = async () => ({ kind: "screen", status: 200, screen: LONG_LIST });
  const answer = await start({ ...ON_TDMA, accept: "application/voicexml+xml" });
  assert.equal(answer.status, 406);
  assert.equal(answer.headers["turnup-error"], "bearer_too_narrow");
  assert.match(String(answer.headers["turnup-channel"]), /rule=too_large_for_narrowband/);
  assert.ok(answer.body.length < 239, answer.body.toString());
});

test("R31: content too large for TDMA is not sent there, whatever the server says, and the device hears why", async () => {
  const content = { kind: "content", status: 200, contentType: "application/octet-stream" } as const;
  handler = async () => ({ ...content, body: MODULE.subarray(0, TDMA_OCTETS + 1) });
  const refused = await start(ON_TDMA);
  assert.equal(refused.status, 406);
  assert.equal(refused.headers["turnup-error"], "bearer_too_narrow");
  assert.match(
    String(refused.headers["turnup-channel"]),
    /^none; rule=too_large_for_narrowband; octets=1817/,
  );
  assert.equal(screenIn(refused).id, "too-large");
  handler = async () => ({ ...content, body: MODULE.subarray(0, TDMA_OCTETS) });
  const sent = await start(ON_TDMA);
  assert.deepEqual([sent.status, sent.body.length], [200, TDMA_OCTETS]);
  assert.match(String(sent.headers["turnup-channel"]), /^narrowband; rule=no_wideband; octets=1816; parts=8/);
});

test("R13, R125: a page is drawn for the display of the model, where the device itself says nothing of it", async () => {
  const screen = screenOf("https://127.0.0.1:1");
  const accept = "text/html, text/vnd.wap.wml";
  handler = async () => ({ kind: "screen", status: 200, screen, display: "screen=64x80px; class=pager" });
  assert.match(String((await start({ accept })).headers["content-type"]), /^text\/vnd\.wap\.wml/);
  const own = { accept, [AIR_HEADERS.capability]: "screen=320x480px" };
  assert.match(
    String((await start(own)).headers["content-type"]),
    /^text\/html/,
    "its own word counts first",
  );
  handler = async () => ({ kind: "screen", status: 200, screen });
  assert.match(String((await start({ accept })).headers["content-type"]), /^text\/html/);
});
