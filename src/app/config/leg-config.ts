/**
 * What the two ends of the land leg are told by files: the proxy's policy, and the list of proxies that a server knows.
 * Paths in a file are relative to it. What is wrong is told with its place, and nothing starts.
 */
import { createPublicKey, hkdfSync, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import type { LandProxy } from "../../http/land/server.ts";
import type { ProvisioningServer } from "../../net/gateway/gateway.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import { TurnupError } from "../../term/error.ts";
import { SIGNATURE_ALGORITHMS } from "../../wire/httpsig/signature.ts";
import { AIR_CHANNELS, type BearerOverrides, PARTS_MAX } from "../../wire/message/bearer-profile.ts";
import { BEARERS } from "../../wire/message/legs.ts";
import {
  integer,
  list,
  object,
  oneOf,
  optional,
  type Read,
  ShapeError,
  text,
} from "../../wire/message/shape.ts";
import type { LandCertificates } from "../certificates/leg-certificates.ts";
import type { BearerNetwork, ProxyAccount } from "../party/proxy.ts";
import type { ManageAddress } from "../server/proxy-teller.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { isReachableUrl } from "./forms.ts";
import { checkAuthority, checkIdentity, keyIn } from "./pem.ts";

const SERVERS_MAX = 100;
const GATEWAYS_MAX = 100;
const ADDRESSES_MAX = 200;
const PROXIES_MAX = 1_000;
const KEYS_MAX = 4;
const ACCOUNT_LINE_MAX = 1_000;

const id = text({ max: 64, pattern: /^[A-Za-z0-9._-]+$/, wanted: "1 to 64 of A-Z a-z 0-9 . _ - are wanted" });
const file = text({ max: 1_000 });
const header = text({
  max: 100,
  pattern: /^[a-z0-9-]+$/,
  wanted: "a header's name in small letters is wanted",
});
/** In small letters, as sockets tell it. */
const address: Read<string> = (value, path) => {
  const given = text({ max: 45 })(value, path).toLowerCase();
  if (isIP(given) === 0) throw new ShapeError(path, "an IP address is wanted");
  return given;
};
const readNetwork = object({ network: address, bits: integer({ min: 0, max: 128 }), bearer: oneOf(BEARERS) });
const network: typeof readNetwork = (value, path) => {
  const given = readNetwork(value, path);
  if (given.bits > 32 && isIP(given.network) === 4)
    throw new ShapeError(`${path}.bits`, "an IPv4 network has 32 bits at most");
  return given;
};
const HTTPS_ORIGIN = /^https:\/\/[^\s/?#@]+\/?$/;
const url: Read<string> = (value, path) => {
  const wanted = "https://host:port is wanted";
  const given = text({ max: 300, pattern: HTTPS_ORIGIN, wanted })(value, path);
  if (!isReachableUrl(given)) throw new ShapeError(path, wanted);
  return given;
};

/** SubjectPublicKeyInfo in base64. */
const publicKey: Read<KeyObject> = (value, path) => {
  const base64 = text({ max: 2_000, pattern: /^[A-Za-z0-9+/]+={0,2}$/ })(value, path);
  try {
    return createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
  } catch {
    throw new ShapeError(path, "a public key, SPKI in base64, is wanted");
  }
};

const readGateways = list(
  object({
    name: id,
    addresses: list(address, { min: 1, max: ADDRESSES_MAX }),
    bearer: oneOf(BEARERS),
    msisdnHeader: optional(header),
    imsiHeader: optional(header),
    deviceIdHeader: optional(header),
  }),
  { max: GATEWAYS_MAX },
);
/** An SMPP message has room for 254 octets, and a header of several parts wants its own. */
const PART_OCTETS = { min: 40, max: 254 };
const readBearerProfile = object({
  channels: optional(list(oneOf(AIR_CHANNELS), { min: 1, max: AIR_CHANNELS.length })),
  partOctets: optional(integer(PART_OCTETS)),
  partsMax: optional(integer({ min: 1, max: PARTS_MAX })),
  rateBps: optional(integer({ min: 100, max: 10_000_000_000 })),
  latencyMs: optional(integer({ min: 0, max: 600_000 })),
});
const readBearerProfiles = object(
  Object.fromEntries(BEARERS.map((bearer) => [bearer, optional(readBearerProfile)])),
);
const readServer = object({ url, id, authorityFile: file, publicKey });
const PROXY_POLICY = {
  id,
  servers: list(readServer, { min: 1, max: SERVERS_MAX }),
  factoryAuthorityFiles: optional(list(file, { min: 1, max: SERVERS_MAX })),
  gateways: optional(readGateways),
  bearers: optional(list(network, { max: ADDRESSES_MAX })),
  bearerProfiles: optional(readBearerProfiles),
};
const readProxyPolicy = object(PROXY_POLICY);
/** In one process with a server, it leads to that one by itself. */
const readPolicyBeside = object({ ...PROXY_POLICY, servers: list(readServer, { max: SERVERS_MAX }) });
const readProxies = list(
  object({
    id,
    keys: list(object({ keyid: id, algorithm: oneOf(SIGNATURE_ALGORITHMS), publicKey }), {
      min: 1,
      max: KEYS_MAX,
    }),
    /** The operator whose devices come by it, by its short name; unless given, the one of the portal. */
    operator: optional(id),
    /** Its door for its operator: by which accounts come and go there. */
    manage: optional(object({ url, authorityFile: file, secretFile: file })),
  }),
  { min: 1, max: PROXIES_MAX },
);
const digitsOrNull: Read<string | null> = (value, path) =>
  value === null ? null : text({ max: 20, pattern: /^\d+$/, wanted: "digits are wanted" })(value, path);
const readAccount: Read<ProxyAccount> = object({
  deviceId: text({ min: 15, max: 15, pattern: /^\d+$/, wanted: "15 digits are wanted" }),
  imsi: digitsOrNull,
  msisdn: digitsOrNull,
});

export type ProxyPolicy = {
  readonly id: string;
  /** Empty only where the proxy runs in one process with the server that it leads to. */
  readonly servers: readonly ProvisioningServer[];
  /** PEM; undefined where a trial's own factory is to be made. */
  readonly factoryAuthorities: readonly string[] | undefined;
  readonly gateways: readonly GatewayRule[];
  readonly bearers: readonly BearerNetwork[];
  readonly bearerProfiles: BearerOverrides;
};

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readPolicyFile(
  path: string,
  { besideServer }: { readonly besideServer: boolean } = { besideServer: false },
): Promise<ProxyPolicy> {
  const policy = await readShape(path, besideServer ? readPolicyBeside : readProxyPolicy);
  const beside = (name: string): Promise<string> => authorityAt(resolve(dirname(path), name), path);
  return {
    id: policy.id,
    servers: await Promise.all(
      policy.servers.map(async ({ authorityFile, ...server }) => ({
        ...server,
        authority: await beside(authorityFile),
      })),
    ),
    factoryAuthorities:
      policy.factoryAuthorityFiles && (await Promise.all(policy.factoryAuthorityFiles.map(beside))),
    gateways: gatewaysOf(policy.gateways),
    bearers: policy.bearers ?? [],
    bearerProfiles: policy.bearerProfiles ?? {},
  };
}

const gatewaysOf = (given: ReturnType<typeof readGateways> = []): GatewayRule[] =>
  given.map(({ msisdnHeader, imsiHeader, deviceIdHeader, ...gateway }) => ({
    ...gateway,
    msisdnHeader: msisdnHeader ?? null,
    imsiHeader: imsiHeader ?? null,
    deviceIdHeader: deviceIdHeader ?? null,
  }));

/** The operator's own gateways in front of the public portal. @throws TurnupError `config_invalid`, `file_unreadable` */
export const readGatewaysFile = async (path: string): Promise<GatewayRule[]> =>
  gatewaysOf(await readShape(path, readGateways));

/** One device a line. @throws TurnupError `config_invalid` with the line */
export async function readAccountsFile(path: string): Promise<ProxyAccount[]> {
  const lines = (await contentOf(path)).split("\n");
  return lines.flatMap((line, at) => {
    if (line.trim() === "") return [];
    if (line.length > ACCOUNT_LINE_MAX) throw invalid(path, `line ${at + 1} is longer than any`);
    return [readJson(path, line, readAccount, `line ${at + 1}: `)];
  });
}

/** What the server's door for proxies needs; undefined where the configuration has none. */
type LandSettings = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly certificates: LandCertificates;
  readonly proxies: readonly (LandProxy & {
    readonly operator?: string | undefined;
    readonly manage?: ManageAddress;
  })[];
};

const LAND_FILES = ["authorityFile", "certificateFile", "keyFile", "signingKeyFile", "proxiesFile"] as const;

/** Whether files of the server's own end of the land leg are given. */
export const hasLandFiles = ({ land }: Pick<Config, "land">): boolean =>
  LAND_FILES.some((file) => land[file] !== undefined);

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readLandSettings({ land }: Pick<Config, "land">): Promise<LandSettings | undefined> {
  if (!hasPort("land", land, LAND_FILES)) return undefined;
  const { authorityFile, certificateFile, keyFile, signingKeyFile, proxiesFile } = land;
  if (!authorityFile || !certificateFile || !keyFile || !signingKeyFile || !proxiesFile)
    throw new TurnupError("config_invalid", "land.port is set, and a file of its section is missing.", {
      nextStep:
        "Give land.authority_file, certificate_file, key_file, signing_key_file and proxies_file, or no port.",
    });
  const signingKey = keyIn(await contentOf(signingKeyFile), "land.signing_key_file");
  if (signingKey.asymmetricKeyType !== "ed25519") throw invalid(signingKeyFile, "an Ed25519 key is wanted");
  const proxies = await readShape(proxiesFile, readProxies);
  const server = { certificate: await contentOf(certificateFile), key: await contentOf(keyFile) };
  const proxyAuthority = await contentOf(authorityFile);
  checkIdentity(server, { certificate: "land.certificate_file", key: "land.key_file" });
  checkAuthority(proxyAuthority, "land.authority_file");
  return {
    id: land.id,
    host: land.host,
    port: land.port,
    certificates: {
      server,
      serverAuthority: "",
      proxyAuthority,
      signingKey,
      publicKey: createPublicKey(signingKey),
      sessionKey: sessionKeyOf(signingKey),
    },
    proxies: await Promise.all(
      proxies.map(async ({ keys, manage, ...proxy }) => ({
        ...proxy,
        keys: keys.map(({ publicKey: key, ...rest }) => ({ ...rest, key })),
        ...(manage && { manage: await manageAddressOf(proxiesFile, manage) }),
      })),
    ),
  };
}

async function manageAddressOf(
  proxiesFile: string,
  { url, authorityFile, secretFile }: { url: string; authorityFile: string; secretFile: string },
): Promise<ManageAddress> {
  const beside = (name: string): string => resolve(dirname(proxiesFile), name);
  const secret = (await contentOf(beside(secretFile))).trim();
  if (!/^[\x20-\x7e]+$/.test(secret))
    throw invalid(beside(secretFile), "a secret of printable ASCII characters in one line is wanted");
  return { url, authority: await authorityAt(beside(authorityFile), proxiesFile), secret };
}

/** PEM of authorities, from a file that another names. */
async function authorityAt(file: string, namedIn: string): Promise<string> {
  const pem = await contentOf(file);
  checkAuthority(pem, `${namedIn}: ${file}`);
  return pem;
}

/** Every node with the same signing key takes the others' land sessions. */
const sessionKeyOf = (signingKey: KeyObject): Uint8Array =>
  new Uint8Array(
    hkdfSync("sha256", signingKey.export({ type: "pkcs8", format: "der" }), "", "turnup land session", 32),
  );

async function readShape<Value>(path: string, read: Read<Value>): Promise<Value> {
  return readJson(path, await contentOf(path), read, "");
}

function readJson<Value>(path: string, content: string, read: Read<Value>, place: string): Value {
  try {
    return read(JSON.parse(content), "");
  } catch (error) {
    if (error instanceof ShapeError) throw invalid(path, `${place}${error.message}`);
    if (error instanceof SyntaxError) throw invalid(path, `${place}no JSON`);
    throw error;
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}

const invalid = (path: string, fact: string): TurnupError =>
  new TurnupError("config_invalid", `${path}: ${fact}.`, {
    nextStep: "Correct the file at the place named; nothing of it was taken over.",
  });
