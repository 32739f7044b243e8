/** The description of the API: every route, every schema, former names marked. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bearer, OPERATOR_A, openFixture } from "../../test/fixture/http.ts";
import { createMeasures } from "./measures.ts";
import { routesOf } from "./routes.ts";
import { sharedSchemas } from "./schema.ts";

type Json = { readonly [name: string]: Json };
const { server } = await openFixture();
const description: Json = (
  await server.inject({ url: "/openapi.json", headers: bearer(OPERATOR_A, "probe") })
).json();
const ROUTES = routesOf({ measures: createMeasures(), description: () => ({}) });

/** The description's spelling of an address. */
const openPath = (path: string): string => path.replace(/:(\w+)/g, "{$1}");

test("the description is OpenAPI 3.1 and holds every mounted route, and no other", () => {
  assert.equal(description.openapi, "3.1.0");
  const described = Object.entries(description.paths as Json).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(described.sort(), ROUTES.map(({ method, path }) => `${method} ${openPath(path)}`).sort());
});

test("every reference leads to a schema, and every shared schema stands under its name", () => {
  const schemas = description.components?.schemas ?? {};
  assert.deepEqual(Object.keys(schemas).sort(), [...sharedSchemas().keys()].sort());
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]*)"/g)].map(
    ([, at]) => at as string,
  );
  assert.ok(references.length > 50);
  for (const at of references) assert.ok(at.replace("#/components/schemas/", "") in schemas, at);
});

test("former names of fields are marked as deprecated, and say what they are called now", () => {
  const { RequestStatus, RequestRow, RequestDetail } = description.components?.schemas ?? {};
  const parameters = Object.values(description.paths?.["/v1/requests"]?.get?.parameters ?? {});
  const asked = parameters.find(({ name }) => String(name) === "road");
  for (const schema of [RequestStatus, RequestRow, RequestDetail]) {
    assert.equal(schema?.properties?.channel?.deprecated, undefined);
    assert.equal(schema?.properties?.road?.deprecated, true);
    assert.match(String(schema?.properties?.road?.description), /former name of `channel`/);
  }
  assert.equal(RequestDetail?.properties?.verification?.properties?.road?.deprecated, true);
  assert.equal(asked?.schema?.deprecated ?? asked?.deprecated, true, JSON.stringify(asked));
});

for (const route of ROUTES) {
  const { method, path } = route;
  const operation = (description.paths?.[openPath(path)] as Json | undefined)?.[method.toLowerCase()] as Json;

  test(`${method} ${path} is described: words, whom it serves, its answer and its problems`, () => {
    assert.ok(String(operation.summary).length > 10);
    assert.match(String(operation.description), /Roles: /);
    const parameters = Object.values(operation.parameters ?? {}).map(({ name }) => String(name));
    for (const [, name] of path.matchAll(/:(\w+)/g)) assert.ok(parameters.includes(name as string));
    assert.equal(
      parameters.some((name) => name === "idempotency-key"),
      route.once !== undefined,
    );
    assert.ok(String(route.status) in (operation.responses as Json));
    if (route.roles === "open") {
      assert.deepEqual(operation.security, []);
      return;
    }
    assert.deepEqual(operation.security, [{ token: [] }, { session: [] }]);
    for (const status of ["401", "403", "429", "500"]) {
      const answer = (operation.responses as Json)[status];
      assert.ok(answer?.content && "application/problem+json" in answer.content, status);
    }
    for (const code of route.errors)
      assert.ok(JSON.stringify(operation.responses).includes(`\`${code}\``), code);
  });
}

test("each group of routes has its words, and the description says where the server is", () => {
  const groups = Object.values(description.tags ?? {});
  assert.ok(groups.length > 10);
  for (const { name, description: words } of groups) assert.ok(String(words).length > 20, String(name));
  assert.equal(description.servers?.[0]?.url, "/");
});

test("a media type is described by itself: lines of CSV and octets are text, a form has fields, and JSON is not offered where it is refused", () => {
  const operations = description.paths as Json;
  const body = (path: string, method: string) => operations[path]?.[method]?.requestBody?.content as Json;
  assert.deepEqual(Object.keys(body("/v1/sightings", "post")), ["application/json", "text/csv"]);
  assert.equal(body("/v1/sightings", "post")["text/csv"]?.schema?.type, "string");
  assert.deepEqual(Object.keys(body("/v1/bank-files", "post")), ["application/xml", "text/xml"]);
  assert.ok(body("/v1/imports", "post")["multipart/form-data"]?.schema?.properties?.file);
  const batch = operations["/v1/events"]?.get?.responses?.["200"]?.content as Json;
  assert.equal(batch["application/cloudevents-batch+json"]?.schema?.type, "array");
  const rows = operations["/v1/jobs/{id}/rows.csv"]?.get?.responses?.["200"]?.content as Json;
  assert.deepEqual(Object.keys(rows), ["text/csv"]);
  assert.equal(rows["text/csv"]?.schema?.type, "string");
});

test("an unknown link's page is declared, in each markup that a phone may ask for", () => {
  const { responses } = ((description.paths as Json)["/s/{token}"] as Json).get as Json;
  for (const status of ["200", "404", "410", "429"])
    for (const mediaType of ["text/html", "text/vnd.wap.wml"])
      assert.ok(
        responses?.[status]?.content && mediaType in responses[status].content,
        `${status} ${mediaType}`,
      );
});

test("operation ids are unique words as the code has them, since clients are generated from them", () => {
  const ids = Object.values(description.paths as Json)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => String(operationId));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[a-z]+(?:[A-Z][a-z0-9]*)*$/);
});
