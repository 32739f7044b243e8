/**
 * Multimedia messages between simulated phones, their centre and the packet gateway: who may send and fetch, over which roads, and
 * what the network sees of it.
 */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { afterEach, test } from "vitest";
import type { AccessPointEntry } from "../../device/settings.ts";
import { encodeMms, MMS_CONTENT_TYPE, type NewMmsPdu } from "../../wire/mms/codec.ts";
import { encodeRtp, frameRtp, type RtpPacket } from "../../wire/rtp/packet.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import { startApplicationServer } from "../core/application-server.ts";
import type { ApplicationWorked } from "../core/application-worked.ts";
import { createMmsc } from "../core/mmsc.ts";
import { type FailedAttempt, startPacketGateway } from "../core/packet-gateway.ts";
import { MEDIA_PORTS, startVideoServer } from "../core/video-server.ts";
import { listening } from "../web/listen.ts";
import { createFleet } from "./fleet.ts";
import type { FleetEvent } from "./fleet-state.ts";
import { buildPhones } from "./phones.ts";

type StreamOwner = ReturnType<Awaited<ReturnType<typeof startPacketGateway>>["ownerOfPort"]>;

const PATIENCE_MS = 10_000;
async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > deadline) assert.fail(`it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const HOST = "mmsc.op";
const MMS: AccessPointEntry = {
  apn: "mms.op",
  uses: ["mms"],
  authType: "none",
  mmsc: `http://${HOST}/mms`,
  proxy: "10.0.0.1",
  port: 8080,
  hosts: [],
  origin: "settings",
};
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function world(settings: readonly AccessPointEntry[] = [MMS], count = 3) {
  const worked: ApplicationWorked[] = [];
  const failed: FailedAttempt[] = [];
  const events: FleetEvent[] = [];
  const phones = buildPhones({
    models: [{ tac: "35693803", make: "Nokia", model: "6021", capability: { opensBy: "itself", takes: [] } }],
    count,
    seed: 3,
    network: { mcc: "001", mnc: "01", msisdnPrefix: "49151" },
    factoryApn: "internet.old",
  });
  const numbers = new Map(phones.map(({ imsi, msisdn }) => [imsi, msisdn]));
  const pushed: { readonly to: string; readonly push: Uint8Array }[] = [];
  const mmsc = createMmsc({
    domain: HOST,
    defaultHost: HOST,
    onWorked: (one) => worked.push(one),
    async push(to, push) {
      pushed.push({ to, push });
      const cut = { destPort: 2948, srcPort: 2948, reference: pushed.length, referenceBits: 8 } as const;
      for (const { udh, data } of splitUserData(push, cut))
        await fleet.onMessage({ to, from: "2949", esmClass: 0x40, dataCoding: 4, udh, data });
    },
  });
  const server = await startApplicationServer({ mmsc, onArrivals: async () => undefined });
  const gateway = await startPacketGateway({
    accessPoints: [
      { apn: "internet.old", hosts: ["www.example"] },
      { apn: "mms.op", hosts: [HOST], proxy: "10.0.0.1:8080" },
    ],
    hosts: new Map([[HOST, server.url]]),
    msisdnOf: (imsi) => numbers.get(imsi),
    onFailedAttempts: async (batch) => void failed.push(...batch),
  });
  const fleet = createFleet({
    phones,
    settings,
    seed: 3,
    plmn: "001-01",
    gateway,
    publicKeyOf: () => undefined,
    onSighting: () => undefined,
    submitMo: async () => undefined,
    onEvent: (event) => events.push({ ...event, phone: { ...event.phone } }),
  });
  closers.push(server.close, gateway.close, fleet.close);
  for (const at of phones.keys()) await fleet.attach(at);
  const fetched = () => events.flatMap((event) => (event.kind === "message_fetched" ? [event] : []));
  return { fleet, mmsc, gateway, phones, events, worked, failed, fetched, pushed };
}

