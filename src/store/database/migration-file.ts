/**
 * The numbered SQL files of `migrations/`. What a large table must not wait for stands in parts, each a transaction of its
 * own, between lines that say how the next one runs:
 *
 *   -- next transaction                    the statements below in one transaction
 *   -- next in batches of message          one statement, for the rows of `message` whose id is > $1 and <= $2
 *
 * A part may run again after those before it; within a batch everything is done or nothing.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assured } from "../../term/narrow.ts";

/** Beside this room in a checkout; in a release all is in one folder. */
const FOLDER = assured(
  ["migrations", "../migrations"]
    .map((folder) => join(import.meta.dirname, folder))
    .find((folder) => existsSync(folder)),
  "checkout and release both hold the migrations",
);
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;
const NEXT_PART = /^-- next (?:transaction|in batches of ([a-z_]+))[ \t]*\r?$/m;

export type MigrationFile = { readonly name: string; readonly text: string; readonly checksum: string };
/** `batchesOf` names the table whose ids, UUIDs, make the batches; null: one transaction. */
export type MigrationPart = { readonly text: string; readonly batchesOf: string | null };

/** The shipped files in order. Two with one number is a mistake of ours; a number may be kept for work that is under way. */
export function migrationFiles(folder: string = FOLDER): MigrationFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  let last = 0;
  return names.map((fileName) => {
    const number = Number(FILE_NAME.exec(fileName)?.[1]);
    if (!(number > last)) {
      throw new Error(`migrations are numbered 0001, 0002, ..., each once; ${fileName} breaks the row`);
    }
    last = number;
    const text = readFileSync(join(folder, fileName), "utf8");
    return { name: fileName.slice(0, -".sql".length), text, checksum: checksumOf(text) };
  });
}

/** Line ends may change on the way through version control; nothing else may. */
export const checksumOf = (text: string): string =>
  createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");

export function partsOf(text: string): readonly MigrationPart[] {
  const [first = "", ...rest] = text.split(NEXT_PART); // a text, then in turn: the table or undefined, a text
  const parts: MigrationPart[] = [{ text: first, batchesOf: null }];
  for (let at = 0; at < rest.length; at += 2)
    parts.push({ text: rest[at + 1] ?? "", batchesOf: rest[at] ?? null });
  return parts;
}
