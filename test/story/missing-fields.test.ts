/** A service server that lacks something asks for just that; one that cannot be trusted or reached ends its service (US 6,647,260, figure 7C). */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "vitest";
import type { DeviceWorld } from "../../src/app/demo/device-world.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { type StoryParties, storyParties } from "../fixture/story-parties.ts";
import {
  answerNotice,
  billedTo,
  changeItem,
  endedAs,
  kindsOf,
  messageOn,
  openTerms,
  orderSteps,
  requestOf,
  settledAs,
  stateOf,
} from "../fixture/story-steps.ts";
import { tracesOf } from "../fixture/traces.ts";

const HOUR_MS = 3_600_000;
const NAME = { u_givenName: "Quillaia", u_familyName: "Brandywine" };
const PIN = "73918264";

const fixture = await storyParties();
const { office, bank } = fixture.road.sandboxes.parties;
const directory = office.kernelAt("/scim/v2/directory");
await changeItem(fixture, "directory", {
  service: {
    ...(await fixture.get("/v1/catalog/directory")).item.service,
    fields: [{ name: "company", label: { en: "Company", de: "Firma" }, kind: "text", required: false }],
  },
});

/** Asks for the directory; the catalog does not know that its server wants the company's name. */
async function asksForDirectory(at: StoryParties, company?: string): Promise<Phone> {
  const phone = await at.phone();
  phone.powerOn();
  const more = company === undefined ? {} : { f_directory__company: company };
  await phone.walk(orderSteps("Services", "Company directory", { ...NAME, ...more }));
  return phone;
}

test("a field that is missing: just that is asked for, given, and the same registration goes on (R59, R61)", async () => {
  const phone = await asksForDirectory(fixture);
  await messageOn(phone, /Company directory still needs: Company\./);
  const waiting = await fixture.story(phone);
  assert.equal(stateOf(waiting, "directory"), "needs_information");
  assert.deepEqual(billedTo(fixture), []);
  const [before] = directory.ofClient("turnup");
  assert.equal(before?.state, "needs_information", "it is kept at both ends meanwhile");

  const screen = await phone.walk([
    { await: "notice-needs_information" },
    { action: "more" },
    { await: "status" },
    { choose: "Company directory" },
    { await: "fields" },
  ]);
  assert.deepEqual(
    screen.form?.fields.map(({ name }) => name),
    ["x_company"],
  );
  await phone.walk([{ fill: { x_company: "Meridian" } }, { submit: true }]);
  const story = await settledAs(fixture, phone, "completed");
  const [after, ...more] = directory.ofClient("turnup");
  assert.ok(after && more.length === 0);
  assert.deepEqual([after.id, after.state, after.fields], [before.id, "registered", { company: "Meridian" }]);
  const { rows } = await fixture.get(`/v1/orders?imsi=${phone.imsi}`);
  assert.equal(rows.length, 1, "no second request");
  const supplied = story.events.find(({ kind }: { kind: string }) => kind === "fields_supplied");
  assert.equal(supplied.reason, "the subscriber gave: company");
  assert.equal(kindsOf(story).filter((kind) => kind === "registering").length, 2);
  const { reference } = await requestOf(fixture, story.id);
  const access = phone.client()!.installer.securityOf(reference, story.items[0].id);
  assert.ok(directory.opens(after.id, access.password!));
});

