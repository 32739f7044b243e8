/** `turnup order show`: the whole story of one order, as a person wants to read it. */
import { redactSecrets } from "../../http/redact.ts";
import { decodedMessage } from "../../http/v1/orders/decoded-message.ts";
import type { OrderReader, OrderStory, PostingRow } from "../../kernel/order/order-reader.ts";
import { sideWords } from "../../kernel/support/applications.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { createOrderReader } from "../../store/orders/order-reader.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { formatMoney } from "../../term/money.ts";
import { membersOf } from "../../term/narrow.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import type { Command } from "../terminal/command.ts";
import { jsonable, timeOf } from "../terminal/table.ts";
import { phoneOf } from "./orders.ts";

/** A charge has at most four. */
const POSTINGS_MAX = 20;

export const orderShowCommand: Command = {
  name: "order show",
  summary: "Tell the whole story of one order",
  description:
    "Who and what it is about, the verdict with the rules that decided, its items, every step with its time and its\n" +
    "evidence, the messages with the settings inside, what other companies were asked, and the money. Numbers of people\n" +
    "and handsets are masked, secrets read ***.",
  args: [{ usage: "<id>", about: "the order's id, from `turnup order list`" }],
  options: OPERATOR_OPTIONS,
  examples: [
    "turnup order show 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11",
    "turnup order list --json | jq -r .id | head -1",
  ],
  async run(context) {
    const [id = ""] = context.args;
    return await withOperator(context, async ({ store, operator }) => {
      const reader = createOrderReader(store.database, store.sealer);
      const story = isUuid(id.toLowerCase()) && (await reader.findOrder(operator.id, id.toLowerCase()));
      if (!story) {
        throw new TurnupError(
          "order_not_found",
          `${operator.slug} has no order ${maskText(id.slice(0, 40))}.`,
          {
            nextStep: "`turnup order list` lists them.",
          },
        );
      }
      const postings = await postingsOf(reader, operator.id, story);
      if (context.json) await context.printJson(jsonable({ ...readable(story), postings }));
      else for (const line of linesOf(readable(story), postings)) await context.print(line);
      return "ok";
    });
  },
};

async function postingsOf(reader: OrderReader, operatorId: string, story: OrderStory): Promise<PostingRow[]> {
  const postings: PostingRow[] = [];
  for (const { id: chargeId } of story.charges) {
    const { rows } = await reader.listPostings(
      operatorId,
      { chargeId },
      { limit: POSTINGS_MAX, order: "asc" },
    );
    postings.push(...rows);
  }
  return postings;
}

type Readable = ReturnType<typeof readable>;

/** The story with its messages decoded, without octets and secrets; a number in free text is masked. */
function readable(story: OrderStory) {
  return {
    ...story,
    reason: maskText(story.reason),
    verdictReasons: masked(story.verdictReasons),
    items: story.items.map((item) => ({ ...item, reason: maskText(item.reason) })),
    events: story.events.map((event) => ({
      ...event,
      reason: maskText(event.reason),
      detail: masked(redactSecrets(event.detail, false)),
    })),
    messages: story.messages.map(({ payload, ...message }) => {
      const { bodies, problem } = decodedMessage({ ...message, payload }, false);
      return { ...message, reason: maskText(message.reason), decoded: { bodies: masked(bodies), problem } };
    }),
    calls: story.calls.map((call) => ({ ...call, reason: maskText(call.reason) })),
    charges: story.charges.map((charge) => ({ ...charge, reason: maskText(charge.reason) })),
  };
}

/** Ids and signatures are hexadecimal and stay whole. */
const HEX = /^[0-9a-f]{32,}$/;

function masked<T>(value: T): T;
function masked(value: unknown): unknown {
  if (typeof value === "string") return HEX.test(value) ? value : maskText(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member)]));
}

function* linesOf(story: Readable, postings: readonly PostingRow[]): Generator<string> {
  yield* headOf(story);
  yield* reasonsOf(story.verdictReasons);
  yield* section("items", story.items.flatMap(itemLines));
  yield* section("applications", story.applications.flatMap(applicationLines));
  yield* section("what happened", timelineOf(story));
  yield* section("messages", story.messages.flatMap(messageLines));
  yield* section(
    "asked of others",
    story.calls.map(
      ({ kind, state, reason, attempts, updatedAt }) =>
        `  ${timeOf(updatedAt)}  ${words(kind)}: ${state}, ${reason} (${attempts} ${attempts === 1 ? "attempt" : "attempts"})`,
    ),
  );
  yield* section("money", moneyLines(story, postings));
}

