/** What is wrong with a configuration is told by name before anything is opened; `turnup config` finds what `serve` would refuse. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { ensurePartyCertificates, type PartyCertificates } from "../certificates/certificates.ts";
import { readConfig } from "../config/config.ts";
import { checkConfig } from "./check-config.ts";

const folder = mkdtempSync(join(tmpdir(), "turnup-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let own: PartyCertificates;
let other: PartyCertificates;
const file = (name: string, content: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
};
beforeAll(async () => {
  const options = { clientIds: ["a"], commonName: "Maker", now: new Date() };
  own = await ensurePartyCertificates({ ...options, folder: join(folder, "own") });
  other = await ensurePartyCertificates({ ...options, folder: join(folder, "other") });
  file("authority.pem", own.authority);
  file("certificate.pem", own.server.certificate);
  file("key.pem", own.server.key);
  file("other.pem", other.server.key);
  file("empty.pem", "");
  file("words.txt", "not a certificate");
});
const at = (name: string): string => join(folder, name);

type Env = Readonly<Record<string, string>>;
const check = (env: Env, withProxy = false): Promise<void> => {
  const all = { TURNUP_DATA_FOLDER: at("data"), ...env };
  return checkConfig(readConfig({ env: all, folder }).config, all, { withProxy });
};
/** What the refusal says, line by line. */
async function told(env: Env, withProxy = false): Promise<string> {
  const found = await check(env, withProxy).then(
    () => undefined,
    (error: Error & { code: string }) => error,
  );
  assert.ok(found, "it was taken");
  return `${found.code}: ${found.message}`;
}

test("a configuration without any of it is good, and so is one whose files fit", async () => {
  await check({});
  await check({
    TURNUP_MAKER_AUTHORITY_FILE: at("authority.pem"),
    TURNUP_MAKER_CERTIFICATE_FILE: at("certificate.pem"),
    TURNUP_MAKER_KEY_FILE: at("key.pem"),
    TURNUP_BILLING_CSV_FILE: at("billing.csv"),
    TURNUP_APPLET_TEXT_PATTERN: "DEV (?<imei>\\d{14,16})",
  });
  assert.equal(existsSync(at("billing.csv")), false, "nothing is made by looking");
  assert.equal(existsSync(at("data")), false, "nothing is made by looking");
});

const AUTHORITY = "TURNUP_MAKER_AUTHORITY_FILE";
const CERTIFICATE = "TURNUP_MAKER_CERTIFICATE_FILE";
const KEY = "TURNUP_MAKER_KEY_FILE";
const maker = (authority: string, certificate: string, key: string): Env => ({
  [AUTHORITY]: at(authority),
  [CERTIFICATE]: at(certificate),
  [KEY]: at(key),
});
const wrong: [name: string, env: () => Env, says: RegExp][] = [
  [
    "a certificate without its key",
    () => ({ [AUTHORITY]: at("authority.pem"), [CERTIFICATE]: at("certificate.pem") }),
    /^config_invalid: maker\.authority_file and maker\.certificate_file are set and maker\.key_file is not/,
  ],
  [
    "one of three files",
    () => ({ [KEY]: at("key.pem") }),
    /maker\.key_file is set and maker\.authority_file and maker\.certificate_file are not/,
  ],
  [
    "another's key",
    () => maker("authority.pem", "certificate.pem", "other.pem"),
    /maker\.key_file is not the key of maker\.certificate_file/,
  ],
  [
    "files changed about",
    () => maker("authority.pem", "key.pem", "certificate.pem"),
    /maker\.certificate_file holds no certificate/,
  ],
  [
    "an empty key",
    () => maker("authority.pem", "certificate.pem", "empty.pem"),
    /maker\.key_file holds no private key/,
  ],
  [
    "words for an authority",
    () => maker("words.txt", "certificate.pem", "key.pem"),
    /maker\.authority_file holds no certificate/,
  ],
  [
    "a file that is not there",
    () => maker("nowhere.pem", "certificate.pem", "key.pem"),
    /^file_unreadable: .*nowhere\.pem cannot be read/,
  ],
  [
    "an authority of a connector that is none",
    () => ({
      TURNUP_PAYMENT_URL: "https://pay.example",
      TURNUP_PAYMENT_SECRET: "s",
      TURNUP_PAYMENT_AUTHORITY_FILE: at("words.txt"),
    }),
    /payment\.authority_file holds no certificate/,
  ],
  [
    "a door for proxies with some of its files",
    () => ({ TURNUP_LAND_PORT: "0", TURNUP_LAND_KEY_FILE: at("key.pem") }),
    /land\.port is set, and a file of its section is missing/,
  ],
  [
    "a peer's certificate with another's key",
    () => ({
      TURNUP_PEER_FILE: file(
        "peers.json",
        JSON.stringify([
          {
            origin: "https://peer.example",
            name: "Peer",
            apiUrl: "https://peer.example/v1",
            tokenFile: "words.txt",
            certificateFile: "certificate.pem",
            keyFile: "other.pem",
          },
        ]),
      ),
    }),
    /https:\/\/peer\.example: keyFile is not the key of .*certificateFile/,
  ],
  [
    "a service provider's certificate with another's key",
    () => ({
      TURNUP_SERVICE_PROVIDERS_FILE: file(
        "providers.json",
        JSON.stringify([
          {
            uri: "https://service.example/scim/v2",
            certificateFile: "certificate.pem",
            keyFile: "other.pem",
            access: { kind: "bearer", tokenFile: "words.txt" },
          },
        ]),
      ),
    }),
    /https:\/\/service\.example\/scim\/v2: keyFile is not the key/,
  ],
  [
    "a data folder that is a file",
    () => ({ TURNUP_DATA_FOLDER: at("words.txt") }),
    /^data_folder_unusable: .*words\.txt is no folder/,
  ],
  [
    "a data folder in a file",
    () => ({ TURNUP_DATA_FOLDER: at("words.txt/data") }),
    /^data_folder_unusable: .*words\.txt is no folder/,
  ],
  [
    "a pattern that could run for ever",
    () => ({ TURNUP_APPLET_TEXT_PATTERN: "(?=(?<imei>(\\d+)+))" }),
    /applet\.text_pattern is no regular expression that runs in linear time/,
  ],
  [
    "a pattern that takes thousands of steps for each character",
    () => ({ TURNUP_APPLET_TEXT_PATTERN: `(?<imei>${"(.{0,99})".repeat(20)}b)` }),
    /applet\.text_pattern takes \d+ steps for each character of a text, and 2000 are allowed/,
  ],
  [
    "a pattern without the group that is wanted",
    () => ({ TURNUP_APPLET_TEXT_PATTERN: "(\\d+)" }),
    /applet\.text_pattern has no group named imei/,
  ],
  [
    "a proxy's door for its operator without a secret",
    () => ({ TURNUP_PROXY_MANAGE_PORT: "0" }),
    /proxy\.manage_secret/,
  ],
  [
    "a billing file where nobody can write",
    () => ({ TURNUP_BILLING_CSV_FILE: at("nowhere/billing.csv") }),
    /billing\.csv_file: .* cannot be used/,
  ],
  ["a network that is none", () => ({ TURNUP_HTTP_TRUST_PROXY: "10.0.0.0/33" }), /http\.trust_proxy/],
  ["a seal key that is none", () => ({ TURNUP_SEAL_KEY: "abc" }), /^seal_key_malformed/],
];
for (const [name, env, says] of wrong)
  test(`${name} is refused by name`, async () => assert.match(await told(env()), says));

