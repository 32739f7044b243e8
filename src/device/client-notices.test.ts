/** What reaches the client module by SMS: notices, terms, alerts, knocks. Source: US 6,647,260 columns 5 to 7, Fig. 5, 7B. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  CENTRE,
  contentOf,
  device,
  formScreen,
  HOME,
  ITEM,
  isActive,
  REFERENCE,
  statusScreen,
} from "../../test/fixture/client-device.ts";
import { encodeNotice, NOTICE_CONTENT_TYPE } from "../wire/message/notice.ts";
import type { Screen } from "../wire/screen/screen.ts";
import { encodePush } from "../wire/wsp/push.ts";

test("a notice that comes twice is shown once and acknowledged twice", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "unavailable", text: "Voice mail is not available" });
  phone.press("BACK");
  phone.notice({ kind: "unavailable", text: "Voice mail is not available" });
  assert.equal(phone.client.screen()?.id, "start");
  assert.deepEqual(
    phone.replies().map(({ kind, to }) => [kind, to]),
    [
      ["ack", CENTRE],
      ["ack", CENTRE],
    ],
  );
  assert.equal(phone.client.state().messages.length, 1);
});

test("a notice of another device, or changed on its way, is dropped and nothing is said", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  const body = encodeNotice(
    {
      messageId: new Uint8Array(8),
      kind: "terms",
      reference: REFERENCE,
      itemId: null,
      text: "x",
      fields: {},
      at: new Date(),
    },
    new Uint8Array(32),
  );
  const bytes = encodePush({ transactionId: 1, contentType: NOTICE_CONTENT_TYPE, body });
  phone.happen({ kind: "push", from: "666", bytes });
  assert.deepEqual(phone.replies(), []);
  assert.ok(phone.seen.some(({ kind }) => kind === "dropped"));
});

for (const [answer, keys] of [
  ["accept", ["DOWN", "SOFT_LEFT"]],
  ["decline", ["DOWN", "DOWN", "SOFT_LEFT"]],
] as const) {
  test(`terms by SMS are shown over whatever is there, and the user's ${answer} goes back by SMS`, () => {
    const phone = device();
    phone.happen({ kind: "power_on" });
    phone.notice({ kind: "terms", text: "You pay 2.00 EUR" });
    assert.equal(phone.client.lines()[1]?.trim(), "You pay 2.00 EUR");
    phone.press(...keys);
    assert.deepEqual(phone.replies().at(-1), {
      to: CENTRE,
      kind: answer,
      messageId: new Uint8Array(8).fill(1),
      reference: REFERENCE,
      itemId: null,
      cause: null,
    });
    assert.equal(phone.client.screen()?.id, "start");
  });
}

test("terms that were answered by a text lie open no more once the request goes on; a status leaves them open", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "terms", text: "You pay" });
  phone.notice({ messageId: new Uint8Array(8).fill(2), kind: "status", text: "We wait for you" });
  assert.equal(phone.client.screen()?.id, "notice-terms");
  phone.notice({ messageId: new Uint8Array(8).fill(3), kind: "content_ready", itemId: ITEM });
  assert.equal(phone.client.screen()?.id, "start");
});

test("a key that was meant for the screen below an alert agrees to nothing", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "terms", text: "You pay" });
  phone.press("SOFT_LEFT", "1");
  assert.deepEqual(
    phone.replies().map(({ kind }) => kind),
    ["ack"],
  );
});

test("terms that were cut are read on the server's screen before anybody can agree", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "terms", text: "You pay a sum that…" });
  assert.deepEqual(
    phone.client.screen()?.actions.map(({ role }) => role),
    ["more", "back"],
  );
});

test("an alert waits while somebody types, and what was typed stays", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2");
  phone.notice({ kind: "terms", text: "Terms" });
  assert.equal(phone.client.screen()?.id, "account");
  phone.press("SOFT_LEFT");
  assert.equal(phone.client.screen()?.id, "notice-terms");
  phone.press("BACK");
  assert.equal(phone.client.screen()?.id, "account");
  assert.equal(phone.client.state().place?.keypad.values.familyName, "A");
});

test("a notice that overtakes the answer to its request is taken as of the server that was asked", () => {
  const there: Screen = { ...formScreen, form: { ...formScreen.form!, action: "/d/requests" } };
  const elsewhere = "/r/two.example%3A443/d";
  const phone = device({
    pages: {
      [`GET ${elsewhere}/services`]: there,
      [`POST ${elsewhere}/requests`]: statusScreen,
      [`GET ${elsewhere}/orders/${REFERENCE}/items/${ITEM}/content`]: contentOf({ activations: ["mms"] }),
    },
    meanwhile(asked) {
      if (asked.startsWith("POST") && asked.endsWith("/d/requests"))
        phone.notice({ kind: "content_ready", itemId: ITEM });
    },
  });
  phone.happen({ kind: "power_on" });
  phone.press("3", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  assert.ok(isActive(phone.client.installer.modules(), "mms"));
  assert.ok(!phone.asked().some((asked) => asked.startsWith(`GET ${HOME}/orders`)));
});

test("an answer goes to the number that its notice came from, whoever wrote last", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  const terms = { kind: "terms", fields: { code: "4821" } } as const;
  phone.notice({ ...terms, messageId: new Uint8Array(8).fill(2), server: "two.example:8445" }, "70002");
  phone.notice({ kind: "status", messageId: new Uint8Array(8).fill(3) });
  phone.press("DOWN", "SOFT_LEFT");
  const answered = phone.replies().filter(({ kind }) => kind === "accept");
  assert.deepEqual(
    answered.map(({ to }) => to),
    ["70002"],
  );
});

test("a knock of a server that was never asked leads to what waits there; a stranger's costs four looks and no SMS", () => {
  const there = "/r/two.example%3A8445/d";
  const phone = device({
    pages: {
      [`GET ${there}/orders/${REFERENCE}/items/${ITEM}/content`]: contentOf({ activations: ["mms"] }),
      [`POST ${there}/orders/${REFERENCE}/items/${ITEM}/report`]: statusScreen,
    },
  });
  phone.happen({ kind: "power_on" });
  phone.knock({ server: "two.example:8445", reference: REFERENCE, itemId: ITEM });
  assert.ok(isActive(phone.client.installer.modules(), "mms"));
  const before = phone.asked().length;
  for (let n = 0; n < 9; n++)
    phone.knock({ server: "two.example:8445", reference: "XXXXXXXX", itemId: ITEM.replace(/.$/, String(n)) });
  phone.pass(3_000);
  phone.pass(3_000);
  assert.equal(phone.asked().length - before, 8, "four looks, each once more after a pause");
  assert.deepEqual(phone.replies(), []);
});
