/** A proxy, two provisioning servers and devices for tests: real sockets, real TLS, each party with files of its own. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pair } from "../src/app/certificates.ts";
import { type Land, startLand } from "../src/app/land.ts";
import { type ProxyOptions, type ProxyServer, startProxy } from "../src/app/proxy.ts";
import { ensureRoadCertificates, type RoadCertificates } from "../src/app/road-certificates.ts";
import type { RoadHandler, RoadIdentity, RoadRequest } from "../src/http/land/handler.ts";
import type { LandRefusal } from "../src/http/land/server.ts";
import type { AuditRecord } from "../src/proxy/session.ts";
import { parseImei } from "../src/term/imei.ts";
import { imeiNameOf } from "../src/wire/message/party-name.ts";
import type { EnrolmentAnswer } from "../src/wire/message/road.ts";
import { ROAD } from "../src/wire/message/road.ts";
import type { Screen } from "../src/wire/screen/screen.ts";
import { type CertificateRequest, composeCertificate, pemOf } from "../src/wire/x509/certificate.ts";

export const IMEI = "356938035643809";
export const OTHER_IMEI = "490154203237518";
export const IMSI = "234150999999999";
export const MSISDN = "447700900123";
export const PROXY_ID = "edge-1";
export const SERVER_ID = "turnup-1";

export type Received = { readonly identity: RoadIdentity; readonly request: RoadRequest };
export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};
export type RoadParties = Awaited<ReturnType<typeof openRoad>>;

/** A screen whose links lead to both servers, and one outside. */
export const screenOf = (otherServer: string): Screen => ({
  id: "start",
  title: "Welcome",
  lang: "en",
  text: ["Choose one."],
  entries: [
    { label: "Here", href: "/d/packages" },
    { label: "There", href: `${otherServer}/d/services` },
  ],
  form: {
    action: ROAD.requests,
    submit: "Send",
    fields: [{ name: "familyName", label: "Name", kind: "text", required: true }],
    hidden: {},
  },
  actions: [{ role: "help", label: "Help", href: "https://operator.example/help" }],
});

export async function openRoad(
  changes: {
    readonly handler?: RoadHandler;
    readonly proxy?: Partial<ProxyOptions>;
    readonly now?: () => Date;
    readonly tokens?: Map<string, EnrolmentAnswer>;
    readonly beforeProxy?: (land: Land, certificates: RoadCertificates) => Partial<ProxyOptions>;
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-road-"));
  const now = changes.now ?? (() => new Date());
  const certificates = await ensureRoadCertificates({ folder, proxyId: PROXY_ID, now: new Date() });
  const received: Received[] = [];
  const refusals: LandRefusal[] = [];
  const records: AuditRecord[] = [];
  const faults: Error[] = [];
  const tokens = changes.tokens ?? new Map<string, EnrolmentAnswer>();
  const state = { otherUrl: "https://127.0.0.1:1" };
  const handler: RoadHandler =
    changes.handler ?? (async () => ({ kind: "screen", status: 200, screen: screenOf(state.otherUrl) }));
  const land = (id: string): Promise<Land> =>
    startLand({
      id,
      port: 0,
      certificates: certificates.land,
      proxies: [certificates.landProxy],
      handler(identity, request) {
        received.push({ identity, request });
        return handler(identity, request);
      },
      async enrolmentOf(token) {
        const found = tokens.get(token);
        tokens.delete(token);
        return found;
      },
      now,
      onRefused: (refusal) => refusals.push(refusal),
      onFault: (error) => faults.push(error),
    });
  const first = await land(SERVER_ID);
  const second = await land("turnup-2");
  state.otherUrl = second.url;
  const { serverAuthority: authority, publicKey } = certificates.land;
  const proxyOptions: ProxyOptions = {
    id: PROXY_ID,
    port: 0,
    certificates: certificates.proxy,
    journalFolder: join(folder, "journal"),
    servers: [
      { url: first.url, id: SERVER_ID, authority, publicKey },
      { url: second.url, id: "turnup-2", authority, publicKey },
    ],
    now,
    onTerminated: (record) => records.push(record),
    onFault: (error) => faults.push(error),
    ...changes.proxy,
    ...changes.beforeProxy?.(first, certificates),
  };
  let proxy: ProxyServer = await startProxy(proxyOptions);
  const factory = await certificates.factoryPair(IMEI);
  const server = `127.0.0.1:${first.port}`;
  return {
    folder,
    certificates,
    land: first,
    otherLand: second,
    received,
    refusals,
    records,
    faults,
    tokens,
    factory,
    server,
    otherServer: `127.0.0.1:${second.port}`,
    get proxy() {
      return proxy;
    },
    async restartProxy(more: Partial<ProxyOptions> = {}) {
      await proxy.close();
      proxy = await startProxy({ ...proxyOptions, ...more });
    },
    /** A request of a device on the air side. */
    async air(
      path: string,
      given: {
        readonly pair?: Pair | undefined;
        readonly method?: string;
        readonly headers?: RequestOptions["headers"];
        readonly body?: string | Uint8Array;
        readonly tls?: Pick<RequestOptions, "maxVersion" | "minVersion">;
      } = {},
    ): Promise<Answered> {
      return ask(new URL(path, proxy.url), {
        method: given.method ?? "GET",
        headers: { accept: "application/vnd.turnup.screen+json", ...given.headers } as Record<string, string>,
        body: given.body,
        ca: certificates.proxy.airAuthority,
        ...(given.pair && { key: given.pair.key, cert: given.pair.certificate }),
        ...given.tls,
      });
    },
    start: () => ROAD.through(server, ROAD.start),
    async close() {
      await proxy.close();
      await first.close();
      await second.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One request on a connection of its own, and its whole answer; rejects as the socket does. */
export function ask(
  url: URL,
  options: RequestOptions & { readonly body?: string | Uint8Array | undefined },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const make = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = make(url, { agent: false, ...rest }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
      incoming.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export const screenIn = ({ body }: Answered): Screen => JSON.parse(body.toString("utf8")) as Screen;

const DAY_MS = 86_400_000;

/** A certificate with any fault that a test wants. */
export function pairOf(
  authority: Pair,
  changes: Partial<
    Pick<CertificateRequest, "purpose" | "names" | "notBefore" | "notAfter" | "commonName">
  > = {},
): Pair {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuerKey = createPrivateKey(authority.key);
  const certificate = composeCertificate({
    serial: Buffer.concat([Uint8Array.of(1), randomBytes(15)]),
    commonName: "device",
    purpose: "client",
    names: [{ kind: "uri", uri: imeiNameOf(parseImei(IMEI)) }],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    ...changes,
    publicKey: keys.publicKey,
    issuer: {
      commonName: new X509Certificate(authority.certificate).subject.replace(/^CN=/, ""),
      privateKey: issuerKey,
      publicKey: createPublicKey(issuerKey),
    },
  });
  return {
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pemOf(certificate),
  };
}

/** An authority that nobody trusts. */
export function strangerAuthority(): Pair {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = composeCertificate({
    serial: Uint8Array.of(7, 7, 7),
    commonName: "Stranger",
    purpose: "authority",
    names: [],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    publicKey: keys.publicKey,
    issuer: { commonName: "Stranger", ...keys },
  });
  return {
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pemOf(certificate),
  };
}
