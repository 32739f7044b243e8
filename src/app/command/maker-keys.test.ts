/** `turnup maker` as its operator meets it: what it prints, and the keys that it gives for each network. */
import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { relationTerms } from "../../../test/fixture/order-engine.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { AnsweredCall } from "../../kernel/calls/answer.ts";
import type { Bookkeeper } from "../../kernel/conductor/bookkeeper.ts";
import { createInHand } from "../../kernel/conductor/in-hand.ts";
import { createCallMaker } from "../../kernel/conductor/make-calls.ts";
import { checkMakerKey } from "../../kernel/keys/check-key.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import type { OutboundCall } from "../../kernel/order/outbound-call.ts";
import { createMakerClient } from "../../net/maker/client.ts";
import { makerPortOf } from "../../net/maker/port.ts";
import { runCli } from "../terminal/runner.ts";

const IMEI = "350678890123451";
const ENTRIES = [{ name: "maker", summary: "", load: async () => (await import("./maker.ts")).makerCommand }];
const offer = (apn: string, ...mncs: string[]) => ({
  ...(mncs.length > 0 ? { networks: mncs.map((mnc) => ({ mcc: "262", mnc })) } : {}),
  hosts: ["mms.maker.example"],
  accessPoints: [{ apn, use: "maker", authType: "none" }],
});

/** The program as a process would run it, until the test is done. */
async function makerWith(offers: readonly object[]) {
  const folder = mkdtempSync(join(tmpdir(), "turnup-maker-"));
  const file = join(folder, "maker.json");
  const policy = {
    issuer: "maker.example",
    clients: [{ id: "meridian", portionMinor: 100, currency: "EUR" }],
    models: [{ tac: IMEI.slice(0, 8), make: "Samsung", model: "Galaxy A51" }],
    offers,
    validityDays: 365,
  };
  writeFileSync(file, JSON.stringify(policy));
  const argv = ["maker", "--policy", file, "--folder", folder, "--port", "0", "--json"];
  const stop = new AbortController();
  const stdout = new PassThrough();
  const first = new Promise<string>((resolve) =>
    stdout.once("data", (chunk: Buffer) => resolve(String(chunk))),
  );
  const ended = runCli(ENTRIES, argv, {
    stdin: Readable.from([]),
    stdout,
    stderr: new PassThrough(),
    env: {},
    now: () => new Date(),
    version: "0.0.0-test",
    signal: stop.signal,
  });
  whenDone(async () => {
    stop.abort();
    await ended;
    rmSync(folder, { recursive: true });
  });
  const told = JSON.parse(await first) as Record<"url" | "spki" | "pem" | "fingerprint" | "issuer", string>;
  return { told, folder, argv };
}

/** What a maker answers to our call for a SIM of this network. */
async function keyFor({ told, folder }: Awaited<ReturnType<typeof makerWith>>, homePlmn: string) {
  const read = (name: string) => readFileSync(join(folder, "certificates", name), "utf8");
  const client = createMakerClient({
    url: told.url,
    certificate: read("client-meridian.crt"),
    key: read("client-meridian.key"),
    authority: read("authority.crt"),
    timeoutMs: 5_000,
  });
  const answered: AnsweredCall[] = [];
  const relation = relationTerms({ make: "Samsung", keyServer: told.url });
  const store = {
    claimCalls: async () =>
      [
        {
          id: "call",
          operatorId: "o",
          orderId: "order",
          itemId: `item-${homePlmn}`,
          kind: "key_request",
          body: {},
        },
      ] as unknown as OutboundCall[],
    makesOf: async () =>
      new Map([["order", { make: "Samsung", model: "Galaxy A51", tac: IMEI.slice(0, 8) }]]),
    subjectsOf: async () => new Map([["order", { imei: IMEI, homePlmn }]]),
    termsOf: async () => ({ relations: new Map([["samsung", relation]]) }),
  } as unknown as OrderStore;
  const calls = createCallMaker({
    store,
    books: { answer: async (one: AnsweredCall) => void answered.push(one) } as unknown as Bookkeeper,
    inHand: createInHand(),
    clock: () => new Date(),
    makerAt: () => makerPortOf(client),
    bankOf: () => undefined,
  });
  try {
    await calls.pass("key_request", 10);
  } finally {
    await client.close();
  }
  const { answer } = answered[0]!;
  if (answer.kind !== "key") return "cause" in answer ? answer.cause : answer.kind;
  const publicKey = createPublicKey({ key: Buffer.from(told.spki, "base64"), format: "der", type: "spki" });
  const checked = checkMakerKey(answer.bytes, {
    publicKeyOf: (issuer) => (issuer === told.issuer ? publicKey : undefined),
    imei: IMEI,
    now: new Date(),
  });
  return checked.kind === "good" ? checked.key.accessPoints.map(({ apn }) => apn).join() : checked.cause;
}

test("a key holds the access point that is agreed for the network of its SIM, and checks with the key that the maker printed", async () => {
  const maker = await makerWith([
    offer("one.maker", "01", "06"),
    offer("two.maker", "02"),
    offer("else.maker"),
  ]);
  assert.equal(await keyFor(maker, "26201"), "one.maker");
  assert.equal(await keyFor(maker, "26206"), "one.maker");
  assert.equal(await keyFor(maker, "26202"), "two.maker");
  assert.equal(await keyFor(maker, "310260"), "else.maker", "an MNC of three digits");
});

test("where every agreement names its networks, a SIM of them gets a key and one of another network none", async () => {
  const maker = await makerWith([offer("one.maker", "01")]);
  assert.equal(await keyFor(maker, "26201"), "one.maker");
  assert.equal(await keyFor(maker, "26203"), "no_agreement");
});

test("the maker's own public key is printed at the start and by --show-key, the same", async () => {
  const { told, argv } = await makerWith([offer("any.maker")]);
  const shown = await runWith(ENTRIES, [...argv, "--show-key"]);
  assert.equal(shown.exitCode, 0, shown.stderr);
  const { issuer, spki, pem, fingerprint } = JSON.parse(shown.stdout);
  assert.deepEqual([issuer, spki, pem, fingerprint], [told.issuer, told.spki, told.pem, told.fingerprint]);
  const text = await runWith(ENTRIES, [...argv.filter((one) => one !== "--json"), "--show-key"]);
  for (const wanted of [spki, fingerprint, pem.trimEnd()]) assert.ok(text.stdout.includes(wanted));
});
