/** The billing centre, over HTTP and as a file: told once for each id, changed there and here or nowhere (R63, R64). */
import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "vitest";
import { startBilling } from "../../sim/billing/billing.ts";
import type { BillingNotice } from "../../wire/message/billing-api.ts";
import { billingCentre } from "./centre.ts";
import { csvBilling } from "./csv.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. */
const PATIENCE_MS = 20_000;

async function world(options: Partial<Parameters<typeof startBilling>[0]> = {}) {
  const sim = await startBilling({ secret: "right", ...options });
  const centre = billingCentre({ url: sim.url, secret: "right", timeoutMs: PATIENCE_MS });
  closers.push(sim.close, centre.close);
  return { sim, centre };
}
const notice = (
  id: string,
  kind: BillingNotice["kind"],
  more: Partial<BillingNotice> = {},
): BillingNotice => ({
  id,
  kind,
  accountId: "account-1",
  catalogId: kind === "account" ? null : "voice-mail",
  action: "add",
  onceMinor: 0,
  monthlyMinor: 250,
  currency: "EUR",
  prepared: null,
  account: null,
  ...more,
});

test("the first notice opens the account; what comes on it is booked once, however often it is told", async () => {
  const { sim, centre } = await world();
  const early = await centre.tell(notice("n0", "feature"));
  assert.ok(early.kind === "refused");
  assert.equal(early.cause, "unknown_account");
  await centre.tell(notice("n1", "account"));
  const first = await centre.tell(notice("n2", "feature"));
  assert.equal(first.kind, "done");
  assert.deepEqual(await centre.tell(notice("n2", "feature")), first);
  assert.deepEqual(
    sim.ledger().map(({ kind }) => kind),
    ["account", "feature"],
  );
});

test("R123: word of the account's device books nothing, over HTTP and in a file, and needs an account that is known", async () => {
  const { sim, centre } = await world();
  const provisioning = { event: "changed", items: ["settings", "key"], make: "Acme", model: null } as const;
  const more = {
    ...{ catalogId: null, monthlyMinor: 0, currency: null },
    provisioning: { ...provisioning, items: ["settings", "key"] },
  };
  const early = await centre.tell(notice("p0", "provisioning", more));
  assert.ok(early.kind === "refused" && early.cause === "unknown_account");
  await centre.tell(notice("n1", "account"));
  const booked = sim.ledger().length;
  assert.equal((await centre.tell(notice("p1", "provisioning", more))).kind, "done");
  assert.equal(sim.ledger().length, booked);
  const folder = await mkdtemp(join(tmpdir(), "turnup-billing-"));
  closers.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "notices.csv");
  const lines = await csvBilling({ file });
  await lines.tell(notice("p1", "provisioning", more));
  await lines.close();
  assert.match(
    await readFile(file, "utf8"),
    /,p1,provisioning,account-1,,add,0,0,,.*,changed,settings key\n$/,
  );
});

test("a prepared change is nothing until its commit, and nothing for ever after its abort", async () => {
  const { sim, centre } = await world();
  await centre.tell(notice("n1", "account"));
  await centre.tell(notice("p1", "prepare", { catalogId: "forwarding" }));
  await centre.tell(notice("p2", "prepare", { catalogId: "e-mail" }));
  assert.equal(sim.ledger().length, 1);
  assert.deepEqual(sim.reserved(), ["p1", "p2"]);
  await centre.tell(notice("c1", "commit", { prepared: "p1" }));
  await centre.tell(notice("b1", "abort", { prepared: "p2" }));
  assert.deepEqual(
    sim.ledger().map(({ catalogId }) => catalogId),
    [null, "forwarding"],
  );
  const late = await centre.tell(notice("c2", "commit", { prepared: "p2" }));
  assert.ok(late.kind === "refused");
  assert.equal(late.cause, "already_aborted");
  assert.deepEqual(sim.reserved(), []);
});

test("a commit whose answer is lost is told again and takes effect once", async () => {
  const { sim, centre } = await world({ fault: (number) => (number === 3 ? "lose_answer" : undefined) });
  await centre.tell(notice("n1", "account"));
  await centre.tell(notice("p1", "prepare"));
  const commit = notice("c1", "commit", { prepared: "p1" });
  assert.equal((await centre.tell(commit)).kind, "failed");
  assert.equal((await centre.tell(commit)).kind, "done");
  assert.equal(sim.ledger().length, 2);
});

test("an id used for another notice is refused, and the centre's own word of refusal is told", async () => {
  const { centre } = await world({
    refuse: ({ accountId }) => (accountId === "bad" ? "account_blocked" : undefined),
  });
  await centre.tell(notice("n1", "account"));
  const reused = await centre.tell(notice("n1", "account", { accountId: "account-2" }));
  const blocked = await centre.tell(notice("n2", "account", { accountId: "bad" }));
  assert.deepEqual(
    [reused.kind === "refused" && reused.cause, blocked.kind === "refused" && blocked.cause],
    ["id_reused", "account_blocked"],
  );
});

