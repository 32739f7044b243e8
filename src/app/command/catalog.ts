/** `turnup catalog ...`: what can be asked for, as a list, one item, and the whole as one reviewed file. */
import { createHash } from "node:crypto";
import {
  CATALOG_FILE_OCTETS_MAX,
  parseCatalogYaml,
  writeCatalogYaml,
} from "../../http/v1/catalog/catalog-yaml.ts";
import { CATALOG_KINDS, type CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { type CatalogDiff, type CatalogStore, surroundingsOf } from "../../kernel/catalog/catalog-store.ts";
import { isBilledElsewhere, listCostOf } from "../../kernel/catalog/charges.ts";
import { checkCatalogDocument, ITEMS_MAX } from "../../kernel/catalog/check-catalog.ts";
import { isEmptyDiff } from "../../kernel/catalog/diff.ts";
import type { Catalog } from "../../kernel/catalog/expand.ts";
import { MODULE_OCTETS_MAX } from "../../kernel/catalog/item-body.ts";
import { priceWords } from "../../kernel/catalog/price-words.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { TurnupError } from "../../term/error.ts";
import { wordOf } from "../../term/narrow.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { peersOf } from "../server/request-desk.ts";
import type { Command, CommandContext, Outcome } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

export const catalogOf = ({ store, newId, clock }: OperatorStore): CatalogStore =>
  createCatalogStore({ database: store.database, newId, clock });

export const catalogListCommand: Command = {
  name: "catalog list",
  summary: "List what can be asked for: features, services, packages",
  options: [...OPERATOR_OPTIONS, { flags: "--kind <kind>", about: "only these", choices: CATALOG_KINDS }],
  examples: ["turnup catalog list", "turnup catalog list --kind package --json"],
  async run(context) {
    const kind = wordOf(CATALOG_KINDS, context.option("kind"));
    return await withOperator(context, async (opened) => {
      const store = catalogOf(opened);
      const { items } = await store.list(opened.operator.id, { kind, limit: ITEMS_MAX });
      const catalog = await store.catalogWith(opened.operator.id, []);
      if (context.json)
        for (const item of items) await context.printJson({ ...item, costs: listCostOf(catalog, item) });
      else if (items.length === 0) context.note("the catalog is empty: see turnup catalog import");
      else for (const line of tableOf(HEADS, items.map(rowIn(catalog)))) await context.print(line);
      return "ok";
    });
  },
};

const HEADS = ["ID", "VERSION", "KIND", "PRICE", "TERMS", "NEEDS", "NAME"];

const rowIn =
  (catalog: Catalog) =>
  (item: CatalogItem): string[] => [
    item.id,
    String(item.version),
    item.available ? item.kind : `${item.kind}, not to be had`,
    // What another server provisions, it also bills: by what it says there.
    item.provisioningServer !== null && item.price === null
      ? new URL(item.provisioningServer).host
      : priceWords(listCostOf(catalog, item), "en", item.price === null && isBilledElsewhere(catalog, item)),
    item.terms ?? "-",
    item.needs.join(", ") || "-",
    item.name.en ?? "",
  ];

export const catalogShowCommand: Command = {
  name: "catalog show",
  summary: "Show one item of the catalog with its versions",
  args: [{ usage: "<id>", about: "of the item" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup catalog show mail", "turnup catalog show mail --json"],
  async run(context) {
    const [id = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const found = await catalogOf(opened).find(opened.operator.id, id);
      if (!found) {
        throw new TurnupError("catalog_item_not_found", "There is no such item in the catalog.", {
          nextStep: "`turnup catalog list` lists them.",
        });
      }
      const { current: item = null, versions } = found;
      if (context.json) {
        await context.printJson({ item, versions });
        return "ok";
      }
      await context.print(item ? JSON.stringify(item, null, 2) : `${id} is offered no more`);
      const rows = versions.map((one) => [
        String(one.version),
        timeOf(one.madeAt),
        one.madeBy,
        one.retiredAt ? timeOf(one.retiredAt) : "on offer",
      ]);
      for (const line of tableOf(["VERSION", "MADE", "BY", "RETIRED"], rows)) await context.print(line);
      return "ok";
    });
  },
};

export const catalogExportCommand: Command = {
  name: "catalog export",
  summary: "Print the whole catalog as a YAML file, to be reviewed, kept and imported",
  description: "With --json the same as one JSON object. What is imported unchanged changes nothing.",
  options: OPERATOR_OPTIONS,
  examples: ["turnup catalog export > catalog.yaml"],
  run: async (context) =>
    await withOperator(context, async (opened) => {
      const text = writeCatalogYaml(await catalogOf(opened).exported(opened.operator.id));
      if (context.json) await context.printJson(parseCatalogYaml(text));
      else await context.print(text.trimEnd());
      return "ok";
    }),
};

export const catalogImportCommand: Command = {
  name: "catalog import",
  summary: "Make the catalog what a YAML file says, as a whole or not at all",
  description:
    "Items that the file does not name are offered no more; terms that it does not name stay. Every problem is named\n" +
    "with its place, and one refuses the whole file. The same file again changes nothing. Octets of modules that have no\n" +
    "url must be there before: --content FILE puts them.",
  args: [{ usage: "<file>", about: "the file; - reads standard input" }],
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--dry-run", about: "tell what would change, and change nothing" },
    {
      flags: "--content <file>",
      about: "octets of a module, put under their SHA-256 before (not in a dry run)",
    },
  ],
  examples: ["turnup catalog import catalog.yaml --dry-run", "turnup catalog import catalog.yaml"],
  async run(context) {
    const [file = "-"] = context.args;
    const octets = await context.content(file, CATALOG_FILE_OCTETS_MAX);
    const value = parseCatalogYaml(textOf(octets));
    return await withOperator(context, (opened) => importInto(context, opened, file, value));
  },
};

async function importInto(
  context: CommandContext,
  opened: OperatorStore,
  file: string,
  value: unknown,
): Promise<Outcome> {
  const store = catalogOf(opened);
  const { id } = opened.operator;
  const dryRun = context.flag("dry-run");
  const content = context.option("content");
  if (content !== undefined && !dryRun) {
    const octets = await context.content(content, MODULE_OCTETS_MAX);
    await store.putContent(id, createHash("sha256").update(octets).digest("hex"), octets, CLI_ACTOR);
  }
  const { hasServer } = peersOf(context);
  const checked = checkCatalogDocument(value, await surroundingsOf(store, id, hasServer));
  if (!checked.fits) {
    for (const { at, wanted } of checked.problems) context.note(`${file} ${at}: ${wanted}`);
    const [first] = checked.problems;
    throw new TurnupError(
      "catalog_malformed",
      `${file} has ${checked.problems.length} problems; nothing was changed.`,
      {
        nextStep: `Mend the places named above, first ${first?.at}.`,
      },
    );
  }
  const diff = await store.import(id, checked.value, { actor: CLI_ACTOR, dryRun });
  if (diff === "changed") throw new Error("an import without expectations was refused");
  if (context.json) await context.printJson({ applied: !dryRun, ...diff });
  else for (const line of linesOf(diff, dryRun)) await context.print(line);
  return "ok";
}

function* linesOf({ items, terms }: CatalogDiff, dryRun: boolean): Iterable<string> {
  for (const [what, diff] of [
    ["item", items],
    ["terms", { ...terms, retired: [] }],
  ] as const) {
    for (const id of diff.added) yield `+ ${what} ${id}`;
    for (const { id, members } of diff.changed) yield `~ ${what} ${id}: ${members.join(", ")}`;
    for (const id of diff.retired) yield `- ${what} ${id}`;
  }
  if (isEmptyDiff({ items, terms })) yield "nothing changes";
  else if (dryRun) yield "nothing was changed: this was a dry run";
}

function textOf(octets: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    throw new TurnupError("catalog_malformed", "The file is not UTF-8.", { nextStep: "Save it as UTF-8." });
  }
}
