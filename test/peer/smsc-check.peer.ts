/** `turnup smsc check`, and the session below it, against npm smpp as the message centre, each of its switches by itself and some together. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { smscCheckCommand } from "../../src/app/command/smsc-check.ts";
import { createEsme } from "../../src/net/smsc/esme.ts";
import { runWith } from "../fixture/cli-io.ts";
import { until } from "../fixture/story.ts";
import { whenDone } from "../fixture/when-done.ts";
import { type Switches, smppCentre } from "./smpp-centre.ts";

const entries = [{ name: "smsc check", summary: "", load: async () => smscCheckCommand }];

const ROWS: readonly {
  readonly centre: string;
  readonly switches: Switches;
  readonly set?: readonly string[];
}[] = [
  { centre: "as configured", switches: {} },
  {
    centre: "hexadecimal, then decimal",
    switches: { response: "hex" },
    set: ['smsc.receipt_ids = "hex-to-decimal"'],
  },
  {
    centre: "decimal, then hexadecimal",
    switches: { receipt: "hex" },
    set: ['smsc.receipt_ids = "decimal-to-hex"'],
  },
  { centre: "receipts by parameters alone", switches: { form: "parameters" } },
  {
    centre: "receipts by parameters alone, in another base",
    switches: { form: "parameters", response: "hex" },
    set: ['smsc.receipt_ids = "hex-to-decimal"'],
  },
  { centre: "receipts in message_payload", switches: { form: "payload" } },
  {
    centre: "receipts that nothing marks",
    switches: { form: "unmarked" },
    set: ["smsc.receipts_marked = false"],
  },
  { centre: "each receipt twice", switches: { copies: 2 } },
  { centre: "receipts before the answer", switches: { isEarly: true } },
  {
    centre: "receipts before the answer, unmarked and in another base",
    switches: { isEarly: true, form: "unmarked", receipt: "hex" },
    set: ['smsc.receipt_ids = "decimal-to-hex"', "smsc.receipts_marked = false"],
  },
  { centre: "throttles the first submit", switches: { throttled: 1 } },
];

for (const row of ROWS)
  test(`a trial at npm smpp's centre finds what it does: ${row.centre}`, async () => {
    const centre = await smppCentre(row.switches);
    whenDone(() => centre.close());
    const run = await runWith(
      entries,
      ["smsc", "check", "--to", "+4915112345601", "--from", "Meridian", "--wait", "20"],
      "",
      { env: { TURNUP_SMSC_PORT: String(centre.port) } },
    );
    const proposed = run.stdout.split("\n").flatMap((line) => /^set (.+?) {2}#/.exec(line)?.[1] ?? []);
    assert.deepEqual(proposed, row.set ?? [], run.stdout + run.stderr);
    assert.equal(run.exitCode, row.set ? 1 : 0, run.stdout + run.stderr);
    assert.match(run.stdout, /system_id "peer", no sc_interface_version/);
    assert.ok(centre.answers.length >= 1);
    assert.ok(
      centre.answers.every((status) => status === 0),
      "each copy of our receipt is taken",
    );
  });

test("a centre that answers no enquire_link is left and bound again", async () => {
  const centre = await smppCentre({ isSilentToEnquiries: true });
  whenDone(() => centre.close());
  const esme = createEsme({
    host: "127.0.0.1",
    port: centre.port,
    systemId: "turnup",
    password: "secret",
    enquireLinkMs: 50,
    responseTimeoutMs: 100,
    reconnect: { minMs: 10 },
  });
  const reasons: string[] = [];
  esme.on("state", (state) => {
    if (state.name === "waiting") reasons.push(state.reason);
  });
  esme.start();
  whenDone(() => esme.stop());
  await until(
    () => centre.binds,
    (binds) => binds >= 2,
    "it is bound a second time",
  );
  assert.equal(reasons[0], "enquire_link unanswered");
});
