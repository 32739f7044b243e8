/** A server that MMEs ask by Diameter S13: a simulated MME over a real socket, two operators, one database. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { mmeClient } from "../../sim/core/mme.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { readConfig } from "../config/config.ts";
import { checkConfig, checkOperators } from "./check-config.ts";
import { openEquipmentDesk } from "./equipment-desk.ts";
import { startServer } from "./server.ts";

const REALM = "epc.mnc001.mcc001.3gppnetwork.org";
const mme = (more: object = {}) => ({
  ...{ name: "mme-1", originHost: `mme1.${REALM}`, addresses: ["127.0.0.1"] },
  ...more,
});

async function folderWith(peers: unknown) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-s13-"));
  whenDone(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "peers.json"), typeof peers === "string" ? peers : JSON.stringify(peers));
  const env = {
    ...{
      TURNUP_DATA_FOLDER: folder,
      TURNUP_S13_PORT: "0",
      TURNUP_S13_PEERS_FILE: join(folder, "peers.json"),
    },
    ...{ TURNUP_S13_ORIGIN_HOST: `eir.${REALM}`, TURNUP_S13_ORIGIN_REALM: REALM },
  };
  return { folder, env };
}

test("a handset that an MME asks for is answered at once by the operator's lists, and seen with its SIM in the network of that MME, by the operator of the peer", async () => {
  const { database, url } = await freshDatabaseConfig();
  for (const slug of ["north", "south"])
    await ensureOperator(database, {
      id: uuidv7(slug === "north" ? 1_000 : 2_000),
      slug,
      name: slug,
      kind: "mvno",
      homePlmns: [],
    });
  const { folder, env } = await folderWith([
    mme({ operator: "south" }),
    mme({ name: "mme-2", originHost: "mme2.epc.mnc015.mcc234.3gppnetwork.org" }),
  ]);
  const stolen = [{ name: "stolen", status: "black", priority: 1, file: "stolen.txt", operator: "south" }];
  await writeFile(join(folder, "lists.json"), JSON.stringify(stolen));
  await writeFile(join(folder, "stolen.txt"), "35693803564380\n");
  Object.assign(env, { TURNUP_EQUIPMENT_LISTS_FILE: join(folder, "lists.json") });
  const { config } = readConfig({ env: { ...env, DATABASE_URL: url, TURNUP_HTTP_PORT: "0" }, folder });
  const server = await startServer({ config, log: () => undefined });
  whenDone(() => server.close());
  const port = server.s13Port ?? assert.fail("no door is open");
  const asking = (originHost: string) => {
    const client = mmeClient(
      { host: "127.0.0.1", port, realm: REALM },
      { originHost, originRealm: originHost.slice(5) },
    );
    whenDone(() => client.close());
    return client;
  };
  const one = asking(`mme1.${REALM}`);
  const other = asking("mme2.epc.mnc015.mcc234.3gppnetwork.org");
  assert.equal(await one.check({ imeisv: "3569380356438091", imsi: "001010000000001" }), "black");
  assert.equal(await other.check({ imeisv: "3569380356438092", imsi: "234150000000001" }), "white");
  const seen = () =>
    database.rows<{ slug: string; source: string; serving: string; outcome: string }>(
      `select o.slug, s.source, s.serving_plmn as serving, s.outcome
         from sighting s join operator o on o.id = s.operator_id order by o.slug`,
    );
  await until(seen, (rows) => rows.length === 2, "both are on disk");
  const first = { source: "s13", outcome: "first_registration" };
  assert.deepEqual(await seen(), [
    { ...first, slug: "north", serving: "23415" },
    { ...first, slug: "south", serving: "00101" },
  ]);
  const measures = () => fetch(`${server.url}/metrics`).then((answer) => answer.text());
  for (const line of [
    'turnup_s13_messages_total{peer="mme-1",outcome="checked"} 1',
    'turnup_equipment_checks_total{source="s13",client="mme-2",answer="white"} 1',
    'turnup_equipment_sightings_total{source="s13",client="mme-1",outcome="first_registration"} 1',
    "turnup_equipment_sightings_waiting 0",
  ])
    await until(measures, (text) => text.includes(`${line}\n`), line);
});

test("what the file of peers and the settings of S13 say wrong is told by name before anything starts", async () => {
  const rows: readonly (readonly [unknown, Record<string, string>, RegExp])[] = [
    [[mme({ originHost: "two words" })], {}, /\[0\]\.originHost: a name as mme1/],
    [[mme({ addresses: ["mme.example"] })], {}, /an IP address or a network/],
    [[mme(), mme({ name: "mme-2" })], {}, /mme1\.epc.* stands in it twice/],
    [[mme(), mme({ originHost: "mme2.example" })], {}, /mme-1 stands in it twice/],
    ["{", {}, /it is no JSON/],
    [[], {}, /peers\.json/],
    [[mme()], { TURNUP_S13_ORIGIN_HOST: "" }, /a setting that it needs is missing/],
    [[mme()], { TURNUP_S13_ORIGIN_REALM: "no realm" }, /s13\.origin_realm is no name of a host/],
    [[mme()], { TURNUP_S13_KEY_FILE: "key.pem" }, /Of the three files of TLS for S13 one is missing/],
  ];
  for (const [peers, more, message] of rows) {
    const { folder, env } = await folderWith(peers);
    const all = { ...env, ...more };
    await assert.rejects(
      checkConfig(readConfig({ env: all, folder }).config, all),
      { message },
      String(message),
    );
  }
});

test("an operator that a peer is said to ask for and that is not there is refused by name", async () => {
  const { folder, env } = await folderWith([mme({ operator: "west" })]);
  const { database } = await freshDatabaseConfig();
  await ensureOperator(database, { id: uuidv7(), slug: "north", name: "north", kind: "mvno", homePlmns: [] });
  await assert.rejects(checkOperators(database, readConfig({ env, folder }).config), {
    message: "s13.peers_file: operator of mme-1 = west: there is no operator of this short name.",
  });
});

/** A desk whose database takes nothing until it is told to. */
async function desk(waitingMax: number) {
  const taken: SightingInput[] = [];
  let isAway = true;
  const registry = new Registry();
  const opened = await openEquipmentDesk({
    intake: {
      async accept(_operator, sightings) {
        if (isAway) throw new Error("the database is away");
        taken.push(...sightings);
        return sightings.map(() => ({ outcome: "unchanged" as const }));
      },
    },
    locks: { isRefused: () => false },
    statuses: {
      statusOf(_operator, { imei }) {
        if (imei.startsWith("99")) throw new Error("the file of statuses is gone");
        return imei.startsWith("35") ? "black" : "grey";
      },
    },
    ...{
      homePlmnOf: () => undefined,
      operatorIdOf: async () => "north",
      operators: [undefined],
      clock: () => new Date(0),
      registry,
    },
    ...{ onFault: () => undefined, waitingMax },
  });
  const check = (imei: string, imsi: string | undefined) =>
    opened.check({
      ...({ source: "s13", client: "mme-1", operator: undefined } as const),
      equipment: { imei, imsi, softwareVersion: undefined, msisdn: undefined, visited: undefined },
    });
  return {
    ...{ opened, check, taken, registry },
    comeBack() {
      isAway = false;
    },
  };
}

