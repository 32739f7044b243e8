/**
 * The catalog as a YAML file that people review (YAML 1.2, core schema). The text may come from anybody: its size, its
 * aliases and its depth are limited, it holds one document without tags, and what is wrong is told by place, not quoted.
 */
import { isAlias, isCollection, isPair, LineCounter, parseDocument, stringify, visit } from "yaml";
import { type CatalogDocument, writeCatalogDocument } from "../../../kernel/catalog/check-catalog.ts";
import { TurnupError } from "../../../term/error.ts";

/** 500 items with descriptions, and terms in some languages, are a quarter of it. */
export const CATALOG_FILE_OCTETS_MAX = 1_048_576;
const ALIASES_MAX = 100;
/** A catalog is six deep. */
const DEPTH_MAX = 20;
const LINE_WIDTH = 100;

/** What a fault is told as: with the line, where it has one. */
type Malformed = (fact: string, line?: number) => TurnupError;

/** @throws TurnupError `catalog_malformed` no YAML, or beyond a limit; `details` name the line */
export const parseCatalogYaml = (text: string): unknown => parseYaml(text, malformed);

/** YAML that may come from anybody. @throws what `malformed` makes of a fault */
export function parseYaml(text: string, malformed: Malformed): unknown {
  if (Buffer.byteLength(text, "utf8") > CATALOG_FILE_OCTETS_MAX) {
    throw malformed(`A file has at most ${CATALOG_FILE_OCTETS_MAX} octets.`);
  }
  refuseDeepFlow(text, malformed);
  const lines = new LineCounter();
  const document = parsed(text, lines, malformed);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) {
    const { line } = lines.linePos(fault.pos[0]);
    throw malformed(
      `Line ${line} is not YAML as it is read here: ${fault.code.toLowerCase().replaceAll("_", " ")}.`,
      line,
    );
  }
  refuseNodes(document, lines, malformed);
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    throw malformed(`A file has at most ${ALIASES_MAX} aliases.`);
  }
}

export const writeCatalogYaml = (document: CatalogDocument): string =>
  stringify(writeCatalogDocument(document), {
    lineWidth: LINE_WIDTH,
    aliasDuplicateObjects: false,
    blockQuote: "literal",
  });

function parsed(
  text: string,
  lineCounter: LineCounter,
  malformed: Malformed,
): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text, {
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: true,
      merge: false,
      prettyErrors: false, // a pretty one quotes the text
      stringKeys: true,
      lineCounter,
    });
  } catch (error) {
    if (error instanceof RangeError) throw malformed("It nests too deep.");
    throw malformed("It is not YAML.");
  }
}

/** Brackets are counted before anything is parsed: the parser calls itself for each. */
function refuseDeepFlow(text: string, malformed: Malformed): void {
  let depth = 0;
  for (const char of text) {
    if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth = Math.max(0, depth - 1);
    else if (char === "\n") depth = Math.min(depth, DEPTH_MAX); // brackets in prose need not close
    if (depth > DEPTH_MAX * 2) throw malformed("It nests too deep.");
  }
}

function refuseNodes(
  document: ReturnType<typeof parseDocument>,
  lines: LineCounter,
  malformed: Malformed,
): void {
  let aliases = 0;
  visit(document, (_key, node, path) => {
    if (isCollection(node) && path.filter((step) => !isPair(step)).length > DEPTH_MAX)
      throw malformed("It nests too deep.");
    if (!isAlias(node)) return;
    if (++aliases > ALIASES_MAX) throw malformed(`A file has at most ${ALIASES_MAX} aliases.`);
    const { line } = lines.linePos(node.range?.[0] ?? 0);
    const target = node.resolve(document);
    if (!target) throw malformed(`Line ${line} names an anchor that is not there.`, line);
    if (path.includes(target)) throw malformed(`Line ${line} stands inside what it names.`, line);
  });
}

const malformed: Malformed = (fact, line) =>
  new TurnupError("catalog_malformed", fact, {
    ...(line !== undefined && { details: { line } }),
    nextStep: "GET /v1/catalog.yaml, or `turnup catalog export`, shows the form.",
  });