function* section(title: string, lines: readonly string[]): Generator<string> {
  if (lines.length === 0) return;
  yield "";
  yield title;
  yield* lines;
}

const words = (name: string): string => name.replaceAll("_", " ");

function* headOf(story: Readable): Generator<string> {
  const { id, state, reason, reasonCode, nextAction, deadlineAt, dueAt, createdAt, endedAt } = story;
  const facts: [string, string | null][] = [
    ["phone", `${phoneOf(story)}, IMEI ${story.imeiMasked}`],
    [
      "SIM",
      `IMSI ${story.imsiMasked}${story.msisdnMasked ? `, number ${story.msisdnMasked}` : ", number not known"}`,
    ],
    ["opened", `${timeOf(createdAt)} for ${words(story.cause)}, ${story.networkKind}`],
    ["market", story.market],
    ["verdict", story.verdict],
    ["judged by", story.policyVersion === null ? null : `policy version ${story.policyVersion}`],
    ["stands", reasonCode ? `${reason} (${reasonCode})` : reason],
    ["next", endedAt ? null : nextAction],
    ["due", dueAt && timeOf(dueAt)],
    ["ends at latest", deadlineAt && timeOf(deadlineAt)],
    ["ended", endedAt && `${timeOf(endedAt)}, after ${secondsBetween(createdAt, endedAt)}`],
  ];
  yield `order ${id}  ${words(state)}`;
  for (const [name, value] of facts) if (value !== null && value !== "") yield `  ${name.padEnd(16)}${value}`;
}

function secondsBetween(from: string, to: string): string {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  return seconds < 600 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

/** `*` marks the rule that decided. The rows were written by this or an earlier release: read with care. */
function* reasonsOf(reasons: unknown): Generator<string> {
  if (!Array.isArray(reasons)) return;
  yield* section(
    "what the verdict goes by",
    reasons
      .map(membersOf)
      .map(
        ({ rule, outcome, saw, decided }) =>
          `  ${decided === true ? "*" : " "} ${words(String(rule)).padEnd(20)}${String(outcome).padEnd(12)}${factsOf(saw)}`,
      ),
  );
}

/** `make Samsung, ends 2016-01-01`; nothing for what is empty. */
function factsOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(factsOf).join(" ");
  return Object.entries(value)
    .filter(([, member]) => member !== null && member !== "")
    .map(([name, member]) => `${name} ${factsOf(member)}`)
    .join(", ");
}

function itemLines({
  kind,
  state,
  cause,
  reason,
  nextAction,
  deadlineAt,
  attempt,
  apns,
}: Readable["items"][number]) {
  const facts = [
    `  ${kind.padEnd(10)}${words(state)}${cause ? ` (${cause})` : ""}: ${reason}`,
    apns.length > 0 ? `${" ".repeat(12)}access points ${apns.join(", ")}` : "",
    deadlineAt ? `${" ".repeat(12)}next ${nextAction}, at latest ${timeOf(deadlineAt)}` : "",
    attempt > 1 ? `${" ".repeat(12)}sent ${attempt} times` : "",
  ];
  return facts.filter((line) => line !== "");
}

function applicationLines({ application, before, after }: Readable["applications"][number]): string[] {
  return [
    `  ${words(application).padEnd(16)}before: ${sideWords(before)}`,
    `${" ".repeat(18)}after:  ${sideWords(after)}`,
  ];
}

/** Each step with the time of day to the millisecond; the day where it begins. */
function timelineOf({ events, items }: Readable): string[] {
  const kindOf = new Map(items.map(({ id, kind }) => [id, kind]));
  let day = "";
  return events.flatMap(({ at, itemId, kind, state, reason, evidence, detail }) => {
    const lines: string[] = [];
    if (!at.startsWith(day) || day === "") {
      day = at.slice(0, 10);
      lines.push(`  ${day}`);
    }
    const what = stepOf(kindOf.get(itemId ?? ""), words(kind), state);
    lines.push(`  ${at.slice(11, 23)}  ${what}: ${reason}`);
    if (evidence) lines.push(`${" ".repeat(16)}seen by ${evidence}`);
    const facts = factsOf(detail);
    if (facts !== "") lines.push(`${" ".repeat(16)}${facts}`);
    return lines;
  });
}