test("a message goes to its recipient, who alone can fetch it, and its sender hears of the delivery", async () => {
  const { fleet, phones, fetched, worked, events, mmsc } = await world();
  const to = [phones[1]!.msisdn];
  const sent = await fleet.sendMessage(0, { to, text: "Grüße", wantsReport: true });
  assert.equal(sent.kind, "sent");
  await until(() => events.some(({ kind }) => kind === "message_delivered"), "the delivery is reported");
  await until(() => fetched().length === 1, "it is fetched");
  assert.deepEqual(
    fetched().map(({ phone, from, text }) => [phone.spec.imsi, from, text]),
    [[phones[1]!.imsi, `+${phones[0]!.msisdn}/TYPE=PLMN`, "Grüße"]],
  );
  // The fetch is its recipient's success, the message its sender's.
  assert.deepEqual(
    worked.map(({ imsi, application, apn, server }) => [imsi, application, apn, server]),
    [
      [phones[1]!.imsi, "mms", "mms.op", HOST],
      [phones[0]!.imsi, "mms", "mms.op", HOST],
    ],
  );
  assert.equal(mmsc.counts().waiting, 0);
});

test("a group message works when each of its recipients has fetched it, and not before", async () => {
  const { fleet, phones, worked, gateway } = await world([MMS], 3);
  const [from, ...others] = phones;
  const to = [...others.map(({ msisdn }) => msisdn), "4915100000000"]; // nobody's number
  await fleet.sendMessage(0, { to, text: "all" });
  await until(() => worked.length === 2, "both have fetched it");
  await fleet.idle();
  assert.ok(
    worked.every(({ application }) => application === "mms"),
    "one is still without it",
  );
  await fleet.sendMessage(0, { to: others.map(({ msisdn }) => msisdn), text: "all again" });
  await until(() => worked.some(({ application }) => application === "group_message"), "all have it");
  assert.equal(worked.find(({ application }) => application === "group_message")?.imsi, from!.imsi);
  assert.ok(gateway.counts().routed > 0);
});

const roads: readonly [string, readonly AccessPointEntry[], string | undefined][] = [
  ["without an access point for them", [{ ...MMS, apn: "internet.old" }], "no_route"],
  ["by a wrong proxy", [{ ...MMS, proxy: "10.0.0.9" }], "wrong_proxy"],
  [
    "by no proxy",
    [{ apn: "mms.op", uses: ["mms"], authType: "none", mmsc: MMS.mmsc!, hosts: [], origin: "settings" }],
    "wrong_proxy",
  ],
  ["with a centre that is none", [{ ...MMS, mmsc: "http://www.nowhere/mms" }], "no_route"],
  ["on an access point that is none", [{ ...MMS, apn: "mms.other" }], undefined],
];
for (const [what, settings, cause] of roads) {
  test(`a phone ${what} cannot send, and the network sees why`, async () => {
    const { fleet, phones, failed, gateway, mmsc } = await world(settings);
    const sent = await fleet.sendMessage(0, { to: [phones[1]!.msisdn], text: "hello" });
    assert.equal(sent.kind, "cut_off");
    await gateway.flush();
    assert.deepEqual(
      failed.map((one) => [one.application, one.cause, one.imei]),
      cause === undefined ? [] : [["mms", cause, phones[0]!.imei]],
    );
    assert.equal(mmsc.counts().sent, 0);
  });
}

test("what could not be fetched waits at the centre, is seen to fail, and is fetched when the right settings have come", async () => {
  const { fleet, phones, fetched, failed, gateway, events, mmsc } = await world();
  fleet.setUp(1, [{ ...MMS, apn: "internet.old" }]);
  await fleet.sendMessage(0, { to: [phones[1]!.msisdn], text: "later" });
  await until(() => events.some(({ kind }) => kind === "message_not_fetched"), "it cannot be fetched");
  await gateway.flush();
  assert.deepEqual(
    failed.map(({ imei, application, host, cause }) => [imei, application, host, cause]),
    [[phones[1]!.imei, "mms", HOST, "no_route"]],
  );
  assert.deepEqual([fetched().length, mmsc.counts().waiting], [0, 1]);
  fleet.setUp(1, [MMS]);
  await until(() => fetched().length === 1, "it is fetched");
  await until(() => mmsc.counts().waiting === 0, "it is acknowledged");
});

