/** How key and settings travel, who vouches for them, and who must agree on the handset (R99-102). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { verifyMac } from "../../src/wire/omacp/mac.ts";
import { decodePush } from "../../src/wire/wsp/push.ts";
import { itemOf, storyFixture } from "../fixture/story.ts";

const THINKS_MS = 300;
const SLOW_MS = 4_000;
const fixture = await storyFixture({ world: { user: { delayMs: [THINKS_MS, THINKS_MS] } } });
const HOUR_MS = 3_600_000;

type Message = {
  readonly id: string;
  readonly kind: string;
  readonly protocol: string;
  readonly sec: string | null;
  readonly content: {
    readonly hex: string;
    readonly bodies: readonly { readonly contentType: string; readonly text: string | null }[];
  };
};
const kinds = (messages: readonly Message[]): string[] => messages.map(({ kind }) => kind).sort();

for (const model of ["Xperia Z3", "G2"]) {
  test(`key and settings together are one message to a ${model}, and both are proved for themselves`, async () => {
    const operator = await fixture.operator({ policy: { package: "together" } });
    const phone = fixture.phone(model);
    await phone.attach();
    const story = await operator.settled(phone);
    const [message] = story.messages as [Message];
    assert.deepEqual([story.messages.length, message.kind, message.protocol], [1, "package", "multipart"]);
    assert.deepEqual(
      message.content.bodies.map(({ contentType }) => contentType),
      ["application/vnd.turnup.device-key", "application/vnd.wap.connectivity-wbxml"],
    );
    for (const kind of ["key", "settings"] as const) {
      const { state, messageId } = itemOf(story, kind);
      assert.deepEqual([state, messageId], ["works", message.id], kind);
    }
    const { keyOpened, settingsApplied, now } = phone.status();
    assert.deepEqual(
      { keyOpened, settingsApplied, now },
      { keyOpened: true, settingsApplied: 1, now: "alive" },
    );
    assert.equal(story.charges.length, 1);
  });
}

test("key and settings apart are two messages", async () => {
  const operator = await fixture.operator({ policy: { package: "apart" } });
  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual(kinds(story.messages), ["key", "settings"]);
  assert.notEqual(itemOf(story, "key").messageId, itemOf(story, "settings").messageId);
});

test("with USERPIN a PIN of its own goes ahead in a text, the handset asks for it, and it alone opens the settings", async () => {
  const operator = await fixture.operator({ policy: { authentication: "userpin" } });
  const phones = Array.from({ length: 4 }, () => fixture.phone("Galaxy S25"));
  const pins = await Promise.all(
    phones.map(async (phone) => {
      await phone.attach();
      const story = await operator.settled(phone);
      const messages = story.messages as Message[];
      assert.deepEqual(kinds(messages), ["pin_notice", "settings"]);
      const notice = messages.find(({ kind }) => kind === "pin_notice")!;
      const [, pin] = /The PIN is (\d{4})\.$/.exec(notice.content.bodies[0]!.text ?? "") ?? [];
      assert.ok(pin, notice.content.bodies[0]!.text ?? "");

      const settings = messages.find(({ kind }) => kind === "settings")!;
      assert.equal(settings.sec, "userpin");
      const push = decodePush(Buffer.from(settings.content.hex, "hex"));
      const opens = (tried: string): boolean =>
        verifyMac("userpin", String(push.params.MAC), { imsi: phone.spec.imsi, pin: tried }, push.body);
      assert.ok(opens(pin));
      for (const other of ["0000", "1234", "9999"]) assert.equal(opens(other), other === pin);
      assert.deepEqual(
        phone.did("prompt").map((event) => ("needs" in event ? event.needs : "")),
        ["pin"],
      );
      const care = await operator.call("GET", `/v1/orders/${story.id}`, undefined, "care");
      const seen = (care.body.messages as Message[]).find(({ kind }) => kind === "pin_notice")!;
      assert.equal(seen.content.bodies[0]!.text, "***", "the desk does not see it");
      return pin;
    }),
  );
  assert.ok(new Set(pins).size > 1, "it is no default");
});

test("by default nobody is asked: the SIM's own number vouches, and a phone that opens by itself prompts nobody", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual(phone.did("prompt"), []);
  const settings = (story.messages as Message[]).find(({ kind }) => kind === "settings");
  assert.equal(settings?.sec, "netwpin");
});

test("a phone that asks its user: the job waits until its deadline, and goes on when the user agrees", async () => {
  // Long enough to be looked at meanwhile, on a busy machine too.
  const slow = await storyFixture({ world: { user: { delayMs: [SLOW_MS, SLOW_MS] } } });
  const operator = await slow.operator();
  const phone = slow.phone("Galaxy S6 edge");
  await phone.attach();
  const asked = await operator.storyUntil(
    phone,
    (story) =>
      itemOf(story, "key")?.state === "delivered" && itemOf(story, "settings")?.state === "delivered",
    "both are on the handset, and nobody has agreed yet",
  );
  assert.equal(asked.state, "provisioning");
  for (const kind of ["key", "settings"] as const) {
    const { nextAction, deadlineAt } = itemOf(asked, kind);
    assert.equal(nextAction, "wait for proof that it works");
    assert.ok(Date.parse(deadlineAt) > Date.now());
  }
  assert.deepEqual(asked.charges, []);
  assert.equal(phone.status().now, "dead");

  const story = await operator.settled(phone);
  assert.deepEqual([itemOf(story, "key").state, phone.status().now], ["works", "alive"]);
  assert.equal(phone.did("prompt").length, 2);
});

test("a user who says no: the refusal is the key's cause, nothing is installed and nothing is billed", async () => {
  const unwilling = await storyFixture({ world: { user: { declines: 1 } } });
  const operator = await unwilling.operator();
  const phone = unwilling.phone("Galaxy S6 edge");
  await phone.attach();
  const refused = await operator.storyUntil(
    phone,
    (story) => itemOf(story, "key")?.state === "failed",
    "the key is refused",
  );
  const key = itemOf(refused, "key");
  assert.deepEqual([key.cause, key.nextAction], ["device_user_refused", "a person may resend it"]);
  assert.match(key.reason, /the handset refused it: user refused/);
  // Settings have no voice of their own: their proof is waited for until its deadline.
  await operator.storyUntil(
    phone,
    (story) => itemOf(story, "settings").state === "delivered",
    "the settings arrived",
  );
  await unwilling.timePasses(73 * HOUR_MS);
  const story = await operator.ended(phone, "partly_completed");
  assert.match(itemOf(story, "settings").reason, /no proof of "works" came in time/);
  assert.deepEqual(story.charges, []);
  const { keyOpened, settingsApplied } = phone.status();
  assert.deepEqual({ keyOpened, settingsApplied }, { keyOpened: false, settingsApplied: 0 });
});
