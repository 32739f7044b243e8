/** Certificates that we write, as node's own TLS reads them. */
import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "vitest";
import { type CertificateRequest, composeCertificate, pemOf } from "./certificate.ts";

const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" });
const validity = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2051-06-30T12:30:45Z") };
const issuer = { commonName: "Turnup test authority", ...authority };
const authorityRequest: CertificateRequest = {
  ...validity,
  serial: Uint8Array.of(0x80, 1),
  commonName: issuer.commonName,
  purpose: "authority",
  names: [],
  publicKey: authority.publicKey,
  issuer,
};
const leafRequest: CertificateRequest = {
  ...validity,
  serial: Uint8Array.of(0, 0, 7),
  commonName: "Key server of Maker One",
  purpose: "server",
  names: [
    { kind: "dns", name: "keys.maker-one.example" },
    { kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) },
    { kind: "uri", uri: "urn:turnup:maker:one" },
  ],
  publicKey: leaf.publicKey,
  issuer,
};
const read = (request: CertificateRequest) => new X509Certificate(pemOf(composeCertificate(request)));

test("an authority's certificate is its own issuer's, and may sign others", () => {
  const certificate = read(authorityRequest);
  assert.equal(certificate.subject, "CN=Turnup test authority");
  assert.ok(certificate.ca && certificate.checkIssued(certificate));
  assert.ok(certificate.verify(authority.publicKey));
  assert.equal(certificate.serialNumber, "8001");
  assert.equal(new Date(certificate.validFrom).toISOString(), "2026-01-01T00:00:00.000Z");
  assert.equal(new Date(certificate.validTo).toISOString(), "2051-06-30T12:30:45.000Z");
});

test("a server's certificate names its hosts, is issued by the authority, and may sign no other", () => {
  const certificate = read(leafRequest);
  assert.ok(certificate.checkIssued(read(authorityRequest)) && certificate.verify(authority.publicKey));
  assert.ok(!certificate.ca);
  assert.equal(certificate.checkHost("keys.maker-one.example"), "keys.maker-one.example");
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkHost("maker-two.example"), undefined);
  assert.match(certificate.subjectAltName ?? "", /URI:urn:turnup:maker:one/);
  assert.equal(certificate.serialNumber, "07");
  // Node's `keyUsage` holds the extended purposes.
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
});

test("a certificate signed by another authority does not verify", () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.ok(!read({ ...leafRequest, issuer: { ...issuer, ...other } }).verify(authority.publicKey));
});

test("a key of another curve is refused", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  assert.throws(() => composeCertificate({ ...leafRequest, publicKey }), RangeError);
});
