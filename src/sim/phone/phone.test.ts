/** A phone on real sockets: TLS 1.3 and enrolment against a small server that speaks `legs.ts`, SMS through the message centre. */

import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { connect } from "node:net";
import { afterEach, test } from "vitest";
import { isActive } from "../../../test/fixture/client-device.ts";
import {
  authority,
  ORDER_ITEM,
  ORDER_REFERENCE,
  PHONE_IMEI,
  startProxyAndServer,
} from "../../../test/fixture/proxy-and-server.ts";
import { factoryModules } from "../../device/modules.ts";
import { type ContentBody, encodeContent } from "../../wire/message/content.ts";
import { signModule } from "../../wire/message/module.ts";
import { encodeNotice, NOTICE_CONTENT_TYPE, NOTICE_PORT, type Notice } from "../../wire/message/notice.ts";
import { openReply } from "../../wire/message/reply.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { decodePdu, encodePdu, makePdu } from "../../wire/smpp/pdu.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import type { UserDataPart } from "../../wire/sms/udh.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import type { MobileOriginated } from "../handset/fleet-state.ts";
import { createSmscSimulator } from "../smsc/smsc.ts";
import { createPhone, phonesBehindCentre } from "./phone.ts";
import type { PhoneEvent, PhoneOptions } from "./phone-state.ts";
import { createPhoneStorage } from "./storage.ts";

const IMEI = PHONE_IMEI;
const MSISDN = "436641234567";
const CENTRE = "43900";
const REFERENCE = ORDER_REFERENCE;
const ITEM = ORDER_ITEM;
const operator = generateKeyPairSync("ed25519");
const vendor = generateKeyPairSync("ed25519");
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const DAY = 86_400_000;
/** A clock on which the seconds that a device waits between two tries are soon over. */
function fastClock(): Pick<PhoneOptions, "now" | "sleepMsMax"> {
  const start = performance.now();
  const startMs = Date.now();
  return { now: () => new Date(startMs + 30 * (performance.now() - start)), sleepMsMax: 10 };
}

function contentOf(change: Partial<ContentBody>): Uint8Array {
  const body: ContentBody = {
    issuer: "operator-one",
    reference: REFERENCE,
    itemId: ITEM,
    notAfter: new Date(Date.now() + DAY),
    modules: [],
    activations: [],
    removals: [],
    parameters: {},
    security: {},
    ...change,
  };
  return encodeContent(body, IMEI, operator.privateKey);
}
const voiceMail = contentOf({
  modules: [
    signModule(
      { name: "voice-mail", version: "1.2", vendor: "maker-one", bytes: new Uint8Array(50_000) },
      vendor.privateKey,
    ),
  ],
});

/** A notice as the SMS that carry it. */
function pushOf(notice: Partial<Notice>, noticeKey: Uint8Array, number: number): readonly UserDataPart[] {
  const whole: Notice = {
    messageId: new Uint8Array(8).fill(number),
    kind: "status",
    reference: REFERENCE,
    itemId: null,
    text: "Under way",
    fields: {},
    at: new Date(),
    ...notice,
  };
  const body = encodeNotice(whole, noticeKey);
  const push = encodePush({ transactionId: 1, contentType: NOTICE_CONTENT_TYPE, body });
  return splitUserData(push, { destPort: NOTICE_PORT, reference: number, referenceBits: 8 });
}

async function world(change: Partial<PhoneOptions> = {}, content = voiceMail) {
  const proxy = await startProxyAndServer(content);
  closers.push(proxy.close);
  const replies: MobileOriginated[] = [];
  const events: PhoneEvent[] = [];
  const phone = createPhone({
    imei: IMEI,
    imsi: "232011234567890",
    msisdn: MSISDN,
    provisioningUri: "https://one.example:8443",
    proxyUri: proxy.url,
    proxyAuthority: proxy.authority,
    factory: proxy.factory,
    modules: factoryModules([{ name: "mms", version: "1", vendor: "maker-one", state: "dormant" }]),
    addresses: [{ name: "E-CARE", number: "43800", origin: "factory" }],
    issuerKeyOf: () => operator.publicKey,
    vendorKeyOf: () => vendor.publicKey,
    submitMo: async (sms) => void replies.push(sms),
    seed: 1,
    onEvent: (event) => events.push(event),
    ...change,
  });
  closers.push(() => phone.powerOff());
  let last = 1;
  const send = async (notice: Partial<Notice>) => {
    for (const { udh, data } of pushOf(notice, proxy.state.noticeKey, last++))
      while (
        (await phone.onMessage({ to: MSISDN, from: CENTRE, esmClass: 0x40, dataCoding: 4, udh, data })) ===
        "absent"
      );
  };
  return {
    proxy,
    phone,
    replies,
    events,
    send,
    answers: () => replies.map(({ data }) => openReply(data, proxy.state.noticeKey).kind),
  };
}