test("with the database away cores are answered all the same; what was seen waits for it, as far as there is room", async () => {
  const { opened, check, taken, registry, comeBack } = await desk(2);
  assert.equal(check("356938035643809", "234150000000001"), "black");
  assert.equal(check("013938035643809", "234150000000002"), "grey");
  assert.equal(check("356938035643810", "234150000000003"), "black", "one more than there is room for");
  assert.equal(check("356938035643810", undefined), "black");
  comeBack();
  await opened.close();
  assert.deepEqual(
    taken.map(({ imei, imsi, plmn }) => [imei, imsi, plmn]),
    [
      ["35693803564380", "234150000000001", "23415"],
      ["01393803564380", "234150000000002", "23415"],
    ],
  );
  const measures = await registry.metrics();
  for (const line of ['outcome="dropped"} 1', 'outcome="no_sim"} 1', 'outcome="unchanged"} 2'])
    assert.ok(measures.includes(line), line);
});

test("a status that cannot be looked up is white: a fault of ours shuts nobody out", async () => {
  const { opened, check, registry, comeBack } = await desk(10);
  assert.equal(check("990000000000000", "234150000000001"), "white");
  assert.match(await registry.metrics(), /turnup_equipment_faults_total 1/);
  comeBack();
  await opened.close();
});

test("an operator that is not there yet is looked up once at a time, however often is asked for it", async () => {
  let lookUps = 0;
  const opened = await openEquipmentDesk({
    operators: [],
    intake: {
      accept: async (_operator, sightings) => sightings.map(() => ({ outcome: "unchanged" as const })),
    },
    locks: { isRefused: () => false },
    statuses: { statusOf: () => "black" },
    operatorIdOf: async () => void lookUps++,
    ...{ homePlmnOf: () => undefined, clock: () => new Date(0), registry: new Registry() },
    onFault: () => undefined,
  });
  const before = lookUps;
  for (let serial = 10; serial < 60; serial++) {
    const equipment = { imei: `356938035643${serial}`, imsi: undefined, softwareVersion: undefined };
    const asked = { source: "s13", client: "mme-1", operator: "west" } as const;
    opened.check({ ...asked, equipment: { ...equipment, msisdn: undefined, visited: undefined } });
  }
  assert.equal(lookUps - before, 1);
  await opened.close();
});
