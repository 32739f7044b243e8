/** An application that somebody saw at work: told once, with who saw it, beside what the access point proves. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { IMSI, OPERATOR, testEngine } from "../../../test/fixture/order-engine.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { arrivalProofOf } from "../../wire/message/device-report.ts";
import { applicationsOf } from "../support/applications.ts";

async function sent() {
  const engine = testEngine({
    policy: { package: "apart", doneAt: "works" },
    relation: { keySource: "own" },
  });
  const orderId = engine.open();
  await engine.conductor.advance(1);
  for (const message of engine.books.messages.values()) message.state = "submitted";
  const settings = () => engine.order(orderId).items.find(({ kind }) => kind === "settings");
  const [apn = ""] = settings()?.apns ?? [];
  const tell = async (application: string | undefined, server = "mmsc.op") => {
    const traffic = { kind: "traffic", imsi: IMSI, apn, application, server, source: "mmsc" } as const;
    return (await engine.conductor.confirm(OPERATOR, [traffic]))[0]?.outcome;
  };
  const told = () => engine.books.events.filter(({ kind }) => kind === "application_works");
  return { engine, apn, settings, tell, told };
}

test("it is told once a server, with who saw it and over which access point", async () => {
  const { apn, tell, told, engine } = await sent();
  assert.deepEqual(
    [await tell("mms"), await tell("mms"), await tell("mms", "mmsc.maker")],
    ["booked", "repeated", "booked"],
  );
  assert.deepEqual(
    told().map(({ evidence, detail }) => [evidence, detail]),
    [
      ["traffic:mmsc", { application: "mms", apn, source: "mmsc", server: "mmsc.op" }],
      ["traffic:mmsc", { application: "mms", apn, source: "mmsc", server: "mmsc.maker" }],
    ],
  );
  const events = engine.books.events.map((event) => ({ ...event, at: event.at.toISOString() }));
  assert.deepEqual(
    applicationsOf(events).map(({ application, before, after }) => [
      application,
      before.outcome,
      after.outcome,
    ]),
    [["mms", "not_seen", "works"]],
  );
});

test("traffic of no named application says nothing of any", async () => {
  const { tell, told, settings } = await sent();
  assert.equal(await tell(undefined), "booked");
  assert.deepEqual([told(), settings()?.applicationsSeen], [[], []]);
});

test("an access point that was seen already does not hide an application that is seen on it for the first time", async () => {
  const { tell, settings } = await sent();
  assert.equal(await tell(undefined), "booked");
  assert.equal(await tell("video_call", "video.op"), "booked");
  assert.deepEqual(settings()?.applicationsSeen, ["video_call@video.op"]);
});

test("an arrival names the application that came, and over which access point", async () => {
  const { engine } = await sent();
  const key = [...engine.books.keys.values()][0];
  assert.ok(key);
  const { keyId, confirmSecret } = decodeDeviceKey(key.bytes);
  const arrival = {
    kind: "arrival",
    keyId: key.keyId,
    proof: arrivalProofOf(confirmSecret, keyId),
    application: "mms",
    apn: "acme.maker",
    source: "acme",
  } as const;
  assert.equal((await engine.conductor.confirm(OPERATOR, [arrival]))[0]?.outcome, "booked");
  const events = engine.books.events.map((event) => ({ ...event, at: event.at.toISOString() }));
  const [mms] = applicationsOf(events);
  assert.deepEqual(
    [mms?.after.outcome, mms?.after.apn, mms?.after.source],
    ["reached", "acme.maker", "arrival:acme"],
  );
  const over = engine.books.workingApplications.map(({ application, server }) => [application, server]);
  assert.deepEqual(
    over,
    [["mms", "app.acme.example"]],
    "of its other applications and servers nobody saw anything",
  );
});
