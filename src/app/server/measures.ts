/**
 * What a server's own work looks like from outside, for /metrics: the session with the message centre, what waits in the
 * database, what orders came to. Read when somebody asks; the database once in `REMEMBERED_MS`, however many ask, and
 * without it the rest is told all the same. Labels are words of ours: no identifier and no operator's name.
 */

import { Counter, Gauge, type Registry } from "prom-client";
import type { LandRefusal } from "../../http/land/server.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { FINAL_ORDER_STATES } from "../../kernel/order/order.ts";
import type { Esme, EsmeState, EsmeStats } from "../../net/smsc/esme-api.ts";
import type { Backlog, Pile } from "../../store/orders/backlog.ts";
import { wordOf } from "../../term/narrow.ts";
import type { MessageState } from "../../wire/smpp/receipt.ts";
import type { OnStranger } from "./strangers.ts";

/** Anybody may ask for measures: the database is asked no oftener than this. */
const REMEMBERED_MS = 5_000;

const SESSION_STATES: readonly EsmeState["name"][] = [
  "idle",
  "connecting",
  "binding",
  "bound",
  "waiting",
  "refused",
  "stopping",
  "stopped",
];

/** What the message centre delivered to this process, counted since its start. */
export type Arrivals = {
  readonly receipts: Map<MessageState, number>;
  /** Marked as receipts, and name no message. */
  unreadableReceipts: number;
  /** Messages from phones: reports of the key client, of the applet, applet reports that were none, and others. */
  reports: number;
  applet: number;
  appletRefused: number;
  others: number;
};
export const noArrivals = (): Arrivals => ({
  receipts: new Map(),
  unreadableReceipts: 0,
  reports: 0,
  applet: 0,
  appletRefused: 0,
  others: 0,
});

/** What is told of a message centre: `MessageCentre` has it. */
export type SeenCentre = {
  readonly label: string;
  readonly session: Pick<Esme, "state">;
  readonly stats: EsmeStats;
  readonly binds: readonly (Pick<Esme, "state" | "stats"> & {
    readonly role: string;
    readonly number: number;
  })[];
  readonly options: { readonly window?: number; readonly route: { readonly drain: boolean } };
  readonly downSinceMs: number | null;
  readonly arrivals: Arrivals;
  readonly refusals: ReadonlyMap<string, number>;
  readonly failedOver: number;
};
type Observed = {
  readonly centres: () => readonly SeenCentre[];
  readonly backlog: () => Promise<Backlog>;
  readonly nowMs: () => number;
};

/** One value, or one for each word of the label. */
type Values = number | readonly (readonly [word: string, value: number])[];
type Measure<Source> = {
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly read: (source: Source) => Values;
};
/** What a measure is read of, one after the other, each with labels of its own. */
type Sources<Source> = readonly {
  readonly labels: Readonly<Record<string, string>>;
  readonly source: Source;
}[];

const stateValues = ({ name }: EsmeState): Values => SESSION_STATES.map((one) => [one, one === name ? 1 : 0]);
const sendersOf = ({ binds }: SeenCentre): number => binds.filter(({ role }) => role !== "receiver").length;

