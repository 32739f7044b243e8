/** An operator's own data over the API on a database: a file becomes a job, is compared, approved, goes live as a whole, and comes back. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "vitest";
import { approvalKinds, jobKinds } from "../../src/app/server/job-kinds.ts";
import { createKnowledge } from "../../src/app/server/knowledge.ts";
import { createOwnDevices } from "../../src/app/server/own-devices.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { DeviceCatalog } from "../../src/kernel/devices/catalog.ts";
import type { JobView } from "../../src/kernel/jobs/job.ts";
import { DEFAULT_POLICY } from "../../src/kernel/operator/policy.ts";
import { createAccessPointIndex } from "../../src/kernel/settings/find-settings.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { shippedNetworkData } from "../../src/store/dataset/access-point-data.ts";
import { readOwnDatasets } from "../../src/store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../src/store/dataset/devices.ts";
import { createImports } from "../../src/store/dataset/imports.ts";
import { type OwnKind, withOwnDatasets } from "../../src/store/dataset/own-devices.ts";
import { readDeviceImport } from "../../src/store/dataset/read-import.ts";
import { goLive, lockDataset, stagedBy } from "../../src/store/dataset/stage.ts";
import { createApprovals } from "../../src/store/jobs/approvals.ts";
import { createJobs } from "../../src/store/jobs/jobs.ts";
import { takeJob } from "../../src/store/jobs/run-job.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createRepeats } from "../../src/store/operator/repeats.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { parseImsi } from "../../src/term/imsi.ts";
import { assured } from "../../src/term/narrow.ts";
import { freshDatabase } from "../fixture/database.ts";
import { makeFixture } from "../fixture/http.ts";
import { until } from "../fixture/story.ts";

const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 9));
const clock = (): Date => new Date();
const shared = { database, sealer, newId: () => uuidv7(), clock };
const registry = createRegistry(shared);
const shipped = readShippedDatasets();
const ownDevices = createOwnDevices(shipped, database, shippedNetworkData);
const knowledge = createKnowledge({
  ...{ catalog: new DeviceCatalog(shipped), ownDevices, sealer, networks: [] },
  accessPoints: createAccessPointIndex([], [], []),
});
const fixture = makeFixture();
const TERMS = {
  ...{ operatorName: "North", operatorSlug: "north", policyVersion: 0 },
  ...{ kind: "mno" as const, homePlmns: [], policy: DEFAULT_POLICY },
  ...{ relations: new Map(), accessPoints: [], overrides: new Map() },
};
const termsOf = async (operatorId: string) => ({ ...TERMS, operatorId });
const kindDeps = { ...shared, knowledge, termsOf };
const kinds = jobKinds(kindDeps);
const jobs = createJobs({ ...shared, kinds });
const approvals = createApprovals({ ...shared, kinds: approvalKinds(kindDeps, jobs) });
const server = await createHttpServer({
  ...{ ...fixture.deps, ...registry, clock, newId: shared.newId, jobs, approvals },
  imports: createImports({ ...shared, jobs }),
  repeats: createRepeats(shared),
});

let made = 0;
/** An operator with its people's tokens, made as `turnup token add` does. */
async function operator() {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    id,
    `op-${++made}`,
  ]);
  const tokenFor = async (person: string): Promise<string> => {
    const token = tokenOf(new Uint8Array(32).fill(++made));
    const row = {
      id: uuidv7(),
      hash: hashToken(token),
      role: "engineer",
      label: person.toLowerCase(),
      person,
      expiresAt: null,
    } as const;
    await registry.tokens.create(id, row, "cli");
    return token;
  };
  return { id, ada: await tokenFor("Ada"), bob: await tokenFor("Bob") };
}

const headersOf = (token: string) => ({ authorization: `Bearer ${token}` });
const get = async (token: string, url: string) =>
  (await server.inject({ method: "GET", url, headers: headersOf(token) })).json();
const post = (token: string, url: string, payload: object) =>
  server.inject({ method: "POST", url, headers: headersOf(token), payload });
