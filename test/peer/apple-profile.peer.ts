/** Signed configuration profiles as `openssl cms` reads them: verified, attached, and equal octet for octet to what was signed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { profileSignerOf } from "../../src/app/certificates/profile-signer.ts";
import { composeAppleProfile } from "../../src/kernel/payload/apple-profile.ts";
import { decodeAppleProfile } from "../../src/wire/apple/profile.ts";
import { whenDone } from "../fixture/when-done.ts";

const folder = mkdtempSync(join(tmpdir(), "turnup-cms-"));
whenDone(async () => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const openssl = (...args: readonly string[]): void => {
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
};

const POINT = {
  use: "internet",
  apn: "internet.meridian",
  authType: "pap",
  user: "gast",
  password: "&<ü",
} as const;
const PROFILE = composeAppleProfile(
  { name: "Meridian & Söhne", points: [{ ...POINT, mmsc: null, proxy: null, port: null, homepage: null }] },
  { operatorId: "01900000-0000-7000-8000-00000000000a", form: "cellular", isRemoval: false },
);

for (const [kind, newKey] of [
  ["RSA", ["-newkey", "rsa:2048"]],
  ["P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
] as const) {
  test(`openssl cms verifies a profile signed with a key of ${kind}, and finds in it what was signed`, async () => {
    assert.ok(PROFILE);
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=Root",
      "-keyout",
      "root.key",
      "-out",
      "root.pem",
    );
    openssl(
      "req",
      "-new",
      ...newKey,
      "-nodes",
      "-subj",
      "/CN=start.example",
      "-keyout",
      "own.key",
      "-out",
      "own.csr",
    );
    openssl(
      "x509",
      "-req",
      "-in",
      "own.csr",
      "-CA",
      "root.pem",
      "-CAkey",
      "root.key",
      "-CAcreateserial",
      "-days",
      "1",
      "-out",
      "own.pem",
    );
    const apple = { certificateFile: at("own.pem"), keyFile: at("own.key") };
    const signer = await profileSignerOf({ apple }, () => new Date());
    assert.ok(signer);
    writeFileSync(at("signed"), await signer.sign(PROFILE));
    const verified = [
      "cms",
      "-verify",
      "-inform",
      "DER",
      "-in",
      "signed",
      "-CAfile",
      "root.pem",
      "-purpose",
      "any",
    ];
    openssl(...verified, "-binary", "-out", "content");
    assert.deepEqual(Uint8Array.from(readFileSync(at("content"))), PROFILE);
    assert.equal(decodeAppleProfile(readFileSync(at("content"))).displayName, "Meridian & Söhne");

    const broken = readFileSync(at("signed"));
    const place = broken.indexOf("internet.meridian");
    broken[place] = (broken[place] ?? 0) ^ 1;
    writeFileSync(at("signed"), broken);
    assert.throws(() => openssl(...verified, "-out", "content"), /digest|verif/i);
  });
}