test("server and proxy in one process need no files of the leg between them; a server alone does", async () => {
  const env = { TURNUP_LAND_PORT: "0", TURNUP_PROXY_PORT: "0" };
  await check(env, true);
  assert.match(await told(env), /^config_invalid: land\.port is set, and a file of its section is missing/);
});

for (const [variable, says] of [
  ["LAND_PROXIES_FILE", /^config_invalid: land\.proxies_file is set, and land\.port is not/],
  ["LAND_AUTHORITY_FILE", /land\.authority_file is set, and land\.port is not/],
  ["LAND_SIGNING_KEY_FILE", /land\.signing_key_file is set/],
  ["PARTNER_CLIENTS_FILE", /partner\.clients_file is set, and partner\.port is not/],
  ["RADIUS_CLIENTS_FILE", /radius\.clients_file is set, and radius\.port is not/],
  ["S13_PEERS_FILE", /s13\.peers_file is set, and s13\.port is not/],
  ["GSUP_CLIENTS_FILE", /gsup\.clients_file is set, and gsup\.port is not/],
  ["EIR_NRF_KEYS_FILE", /eir\.nrf_keys_file is set, and eir\.port is not/],
] as const)
  test(`a file of a door that has no port is refused by name: ${variable}`, async () => {
    assert.match(await told({ [`TURNUP_${variable}`]: at("words.txt") }), says);
    if (variable.startsWith("LAND"))
      assert.match(await told({ [`TURNUP_${variable}`]: at("words.txt") }, true), says);
  });

test("two doors on one port of one address are refused by name, unless any free one is taken or only one of them is opened", async () => {
  const places = file("clients.json", JSON.stringify([{ name: "a", addresses: ["192.0.2.1"] }]));
  const gsup = (host: string, port: string) => ({
    ...{ TURNUP_GSUP_PORT: port, TURNUP_GSUP_HOST: host, TURNUP_GSUP_CLIENTS_FILE: places },
  });
  assert.match(
    await told(gsup("127.0.0.1", "8080")),
    /http\.port and gsup\.port are both 8080 at 127\.0\.0\.1/,
  );
  assert.match(await told(gsup("0.0.0.0", "8080")), /http\.port and gsup\.port are both 8080/);
  await check(gsup("192.0.2.7", "8080"));
  await check({ ...gsup("127.0.0.1", "0"), TURNUP_HTTP_PORT: "0" });
  const proxy = { TURNUP_PROXY_PORT: "8080" };
  await check(proxy); // the proxy of another machine
  assert.match(await told(proxy, true), /http\.port and proxy\.port are both 8080/);
  assert.match(await told({ TURNUP_PROXY_PORT: "8445" }, true), /land\.port and proxy\.port are both 8445/);
});