async function bring(token: string, file: string | Buffer, fields: Readonly<Record<string, string>>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("file", new Blob([typeof file === "string" ? file : new Uint8Array(file)]), "ours.csv");
  const body = new Response(form);
  const headers = { ...headersOf(token), "content-type": body.headers.get("content-type") ?? "" };
  return server.inject({
    method: "POST",
    url: "/v1/imports",
    headers,
    payload: Buffer.from(await body.arrayBuffer()),
  });
}
const deps = {
  ...shared,
  kinds,
  nodeNumber: () => null,
  onFault: (_: string, error: unknown) => assert.fail(String(error)),
};
const runNext = async (): Promise<string | undefined> =>
  (await takeJob(deps, new AbortController().signal))?.run();
/** Brings a file and lets its job run. */
async function imported(
  token: string,
  file: string | Buffer,
  fields: Readonly<Record<string, string>>,
): Promise<JobView> {
  const answer = await bring(token, file, fields);
  assert.equal(answer.statusCode, 202, answer.body);
  await runNext();
  return get(token, `/v1/jobs/${answer.json().id}`);
}
const summaryOf = ({ summary }: JobView) => summary as Record<string, unknown>;
const modelOf = async (operatorId: string, tac: string) =>
  new DeviceCatalog(withOwnDatasets(shipped, await readOwnDatasets(database, operatorId))).deviceOf(tac)
    .model;
const list = (rows: number, model = "One"): string =>
  [
    "tac,make,model",
    ...Array.from({ length: rows }, (_, at) => `${86_700_000 + at},Acme,${model} ${at}`),
  ].join("\n");
const rowsOf = async (token: string, { id }: JobView, code: string): Promise<[string, string][]> =>
  (await get(token, `/v1/jobs/${id}/rows?code=${code}`)).rows.map(
    (row: { subject: string; reason: string }) => [row.subject, row.reason],
  );

test("an import is looked at before it counts: what is added, changed, removed and refused, by line; it goes live by a person's word, as a whole", async () => {
  const north = await operator();
  const first = await imported(north.ada, list(3), { kind: "tac", name: "ours" });
  assert.deepEqual([first.state, summaryOf(first).added], ["waiting_approval", 3]);
  assert.equal(await modelOf(north.id, "86700000"), null, "nothing is in use before");
  const yes = await post(north.ada, `/v1/approvals/${first.approvalId}`, {
    outcome: "approved",
    reason: "looked at",
  });
  assert.deepEqual([yes.statusCode, yes.json().secondPerson], [200, false]);
  assert.equal(await modelOf(north.id, "86700000"), "One 0");
  assert.equal((await get(north.ada, `/v1/jobs/${first.id}`)).state, "done");

  const second =
    "tac,make,model\n86700001,Acme,One 1\n86700002,Acme,Two 2\n867,Acme,Short\n86700009,Acme,New\n";
  const dry = await imported(north.ada, second, { kind: "tac", name: "ours", mode: "dry_run" });
  assert.equal(dry.state, "done");
  const { added, changed, removed, refused } = summaryOf(dry);
  assert.deepEqual([added, changed, removed, refused], [1, 1, 1, 1]);
  assert.deepEqual(await rowsOf(north.ada, dry, "added"), [["86700009", "line 5"]]);
  assert.deepEqual(await rowsOf(north.ada, dry, "changed"), [
    ["86700002", "line 3: model was One 2, is Two 2"],
  ]);
  assert.deepEqual(await rowsOf(north.ada, dry, "removed"), [["86700000", "it is not in the file"]]);
  assert.deepEqual(await rowsOf(north.ada, dry, "refused"), [
    ["line 4", "a TAC has 8 digits, this cell has 3 characters"],
  ]);
  assert.equal(await modelOf(north.id, "86700002"), "One 2", "a dry run changes nothing");
  const left = await database.one<{ count: number }>(
    "select count(*)::int as count from dataset where operator_id = $1",
    [north.id],
  );
  assert.equal(left?.count, 1, "and leaves nothing");
});

