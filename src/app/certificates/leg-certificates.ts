/**
 * Makes, on first start, what the legs of the device's road need: authorities apart for the factories' devices, for the
 * keys that devices make themselves, for proxies, and for provisioning servers; a pair for each end; and the keys that
 * sign. For one machine and for trials: real parties bring their own files. No key serves two legs.
 *
 *   factory/    authority, device-<imei>     what a phone leaves its factory with
 *   enrolment/  authority                    issues certificates to devices' own keys
 *   proxy/      authority, air, land-<id>    devices trust it for the proxy, servers trust it for land-<id>
 *               signing.key air-session.key seal.key
 *   server/     authority, server, signing.key session.key
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { join } from "node:path";
import type { LandProxy } from "../../http/land/server.ts";
import type { EnrolmentAuthority } from "../../http/proxy/est.ts";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { parseImei } from "../../term/imei.ts";
import { imeiNameOf, proxyNameOf } from "../../wire/message/party-name.ts";
import {
  ensureAuthority,
  ensureFile,
  ensurePair,
  ensureSecret,
  hostName,
  type Leaf,
  type Pair,
} from "./certificates.ts";

const DEVICE_CERTIFICATE_DAYS = 30;
const SIGNING_ALGORITHM = "ecdsa-p256-sha256";

export type ProxyCertificates = {
  /** Shown to devices. */
  readonly air: Pair;
  /** What devices trust the proxy by. */
  readonly airAuthority: string;
  readonly factoryAuthorities: readonly string[];
  readonly enrolment: EnrolmentAuthority;
  /** Shown at the door for the proxy's operator; of the same authority. */
  readonly manage: Pair;
  /** Shown to provisioning servers. */
  readonly land: Pair;
  readonly signing: {
    readonly keyid: string;
    readonly algorithm: typeof SIGNING_ALGORITHM;
    readonly key: KeyObject;
  };
  /** Seals air sessions. */
  readonly airKey: Uint8Array;
  /** Seals the journal. */
  readonly sealKey: Uint8Array;
};
export type LandCertificates = {
  readonly server: Pair;
  /** What proxies trust the server by. */
  readonly serverAuthority: string;
  /** What the server trusts proxies by. */
  readonly proxyAuthority: string;
  readonly signingKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Seals land sessions. */
  readonly sessionKey: Uint8Array;
};
export type LegCertificates = {
  readonly proxy: ProxyCertificates;
  readonly land: LandCertificates;
  /** How the server knows the proxy of this folder. */
  readonly landProxy: LandProxy;
  /** What a phone with this IMEI leaves its factory with; the same again when it is asked again. */
  factoryPair(imei: string): Promise<Pair>;
};

const DEFAULT_HOSTS = ["localhost", "127.0.0.1", "::1"];

export async function ensureLegCertificates(options: {
  readonly folder: string;
  readonly proxyId: string;
  /** Names and addresses under which proxy and server are called. */
  readonly hosts?: readonly string[];
  readonly now: Date;
}): Promise<LegCertificates> {
  const { folder, now, hosts = DEFAULT_HOSTS } = options;
  const factory = await roomOf(folder, "factory", now);
  const proxy = await ensureProxyCertificates({ ...options, hosts });
  const land = await ensureLandCertificates({ folder, hosts, now, proxyAuthority: proxy.airAuthority });
  return {
    proxy,
    land,
    landProxy: landProxyOf(options.proxyId, proxy),
    factoryPair: (imei) =>
      factory.pair(`device-${imei}`, {
        commonName: `device ${imei.slice(0, 8)}`,
        purpose: "client",
        names: [{ kind: "uri", uri: imeiNameOf(parseImei(imei)) }],
      }),
  };
}

/** How a server knows the proxy that has these certificates. */
export const landProxyOf = (
  id: string,
  { signing: { keyid, algorithm, key } }: Pick<ProxyCertificates, "signing">,
): LandProxy => ({ id, keys: [{ keyid, algorithm, key: createPublicKey(key) }] });

/** The proxy's own; a trial's factory is made with them where none is given. */
export async function ensureProxyCertificates(options: {
  readonly folder: string;
  readonly proxyId: string;
  readonly hosts?: readonly string[];
  /** PEM of the factories whose devices are believed. */
  readonly factoryAuthorities?: readonly string[];
  readonly now: Date;
}): Promise<ProxyCertificates> {
  const { folder, proxyId, hosts = DEFAULT_HOSTS, now } = options;
  const proxy = await roomOf(folder, "proxy", now);
  const enrolment = await roomOf(folder, "enrolment", now);
  const enrolmentKey = createPrivateKey(enrolment.authority.key);
  return {
    air: await proxy.pair("air", {
      commonName: "Turnup proxy",
      purpose: "server",
      names: hosts.map(hostName),
    }),
    airAuthority: proxy.authority.certificate,
    manage: await proxy.pair("manage", {
      commonName: "Turnup proxy, for its operator",
      purpose: "server",
      names: hosts.map(hostName),
    }),
    factoryAuthorities: options.factoryAuthorities ?? [
      (await roomOf(folder, "factory", now)).authority.certificate,
    ],
    enrolment: {
      certificate: enrolment.authority.certificate,
      privateKey: enrolmentKey,
      publicKey: createPublicKey(enrolmentKey),
      commonName: enrolment.commonName,
      validityDays: DEVICE_CERTIFICATE_DAYS,
    },
    land: await proxy.pair(`land-${proxyId}`, {
      commonName: proxyId,
      purpose: "client",
      names: [{ kind: "uri", uri: proxyNameOf(proxyId) }],
    }),
    signing: {
      keyid: `${proxyId}-1`,
      algorithm: SIGNING_ALGORITHM,
      key: await signingKeyIn(
        proxy.folder,
        () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
      ),
    },
    airKey: await ensureSecret(join(proxy.folder, "air-session.key")),
    sealKey: await ensureSecret(join(proxy.folder, "seal.key")),
  };
}

/** The server's own end of the land leg. */
export async function ensureLandCertificates(options: {
  readonly folder: string;
  readonly hosts?: readonly string[];
  readonly proxyAuthority: string;
  readonly now: Date;
}): Promise<LandCertificates> {
  const { hosts = DEFAULT_HOSTS } = options;
  const server = await roomOf(options.folder, "server", options.now);
  const signingKey = await signingKeyIn(server.folder, () => generateKeyPairSync("ed25519").privateKey);
  return {
    server: await server.pair("server", {
      commonName: "Turnup provisioning server",
      purpose: "server",
      names: hosts.map(hostName),
    }),
    serverAuthority: server.authority.certificate,
    proxyAuthority: options.proxyAuthority,
    signingKey,
    publicKey: createPublicKey(signingKey),
    sessionKey: await ensureSecret(join(server.folder, "session.key")),
  };
}

/** One authority and what it signs. */
async function roomOf(parent: string, name: string, now: Date) {
  const folder = join(parent, name);
  makePrivateFolder(folder);
  const authority = await ensureAuthority(folder, now);
  return {
    folder,
    authority,
    commonName: new X509Certificate(authority.certificate).subject.replace(/^CN=/, ""),
    pair: (file: string, leaf: Leaf): Promise<Pair> => ensurePair(folder, file, authority, now, leaf),
  };
}

const signingKeyIn = async (folder: string, make: () => KeyObject): Promise<KeyObject> =>
  createPrivateKey(
    await ensureFile(join(folder, "signing.key"), () =>
      make().export({ type: "pkcs8", format: "pem" }).toString(),
    ),
  );
