/**
 * Writes docs/performance.md from `results.json`, which keeps for each question its last whole run with the machine it
 * ran on: measuring one question again leaves the others as they were.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { type Compared, RATE } from "./compare.ts";
import type { Machine } from "./machine.ts";
import {
  type Aim,
  BUSY_CORES_MAX,
  type Figure,
  isMet,
  median,
  type Peer,
  type Question,
  ratioOf,
} from "./question.ts";

const RESULTS = join(packageFolder(), "bench", "results.json");
const COMPARISON = join(packageFolder(), "bench", "comparison.json");
const DOCUMENT = join(packageFolder(), "docs", "performance.md");

export type Result = {
  readonly machine: Machine;
  readonly runs: number;
  readonly figures: readonly Figure[];
};
type Results = Readonly<Record<string, Result>>;

/** Keeps the results of these questions and writes the document anew. */
export function writeDown(questions: readonly Question[], measured: ReadonlyMap<string, Result>): string {
  const known = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as Results) : {};
  const results = Object.fromEntries(
    questions.flatMap(({ name }) => {
      const result = measured.get(name) ?? known[name];
      return result ? [[name, result] as const] : [];
    }),
  );
  writeFileSync(RESULTS, `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(DOCUMENT, documentOf(questions, results) + comparisonText());
  return DOCUMENT;
}

/** Keeps it as the last comparison; the document is written anew by `writeDown`. */
export function keepComparison(compared: Compared, machine: Machine): void {
  writeFileSync(COMPARISON, `${JSON.stringify({ ...compared, machine }, null, 2)}\n`);
}

function comparisonText(): string {
  if (!existsSync(COMPARISON)) return "";
  const kept = JSON.parse(readFileSync(COMPARISON, "utf8")) as Compared & { readonly machine: Machine };
  const isBusy = kept.machine.busyCores > BUSY_CORES_MAX;
  const rows = kept.rows.filter(([what]) => !isBusy || what !== RATE);
  const about = `${COMPARED} ${kept.runs} runs of ${kept.phones} phones on each side, in turns.`;
  const rowsText = table(["a phone, median (range)", ...kept.sides, "ratio"], rows);
  return `\n## before and after\n\n${about}\n\n${rowsText}\n${machineText(kept.machine, ["PostgreSQL embedded"], kept.runs, BUSY)}\n`;
}

const COMPARED = [
  "What a phone costs two revisions, by `npm run bench -- --compare REV --document`. The simulated world is not the product's; where its code is the",
  "same on both sides, its share tells how much dearer others made everything.",
].join(" ");
const BUSY =
  "**Others used the machine: what the processor took is several times what it is on a quiet one. That changes rows and log little.**";

/** More digits than a measurement has only make two files differ. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(6)) : value;

function documentOf(questions: readonly Question[], results: Results): string {
  const sections = questions.map((question) => sectionOf(question, results[question.name]));
  return `${HEAD}${overview(questions, results)}\n${sections.join("\n")}`;
}

const HEAD = `# Performance

Written by \`npm run bench\`; change the benches in \`bench/\`, not this file. \`npm run bench -- payload messages\` measures
some questions again, \`--quick\` tries them out without writing anything down. \`bench/setup.sh\` installs the peers.

A figure is the median of runs that alternate with the peer's, in the same minutes on the same machine, with the range in
brackets. Load, server, database and message centre share the machine. Ratios travel to other machines better than
figures do. Where others used the machine during a run, what they hardly change is written down, as the processor a unit takes, and no rate.

`;

function overview(questions: readonly Question[], results: Results): string {
  const judged = questions.flatMap(({ name }) =>
    (results[name]?.figures ?? [])
      .filter(({ aim }) => aim)
      .map((figure) => [
        `[${name}](#${name})`,
        figure.what,
        oursOf(figure),
        aimText(figure),
        verdictOf(figure),
      ]),
  );
  return table(["question", "figure", "ours", "aim", "met"], judged);
}

function sectionOf({ name, asks, how, durability, uses }: Question, result: Result | undefined): string {
  const head = `## ${name}\n\n${asks}\n\n${how}\n\nDurability: ${durability}\n`;
  if (!result) return `${head}\nNot measured yet: \`npm run bench -- ${name}\`.\n`;
  const { machine, runs, figures } = result;
  const rows = figures.map((figure) => [
    figure.what,
    oursOf(figure),
    figure.peers.map(peerText).join("<br>") || "-",
    ratioText(figure),
    aimText(figure),
    verdictOf(figure),
    figure.note ?? "",
  ]);
  const columns = ["figure", "ours", "peer", "ratio", "aim", "met", "note"];
  return `${head}\n${table(columns, rows)}\n${machineText(machine, uses, runs)}\n`;
}

const SPOILT =
  "**Something else was running: these figures are worse than they need be and are to be taken again.**";

function machineText(machine: Machine, uses: readonly string[], runs: number, spoilt = SPOILT): string {
  const versions = ["Node", ...uses].map((name) =>
    name === "Node" ? `Node ${machine.node}` : `${name} ${machine.versions[name] ?? ""}`,
  );
  return [
    `${runs} runs each, ${machine.date} UTC, commit ${machine.commit}, ${machine.cpu}, ${machine.cores} cores,`,
    `${machine.memoryGiB} GiB, ${machine.os}; ${versions.join(", ")}. Busy before: ${machine.busyCores} cores.`,
    ...(machine.busyCores > BUSY_CORES_MAX ? [spoilt] : []),
  ].join("\n");
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |\n`;
  return line(columns) + line(columns.map(() => "---")) + rows.map(line).join("");
}

// ---- figures in words, for the document and the terminal

/** Three digits that matter, thousands apart. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "?";
  if (Math.abs(value) < 10) return String(Number(value.toPrecision(3)));
  return Math.round(Number(value.toPrecision(4))).toLocaleString("en-US");
}

export function oursOf({ values, unit }: Figure): string {
  if (values.length === 0) return "not measured";
  return `${numberText(median(values))} ${unit} (${rangeText(values)})`;
}

const rangeText = (values: readonly number[]): string =>
  `${numberText(Math.min(...values))}-${numberText(Math.max(...values))}`;

export function peerText({ name, values, missing }: Peer): string {
  if (values.length === 0) return `${name}: not measured, ${missing ?? "run bench/setup.sh"}`;
  return `${name}: ${numberText(median(values))} (${rangeText(values)})`;
}

export function ratioText(figure: Figure): string {
  const ratio = ratioOf(figure);
  return ratio === undefined ? "-" : `${numberText(ratio)}x`;
}

export function aimText({ aim, unit }: Figure): string {
  return aim ? AIM_WORDS[aim.kind](aim.value, unit) : "-";
}
const AIM_WORDS: Record<Aim["kind"], (value: number, unit: string) => string> = {
  "at least": (value, unit) => `${numberText(value)} ${unit} or more`,
  "at most": (value, unit) => `${numberText(value)} ${unit} or less`,
  "times the peer": (value) => `${value}x the peer`,
};

export function verdictOf(figure: Figure): string {
  if (!figure.aim || figure.values.length === 0) return "-";
  const met = isMet(figure);
  return met === undefined ? "not judged: no peer" : met ? "met" : "NOT MET";
}
