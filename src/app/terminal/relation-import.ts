/**
 * What an operator agreed with manufacturers, as a file: JSON (a list, or what GET /v1/relations answers) or csv. Each
 * row is held to the same rules as one that comes over HTTP; a bad one is refused and the rest goes on.
 */

import { InvalidRequest } from "../../http/problem.ts";
import { RelationIn } from "../../http/v1/relations.ts";
import { compileValidator } from "../../http/validation.ts";
import { DEFAULT_KEY_TERMS, type Relation } from "../../kernel/operator/operator-terms.ts";
import { TurnupError } from "../../term/error.ts";
import { membersOf, messageOf } from "../../term/narrow.ts";
import { csvRecords, separatorOf } from "../../wire/csv/csv.ts";

type RelationsImport = {
  readonly relations: readonly Relation[];
  readonly refused: readonly { readonly where: string; readonly reason: string }[];
};

/** A file holds a row a manufacturer: there are some hundreds of them. */
const RELATIONS_MAX = 10_000;
const MAKE_CHARACTERS_MAX = 80;

type Placed = { readonly where: string; readonly row: Readonly<Record<string, unknown>> | string };

/** @throws TurnupError `dataset_malformed`: neither JSON nor csv of relations */
export function parseRelationsImport(text: string): RelationsImport {
  const isJson = /^\ufeff?\s*[[{]/.test(text);
  const relations: Relation[] = [];
  const refused: { where: string; reason: string }[] = [];
  const seen = new Map<string, string>();
  let count = 0;
  for (const { where, row } of isJson ? jsonRows(text) : csvRows(text)) {
    if (++count > RELATIONS_MAX) throw malformed(`The file has more than ${RELATIONS_MAX} relations.`);
    const relation = typeof row === "string" ? row : relationOf(row);
    if (typeof relation === "string") {
      refused.push({ where, reason: relation });
      continue;
    }
    const key = relation.make.toLowerCase();
    const before = seen.get(key);
    if (before) refused.push({ where, reason: `${relation.make} stands at ${before} already` });
    else {
      seen.set(key, where);
      relations.push(relation);
    }
  }
  return { relations, refused };
}

const malformed = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("dataset_malformed", fact, {
    cause,
    nextStep:
      "A relation has make, deal, keySource, keyServer, appHosts, feeMinor, currency, feeLevel, portionBasisPoints; in csv ." +
      "make, deal, key_source and so on.",
  });

function* jsonRows(text: string): Generator<Placed> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw malformed(`The file is not JSON: ${messageOf(cause)}.`, cause);
  }
  const inside = isObject(value) && "relations" in value ? value.relations : value;
  const list = Array.isArray(inside) ? inside : [inside];
  for (const [at, row] of list.entries()) {
    yield { where: `relation ${at + 1}`, row: isObject(row) ? row : "is no object" };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Columns of the csv; a list is parted by `|`, what has parts of its own is JSON in its cell. */
const CELLS: Readonly<Record<string, readonly [name: string, read: (cell: string) => unknown]>> = {
  make: ["make", String],
  deal: ["deal", yesOrNo],
  key_source: ["keySource", String],
  key_server: ["keyServer", String],
  access_points: ["accessPoints", fromJson],
  app_hosts: ["appHosts", (cell) => cell.split("|").map((host) => host.trim())],
  key_issuers: ["keyIssuers", fromJson],
  fee_minor: ["feeMinor", integerOf],
  currency: ["currency", String],
  fee_level: ["feeLevel", String],
  portion_basis_points: ["portionBasisPoints", integerOf],
  key_request_by: ["keyRequestBy", String],
  delete_after_use: ["deleteAfterUse", yesOrNo],
  key_apns_as_settings: ["keyApnsAsSettings", yesOrNo],
  key_stock_low: ["keyStockLow", integerOf],
  portion_paid_by: ["portionPaidBy", String],
};

function yesOrNo(cell: string): unknown {
  return /^(yes|true|1)$/i.test(cell) ? true : /^(no|false|0)$/i.test(cell) ? false : cell;
}

function fromJson(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell; // the check says what it should be
  }
}

/** Text stays text where it is no integer: the check refuses it. */
function integerOf(cell: string): unknown {
  return /^\d{1,15}$/.test(cell) ? Number(cell) : cell;
}

function* csvRows(text: string): Generator<Placed> {
  let header: readonly string[] | undefined;
  for (const { line, cells, fault } of csvRecords(text, separatorOf(text))) {
    if (!header) {
      header = headerOf(cells);
      continue;
    }
    const row: Record<string, unknown> = {};
    for (const [at, name] of header.entries()) {
      const cell = (cells[at] ?? "").trim();
      const [field, read] = CELLS[name] ?? [];
      if (cell !== "" && field && read) row[field] = read(cell);
    }
    const isWide = cells.length > header.length;
    yield {
      where: `line ${line}`,
      row: fault ?? (isWide ? `has ${cells.length} cells, the header has ${header.length}` : row),
    };
  }
  if (!header) throw malformed("The file is empty.");
}

function headerOf(cells: readonly string[]): readonly string[] {
  const header = cells.map((cell) => cell.trim().toLowerCase());
  const strange = header.find((name) => !Object.hasOwn(CELLS, name));
  if (strange !== undefined) throw malformed(`The column ${strange.slice(0, 40)} is not known.`);
  if (!header.includes("make")) throw malformed("The header lacks make.");
  return header;
}

const HIDDEN = "***";
/** What may be left out, and what that means. */
const ABSENT = {
  ...DEFAULT_KEY_TERMS,
  keyServer: null,
  accessPoints: [],
  appHosts: [],
  keyIssuers: {},
  portionPaidBy: "payment_system",
} as const;
const check = compileValidator({ schema: RelationIn, method: "PUT", url: "", httpPart: "body" });

/** The relation, or why it is none. */
function relationOf({ make, ...given }: Readonly<Record<string, unknown>>): Relation | string {
  if (typeof make !== "string" || make.trim() === "") return "make is missing";
  if (make.length > MAKE_CHARACTERS_MAX || /\p{Cc}/u.test(make)) {
    return `make is longer than ${MAKE_CHARACTERS_MAX} characters or holds a control character`;
  }
  const whole = { ...ABSENT, ...given };
  const { error } = membersOf(check(whole));
  if (error instanceof InvalidRequest) {
    return error.errors.map(({ at, wanted }) => `${at.replace(/^body\/?/, "")} ${wanted}`).join("; ");
  }
  const relation = { ...whole, make: make.trim() } as unknown as Omit<Relation, "feeMinor"> & {
    // the schema was checked above
    readonly feeMinor: number;
  };
  if (relation.accessPoints.some(({ password }) => password === HIDDEN)) {
    return `a password reads ${HIDDEN}: this was written for somebody who may not see it`;
  }
  return { ...relation, feeMinor: BigInt(relation.feeMinor) };
}
