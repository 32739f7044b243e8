/** `turnup payment`: what waits becomes a file, the bank's word books it, and two people are needed where the policy says so. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { writePaidFee } from "../../../test/fixture/paid-fee.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { createFileBank } from "../../sim/bank/file-bank.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createPaymentDesk } from "../../store/settlement/payment-desk.ts";

const payment = (name: keyof typeof import("./payment.ts")) => async () =>
  (await import("./payment.ts"))[name];
const creditor = (name: "creditorSetCommand" | "payerSetCommand") => async () =>
  (await import("./creditor.ts"))[name];
const fixture = await cliFixture([
  { name: "creditor set", summary: "", load: creditor("creditorSetCommand") },
  { name: "payer set", summary: "", load: creditor("payerSetCommand") },
  { name: "payment due", summary: "", load: payment("paymentDueCommand") },
  { name: "payment make", summary: "", load: payment("paymentMakeCommand") },
  { name: "payment file", summary: "", load: payment("paymentFileCommand") },
  { name: "payment list", summary: "", load: payment("paymentListCommand") },
  { name: "payment show", summary: "", load: payment("paymentShowCommand") },
  { name: "payment waiting", summary: "", load: payment("paymentWaitingCommand") },
  { name: "payment cancel", summary: "", load: payment("paymentCancelCommand") },
  { name: "payment import", summary: "", load: payment("paymentImportCommand") },
  { name: "payment approve", summary: "", load: payment("paymentApproveCommand") },
  { name: "payment refuse", summary: "", load: payment("paymentRefuseCommand") },
]);
/** As the commands of these tests have it. */
const NOW = new Date("2026-11-22T12:00:00Z");
/** Of another moment than now, for what time ends. */
const deskAt = (now: Date) =>
  createPaymentDesk({ database: fixture.database, sealer: fixture.sealer, newId: uuidv7, clock: () => now });
const transfersIn = (batch: Record<string, unknown> | undefined): { id: string; state: string }[] =>
  (batch?.transfers ?? []) as never;
let operators = 0;
const ADA = { label: "ada", person: "Ada", vouchedBy: [] };
const BOB = { label: "bob", person: "Bob", vouchedBy: [] };

/** An operator of its own, whose one portion of 1.00 euro waits. */
async function owing(policy: Partial<typeof DEFAULT_POLICY.payments> = {}) {
  const slug = `north-${++operators}`;
  const operatorId = await fixture.operator(slug);
  await fixture.database.run(
    "insert into operator_policy (operator_id, version, body, made_by, made_at) values ($1, 1, $2, 'test', now())",
    [operatorId, JSON.stringify({ ...DEFAULT_POLICY, payments: { ...DEFAULT_POLICY.payments, ...policy } })],
  );
  await writePaidFee(fixture, operatorId);
  const run = (...argv: string[]) => fixture.run([...argv, "--operator", slug]);
  const json = async (...argv: string[]) => jsonLines((await run(...argv, "--json")).stdout);
  const good = async (...argv: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(...argv);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const refused = async (code: RegExp, ...argv: string[]): Promise<void> => {
    const { exitCode, stderr } = await run(...argv);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, code);
  };
  return { operatorId, run, json, good, refused };
}
const accounts = async ({ good }: Awaited<ReturnType<typeof owing>>): Promise<void> => {
  await good("payer", "set", "--name", "Meridian", "--iban", "DE89370400440532013000");
  await good("creditor", "set", "Acme", "--name", "Acme Ltd", "--iban", "GB29NWBK60161331926819");
};
const pathOf = (name: string): string => fixture.file(`${name}.mark`, "").replace(/\.mark$/, ".xml");

test("what waits is shown with what it lacks; a file is made once, read again octet for octet, and booked by the bank's word", async () => {
  const one = await owing();
  assert.match(await one.good("payment", "due"), /^Acme +€1\.00 +1 +no account: turnup creditor set/m);
  await one.refused(/^payer_missing:/, "payment", "make");
  await accounts(one);
  const [file, again] = [pathOf("pay"), pathOf("again")];
  const made = await one.good("payment", "make", "--file", file);
  const [, id = ""] = /^payment file ([0-9a-f-]{36}): 1 transfers from DE89 \*\*\*\* 3000/m.exec(made) ?? [];
  assert.equal(statSync(file).mode & 0o777, 0o600, "its owner alone reads account numbers");
  await one.good("payment", "file", id, "--file", again);
  assert.deepEqual(readFileSync(again), readFileSync(file));
  await one.refused(/^file_unreadable:/, "payment", "file", id, "--file", file);
  await one.refused(/^nothing_payable:/, "payment", "make");
  assert.match(await one.good("payment", "list"), new RegExp(`^${id} .* cli .* 1 +released$`, "m"));
  assert.match(await one.good("payment", "waiting"), /Acme +€1\.00 +€0\.00 +GB29 \*\*\*\* 6819 +exported/);
  const { status, notices } = createFileBank().take(readFileSync(file, "utf8"));
  const words = [status, ...notices].map((text, at) => fixture.file(`bank-${at}.xml`, text));
  assert.match(await one.good("payment", "import", ...words), /^booked T[0-9A-F]+ €1\.00/m);
  assert.match(await one.good("payment", "show", id), /Acme +€1\.00 +€1\.00 .* booked/);
  assert.match(await one.good("payment", "import", ...words), /^repeated/m);
  assert.match((await one.run("payment", "waiting")).stderr, /no transfer waits/);
});