/** `key: key received`, `order provisioning`, `judged -> ended`: nothing is said twice. */
function stepOf(item: string | undefined, kind: string, state: string | null): string {
  const end = state === null || kind.endsWith(words(state)) ? "" : ` -> ${words(state)}`;
  return `${item === undefined || kind.startsWith(item) ? "" : `${item} `}${kind}${end}`;
}

function messageLines(message: Readable["messages"][number]): string[] {
  const { id, kind, protocol, sec, octets, partCount, state, reason, attempts, createdAt, parts, decoded } =
    message;
  const { bearer, channel, channelRule } = message;
  const how = [protocol, sec, `${octets} octets in ${partCount} SMS`].filter(Boolean).join(", ");
  const lines = [
    `  ${words(kind)}  ${how}`,
    `    ${id}, queued ${timeOf(createdAt)}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`,
    `    ${state}: ${reason}`,
    ...(bearer === null ? [] : [`    ${channel} over ${bearer}: ${channelRule}`]),
  ];
  for (const part of parts) {
    const end = part.doneAt ? `${part.state} ${timeOf(part.doneAt)}` : part.state;
    const code = part.errorCode ? `, error ${part.errorCode}` : "";
    lines.push(
      `    SMS ${part.sequence} of ${partCount}: ${part.smsc} took it as ${part.smscMessageId}, ${end}${code}`,
    );
  }
  if (decoded.problem) lines.push(`    cannot be read: ${decoded.problem}`);
  for (const { contentType, text, key, characteristics } of decoded.bodies) {
    if (contentType) lines.push(`    ${contentType}`);
    if (text) lines.push(`      ${text}`);
    if (key) lines.push(...keyLines(key));
    for (const one of characteristics) lines.push(...characteristicLines(one, 6));
  }
  return lines;
}

type Characteristic = {
  readonly type: string;
  readonly parms: readonly { readonly name: string; readonly value: string | null }[];
  readonly characteristics: readonly unknown[];
};

/** A setting a line, what belongs together in one line: `NAPDEF  NAPID=internet NAP-ADDRESS=internet.example`. */
function characteristicLines({ type, parms, characteristics }: Characteristic, indent: number): string[] {
  const settings = parms.map(({ name, value }) => (value === null ? name : `${name}=${value}`)).join(" ");
  return [
    `${" ".repeat(indent)}${type.padEnd(14)}${settings}`.trimEnd(),
    ...characteristics.flatMap((one) => characteristicLines(one as Characteristic, indent + 2)), // the API describes one level of them alone
  ];
}

function keyLines(key: unknown): string[] {
  if (typeof key !== "object" || key === null) return [];
  return Object.entries(key)
    .map(([name, value]) => [name, factsOf(jsonable(value))] as const)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `      ${name.padEnd(14)}${value}`);
}

function moneyLines({ charges }: Readable, postings: readonly PostingRow[]): string[] {
  return charges.flatMap((charge) => {
    const { currency } = charge;
    const money = (amountMinor: bigint): string => formatMoney({ amountMinor, currency });
    const references = [
      charge.bankReference && `bank ${charge.bankReference}`,
      charge.payoutReference && `payout ${charge.payoutReference}`,
    ].filter(Boolean);
    return [
      `  ${money(charge.feeMinor)} for ${charge.make} at level ${charge.level}, key from ${charge.keySource}: ${charge.state}, ${charge.reason}`,
      ...(charge.portionMinor > 0n ? [`    of it ${money(charge.portionMinor)} to the manufacturer`] : []),
      ...(references.length > 0 ? [`    ${references.join(", ")}`] : []),
      ...postings
        .filter(({ chargeId }) => chargeId === charge.id)
        .map(
          ({ bookedAt, debit, credit, amountMinor }) =>
            `    ${timeOf(bookedAt)}  ${credit} -> ${debit}  ${money(amountMinor)}`,
        ),
    ];
  });
}
