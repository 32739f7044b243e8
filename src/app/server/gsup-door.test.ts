/** A server in front of an Osmocom core's register: real frames over real sockets, one database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { encodeImeiRequest } from "../../wire/gsup/gsup.ts";
import { encodeIpaFrame, GSUP_EXTENSION, IPA_STREAM } from "../../wire/gsup/ipa.ts";
import { readConfig } from "../config/config.ts";
import { checkConfig, checkOperators } from "./check-config.ts";
import { startServer } from "./server.ts";

async function configured(clients: unknown, more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "turnup-gsup-"));
  whenDone(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "msc.json"), JSON.stringify(clients));
  const env = {
    ...{ TURNUP_DATA_FOLDER: folder, TURNUP_GSUP_PORT: "0", TURNUP_HTTP_PORT: "0" },
    ...{ TURNUP_GSUP_CLIENTS_FILE: join(folder, "msc.json") },
    ...more,
  };
  return { env, config: readConfig({ env, folder }).config };
}
const msc = (more: object = {}) => ({ name: "msc-1", addresses: ["127.0.0.1"], ...more });

test("R73: a handset that an MSC asks for is answered at once, and seen with its SIM by the operator whose core it is", async () => {
  const { database, url } = await freshDatabaseConfig();
  for (const slug of ["north", "south"])
    await ensureOperator(database, {
      ...{ id: uuidv7(slug === "north" ? 1_000 : 2_000), slug, name: slug },
      ...{ kind: "mvno", homePlmns: ["90170"] },
    });
  const { config } = await configured([msc({ operator: "south" })], { DATABASE_URL: url });
  const server = await startServer({ config, log: () => undefined });
  whenDone(() => server.close());
  const socket = connect(server.gsupPort ?? assert.fail("no door is open"), "127.0.0.1");
  whenDone(() => void socket.destroy());
  await once(socket, "data"); // it is asked who it is
  const request = encodeImeiRequest("901700000000001", "35693803564380");
  socket.write(encodeIpaFrame(IPA_STREAM.osmocom, Uint8Array.from([GSUP_EXTENSION, ...request])));
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.toString("hex"), "0012ee0532010809710000000000f15101000a0101");
  const seen = () =>
    database.rows(
      `select o.slug, s.source, s.outcome, s.serving_plmn as serving
         from sighting s join operator o on o.id = s.operator_id`,
    );
  await until(seen, (rows) => rows.length > 0, "it is on disk");
  assert.deepEqual(await seen(), [
    { slug: "south", source: "gsup", outcome: "first_registration", serving: "90170" },
  ]);
  const measures = () => fetch(`${server.url}/metrics`).then((response) => response.text());
  const line = 'turnup_gsup_messages_total{client="msc-1",outcome="checked"} 1';
  await until(measures, (text) => text.includes(`${line}\n`), line);
});

test("what the file and settings of GSUP say wrong is told by name before anything starts", async () => {
  for (const [clients, more, message] of [
    [[msc({ addresses: ["msc.example"] })], {}, /an IP address or a network/],
    [[msc(), msc({ name: "msc-2" })], {}, /127\.0\.0\.1\/32 stands in it twice/],
    [[msc()], { TURNUP_GSUP_CLIENTS_FILE: "" }, /GSUP has a port, and gsup\.clients_file is not set/],
  ] as const) {
    const { config, env } = await configured(clients, more);
    await assert.rejects(checkConfig(config, env), { message });
  }
  const { database } = await freshDatabaseConfig();
  await ensureOperator(database, { id: uuidv7(), slug: "north", name: "north", kind: "mvno", homePlmns: [] });
  const { config } = await configured([msc({ operator: "west" })]);
  await assert.rejects(checkOperators(database, config), {
    message: "gsup.clients_file: operator of msc-1 = west: there is no operator of this short name.",
  });
});
