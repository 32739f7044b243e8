/** What path and query say as text, and what it is taken for. */
import assert from "node:assert/strict";
import Type from "typebox";
import Value from "typebox/value";
import { test } from "vitest";
import { createMeasures } from "./measures.ts";
import { routesOf } from "./routes.ts";
import { compileValidator } from "./validation.ts";

const taken = (schema: Type.TSchema, httpPart: string, value: unknown): unknown =>
  compileValidator({ schema, httpPart, method: "GET", url: "/" })(value);

test("a number, a truth and a word of the query are what their schema says, and nothing else is touched", () => {
  const schema = Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      summary: Type.Optional(Type.Boolean()),
      label: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  );
  assert.deepEqual(taken(schema, "querystring", { limit: "20", summary: "true", label: "17" }), {
    value: { limit: 20, summary: true, label: "17" },
  });
  assert.deepEqual(taken(schema, "querystring", {}), { value: {} });
  for (const wrong of [
    { limit: "x" },
    { limit: "0" },
    { summary: "perhaps" },
    { label: ["1", "2"] },
    { other: "1" },
  ])
    assert.ok("error" in Object(taken(schema, "querystring", { ...wrong })), JSON.stringify(wrong));
  assert.ok("error" in Object(taken(schema, "body", { limit: "20" })), "a body is taken as it is");
});

test("the path and the query of each route are read as TypeBox itself reads them", () => {
  const texts = ["", "0", "7", "-1", "1.5", "true", "false", "null", "2026-11-30T00:00:00Z", "x y", "01"];
  let compared = 0;
  for (const { params, query, method, path } of routesOf({
    measures: createMeasures(),
    description: () => ({}) as never,
  })) {
    for (const properties of [params ?? {}, query ?? {}]) {
      const schema = Type.Object(properties);
      const read = compileValidator({ schema, httpPart: "querystring", method, url: path });
      for (const name of Object.keys(properties)) {
        for (const given of [...texts, texts, ["1"], []]) {
          const answer: unknown = read({ [name]: given });
          if (!("value" in Object(answer))) continue;
          const value: unknown = Value.Convert(schema, { [name]: given });
          assert.deepEqual(answer, { value }, `${method} ${path} ${name}`);
          compared++;
        }
      }
    }
  }
  assert.ok(compared > 100, String(compared));
});
