/** What a server asks of machines of others may be another while it runs: the payment system, the list of other servers. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { startBank } from "../../sim/bank/bank.ts";
import { readConfig } from "../config/config.ts";
import { ClosingStack } from "./closing-stack.ts";
import { openMachines } from "./open-machines.ts";

const SECRET = "bank-secret-0123456789";
const [GAMES, BOOKS] = ["https://games.example:8445", "https://books.example:8445"];

async function machines() {
  const folder = mkdtempSync(join(tmpdir(), "turnup-machines-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "turnup.toml");
  const configOf = (bankUrl: string, peer: string | undefined) => {
    writeFileSync(
      join(folder, "peers.json"),
      JSON.stringify(peer ? [{ origin: peer, name: "Other" }] : [{}]),
    );
    const sections = [`[bank]\nurl = "${bankUrl}"\nsecret = "${SECRET}"`, `[peer]\nfile = "peers.json"`];
    writeFileSync(file, sections.join("\n"));
    return readConfig({ file, env: {}, folder }).config;
  };
  const closing = new ClosingStack();
  whenDone(() => closing.close());
  return { configOf, open: (config: ReturnType<typeof configOf>) => optionsOf(closing, config) };
}
const optionsOf = (closing: ClosingStack, config: ReturnType<typeof readConfig>["config"]) =>
  openMachines(closing, () => Date.now(), { config, log: () => undefined });

async function bank() {
  const started = await startBank({ secret: SECRET });
  whenDone(() => started.close());
  return started;
}
const fee = (id: string) => ({ id, amountMinor: 100n, currency: "EUR", payee: "maker", reference: id });

test("a payment goes to the payment system that the files name now; a list of servers that is wrong leaves all as it was", async () => {
  const [first, second] = [await bank(), await bank()];
  const { configOf, open } = await machines();
  const opened = await open(configOf(first.url, GAMES));
  const pay = async (id: string) => opened.bankOf()?.requestFees([fee(id)]);
  await pay("c1");
  assert.deepEqual([opened.hasServer(GAMES), opened.hasServer(BOOKS)], [true, false]);

  await assert.rejects(opened.prepare(configOf(second.url, undefined)), { code: "config_invalid" });
  await pay("c2");
  assert.deepEqual([first.ledger().length, second.ledger().length], [2, 0]);

  const change = await opened.prepare(configOf(second.url, BOOKS));
  assert.deepEqual(
    [opened.hasServer(GAMES), opened.peers.of(BOOKS)],
    [true, undefined],
    "not before it is wanted",
  );
  change();
  await pay("c3");
  assert.deepEqual([first.ledger().length, second.ledger().length], [2, 1]);
  assert.deepEqual([opened.hasServer(GAMES), opened.peers.of(BOOKS)?.name], [false, "Other"]);
});
