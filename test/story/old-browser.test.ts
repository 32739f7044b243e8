/**
 * Devices of 2000 (US 6,647,260 columns 3 and 4): a phone without our client behind the operator's WAP gateway orders in WML,
 * agrees by a text, and gets its settings over the air; pager, PDA and remote control walk the same road on their displays.
 */

import assert from "node:assert/strict";
import { test } from "vitest";
import { createHandsetClient, freshHandset } from "../../src/device/client.ts";
import { DEVICE_CLASSES, displayOfClass } from "../../src/device/device-class.ts";
import type { IncomingSms } from "../../src/sim/handset/fleet-state.ts";
import { createBrowserPhone } from "../../src/sim/phone/browser.ts";
import { bearerProfiles } from "../../src/wire/message/bearer-profile.ts";

import { BEARERS } from "../../src/wire/message/legs.ts";
import { decodeProvisioning } from "../../src/wire/omacp/codec.ts";
import { verifyMac } from "../../src/wire/omacp/mac.ts";
import { createReassembler } from "../../src/wire/sms/reassembly.ts";
import { decodeText, encodeText } from "../../src/wire/sms/text.ts";
import { decodePush } from "../../src/wire/wsp/push.ts";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";
import { modulesOf, orderSteps, SAID, settledAs } from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";

const BEARER_PROFILES = bearerProfiles();

const PUSH_PORT = 2948;
const GATEWAY = {
  name: "wap-1",
  addresses: ["127.0.0.1"],
  bearer: "gsm",
  msisdnHeader: "x-msisdn",
  imsiHeader: null,
  deviceIdHeader: null,
} as const;
/** Of a model that takes OMA client provisioning. */
const IMEIS = ["356938035643809", "356938039900015"] as const;

type Handset = ReturnType<typeof handset>;
const handsets = new Map<string, Handset>();
const fixture = await storyParties({
  orders: { doneAt: "delivered" },
  proxy: { gatewayDoor: { host: "127.0.0.1", port: 0 }, gateways: [GATEWAY] },
  others: (sms) => handsets.get(sms.to)?.take(sms) ?? "absent",
});

/** The handset behind the browser: its inbox, and the settings that it takes over the air. */
function handset({ imei, imsi, msisdn }: { imei: string; imsi: string; msisdn: string }) {
  const client = createHandsetClient({
    imei,
    imsi,
    opensBy: "itself",
    takes: ["omacp"],
    publicKeyOf: () => undefined,
  });
  const reassembler = createReassembler({ limitMessages: 8, limitOctets: 16_384, timeoutMs: 60_000 });
  const texts: { from: string; text: string }[] = [];
  const pushes: Uint8Array[] = [];
  let state = freshHandset();
  let reference = 0;
  return {
    imei,
    imsi,
    msisdn,
    texts,
    pushes,
    apns: () => state.settings.accessPoints.map(({ apn }) => apn),
    take({ from, to, udh, data, dataCoding }: IncomingSms): "delivered" {
      const whole = reassembler.accept({ from, to, udh, data, atMs: Date.now() });
      if (!whole) return "delivered";
      if (whole.udh.destPort !== PUSH_PORT) texts.push({ from, text: decodeText(dataCoding, whole.bytes) });
      else {
        pushes.push(whole.bytes);
        state = client.receive(state, { from, bytes: whole.bytes, at: new Date() }).state;
      }
      return "delivered";
    },
    async sms(text: string, to: string): Promise<void> {
      const { dataCoding, parts } = encodeText(text, { reference: reference++ });
      for (const { udh, data } of parts)
        await fixture.mobileOriginated({
          from: msisdn,
          to,
          esmClass: udh.length > 0 ? 0x40 : 0,
          dataCoding,
          udh,
          data,
        });
    },
  };
}

async function oldPhone(serial: 0 | 1): Promise<Handset> {
  const spec = { imei: IMEIS[serial], imsi: `00101980000000${serial}`, msisdn: `88210980000${serial}` };
  const made = handset(spec);
  handsets.set(spec.msisdn, made);
  await fixture.road.proxy().keepAccounts([{ deviceId: spec.imei, imsi: spec.imsi, msisdn: spec.msisdn }]);
  return made;
}

function browserOf({ msisdn }: Handset, markup: "wml" | "wmlc") {
  const host = encodeURIComponent(new URL(fixture.server.road.land!.url).host);
  const browser = createBrowserPhone({
    url: `${fixture.road.proxy().gatewayUrl}/r/${host}/d/start`,
    markup,
    deviceClass: "phone",
    headers: { "x-msisdn": msisdn },
    seed: 1,
  });
  whenDone(() => browser.close());
  return browser;
}

/** The operator's staff sell the settings under terms. */
async function underTerms(itemId: string): Promise<void> {
  const { id, version, ...item } = (await fixture.get(`/v1/catalog/${itemId}`)).item;
  if (item.terms) return;
  const { status, text } = await fixture.call(
    "PUT",
    `/v1/catalog/${id}`,
    { ...item, terms: "general-terms" },
    "admin",
    {
      "if-match": `"${version}"`,
    },
  );
  assert.equal(status, 200, text);
}

async function storyOf({ imsi }: Handset, wanted: (story: { state: string }) => boolean, what: string) {
  return until(
    async () => {
      const { rows } = await fixture.get(`/v1/orders?imsi=${imsi}&limit=1`);
      return rows.length === 0 ? undefined : fixture.get(`/v1/orders/${rows[0].id}`);
    },
    (story) => story !== undefined && wanted(story),
    what,
  );
}

