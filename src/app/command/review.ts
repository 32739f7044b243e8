/** `turnup review list`, `turnup review answer`: people of whom nothing is known wait for a person of the operator (R38). */
import { withFormerChannel } from "../../http/v1/requests/former-names.ts";
import type { RequestDesk } from "../../kernel/order/request.ts";
import type { RequestRow } from "../../kernel/requested/request-reader.ts";
import { TurnupError } from "../../term/error.ts";
import { wordOf } from "../../term/narrow.ts";
import { keysOf } from "../../term/record.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { requestDeskOf, requestReaderOf } from "../server/request-desk.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";
import { note, requestNamed, show } from "./request.ts";

export const reviewListCommand: Command = {
  name: "review list",
  summary: "List requests that wait for a person to look at who asks",
  description:
    "Nothing is known of them, and no bureau could be asked. Each says until when it waits; no answer is a no.",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--limit <count>", about: "requests of one page, 1 to 1000 (default 20)" },
  ],
  examples: ["turnup review list", "turnup review list --json"],
  async run(context) {
    const page = { limit: limitOf(context.option("limit")), cursor: undefined };
    return await withOperator(context, async (opened) => {
      const { rows } = await requestReaderOf(opened).list(opened.operator.id, { isForReview: true }, page);
      if (context.json) for (const row of rows) await context.printJson(withFormerChannel(row));
      else if (rows.length === 0) context.note("nobody waits for a person");
      else for (const line of tableOf(REVIEW_HEADS, rows.map(reviewRow))) await context.print(line);
      return "ok";
    });
  },
};

const REVIEW_HEADS = ["REQUEST", "CHANNEL", "BY", "ITEMS", "UNTIL", "REASON"];
const reviewRow = ({ reference, channel, actor, selection, deadlineAt, reason }: RequestRow): string[] => [
  reference,
  channel,
  actor,
  selection.join(", "),
  deadlineAt ? timeOf(deadlineAt) : "",
  reason,
];

const OUTCOMES = { approve: "approved", refuse: "refused" } as const;

export const reviewAnswerCommand: Command = {
  name: "review answer",
  summary: "Look at who asks, or approve or refuse them",
  description: [
    "Without an answer it shows what was told of whoever asks, as far as anything was; that look is audited. The answer and",
    "its reason are audited too: nothing of the person belongs into the reason. A server does what follows.",
  ].join("\n"),
  args: [
    { usage: "<request>", about: "its reference, or the id of its order" },
    { usage: "[answer]", about: Object.keys(OUTCOMES).join(", ") },
  ],
  options: [...OPERATOR_OPTIONS, { flags: "--reason <text>", about: "why, with an answer" }],
  examples: [
    "turnup review answer 7HK2MQ9T",
    'turnup review answer 7HK2MQ9T approve --reason "called back, passport seen"',
  ],
  async run(context) {
    const [name = "", given] = context.args;
    const reason = context.option("reason");
    if (given !== undefined && !(given in OUTCOMES)) throw new UsageError("An answer is approve or refuse.");
    if (given !== undefined && !reason) throw new UsageError("--reason says why, for the audit.");
    return await withOperator(context, async (opened) => {
      const desk = await requestDeskOf(context, opened);
      const { detail } = await requestNamed(opened, desk, name);
      const operatorId = opened.operator.id;
      const word = wordOf(keysOf(OUTCOMES), given);
      if (word === undefined) return await lookAt(context, opened, desk, detail.id);
      const outcome = OUTCOMES[word];
      await desk.review(operatorId, detail.id, { outcome, actor: CLI_ACTOR });
      await note(opened, "review.answer", detail.id, { outcome, reason });
      await show(context, await requestNamed(opened, desk, detail.id));
      return "ok";
    });
  },
};

async function lookAt(context: CommandContext, opened: OperatorStore, desk: RequestDesk, orderId: string) {
  const waiting = await desk.underReview(opened.operator.id, orderId);
  if (!waiting) {
    throw new TurnupError("nothing_to_answer", "This request does not wait for a person.", {
      nextStep: "`turnup review list` lists those that do.",
    });
  }
  await note(opened, "review.read", orderId, {});
  if (context.json) await context.printJson({ id: orderId, user: waiting.user });
  else {
    const told = Object.entries(waiting.user);
    if (told.length === 0) await context.print("nothing was told of who asks");
    for (const [field, value] of told) await context.print(`${field.padEnd(14)}${value}`);
  }
  return "ok" as const;
}
