/** Lists and responders as the configuration has them: what is wrong is told by name, what is not known is refused or let in. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, test } from "vitest";
import { pairOf, strangerAuthority } from "../../../test/fixture/parties.ts";
import { ocspResponder, revocationListOf, serialIn } from "../../../test/fixture/revocation.ts";
import type { Config } from "../config/config.ts";
import { checkRevocation, openRevocation, type RevocationNews } from "./revocation.ts";

const authority = strangerAuthority();
const [good, revoked] = [pairOf(authority), pairOf(authority)];
const chainOf = ({ certificate }: typeof good) =>
  [certificate, authority.certificate].map((pem) => new X509Certificate(pem));
const TLS: Config["tls"] = {
  ...{ crlPath: undefined, ocspUrl: undefined, ocspFromCertificate: false },
  ...{ revocationWhenAway: "refuse", revocationTimeoutMs: 500 },
};
let folder = "";
let responder: Awaited<ReturnType<typeof ocspResponder>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-lists-"));
  responder = await ocspResponder(authority);
});
afterAll(async () => {
  await responder.close();
  await rm(folder, { recursive: true, force: true });
});
let files = 0;
async function file(content: Uint8Array | string): Promise<string> {
  const path = join(folder, `${files++}.crl`);
  await writeFile(path, content);
  return path;
}
const lapsed = { nextUpdate: new Date(Date.now() - 1_000) };

for (const [whenAway, verdict, outcome] of [
  ["refuse", "revocation_unknown", "unknown_refused"],
  ["accept", "let_in", "unknown_let_in"],
] as const)
  test(`where nothing is known, callers are ${whenAway === "refuse" ? "refused" : "let in"} by revocation_when_away = ${whenAway}; counted, told once a minute; who is on a list is refused`, async () => {
    const told: RevocationNews[] = [];
    const crlPath = await file(revocationListOf(authority, [revoked], lapsed));
    responder.mood.answer = "silent";
    for (const source of [{ crlPath }, { ocspUrl: responder.url }]) {
      told.length = 0;
      const tls = { ...TLS, ...source, revocationWhenAway: whenAway };
      const { check, measure } = await openRevocation(tls, {
        now: () => new Date(),
        tell: (news) => told.push(news),
      });
      for (let time = 0; time < 2; time++) assert.equal((await check(chainOf(good))).kind, verdict);
      assert.deepEqual(
        told.map(({ kind }) => kind),
        ["revocation_unknown"],
      );
      const registry = new Registry();
      measure(registry);
      assert.match(
        await registry.metrics(),
        new RegExp(`turnup_revocation_checks_total\\{outcome="${outcome}"\\} 2\\n`),
      );
      if ("crlPath" in source) assert.equal((await check(chainOf(revoked))).kind, "revoked");
    }
    responder.mood.answer = "true";
  });

test("the responder that a certificate names is asked only where that is allowed", async () => {
  const named = pairOf(authority, { responder: responder.url });
  responder.mood.revoked = new Set([serialIn(named).toString("hex")]);
  const asked = responder.asked();
  const closed = await openRevocation(TLS, { now: () => new Date() });
  assert.equal((await closed.check(chainOf(named))).kind, "let_in");
  assert.equal(responder.asked(), asked);
  const open = await openRevocation({ ...TLS, ocspFromCertificate: true }, { now: () => new Date() });
  assert.equal((await open.check(chainOf(named))).kind, "revoked");
  assert.equal((await open.check(chainOf(good))).kind, "let_in", "one that names none is not asked for");
});

test("what is no list, and a list of nobody who is let in, is told by its file before anything starts", async () => {
  const [none, foreign] = [await file("no list"), await file(revocationListOf(strangerAuthority(), []))];
  await assert.rejects(openRevocation({ ...TLS, crlPath: none }, { now: () => new Date() }), {
    code: "config_invalid",
    message: new RegExp(`^tls.crl_path: ${none}: no revocation list`),
  });
  await assert.rejects(openRevocation({ ...TLS, crlPath: join(folder, "away") }, { now: () => new Date() }), {
    code: "file_unreadable",
  });
  await assert.rejects(checkRevocation({ ...TLS, crlPath: foreign }, [authority.certificate]), {
    code: "config_invalid",
    message: `tls.crl_path: ${foreign} is signed by none of the authorities whose certificates are let in.`,
  });
  await checkRevocation({ ...TLS, crlPath: await file(revocationListOf(authority, [])) }, [
    `${strangerAuthority().certificate}${authority.certificate}`,
  ]);
});

test("lists that are given anew count from then on; where they cannot be read, those that were read stay, and it is told", async () => {
  const told: RevocationNews[] = [];
  const crlPath = await file(revocationListOf(authority, [revoked]));
  const revocation = await openRevocation(
    { ...TLS, crlPath },
    { now: () => new Date(), tell: (news) => told.push(news) },
  );
  await writeFile(crlPath, "half a li");
  const endsMs = performance.now() + 20_000;
  while (told.length === 0) {
    assert.equal((await revocation.check(chainOf(revoked))).kind, "revoked");
    assert.ok(performance.now() < endsMs);
  }
  assert.equal(told[0]?.kind, "list_unreadable");
  await assert.rejects(revocation.prepare({ ...TLS, crlPath }), { code: "config_invalid" });
  const change = await revocation.prepare({
    ...TLS,
    crlPath: await file(revocationListOf(authority, [good])),
  });
  assert.equal((await revocation.check(chainOf(revoked))).kind, "revoked", "not before it is put into force");
  change();
  assert.deepEqual(
    [(await revocation.check(chainOf(revoked))).kind, (await revocation.check(chainOf(good))).kind],
    ["let_in", "revoked"],
  );
});
