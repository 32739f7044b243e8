/** Times in messages: only such as there are (RFC 3339 §5.6 and §5.7). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { instant } from "./shape.ts";

test("a time with a zone is read as the moment that it is", () => {
  const moments = [
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"],
    ["2024-02-29T00:30:00+01:00", "2024-02-28T23:30:00.000Z"],
    ["2026-05-04T10:20:30.123456Z", "2026-05-04T10:20:30.123Z"],
  ] as const;
  for (const [text, moment] of moments) assert.equal(instant(text, "at").toISOString(), moment);
});

for (const text of [
  "2026-02-30T00:00:00Z",
  "2026-02-29T12:00:00+01:00",
  "2026-04-31T00:00:00.5Z",
  "2026-13-01T00:00:00Z",
  "2026-05-04T25:00:00Z",
  "2026-05-04T10:20:30",
]) {
  test(`${text} is no time, and is not read as another`, () => {
    assert.throws(() => instant(text, "at"), {
      name: "ShapeError",
      message: "at: an RFC 3339 time is wanted",
    });
  });
}
