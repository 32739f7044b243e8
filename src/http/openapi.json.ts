/** GET /openapi.json: the description of the API. */
import { ROLES } from "../kernel/account/role.ts";
import { ok, type Route, route } from "./route.ts";

/** This description. It is written once, at the first question, since it never changes while the server runs. */
export function openapiJson(description: () => unknown): Route {
  let text: string | undefined;
  return route({
    method: "GET",
    path: "/openapi.json",
    summary: "This description, OpenAPI 3.1",
    tag: "health",
    roles: ROLES,
    errors: [],
    status: 200,
    handle: async () => {
      text ??= JSON.stringify(description());
      return ok(text, { "content-type": "application/json; charset=utf-8" });
    },
  });
}