type Told = { readonly centre: SeenCentre; readonly nowMs: number };
const CENTRE_GAUGES: readonly Measure<Told>[] = [
  {
    name: "turnup_smsc_session_state",
    help: "1 for the state in which the session with the message centre is: bound while one bind that sends is.",
    label: "state",
    read: ({ centre: { session } }) => stateValues(session.state),
  },
  {
    name: "turnup_smsc_unbound_seconds",
    help: "How long the message centre has been unbound; 0 while it is bound.",
    read: ({ centre: { downSinceMs }, nowMs }) =>
      downSinceMs === null ? 0 : Math.max(0, (nowMs - downSinceMs) / 1_000),
  },
  {
    name: "turnup_smsc_draining",
    help: "1 where nothing new goes to the message centre.",
    read: ({ centre }) => (centre.options.route.drain ? 1 : 0),
  },
  {
    name: "turnup_smsc_window_messages",
    help: "Most messages that may be sent and not yet answered, of all its binds.",
    read: ({ centre }) => (centre.options.window ?? 0) * sendersOf(centre),
  },
  {
    name: "turnup_smsc_inflight_messages",
    help: "Messages sent and not yet answered.",
    read: ({ centre: { stats } }) => stats.inFlight,
  },
  {
    name: "turnup_smsc_queued_messages",
    help: "Messages that wait in memory for their turn.",
    read: ({ centre: { stats } }) => stats.queued,
  },
  {
    name: "turnup_smsc_rate_messages_per_second",
    help: "Present limit of messages a second, lowered while the centre is congested; +Inf without one.",
    read: ({ centre: { stats } }) => stats.ratePerSecond,
  },
];
const BIND_GAUGES: readonly Measure<SeenCentre["binds"][number]>[] = [
  {
    name: "turnup_smsc_bind_state",
    help: "1 for the state in which a bind is.",
    label: "state",
    read: ({ state }) => stateValues(state),
  },
  {
    name: "turnup_smsc_bind_inflight_messages",
    help: "Messages sent by a bind and not yet answered.",
    read: ({ stats }) => stats.inFlight,
  },
];
const CENTRE_COUNTERS: readonly Measure<SeenCentre>[] = [
  {
    name: "turnup_smsc_submits_total",
    help: "Messages by what the message centre made of them.",
    label: "outcome",
    read: ({ stats }) => [
      ["accepted", stats.accepted],
      ["refused", stats.refused],
      ["deferred", stats.deferred],
      ["unknown", stats.unknown],
    ],
  },
  {
    name: "turnup_smsc_refusals_total",
    help: "Messages that the message centre refused or put off, by its own code.",
    label: "code",
    read: ({ refusals }) => [...refusals],
  },
  {
    name: "turnup_smsc_failed_over_messages_total",
    help: "Messages that went by another message centre, since this one was unbound.",
    read: ({ failedOver }) => failedOver,
  },
  {
    name: "turnup_smsc_congestions_total",
    help: "Answers of a congested message centre.",
    read: ({ stats }) => stats.congested,
  },
  {
    name: "turnup_smsc_binds_total",
    help: "Times that a bind was set up.",
    read: ({ stats }) => stats.binds,
  },
  {
    name: "turnup_smsc_broken_pdus_total",
    help: "PDUs that could not be read.",
    read: ({ stats }) => stats.brokenPdus,
  },
  {
    name: "turnup_smsc_receipts_total",
    help: "Delivery receipts by the state that they report.",
    label: "state",
    read: ({ arrivals }) => [...arrivals.receipts],
  },
  {
    name: "turnup_smsc_unreadable_receipts_total",
    help: "Deliveries marked as receipts that name no message; each is a line in the log.",
    read: ({ arrivals }) => arrivals.unreadableReceipts,
  },
  {
    name: "turnup_smsc_reports_total",
    help: "Messages from phones: reports of the key client, of the applet, and others.",
    label: "kind",
    read: ({ arrivals }) => [
      ["device", arrivals.reports],
      ["applet", arrivals.applet],
      ["applet_refused", arrivals.appletRefused],
      ["other", arrivals.others],
    ],
  },
];

type Piled = { readonly backlog: Backlog; readonly nowMs: number };
const secondsSince = ({ firstDueAt }: Pile, nowMs: number): number =>
  firstDueAt === null ? 0 : Math.max(0, (nowMs - firstDueAt.getTime()) / 1_000);

const BACKLOG_GAUGES: readonly Measure<Piled>[] = [
  {
    name: "turnup_outbox_messages",
    help: "Messages to be handed to the message centre; counted up to 100,000, as all of these.",
    read: ({ backlog }) => backlog.outbox.count,
  },
  {
    name: "turnup_outbox_oldest_seconds",
    help: "How long the first of them has been due.",
    read: ({ backlog, nowMs }) => secondsSince(backlog.outbox, nowMs),
  },
  {
    name: "turnup_unconfirmed_messages",
    help: "Messages handed over, or being so, whose last word is not known.",
    read: ({ backlog }) => backlog.inFlight,
  },
  {
    name: "turnup_open_orders",
    help: "Orders that are not at their end, by state.",
    label: "state",
    read: ({ backlog }) => Object.entries(backlog.openOrders),
  },
  {
    name: "turnup_due_orders",
    help: "Orders whose next action is due.",
    read: ({ backlog }) => backlog.dueOrders.count,
  },
  {
    name: "turnup_due_orders_oldest_seconds",
    help: "How long the first of them has been due.",
    read: ({ backlog, nowMs }) => secondsSince(backlog.dueOrders, nowMs),
  },
  {
    name: "turnup_waiting_calls",
    help: "Calls to key servers and the payment system that wait, by kind.",
    label: "kind",
    read: ({ backlog }) => Object.entries(backlog.calls).map(([kind, { count }]) => [kind, count]),
  },
  {
    name: "turnup_waiting_calls_oldest_seconds",
    help: "How long the first of them has been due, by kind.",
    label: "kind",
    read: ({ backlog, nowMs }) =>
      Object.entries(backlog.calls).map(([kind, calls]) => [kind, secondsSince(calls, nowMs)]),
  },
  {
    name: "turnup_unmatched_receipts",
    help: "Receipts whose message nobody knows.",
    read: ({ backlog }) => backlog.unmatchedReceipts,
  },
  {
    name: "turnup_key_stocks",
    help: "Stocks of makers' keys, one a relation that takes them from stock, by how much is left.",
    label: "state",
    read: ({ backlog }) => Object.entries(backlog.keyStocks),
  },
  {
    name: "turnup_overdue_transfers",
    help: "Transfers of payment files of which no bank has spoken in time.",
    read: ({ backlog }) => backlog.overdueTransfers,
  },
  {
    name: "turnup_open_disputes",
    help: "Lines of statements that a side disputes and nobody decided about.",
    read: ({ backlog }) => backlog.openDisputes,
  },
];

