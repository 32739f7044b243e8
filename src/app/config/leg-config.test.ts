/** The files that tell a proxy its servers and a server its proxies, and the command that runs from them. */
import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { ask, IMEI, IMSI, MSISDN, PROXY_ID, SERVER_ID, screenOf } from "../../../test/fixture/parties.ts";
import { ensureLegCertificates, type LegCertificates } from "../certificates/leg-certificates.ts";
import { proxyCommand } from "../command/proxy.ts";
import { startProxy } from "../party/proxy.ts";
import { startLand } from "../server/land.ts";
import { type Config, readConfig } from "./config.ts";
import { readAccountsFile, readGatewaysFile, readLandSettings, readPolicyFile } from "./leg-config.ts";

let folder: string;
let certificates: LegCertificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-road-config-"));
  certificates = await ensureLegCertificates({ folder, proxyId: PROXY_ID, now: new Date() });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const spki = (key: ReturnType<typeof createPublicKey>): string =>
  key.export({ type: "spki", format: "der" }).toString("base64");
const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const serverIn = (url: string) => ({
  url,
  id: SERVER_ID,
  authorityFile: "server/authority.crt",
  publicKey: spki(certificates.land.publicKey),
});
const landConfig = (proxiesFile: string, more: Partial<Config["land"]> = {}): Config => {
  const { config } = readConfig({ env: {}, folder });
  return {
    ...config,
    land: {
      ...config.land,
      id: SERVER_ID,
      port: 0,
      authorityFile: join(folder, "proxy", "authority.crt"),
      certificateFile: join(folder, "server", "server.crt"),
      keyFile: join(folder, "server", "server.key"),
      signingKeyFile: join(folder, "server", "signing.key"),
      proxiesFile,
      ...more,
    },
  };
};

test("proxy and server, each started from its files, prove themselves to each other", async () => {
  const { keyid, algorithm, key } = certificates.proxy.signing;
  const keys = [{ keyid, algorithm, publicKey: spki(createPublicKey(key)) }];
  const settings = await readLandSettings(landConfig(await file("proxies.json", [{ id: PROXY_ID, keys }])));
  assert.ok(settings);
  const land = await startLand({
    ...settings,
    handler: async () => ({ kind: "screen", status: 200, screen: screenOf("https://127.0.0.1:1") }),
    enrolmentOf: async () => undefined,
  });
  const policy = await readPolicyFile(
    await file("policy.json", {
      id: PROXY_ID,
      servers: [serverIn(land.url)],
      factoryAuthorityFiles: ["factory/authority.crt"],
      gateways: [{ name: "g", addresses: ["192.0.2.1"], bearer: "gsm", msisdnHeader: "x-msisdn" }],
      bearers: [{ network: "127.0.0.0", bits: 8, bearer: "phs" }],
      bearerProfiles: { phs: { channels: ["narrowband"], partsMax: 30 } },
    }),
  );
  assert.equal(policy.gateways[0]?.imsiHeader, null);
  assert.deepEqual(policy.factoryAuthorities, certificates.proxy.factoryAuthorities);
  const proxy = await startProxy({
    ...policy,
    port: 0,
    certificates: certificates.proxy,
    journalFolder: join(folder, "journal"),
  });
  try {
    const accounts = await readAccountsFile(
      await file("accounts.jsonl", `${JSON.stringify({ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN })}\n\n`),
    );
    await proxy.keepAccounts(accounts);
    const factory = await certificates.factoryPair(IMEI);
    const answer = await ask(new URL(`/r/127.0.0.1%3A${land.port}/d/start`, proxy.url), {
      headers: { accept: "application/vnd.turnup.screen+json" },
      ca: certificates.proxy.airAuthority,
      key: factory.key,
      cert: factory.certificate,
    });
    assert.equal(answer.status, 200);
    // Of the file: 30 parts of 90 octets less their headers.
    assert.match(String(answer.headers["turnup-channel"]), /^narrowband; rule=no_wideband; .*bearer=phs/);
  } finally {
    await proxy.close();
    await land.close();
  }
});

