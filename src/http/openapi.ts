/**
 * The API description, OpenAPI 3.1, out of the list of routes: shared schemas once under their names, every problem that
 * a route can answer with its codes, whom it serves.
 */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import type { ErrorCode } from "../term/error.ts";
import { membersOf } from "../term/narrow.ts";
import { STATUS_OF } from "./problem.ts";
import type { ListedRoute, Route } from "./route.ts";

const VERSION = "1";
const EVERYWHERE: readonly ErrorCode[] = ["invalid_request", "internal_error"];
const WITH_DATABASE: readonly ErrorCode[] = ["database_unavailable", "database_timeout"];
const WITH_TOKEN: readonly ErrorCode[] = [
  "token_missing",
  "token_unknown",
  "token_revoked",
  "token_expired",
  "session_ended",
  "origin_refused",
  "role_not_allowed",
  "too_many_requests",
];
const WITH_BODY: readonly ErrorCode[] = ["body_malformed", "body_too_large", "media_type_unsupported"];
const WITH_KEY: readonly ErrorCode[] = ["idempotency_key_missing"];
const KEPT_KEY: readonly ErrorCode[] = ["idempotency_key_reused", "request_in_progress"];

/** What each group of routes is about, in the order in which a reader meets them. */
const TAGS: Readonly<Record<string, string>> = {
  sightings: "Which SIM was seen in which device: what probes and core networks report.",
  orders: "What became of a device that needs something: one order with one history.",
  messages: "Short messages to devices and from them, and what their octets say.",
  equipment: "Which handsets cores let in, watch or refuse, and which SIMs are locked to their devices.",
  devices: "Device models, what is known of them and who says so.",
  policy: "The rules of one operator: what is judged, sent, allowed and paid.",
  settings: "Access points and wireless networks that devices are given.",
  confirmations: "Evidence from the network that what was sent works, or that it does not.",
  requests: "What subscribers, their representatives and partners ask for.",
  offers: "Offers to subscribers by short message.",
  care: "What a care agent is told of a caller.",
  catalog: "Features, services and packages, and the terms that subscribers agree to.",
  money: "Charges, postings, payment files and disputes.",
  events: "Everything that changes, as CloudEvents, in an order that no reader can miss anything of.",
  jobs: "Work that takes longer than a request, and what waits for a second person.",
  sessions: "People in a browser: a token exchanged for a session, sessions listed and ended.",
  tokens: "Credentials, and who did what with them.",
  partner: "What a partner's own machines ask for.",
  voice: "The telephone menu in VoiceXML.",
  pages: "What stands behind a link or an address that a device was sent: the address is the credential.",
  health: "Whether the server runs, its measures and this description.",
};

type Json = Record<string, unknown>;

export async function describeApi(server: FastifyInstance, routes: readonly ListedRoute[]): Promise<void> {
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
      servers: [{ url: "/", description: "The server that gave this description." }],
      tags: tagsOf(routes),
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "A token `tup_...` of the operator." },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "turnup_session",
            description:
              "Of a person in a browser (`POST /v1/sessions`); `__Host-turnup_session` under https.",
          },
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

/** Those that have a route, in their order; one that has no words yet stands at the end, for the test to find. */
function tagsOf(routes: readonly Route[]): { name: string; description: string }[] {
  const used = new Set(routes.map(({ tag }) => tag));
  const known = Object.keys(TAGS).filter((name) => used.has(name));
  return [...new Set([...known, ...used])].map((name) => ({ name, description: TAGS[name] ?? "" }));
}

function described(route: ListedRoute, schema: Json): Json {
  return {
    ...schema,
    operationId: route.operationId,
    summary: route.summary,
    description: [
      route.description,
      `Roles: ${route.roles === "open" ? "no token needed" : route.roles.join(", ")}.`,
    ]
      .filter(Boolean)
      .join("\n\n"),
    tags: [route.tag],
    security: route.roles === "open" ? [] : [{ token: [] }, { session: [] }],
    ...(route.once && { headers: IDEMPOTENCY_KEY }),
    ...((route.body || route.consumes) && { body: { content: bodiesOf(route) } }),
    response: answersOf(route),
  };
}

/** The body in each media type that is taken, each with its own schema: lines of CSV are no object. */
function bodiesOf(route: Route): Record<string, { schema: unknown }> {
  const isJson = route.body && !route.takesNoJson;
  return Object.fromEntries([
    ...(isJson ? [["application/json", { schema: route.body }]] : []),
    ...(route.consumes ?? []).map((mediaType) => [mediaType, { schema: bodyIn(mediaType, route.body) }]),
  ]);
}

function bodyIn(mediaType: string, body: TSchema | undefined): unknown {
  if (body && (mediaType.endsWith("+json") || mediaType.startsWith("multipart/"))) return body;
  if (mediaType === "application/x-www-form-urlencoded") return FORM;
  const { description } = membersOf(body);
  return { ...octetsOf(mediaType), ...(description !== undefined && { description }) };
}
const FORM = { type: "object", additionalProperties: { type: "string" } };

/** What is no JSON: the text or the octets as they stand. */
const octetsOf = (mediaType: string): Json => ({ type: "string", contentMediaType: mediaType });

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

/** Every status that the route answers with: what it gives, what else it says in the same form, and its problems. */
function answersOf(route: Route): Record<string, Json> {
  const answers: Record<string, Json> = { [route.status]: successOf(route), ...problemsOf(route) };
  for (const [status, { words, produces = route.produces }] of Object.entries(route.otherwise ?? {})) {
    const problem = answers[status];
    const content = { ...contentOf({ ...route, produces }), ...membersOf(problem?.content) };
    const description = [words, problem?.description].filter(Boolean).join(" ");
    answers[status] = hasNoBody(Number(status)) ? { type: "null", description } : { description, content };
  }
  return answers;
}

const hasNoBody = (status: number): boolean => status === 204 || (status >= 300 && status < 400);

/** What tells the form of an answer. */
type Form = { readonly answer?: TSchema; readonly produces?: readonly string[] | undefined };

function successOf(route: Route): Json {
  if (route.status === 204) return { type: "null", description: "Done." };
  return { description: route.summary, content: contentOf(route) };
}

function contentOf({ answer, produces }: Form): Json {
  if (!produces) return { "application/json": { schema: answer ?? { type: "object" } } };
  return Object.fromEntries(
    produces.map((mediaType) => [mediaType, { schema: answerIn(mediaType, answer) }]),
  );
}
const answerIn = (mediaType: string, answer: TSchema | undefined): unknown =>
  /[/+]json$/.test(mediaType) ? (answer ?? { type: "object" }) : octetsOf(mediaType);

function problemsOf(route: Route): Record<string, Json> {
  const codes: ErrorCode[] = [
    ...route.errors,
    ...EVERYWHERE,
    ...(route.tag === "health" && route.roles === "open" ? [] : WITH_DATABASE),
    ...(route.roles === "open" ? [] : WITH_TOKEN),
  ];
  if (route.body || route.consumes) codes.push(...WITH_BODY);
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
        description: `${[...those].map((code) => `\`${code}\``).join(", ")}.`,
        content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
      },
    ]),
  );
}
