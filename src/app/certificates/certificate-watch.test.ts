/** Certificates that a configuration names: how long they are good is measured, and told before and when it matters. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { composeCertificate, pemOf } from "../../wire/x509/certificate.ts";
import { readConfig } from "../config/config.ts";
import {
  type CertificateNews,
  certificateLine,
  certificateNews,
  namedCertificates,
  watchCertificates,
} from "./certificate-watch.ts";

const DAY_MS = 86_400_000;
const NOW = new Date("2026-11-29T23:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "turnup-terms-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const certificate = (fromDays: number, untilDays: number): string =>
  pemOf(
    composeCertificate({
      ...{ serial: Uint8Array.of(7), commonName: "somebody", purpose: "server", names: [] },
      notBefore: new Date(NOW.getTime() + fromDays * DAY_MS),
      notAfter: new Date(NOW.getTime() + untilDays * DAY_MS),
      publicKey: keys.publicKey,
      issuer: { commonName: "Root", ...keys },
    }),
  );
const fileOf = (name: string, ...pems: string[]): string => {
  writeFileSync(join(folder, name), pems.join(""), { mode: 0o600 });
  return join(folder, name);
};
const [old, late, near, long] = [
  certificate(-9, -1),
  certificate(1, 90),
  certificate(-9, 13),
  certificate(-9, 90),
];
const configOf = (env: Readonly<Record<string, string>>) => readConfig({ env, folder }).config;
const config = configOf({
  TURNUP_APPLE_CERTIFICATE_FILE: fileOf("apple.crt", old, long),
  TURNUP_LAND_CERTIFICATE_FILE: fileOf("land.crt", late),
  TURNUP_PARTNER_CERTIFICATE_FILE: fileOf("partner.crt", near, old),
  TURNUP_PARTNER_AUTHORITY_FILE: fileOf("partners.crt", old, long, near),
  TURNUP_IDENTITY_AUTHORITY_FILE: fileOf("identity.crt", old),
  TURNUP_SMSC_0_NAME: "north",
  TURNUP_SMSC_1_NAME: "south",
  TURNUP_SMSC_1_TLS_CERTIFICATE_FILE: fileOf("south.crt", old),
  TURNUP_MAKER_AUTHORITY_FILE: fileOf("none.crt", "no certificate"),
  TURNUP_MAIL_AUTHORITY_FILE: join(folder, "away.crt"),
});

test("each that is over, not good yet or near its end is told by its setting; of a file of ours the first counts, of authorities the longest", () => {
  const told = certificateNews(namedCertificates(config), NOW);
  assert.deepEqual(Object.fromEntries(told.map(({ setting, state }) => [setting, state])), {
    "apple.certificate_file": "expired",
    "land.certificate_file": "not_yet_valid",
    "partner.certificate_file": "expires_soon",
    "identity.authority_file": "expired",
    "smsc.south.tls_certificate_file": "expired",
  });
  const late = told.find(({ state }) => state === "not_yet_valid");
  assert.equal(
    late && certificateLine(late),
    "land.certificate_file: the certificate is not good before 2026-11-30T23:00:00.000Z",
  );
});

test("a server tells them at its start and when its files are others; its measure says how long each is good", async () => {
  const told: CertificateNews[] = [];
  const registry = new Registry();
  const watch = watchCertificates(config, { registry, now: () => NOW, tell: (news) => told.push(news) });
  whenDone(async () => watch.close());
  assert.equal(told.length, 5);
  const measured = await registry.metrics();
  assert.match(measured, /^turnup_certificate_expires_seconds\{setting="apple.certificate_file"\} -86400$/m);
  assert.match(measured, /^turnup_certificate_expires_seconds\{setting="partner.authority_file"\} 7776000$/m);
  watch.change(configOf({ TURNUP_APPLE_CERTIFICATE_FILE: fileOf("new.crt", long) }));
  assert.equal(told.length, 5, "nothing to see to");
  assert.doesNotMatch(await registry.metrics(), /setting="land/);
});
