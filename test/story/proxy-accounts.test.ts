/**
 * R34: accounts of devices come, are blocked and go at every proxy by the server's word: a server and two proxies as processes of
 * the shipped program, told by files and addresses alone. One proxy is dead while a device is blocked, and comes back.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import type { TurnupProcess } from "../fault/turnup-process.ts";
import { freePort } from "../fixture/free-port.ts";
import {
  DEVICE,
  type MachinesApart,
  machinesApart,
  makeAuthority,
  makeDevice,
  makeSigningKey,
  signedBy,
} from "../fixture/machines-apart.ts";
import { ask } from "../fixture/parties.ts";
import { until } from "../fixture/story.ts";
import { speaker } from "../fixture/story-parties.ts";

/** Up to seven programs are started one after the other, on whatever machine. */
const TIMEOUT_MS = 600_000;
const ACCOUNT = `/v1/proxy-accounts/${DEVICE.imei}`;
const REFUSED = 403;

/** A proxy with a door for its operator; told of the server that it leads to by its policy file. */
async function proxyApart(machines: MachinesApart, id: string, publicKey: string) {
  const { folder, file, start, ports } = machines;
  const [port, managePort, secret] = [await freePort(), await freePort(), randomBytes(20).toString("hex")];
  const server = {
    ...{ url: `https://127.0.0.1:${ports.land}`, id: "prov-9" },
    ...{ authorityFile: "land/servers.crt", publicKey },
  };
  const policy = { id, servers: [server], factoryAuthorityFiles: ["factory.crt"] };
  const environment = {
    TURNUP_PROXY_POLICY_FILE: file(`${id}.json`, policy),
    TURNUP_PROXY_FOLDER: join(folder, id),
    TURNUP_PROXY_PORT: String(port),
    TURNUP_PROXY_MANAGE_PORT: String(managePort),
    TURNUP_PROXY_MANAGE_SECRET_FILE: file(`${id}.secret`, secret),
  };
  const run = () => start(["proxy"], environment, /proxies_file/);
  const process = await run();
  const [, known = "[]"] = /proxies_file: (\[.*\])/.exec(process.output()) ?? [];
  const authorityFile = join(id, "certificates", "proxy", "authority.crt");
  const authority = readFileSync(join(folder, authorityFile), "utf8");
  const manage = { url: `https://127.0.0.1:${managePort}`, authorityFile, secretFile: `${id}.secret` };
  const [entry] = JSON.parse(known) as [Record<string, unknown>];
  /** One message of the device, as from its factory. */
  const message = async (): Promise<number> => {
    const path = `/r/${encodeURIComponent(`127.0.0.1:${ports.land}`)}/d/start`;
    const answer = await ask(new URL(path, `https://127.0.0.1:${port}`), {
      key: readFileSync(join(folder, "device.key")),
      cert: readFileSync(join(folder, "device.crt")),
      ca: authority,
      headers: { accept: "application/vnd.turnup.screen+json" },
    });
    return answer.status;
  };
  return { id, run, process, authority, message, entry: { ...entry, manage } };
}

