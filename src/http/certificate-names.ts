/** By which names a certificate may stand in a file of ours. */
import type { X509Certificate } from "node:crypto";
import { uriNames } from "../wire/x509/uri-names.ts";

/** `uri:...`, `dns:...` in small letters, `cn:...`; and `sha256:` with its fingerprint, 64 hexadecimal digits in small letters. */
export function certificateNames(certificate: X509Certificate): string[] {
  const hosts = (certificate.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("DNS:"));
  const { CN: commonName }: { CN?: unknown } = certificate.toLegacyObject().subject ?? {};
  return [
    ...uriNames(certificate.subjectAltName).map((name) => `uri:${name}`),
    ...hosts.map((name) => `dns:${name.slice(4).toLowerCase()}`),
    ...(typeof commonName === "string" ? [`cn:${commonName}`] : []),
    `sha256:${certificate.fingerprint256.replaceAll(":", "").toLowerCase()}`,
  ];
}