test("a transfer that no bank has is taken back, and its portion waits again; an id that is none is wrong usage", async () => {
  const one = await owing();
  await accounts(one);
  const [batch] = await one.json("payment", "make");
  const [transfer] = transfersIn(batch);
  assert.equal((await one.run("payment", "cancel", "x", "--reason", "lost")).exitCode, 2);
  assert.equal((await one.run("payment", "cancel", transfer!.id)).exitCode, 2, "a reason is needed");
  assert.match(await one.good("payment", "cancel", transfer!.id, "--reason", "lost"), /is cancelled\./);
  await one.refused(/^payment_transfer_closed:/, "payment", "cancel", transfer!.id, "--reason", "again");
  assert.match(await one.good("payment", "due"), /^Acme +€1\.00 +1 *$/m);
  await one.refused(
    /^payment_file_unreleased: A transfer of this payment file was taken back/,
    "payment",
    "file",
    String(batch?.id),
    "--file",
    pathOf("taken-back"),
  );
  await one.refused(/^payment_batch_not_found:/, "payment", "show", uuidv7());
});

test("where the policy asks for a second person nobody has a file before that approves it, and its maker cannot (four eyes)", async () => {
  const one = await owing({ secondPerson: true, approvalHours: 5 });
  await accounts(one);
  const file = pathOf("unseen");
  await one.refused(/^person_unknown:/, "payment", "make", "--file", file);
  const made = await one.run("payment", "make", "--file", file, "--person", "Bob");
  assert.match(made.stdout, /waits for a second person until/);
  assert.match(made.stdout, /the account of Acme was changed .*nobody else has approved a payment to it/);
  assert.match(made.stderr, /is not written: the file waits for a second person/);
  assert.throws(() => statSync(file), "nothing was written");
  const [, id = ""] = /^payment file ([0-9a-f-]{36})/m.exec(made.stdout) ?? [];
  await one.refused(/^payment_file_unreleased:/, "payment", "file", id, "--file", file);
  const [awaited] = transfersIn((await one.json("payment", "show", id))[0]);
  await one.refused(/^payment_transfer_closed:/, "payment", "cancel", awaited!.id, "--reason", "paid else");
  assert.match(
    (await one.run("payment", "due")).stderr,
    /no portion waits/,
    "the file may still be approved",
  );
  assert.match(await one.good("payment", "show", id), /Next: Let a second person approve its file/);
  await one.refused(/^person_unknown:/, "payment", "approve", id, "--reason", "whoever I am");
  await one.refused(
    /^second_person_needed:/,
    "payment",
    "approve",
    id,
    "--reason",
    "mine",
    "--person",
    "bob ",
  );
  // The second person comes by the API, under a token of their own.
  const approved = await deskAt(NOW).release(
    one.operatorId,
    id,
    { outcome: "approved", reason: "looked at it" },
    ADA,
  );
  assert.deepEqual(
    [approved.release, approved.releasedBy, approved.releasedByPerson, approved.madeByPerson],
    ["released", "ada", "Ada", "Bob"],
  );
  assert.match(approved.transfers[0]?.nextAction ?? "", /^Give the file to the bank/);
  await one.good("payment", "file", id, "--file", file);
  assert.match(readFileSync(file, "utf8"), /GB29NWBK60161331926819/);
  await one.refused(/^payment_file_decided:/, "payment", "refuse", id, "--reason", "too late");
  assert.match(await one.good("payment", "show", id), /^approved by ada: looked at it$/m);
});

test("the command line approves what somebody else made; what is refused, or too late, is given up, and its portions wait again", async () => {
  const one = await owing({ secondPerson: true, approvalHours: 5 });
  await accounts(one);
  const make = () => deskAt(NOW).make(one.operatorId, { id: uuidv7() }, ADA);
  const first = await make();
  assert.match(await one.good("payment", "refuse", first.id, "--reason", "wrong sum"), /is refused$/m);
  await one.refused(/^payment_file_unreleased:/, "payment", "file", first.id, "--file", pathOf("never"));
  const second = await make();
  assert.equal(second.transfers.length, 1, "it waited again");
  const late = new Date(NOW.getTime() + 5 * 3_600_000);
  const early = new Date(late.getTime() - 1_000);
  await deskAt(early).lapse(early, 9);
  assert.equal(
    (await one.json("payment", "show", second.id))[0]?.release,
    "awaiting",
    "its time is not over",
  );
  await assert.rejects(
    deskAt(late).release(one.operatorId, second.id, { outcome: "approved", reason: "late" }, BOB),
    { code: "payment_file_decided" },
  );
  assert.ok((await deskAt(late).lapse(late, 9)) >= 1);
  const [lapsed] = await one.json("payment", "show", second.id);
  assert.equal(lapsed?.release, "lapsed");
  assert.deepEqual(
    transfersIn(lapsed).map(({ state }) => state),
    ["cancelled"],
  );
  const third = await make();
  assert.ok(
    Date.parse(third.executionDate) > Date.parse(third.releaseUntil ?? ""),
    "its day is after its approval",
  );
  assert.match(
    await one.good("payment", "approve", third.id, "--reason", "right", "--person", "Bob"),
    /is released$/m,
  );
  const audits = await fixture.database.rows<{ action: string; actor: string }>(
    "select action, actor from audit where operator_id = $1 and action like 'payment_file.%' order by id",
    [one.operatorId],
  );
  assert.deepEqual(
    audits.map(({ action, actor }) => `${action} ${actor}`),
    [
      "payment_file.make ada",
      "payment_file.refuse cli",
      "payment_file.make ada",
      "payment_file.lapse deadline",
      "payment_file.make ada",
      "payment_file.approve cli",
    ],
  );
});
