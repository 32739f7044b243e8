/** `turnup import`: an operator's own data, above all that is shipped. Bad rows are named, the rest is taken. */
import { basename } from "node:path";
import { runsKeys } from "../../kernel/devices/capability.ts";
import type { DeviceDatasets } from "../../kernel/devices/rows.ts";
import { IMPORT_KINDS } from "../../kernel/jobs/imports.ts";
import type { Relation } from "../../kernel/operator/operator-terms.ts";
import { checkFeeLevel } from "../../kernel/proof/fee.ts";
import { IMPORT_OCTETS_MAX } from "../../store/dataset/access-point-import.ts";
import { contentOf } from "../../store/dataset/content.ts";
import { readOwnDatasets } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { withOwnDatasets } from "../../store/dataset/own-devices.ts";
import { createRegistry, type Registry } from "../../store/operator/registry.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { isOneOf } from "../../term/narrow.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, type Outcome, UsageError } from "../terminal/command.ts";
import { parseRelationsImport } from "../terminal/relation-import.ts";
import { importByJob, isJobKind } from "./import-job.ts";

const KINDS = [...IMPORT_KINDS, "relations"] as const;
type Kind = (typeof KINDS)[number];

/** A national TAC list of 300,000 rows is about 30 MB. */
const FILE_OCTETS_MAX = 128 * 1_048_576;
const REFUSED_TOLD_MAX = 20;
const NAME_CHARACTERS_MAX = 80;
export const importCommand: Command = {
  name: "import",
  summary: "Bring an operator's own data: TAC lists, access points, lifecycles, capabilities, relations",
  description: [
    "Kinds: tac         TAC lists: the GSMA's Device Map, the Osmocom file as published, or csv with at least tac, make, model;",
    "                   any other csv with --columns tac=1,make=0,model=2 (places from 0) or tac=TAC,make=Brand,model=SPECS",
    "       models      csv or JSON: make, name, model_codes, form, networks, bands, soc, camera, screen_px, blocked_access_points",
    "       apn         own access points: csv, Android's apns-conf.xml, GNOME's serviceproviders.xml",
    "       lifecycle   csv: make, label, released, security_updates_end, os_updates_end, status, model_codes; or a product",
    "                   file of endoflife.date (YAML or JSON)",
    "       capability  csv: make, os, from_year, to_year, oma_cp, nokia_ericsson_ota, apple_mobileconfig, wap_push, settings_form, device_key",
    "       menus       csv: system, make, from, to, path_en, add_en, path_de, add_de, evidence, source: where makers hide access points",
    "       networks    csv: mcc, mnc, country, country_name, brand, operator, status, bands: who runs a network, and where",
    "       carriers    csv: name, mccmnc, spn, gid1, imsi_prefix, iccid_prefix, carrier_id, parent_id: how the SIMs of a carrier are told",
    "       relations   csv or JSON: what is agreed with each manufacturer",
    "",
    "Files may be gzipped, in UTF-8 or UTF-16; csv may be parted by comma, semicolon, tab or | (or as a first line sep=; says).",
    "Between bars quotes stand for themselves; elsewhere one that is never closed costs its own line. Files of all kinds but relations take the",
    "place of the one imported before under the same name, as the job of POST /v1/imports: what it adds, changes and removes is told, and",
    "where it would lose much, or turn many verdicts, it waits for a second person (turnup approval list) and nothing changes before.",
    "Access points come by such a job too, as a version of their set: what it leaves out is retired, what was added by hand stays. A relation replaces that of its make. Bad rows are named",
    "on stderr and the rest is taken. Exit code 1 when nothing could be.",
  ].join("\n"),
  args: [
    { usage: "<kind>", about: KINDS.join(", ") },
    { usage: "<file>", about: "the file; - reads standard input" },
  ],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--name <name>", about: "what answers call this source (default: the file's name)" },
    { flags: "--licence <licence>", about: "whose words these are (default: the operator's own)" },
    {
      flags: "--columns <map>",
      about: "of a tac list: which column is which, by place from 0 or by header word",
    },
    { flags: "--make <make>", about: "of a lifecycle file of endoflife.date that does not name the maker" },
    {
      flags: "--person <name>",
      about: "who you are, where an import would lose much and a second person must agree",
    },
    {
      flags: "--dry-run",
      about:
        "change nothing: tell what would change, and what is wrong with the file; relations need no database for it",
    },
  ],
  examples: [
    "turnup import tac tacdb.csv",
    "turnup import apn apns-conf.xml --operator meridian",
    "turnup import relations relations.json --dry-run",
  ],
  async run(context) {
    const [kind = "", file = ""] = context.args;
    if (!isKind(kind))
      throw new UsageError(`There is no kind ${kind.slice(0, 40)}; there are ${KINDS.join(", ")}.`);
    const octets = await context.content(file, kind === "apn" ? IMPORT_OCTETS_MAX : FILE_OCTETS_MAX);
    const name = nameOf(context, file, kind);
    const licence = context.option("licence") ?? "the operator's own";
    if (isJobKind(kind)) return await importByJob(context, { kind, file, octets, name, licence });
    for (const hint of ["columns", "make", "person"])
      if (context.option(hint) !== undefined) throw new UsageError(`--${hint} says nothing of relations.`);
    const read = readRelations(octets);
    tellRefused(context, file, read);
    if (read.count === 0) {
      await tellSummary(context, read, { name, imported: 0 });
      throw new TurnupError("dataset_malformed", `No row of ${file} could be imported.`, {
        nextStep: read.refusedCount > 0 ? "Mend the rows named above." : "The file has a header and no rows.",
      });
    }
    if (context.flag("dry-run")) return await tellSummary(context, read, { name, imported: 0, dryRun: true });
    return await withOperator(context, async (opened) => {
      const written = await read.write(opened, context);
      return await tellSummary(context, read, { name, operator: opened.operator.slug, ...written });
    });
  },
};

