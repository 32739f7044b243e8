/** What a phone has beside its client module: settings, and the applications that it claims, against a real centre and a real far end. */
import assert from "node:assert/strict";
import { onTestFinished, test } from "vitest";
import { splitUserData } from "../../wire/sms/split.ts";
import { startApplicationServer } from "../core/application-server.ts";
import type { ApplicationWorked } from "../core/application-worked.ts";
import { createMmsc } from "../core/mmsc.ts";
import { startPacketGateway } from "../core/packet-gateway.ts";
import { MEDIA_PORTS, startVideoServer } from "../core/video-server.ts";
import type { ApplicationName } from "../handset/application-state.ts";
import type { TypedPoint } from "../handset/fleet-state.ts";
import { VIDEO_PORT } from "../handset/video-application.ts";
import { createOwnSoftware } from "./own-software.ts";
import { createPhone } from "./phone.ts";
import type { PhoneEvent } from "./phone-state.ts";

const IMEI = "356938035643809";
const SIM = { imsi: "001010123456789", msisdn: "4915100000001" };
const TYPED: readonly TypedPoint[] = [
  { apn: "internet.op", use: "internet" },
  { apn: "mms.op", use: "mms", mmsc: "http://mmsc.op/mms" },
];

async function phoneWith(applications: readonly ApplicationName[]) {
  const worked: ApplicationWorked[] = [];
  const calls: number[] = [];
  const mmsc = createMmsc({
    domain: "mmsc.op",
    defaultHost: "mmsc.op",
    onWorked: (one) => worked.push(one),
    async push(to, push) {
      const cut = { destPort: 2948, srcPort: 2948, reference: 7, referenceBits: 8 } as const;
      for (const { udh, data } of splitUserData(push, cut))
        await phone.onMessage({ to, from: "2949", esmClass: 0x40, dataCoding: 4, udh, data });
    },
  });
  const server = await startApplicationServer({ mmsc, onArrivals: async () => undefined });
  const video = await startVideoServer({ onCall: ({ videoPackets }) => calls.push(videoPackets) });
  const gateway = await startPacketGateway({
    accessPoints: [
      { apn: "internet.op", hosts: ["video.op"] },
      { apn: "mms.op", hosts: ["mmsc.op"] },
    ],
    hosts: new Map([["mmsc.op", server.url]]),
    services: new Map([
      [`video.op:${VIDEO_PORT}`, video.port],
      ...Object.values(MEDIA_PORTS).map((port) => [`video.op:${port}`, video.mediaPort] as const),
    ]),
    msisdnOf: () => SIM.msisdn,
  });
  const phoneOptions = { imei: IMEI, ...SIM, seed: 1, submitMo: async () => undefined };
  const own = createOwnSoftware(
    { ...phoneOptions, model: "Own", applications },
    {
      gateway,
      plmn: "001-01",
      contacts: [SIM.msisdn],
      callHostOf: () => "video.op",
      openLink: async () => TYPED,
    },
  );
  const phone = createPhone({
    ...phoneOptions,
    provisioningUri: null,
    proxyUri: null,
    issuerKeyOf: () => undefined,
    vendorKeyOf: () => undefined,
    onEvent: (event: PhoneEvent) => own.take(event),
  });
  phone.powerOn();
  onTestFinished(async () => {
    phone.powerOff();
    own.close();
    await gateway.close();
    await video.close();
    await server.close();
  });
  const link = "Your settings: https://turnup.invalid/s/abc";
  const text = { to: SIM.msisdn, from: "1000", esmClass: 0, dataCoding: 0, udh: new Uint8Array(0) };
  await phone.onMessage({ ...text, data: Buffer.from(link, "latin1") });
  await own.idle();
  return { own, worked, calls };
}

test("a phone with the module sends and fetches its messages over the settings that its user typed in, and its calls are seen", async () => {
  const { own, worked, calls } = await phoneWith(["mms", "video_call"]);
  const outcomes = Object.entries(own.applications()).map(([name, { now, server, apn }]) => [
    name,
    now,
    server,
    apn,
  ]);
  assert.deepEqual(outcomes, [
    ["mms", "works", "mmsc.op", "mms.op"],
    ["video_call", "works", "video.op", "internet.op"],
  ]);
  assert.deepEqual(
    [...new Set(worked.map(({ imei, application, apn }) => `${imei} ${application} ${apn}`))],
    [`${IMEI} mms mms.op`],
  );
  assert.deepEqual(calls, [12]);
});

test("a phone tries no application that it does not claim", async () => {
  const { own, worked, calls } = await phoneWith([]);
  assert.deepEqual([own.applications(), worked, calls], [{}, [], []]);
});
