/** `turnup retention show` and `set`: how long what grows is kept, what goes or would, and what each month takes. */
import {
  LEAST_MONTHS,
  MOST_MONTHS,
  RETAINED_KINDS,
  type RetainedKind,
  type RetentionPolicy,
  type RetentionView,
} from "../../kernel/operator/retention.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { type PartitionSize, partitionSizes } from "../../store/retention/partitions.ts";
import { createRetention } from "../../store/retention/retention.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, type OptionSpec, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

const FOR_EVER = "ever";
const MEBIBYTE = 1_048_576;

const options = (about: string): OptionSpec[] =>
  RETAINED_KINDS.map((kind) => ({
    flags: `--${kind} <months>`,
    about: `${about}: ${LEAST_MONTHS[kind]} to ${MOST_MONTHS} whole months, or ${FOR_EVER}`,
  }));

export const retentionShowCommand: Command = {
  name: "retention show",
  summary: "Show how long what grows is kept, what goes or would go, and what each month takes",
  description:
    "Nothing is changed. With months given it shows what another policy would put away. Tables hold the rows of all operators.\n" +
    "With --json one object a line: {retained} for each kind, {table} for each month of a table.",
  options: [...OPERATOR_OPTIONS, ...options("as if this were kept")],
  examples: ["turnup retention show", "turnup retention show --sightings 13 --events 25"],
  async run(context) {
    const wanted = wantedOf(context);
    return await withOperator(context, async (opened) => {
      const { database } = opened.store;
      const policyOf = async (operatorId: string) =>
        (await registryOf(opened).policies.current(operatorId)).body;
      const views = await createRetention({ database, policyOf, clock: opened.clock }).look(
        opened.operator.id,
        wanted,
      );
      const sizes = await partitionSizes(database);
      if (context.json) {
        for (const retained of views) await context.printJson({ retained });
        for (const table of sizes) await context.printJson({ table });
        return "ok";
      }
      for (const line of [...viewLines(views), "", ...sizeLines(sizes)]) await context.print(line);
      return "ok";
    });
  },
};

export const retentionSetCommand: Command = {
  name: "retention set",
  summary:
    "Say how long what grows is kept: the next version of the policy; what is older goes within minutes",
  description:
    "Kinds that are not named stay as they are. `turnup retention show` with the same options shows beforehand what goes.",
  options: [...OPERATOR_OPTIONS, ...options("keep")],
  examples: ["turnup retention set --sightings 13 --events 25", `turnup retention set --audit ${FOR_EVER}`],
  async run(context) {
    const wanted = wantedOf(context);
    if (Object.keys(wanted).length === 0)
      throw new UsageError(`Name at least one of ${RETAINED_KINDS.map((kind) => `--${kind}`).join(", ")}.`);
    return await withOperator(context, async (opened) => {
      const { policies } = registryOf(opened);
      const { version, body } = await policies.current(opened.operator.id);
      const retention = { ...body.retention, ...wanted };
      const put = await policies.put(opened.operator.id, version, { ...body, retention }, CLI_ACTOR);
      if (!put) throw new UsageError("The policy was changed meanwhile: try again.");
      if (context.json) await context.printJson({ version: put.version, retention });
      else for (const kind of RETAINED_KINDS) await context.print(`${kind}: ${wordsOf(retention[kind])}`);
      return "ok";
    });
  },
};

const registryOf = ({ store: { database, sealer }, newId, clock }: OperatorStore) =>
  createRegistry({ database, sealer, newId, clock });

function wantedOf(context: CommandContext): Partial<RetentionPolicy> {
  const given = RETAINED_KINDS.flatMap((kind) => {
    const text = context.option(kind);
    return text === undefined ? [] : [[kind, monthsOf(kind, text)] as const];
  });
  return Object.fromEntries(given);
}

function monthsOf(kind: RetainedKind, text: string): number | null {
  if (text === FOR_EVER) return null;
  const months = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (months >= LEAST_MONTHS[kind] && months <= MOST_MONTHS) return months;
  throw new UsageError(`--${kind} is ${LEAST_MONTHS[kind]} to ${MOST_MONTHS}, or ${FOR_EVER}.`);
}

const wordsOf = (months: number | null): string => (months === null ? "kept for ever" : `${months} months`);

function viewLines(views: readonly RetentionView[]): string[] {
  const rows = views.map(({ kind, months, askedMonths, keptFrom, over, sweptAt }) => [
    kind,
    wordsOf(months),
    askedMonths === months ? "" : wordsOf(askedMonths),
    keptFrom === null ? "nothing" : `before ${keptFrom.slice(0, 10)}`,
    String(over.reduce((sum, { entries }) => sum + entries, 0)),
    sweptAt === null ? "never" : timeOf(sweptAt),
  ]);
  const months = views.flatMap(({ kind, over }) =>
    over.map(({ month, entries }) => [kind, month, String(entries)]),
  );
  return [
    ...tableOf(["KIND", "POLICY", "ASKED", "GOES", "ENTRIES", "LAST DONE"], rows, { right: [4] }),
    ...(months.length === 0 ? [] : ["", ...tableOf(["GOES", "MONTH", "ENTRIES"], months, { right: [2] })]),
  ];
}

const sizeLines = (sizes: readonly PartitionSize[]): string[] =>
  tableOf(
    ["TABLE", "ROWS, ABOUT", "MIB"],
    sizes.map(({ name, rows, octets }) => [name, String(rows), (octets / MEBIBYTE).toFixed(1)]),
    { right: [1, 2] },
  );
