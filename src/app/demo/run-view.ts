/**
 * What a person sees of a run: every phone from its sighting to its payment, kept from the change sets that the server
 * wrote. A terminal gets a live table; anything else gets one line a phone when it is done.
 */

import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { FINAL_ORDER_STATES, type OrderState, type Verdict } from "../../kernel/order/order.ts";
import type { OrderDraft } from "../../kernel/order/order-draft.ts";
import {
  type ApplicationView,
  applicationsOf,
  tellsOfApplications,
} from "../../kernel/support/applications.ts";
import { formatMoney } from "../../term/money.ts";
import { membersOf } from "../../term/narrow.ts";

type ItemRow = { state: string; source: string };

type PhoneRow = {
  readonly orderId: string;
  readonly number: number;
  make: string;
  model: string;
  verdict: Verdict | null;
  state: OrderState;
  reason: string;
  key: ItemRow | null;
  settings: ItemRow | null;
  /** Of a phone that asked by itself: what for, and how far it came. */
  asked: string | null;
  protocol: string;
  fee: { amountMinor: bigint; portionMinor: bigint; currency: string; state: string } | null;
  told: boolean;
  /** What the order's events say of the phone's applications, oldest first. */
  readonly applicationEvents: ApplicationEvents;
};
type ApplicationEvents = Parameters<typeof applicationsOf>[0][number][];

type ApplicationTotals = {
  readonly failedBefore: number;
  /** Nobody saw them fail: the data of the model says so. */
  readonly cutOffBefore: number;
  readonly works: number;
  readonly reached: number;
  readonly fails: number;
  readonly notSeen: number;
};

export type RunTotals = {
  readonly phones: number;
  readonly done: number;
  readonly completed: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly keys: { readonly maker: number; readonly own: number };
  readonly messages: number;
  readonly parts: number;
  readonly feesMinor: bigint;
  readonly portionsMinor: bigint;
  readonly openCharges: number;
  /** Of each application that anybody saw: on how many phones it failed before, and what was seen of it after. */
  readonly applications: Readonly<Record<string, ApplicationTotals>>;
  readonly unfinished: readonly { readonly phone: string; readonly state: string; readonly reason: string }[];
};

const MAX_TABLE_ROWS = 40;

export class RunView {
  readonly #rows = new Map<string, PhoneRow>();
  readonly #chargeOf = new Map<string, string>();
  #messages = 0;
  #parts = 0;
  #keys = { maker: 0, own: 0, stock: 0 };

  readonly #done = new Set<PhoneRow>();

  /** Takes a change set; answers the phones that became done by it, for `line`. */
  take(changes: ChangeSet): PhoneRow[] {
    const touched = new Set<PhoneRow>();
    const touch = (orderId: string): PhoneRow | undefined => {
      const row = this.#rows.get(orderId);
      if (row) touched.add(row);
      return row;
    };
    this.#messages += changes.messages.length;
    for (const { partCount } of changes.messages) this.#parts += partCount;
    for (const { source } of changes.keys) this.#keys[source]++;
    for (const order of changes.orders) touched.add(this.#takeOrder(order));
    for (const event of changes.events) {
      const { orderId, detail } = event;
      if (tellsOfApplications(event)) touch(orderId)?.applicationEvents.push(toldOf(event));
      const { protocol } = membersOf(detail);
      const row = typeof protocol === "string" && protocol !== "" ? touch(orderId) : undefined;
      if (row) row.protocol = String(protocol);
    }
    for (const charge of changes.charges) {
      this.#chargeOf.set(charge.id, charge.orderId);
      const row = touch(charge.orderId);
      if (row) {
        const { portionMinor, currency } = charge;
        row.fee = { amountMinor: charge.feeMinor, portionMinor, currency, state: "requested" };
      }
    }
    for (const { id, state } of changes.chargeChanges) {
      const row = touch(this.#chargeOf.get(id) ?? "");
      if (row?.fee) row.fee.state = state;
    }
    return [...touched].filter((row) => {
      if (!isDone(row)) {
        this.#done.delete(row);
        return false;
      }
      this.#done.add(row);
      const isNews = !row.told;
      row.told = true;
      return isNews;
    });
  }

  /** Phones whose order has ended and whose fee has found its way. */
  get doneCount(): number {
    return this.#done.size;
  }

  #takeOrder(order: OrderDraft): PhoneRow {
    const row = this.#rows.get(order.id) ?? this.#newRow(order.id);
    row.make = order.make ?? (order.request ? "new" : "unknown");
    row.model = order.model ?? (order.request ? `phone, request ${order.request.reference}` : "model");
    if (order.request) row.asked = askedOf(order);
    row.verdict = order.verdict;
    row.state = order.state;
    row.reason = order.reason;
    for (const item of order.items) {
      if (item.kind !== "settings" && item.kind !== "key") continue;
      const source = item.keySource ?? (item.kind === "key" ? "maker" : "");
      const known = row[item.kind];
      row[item.kind] = { state: item.state, source: known?.source || source };
    }
    return row;
  }

  #newRow(orderId: string): PhoneRow {
    const row: PhoneRow = {
      orderId,
      number: this.#rows.size + 1,
      make: "",
      model: "",
      verdict: null,
      state: "received",
      reason: "",
      key: null,
      settings: null,
      asked: null,
      protocol: "",
      fee: null,
      told: false,
      applicationEvents: [],
    };
    this.#rows.set(orderId, row);
    return row;
  }

