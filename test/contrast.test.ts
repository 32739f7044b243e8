/** The console's colours, as web/src/look/tokens.css has them: each pair that is read can be read, in light and dark (WCAG 2.2). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";

/** WCAG 2.2 clause 1.4.3: of text. */
const TEXT_MIN = 4.5;
/** WCAG 2.2 clause 1.4.11: of what must be seen to use a page: edges of fields, the ring of focus, lines of a chart. */
const SHAPE_MIN = 3;
const GROUNDS = ["page", "surface", "sunken", "hover"];
const STATES = ["idle", "move", "good", "wait", "bad"];

const css = readFileSync(join(import.meta.dirname, "../web/src/look/tokens.css"), "utf8");
const COLOURS = new Map(
  [...css.matchAll(/--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }],
  ),
);

/** Relative luminance of `#rrggbb`, 0 to 1. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** 1 to 21. */
function contrast(one: string, other: string): number {
  const [most = 0, least = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (most + 0.05) / (least + 0.05);
}

function paleOf(fronts: readonly string[], grounds: readonly string[], least: number): string[] {
  return fronts.flatMap((front) =>
    grounds.flatMap((ground) =>
      (["light", "dark"] as const).flatMap((scheme) => {
        const [above, below] = [COLOURS.get(front)?.[scheme], COLOURS.get(ground)?.[scheme]];
        assert.ok(above && below, `tokens.css has no ${front} or no ${ground}`);
        const ratio = contrast(above, below);
        return ratio < least ? [`${front} on ${ground}, ${scheme}: ${ratio.toFixed(2)}`] : [];
      }),
    ),
  );
}

test("black on white is 21 to 1, a colour on itself 1 to 1", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#505a5d", "#505a5d"), 1);
});

test("every word can be read on every ground that it may stand on", () => {
  assert.deepEqual(paleOf(["ink", "muted", ...STATES], GROUNDS, TEXT_MIN), []);
  assert.deepEqual(paleOf(["act-ink"], ["act"], TEXT_MIN), []);
  for (const state of STATES) assert.deepEqual(paleOf([state, "ink"], [`${state}-bg`], TEXT_MIN), []);
});

test("edges of fields, the ring of focus and the lines of a chart can be seen", () => {
  assert.deepEqual(paleOf(["edge", "focus"], GROUNDS, SHAPE_MIN), []);
  assert.deepEqual(paleOf(["c1", "c2", "c3"], ["surface"], SHAPE_MIN), []);
});
