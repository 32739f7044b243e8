// Question: may a core be answered from a register of 200 million handsets at once, by a server that has little memory for it?
// Budget: a look-up of 100 µs at the 99th of a hundred with the file in the page cache; 100 MiB resident.
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildStatusFile } from "../src/store/equipment/build-status-file.ts";
import { handsetAt } from "./equipment-rows.ts";
import type { Bench, Figure, Question } from "./question.ts";

const HANDSETS = 200_000_000;
const QUICK_HANDSETS = 2_000_000;
const LOOKUPS = 1_000_000;
const QUICK_LOOKUPS = 100_000;
const AIM_MICROS = 100;
const AIM_MIB = 100;
const MIB = 1_048_576;
const ROWS_AT_ONCE = 65_536;

export const equipmentQuestion: Question = {
  name: "equipment",
  asks: "How long does a look-up in a sorted file of 200 million equipment statuses take, and how much memory?",
  how: [
    "A file of rows in no order is written, and `buildStatusFile` makes the sorted file of it, as `turnup equipment build` does. A process of its own opens",
    "that and looks handsets up one after the other, each second one of which is not in it, all over the file, twice; the second pass counts. RSS is that",
    "of this process at its end, which runs the sources by tsx; what the file takes is the difference to before it was opened.",
  ].join(" "),
  durability: "the sorted file is synced and renamed before it counts. There is no peer.",
  uses: [],
  measure,
};

type Looked = {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly rss: number;
  readonly taken: number;
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const handsets = Number(process.env.TURNUP_BENCH_HANDSETS ?? (bench.quick ? QUICK_HANDSETS : HANDSETS));
  const lookups = bench.quick ? QUICK_LOOKUPS : LOOKUPS;
  const folder = await mkdtemp(join(tmpdir(), "turnup-bench-equipment-"));
  try {
    const [rows, path] = [join(folder, "rows.csv"), join(folder, "national.eqs")];
    bench.progress(`writing ${handsets} rows`);
    await writeRows(rows, handsets);
    const began = performance.now();
    const built = await buildStatusFile({
      ...{ from: rows, to: path, status: "black", madeAtMs: 0, signal: new AbortController().signal },
      onProgress: (step, done) => bench.progress(`${step} ${done}`),
    });
    const seconds = (performance.now() - began) / 1_000;
    await rm(rows);
    const looked: Looked[] = [];
    for (let run = 1; run <= bench.runs; run++) {
      bench.progress(`look-ups, run ${run} of ${bench.runs}`);
      looked.push(await lookUp(path, handsets, lookups));
    }
    const { size } = await stat(path);
    return figuresOf({ handsets: built.handsets, seconds, size, looked });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function lookUp(path: string, handsets: number, lookups: number): Promise<Looked> {
  const script = join(import.meta.dirname, "equipment-lookups.ts");
  const args = ["--import", "tsx", script, path, String(handsets), String(lookups)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** In an order that jumps from model to model. */
async function writeRows(path: string, handsets: number): Promise<void> {
  const out = createWriteStream(path);
  for (let at = 0; at < handsets; at += ROWS_AT_ONCE) {
    const lines: string[] = [];
    for (let one = at; one < Math.min(at + ROWS_AT_ONCE, handsets); one++)
      lines.push(`${String(handsetAt(one)).padStart(14, "0")}0\n`);
    if (!out.write(lines.join(""))) await new Promise<void>((drained) => out.once("drain", () => drained()));
  }
  await new Promise<void>((done) => out.end(() => done()));
}

type Measured = {
  readonly handsets: number;
  readonly seconds: number;
  readonly size: number;
  readonly looked: readonly Looked[];
};

function figuresOf({ handsets, seconds, size, looked }: Measured): readonly Figure[] {
  const of = (what: string, unit: string, values: readonly number[], aim?: number): Figure => ({
    ...{ what, unit, values, peers: [] },
    ...(aim !== undefined && { aim: { kind: "at most", value: aim } }),
  });
  const note = `${handsets} handsets`;
  return [
    {
      ...of(
        "look-up, warm: p99",
        "µs",
        looked.map(({ p99 }) => p99),
        AIM_MICROS,
      ),
      note,
    },
    of(
      "look-up, warm: p50",
      "µs",
      looked.map(({ p50 }) => p50),
    ),
    of(
      "look-up, warm: slowest",
      "µs",
      looked.map(({ max }) => max),
    ),
    {
      ...of(
        "resident, whole process",
        "MiB",
        looked.map(({ rss }) => rss / MIB),
        AIM_MIB,
      ),
      isSteady: true,
    },
    {
      ...of(
        "resident, what the file takes",
        "MiB",
        looked.map(({ taken }) => taken / MIB),
      ),
      isSteady: true,
    },
    { ...of("on disk", "octets a handset", [size / handsets]), isSteady: true },
    of("built", "handsets/s", [handsets / seconds]),
  ];
}
