/** `turnup sight`: sightings from a file or a pipe into the intake, a batch at a time, in constant memory. */
import {
  SIGHTING_SOURCES,
  type SightingInput,
  type SightingResult,
  type SightingSource,
} from "../../kernel/detection/sighting.ts";
import { shippedNetworks } from "../../store/dataset/access-point-data.ts";
import { readOwnDatasets } from "../../store/dataset/dataset-store.ts";
import { networksWithOwn, saysOfNetworks } from "../../store/dataset/own-networks.ts";
import { joinNodes } from "../../store/node/node-presence.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { createDeviceStatements } from "../../store/sightings/device-statements.ts";
import { createIntake } from "../../store/sightings/intake.ts";
import { createSightingConflicts } from "../../store/sightings/sighting-conflicts.ts";
import { createSourceCounts } from "../../store/sightings/source-counts.ts";
import { maskText } from "../../term/mask.ts";
import { assured, wordOf } from "../../term/narrow.ts";
import { OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { knownNetworks } from "../server/own-devices.ts";
import { createSightingWatch } from "../server/sighting-watch.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { type SightingLine, sightingLines } from "../terminal/sighting-lines.ts";

/** As many rows as the intake puts into one statement. */
const BATCH_ROWS = 2_000;

export const sightCommand: Command = {
  name: "sight",
  summary: "Report sightings from a file: SIM and handset seen together",
  description: [
    "Reads csv (UTF-8 or UTF-16) with a header (imsi, imei or imeisv, plmn or mcc and mnc; where known msisdn, iccid, gid1, spn, seenAt,",
    "radio, source) or one JSON object a line. Separators, letter case and common other names of columns are understood; times",
    "are RFC 3339 or seconds or milliseconds since 1970. Refused rows are named on stderr by line and reason and the rest",
    "goes on. All that was not refused is on disk at the end; the same file again opens nothing twice. A server takes up",
    "the orders. Exit code 1 when every row was refused.",
  ].join("\n"),
  args: [{ usage: "<file>", about: "the file; - reads standard input" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--plmn <plmn>", about: "serving network of rows that name none, MCC-MNC" },
    { flags: "--source <source>", about: "of rows that name none (default csv)", choices: SIGHTING_SOURCES },
  ],
  examples: [
    "turnup sight register.csv",
    "zcat feed.jsonl.gz | turnup sight - --operator meridian --json",
    "turnup sight register.csv --plmn 262-01 2> refused.txt",
  ],
  async run(context) {
    const [file = ""] = context.args;
    if (context.args.length > 1) throw new UsageError("Name one file at a time.");
    const source = wordOf(SIGHTING_SOURCES, context.option("source")) ?? "csv";
    return await withOperator(context, async (opened) => {
      // A server that is alone remembers where SIMs are: it must hear that somebody else writes that down.
      const presence = await joinNodes(opened.store.connection);
      const { accept, finish } = await acceptOf(opened);
      const totals = await reportAll(context, { file, source, accept })
        .finally(finish)
        .finally(presence.close);
      await tellTotals(context, totals);
      return totals.read > 0 && totals.refused === totals.read ? "failed" : "ok";
    });
  },
};

type Accept = (sightings: readonly SightingInput[], source: SightingSource) => Promise<SightingResult[]>;

/** `finish` writes what was watched: how much came by which source, radios, and sources that contradict each other. */
async function acceptOf({ config, store, operator, newId, clock }: OperatorStore): Promise<{
  readonly accept: Accept;
  readonly finish: () => Promise<void>;
}> {
  const { database, sealer } = store;
  const [counts, statements] = [createSourceCounts({ database, clock }), createDeviceStatements(store)];
  const watch = createSightingWatch({ clock, counts, noteRadio: statements.note });
  const own = await readOwnDatasets(database, operator.id, undefined, saysOfNetworks);
  const networks = knownNetworks(networksWithOwn(shippedNetworks(), own));
  const registry = createRegistry({ database, sealer, newId, clock });
  const unwatched = createIntake({
    database,
    sealer,
    newId,
    clock,
    ...networks,
    clockToleranceMs: config.clock.toleranceSeconds * 1_000,
    termsIn: createOrderStore(database, sealer, registry.ownWords).termsIn,
    onOrders: () => undefined, // a server looks for orders by itself
  });
  const intake = watch.watched(unwatched);
  return {
    accept: (sightings, source) => intake.accept(operator.id, sightings, source),
    async finish() {
      await counts.flush();
      await statements.flush();
      await createSightingConflicts({ database, sealer, newId, clock }).book(watch.conflicts());
    },
  };
}

type Totals = { read: number; opened: number; unchanged: number; late: number; refused: number };
type Feed = { readonly file: string; readonly source: SightingSource; readonly accept: Accept };

/** One batch is at the database while the next is read: rows of one SIM stay in the order of the file. */
async function reportAll(context: CommandContext, { file, source, accept }: Feed): Promise<Totals> {
  const totals: Totals = { read: 0, opened: 0, unchanged: 0, late: 0, refused: 0 };
  const lines = sightingLines(context.option("plmn"));
  const progress = context.progress("sightings");
  let batch: SightingLine[] = [];
  let underWay: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await underWay;
    const full = batch;
    batch = [];
    underWay = acceptBatch(full, source, accept).then((results) => tellBatch(context, full, results, totals));
    underWay.catch(() => undefined); // met at the next await
    progress.update(totals.read, null, "rows");
  };
  for await (const text of context.lines(file)) {
    const read = lines.read(text);
    if (read) batch.push(read);
    if (batch.length >= BATCH_ROWS) await flush();
  }
  await flush();
  await underWay;
  progress.clear();
  if (lines.unusedColumns.length > 0) {
    context.note(`${file}: columns that nobody reads: ${lines.unusedColumns.join(", ")}`);
  }
  return totals;
}

/** The results in the order of the lines; lines that are no sightings never reach the intake. */
async function acceptBatch(
  batch: readonly SightingLine[],
  source: SightingSource,
  accept: Accept,
): Promise<readonly SightingResult[]> {
  const sightings = batch.flatMap((line) => ("sighting" in line ? [line.sighting] : []));
  const answers = sightings.length > 0 ? await accept(sightings, source) : [];
  let next = 0;
  return batch.map((line) =>
    "sighting" in line
      ? assured(answers[next++], "each sighting has its answer")
      : { outcome: "refused", code: line.code, reason: line.reason },
  );
}

async function tellBatch(
  context: CommandContext,
  batch: readonly SightingLine[],
  results: readonly SightingResult[],
  totals: Totals,
): Promise<void> {
  for (const [at, result] of results.entries()) {
    const line = batch[at]?.line ?? 0;
    totals.read++;
    if (result.outcome === "refused") totals.refused++;
    else if ("orderId" in result) totals.opened++;
    else totals[result.outcome]++;
    if (context.json) {
      const told = "reason" in result ? { ...result, reason: maskText(result.reason) } : result;
      const full = context.printJson({ line, ...told });
      if (full) await full;
    } else if (result.outcome === "refused") {
      context.note(`line ${line}: ${result.code}: ${maskText(result.reason)}`);
    } else {
      for (const note of result.notes ?? []) context.note(`line ${line}: ${maskText(note)}`);
    }
  }
}

async function tellTotals(context: CommandContext, totals: Totals): Promise<void> {
  if (context.json) {
    await context.printJson({ summary: totals });
    return;
  }
  const { read, opened, unchanged, late, refused } = totals;
  await context.print(
    `${read} sightings: ${opened} orders opened, ${unchanged} unchanged, ${late} late, ${refused} refused`,
  );
}
