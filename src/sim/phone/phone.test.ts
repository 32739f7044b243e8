/** A phone on real sockets: TLS 1.3 and enrolment against a small server that speaks `road.ts`, SMS through the message centre. */
import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, test } from "vitest";
import { factoryModules, isActive } from "../../device/modules.ts";
import { certsOnly, readCertificateRequest } from "../../http/proxy/pkcs.ts";
import { parseImei } from "../../term/imei.ts";
import { CONTENT_TYPE_OF_CONTENT, type ContentBody, encodeContent } from "../../wire/message/content.ts";
import { signModule } from "../../wire/message/module.ts";
import { encodeNotice, NOTICE_CONTENT_TYPE, NOTICE_PORT, type Notice } from "../../wire/message/notice.ts";
import { imeiNameOf } from "../../wire/message/party-name.ts";
import { openReply } from "../../wire/message/reply.ts";
import { encodeScreenJson, SCREEN_JSON_TYPE } from "../../wire/screen/json.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { decodePdu, encodePdu, makePdu } from "../../wire/smpp/pdu.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import type { UserDataPart } from "../../wire/sms/udh.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import { composeCertificate, pemOf } from "../../wire/x509/certificate.ts";
import type { MobileOriginated } from "../handset/fleet-state.ts";
import { createSmscSimulator } from "../smsc/smsc.ts";
import { createPhone, phonesBehindCentre } from "./phone.ts";
import type { PhoneEvent, PhoneOptions } from "./phone-state.ts";
import { createPhoneStorage } from "./storage.ts";

const IMEI = "356938035643809";
const MSISDN = "436641234567";
const CENTRE = "43900";
const REFERENCE = "K7QX4M2P";
const ITEM = "01890a5d-ac96-774b-bcce-b302099a8057";
const operator = generateKeyPairSync("ed25519");
const vendor = generateKeyPairSync("ed25519");
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const p256 = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const DAY = 86_400_000;

function authority(commonName: string) {
  const { privateKey, publicKey } = p256();
  let serial = 1;
  const issue = (
    purpose: "authority" | "server" | "client",
    of: typeof publicKey,
    names: Parameters<typeof composeCertificate>[0]["names"],
  ) =>
    composeCertificate({
      serial: Uint8Array.of(serial++),
      commonName: purpose === "authority" ? commonName : purpose,
      purpose,
      names,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
      publicKey: of,
      issuer: { commonName, publicKey, privateKey },
    });
  return { pem: pemOf(issue("authority", publicKey, [])), issue };
}
const pemKey = ({ privateKey }: ReturnType<typeof p256>): string =>
  privateKey.export({ type: "pkcs8", format: "pem" }) as string;

const plain: Screen = { id: "x", title: "X", lang: "en", text: [], entries: [], actions: [] };

