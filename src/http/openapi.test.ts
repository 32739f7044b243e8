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
    assert.deepEqual(operation.security, [{ token: [] }]);
    for (const status of ["401", "403", "429", "500"]) {
      const answer = (operation.responses as Json)[status];
      assert.ok(answer?.content && "application/problem+json" in answer.content, status);
    }
    for (const code of route.errors)
      assert.ok(JSON.stringify(operation.responses).includes(`\`${code}\``), code);
  });
}

test("operation ids are unique, since clients are generated from them", () => {
  const ids = Object.values(description.paths as Json)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => String(operationId));
  assert.equal(new Set(ids).size, ids.length);
});
