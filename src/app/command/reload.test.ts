/** SIGHUP at `turnup proxy` and `turnup serve`, as processes of their own: what is read again, what waits, and what is wrong. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { startTurnup, type TurnupProcess } from "../../../test/fault/turnup-process.ts";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { freePort } from "../../../test/fixture/free-port.ts";
import { ask, IMEI, OTHER_IMEI } from "../../../test/fixture/parties.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createGateway } from "../../net/gateway/gateway.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import { accountPath } from "../../wire/message/account-api.ts";
import {
  ensureLegCertificates,
  type LegCertificates,
  landProxyOf,
} from "../certificates/leg-certificates.ts";

const SECRET = randomBytes(16).toString("hex");

async function folderWith(proxyId: string) {
  const folder = mkdtempSync(join(tmpdir(), "turnup-reload-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const certificates = await ensureLegCertificates({
    folder: join(folder, "legs"),
    proxyId,
    now: new Date(),
  });
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  return { folder, certificates, file };
}

/** What the process logged after its `nth` SIGHUP. */
async function hangup(started: TurnupProcess, nth: number): Promise<string> {
  process.kill(started.pid, "SIGHUP");
  const said = () =>
    started
      .output()
      .split("\n")
      .filter((line) => /files (not )?read again/.test(line));
  const lines = await until(said, (found) => found.length === nth, `SIGHUP ${nth} was followed`);
  return lines[nth - 1] ?? "";
}

const spki = (key: LegCertificates["land"]["publicKey"]): string =>
  key.export({ type: "spki", format: "der" }).toString("base64");

test("a proxy reads policy and accounts again on SIGHUP; a file that is wrong leaves what was in force; a port waits for a restart", async () => {
  const { folder, certificates, file } = await folderWith("edge-1");
  const policy = {
    id: "edge-1",
    servers: [
      {
        url: "https://127.0.0.1:1",
        id: "turnup",
        authorityFile: "legs/server/authority.crt",
        publicKey: spki(certificates.land.publicKey),
      },
    ],
  };
  const account = (deviceId: string) => `${JSON.stringify({ deviceId, imsi: null, msisdn: null })}\n`;
  let secret = SECRET;
  const settings = (port: number) =>
    file(
      "turnup.toml",
      `[proxy]\nfolder = "edge"\nport = ${port}\nmanage_port = ${managePort}\nmanage_secret = "${secret}"\n` +
        'policy_file = "proxy.json"\naccounts_file = "accounts.jsonl"\n',
    );
  const managePort = await freePort();
  file("proxy.json", policy);
  file("accounts.jsonl", account(IMEI));
  const config = settings(0);
  const proxy = await startTurnup(["proxy", "--config", config], {}, /proxies_file/);
  whenDone(() => proxy.stop());
  const statusOf = async (deviceId: string): Promise<number> => {
    const answer = await ask(new URL(accountPath(deviceId), `https://127.0.0.1:${managePort}`), {
      ca: readFileSync(join(folder, "edge", "certificates", "proxy", "authority.crt")),
      headers: { authorization: `Bearer ${secret}` },
    });
    return answer.status;
  };
  assert.deepEqual([await statusOf(IMEI), await statusOf(OTHER_IMEI)], [200, 404]);

  file("accounts.jsonl", account(IMEI) + account(OTHER_IMEI));
  file("proxy.json", { ...policy, bearers: [{ network: "127.0.0.0", bits: 8, bearer: "gsm" }] });
  const second = JSON.parse(await hangup(proxy, 1));
  assert.deepEqual(second.changed, ["proxy.accounts_file", "proxy.policy_file"]);
  assert.equal(await statusOf(OTHER_IMEI), 200);

  file("accounts.jsonl", "");
  file("proxy.json", `{"id": "edge-1", "servers": []}`);
  const third = JSON.parse(await hangup(proxy, 2));
  assert.match(third.msg, /not read again/);
  assert.match(third.reason, /servers: 1 to 100/);
  assert.equal(await statusOf(OTHER_IMEI), 200);
  file("proxy.json", { ...policy, id: "edge-2" });
  assert.match(JSON.parse(await hangup(proxy, 3)).reason, /edge-2/);

  file("proxy.json", policy);
  secret = randomBytes(16).toString("hex");
  settings(0);
  assert.equal(await statusOf(IMEI), 401, "the new secret is not in force yet");
  assert.ok(JSON.parse(await hangup(proxy, 4)).changed.includes("proxy.manage_secret"));
  assert.equal(await statusOf(IMEI), 200);
  settings(await freePort());
  await hangup(proxy, 5);
  assert.match(proxy.output(), /"settings":\["proxy\.port"\],"msg":"changed, and in force after a restart"/);
  assert.ok(!proxy.output().includes(SECRET) && !proxy.output().includes(secret));
  assert.equal(await proxy.stop(), 0);
});

