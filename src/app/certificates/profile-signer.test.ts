/** Signed profiles: the content inside, octet for octet, and a signature that its certificate verifies. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBER } from "asn1js";
import { ContentInfo, SignedData } from "pkijs";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { composeCertificate, pemOf } from "../../wire/x509/certificate.ts";
import { openProfileSigner } from "./profile-signer.ts";

const DAY_MS = 86_400_000;
const NOW = new Date("2026-11-29T23:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "turnup-signer-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));
const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });

const certificate = (
  commonName: string,
  { publicKey }: typeof signer,
  purpose: "authority" | "server",
): string =>
  pemOf(
    composeCertificate({
      serial: Uint8Array.of(7, commonName.length),
      commonName,
      purpose,
      names: [],
      notBefore: new Date(NOW.getTime() - DAY_MS),
      notAfter: new Date(NOW.getTime() + DAY_MS),
      publicKey,
      issuer: { commonName: "Root", ...authority },
    }),
  );
const fileOf = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const chain =
  certificate("start.meridian.example", signer, "server") + certificate("Root", authority, "authority");
const apple = {
  certificateFile: fileOf("chain.pem", chain),
  keyFile: fileOf("key.pem", signer.privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
};

const NONE = { certificateFile: undefined, keyFile: undefined };
const ONE_ALONE = { ...apple, keyFile: undefined };

test("a signed profile holds the profile octet for octet, its digest, its time, and a signature of the certificate in it", async () => {
  const profile = new TextEncoder().encode("<plist>…\n</plist>");
  const sign = (await openProfileSigner({ apple }, () => NOW)).current();
  assert.ok(sign);
  const octets = await sign(profile);
  const { result, offset } = fromBER(Uint8Array.from(octets).buffer);
  assert.equal(offset, octets.length, "DER and nothing behind it");
  const info = new ContentInfo({ schema: result });
  assert.equal(info.contentType, "1.2.840.113549.1.7.2");
  const signed = new SignedData({ schema: info.content });
  const content = signed.encapContentInfo.eContent?.getValue();
  assert.deepEqual(new Uint8Array(content ?? new ArrayBuffer(0)), profile);
  assert.equal(signed.certificates?.length, 1, "the root stays at home");
  const [one] = signed.signerInfos;
  const attributes = new Map(one?.signedAttrs?.attributes.map(({ type, values }) => [type, values[0]]));
  assert.deepEqual(
    Buffer.from(attributes.get("1.2.840.113549.1.9.4").valueBlock.valueHexView),
    createHash("sha256").update(profile).digest(),
  );
  assert.deepEqual(attributes.get("1.2.840.113549.1.9.5").toDate(), NOW);
  const signedOctets = Buffer.from(one?.signedAttrs?.encodedValue ?? new ArrayBuffer(0));
  signedOctets[0] = 0x31; // RFC 5652 clause 5.4: as a SET OF
  const signature = Buffer.from(one?.signature.valueBlock.valueHexView ?? []);
  assert.ok(verify("sha256", signedOctets, signer.publicKey, signature));
});

test("without files profiles go out unsigned; files that do not fit each other are refused by their names", async () => {
  assert.equal((await openProfileSigner({ apple: NONE }, () => NOW)).current(), undefined);
  const refused = (given: typeof apple | typeof ONE_ALONE) =>
    assert.rejects(
      openProfileSigner({ apple: given }, () => NOW),
      { code: "config_invalid", message: /apple\./ },
    );
  await refused(ONE_ALONE);
  const other = authority.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  await refused({ ...apple, keyFile: fileOf("other.pem", other) });
  await refused({ ...apple, certificateFile: fileOf("none.pem", "no certificate") });
});

test("files that are read again are in force at once, and a bad one changes nothing", async () => {
  const live = await openProfileSigner({ apple: NONE }, () => NOW);
  const change = await live.prepare({ apple });
  assert.equal(live.current(), undefined, "not before all else is well");
  change();
  assert.ok(live.current());
  await assert.rejects(live.prepare({ apple: ONE_ALONE }), { code: "config_invalid" });
  assert.ok(live.current());
});

test("while its certificate is not good nothing is signed: before it begins, and from when it ends", async () => {
  let now = NOW.getTime();
  const live = await openProfileSigner({ apple }, () => new Date(now));
  const isSigned = (atMs: number): boolean => {
    now = atMs;
    return live.current() !== undefined;
  };
  assert.deepEqual(
    [-DAY_MS - 1, -DAY_MS, DAY_MS - 1, DAY_MS].map((offset) => isSigned(NOW.getTime() + offset)),
    [false, true, true, false],
  );
});
