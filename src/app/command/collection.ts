/** `turnup collection ...`: sums that are collected from subscribers by the token that they left. */
import type { CollectionView } from "../../kernel/settlement/collection.ts";
import type { CollectionReturnView } from "../../kernel/settlement/collection-return.ts";
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
    { flags: "--to-see-to", about: "only those that were refused for good, never answered, or returned" },
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
    ["SUM", "MADE", "ITEM", "MONTH", "AMOUNT", "OWED", "FROM", "STATE", "REASON"],
    rows.map(
      ({
        id,
        createdAt,
        catalogId,
        period,
        amountMinor,
        owedMinor,
        currency,
        meansMasked,
        state,
        reason,
      }) => [
        id,
        timeOf(createdAt),
        catalogId,
        String(period),
        formatMoney({ amountMinor, currency }),
        formatMoney({ amountMinor: owedMinor, currency }),
        meansMasked ?? "-",
        state,
        reason,
      ],
    ),
    { right: [3, 4, 5] },
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

export const collectionOwedCommand: Command = {
  name: "collection owed",
  summary: "Show what subscribers owe together: sums that were not taken, and those that came back",
  options: OPERATOR_OPTIONS,
  examples: ["turnup collection owed"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const rows = await settlementOf(opened).collections.owed(opened.operator.id);
      if (context.json) for (const row of rows) await context.printJson(jsonable(row));
      else if (rows.length === 0) context.note("no subscriber owes anything that is collected here");
      else
        for (const line of tableOf(
          ["STATE", "SUMS", "OWED"],
          rows.map(({ state, sums, owedMinor: amountMinor, currency }) => [
            state,
            String(sums),
            formatMoney({ amountMinor, currency }),
          ]),
          { right: [1, 2] },
        ))
          await context.print(line);
      return "ok";
    }),
};

export const collectionReturnsCommand: Command = {
  name: "collection returns",
  summary: "List sums that were taken and came back, newest first, with their reasons",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--unsettled", about: "only those that booked nothing and a person has to look at" },
  ],
  examples: ["turnup collection returns --unsettled"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const filter = { unsettled: context.flag("unsettled") };
      const { rows } = await settlementOf(opened).returns.list(opened.operator.id, filter, {
        limit: SHOWN_MAX,
      });
      if (context.json) for (const row of rows) await context.printJson(jsonable(row));
      else if (rows.length === 0) context.note("nothing came back");
      else for (const line of returnLines(rows)) await context.print(line);
      return "ok";
    }),
};

export const returnLines = (rows: readonly CollectionReturnView[]): Iterable<string> =>
  tableOf(
    ["RETURN", "TOLD", "BY", "AMOUNT", "CODE", "OUTCOME", "SUM", "REASON"],
    rows.map(({ id, toldAt, source, amountMinor, currency, code, outcome, collectionId, named, reason }) => [
      id,
      timeOf(toldAt),
      source,
      amountMinor === null || currency === null ? "-" : formatMoney({ amountMinor, currency }),
      code ?? "-",
      outcome,
      collectionId ?? (named.join(" ") || "-"),
      reason,
    ]),
    { right: [3] },
  );

export const collectionSettleReturnCommand: Command = {
  name: "collection settle-return",
  summary: "Say which sum a return is of, or that you have seen to one that is of none",
  args: [{ usage: "<return>", about: "its id, as `turnup collection returns` prints it" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--sum <id>", about: "the sum that came back; left out where it is none of ours" },
    { flags: "--reason <text>", about: "by what it is known", needed: true },
  ],
  examples: [
    'turnup collection settle-return 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --reason "another system collected it"',
  ],
  run: (context) =>
    withOperator(context, async (opened) => {
      const [id = ""] = context.args;
      const collectionId = context.option("sum");
      if (!isUuid(id) || (collectionId !== undefined && !isUuid(collectionId)))
        throw new UsageError(
          "An id is a UUID, as `turnup collection returns` and `turnup collection list` print it.",
        );
      const said = { collectionId, reason: context.option("reason") ?? "" };
      const settled = await settlementOf(opened).returns.settle(opened.operator.id, id, said, CLI_ACTOR);
      if (context.json) await context.printJson(jsonable(settled));
      else for (const line of returnLines([settled])) await context.print(line);
      return "ok";
    }),
};
