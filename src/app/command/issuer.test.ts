/** `turnup issuer`: what a handset must know to take our keys and content. */
import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { issueOwnKey } from "../../kernel/keys/own-key.ts";
import { encodeContent, verifyContent } from "../../wire/message/content.ts";
import { verifyDeviceKey } from "../../wire/message/device-key.ts";
import type { IssuerKey } from "../../wire/message/issuer-key.ts";
import { ownIssuer } from "../server/own-issuer.ts";

const fixture = await cliFixture([
  { name: "issuer show", summary: "", load: async () => (await import("./issuer.ts")).issuerShowCommand },
]);
const NOW = new Date("2026-11-22T12:00:00Z");
const IMEI = "356938035643809";
const show = (...more: string[]) => fixture.run(["issuer", "show", ...more]);

test("a handset that knows no more than what the command prints takes a key and content of this installation, and no other's", async () => {
  const [told] = jsonLines((await show("--json")).stdout) as unknown as [IssuerKey];
  const pem = (await show("--pem")).stdout;
  const text = (await show()).stdout;
  assert.equal(pem, told.pem);
  for (const wanted of [told.issuer, told.spki, told.fingerprint, told.pem.trimEnd()])
    assert.ok(text.includes(wanted));

  const { database, sealer } = fixture;
  const { name, privateKey } = await ownIssuer(
    { database, sealer, file: join("/nowhere", "own.pem") },
    told.issuer,
  );
  const keyId = new Uint8Array(16).fill(7);
  const { bytes: key } = issueOwnKey({
    imei: IMEI,
    keyId,
    confirmSecret: new Uint8Array(16).fill(8),
    accessPoints: [{ apn: "own.maker", use: "maker", authType: "none" }],
    hosts: ["app.example"],
    issuer: name,
    deleteAfterUse: true,
    privateKey,
    now: NOW,
  });
  const content = encodeContent(
    {
      issuer: name,
      reference: "ABCD2345",
      itemId: "00000000-0000-7000-8000-000000000001",
      notAfter: new Date(NOW.getTime() + 3_600_000),
      modules: [],
      activations: ["wap-browser"],
      removals: [],
      parameters: {},
      security: {},
    },
    IMEI,
    privateKey,
  );
  for (const publicKey of [
    createPublicKey(pem),
    createPublicKey({ key: Buffer.from(told.spki, "base64"), format: "der", type: "spki" }),
  ]) {
    const publicKeyOf = (issuer: string) => (issuer === told.issuer ? publicKey : undefined);
    assert.equal(verifyDeviceKey(key, publicKeyOf, IMEI, NOW).kind, "valid");
    assert.equal(verifyContent(content, publicKeyOf, IMEI, NOW).kind, "valid");
    const changed = Uint8Array.from(content);
    changed[20]! ^= 1;
    assert.equal(verifyContent(changed, publicKeyOf, IMEI, NOW).kind, "refused");
  }
});

test("the key is the same at each call, and no private half is printed", async () => {
  const [one, other] = [await show("--json"), await show("--json")];
  assert.equal(one.stdout, other.stdout);
  assert.doesNotMatch((await show()).stdout + one.stdout, /PRIVATE/);
});
