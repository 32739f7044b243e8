/**
 * What the operator says of its own settings at a terminal: a JSON file of one or several, by the very shape and checks of the
 * API, so that passwords and keys stand in no list of processes; lists that hide them; removals by id.
 */
import type { Static, TSchema } from "typebox";
import { InvalidRequest } from "../../http/problem.ts";
import { bodyOf } from "../../http/validation.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { createRegistry, type Registry } from "../../store/operator/registry.ts";
import { type ErrorCode, TurnupError } from "../../term/error.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { tableOf } from "./table.ts";

const FILE_OCTETS_MAX = 1_048_576;
const FILE_ENTRIES_MAX = 200;

type Setting = { readonly id: string };

/** One kind of setting, as the API has it. */
export type OwnSetting<One extends Setting, Schema extends TSchema> = {
  /** `access-point`, as the command names it. */
  readonly noun: string;
  /** `access point`, as sentences name it. */
  readonly words: string;
  readonly schema: Schema;
  /** @throws InvalidRequest */
  readonly made: (body: Static<Schema>, id: string, now: Date) => One;
  /** Without its secrets. */
  readonly shown: (one: One) => object;
  readonly heads: readonly string[];
  readonly row: (one: One) => readonly string[];
  readonly notFound: ErrorCode;
  readonly of: (registry: Registry) => {
    list(operatorId: string): Promise<readonly One[]>;
    add(operatorId: string, one: One, actor: string): Promise<void>;
    retire(operatorId: string, id: string, actor: string): Promise<boolean>;
  };
};

const storeOf = <One extends Setting, Schema extends TSchema>(
  setting: OwnSetting<One, Schema>,
  { store, newId, clock }: OperatorStore,
) => setting.of(createRegistry({ database: store.database, sealer: store.sealer, newId, clock }));

export const addCommandOf = <One extends Setting, Schema extends TSchema>(
  setting: OwnSetting<One, Schema>,
  about: Pick<Command, "summary" | "description" | "examples">,
): Command => ({
  name: `${setting.noun} add`,
  ...about,
  args: [{ usage: "<file>", about: "JSON: one, or a list of them; - reads standard input" }],
  options: OPERATOR_OPTIONS,
  async run(context) {
    const [file = "-"] = context.args;
    const given = await entriesIn(context, file);
    return await withOperator(context, async (opened) => {
      // All are looked at before the first is written.
      const all = given.map((one, at) => checked(setting, one, { file, at, opened }));
      const kept = storeOf(setting, opened);
      for (const one of all) {
        await kept.add(opened.operator.id, one, CLI_ACTOR);
        if (context.json) await context.printJson(setting.shown(one));
        else await context.print(`${setting.words} ${one.id} is in force`);
      }
      return "ok";
    });
  },
});

async function entriesIn(context: CommandContext, file: string): Promise<readonly unknown[]> {
  const octets = await context.content(file, FILE_OCTETS_MAX);
  let value: unknown;
  try {
    value = JSON.parse(octets.toString("utf8"));
  } catch {
    throw new UsageError(`${file} is no JSON.`);
  }
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0 || entries.length > FILE_ENTRIES_MAX)
    throw new UsageError(`A file holds 1 to ${FILE_ENTRIES_MAX} of them.`);
  return entries;
}

function checked<One extends Setting, Schema extends TSchema>(
  { schema, made, words }: OwnSetting<One, Schema>,
  given: unknown,
  { file, at, opened }: { readonly file: string; readonly at: number; readonly opened: OperatorStore },
): One {
  try {
    return made(bodyOf(schema, given), opened.newId(), opened.clock());
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    const faults = error.errors.map((one) => `${one.at.replace(/^body\/?/, "") || "it"} ${one.wanted}`);
    throw new TurnupError("dataset_malformed", `${file}: entry ${at} is no ${words}: ${faults.join("; ")}.`, {
      nextStep: "Mend it and give the file again: nothing of it was written.",
    });
  }
}

export const listCommandOf = <One extends Setting, Schema extends TSchema>(
  setting: OwnSetting<One, Schema>,
  about: Pick<Command, "summary" | "examples">,
): Command => ({
  name: `${setting.noun} list`,
  ...about,
  options: OPERATOR_OPTIONS,
  async run(context) {
    return await withOperator(context, async (opened) => {
      const all = await storeOf(setting, opened).list(opened.operator.id);
      if (context.json) for (const one of all) await context.printJson(setting.shown(one));
      else if (all.length === 0) context.note(`no ${setting.words} of the operator's own`);
      else
        for (const line of tableOf(
          [...setting.heads],
          all.map((one) => [...setting.row(one)]),
        ))
          await context.print(line);
      return "ok";
    });
  },
});

export const removeCommandOf = <One extends Setting, Schema extends TSchema>(
  setting: OwnSetting<One, Schema>,
  about: Pick<Command, "summary" | "examples">,
): Command => ({
  name: `${setting.noun} remove`,
  ...about,
  args: [{ usage: "<id>", about: `of the ${setting.words}; \`${setting.noun} list\` names it` }],
  options: OPERATOR_OPTIONS,
  async run(context) {
    const [id = ""] = context.args;
    if (!isUuid(id)) throw new UsageError("It is named by its id.");
    return await withOperator(context, async (opened) => {
      if (!(await storeOf(setting, opened).retire(opened.operator.id, id, CLI_ACTOR)))
        throw new TurnupError(setting.notFound, `There is no such ${setting.words}.`, {
          nextStep: `\`turnup ${setting.noun} list\` lists them.`,
        });
      if (context.json) await context.printJson({ removed: id });
      else await context.print("removed");
      return "ok";
    });
  },
});
