/** `turnup policy ...`: the operator's policy as it is, as it was, and as it is to be; each version with who made it and why. */
import { stringify } from "yaml";
import { InvalidRequest, PolicyTestsFailed } from "../../http/problem.ts";
import { parseYaml } from "../../http/v1/catalog/catalog-yaml.ts";
import { changePolicy, failingTests, patchedPolicy } from "../../http/v1/policy/policy-change.ts";
import { versionNamed } from "../../http/v1/policy/versions.ts";
import type { Versioned } from "../../kernel/account/registry.ts";
import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import { type PolicyChange, policyChanges } from "../../kernel/operator/policy-diff.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { TurnupError } from "../../term/error.ts";
import { knowledgeBeside, termsBeside } from "../server/knowledge-beside.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, type Outcome, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

const FILE_OCTETS_MAX = 1_048_576;
const REASON_CHARACTERS_MAX = 400;
const HISTORY_ROWS_MAX = 1_000;
/** A value in a table; whole with --json. */
const VALUE_CHARACTERS = 60;
const AUTHOR = [
  { flags: "--reason <text>", about: "why, for the history of the policy" },
  { flags: "--person <name>", about: "who you are, where the policy wants a second person" },
];

export const policyShowCommand: Command = {
  name: "policy show",
  summary: "Show the policy in force, or a former version of it, as a YAML file",
  description:
    "What is printed is a file that `turnup policy put` takes. docs/policy.md says what each key does. With a key, that key alone.",
  args: [{ usage: "[key]", about: "one key: ageCutOffYears, request.fraud.place" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--version <number>", about: "a former version; 0 is the shipped one" },
  ],
  examples: [
    "turnup policy show",
    "turnup policy show ageCutOffYears",
    "turnup policy show --version 3 --json",
  ],
  async run(context) {
    const [key] = context.args;
    const version = versionOf(context.option("version"));
    return await withOperator(context, async (opened) => {
      const shown = await versionOr(opened, version);
      if (key !== undefined) {
        const value = valueAt(shown.body, key);
        if (context.json) await context.printJson({ key, value, version: shown.version });
        else await context.print(typeof value === "string" ? value : JSON.stringify(value));
        return "ok";
      }
      if (context.json) await context.printJson(shown);
      else {
        context.note(headOf(shown));
        await context.print(
          stringify(shown.body, { lineWidth: 100, aliasDuplicateObjects: false }).trimEnd(),
        );
      }
      return "ok";
    });
  },
};

export const policySetCommand: Command = {
  name: "policy set",
  summary: "Set one key of the policy: the next version is in force at once",
  description:
    'The value is JSON where it is such (7, true, null, ["Nokia/6*"]), else text. null takes a key back: it is null where it may be, else\n' +
    "as it ships. The policy's own tests are asked first; where one fails, nothing changes, and the exit code is 1.",
  args: [
    { usage: "<key>", about: "members on the way to it, with dots: request.fraud.place" },
    { usage: "<value>", about: "what it is to hold" },
  ],
  options: [...OPERATOR_OPTIONS, ...AUTHOR],
  examples: [
    'turnup policy set ageCutOffYears 7 --reason "as agreed in May"',
    "turnup policy set smsLimits.perDay 50000",
    "turnup policy set listedModels '[\"Nokia/6*\"]'",
  ],
  async run(context) {
    const [key = "", text = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const inForce = await registryOf(opened).policies.current(opened.operator.id);
      const before = valueAt(inForce.body, key, true);
      const body = withValue(inForce.body, key, text);
      const said = `${key} was ${JSON.stringify(before) ?? "not there"}, is ${JSON.stringify(valueAt(body, key, true))}`;
      return await putInForce(context, opened, {
        inForce,
        body,
        reason: reasonOf(context) ?? said.slice(0, REASON_CHARACTERS_MAX),
      });
    });
  },
};

export const policyPutCommand: Command = {
  name: "policy put",
  summary: "Put a policy file in force: what it names changes, all else stays",
  description:
    'YAML of keys, as `turnup policy show` prints it; a part is enough. Its `tests` say what it must say of devices ("this IMEI must be\n' +
    'ended"): while one of them fails, it does not go live; each that fails is told with what the rules said. --dry-run shows what would\n' +
    "change and fail. The exit code is 1 where a test fails.",
  args: [{ usage: "<file>", about: "the file; - reads standard input" }],
  options: [
    ...OPERATOR_OPTIONS,
    ...AUTHOR,
    { flags: "--dry-run", about: "change nothing: tell what would change" },
  ],
  examples: [
    'turnup policy put policy.yaml --reason "new list of models"',
    "turnup policy put policy.yaml --dry-run",
  ],
  async run(context) {
    const [file = "-"] = context.args;
    const patch = await policyFileOf(context, file);
    return await withOperator(context, async (opened) => {
      const inForce = await registryOf(opened).policies.current(opened.operator.id);
      const body = patchedPolicy(inForce.body, patch);
      if (context.flag("dry-run")) return await tell(context, opened, { inForce, body });
      return await putInForce(context, opened, { inForce, body, reason: reasonOf(context) ?? null });
    });
  },
};

