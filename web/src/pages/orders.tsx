/** Orders: filtered and sorted by the server, a page at a time as somebody scrolls. New ones wait behind a line, known ones change in place. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { api, dataOf, type Schemas } from "../api/client.ts";
import { type OrderSearch, ordersQuery, PAGE_ROWS, queries } from "../api/queries.ts";
import { Loading, Notice, PageHead, Problem, Time } from "../parts/parts.tsx";
import { Badge, stateWord, wordOf } from "../parts/state.tsx";
import { CAUSES, ORDER_STATES, SORTS, VERDICTS } from "../search.ts";
import { exactTime, number, t } from "../words/words.ts";

type Order = Schemas["Order"];
const ROW_PIXELS = 37;
const NARROW_ROW_PIXELS = 64;
const AHEAD_ROWS = 40;
const LIVE_MS = 5_000;

export function OrdersPage() {
  const search = useSearch({ from: "/shell/orders" });
  const list = useInfiniteQuery(ordersQuery(search));
  const rows = list.data?.pages.flatMap((page) => page.rows) ?? [];
  const total = list.data?.pages[0]?.total;
  const { changed, fresh } = useNewest(search, rows[0]?.id);
  const shown = rows.map((row) => changed.get(row.id) ?? row);
  const { data, error, isPending } = list;
  return (
    <>
      <PageHead title={t("orders.title")}>
        {total && (
          <span className="muted">
            {total.kind === "exact" || rows.length < PAGE_ROWS
              ? t("orders.exact", { n: rows.length < PAGE_ROWS ? rows.length : total.count })
              : t("orders.about", { n: number(total.count) })}
          </span>
        )}
      </PageHead>
      <Filters search={search} />
      {error && <Problem error={error} onAgain={() => void list.refetch()} />}
      {isPending && <Loading />}
      {data && rows.length === 0 && <Empty search={search} />}
      {rows.length > 0 && (
        <div className="table-wrap orders-wrap">
          {fresh > 0 && (
            <div className="fresh">
              <button
                type="button"
                className="button"
                onClick={() => void queries.resetQueries({ queryKey: ["orders", search] })}
              >
                {t("orders.new", { n: fresh })}
              </button>
            </div>
          )}
          <Rows
            rows={shown}
            search={search}
            total={total?.count ?? rows.length}
            onEnd={() => !list.isFetchingNextPage && list.hasNextPage && void list.fetchNextPage()}
          />
          <p className="more muted small" role="status">
            {list.isFetchingNextPage ? t("orders.loading_more") : list.hasNextPage ? "" : t("orders.end")}
          </p>
        </div>
      )}
    </>
  );
}

/** The newest page as it is now: what of the shown rows changed, and how many stand before the first. */
function useNewest(search: OrderSearch, first: string | undefined) {
  const isByTime = search.sort === undefined;
  const { data } = useQuery({
    queryKey: ["newest", search],
    queryFn: () => dataOf(api.GET("/v1/orders", { params: { query: { ...search, limit: PAGE_ROWS } } })),
    refetchInterval: LIVE_MS,
    enabled: first !== undefined,
  });
  const newest = data?.rows ?? [];
  const at = newest.findIndex(({ id }) => id === first);
  return {
    changed: new Map(newest.map((row) => [row.id, row])),
    fresh: !isByTime || first === undefined ? 0 : at < 0 ? newest.length : at,
  };
}

type RowsProps = {
  readonly rows: readonly Order[];
  readonly search: OrderSearch;
  readonly total: number;
  readonly onEnd: () => void;
};

function Rows({ rows, search, total, onEnd }: RowsProps) {
  const body = useRef<HTMLTableElement>(null);
  const isNarrow = matchMedia("(max-width: 640px)").matches;
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => (isNarrow ? NARROW_ROW_PIXELS : ROW_PIXELS),
    overscan: AHEAD_ROWS,
    scrollMargin: body.current?.offsetTop ?? 0,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 1) onEnd();
  }, [last, rows.length, onEnd]);
  const margin = virtual.options.scrollMargin;
  const before = (items[0]?.start ?? margin) - margin;
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? margin) - margin);
  return (
    <table className="rows orders" aria-rowcount={total} aria-label={t("orders.title")} ref={body}>
      <thead>
        <tr>
          <th scope="col" className="col-state">
            {t("orders.state")}
          </th>
          <th scope="col" className="col-phone">
            {t("orders.phone")}
          </th>
          <th scope="col" className="col-why">
            {t("orders.why")}
          </th>
          <th scope="col" className="col-num num">
            {t("orders.attempts")}
          </th>
          <th scope="col" className="col-time second">
            {t("orders.deadline")}
          </th>
          <th scope="col" className="col-time">
            {t(search.sort === "updated" ? "orders.changed" : "orders.opened")}
          </th>
        </tr>
      </thead>
      <tbody>
        <Spacer pixels={before} />
        {items.map(({ index }) => {
          const order = rows[index];
          return (
            order && (
              <Row key={order.id} order={order} at={index + 2} isByUpdate={search.sort === "updated"} />
            )
          );
        })}
        <Spacer pixels={after} />
      </tbody>
    </table>
  );
}

