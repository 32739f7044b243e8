/** `turnup smsc check` against the simulated message centre, which writes its receipts in each of the forms that centres have. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "vitest";
import { jsonLines } from "../../../test/fixture/cli.ts";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createEsme } from "../../net/smsc/esme.ts";
import type { Faults } from "../../sim/smsc/faults.ts";
import { createSmscSimulator, type SmscOptions } from "../../sim/smsc/smsc.ts";
import { portOf } from "../../sim/web/listen.ts";
import { smscCommand } from "./smsc.ts";
import { smscCheckCommand } from "./smsc-check.ts";

const NUMBER = "4915112345601";
const SECRET = "s3cr3t-1";
const entries = [
  { name: "smsc", summary: "", load: async () => smscCommand },
  { name: "smsc check", summary: "", load: async () => smscCheckCommand },
];

async function centreWith(faults: Faults, more: Partial<SmscOptions> = {}) {
  const centre = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: SECRET,
    onMessage: async () => "delivered",
    faults,
    seed: 7,
    redeliverMs: 30,
    ...more,
  });
  whenDone(() => centre.close());
  return centre;
}

type Env = Record<string, string>;
async function check(port: number, argv: readonly string[] = [], env: Env = {}) {
  const settings = { TURNUP_SMSC_PORT: String(port), TURNUP_SMSC_PASSWORD: SECRET, ...env };
  const words = ["smsc", "check", "--to", `+${NUMBER}`, "--from", "Meridian", ...argv];
  const run = await runWith(entries, words, "", { env: settings });
  assert.ok(!`${run.stdout}${run.stderr}`.includes(NUMBER), "the number is masked wherever it stands");
  assert.ok(!`${run.stdout}${run.stderr}`.includes(SECRET));
  return run;
}

type Row = {
  readonly centre: string;
  readonly faults: Faults;
  readonly argv?: readonly string[];
  readonly env?: Env;
  /** The lines that propose; none: nothing to change. */
  readonly set?: readonly string[];
};
const HEX_THEN_DECIMAL = { response: "hex", text: "decimal", tlv: "decimal" } as const;
const DECIMAL_THEN_HEX = { response: "decimal", text: "hex", tlv: "hex" } as const;
// biome-ignore format: one line a centre
const ROWS: readonly Row[] = [
  { centre: "writes what is configured", faults: {} },
  { centre: "answers in hexadecimal, receipts in decimal", faults: { idForms: HEX_THEN_DECIMAL }, set: ['smsc.receipt_ids = "hex-to-decimal"'] },
  { centre: "answers in decimal, receipts in hexadecimal", faults: { idForms: DECIMAL_THEN_HEX }, set: ['smsc.receipt_ids = "decimal-to-hex"'] },
  { centre: "does that, and is configured so", faults: { idForms: HEX_THEN_DECIMAL }, env: { TURNUP_SMSC_RECEIPT_IDS: "hex-to-decimal" } },
  { centre: "is configured as either, and is known now", faults: { idForms: DECIMAL_THEN_HEX }, env: { TURNUP_SMSC_RECEIPT_IDS: "either" }, set: ['smsc.receipt_ids = "decimal-to-hex"'] },
  { centre: "writes them alike, and is configured otherwise", faults: {}, env: { TURNUP_SMSC_RECEIPT_IDS: "hex-to-decimal" }, set: ['smsc.receipt_ids = "as-is"'] },
  { centre: "names the id of its response in a parameter", faults: { idForms: { response: "hex", text: "decimal" } } },
  { centre: "marks no receipt", faults: { receiptsUnmarked: true }, set: ["smsc.receipts_marked = false"] },
  { centre: "marks them, and is configured not to", faults: {}, env: { TURNUP_SMSC_RECEIPTS_MARKED: "false" }, set: ["smsc.receipts_marked = true"] },
  { centre: "marks none and writes ids otherwise", faults: { receiptsUnmarked: true, idForms: HEX_THEN_DECIMAL }, set: ['smsc.receipt_ids = "hex-to-decimal"', "smsc.receipts_marked = false"] },
  { centre: "has a receipt for each part", faults: {}, argv: ["--long"] },
  { centre: "has a receipt for each part, and is configured otherwise", faults: {}, argv: ["--long"], env: { TURNUP_SMSC_RECEIPTS_PER: "message" }, set: ['smsc.receipts_per = "part"'] },
  { centre: "has one receipt a message", faults: { receiptsPer: "message" }, argv: ["--long", "--wait", "1"], set: ['smsc.receipts_per = "message"'] },
  { centre: "sends each receipt twice", faults: { receiptDuplicatePart: 1 } },
  { centre: "is bound by two", faults: { idForms: DECIMAL_THEN_HEX }, env: { TURNUP_SMSC_BIND: "transmitter+receiver" }, set: ['smsc.receipt_ids = "decimal-to-hex"'] },
];