test("a server reads the proxies that it knows again on SIGHUP; certificates that do not fit leave its door as it was", async () => {
  const { certificates, file, folder } = await folderWith("edge-1");
  const { url } = await freshDatabaseConfig();
  const landPort = await freePort();
  const known = (id: string) =>
    landProxyOf(id, certificates.proxy).keys.map(({ key, ...rest }) => ({ ...rest, publicKey: spki(key) }));
  const proxiesFile = file("proxies.json", [{ id: "edge-9", keys: known("edge-9") }]);
  const keyFile = file("server.key", certificates.land.server.key);
  const server = await startTurnup(
    ["serve"],
    {
      DATABASE_URL: url,
      TURNUP_DATA_FOLDER: join(folder, "data"),
      TURNUP_HTTP_PORT: "0",
      TURNUP_LAND_PORT: String(landPort),
      TURNUP_LAND_AUTHORITY_FILE: join(folder, "legs", "proxy", "authority.crt"),
      TURNUP_LAND_CERTIFICATE_FILE: join(folder, "legs", "server", "server.crt"),
      TURNUP_LAND_KEY_FILE: keyFile,
      TURNUP_LAND_SIGNING_KEY_FILE: join(folder, "legs", "server", "signing.key"),
      TURNUP_LAND_PROXIES_FILE: proxiesFile,
    },
    /Turnup serves at/,
  );
  whenDone(() => server.stop());
  const landUrl = `https://127.0.0.1:${landPort}`;
  const authenticate = async (): Promise<string> => {
    const { serverAuthority: authority, publicKey } = certificates.land;
    const { land, signing } = certificates.proxy;
    const gateway = createGateway({
      proxy: { id: "edge-1", ...land, signing },
      servers: [{ url: landUrl, id: "turnup", authority, publicKey }],
      limits: { retries: 0 },
      now: () => new Date(),
      freshOctets: (octets) => Uint8Array.from(randomBytes(octets)),
    });
    const answer = await gateway.authenticate(serverNameOf(landUrl));
    gateway.close();
    return answer.kind === "failed" ? answer.cause : answer.kind;
  };
  assert.equal(await authenticate(), "server_refused_us");
  file("proxies.json", [{ id: "edge-1", keys: known("edge-1") }]);
  assert.deepEqual(JSON.parse(await hangup(server, 1)).changed, ["land.proxies_file"]);
  assert.equal(await authenticate(), "verified");
  file("server.key", certificates.proxy.air.key);
  file("proxies.json", []);
  assert.match(await hangup(server, 2), /proxies\.json|do not fit/);
  assert.equal(await authenticate(), "verified");
  file("proxies.json", [{ id: "edge-9", keys: known("edge-9") }]);
  assert.match(
    JSON.parse(await hangup(server, 3)).reason,
    /land\.key_file is not the key of land\.certificate_file/,
  );
  assert.equal(await authenticate(), "verified", "neither the key nor the list of proxies was taken over");
  assert.equal(await server.stop(), 0);
});

test("a server binds to the message centre that its file names now; what it does not take over while it runs is said by name", async () => {
  const { file, folder } = await folderWith("edge-1");
  const { url } = await freshDatabaseConfig();
  const httpPort = await freePort();
  const centre = async (name: string, password: string) => {
    const policy = file(`${name}.json`, { accounts: [{ systemId: name, password, numbers: ["2948"] }] });
    const started = await startTurnup(["smsc", "--policy", policy, "--port", "0", "--json"], {}, /"port"/);
    whenDone(() => started.stop());
    const [line = "{}"] = started.output().split("\n");
    return { started, name, password, port: JSON.parse(line).port as number };
  };
  const [first, second] = [await centre("first", "pw-one"), await centre("second", "pw-two")];
  const settings = ({ name, password, port }: typeof first, more = "") =>
    file(
      "turnup.toml",
      `[http]\nport = ${httpPort}\n[smsc]\nport = ${port}\nsystem_id = "${name}"\npassword = "${password}"\n${more}`,
    );
  const config = settings(first);
  const environment = { DATABASE_URL: url, TURNUP_DATA_FOLDER: join(folder, "data") };
  const server = await startTurnup(["serve", "--config", config], environment, /Turnup serves at/);
  whenDone(() => server.stop());
  const isBound = async (): Promise<boolean> => {
    const { checks } = (await (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).json()) as {
      readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
    };
    return checks.some(({ name, ok }) => name === "smsc" && ok);
  };
  const untilBound = (is: boolean, what: string) => until(isBound, (bound) => bound === is, what);
  await untilBound(true, "the server is bound to the first centre");

  settings(second);
  assert.deepEqual(JSON.parse(await hangup(server, 1)).changed, [
    "smsc.password",
    "smsc.port",
    "smsc.system_id",
  ]);
  assert.equal(await first.started.stop(), 0);
  await untilBound(true, "the server is bound to the second centre, and the first is gone");
  const binds = () => server.output().match(/"smscSystemId"/g)?.length ?? 0;
  const before = binds();

  settings({ ...second, name: "a-name-that-is-too-long" });
  assert.match(JSON.parse(await hangup(server, 2)).reason, /smsc\.system_id/);
  settings(second, "[delivery]\nbatch = 100\n");
  await hangup(server, 3);
  assert.match(
    server.output(),
    /"settings":\["delivery\.batch"\],"msg":"changed, and in force after a restart"/,
  );
  assert.equal(await isBound(), true);
  assert.equal(binds(), before, "no session is ended for nothing");
  assert.ok(!server.output().includes("pw-two"));
  assert.equal(await server.stop(), 0);
});