for (const [serial, markup] of [
  [0, "wml"],
  [1, "wmlc"],
] as const) {
  test(`R12, R22, R29, R31: a phone with a ${markup} browser alone orders, agrees by a text, and gets its settings over the air`, async () => {
    await underTerms("mms-settings");
    const old = await oldPhone(serial);
    const browser = browserOf(old, markup);
    await browser.open();
    await browser.walk([
      { await: "Meridian" },
      { choose: "Features" },
      { await: "Features" },
      { choose: "Picture" },
      { await: "Picture messages" },
      { choose: "Order" },
      { await: "Your details" },
      { fill: SAID },
      { submit: true },
      { await: /^Request / },
    ]);
    assert.ok(browser.lines().length <= 4 && browser.lines().every((line) => line.length <= 16));

    const waiting = await storyOf(
      old,
      ({ state }) => state === "awaiting_consent",
      "terms wait for an answer",
    );
    assert.equal(waiting.cause, "self_service");
    const [terms] = await until(
      () => old.texts,
      ({ length }) => length > 0,
      "the terms came by SMS",
    );
    const [, code] = /can be ended at any time.*Reply YES (\d{4})/.exec(terms!.text) ?? [];
    assert.ok(code, terms!.text);
    assert.deepEqual(old.pushes, [], "nothing is sent before the subscriber agrees");

    await old.sms(`YES ${code}`, terms!.from);
    const story = await storyOf(old, ({ state }) => state === "completed", "the order is completed");
    await until(
      () => old.apns(),
      (apns) => apns.includes("mms.meridian"),
      "the handset took the settings",
    );
    const [bytes] = old.pushes;
    const push = decodePush(bytes!);
    assert.ok(
      verifyMac("netwpin", String(push.params.MAC), { imsi: old.imsi }, push.body),
      "signed for its SIM",
    );
    assert.match(JSON.stringify(decodeProvisioning(push.body)), /mms\.meridian/);
    assert.equal(old.pushes.length, 1, "no notice that only our client module reads");

    const channels = story.events.flatMap(
      ({ kind, detail }: { kind: string; detail: { channel: string; rule: string } }) =>
        kind === "notice_queued" ? [`${detail.channel}: ${detail.rule}`] : [],
    );
    assert.ok(channels.length > 0);
    assert.ok(
      channels.every((line: string) => line.startsWith("narrowband: a device without our client module")),
      `${channels}`,
    );
    await until(
      () => old.texts.map(({ text }) => text),
      (texts) => texts.some((text) => /is done: Picture messages/.test(text)),
      "the last text says what is there now",
    );
  });
}

test("R22: a phone without our client is not sold what only the client module can receive, and is told so", async () => {
  const old = handsets.get("882109800000")!;
  const browser = browserOf(old, "wml");
  await browser.open();
  await browser.walk([
    { choose: "Features" },
    { await: "Features" },
    { choose: "Java" },
    { await: "Java runtime" },
    { choose: "Order" },
    { await: "Order" },
    { choose: "Order" },
    { await: /^Request / },
  ]);
  await until(
    () => old.texts.map(({ text }) => text),
    (texts) => texts.some((text) => /not available: Java runtime/.test(text)),
    "a text names what cannot be had",
  );
});

test("R12, R29: a browser is never sent a markup that it cannot draw", async () => {
  const host = encodeURIComponent(new URL(fixture.server.road.land!.url).host);
  const url = `${fixture.road.proxy().gatewayUrl}/r/${host}/d/start`;
  const line = { "x-msisdn": handsets.get("882109800000")!.msisdn };
  for (const [accept, type] of [
    ["text/vnd.wap.wml", "text/vnd.wap.wml"],
    ["application/vnd.wap.wmlc", "application/vnd.wap.wmlc"],
    ["application/vnd.wap.xhtml+xml", "application/vnd.wap.xhtml+xml"],
    ["text/html", "text/html"],
    ["text/x-hdml", "text/x-hdml"],
  ] as const) {
    const response = await fetch(url, { headers: { ...line, accept } });
    assert.equal(response.status, 200, accept);
    assert.equal(response.headers.get("content-type")?.split(";")[0], type);
  }
  const none = await fetch(url, { headers: { ...line, accept: "image/gif" } });
  assert.equal(none.status, 406);
});

test("R30: every bearer of the air side has a profile, and an answer says which one carried it", async () => {
  for (const bearer of BEARERS) assert.ok(BEARER_PROFILES[bearer]);
  for (const bearer of ["gsm", "cdma", "tdma", "cdpd", "pdc", "phs"] as const)
    assert.ok(BEARERS.includes(bearer), bearer);
  const host = encodeURIComponent(new URL(fixture.server.road.land!.url).host);
  const response = await fetch(`${fixture.road.proxy().gatewayUrl}/r/${host}/d/start`, {
    headers: { "x-msisdn": handsets.get("882109800000")!.msisdn, accept: "text/vnd.wap.wml" },
  });
  assert.match(response.headers.get("turnup-channel") ?? "", /^wideband; rule=\w+; .*bearer=gsm/);
});

for (const deviceClass of DEVICE_CLASSES) {
  test(`R13: a ${deviceClass} goes the same way to working software, and nothing is wider or longer than its display`, async () => {
    const device = await fixture.phone({ deviceClass });
    device.powerOn();
    await device.walk(orderSteps("Features", "Java runtime"));
    await settledAs(fixture, device, "completed");
    assert.deepEqual(modulesOf(device), ["java-runtime active"]);
    const { columns, lines } = displayOfClass(deviceClass);
    const drawn = fixture.did(device, "display");
    assert.ok(drawn.length > 5);
    for (const { lines: shown } of drawn) {
      assert.ok(shown.length <= lines, `${shown.length} lines`);
      assert.ok(
        shown.every((line) => line.length <= columns),
        shown.join("|"),
      );
    }
  });
}
