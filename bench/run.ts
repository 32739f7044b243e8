/**
 * `npm run bench`: measures the questions named, or all, tells each answer beside its aim, and writes what was measured
 * to docs/performance.md. `npm run bench -- --compare REV` tells what a phone costs a revision and this checkout.
 */
import { parseArgs } from "node:util";
import { compare } from "./compare.ts";
import {
  aimText,
  keepComparison,
  oursOf,
  peerText,
  type Result,
  ratioText,
  verdictOf,
  writeDown,
} from "./document.ts";
import { enginesQuestion } from "./engines.bench.ts";
import { equipmentQuestion } from "./equipment.bench.ts";
import { formatsQuestion } from "./formats.bench.ts";
import { growthQuestion, ORDERS, PAIRS } from "./growth.bench.ts";
import { importQuestion } from "./import.bench.ts";
import { knownPairsQuestion } from "./known-pairs.bench.ts";
import { listsQuestion } from "./lists.bench.ts";
import { machineOf } from "./machine.ts";
import { messagesQuestion } from "./messages.bench.ts";
import { modelsQuestion } from "./models.bench.ts";
import { payloadQuestion } from "./payload.bench.ts";
import { PHONES, phonesQuestion } from "./phones.bench.ts";
import { type Bench, type Figure, type Question, recorded } from "./question.ts";
import { replayQuestion } from "./replay.bench.ts";
import { sightingsQuestion } from "./sightings.bench.ts";
import { smppPduQuestion } from "./smpp-pdu.bench.ts";
import { smppWindowQuestion } from "./smpp-window.bench.ts";
import { smscPaceQuestion } from "./smsc-pace.bench.ts";
import { startQuestion } from "./start.bench.ts";

const RUNS = 3;
const USAGE_EXIT = 2;

const QUESTIONS: readonly Question[] = [
  payloadQuestion,
  formatsQuestion,
  smppPduQuestion,
  smppWindowQuestion,
  smscPaceQuestion,
  messagesQuestion,
  sightingsQuestion,
  knownPairsQuestion,
  phonesQuestion,
  enginesQuestion,
  growthQuestion,
  listsQuestion,
  modelsQuestion,
  equipmentQuestion,
  importQuestion,
  replayQuestion,
  startQuestion,
];

const USAGE = `Usage: npm run bench -- [NAME...] [--quick] [--runs N]
       npm run bench -- --compare REV [--with REV] [--phones N] [--runs N] [--document]
  --quick       one short run of each, to try the benches out; nothing is written down
  --document    writes docs/performance.md anew from what was measured before, with this comparison
  --runs N      alternations of ours and the peer's, ${RUNS} or more (default ${RUNS})
  --compare REV runs phones on a revision and on this checkout in turns, and tells the ratio of what one costs
  --with REV    that revision in place of this checkout
  --phones N    phones a run of a comparison, and of the questions of phones and growth (default ${PHONES})
  --pairs N     known pairs of the question of growth (default ${PAIRS})
  --orders N    past orders of the question of growth (default ${ORDERS})
${QUESTIONS.map(({ name, asks }) => `  ${name.padEnd(12)} ${asks}`).join("\n")}
`;

type Wanted = {
  readonly questions: readonly Question[];
  readonly quick: boolean;
  readonly document: boolean;
  readonly runs: number;
  readonly phones: number;
  readonly pairs: number;
  readonly orders: number;
  readonly compare?: string;
  readonly with: string | undefined;
};

const OPTIONS = {
  quick: { type: "boolean", default: false },
  document: { type: "boolean", default: false },
  runs: { type: "string", default: String(RUNS) },
  phones: { type: "string", default: String(PHONES) },
  pairs: { type: "string", default: String(PAIRS) },
  orders: { type: "string", default: String(ORDERS) },
  compare: { type: "string" },
  with: { type: "string" },
} as const;

/** Undefined where it was not understood. */
function wantedBy(args: readonly string[]): Wanted | undefined {
  try {
    const { values, positionals: names } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
    });
    const { quick, document, compare: revision } = values;
    const [runs, phones] = [Number(values.runs), Number(values.phones)];
    const [pairs, orders] = [Number(values.pairs), Number(values.orders)];
    const questions = QUESTIONS.filter(({ name }) => names.length === 0 || names.includes(name));
    const areNamed = names.length === 0 || questions.length === new Set(names).size;
    if (
      !areNamed ||
      !Number.isInteger(runs) ||
      runs < (revision ? 1 : RUNS) ||
      [phones, pairs, orders].some((count) => !Number.isInteger(count) || count < 1)
    )
      return undefined;
    return {
      questions,
      quick,
      document,
      phones,
      pairs,
      orders,
      runs: quick ? 1 : runs,
      ...(revision && { compare: revision }),
      with: values.with,
    };
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const wanted = wantedBy(process.argv.slice(2));
  if (!wanted) {
    process.stderr.write(USAGE);
    return USAGE_EXIT;
  }
  if (wanted.compare !== undefined) {
    const { runs, phones } = wanted;
    const machine = await machineOf(new Date());
    const compared = await compare({ revision: wanted.compare, other: wanted.with, runs, phones }, say);
    if (wanted.document) keepComparison(compared, machine);
  }
  if (wanted.document) say(`written to ${writeDown(QUESTIONS, new Map())}\n`);
  if (wanted.document || wanted.compare !== undefined) return 0;
  const measured = new Map<string, Result>();
  const failed: string[] = [];
  for (const question of wanted.questions) {
    const machine = await machineOf(new Date()); // before it runs, to see whether something else does
    say(`\n${question.name}: ${question.asks}\n`);
    try {
      const figures = await question.measure(benchOf(wanted));
      const kept = recorded(figures, machine.busyCores);
      measured.set(question.name, { machine, runs: wanted.runs, figures: kept });
      for (const figure of figures) say(`${answerOf(figure)}\n`);
    } catch (error) {
      failed.push(question.name);
      say(`  failed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (!wanted.quick && measured.size > 0) say(`\nwritten to ${writeDown(QUESTIONS, measured)}\n`);
  if (failed.length > 0) say(`not measured: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
}

const benchOf = ({ runs, quick, phones, pairs, orders }: Wanted): Bench => ({
  runs,
  quick,
  phones,
  pairs,
  orders,
  progress: (what) => say(`  ... ${what}\n`),
});

function answerOf(figure: Figure): string {
  const parts = [
    `  ${figure.what}: ${oursOf(figure)}`,
    ...figure.peers.map((peer) => `    ${peerText(peer)}`),
  ];
  if (figure.peers.length > 0) parts.push(`    ratio ${ratioText(figure)}`);
  if (figure.aim) parts.push(`    aim ${aimText(figure)}: ${verdictOf(figure)}`);
  if (figure.note) parts.push(`    ${figure.note}`);
  return parts.join("\n");
}

const say = (text: string): void => void process.stdout.write(text);

// Leaves in order, so that nothing that was started outlives it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
