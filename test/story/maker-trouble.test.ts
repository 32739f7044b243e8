/** What an order does while a manufacturer's key server is not well (R92-98): it waits, says why, and goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "vitest";
import { ensureMakerCertificates } from "../../src/app/certificates/certificates.ts";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import { cutMessage } from "../../src/kernel/payload/compose.ts";
import { itemOf, kindsOf, storyFixture } from "../fixture/story.ts";
import { PATIENT_MS, type Trouble, troubledMaker } from "../fixture/troubled-maker.ts";

const fixture = await storyFixture({ env: { TURNUP_MAKER_TIMEOUT_MS: String(PATIENT_MS) } });
const maker = await troubledMaker(fixture.world);
const withTroubledMaker = () => fixture.operator({ relations: [{ make: "Sony", keyServer: maker.url }] });

const WAITS: readonly { readonly mode: Trouble; readonly cause: string; readonly reason: RegExp }[] = [
  { mode: "down", cause: "unreachable", reason: /socket hang up|ECONNRESET/ },
  { mode: "slow", cause: "timeout", reason: /no answer within 300 ms/ },
  { mode: "busy", cause: "busy", reason: /HTTP 503/ },
  { mode: "no_json", cause: "bad_answer", reason: /no JSON/ },
  { mode: "answers_another_request", cause: "bad_answer", reason: /does not match what was asked/ },
  { mode: "key_of_another_handset", cause: "key_foreign_key", reason: /a key that may not be used/ },
  { mode: "bad_signature", cause: "key_bad_signature", reason: /a key that may not be used/ },
  { mode: "run_out_key", cause: "key_expired", reason: /a key that may not be used/ },
];

for (const { mode, cause, reason } of WAITS) {
  test(`a key server in trouble (${mode.replaceAll("_", " ")}) keeps the key waiting with its reason and next try, and the settings go`, async () => {
    const operator = await withTroubledMaker();
    const phone = fixture.phone("Xperia Z3");
    maker.mode = mode;
    await phone.attach();
    const waiting = await operator.storyUntil(
      phone,
      (story) => itemOf(story, "key")?.cause === cause && itemOf(story, "settings")?.state === "works",
      `the key waits with ${cause} and the settings work`,
    );
    const key = itemOf(waiting, "key");
    assert.deepEqual([waiting.state, key.state], ["provisioning", "waiting_for_key"]);
    assert.match(key.reason, reason);
    assert.match(key.nextAction, /^ask the manufacturer again at 20/);
    assert.ok(Date.parse(key.deadlineAt) > Date.now());
    const [call] = waiting.calls;
    assert.deepEqual([call.kind, call.state], ["key_request", "due"]);
    assert.ok(Date.parse(call.dueAt) > Date.now(), "it is asked again, later");
    assert.ok(kindsOf(waiting).includes("key_not_received"));
    assert.deepEqual([phone.status().keyOpened, waiting.charges], [false, []]);

    maker.mode = "none";
    const done = await fixture.whileTimePasses(() => operator.settled(phone));
    assert.deepEqual([itemOf(done, "key").state, phone.status().now], ["works", "alive"]);
    assert.equal(done.charges.length, 1);
  });
}

test("a key that the maker refuses for good is failed with the maker's reason, and the settings are there", async () => {
  const operator = await withTroubledMaker();
  const phone = fixture.phone("Xperia Z3");
  maker.mode = "refuses";
  const before = maker.asked;
  await phone.attach();
  const story = await operator.settled(phone, "partly_completed");
  const key = itemOf(story, "key");
  assert.deepEqual([key.state, key.cause], ["failed", "maker_blocked_device"]);
  assert.match(key.reason, /block list/);
  assert.equal(itemOf(story, "settings").state, "works");
  assert.deepEqual(story.charges, [], "no success, no fee");
  assert.equal(maker.asked, before + 1, "a clear no is not asked for again");

  maker.mode = "none";
  const resent = await operator.call("POST", `/v1/orders/${story.id}/resend`, {}, "admin", {
    "idempotency-key": story.id,
  });
  assert.equal(resent.status, 202, resent.text);
  const done = await operator.settled(phone);
  assert.equal(itemOf(done, "key").state, "works");
});

test("a key that never comes is given up at the deadline, with no fee and the settings delivered", async () => {
  const operator = await withTroubledMaker();
  const phone = fixture.phone("Xperia Z3");
  maker.mode = "down";
  await phone.attach();
  await operator.storyUntil(
    phone,
    (story) => itemOf(story, "key")?.cause === "unreachable" && itemOf(story, "settings")?.state === "works",
    "the key waits",
  );
  await fixture.timePasses(169 * 3_600_000);
  const story = await operator.ended(phone, "partly_completed");
  assert.equal(itemOf(story, "key").state, "failed");
  assert.deepEqual(story.charges, []);
  maker.mode = "none";
});

test("a handset refuses the key of another, and says so to nobody's cost", async () => {
  const operator = await fixture.operator();
  const [owner, thief] = [fixture.phone("Xperia Z3"), fixture.phone("Xperia Z3")];
  await owner.attach();
  await thief.attach();
  const story = await operator.settled(owner);
  await operator.settled(thief);
  const message = story.messages.find(({ kind }: { kind: string }) => kind === "key");
  const before = { status: thief.status(), applied: thief.did("applied").length };
  const { parts, dataCoding } = cutMessage("device_key", Buffer.from(message.content.hex, "hex"), 99);
  for (const { udh, data } of parts) {
    await fixture.world.parties.fleet.onMessage({
      to: thief.spec.msisdn,
      from: "2948",
      esmClass: 0x40,
      dataCoding,
      udh,
      data,
    });
  }
  assert.deepEqual(
    thief.did("refused").map((event) => ("cause" in event ? event.cause : "")),
    ["foreign_key"],
  );
  assert.equal(thief.did("applied").length, before.applied);
  const after = await operator.story(owner);
  assert.deepEqual([after.state, after.charges], ["completed", story.charges]);
});

test("each key is of one handset alone: no two orders ever carry the same", async () => {
  const rows = await fixture.database.rows<{ keys: number; devices: number; items: number }>(
    "select count(*)::int as keys, count(distinct device_id)::int as devices, (select count(*)::int from order_item where key_id is not null) as items from device_key",
  );
  const [{ keys, devices, items }] = rows as [{ keys: number; devices: number; items: number }];
  assert.ok(keys >= 10);
  assert.deepEqual([devices, items], [keys, keys]);
});

test("a certificate of another authority is refused by the key server, counted there and seen in the order, the measures and the readiness", async () => {
  const stranger = await storyFixture({
    makerCredentials: async (world, folder) => {
      const { clients } = await ensureMakerCertificates({
        folder: join(folder, "another authority"),
        clientIds: [WORLD.clientId],
        now: new Date(),
      });
      return { authority: world.addresses.maker.authority, ...clients.get(WORLD.clientId)! };
    },
  });
  const operator = await stranger.operator();
  const phone = stranger.phone("Xperia Z3");
  await phone.attach();
  const story = await operator.storyUntil(
    phone,
    (one) => itemOf(one, "key")?.cause === "unauthorised",
    "the key server has refused us",
  );
  assert.equal(itemOf(story, "key").state, "waiting_for_key");
  assert.match(itemOf(story, "key").nextAction, /^ask the manufacturer again/);
  assert.ok(stranger.world.parties.maker.refusals().wrong_authority >= 1);
  const ready = await fetch(`${stranger.server.url}/readyz`).then((answer) => answer.text());
  assert.match(ready, /"refusals":\[\{"machine":"maker","since":"\d{4}-/);
  const measures = await fetch(`${stranger.server.url}/metrics`).then((answer) => answer.text());
  assert.match(measures, /^turnup_machine_refused\{machine="maker"\} 1$/m);
  assert.match(measures, /^turnup_machine_refused\{machine="bank"\} 0$/m);
  assert.equal(stranger.world.parties.maker.keyServer.size(), 0, "no key left its fixture");
});
