/** `turnup payment ...`: payment files to manufacturers, and what banks say of them. */
import { closeSync, openSync, writeSync } from "node:fs";
import { BANK_FILE_OCTETS_MAX, readBankFile } from "../../http/v1/bank-files.ts";
import type { Acting } from "../../kernel/account/person.ts";
import { UNSETTLED_OUTCOMES } from "../../kernel/settlement/bank-fact.ts";
import { UNSETTLED_RETURNS } from "../../kernel/settlement/collection-return.ts";
import type { BatchStory, PayableView, TransferView } from "../../kernel/settlement/payment-desk.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { TurnupError } from "../../term/error.ts";
import { formatMoney } from "../../term/money.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { settlementOf } from "../server/settlement.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { jsonable, tableOf, timeOf } from "../terminal/table.ts";
import { returnLines } from "./collection.ts";
import { personOf } from "./token.ts";

/** Who may read a file with account numbers: its owner. */
const FILE_MODE = 0o600;
const WAITING_MAX = 1_000;
const BATCHES_SHOWN = 20;

const idOf = (text: string | undefined): string => {
  if (text !== undefined && isUuid(text)) return text;
  throw new UsageError("An id is a UUID, as `turnup payment list` prints it.");
};

export const paymentDueCommand: Command = {
  name: "payment due",
  summary: "Show what a payment file would pay now, and what it would leave out",
  options: OPERATOR_OPTIONS,
  examples: ["turnup payment due", "turnup payment due --json"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const rows = await settlementOf(opened).payments.payables(opened.operator.id);
      if (context.json) for (const row of rows) await context.printJson(jsonable(row));
      else if (rows.length === 0) context.note("no portion waits for a payment file");
      else for (const line of payableLines(rows)) await context.print(line);
      return "ok";
    }),
};

const WHY = {
  no_account: "no account: turnup creditor set",
  set_off: "as much is claimed back",
  disputed: "disputed",
} as const;

const payableLines = (rows: readonly PayableView[]): Iterable<string> =>
  tableOf(
    ["MAKE", "AMOUNT", "KEYS", "LEFT OUT"],
    rows.map(({ make, lines, why, ...sum }) => [make, formatMoney(sum), String(lines), why ? WHY[why] : ""]),
    { right: [1, 2] },
  );

export const paymentMakeCommand: Command = {
  name: "payment make",
  summary: "Make a payment file (pain.001.001.09) of all portions that wait",
  description:
    "It pays nobody: give the file to your bank, then import what the bank says. Without --file it is written by\n" +
    "`turnup payment file ID`, octet for octet, as often as you like.",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--file <file>", about: "where the file is written; must not be there yet" },
    {
      flags: "--on <date>",
      about: "the day on which the bank is to pay, as 2026-02-02 (default: the next weekday)",
    },
    { flags: "--make <make>", about: "only this manufacturer" },
    { flags: "--currency <code>", about: "only this currency" },
    { flags: "--person <name>", about: "who you are: needed where the policy wants a second person" },
  ],
  examples: ["turnup payment make --file pay.xml", "turnup payment make --make Sony --on 2026-02-02"],
  async run(context) {
    const executionDate = context.option("on");
    if (executionDate !== undefined && !/^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(executionDate))
      throw new UsageError("--on is a day, as 2026-02-02.");
    const [make, currency, file] = [
      context.option("make"),
      context.option("currency"),
      context.option("file"),
    ];
    return await withOperator(context, async (opened) => {
      const { payments } = settlementOf(opened);
      const asked = {
        id: opened.newId(),
        executionDate,
        currency,
        ...(make !== undefined && { makes: [make] }),
      };
      const batch = await payments.make(opened.operator.id, asked, actingHere(context));
      if (context.json) await context.printJson(jsonable(batch));
      else for (const line of batchLines(batch)) await context.print(line);
      if (file !== undefined && batch.release === "awaiting")
        context.note(`${file} is not written: the file waits for a second person`);
      else if (file !== undefined) await writeFile(opened, batch.id, file);
      return "ok";
    });
  },
};

