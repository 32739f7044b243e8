/** The proxy's rules, one by one, without a socket: sessions, lock-out, channels, addresses (US 6,647,260 columns 4 to 8). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ASSURANCES } from "../kernel/catalog/catalog-item.ts";
import { parseImei } from "../term/imei.ts";
import { bearerProfiles, narrowbandOctets } from "../wire/message/bearer-profile.ts";
import { issueLegToken, openLegToken } from "../wire/message/leg-token.ts";
import { BEARERS, LEG_ASSURANCES } from "../wire/message/legs.ts";
import { deviceInNames, imeiInNames, imeiNameOf, proxyInNames } from "../wire/message/party-name.ts";
import type { Screen } from "../wire/screen/screen.ts";
import { answerLimit, decideChannel } from "./bearer.ts";
import { gatewayAt, identityFrom, plainAddress } from "./gateway-identity.ts";
import { createLockout } from "./lockout.ts";
import { paced, waitMs } from "./pace.ts";
import { serverNameOf, throughProxy } from "./servers.ts";
import { type AuditRecord, type LegsSession, openLegsSession, SESSION_STATES } from "./session.ts";

const BEARER_PROFILES = bearerProfiles();

type SessionStep = Parameters<LegsSession["step"]>[0];

const NOW = new Date("2026-01-02T03:04:05Z");
const STEPS: readonly SessionStep[] = ["server_verified", "device_verified", "identified", "request"];
const NOBODY = { fingerprint: null, address: "192.0.2.1", device: null, server: null };

test("a session comes to requesting by every step in order, and by no other way", () => {
  const session = openLegsSession(() => undefined);
  const seen = [session.state];
  for (const step of STEPS) {
    session.step(step);
    seen.push(session.state);
  }
  assert.deepEqual(seen, SESSION_STATES.slice(0, -1));
  session.step("request");
  assert.equal(session.state, "requesting");
  for (let done = 0; done < STEPS.length; done++) {
    const early = openLegsSession(() => undefined);
    for (const step of STEPS.slice(0, done)) early.step(step);
    for (const step of STEPS.filter((one) => one !== STEPS[done] && !(done === 4 && one === "request")))
      assert.throws(() => early.step(step), RangeError, `${step} after ${early.state}`);
  }
});

test("whatever ends a session ends it for good, with one record of leg, reason and how far it came", () => {
  for (let done = 0; done <= STEPS.length; done++) {
    const records: AuditRecord[] = [];
    const session = openLegsSession((record) => records.push(record));
    for (const step of STEPS.slice(0, done)) session.step(step);
    const { state } = session;
    session.terminate("land", "server_not_proved", NOBODY, NOW);
    session.terminate("air", "device_unknown", NOBODY, NOW);
    assert.deepEqual(records, [{ at: NOW, leg: "land", reason: "server_not_proved", ...NOBODY, state }]);
    for (const step of STEPS) assert.throws(() => session.step(step), RangeError);
  }
});

test("a device is locked out by its fifth failure in 15 minutes, an address by its fiftieth", () => {
  const lockout = createLockout();
  for (let count = 0; count < 4; count++) lockout.fail({ device: "a", address: "x" }, count);
  assert.equal(lockout.isLocked({ device: "a", address: "x" }, 10), false);
  lockout.fail({ device: "a", address: "y" }, 10);
  assert.equal(lockout.isLocked({ device: "a", address: "z" }, 11), true, "wherever it comes from");
  assert.equal(lockout.isLocked({ device: "b", address: "x" }, 11), false);
  assert.equal(lockout.isLocked({ device: "a", address: "x" }, 15 * 60_000), false, "the window is over");
  for (let count = 0; count < 50; count++) lockout.fail({ address: "net" }, 20);
  assert.equal(lockout.isLocked({ device: "c", address: "net" }, 21), true);
  assert.equal(lockout.isLocked({ device: "c", address: "other" }, 21), false);
  assert.equal(
    lockout.isLocked({ device: "c" }, 21),
    false,
    "who proved who he is answers for himself alone",
  );
});

test("lock-out remembers a bounded number of names, the oldest goes first", () => {
  const lockout = createLockout({ windowMs: 1_000, perDevice: 1, perAddress: 1, keysMax: 3 });
  for (const address of ["a", "b", "c", "d"]) lockout.fail({ address }, 0);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((address) => lockout.isLocked({ address }, 1)),
    [false, true, true, true],
  );
});

test("small notices go narrowband, all else wideband, and the rule is told (R31)", () => {
  const rule = (
    kind: "notice" | "screen" | "content",
    octets: number,
    bearer: (typeof BEARERS)[number] = "gsm",
  ) => {
    const decision = decideChannel({ kind, octets }, BEARER_PROFILES[bearer]);
    return `${decision.channel} ${decision.rule} ${decision.parts}`;
  };
  assert.equal(rule("notice", 140), "narrowband small_notice 1");
  assert.equal(rule("notice", 141), "narrowband small_notice 2");
  assert.equal(rule("notice", 384), "narrowband small_notice 3");
  assert.equal(rule("notice", 385), "wideband notice_too_long 4");
  assert.equal(rule("screen", 10), "wideband not_a_notice 1");
  assert.equal(rule("content", 10), "wideband not_a_notice 1");
  assert.equal(rule("content", 1_816, "tdma"), "narrowband no_wideband 8");
  assert.equal(rule("content", 1_817, "tdma"), "none too_large_for_narrowband 9");
});

test("an operator's own figures stand above the common ones, and decide what a bearer carries (R30)", () => {
  const own = bearerProfiles({ tdma: { partsMax: 2 }, cdpd: { channels: ["narrowband"], partOctets: 100 } });
  assert.equal(answerLimit(own.tdma), 2 * 227);
  assert.equal(own.tdma.rateBps, BEARER_PROFILES.tdma.rateBps, "what it does not name stands");
  assert.equal(narrowbandOctets(own.cdpd), 255 * 88);
  assert.equal(answerLimit(own.gsm), undefined);
  const { channel, rule } = decideChannel(
    { kind: "notice", octets: 10 },
    { ...own.gsm, channels: ["wideband"] },
  );
  assert.deepEqual([channel, rule], ["wideband", "no_narrowband"]);
});

test("content goes no faster than its bearer carries it, and a small answer is not held back (R30)", async () => {
  const cdpd = BEARER_PROFILES.cdpd; // 19,200 bit/s: 2,400 octets a second
  assert.equal(waitMs(cdpd, 2_400, 0), 0);
  assert.equal(waitMs(cdpd, 12_000, 0), 4_000);
  assert.equal(waitMs(cdpd, 12_000, 3_000), 1_000);
  let ms = 0;
  const clock = {
    monotonicMs: () => ms,
    pause: async (waited: number) => {
      ms += waited;
    },
  };
  const content = Uint8Array.from({ length: 12_000 }, (_, at) => at & 0xff);
  const pieces: Uint8Array[] = [];
  for await (const piece of paced(
    (async function* () {
      yield content.subarray(0, 5_000);
      yield content.subarray(5_000);
    })(),
    cdpd,
    clock,
  ))
    pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(content));
  assert.equal(ms, 4_000);
});

test("every bearer that the patent names has a profile (R30)", () => {
  for (const bearer of ["gsm", "cdma", "tdma", "cdpd", "pdc", "phs"]) assert.ok(bearer in BEARER_PROFILES);
  for (const bearer of BEARERS) assert.ok(narrowbandOctets(BEARER_PROFILES[bearer]) > 0);
});

test("the road and the kernel have one list of assurances", () => {
  assert.deepEqual([...LEG_ASSURANCES], [...ASSURANCES]);
});

// ---- names and tokens

test("a device's certificate names one IMEI in the form of RFC 7254, its check digit rebuilt", () => {
  const imei = parseImei("356938035643809");
  assert.equal(imeiNameOf(imei), "urn:gsma:imei:35693803-564380-0");
  assert.equal(imeiInNames(["urn:x", imeiNameOf(imei)]), imei);
  for (const names of [
    [],
    [imeiNameOf(imei), imeiNameOf(imei)],
    ["urn:gsma:imei:35693803-564380-9"],
    ["urn:gsma:imei:356938035643809"],
    ["urn:gsma:imei:00000000-000000-0"],
    ["xurn:gsma:imei:35693803-564380-0"],
  ])
    assert.equal(imeiInNames(names), undefined, names.join());
  assert.equal(proxyInNames(["urn:turnup:proxy:edge-1"]), "edge-1");
  assert.equal(proxyInNames(["urn:turnup:proxy:edge 1"]), undefined);
  assert.equal(deviceInNames(["urn:turnup:device:not-a-uuid"]), undefined);
});

test("a leg's token opens for its leg, its peer, its key and its time alone", () => {
  const key = new Uint8Array(32).fill(1);
  const session = {
    leg: "air",
    subject: "s",
    peer: "AA:BB",
    endsAt: new Date(NOW.getTime() + 1_000),
  } as const;
  const token = issueLegToken(session, new Uint8Array(16), key);
  const expected = { leg: "air", peer: "AA:BB", now: NOW } as const;
  assert.deepEqual(openLegToken(token, expected, key), session);
  assert.equal(openLegToken(token, { ...expected, leg: "land" }, key), undefined);
  assert.equal(openLegToken(token, { ...expected, peer: "AA:BC" }, key), undefined);
  assert.equal(openLegToken(token, { ...expected, now: session.endsAt }, key), undefined);
  assert.equal(openLegToken(token, expected, new Uint8Array(32).fill(2)), undefined);
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
    assert.equal(openLegToken(changed, expected, key), undefined, `character ${at}`);
  }
  assert.throws(() => issueLegToken({ ...session, subject: "s\nland" }, new Uint8Array(16), key), RangeError);
});

// ---- addresses

const SERVER = "one.example:443";
const SERVERS = new Set([SERVER, "two.example:8443"]);
const PAGE = { server: SERVER, target: "/d/orders/AB12CD34?x=1" };
const screenWith = (href: string): Screen => ({
  id: "s",
  title: "t",
  lang: "en",
  text: [],
  entries: [{ label: "l", href }],
  actions: [],
});
const ADDRESSES: readonly [string, string][] = [
  ["/d/start", "/r/one.example%3A443/d/start"],
  ["/d/a?b=c#d", "/r/one.example%3A443/d/a?b=c#d"],
  ["items/7", "/r/one.example%3A443/d/orders/items/7"],
  ["?page=2", "/r/one.example%3A443/d/orders/AB12CD34?page=2"],
  ["https://two.example:8443/d/start", "/r/two.example%3A8443/d/start"],
  ["https://ONE.example/d/start", "/r/one.example%3A443/d/start"],
  ["https://elsewhere.example/help", "https://elsewhere.example/help"],
  ["http://one.example/d/start", "http://one.example/d/start"],
];
for (const [href, wanted] of ADDRESSES) {
  test(`the address ${href} leads to ${wanted}`, () => {
    assert.equal(throughProxy(screenWith(href), PAGE, SERVERS).entries[0]?.href, wanted);
  });
}

test("a form or a post to a server that is none of ours is refused, and so is an address that is none", () => {
  const screen = screenWith("/d/start");
  const form = { action: "https://thief.example/d/x", submit: "s", fields: [], hidden: {} };
  assert.throws(() => throughProxy({ ...screen, form }, PAGE, SERVERS), { name: "ForeignAddress" });
  const action = { role: "accept", label: "l", href: "http://one.example/d/x", method: "post" } as const;
  assert.throws(() => throughProxy({ ...screen, actions: [action] }, PAGE, SERVERS), {
    name: "ForeignAddress",
  });
  for (const href of ["javascript:alert(1)", "//thief.example/d"])
    assert.throws(() => throughProxy(screenWith(href), PAGE, SERVERS), { name: "ForeignAddress" });
});

test("a provisioning server is named by host and port, and reached over https alone", () => {
  assert.equal(serverNameOf("https://One.Example"), "one.example:443");
  assert.equal(serverNameOf("https://[::1]:8443/"), "[::1]:8443");
  assert.throws(() => serverNameOf("http://one.example"), RangeError);
});

test("a gateway is known by its address, also in IPv6 clothes, and its headers by their agreed names", () => {
  const rule = {
    name: "g",
    addresses: ["192.0.2.7"],
    bearer: "gsm",
    msisdnHeader: "x-msisdn",
    imsiHeader: "x-imsi",
    deviceIdHeader: null,
  } as const;
  assert.equal(gatewayAt([rule], "::ffff:192.0.2.7"), rule);
  assert.equal(gatewayAt([rule], "192.0.2.8"), undefined);
  assert.equal(plainAddress("::FFFF:192.0.2.7"), "192.0.2.7");
  const lines = (headers: Record<string, string[]>) => new Map(Object.entries(headers));
  assert.deepEqual(
    identityFrom(rule, lines({ "x-msisdn": ["tel:+447700900123"], "x-imsi": ["234150999999999"] })),
    {
      msisdn: "447700900123",
      imsi: "234150999999999",
      deviceId: null,
    },
  );
  assert.equal(identityFrom(rule, lines({})), "none");
  assert.equal(
    identityFrom(rule, lines({ "x-msisdn": ["447700900123"], "x-nokia-msisdn": ["447700900123"] })) ===
      "conflict",
    false,
    "two that agree are one",
  );
});
