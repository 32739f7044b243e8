/** The page that a list's query asks for, and the Link header to the next one (RFC 8288). */
import type { FastifyRequest } from "fastify";
import type { PageQuery } from "../kernel/order/order-reader.ts";
import { type Answer, ok } from "./route.ts";
import { PAGE_ROWS_DEFAULT } from "./schema.ts";

type Asked = {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly order?: "asc" | "desc" | undefined;
};

export const pageOf = ({ limit = PAGE_ROWS_DEFAULT, cursor, order = "desc" }: Asked): PageQuery => ({
  limit,
  cursor,
  order,
});

type Rows<Row> = { readonly rows: readonly Row[]; readonly nextCursor: string | null };

/** Filters stand in the link as they came: an IMSI asked for is in the client's own address already. */
export function answerPage<Row>(
  { rows, nextCursor }: Rows<Row>,
  request: FastifyRequest,
): Answer<{ rows: Row[]; nextCursor: string | null }> {
  const body = { rows: [...rows], nextCursor };
  if (nextCursor === null) return ok(body);
  const next = new URL(request.url, "http://localhost");
  next.searchParams.set("cursor", nextCursor);
  return ok(body, { link: `<${next.pathname}${next.search}>; rel="next"` });
}