test("the same file again is the same answer: its open job, or that it is in use already", async () => {
  const north = await operator();
  const [one, two] = [
    await bring(north.ada, list(5), { kind: "tac" }),
    await bring(north.ada, list(5), { kind: "tac" }),
  ];
  assert.equal(one.json().id, two.json().id);
  await runNext();
  assert.equal(await runNext(), undefined, "one job");
  const { approvalId } = await get(north.ada, `/v1/jobs/${one.json().id}`);
  await post(north.ada, `/v1/approvals/${approvalId}`, { outcome: "approved", reason: "looked at" });
  const again = await imported(north.ada, list(5), { kind: "tac", mode: "live" });
  assert.deepEqual([again.state, summaryOf(again).unchanged], ["done", true]);
  const files = await database.one<{ count: number }>(
    "select count(*)::int as count from job_file where operator_id = $1",
    [north.id],
  );
  assert.equal(files?.count, 0, "no file is kept behind its job");
});

test("an import that would lose much stops whatever was asked, says what, and needs a second person; it can be taken back to the version before", async () => {
  const north = await operator();
  assert.equal((await imported(north.ada, list(100), { kind: "tac", mode: "live" })).state, "done");
  const cut = await imported(north.ada, list(80, "Two"), { kind: "tac", mode: "live" });
  assert.deepEqual(
    [cut.state, summaryOf(cut).losses],
    ["waiting_approval", ["20 of 100 rows in use are not in the file."]],
  );
  const approve = (token: string) =>
    post(token, `/v1/approvals/${cut.approvalId}`, { outcome: "approved", reason: "seen" });
  assert.equal((await approve(north.ada)).json().code, "second_person_needed");
  assert.equal(await modelOf(north.id, "86700000"), "One 0");
  assert.equal((await approve(north.bob)).statusCode, 200);
  assert.deepEqual(
    [await modelOf(north.id, "86700000"), await modelOf(north.id, "86700099")],
    ["Two 0", null],
  );

  const { datasets } = await get(north.ada, "/v1/datasets?retired=true");
  const former = datasets.find(
    ({ own, retiredAt }: { own: boolean; retiredAt: string | null }) => own && retiredAt !== null,
  );
  const restore = (token: string) =>
    post(token, `/v1/datasets/${former.id}/restore`, { reason: "the new one is wrong" });
  const south = await operator();
  assert.equal(
    (await restore(south.ada)).json().code,
    "dataset_not_found",
    "another operator's is not there",
  );
  assert.equal((await restore(north.ada)).statusCode, 204);
  assert.deepEqual(
    [await modelOf(north.id, "86700000"), await modelOf(north.id, "86700099")],
    ["One 0", "One 99"],
  );
});

test("a file of more lines than there could be handsets is refused before a row of it is staged", async () => {
  const north = await operator();
  const long = gzipSync(`tac,make,model\n86700000,Acme,One\n${",,\n".repeat(1_000_000)}`);
  const job = await imported(north.ada, long, { kind: "tac" });
  assert.deepEqual([job.state, job.reason], ["failed", "The file has more than 1000000 lines."]);
});

test("a version that is put back while another import goes live is looked at behind it", async () => {
  const north = await operator();
  const named = { operatorId: north.id, kind: "tac" as const, name: "tac" };
  for (const model of ["One", "Two"])
    assert.equal((await imported(north.ada, list(3, model), { kind: "tac", mode: "live" })).state, "done");
  const third = await imported(north.ada, list(3, "Three"), { kind: "tac" });
  const staged = assured(await stagedBy(database, north.id, third.id), "it waits with its rows");
  const former = await database.one<{ id: string }>(
    "select id from dataset where operator_id = $1 and retired_at is not null and live_at is not null",
    [north.id],
  );
  let restored: ReturnType<typeof post> | undefined;
  await database.transaction(async (tx) => {
    await lockDataset(tx, named);
    await goLive(tx, named, staged.id, clock());
    restored = post(north.ada, `/v1/datasets/${former?.id}/restore`, { reason: "the new one is wrong" });
    const waits =
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await until(
      () => database.rows(waits),
      ({ length }) => length > 0,
      "the restoring waits for the import",
    );
  });
  assert.equal((await restored)?.json().code, "dataset_rows_gone");
  assert.equal(await modelOf(north.id, "86700000"), "Three 0");
});

