/** Lists of handsets by the API: two servers on one database, a core that asks the other one over its 5G-EIR. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { Role } from "../../kernel/account/role.ts";
import { hashToken, tokenOf } from "../../kernel/account/token.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { equipmentImportJob } from "../../store/equipment/list-import.ts";
import { bringFile } from "../../store/jobs/job-files.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { readConfig } from "../config/config.ts";
import { type Server, startServer } from "./server.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with literals, field by field
type Json = any;

const { database, url } = await freshDatabaseConfig();
const OPERATORS = new Map<string, string>();
for (const [at, slug] of ["north", "south"].entries()) {
  const id = uuidv7(1_000 + at);
  OPERATORS.set(slug, id);
  const operator = { id, slug, name: slug, kind: "mvno", homePlmns: ["23415"] } as const;
  await ensureOperator(database, operator);
}
const folder = await mkdtemp(join(tmpdir(), "turnup-own-equipment-"));
whenDone(() => rm(folder, { recursive: true }));
await writeFile(
  join(folder, "clients.json"),
  JSON.stringify([{ name: "amf-1", addresses: ["127.0.0.1"], operator: "south" }]),
);
const serverWith = async (env: Readonly<Record<string, string>> = {}): Promise<Server> => {
  const { config } = readConfig({
    env: { DATABASE_URL: url, TURNUP_DATA_FOLDER: folder, TURNUP_HTTP_PORT: "0", ...env },
    folder,
  });
  const server = await startServer({ config, log: () => undefined });
  whenDone(() => server.close());
  return server;
};
const here = await serverWith();
const there = await serverWith({
  TURNUP_EIR_PORT: "0",
  TURNUP_EIR_CLIENTS_FILE: join(folder, "clients.json"),
});

const client = connect(`http://127.0.0.1:${there.eirPort ?? assert.fail("no door is open")}`);
whenDone(() => client.destroy());
/** What the core hears at the other server. */
async function heard(pei: string, imsi?: string): Promise<string> {
  const sim = imsi === undefined ? "" : `&supi=imsi-${imsi}`;
  const stream = client.request({ ":path": `/n5g-eir-eic/v1/equipment-status?pei=${pei}${sim}` });
  let body = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  await once(stream, "end");
  assert.equal(headers[":status"], 200, body);
  return JSON.parse(body).status;
}
const hears = (status: string, pei: string, imsi?: string) =>
  until(
    () => heard(pei, imsi),
    (said) => said === status,
    `${pei} is ${status}`,
  );

