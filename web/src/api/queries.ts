/** What is asked of the server, kept for as long as it is shown; refused answers are not asked for again, lost ones are. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiProblem, api, dataOf, type Schemas } from "./client.ts";

/** What is on screen is asked for again so often. */
const LIVE_MS = 5_000;
const OVERVIEW_MS = 10_000;
const TRIES_MAX = 1_000;
const BACK_OFF_MAX_MS = 30_000;
export const PAGE_ROWS = 100;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      retry: (count, error) => error instanceof ApiProblem && error.code === "lost" && count < TRIES_MAX,
      retryDelay: (count) => Math.min(BACK_OFF_MAX_MS, 1_000 * 2 ** count),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => dataOf(api.GET("/v1/sessions/current")),
  staleTime: 60_000,
  refetchInterval: LIVE_MS * 3, // so that a lost connection is seen on a page that asks nothing
});
export type Session = Awaited<
  ReturnType<NonNullable<typeof sessionQuery.queryFn> & (() => Promise<unknown>)>
>;

export const overviewQuery = (hours: number) =>
  queryOptions({
    queryKey: ["overview", hours],
    queryFn: () => dataOf(api.GET("/v1/reports/overview", { params: { query: { hours } } })),
    refetchInterval: OVERVIEW_MS,
  });

export type OrderSearch = {
  readonly state?: Schemas["Order"]["state"] | undefined;
  readonly verdict?: NonNullable<Schemas["Order"]["verdict"]> | undefined;
  readonly cause?: Schemas["Order"]["cause"] | undefined;
  readonly make?: string | undefined;
  readonly model?: string | undefined;
  readonly subscriberId?: string | undefined;
  /** RFC 3339. */
  readonly createdFrom?: string | undefined;
  readonly sort?: "updated" | "deadline" | "attempts" | undefined;
};
export const ordersQuery = (search: OrderSearch) =>
  infiniteQueryOptions({
    queryKey: ["orders", search],
    queryFn: ({ pageParam }) =>
      dataOf(
        api.GET("/v1/orders", {
          params: {
            query: {
              ...search,
              limit: PAGE_ROWS,
              ...(pageParam === null ? { total: "estimate" as const } : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });

export const orderQuery = (id: string) =>
  queryOptions({
    queryKey: ["order", id],
    queryFn: () => dataOf(api.GET("/v1/orders/{id}", { params: { path: { id } } })),
    refetchInterval: LIVE_MS,
  });

export const standingQuery = (id: string) =>
  queryOptions({
    queryKey: ["standing", id],
    queryFn: () => dataOf(api.GET("/v1/care/standings/{id}", { params: { path: { id } } })),
    refetchInterval: LIVE_MS,
  });

export const approvalsQuery = queryOptions({
  queryKey: ["approvals"],
  queryFn: () => dataOf(api.GET("/v1/approvals", { params: { query: { limit: 100 } } })),
  refetchInterval: OVERVIEW_MS,
});
