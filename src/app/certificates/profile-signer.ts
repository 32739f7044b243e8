/**
 * Signs configuration profiles: CMS SignedData (RFC 5652 clause 5) in DER with the profile inside, SHA-256, and the signed
 * attributes contentType, messageDigest and signingTime. The certificates of the signer go along, but for a root.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ObjectIdentifier, OctetString, UTCTime } from "asn1js";
import {
  Attribute,
  Certificate,
  ContentInfo,
  CryptoEngine,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from "pkijs";
import { TurnupError } from "../../term/error.ts";
import { assured } from "../../term/narrow.ts";
import type { Config } from "../config/config.ts";
import { certificatesIn, checkIdentity, keyIn, togetherOrNone } from "../config/pem.ts";

const DATA = "1.2.840.113549.1.7.1";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_TIME = "1.2.840.113549.1.9.5";
const SHA_256 = "SHA-256";
const NAMES = { certificate: "apple.certificate_file", key: "apple.key_file" };

type ProfileSigner = (profile: Uint8Array) => Promise<Uint8Array>;

type Signer = { readonly sign: ProfileSigner; readonly from: Date; readonly until: Date };

/** Undefined where neither file is named: profiles go out unsigned. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function profileSignerOf(
  { apple: { certificateFile, keyFile } }: Pick<Config, "apple">,
  now: () => Date,
): Promise<Signer | undefined> {
  togetherOrNone({ [NAMES.certificate]: certificateFile, [NAMES.key]: keyFile });
  if (!certificateFile || !keyFile) return undefined;
  const pem = { certificate: await contentOf(certificateFile), key: await contentOf(keyFile) };
  checkIdentity(pem, NAMES);
  const chain = certificatesIn(pem.certificate, NAMES.certificate);
  const { validFrom, validTo } = assured(chain[0], "a file that holds no certificate was refused");
  const sign = await profileSigner(chain, keyIn(pem.key, NAMES.key), now);
  return { sign, from: new Date(validFrom), until: new Date(validTo) };
}

type LiveSigner = {
  /** Undefined too while the certificate is not good: a signature that proves nothing is told as none. */
  readonly current: () => ProfileSigner | undefined;
  /** Reads the files anew; answers what puts them into force. @throws TurnupError: nothing is changed */
  prepare(next: Pick<Config, "apple">): Promise<() => void>;
};

export async function openProfileSigner(config: Pick<Config, "apple">, now: () => Date): Promise<LiveSigner> {
  let signer = await profileSignerOf(config, now);
  return {
    current: () => (signer && signer.from <= now() && now() < signer.until ? signer.sign : undefined),
    async prepare(next) {
      const newer = await profileSignerOf(next, now);
      return () => {
        signer = newer;
      };
    },
  };
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}

/** How the key signs, in the words of Web Cryptography; RSA and P-256 are what phones know. */
function algorithmOf(key: KeyObject) {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: SHA_256 };
  if (key.asymmetricKeyType === "ec" && curve === "prime256v1")
    return { name: "ECDSA", namedCurve: "P-256", hash: SHA_256 };
  throw new TurnupError("config_invalid", `${NAMES.key} is neither an RSA key nor one of P-256.`, {
    nextStep: "Give the key and certificate of the web server.",
  });
}

/** @param chain the signer's own certificate first, then those above it */
async function profileSigner(
  chain: readonly X509Certificate[],
  key: KeyObject,
  now: () => Date,
): Promise<ProfileSigner> {
  const engine = new CryptoEngine({ name: "node", crypto: globalThis.crypto });
  const privateKey = await globalThis.crypto.subtle.importKey(
    "pkcs8",
    key.export({ format: "der", type: "pkcs8" }),
    algorithmOf(key),
    false,
    ["sign"],
  );
  const certificates = chain
    .filter((one, at) => at === 0 || !one.checkIssued(one))
    .map((one) => Certificate.fromBER(exactBuffer(one.raw)));
  return async (profile) => {
    const content = exactBuffer(profile);
    const [own] = certificates;
    if (!own) throw new TurnupError("config_invalid", `${NAMES.certificate} holds no certificate.`);
    const signer = new SignerInfo({
      version: 1,
      sid: new IssuerAndSerialNumber({ issuer: own.issuer, serialNumber: own.serialNumber }),
      signedAttrs: new SignedAndUnsignedAttributes({
        type: 0,
        attributes: [
          new Attribute({ type: CONTENT_TYPE, values: [new ObjectIdentifier({ value: DATA })] }),
          new Attribute({ type: SIGNING_TIME, values: [new UTCTime({ valueDate: now() })] }),
          new Attribute({
            type: MESSAGE_DIGEST,
            values: [new OctetString({ valueHex: await globalThis.crypto.subtle.digest(SHA_256, content) })],
          }),
        ],
      }),
    });
    const signed = new SignedData({
      version: 1,
      encapContentInfo: new EncapsulatedContentInfo({
        eContentType: DATA,
        eContent: new OctetString({ valueHex: content }),
      }),
      signerInfos: [signer],
      certificates,
    });
    await signed.sign(privateKey, 0, SHA_256, undefined, engine);
    const info = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content: signed.toSchema(true) });
    return new Uint8Array(info.toSchema().toBER());
  };
}

/** Node's buffers share a pool: only their own octets may be handed on. */
const exactBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
