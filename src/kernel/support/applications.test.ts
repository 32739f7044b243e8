/** What an order's history says of the handset's applications, before and after: by evidence, and "not seen" where there is none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { applicationsOf, attemptIn, sideWords } from "./applications.ts";

const at = (second: number): string => new Date(Date.UTC(2026, 4, 4, 8, 0, second)).toISOString();
type Told = Parameters<typeof applicationsOf>[0][number];
const event = (second: number, kind: string, more: Partial<Told> = {}): Told => ({
  kind,
  state: null,
  evidence: null,
  detail: null,
  at: at(second),
  ...more,
});
const failed = (second: number, application: string, server = "mms.maker"): Told =>
  event(second, "symptom_seen", {
    evidence: "gateway",
    detail: { application, server, apn: "old", cause: "no_route", source: "gateway", seenAt: at(second) },
  });
const works = (second: number, application: string, server = "mms.maker"): Told =>
  event(second, "application_works", {
    state: "works",
    evidence: "traffic:mmsc",
    detail: { application, server, apn: "maker", source: "mmsc", seenAt: at(second) },
  });
const PROVED = event(10, "item_works", { state: "works", evidence: "device_report" });
const said = (events: readonly Told[]) =>
  applicationsOf(events).map(({ application, before, after }) => [
    application,
    before.outcome,
    after.outcome,
  ]);

test("each application has its own before and after, by what was seen of it and of no other", () => {
  assert.deepEqual(
    said([failed(1, "mms"), failed(2, "video_call"), PROVED, works(12, "mms"), works(13, "chat")]),
    [
      ["chat", "not_seen", "works"],
      ["mms", "failed", "works"],
      ["video_call", "failed", "not_seen"],
    ],
  );
  assert.deepEqual(
    said([PROVED, event(1, "judged", { detail: { symptoms: { cannotReach: "not known" } } })]),
    [],
  );
});

test("before ends with the first proof: what fails later is no symptom of the time before", () => {
  assert.deepEqual(said([failed(1, "mms"), failed(11, "video_call")]), [
    ["mms", "failed", "not_seen"],
    ["video_call", "failed", "not_seen"],
  ]);
  assert.deepEqual(said([failed(1, "mms"), PROVED, failed(11, "mms")]), [["mms", "failed", "failed"]]);
  // Told late, seen in time.
  assert.deepEqual(said([PROVED, failed(9, "mms")]), [["mms", "failed", "not_seen"]]);
});

test("what the model's data says is cut off stands as such, and an attempt that was seen outweighs it", () => {
  const judged = (seen: readonly object[]): Told =>
    event(2, "judged", {
      state: "ended",
      detail: {
        symptoms: {
          cannotReach: [
            ...seen,
            { application: "app_store", from: "model_data", source: "https://maker.example" },
          ],
        },
      },
    });
  assert.deepEqual(said([judged([])]), [["app_store", "cut_off", "not_seen"]]);
  const seen = {
    application: "app_store",
    from: "seen",
    source: "gateway",
    server: "store.maker",
    cause: "no_route",
  };
  assert.deepEqual(said([judged([seen])]), [["app_store", "failed", "not_seen"]]);
});

test("the server that could not be reached counts first, and an attempt that failed since outweighs all", () => {
  const events = [failed(1, "mms"), PROVED, works(11, "mms"), works(12, "mms", "mmsc.operator")];
  const after = (all: readonly Told[]) => applicationsOf(all)[0]?.after;
  assert.deepEqual([after(events)?.server, after(events)?.apn], ["mms.maker", "maker"]);
  assert.equal(after([failed(1, "mms"), PROVED, works(12, "mms", "mmsc.operator")])?.server, "mmsc.operator");
  assert.equal(after([...events, failed(13, "mms", "mmsc.operator")])?.outcome, "failed");
});

test("an arrival with a key's proof says that an application reached its server, and not that it works", () => {
  const arrival = event(10, "item_works", {
    state: "works",
    evidence: "arrival:maker",
    detail: { application: "mms", apn: "maker" },
  });
  assert.deepEqual(said([failed(1, "mms"), arrival]), [["mms", "failed", "reached"]]);
  assert.deepEqual(said([failed(1, "mms"), arrival, works(11, "mms")]), [["mms", "failed", "works"]]);
});

test("an attempt that fails is news once on each side of the proof, whatever order it is told in", () => {
  const attempt = (second: number, application = "mms", server = "mms.maker") => ({
    application,
    server,
    seenAt: new Date(at(second)),
  });
  const isNews = (events: readonly Told[], one: ReturnType<typeof attempt>) => attemptIn(events, one).isNews;
  assert.equal(isNews([], attempt(1)), true);
  assert.equal(isNews([failed(1, "mms")], attempt(2)), false);
  assert.equal(isNews([failed(1, "mms")], attempt(2, "video_call")), true);
  assert.equal(isNews([failed(1, "mms")], attempt(2, "mms", "mmsc.operator")), true);
  // It failed before, and fails still: nobody may read that it was not seen since.
  assert.equal(isNews([failed(1, "mms"), PROVED], attempt(11)), true);
  assert.equal(isNews([failed(1, "mms"), PROVED, failed(11, "mms")], attempt(12)), false);
  assert.equal(isNews([failed(1, "mms"), PROVED, works(11, "mms")], attempt(12)), true);
  // Told late.
  assert.equal(isNews([PROVED, failed(11, "mms")], attempt(1)), true);
  assert.deepEqual(attemptIn([PROVED, works(13, "mms")], attempt(12)), { isNews: false, isOver: true });
  assert.deepEqual(attemptIn([PROVED, works(13, "mms")], attempt(1)), { isNews: true, isOver: true });
  assert.equal(attemptIn([PROVED, works(13, "mms", "mmsc.operator")], attempt(12)).isOver, false);
});

test("traffic that names no application is evidence of the data session, which is told of where it was seen to fail", () => {
  const traffic = event(12, "item_works", { state: "works", evidence: "traffic:radius" });
  assert.deepEqual(said([failed(1, "video_call"), traffic]), [["video_call", "failed", "not_seen"]]);
  assert.deepEqual(said([failed(1, "data", "internet"), failed(1, "mms"), traffic]), [
    ["data", "failed", "works"],
    ["mms", "failed", "not_seen"],
  ]);
});

test("details of another form, as another release may have written them, say nothing", () => {
  const odd = [null, 7, "text", { application: 5 }, { symptoms: { cannotReach: [null, 3, {}] } }];
  for (const detail of odd)
    for (const kind of ["judged", "symptom_seen", "application_works"])
      assert.deepEqual(said([event(1, kind, { detail })]), []);
});

test("each side is told in words with who says it", () => {
  const [mms] = applicationsOf([failed(1, "mms"), PROVED, works(11, "mms")]);
  assert.ok(mms);
  assert.equal(sideWords(mms.before), "failed to reach mms.maker over old: no_route (gateway)");
  assert.equal(sideWords(mms.after), "works with mms.maker over maker (mmsc)");
  assert.equal(sideWords({ ...mms.after, outcome: "not_seen" }), "not seen");
});