test("empty cells, lost zeros and rows that cannot be read stop an import; so do verdicts that would turn", async () => {
  const north = await operator();
  const rows = (row: (at: number) => string) =>
    ["tac,make,model,aka", ...Array.from({ length: 40 }, (_, at) => row(at))].join("\n");
  const first = await imported(
    north.ada,
    rows((at) => `${86_700_000 + at},Acme,One,A${at}`),
    { kind: "tac", mode: "live" },
  );
  assert.equal(first.state, "done", first.reason);
  const emptied = await imported(
    north.ada,
    rows((at) => `${86_700_000 + at},Acme,One,`),
    { kind: "tac", mode: "live" },
  );
  assert.match(emptied.reason, /filled cells of the rows that stay are empty in the file/);
  const zeros = await imported(
    north.ada,
    rows((at) => `${at < 6 ? 1_234_500 + at : 86_700_000 + at},Acme,One,A${at}`),
    { kind: "tac", name: "zeros", mode: "live" },
  );
  assert.match(zeros.reason, /6 of 40 numbers of the file lost the zero in front/);
  const refused = await imported(
    north.ada,
    rows((at) => `${at < 6 ? "x" : 86_700_000 + at},Acme,One,A${at}`),
    { kind: "tac", name: "refused", mode: "live" },
  );
  assert.match(refused.reason, /6 of 40 rows of the file cannot be read/);

  for (let at = 0; at < 20; at++)
    await database.run(
      "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $3, $4)",
      [uuidv7(), north.id, Buffer.from(`imei ${at}`), String(86_700_000 + at)],
    );
  await ownDevices.refresh();
  const supported = "make,label,status\nAcme,One,supported\n";
  const lifecycle = await imported(north.ada, supported, { kind: "lifecycle", mode: "live" });
  assert.equal(lifecycle.state, "waiting_approval", lifecycle.reason);
  assert.match(lifecycle.reason, /^The verdict of 20 of 20 TACs that were seen would be another\.$/);
});

test("an import that was looked at is of no use once another went live: it says so, and changes nothing", async () => {
  const north = await operator();
  const waiting = await imported(north.ada, list(4), { kind: "tac" });
  assert.equal((await imported(north.bob, list(6, "Other"), { kind: "tac", mode: "live" })).state, "done");
  const late = await post(north.ada, `/v1/approvals/${waiting.approvalId}`, {
    outcome: "approved",
    reason: "seen",
  });
  assert.deepEqual([late.statusCode, late.json().code], [412, "precondition_failed"]);
  assert.equal(await modelOf(north.id, "86700000"), "Other 0");
  await post(north.ada, `/v1/approvals/${waiting.approvalId}`, { outcome: "refused", reason: "outdated" });
  assert.equal((await get(north.ada, `/v1/jobs/${waiting.id}`)).state, "failed");
  const staged = await database.one<{ count: number }>(
    "select count(*)::int as count from dataset where operator_id = $1 and live_at is null",
    [north.id],
  );
  assert.equal(staged?.count, 0, "what it had staged is gone");
});

test("an import that is killed goes on from its checkpoint, and stages each row once", async () => {
  const north = await operator();
  const { id } = (await bring(north.ada, list(5_000), { kind: "tac", mode: "live" })).json();
  let saves = 0;
  const stop = new AbortController();
  const stopping = kinds.map((kind) => ({
    ...kind,
    run: (work: Parameters<typeof kind.run>[0]) =>
      kind.run({
        ...work,
        async save(...step: Parameters<typeof work.save>) {
          await work.save(...step);
          if (++saves === 1) stop.abort();
        },
      }),
  }));
  const killed = await takeJob({ ...deps, kinds: stopping }, stop.signal);
  assert.equal(await killed?.run(), "queued");
  assert.equal((await get(north.ada, `/v1/jobs/${id}`)).done, 2_001, "two thousand rows and the header");
  assert.equal(await runNext(), "done");
  assert.equal((await readOwnDatasets(database, north.id))[0]?.rows.length, 5_000);
});

