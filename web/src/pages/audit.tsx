/** Who did what, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { api, dataOf } from "../api/client.ts";
import { PAGE_ROWS } from "../api/queries.ts";
import { PagedTable } from "../parts/paged-table.tsx";
import { PageHead, Time } from "../parts/parts.tsx";
import { t } from "../words/words.ts";

export function AuditPage() {
  const list = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam }) =>
      dataOf(
        api.GET("/v1/audit", {
          params: { query: { limit: PAGE_ROWS, ...(pageParam !== null && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  return (
    <>
      <PageHead title={t("audit.title")} />
      <PagedTable
        label={t("audit.title")}
        list={list}
        empty={t("empty.audit")}
        keyOf={({ id }) => id}
        columns={[
          { title: t("audit.when"), cell: ({ at }) => <Time at={at} /> },
          { title: t("audit.who"), cell: ({ actor }) => actor },
          { title: t("audit.what"), cell: ({ action }) => <span className="mono">{action}</span> },
          {
            title: t("audit.subject"),
            cell: ({ subject }) => <span className="mono">{subject}</span>,
            className: "wide",
          },
          {
            title: t("audit.detail"),
            cell: ({ detail }) => <span className="small muted">{written(detail)}</span>,
            className: "wide",
          },
        ]}
      />
    </>
  );
}

const DETAIL_CHARACTERS_MAX = 200;
function written(detail: unknown): string {
  const text = JSON.stringify(detail);
  if (text === "{}" || text === undefined) return "";
  return text.length > DETAIL_CHARACTERS_MAX ? `${text.slice(0, DETAIL_CHARACTERS_MAX)} …` : text;
}
