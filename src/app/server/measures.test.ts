/** Measures of a running server: message centres, and what waits with its age. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { test } from "vitest";
import type { HandshakeCause } from "../../http/handshakes.ts";
import { createMeasures } from "../../http/measures.ts";
import { type ChangeSet, emptyChangeSet } from "../../kernel/order/change-set.ts";
import type { EsmeState, EsmeStats } from "../../net/smsc/esme-api.ts";
import type { Backlog } from "../../store/orders/backlog.ts";
import { measureCertificates } from "../certificates/certificate-watch.ts";
import { countCamara } from "./camara.ts";
import { countChecks, countEir, countGsup, countLocks, countS13 } from "./equipment-measures.ts";
import { measureMonths } from "./growth.ts";
import { measureEvents } from "./keep-events.ts";
import { measurePairs } from "./known-pairs.ts";
import { measureUse } from "./learn-use.ts";
import { observeMachines } from "./machine-measures.ts";
import { countManagedMessages, countManagedResults } from "./managed-measures.ts";
import {
  countCardTries,
  countEnds,
  noArrivals,
  observe,
  type SeenCentre,
  strangersApart,
} from "./measures.ts";
import { measureProxyLists } from "./proxy-list-measures.ts";
import { countRadius } from "./radius-measures.ts";
import { openRevocation } from "./revocation.ts";
import { measureJobs } from "./run-jobs.ts";
import { measureDoubts, measureSources } from "./source-measures.ts";
import { createStrangers, type StrangerNews } from "./strangers.ts";

const NOW_MS = Date.parse("2026-05-04T08:00:00Z");
const NO_LISTS: Parameters<typeof openRevocation>[0] = {
  ...{ crlPath: undefined, ocspUrl: undefined, ocspFromCertificate: false },
  ...{ revocationWhenAway: "refuse", revocationTimeoutMs: 100 },
};
const STATS: EsmeStats = {
  submitted: 10,
  accepted: 7,
  refused: 1,
  deferred: 1,
  unknown: 1,
  congested: 3,
  lateResponses: 0,
  deliveries: 6,
  brokenPdus: 2,
  binds: 1,
  queued: 4,
  inFlight: 5,
  unansweredDeliveries: 0,
  ratePerSecond: Number.POSITIVE_INFINITY,
};
const BACKLOG: Backlog = {
  outbox: { count: 12, firstDueAt: new Date(NOW_MS - 90_000) },
  inFlight: 3,
  openOrders: { received: 1, waiting: 2, provisioning: 0 },
  dueOrders: { count: 0, firstDueAt: null },
  calls: { fee_request: { count: 2, firstDueAt: new Date(NOW_MS + 60_000) } },
  unmatchedReceipts: 0,
  keyStocks: { enough: 2, low: 1, empty: 0 },
  overdueTransfers: 0,
  openDisputes: 0,
};

function observed(backlog: () => Promise<Backlog>) {
  const registry = new Registry();
  const world = { state: { name: "binding" } as EsmeState, nowMs: NOW_MS };
  const arrivals = noArrivals();
  const session = {
    get state() {
      return world.state;
    },
  };
  const centre = (label: string, more: Partial<SeenCentre> = {}): SeenCentre => ({
    label,
    session,
    stats: STATS,
    binds: [{ role: "transceiver", number: 1, state: world.state, stats: STATS }],
    options: { window: 100, route: { drain: false } },
    downSinceMs: null,
    arrivals,
    refusals: new Map(),
    failedOver: 0,
    ...more,
  });
  const centres: SeenCentre[] = [centre("smsc")];
  observe(registry, { centres: () => centres, backlog, nowMs: () => world.nowMs });
  const linesOf = async (): Promise<string[]> => (await registry.metrics()).split("\n");
  return { registry, world, arrivals, centre, centres, linesOf };
}

test("the session with the message centre is told as it is when somebody asks", async () => {
  const { world, arrivals, linesOf } = observed(async () => BACKLOG);
  world.state = { name: "bound", smscSystemId: "SMSC" };
  arrivals.receipts.set("delivered", 5);
  arrivals.reports = 1;
  for (let asked = 0; asked < 2; asked++) {
    const lines = await linesOf();
    for (const line of [
      'turnup_smsc_session_state{centre="smsc",state="bound"} 1',
      'turnup_smsc_session_state{centre="smsc",state="binding"} 0',
      'turnup_smsc_window_messages{centre="smsc"} 100',
      'turnup_smsc_inflight_messages{centre="smsc"} 5',
      'turnup_smsc_queued_messages{centre="smsc"} 4',
      'turnup_smsc_rate_messages_per_second{centre="smsc"} +Inf',
      'turnup_smsc_submits_total{centre="smsc",outcome="accepted"} 7',
      'turnup_smsc_congestions_total{centre="smsc"} 3',
      'turnup_smsc_receipts_total{centre="smsc",state="delivered"} 5',
      'turnup_smsc_reports_total{centre="smsc",kind="device"} 1',
    ])
      assert.ok(lines.includes(line), `${line}, asked ${asked + 1} times`);
  }
});

test("each message centre is told apart: its binds, what it refused by code, what went by another, since when it is unbound", async () => {
  const { centre, centres, linesOf } = observed(async () => BACKLOG);
  const bind = (role: string, number: number, name: "bound" | "connecting") => ({
    role,
    number,
    state: (name === "bound" ? { name, smscSystemId: "S" } : { name }) as EsmeState,
    stats: STATS,
  });
  centres.push(
    centre("north", {
      binds: [bind("transmitter", 1, "bound"), bind("receiver", 2, "connecting")],
      downSinceMs: NOW_MS - 45_000,
      options: { window: 10, route: { drain: true } },
      refusals: new Map([["ESME_RINVDSTADR", 3]]),
      failedOver: 2,
    }),
  );
  const lines = await linesOf();
  for (const line of [
    'turnup_smsc_unbound_seconds{centre="smsc"} 0',
    'turnup_smsc_unbound_seconds{centre="north"} 45',
    'turnup_smsc_draining{centre="north"} 1',
    'turnup_smsc_window_messages{centre="north"} 10',
    'turnup_smsc_bind_state{centre="north",bind="transmitter 1",state="bound"} 1',
    'turnup_smsc_bind_state{centre="north",bind="receiver 2",state="bound"} 0',
    'turnup_smsc_refusals_total{centre="north",code="ESME_RINVDSTADR"} 3',
    'turnup_smsc_failed_over_messages_total{centre="north"} 2',
  ])
    assert.ok(lines.includes(line), line);
  centres.pop();
  assert.ok(
    !(await linesOf()).some((line) => line.includes("north")),
    "one that is configured no more is told no more",
  );
});

test("what waits is told with its age; what is due later has none", async () => {
  const { linesOf } = observed(async () => BACKLOG);
  const lines = await linesOf();
  for (const line of [
    "turnup_outbox_messages 12",
    "turnup_outbox_oldest_seconds 90",
    'turnup_open_orders{state="waiting"} 2',
    "turnup_due_orders 0",
    "turnup_due_orders_oldest_seconds 0",
    'turnup_waiting_calls{kind="fee_request"} 2',
    'turnup_waiting_calls_oldest_seconds{kind="fee_request"} 0',
    'turnup_key_stocks{state="low"} 1',
    'turnup_key_stocks{state="empty"} 0',
  ])
    assert.ok(lines.includes(line), line);
});

test("the database is asked once however many ask, and without it only its own measures are missing", async () => {
  let asked = 0;
  let isAway = false;
  const { world, linesOf } = observed(async () => {
    asked++;
    if (isAway) throw new Error("away");
    return BACKLOG;
  });
  await Promise.all([linesOf(), linesOf(), linesOf()]);
  assert.equal(asked, 1);
  isAway = true;
  world.nowMs += 6_000;
  const lines = await linesOf();
  assert.equal(asked, 2);
  const values = lines.filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(
    values.filter((line) => /outbox|orders|calls|unmatched|unconfirmed/.test(line)),
    [],
  );
  assert.ok(values.includes('turnup_smsc_inflight_messages{centre="smsc"} 5'));
});

test("an order counts once for each end that it came to", async () => {
  const registry = new Registry();
  const count = countEnds(registry);
  const event = (kind: string, state: string | null) => ({ kind, state }) as ChangeSet["events"][number];
  const events = [
    event("order_completed", "completed"),
    event("completed", "completed"),
    event("judged", null),
  ];
  count({ ...emptyChangeSet(), events });
  const text = await registry.metrics();
  assert.match(text, /turnup_ended_orders_total\{state="completed"\} 1\n/);
  assert.match(text, /turnup_ended_orders_total\{state="failed"\} 0\n/);
});

test("a stranger's handshake at the proxies' door is counted and no fault of ours; who is refused behind it is one", async () => {
  const registry = new Registry();
  const faults: string[] = [];
  const lines: StrangerNews[] = [];
  let nowMs = 0;
  const strangers = createStrangers({ registry, nowMs: () => nowMs, tell: (news) => lines.push(news) });
  const onRefused = strangersApart(strangers.at("land"), (name, { message }) =>
    faults.push(`${name}: ${message}`),
  );
  const who = { proxy: null, fingerprint: null, address: "192.0.2.7" };
  const refuse = (handshake: HandshakeCause) =>
    onRefused({ cause: "handshake_refused", handshake, detail: "a code", ...who });
  for (const cause of ["no_certificate", "no_certificate", "expired"] as const) refuse(cause);
  onRefused({ cause: "signature_refused", detail: "an old signature", ...who });
  assert.deepEqual(faults, ["land: signature_refused: an old signature"]);
  const text = await registry.metrics();
  assert.match(text, /turnup_handshakes_refused_total\{door="land",cause="no_certificate"\} 2\n/);
  assert.match(text, /turnup_handshakes_refused_total\{door="land",cause="expired"\} 1\n/);
  assert.match(text, /turnup_handshakes_refused_total\{door="land",cause="wrong_authority"\} 0\n/);
  assert.deepEqual(lines, [
    {
      door: "land",
      cause: "no_certificate",
      detail: "a code",
      peer: "192.0.2.7",
      since: { no_certificate: 1 },
    },
  ]);
  nowMs += 60_000;
  refuse("wrong_authority");
  assert.deepEqual(
    lines[1]?.since,
    { no_certificate: 1, expired: 1, wrong_authority: 1 },
    "a minute later, with all since",
  );
});

test("the handbook tells every measure of ours, and no other", async () => {
  const { registry } = observed(async () => BACKLOG);
  countEnds(registry);
  countCardTries(registry);
  countManagedResults(registry);
  countManagedMessages(registry, { exchange: async () => undefined });
  createStrangers({ registry, nowMs: () => 0 });
  (await openRevocation(NO_LISTS, { now: () => new Date(NOW_MS) })).measure(registry);
  observeMachines(registry, { states: () => [] }, () => 0);
  createMeasures(registry);
  measurePairs(registry, { size: 0 });
  measureMonths(registry);
  measureEvents(registry, async () => 0);
  measureJobs(registry, async () => ({ jobs: {}, approvals: 0, oldestDueSeconds: 0 }));
  countRadius(registry, [], () => 0);
  countS13(registry, []);
  countGsup(registry, []);
  countEir(registry, []);
  countCamara(registry);
  countChecks(registry, () => 0);
  countLocks(registry, () => 0);
  measureSources(registry, { tallies: () => new Map(), specials: () => new Map(), nowMs: () => 0 });
  measureDoubts(registry);
  measureCertificates(
    registry,
    () => [],
    () => new Date(NOW_MS),
  );
  measureUse(registry, { losses: () => new Map() });
  measureProxyLists(registry, { proxies: async () => [], nowMs: () => 0 });
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const ours = names.filter((name) => !/^turnup_(process|nodejs)_/.test(name)).sort();
  const handbook = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
  const rows = handbook.split("\n").filter((line) => line.startsWith("| `turnup_"));
  const told = rows
    .flatMap((row) => [...row.split("|")[1]!.matchAll(/turnup_\w+/g)].map(([name]) => name))
    .sort();
  assert.deepEqual(told, ours);
});
