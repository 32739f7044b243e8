/**
 * Filters (RFC 7644 clause 3.4.2.2), read to a function that tells whom they fit.
 *
 *   FILTER  = and-terms joined by `or`; `and` binds closer, `not (...)` and brackets closest
 *   term    = PATH `pr` | PATH OP VALUE | PATH `[` FILTER `]` | PATH `[` FILTER `]` `.sub` OP VALUE
 *   OP      = eq ne co sw ew gt ge lt le, in any case          VALUE = a JSON text, number, true, false, null
 *
 * A list fits if one of its values does. What a user lacks fits `ne` and `eq null`, and neither `eq` nor an order.
 */
import { isObject } from "../../term/narrow.ts";
import { type Attribute, attributeNamed, type Json, type ResourceKind, resolvePath } from "./schema.ts";
import { refusal } from "./scim-error.ts";
import { booleanOf, comparable, isPresent } from "./value.ts";

const MAX_CHARACTERS = 4_000;
const MAX_DEPTH = 20;
const OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] as const;
type Operator = (typeof OPERATORS)[number];
const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

export type Filter = {
  matches(node: Json): boolean;
  /** Where the filter is nothing but `eq` joined by `and`: values by the names of attributes. */
  readonly equalities: ReadonlyMap<string, unknown> | undefined;
};
/** An attribute as a filter names it, and its values in a resource or in one entry of a list. */
type Operand = {
  readonly attribute: Attribute;
  /** Undefined where a name of the schema alone does not say where it stands. */
  readonly name: string | undefined;
  valuesOf(node: Json): readonly unknown[];
};
type Names = (name: string) => Operand | undefined;
type Reading = { readonly tokens: readonly string[]; at: number; depth: number };

/** @throws ScimError `invalidFilter` */
export function parseFilter(text: string, kind: ResourceKind): Filter {
  return parsed(text, (name) => operandOf(kind, name));
}

/** A filter over the entries of one list, as it stands in square brackets. @throws ScimError `invalidFilter` */
export function parseValueFilter(text: string, list: Attribute): Filter {
  return parsed(text, (name) => subOperandOf(list, name));
}

function parsed(text: string, names: Names): Filter {
  const reading: Reading = { tokens: tokensOf(text), at: 0, depth: 0 };
  const filter = readOr(reading, names);
  if (reading.at < reading.tokens.length) throw invalid(`"${reading.tokens[reading.at]}" is not expected`);
  return filter;
}

const invalid = (fact: string) => refusal("invalidFilter", `The filter cannot be read: ${fact}.`);

function tokensOf(text: string): string[] {
  if (text.length > MAX_CHARACTERS) throw invalid(`it has more than ${MAX_CHARACTERS} characters`);
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  const scan = new RegExp(TOKEN);
  while (scan.lastIndex < end) {
    const at = scan.lastIndex;
    const found = scan.exec(text);
    if (!found) throw invalid(`at character ${at + 1}`);
    tokens.push(found[0].trimStart());
  }
  if (tokens.length === 0) throw invalid("it is empty");
  return tokens;
}

function readOr(reading: Reading, names: Names): Filter {
  let left = readAnd(reading, names);
  while (isWord(reading, "or")) {
    const one = left;
    const other = readAnd(reading, names);
    left = { matches: (node) => one.matches(node) || other.matches(node), equalities: undefined };
  }
  return left;
}

function readAnd(reading: Reading, names: Names): Filter {
  let left = readTerm(reading, names);
  while (isWord(reading, "and")) {
    const one = left;
    const other = readTerm(reading, names);
    const equalities =
      one.equalities && other.equalities && new Map([...one.equalities, ...other.equalities]);
    left = { matches: (node) => one.matches(node) && other.matches(node), equalities };
  }
  return left;
}

function readTerm(reading: Reading, names: Names): Filter {
  if (isWord(reading, "(")) return readInside(reading, names, ")");
  const name = next(reading, "an attribute");
  if (name.toLowerCase() === "not") {
    if (!isWord(reading, "(")) throw invalid('"not" wants brackets behind it');
    const inside = readInside(reading, names, ")");
    return { matches: (node) => !inside.matches(node), equalities: undefined };
  }
  const operand = names(name);
  if (!operand) throw invalid(`"${name}" is no attribute that can be asked for`);
  return isWord(reading, "[") ? readEntries(reading, operand) : readComparison(reading, operand);
}

function readInside(reading: Reading, names: Names, close: ")" | "]"): Filter {
  if (++reading.depth > MAX_DEPTH) throw invalid(`its brackets are more than ${MAX_DEPTH} deep`);
  const inside = readOr(reading, names);
  if (!isWord(reading, close)) throw invalid(`"${close}" is missing`);
  reading.depth--;
  return inside;
}

/** `emails[type eq "work"]`, and `emails[type eq "work"].value co "x"` as clients write it by the form of PATCH's paths. */
function readEntries(reading: Reading, operand: Operand): Filter {
  const { attribute } = operand;
  if (attribute.type !== "complex") throw invalid(`${attribute.name} has no members`);
  const inside = readInside(reading, (name) => subOperandOf(attribute, name), "]");
  const fitting = (node: Json) =>
    operand.valuesOf(node).filter((one) => isObject(one) && inside.matches(one));
  const [, sub] = /^\.(.+)$/.exec(reading.tokens[reading.at] ?? "") ?? [];
  if (sub === undefined) return { matches: (node) => fitting(node).length > 0, equalities: undefined };
  reading.at++;
  const member = subOperandOf(attribute, sub);
  if (!member) throw invalid(`${attribute.name} has no "${sub}"`);
  const behind = {
    ...member,
    name: undefined,
    valuesOf: (node: Json) => fitting(node).flatMap((one) => (isObject(one) ? member.valuesOf(one) : [])),
  };
  return readComparison(reading, behind);
}

