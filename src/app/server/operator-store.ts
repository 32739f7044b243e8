/**
 * What commands that work on the database share: they open it beside a running server or without one, and work for one
 * operator, `--operator SLUG` or the only one there is.
 */

import { uuidv7 } from "../../store/database/uuid.ts";
import { listOperators, type Operator } from "../../store/operator/operators.ts";
import { TurnupError } from "../../term/error.ts";
import { type Config, readConfig } from "../config/config.ts";
import { type CommandContext, type OptionSpec, type Outcome, UsageError } from "../terminal/command.ts";
import { openStore, type Store } from "./store.ts";

export const OPERATOR_OPTIONS: readonly OptionSpec[] = [
  { flags: "--operator <slug>", about: "whose; needed only where there are several operators" },
  { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
];
/** Who the audit says it was. */
export const CLI_ACTOR = "cli";

export type OperatorStore = {
  readonly config: Config;
  readonly store: Store;
  readonly operator: Operator;
  readonly newId: () => string;
  readonly clock: () => Date;
};

/**
 * @throws TurnupError `operator_not_found`
 * @throws UsageError several operators and none is named
 */
export async function withOperator(
  context: CommandContext,
  work: (opened: OperatorStore) => Promise<Outcome>,
): Promise<Outcome> {
  const { config } = readConfig({ file: context.option("config"), env: context.env });
  const log = context.json ? () => undefined : context.note;
  const store = await openStore({ config, log, beside: true });
  try {
    const operator = chosen(await listOperators(store.database), context.option("operator"));
    return await work({ config, store, operator, newId: () => uuidv7(), clock: context.now });
  } finally {
    await store.close();
  }
}

/** Slugs named in a refusal. */
const SLUGS_TOLD_MAX = 20;

function chosen(operators: readonly Operator[], slug: string | undefined): Operator {
  const known = operators.slice(0, SLUGS_TOLD_MAX).map((one) => one.slug);
  const list = `${known.join(", ")}${operators.length > known.length ? ", ..." : ""}`;
  if (operators.length === 0) {
    throw new TurnupError("operator_not_found", "There is no operator in this database.", {
      nextStep:
        "Make one with `turnup operator add`; check with `turnup config` that this is the database you mean.",
    });
  }
  const [only] = operators;
  if (slug === undefined && operators.length === 1 && only) return only;
  if (slug === undefined) throw new UsageError(`--operator is needed, since there are several: ${list}.`);
  const found = operators.find((one) => one.slug === slug);
  if (found) return found;
  throw new TurnupError("operator_not_found", `There is no operator ${slug.slice(0, 63)}.`, {
    nextStep: `There is ${list}.`,
  });
}
