/** What callers name subscribers and devices by. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createMeasures } from "../measures.ts";
import { routesOf } from "../routes.ts";
import { IMEI_ERRORS, identifiersIn } from "./identifiers.ts";

const ROUTES = routesOf({ measures: createMeasures(), description: () => ({}) });

test("every route that refuses an IMEI says each of the ways in which it may be wrong", () => {
  const silent = ROUTES.flatMap(({ method, path, errors }) => {
    const told: readonly string[] = errors;
    if (!IMEI_ERRORS.some((code) => told.includes(code))) return [];
    const missing = IMEI_ERRORS.filter((code) => !told.includes(code));
    return missing.length > 0 ? [`${method} ${path} does not say ${missing.join(", ")}`] : [];
  });
  assert.deepEqual(silent, []);
});

test("what was not given is not there, and what was given is read", () => {
  assert.deepEqual(identifiersIn({}), {});
  assert.deepEqual(identifiersIn({ imei: "49-015420-323751-8", msisdn: "+44 7700 900123" }), {
    imei: "490154203237518",
    msisdn: "447700900123",
  });
});
