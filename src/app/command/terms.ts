/** `turnup terms ...`: the exact texts that people agree to. They are written with the catalog file, or by themselves. */
import { parseCatalogYaml } from "../../http/v1/catalog/catalog-yaml.ts";
import { checkTerms, TERMS_CHARACTERS_MAX } from "../../kernel/catalog/check-catalog.ts";
import { isCatalogId } from "../../kernel/catalog/reading.ts";
import { TurnupError } from "../../term/error.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { catalogOf } from "./catalog.ts";

const FILE_OCTETS_MAX = TERMS_CHARACTERS_MAX * 20;
/** Of a text in a list. */
const BEGINNING_CHARACTERS = 60;

export const termsListCommand: Command = {
  name: "terms list",
  summary: "List the terms in force",
  options: OPERATOR_OPTIONS,
  examples: ["turnup terms list", "turnup terms list --json"],
  run: async (context) =>
    await withOperator(context, async (opened) => {
      const terms = await catalogOf(opened).listTerms(opened.operator.id);
      if (context.json) for (const one of terms) await context.printJson(one);
      else if (terms.length === 0) context.note("there are no terms");
      else {
        const rows = terms.map(({ id, version, texts, madeAt, madeBy }) => [
          id,
          String(version),
          Object.keys(texts).join(", "),
          timeOf(madeAt),
          madeBy,
          (texts.en ?? "").replaceAll(/\s+/g, " ").slice(0, BEGINNING_CHARACTERS),
        ]);
        const heads = ["ID", "VERSION", "LANGUAGES", "MADE", "BY", "BEGINS"];
        for (const line of tableOf(heads, rows)) await context.print(line);
      }
      return "ok";
    }),
};

export const termsShowCommand: Command = {
  name: "terms show",
  summary: "Show terms in every language, and their versions with --json",
  args: [{ usage: "<id>", about: "of the terms" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup terms show mail-terms", "turnup terms show mail-terms --json"],
  async run(context) {
    const [id = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const versions = await catalogOf(opened).termsVersions(opened.operator.id, id);
      const [newest] = versions;
      if (!newest) {
        throw new TurnupError("terms_not_found", "There are no such terms.", {
          nextStep: "`turnup terms list` lists them.",
        });
      }
      if (context.json) for (const one of versions) await context.printJson(one);
      else {
        await context.print(
          `${newest.id}, version ${newest.version}, ${timeOf(newest.madeAt)} by ${newest.madeBy}`,
        );
        for (const [language, text] of Object.entries(newest.texts))
          await context.print(`\n[${language}]\n${text.trimEnd()}`);
      }
      return "ok";
    });
  },
};

export const termsPutCommand: Command = {
  name: "terms put",
  summary: "Write terms, or a next version of them, from a YAML file of texts by language",
  description:
    "The file: en: ..., de: ... Every language at once; English is needed. The same texts again change nothing.",
  args: [
    { usage: "<id>", about: "of the terms" },
    { usage: "<file>", about: "the file; - reads standard input" },
  ],
  options: OPERATOR_OPTIONS,
  examples: ["turnup terms put mail-terms terms.yaml"],
  async run(context) {
    const [id = "", file = "-"] = context.args;
    if (!isCatalogId(id)) throw new UsageError("An id is 1 to 63 of a-z, 0-9 and -.");
    const octets = await context.content(file, FILE_OCTETS_MAX);
    const checked = checkTerms(parseCatalogYaml(octets.toString("utf8")));
    if (!checked.fits) {
      for (const { at, wanted } of checked.problems)
        context.note(`${file} ${at.replace(/^body\/?/, "")}: ${wanted}`);
      throw new TurnupError(
        "catalog_malformed",
        `${file} has ${checked.problems.length} problems; nothing was changed.`,
      );
    }
    return await withOperator(context, async (opened) => {
      const put = await catalogOf(opened).putTerms(opened.operator.id, id, checked.value, {
        expected: () => true,
        actor: CLI_ACTOR,
      });
      if (put.outcome === "changed") throw new Error("a change without expectations was refused");
      if (context.json) await context.printJson({ id, ...put });
      else
        await context.print(
          put.outcome === "stored" ? `${id} is version ${put.version} now` : "nothing changes",
        );
      return "ok";
    });
  },
};
