/** Counting which access points SIMs use: merged rows, tenants apart, nobody's number kept. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";

import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { createAccessPointUse } from "./access-point-use.ts";

const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 7));
const AT = new Date("2026-11-29T10:00:00.000Z");
const clock = () => AT;
const open = () => createAccessPointUse({ database, sealer, clock });

/** The same in each run: by it SIMs come into registers, of which two of them share one in 256 draws. */
const idOf = (slug: string): string =>
  Buffer.alloc(16, slug)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

async function operator(slug: string): Promise<string> {
  const id = idOf(slug);
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mvno')", [id, slug]);
  return id;
}

async function sim(operatorId: string, imsi: string, spn: string | null = null): Promise<string> {
  const id = uuidv7();
  await database.run(
    `insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn, spn) values ($1, $2, $3, $4, '26201', $5)`,
    [id, operatorId, sealer.blindIndex("imsi", operatorId, imsi), sealer.seal("imsi", imsi), spn],
  );
  return id;
}

const imsiOf = (number: number) => `26201${String(number).padStart(10, "0")}`;

test("sessions of one SIM are one of the count, whichever server saw them; each server's are added", async () => {
  const one = await operator("count");
  for (let number = 1; number <= 5; number++) await sim(one, imsiOf(number), "Lumo");
  const servers = [open(), open()];
  for (const [at, use] of servers.entries()) {
    for (const number of at === 0 ? [1, 2, 3] : [3, 4, 5])
      for (let session = 0; session < 4; session++)
        use.note({ operatorId: one, sim: { imsi: imsiOf(number) }, apn: "Lumo.Net", at: AT });
  }
  for (const use of servers) await use.flush();
  const [record, ...others] = servers[1]?.recordsOf(one) ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual(
    [record?.apn, record?.plmn, record?.spn, record?.subscribers, record?.sessions],
    ["lumo.net", "26201", "Lumo", 5, 24],
  );
  assert.deepEqual([record?.firstSeenAt, record?.failedSubscribers], [AT.toISOString(), 0]);
  const rows = await database.rows<{ rows: number }>(
    "select count(*)::int as rows from access_point_use where operator_id = $1",
    [one],
  );
  assert.equal(rows[0]?.rows, 1);
});

test("a failure counts beside it, by a SIM's id or by the handset that it is in, with the latest reason", async () => {
  const one = await operator("fail");
  const id = await sim(one, imsiOf(1));
  const deviceId = uuidv7();
  const imei = "351637071234567";
  await database.run(
    "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, '35163707')",
    [deviceId, one, sealer.blindIndex("imei", one, imei.slice(0, 14)), sealer.seal("imei", imei)],
  );
  await database.run(
    `insert into pairing (id, operator_id, subscriber_id, device_id, first_seen_at, last_seen_at, since, is_current)
     values ($1, $2, $3, $4, $5, $5, $5, true)`,
    [uuidv7(), one, await sim(one, imsiOf(2)), deviceId, AT],
  );
  const use = open();
  const later = new Date(AT.getTime() + 1_000);
  use.note({ operatorId: one, sim: { subscriberId: id }, apn: "net", at: AT, failure: "no traffic" });
  use.note({ operatorId: one, sim: { imei }, apn: "net", at: later, failure: "unknown_apn" });
  use.note({ operatorId: one, sim: { imsi: imsiOf(1) }, apn: "net", at: AT });
  await use.flush();
  const [record] = use.recordsOf(one);
  assert.deepEqual(
    [record?.subscribers, record?.failedSubscribers, record?.failures, record?.lastFailure],
    [1, 2, 2, "unknown_apn"],
  );
});

test("another operator's SIMs are not counted, a SIM that nobody saw is nobody's, and no number stands in the rows", async () => {
  const [one, other] = [await operator("apart"), await operator("apart-2")];
  await sim(one, imsiOf(7));
  const use = open();
  use.note({ operatorId: one, sim: { imsi: imsiOf(7) }, apn: "apart.net", at: AT });
  use.note({ operatorId: other, sim: { imsi: imsiOf(7) }, apn: "apart.net", at: AT });
  await use.flush();
  assert.equal(use.recordsOf(one).length, 1);
  assert.deepEqual(use.recordsOf(other), []);
  const rows = await database.rows<{ text: string }>("select t::text as text from access_point_use t");
  const index = sealer.blindIndex("imsi", one, imsiOf(7)).toString("hex");
  for (const { text } of rows) assert.ok(!text.includes(imsiOf(7)) && !text.includes(index));
});

test("names without end fill neither memory nor table", async () => {
  const one = await operator("flood");
  await sim(one, imsiOf(9));
  const use = open();
  for (let name = 0; name < 30_000; name++)
    use.note({ operatorId: one, sim: { imsi: imsiOf(9) }, apn: `flood${name}`, at: AT });
  await use.flush();
  assert.equal(use.recordsOf(one).length, 2_000);
});

test("of a full table those go that nobody used for long, then those that are used least; what is used much stays, and it is counted", async () => {
  const one = await operator("full");
  await sim(one, imsiOf(10));
  const used = (use: ReturnType<typeof open>, apn: string, sessions: number, at = AT) => {
    for (let session = 0; session < sessions; session++)
      use.note({ operatorId: one, sim: { imsi: imsiOf(10) }, apn, at });
  };
  const first = open();
  const long = new Date(AT.getTime() - 401 * 86_400_000);
  used(first, "long.ago", 9, long);
  for (let name = 0; name < 1_998; name++) used(first, `made.up.${name}`, 1);
  used(first, "theirs.net", 3);
  await first.flush();
  const second = open();
  used(second, "new.net", 2);
  used(second, "other.net", 2);
  await second.flush();
  const names = second.recordsOf(one).map(({ apn }) => apn);
  assert.deepEqual(
    ["long.ago", "theirs.net", "new.net", "other.net"].map((apn) => names.includes(apn)),
    [false, true, true, true],
  );
  assert.equal(names.filter((apn) => apn.startsWith("made.up.")).length, 1_997);
  assert.deepEqual(Object.fromEntries(second.losses()), { unseen: 1, least_used: 1, no_room: 0, failed: 0 });
});

test("a write that fails for one operator loses nobody else's, is tried again, and in the end is counted as lost", async () => {
  const [well, ill] = [await operator("well"), await operator("ill")];
  for (const id of [well, ill]) await sim(id, imsiOf(11));
  await database.run(
    "alter table access_point_use add constraint nobody_of_them check (operator_id <> '" +
      ill +
      "') not valid",
  );
  const use = open();
  use.note({ operatorId: ill, sim: { imsi: imsiOf(11) }, apn: "ill.net", at: AT });
  use.note({ operatorId: well, sim: { imsi: imsiOf(11) }, apn: "well.net", at: AT });
  await assert.rejects(use.flush());
  assert.deepEqual(
    use.recordsOf(well).map(({ apn }) => apn),
    ["well.net"],
  );
  await assert.rejects(use.flush());
  await database.run("alter table access_point_use drop constraint nobody_of_them");
  await use.flush();
  assert.deepEqual(
    use.recordsOf(ill).map(({ apn, sessions }) => [apn, sessions]),
    [["ill.net", 1]],
  );
  assert.equal(use.losses().get("failed"), 0);
});
