/** `turnup sim-lock ...`: locks of SIMs and devices, through the API. */
import { LOCK_SCOPES, LOCK_STATES, type LockAction } from "../../kernel/equipment/sim-lock.ts";
import type { SimLockEventView, SimLockView } from "../../kernel/equipment/sim-locks.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, type OptionSpec, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const PATH = "/v1/sim-locks";
const SIMS_MAX = 1_000;
const SIMS = { usage: "<imsi...>", about: "14 or 15 digits each" } as const;
const REASON: OptionSpec = { flags: "--reason <text>", about: "why; it stands in the audit", needed: true };
const SCOPE: OptionSpec = {
  flags: "--scope <scope>",
  about: "what has to be the same (default imei)",
  choices: LOCK_SCOPES,
};
const GRACE: OptionSpec = {
  flags: "--grace <seconds>",
  about: "for how long a foreign device is let be (default 0)",
};

type Asked = {
  readonly results: readonly {
    readonly imsiMasked: string;
    readonly outcome: string;
    readonly state: string | null;
    readonly reason: string | null;
  }[];
};

const asking =
  (action: LockAction) =>
  async (context: CommandContext): Promise<"ok" | "failed"> => {
    if (context.args.length > SIMS_MAX) throw new UsageError(`At most ${SIMS_MAX} SIMs at once.`);
    const [scope, expected, grace] = [
      context.option("scope"),
      context.option("expected"),
      context.option("grace"),
    ];
    if (grace !== undefined && !/^\d{1,7}$/.test(grace)) throw new UsageError("--grace is whole seconds.");
    const { results } = await apiOf(context).ask<Asked>("POST", PATH, {
      ...{ imsis: context.args, action, reason: context.option("reason") },
      ...(scope !== undefined && { scope }),
      ...(expected !== undefined && { expected }),
      ...(grace !== undefined && { graceSeconds: Number(grace) }),
    });
    for (const one of results)
      if (context.json) await context.printJson(one);
      else
        await context.print(
          `${one.imsiMasked}: ${one.reason === null ? one.state : `not done: ${one.reason}`}`,
        );
    return results.every(({ reason }) => reason === null) ? "ok" : "failed";
  };

export const simLockArmCommand: Command = {
  name: "sim-lock arm",
  summary: "Arm SIMs: the first device that each is seen in becomes its own",
  args: [SIMS],
  options: [SCOPE, GRACE, REASON, ...API_OPTIONS],
  examples: ['turnup sim-lock arm 234150000000001 --reason "meters of the north"'],
  run: asking("arm"),
};

export const simLockLockCommand: Command = {
  name: "sim-lock lock",
  summary: "Lock SIMs to a device, a model or a list of the operator's own",
  args: [SIMS],
  options: [
    SCOPE,
    { flags: "--expected <what>", about: "a handset (14 to 16 digits), a TAC, a list's name", needed: true },
    ...[GRACE, REASON],
    ...API_OPTIONS,
  ],
  examples: [
    'turnup sim-lock lock 234150000000001 --scope tac --expected 35693803 --grace 3600 --reason "meters"',
  ],
  run: asking("lock"),
};

export const simLockKeepCommand: Command = {
  name: "sim-lock keep",
  summary: "Unlock SIMs that were seen in a foreign device; the lock stays with their own",
  args: [SIMS],
  options: [GRACE, REASON, ...API_OPTIONS],
  examples: ['turnup sim-lock keep 234150000000001 --reason "put back into its meter"'],
  run: asking("keep"),
};

export const simLockMoveCommand: Command = {
  name: "sim-lock move",
  summary: "Unlock SIMs that were seen in a foreign device; the lock goes to that one",
  args: [SIMS],
  options: [GRACE, REASON, ...API_OPTIONS],
  examples: ['turnup sim-lock move 234150000000001 --reason "the meter was replaced"'],
  run: asking("move"),
};

export const simLockUnlockCommand: Command = {
  name: "sim-lock unlock",
  summary: "Take the lock from SIMs",
  args: [SIMS],
  options: [REASON, ...API_OPTIONS],
  examples: ['turnup sim-lock unlock 234150000000001 --reason "sold"'],
  run: asking("unlock"),
};

export const simLockListCommand: Command = {
  name: "sim-lock list",
  summary: "List locks of SIMs and devices, newest first, masked",
  options: [
    { flags: "--state <state>", about: "only those", choices: LOCK_STATES },
    { flags: "--limit <count>", about: "rows of one page, 1 to 1000 (default 20)" },
    { flags: "--cursor <id>", about: "go on after this one: the last of the page before" },
    ...API_OPTIONS,
  ],
  examples: ["turnup sim-lock list --state deferred"],
  async run(context) {
    const query = new URLSearchParams({ limit: String(limitOf(context.option("limit"))) });
    for (const name of ["state", "cursor"]) {
      const value = context.option(name);
      if (value !== undefined) query.set(name, value);
    }
    const page = await apiOf(context).ask<{
      readonly rows: readonly SimLockView[];
      readonly nextCursor: string | null;
    }>("GET", `${PATH}?${query}`);
    if (context.json) for (const row of page.rows) await context.printJson(row);
    else if (page.rows.length === 0) context.note("no such lock");
    else for (const line of tableOf(HEADS, page.rows.map(cellsOf))) await context.print(line);
    if (page.nextCursor && !context.json) context.note(`there are more: add --cursor ${page.nextCursor}`);
    return "ok";
  },
};

const HEADS = ["IMSI", "STATE", "SCOPE", "EXPECTED", "RECEIVED", "SINCE", "REFUSED", "CHANGED", "BY"];
const cellsOf = (one: SimLockView): readonly string[] => [
  ...[one.imsiMasked, one.state, one.scope, one.expected ?? "-", one.received ?? "-"],
  one.foreignSince === null ? "-" : timeOf(one.foreignSince),
  ...[one.isRefusing ? "yes" : "no", timeOf(one.changedAt), one.changedBy],
];

export const simLockShowCommand: Command = {
  name: "sim-lock show",
  summary:
    "Show a SIM's lock, with the device that is expected and the one that came, and what happened to it",
  args: [{ usage: "<imsi>", about: "14 or 15 digits" }],
  options: API_OPTIONS,
  examples: ["turnup sim-lock show 234150000000001"],
  async run(context) {
    const path = `${PATH}/${encodeURIComponent(context.args[0] ?? "")}`;
    const shown = await apiOf(context).ask<{
      readonly lock: SimLockView;
      readonly events: readonly SimLockEventView[];
    }>("GET", path);
    if (context.json) {
      await context.printJson(shown);
      return "ok";
    }
    for (const line of tableOf(HEADS, [cellsOf(shown.lock)])) await context.print(line);
    for (const line of tableOf(
      ["AT", "EVENT", "EXPECTED", "RECEIVED", "SEEN BY", "ASKED BY", "REASON", "OUTCOME"],
      shown.events.map((one) => [
        ...[timeOf(one.at), one.kind, one.expected ?? "-", one.received ?? "-"],
        one.source === null ? "-" : `${one.source} ${one.client ?? ""}`.trim(),
        ...[one.actor ?? "-", one.reason ?? "-", one.outcome ?? "-"],
      ]),
    ))
      await context.print(line);
    return "ok";
  },
};
