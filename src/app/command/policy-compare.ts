/** `turnup policy compare`: another operator's list of TACs beside our verdicts, row by row with the reason for each difference. */
import {
  type ComparisonRow,
  type ComparisonSummary,
  comparisonWords,
} from "../../kernel/operator/comparison.ts";
import { textOf } from "../../store/dataset/file-text.ts";
import { readTheirList, type TheirList } from "../../store/dataset/tac-verdicts.ts";
import { maskText } from "../../term/mask.ts";
import { knowledgeBeside, termsBeside } from "../server/knowledge-beside.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { compareWithList, LIST_OCTETS_MAX } from "../server/policy-comparison.ts";
import type { Command, CommandContext } from "../terminal/command.ts";

const REFUSED_TOLD_MAX = 20;

export const policyCompareCommand: Command = {
  name: "policy compare",
  summary:
    "Compare another operator's list of TACs with our verdicts: each difference with its rule, fact, source and date",
  description:
    "The list is csv with the columns tac, and perhaps verdict (ended, supported, unknown) and reason; or TACs alone, a line each: those\n" +
    "are what the other operator left behind. Each row is in one of three kinds: theirs_only (no rule of ours says anything),\n" +
    "ours_only (seen on our network, and not in their list), other_verdict (both say something, and not the same). Nothing is changed.",
  args: [{ usage: "<file>", about: "the list, also gzipped; - reads standard input" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup policy compare their-tacs.csv", "turnup policy compare their-tacs.csv.gz --json"],
  async run(context) {
    const [file = "-"] = context.args;
    const octets = await context.content(file, LIST_OCTETS_MAX);
    const list = await readTheirList(textOf(onePart(octets), LIST_OCTETS_MAX));
    tellRefused(context, file, list);
    return await withOperator(context, async (opened) => {
      const { store, clock } = opened;
      const knowledge = await knowledgeBeside(opened);
      const deps = { database: store.database, knowledge, terms: await termsBeside(opened), clock };
      const progress = context.progress("comparing");
      const { rows, summary } = await compareWithList(deps, list, async (done, total) => {
        context.signal.throwIfAborted();
        progress.update(done, total, "TACs");
      });
      progress.clear();
      await tell(context, rows, summary);
      return "ok";
    });
  },
};

async function* onePart(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  yield octets;
}

function tellRefused(context: CommandContext, file: string, { refused, refusedCount }: TheirList): void {
  const told = refused.slice(0, REFUSED_TOLD_MAX);
  for (const { line, reason } of told) context.note(`${file} line ${line}: ${maskText(reason)}`);
  if (refusedCount > told.length)
    context.note(`and ${refusedCount - told.length} more rows that were not taken`);
}

async function tell(
  context: CommandContext,
  rows: readonly ComparisonRow[],
  summary: ComparisonSummary,
): Promise<void> {
  if (context.json) {
    for (const row of rows) await context.printJson(row);
    await context.printJson({ summary });
    return;
  }
  for (const row of rows) await context.print(`${row.tac}  ${row.code}  ${comparisonWords(row)}`);
  const { theirs, ours, same, byCode, moves, untold } = summary;
  const moved = Object.entries(moves).map(([move, count]) => `${count} ${move}`);
  context.note(
    `${theirs} TACs of theirs and ${ours} seen here: ${same} the same, ${byCode.theirs_only} in theirs only, ${byCode.ours_only} in ours only, ` +
      `${byCode.other_verdict} with other verdicts${moved.length === 0 ? "" : ` (${moved.join(", ")})`}`,
  );
  if (untold > 0) context.note(`${untold} more are in no row: there are too many rows`);
}