const isKind = (text: string): text is Kind => isOneOf(KINDS, text);

function nameOf(context: CommandContext, file: string, kind: Kind): string {
  const plain =
    file === "-"
      ? kind
      : basename(file)
          .replace(/(\.gz)?$/, "")
          .replace(/\.\w{1,5}$/, "");
  const name = context.option("name") ?? plain.slice(0, NAME_CHARACTERS_MAX);
  if (name !== "" && name.length <= NAME_CHARACTERS_MAX && !/\p{Cc}/u.test(name)) return name;
  throw new UsageError(`--name is text of 1 to ${NAME_CHARACTERS_MAX} characters.`);
}

type Refused = { readonly where: string; readonly reason: string };
type Written = { readonly imported: number };

/** A file that was read: what it holds, and how that is written. */
type Read = {
  readonly kind: Kind;
  readonly count: number;
  readonly refused: readonly Refused[];
  readonly refusedCount: number;
  readonly warnings: readonly string[];
  write(opened: OperatorStore, context: CommandContext): Promise<Written>;
};

// Relations: each replaces that of its make.

function readRelations(octets: Buffer): Read {
  const { relations, refused } = parseRelationsImport(contentOf("relations", "the file", octets).text);
  return {
    kind: "relations",
    count: relations.length,
    refused,
    refusedCount: refused.length,
    warnings: [],
    async write(opened, context) {
      const registry = registryOf(opened);
      const { rows } = (await devicesOf(opened)).capability;
      let imported = 0;
      for (const relation of relations) {
        const fault = faultOfFee(relation, runsKeys(relation.make, rows));
        if (fault) context.note(`${relation.make}: ${fault.message} ${fault.nextStep}`);
        else await putRelation(registry, opened.operator.id, relation);
        if (!fault) imported++;
      }
      return { imported };
    },
  };
}

function faultOfFee(relation: Relation, isKnown: boolean): TurnupError | undefined {
  try {
    checkFeeLevel(relation, isKnown);
    return undefined;
  } catch (error) {
    if (error instanceof TurnupError) return error;
    throw error;
  }
}

/** What is known of devices with the operator's own imports. */
const devicesOf = async ({ store, operator }: OperatorStore): Promise<DeviceDatasets> =>
  withOwnDatasets(readShippedDatasets(), await readOwnDatasets(store.database, operator.id));

const putRelation = (registry: Registry, operatorId: string, relation: Relation): Promise<unknown> =>
  registry.relations.put(operatorId, relation, () => true, CLI_ACTOR);

const registryOf = ({ store, newId, clock }: OperatorStore): Registry =>
  createRegistry({ database: store.database, sealer: store.sealer, newId, clock });

// What is told.

function tellRefused(context: CommandContext, file: string, { refused, refusedCount, warnings }: Read): void {
  for (const { where, reason } of refused.slice(0, REFUSED_TOLD_MAX)) {
    context.note(`${file} ${where}: ${maskText(reason)}`);
  }
  const more = refusedCount - Math.min(refused.length, REFUSED_TOLD_MAX);
  if (more > 0) context.note(`and ${more} more rows that were not taken`);
  for (const warning of warnings) context.note(`${file}: ${warning}`);
}

type Summary = Written & { readonly name: string; readonly operator?: string; readonly dryRun?: boolean };

async function tellSummary(
  context: CommandContext,
  { kind, count, refused, refusedCount }: Read,
  { name, imported, operator, dryRun = false }: Summary,
): Promise<Outcome> {
  if (context.json) {
    const refusals = refused
      .slice(0, REFUSED_TOLD_MAX)
      .map(({ where, reason }) => ({ where, reason: maskText(reason) }));
    await context.printJson({
      kind,
      name,
      operator: operator ?? null,
      read: count + refusedCount,
      imported,
      unchanged: 0,
      refused: refusedCount,
      dryRun,
      refusals,
    });
    return "ok";
  }
  if (imported === 0 && count === 0) return "ok"; // the error that follows says it
  const facts = dryRun ? [`${count} rows would be imported`] : [`${imported} rows imported for ${operator}`];
  await context.print(
    `${kind} ${name}: ${[...facts, ...(refusedCount > 0 ? [`${refusedCount} not taken`] : [])].join(", ")}`,
  );
  return "ok";
}
