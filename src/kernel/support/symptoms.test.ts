/** The record of R90 and R129: what was seen or what the data says, each with its source; else "not known". */
import assert from "node:assert/strict";
import { test } from "vitest";
import { testEngine } from "../../../test/fixture/order-engine.ts";
import { shippedKnowledge as knowledge, shippedData } from "../../../test/fixture/shipped-devices.ts";
import { cutOffOn } from "./cut-off.ts";
import { type SeenSymptom, symptomsOf } from "./symptoms.ts";

const MMS: SeenSymptom = {
  application: "mms",
  server: "mms.maker.example",
  apn: "oldhost.example",
  cause: "no_route",
  source: "gateway",
  seenAt: new Date("2026-05-04T07:59:00Z"),
};
const decidedBy = (rule: string, saw: object) => [
  { rule: "model_list", outcome: "unknown", saw: {}, decided: false },
  { rule, outcome: "ended", saw, decided: true },
];

test("an application is named by the attempt that the network saw fail, with who saw it and when", () => {
  assert.deepEqual(symptomsOf([], [], [MMS]).cannotReach, [
    {
      application: "mms",
      from: "seen",
      source: "gateway",
      server: "mms.maker.example",
      apn: "oldhost.example",
      cause: "no_route",
      seenAt: "2026-05-04T07:59:00.000Z",
    },
  ]);
});

test("an application is named by the model's data, with the data's source", () => {
  const cutOff = [{ application: "app_store", source: "https://maker.example/end" }];
  assert.deepEqual(symptomsOf([], cutOff, []).cannotReach, [
    { application: "app_store", from: "model_data", source: "https://maker.example/end" },
  ]);
});

test("what nobody saw and no data tells is not known, whatever a contract names", async () => {
  assert.equal(symptomsOf([], [], []).cannotReach, "not known");
  const engine = testEngine({ relation: { keySource: "own", appHosts: ["app.acme.example"] } });
  engine.open();
  await engine.conductor.advance(1);
  const judged = engine.books.events.find(({ kind }) => kind === "judged") as unknown as { detail: object };
  assert.deepEqual(judged.detail, {
    symptoms: { accessPointUpdates: "not known", cannotReach: "not known" },
  });
});

test("access point updates are said to have ended where the maker's own end is what decided, and by whom", () => {
  const said = (rule: string, saw: object) => symptomsOf(decidedBy(rule, saw), [], []).accessPointUpdates;
  assert.equal(
    said("maker_support_end", { ends: "2018-06-01", source: "https://maker.example/support" }),
    "none since 2018-06-01, by https://maker.example/support",
  );
  assert.match(
    said("maker_exit", { endedBy: "2022-08-31", note: "services ended" }),
    /^none since 2022-08-31: services/,
  );
  for (const rule of ["maker_relation", "age_cutoff", "model_list", "operator_override", "support_estimate"])
    assert.equal(said(rule, { deal: false, ends: "2018-06-01" }), "not known", rule);
});

test("the record of an order says that its model's maker ended the updates", async () => {
  const reasons = decidedBy("maker_exit", { endedBy: "2022-08-31", note: "services ended" });
  const engine = testEngine({ judgement: { reasons } });
  engine.open();
  await engine.conductor.advance(1);
  const judged = engine.books.events.find(({ kind }) => kind === "judged") as unknown as {
    detail: { symptoms: { accessPointUpdates: string } };
  };
  assert.equal(judged.detail.symptoms.accessPointUpdates, "none since 2022-08-31: services ended");
});

test("the shipped data names what is cut off on a model only where its release is known to lie before", () => {
  const on = (make: string, year: number | null, asOf = "2026-11-01") =>
    cutOffOn(
      {
        make,
        release: year === null ? null : { from: `${year}-01-01`, to: `${year}-12-31`, basis: "model" },
      } as Parameters<typeof cutOffOn>[0],
      knowledge,
      asOf,
    ).map(({ application }) => application);
  assert.deepEqual(on("BlackBerry", 2007), ["app_store", "instant_messaging", "device_backup"]);
  assert.deepEqual(on("BlackBerry", 2017), [], "its phones with Android lost none of it");
  assert.deepEqual(on("BlackBerry", null), []);
  assert.deepEqual(on("BlackBerry", 2007, "2021-12-01"), [], "not yet");
  assert.deepEqual(on("LG", 2013), [], "the data tells nothing of it");
  for (const row of shippedData.makerExits.rows)
    assert.equal(
      row.cutOff.length > 0,
      row.cutOffSource.startsWith("https://"),
      `${row.make}: a source each`,
    );
});
