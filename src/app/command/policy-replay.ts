/** `turnup policy replay`: which past verdicts would be others under a policy file, or under the data of today, and why. */
import { patchedPolicy } from "../../http/v1/policy/policy-change.ts";
import { type ReplayRow, type ReplaySummary, wordsOf } from "../../kernel/operator/replay.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { isCalendarDay } from "../../term/calendar.ts";
import { knowledgeBeside, termsBeside } from "../server/knowledge-beside.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { replayPolicy } from "../server/policy-replay.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { policyFileOf } from "./policy.ts";

export const policyReplayCommand: Command = {
  name: "policy replay",
  summary: "Show which past verdicts would be others under a policy file, and why, before it goes live",
  description:
    "Nothing is put in force and no order is touched. Each row is a model with its former verdict and rule and the new ones. What would\n" +
    "be another under the policy in force too is told apart: there data, deals or overrides have changed. Without a file, that alone.",
  args: [{ usage: "[file]", about: "a policy file, or a part of one; - reads standard input" }],
  options: [
    ...OPERATOR_OPTIONS,
    {
      flags: "--since <date>",
      about: "verdicts of orders opened from this day on, YYYY-MM-DD, by UTC",
      needed: true,
    },
  ],
  examples: [
    "turnup policy replay --since 2026-05-01 policy.yaml",
    "turnup policy replay --since 2026-05-01 --json",
  ],
  async run(context) {
    const since = context.option("since") ?? "";
    if (!isCalendarDay(since)) throw new UsageError("--since is a day of the calendar, written YYYY-MM-DD.");
    const [file] = context.args;
    const patch = file === undefined ? {} : await policyFileOf(context, file);
    return await withOperator(context, async (opened) => {
      const { store, operator, newId, clock } = opened;
      const { database, sealer } = store;
      const { policies } = createRegistry({ database, sealer, newId, clock });
      const policy = patchedPolicy((await policies.current(operator.id)).body, patch);
      const deps = { database, knowledge: await knowledgeBeside(opened), terms: await termsBeside(opened) };
      const { rows, summary } = await replayPolicy(deps, {
        ...{ policy, since: new Date(`${since}T00:00:00Z`) },
        async onProgress() {
          context.signal.throwIfAborted();
        },
      });
      await tell(context, rows, summary);
      return "ok";
    });
  },
};

async function tell(
  context: CommandContext,
  rows: readonly ReplayRow[],
  summary: ReplaySummary,
): Promise<void> {
  if (context.json) {
    for (const row of rows) await context.printJson(row);
    await context.printJson({ summary });
    return;
  }
  for (const row of rows) await context.print(`${row.tac}  ${row.code}  ${wordsOf(row)}`);
  const { verdicts, unchanged, byCode, moves, untold } = summary;
  const moved = Object.entries(moves).map(([move, count]) => `${count} ${move}`);
  context.note(
    `${verdicts} verdicts, ${unchanged} unchanged, ${byCode.verdict_changes} changed${moved.length === 0 ? "" : ` (${moved.join(", ")})`}, ` +
      `${byCode.rule_changes} by another rule, ${byCode.changes_anyway} changed whichever policy`,
  );
  if (untold > 0) context.note(`${untold} more verdicts are in no row: there are too many rows`);
}