const ORDER_IT = [
  { await: "start" },
  { choose: "Features" },
  { await: "account" },
  {
    fill: {
      givenName: "Anna-Maria",
      birthdate: "1970-01-31",
      country: "DE",
      email: "a.b@mail.example",
      news: "yes",
    },
  },
  { submit: true },
  { await: /status|done/ },
] as const;

test("a new phone enrols its own key, and is walked by keys from the first screen to what was really provisioned", async () => {
  const { proxy, phone, send, answers } = await world();
  phone.powerOn();
  await phone.walk(ORDER_IT);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(proxy.seen.bodies[0])), {
    givenName: "Anna-Maria",
    birthdate: "1970-01-31",
    country: "DE",
    email: "a.b@mail.example",
    news: "yes",
    selection: "voice-mail",
  });
  assert.equal(phone.lines().length, 4);
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => phone.screen()?.id === "done" || proxy.state.done, "the report");
  await send({ kind: "done", text: "Voice mail works" });
  await phone.walk([{ await: "done" }]);
  assert.match(phone.lines().join(" "), /Voice mail/);
  assert.ok(isActive(phone.client()!.installer.modules(), "voice-mail"));
  assert.deepEqual(answers(), ["ack", "ack"]);
  assert.equal(proxy.seen.requests[0], "POST /.well-known/est/simpleenroll");
  assert.equal(proxy.seen.serials[0], "CN=factory");
  assert.ok(proxy.seen.serials.slice(1).every((issuer) => issuer === "CN=enrolment"));
  assert.equal(phone.sessionToken(), "token-of-the-air");
});

test("a phone that lost power in the middle of an installation finishes it when it is switched on", async () => {
  const storage = createPhoneStorage();
  const { proxy, phone, send, events } = await world({ storage });
  phone.powerOn();
  await phone.walk(ORDER_IT);
  await send({ kind: "status" }).then(() => phone.until(() => !phone.isBusy(), "rest"));
  phone.cutPower({ atStep: 3, part: 0.5, losesUnsynced: true });
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => !phone.isOn(), "the cut");
  assert.ok(events.some(({ kind }) => kind === "power_cut"));
  phone.powerOn();
  await phone.until(() => phone.screen() !== undefined, "a screen");
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => proxy.state.done, "the report");
  assert.ok(isActive(phone.client()!.installer.modules(), "voice-mail"));
  assert.equal(proxy.seen.bodies.filter((body) => body?.startsWith("outcome=installed")).length, 1);
});

test("on a radio that loses and doubles, a request is made once and everything comes through in the end", async () => {
  const radio = {
    answerLoss: 0.1,
    duplicates: 0.5,
    delayMs: [0, 3] as const,
    smsLoss: 0.2,
    smsDuplicates: 0.5,
  };
  const { proxy, phone, send } = await world({ radio, seed: 5 });
  phone.powerOn();
  await phone.walk(ORDER_IT);
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => proxy.state.done, "the report");
  assert.equal(proxy.seen.bodies.filter((body) => body.includes("selection=")).length, 1);
  assert.equal(phone.client()!.installer.records().length, 1);
});

test("a connection that breaks under a request is tried once more with the same key, and the request is made once", async () => {
  const { proxy, phone } = await world(fastClock(), voiceMail);
  phone.powerOn();
  await phone.walk(ORDER_IT.slice(0, 4));
  proxy.state.dropPosts = 1;
  await phone.walk([{ submit: true }, { await: "status" }]);
  assert.equal(proxy.seen.requests.filter((request) => /POST .*requests$/.test(request)).length, 2);
  assert.equal(proxy.seen.bodies.length, 1);
});

/** Turnup's side of the message centre, in bare PDUs: submits user data, and takes what mobiles send. */
async function bindTo(port: number) {
  const framer = createPduFramer();
  const socket = connect(port, "127.0.0.1");
  closers.push(() => socket.destroy());
  const taken: { from: string; data: Uint8Array }[] = [];
  const bound = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      for (const octets of framer.push(chunk)) {
        const pdu = decodePdu(octets);
        if (pdu.command === "bind_transceiver_resp") resolve();
        if (pdu.command !== "deliver_sm") continue;
        socket.write(encodePdu(makePdu("deliver_sm_resp", pdu.sequence_number)));
        taken.push({ from: pdu.source_addr, data: pdu.short_message });
      }
    });
  });
  let sequence = 1;
  const bind = { system_id: "turnup", password: "secret", interface_version: 0x34 };
  socket.write(encodePdu(makePdu("bind_transceiver", sequence++, bind)));
  await bound;
  return {
    taken,
    submit(parts: readonly UserDataPart[], to: string): void {
      for (const { udh, data } of parts) {
        const message = {
          source_addr: CENTRE,
          destination_addr: to,
          esm_class: 0x40,
          data_coding: 4,
          short_message: Uint8Array.from([...udh, ...data]),
        };
        socket.write(encodePdu(makePdu("submit_sm", sequence++, message)));
      }
    },
  };
}

