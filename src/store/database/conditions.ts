/** Queries of lists, put together from fixed pieces of SQL and values that go beside them. */
import type { PageQuery } from "../../kernel/order/order-reader.ts";
import type { Values } from "./database.ts";

/** SQL that is put together from fixed pieces, with its values. */
export type Query = { readonly text: string; readonly values: Values };

/** Collects conditions and their values. */
export class Conditions {
  readonly #values: unknown[] = [];
  readonly #texts: string[] = [];
  /** `?` in the text stands for the value. */
  add(text: string, value: unknown): this {
    this.#values.push(value);
    this.#texts.push(text.replace("?", `$${this.#values.length}`));
    return this;
  }
  /** Adds nothing where the value is not given. */
  maybe(text: string, value: unknown): this {
    return value === undefined ? this : this.add(text, value);
  }
  /** A condition without a value. */
  fixed(text: string): this {
    this.#texts.push(text);
    return this;
  }
  /** `select`, these conditions, and the page: one row more than asked. */
  page(select: string, alias: string, { limit, cursor, order = "desc" }: PageQuery): Query {
    this.maybe(`${alias}.id ${order === "asc" ? ">" : "<"} ?::uuid`, cursor);
    this.#values.push(limit + 1);
    const text = `${select} where ${this.#texts.join(" and ")} order by ${alias}.id ${order} limit $${this.#values.length}`;
    return { text, values: this.#values };
  }
}
