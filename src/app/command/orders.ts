/** `turnup order list`: the orders of an operator, newest first, a page at a time. */
import { ORDER_CAUSES, ORDER_STATES, type Verdict } from "../../kernel/order/order.ts";
import type { OrderFilter, OrderRow, PageQuery } from "../../kernel/order/order-reader.ts";
import { isUuid } from "../../store/database/uuid.ts";
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
const VERDICTS = ["ended", "supported", "unknown"] as const satisfies readonly Verdict[];

export const orderListCommand: Command = {
  name: "order list",
  summary: "List orders, newest first",
  description:
    "One line an order: what it is about, where it stands and why. `turnup order show ID` tells the rest. With --json one\n" +
    'object an order and, where there are more, {"nextCursor"} as the last line.',
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
    { flags: "--limit <count>", about: `orders of one page, 1 to ${LIMIT_MAX} (default ${LIMIT_DEFAULT})` },
    { flags: "--cursor <id>", about: "go on after this order: the last one of the page before" },
  ],
  examples: [
    "turnup order list",
    "turnup order list --state waiting --limit 100",
    "turnup order list --make Samsung --verdict ended --json",
  ],
  async run(context) {
    const filter = filterOf(context);
    const page = pageOf(context);
    return await withOperator(context, async ({ store, operator }) => {
      const reader = createOrderReader(store.database, store.sealer);
      const { rows, nextCursor } = await reader.listOrders(operator.id, filter, page);
      if (context.json) {
        for (const row of rows) await context.printJson(row);
        if (nextCursor) await context.printJson({ nextCursor });
        return "ok";
      }
      if (rows.length === 0) context.note("no orders");
      else for (const line of tableOf(HEADS, rows.map(rowOf(context.now())))) await context.print(line);
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
  };
}

function pageOf({ option }: CommandContext): PageQuery {
  const cursor = option("cursor");
  if (cursor !== undefined && !isUuid(cursor)) throw new UsageError("--cursor is the id of an order.");
  return { limit: limitOf(option("limit")), cursor };
}

/** @throws UsageError */
export function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new UsageError(`--limit is a number from 1 to ${LIMIT_MAX}.`);
}
