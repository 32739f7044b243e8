/** What the PostgreSQL driver has and its types do not say. */
import { Socket } from "node:net";
import type pg from "pg";
import { onlyOf } from "../../term/collections.ts";
import { membersOf } from "../../term/narrow.ts";

/** The configuration of a pool as that of a single session: the driver takes the same members for both. */
export const sessionConfigOf = (connection: pg.PoolConfig): pg.ClientConfig => connection;

/** The number of the server's process that serves this session; undefined before it is connected. */
export const processIdOf = (client: pg.ClientBase): unknown => membersOf(client).processID;

/** The socket of a session, if it has one. */
export function socketOf(client: pg.ClientBase): Socket | undefined {
  const { stream } = membersOf(membersOf(client).connection);
  return stream instanceof Socket ? stream : undefined;
}

/** The row of a statement that gives exactly one. @throws RangeError: it gave none, or more */
export function the<Row>(rows: readonly Row[]): Row {
  const row = onlyOf(rows);
  if (row === undefined) throw new RangeError(`${rows.length} rows where one was asked for`);
  return row;
}