test("beside its proxy a server that listens everywhere says by which name devices find it; the proxy's folder can be used", async () => {
  assert.match(
    await told({ TURNUP_LAND_HOST: "0.0.0.0" }, true),
    /land\.host is 0\.0\.0\.0 and land\.url is not set/,
  );
  await check({ TURNUP_LAND_HOST: "0.0.0.0", TURNUP_LAND_URL: "https://turnup.example:8445" }, true);
  assert.match(
    await told({ TURNUP_PROXY_FOLDER: at("words.txt/proxy") }, true),
    /^data_folder_unusable: The proxy's folder .*words\.txt is no folder/,
  );
});

const gatewaysOf = (address: string): string =>
  file("gateways.json", JSON.stringify([{ name: "g", addresses: [address], bearer: "gsm" }]));
for (const address of ["999.1.2.3", "10.0.0.0/8", "...", "::g", "10.0.0.010"])
  test(`a gateway's address that is none (${address}) is refused at its place`, async () => {
    assert.match(
      await told({ TURNUP_PORTAL_GATEWAYS_FILE: gatewaysOf(address) }),
      /\[0\]\.addresses\[0\]: an IP/,
    );
    await check({ TURNUP_PORTAL_GATEWAYS_FILE: gatewaysOf("2001:DB8::1") });
  });

test("a network of a proxy's policy that has more bits than its address, and an authority that is none, are refused at their place", async () => {
  const policy = (more: object) => ({
    TURNUP_PROXY_POLICY_FILE: file("policy.json", JSON.stringify({ id: "p", servers: [], ...more })),
  });
  const network = (address: string, bits: number) =>
    policy({ bearers: [{ network: address, bits, bearer: "gsm" }] });
  assert.match(
    await told(network("10.0.0.0", 64), true),
    /bearers\[0\]\.bits: an IPv4 network has 32 bits at most/,
  );
  await check(network("2001:db8::", 64), true);
  assert.match(
    await told(policy({ factoryAuthorityFiles: ["words.txt"] }), true),
    /policy\.json: .*words\.txt holds no certificate/,
  );
});

test("all that is wrong is told in one go", async () => {
  const all = await told({ TURNUP_SEAL_KEY: "abc", TURNUP_HTTP_TRUST_PROXY: "x", [KEY]: at("key.pem") });
  assert.match(all, /^config_invalid/);
  for (const one of [/Seal keys are/, /http\.trust_proxy/, /maker\.key_file is set/]) assert.match(all, one);
});

test("a seal key that every user of the machine can read is refused, in the data folder and by seal.key_file", async () => {
  mkdirSync(at("open"), { recursive: true });
  const key = "ab".repeat(32);
  const [inFolder, apart] = [file("open/seal.key", key, 0o644), file("apart.key", key, 0o604)];
  assert.match(await told({ TURNUP_DATA_FOLDER: at("open") }), /^seal_key_exposed: .*open\/seal\.key/);
  assert.match(await told({ TURNUP_SEAL_KEY_FILE: apart }).catch(String), /seal\.key_file = .*chmod 600/);
  for (const one of [inFolder, apart]) chmodSync(one, 0o640); // a group of its own is the operator's to choose
  await check({ TURNUP_DATA_FOLDER: at("open") });
  await check({ TURNUP_SEAL_KEY_FILE: apart });
});

test("a message centre's password of more than eight octets, and files of TLS that do not go together, are refused by name", async () => {
  const SMSC = "TURNUP_SMSC_";
  assert.match(await told({ [`${SMSC}PASSWORD`]: "ninechars" }), /smsc\.password has 9 octets/);
  await check({ [`${SMSC}PASSWORD`]: "eightone" });
  await check({ [`${SMSC}PASSWORD`]: "ninechars", [`${SMSC}LONG_PASSWORD`]: "true" });
  const tls = { [`${SMSC}TLS`]: "true", [`${SMSC}TLS_AUTHORITY_FILE`]: at("authority.pem") };
  const certificate = { [`${SMSC}TLS_CERTIFICATE_FILE`]: at("certificate.pem") };
  await check({ ...tls, ...certificate, [`${SMSC}TLS_KEY_FILE`]: at("key.pem") });
  assert.match(await told({ ...tls, ...certificate }), /smsc\.tls_key_file/);
  assert.match(
    await told({ ...tls, ...certificate, [`${SMSC}TLS_KEY_FILE`]: at("other.pem") }),
    /smsc\.tls_key_file is not the key/,
  );
  assert.match(
    await told({ ...tls, [`${SMSC}TLS_AUTHORITY_FILE`]: at("words.txt") }),
    /smsc\.tls_authority_file/,
  );
  assert.match(await told({ [`${SMSC}TLS_AUTHORITY_FILE`]: at("authority.pem") }), /smsc\.tls is false/);
});
