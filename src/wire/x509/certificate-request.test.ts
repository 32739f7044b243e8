/** Requests for certificates, as another implementation reads them. */
import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { fromBER } from "asn1js";
import { CertificationRequest } from "pkijs";
import { test } from "vitest";
import { composeCertificateRequest } from "./certificate-request.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const request = {
  commonName: "device",
  names: [{ kind: "uri", uri: "urn:gsma:imei:35693803-564380-0" }],
  privateKey,
} as const;

test("a request for a certificate is PKCS#10 to another implementation, and signed by the key that it asks for", () => {
  const bytes = composeCertificateRequest(request);
  const read = new CertificationRequest({ schema: fromBER(Uint8Array.from(bytes).buffer).result });
  assert.equal(read.version, 0);
  assert.equal(read.subject.typesAndValues[0]?.value.valueBlock.value, "device");
  const signature = Buffer.from(read.signatureValue.valueBlock.valueHexView);
  assert.ok(verify("sha256", Buffer.from(read.tbsView), publicKey, signature));
  assert.deepEqual(
    read.attributes?.map(({ type }) => type),
    ["1.2.840.113549.1.9.14"],
  );
});

test("a request without names has no extensions, and one for another curve is refused", () => {
  const bytes = composeCertificateRequest({ ...request, names: [] });
  const read = new CertificationRequest({ schema: fromBER(Uint8Array.from(bytes).buffer).result });
  assert.equal(read.attributes?.length ?? 0, 0);
  const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  assert.throws(() => composeCertificateRequest({ ...request, privateKey: other }), RangeError);
});
