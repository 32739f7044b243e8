/** Certificates and keys that a configuration names, looked at before anything is opened with them. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { TurnupError } from "../../term/error.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

const PEM_BLOCK = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

/** Public keys, or those of certificates; empty where there is none or one cannot be read. */
export function publicKeysIn(pem: string): KeyObject[] {
  try {
    return [...pem.matchAll(PEM_BLOCK)].map(([block, kind]) =>
      kind === "CERTIFICATE" ? new X509Certificate(block).publicKey : createPublicKey(block),
    );
  } catch {
    return []; // what OpenSSL says of it helps nobody
  }
}

/** @throws TurnupError `config_invalid`: no certificate is in it, or one that cannot be read */
export function checkAuthority(pem: string, name: string): void {
  certificatesIn(pem, name);
}

/** @throws TurnupError `config_invalid`: what is no certificate, no key, or not the key of the certificate */
export function checkIdentity(
  { certificate, key }: { readonly certificate: string; readonly key: string },
  names: { readonly certificate: string; readonly key: string },
): void {
  const [own] = certificatesIn(certificate, names.certificate);
  if (own?.checkPrivateKey(keyIn(key, names.key))) return;
  throw invalid(
    `${names.key} is not the key of ${names.certificate}.`,
    "Give the key that the certificate was made for; its own certificate stands first in its file.",
  );
}

/** @throws TurnupError `config_invalid`: none, or one that cannot be read */
export function certificatesIn(pem: string, name: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    throw invalid(`${name} holds no certificate in PEM.`, "It begins with -----BEGIN CERTIFICATE-----.");
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw invalid(
        `${name}: certificate ${at + 1} of ${blocks.length} cannot be read.`,
        "Write the file anew.",
      );
    }
  });
}

/** @throws TurnupError `config_invalid` */
export function keyIn(pem: string, name: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // What the library says may quote the file.
    throw invalid(
      `${name} holds no private key in PEM that can be read without a passphrase.`,
      "Write the file anew.",
    );
  }
}

const invalid = (fact: string, nextStep: string): TurnupError =>
  new TurnupError("config_invalid", fact, { nextStep });

/**
 * Settings that are of use only together: all of them, or none.
 * @throws TurnupError `config_invalid` naming what is there and what is missing
 */
export function togetherOrNone(settings: Readonly<Record<string, string | undefined>>): boolean {
  const names = Object.keys(settings);
  const missing = names.filter((name) => settings[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return missing.length === 0;
  const given = names.filter((name) => settings[name] !== undefined);
  throw invalid(
    `${given.join(" and ")} ${given.length === 1 ? "is" : "are"} set and ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not: they go together.`,
    `Give ${missing.join(" and ")} too, or none of them.`,
  );
}
