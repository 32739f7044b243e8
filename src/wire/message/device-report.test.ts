/** A handset's reports about its key, under the key's own secret. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytesOf } from "../hex.ts";
import {
  arrivalProofOf,
  decodeDeviceReport,
  encodeDeviceReport,
  signDeviceReport,
  verifyArrivalProof,
  verifyDeviceReport,
} from "./device-report.ts";

const DEVICE_REPORT_OCTETS = 28;

const secret = new Uint8Array(16).fill(3);
const other = new Uint8Array(16).fill(4);
const report = {
  reference: bytesOf("0102030405060708"),
  level: "refused",
  cause: "foreign_key",
  at: new Date("2026-03-01T12:00:00Z"),
} as const;
const bytes = signDeviceReport(report, secret);

test("a report fits one binary SMS, decodes to what was said, and encodes back to the same octets", () => {
  assert.equal(bytes.length, DEVICE_REPORT_OCTETS);
  const { mac, ...said } = decodeDeviceReport(bytes);
  assert.deepEqual(said, report);
  assert.deepEqual(encodeDeviceReport({ ...said, mac }), bytes);
});

test("a report is believed only under the secret of the key that it speaks of", () => {
  assert.ok(verifyDeviceReport(bytes, secret));
  assert.ok(!verifyDeviceReport(bytes, other));
});

test("a report changed in any bit is not believed", () => {
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at] = changed[at]! ^ 1;
    assert.ok(!verifyDeviceReport(changed, secret), `octet ${at}`);
  }
});

test("a report cut short anywhere, or with more behind it, is refused with the offset", () => {
  for (let cut = 0; cut < bytes.length; cut++)
    assert.throws(() => decodeDeviceReport(bytes.subarray(0, cut)), { name: "DecodeError", offset: cut });
  assert.throws(() => decodeDeviceReport(Uint8Array.from([...bytes, 0])), {
    name: "DecodeError",
    offset: DEVICE_REPORT_OCTETS,
  });
});

test("an arrival is proved only with the secret and the id of the same key", () => {
  const keyId = new Uint8Array(16).fill(1);
  const proof = arrivalProofOf(secret, keyId);
  assert.ok(verifyArrivalProof(proof, secret, keyId));
  assert.ok(!verifyArrivalProof(proof, other, keyId));
  assert.ok(!verifyArrivalProof(proof, secret, new Uint8Array(16).fill(2)));
  assert.ok(!verifyArrivalProof(proof.subarray(0, 15), secret, keyId));
});
