/**
 * `npm run bench`: measures the questions named, or all, tells each answer beside its aim, and writes what was measured
 * to docs/performance.md.
 */
import { aimText, oursOf, peerText, type Result, ratioText, verdictOf, writeDown } from "./document.ts";
import { machineOf } from "./machine.ts";
import { messagesQuestion } from "./messages.bench.ts";
import { payloadQuestion } from "./payload.bench.ts";
import { phonesQuestion } from "./phones.bench.ts";
import type { Bench, Figure, Question } from "./question.ts";
import { sightingsQuestion } from "./sightings.bench.ts";
import { smppPduQuestion } from "./smpp-pdu.bench.ts";
import { smppWindowQuestion } from "./smpp-window.bench.ts";
import { startQuestion } from "./start.bench.ts";

const RUNS = 3;
const USAGE_EXIT = 2;

const QUESTIONS: readonly Question[] = [
  payloadQuestion,
  smppPduQuestion,
  smppWindowQuestion,
  messagesQuestion,
  sightingsQuestion,
  phonesQuestion,
  startQuestion,
];

const USAGE = `Usage: npm run bench -- [NAME...] [--quick] [--runs N]
  --quick    one short run of each, to try the benches out; nothing is written down
  --document writes docs/performance.md anew from what was measured before
  --runs N   alternations of ours and the peer's, 3 or more (default ${RUNS})
${QUESTIONS.map(({ name, asks }) => `  ${name.padEnd(12)} ${asks}`).join("\n")}
`;

type Wanted = { readonly questions: readonly Question[]; readonly quick: boolean; readonly runs: number };

function wantedBy(args: readonly string[]): Wanted | undefined {
  const names = args.filter((arg, at) => !arg.startsWith("--") && args[at - 1] !== "--runs");
  const quick = args.includes("--quick");
  const runs = args.includes("--runs") ? Number(args[args.indexOf("--runs") + 1]) : RUNS;
  const isKnown = args.every((arg) => !arg.startsWith("--") || arg === "--quick" || arg === "--runs");
  const questions = QUESTIONS.filter(({ name }) => names.length === 0 || names.includes(name));
  const areNamed = names.length === 0 || questions.length === new Set(names).size;
  if (!isKnown || !areNamed || !Number.isInteger(runs) || runs < RUNS) return undefined;
  return { questions, quick, runs: quick ? 1 : runs };
}

async function main(): Promise<number> {
  if (process.argv[2] === "--document") {
    say(`written to ${writeDown(QUESTIONS, new Map())}\n`);
    return 0;
  }
  const wanted = wantedBy(process.argv.slice(2));
  if (!wanted) {
    process.stderr.write(USAGE);
    return USAGE_EXIT;
  }
  const measured = new Map<string, Result>();
  const failed: string[] = [];
  for (const question of wanted.questions) {
    const machine = await machineOf(new Date()); // before it runs, to see whether something else does
    say(`\n${question.name}: ${question.asks}\n`);
    try {
      const figures = await question.measure(benchOf(wanted));
      measured.set(question.name, { machine, runs: wanted.runs, figures });
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

const benchOf = ({ runs, quick }: Wanted): Bench => ({
  runs,
  quick,
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
