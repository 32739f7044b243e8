/** `turnup start`: the main job on one machine, with a live view of every phone from its sighting to its payment. */

import { formatMoney } from "../../term/money.ts";
import { readConfig } from "../config/config.ts";
import { type AllInOne, startAllInOne } from "../demo/all-in-one.ts";
import { buildConsoleBeside } from "../demo/console-build.ts";
import { SIGN_IN_LINK_HOURS, signInLink } from "../demo/demo-operator.ts";
import { lineOf, type RunTotals, RunView } from "../demo/run-view.ts";
import type { Tried } from "../demo/world-fleet.ts";
import { untilAborted, untilStopped } from "../server/lost.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { barOf, liveBlock } from "../terminal/terminal.ts";

const DEFAULT_PHONES = 24;
const DEFAULT_NEW_PHONES = 3;
const MAX_NEW_PHONES = 999;
const MAX_PHONES = 100_000;
const DEFAULT_PER_SECOND = 2_000;
/** A run that stands still for this long is over, and says which phones are not done. */
const STILL_MS = 30_000;
const WATCH_MS = 100;
const SETTLE_MS = 20_000;

export const startCommand: Command = {
  name: "start",
  summary: "Run Turnup on this machine, with a simulated world around it, and show every phone",
  description: [
    "Starts the embedded database (or uses DATABASE_URL), loads the shipped device and access point data, starts the",
    "server and, in a process beside it, a simulated message centre, handsets, core network, manufacturer and bank that",
    "speak the real protocols. The old phones attach; each is detected, judged, keyed, provisioned, proved and paid for.",
    "Their users send a multimedia message before and after; those of the first 100 try group messages and video calls too.",
    "The new phones ask by themselves, through a proxy, for features and packages; service servers, network elements and",
    "a billing centre stand around.",
    "Then the server stays, with its URL and a token for the API. With --once it ends: exit code 0 when every phone was",
    "turned up, 1 when one was not.",
  ].join("\n"),
  options: [
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
    { flags: "--phones <count>", about: `how many phones attach (default ${DEFAULT_PHONES})` },
    {
      flags: "--new-phones <count>",
      about: `how many phones ask by themselves (default ${DEFAULT_NEW_PHONES})`,
    },
    { flags: "--per-second <count>", about: `how many of them a second (default ${DEFAULT_PER_SECOND})` },
    { flags: "--seed <number>", about: "the same number gives the same phones (default: the clock)" },
    {
      flags: "--radius",
      about:
        "the packet gateway tells of sessions by RADIUS accounting, as handsets on the network: new phones are seen there too",
    },
    { flags: "--once", about: "end when the fleet is done" },
    { flags: "--log <file>", about: "write the server's log lines there as JSON" },
  ],
  examples: ["turnup start", "turnup start --once --phones 500", "turnup start --once --phones 2000 --json"],
  stays: true,
  run: startAndShow,
};

async function startAndShow(context: CommandContext): Promise<"ok" | "failed"> {
  const phones = numberOf(context, "phones", DEFAULT_PHONES, MAX_PHONES);
  const newPhones = numberOf(context, "new-phones", DEFAULT_NEW_PHONES, MAX_NEW_PHONES, 0);
  const perSecond = numberOf(context, "per-second", DEFAULT_PER_SECOND, MAX_PHONES);
  const seed = numberOf(context, "seed", Date.now() % 1_000_000, 1_000_000_000);
  const { config } = readConfig({ file: context.option("config"), env: context.env });
  const view = new RunView();
  const count = phones + newPhones;
  const watch = watcher(context, view, count);
  const startedAt = Date.now();
  const stay = untilStopped(context.signal);
  const endBuild = context.flag("once") ? () => undefined : buildConsoleBeside(context.note);
  const all = await startAllInOne({
    isByRadius: context.flag("radius"),
    config,
    onLost: stay.onLost,
    phones,
    newPhones,
    seed,
    log: context.note,
    onChanges: watch.take,
    onProgress: progress(context),
    onFault: watch.fault,
    ...(await logStreamOf(context)),
  }).catch((error: unknown) => {
    endBuild();
    throw error;
  });
  try {
    const readyAt = Date.now();
    context.note(
      `ready after ${seconds(readyAt - startedAt)}; seed ${seed}; ${phones} phones attach, ${newPhones} ask`,
    );
    const attachedAt = Date.now();
    const { isTurnedUp, tried } = await runFleet({ context, all, view, watch }, perSecond, count);
    const tookMs = watch.lastChangeAt() - attachedAt;
    await tellSummary(context, all, view.totals, {
      phones: count,
      seed,
      tookMs,
      readyMs: readyAt - startedAt,
      fleet: phones,
      tried,
    });
    if (context.flag("once") || context.signal.aborted) return isTurnedUp ? "ok" : "failed";
    await serve(context, all);
    await stay.end(async () => undefined);
    return "ok";
  } finally {
    endBuild();
    await all.close();
  }
}

