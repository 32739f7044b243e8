/** A server that AMFs ask as a 5G-EIR: HTTP/2 over a real socket, with and without TLS, one database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { readConfig } from "../config/config.ts";
import { checkConfig, checkOperators } from "./check-config.ts";
import { startServer } from "./server.ts";

const PATH = "/n5g-eir-eic/v1/equipment-status";
const amf = (more: object = {}) => ({ name: "amf-1", addresses: ["127.0.0.1"], ...more });

async function folderWith(clients: unknown, files: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-eir-"));
  whenDone(() => rm(folder, { recursive: true }));
  await writeFile(
    join(folder, "clients.json"),
    typeof clients === "string" ? clients : JSON.stringify(clients),
  );
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const env = {
    ...{ TURNUP_DATA_FOLDER: folder, TURNUP_EIR_PORT: "0" },
    TURNUP_EIR_CLIENTS_FILE: join(folder, "clients.json"),
  };
  return { folder, env };
}

test("R73: a handset that an AMF asks for is answered at once, and seen with its SIM by the operator whose core it is", async () => {
  const { database, url } = await freshDatabaseConfig();
  for (const slug of ["north", "south"])
    await ensureOperator(database, {
      ...{ id: uuidv7(slug === "north" ? 1_000 : 2_000), slug, name: slug },
      ...{ kind: "mvno", homePlmns: ["23415"] },
    });
  const { folder, env } = await folderWith([amf({ operator: "south" })]);
  const { config } = readConfig({ env: { ...env, DATABASE_URL: url, TURNUP_HTTP_PORT: "0" }, folder });
  const server = await startServer({ config, log: () => undefined });
  whenDone(() => server.close());
  const client = connect(`http://127.0.0.1:${server.eirPort ?? assert.fail("no door is open")}`);
  whenDone(() => client.destroy());
  const ask = async (query: string) => {
    const stream = client.request({ ":path": `${PATH}?${query}` }).resume();
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    return headers[":status"];
  };
  assert.equal(await ask("pei=imei-356938035643800&supi=imsi-234150000000001&gpsi=msisdn-447700900123"), 200);
  assert.equal(await ask("pei=imeisv-3569380356438092&supi=imsi-234150000000001"), 200);
  assert.equal(await ask("pei=imei-356938035643800"), 200, "without a SIM nobody is seen");
  const seen = () =>
    database.rows(
      `select o.slug, s.source, s.outcome, s.serving_plmn as serving
         from sighting s join operator o on o.id = s.operator_id order by s.id`,
    );
  await until(seen, (rows) => rows.length > 0, "it is on disk");
  const measures = () => fetch(`${server.url}/metrics`).then((answer) => answer.text());
  for (const line of [
    'turnup_equipment_sightings_total{source="eir",client="amf-1",outcome="first_registration"} 1',
    'turnup_equipment_sightings_total{source="eir",client="amf-1",outcome="unchanged"} 1',
    'turnup_equipment_sightings_total{source="eir",client="amf-1",outcome="no_sim"} 1',
    'turnup_eir_requests_total{client="amf-1",outcome="checked"} 3',
  ])
    await until(measures, (text) => text.includes(`${line}\n`), line);
  assert.deepEqual(await seen(), [
    { slug: "south", source: "eir", outcome: "first_registration", serving: "23415" },
  ]);
});

test("what the files and settings of the 5G-EIR say wrong is told by name before anything starts", async () => {
  const rows: readonly (readonly [unknown, Record<string, string>, RegExp])[] = [
    [[amf({ addresses: ["amf.example"] })], {}, /an IP address or a network/],
    [[amf(), amf({ addresses: ["192.0.2.1"] })], {}, /amf-1 stands in it twice/],
    [[amf(), amf({ name: "amf-2", addresses: ["127.0.0.1/32"] })], {}, /127\.0\.0\.1\/32 stands in it twice/],
    ["{", {}, /it is no JSON/],
    [[amf()], { TURNUP_EIR_KEY_FILE: "key.pem" }, /Of the three files of TLS for the 5G-EIR one is missing/],
    [[amf()], { TURNUP_EIR_NRF_KEYS_FILE: "clients.json" }, /holds no public key or certificate/],
    [[amf()], { TURNUP_EIR_NRF_KEYS_FILE: "none.pem" }, /none\.pem cannot be read/],
  ];
  for (const [clients, more, message] of rows) {
    const { folder, env } = await folderWith(clients);
    const named = Object.fromEntries(Object.entries(more).map(([name, file]) => [name, join(folder, file)]));
    const all = { ...env, ...named };
    await assert.rejects(
      checkConfig(readConfig({ env: all, folder }).config, all),
      { message },
      String(message),
    );
  }
  const { folder, env } = await folderWith([amf()]);
  const all = { ...env, TURNUP_EIR_CLIENTS_FILE: "" };
  await assert.rejects(checkConfig(readConfig({ env: all, folder }).config, all), {
    message: "The 5G-EIR has a port, and eir.clients_file is not set.",
  });
  assert.throws(() => readConfig({ env: { ...env, TURNUP_EIR_PREFIX: "eir/" }, folder }), /eir\.prefix/);
});

test("an operator whose core a client is said to be of, and that is not there, is refused by name", async () => {
  const { folder, env } = await folderWith([amf({ operator: "west" })]);
  const { database } = await freshDatabaseConfig();
  await ensureOperator(database, { id: uuidv7(), slug: "north", name: "north", kind: "mvno", homePlmns: [] });
  await assert.rejects(checkOperators(database, readConfig({ env, folder }).config), {
    message: "eir.clients_file: operator of amf-1 = west: there is no operator of this short name.",
  });
});