test(
  "R34: a device that is blocked is refused at its next message at every proxy, also at one that was dead meanwhile",
  async () => {
    const machines = await machinesApart();
    const { folder, file, start, ports, turnup } = machines;
    await turnup("operator", "add", "isle", "--name", "Isle Mobile", "--kind", "mvno", "--plmn", "001-01");
    await turnup("operator", "add", "cape", "--name", "Cape Mobile", "--kind", "mvno", "--plmn", "001-02");
    const tokens = new Map<"care" | "engineer", string>();
    for (const role of ["care", "engineer"] as const)
      tokens.set(role, (await turnup("token", "add", "--operator", "isle", "--role", role)).trim());
    const land = join(folder, "land");
    await makeAuthority(land, "servers");
    await signedBy(join(land, "servers"), join(land, "server"), "IP:127.0.0.1");
    const publicKey = await makeSigningKey(join(land, "signing.key"));
    await makeAuthority(folder, "factory");
    await makeDevice(machines, join(folder, "factory"));
    const [north, south, cape] = [
      await proxyApart(machines, "edge-north", publicKey),
      await proxyApart(machines, "edge-south", publicKey),
      await proxyApart(machines, "edge-cape", publicKey),
    ];
    const serve = (): Promise<TurnupProcess> =>
      start(
        ["serve"],
        {
          ...machines.environment,
          TURNUP_LAND_PORT: String(ports.land),
          TURNUP_LAND_ID: "prov-9",
          TURNUP_LAND_CERTIFICATE_FILE: join(land, "server.crt"),
          TURNUP_LAND_KEY_FILE: join(land, "server.key"),
          TURNUP_LAND_SIGNING_KEY_FILE: join(land, "signing.key"),
          TURNUP_LAND_AUTHORITY_FILE: file("proxies.crt", north.authority + south.authority + cape.authority),
          TURNUP_LAND_PROXIES_FILE: file("proxies.json", [
            { ...north.entry, operator: "isle" },
            south.entry, // the portal's operator, which is the first
            { ...cape.entry, operator: "cape" },
          ]),
        },
        /Turnup serves at/,
      );
    let server = await serve();
    const asker = speaker(`http://127.0.0.1:${ports.api}`, tokens);
    const account = async (): Promise<Readonly<Record<string, boolean>>> => {
      const body = await asker.get(ACCOUNT, "care");
      return Object.fromEntries(
        body.proxies.map((one: { proxy: string; isTold: boolean }) => [one.proxy, one.isTold]),
      );
    };
    const knownBy = (told: Readonly<Record<string, boolean>>, what: string) =>
      until(account, (found) => JSON.stringify(found) === JSON.stringify(told), what);
    const both = { "edge-north": true, "edge-south": true };

    assert.deepEqual([await north.message(), await south.message()], [REFUSED, REFUSED], "it has no account");
    const { imsi, msisdn } = DEVICE;
    const opened = await asker.call("PUT", ACCOUNT, { imsi, msisdn: `+${msisdn}` }, "engineer");
    assert.equal(opened.status, 200, opened.text);
    await knownBy(both, "both proxies know of the account");
    assert.deepEqual([await north.message(), await south.message()], [200, 200]);
    assert.equal(await cape.message(), REFUSED, "another operator's proxy has no account of theirs");

    await south.process.kill();
    assert.equal((await asker.call("PUT", ACCOUNT, { blocked: true }, "care")).status, 200);
    assert.equal(
      await north.message(),
      REFUSED,
      "its next message, whether or not the proxy was told by then",
    );
    await knownBy({ ...both, "edge-south": false }, "the proxy that lives knows of the block");
    type Shown = { readonly proxy: string; readonly tries: number; readonly outcome: string | null };
    const shown = await until(
      async (): Promise<Shown[]> => (await asker.get("/v1/proxies", "care")).proxies,
      (proxies) =>
        proxies.some(({ proxy, outcome }) => proxy === south.id && /^unreachable/.test(outcome ?? "")),
      "the dead proxy was tried in vain", // it is tried beside the other, and may take longer
    );
    assert.ok(shown.every(({ proxy, tries }) => proxy !== south.id || tries > 0));
    assert.deepEqual(shown.map(({ proxy }) => proxy).sort(), [north.id, south.id]);

    await south.run();
    assert.equal(await south.message(), REFUSED, "the first message after it came back");
    await knownBy(both, "the proxy that was dead was told what it missed");
    assert.equal(await server.stop(), 0, server.output());
    assert.deepEqual([await north.message(), await south.message()], [REFUSED, REFUSED], "by themselves");

    assert.match(
      await turnup("proxy-account", "release", "--operator", "isle", DEVICE.imei),
      /does not know it yet/,
    );
    server = await serve();
    await knownBy(both, "both were told of the release");
    assert.deepEqual([await north.message(), await south.message()], [200, 200]);
    assert.match(
      await turnup("proxy-account", "list", "--operator", "isle"),
      /edge-north: knows all\nedge-south: knows all/,
    );

    assert.equal((await asker.call("DELETE", ACCOUNT, undefined, "engineer")).status, 204);
    assert.equal(await south.message(), REFUSED, "its account is closed");
    assert.equal((await asker.get(ACCOUNT, "care")).standing, "closed");
  },
  TIMEOUT_MS,
);
