/**
 * PostgreSQL's COPY over a session of the driver: rows out as they are asked for, rows in as the server takes them, in
 * the text form that every version reads. Source: PostgreSQL, Message Flow, "COPY Operations".
 */
import { once } from "node:events";
import type { Socket } from "node:net";
import type pg from "pg";

/** What the driver gives a query that handles its messages itself; its types leave it out. */
type Connection = {
  readonly stream: Socket;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(why: string): void;
};
/** Rows that wait to be read before the server is told to wait, and that wait to be sent before we do. */
const WAITING_OCTETS_MAX = 4 * 1_024 * 1_024;

/** One COPY on its way: what the driver tells it, and a way to wait for the next thing told. */
class Copy {
  connection: Connection | undefined;
  failure: Error | undefined;
  /** The server is ready for the next statement, or gone. */
  isOver = false;
  mayInsert = false;
  waitingOctets = 0;
  readonly chunks: Buffer[] = [];
  readonly #text: string;
  /** Takes each chunk as it comes, in the driver's own buffer; false ends it. */
  readonly #take: ((chunk: Buffer) => boolean) | undefined;
  #told: (() => void) | undefined;

  constructor(text: string, take?: (chunk: Buffer) => boolean) {
    this.#text = text;
    this.#take = take;
  }

  /** Resolves when the server says something more. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#told = resolve;
    });
  }
  #tell(): void {
    this.#told?.();
    this.#told = undefined;
  }

  submit(connection: Connection): void {
    this.connection = connection;
    connection.stream.once("close", this.#over);
    connection.query(this.#text);
  }
  handleCopyInResponse(): void {
    this.mayInsert = true;
    this.#tell();
  }
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#take) {
      this.#give(chunk, this.#take);
      return;
    }
    this.chunks.push(Buffer.from(chunk)); // the driver uses its buffer again
    this.waitingOctets += chunk.length;
    if (this.waitingOctets > WAITING_OCTETS_MAX) this.connection?.stream.pause();
    this.#tell();
  }
  #give(chunk: Buffer, take: (chunk: Buffer) => boolean): void {
    if (this.failure) return;
    try {
      if (take(chunk)) return;
      this.failure = new Error("nobody reads on");
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
    this.connection?.stream.destroy();
  }
  /** The driver tells nothing more to a query that failed. */
  handleError(error: Error): void {
    this.failure ??= error;
    this.#over();
  }
  readonly #over = (): void => {
    this.isOver = true;
    this.connection?.stream.off("close", this.#over);
    this.#tell();
  };
  handleReadyForQuery(): void {
    this.#over();
  }
  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

function begin(client: pg.ClientBase, text: string, take?: (chunk: Buffer) => boolean): Copy {
  const copy = new Copy(text, take);
  client.query(copy as unknown as pg.Submittable); // it handles more messages than the type knows
  return copy;
}

/** `text` is a `copy ... to stdout`. Each buffer is one row with its line end. */
export async function* copyOut(client: pg.ClientBase, text: string): AsyncGenerator<Buffer> {
  const copy = begin(client, text);
  while (!copy.isOver || copy.chunks.length > 0) {
    for (const chunk of copy.chunks.splice(0)) {
      copy.waitingOctets -= chunk.length;
      yield chunk;
    }
    copy.connection?.stream.resume();
    if (copy.chunks.length === 0 && !copy.isOver) await copy.next();
  }
  if (copy.failure) throw copy.failure;
}

/**
 * `text` is a `copy ... to stdout` of millions of rows: each is given to `take` as it comes, in a buffer that is used again
 * afterwards. Where `take` answers false, the session ends with it.
 */
export async function copyOutEach(
  client: pg.ClientBase,
  text: string,
  take: (chunk: Buffer) => boolean,
): Promise<void> {
  const copy = begin(client, text, take);
  while (!copy.isOver) await copy.next();
  if (copy.failure) throw copy.failure;
}

/** `text` is a `copy ... from stdin`. The chunks may be cut anywhere. */
export async function copyIn(
  client: pg.ClientBase,
  text: string,
  rows: AsyncIterable<Buffer>,
): Promise<void> {
  const copy = begin(client, text);
  while (!copy.mayInsert && !copy.isOver) await copy.next();
  const { connection } = copy;
  if (connection && !copy.isOver) {
    try {
      for await (const chunk of rows) {
        if (copy.failure || copy.isOver) break;
        connection.sendCopyFromChunk(chunk);
        if (connection.stream.writableLength > WAITING_OCTETS_MAX)
          await Promise.race([once(connection.stream, "drain"), copy.next()]);
      }
      if (!copy.failure) connection.endCopyFrom();
    } catch (error) {
      connection.sendCopyFail("the rows ended early");
      while (!copy.isOver) await copy.next();
      throw error;
    }
  }
  while (!copy.isOver) await copy.next();
  if (copy.failure) throw copy.failure;
}