test("an activation by SMS alone comes through the message centre, and the phone answers by it", async () => {
  const centre: { smsc?: Awaited<ReturnType<typeof createSmscSimulator>> } = {};
  const { proxy, phone } = await world({
    submitMo: async (sms) => {
      if ((await centre.smsc?.sendMobileOriginated(sms)) !== "taken") throw new Error("not handed over");
    },
  });
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "secret",
    seed: 1,
    retryMs: 10,
    onMessage: phonesBehindCentre([phone]),
  });
  centre.smsc = smsc;
  closers.push(() => smsc.close());
  const turnup = await bindTo(smsc.port);
  phone.powerOn();
  await phone.walk(ORDER_IT);
  const content = contentOf({ activations: ["mms"] });
  turnup.submit(
    pushOf({ kind: "content", itemId: ITEM, text: "MMS is on", content }, proxy.state.noticeKey, 9),
    MSISDN,
  );
  await phone.until(() => isActive(phone.client()!.installer.modules(), "mms"), "the activation");
  await phone.until(() => turnup.taken.length > 0 && !phone.isBusy(), "the reply");
  const [reply] = turnup.taken;
  assert.equal(reply?.from, MSISDN);
  assert.equal(openReply(reply!.data, proxy.state.noticeKey).kind, "installed");
  assert.ok(
    !proxy.seen.requests.some((request) => request.includes("/items/")),
    "nothing of it went wideband",
  );
});

test("a proxy that is not the one the phone trusts gets no word of the user", async () => {
  const stranger = authority("stranger");
  const { proxy, phone } = await world({ proxyAuthority: stranger.pem, ...fastClock() });
  phone.powerOn();
  await phone.until(() => phone.screen()?.id === "problem", "the problem", 30_000);
  assert.deepEqual(proxy.seen.requests, []);
  assert.ok(new X509Certificate(stranger.pem).ca);
});

test("a phone without the right address says so on its display and opens no connection", async () => {
  const { proxy, phone } = await world({ provisioningUri: "nowhere" });
  phone.powerOn();
  await phone.until(() => phone.screen()?.id === "unready", "the screen");
  phone.press("SOFT_LEFT", "DOWN", "1", "SOFT_LEFT");
  assert.deepEqual(
    proxy.seen.requests.filter((request) => !request.includes("est")),
    [],
  );
});

test("a person who wanders about never breaks the phone", async () => {
  const { phone } = await world({ seed: 3 });
  phone.powerOn();
  const seen = await phone.wander(25);
  assert.equal(seen.length, 25);
  assert.ok(new Set(seen).size >= 3, seen.join(" "));
});

test("the address book and the call for help stand on the display of a phone that has nothing yet (R11, R23)", async () => {
  const { phone } = await world();
  phone.powerOn();
  await phone.walk([{ await: "start" }]);
  phone.press("BACK");
  await phone.walk([{ await: "home" }, { choose: "Addresses" }, { await: "addresses" }]);
  assert.match(phone.lines().join(" "), /E-CARE 43800/);
  await phone.walk([{ action: "home" }, { await: "home" }, { choose: "Help" }, { await: "care" }]);
  assert.match(phone.lines().join(""), /E-CARE: *43800/);
});

test("several phones run side by side, each with its own number", async () => {
  const one = await world();
  const other = await world({ msisdn: "436647654321" });
  one.phone.powerOn();
  other.phone.powerOn();
  await Promise.all([one.phone.walk([{ await: "start" }]), other.phone.walk([{ await: "start" }])]);
  const route = phonesBehindCentre([one.phone, other.phone]);
  const text = {
    from: "1",
    esmClass: 0,
    dataCoding: 0,
    udh: new Uint8Array(0),
    data: new TextEncoder().encode("Hello"),
  };
  assert.equal(await route({ ...text, to: "436647654321" }), "delivered");
  assert.equal(await route({ ...text, to: "436640000000" }), "absent");
  assert.deepEqual(
    other.phone.texts().map(({ text: said }) => said),
    ["Hello"],
  );
  assert.deepEqual(one.phone.texts(), []);
});