function numberOf(
  { option }: CommandContext,
  name: string,
  fallback: number,
  most: number,
  least = 1,
): number {
  const text = option(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} is an integer from ${least} to ${most}.`);
}

const ALL = 11;

/** The first start loads the shipped data: a bar on a terminal, a line a tenth elsewhere. */
function progress(context: CommandContext): (done: number, total: number, name: string) => void {
  let told = -1;
  const isLive = context.isTerminal && !context.json;
  return (done, total, name) => {
    if (told === ALL) return;
    const tenth = Math.floor((done / Math.max(1, total)) * 10);
    if (isLive)
      process.stderr.write(
        `\r\u001b[2K${barOf("loading data", done, total, name)}${done === total ? "\n" : ""}`,
      );
    else if (tenth > told) context.note(barOf("loading data", done, total, name));
    told = done === total ? ALL : tenth;
  };
}

async function logStreamOf({ option }: CommandContext) {
  const file = option("log");
  if (file === undefined) return {};
  const { openLogStream } = await import("../server/log-stream.ts");
  return { logStream: openLogStream({ dest: file, mkdir: true, mode: 0o600 }) };
}

type Watcher = {
  take(changes: Parameters<RunView["take"]>[0]): void;
  fault(name: string, error: unknown): void;
  lastChangeAt(): number;
  end(): void;
};

/** Shows what is written: a table that lives on a terminal, a line a phone elsewhere, nothing with --json. */
function watcher(context: CommandContext, view: RunView, phones: number): Watcher {
  const block = context.isTerminal && !context.json ? liveBlock(process.stdout) : undefined;
  const lines = (): string[] => {
    const { columns = 120, rows = 40 } = process.stdout;
    const done = view.doneCount;
    return [...view.table(columns - 1, rows - 6), `${done} of ${phones} phones done`];
  };
  let lastChangeAt = Date.now();
  const faults = new Map<string, number>();
  return {
    take(changes) {
      lastChangeAt = Date.now();
      const done = view.take(changes);
      if (block) block.draw(lines);
      else if (!context.json) for (const row of done) void context.print(lineOf(row).trimEnd());
    },
    fault(name, error) {
      const text = `${name}: ${error instanceof Error ? error.message : String(error)}`;
      const count = (faults.get(text) ?? 0) + 1;
      faults.set(text, count);
      if (count === 1) context.note(`trouble: ${text}`);
    },
    lastChangeAt: () => lastChangeAt,
    end: () => block?.end(lines),
  };
}

type Run = {
  readonly context: CommandContext;
  readonly all: AllInOne;
  readonly view: RunView;
  readonly watch: Watcher;
};

/** Whether every phone was turned up, and what their users tried; undefined where that is not known. */
async function runFleet(
  { context, all, view, watch }: Run,
  perSecond: number,
  phones: number,
): Promise<{ readonly isTurnedUp: boolean; readonly tried: Tried | undefined }> {
  const beganAt = Date.now(); // a start that took long is no run that stands still
  const asked = all.world.ask().catch((error: unknown) => watch.fault("new phones", error));
  await Promise.race([Promise.all([all.world.attach(perSecond), asked]), untilAborted(context.signal)]);
  for (;;) {
    const isDone = view.doneCount >= phones;
    const isStill = Date.now() - Math.max(beganAt, watch.lastChangeAt()) > STILL_MS;
    if (isDone || isStill || context.signal.aborted) {
      const tried = isDone ? await settled(all) : undefined;
      watch.end();
      return { isTurnedUp: isDone && view.totals.completed >= phones, tried };
    }
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  }
}

/** The last messages are still fetched when the last fee is paid: what is seen of them counts too, if it comes soon. */
async function settled({ world }: AllInOne): Promise<Tried | undefined> {
  let late: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    late = setTimeout(() => resolve(undefined), SETTLE_MS);
  });
  const tried = await Promise.race([world.settle().catch(() => undefined), limit]);
  clearTimeout(late);
  return tried;
}

type Figures = {
  readonly phones: number;
  readonly seed: number;
  readonly tookMs: number;
  readonly readyMs: number;
  /** Phones that the network sees, without those that ask by themselves. */
  readonly fleet: number;
  readonly tried: Tried | undefined;
};

async function tellSummary(
  context: CommandContext,
  all: AllInOne,
  totals: RunTotals,
  figures: Figures,
): Promise<void> {
  const balances = await all.server.deps.orders.balances(all.demo.operator.id);
  const sum = balances.reduce((total, { balanceMinor }) => total + balanceMinor, 0n);
  if (context.json) {
    await context.printJson({
      ...figures,
      ...totals,
      feesMinor: String(totals.feesMinor),
      portionsMinor: String(totals.portionsMinor),
      booksBalance: sum === 0n,
      url: all.server.url,
    });
    return;
  }
  const money = (amountMinor: bigint): string => formatMoney({ amountMinor, currency: "EUR" });
  const rate = figures.tookMs > 0 ? (totals.done / figures.tookMs) * 1_000 : 0;
  for (const line of [
    "",
    `${totals.completed} of ${figures.phones} phones turned up in ${seconds(figures.tookMs)} (${rate.toFixed(0)}/s)`,
    `  verdicts   ${totals.verdicts.ended} left behind, ${totals.verdicts.supported} supported, ${totals.verdicts.unknown} unknown`,
    `  keys       ${totals.keys.maker} from the manufacturer, ${totals.keys.own} of the own store`,
    ...triedLines(figures),
    ...applicationLines(totals),
    `  messages   ${totals.messages} messages in ${totals.parts} SMS`,
    `  money      ${money(totals.feesMinor)} fees, of it ${money(totals.portionsMinor)} to manufacturers; the books ${sum === 0n ? "balance" : `are off by ${sum}`}`,
    ...totals.unfinished
      .slice(0, 10)
      .map(({ phone, state, reason }) => `  not done   ${phone}: ${state}, ${reason}`),
  ]) {
    await context.print(line);
  }
}

/** Of how many phones users tried each application: what the next lines say is of those, and of no others. */
const triedLines = ({ tried, fleet }: Pick<Figures, "tried" | "fleet">): string[] =>
  tried === undefined
    ? []
    : [
        `  tried      ${Object.entries(tried)
          .map(([name, count]) => `${name} on ${count}`)
          .join(", ")} of ${fleet} phones`,
      ];

/** Each application by what was seen of it, before and after. */
function applicationLines({ applications }: RunTotals): string[] {
  return Object.entries(applications).map(([name, seen]) => {
    const { failedBefore, cutOffBefore, works, reached, fails, notSeen } = seen;
    const before = [`${failedBefore} failed`];
    if (cutOffBefore > 0) before.push(`${cutOffBefore} cut off by the model's data`);
    const after = [`${works} work`];
    if (reached > 0) after.push(`${reached} reached their server`);
    if (fails > 0) after.push(`${fails} still fail`);
    if (notSeen > 0) after.push(`${notSeen} not seen since`);
    return `  ${name.padEnd(14)} before: ${before.join(", ")}; after: ${after.join(", ")}`;
  });
}

async function serve(context: CommandContext, { server, demo }: AllInOne): Promise<void> {
  for (const line of [
    "",
    `Turnup serves at ${server.url} until you press Ctrl-C.`,
    `  Console, signed in by this link once, within ${SIGN_IN_LINK_HOURS} h:`,
    `  ${await signInLink(server, demo.adminTokenId)}`,
    `  Portal as a subscriber sees it: ${server.url}/d/start`,
    `  API description: ${server.url}/docs`,
    `  With a token of ${demo.operator.name}'s admin, which ends in 24 h:`,
    "",
    `TOKEN=${demo.adminToken}`,
    `curl -H "Authorization: Bearer $TOKEN" "${server.url}/v1/orders?limit=5"`,
  ]) {
    await context.print(line);
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
