/** The manufacturer of the simulated world, and the network that leads to its servers: access points, MMS centre, video calls. */
import { join } from "node:path";
import { startApplicationServer } from "../../sim/core/application-server.ts";
import { type PacketGateway, startPacketGateway } from "../../sim/core/packet-gateway.ts";
import { MEDIA_PORTS, startVideoServer, type VideoServer } from "../../sim/core/video-server.ts";
import { VIDEO_PORT } from "../../sim/handset/video-application.ts";
import type { MakerCertificates } from "../certificates/certificates.ts";
import type { Maker, startMaker } from "../party/maker.ts";
import type { ClosingStack } from "../server/closing-stack.ts";
import { makerClient, WORLD } from "./world-facts.ts";
import type { Given, Handsets } from "./world-given.ts";
import type { Messaging } from "./world-messaging.ts";
import type { WorldOptions } from "./world-options.ts";

const KEY_VALID_MS = 365 * 86_400_000;

export function makerOf(
  { folder, models, keyServerMakes }: WorldOptions,
  certificates: MakerCertificates,
): Parameters<typeof startMaker>[0] {
  const makes = new Map(models.map(({ tac, make, model }) => [tac, { make, model }]));
  return {
    port: 0,
    certificates,
    journalFolder: join(folder, "maker-journal"),
    policy: {
      issuer: WORLD.issuer,
      clients: [makerClient()],
      makes: keyServerMakes,
      modelOf: (tac) => makes.get(tac),
      offerOf: () => ({
        accessPoints: [
          { apn: WORLD.makerApn, use: "maker", authType: "none", mmsc: `http://${WORLD.makerHost}/m` },
        ],
        hosts: [WORLD.makerHost],
      }),
      deleteAfterUse: true,
      validityMs: KEY_VALID_MS,
    },
  };
}

/** The access points, and the manufacturer's application server behind one of them. */
export async function startNetwork(
  closing: ClosingStack,
  { options, turnup, onFault }: Given,
  maker: Maker,
  { messaging, handsets }: { readonly messaging: Messaging; readonly handsets: Handsets },
): Promise<PacketGateway> {
  const application = closing.use(
    await startApplicationServer({
      mmsc: messaging.mmsc,
      onArrivals: (batch) => turnup.arrivals(batch),
      verifyArrival: maker.keyServer.verifyArrival,
      onFault,
    }),
  );
  const { mmsProxy } = WORLD;
  const radios = new Map(options.models.map(({ tac, radioType }) => [tac, radioType]));
  const video = closing.use(
    await startVideoServer({ onCall: ({ port }) => callEnded(messaging, gateway, port) }),
  );
  const gateway = closing.use(
    await startPacketGateway({
      accessPoints: [
        { apn: WORLD.factoryApn, hosts: ["internet.example"] },
        { apn: WORLD.operatorApns.internet, hosts: ["internet.example", WORLD.callHost] },
        { apn: WORLD.operatorApns.mms, hosts: [WORLD.mmscHost], proxy: `${mmsProxy.host}:${mmsProxy.port}` },
        { apn: WORLD.makerApn, hosts: [WORLD.makerHost] },
        { apn: WORLD.ownApn, hosts: [WORLD.ownHost] },
      ],
      hosts: new Map([
        [WORLD.makerHost, application.url],
        [WORLD.ownHost, application.url],
        [WORLD.mmscHost, application.url],
      ]),
      msisdnOf: (imsi) =>
        handsets.numbers.get(imsi) ?? handsets.road?.phones.find((phone) => phone.imsi === imsi)?.msisdn,
      radioOf: (imei) => radios.get(imei.slice(0, TAC_DIGITS)),
      onUsage: (batch) => turnup.traffic(batch),
      onFailedAttempts: (batch) => turnup.failedAttempts(batch),
      services: new Map(
        [WORLD.makerHost, WORLD.ownHost, WORLD.callHost].flatMap((host) => callPorts(host, video)),
      ),
      onFault,
    }),
  );
  return gateway;
}

const TAC_DIGITS = 8;

/** Its signalling, and the streams of its calls. */
const callPorts = (host: string, { port, mediaPort }: VideoServer): [string, number][] => [
  [`${host}:${VIDEO_PORT}`, port],
  ...Object.values(MEDIA_PORTS).map((media): [string, number] => [`${host}:${media}`, mediaPort]),
];

/** The video server knows a call by where it came from; whose that is, the network knows. */
function callEnded({ worked }: Messaging, gateway: PacketGateway, port: number): void {
  const owner = gateway.ownerOfPort(port);
  if (owner) worked.push({ ...owner, application: "video_call", at: new Date() });
}
