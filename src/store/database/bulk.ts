/**
 * Many rows in one statement: columns go as arrays through `unnest`, so that a batch costs one round trip and one plan
 * whatever its size. A column of arrays travels as PostgreSQL's array text, since `unnest` would flatten it.
 */
import type { Db, Statement, Tx } from "./database.ts";

export type Column<Row> = {
  readonly name: string;
  /** PostgreSQL type of one value; one of arrays or of JSON travels as text. */
  readonly type: string;
  readonly value: (row: Row) => unknown;
  /** In an update: null leaves what is there. */
  readonly keep?: boolean;
};

const isJson = (type: string): boolean => type === "jsonb" || type === "json";
const travelsAsText = (type: string): boolean => type.endsWith("[]") || isJson(type);
const sent = (type: string): string => (travelsAsText(type) ? "text" : type);
const received = (column: { readonly name: string; readonly type: string }): string =>
  travelsAsText(column.type) ? `v.${column.name}::${column.type}` : `v.${column.name}`;

function source<Row>(columns: readonly Column<Row>[]): string {
  const arrays = columns.map(({ type }, at) => `$${at + 1}::${sent(type)}[]`).join(", ");
  return `unnest(${arrays}) as v(${columns.map(({ name }) => name).join(", ")})`;
}

const valuesOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): unknown[][] =>
  columns.map(({ type, value }) =>
    rows.map((row) => {
      const plain = value(row);
      if (plain === null || plain === undefined) return null;
      if (isJson(type)) return JSON.stringify(plain);
      if (type.endsWith("[]")) return arrayText(plain as readonly string[]); // the column is a list
      return plain;
    }),
  );

/** `{"a","b"}`: quoted throughout, so that commas and braces in a value mean nothing. */
const arrayText = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;

/** A name is prepared once a connection and means one text: two writers of one table need two. */
let named = 0;
const nameOf = (verb: string, table: string): string => `${verb}_${table}_${++named}`;

/** Writes rows and answers how many; `send` does so within a transaction without waiting. */
type Writer<Row> = {
  (db: Db, rows: readonly Row[]): Promise<number>;
  send(tx: Tx, rows: readonly Row[]): void;
  /** As itself, of a statement that ends with `returning id`: of which rows. */
  ids(db: Db, rows: readonly Row[]): Promise<readonly string[]>;
};

function writerOf<Row>(statement: Statement, columns: readonly Column<Row>[]): Writer<Row> {
  const write = async (db: Db, rows: readonly Row[]): Promise<number> =>
    rows.length === 0 ? 0 : db.run(statement, valuesOf(columns, rows));
  const send = (tx: Tx, rows: readonly Row[]): void => {
    if (rows.length > 0) tx.send(statement, valuesOf(columns, rows));
  };
  const ids = async (db: Db, rows: readonly Row[]): Promise<readonly string[]> => {
    if (rows.length === 0) return [];
    const written = await db.rows<{ id: string }>(statement, valuesOf(columns, rows));
    return written.map(({ id }) => id);
  };
  return Object.assign(write, { send, ids });
}

/** Answers a writer that inserts rows in the given order of columns. `tail` is what follows: `on conflict ...`. */
export function bulkInsert<Row>(table: string, columns: readonly Column<Row>[], tail = ""): Writer<Row> {
  const statement: Statement = {
    name: nameOf("insert", table),
    text: `insert into ${table} (${columns.map(({ name }) => name).join(", ")})
           select ${columns.map(received).join(", ")} from ${source(columns)} ${tail}`,
  };
  return writerOf(statement, columns);
}

/** Answers a writer that updates rows by `id`, the first column. `also` is SQL set beside the columns. */
export function bulkUpdate<Row>(
  table: string,
  columns: readonly Column<Row>[],
  { also = "", where = "" }: { readonly also?: string; readonly where?: string } = {},
): Writer<Row> {
  const set = columns
    .slice(1)
    .map((column) => {
      const value = received(column);
      return `${column.name} = ${column.keep ? `coalesce(${value}, t.${column.name})` : value}`;
    })
    .concat(also === "" ? [] : [also])
    .join(", ");
  const statement: Statement = {
    name: nameOf("update", table),
    text: `update ${table} t set ${set} from ${source(columns)} where t.id = v.id ${where}`,
  };
  return writerOf(statement, columns);
}
