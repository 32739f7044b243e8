/**
 * The commands of docs/operations.md by which operators and devices make keys and certificates, run as they stand there: only names
 * of machines and of folders are others. OpenSSL, curl, and strongSwan's pki (Debian: strongswan-pki).
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { copyFileSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, test } from "vitest";
import { assured } from "../../src/term/narrow.ts";
import { issuerKeyLines, issuerKeyOf } from "../../src/wire/message/issuer-key.ts";
import { IMEI, IMSI, MSISDN, openParties, type Parties } from "../fixture/parties.ts";

const run = promisify(execFile);
const HANDBOOK = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

/** The first commands behind these words, as the handbook shows them. */
function shownBehind(words: string): string {
  const from = HANDBOOK.indexOf(words);
  assert.ok(from > 0, `the handbook says "${words}"`);
  const [, block] = /```sh\n([\s\S]*?)```/.exec(HANDBOOK.slice(from)) ?? [];
  return assured(block, `commands stand behind "${words}"`);
}

let folder: string;
let road: Parties;
beforeEach(async () => {
  // strongSwan 5.9 speaks TLS 1.2 and nothing newer here.
  road = await openParties({ proxy: { olderTls: true } });
  folder = await mkdtemp(join(tmpdir(), "turnup-handbook-"));
  await writeFile(join(folder, "proxy.crt"), road.certificates.proxy.airAuthority);
});
afterEach(async () => {
  await road.close();
  await rm(folder, { recursive: true, force: true });
});

/** In bash, as a person types them, in a folder of their own; the names that the handbook uses lead to these machines. */
async function typed(commands: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const here = commands
    .replaceAll("edge.operator.example:8444", new URL(road.proxy.url).host)
    .replaceAll("prov.operator.example%3A8445", encodeURIComponent(road.server))
    .replaceAll("/etc/turnup/land", folder)
    .replaceAll("/var/lib/turnup/proxy/certificates", road.folder);
  const options = { cwd: folder, env: { ...process.env, IMEI, ...env }, timeout: 60_000 };
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", here], options);
  return stdout;
}
const certificateIn = async (name: string) => new X509Certificate(await readFile(join(folder, name)));
const EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc";

test("what a server proves itself by: an authority, a certificate in its name, and the public half of the key that signs", async () => {
  const shown = await typed(shownBehind("**1. What the server proves itself by**"));
  const [authority, server] = [
    await certificateIn("server-authority.crt"),
    await certificateIn("server.crt"),
  ];
  assert.ok(server.verify(authority.publicKey) && authority.ca);
  assert.equal(server.subjectAltName, "DNS:prov.operator.example");
  const signing = createPublicKey(createPrivateKey(await readFile(join(folder, "signing.key"))));
  assert.equal(signing.asymmetricKeyType, "ed25519");
  assert.equal(shown.trim(), signing.export({ type: "spki", format: "der" }).toString("base64"));
});

test("a proxy's certificate under the names that devices call it by", async () => {
  for (const name of ["authority.crt", "authority.key"])
    copyFileSync(join(road.folder, "proxy", name), join(folder, name));
  await typed(shownBehind("make its\ncertificate anew in that folder"), { EC });
  const air = await certificateIn("air.crt");
  assert.ok(air.verify((await certificateIn("authority.crt")).publicKey));
  assert.equal(air.checkHost("edge.operator.example"), "edge.operator.example");
  assert.deepEqual(air.keyUsage, ["1.3.6.1.5.5.7.3.1"], "of a server");
  const key = await readFile(join(folder, "air.key"), "utf8");
  await road.restartProxy({
    certificates: { ...road.certificates.proxy, air: { certificate: air.toString(), key } },
  });
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
  assert.equal((await road.air(road.start(), { pair: road.factory })).status, 200);
});

test("a first device: a certificate of the trial factory, and its first screen by curl", async () => {
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
  assert.match(await typed(shownBehind("**6. A first device.**"), { EC }), /<wml[\s>][\s\S]*Choose one\./);
});

test("EST by OpenSSL and curl: cacerts, enrolment by a token; the certificate opens the road", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  await typed(shownBehind("With OpenSSL and curl:"), { TOKEN: "tok-1" });
  await opensRoad();
});

test("EST by strongSwan's pki, with what cacerts gave", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  const [, cacerts = ""] = /\n(curl .*cacerts.*)\n/.exec(shownBehind("With OpenSSL and curl:")) ?? [];
  await typed(cacerts, { EST: `${road.proxy.url}/.well-known/est` });
  await typed(shownBehind("With strongSwan's `pki`"), { TOKEN: "tok-1" });
  await opensRoad();
});

async function opensRoad(): Promise<void> {
  const [certificate, key] = [
    await certificateIn("phone.crt"),
    await readFile(join(folder, "phone.key"), "utf8"),
  ];
  assert.match(certificate.subjectAltName ?? "", /urn:gsma:imei:35693803-564380-0/);
  const answer = await road.air(road.start(), { pair: { certificate: certificate.toString(), key } });
  assert.equal(answer.status, 200);
}

test("a partner's certificate is a client's, with the name that partners.json has", async () => {
  await typed(`openssl req -x509 ${EC} -days 30 -subj "/CN=Partners" -keyout partners.key -out partners.crt`);
  const shown = shownBehind("### Partners and voice platforms by certificate").split("\n");
  await typed(shown.filter((line) => line.startsWith("openssl")).join("\n"));
  const shop = await certificateIn("shop.crt");
  assert.ok(shop.verify((await certificateIn("partners.crt")).publicKey));
  assert.deepEqual([shop.keyUsage, shop.subjectAltName], [["1.3.6.1.5.5.7.3.2"], "DNS:shop.example"]);
});

test("the fingerprint that makers compare is the one that the issuer shows, and a pin is that of the public key", async () => {
  const issuer = issuerKeyOf("own.turnup", generateKeyPairSync("ed25519").publicKey);
  const lines = issuerKeyLines(issuer).join("\n");
  const [pem = ""] = /-----BEGIN PUBLIC KEY-----[\s\S]*-----END PUBLIC KEY-----/.exec(lines) ?? [];
  await writeFile(join(folder, "issuer.pem"), `${pem}\n`);
  const print = (await typed(shownBehind("`turnup maker` prints its own at the start"))).trim();
  assert.ok(print.length === 44 && lines.includes(print), print);
  await writeFile(join(folder, "server.crt"), road.factory.certificate);
  const [, pin = ""] = /A pin is `(openssl [^`]+)`/.exec(HANDBOOK) ?? [];
  const { publicKey } = new X509Certificate(road.factory.certificate);
  const spki = publicKey.export({ type: "spki", format: "der" });
  assert.equal((await typed(pin)).trim(), createHash("sha256").update(spki).digest("base64"));
});
