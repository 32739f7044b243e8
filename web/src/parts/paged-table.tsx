/** A list by pages: rows that were read stay, the next page is asked for by a button. */
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { t } from "../words/words.ts";
import { Loading, Notice, Problem } from "./parts.tsx";

export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly className?: string;
};
type Pages<Row> = { readonly pages: readonly { readonly rows: readonly Row[] }[] };
type PagedTableProps<Row> = {
  readonly label: string;
  readonly list: UseInfiniteQueryResult<Pages<Row>>;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly empty: string;
};

export function PagedTable<Row>({ label, list, columns, keyOf, empty }: PagedTableProps<Row>) {
  const rows = list.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <>
      {list.error && <Problem error={list.error} onAgain={() => void list.refetch()} />}
      {list.isPending && <Loading />}
      {list.data && (
        <div className="table-wrap">
          {rows.length === 0 ? (
            <Notice>{empty}</Notice>
          ) : (
            <Rows label={label} rows={rows} columns={columns} keyOf={keyOf} />
          )}
          {list.hasNextPage && (
            <div className="more">
              <button type="button" className="button" onClick={() => void list.fetchNextPage()}>
                {t("more")}
              </button>
            </div>
          )}
        </div>
      )}
    </>
  );
}

type RowsProps<Row> = Pick<PagedTableProps<Row>, "label" | "columns" | "keyOf"> & {
  readonly rows: readonly Row[];
};

export const Rows = <Row,>({ label, rows, columns, keyOf }: RowsProps<Row>) => (
  <table className="rows folds" aria-label={label}>
    <thead>
      <tr>
        {columns.map(({ title, className }) => (
          <th scope="col" key={title} className={className}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map((row) => (
        <tr key={keyOf(row)}>
          {columns.map(({ title, cell, className }) => (
            <td key={title} className={className}>
              {cell(row)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