/** A proxy and its server in one: enrols, checks the certificate, and answers with screens. */
async function roadServer(content: Uint8Array) {
  const air = authority("air");
  const factory = authority("factory");
  const own = authority("enrolment");
  const pair = p256();
  const seen = {
    requests: [] as string[],
    bodies: [] as string[],
    serials: [] as string[],
    keys: new Set<string>(),
  };
  const state = { done: false, dropPosts: 0, noticeKey: new Uint8Array(32) };
  const home = (): string => `/r/${encodeURIComponent("one.example:8443")}/d`;
  const order = (): string => `${home()}/orders/${REFERENCE}`;
  const screens: Record<string, () => Screen> = {
    [`GET ${home()}/start`]: () => ({
      ...plain,
      id: "start",
      title: "Welcome",
      entries: ["Packages", "Features", "Services"].map((label) => ({ label, href: `${home()}/list` })),
    }),
    [`GET ${home()}/list`]: () => ({
      ...plain,
      id: "account",
      title: "Account",
      form: {
        action: `${home()}/requests`,
        submit: "Order",
        hidden: { selection: "voice-mail" },
        fields: [
          { name: "givenName", label: "First name", kind: "text", required: true },
          { name: "birthdate", label: "Born", kind: "date", required: true },
          {
            name: "country",
            label: "Country",
            kind: "choice",
            required: true,
            choices: [
              { value: "AT", label: "Austria" },
              { value: "DE", label: "Germany" },
            ],
          },
          { name: "email", label: "E-mail", kind: "email", required: false },
          { name: "news", label: "News", kind: "flag", required: false },
        ],
      },
    }),
    [`POST ${home()}/requests`]: () => status(),
    [`GET ${order()}`]: () => status(),
    [`POST ${order()}/items/${ITEM}/report`]: () => {
      state.done = true;
      return status();
    },
  };
  const status = (): Screen =>
    state.done
      ? { ...plain, id: "done", title: "Done", text: ["Voice mail"] }
      : {
          ...plain,
          id: "status",
          title: REFERENCE,
          text: ["Under way"],
          refreshSeconds: 3_600,
          actions: [{ role: "refresh", label: "Look", href: order() }],
        };

  const server: Server = createServer(
    {
      key: pemKey(pair),
      cert: pemOf(air.issue("server", pair.publicKey, [{ kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) }])),
      ca: [factory.pem, own.pem],
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    },
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString("latin1");
      const socket = request.socket as TLSSocket;
      const peer = socket.getPeerX509Certificate();
      const key = `${request.method} ${request.url}`;
      seen.requests.push(key);
      seen.serials.push(peer && socket.authorized ? peer.issuer : "none");
      if (key === "POST /.well-known/est/simpleenroll") {
        const asked = readCertificateRequest(body);
        assert.deepEqual(asked.names, [`uri:${imeiNameOf(parseImei(IMEI))}`]);
        return response.end(certsOnly([own.issue("client", asked.publicKey, [])]));
      }
      const told = request.headers["turnup-notice-key"];
      if (typeof told === "string") state.noticeKey = Uint8Array.from(Buffer.from(told, "base64"));
      const idempotencyKey = request.headers["idempotency-key"];
      if (request.method === "POST" && state.dropPosts-- > 0) return void request.socket.destroy();
      if (typeof idempotencyKey === "string" && !seen.keys.has(idempotencyKey)) {
        seen.keys.add(idempotencyKey);
        seen.bodies.push(body);
      }
      response.setHeader("turnup-air-session", "token-of-the-air");
      if (key === `GET ${order()}/items/${ITEM}/content`)
        return response.setHeader("content-type", CONTENT_TYPE_OF_CONTENT).end(content);
      const screen = screens[key]?.();
      response.statusCode = screen ? 200 : 404;
      response.setHeader("content-type", SCREEN_JSON_TYPE);
      response.end(encodeScreenJson(screen ?? { ...plain, id: "missing", text: ["Nothing here"] }));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const device = p256();
  return {
    seen,
    state,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority: air.pem,
    factory: {
      key: pemKey(device),
      certificate: pemOf(
        factory.issue("client", device.publicKey, [{ kind: "uri", uri: imeiNameOf(parseImei(IMEI)) }]),
      ),
    },
  };
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
  const road = await roadServer(content);
  const replies: MobileOriginated[] = [];
  const events: PhoneEvent[] = [];
  const phone = createPhone({
    imei: IMEI,
    imsi: "232011234567890",
    msisdn: MSISDN,
    provisioningUri: "https://one.example:8443",
    proxyUri: road.url,
    proxyAuthority: road.authority,
    factory: road.factory,
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
    for (const { udh, data } of pushOf(notice, road.state.noticeKey, last++))
      while (
        (await phone.onMessage({ to: MSISDN, from: CENTRE, esmClass: 0x40, dataCoding: 4, udh, data })) ===
        "absent"
      );
  };
  return {
    road,
    phone,
    replies,
    events,
    send,
    answers: () => replies.map(({ data }) => openReply(data, road.state.noticeKey).kind),
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
  const { road, phone, send, answers } = await world();
  phone.powerOn();
  await phone.walk(ORDER_IT);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(road.seen.bodies[0])), {
    givenName: "Anna-Maria",
    birthdate: "1970-01-31",
    country: "DE",
    email: "a.b@mail.example",
    news: "yes",
    selection: "voice-mail",
  });
  assert.equal(phone.lines().length, 4);
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => phone.screen()?.id === "done" || road.state.done, "the report");
  await send({ kind: "done", text: "Voice mail works" });
  await phone.walk([{ await: "done" }]);
  assert.match(phone.lines().join(" "), /Voice mail/);
  assert.ok(isActive(phone.client()!.installer.modules(), "voice-mail"));
  assert.deepEqual(answers(), ["ack", "ack"]);
  assert.equal(road.seen.requests[0], "POST /.well-known/est/simpleenroll");
  assert.equal(road.seen.serials[0], "CN=factory");
  assert.ok(road.seen.serials.slice(1).every((issuer) => issuer === "CN=enrolment"));
  assert.equal(phone.sessionToken(), "token-of-the-air");
});

