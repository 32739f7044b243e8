/**
 * R33, R34: the same journey of a new phone where message centre, proxy, server, service server and key server are processes
 * of the shipped program, told by files and addresses alone, and where proxy and server are one of them.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import {
  accountsFile,
  askerWhoAccepts,
  DEVICE,
  type MachinesApart,
  machinesApart,
  makeAuthority,
  makeDevice,
  makeSigningKey,
  phoneApart,
  setUpOperator,
  signedBy,
} from "../fixture/machines-apart.ts";
import { until } from "../fixture/story.ts";
import { speaker } from "../fixture/story-parties.ts";
import { answerNotice, modulesOf, orderAgain, orderSteps, stateOf } from "../fixture/story-steps.ts";

const PROXY = "edge-7";
/** Up to nine programs are started one after the other, on whatever machine. */
const TIMEOUT_MS = 600_000;

/** A phone that its user has just switched on for the first time gets software, then a service. */
async function journey(machines: MachinesApart, token: string, proxyAuthority: string): Promise<void> {
  const { phone, events } = await phoneApart(machines, proxyAuthority);
  const { storyUntil } = await askerWhoAccepts(machines, token);
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Mail program"));
  await answerNotice(phone, "terms", "accept");
  const ended = (what: string) => storyUntil(phone, ({ endedAt }) => endedAt !== null, what);
  const software = await ended("the first order has ended");
  assert.equal(software.state, "completed");
  assert.equal(stateOf(software, "mail-client"), "works");
  assert.deepEqual(modulesOf(phone), ["mail-client active"]);
  await orderAgain(phone, "Services", "Mail", { f_mail__mailbox: "anna" });
  await answerNotice(phone, "terms", "accept");
  await storyUntil(phone, ({ id }) => id !== software.id, "the second order is there");
  const registered = await ended("the second order has ended");
  assert.equal(registered.state, "completed");
  assert.equal(stateOf(registered, "mail"), "access_data_sent");
  await until(
    () => events.filter((event) => event.kind === "notice" && event.notice === "access_data").length,
    (count) => count === 1,
    "the access data came by SMS",
  );
}

/** R123: the SIM is in another handset, which no order says: the provider's process and the billing file hear of it. */
async function movedIsTold(machines: MachinesApart, token: string, billingFile: string): Promise<void> {
  const asker = speaker(`http://127.0.0.1:${machines.ports.api}`, new Map([["admin", token]]));
  const { imei, imsi, msisdn } = DEVICE;
  for (const seenIn of [imei, "490154203237518"]) {
    const seen = await asker.call("POST", "/v1/sightings", {
      imei: seenIn,
      imsi,
      msisdn: `+${msisdn}`,
      plmn: "00101",
    });
    assert.ok(seen.status < 300, seen.text);
  }
  const reasons = async (): Promise<string> => {
    const { rows } = await asker.get(`/v1/orders?imsi=${imsi}`);
    const orders = await Promise.all(
      rows.map(({ id }: { readonly id: string }) => asker.get(`/v1/orders/${id}`)),
    );
    const all: readonly string[] = orders.flatMap(({ events }) =>
      events.map(({ reason }: { reason: string }) => reason),
    );
    return all.filter((reason) => /\btold\b|took the|gave no answer|takes no such/.test(reason)).join("; ");
  };
  await until(
    reasons,
    (all) => /the service server \S+ was told what was changed/.test(all),
    "the provider was told",
  );
  await until(
    reasons,
    (all) => /the billing centre was told what was changed/.test(all),
    "the billing centre too",
  );
  assert.match(readFileSync(billingFile, "utf8"), /,provisioning,.*changed,handset/);
}

/** Every process ends in order when it is asked to, and the provider's own books have the user, once. */
async function endAll({ processes, service }: MachinesApart): Promise<void> {
  for (const one of [...processes].reverse()) assert.equal(await one.stop(), 0, one.output());
  const again = await service.again();
  assert.match(again.output(), /"registrations":\s*1/);
}