export const policyDiffCommand: Command = {
  name: "policy diff",
  summary: "Show what differs between two versions of the policy, or would with a file",
  description:
    "One version: against the one in force. Two: the first against the second. A file: what `turnup policy put` would change.",
  args: [
    { usage: "[one]", about: "a version, or a file; left out: the version before the one in force" },
    { usage: "[other]", about: "a version" },
  ],
  options: OPERATOR_OPTIONS,
  examples: [
    "turnup policy diff",
    "turnup policy diff 3",
    "turnup policy diff 3 5 --json",
    "turnup policy diff policy.yaml",
  ],
  async run(context) {
    const [one, other] = context.args;
    return await withOperator(context, async (opened) => {
      const inForce = await registryOf(opened).policies.current(opened.operator.id);
      if (one !== undefined && !/^\d+$/.test(one)) {
        const body = patchedPolicy(inForce.body, await policyFileOf(context, one));
        return await tell(context, opened, { inForce, body });
      }
      const from = await versionOr(opened, versionOf(one) ?? Math.max(0, inForce.version - 1));
      const to = other === undefined ? inForce : await versionOr(opened, versionOf(other));
      if (!context.json) context.note(`from version ${from.version} to version ${to.version}`);
      await printChanges(context, policyChanges(from.body, to.body));
      return "ok";
    });
  },
};

export const policyHistoryCommand: Command = {
  name: "policy history",
  summary: "List the versions of the policy, newest first: who made each, when, why, and what it changed",
  options: [...OPERATOR_OPTIONS, { flags: "--limit <count>", about: "versions, 1 to 1000 (default 20)" }],
  examples: ["turnup policy history", "turnup policy history --limit 3 --json"],
  async run(context) {
    const limit = Number(context.option("limit") ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY_ROWS_MAX)
      throw new UsageError(`--limit is 1 to ${HISTORY_ROWS_MAX}.`);
    return await withOperator(context, async (opened) => {
      const { policies } = registryOf(opened);
      const found = await policies.versions(opened.operator.id, { limit: limit + 1 });
      const rows = found.slice(0, limit).map(({ body, ...version }, at) => {
        const before = found[at + 1]?.body;
        return { ...version, changed: before && policyChanges(before, body).map(({ key }) => key) };
      });
      if (context.json) for (const row of rows) await context.printJson(row);
      else if (rows.length === 0) context.note("the shipped policy is in force: no version was ever made");
      else for (const line of tableOf(HISTORY_HEADS, rows.map(historyRow))) await context.print(line);
      return "ok";
    });
  },
};
const HISTORY_HEADS = ["VERSION", "MADE", "BY", "CHANGED", "WHY"];
type HistoryRow = Omit<Versioned<OrderPolicy>, "body"> & { readonly changed: readonly string[] | undefined };
const historyRow = ({ version, madeAt, madeBy, reason, changed }: HistoryRow): string[] => [
  String(version),
  madeAt === null ? "" : timeOf(madeAt),
  madeBy ?? "",
  cut((changed ?? ["(first)"]).join(", ")),
  reason ?? "",
];

export const policyRollbackCommand: Command = {
  name: "policy rollback",
  summary: "Put a former version of the policy in force again, as the next version",
  description:
    "No version goes: the history tells that it was rolled back, by whom and why. 0 is the shipped policy.",
  args: [{ usage: "<version>", about: "whose content is to hold again" }],
  options: [...OPERATOR_OPTIONS, ...AUTHOR],
  examples: ['turnup policy rollback 3 --reason "care calls doubled"'],
  async run(context) {
    const wanted = versionOf(context.args[0]) ?? 0;
    return await withOperator(context, async (opened) => {
      const { body } = await versionOr(opened, wanted);
      const inForce = await registryOf(opened).policies.current(opened.operator.id);
      const reason = reasonOf(context) ?? `rolled back to version ${wanted}`;
      return await putInForce(context, opened, { inForce, body, reason });
    });
  },
};

const registryOf = ({ store: { database, sealer }, newId, clock }: OperatorStore) =>
  createRegistry({ database, sealer, newId, clock });

const depsOf = (opened: OperatorStore) => ({
  policies: registryOf(opened).policies,
  policyTests: {
    failing: async (_operatorId: string, policy: OrderPolicy) =>
      (await knowledgeBeside(opened)).failingTests(await termsBeside(opened), policy, opened.clock()),
  },
});

type Wish = { readonly inForce: Versioned<OrderPolicy>; readonly body: OrderPolicy };

