/** GET /healthz: whether the process lives. */
import Type from "typebox";
import { ok, route } from "./route.ts";

/** The process lives and its event loop turns; whether it can work is asked at /readyz. */
export const healthz = route({
  method: "GET",
  path: "/healthz",
  summary: "Whether the process lives",
  tag: "health",
  roles: "open",
  errors: [],
  status: 200,
  answer: Type.Object({ status: Type.Literal("alive") }),
  handle: async () => ok({ status: "alive" as const }),
});