function readComparison(reading: Reading, operand: Operand): Filter {
  const word = next(reading, "an operator").toLowerCase();
  if (word === "pr")
    return { matches: (node) => operand.valuesOf(node).some(isPresent), equalities: undefined };
  const operator = OPERATORS.find((one) => one === word);
  if (!operator) throw invalid(`"${word}" is no operator`);
  const wanted = literalOf(next(reading, "a value"));
  const compared = comparedBy(operand);
  const fits = comparison(operator, compared.attribute, wanted);
  const isEquality = operator === "eq" && wanted !== null && operand.name !== undefined;
  return {
    matches: (node) => fits(compared.valuesOf(node)),
    equalities: isEquality ? new Map([[operand.name ?? "", wanted]]) : undefined,
  };
}

/** RFC 7643 clause 2.4: a list of objects is compared by their `value`. */
function comparedBy(operand: Operand): Operand {
  if (operand.attribute.type !== "complex") return operand;
  const value = subOperandOf(operand.attribute, "value");
  if (!value) throw invalid(`${operand.attribute.name} has members; one of them is wanted`);
  return {
    ...value,
    valuesOf: (node) => operand.valuesOf(node).flatMap((one) => (isObject(one) ? value.valuesOf(one) : [])),
  };
}

function comparison(
  operator: Operator,
  attribute: Attribute,
  wanted: unknown,
): (values: readonly unknown[]) => boolean {
  if (wanted === null) {
    if (operator === "eq") return (values) => !values.some(isPresent);
    if (operator === "ne") return (values) => values.some(isPresent);
    throw invalid(`null is compared by eq and ne alone`);
  }
  const sought = comparable(attribute, attribute.type === "boolean" ? booleanOf(wanted) : wanted);
  if (sought === undefined || (attribute.type === "boolean") !== (typeof sought === "boolean"))
    throw invalid(`${attribute.name} is of type ${attribute.type}, which this value is not`);
  const isOrdered = attribute.type !== "boolean" && attribute.type !== "binary";
  if (!isOrdered && operator !== "eq" && operator !== "ne")
    throw invalid(`${attribute.name} is of type ${attribute.type}, which has no "${operator}"`);
  if (typeof sought === "number" && ["co", "sw", "ew"].includes(operator))
    throw invalid(`${attribute.name} is a time, which has no "${operator}"`);
  const fits = (value: unknown): boolean => {
    const found = comparable(attribute, value);
    return found !== undefined && isSo(operator, found, sought);
  };
  return operator === "ne"
    ? (values) =>
        values.length === 0 || values.some((value) => !isSo("eq", comparable(attribute, value), sought))
    : (values) => values.some(fits);
}

type Comparable = string | number | boolean | undefined;
function isSo(operator: Operator, found: Comparable, sought: NonNullable<Comparable>): boolean {
  switch (operator) {
    case "eq":
      return found === sought;
    case "ne":
      return found !== sought;
    case "co":
      return String(found).includes(String(sought));
    case "sw":
      return String(found).startsWith(String(sought));
    case "ew":
      return String(found).endsWith(String(sought));
    case "gt":
      return found !== undefined && found > sought;
    case "ge":
      return found !== undefined && found >= sought;
    case "lt":
      return found !== undefined && found < sought;
    case "le":
      return found !== undefined && found <= sought;
  }
}

function operandOf(kind: ResourceKind, name: string): Operand | undefined {
  const path = resolvePath(kind, name);
  if (!path?.attribute || path.attribute.returned === "never") return undefined;
  const { schema, attribute, sub } = path;
  const named = (node: Json): readonly unknown[] => {
    const place = schema === undefined ? node : node[schema];
    return isObject(place) ? listOf(place[attribute.name]) : [];
  };
  if (!sub) return { attribute, name: schema === undefined ? attribute.name : undefined, valuesOf: named };
  const valuesOf = (node: Json) => named(node).flatMap((one) => (isObject(one) ? listOf(one[sub.name]) : []));
  return { attribute: sub, name: undefined, valuesOf };
}

function subOperandOf(list: Attribute, name: string): Operand | undefined {
  const sub = attributeNamed(list.subAttributes ?? [], name);
  return sub && { attribute: sub, name: sub.name, valuesOf: (node) => listOf(node[sub.name]) };
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

function isWord(reading: Reading, word: string): boolean {
  if (reading.tokens[reading.at]?.toLowerCase() !== word) return false;
  reading.at++;
  return true;
}

function next(reading: Reading, wanted: string): string {
  const token = reading.tokens[reading.at++];
  if (token === undefined) throw invalid(`${wanted} is missing at its end`);
  if (/^[()[\]]$/.test(token)) throw invalid(`${wanted} is missing before "${token}"`);
  return token;
}

function literalOf(token: string): unknown {
  const word = token.toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  if (word === "null") return null;
  if (NUMBER.test(token)) return Number(token);
  try {
    if (token.startsWith('"')) return JSON.parse(token);
  } catch {
    // A text with an escape that JSON does not have.
  }
  throw invalid(`${token} is no value: a text stands in quotes`);
}