test("many messages that come at once are all fetched: one session carries them", async () => {
  const { fleet, phones, fetched, mmsc } = await world();
  const to = [phones[1]!.msisdn];
  await Promise.all(Array.from({ length: 12 }, (_, at) => fleet.sendMessage(0, { to, text: String(at) })));
  await until(() => fetched().length === 12, "all are fetched");
  assert.equal(mmsc.counts().waiting, 0);
});

test("a notification that comes twice is fetched once", async () => {
  const { fleet, phones, fetched, pushed, gateway } = await world();
  await fleet.sendMessage(0, { to: [phones[1]!.msisdn], text: "once" });
  await until(() => fetched().length === 1, "it is fetched");
  const { routed } = gateway.counts();
  const [{ to, push }] = pushed as [(typeof pushed)[number]];
  const cut = { destPort: 2948, srcPort: 2948, reference: 9, referenceBits: 8 } as const;
  for (const { udh, data } of splitUserData(push, cut))
    await fleet.onMessage({ to, from: "2949", esmClass: 0x40, dataCoding: 4, udh, data });
  await fleet.idle();
  assert.deepEqual([fetched().length, gateway.counts().routed], [1, routed]);
});

/** A server for video calls behind the access point, and a phone whose applications its user tries. */
async function videoWorld(
  hosts: readonly string[],
  leadsTo: readonly number[] = Object.values(MEDIA_PORTS),
  others: readonly (readonly [string, number])[] = [],
) {
  const calls: ({ readonly packets: number } & Partial<StreamOwner>)[] = [];
  const failed: FailedAttempt[] = [];
  const video = await startVideoServer({
    onCall: ({ port, videoPackets }) => calls.push({ ...gateway.ownerOfPort(port), packets: videoPackets }),
  });
  const gateway = await startPacketGateway({
    accessPoints: [{ apn: "internet.old", hosts }],
    hosts: new Map(),
    services: new Map([
      ["video.maker:5060", video.port],
      ...leadsTo.map((port) => [`video.maker:${port}`, video.mediaPort] as const),
      ...others,
    ]),
    onFailedAttempts: async (batch) => void failed.push(...batch),
  });
  const phones = buildPhones({
    models: [{ tac: "35693803", make: "Nokia", model: "6021", capability: { opensBy: "itself", takes: [] } }],
    count: 1,
    seed: 5,
    network: { mcc: "001", mnc: "01", msisdnPrefix: "49151" },
    factoryApn: "internet.old",
  });
  const fleet = createFleet({
    phones,
    seed: 5,
    plmn: "001-01",
    gateway,
    publicKeyOf: () => undefined,
    onSighting: () => undefined,
    submitMo: async () => undefined,
    makerHostOf: () => "video.maker",
    applications: { used: ["video_call"], contacts: [] },
  });
  closers.push(video.close, gateway.close, fleet.close);
  await fleet.attach(0);
  await gateway.flush();
  return {
    calls,
    failed,
    video,
    gateway,
    imei: phones[0]?.imei,
    outcome: fleet.phones()[0]?.applications.video_call,
  };
}

test("a video call is set up, seen at its far end and ended over the phone's access point, and the network knows whose it was", async () => {
  const { calls, failed, outcome, imei, video } = await videoWorld(["video.maker"]);
  assert.deepEqual([outcome?.now, outcome?.server, failed], ["works", "video.maker", []]);
  assert.deepEqual(
    calls.map((call) => [call.imei, call.apn, call.server, call.packets]),
    [[imei, "internet.old", "video.maker", 12]],
  );
  const { calls: ended, packets, streams, silent } = video.counts();
  assert.deepEqual({ ended, packets, streams, silent }, { ended: 1, packets: 24, streams: 0, silent: 0 });
});

test("a video call whose pictures do not get through is none, however well it was signalled", async () => {
  const { calls, failed, outcome, video } = await videoWorld(["video.maker"], [MEDIA_PORTS.audio]);
  assert.deepEqual([outcome?.now, calls, video.counts().silent], ["fails", [], 1]);
  assert.deepEqual(
    failed.map(({ application, cause }) => [application, cause]),
    [["video_call", "no_route"]],
  );
});

