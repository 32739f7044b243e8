/**
 * R34, the other way round: server, proxy, service server and key server as four processes of the shipped program, each told
 * by files alone where the others are; the phone goes the same way as where all are one.
 */
import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { ROAD_WORLD } from "../../src/app/demo/device-world.ts";
import { factoryModules } from "../../src/device/modules.ts";
import { pinOf } from "../../src/net/exchange/exchange.ts";
import { createPhone } from "../../src/sim/phone/phone.ts";
import type { PhoneEvent } from "../../src/sim/phone/phone-state.ts";
import { freePort, startTurnup, type TurnupProcess } from "../fault/turnup-process.ts";
import { outsideMachines } from "../fixture/outside-machines.ts";
import { until } from "../fixture/story.ts";
import { imeiOf } from "../fixture/story-parties.ts";
import { answerNotice, modulesOf, orderAgain, orderSteps, stateOf } from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";

const CLIENT = "turnup";
const PERSON = { u_givenName: "Anna", u_familyName: "Lind" };

test("R34: as four processes over TLS, a new phone gets software and a service as it does from one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-split-"));
  const processes: TurnupProcess[] = [];
  const start = async (args: readonly string[], env: Readonly<Record<string, string>>, ready: RegExp) => {
    const started = await startTurnup(args, { ...env, TURNUP_DATA_FOLDER: join(folder, "data") }, ready);
    processes.push(started);
    return started;
  };
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };

  // The service server of another company, and a maker's key server: each makes its authority by itself.
  const servicePolicy = file("service.json", {
    clients: [CLIENT],
    services: [
      {
        path: "/scim/v2",
        accessUrl: "https://office.example/mail",
        fields: [{ name: "mailbox", kind: "text" }],
      },
    ],
  });
  const service = await start(
    ["service", "--policy", servicePolicy, "--folder", join(folder, "service"), "--port", "0", "--json"],
    {},
    /registrations/,
  );
  const { uri } = JSON.parse(
    service
      .output()
      .split("\n")
      .find((line) => line.startsWith("{"))!,
  ) as { uri: string };
  const makerPolicy = file("maker.json", {
    issuer: "maker.example",
    clients: [{ id: CLIENT, feeMinor: 250, portionBasisPoints: 4_000, currency: "EUR" }],
    models: [{ tac: "35693803", make: "Example", model: "One" }],
    offers: [
      {
        hosts: ["mms.maker.example"],
        accessPoints: [{ apn: "maker.example", use: "maker", authType: "none" }],
      },
    ],
    validityDays: 30,
  });
  const maker = await start(
    ["maker", "--policy", makerPolicy, "--folder", join(folder, "maker"), "--port", "0"],
    {},
    /issues keys at/,
  );
  assert.match(maker.output(), /maker\.example issues keys at https:\/\//);

  const certificates = join(folder, "service", "certificates");
  const providersFile = file("providers.json", [
    {
      uri,
      authorityFile: join(certificates, "authority.crt"),
      certificateFile: join(certificates, `client-${CLIENT}.crt`),
      keyFile: join(certificates, `client-${CLIENT}.key`),
      pins: [pinOf(new X509Certificate(readFileSync(join(certificates, "server.crt"))))],
      access: {
        kind: "certificate_bound",
        tokenUrl: `${new URL(uri).origin}/oauth2/token`,
        clientId: CLIENT,
        scope: "scim",
      },
    },
  ]);
  const outside = await outsideMachines({
    seed: 1,
    folder,
    providersFile,
    origins: { "https://office.example": new URL(uri).origin },
  });
  whenDone(async () => {
    for (const one of processes.reverse()) await one.stop();
  });
  const { landUrl, road } = outside;
  // The proxy of another machine: it brings the keys that the server knows it by.
  const imei = imeiOf(1);
  const [imsi, msisdn] = ["001019000000001", "882109000001"];
  const proxyFolder = join(folder, "edge");
  mkdirSync(proxyFolder);
  const accounts = join(folder, "accounts.jsonl");
  writeFileSync(accounts, `${JSON.stringify({ deviceId: imei, imsi, msisdn })}\n`);
  const proxyPolicy = file("proxy.json", {
    id: ROAD_WORLD.proxyId,
    servers: [
      {
        url: landUrl,
        id: ROAD_WORLD.landId,
        authorityFile: join(folder, "road", "server", "authority.crt"),
        publicKey: road.certificates.land.publicKey
          .export({ type: "spki", format: "der" })
          .toString("base64"),
      },
    ],
    factoryAuthorityFiles: [join(folder, "road", "factory", "authority.crt")],
  });
  const proxyPort = await freePort();
  const proxy = await start(
    ["proxy"],
    {
      TURNUP_PROXY_POLICY_FILE: proxyPolicy,
      TURNUP_PROXY_ACCOUNTS_FILE: accounts,
      TURNUP_PROXY_FOLDER: proxyFolder,
      TURNUP_PROXY_PORT: String(proxyPort),
    },
    /serves devices at .*\n.*\n.*proxies_file/,
  );
  const proxyAuthority = join(proxyFolder, "certificates", "proxy", "authority.crt");
  const [, told] = /proxies_file: (\[.*\])/.exec(proxy.output()) ?? [];
  const proxiesFile = file("proxies-of-server.json", JSON.parse(told ?? ""));

  const makerCertificates = join(folder, "maker", "certificates");
  await start(
    ["serve"],
    {
      ...outside.environment,
      TURNUP_LAND_AUTHORITY_FILE: proxyAuthority,
      TURNUP_LAND_PROXIES_FILE: proxiesFile,
      TURNUP_MAKER_AUTHORITY_FILE: join(makerCertificates, "authority.crt"),
      TURNUP_MAKER_CERTIFICATE_FILE: join(makerCertificates, `client-${CLIENT}.crt`),
      TURNUP_MAKER_KEY_FILE: join(makerCertificates, `client-${CLIENT}.key`),
    },
    /Turnup serves at/,
  );

  const events: PhoneEvent[] = [];
  const operatorKey = createPublicKey({
    key: Buffer.from(outside.issuer.spki, "base64"),
    format: "der",
    type: "spki",
  });
  const phone = createPhone({
    imei,
    imsi,
    msisdn,
    provisioningUri: landUrl,
    proxyUri: `https://127.0.0.1:${proxyPort}`,
    proxyAuthority: readFileSync(proxyAuthority, "utf8"),
    factory: await road.certificates.factoryPair(imei),
    modules: factoryModules([]),
    issuerKeyOf: (name) => (name === outside.issuer.name ? operatorKey : undefined),
    vendorKeyOf: (name) => (name === road.vendor.name ? road.vendor.publicKey : undefined),
    submitMo: outside.submitMo,
    seed: 1,
    onEvent: (event) => events.push(event),
  });
  outside.adopt(phone);
  whenDone(() => phone.powerOff());
  phone.powerOn();
  await phone.walk(orderSteps("Features", "Mail program", PERSON));
  await answerNotice(phone, "terms", "accept");
  const ended = (what: string) => outside.storyUntil(phone, ({ endedAt }) => endedAt !== null, what);
  const software = await ended("the first order has ended");
  assert.equal(software.state, "completed");
  assert.equal(stateOf(software, "mail-client"), "works");
  assert.deepEqual(modulesOf(phone), ["mail-client active"]);

  await orderAgain(phone, "Services", "Mail", { f_mail__mailbox: "anna" });
  await answerNotice(phone, "terms", "accept");
  await outside.storyUntil(phone, ({ id }) => id !== software.id, "the second order is there");
  const registered = await ended("the second order has ended");
  assert.equal(registered.state, "completed");
  assert.equal(stateOf(registered, "mail"), "access_data_sent");
  await until(
    () => events.filter((event) => event.kind === "notice" && event.notice === "access_data").length,
    (count) => count === 1,
    "the access data came by SMS",
  );
  assert.deepEqual(outside.faults, []);
  for (const one of [...processes].reverse()) assert.equal(await one.stop(), 0, one.output());
  const again = await start(
    ["service", "--policy", servicePolicy, "--folder", join(folder, "service"), "--port", "0", "--json"],
    {},
    /registrations/,
  );
  assert.match(again.output(), /"registrations":\s*1/, "the provider's own books have the user, once");
});
