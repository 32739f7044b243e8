/**
 * Enrolment (RFC 7030) as standard clients speak it, by the very commands of docs/operations.md: OpenSSL with curl, and
 * strongSwan's pki (Debian: strongswan-pki). Fails, and never skips, where they are not installed.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, test } from "vitest";
import { IMEI, IMSI, MSISDN, openParties, type Parties } from "../fixture/parties.ts";

const run = promisify(execFile);
let road: Parties;
let folder: string;
beforeEach(async () => {
  // strongSwan 5.9 speaks TLS 1.2 and nothing newer here.
  road = await openParties({ proxy: { olderTls: true } });
  folder = await mkdtemp(join(tmpdir(), "turnup-est-"));
  await writeFile(join(folder, "proxy.crt"), road.certificates.proxy.airAuthority);
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
});
afterEach(async () => {
  await road.close();
  await rm(folder, { recursive: true, force: true });
});

/** The commands as a person types them, in a folder of their own. */
const shell = (commands: string) =>
  run("sh", ["-euc", commands], {
    cwd: folder,
    env: {
      ...process.env,
      EST: `${road.proxy.url}/.well-known/est`,
      PROXY: road.proxy.url,
      TOKEN: "tok-1",
      IMEI,
    },
    timeout: 60_000,
  });
const pairIn = async () => ({
  key: await readFile(join(folder, "phone.key"), "utf8"),
  certificate: await readFile(join(folder, "phone.crt"), "utf8"),
});

test("OpenSSL and curl: cacerts, enrolment by a token, a request with the new certificate, and its renewal", async () => {
  await shell(`
    curl -sf --cacert proxy.crt $EST/cacerts | openssl base64 -d -A | openssl pkcs7 -inform der -print_certs -out est.pem
    openssl ecparam -name prime256v1 -genkey -noout -out phone.key
    openssl req -new -key phone.key -subj /CN=phone -addext "subjectAltName=DNS:imei-$IMEI" -outform der | openssl base64 > phone.req
    curl -sf --cacert est.pem -u ":$TOKEN" -H 'content-type: application/pkcs10' --data-binary @phone.req $EST/simpleenroll |
      openssl base64 -d -A | openssl pkcs7 -inform der -print_certs -out phone.crt
    openssl verify -CAfile est.pem phone.crt`);
  const { stdout } = await shell(
    `curl -s -o /dev/null -w '%{http_code}' --cacert est.pem --cert phone.crt --key phone.key $PROXY${road.start()}`,
  );
  assert.equal(stdout, "200");
  await shell(`
    openssl ecparam -name prime256v1 -genkey -noout -out next.key
    openssl req -new -key next.key -subj "/CN=$(openssl x509 -in phone.crt -noout -subject -nameopt multiline | sed -n 's/ *commonName *= //p')" -outform der | openssl base64 > next.req
    curl -sf --cacert est.pem --cert phone.crt --key phone.key -H 'content-type: application/pkcs10' --data-binary @next.req $EST/simplereenroll |
      openssl base64 -d -A | openssl pkcs7 -inform der -print_certs -out next.crt
    openssl verify -CAfile est.pem next.crt`);
  assert.notEqual(await readFile(join(folder, "next.crt"), "utf8"), (await pairIn()).certificate);
});

test("strongSwan's pki: cacerts and enrolment by a token, the device named by a DNS name", async () => {
  await shell(`
    pki --gen --type ecdsa --size 256 --outform pem > phone.key
    pki --req --in phone.key --type ecdsa --dn CN=phone --san imei-$IMEI --digest sha256 --outform der > phone.req
    pki --estca --url $PROXY --cacert proxy.crt --caout est --outform pem --force
    pki --est --url $PROXY --cacert proxy.crt $(ls est* | grep -v req | sed 's/^/--cacert /') --userpass "phone:$TOKEN" --in phone.req --outform pem > phone.crt`);
  const certificate = new X509Certificate((await pairIn()).certificate);
  assert.match(certificate.subjectAltName ?? "", /urn:gsma:imei:35693803-564380-0/);
  const answer = await road.air(road.start(), { pair: await pairIn() });
  assert.equal(answer.status, 200);
});
