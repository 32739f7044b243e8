/** What is kept of a handset's words. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { nextSaid } from "./keep-said.ts";

const at = (day: number, hour = 8) => new Date(Date.UTC(2026, 4, day, hour));
const chrome = (version: number, model = "SM-A546B") =>
  `Mozilla/5.0 (Linux; Android 13; ${model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Mobile Safari/537.36`;
const heard = (value: string, when: Date) => ({ source: "user_agent", value, at: when }) as const;

test("the same model counts once a day, whatever version of its browser says so", () => {
  const first = nextSaid(undefined, heard(chrome(120), at(4)));
  const again = nextSaid(first, heard(chrome(120), at(4, 9)));
  const next = nextSaid(again, heard(chrome(121), at(5)));
  assert.deepEqual([first.times, again.times, next.times], [1, 1, 2]);
  assert.equal(next.value, chrome(121));
});

test("another model begins anew", () => {
  const first = nextSaid(nextSaid(undefined, heard(chrome(120), at(4))), heard(chrome(120), at(5)));
  assert.equal(nextSaid(first, heard(chrome(120, "Pixel 7"), at(6))).times, 1);
});

test("what was said before the last word changes nothing", () => {
  const last = nextSaid(undefined, heard(chrome(120), at(6)));
  assert.equal(nextSaid(last, heard(chrome(119, "Pixel 7"), at(5))), last);
});