test("a phone that lost power in the middle of an installation finishes it when it is switched on", async () => {
  const storage = createPhoneStorage();
  const { road, phone, send, events } = await world({ storage });
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
  await phone.until(() => road.state.done, "the report");
  assert.ok(isActive(phone.client()!.installer.modules(), "voice-mail"));
  assert.equal(road.seen.bodies.filter((body) => body === "outcome=installed").length, 1);
});

test("on a radio that loses and doubles, a request is made once and everything comes through in the end", async () => {
  const radio = {
    answerLoss: 0.1,
    duplicates: 0.5,
    delayMs: [0, 3] as const,
    smsLoss: 0.2,
    smsDuplicates: 0.5,
  };
  const { road, phone, send } = await world({ radio, seed: 5 });
  phone.powerOn();
  await phone.walk(ORDER_IT);
  await send({ kind: "content_ready", itemId: ITEM });
  await phone.until(() => road.state.done, "the report");
  assert.equal(road.seen.bodies.filter((body) => body.includes("selection=")).length, 1);
  assert.equal(phone.client()!.installer.records().length, 1);
});

test("a connection that breaks under a request is tried once more with the same key, and the request is made once", async () => {
  const { road, phone } = await world({}, voiceMail);
  phone.powerOn();
  await phone.walk(ORDER_IT.slice(0, 4));
  road.state.dropPosts = 1;
  await phone.walk([{ submit: true }, { await: "status" }]);
  assert.equal(road.seen.requests.filter((request) => /POST .*requests$/.test(request)).length, 2);
  assert.equal(road.seen.bodies.length, 1);
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
  const { road, phone } = await world({
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
    pushOf({ kind: "content", itemId: ITEM, text: "MMS is on", content }, road.state.noticeKey, 9),
    MSISDN,
  );
  await phone.until(() => isActive(phone.client()!.installer.modules(), "mms"), "the activation");
  await phone.until(() => turnup.taken.length > 0 && !phone.isBusy(), "the reply");
  const [reply] = turnup.taken;
  assert.equal(reply?.from, MSISDN);
  assert.equal(openReply(reply!.data, road.state.noticeKey).kind, "installed");
  assert.ok(
    !road.seen.requests.some((request) => request.includes("/items/")),
    "nothing of it went wideband",
  );
});

test("a proxy that is not the one the phone trusts gets no word of the user", async () => {
  const stranger = authority("stranger");
  const { road, phone } = await world({ proxyAuthority: stranger.pem });
  phone.powerOn();
  await phone.until(() => phone.screen()?.id === "problem", "the problem", 30_000);
  assert.deepEqual(road.seen.requests, []);
  assert.ok(new X509Certificate(stranger.pem).ca);
});

test("a phone without the right address says so on its display and opens no connection", async () => {
  const { road, phone } = await world({ provisioningUri: "nowhere" });
  phone.powerOn();
  await phone.until(() => phone.screen()?.id === "unready", "the screen");
  phone.press("SOFT_LEFT", "DOWN", "1", "SOFT_LEFT");
  assert.deepEqual(
    road.seen.requests.filter((request) => !request.includes("est")),
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

test("the address book and the call for help stand on the display of a phone that has nothing yet (rows 11, 23)", async () => {
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
