/** `turnup statement` and `turnup dispute ...`: one side's account over a span, and the lines that a side says are wrong. */
import { DISPUTE_STATES, type DisputeState } from "../../kernel/settlement/dispute.ts";
import type { DisputeView, Statement } from "../../kernel/settlement/payment-desk.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { formatMoney } from "../../term/money.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { settlementOf } from "../server/settlement.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { jsonable, tableOf, timeOf } from "../terminal/table.ts";

const PAGE_ROWS = 1_000;
const DISPUTES_SHOWN = 100;

const momentOf = (name: string, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  if (Number.isNaN(Date.parse(text))) throw new UsageError(`--${name} is a time, as 2026-02-01T00:00:00Z.`);
  return new Date(text).toISOString();
};

export const statementCommand: Command = {
  name: "statement",
  summary: "Show a manufacturer's account, or the operator's own, with opening and closing balances",
  description:
    "Above zero is owed to the account's holder, below was paid or taken back. Each line has the key's id as the manufacturer's own\n" +
    "list has it, and of a payment the EndToEndId of the bank's statement. With --json one object a line: {balance}, {line}.",
  args: [{ usage: "[make]", about: "manufacturer; the operator's own fees unless given" }],
  options: [
    ...OPERATOR_OPTIONS,
    {
      flags: "--subscribers",
      about: "what subscribers owe and paid of the sums that are collected from them",
    },
    { flags: "--from <time>", about: "from this moment on (default: the beginning)" },
    { flags: "--to <time>", about: "before this moment (default: now)" },
    { flags: "--currency <code>", about: "only this currency" },
  ],
  examples: [
    "turnup statement Sony",
    "turnup statement Sony --from 2026-02-01T00:00:00Z --to 2026-03-01T00:00:00Z --json",
  ],
  async run(context) {
    const [make] = context.args;
    const ofSubscribers = context.flag("subscribers");
    if (ofSubscribers && make !== undefined)
      throw new UsageError("A manufacturer, or --subscribers: one of them.");
    const whose = make === undefined ? (ofSubscribers ? "subscribers" : "fees") : { make };
    const span = {
      from: momentOf("from", context.option("from")),
      to: momentOf("to", context.option("to")),
      currency: context.option("currency"),
    };
    return await withOperator(context, async (opened) => {
      const { statements } = settlementOf(opened);
      let cursor: string | null | undefined;
      do {
        const page = { limit: PAGE_ROWS, ...(cursor ? { cursor } : {}) };
        const statement = await statements.of(opened.operator.id, whose, span, page);
        if (context.json) {
          if (cursor === undefined)
            for (const balance of statement.balances) await context.printJson(jsonable({ balance }));
          for (const line of statement.rows) await context.printJson(jsonable({ line }));
        } else for (const line of linesOf(statement, cursor === undefined)) await context.print(line);
        cursor = statement.nextCursor;
      } while (cursor !== null);
      return "ok";
    });
  },
};

function* linesOf({ account, balances, rows }: Statement, isFirst: boolean): Generator<string> {
  if (isFirst) {
    if (balances.length === 0) yield `nothing was ever booked on ${account}`;
    for (const { currency, openingMinor, closingMinor, lines } of balances) {
      const money = (amountMinor: bigint): string => formatMoney({ amountMinor, currency });
      yield `${account} ${currency}: opening ${money(openingMinor)}, ${lines} lines, closing ${money(closingMinor)}`;
    }
  }
  if (rows.length === 0) return;
  yield* tableOf(
    ["LINE", "BOOKED", "KIND", "AMOUNT", "KEY", "TRANSFER", "DISPUTE"],
    rows.map(({ id, bookedAt, kind, keyReference, endToEndId, dispute, ...sum }) => [
      id,
      timeOf(bookedAt),
      kind,
      formatMoney(sum),
      keyReference ?? "-",
      endToEndId ?? "-",
      dispute?.state ?? "-",
    ]),
    { right: [3] },
  );
}

const uuidOf = (what: string, text: string | undefined): string => {
  if (text !== undefined && isUuid(text)) return text;
  throw new UsageError(`${what} is a UUID, as \`turnup statement\` and \`turnup dispute list\` print it.`);
};

const disputeLines = (rows: readonly DisputeView[]): Iterable<string> =>
  tableOf(
    ["DISPUTE", "MAKE", "BY", "STATE", "UNTIL", "LINE", "REASON"],
    rows.map(({ id, make, raisedBy, state, deadlineAt, postingId, reason }) => [
      id,
      make,
      raisedBy,
      state,
      deadlineAt === null ? "-" : timeOf(deadlineAt),
      postingId,
      reason,
    ]),
  );

export const disputeListCommand: Command = {
  name: "dispute list",
  summary: "List disputed lines of statements, newest first",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--make <make>", about: "only this manufacturer" },
    { flags: "--state <state>", about: "only these", choices: DISPUTE_STATES },
  ],
  examples: ["turnup dispute list --state open"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const state = DISPUTE_STATES.find((one): one is DisputeState => one === context.option("state"));
      const filter = { make: context.option("make"), state };
      const { rows } = await settlementOf(opened).disputes.list(opened.operator.id, filter, {
        limit: DISPUTES_SHOWN,
      });
      if (context.json) for (const row of rows) await context.printJson(row);
      else if (rows.length === 0) context.note("no line is or was disputed");
      else for (const line of disputeLines(rows)) await context.print(line);
      return "ok";
    }),
};

export const disputeOpenCommand: Command = {
  name: "dispute open",
  summary:
    "Say that a line of a statement is wrong; its portion goes into no payment file until it is decided",
  args: [{ usage: "<line>", about: "id of the line, as `turnup statement` prints it" }],
  options: [...OPERATOR_OPTIONS, { flags: "--reason <text>", about: "what is wrong with it", needed: true }],
  examples: ['turnup dispute open 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --reason "the phone never worked"'],
  run: (context) =>
    withOperator(context, async (opened) => {
      const postingId = uuidOf("A line", context.args[0]);
      const asked = {
        id: opened.newId(),
        postingId,
        side: "operator" as const,
        reason: context.option("reason") ?? "",
      };
      const dispute = await settlementOf(opened).disputes.open(opened.operator.id, asked, CLI_ACTOR);
      if (context.json) await context.printJson(dispute);
      else for (const line of disputeLines([dispute])) await context.print(line);
      return "ok";
    }),
};

export const disputeDecideCommand: Command = {
  name: "dispute decide",
  summary: "Decide a dispute: the line is kept, or reversed by a posting of its own",
  description: "A portion that was paid already is set off against the manufacturer's next transfer.",
  args: [
    { usage: "<dispute>", about: "id of the dispute" },
    { usage: "<outcome>", about: "kept or reversed" },
  ],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--reason <text>", about: "why; both sides read it", needed: true },
  ],
  examples: [
    'turnup dispute decide 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 reversed --reason "it was another make\'s"',
  ],
  async run(context) {
    const [id, outcome] = context.args;
    if (outcome !== "kept" && outcome !== "reversed")
      throw new UsageError("The outcome is kept or reversed.");
    return await withOperator(context, async (opened) => {
      const decision = { outcome, reason: context.option("reason") ?? "" } as const;
      const { disputes } = settlementOf(opened);
      const dispute = await disputes.decide(opened.operator.id, uuidOf("A dispute", id), decision, CLI_ACTOR);
      if (context.json) await context.printJson(dispute);
      else for (const line of disputeLines([dispute])) await context.print(line);
      return "ok";
    });
  },
};
