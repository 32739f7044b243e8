/**
 * Writes `schema.sql`: the tables as all migrations together leave them, for whoever reads or writes SQL here. The database
 * is asked for it, so nobody keeps it by hand. Names of indexes stand behind the statements that run on them.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";

const FILE = join(import.meta.dirname, "schema.sql");
const UPDATE = "UPDATE_SCHEMA=1 npx vitest run src/store/database/schema.test.ts";
const database = await freshDatabase();

const TABLES = `select c.oid::int as oid, c.relname as name, pg_get_partkeydef(c.oid) as "partitionedBy" from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   and c.relname not in ('migration_checksum', 'migration_progress') order by c.relname`;
const COLUMNS = `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as "isNeeded",
       pg_get_expr(d.adbin, d.adrelid) as value, a.attidentity <> '' as "isIdentity", a.attgenerated <> '' as "isGenerated"
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`;
/** Without "not null", which a column says itself, and which PostgreSQL 18 counts among them. */
const CONSTRAINTS = `select conname as name, pg_get_constraintdef(oid) as text from pg_constraint
 where conrelid = $1 and contype in ('p', 'u', 'f', 'c', 'x') order by position(contype::text in 'pufcx'), conname`;
const INDEXES = `select pg_get_indexdef(i.indexrelid) as text from pg_index i join pg_class c on c.oid = i.indexrelid
 where i.indrelid = $1 and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
 order by c.relname`;
type Table = { readonly oid: number; readonly name: string; readonly partitionedBy: string | null };
type Column = {
  readonly name: string;
  readonly type: string;
  readonly isNeeded: boolean;
  readonly value: string | null;
  readonly isIdentity: boolean;
  readonly isGenerated: boolean;
};

const columnText = ({ name, type, isNeeded, value, isIdentity, isGenerated }: Column): string =>
  [
    `${name} ${type}`,
    isNeeded ? "not null" : "",
    isIdentity ? "generated as identity" : "",
    value === null ? "" : isGenerated ? `generated always as (${value}) stored` : `default ${value}`,
  ]
    .filter((part) => part !== "")
    .join(" ");

async function tableText({ oid, name, partitionedBy }: Table): Promise<string> {
  const columns = await database.rows<Column>(COLUMNS, [oid]);
  const constraints = await database.rows<{ name: string; text: string }>(CONSTRAINTS, [oid]);
  const indexes = await database.rows<{ text: string }>(INDEXES, [oid]);
  const lines = [
    ...columns.map(columnText),
    ...constraints.map((one) => `constraint ${one.name} ${one.text}`),
  ];
  const partition = partitionedBy === null ? "" : ` partition by ${partitionedBy}`;
  return [
    `create table ${name} (\n${lines.map((line) => `  ${line}`).join(",\n")}\n)${partition};`,
    ...indexes.map(
      ({ text }) =>
        `${text.replace(/ ON (ONLY )?public\./, " ON ").replace(/^CREATE (UNIQUE )?INDEX/, (words) => words.toLowerCase())};`,
    ),
  ].join("\n");
}

test("schema.sql shows the tables as the migrations leave them", async () => {
  const tables: string[] = [];
  for (const table of await database.rows<Table>(TABLES)) tables.push(await tableText(table));
  const now = `-- The tables as the migrations leave them: to read, not to run. Written by\n--   ${UPDATE}\n\n${tables.join("\n\n")}\n`;
  if (process.env.UPDATE_SCHEMA) writeFileSync(FILE, now);
  assert.equal(readFileSync(FILE, "utf8"), now, `run: ${UPDATE}`);
});