  get totals(): RunTotals {
    const rows = [...this.#rows.values()];
    const verdicts = { ended: 0, supported: 0, unknown: 0 };
    for (const { verdict } of rows) if (verdict) verdicts[verdict]++;
    const settled = rows.flatMap(({ fee }) =>
      fee && (fee.state === "paid" || fee.state === "settled") ? [fee] : [],
    );
    return {
      phones: rows.length,
      done: this.#done.size,
      completed: rows.filter(({ state }) => state === "completed").length,
      verdicts,
      keys: { ...this.#keys },
      messages: this.#messages,
      parts: this.#parts,
      feesMinor: settled.reduce((sum, fee) => sum + fee.amountMinor, 0n),
      portionsMinor: settled.reduce(
        (sum, fee) => sum + (fee.state === "settled" ? fee.portionMinor : 0n),
        0n,
      ),
      applications: applicationTotals(rows),
      openCharges: rows.filter(({ fee }) => fee && fee.state !== "settled" && fee.state !== "refused").length,
      unfinished: rows
        .filter(({ state }) => state !== "completed")
        .map(({ make, model, state, reason }) => ({ phone: `${make} ${model}`, state, reason })),
    };
  }

  /** The table as it stands, newest rows last, as many as fit. */
  table(width: number, height: number): string[] {
    const rows = [...this.#rows.values()];
    const shown = rows.slice(-Math.max(5, Math.min(MAX_TABLE_ROWS, height)));
    const columns = width < WIDTH ? NARROW_COLUMNS : COLUMNS;
    return [cells(HEADER, columns), ...shown.map((row) => lineOf(row, columns))].map((line) =>
      line.slice(0, width),
    );
  }
}

const toldOf = ({ at, ...event }: ChangeSet["events"][number]): ApplicationEvents[number] => ({
  ...event,
  at: at.toISOString(),
});

function applicationTotals(rows: readonly PhoneRow[]): Record<string, ApplicationTotals> {
  const totals: Record<string, ApplicationTotals> = {};
  for (const view of rows.flatMap(({ applicationEvents }) => applicationsOf(applicationEvents))) {
    const none = { failedBefore: 0, cutOffBefore: 0, works: 0, reached: 0, fails: 0, notSeen: 0 };
    const known = totals[view.application] ?? none;
    const after = AFTER[view.after.outcome];
    totals[view.application] = {
      ...known,
      failedBefore: known.failedBefore + Number(view.before.outcome === "failed"),
      cutOffBefore: known.cutOffBefore + Number(view.before.outcome === "cut_off"),
      [after]: known[after] + 1,
    };
  }
  return totals;
}
const AFTER = {
  works: "works",
  reached: "reached",
  failed: "fails",
  cut_off: "fails",
  not_seen: "notSeen",
} as const satisfies Record<ApplicationView["after"]["outcome"], keyof ApplicationTotals>;

/** `2 of 3 work`: of the applications that were seen on the phone. That none was seen again is no word that none works. */
function applicationCell(events: ApplicationEvents): string {
  const views = applicationsOf(events);
  if (views.length === 0) return "not seen";
  if (views.every(({ after }) => after.outcome === "not_seen")) return "not seen yet";
  return `${views.filter(({ after }) => after.outcome === "works").length} of ${views.length} work`;
}

/** A phone is done when its order has ended and its fee, if there is one, has found its way. */
const isDone = ({ state, fee }: PhoneRow): boolean =>
  FINAL_ORDER_STATES.includes(state) && (fee === null || fee.state === "settled" || fee.state === "refused");

/** The items by their catalog ids, each with its state; the order's own state before there is any. */
function askedOf({ items, state }: OrderDraft): string {
  const states = new Map<string, string>();
  for (const { subject, state: now } of items) if (subject) states.set(subject.catalogId, now);
  const open = [...states].map(([id, now]) => `${id}: ${now}`);
  return state === "completed" || state === "provisioning" ? open.join(", ") : state.replaceAll("_", " ");
}

const HEADER = ["#", "phone", "verdict", "key", "settings, or asked for", "fee", "applications"];
const COLUMNS = [5, 30, 10, 20, 22, 16, 12];
const WIDTH = COLUMNS.reduce((sum, column) => sum + column + 1, 0);
/** For a terminal of 80 columns. */
const NARROW_COLUMNS = [4, 12, 9, 12, 15, 9, 12];

function cells(texts: readonly string[], columns: readonly number[]): string {
  return texts.map((text, at) => fitted(text, columns[at] ?? 0)).join(" ");
}

function fitted(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

export function lineOf(row: PhoneRow, columns: readonly number[] = COLUMNS): string {
  const key = row.key ? `${row.key.source}: ${row.key.state}` : row.verdict === "ended" ? "none taken" : "-";
  const settings = row.asked ?? (row.settings ? `${row.protocol}: ${row.settings.state}` : row.state);
  const fee = row.fee
    ? `${formatMoney({ amountMinor: row.fee.amountMinor, currency: row.fee.currency })} ${row.fee.state}`
    : "-";
  const phone = `${row.make} ${row.model}`;
  const applications = row.asked === null ? applicationCell(row.applicationEvents) : "-";
  return cells([String(row.number), phone, row.verdict ?? "", key, settings, fee, applications], columns);
}
