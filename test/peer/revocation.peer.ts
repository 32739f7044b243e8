/**
 * Certificates that are taken back as OpenSSL does it: its authority signs and revokes, its lists are read, and its responder is asked
 * over HTTP, with the authority's own key and with a delegate's. Fails, and never skips, where it is not installed.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import { openRevocation } from "../../src/app/server/revocation.ts";
import { freePort } from "../fixture/free-port.ts";

const run = promisify(execFile);
const CA = `
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 1
policy = any
unique_subject = no
[any]
commonName = supplied
[client]
extendedKeyUsage = clientAuth
[ocsp]
extendedKeyUsage = OCSPSigning
`;
let folder = "";
const responders: ChildProcess[] = [];
const shell = (commands: string) => run("sh", ["-euc", commands], { cwd: folder, timeout: 60_000 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-ca-"));
  await writeFile(join(folder, "ca.cnf"), CA);
  await shell(`
    : > index.txt
    echo 01 > serial
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj "/CN=Peer authority" -days 30
    for name in good revoked responder; do
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.req -subj "/CN=$name"
      openssl ca -config ca.cnf -batch -notext -in $name.req -out $name.crt -extensions $([ $name = responder ] && echo ocsp || echo client)
    done
    openssl ca -config ca.cnf -revoke revoked.crt
    openssl ca -config ca.cnf -gencrl -out list.pem
    openssl crl -in list.pem -outform der -out list.der`);
});
afterEach(() => {
  for (const responder of responders.splice(0)) responder.kill();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TLS = {
  ...{ crlPath: undefined, ocspUrl: undefined, ocspFromCertificate: false },
  ...({ revocationWhenAway: "refuse", revocationTimeoutMs: 5_000 } as const),
};
async function verdictsBy(tls: Partial<Parameters<typeof openRevocation>[0]>): Promise<string[]> {
  const { check } = await openRevocation({ ...TLS, ...tls }, { now: () => new Date() });
  const verdicts: string[] = [];
  for (const name of ["good", "revoked"]) {
    const files = [`${name}.crt`, "ca.crt"].map((file) => readFile(join(folder, file)));
    verdicts.push((await check((await Promise.all(files)).map((pem) => new X509Certificate(pem)))).kind);
  }
  return verdicts;
}
/** OpenSSL's own, until it listens. */
async function responderBy(signer: string, ...more: readonly string[]): Promise<string> {
  const port = await freePort();
  const signing = ["-rsigner", `${signer}.crt`, "-rkey", `${signer}.key`, ...more];
  const place = ["-index", "index.txt", "-CA", "ca.crt", "-port", String(port)];
  const responder = spawn("openssl", ["ocsp", ...place, ...signing], { cwd: folder });
  responders.push(responder);
  await Promise.race([
    once(responder.stdout, "data").catch(() => undefined),
    once(responder.stderr, "data").catch(() => undefined),
    once(responder, "exit").then(() => assert.fail("the responder ended")),
  ]);
  return `http://127.0.0.1:${port}/`;
}

test("a list of OpenSSL's authority, PEM and DER: what it revoked is refused, the rest is let in", async () => {
  for (const name of ["list.pem", "list.der"])
    assert.deepEqual(await verdictsBy({ crlPath: join(folder, name) }), ["let_in", "revoked"]);
});

test("OpenSSL's responder, by the authority's key and by a delegate's, with an end to its answers and without", async () => {
  for (const [signer, ...more] of [["ca"], ["responder"], ["responder", "-nmin", "5"]] as const)
    assert.deepEqual(await verdictsBy({ ocspUrl: await responderBy(signer, ...more) }), [
      "let_in",
      "revoked",
    ]);
});

test("OpenSSL's responder with a key that the authority did not name for it is not believed", async () => {
  assert.deepEqual(await verdictsBy({ ocspUrl: await responderBy("good") }), [
    "revocation_unknown",
    "revocation_unknown",
  ]);
});