test("a video call to whose pictures nobody answers is none for the phone either", async () => {
  const mute = createServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end()));
  const port = await listening(mute, "127.0.0.1");
  closers.push(() => mute.close());
  const { outcome, calls } = await videoWorld(
    ["video.maker"],
    [MEDIA_PORTS.audio],
    [[`video.maker:${MEDIA_PORTS.video}`, port]],
  );
  assert.deepEqual([outcome?.now, calls], ["fails", []]);
});

test("the far end takes no packets but those of a call's own sources, in the formats that it agreed to", async () => {
  const video = await startVideoServer({ onCall: () => undefined });
  closers.push(video.close);
  const heardFor = (packet: Partial<RtpPacket>): Promise<number> =>
    new Promise((resolve) => {
      const socket = connect(video.mediaPort, "127.0.0.1", () => {
        const rtp = { payloadType: 34, sequence: 0, timestamp: 0, ssrc: 7, marker: true, ...packet };
        socket.write(frameRtp(encodeRtp({ ...rtp, payload: new Uint8Array(3) })));
      });
      socket.once("data", (chunk) => resolve(chunk.length)).once("close", () => resolve(0));
    });
  const offer = "v=0\r\no=a 1 1 IN IP4 b\r\nm=video 9 TCP/RTP/AVP 34\r\na=ssrc:7 cname:a\r\n";
  const invite = `INVITE sip:v@v SIP/2.0\r\ni: 1\r\nt: <sip:v@v>\r\nCSeq: 1 INVITE\r\nc: application/sdp\r\nl: ${offer.length}\r\n\r\n${offer}`;
  const caller = connect(video.port, "127.0.0.1", () => caller.write(invite));
  await new Promise((heard) => caller.once("data", heard));
  assert.ok((await heardFor({})) > 0);
  assert.equal(await heardFor({ ssrc: 8 }), 0);
  assert.equal(await heardFor({ payloadType: 96 }), 0);
  caller.destroy();
  await until(() => video.counts().streams === 0, "the streams of a call that was cut are forgotten");
  assert.equal(await heardFor({}), 0);
});

test("a video call over an access point that does not lead to its server fails, and the network sees it", async () => {
  const { calls, failed, outcome, imei } = await videoWorld(["www.example"]);
  assert.deepEqual([outcome?.now, calls], ["fails", []]);
  assert.deepEqual(
    failed.map((one) => [one.imei, one.application, one.host, one.cause]),
    [[imei, "video_call", "video.maker", "no_route"]],
  );
});

test("of the users of each model a share tries everything, the first of them always, and the others send a message", async () => {
  const { phones } = await world([MMS], 5);
  const used = ["mms", "group_message"] as const;
  const some = createFleet({
    phones: phones.map((phone, at) =>
      at === 4 ? { ...phone, tac: "35693804", claims: ["group_message"] } : phone,
    ),
    settings: [],
    seed: 3,
    plmn: "001-01",
    gateway: { host: "127.0.0.1", port: 9 },
    publicKeyOf: () => undefined,
    onSighting: () => undefined,
    submitMo: async () => undefined,
    makerHostOf: () => HOST,
    applications: { used, contacts: [], eagerShare: 0.4 },
  });
  closers.push(some.close);
  for (const at of phones.keys()) await some.attach(at);
  assert.deepEqual(
    some.phones().map(({ applications }) => Object.keys(applications)),
    [["mms", "group_message"], ["mms"], ["mms", "group_message"], ["mms"], ["group_message"]],
    "the last is the first of a model that has no other application",
  );
});

test("the video server counts no call that was not confirmed, refuses what has no video in it, and cuts who speaks no SIP", async () => {
  const calls: number[] = [];
  const video = await startVideoServer({ onCall: ({ port }) => calls.push(port) });
  closers.push(video.close);
  const say = (...texts: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      let heard = "";
      const socket = connect(video.port, "127.0.0.1", () =>
        socket.write(texts.join("").replaceAll("\n", "\r\n")),
      );
      socket.on("data", (chunk) => {
        heard += chunk;
        if (heard.split("SIP/2.0 ").length > 2) socket.end();
      });
      socket.on("close", () =>
        resolve([...heard.matchAll(/^SIP\/2\.0 (\d+)/gm)].map(([, status]) => status).join()),
      );
    });
  const call = (method: string, body = ""): string =>
    `${method} sip:v@v SIP/2.0\ni: 1\nt: <sip:v@v>\nCSeq: 1 ${method}\nc: application/sdp\nl: ${body.replaceAll("\n", "\r\n").length}\n\n${body}`;
  const audio = "v=0\no=a 1 1 IN IP4 b\nm=audio 9 RTP/AVP 0\n";
  const both = `${audio}m=video 9 RTP/AVP 34\n`;
  assert.equal(await say(call("INVITE", both), call("BYE")), "200,200");
  assert.equal(await say(call("INVITE", audio), call("BYE")), "488,481");
  assert.equal(await say("GET / HTTP/1.1\n\n"), "");
  assert.deepEqual(calls, [], "none was confirmed");
});

