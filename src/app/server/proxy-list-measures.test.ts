/** Which proxies are behind the list of accounts, and for how long. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { test } from "vitest";
import type { ToldProxy } from "../../kernel/account/proxy-accounts.ts";
import { measureProxyLists } from "./proxy-list-measures.ts";

const NOW_MS = Date.parse("2026-05-04T08:00:00Z");
const proxy = (name: string, more: Partial<ToldProxy>): ToldProxy => ({
  ...{ proxy: name, version: 7, listVersion: 7, tries: 0, outcome: "told", triedAt: null },
  answeredAt: new Date(NOW_MS - 30_000).toISOString(),
  nextTryAt: new Date(NOW_MS).toISOString(),
  ...more,
});

test("each proxy shows its version of the list, how far it is behind and since when; those behind are counted", async () => {
  const registry = new Registry();
  let told: readonly ToldProxy[] | undefined = [
    proxy("edge-1", {}),
    proxy("edge-2", { version: 4, answeredAt: new Date(NOW_MS - 600_000).toISOString() }),
    proxy("edge-3", { version: 0, answeredAt: null }),
  ];
  let nowMs = NOW_MS;
  let reads = 0;
  const proxies = async () => {
    reads += 1;
    if (!told) throw new Error("no database");
    return told;
  };
  measureProxyLists(registry, { proxies, nowMs: () => nowMs });
  const text = await registry.metrics();
  for (const line of [
    'turnup_proxy_list_version{proxy="edge-2"} 4',
    'turnup_proxy_list_behind_versions{proxy="edge-1"} 0',
    'turnup_proxy_list_behind_versions{proxy="edge-2"} 3',
    'turnup_proxy_list_behind_versions{proxy="edge-3"} 7',
    'turnup_proxy_list_age_seconds{proxy="edge-2"} 600',
    "turnup_proxies_behind 2",
  ])
    assert.ok(text.split("\n").includes(line), line);
  assert.ok(!text.includes('age_seconds{proxy="edge-3"}'), "it has not spoken yet");
  assert.equal(reads, 1, "one look at the database for all of them");
  nowMs += 6_000;
  told = undefined;
  assert.match(await registry.metrics(), /^turnup_proxies_behind 0$/m, "told without the database too");
});