test("a server without a land port serves no proxy, and one with a port and half its files does not start", async () => {
  const { config } = readConfig({ env: {}, folder });
  assert.equal(await readLandSettings(config), undefined);
  const half = landConfig("x", { signingKeyFile: undefined });
  await assert.rejects(readLandSettings(half), { code: "config_invalid" });
  const notEd25519 = landConfig("x", { signingKeyFile: join(folder, "server", "server.key") });
  await assert.rejects(readLandSettings(notEd25519), { code: "config_invalid" });
});

const server = { url: "https://127.0.0.1:1", id: "t", authorityFile: "server/authority.crt" };
const BAD_POLICIES: readonly [string, () => unknown, RegExp][] = [
  ["no servers", () => ({ id: "p", servers: [] }), /servers: 1 to 100/],
  [
    "a server without TLS",
    () => ({ id: "p", servers: [{ ...serverIn("http://127.0.0.1:1") }] }),
    /servers\[0\]\.url/,
  ],
  ["a server without its key", () => ({ id: "p", servers: [server] }), /servers\[0\]\.publicKey/],
  ["a key that is none", () => ({ id: "p", servers: [{ ...server, publicKey: "AAAA" }] }), /a public key/],
  [
    "a bearer that nobody knows",
    () => ({
      id: "p",
      servers: [serverIn("https://a:1")],
      bearers: [{ network: "10.0.0.0", bits: 8, bearer: "pigeon" }],
    }),
    /bearers\[0\]\.bearer/,
  ],
  [
    "a channel that no bearer has",
    () => ({
      id: "p",
      servers: [serverIn("https://a:1")],
      bearerProfiles: { tdma: { channels: ["pigeon"] } },
    }),
    /bearerProfiles\.tdma\.channels\[0\]/,
  ],
  [
    "a member that nobody knows",
    () => ({ id: "p", servers: [serverIn("https://a:1")], trust: true }),
    /trust: an unknown member/,
  ],
];
for (const [name, policy, fact] of BAD_POLICIES) {
  test(`a policy with ${name} is refused at its place`, async () => {
    const path = await file("bad.json", policy());
    await assert.rejects(readPolicyFile(path), (error: Error) => fact.test(error.message));
  });
}

test("an account that is none is refused with its line, and its numbers are not repeated", async () => {
  const path = await file(
    "bad.jsonl",
    `{"deviceId":"${IMEI}","imsi":null,"msisdn":null}\n{"deviceId":"12345","imsi":null,"msisdn":null}\n`,
  );
  await assert.rejects(
    readAccountsFile(path),
    (error: Error) => /line 2: deviceId/.test(error.message) && !error.message.includes("12345"),
  );
});

test("turnup proxy without a policy says what is missing; with one that leads nowhere it names the place", async () => {
  const entries = [{ name: "proxy", summary: "", load: async () => proxyCommand }];
  const without = await runWith(entries, ["proxy"]);
  assert.equal(without.exitCode, 1);
  assert.match(without.stderr, /proxy\.policy_file is not set/);
  const policyFile = await file("empty.json", { id: "p", servers: [] });
  const empty = await runWith(entries, ["proxy"], "", { env: { TURNUP_PROXY_POLICY_FILE: policyFile } });
  assert.equal(empty.exitCode, 1);
  assert.match(empty.stderr, /servers: 1 to 100/);
});

test("gateways in front of the public portal have a file of their own, and a header that is none is refused", async () => {
  const wap = { name: "wap-1", addresses: ["10.0.0.1"], bearer: "gsm", msisdnHeader: "x-msisdn" };
  const read = await readGatewaysFile(await file("gateways.json", [wap]));
  assert.deepEqual(read, [{ ...wap, imsiHeader: null, deviceIdHeader: null }]);
  const wrong = await file("wrong-gateways.json", [{ ...wap, msisdnHeader: "X MSISDN" }]);
  await assert.rejects(readGatewaysFile(wrong), { code: "config_invalid" });
});
