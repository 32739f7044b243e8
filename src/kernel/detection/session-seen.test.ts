/** What a gateway's word of a session comes to: a sighting, a proof of settings, both or nothing (R73, R79). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { parsePlmn } from "../../term/plmn.ts";
import { type SessionTold, seenBySession } from "./session-seen.ts";

const NOW = Date.parse("2026-05-04T10:00:00Z");
const TOLD: SessionTold = {
  status: "start",
  imsi: "234150000000001",
  imei: "3569380356438091",
  msisdn: "447700900123",
  apn: "internet",
  visited: "26202",
  home: "23415",
  radioType: 6,
  selection: "subscribed",
  eventSeconds: NOW / 1_000 - 60,
  delaySeconds: 5,
  sessionSeconds: undefined,
};
const seen = (more: Partial<SessionTold>) =>
  seenBySession({ ...TOLD, ...more }, NOW, () => parsePlmn("23430"), 600_000);
const at = (ms: number): string => new Date(ms).toISOString();

test("a session that opens is a sighting where the handset is, and a proof of the access point, at the gateway's time", () => {
  const seenAt = at(NOW - 60_000);
  assert.deepEqual(seen({}), {
    sighting: {
      ...{ imeisv: "3569380356438091", imsi: "234150000000001", msisdn: "447700900123" },
      ...{ plmn: "26202", radio: "6", seenAt },
    },
    traffic: { imsi: "234150000000001", apn: "internet", seenAt, beganBy: at(NOW - 6_000) },
  });
  assert.equal(seen({ delaySeconds: undefined })?.traffic?.beganBy, at(NOW));
  assert.equal(seen({ imei: "356938035643809" })?.sighting?.imei, "356938035643809");
  assert.equal(seen({ apn: "internet.mnc015.mcc234.gprs" })?.traffic?.apn, "internet");
});

test("where it does not say where the handset is, it is at home", () => {
  assert.equal(seen({ visited: undefined })?.sighting?.plmn, "23415");
  assert.equal(seen({ visited: undefined, home: undefined })?.sighting?.plmn, "23430");
});

test("a gateway whose clock is ahead, or that has none, is believed by how long it has been trying", () => {
  for (const eventSeconds of [undefined, 0, NOW / 1_000 + 601])
    assert.equal(seen({ eventSeconds })?.sighting?.seenAt, at(NOW - 5_000));
  assert.equal(
    seen({ eventSeconds: NOW / 1_000 + 600 })?.sighting?.seenAt,
    at(NOW + 600_000),
    "within what clocks may differ",
  );
  assert.equal(seen({ eventSeconds: undefined, delaySeconds: undefined })?.sighting?.seenAt, at(NOW));
});

test("what goes on or ends proves no settings, nor does an access point that the network chose or that is none", () => {
  for (const more of [
    { status: "interim" },
    { status: "stop", sessionSeconds: 0 },
    { status: undefined },
    { selection: "network" },
    { apn: undefined },
    { apn: "rac.example" },
    { apn: "" },
  ] as const) {
    const found = seen(more);
    assert.equal(found?.traffic, undefined, JSON.stringify(more));
    assert.ok(found?.sighting, "it is a sighting all the same");
  }
  assert.ok(seen({ selection: "handset" })?.traffic, "the handset asked for it by its own settings");
});

test("a session that ends says where the SIM was when it began: it may end since the SIM is elsewhere", () => {
  const ended = { status: "stop", eventSeconds: NOW / 1_000 } as const;
  assert.equal(seen({ ...ended, sessionSeconds: 3_600 })?.sighting?.seenAt, at(NOW - 3_600_000));
  assert.equal(seen({ ...ended, sessionSeconds: 0xffffffff })?.sighting?.seenAt, at(0));
  assert.equal(seen({ ...ended, sessionSeconds: undefined })?.sighting, undefined);
});

test("without a handset's number it is a proof alone, and without a SIM nothing", () => {
  assert.deepEqual(
    [seen({ imei: undefined })?.sighting, seen({ imei: undefined })?.traffic?.apn],
    [undefined, "internet"],
  );
  for (const imsi of [undefined, "12", "abc"]) assert.equal(seen({ imsi }), undefined);
});
