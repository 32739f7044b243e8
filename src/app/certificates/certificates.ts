/**
 * Makes, on first start, what mutual TLS between Turnup and another party needs: a private authority, the certificate of
 * the party's server, one client certificate for each operator, and a manufacturer's key that signs device keys. For one
 * machine and for trials; a real party brings its own files. Private files are readable by the owner alone.
 *
 *   authority.crt  authority.key  server.crt  server.key  client-<id>.crt  client-<id>.key  signing.key  seal.key  index.key
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { uint16In } from "../../wire/octet.ts";
import {
  type CertificateRequest,
  composeCertificate,
  pemOf,
  type SubjectName,
} from "../../wire/x509/certificate.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const LEAF_DAYS = 397;
/** A certificate with less left is made anew at start. */
const RENEW_BEFORE_DAYS = 30;
const CLOCK_SLACK_DAYS = 1;
const SECRET_OCTETS = 32;
const SERIAL_OCTETS = 16;

export type Pair = { readonly key: string; readonly certificate: string };
/** What one party's server needs for mutual TLS with its clients, and two secrets of its own. */
export type PartyCertificates = {
  readonly authority: string;
  readonly server: Pair;
  readonly clients: ReadonlyMap<string, Pair>;
  readonly sealKey: Uint8Array;
  readonly indexSecret: Uint8Array;
};
export type MakerCertificates = PartyCertificates & {
  /** Ed25519; handsets trust its public half. */
  readonly signing: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
};
type PartyOptions = {
  readonly folder: string;
  readonly clientIds: readonly string[];
  /** Names and addresses under which the server is called. */
  readonly hosts?: readonly string[];
  readonly now: Date;
};

export async function ensureMakerCertificates(options: PartyOptions): Promise<MakerCertificates> {
  const party = await ensurePartyCertificates({ ...options, commonName: "Manufacturer's key server" });
  const privateKey = createPrivateKey(
    await ensureFile(join(options.folder, "signing.key"), () =>
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ),
  );
  return { ...party, signing: { privateKey, publicKey: createPublicKey(privateKey) } };
}

export async function ensurePartyCertificates(
  options: PartyOptions & { readonly commonName: string },
): Promise<PartyCertificates> {
  const { folder, clientIds, hosts = ["localhost", "127.0.0.1", "::1"], now } = options;
  makePrivateFolder(folder);
  const authority = await ensureAuthority(folder, now);
  const server = await ensurePair(folder, "server", authority, now, {
    commonName: options.commonName,
    purpose: "server",
    names: hosts.map(hostName),
  });
  const clients = new Map<string, Pair>();
  for (const id of clientIds) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
      throw new RangeError("a client id has 1 to 64 of A-Z a-z 0-9 . _ -");
    const client = await ensurePair(folder, `client-${id}`, authority, now, {
      commonName: id,
      purpose: "client",
      names: [{ kind: "uri", uri: `urn:turnup:client:${id}` }],
    });
    clients.set(id, client);
  }
  return {
    authority: authority.certificate,
    server,
    clients,
    sealKey: await ensureSecret(join(folder, "seal.key")),
    indexSecret: await ensureSecret(join(folder, "index.key")),
  };
}

export type Leaf = Pick<CertificateRequest, "commonName" | "purpose" | "names">;

/** `authority.crt` and `authority.key` in the folder: of one leg alone. */
export async function ensureAuthority(folder: string, now: Date): Promise<Pair> {
  const known = await pairIn(folder, "authority", now);
  if (known) return known;
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const commonName = `Turnup private authority ${randomBytes(4).toString("hex")}`;
  return storePair(folder, "authority", keys.privateKey, {
    ...lifeOf(now, AUTHORITY_DAYS),
    commonName,
    purpose: "authority",
    names: [],
    publicKey: keys.publicKey,
    issuer: { commonName, ...keys },
  });
}

export async function ensurePair(
  folder: string,
  name: string,
  authority: Pair,
  now: Date,
  leaf: Leaf,
): Promise<Pair> {
  const known = await pairIn(folder, name, now);
  const issuerCertificate = new X509Certificate(authority.certificate);
  if (known && fits(new X509Certificate(known.certificate), issuerCertificate, leaf)) return known;
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuerKey = createPrivateKey(authority.key);
  return storePair(folder, name, keys.privateKey, {
    ...lifeOf(now, LEAF_DAYS),
    ...leaf,
    publicKey: keys.publicKey,
    issuer: {
      commonName: issuerCertificate.subject.replace(/^CN=/, ""),
      privateKey: issuerKey,
      publicKey: createPublicKey(issuerKey),
    },
  });
}

/** Issued by this authority, and good for every name that is wanted today. */
function fits(certificate: X509Certificate, issuer: X509Certificate, { names }: Leaf): boolean {
  if (!certificate.verify(issuer.publicKey)) return false;
  return names.every((name) => {
    if (name.kind === "dns") return certificate.checkHost(name.name) !== undefined;
    if (name.kind === "uri")
      return certificate.subjectAltName?.split(", ").includes(`URI:${name.uri}`) === true;
    return certificate.checkIP(textOf(name.octets)) !== undefined;
  });
}

async function pairIn(folder: string, name: string, now: Date): Promise<Pair | undefined> {
  const certificate = await readIfThere(join(folder, `${name}.crt`));
  const key = await readIfThere(join(folder, `${name}.key`));
  if (certificate === undefined || key === undefined) return undefined;
  const read = new X509Certificate(certificate);
  const lasts = new Date(read.validTo).getTime() - now.getTime() > RENEW_BEFORE_DAYS * DAY_MS;
  return lasts && read.checkPrivateKey(createPrivateKey(key)) ? { certificate, key } : undefined;
}

async function storePair(
  folder: string,
  name: string,
  privateKey: KeyObject,
  request: CertificateRequest,
): Promise<Pair> {
  const certificate = pemOf(composeCertificate(request));
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await storeFile(join(folder, `${name}.key`), key);
  await storeFile(join(folder, `${name}.crt`), certificate);
  return { certificate, key };
}

const lifeOf = (now: Date, days: number) => ({
  serial: Buffer.concat([Uint8Array.of(1), randomBytes(SERIAL_OCTETS - 1)]),
  notBefore: new Date(now.getTime() - CLOCK_SLACK_DAYS * DAY_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

export function hostName(host: string): SubjectName {
  return isIP(host) === 0 ? { kind: "dns", name: host } : { kind: "ip", octets: addressOctets(host) };
}

/** An IP address as octets; `::1` and full forms are all that a certificate here names of IPv6. */
function addressOctets(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function textOf(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(uint16In(octets, at).toString(16));
  return groups.join(":");
}

export async function ensureSecret(path: string): Promise<Uint8Array> {
  const hex = await ensureFile(path, () => randomBytes(SECRET_OCTETS).toString("hex"));
  if (!/^[0-9a-f]{64}\s*$/.test(hex)) throw new Error(`${path} does not hold 64 hex digits`);
  return Uint8Array.from(Buffer.from(hex.trim(), "hex"));
}

export async function ensureFile(path: string, make: () => string): Promise<string> {
  const known = await readIfThere(path);
  if (known !== undefined) return known;
  const made = make();
  await storeFile(path, made);
  return made;
}

/** Whole or not at all: a start that is killed leaves no half file. */
async function storeFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