async function fileWorld() {
  const folder = await mkdtemp(join(tmpdir(), "turnup-billing-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "billing.csv");
}
const open = async (file: string) => {
  const billing = await csvBilling({ file, now: () => new Date("2026-01-02T03:04:05Z") });
  closers.push(() => billing.close().catch(() => undefined));
  return billing;
};

test("the file has a heading and one line an id, readable by its owner alone", async () => {
  const file = await fileWorld();
  const billing = await open(file);
  const told = [notice("n1", "account"), notice("n2", "feature"), notice("n2", "feature")];
  const outcomes = await Promise.all(told.map((one) => billing.tell(one)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["done", "done", "done"],
  );
  const [heading, ...lines] = (await readFile(file, "utf8")).split("\n");
  assert.match(
    heading!,
    /^told_at,id,kind,account_id,catalog_id,action,once_minor,monthly_minor,currency,prepared,last_modified,external_id,msisdn,imsi,imei,make,model,product_offering,given_name,.*,payment_token,event,items$/,
  );
  const nothing = ",".repeat(heading!.split(",").length - 10);
  assert.deepEqual(lines, [
    `2026-01-02T03:04:05.000Z,n1,account,account-1,,add,0,250,EUR,${nothing}`,
    `2026-01-02T03:04:05.000Z,n2,feature,account-1,voice-mail,add,0,250,EUR,${nothing}`,
    "",
  ]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("after a restart a repeat makes no line, and a line that a power cut left half is written whole", async () => {
  const file = await fileWorld();
  const before = await open(file);
  await before.tell(notice("n1", "account"));
  await before.close();
  await appendFile(file, "2026-01-02T03:04:05.000Z,n2,feat");
  const after = await open(file);
  await after.tell(notice("n1", "account"));
  await after.tell(notice("n2", "feature"));
  const ids = (await readFile(file, "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(",")[1]);
  assert.deepEqual(ids, ["id", "n1", "n2"]);
});

const ADA: NonNullable<BillingNotice["account"]> = {
  lastModified: "2026-01-02T03:04:04.000Z",
  externalId: "C-4711",
  msisdn: "491701234567",
  imsi: "001010000000099",
  imei: "350678891234561",
  make: "Samsung",
  model: "Galaxy A51",
  productOffering: [
    { id: "ring-back", bundle: "starter" },
    { id: "voice-mail", bundle: null },
  ],
  givenName: '=HYPERLINK("http://evil.example","Ada")',
  familyName: "Lovelace, Countess",
  streetName: "+44 Lane",
  city: "@home",
  paymentToken: "-tok_1",
};

test("the file says whom an account bills, as HTTP does, and no spreadsheet runs what a subscriber typed (R119)", async () => {
  const file = await fileWorld();
  const billing = await open(file);
  assert.equal((await billing.tell(notice("n1", "account", { account: ADA }))).kind, "done");
  const [, line] = (await readFile(file, "utf8")).split("\n");
  assert.equal(
    line!.slice(line!.indexOf("EUR,,") + 5),
    "2026-01-02T03:04:04.000Z,C-4711,491701234567,001010000000099,350678891234561,Samsung,Galaxy A51," +
      'starter/ring-back voice-mail,"\'=HYPERLINK(""http://evil.example"",""Ada"")","Lovelace, Countess",' +
      "'+44 Lane,,,'@home,,'-tok_1,,",
  );
  await billing.close();
  const again = await open(file);
  await again.tell(notice("n1", "account", { account: ADA }));
  assert.equal(
    (await readFile(file, "utf8")).trim().split("\n").length,
    2,
    "its id is known after a restart",
  );

  const { sim, centre } = await world();
  assert.equal((await centre.tell(notice("n1", "account", { account: ADA }))).kind, "done");
  assert.deepEqual(sim.holderOf("account-1"), ADA);
});

test("what is told of an account later holds, and what overtook it on its way does not come back", async () => {
  const { sim, centre } = await world();
  const early = await centre.tell(notice("n0", "account_change", { account: ADA }));
  assert.ok(early.kind === "refused" && early.cause === "unknown_account");
  await centre.tell(notice("n1", "account", { account: ADA }));
  const moved = { ...ADA, lastModified: "2026-02-01T00:00:00.000Z", city: "Paris" };
  await centre.tell(notice("n2", "account_change", { account: moved }));
  await centre.tell(notice("n3", "account_change", { account: { ...ADA, city: "Rome" } }));
  assert.equal(sim.holderOf("account-1")?.city, "Paris");
  assert.equal(sim.ledger().length, 1, "nothing is booked by it");
});

test("a file of the release before is set aside whole, and a new one begun; its lines are known still", async () => {
  const file = await fileWorld();
  const before = "told_at,id,kind\n2026-01-01T00:00:00.000Z,n1,account\n";
  await appendFile(file, before);
  const billing = await open(file);
  await billing.tell(notice("n1", "account"));
  await billing.tell(notice("n2", "feature"));
  assert.equal(await readFile(`${file}.1`, "utf8"), before);
  assert.deepEqual(
    (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(",")[1]),
    ["id", "n2"],
  );
});

test("what is no notice, a formula among it, is refused before it reaches a line", async () => {
  const file = await fileWorld();
  const billing = await open(file);
  const answer = await billing.tell(notice("n1", "account", { accountId: "=cmd()" }));
  assert.equal(answer.kind, "refused");
  assert.equal((await readFile(file, "utf8")).trim().split("\n").length, 1);
});
