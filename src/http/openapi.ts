/**
 * The API description, OpenAPI 3.1, out of the list of routes: shared schemas once under their names, every problem that
 * a route can answer with its codes, whom it serves.
 */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import type { ErrorCode } from "../term/error.ts";
import { STATUS_OF } from "./problem.ts";
import type { Route } from "./route.ts";

const VERSION = "1";
const EVERYWHERE: readonly ErrorCode[] = [
  "invalid_request",
  "internal_error",
  "database_unavailable",
  "database_timeout",
];
const WITH_TOKEN: readonly ErrorCode[] = [
  "token_missing",
  "token_unknown",
  "token_revoked",
  "token_expired",
  "role_not_allowed",
  "too_many_requests",
];
const WITH_BODY: readonly ErrorCode[] = ["body_malformed", "body_too_large", "media_type_unsupported"];
const WITH_KEY: readonly ErrorCode[] = ["idempotency_key_missing"];
const KEPT_KEY: readonly ErrorCode[] = ["idempotency_key_reused", "request_in_progress"];

type Json = Record<string, unknown>;

export async function describeApi(server: FastifyInstance, routes: readonly Route[]): Promise<void> {
  const byAddress = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Turnup",
        version: VERSION,
        description:
          "Turns up mobile devices: takes sightings, opens orders, shows what became of them. " +
          "Every answer belongs to the operator whose token asks; a row of another operator does not exist.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "A token `tup_...` of the operator." },
        },
      },
    },
    refResolver: { buildLocalReference: (json, _uri, _fragment, at) => String(json.$id ?? `def-${at}`) },
    transform: ({ schema, url, route }) => {
      const ours = byAddress.get(`${String(route.method)} ${url}`);
      return { schema: ours ? described(ours, schema as Json) : { ...schema, hide: true }, url }; // Fastify says unknown; ours are JSON Schema
    },
    transformObject: (document) =>
      "openapiObject" in document ? (document.openapiObject as never) : (document.swaggerObject as never), // what came is given back; the types of the two forms differ
  });
}

function described(route: Route, schema: Json): Json {
  return {
    ...schema,
    operationId: operationIdOf(route),
    summary: route.summary,
    description: [
      route.description,
      `Roles: ${route.roles === "open" ? "no token needed" : route.roles.join(", ")}.`,
    ]
      .filter(Boolean)
      .join("\n\n"),
    tags: [route.tag],
    security: route.roles === "open" ? [] : [{ token: [] }],
    ...(route.once && { headers: IDEMPOTENCY_KEY }),
    ...(route.body && { body: route.body }),
    ...(route.body && { consumes: ["application/json", ...(route.consumes ?? [])] }),
    response: { [route.status]: successOf(route), ...problemsOf(route) },
  };
}

const IDEMPOTENCY_KEY = {
  type: "object",
  required: ["idempotency-key"],
  properties: {
    "idempotency-key": {
      type: "string",
      minLength: 1,
      maxLength: 200,
      description:
        "New for each new request, the same when one is repeated: a repeat gets the first answer again.",
    },
  },
};

function successOf(route: Route): Json {
  if (route.status === 204) return { type: "null", description: "Done." };
  const schema: TSchema | Json = route.answer ?? { type: "string" };
  const mediaType = route.produces ?? "application/json";
  return { description: route.summary, content: { [mediaType]: { schema } } };
}

function problemsOf(route: Route): Json {
  const codes: ErrorCode[] = [
    ...route.errors,
    ...(route.roles === "open" ? [] : [...EVERYWHERE, ...WITH_TOKEN]),
  ];
  if (route.body) codes.push(...WITH_BODY);
  if (route.once) codes.push(...WITH_KEY);
  if (route.once === "door") codes.push(...KEPT_KEY);
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of codes) {
    const status = STATUS_OF[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: [...those].map((code) => `\`${code}\``).join(", "),
        content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
      },
    ]),
  );
}

/** `GET /v1/orders/:id` reads get_v1_orders_id. */
const operationIdOf = ({ method, path }: Route): string =>
  `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+/g, "_")}`;
