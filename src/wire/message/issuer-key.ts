/**
 * The public half of a key that signs what handsets take (device keys, content), as its owner gives it to whoever checks.
 * Everything that shows such a key shows it so: a handset maker compares the key that it pinned with what any of them says.
 *
 * `spki`: SubjectPublicKeyInfo (RFC 8410 clause 4) in DER, base64; `pem`: the same octets as RFC 7468 clause 13 has them;
 * `fingerprint`: SHA-256 of those octets, base64: `openssl pkey -pubin -in FILE -outform der | openssl dgst -sha256 -binary | base64`.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";

/** A signer's name and public key, in the three forms that people compare. */
export type IssuerKey = {
  /** The name that stands in what it signs. */
  readonly issuer: string;
  readonly algorithm: "Ed25519";
  readonly spki: string;
  readonly pem: string;
  readonly fingerprint: string;
  /** The 32 octets alone (RFC 8032 clause 5.1.5), in hex: by them a maker names who binds its keys at their first use. */
  readonly raw: string;
};

const RAW_OCTETS = 32;

/**
 * @param key public, or private: its public half is told
 * @throws RangeError: the key is not of Ed25519
 */
export function issuerKeyOf(issuer: string, key: KeyObject): IssuerKey {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  if (publicKey.asymmetricKeyType !== "ed25519") throw new RangeError("an issuer signs with Ed25519");
  const octets = publicKey.export({ type: "spki", format: "der" });
  return {
    issuer,
    algorithm: "Ed25519",
    spki: octets.toString("base64"),
    pem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    fingerprint: createHash("sha256").update(octets).digest("base64"),
    raw: octets.subarray(-RAW_OCTETS).toString("hex"),
  };
}

/** As commands print it. */
export const issuerKeyLines = ({
  issuer,
  algorithm,
  spki,
  pem,
  fingerprint,
  raw,
}: IssuerKey): readonly string[] => [
  `issuer       ${issuer}`,
  `algorithm    ${algorithm}`,
  `SPKI base64  ${spki}`,
  `fingerprint  ${fingerprint}  (SHA-256 of the SPKI, base64)`,
  `raw hex      ${raw}`,
  ...pem.trimEnd().split("\n"),
];
