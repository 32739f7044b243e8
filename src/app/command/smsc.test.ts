/** `turnup smsc`: the message centre as a process of its own, asked over SMPP by our own ESME; no secret is told. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { startTurnup } from "../../../test/fault/turnup-process.ts";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { until } from "../../../test/fixture/story.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createEsme } from "../../net/smsc/esme.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { parseReceipt } from "../../wire/smpp/receipt.ts";
import { smscCommand } from "./smsc.ts";

const SECRET = "s3cr3t-1";
const PHONES = "s3cr3t-2";

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), "turnup-smsc-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function policyIn(folder: string, policy: unknown): string {
  const file = join(folder, "smsc.json");
  writeFileSync(file, JSON.stringify(policy));
  return file;
}

async function bound(port: number, systemId: string, password: string) {
  const delivered: DeliverSm[] = [];
  const esme = createEsme({
    host: "127.0.0.1",
    port,
    systemId,
    password,
    onDeliver: (pdu) => {
      delivered.push(pdu);
      return 0;
    },
  });
  esme.start();
  whenDone(() => esme.stop());
  await until(
    () => esme.state.name,
    (name) => name === "bound" || name === "refused",
    "the centre answered the bind",
  );
  return { esme, delivered };
}

test("R33: the message centre runs alone: accounts, phones that it knows, receipts, and messages of one account to another", async () => {
  const folder = folderOf();
  writeFileSync(join(folder, "radio.secret"), `${PHONES}\n`);
  const policy = policyIn(folder, {
    accounts: [
      { systemId: "radio", passwordFile: "radio.secret", numbers: ["88210"] },
      { systemId: "turnup", password: SECRET, numbers: ["2948"] },
    ],
    phones: [
      { number: "4915112345601", answer: "delivered" },
      { number: "4915112345602", answer: "undeliverable" },
    ],
    receipts: { ids: "hex" },
    retryMs: 20,
  });
  const centre = await startTurnup(["smsc", "--policy", policy, "--port", "0", "--json"], {}, /"port":\d+/);
  whenDone(() => centre.stop());
  const port = Number(/"port":(\d+)/.exec(centre.output())?.[1]);
  const server = await bound(port, "turnup", SECRET);
  const radio = await bound(port, "radio", PHONES);
  const stranger = await bound(port, "turnup", "wrong");
  assert.equal(stranger.esme.state.name, "refused");

  const text = { short_message: Buffer.from("hello"), registered_delivery: 1, source_addr: "2948" };
  const ids = new Map<string, string>();
  for (const to of ["4915112345601", "4915112345602", "4915112345699", "882109000001"]) {
    const taken = await server.esme.submit({ ...text, destination_addr: to });
    assert.ok(taken.kind === "accepted");
    ids.set(taken.messageId, to);
  }
  const states = () =>
    Object.fromEntries(
      server.delivered.map((pdu) => {
        const receipt = parseReceipt(pdu);
        return [ids.get(receipt?.messageId ?? ""), receipt?.state];
      }),
    );
  await until(states, (found) => Object.keys(found).length === ids.size, "each message has its receipt");
  assert.deepEqual(states(), {
    "4915112345601": "delivered",
    "4915112345602": "undeliverable",
    "4915112345699": "undeliverable",
    "882109000001": "delivered",
  });
  assert.deepEqual(
    radio.delivered.map((pdu) => [
      pdu.source_addr,
      pdu.destination_addr,
      String(Buffer.from(pdu.short_message)),
    ]),
    [["2948", "882109000001", "hello"]],
    "what is for a number of the radio's comes to the radio, and no receipt of another's message",
  );
  await radio.esme.submit({
    ...text,
    source_addr: "882109000001",
    destination_addr: "2948",
    registered_delivery: 0,
  });
  await until(
    () => server.delivered.map((pdu) => pdu.source_addr),
    (from) => from.includes("882109000001"),
    "what a phone sends to the short code comes to its account",
  );
  assert.equal(await centre.stop(), 0);
  for (const hidden of [SECRET, PHONES, "4915112345601", "882109000001"])
    assert.ok(!centre.output().includes(hidden), "neither secret nor number is told");
});

const entries = [{ name: "smsc", summary: "", load: async () => smscCommand }];

test("the message centre's help says what its policy holds, and a policy that is wrong starts nothing and tells no secret", async () => {
  const help = await runWith(entries, ["smsc", "--help"]);
  assert.equal(help.exitCode, 0);
  for (const word of ["--policy", "accounts", "phones", "receipts", "--port"])
    assert.match(help.stdout, RegExp(word));
  const folder = folderOf();
  const wrong: readonly [unknown, RegExp][] = [
    [{ accounts: [] }, /accounts: 1 to 64/],
    [
      { accounts: [{ systemId: "a", password: SECRET, passwordFile: "x" }] },
      /a: one of password and passwordFile/,
    ],
    [{ accounts: [{ systemId: "a" }] }, /a: one of password and passwordFile/],
    [{ accounts: [{ systemId: "a", password: `${SECRET}-too-long` }] }, /accounts\[0\]\.password/],
    [{ accounts: ["a", "a"].map((systemId) => ({ systemId, password: SECRET })) }, /two have one systemId/],
  ];
  for (const [policy, fact] of wrong) {
    const run = await runWith(entries, ["smsc", "--policy", policyIn(folder, policy), "--port", "0"]);
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, fact);
    assert.ok(!run.stderr.includes(SECRET));
  }
  writeFileSync(join(folder, "smsc.json"), `{"accounts": [{"systemId": "a", "password": "${SECRET}" ]}`);
  const broken = await runWith(entries, ["smsc", "--policy", join(folder, "smsc.json")]);
  assert.match(broken.stderr, /no JSON/);
  assert.ok(!broken.stderr.includes(SECRET));
});
