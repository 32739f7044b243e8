/** Managed devices in /metrics: what became of each message, and what sessions brought. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { test } from "vitest";
import type { ManagedDevices } from "../../kernel/management/exchange.ts";
import { TurnupError } from "../../term/error.ts";
import { countManagedMessages, countManagedResults } from "./managed-measures.ts";

const REQUEST = { body: new Uint8Array(0), encoding: "xml", hmac: null } as const;

test("each message of a managed device is counted by what became of it, and answered as before", async () => {
  const registry = new Registry();
  const reply = { body: Uint8Array.of(1), mac: null };
  const managed: ManagedDevices = {
    async exchange(token) {
      if (token === "known") return reply;
      if (token === "broken") throw new TurnupError("payload_malformed", "No message.");
      if (token === "often") throw new TurnupError("too_many_requests", "Too many.");
      if (token === "away") throw new Error("the database is away");
      return undefined;
    },
  };
  const counted = countManagedMessages(registry, managed);
  assert.equal(await counted.exchange("known", REQUEST), reply);
  assert.equal(await counted.exchange("nobody", REQUEST), undefined);
  await assert.rejects(counted.exchange("broken", REQUEST), { code: "payload_malformed" });
  await assert.rejects(counted.exchange("often", REQUEST), { code: "too_many_requests" });
  await assert.rejects(counted.exchange("away", REQUEST), /away/);
  const text = await registry.metrics();
  for (const outcome of ["answered", "unknown_device", "malformed", "held_back", "failed"])
    assert.match(text, new RegExp(`turnup_managed_messages_total\\{outcome="${outcome}"\\} 1\n`));
});

test("what a session brought counts from the events of its order: opened, every node set, refused; nobody else's events do", async () => {
  const registry = new Registry();
  const count = countManagedResults(registry);
  count({
    events: [
      { kind: "opened", evidence: "management_session" },
      { kind: "settings_set", evidence: "management_session" },
      { kind: "device_refused", evidence: "management_session" },
      { kind: "works", evidence: "management_session" },
      { kind: "opened", evidence: "link" },
      { kind: "failed", evidence: null },
    ],
  });
  const text = await registry.metrics();
  for (const result of ["opened", "settings_set", "refused"])
    assert.match(text, new RegExp(`turnup_managed_results_total\\{result="${result}"\\} 1\n`));
});
