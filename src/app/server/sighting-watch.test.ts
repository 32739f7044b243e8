/** What is watched on the path of sightings: sources, lag, radios, numbers of no handset, and sources that contradict each other. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Intake, SightingInput, SightingResult } from "../../kernel/detection/sighting.ts";
import { createSightingWatch } from "./sighting-watch.ts";

const NOW = Date.UTC(2026, 4, 4, 8);
const PHONE = "356938035643809";
const OTHER = "352013071234568";
const IMSI = "262019876543210";
const at = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString();

function watching() {
  const told: object[] = [];
  const radios: object[] = [];
  const lags: [string, number][] = [];
  const came: string[] = [];
  let answers: SightingResult[] = [];
  const watch = createSightingWatch({
    clock: () => new Date(NOW),
    counts: { count: (one) => told.push(one) },
    noteRadio: (heard) => radios.push(heard),
    onLag: (source, lagMs) => lags.push([source, lagMs]),
    onCame: (_, deviceId) => came.push(deviceId),
  });
  const { accept } = watch.watched({ accept: async () => answers });
  const tell = (source: Parameters<Intake["accept"]>[2], ...rows: [SightingInput, SightingResult][]) => {
    answers = rows.map(([, result]) => result);
    return accept(
      "north",
      rows.map(([input]) => input),
      source,
    );
  };
  return { watch, tell, told, radios, lags, came };
}
const unchanged: SightingResult = { outcome: "unchanged" };
const moved: SightingResult = { outcome: "sim_moved", orderId: "o", subscriberId: "s", deviceId: "d" };

test("each sighting counts for its own source, with its lag, and a move is told by its handset", async () => {
  const { watch, tell, told, lags, came } = watching();
  const row = { imei: PHONE, imsi: IMSI, plmn: "26201", seenAt: at(-7) };
  await tell("api", [{ ...row, source: "applet" }, moved], [row, unchanged]);
  assert.deepEqual(told, [
    {
      ...{ operatorId: "north", source: "applet", receivedMs: NOW, isChanged: true, isRefused: false },
      ...{ seenMs: NOW - 7_000, special: null },
    },
    {
      ...{ operatorId: "north", source: "api", receivedMs: NOW, isChanged: false, isRefused: false },
      ...{ seenMs: NOW - 7_000, special: null },
    },
  ]);
  assert.deepEqual(lags, [
    ["applet", 7_000],
    ["api", 7_000],
  ]);
  assert.deepEqual(came, ["d"]);
  assert.deepEqual([...(watch.tallies().get("api")?.outcomes ?? [])], [["unchanged", 1]]);
});

test("of eight rows of a source one has its time looked at", async () => {
  const { tell, lags } = watching();
  const row: [SightingInput, SightingResult] = [{ imei: PHONE, imsi: IMSI, seenAt: at(-1) }, unchanged];
  await tell("radius", ...Array.from({ length: 17 }, () => row));
  assert.equal(lags.length, 3);
});

test("numbers that name no handset are refused, and are a class of their own with its count", async () => {
  const { watch, tell } = watching();
  const refused = (code: string): SightingResult => ({ outcome: "refused", code, reason: "" });
  await tell(
    "radius",
    [{ imei: "000000000000000" }, refused("imei_filler")],
    [{ imei: "imei-123456789012347" }, refused("imei_filler")],
    [{ imeisv: "0044024512345601" }, refused("imei_test")],
    [{ imei: "35" }, refused("imei_malformed")],
  );
  assert.deepEqual(
    [...watch.specials()],
    [
      ["zeros", 1],
      ["run", 1],
      ["test", 1],
    ],
  );
});

test("a radio is noted of a handset whichever source states it; one that cannot be read costs no sighting and is told", async () => {
  const { tell, radios } = watching();
  const row = { imei: PHONE, imsi: IMSI };
  const results = await tell(
    "csv",
    ...["LTE", "51", "3", "pigeon", ""].map((radio): [SightingInput, SightingResult] => [
      { ...row, radio },
      unchanged,
    ]),
  );
  assert.deepEqual(
    radios.map((one) => "radio" in one && one.radio),
    ["eutran", "nr"],
  );
  const left = ["radio is left out: it is no radio type that is known"];
  assert.deepEqual(results, [unchanged, unchanged, unchanged, { ...unchanged, notes: left }, unchanged]);
});

test("two sources that see a SIM in two handsets within a minute are found once, as soon as the second has told it", async () => {
  const { watch, tell } = watching();
  const sim = { imsi: IMSI };
  await tell("radius", [{ ...sim, imei: PHONE, seenAt: at(-300) }, unchanged]);
  await tell("s13", [{ ...sim, imei: OTHER, seenAt: at(-30) }, moved]);
  assert.deepEqual(watch.conflicts(), [], "a SIM may have moved");
  await tell("radius", [{ ...sim, imei: PHONE, seenAt: at(0) }, moved]);
  const [found, ...others] = watch.conflicts();
  assert.deepEqual(
    [found?.operatorId, found?.imsi, found?.rule, found?.one.source, found?.other.source],
    ["north", IMSI, "at_once", "s13", "radius"],
  );
  assert.deepEqual([found?.one.handset, found?.other.handset], [OTHER.slice(0, 14), PHONE.slice(0, 14)]);
  assert.deepEqual(others, []);
  await tell("radius", [{ ...sim, imei: PHONE, seenAt: at(1) }, unchanged]);
  assert.deepEqual(watch.conflicts(), [], "the same is not found again");
});

test("a SIM of another operator with the same number contradicts nobody", async () => {
  const told = watching();
  const { accept } = told.watch.watched({ accept: async () => [moved] });
  await accept("north", [{ imsi: IMSI, imei: PHONE, seenAt: at(-30) }], "s13");
  await accept("south", [{ imsi: IMSI, imei: OTHER, seenAt: at(0) }], "radius");
  assert.deepEqual(told.watch.conflicts(), []);
});
