/** R83: an applet on the SIM, the UICC or the eSIM's profile tells which phone it is in; no probe says anything. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Applet, createTerminal } from "../../src/sim/applet/applet.ts";
import { luhnDigitOf } from "../../src/term/luhn.ts";
import type { AppletHome } from "../../src/wire/applet/report.ts";
import { type StoryPhone, storyFixture } from "../fixture/story.ts";

const SHORT_CODE = "7070";
const fixture = await storyFixture({ env: { TURNUP_APPLET_SHORT_CODE: SHORT_CODE } });
const operator = await fixture.operator();

type Owner = StoryPhone["spec"];
const iccidOf = ({ imsi }: Owner): string => `894411${imsi.slice(-12)}`.padEnd(18, "0");
const mo = async (from: string, message: { dataCoding: number; data: Uint8Array }, to = SHORT_CODE) =>
  assert.equal(
    await fixture.world.parties.smsc.sendMobileOriginated({ from, to, esmClass: 0, ...message }),
    "taken",
  );
const text = (words: string) => ({ dataCoding: 1, data: new Uint8Array(Buffer.from(words)) });

function appletOf(home: AppletHome, owner: Owner): Applet {
  const digits = iccidOf(owner);
  return new Applet({
    home,
    imsi: owner.imsi,
    iccid: `${digits}${luhnDigitOf(digits)}`,
    send: (message) => mo(owner.msisdn, message),
  });
}

const sightingsOf = (phone: StoryPhone) =>
  fixture.database.rows<{ source: string; home: string | null; outcome: string }>(
    `select s.source, s.applet_home as home, s.outcome from sighting s join device d on d.id = s.device_id
      where d.tac = $1 and s.subscriber_id in (select id from subscriber where operator_id = $2) order by s.id`,
    [phone.spec.imei.slice(0, 8), operator.id],
  );
const orderCount = async (): Promise<number> => (await operator.get("/v1/orders?limit=100")).rows.length;

const HOMES: readonly {
  readonly home: AppletHome;
  readonly models: readonly [string, string];
  readonly svn: string | null;
}[] = [
  { home: "sim", models: ["KE970 Shine", "G2"], svn: null },
  { home: "uicc", models: ["Xperia Z3", "Galaxy S25"], svn: "07" },
  { home: "esim", models: ["Galaxy S25", "Xperia Z3"], svn: "12" },
];
for (const { home, models, svn } of HOMES) {
  test(`the applet of a ${home} reports at first boot and when it moves, is silent otherwise, and its phone is turned up`, async () => {
    const [phone, other] = [fixture.phone(models[0]), fixture.phone(models[1])];
    const before = await orderCount();
    const applet = appletOf(home, phone.spec);
    const terminal = createTerminal({ imei: phone.spec.imei, softwareVersion: svn });
    assert.equal(await applet.start(terminal), "reported");
    const story = await operator.storyUntil(
      phone,
      ({ state }) => state !== "received",
      "its order is opened",
    );
    assert.deepEqual([story.cause, story.model], ["first_registration", models[0]]);
    // What a SIM of fixed fields does not say about itself stays unknown.
    const kept = { source: "applet", home: home === "sim" ? null : home, outcome: "first_registration" };
    assert.deepEqual((await sightingsOf(phone)).at(-1), kept);

    await phone.attach(); // the probe's word about the same pair is no news
    await operator.settled(phone);
    assert.equal(await applet.start(terminal), "silent");
    assert.equal(await orderCount(), before + 1);

    applet.isSwitchedOn = false;
    const next = createTerminal({ imei: other.spec.imei, softwareVersion: null });
    assert.equal(await applet.start(next), "off");
    applet.isSwitchedOn = true;
    assert.equal(await applet.start(next), "reported");
    const moved = await operator.storyUntil(
      phone,
      ({ cause, state }) => cause === "sim_moved" && state !== "received",
      "the move is seen",
    );
    assert.equal(moved.model, models[1]);
    assert.equal(await orderCount(), before + 2);
  });
}

test("an applet that reports in text, and one that names no subscriber, are known by the number that the message came from", async () => {
  const phone = fixture.phone("Xperia Z3");
  const { imei, imsi, msisdn } = phone.spec;
  await mo(msisdn, text(`IMEI:${imei}`)); // nobody has this number yet
  await mo(msisdn, text(`IMEI:${imei} IMSI:${imsi} HOME:uicc`));
  const story = await operator.storyUntil(phone, ({ state }) => state !== "received", "its order is opened");
  assert.equal(story.cause, "first_registration");
  const moved = fixture.phone("G2").spec.imei;
  await mo(msisdn, text(`DCI*${moved}*#`));
  await operator.storyUntil(phone, ({ cause }) => cause === "sim_moved", "the move is seen");
});

test("what is no report, is cut short, or goes to another number opens nothing and is counted", async () => {
  const phone = fixture.phone("KE970 Shine");
  const { imei, imsi, msisdn } = phone.spec;
  const before = await orderCount();
  await mo(msisdn, text("STOP"));
  await mo(msisdn, { dataCoding: 4, data: new Uint8Array([0x94, 0x08, 0x3a]) });
  await mo(msisdn, text(`IMEI:${imei} IMSI:${imsi}`), "7071");
  const metrics = await fetch(`${fixture.server.url}/metrics`);
  const counts = [...(await metrics.text()).matchAll(/reports_total\{centre="smsc",kind="(\w+)"\} (\d+)/g)];
  const [refused] = counts.filter(([, kind]) => kind === "applet_refused");
  assert.equal(Number(refused?.[2]), 3, "two here, and the one from an unknown number before");
  assert.equal(await orderCount(), before);
});