test(
  "R34: as processes of their own over TLS, a new phone gets software and a service as it does from one",
  async () => {
    const machines = await machinesApart();
    const { folder, file, start, ports } = machines;
    const token = await setUpOperator(machines);
    const billingFile = join(folder, "billing.csv");

    // A maker's key server, for the relation that the server's certificate is of.
    await start(
      [
        "maker",
        "--policy",
        file("maker.json", MAKER_POLICY),
        "--folder",
        join(folder, "maker"),
        "--port",
        "0",
      ],
      {},
      /maker\.example issues keys at https:\/\//,
    );
    // What the server proves itself by, and what its device leaves the factory with.
    const land = join(folder, "land");
    await makeAuthority(land, "servers");
    await signedBy(join(land, "servers"), join(land, "server"), "IP:127.0.0.1");
    const publicKey = await makeSigningKey(join(land, "signing.key"));
    await makeAuthority(folder, "factory");
    await makeDevice(machines, join(folder, "factory"));

    const proxyFolder = join(folder, "edge");
    const proxy = await start(
      ["proxy"],
      {
        TURNUP_PROXY_POLICY_FILE: file("proxy.json", {
          id: PROXY,
          servers: [
            {
              url: `https://127.0.0.1:${ports.land}`,
              id: "prov-3",
              authorityFile: "land/servers.crt",
              publicKey,
            },
          ],
          factoryAuthorityFiles: ["factory.crt"],
        }),
        TURNUP_PROXY_ACCOUNTS_FILE: accountsFile(machines),
        TURNUP_PROXY_FOLDER: proxyFolder,
        TURNUP_PROXY_PORT: String(ports.proxy),
      },
      /serves devices at .*\n.*\n.*proxies_file/,
    );
    const [, known = ""] = /proxies_file: (\[.*\])/.exec(proxy.output()) ?? [];
    const proxyAuthority = join(proxyFolder, "certificates", "proxy", "authority.crt");
    const makerCertificates = join(folder, "maker", "certificates");
    await start(
      ["serve"],
      {
        ...machines.environment,
        TURNUP_BILLING_CSV_FILE: billingFile,
        TURNUP_LAND_PORT: String(ports.land),
        TURNUP_LAND_ID: "prov-3",
        TURNUP_LAND_CERTIFICATE_FILE: join(land, "server.crt"),
        TURNUP_LAND_KEY_FILE: join(land, "server.key"),
        TURNUP_LAND_SIGNING_KEY_FILE: join(land, "signing.key"),
        TURNUP_LAND_AUTHORITY_FILE: proxyAuthority,
        TURNUP_LAND_PROXIES_FILE: file("proxies.json", JSON.parse(known)),
        TURNUP_MAKER_AUTHORITY_FILE: join(makerCertificates, "authority.crt"),
        TURNUP_MAKER_CERTIFICATE_FILE: join(makerCertificates, "client-turnup.crt"),
        TURNUP_MAKER_KEY_FILE: join(makerCertificates, "client-turnup.key"),
      },
      /Turnup serves at/,
    );
    await journey(machines, token, proxyAuthority);
    await movedIsTold(machines, token, billingFile);
    await endAll(machines);
  },
  TIMEOUT_MS,
);

test(
  "R34: as one process that is server and proxy, ready when both are, a new phone gets the same",
  async () => {
    const machines = await machinesApart();
    const { folder, start, ports } = machines;
    const token = await setUpOperator(machines);
    const proxyFolder = join(folder, "data", "proxy");
    const environment = {
      ...machines.environment,
      TURNUP_LAND_PORT: String(ports.land),
      TURNUP_PROXY_PORT: String(ports.proxy),
      TURNUP_PROXY_ACCOUNTS_FILE: accountsFile(machines),
    };
    const first = await start(["serve", "--with-proxy"], environment, /Turnup serves at/);
    const ready = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${ports.api}/readyz`)).json();
    await until(ready, (answer) => /"name":"proxy","ok":true/.test(JSON.stringify(answer)), "both are ready");
    // Stopped and started again it is the same proxy: its devices trust it still.
    const authority = join(proxyFolder, "certificates", "proxy", "authority.crt");
    const before = readFileSync(authority, "utf8");
    assert.equal(await first.stop(), 0, first.output());
    await start(["serve", "--with-proxy"], environment, /Turnup serves at/);
    assert.equal(readFileSync(authority, "utf8"), before);
    await makeDevice(machines, join(proxyFolder, "certificates", "factory", "authority"));
    // The server tells the proxy beside it of accounts, though no door of it is named anywhere.
    const asker = speaker(`http://127.0.0.1:${ports.api}`, new Map([["admin", token]]));
    const account = `/v1/proxy-accounts/${DEVICE.imei}`;
    for (const blocked of [true, false]) {
      assert.equal((await asker.call("PUT", account, { blocked })).status, 200);
      const isTold = ({ proxies }: { readonly proxies: readonly { readonly isTold: boolean }[] }): boolean =>
        proxies.length === 1 && proxies.every((proxy) => proxy.isTold);
      await until(() => asker.get(account), isTold, `the proxy knows that blocked is ${blocked}`);
    }
    await journey(machines, token, authority);
    await endAll(machines);
  },
  TIMEOUT_MS,
);

const MAKER_POLICY = {
  issuer: "maker.example",
  clients: [{ id: "turnup", feeMinor: 250, portionBasisPoints: 4_000, currency: "EUR" }],
  models: [{ tac: "35693803", make: "Example", model: "One" }],
  offers: [
    {
      hosts: ["mms.maker.example"],
      accessPoints: [{ apn: "maker.example", use: "maker", authType: "none" }],
    },
  ],
  validityDays: 30,
};