function* batchLines(batch: BatchStory): Generator<string> {
  const { id, transferCount, executionDate, payerMasked, sha256 } = batch;
  yield `payment file ${id}: ${transferCount} transfers from ${payerMasked} on ${executionDate}`;
  yield `SHA-256 ${sha256}`;
  if (batch.release === "awaiting" && batch.releaseUntil !== null)
    yield `waits for a second person until ${timeOf(batch.releaseUntil)}: turnup payment approve ${id}`;
  else if (batch.releasedBy !== null)
    yield `${batch.release === "released" ? "approved" : batch.release} by ${batch.releasedBy}: ${batch.releaseReason}`;
  if (batch.release === "awaiting")
    for (const { make, accountChangedAt } of batch.transfers)
      if (accountChangedAt !== null)
        yield `the account of ${make} was changed ${timeOf(accountChangedAt)}, and nobody else has approved a payment to it`;
  yield* transferLines(batch.transfers);
  for (const { make, why, ...sum } of batch.leftOut)
    yield `left out: ${make} ${formatMoney(sum)}, ${WHY[why]}`;
}

const transferLines = (transfers: readonly TransferView[]): Iterable<string> =>
  tableOf(
    ["TRANSFER", "MAKE", "AMOUNT", "BOOKED", "ACCOUNT", "STATE", "UNTIL"],
    transfers.map(
      ({ id, make, currency, amountMinor, bookedMinor, creditorMasked, state, deadlineAt, isOverdue }) => [
        id,
        make,
        formatMoney({ amountMinor, currency }),
        formatMoney({ amountMinor: bookedMinor, currency }),
        creditorMasked,
        state,
        deadlineAt === null ? "-" : `${timeOf(deadlineAt)}${isOverdue ? " OVERDUE" : ""}`,
      ],
    ),
    { right: [2, 3] },
  );

