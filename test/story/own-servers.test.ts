/**
 * R6, R40 and R120: two provisioning servers of our own, the proxy between, and the world of phones and other companies, as four
 * processes that know each other by files alone. What one server offers and the other provisions is asked for on the roads where
 * the device does not ask by itself; each time the other server does it, says so, and bills it.
 */
import assert from "node:assert/strict";
import { createPublicKey, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { ROAD_WORLD } from "../../src/app/demo/device-world.ts";
import { factoryModules } from "../../src/device/modules.ts";
import { createPhone, type Phone } from "../../src/sim/phone/phone.ts";
import type { PhoneEvent } from "../../src/sim/phone/phone-state.ts";
import { startTurnup, type TurnupProcess } from "../fault/turnup-process.ts";
import { freePort } from "../fixture/free-port.ts";
import { type OutsideMachines, outsideMachines } from "../fixture/outside-machines.ts";
import { until } from "../fixture/story.ts";
import { imeiOf } from "../fixture/story-parties.ts";
import { changeItem, modulesOf, orderSteps, stateOf, statesOf } from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";

const DORMANT = {
  name: ROAD_WORLD.dormantModule,
  version: "1.0",
  vendor: "trial",
  state: "dormant",
} as const;
const THEIR_NUMBER = "70002";
const THEIR_ISSUER = "games.content";
const PHONES = 3;
const pairOf = (n: number) => ({
  imei: imeiOf(n),
  imsi: `00101900000000${n}`,
  msisdn: `88210900000${n}`,
});

const folder = mkdtempSync(join(tmpdir(), "turnup-own-servers-"));
const processes: TurnupProcess[] = [];
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const partyIn = (
  name: string,
  more: Partial<Parameters<typeof outsideMachines>[0]> = {},
): Promise<OutsideMachines> => {
  mkdirSync(join(folder, name));
  return outsideMachines({ seed: 1, folder: join(folder, name), orders: { doneAt: "delivered" }, ...more });
};
const theirs = await partyIn("theirs", { orders: { doneAt: "delivered", sender: THEIR_NUMBER } });
const ours = await partyIn("ours", { origins: { "https://games.example": theirs.landUrl } });
whenDone(async () => {
  for (const one of processes.reverse()) await one.stop();
});

async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<TurnupProcess> {
  const started = await startTurnup(args, env, ready);
  processes.push(started);
  return started;
}

/** The proxy of another machine, which leads to both. */
async function startProxy(): Promise<{
  readonly url: string;
  readonly authorityFile: string;
  readonly proxiesFile: string;
}> {
  const edge = join(folder, "edge");
  mkdirSync(edge);
  const accounts = Array.from({ length: PHONES }, (_, n) => pairOf(n + 1)).map(({ imei, ...sim }) =>
    JSON.stringify({ deviceId: imei, ...sim }),
  );
  const servers = [ours, theirs].map((party) => ({
    url: party.landUrl,
    id: party === ours ? ROAD_WORLD.landId : "games",
    authorityFile: join(party.folder, "road", "server", "authority.crt"),
    publicKey: party.road.certificates.land.publicKey
      .export({ type: "spki", format: "der" })
      .toString("base64"),
  }));
  const port = await freePort();
  const proxy = await start(
    ["proxy"],
    {
      TURNUP_PROXY_POLICY_FILE: file("proxy.json", {
        id: ROAD_WORLD.proxyId,
        servers,
        factoryAuthorityFiles: [join(ours.folder, "road", "factory", "authority.crt")],
      }),
      TURNUP_PROXY_ACCOUNTS_FILE: file("accounts.jsonl", `${accounts.join("\n")}\n`),
      TURNUP_PROXY_FOLDER: edge,
      TURNUP_PROXY_PORT: String(port),
      TURNUP_DATA_FOLDER: join(folder, "edge-data"),
    },
    /serves devices at .*\n.*\n.*proxies_file/,
  );
  const [, told] = /proxies_file: (\[.*\])/.exec(proxy.output()) ?? [];
  return {
    url: `https://127.0.0.1:${port}`,
    authorityFile: join(edge, "certificates", "proxy", "authority.crt"),
    proxiesFile: file("proxies-of-servers.json", told ?? ""),
  };
}

const proxy = await startProxy();
const behindProxy = {
  TURNUP_LAND_AUTHORITY_FILE: proxy.authorityFile,
  TURNUP_LAND_PROXIES_FILE: proxy.proxiesFile,
};
const peerFile = file("peers.json", [
  { origin: theirs.landUrl, name: "Games fixture", apiUrl: theirs.url, tokenFile: "games.token" },
]);
file("games.token", theirs.token("partner"));
await start(
  ["serve"],
  {
    ...theirs.environment,
    ...behindProxy,
    TURNUP_LAND_ID: "games",
    TURNUP_ISSUER_NAME: THEIR_ISSUER,
  },
  /Turnup serves at/,
);
await start(
  ["serve"],
  { ...ours.environment, ...behindProxy, TURNUP_PEER_FILE: peerFile },
  /Turnup serves at/,
);
// There, it is software that sleeps on the device, at a price.
await changeItem(theirs, "games", {
  provisioningServer: null,
  content: { kind: "activation", module: ROAD_WORLD.dormantModule },
  price: { onceMinor: 199, monthlyMinor: 0, currency: "EUR" },
});

const events: PhoneEvent[] = [];
const keyIn = ({ issuer: { spki } }: OutsideMachines) =>
  createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
const issuers = new Map([
  [ours.issuer.name, keyIn(ours)],
  [THEIR_ISSUER, keyIn(theirs)],
]);

async function phoneOf(n: number): Promise<Phone> {
  const { vendor, certificates } = ours.road;
  const phone = createPhone({
    ...pairOf(n),
    provisioningUri: ours.landUrl,
    proxyUri: proxy.url,
    proxyAuthority: readFileSync(proxy.authorityFile, "utf8"),
    factory: await certificates.factoryPair(pairOf(n).imei),
    modules: factoryModules([DORMANT]),
    issuerKeyOf: (name) => issuers.get(name),
    vendorKeyOf: (name) => (name === vendor.name ? vendor.publicKey : undefined),
    submitMo: (sms) => (sms.to === THEIR_NUMBER ? theirs : ours).submitMo(sms),
    seed: n,
    onEvent: (event) => events.push(event),
  });
  for (const party of [ours, theirs]) party.adopt(phone);
  whenDone(() => phone.powerOff());
  phone.powerOn();
  await phone.walk([{ await: "start" }]);
  return phone;
}

const fetchedBy = ({ msisdn }: Phone): string[] =>
  events.flatMap((event) =>
    event.kind === "request" && event.msisdn === msisdn && event.path.endsWith("/content")
      ? [decodeURIComponent(event.path.split("/")[2] ?? "")]
      : [],
  );
const hostOf = (party: OutsideMachines): string => new URL(party.landUrl).host;
const billedBy = (party: OutsideMachines): string[] =>
  party.road.sandboxes.parties.billing
    .ledger()
    .map(({ kind, catalogId, onceMinor }) => `${kind} ${catalogId ?? ""} ${onceMinor}`);
const asStaff = async (party: OutsideMachines, phone: Phone, selection: readonly string[]) => {
  const { imsi, imei, msisdn } = phone;
  // Of whom nothing is known, a person would have to look at who asks.
  const user = { givenName: "Anna", familyName: "Lind" };
  const body = { subscriber: { imsi, imei, msisdn: `+${msisdn}` }, selection, user };
  const answer = await party.call("POST", "/v1/requests", body, "representative", {
    "idempotency-key": randomUUID(),
  });
  assert.equal(answer.status, 202, answer.text);
};
const endOf = (party: OutsideMachines, phone: Phone, what: string) =>
  party.storyUntil(phone, ({ endedAt }) => endedAt !== null, what);

test("R6, R40, R120: what our staff enter and another server provisions is done there, fetched from there, and billed there alone", async () => {
  const phone = await phoneOf(1);
  const before = [billedBy(ours).length, billedBy(theirs).length];
  await asStaff(ours, phone, ["games"]);
  const there = await endOf(theirs, phone, "their order has ended");
  assert.equal(there.state, "completed");
  assert.equal(there.cause, "partner");
  assert.deepEqual(modulesOf(phone), ["java-runtime active"]);
  assert.deepEqual(
    fetchedBy(phone),
    [hostOf(theirs)],
    "a device that never asked there found the way by a knock",
  );
  const here = await endOf(ours, phone, "our order has ended by their word");
  assert.equal(here.state, "completed");
  assert.equal(stateOf(here, "games"), "works");
  const proof = here.events.find(({ evidence }: { evidence: string }) => evidence === "peer");
  assert.match(proof?.reason ?? "", /^Games fixture has it, as its request \w{8}$/);
  await until(
    () => billedBy(theirs).slice(before[1]),
    (booked) => booked.includes("feature games 199"),
    "their billing centre booked it",
  );
  assert.equal(billedBy(ours).length, before[0], "ours nothing");
});

test("R120: what another server's own staff enter for a phone that never asked there works", async () => {
  const phone = await phoneOf(2);
  await asStaff(theirs, phone, ["games"]);
  const there = await endOf(theirs, phone, "their order has ended");
  assert.equal(there.state, "completed");
  assert.deepEqual(modulesOf(phone), ["java-runtime active"]);
  assert.deepEqual(fetchedBy(phone), [hostOf(theirs)]);
  assert.equal(await ours.story(phone), undefined, "our server knows nothing of it");
});

test("R7, R120: a package of both, ordered on the device: each member at its own server, each notice from its writer", async () => {
  const phone = await phoneOf(3);
  await changeItem(ours, "starter", {
    includes: ["wap-browser", "games"],
  });
  await phone.walk(orderSteps("Packages", "Starter package"));
  const here = await endOf(ours, phone, "our order has ended");
  assert.equal(here.state, "completed");
  assert.deepEqual(statesOf(here), { "wap-browser": "works", games: "works" });
  const there = await theirs.story(phone);
  assert.deepEqual([there.state, statesOf(there)], ["completed", { games: "works" }]);
  assert.deepEqual(fetchedBy(phone).sort(), [hostOf(ours), hostOf(theirs)].sort());
  assert.deepEqual(modulesOf(phone), ["java-runtime active"]);
  const kinds = events.flatMap((event) =>
    event.kind === "notice" && event.msisdn === phone.msisdn ? [event.notice] : [],
  );
  assert.ok(!kinds.includes("knock"), "its key came along with the request: their notices are sealed for it");
  assert.deepEqual([ours.faults, theirs.faults], [[], []]);
});
