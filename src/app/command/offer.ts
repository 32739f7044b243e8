/** `turnup offer send` and `turnup offer list`: an item of the catalog offered by SMS, and what became of offers. */
import { randomUUID } from "node:crypto";
import type { OfferOutcome } from "../../kernel/catalog/offered.ts";
import { countOffers } from "../../kernel/requested/offers.ts";
import { OFFER_STATES, type OfferView } from "../../kernel/requested/request-reader.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { wordOf } from "../../term/narrow.ts";
import { entriesOf } from "../../term/record.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { auditOf, requestDeskOf, requestReaderOf } from "../server/request-desk.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const OFFERED_AT_ONCE_MAX = 10_000;

export const offerSendCommand: Command = {
  name: "offer send",
  summary: "Offer an item of the catalog to subscribers by SMS",
  description: [
    "Each gets a text with a number to reply with and a link; nothing is provisioned before they say yes. Numbers are given",
    "as arguments, or one a line in a file or on standard input. Nobody is offered what they have, ordered, cannot have or",
    "declined lately, and nobody whose number said STOP. Exit code 1 where nobody was sent anything.",
  ].join("\n"),
  args: [
    { usage: "<item>", about: "id of the catalog" },
    { usage: "[numbers...]", about: "phone numbers in E.164" },
  ],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--to <file>", about: "phone numbers, one a line; - reads standard input" },
    {
      flags: "--text <text>",
      about: "own words, with {code} or {link}, {operator}, {item}; else the policy's",
    },
    { flags: "--key <key>", about: "names this campaign: the same key sends nobody the same twice" },
  ],
  examples: [
    "turnup offer send voice-mail +491701234567",
    "turnup offer send voice-mail --to numbers.txt --key spring --json",
  ],
  async run(context) {
    const [itemId = "", ...numbers] = context.args;
    const text = context.option("text");
    if (text !== undefined && !/\{(?:code|link)\}/.test(text))
      throw new UsageError("--text holds {code} or {link}, else nobody can answer.");
    const file = context.option("to");
    if (file !== undefined)
      for await (const line of context.lines(file)) if (line.trim()) numbers.push(line.trim());
    if (numbers.length === 0 || numbers.length > OFFERED_AT_ONCE_MAX)
      throw new UsageError(`1 to ${OFFERED_AT_ONCE_MAX} phone numbers say who gets the offer.`);
    const to = numbers.map((number) => ({ msisdn: parseMsisdn(number) }));
    const key = context.option("key");
    return await withOperator(context, async (opened) => {
      const desk = await requestDeskOf(context, opened);
      const idempotencyKey = key === undefined ? randomUUID() : `cli:${key}`;
      const offer = { itemId, to, actor: CLI_ACTOR, text, idempotencyKey };
      const results = await desk.sendOffers(opened.operator.id, offer);
      const counts = countOffers(results);
      const { sent = 0, repeated = 0, unknown_subscriber: unknown = 0 } = counts;
      if (sent > 0) {
        const detail = { ...counts, of: to.length };
        const row = { actor: CLI_ACTOR, action: "offer.send", subject: itemId, detail };
        await auditOf(opened).record(opened.operator.id, row);
      }
      if (context.json) for (const result of results) await context.printJson(result);
      else {
        const withheld = entriesOf(REASONS).flatMap(([outcome, words]) => {
          const count = counts[outcome];
          return count ? [`${count} ${words}`] : [];
        });
        await context.print(
          [`${sent} sent`, `${repeated} sent before`, `${unknown} not known here`, ...withheld].join(", "),
        );
        const last = results
          .flatMap(({ sendsAt }) => sendsAt ?? [])
          .sort()
          .at(-1);
        if (last !== undefined && new Date(last) > opened.clock())
          context.note(`quiet hours: the last goes out at ${last}`);
      }
      return sent + repeated > 0 ? "ok" : "failed";
    });
  },
};

/** Why somebody was sent nothing. */
const REASONS = {
  has_already: "have it already",
  ordered_already: "have ordered it already",
  conflict: "have what it cannot stand beside",
  device_lacks: "have a device without what it needs",
  not_available: "cannot have it",
  declined_recently: "declined it lately",
  stopped: "said STOP",
} as const satisfies Partial<Record<OfferOutcome, string>>;

export const offerListCommand: Command = {
  name: "offer list",
  summary: "List offers and what became of them, newest first",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--state <state>", about: "only in this state", choices: OFFER_STATES },
    { flags: "--item <id>", about: "only of this item" },
    { flags: "--limit <count>", about: "offers of one page, 1 to 1000 (default 20)" },
    { flags: "--cursor <id>", about: "go on after this one: the last of the page before" },
  ],
  examples: ["turnup offer list --state taken", "turnup offer list --item voice-mail --json"],
  async run(context) {
    const filter = {
      state: wordOf(OFFER_STATES, context.option("state")),
      itemId: context.option("item"),
    };
    const cursor = context.option("cursor");
    if (cursor !== undefined && !isUuid(cursor)) throw new UsageError("--cursor is the id of an offer.");
    const page = { limit: limitOf(context.option("limit")), cursor };
    return await withOperator(context, async (opened) => {
      const { rows, nextCursor } = await requestReaderOf(opened).offers(opened.operator.id, filter, page);
      if (context.json) {
        for (const row of rows) await context.printJson(row);
        if (nextCursor) await context.printJson({ nextCursor });
        return "ok";
      }
      if (rows.length === 0) context.note("no offers");
      else for (const line of tableOf(HEADS, rows.map(rowOf))) await context.print(line);
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};

const HEADS = ["OFFER", "ITEM", "STATE", "TO", "SENT", "UNTIL", "BY"];
const rowOf = ({ id, itemId, state, msisdnMasked, createdAt, expiresAt, madeBy }: OfferView): string[] => [
  id,
  itemId,
  state,
  msisdnMasked ?? "-",
  timeOf(createdAt),
  timeOf(expiresAt),
  madeBy,
];
