/**
 * `npm run bench -- --compare REV`: the revision and this checkout (or the one `--with` names) in turns (A B A B), each on a
 * fresh embedded database, with what a phone cost each of them. It is for whoever changes the pipeline, to keep a change only for
 * its gain; `--document` writes it down as the last one.
 */
import { checkOut, checkOutNow } from "./checkout.ts";
import { type PhoneRun, ROLES, runPhones } from "./phone-run.ts";
import { ownCpuMs } from "./phones.bench.ts";
import { median } from "./question.ts";

export type Comparison = {
  readonly revision: string;
  /** Undefined: this checkout as it is. */
  readonly other: string | undefined;
  readonly runs: number;
  readonly phones: number;
};

/** What was compared: names of both sides, and rows of what, one, other, ratio. */
export type Compared = Pick<Comparison, "runs" | "phones"> & {
  readonly sides: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

type Say = (text: string) => void;

/** @throws Error where the repository has no such revision, or a run did not turn up every phone */
export async function compare({ revision, other, runs, phones }: Comparison, say: Say): Promise<Compared> {
  const sides = [sideOf(revision), sideOf(other)].map((side) => ({ ...side, runs: [] as PhoneRun[] }));
  for (const { name, hasOtherLibraries } of sides)
    if (hasOtherLibraries) say(`  ${name} was written for other versions of libraries than it runs with\n`);
  for (let run = 1; run <= runs; run++) {
    for (const side of sides) {
      const one = await runPhones({ phones, checkout: side.folder });
      side.runs.push(one);
      const cpu = ROLES.map((role) => `${role} ${one.cpuMs.get(role)?.toFixed(3) ?? "?"} ms`).join(", ");
      say(`  ... ${side.name}, run ${run} of ${runs}: ${cpu}\n`);
    }
  }
  const compared = { runs, phones, sides: sides.map(({ name }) => name), rows: rowsOf(sides) };
  say(`\n${tableOf(compared)}`);
  return compared;
}

type Side = { readonly name: string; readonly folder: string; readonly hasOtherLibraries: boolean };

function sideOf(revision: string | undefined): Side {
  if (revision === undefined)
    return { name: "this checkout", folder: checkOutNow(), hasOtherLibraries: false };
  const { commit, ...checkout } = checkOut(revision);
  return { name: `${revision} (${commit})`, ...checkout };
}

/** Where the world's code is the same on both sides: others on the machine make all of them dearer alike. */
function overWorld(run: PhoneRun): number | undefined {
  const [own, world] = [ownCpuMs(run), run.cpuMs.get("simulated world")];
  return own === undefined || world === undefined ? undefined : own / world;
}

/** Means nothing where others use the machine. */
export const RATE = "phones/s";

type Row = { readonly what: string; readonly of: (run: PhoneRun) => number | undefined };

const ROWS: readonly Row[] = [
  { what: "CPU of server and database, ms", of: ownCpuMs },
  { what: "  over the simulated world's", of: overWorld },
  ...ROLES.map((role) => ({ what: `  ${role}, ms`, of: ({ cpuMs }: PhoneRun) => cpuMs.get(role) })),
  { what: "row writes", of: ({ inserts, updates, deletes }) => inserts + updates + deletes },
  { what: "  inserts", of: ({ inserts }) => inserts },
  { what: "  updates", of: ({ updates }) => updates },
  { what: "    of them HOT", of: ({ hotUpdates }) => hotUpdates },
  { what: "  deletes", of: ({ deletes }) => deletes },
  { what: "commits", of: ({ commits }) => commits },
  { what: "WAL, kB", of: ({ walOctets }) => walOctets / 1_000 },
  { what: RATE, of: ({ perSecond }) => perSecond },
];

function rowsOf(sides: readonly { readonly runs: readonly PhoneRun[] }[]): string[][] {
  return ROWS.map(({ what, of }) => {
    const [one, other] = sides.map(({ runs }) => runs.flatMap((run) => of(run) ?? []));
    if (!one?.length || !other?.length) return [what, "?", "?", "?"];
    return [what, spread(one), spread(other), (median(other) / median(one)).toFixed(3)];
  });
}

function tableOf({ sides, rows }: Compared): string {
  const head = ["a phone, median (range)", ...sides, "ratio"];
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
  return [head, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

const spread = (values: readonly number[]): string =>
  `${digits(median(values))} (${digits(Math.min(...values))}-${digits(Math.max(...values))})`;

const digits = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