/** By the same rules as the API. A person at the terminal is the operator's administrator. */
async function putInForce(
  context: CommandContext,
  opened: OperatorStore,
  wish: Wish & { readonly reason: string | null },
): Promise<Outcome> {
  const acting = { label: CLI_ACTOR, person: context.option("person") ?? null, vouchedBy: [] };
  const author = { operatorId: opened.operator.id, role: "admin", acting } as const;
  try {
    const changed = await changePolicy(depsOf(opened), author, wish);
    if ("waiting" in changed) {
      const { approvalId, expiresAt } = changed.waiting;
      if (context.json) await context.printJson({ waiting: changed.waiting });
      else
        context.note(
          `approval ${approvalId} waits for a second person until ${timeOf(expiresAt)}; nothing has changed yet`,
        );
      return "ok";
    }
    const put = changed.live;
    const changes = policyChanges(wish.inForce.body, put.body);
    if (context.json) await context.printJson({ version: put.version, reason: put.reason, changes });
    else {
      await printChanges(context, changes);
      context.note(`version ${put.version} is in force`);
    }
    return "ok";
  } catch (error) {
    if (error instanceof InvalidRequest || error instanceof PolicyTestsFailed)
      for (const { at, wanted } of error.errors) context.note(`${at.replace(/^body\/?/, "")}: ${wanted}`);
    throw error;
  }
}

async function tell(
  context: CommandContext,
  opened: OperatorStore,
  { inForce, body }: Wish,
): Promise<Outcome> {
  const failing = await failingTests(depsOf(opened), opened.operator.id, body);
  await printChanges(context, policyChanges(inForce.body, body));
  for (const { name, wanted, said } of failing) {
    if (context.json) await context.printJson({ failing: { name, wanted, said } });
    else context.note(`test "${name}" would fail: wanted ${wanted}, the rules say ${said}`);
  }
  return failing.length === 0 ? "ok" : "failed";
}

async function printChanges(context: CommandContext, changes: readonly PolicyChange[]): Promise<void> {
  if (context.json) for (const change of changes) await context.printJson(change);
  else if (changes.length === 0) context.note("nothing differs");
  else {
    const rows = changes.map(({ key, before, after }) => [key, shownValue(before), shownValue(after)]);
    for (const line of tableOf(["KEY", "BEFORE", "AFTER"], rows)) await context.print(line);
  }
}

const shownValue = (value: unknown): string => cut(value === undefined ? "" : JSON.stringify(value));
const cut = (text: string): string =>
  text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS - 3)}...`;

const headOf = ({ version, madeAt, madeBy, reason }: Versioned<OrderPolicy>): string =>
  version === 0
    ? "version 0: as shipped"
    : `version ${version}, ${timeOf(madeAt ?? "")} by ${madeBy}${reason === null ? "" : `: ${reason}`}`;

async function versionOr(
  opened: OperatorStore,
  version: number | undefined,
): Promise<Versioned<OrderPolicy>> {
  const deps = depsOf(opened);
  return version === undefined
    ? await deps.policies.current(opened.operator.id)
    : await versionNamed(deps, opened.operator.id, version);
}

function versionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError("A version is a number: `turnup policy history` lists them.");
}

function reasonOf(context: CommandContext): string | undefined {
  const reason = context.option("reason")?.trim();
  if (reason !== undefined && (reason === "" || reason.length > REASON_CHARACTERS_MAX))
    throw new UsageError(`--reason has 1 to ${REASON_CHARACTERS_MAX} characters.`);
  return reason;
}

/** @throws UsageError where a policy has no such key, unless it may come to have one */
function valueAt(policy: OrderPolicy, key: string, mayLack = false): unknown {
  let here: unknown = policy;
  for (const step of key.split(".")) {
    const members = typeof here === "object" && here !== null ? Object.entries(here) : [];
    const found = members.find(([name]) => name === step);
    if (!found) {
      if (mayLack) return undefined;
      throw new UsageError(`A policy has no key ${key.slice(0, 80)}: docs/policy.md lists them.`);
    }
    here = found[1];
  }
  return here;
}

/** As JSON where the key takes that, else as text: 2948 is a sender and a number. @throws InvalidRequest neither is taken */
function withValue(policy: OrderPolicy, key: string, text: string): OrderPolicy {
  const patchOf = (value: unknown): unknown =>
    key.split(".").reduceRight<unknown>((inner, step) => Object.fromEntries([[step, inner]]), value);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return patchedPolicy(policy, patchOf(text));
  }
  try {
    return patchedPolicy(policy, patchOf(json));
  } catch (error) {
    if (!(error instanceof InvalidRequest) || typeof json === "object") throw error;
    try {
      return patchedPolicy(policy, patchOf(text));
    } catch {
      throw error; // what is wrong with it as a number says more
    }
  }
}

export async function policyFileOf(context: CommandContext, file: string): Promise<unknown> {
  const octets = await context.content(file, FILE_OCTETS_MAX);
  return parseYaml(
    octets.toString("utf8"),
    (fact, line) =>
      new TurnupError(
        "invalid_request",
        `The policy file ${file} is not taken: ${fact.replace(/\.$/, "")}.`,
        {
          ...(line !== undefined && { details: { line } }),
          nextStep: "`turnup policy show` prints a policy file; docs/policy.md says what each key does.",
        },
      ),
  );
}
