/** Every page with its address. What stands after `?` is typed; unknown words are dropped; no identifier of a person stands there. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { CONSOLE_BASE } from "./api/client.ts";
import { queries, sessionQuery } from "./api/queries.ts";
import { NoPage } from "./parts/no-page.tsx";
import { Shell } from "./parts/shell.tsx";
import { hoursIn, orderSearchIn, showIn, signInSearch } from "./search.ts";

const root = createRootRoute({ notFoundComponent: NoPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: signInSearch,
  component: lazyRouteComponent(() => import("./pages/sign-in.tsx"), "SignIn"),
});

/** All but the sign-in: nobody sees a page before the server says who they are. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  async beforeLoad({ location }) {
    try {
      await queries.ensureQueryData({ ...sessionQuery, retry: false });
    } catch {
      throw redirect({ to: "/sign-in", search: { to: location.href } });
    }
  },
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  validateSearch: hoursIn,
  component: lazyRouteComponent(() => import("./pages/overview.tsx"), "OverviewPage"),
});
const orders = createRoute({
  getParentRoute: () => shell,
  path: "/orders",
  validateSearch: orderSearchIn,
  component: lazyRouteComponent(() => import("./pages/orders.tsx"), "OrdersPage"),
});
const order = createRoute({
  getParentRoute: () => shell,
  path: "/orders/$orderId",
  validateSearch: showIn,
  component: lazyRouteComponent(() => import("./pages/order.tsx"), "OrderPage"),
});
const care = createRoute({
  getParentRoute: () => shell,
  path: "/care",
  component: lazyRouteComponent(() => import("./pages/care.tsx"), "CarePage"),
});
const caller = createRoute({
  getParentRoute: () => shell,
  path: "/care/$subscriberId",
  component: lazyRouteComponent(() => import("./pages/caller.tsx"), "CallerPage"),
});
const explorer = createRoute({
  getParentRoute: () => shell,
  path: "/explorer",
  component: lazyRouteComponent(() => import("./pages/explorer.tsx"), "ExplorerPage"),
});
const accessPoints = createRoute({
  getParentRoute: () => shell,
  path: "/access-points",
  component: lazyRouteComponent(() => import("./pages/access-points.tsx"), "AccessPointsPage"),
});
const jobs = createRoute({
  getParentRoute: () => shell,
  path: "/jobs",
  component: lazyRouteComponent(() => import("./pages/jobs.tsx"), "JobsPage"),
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  component: lazyRouteComponent(() => import("./pages/audit.tsx"), "AuditPage"),
});
const sessions = createRoute({
  getParentRoute: () => shell,
  path: "/sessions",
  component: lazyRouteComponent(() => import("./pages/sessions.tsx"), "SessionsPage"),
});

const pages = [overview, orders, order, care, caller, explorer, accessPoints, jobs, audit, sessions];

export const router = createRouter({
  routeTree: root.addChildren([signIn, shell.addChildren(pages)]),
  basepath: CONSOLE_BASE.pathname.replace(/\/$/, ""),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