async function writeFile(opened: OperatorStore, id: string, file: string): Promise<void> {
  const octets = await settlementOf(opened).payments.file(opened.operator.id, id, CLI_ACTOR);
  if (!octets) throw batchNotFound();
  let handle: number;
  try {
    handle = openSync(file, "wx", FILE_MODE);
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be written.`, {
      cause,
      nextStep: `Choose a name that is not taken, then: turnup payment file ${id} --file NAME.`,
    });
  }
  try {
    for (let at = 0; at < octets.length; ) at += writeSync(handle, octets, at);
  } finally {
    closeSync(handle);
  }
}

const batchNotFound = (): TurnupError =>
  new TurnupError("payment_batch_not_found", "There is no such payment file.", {
    nextStep: "`turnup payment list` lists them.",
  });

export const paymentFileCommand: Command = {
  name: "payment file",
  summary: "Write a payment file again, octet for octet as it was made",
  description:
    "It holds account numbers: the file is readable by its owner alone. Who fetched it stands in the audit.",
  args: [{ usage: "<id>", about: "of the payment file" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--file <file>", about: "where to; must not be there yet", needed: true },
  ],
  examples: ["turnup payment file 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --file pay.xml"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const [id] = context.args;
      const file = context.option("file") ?? "";
      await writeFile(opened, idOf(id), file);
      if (context.json) await context.printJson({ id, file });
      else await context.print(`written to ${file}`);
      return "ok";
    }),
};

export const paymentListCommand: Command = {
  name: "payment list",
  summary: "List payment files, newest first",
  options: OPERATOR_OPTIONS,
  examples: ["turnup payment list"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const { rows } = await settlementOf(opened).payments.list(opened.operator.id, { limit: BATCHES_SHOWN });
      if (context.json) for (const row of rows) await context.printJson(row);
      else if (rows.length === 0) context.note("no payment file was ever made");
      else {
        const cells = rows.map((row) => [
          row.id,
          timeOf(row.madeAt),
          row.madeBy,
          row.executionDate,
          String(row.transferCount),
          row.release,
        ]);
        for (const line of tableOf(
          ["PAYMENT FILE", "MADE", "BY", "TO BE PAID", "TRANSFERS", "RELEASE"],
          cells,
          {
            right: [4],
          },
        ))
          await context.print(line);
      }
      return "ok";
    }),
};

export const paymentShowCommand: Command = {
  name: "payment show",
  summary: "Show one payment file: each transfer, and what the bank said of it",
  args: [{ usage: "<id>", about: "of the payment file" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup payment show 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const batch = await settlementOf(opened).payments.find(opened.operator.id, idOf(context.args[0]));
      if (!batch) throw batchNotFound();
      if (context.json) await context.printJson(jsonable(batch));
      else {
        for (const line of batchLines(batch)) await context.print(line);
        for (const { id, reason, nextAction } of batch.transfers)
          await context.print(`${id}: ${reason} Next: ${nextAction}`);
      }
      return "ok";
    }),
};

/** The command line vouches for nobody: who is at it says who they are. */
const actingHere = (context: CommandContext): Acting => ({
  label: CLI_ACTOR,
  person: personOf(context.option("person")),
  vouchedBy: [],
});

const decisionCommand = (word: "approve" | "refuse", summary: string): Command => ({
  name: `payment ${word}`,
  summary,
  description:
    "Where the policy has `payments.secondPerson`. Who approves is another person than who made it: --person says who you are, and\n" +
    "the audit keeps it. Whoever is at this command line is believed: it has the database.",

  args: [{ usage: "<id>", about: "of the payment file" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--reason <text>", about: "why; it stands in the audit", needed: true },
    { flags: "--person <name>", about: "who you are: needed to approve" },
  ],
  examples: [
    `turnup payment ${word} 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --reason "looked at each transfer"`,
  ],
  run: (context) =>
    withOperator(context, async (opened) => {
      const decision = {
        outcome: word === "approve" ? "approved" : "refused",
        reason: context.option("reason") ?? "",
      } as const;
      const { payments } = settlementOf(opened);
      const id = idOf(context.args[0]);
      const batch = await payments.release(opened.operator.id, id, decision, actingHere(context));
      if (context.json) await context.printJson(jsonable(batch));
      else await context.print(`payment file ${batch.id} is ${batch.release}`);
      return "ok";
    }),
});
export const paymentApproveCommand = decisionCommand(
  "approve",
  "Approve a payment file as its second person: from then on it can be had",
);
export const paymentRefuseCommand = decisionCommand(
  "refuse",
  "Refuse a payment file: what it would have paid waits for the next one",
);

export const paymentWaitingCommand: Command = {
  name: "payment waiting",
  summary: "List transfers that wait for a bank's word, the longest overdue first",
  options: OPERATOR_OPTIONS,
  examples: ["turnup payment waiting"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const rows = await settlementOf(opened).payments.waiting(opened.operator.id, WAITING_MAX);
      if (context.json) for (const row of rows) await context.printJson(jsonable(row));
      else if (rows.length === 0) context.note("no transfer waits for a bank's word");
      else for (const line of transferLines(rows)) await context.print(line);
      return "ok";
    }),
};

export const paymentCancelCommand: Command = {
  name: "payment cancel",
  summary: "Take back a transfer whose file no bank has: its portions wait for the next one",
  args: [{ usage: "<transfer>", about: "id of the transfer" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--reason <text>", about: "why; it stands in the audit", needed: true },
  ],
  examples: ['turnup payment cancel 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --reason "the file was lost"'],
  run: (context) =>
    withOperator(context, async (opened) => {
      const reason = context.option("reason") ?? "";
      const { payments } = settlementOf(opened);
      const transfer = await payments.cancel(opened.operator.id, idOf(context.args[0]), reason, CLI_ACTOR);
      if (context.json) await context.printJson(jsonable(transfer));
      else await context.print(`${transfer.id} is ${transfer.state}. ${transfer.nextAction}`);
      return "ok";
    }),
};

export const paymentImportCommand: Command = {
  name: "payment import",
  summary: "Book what a bank says: camt.054, camt.053 or pain.002",
  description:
    "A payment is booked by the bank's own word alone, each once: the same file again changes nothing. Exit code 1 where an\n" +
    "entry booked nothing and a person has to look at it.",
  args: [{ usage: "<files...>", about: "files from the bank; - reads standard input" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup payment import pain002.xml camt054.xml"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const { payments } = settlementOf(opened);
      let unsettled = 0;
      for (const file of context.args) {
        const read = readBankFile(await context.content(file, BANK_FILE_OCTETS_MAX));
        const imported = await payments.book(opened.operator.id, read, CLI_ACTOR);
        unsettled += imported.entries.filter(({ outcome }) => UNSETTLED_OUTCOMES.includes(outcome)).length;
        unsettled += imported.returns.filter(({ outcome }) => UNSETTLED_RETURNS.includes(outcome)).length;
        await tell(context, file, imported);
      }
      return unsettled > 0 ? "failed" : "ok";
    }),
};

type Imported = Awaited<ReturnType<ReturnType<typeof settlementOf>["payments"]["book"]>>;

async function tell(
  context: CommandContext,
  file: string,
  { entries, returns, foreign }: Imported,
): Promise<void> {
  if (context.json) {
    for (const entry of [...entries, ...returns]) await context.printJson(jsonable({ file, ...entry }));
    return;
  }
  for (const { endToEndId, outcome, reason, amountMinor, currency } of entries) {
    const sum = amountMinor !== null && currency !== null ? ` ${formatMoney({ amountMinor, currency })}` : "";
    await context.print(`${outcome} ${endToEndId}${sum}: ${reason}`);
  }
  if (returns.length > 0) for (const line of returnLines(returns)) await context.print(line);
  if (foreign > 0) context.note(`${file}: ${foreign} entries are nothing of ours`);
}