test("the operator's own list stands before the GSMA's, whichever came later", async () => {
  const north = await operator();
  const map =
    "TAC|Marketing Name|Manufacturer (or) Applicant|Brand Name|Model Name\n86700001|Of the GSMA|Acme|Acme|M1\n86700002|Also|Acme|Acme|M2\n";
  assert.equal(
    (await imported(north.ada, list(2), { kind: "tac", name: "ours", mode: "live" })).state,
    "done",
  );
  const gsma = await imported(north.ada, map, { kind: "tac", name: "device-map", mode: "live" });
  assert.equal(gsma.state, "done", gsma.reason);
  assert.deepEqual(
    [await modelOf(north.id, "86700001"), await modelOf(north.id, "86700002")],
    ["One 1", "Also"],
  );
});

const FILES = join(import.meta.dirname, "../vector/data/imports");
const CASES: readonly (readonly [
  file: string,
  kind: OwnKind,
  hints?: { readonly columns?: string; readonly make?: string },
])[] = [
  ["device-map-2016.txt", "tac"],
  ["device-map-2021.txt", "tac"],
  ["device-map-model-codes.txt", "tac"],
  ["device-map-not-known.txt", "tac"],
  ["device-map-quotes.txt", "tac"],
  ["tac-cr-only.csv", "tac"],
  ["tac-quotes.csv", "tac"],
  ["tac-sep-line.csv", "tac"],
  ["tac-spreadsheet.csv", "tac"],
  ["tac-utf16.csv", "tac"],
  ["tac-brand-first.csv", "tac", { columns: "tac=1,make=0,model=2" }],
  ["tac-no-header.csv", "tac", { columns: "tac=0,make=1,model=2" }],
  ["endoflife.json", "lifecycle", { make: "Acme" }],
  ["endoflife.yaml", "lifecycle", { make: "Acme" }],
  ["lifecycle-dates.csv", "lifecycle"],
];
for (const [file, kind, hints = {}] of CASES)
  test(`by the API ${file} is read as by the command line, packed or not`, async () => {
    const north = await operator();
    const octets = readFileSync(join(FILES, file));
    const wanted = readDeviceImport(kind, "ours", octets, hints);
    for (const [mode, content] of [
      ["dry_run", octets],
      ["live", gzipSync(octets)],
    ] as const) {
      const job = await imported(north.ada, content, { kind, mode, name: "ours", ...hints });
      const { taken, refused, warnings } = summaryOf(job);
      assert.deepEqual(
        [taken, refused, warnings],
        [wanted.rows.length, wanted.refusedCount, wanted.warnings],
        job.reason,
      );
      const told = wanted.refused.map(({ line, reason }) => [`line ${line}`, reason]);
      assert.deepEqual(await rowsOf(north.ada, job, "refused"), told);
    }
    const [own] = await readOwnDatasets(database, north.id);
    assert.deepEqual(
      own?.rows,
      wanted.rows.map(({ body }) => body),
    );
  });

const POINTS =
  "mcc,mnc,use,apn,user,password\n262,01,internet,internet.example,web,hunter-two\n26,01,internet,a.example,,\n262,01,internet,other.example,,\n";

