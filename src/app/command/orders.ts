/** `turnup order list`: the orders of an operator, newest first or by another sort, a page at a time. */
import { ORDER_CAUSES, ORDER_STATES, VERDICTS } from "../../kernel/order/order.ts";
import { ATTEMPTS_FROM_MIN, ORDER_SORTS, type OrderFilter } from "../../kernel/order/order-list.ts";
import type { OrderPage, OrderRow } from "../../kernel/order/order-reader.ts";
import { createOrderReader } from "../../store/orders/order-reader.ts";
import { imeiFromNetwork } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { wordOf } from "../../term/narrow.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { ageOf, tableOf } from "../terminal/table.ts";

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000;
const ORDERS = ["asc", "desc"] as const;
const TOTALS = ["estimate", "exact"] as const;
/** RFC 3339 with a zone. */
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export const orderListCommand: Command = {
  name: "order list",
  summary: "List orders, newest first or by another sort",
  description:
    "One line an order: what it is about, where it stands and why. `turnup order show ID` tells the rest. With --json one\n" +
    'object an order and, where there are more, {"nextCursor"} as the last line; with --total it holds {"total"}. Not every\n' +
    "filter goes with every sort: what does not is refused with those that do.",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--state <state>", about: "only in this state", choices: ORDER_STATES },
    { flags: "--cause <cause>", about: "only opened for this reason", choices: ORDER_CAUSES },
    { flags: "--market <country>", about: "only of this market (ISO 3166): where the device was" },
    { flags: "--verdict <verdict>", about: "only with this verdict on the device", choices: VERDICTS },
    { flags: "--make <make>", about: "only of this make, as the list spells it" },
    { flags: "--model <model>", about: "only of this model" },
    { flags: "--imsi <imsi>", about: "only of this SIM" },
    { flags: "--msisdn <msisdn>", about: "only of this phone number" },
    { flags: "--imei <imei>", about: "only of this handset" },
    { flags: "--created-from <time>", about: "only opened then (RFC 3339) or later" },
    { flags: "--created-to <time>", about: "only opened before" },
    { flags: "--updated-from <time>", about: "only changed last then or later" },
    { flags: "--updated-to <time>", about: "only changed last before" },
    { flags: "--deadline-from <time>", about: "only with a deadline then or later" },
    { flags: "--deadline-to <time>", about: "only with a deadline before" },
    {
      flags: "--attempts-from <count>",
      about: `only with something sent so often, ${ATTEMPTS_FROM_MIN} or more`,
    },
    { flags: "--sort <by>", about: "by what they are listed (default created)", choices: ORDER_SORTS },
    {
      flags: "--order <order>",
      about: "asc or desc (default desc by created, updated, attempts)",
      choices: ORDERS,
    },
    { flags: "--total <kind>", about: "say how many there are: by statistics, or counted", choices: TOTALS },
    { flags: "--limit <count>", about: `orders of one page, 1 to ${LIMIT_MAX} (default ${LIMIT_DEFAULT})` },
    { flags: "--cursor <cursor>", about: "go on where the page before ended, as it said" },
  ],
  examples: [
    "turnup order list",
    "turnup order list --state waiting --limit 100",
    "turnup order list --make Samsung --verdict ended --json",
    "turnup order list --sort deadline --state waiting",
    "turnup order list --sort updated --updated-from 2026-11-29T00:00:00Z --total estimate",
  ],
  async run(context) {
    const filter = filterOf(context);
    const page = pageOf(context);
    return await withOperator(context, async ({ store, operator }) => {
      const reader = createOrderReader(store.database, store.sealer);
      const { rows, nextCursor, total } = await reader.listOrders(operator.id, filter, page);
      if (context.json) {
        for (const row of rows) await context.printJson(row);
        if (nextCursor || total) await context.printJson({ nextCursor: nextCursor ?? undefined, total });
        return "ok";
      }
      if (rows.length === 0) context.note("no orders");
      else for (const line of tableOf(HEADS, rows.map(rowOf(context.now())))) await context.print(line);
      if (total) context.note(`${total.kind === "exact" ? "" : "about "}${total.count} in all`);
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};

const HEADS = ["ORDER", "STATE", "PHONE", "VERDICT", "AGE", "REASON"];

const rowOf =
  (now: Date) =>
  ({ id, state, make, model, verdict, createdAt, reason }: OrderRow): string[] => [
    id,
    state,
    phoneOf({ make, model }),
    verdict ?? "-",
    ageOf(createdAt, now),
    reason,
  ];

export const phoneOf = ({ make, model }: Pick<OrderRow, "make" | "model">): string =>
  make === null ? "not named" : `${make} ${model ?? "(model not named)"}`;

/** The numbers are read as people write them; a wrong one is refused, not looked for. */
function filterOf({ option }: CommandContext): OrderFilter {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = option(name);
    return text === undefined ? undefined : parse(text);
  };
  const moment = (name: string): string | undefined => momentOf(`--${name}`, option(name));
  return {
    state: wordOf(ORDER_STATES, option("state")),
    cause: wordOf(ORDER_CAUSES, option("cause")),
    market: option("market")?.toUpperCase(),
    verdict: wordOf(VERDICTS, option("verdict")),
    make: option("make"),
    model: option("model"),
    imsi: read("imsi", parseImsi),
    msisdn: read("msisdn", parseMsisdn),
    imei: read("imei", imeiFromNetwork),
    createdFrom: moment("created-from"),
    createdTo: moment("created-to"),
    updatedFrom: moment("updated-from"),
    updatedTo: moment("updated-to"),
    deadlineFrom: moment("deadline-from"),
    deadlineTo: moment("deadline-to"),
    attemptsFrom: attemptsOf(option("attempts-from")),
  };
}

const pageOf = ({ option }: CommandContext): OrderPage => ({
  limit: limitOf(option("limit")),
  cursor: option("cursor"),
  sort: wordOf(ORDER_SORTS, option("sort")),
  order: wordOf(ORDERS, option("order")),
  total: wordOf(TOTALS, option("total")),
});

/** @throws UsageError */
function momentOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (MOMENT.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new UsageError(`${option} is a time like 2026-11-29T00:00:00Z.`);
}

/** @throws UsageError */
function attemptsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const attempts = Number(text);
  if (/^\d{1,4}$/.test(text) && attempts >= ATTEMPTS_FROM_MIN) return attempts;
  throw new UsageError(`--attempts-from is a number, ${ATTEMPTS_FROM_MIN} or more.`);
}

/** @throws UsageError */
export function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new UsageError(`--limit is a number from 1 to ${LIMIT_MAX}.`);
}
