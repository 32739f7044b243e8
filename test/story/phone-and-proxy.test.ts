/** A simulated phone and the real proxy with two provisioning servers, over TLS (US 6,647,260 columns 4 to 6, R1 to R15). */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, test } from "vitest";
import type { LandHandler } from "../../src/http/land/handler.ts";
import { createBrowserPhone } from "../../src/sim/phone/browser.ts";
import { createPhone } from "../../src/sim/phone/phone.ts";
import type { PhoneOptions } from "../../src/sim/phone/phone-state.ts";
import type { Screen } from "../../src/wire/screen/screen.ts";
import { IMEI, IMSI, MSISDN, OTHER_IMEI, openParties, type Parties } from "../fixture/parties.ts";

const operator = generateKeyPairSync("ed25519");
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const GATEWAY = {
  name: "wap-1",
  addresses: ["127.0.0.1"],
  bearer: "gsm",
  msisdnHeader: "x-msisdn",
  imsiHeader: null,
  deviceIdHeader: null,
} as const;

const plain: Screen = { id: "x", title: "X", lang: "en", text: [], entries: [], actions: [] };
const account: Screen = {
  ...plain,
  id: "account",
  title: "Account",
  form: {
    action: "/d/requests",
    submit: "Order",
    hidden: { selection: "mms" },
    fields: [{ name: "familyName", label: "Name", kind: "text", required: true }],
  },
};

async function road(bond = { deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }) {
  const parties: { road?: Parties } = {};
  const handler: LandHandler = async (_identity, { path }) => ({
    kind: "screen",
    status: 200,
    screen:
      path === "/d/start"
        ? {
            ...plain,
            id: "start",
            title: "Welcome",
            entries: [
              { label: "Here", href: "/d/list" },
              { label: "There", href: `${parties.road!.otherLand.url}/d/list` },
            ],
          }
        : path === "/d/list"
          ? account
          : {
              ...plain,
              id: "status",
              title: "K7QX4M2P",
              text: ["Under way"],
              refreshSeconds: 60,
              actions: [{ role: "refresh", label: "Look", href: "/d/orders/K7QX4M2P" }],
            },
  });
  const opened = await openParties({
    handler,
    proxy: { gatewayDoor: { host: "127.0.0.1", port: 0 }, gateways: [GATEWAY] },
  });
  parties.road = opened;
  closers.push(() => opened.close());
  await opened.proxy.keepAccounts([bond]);
  return opened;
}

function phoneOn(opened: Parties, change: Partial<PhoneOptions> = {}) {
  const phone = createPhone({
    imei: IMEI,
    imsi: IMSI,
    msisdn: MSISDN,
    provisioningUri: `https://${opened.server}`,
    proxyUri: opened.proxy.url,
    proxyAuthority: opened.certificates.proxy.airAuthority,
    factory: opened.factory,
    issuerKeyOf: () => operator.publicKey,
    vendorKeyOf: () => operator.publicKey,
    submitMo: async () => undefined,
    seed: 1,
    ...change,
  });
  closers.push(() => phone.powerOff());
  return phone;
}

for (const [entry, which] of [
  ["Here", "server"],
  ["There", "otherServer"],
] as const) {
  test(`a new phone enrols, starts by itself, and what it chose ${entry.toLowerCase()} arrives at that server with its identity`, async () => {
    const opened = await road();
    const phone = phoneOn(opened);
    phone.powerOn();
    await phone.walk([
      { await: "start" },
      { choose: entry },
      { await: "account" },
      { fill: { familyName: "Huber" } },
      { submit: true },
      { await: "status" },
    ]);
    const { identity, request } = opened.received.at(-1)!;
    assert.equal(request.path, "/d/requests");
    assert.equal(Buffer.from(request.body).toString(), "familyName=Huber&selection=mms");
    assert.deepEqual([identity.imei, identity.imsi, identity.assurance], [IMEI, IMSI, "cert"]);
    assert.equal(identity.capability, "markups=screen+json; screen=16x4; class=phone");
    assert.equal(request.noticeKey?.length, 32);
    assert.ok(request.idempotencyKey);
    assert.equal(phone.client()?.state().orders[0]?.server, opened[which]);
    assert.deepEqual(phone.client()?.identity().credential?.kind, "enrolled");
    assert.deepEqual(opened.records, []);
  });
}

test("a phone renews its certificate before it ends, and goes on with the new one", async () => {
  const opened = await road();
  const clock = { aheadMs: 0 };
  const phone = phoneOn(opened, { now: () => new Date(Date.now() + clock.aheadMs) });
  phone.powerOn();
  await phone.walk([{ await: "start" }]);
  phone.powerOff();
  clock.aheadMs = 25 * 86_400_000;
  const enrolled: string[] = [];
  const later = phoneOn(opened, {
    now: () => new Date(Date.now() + clock.aheadMs),
    storage: phone.storage,
    onEvent: ({ kind }) => void enrolled.push(kind),
  });
  later.powerOn();
  await later.until(() => enrolled.includes("enrolled"), "the renewal");
  await later.walk([{ await: "start" }, { choose: "Here" }, { await: "account" }]);
  assert.deepEqual(opened.records, []);
});

test("a phone whose stored ID is not its account's is told nothing but that it is not possible, and no server hears of it", async () => {
  const opened = await road();
  const phone = phoneOn(opened, { imei: OTHER_IMEI });
  phone.powerOn();
  await phone.walk([{ await: "refused" }]);
  assert.deepEqual(opened.received, []);
});

test("a phone that was sold with another server's address says so and sends no user data", async () => {
  const opened = await road();
  const phone = phoneOn(opened, { provisioningUri: "https://nowhere.example:8443" });
  phone.powerOn();
  const screen = await phone.walk([{ await: "refused" }]);
  assert.equal(screen.form, undefined);
  assert.deepEqual(opened.received, []);
});

test("through an operator's WAP gateway a phone without a certificate is known by its line", async () => {
  const opened = await road();
  const phone = phoneOn(opened, {
    proxyUri: opened.proxy.gatewayUrl!,
    factory: null,
    gatewayHeaders: { "x-msisdn": MSISDN },
  });
  phone.powerOn();
  await phone.walk([
    { await: "start" },
    { choose: "Here" },
    { fill: { familyName: "Huber" } },
    { submit: true },
    { await: "status" },
  ]);
  const { identity, request } = opened.received.at(-1)!;
  assert.deepEqual([identity.imei, identity.msisdn, identity.assurance], [IMEI, MSISDN, "network"]);
  assert.equal(request.noticeKey, null);
});

for (const markup of ["wml", "wmlc", "xhtmlmp", "html"] as const) {
  test(`an old phone with a browser for ${markup} alone walks the same screens by keys`, async () => {
    const opened = await road();
    const phone = createBrowserPhone({
      url: `${opened.proxy.gatewayUrl}${opened.start()}`,
      markup,
      deviceClass: "phone",
      headers: { "x-msisdn": MSISDN },
      seed: 1,
    });
    closers.push(() => phone.close());
    await phone.open();
    await phone.walk([
      { await: "Welcome" },
      { choose: "There" },
      { await: "Account" },
      { fill: { familyName: "Huber" } },
      { submit: true },
      { await: "K7QX4M2P" },
    ]);
    const { request } = opened.received.at(-1)!;
    assert.equal(new URLSearchParams(Buffer.from(request.body).toString()).get("familyName"), "Huber");
    assert.equal(new URLSearchParams(Buffer.from(request.body).toString()).get("selection"), "mms");
    assert.ok(phone.lines().length === 4);
  });
}
