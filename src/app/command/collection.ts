/** `turnup collection ...`: sums that are collected from subscribers by the token that they left. */
import type { CollectionView } from "../../kernel/settlement/collection.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { formatMoney } from "../../term/money.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { settlementOf } from "../server/settlement.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { jsonable, tableOf, timeOf } from "../terminal/table.ts";

const SHOWN_MAX = 100;

export const collectionListCommand: Command = {
  name: "collection list",
  summary: "List sums that are collected from subscribers, newest first",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--to-see-to", about: "only those that were refused for good, or never answered" },
  ],
  examples: ["turnup collection list", "turnup collection list --to-see-to --json"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const filter = { toSeeTo: context.flag("toSeeTo") };
      const page = { limit: SHOWN_MAX };
      const { rows } = await settlementOf(opened).collections.list(opened.operator.id, filter, page);
      if (context.json) for (const row of rows) await context.printJson(jsonable(row));
      else if (rows.length === 0) context.note("no sum is, or was, to be collected");
      else for (const line of linesOf(rows)) await context.print(line);
      return "ok";
    }),
};

const linesOf = (rows: readonly CollectionView[]): Iterable<string> =>
  tableOf(
    ["SUM", "MADE", "ITEM", "MONTH", "AMOUNT", "FROM", "STATE", "REASON"],
    rows.map(({ id, createdAt, catalogId, period, amountMinor, currency, meansMasked, state, reason }) => [
      id,
      timeOf(createdAt),
      catalogId,
      String(period),
      formatMoney({ amountMinor, currency }),
      meansMasked ?? "-",
      state,
      reason,
    ]),
    { right: [3, 4] },
  );

export const collectionBookCommand: Command = {
  name: "collection book",
  summary: "Book what the payment provider says of a sum that it never answered",
  description:
    "Or that one which was refused was paid otherwise. It stands in the order's history and in the audit.",
  args: [
    { usage: "<id>", about: "of the sum" },
    { usage: "<outcome>", about: "taken or not_taken" },
  ],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--reason <text>", about: "by what it is known", needed: true },
    { flags: "--reference <text>", about: "the payment provider's own number of it" },
  ],
  examples: [
    'turnup collection book 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 taken --reference ch_77 --reason "asked by telephone"',
  ],
  run: (context) =>
    withOperator(context, async (opened) => {
      const [id = "", outcome = ""] = context.args;
      if (!isUuid(id)) throw new UsageError("An id is a UUID, as `turnup collection list` prints it.");
      if (outcome !== "taken" && outcome !== "not_taken")
        throw new UsageError("What became of it is taken or not_taken.");
      const said = {
        outcome,
        reason: context.option("reason") ?? "",
        reference: context.option("reference"),
      } as const;
      const { collections } = settlementOf(opened);
      const booked = await collections.book(opened.operator.id, id, said, CLI_ACTOR);
      if (context.json) await context.printJson(jsonable(booked));
      else await context.print(`${booked.id} is ${booked.state}: ${booked.reason}`);
      return "ok";
    }),
};