const Spacer = ({ pixels }: { readonly pixels: number }) =>
  pixels > 0 && (
    <tr className="spacer">
      <td colSpan={6} style={{ height: pixels }} />
    </tr>
  );

const Row = ({
  order,
  at,
  isByUpdate,
}: {
  readonly order: Order;
  readonly at: number;
  readonly isByUpdate: boolean;
}) => (
  <tr className="row" aria-rowindex={at}>
    <td className="col-state">
      <Badge state={order.state} isPlain />
    </td>
    <td className="col-phone">
      <Link to="/orders/$orderId" params={{ orderId: order.id }}>
        {phoneOf(order)}
      </Link>
    </td>
    <td className="col-why" lang="en" title={`${order.reason}. ${order.nextAction}`}>
      {order.reason}
    </td>
    <td className="col-num num">{number(order.attempts)}</td>
    <td className="col-time second">{order.deadlineAt && <Time at={order.deadlineAt} />}</td>
    <td className="col-time">
      <Time at={isByUpdate ? order.updatedAt : order.createdAt} />
    </td>
  </tr>
);

export const phoneOf = ({ make, model }: Pick<Order, "make" | "model">): string =>
  make === null ? t("orders.unknown_phone") : `${make} ${model ?? ""}`.trim();

/** With which filters a sort is offered; another choice drops those that are not (docs/api.md). */
const FILTERS_OF: Readonly<Record<"created" | (typeof SORTS)[number], readonly (keyof OrderSearch)[]>> = {
  created: ["state", "verdict", "cause", "make", "model", "subscriberId", "createdFrom"],
  updated: ["state", "subscriberId"],
  deadline: ["state", "subscriberId"],
  attempts: ["state", "verdict", "cause", "make", "model"],
};

function Filters({ search }: { readonly search: OrderSearch }) {
  const navigate = useNavigate();
  const choose = (name: keyof OrderSearch, value: string | undefined): void => {
    const wanted: Record<string, string | undefined> = { ...search, [name]: value };
    const offered: readonly string[] =
      FILTERS_OF[name === "sort" ? ((value ?? "created") as "created") : (search.sort ?? "created")];
    const isOffered = name === "sort" || offered.includes(name);
    const kept = Object.entries(wanted).filter(
      ([key, one]) => one !== undefined && (key === "sort" ? isOffered : !isOffered || offered.includes(key)),
    );
    void navigate({ to: "/orders", search: Object.fromEntries(kept) });
  };
  return (
    <form className="filters" aria-label={t("orders.filters")} onSubmit={(event) => event.preventDefault()}>
      <Choice
        name="state"
        label={t("orders.filter.state")}
        value={search.state}
        words={ORDER_STATES}
        wordOf={stateWord}
        onChoose={choose}
      />
      <Choice
        name="verdict"
        label={t("orders.filter.verdict")}
        value={search.verdict}
        words={VERDICTS}
        wordOf={(one) => wordOf("verdict", one)}
        onChoose={choose}
      />
      <Choice
        name="cause"
        label={t("orders.filter.cause")}
        value={search.cause}
        words={CAUSES}
        wordOf={(one) => wordOf("cause", one)}
        onChoose={choose}
      />
      <Choice
        name="sort"
        label={t("orders.sort")}
        value={search.sort}
        words={SORTS}
        any={t("orders.sort.created")}
        wordOf={(one) => t(`orders.sort.${one as "updated"}`)}
        onChoose={choose}
      />
      {(["make", "model", "subscriberId", "createdFrom"] as const).map((name) => {
        const value = search[name];
        return (
          value !== undefined && (
            <button key={name} type="button" className="button chip" onClick={() => choose(name, undefined)}>
              {chipOf(name, value)} ×
            </button>
          )
        );
      })}
    </form>
  );
}

const chipOf = (name: keyof OrderSearch, value: string): string => {
  if (name === "subscriberId") return t("order.subscriber");
  return name === "createdFrom" ? t("orders.filter.since", { time: exactTime(value) }) : value;
};

type ChoiceProps = {
  readonly name: keyof OrderSearch;
  readonly label: string;
  readonly value: string | undefined;
  readonly words: readonly string[];
  readonly any?: string;
  readonly wordOf: (word: string) => string;
  readonly onChoose: (name: keyof OrderSearch, value: string | undefined) => void;
};
const Choice = ({ name, label, value, words, any, wordOf: write, onChoose }: ChoiceProps) => (
  <div className="field">
    <label htmlFor={`filter-${name}`}>{label}</label>
    <select
      id={`filter-${name}`}
      value={value ?? ""}
      onChange={({ target }) => onChoose(name, target.value || undefined)}
    >
      <option value="">{any ?? t("orders.filter.any")}</option>
      {words.map((word) => (
        <option key={word} value={word}>
          {write(word)}
        </option>
      ))}
    </select>
  </div>
);

const Empty = ({ search }: { readonly search: OrderSearch }) => (
  <div className="table-wrap">
    {Object.values(search).every((one) => one === undefined) ? (
      <Notice>{t("empty.orders")}</Notice>
    ) : (
      <Notice>
        {t("empty.filter")}
        <Link to="/orders" search={{}} className="button">
          {t("empty.clear")}
        </Link>
      </Notice>
    )}
  </div>
);