test("access points are looked at before they count, come as a version of their set, and no password stands in the job", async () => {
  const north = await operator();
  const pointsOf = async () => (await registry.accessPoints.list(north.id)).map(({ apn }) => apn).sort();
  const dry = await imported(north.ada, POINTS, { kind: "apn", name: "ours", mode: "dry_run" });
  assert.deepEqual(
    [dry.state, summaryOf(dry).added, summaryOf(dry).known, summaryOf(dry).refused],
    ["done", 2, 0, 1],
  );
  assert.deepEqual(await pointsOf(), []);
  const job = await imported(north.ada, POINTS, { kind: "apn", name: "ours" });
  assert.equal(job.state, "waiting_approval", job.reason);
  assert.match((await rowsOf(north.ada, job, "refused"))[0]?.join(": ") ?? "", /^line 3: mcc "26" is not/);
  const kept = await database.rows<{ row: string }>(
    `select j::text as row from job j where operator_id = $1 union all select a::text from approval a where operator_id = $1
      union all select o::text from job_outcome o where job_id = $2`,
    [north.id, job.id],
  );
  assert.ok(!JSON.stringify(kept).includes("hunter-two"));
  const yes = await post(north.ada, `/v1/approvals/${job.approvalId}`, {
    outcome: "approved",
    reason: "seen",
  });
  assert.equal(yes.statusCode, 200, yes.body);
  assert.deepEqual(await pointsOf(), ["internet.example", "other.example"]);
  const again = await imported(north.ada, `${POINTS}262,01,internet,third.example,,\n`, {
    ...{ kind: "apn", name: "ours", mode: "live" },
  });
  assert.deepEqual(
    [again.state, summaryOf(again).added, summaryOf(again).known],
    ["done", 1, 2],
    again.reason,
  );
  assert.deepEqual(await pointsOf(), ["internet.example", "other.example", "third.example"]);
});

/** Another operator, which has that access point. */
async function withPoint(apn: string) {
  const other = await operator();
  const fields = { kind: "apn", name: "ours", mode: "live" };
  await imported(other.ada, `mcc,mnc,use,apn\n262,01,internet,${apn}\n`, fields);
  return other;
}

test("a set of access points has versions: what a file leaves out is retired, what stays keeps its id, and the version before comes back as a whole", async () => {
  const north = await operator();
  const pointsOf = async () =>
    (await registry.accessPoints.list(north.id)).map(({ id, apn }) => ({ id, apn }));
  const apnsOf = async () => (await pointsOf()).map(({ apn }) => apn).sort();
  const file = (...apns: readonly string[]) =>
    ["mcc,mnc,use,apn,mmsc,password", ...apns.map((apn) => `262,01,internet,${apn},,hunter-two`)].join("\n");
  const fields = { kind: "apn", name: "ours", mode: "live" };
  const [byHand] = await registry.accessPoints.list((await withPoint("hand")).id);
  assert.ok(byHand);
  await registry.accessPoints.add(north.id, { ...byHand, id: uuidv7() }, "ada");
  const first = await imported(north.ada, file("a", "b"), fields);
  assert.deepEqual([first.state, summaryOf(first).added], ["done", 2], first.reason);
  const idOf = async (apn: string) => (await pointsOf()).find((one) => one.apn === apn)?.id;
  const kept = await idOf("b");
  const second = await imported(north.ada, file("b", "c"), fields);
  const { added, removed, known } = summaryOf(second);
  assert.deepEqual([second.state, added, removed, known], ["done", 1, 1, 1], second.reason);
  assert.deepEqual(await rowsOf(north.ada, second, "added"), [["line 3", "c for internet"]]);
  assert.deepEqual(await rowsOf(north.ada, second, "removed"), [
    [assured(await retired("a"), "a was there"), "a for internet is not in the file"],
  ]);
  assert.deepEqual(await apnsOf(), ["b", "c", "hand"]);
  assert.equal(await idOf("b"), kept);
  const again = await imported(north.ada, file("b", "c"), fields);
  assert.match(again.reason, /^Nothing is new\./, "safe to run twice");

  const sets = (await registry.datasets.list(north.id, { retired: true })).filter(
    ({ own, kind }) => own && kind === "apn",
  );
  assert.equal(sets.length, 2, "a version each");
  const former = sets.find(({ retiredAt }) => retiredAt !== null);
  const back = await post(north.ada, `/v1/datasets/${former?.id}/restore`, { reason: "c was wrong" });
  assert.equal(back.statusCode, 204, back.body);
  assert.deepEqual(await apnsOf(), ["a", "b", "hand"]);
  assert.equal(await idOf("b"), kept);
  const dump = await database.rows<{ row: string }>(
    "select r::text as row from dataset_row r join dataset d on d.id = r.dataset_id where d.operator_id = $1",
    [north.id],
  );
  assert.ok(!JSON.stringify(dump).includes("hunter"), "a version names access points, and no password");

  async function retired(apn: string): Promise<string | undefined> {
    const row = await database.one<{ id: string }>(
      "select id from access_point where operator_id = $1 and body->>'apn' = $2 and retired_at is not null",
      [north.id, apn],
    );
    return row?.id;
  }
});