for (const row of ROWS)
  test(`R32: a trial proposes the settings of a centre that ${row.centre}`, async () => {
    const centre = await centreWith(row.faults);
    const run = await check(centre.port, row.argv, row.env);
    const proposed = run.stdout.split("\n").flatMap((line) => /^set (.+?) {2}#/.exec(line)?.[1] ?? []);
    assert.deepEqual(proposed, row.set ?? [], run.stdout + run.stderr);
    assert.equal(/nothing to change/.test(run.stdout), !row.set);
    assert.equal(run.exitCode, row.set ? 1 : 0, run.stderr);
    assert.match(run.stdout, /connected, without TLS/);
    assert.match(run.stdout, /bound as .*: system_id "turnup", sc_interface_version 0x34/);
    const ids = centre.log.map(({ messageId }) => messageId);
    assert.equal(ids.length, row.argv?.includes("--long") ? 3 : 1);
    for (const id of ids)
      assert.ok(run.stdout.includes(`taken, id "${id}"`), "ids are shown as the centre wrote them");
    assert.match(run.stderr, /real text/);
  });

test("each step of a trial is a line of JSON, the last of them the result with what to set", async () => {
  const centre = await centreWith({ idForms: HEX_THEN_DECIMAL });
  const run = await check(centre.port, ["--json", "--verbose"]);
  const lines = jsonLines(run.stdout);
  assert.deepEqual(
    lines.map(({ step }) => step),
    ["connected", "bound", "submitted", "receipt", "result"],
  );
  const [receipt, result] = [lines[3], lines[4]];
  const text = Buffer.from(String(receipt?.hex), "hex").toString("latin1");
  assert.match(text, /^id:\d+ sub:001 .*stat:DELIVRD/, "the octets as they came");
  assert.deepEqual([receipt?.text, receipt?.state, receipt?.isMarked], [text, "delivered", true]);
  assert.equal(result?.ok, false);
  assert.deepEqual(result?.proposals, [{ name: "receipt_ids", from: "as-is", to: "hex-to-decimal" }]);
});

const FAILURES: readonly {
  readonly what: string;
  readonly faults?: Faults;
  readonly env?: Env;
  readonly more?: Partial<SmscOptions>;
  readonly fact: RegExp;
  readonly next: RegExp;
}[] = [
  {
    what: "a wrong password",
    env: { TURNUP_SMSC_PASSWORD: "wrong" },
    fact: /refused the bind: ESME_RINVPASWD/,
    next: /smsc\.system_id, its password/,
  },
  {
    what: "a name that the centre does not know",
    env: { TURNUP_SMSC_SYSTEM_ID: "nobody" },
    fact: /refused the bind: ESME_RINVSYSID/,
    next: /smsc\.system_id/,
  },
  {
    what: "a refused text",
    faults: { refuse: { part: 1, status: 0x0a } },
    fact: /took not all: ESME_RINVSRCADR/,
    next: /what this code means/,
  },
  {
    what: "receipts that do not come",
    faults: { receiptLostPart: 1 },
    fact: /No receipt came within 1 s/,
    next: /whether receipts are on/,
  },
  {
    what: "a phone that does not exist",
    more: { onMessage: async () => "undeliverable" },
    fact: /Not delivered: undeliverable/,
    next: /phone is on and the number right/,
  },
];

for (const row of FAILURES)
  test(`a trial says what did not come and what to do: ${row.what}`, async () => {
    const centre = await centreWith(row.faults ?? {}, row.more);
    const run = await check(centre.port, ["--wait", "1"], row.env);
    assert.equal(run.exitCode, 1, run.stdout);
    assert.match(run.stderr, row.fact);
    assert.match(run.stderr, row.next);
  });

test("a trial says that nothing listens, and that what listens answers no bind", async () => {
  const silent = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const port = portOf(silent);
  const mute = await check(port, [], { TURNUP_SMSC_RESPONSE_TIMEOUT_MS: "200" });
  assert.equal(mute.exitCode, 1);
  assert.match(mute.stderr, /Connected, but the bind was not answered: no answer while binding/);
  assert.match(mute.stderr, /smsc\.port is the centre's SMPP port/);
  await new Promise((resolve) => silent.close(resolve));
  const nobody = await check(port);
  assert.equal(nobody.exitCode, 1);
  assert.match(nobody.stderr, /No connection: .*ECONNREFUSED/);
  assert.match(nobody.stderr, /smsc\.host, smsc\.port/);
});

test("receipts of a server's messages that come to a trial stay the server's", async () => {
  const centre = await centreWith({ receiptDelayMs: 1 }, { deliverWindow: 1 });
  const server = createEsme({
    host: "127.0.0.1",
    port: centre.port,
    systemId: "turnup",
    password: SECRET,
    bind: "transmitter",
  });
  server.start();
  const sent = await server.submitBatch(
    Array.from({ length: 5 }, (_, at) => ({
      destination_addr: `49151999999${10 + at}`,
      short_message: Buffer.from("hello"),
      registered_delivery: 1,
    })),
  );
  assert.ok(sent.every(({ kind }) => kind === "accepted"));
  await server.stop();
  await until(
    () => centre.stats.undelivered,
    (waiting) => waiting === 5,
    "five receipts wait for a receiver",
  );
  const run = await check(centre.port);
  assert.match(
    run.stdout,
    /deliveries that are not of this trial came to this bind; they were not acknowledged/,
  );
  assert.equal(centre.stats.receiptsAcknowledged, 1, "that of the trial's own text alone");
  assert.equal(centre.stats.undelivered, 5);
});

test("usage of a trial is judged before anything is sent, and the centre's own command keeps its options", async () => {
  const centre = await centreWith({});
  for (const argv of [
    ["--wait", "0"],
    ["--text", "x".repeat(161)],
    ["--from", "much too long a name"],
  ])
    assert.equal((await check(centre.port, argv)).exitCode, 2);
  assert.equal(centre.stats.accepted, 0);
  const several = await runWith(entries, ["smsc", "check", "--to", "+1", "--from", "M"], "", { env: {} });
  assert.equal(several.exitCode, 1);
  const without = await runWith(entries, ["smsc"], "", { env: {} });
  assert.equal(without.exitCode, 2);
  assert.match(without.stderr, /--policy/);
  const help = await runWith(entries, ["smsc", "check", "--help"], "", { env: {} });
  for (const word of ["cost what the centre", "--long", "--wait", "turnup smsc check --to"])
    assert.ok(help.stdout.includes(word), word);
});