async function tokenAt(slug: string, role: Role, person: string): Promise<string> {
  const token = tokenOf(crypto.getRandomValues(new Uint8Array(32)));
  const operatorId = OPERATORS.get(slug) ?? assert.fail(slug);
  await here.registry.tokens.create(
    operatorId,
    { ...{ id: uuidv7(), hash: hashToken(token), role, label: person, person }, expiresAt: null },
    "tests",
  );
  return token;
}
const [ada, bob, care, north] = [
  await tokenAt("south", "engineer", "ada"),
  await tokenAt("south", "engineer", "bob"),
  await tokenAt("south", "care", "cem"),
  await tokenAt("north", "engineer", "nia"),
];
async function call(method: string, path: string, body?: unknown, token = ada): Promise<Json> {
  const isFile = typeof body === "string";
  const answer = await fetch(`${here.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "idempotency-key": crypto.randomUUID(),
      ...(body !== undefined && { "content-type": isFile ? "text/csv" : "application/json" }),
    },
    ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  return { status: answer.status, body: isJson ? JSON.parse(text) : text };
}
let priority = 0;
async function listOf(name: string, status = "black", token = ada): Promise<string> {
  const wish = { name, status, priority: ++priority, reason: "lost or stolen" };
  const made = await call("POST", "/v1/equipment-lists", wish, token);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.id;
}
const changed = (id: string, body: object, token = ada) =>
  call("POST", `/v1/equipment-lists/${id}/entries`, { reason: "reported", ...body }, token);
const showList = async (id: string): Promise<Json> => {
  const { body } = await call("GET", "/v1/equipment-lists");
  return body.equipmentLists.find((one: Json) => one.id === id);
};
async function brought(id: string, query: string, file: string): Promise<Json> {
  const { status, body } = await call("POST", `/v1/equipment-lists/${id}/imports?${query}`, file);
  assert.equal(status, 202, JSON.stringify(body));
  const { body: job } = await until(
    () => call("GET", `/v1/jobs/${body.id}`),
    (shown) => !["queued", "running"].includes(shown.body.state),
    "the file is read",
  );
  return job;
}
const imei = (serial: number, tac = "35693803") => `${tac}${String(serial).padStart(6, "0")}`;

test("R73: what an operator says of a handset by the API its core hears at every server, and no other operator's does", async () => {
  const id = await listOf("stolen");
  const foreign = await listOf("their-own", "black", north);
  await changed(foreign, { add: [{ device: imei(9) }] }, north);
  const sims = ["234150000000001"];
  const added = await changed(id, {
    add: [{ device: `${imei(1)}9`, sims, note: "reported" }, { device: "35888800/01" }],
  });
  assert.deepEqual(
    [added.body.version, added.body.added, added.body.entries],
    [1, 2, 2],
    JSON.stringify(added.body),
  );
  await hears("BLACKLISTED", `imei-${imei(1)}0`);
  assert.equal(await heard(`imei-${imei(1)}0`, "234150000000001"), "WHITELISTED");
  assert.equal(await heard(`imei-${imei(1)}0`, "234150000000002"), "BLACKLISTED");
  assert.equal(await heard("imeisv-3588880012345601"), "BLACKLISTED");
  assert.equal(await heard("imeisv-3588880012345602"), "WHITELISTED");
  assert.equal(await heard(`imei-${imei(9)}0`), "WHITELISTED");
  const again = await changed(id, {
    add: [{ device: imei(1), sims, note: "reported" }],
    remove: ["35888800/01", imei(7)],
  });
  assert.deepEqual([again.body.removed, again.body.unchanged, again.body.entries], [1, 2, 1]);
  await hears("WHITELISTED", "imeisv-3588880012345601");
  const check = { imei: imei(1), imsi: "234150000000002" };
  await until(
    () => call("POST", "/v1/equipment-checks", check, care),
    ({ body }) => body.answer === "black" && body.list === "stolen",
    "this server knows it too",
  );
  assert.equal((await changed(id, { add: [{ device: imei(2) }] }, north)).status, 404);
  assert.equal((await changed(id, { add: [{ device: imei(2) }] }, care)).status, 403);
  const wrong = await changed(id, { add: [{ device: imei(3) }, { device: "35" }] });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.body.errors[0].at, "body/add/1");
  assert.equal((await showList(id)).entries, 1, "all of it or nothing");
  const kept = JSON.stringify(await database.rows("select * from equipment_entry"));
  assert.ok(!kept.includes(imei(1)), "a handset's number stands sealed");
});

test("R73: one switch turns all black answers off, and on again, at every server", async () => {
  const id = await listOf("switched");
  await changed(id, { add: [{ device: imei(20) }] });
  await hears("BLACKLISTED", `imei-${imei(20)}0`);
  const off = { answersBlack: false, reason: "a wrong list" };
  assert.equal((await call("PUT", "/v1/equipment-switch", off, care)).status, 403);
  assert.equal((await call("PUT", "/v1/equipment-switch", off)).body.changedBy, "ada");
  await hears("WHITELISTED", `imei-${imei(20)}0`);
  assert.equal((await call("GET", "/v1/equipment-switch", undefined, north)).body.answersBlack, true);
  await call("PUT", "/v1/equipment-switch", { answersBlack: true, reason: "mended" });
  await hears("BLACKLISTED", `imei-${imei(20)}0`);
  const { body } = await call("GET", "/v1/audit", undefined, await tokenAt("south", "admin", "root"));
  const actions = body.rows.map(({ action }: Json) => action);
  for (const action of ["equipment.black_off", "equipment.black_on", "equipment_list.change"])
    assert.ok(actions.includes(action), action);
});

test("R73: a former version is put back as a new one, and what is exported is what an import reads", async () => {
  const id = await listOf("versions");
  await changed(id, { add: [{ device: imei(30), note: "first, of two" }, { device: imei(31) }] });
  await changed(id, { add: [{ device: imei(32) }, { device: imei(30) }], remove: [imei(31)] });
  const { body } = await call("GET", `/v1/equipment-lists/${id}/versions`);
  assert.deepEqual(
    body.versions.map((one: Json) => [one.version, one.added, one.changed, one.removed, one.entries]),
    [
      [2, 1, 1, 1, 2],
      [1, 2, 0, 0, 2],
    ],
  );
  await hears("BLACKLISTED", `imei-${imei(32)}0`);
  const back = await call("POST", `/v1/equipment-lists/${id}/restore`, { version: 1, reason: "wrong" });
  assert.equal(back.body.version, 3, JSON.stringify(back.body));
  await hears("WHITELISTED", `imei-${imei(32)}0`);
  assert.equal(await heard(`imei-${imei(31)}0`), "BLACKLISTED");
  const gone = await call("POST", `/v1/equipment-lists/${id}/restore`, { version: 3, reason: "wrong" });
  assert.equal(gone.body.code, "equipment_version_gone");
  const { body: file } = await call("GET", `/v1/equipment-lists/${id}/entries.csv`);
  assert.ok(file.includes(`${imei(30)},,"first, of two",\r\n`), file);
  const same = await brought(id, "mode=dry_run", file);
  assert.deepEqual(
    [same.summary.added, same.summary.changed, same.summary.removed, same.summary.unchanged],
    [0, 0, 0, 2],
  );
});

test("R73: a file tells each line that is none, changes nothing as a dry run, and asks a second person where a black list would lose much", async () => {
  const id = await listOf("files");
  const lines = Array.from({ length: 40 }, (_, at) => imei(100 + at));
  const file = ["device,sims", ...lines, "35,", `${imei(200)}-${imei(100)},`].join("\n");
  const dry = await brought(id, "mode=dry_run", file);
  assert.deepEqual([dry.state, dry.summary.added, dry.summary.refused], ["done", 40, 2]);
  const { body: told } = await call("GET", `/v1/jobs/${dry.id}/rows`);
  assert.deepEqual(
    told.rows.map(({ subject }: Json) => subject),
    ["line 42", "line 43"],
  );
  assert.equal((await showList(id)).entries, 0);
  const live = await brought(id, "mode=live", file);
  assert.equal(live.state, "done", live.reason);
  await hears("BLACKLISTED", `imei-${imei(139)}0`);
  const fewer = await changed(id, { remove: lines.slice(0, 10) });
  assert.equal(fewer.body.code, "equipment_change_too_large", JSON.stringify(fewer.body));
  assert.equal((await call("DELETE", `/v1/equipment-lists/${id}`)).status, 409);
  const wide = await changed(id, { add: [{ device: "00000000000000-99999999999999" }] });
  assert.equal(wide.body.code, "equipment_change_too_large", "one range would shut the network");
  const half = await brought(id, "mode=live", lines.slice(0, 20).join("\n"));
  assert.equal(half.state, "waiting_approval");
  assert.match(half.reason, /20 of 40 .* would be let in again/);
  const approval = `/v1/approvals/${half.approvalId}`;
  const yes = { outcome: "approved", reason: "the registry said so" };
  assert.equal((await call("POST", approval, yes)).body.code, "second_person_needed");
  assert.equal(await heard(`imei-${imei(139)}0`), "BLACKLISTED", "nothing is let in before");
  assert.equal((await call("POST", approval, yes, bob)).status, 200);
  await hears("WHITELISTED", `imei-${imei(139)}0`);
  assert.equal((await showList(id)).entries, 20);
  const taken = await brought(id, "mode=live&how=remove", lines[0] ?? "");
  assert.deepEqual([taken.state, taken.summary.removed], ["done", 1]);
  const left = await database.rows("select from equipment_staged");
  assert.equal(left.length, 0, "nothing stays staged");
});

test("R73: a registry's file inserts and removes what is its sender's own, and tells the rest with the registry's codes", async () => {
  const id = await listOf("registry");
  const [one, two, three] = [imei(300), imei(301), imei(302)];
  await changed(id, { add: [{ device: three }] });
  const file = (...rows: string[]) => ["HDR|OURS", ...rows, `TRL|${rows.length}`, ""].join("\r\n");
  const bring = (text: string) => brought(id, "mode=live&form=exchange", text);
  assert.equal((await bring(file(`I|0011|${one}|${two}`))).state, "failed", "its form is not said");
  const exchange = {
    ...{ separator: "|", header: { mark: "HDR", organisation: 1 }, trailer: { mark: "TRL", count: 1 } },
    ...{ record: { action: 0, reason: 1, from: 2, to: 3 }, insert: "I", remove: "R" },
    ...{ reasons: { "0011": "stolen" }, organisations: ["OURS"] },
  };
  assert.equal((await call("PATCH", `/v1/equipment-lists/${id}`, { exchange })).status, 200);
  const rows = [`I|0011|${one}|${two}`, `R|0011|${three}|${three}`, `R|0011|${imei(309)}|${imei(309)}`];
  const job = await bring(file(...rows, `I|0099|${imei(310)}|${imei(310)}`));
  assert.equal(job.state, "waiting_approval", "three of four lines were not taken");
  const { body } = await call("GET", `/v1/jobs/${job.id}/rows`);
  assert.deepEqual(
    body.rows.map(({ subject, code }: Json) => [subject, code]),
    [
      ["line 5", "0010"],
      ["line 3", "0002"],
      ["line 4", "0003"],
    ],
  );
  assert.equal((await bring(file(...rows).replace("TRL|3", "TRL|4"))).state, "failed");
  assert.equal((await bring(file(`I|0011|${one}|${two}`))).state, "done");
  await hears("BLACKLISTED", `imei-${two}0`);
  const { body: written } = await call("GET", `/v1/equipment-lists/${id}/entries.csv?form=exchange`);
  assert.ok(written.startsWith("HDR|OURS\r\n") && written.endsWith("TRL|2\r\n"), written);
  assert.equal((await bring(file(`R|0011|${one}|${two}`))).state, "done");
  await hears("WHITELISTED", `imei-${two}0`);
});

test("R73: a registry's file goes on in the middle where a server stopped: its header counts still, and its trailer counts all", async () => {
  const listId = await listOf("resumed");
  const exchange = {
    ...{ separator: "|", header: { mark: "HDR", organisation: 1 }, trailer: { mark: "TRL", count: 1 } },
    ...{ record: { action: 0, reason: 1, from: 2, to: 3 }, insert: "I", remove: "R" },
    ...{ reasons: { "0011": "stolen" }, organisations: ["OURS"] },
  };
  assert.equal((await call("PATCH", `/v1/equipment-lists/${listId}`, { exchange })).status, 200);
  const rows = [400, 401].map((serial) => `I|0011|${imei(serial)}|${imei(serial)}`);
  const file = Buffer.from(["HDR|OURS", ...rows, "TRL|2", ""].join("\r\n"));
  const operatorId = OPERATORS.get("south") ?? assert.fail();
  const sealer = createSealer(new Uint8Array(32).fill(7));
  const deps = { database, sealer, newId: () => uuidv7(), clock: () => new Date() };
  const kept = await bringFile(deps, operatorId, Readable.from([file]), 1_000);
  const end = await equipmentImportJob(deps).run({
    ...{ id: uuidv7(), operatorId, fileId: kept.id, done: 1, checkpoint: { line: 2, taken: 1, refused: 0 } },
    input: { listId, mode: "dry_run", how: "replace", form: "exchange" },
    askedBy: { label: "ada", person: "ada", vouchedBy: [] },
    signal: new AbortController().signal,
    save: (_step, also) => database.transaction(async (tx) => void (await also?.(tx))),
  });
  await database.transaction(async (tx) => void (await end.also?.(tx)));
  assert.equal(end.state, "done", end.reason);
  assert.match(end.reason, /: 1 added, /, "what the step before staged stands under its job");
});
