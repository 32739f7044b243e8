/** `turnup request ...`: requests that staff enter for subscribers at a terminal, where they stand, and answers to them. */
import { randomUUID } from "node:crypto";
import { withFormerChannel, withFormerExtent } from "../../http/v1/requests/former-names.ts";
import { USER_FIELDS, type UserData } from "../../kernel/account/user-data.ts";
import { CHANNELS, ORDER_STATES } from "../../kernel/order/order.ts";
import type { NewRequest, RequestDesk, RequestStatus } from "../../kernel/order/request.ts";
import type { RecordView, RequestDetail, RequestRow } from "../../kernel/requested/request-reader.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { assured, isOneOf, isTexts, wordOf } from "../../term/narrow.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { auditOf, requestDeskOf, requestReaderOf } from "../server/request-desk.ts";
import { type Command, type CommandContext, type OptionSpec, UsageError } from "../terminal/command.ts";
import { ageOf, tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const CHANNEL = "representative";
const FILE_OCTETS_MAX = 65_536;
const KEY_CHARACTERS_MAX = 200;

const WHO: readonly OptionSpec[] = [
  { flags: "--msisdn <msisdn>", about: "of the subscriber with this phone number" },
  { flags: "--imsi <imsi>", about: "of this SIM" },
  { flags: "--imei <imei>", about: "of this handset; with --imsi, the pair need not have been seen" },
];

export const requestSubmitCommand: Command = {
  name: "request submit",
  summary: "Enter a request for a subscriber: features, services, packages of the catalog",
  description: [
    "The subscriber is told of it by SMS, and asked for a yes to terms that --agreed does not name. User data comes as",
    'JSON ({"givenName": "Ada", ...}) from a file or standard input, so that it stands in no list of processes; cards are',
    "taken over the API alone. The same --key again enters nothing twice. A server does what follows.",
  ].join("\n"),
  args: [{ usage: "<items...>", about: "ids of the catalog" }],
  options: [
    ...OPERATOR_OPTIONS,
    ...WHO,
    { flags: "--remove", about: "remove what the subscriber has instead of adding it" },
    { flags: "--user <file>", about: "user data as JSON; - reads standard input" },
    { flags: "--fields <file>", about: 'what items ask for, as JSON: {"item": {"field": "value"}}' },
    { flags: "--language <tag>", about: "of what the subscriber is told (default en)" },
    { flags: "--agreed <terms>", about: "terms that were read out and agreed to: mail-terms@1,web-terms@3" },
    { flags: "--key <key>", about: "names this request, so that a repeat is known" },
  ],
  examples: [
    "turnup request submit voice-mail --msisdn +491701234567",
    "turnup request submit office-mail --imsi 001010000000099 --user ada.json --agreed mail-terms@1",
    "turnup request submit voice-mail --remove --msisdn +491701234567 --json",
  ],
  async run(context) {
    const who = whoOf(context);
    const user = await userOf(context);
    const request: NewRequest = {
      channel: "representative",
      action: context.flag("remove") ? "remove" : "add",
      selection: context.args,
      who,
      user,
      fields: await fieldsOf(context),
      card: null,
      assurance: "none",
      actor: CLI_ACTOR,
      language: languageOf(context),
      bearer: null,
      noticeKey: null,
      agreed: agreedIn(context.option("agreed")),
      offerId: null,
      idempotencyKey: keyOf(context),
    };
    return await withOperator(context, async (opened) => {
      const desk = await requestDeskOf(context, opened);
      const { orderId, reference, created } = await desk.submit(opened.operator.id, request);
      if (created) await note(opened, "request.submit", orderId, { selection: request.selection });
      if (context.json) await context.printJson({ id: orderId, reference, created });
      else
        await context.print(`request ${reference}${created ? "" : " was entered before"}, order ${orderId}`);
      return "ok";
    });
  },
};

export const requestListCommand: Command = {
  name: "request list",
  summary: "List requests of all channels, newest first",
  description: 'With --json one object a request and, where there are more, {"nextCursor"} as the last line.',
  options: [
    ...OPERATOR_OPTIONS,
    ...WHO,
    { flags: "--state <state>", about: "only in this state", choices: ORDER_STATES },
    { flags: "--channel <channel>", about: "only that came this way", choices: CHANNELS },
    { flags: "--market <country>", about: "only of this market (ISO 3166): where the device was" },
    { flags: "--actor <actor>", about: "only entered by: device, portal, ivr, sms, or the label of a token" },
    { flags: "--limit <count>", about: "requests of one page, 1 to 1000 (default 20)" },
    { flags: "--cursor <id>", about: "go on after this one: the last of the page before" },
  ],
  examples: ["turnup request list --state awaiting_consent", "turnup request list --actor acme --json"],
  async run(context) {
    const filter = {
      state: wordOf(ORDER_STATES, context.option("state")),
      channel: wordOf(CHANNELS, context.option("channel")),
      market: context.option("market")?.toUpperCase(),
      actor: context.option("actor"),
      ...numbersOf(context),
    };
    const cursor = context.option("cursor");
    if (cursor !== undefined && !isUuid(cursor)) throw new UsageError("--cursor is the id of a request.");
    const page = { limit: limitOf(context.option("limit")), cursor };
    return await withOperator(context, async (opened) => {
      const { rows, nextCursor } = await requestReaderOf(opened).list(opened.operator.id, filter, page);
      if (context.json) {
        for (const row of rows) await context.printJson(withFormerChannel(row));
        if (nextCursor) await context.printJson({ nextCursor });
        return "ok";
      }
      if (rows.length === 0) context.note("no requests");
      else for (const line of tableOf(HEADS, rows.map(rowOf(context.now())))) await context.print(line);
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};

const HEADS = ["REQUEST", "STATE", "CHANNEL", "BY", "ITEMS", "AGE", "REASON"];
const rowOf =
  (now: Date) =>
  ({ reference, state, channel, actor, action, selection, createdAt, reason }: RequestRow): string[] => [
    reference,
    state,
    channel,
    actor,
    `${action === "remove" ? "remove " : ""}${selection.join(", ")}`,
    ageOf(createdAt, now),
    reason,
  ];

export const requestShowCommand: Command = {
  name: "request show",
  summary: "Show one request: its items, what was agreed to, how verification went",
  args: [{ usage: "<request>", about: "its reference, or the id of its order" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup request show 7HK2MQ9T", "turnup request show 7HK2MQ9T --json"],
  async run(context) {
    const [name = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const desk = await requestDeskOf(context, opened);
      await show(context, await requestNamed(opened, desk, name));
      return "ok";
    });
  },
};

const ANSWERS = ["accept", "decline", "retransmit", "give_up", "fields", "details"] as const;
/** Of the request itself, and of none of its items. */
const OF_REQUEST: readonly string[] = ["accept", "decline", "details"];

export const requestAnswerCommand: Command = {
  name: "request answer",
  summary:
    "Answer a request for its subscriber: its terms, a failed installation, missing fields and details",
  description: [
    "accept and decline answer its terms, which were read out to the subscriber. retransmit and give_up choose what becomes",
    "of an item that the device could not install; fields gives what a service misses, as JSON from --file. These name",
    "the item by --item. details gives, as JSON from --file, what is asked for again of whoever asks, which `request show`",
    "names: what a person who looked at them was told, and nothing else of them.",
  ].join("\n"),
  args: [
    { usage: "<request>", about: "its reference, or the id of its order" },
    { usage: "<answer>", about: ANSWERS.join(", ") },
  ],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--item <id>", about: "of the item in the request; `request show` names it" },
    { flags: "--file <file>", about: "fields or details as JSON; - reads standard input" },
  ],
  examples: [
    "turnup request answer 7HK2MQ9T accept",
    "turnup request answer 7HK2MQ9T retransmit --item 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11",
  ],
  async run(context) {
    const [name = "", word] = context.args;
    const answer = ANSWERS.find((one) => one === word);
    if (!answer) throw new UsageError(`An answer is one of ${ANSWERS.join(", ")}.`);
    const item = context.option("item");
    const isOfItem = !OF_REQUEST.includes(answer);
    if (isOfItem && (item === undefined || !isUuid(item)))
      throw new UsageError("--item names the item by its id.");
    const given = answer === "fields" || answer === "details" ? await jsonIn(context, "file") : {};
    return await withOperator(context, async (opened) => {
      const desk = await requestDeskOf(context, opened);
      const { id } = (await requestNamed(opened, desk, name)).detail;
      const scope = { operatorId: opened.operator.id, subscriberId: null };
      if (answer === "accept" || answer === "decline") await desk.answerTerms(scope, id, answer, CHANNEL);
      else if (answer === "details") await desk.giveDetails(scope, id, given, CHANNEL);
      else {
        const itemId = assured(item, "these answers are of an item, which was looked for above");
        if (answer === "fields") await desk.supplyFields(scope, id, itemId, given);
        else await desk.chooseRetransmission(scope, { orderId: id, itemId }, answer, CHANNEL);
      }
      const names = Object.keys(given);
      const about = { ...(item && { itemId: item }), ...(names.length > 0 && { fields: names }) };
      await note(opened, "request.answer", id, { answer, ...about });
      await show(context, await requestNamed(opened, desk, id));
      return "ok";
    });
  },
};

export type Shown = { readonly detail: RequestDetail; readonly status: RequestStatus };

/** @throws TurnupError `order_not_found` */
export async function requestNamed(opened: OperatorStore, desk: RequestDesk, name: string): Promise<Shown> {
  const operatorId = opened.operator.id;
  const detail = await requestReaderOf(opened).detail(operatorId, name);
  const status = detail && (await desk.find({ operatorId, subscriberId: null }, detail.id));
  if (detail && status) return { detail, status };
  throw new TurnupError("order_not_found", "There is no such request.", {
    nextStep: "`turnup request list` lists them.",
  });
}

export async function show(context: CommandContext, { detail, status }: Shown): Promise<void> {
  if (context.json) {
    const { items, terms, askAgain } = status;
    await context.printJson({
      ...withFormerChannel(detail),
      verification: withFormerExtent(detail.verification),
      items,
      terms,
      askAgain,
    });
    return;
  }
  for (const line of linesOf(detail, status)) await context.print(line);
}

/** Fields and results, never a value. */
const recordWords = ({ match, score, fields }: RecordView): string =>
  [
    `${match}${score === null ? "" : `, score ${score}`}`,
    ...fields.map(({ field, result }) => `${field} ${result}`),
  ].join(", ");

function* linesOf(detail: RequestDetail, { items, terms, askAgain }: RequestStatus): Generator<string> {
  const { verification, consents } = detail;
  const facts: [string, string | null][] = [
    ["asked for", `${detail.action} ${detail.selection.join(", ")}`],
    ["by", `${detail.actor}, by the channel ${detail.channel}, identity ${detail.assurance}`],
    [
      "for",
      `IMSI ${detail.imsiMasked}, number ${detail.msisdnMasked ?? "not known"}, IMEI ${detail.imeiMasked}`,
    ],
    ["card", detail.card],
    ["entered", timeOf(detail.createdAt)],
    ["stands", detail.reason],
    ["next", detail.nextAction],
    ["at latest", detail.deadlineAt && timeOf(detail.deadlineAt)],
    ["verification", verification && [verification.verdict, ...verification.reasons].join(", ")],
    ["own record", verification?.record ? recordWords(verification.record) : null],
    ["asked again", askAgain.join(", ")],
  ];
  yield `request ${detail.reference}  ${detail.state}  (order ${detail.id})`;
  for (const [name, value] of facts) if (value) yield `  ${name.padEnd(14)}${value}`;
  for (const { id, name, kind, state, reason, missing } of items) {
    yield `  ${kind} ${name}: ${state}, ${reason}`;
    yield `    item ${id}${missing.length > 0 ? `, misses ${missing.map((one) => one.name).join(", ")}` : ""}`;
  }
  for (const { termsId, version, answer, answeredBy, sentBy, notSentBy } of consents) {
    const sent = `sent by ${sentBy.join(", ") || "nothing yet"}`;
    yield `  terms ${termsId}@${version}: ${answer === null ? "waits" : `${answer} by ${answeredBy}`}, ${sent}`;
    for (const { channel, reason } of notSentBy) yield `    not sent by ${channel}: ${reason}`;
  }
  for (const { termsId, version, text } of terms) yield `\n[${termsId}@${version}]\n${text.trimEnd()}`;
}

export const note = (
  opened: OperatorStore,
  action: string,
  subject: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> => auditOf(opened).record(opened.operator.id, { actor: CLI_ACTOR, action, subject, detail });

/** The numbers are read as people write them; a wrong one is refused, not looked for. */
function numbersOf({ option }: CommandContext) {
  const [msisdn, imsi, imei] = [option("msisdn"), option("imsi"), option("imei")];
  return {
    ...(msisdn !== undefined && { msisdn: parseMsisdn(msisdn) }),
    ...(imsi !== undefined && { imsi: parseImsi(imsi) }),
    ...(imei !== undefined && { imei: parseImei(imei) }),
  };
}

/** @throws UsageError */
function whoOf(context: CommandContext): NewRequest["who"] {
  const who = numbersOf(context);
  if (Object.keys(who).length === 0) throw new UsageError("--msisdn, --imsi or --imei says for whom.");
  return who;
}

function languageOf({ option }: CommandContext): string {
  const language = option("language") ?? "en";
  if (/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/.test(language)) return language;
  throw new UsageError("--language is a tag such as en or de-AT.");
}

function keyOf({ option }: CommandContext): string {
  const key = option("key");
  if (key === undefined) return randomUUID();
  if (key.length > KEY_CHARACTERS_MAX)
    throw new UsageError(`--key has at most ${KEY_CHARACTERS_MAX} characters.`);
  return `cli:${key}`;
}

function agreedIn(text: string | undefined): NewRequest["agreed"] {
  if (text === undefined) return [];
  return text.split(",").map((one) => {
    const [, termsId = "", version = ""] = /^\s*([a-z0-9][a-z0-9-]{0,62})@(\d{1,9})\s*$/.exec(one) ?? [];
    if (termsId === "") throw new UsageError("--agreed names terms with their version: mail-terms@1.");
    return { termsId, version: Number(version), channel: CHANNEL };
  });
}

async function userOf(context: CommandContext): Promise<UserData> {
  const given = await jsonIn(context, "user");
  const foreign = Object.keys(given).find((name) => !isOneOf(USER_FIELDS, name));
  if (foreign !== undefined) throw new UsageError(`User data has no field but ${USER_FIELDS.join(", ")}.`);
  return given;
}

/** By item, then by the field's own name. */
async function fieldsOf(context: CommandContext): Promise<NewRequest["fields"]> {
  const value = await valueIn(context, "fields");
  if (!isFields(value)) throw new UsageError('--fields holds no JSON as {"item": {"field": "text"}}.');
  return value;
}

/** What a file of an option holds as JSON; an empty object without the option. */
async function valueIn(context: CommandContext, option: string): Promise<unknown> {
  const file = context.option(option);
  if (file === undefined) return {};
  try {
    return JSON.parse((await context.content(file, FILE_OCTETS_MAX)).toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`--${option} is no JSON.`);
    throw error;
  }
}

const isFields = (value: unknown): value is NewRequest["fields"] =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isTexts);

/** An object of texts. Nothing of it is repeated where it is none. */
async function jsonIn(context: CommandContext, option: string): Promise<Readonly<Record<string, string>>> {
  const value = await valueIn(context, option);
  if (!isTexts(value)) throw new UsageError(`--${option} is an object of texts.`);
  return value;
}
