/** A set of access points beside the version of it that is in use. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { AccessPoint } from "./access-point.ts";
import { changeOfSet, countsOf, wordsOfChange } from "./access-point-set.ts";

const point = (id: string, apn: string, more: Partial<AccessPoint> = {}): AccessPoint => ({
  ...{ id, apn, ownership: "operator", name: apn, provider: null, uses: ["internet"], plan: null },
  ...{ shown: true, wifiOnly: false, confirmed: true, criteria: { mcc: "262", mnc: "01" } },
  ...{
    protocol: null,
    authType: null,
    user: null,
    password: null,
    mmsc: null,
    mmsProxy: null,
    mmsPort: null,
  },
  ...{ proxy: null, port: null, homepage: null, source: { name: "ours", version: "1", licence: "own" } },
  ...more,
});

test("what says the same stays, whatever its id and source; another word for the same SIMs, APN and uses is a change", () => {
  const current = [
    point("1", "net"),
    point("2", "mms", { uses: ["mms", "internet"], mmsc: "http://a.example", password: "old" }),
    point("3", "gone"),
  ];
  const file = [
    point("line 2", "net", { source: { name: "ours", version: "2", licence: "own" } }),
    point("line 3", "MMS", { uses: ["internet", "mms"], name: "mms", password: "new" }),
    point("line 4", "new"),
    point("line 5", "new"),
    point("line 6", "net", { criteria: { mcc: "262", mnc: "01", spn: "Lumo" } }),
    point("line 7", "hand"),
  ];
  const change = changeOfSet(file, current, [point("9", "hand"), point("10", "other")]);
  const idsOf = (points: readonly AccessPoint[]) => points.map(({ id }) => id);
  assert.deepEqual(idsOf(change.kept), ["1"]);
  assert.deepEqual(idsOf(change.known), ["9"], "what is there by hand is not taken twice");
  assert.deepEqual(
    change.changed.map(({ was, becomes }) => [was.id, becomes.id]),
    [["2", "line 3"]],
  );
  assert.deepEqual(idsOf(change.removed), ["2", "3"]);
  assert.deepEqual(idsOf(change.added), ["line 3", "line 5", "line 6"], "what the file repeats counts once");
  const { before, added, changed, removed, emptied } = countsOf(change);
  assert.deepEqual([before, added, changed, removed, emptied], [3, 2, 1, 1, 1]);
  const words = change.changed.map(wordsOfChange).join();
  assert.match(words, /mmsc was http:\/\/a\.example, is empty/);
  assert.match(words, /password is another/);
  assert.doesNotMatch(words, /old|new/);
});