/** The centre by itself, as whoever the network says. */
async function centre(msisdn = "4915100000001") {
  const pushes: Uint8Array[] = [];
  const mmsc = createMmsc({
    domain: HOST,
    defaultHost: HOST,
    push: async (_, push) => void pushes.push(push),
  });
  const server = await startApplicationServer({ mmsc, onArrivals: async () => undefined });
  closers.push(server.close);
  const headers = { "x-msisdn": msisdn, "x-3gpp-imsi": "001010123456789", "x-3gpp-imei": "356938035643809" };
  const post = async (body: Uint8Array, more: Record<string, string> = headers) => {
    const response = await fetch(`${server.url}/mms`, {
      method: "POST",
      headers: { ...more, "content-type": MMS_CONTENT_TYPE },
      body,
    });
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
  };
  return { mmsc, server, post, headers, pushes };
}
const SEND: NewMmsPdu = {
  type: "m-send-req",
  transactionId: "t",
  version: "1.2",
  from: null,
  to: ["+4915100000002/TYPE=PLMN"],
  content: { contentType: "application/vnd.wap.multipart.mixed", parts: [] },
};

test("the centre believes the network alone of who asks, and gives a message to nobody but its recipient", async () => {
  const { post, server, headers, pushes, mmsc } = await centre();
  assert.equal((await post(encodeMms(SEND), {})).status, 403);
  assert.equal((await post(encodeMms(SEND))).status, 200);
  const [, place = ""] = /\/m\/([A-Za-z0-9_-]{12})/.exec(Buffer.from(pushes[0]!).toString("latin1")) ?? [];
  const get = async (msisdn: string) =>
    (await fetch(`${server.url}/m/${place}`, { headers: { ...headers, "x-msisdn": msisdn } })).status;
  assert.deepEqual([await get("4915100000003"), await get("4915100000002")], [404, 200]);
  assert.equal(mmsc.counts().fetched, 1);
});

test("an acknowledgement of what was never fetched, or of another's message, proves nothing", async () => {
  const { post, headers, mmsc } = await centre();
  await post(encodeMms(SEND));
  for (const transactionId of ["1", "2", "none"]) {
    const pdu = encodeMms({ type: "m-notifyresp-ind", transactionId, version: "1.2", status: "retrieved" });
    for (const msisdn of ["4915100000001", "4915100000002"])
      assert.equal((await post(pdu, { ...headers, "x-msisdn": msisdn })).status, 204);
  }
  assert.deepEqual([mmsc.counts().acknowledged, mmsc.counts().waiting], [0, 1]);
});

test("octets that are no PDU, PDUs of a centre, and messages to nobody or to too many are refused", async () => {
  const { post, mmsc } = await centre();
  const conf = encodeMms({ type: "m-send-conf", transactionId: "t", version: "1.2", responseStatus: "ok" });
  for (const bytes of [Uint8Array.of(1, 2, 3), conf, encodeMms(SEND).subarray(0, 9)])
    assert.equal((await post(bytes)).status, 400);
  const many = Array.from({ length: 21 }, (_, at) => `+49151000001${at}/TYPE=PLMN`);
  for (const to of [["someone@mail.example"], many]) {
    const { status, bytes } = await post(encodeMms({ ...SEND, to }));
    assert.deepEqual([status, Buffer.from(bytes).includes(0xe3)], [200, true], "sending address unresolved");
  }
  assert.deepEqual([mmsc.counts().sent, mmsc.counts().refused], [0, 2]);
});