test("a field that is corrupt: asked for again, also a secret, and what was good is not asked for (R61)", async () => {
  const phone = await fixture.phone();
  phone.powerOn();
  const fields = { f_bank_alerts__accountNumber: "20260711", f_bank_alerts__phonePin: "4711" };
  const card = { c_number: "4111111111111111", c_expiry: "1230", c_code: "123" };
  await phone.walk(orderSteps("Services", "Banking alerts", { ...NAME, ...fields, ...card }));
  await answerNotice(phone, "terms", "accept").catch(async () => {
    await openTerms(phone);
    await phone.walk([{ action: "accept" }]);
  });
  await messageOn(phone, /Banking alerts still needs: Telephone PIN\./);
  const screen = await phone.walk([
    { await: "notice-needs_information" },
    { action: "more" },
    { await: "status" },
    { choose: "Banking alerts" },
    { await: "fields" },
  ]);
  assert.deepEqual(
    screen.form?.fields.map(({ name, kind, value }) => [name, kind, value]),
    [["x_phonePin", "secret", undefined]],
  );
  await phone.walk([{ fill: { x_phonePin: PIN } }, { submit: true }]);
  await settledAs(fixture, phone, "completed");
  const [registration] = bank.kernelAt("/scim/v2").ofClient("turnup");
  assert.deepEqual(registration?.fields, { accountNumber: "20260711", phonePin: PIN });
  assert.deepEqual(await tracesOf(fixture, [phone], [PIN, "20260711", "4111111111111111", "Brandywine"]), []);
});

test("nobody gives what is missing: after the deadline that service has failed, and nothing is billed (R61)", async () => {
  const phone = await asksForDirectory(fixture);
  const before = billedTo(fixture).length;
  await messageOn(phone, /still needs: Company/);
  await fixture.timePasses(49 * HOUR_MS);
  await endedAs(fixture, phone, "failed");
  await messageOn(phone, /request \w{8} failed/);
  assert.deepEqual(billedTo(fixture).slice(before), []);
});

/** Changes what the server is told of the office's servers. */
const withProviders =
  (change: (provider: Record<string, unknown>) => object) =>
  async ({ sandboxes }: DeviceWorld): Promise<void> => {
    const file = sandboxes.environment.TURNUP_SERVICE_PROVIDERS_FILE!;
    const providers = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>[];
    await writeFile(file, JSON.stringify(providers.map((one) => ({ ...one, ...change(one) }))));
  };

const SILENT = "does not answer";
for (const [what, prepare] of [
  [SILENT, async ({ sandboxes }: DeviceWorld) => sandboxes.parties.office.close()],
  [
    "shows a certificate other than the one that was agreed",
    withProviders(() => ({ pins: [`${"A".repeat(43)}=`] })),
  ],
  [
    "does not take our certificate",
    withProviders(() => ({
      certificateFile: "bank/certificates/client-turnup.crt",
      keyFile: "bank/certificates/client-turnup.key",
    })),
  ],
] as const) {
  test(`a service server that ${what}: nothing of the user reaches it, the service fails, and he is told (R58)`, async () => {
    const at = await storyParties({ prepare });
    const phone = await asksForDirectory(at, "Meridian");
    await at.storyUntil(
      phone,
      (story) => kindsOf(story).includes("service_registration_delayed") || story.endedAt,
      "it was tried",
    );
    for (let hours = 0; hours < 30 && (await at.story(phone)).endedAt === null; hours += 10)
      await at.timePasses(10 * HOUR_MS);
    if (what === SILENT) {
      // Only its answers may have been lost: it is asked to end what it may hold, and in the end a person has to look.
      // Tried once, so that time does not stand still for it while it is being made.
      const isTried = (kinds: readonly string[]): boolean =>
        kinds.includes("registration_taken_back") &&
        kinds.lastIndexOf("service_registration_delayed") > kinds.indexOf("registration_taken_back");
      await at.storyUntil(
        phone,
        (story) => isTried(kindsOf(story)),
        "it is asked to end what it may hold, in vain at first",
      );
      await at.timePasses(15 * 24 * HOUR_MS);
    }
    const story = await settledAs(at, phone, "failed");
    assert.equal(kindsOf(story).includes("registration_not_removed"), what === SILENT);
    assert.equal(stateOf(story, "directory"), "failed");
    assert.equal(at.road.sandboxes.parties.office.kernelAt("/scim/v2/directory").size(), 0);
    await messageOn(phone, /request \w{8} failed/);
    assert.deepEqual(billedTo(at), []);
    assert.deepEqual(at.faults, []);
  });
}

test("nothing broke on the way", () => {
  assert.deepEqual(fixture.faults, []);
});