test("access points that were looked at are of no use once another version of their set went live", async () => {
  const north = await operator();
  const fileOf = (apn: string) => `mcc,mnc,use,apn\n262,01,internet,${apn}\n`;
  const fields = { kind: "apn", name: "ours" };
  const waiting = await imported(north.ada, fileOf("looked-at"), fields);
  const live = await imported(north.bob, fileOf("meanwhile"), { ...fields, mode: "live" });
  assert.deepEqual([waiting.state, live.state], ["waiting_approval", "done"]);
  const late = await post(north.ada, `/v1/approvals/${waiting.approvalId}`, {
    outcome: "approved",
    reason: "seen",
  });
  assert.deepEqual([late.statusCode, late.json().code], [412, "precondition_failed"]);
  const apns = (await registry.accessPoints.list(north.id)).map(({ apn }) => apn);
  assert.deepEqual(apns, ["meanwhile"]);
});

test("a set of access points that is put back waits for an import of it without holding what that import needs", async () => {
  const north = await operator();
  const fields = { kind: "apn", name: "ours", mode: "live" };
  for (const apn of ["one", "two"])
    await imported(north.ada, `mcc,mnc,use,apn\n262,01,internet,${apn}\n`, fields);
  const sets = await registry.datasets.list(north.id, { retired: true });
  const former = sets.find((one) => one.own && one.kind === "apn" && one.retiredAt !== null);
  let restored: ReturnType<typeof post> | undefined;
  await database.transaction(async (tx) => {
    await lockDataset(tx, { operatorId: north.id, kind: "apn", name: "ours" });
    restored = post(north.ada, `/v1/datasets/${former?.id}/restore`, { reason: "one was right" });
    const waits =
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await until(
      () => database.rows(waits),
      ({ length }) => length > 0,
      "the restoring waits for the import",
    );
    const next = await tx.one<{ free: boolean }>(
      "select pg_try_advisory_xact_lock(hashtextextended('access points ' || $1, 0)) as free",
      [north.id],
    );
    assert.equal(next?.free, true, "an import takes it next: neither would ever go on");
  });
  const { statusCode, body } = assured(await restored, "it was asked for");
  assert.equal(statusCode, 204, body);
  assert.deepEqual(
    (await registry.accessPoints.list(north.id)).map(({ apn }) => apn),
    ["one"],
  );
});

test("a set of access points that lost much waits for a second person, and what another set has stays", async () => {
  const north = await operator();
  const apnsOf = async () => (await registry.accessPoints.list(north.id)).map(({ apn }) => apn).sort();
  const file = (count: number, from = 0) =>
    ["mcc,mnc,use,apn", ...Array.from({ length: count }, (_, at) => `262,01,internet,net${from + at}`)].join(
      "\n",
    );
  const fields = { kind: "apn", name: "ours", mode: "live" };
  await imported(north.ada, file(25), fields);
  await imported(north.ada, file(2), { ...fields, name: "others" });
  const fewer = await imported(north.ada, file(1, 24), fields);
  assert.equal(fewer.state, "waiting_approval");
  assert.match(fewer.reason, /24 of 25 rows in use are not in the file/);
  assert.equal((await apnsOf()).length, 25, "nothing has changed");
  const own = await post(north.ada, `/v1/approvals/${fewer.approvalId}`, {
    outcome: "approved",
    reason: "mine",
  });
  assert.equal(own.statusCode, 403, "whoever asked is no second person");
  const yes = await post(north.bob, `/v1/approvals/${fewer.approvalId}`, {
    outcome: "approved",
    reason: "seen",
  });
  assert.equal(yes.statusCode, 200, yes.body);
  assert.deepEqual(await apnsOf(), ["net0", "net1", "net24"]);
});