export function observe(registry: Registry, { centres, backlog, nowMs }: Observed): void {
  const every = (): Sources<SeenCentre> =>
    centres().map((centre) => ({ labels: { centre: centre.label }, source: centre }));
  const told = async (): Promise<Sources<Told>> =>
    every().map(({ labels, source }) => ({ labels, source: { centre: source, nowMs: nowMs() } }));
  const binds = async (): Promise<Sources<SeenCentre["binds"][number]>> =>
    every().flatMap(({ labels, source }) =>
      source.binds.map((bind) => ({
        labels: { ...labels, bind: `${bind.role} ${bind.number}` },
        source: bind,
      })),
    );
  for (const measure of CENTRE_GAUGES) readGauge(registry, measure, ["centre"], told);
  for (const measure of BIND_GAUGES) readGauge(registry, measure, ["centre", "bind"], binds);
  for (const measure of CENTRE_COUNTERS) readCounter(registry, measure, ["centre"], every);
  const piled = remembered({ backlog, nowMs });
  const pile = async (): Promise<Sources<Piled>> => {
    const found = await piled();
    return found ? [{ labels: {}, source: found }] : [];
  };
  for (const measure of BACKLOG_GAUGES) readGauge(registry, measure, [], pile);
}

/** What was found a moment ago; undefined while the database is away, of which /readyz tells. */
function remembered({
  backlog,
  nowMs,
}: Pick<Observed, "backlog" | "nowMs">): () => Promise<Piled | undefined> {
  let seen: { readonly atMs: number; readonly piled: Promise<Piled | undefined> } | undefined;
  return () => {
    const now = nowMs();
    if (!seen || now - seen.atMs >= REMEMBERED_MS || now < seen.atMs) {
      const piled = backlog().then(
        (found) => ({ backlog: found, nowMs: now }),
        () => undefined,
      );
      seen = { atMs: now, piled };
    }
    return seen.piled;
  };
}

const labelsOf = ({ label }: { readonly label?: string }): string[] => (label === undefined ? [] : [label]);

function* valuesOf<Source>({ label, read }: Measure<Source>, sources: Sources<Source>) {
  for (const { labels, source } of sources) {
    const values = read(source);
    if (typeof values === "number") yield { labels, value: values };
    else
      for (const [word, value] of values)
        yield { labels: { ...labels, ...(label && { [label]: word }) }, value };
  }
}

/** Nothing is told of what has no source now. */
function readGauge<Source>(
  registry: Registry,
  measure: Measure<Source>,
  labels: readonly string[],
  sources: () => Promise<Sources<Source>>,
): void {
  const { name, help } = measure;
  new Gauge({
    name,
    help,
    labelNames: [...labels, ...labelsOf(measure)],
    registers: [registry],
    async collect() {
      const found = await sources();
      this.reset();
      if (found.length === 0 && labels.length + labelsOf(measure).length === 0) this.remove();
      for (const { labels, value } of valuesOf(measure, found)) this.set(labels, value);
    },
  });
}

function readCounter<Source>(
  registry: Registry,
  measure: Measure<Source>,
  labels: readonly string[],
  sources: () => Sources<Source>,
): void {
  const { name, help } = measure;
  new Counter({
    name,
    help,
    labelNames: [...labels, ...labelsOf(measure)],
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of valuesOf(measure, sources())) this.inc(labels, value);
    },
  });
}

/** Answers what is to see every change set that was written. */
export function countEnds(registry: Registry): (changes: ChangeSet) => void {
  const ends = new Counter({
    name: "turnup_ended_orders_total",
    help: "Orders that this process brought to an end, by state; one that ends better later counts there too.",
    labelNames: ["state"],
    registers: [registry],
  });
  for (const state of FINAL_ORDER_STATES) ends.inc({ state }, 0);
  return ({ events }) => {
    for (const { kind, state } of events) {
      const ended = wordOf(FINAL_ORDER_STATES, state);
      if (ended !== undefined && kind === `order_${ended}`) ends.inc({ state: ended });
    }
  };
}

/**
 * Whoever comes to the proxies' door without a certificate of theirs ends in the handshake: a fact about strangers, to be
 * counted, and no fault of ours. Who got through and is refused behind it is named in the log.
 */
export const strangersApart =
  (onStranger: OnStranger, onFault: (name: string, error: Error) => void) =>
  ({ cause, handshake, detail, address: peer }: LandRefusal): void => {
    if (handshake) onStranger({ cause: handshake, detail, peer });
    else onFault("land", new Error(`${cause}: ${detail}`));
  };

const CARD_OUTCOMES = ["accepted", "refused", "void", "paused"] as const;

export function countCardTries(registry: Registry): (outcome: (typeof CARD_OUTCOMES)[number]) => void {
  const tries = new Counter({
    name: "turnup_card_tries_total",
    help: "Cards that were tried, by what came of it; paused: not given to the payment provider, since too many were.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  for (const outcome of CARD_OUTCOMES) tries.inc({ outcome }, 0);
  return (outcome) => tries.inc({ outcome });
}
