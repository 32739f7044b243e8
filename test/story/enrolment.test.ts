/** A phone without a factory certificate enrols its own key by a token that came to its SIM (R15 and R24; RFC 7030). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { until } from "../fixture/story.ts";
import { storyParties } from "../fixture/story-parties.ts";

const fixture = await storyParties();
const SUBSCRIBER = { imsi: "001019000000777", msisdn: "882109000777" };
const IMEI = "356938035643809";

const tokenIn = (texts: readonly string[]): string | undefined =>
  texts.flatMap((text) => /device is (\S+)\./.exec(text)?.[1] ?? []).at(-1);

test("a token by SMS binds the device's own key to its SIM, once; it is nowhere else", async () => {
  const sighted = await fixture.call(
    "POST",
    "/v1/sightings",
    { ...SUBSCRIBER, imei: IMEI, plmn: "001-01", seenAt: new Date().toISOString() },
    "probe",
  );
  assert.equal(sighted.body.results[0].outcome, "first_registration", sighted.text);
  const inbox = await fixture.phone({
    ...SUBSCRIBER,
    imei: IMEI,
    factory: null,
    enrolmentToken: { user: "x", password: "y" },
  });
  inbox.powerOn();
  const asked = await fixture.call(
    "POST",
    "/v1/enrolments",
    { msisdn: SUBSCRIBER.msisdn, imei: IMEI },
    "care",
    { "idempotency-key": "enrol-1" },
  );
  assert.equal(asked.status, 202, asked.text);
  const token = await until(
    () => tokenIn(fixture.textsTo(inbox)),
    (found) => found !== undefined,
    "the token came by SMS",
  );
  assert.ok(!asked.text.includes(token!), "the token is shown to nobody but the SIM");
  inbox.powerOff();

  const phone = await fixture.phone({
    ...SUBSCRIBER,
    imei: IMEI,
    factory: null,
    enrolmentToken: { user: SUBSCRIBER.imsi, password: token! },
  });
  phone.powerOn();
  await phone.walk([{ await: "start" }]);
  assert.equal(fixture.did(phone, "enrolled").length, 1);

  const thief = await fixture.phone({
    imei: IMEI,
    imsi: SUBSCRIBER.imsi,
    msisdn: SUBSCRIBER.msisdn,
    factory: null,
    enrolmentToken: { user: SUBSCRIBER.imsi, password: token! },
  });
  const before = fixture.did(phone, "enrolment_failed").length;
  thief.powerOn();
  await until(
    () => fixture.did(thief, "enrolment_failed").length,
    (failed) => failed > before,
    "a spent token enrols nobody",
  );
});

test("nobody who is unknown gets a token", async () => {
  const asked = await fixture.call("POST", "/v1/enrolments", { msisdn: "447700900999" }, "care", {
    "idempotency-key": "enrol-2",
  });
  assert.equal(asked.body.code, "subscriber_not_found", asked.text);
});
