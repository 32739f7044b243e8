/** Markets, by where a device is (R84, R128). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { marketOf } from "./market.ts";

test("an order is of the market where its device is: of the network that serves it, else of its SIM's home (R84, R128)", () => {
  const countries: Readonly<Record<string, string>> = { "262": "DE", "232": "AT", "228": "CH" };
  const market = (servingPlmn: string | null, homePlmn: string) =>
    marketOf({ servingPlmn, homePlmn }, (mcc) => countries[mcc] ?? null, ["AT", "DE"]);
  assert.equal(market("23201", "26201"), "AT", "abroad, the market is there");
  assert.equal(market("22801", "26201"), null, "and not at home");
  assert.equal(market("99999", "26201"), "DE", "a network that no list knows says nothing");
  assert.equal(market(null, "26201"), "DE");
  assert.equal(market("23201", "99999"), "AT");
});