test("an operator's own networks and carriers name a SIM's network, its country and whose it is, for that operator alone, and come back", async () => {
  const [north, south] = [await operator(), await operator()];
  const imsi = parseImsi("999070000000001");
  const told = ({ id }: { readonly id: string }) => [
    knowledge.homePlmnOf(imsi, id) ?? null,
    knowledge.countryOf("999", id),
    knowledge.suggest({ mcc: "999", mnc: "07", spn: "Lumo" }, { ...TERMS, operatorId: id })[0]?.network,
  ];
  const nothing = told(north);
  const fields = { kind: "networks", name: "ours", mode: "live" };
  const networks = "mcc,mnc,country,brand\n999,07,AT,Depot\n999,8,AT,Short\n";
  const first = await imported(north.ada, networks, fields);
  assert.deepEqual(
    [first.state, summaryOf(first).added, summaryOf(first).refused],
    ["done", 1, 1],
    first.reason,
  );
  const carriers = await imported(north.ada, "name,mccmnc,spn\nOur MVNO,99907,Lumo\n", {
    ...{ kind: "carriers", name: "ours", mode: "live" },
  });
  assert.equal(carriers.state, "done", carriers.reason);
  await ownDevices.refresh();
  assert.deepEqual(told(north), ["99907", "AT", "Depot"]);
  assert.deepEqual(told(south), nothing, "another operator's answers stay");
  const places = [north, south].map(({ id }) => knowledge.countryOfNetwork("99907", id));
  assert.deepEqual(places, ["AT", null], "doubts about IMEIs ask where a network is");
  const suggested = knowledge.suggest({ mcc: "999", mnc: "07" }, { ...TERMS, operatorId: north.id });
  assert.deepEqual(
    suggested[0]?.virtualOperators.map(({ name }) => name),
    ["Our MVNO"],
  );

  await imported(north.ada, "mcc,mnc,country,brand\n999,07,CH,Depot\n", fields);
  await ownDevices.refresh();
  assert.equal(told(north)[1], "CH");
  const sets = await registry.datasets.list(north.id, { retired: true });
  const former = sets.find((one) => one.own && one.kind === "mcc_mnc" && one.retiredAt !== null);
  const back = await post(north.ada, `/v1/datasets/${former?.id}/restore`, { reason: "it was Austria" });
  assert.equal(back.statusCode, 204, back.body);
  await ownDevices.refresh();
  assert.equal(told(north)[1], "AT");
});

test("a form without a file, with two, with a kind that is none or too long a field is refused, and nothing is kept", async () => {
  const north = await operator();
  const refusals: [Awaited<ReturnType<typeof bring>>, number, RegExp][] = [
    [await bring(north.ada, list(1), { kind: "fish" }), 400, /kind/],
    [await bring(north.ada, list(1), { kind: "tac", mode: "now" }), 400, /mode/],
    [await bring(north.ada, list(1), { kind: "tac", colour: "red" }), 400, /no field but/],
    [await bring(north.ada, list(1), { kind: "tac", name: "n".repeat(3_000) }), 400, /name/],
    [await post(north.ada, "/v1/imports", { kind: "tac" }), 415, /form with a file|Content-Type/],
  ];
  for (const [answer, status, wanted] of refusals) {
    assert.equal(answer.statusCode, status, answer.body);
    assert.match(answer.json().detail, wanted);
  }
  const files = await database.one<{ count: number }>(
    "select count(*)::int as count from job_file where operator_id = $1",
    [north.id],
  );
  assert.equal(files?.count, 0);
});
