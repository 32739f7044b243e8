/** Content that the client module fetches, installs and reports. Source: US 6,647,260 Fig. 7B:738 to 750. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  contentOf,
  device,
  HOME,
  ITEM,
  isActive,
  ORDER,
  plain,
  REFERENCE,
  statusScreen,
  voiceMail,
} from "../../test/fixture/client-device.ts";
import { createPhoneStorage, PowerCut } from "../sim/phone/storage.ts";

test("content that is ready is fetched, installed and reported without the user", () => {
  const phone = device({
    pages: { [`GET ${ORDER}/items/${ITEM}/content`]: contentOf({ modules: [voiceMail] }) },
  });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  assert.ok(isActive(phone.client.installer.modules(), "voice-mail"));
  const report = phone.requests.at(-1)!;
  assert.equal(`${report.method} ${report.path}`, `POST ${ORDER}/items/${ITEM}/report`);
  assert.equal(report.body, "outcome=installed&modules=mms+1%2Cvoice-mail+1.2");
});

test("an installation that fails is reported with its cause; the user may ask for it again", () => {
  const forged = contentOf({ modules: [{ ...voiceMail, signature: new Uint8Array(64) }] });
  const phone = device({ pages: { [`GET ${ORDER}/items/${ITEM}/content`]: forged } });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  assert.equal(phone.requests.at(-1)?.body, "outcome=failed&cause=bad_module_signature&modules=mms+1");
  phone.notice({ messageId: new Uint8Array(8).fill(2), kind: "choice", itemId: ITEM, text: "It failed" });
  phone.press("DOWN", "SOFT_LEFT");
  const { kind, itemId } = phone.replies().at(-1)!;
  assert.deepEqual({ kind, itemId }, { kind: "retransmit", itemId: ITEM });
});

test("content that cannot be fetched is said by SMS, so that the job does not hang", () => {
  const phone = device({ pages: { [`GET ${ORDER}/items/${ITEM}/content`]: "lost" } });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  phone.pass(3_000);
  const { kind, cause } = phone.replies().at(-1)!;
  assert.deepEqual({ kind, cause }, { kind: "failed", cause: "no_connection" });
});

test("content that the server has not is asked for once more, and then said by SMS too", () => {
  const phone = device({
    pages: { [`GET ${ORDER}/items/${ITEM}/content`]: { ...plain, id: "unavailable" } },
  });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  assert.equal(phone.replies().at(-1)?.kind, "ack");
  phone.pass(3_000);
  assert.equal(phone.asked().filter((asked) => asked.endsWith("/content")).length, 2);
  const { kind, cause } = phone.replies().at(-1)!;
  assert.deepEqual({ kind, cause }, { kind: "failed", cause: "no_connection" });
});

test("content is fetched from the server that wrote the notice, and its request is opened there", () => {
  const there = "/r/two.example%3A8445/d";
  const phone = device({
    pages: {
      [`GET ${there}/orders/${REFERENCE}/items/${ITEM}/content`]: contentOf({ activations: ["mms"] }),
      [`POST ${there}/orders/${REFERENCE}/items/${ITEM}/report`]: statusScreen,
    },
  });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM, server: "two.example:8445" });
  assert.ok(isActive(phone.client.installer.modules(), "mms"));
  assert.ok(phone.asked().includes(`POST ${there}/orders/${REFERENCE}/items/${ITEM}/report`));
  assert.ok(!phone.asked().some((asked) => asked.includes(`${HOME}/orders`)), "nothing was asked at home");
  assert.deepEqual(phone.client.state().orders.at(-1), { server: "two.example:8445", reference: REFERENCE });
});

test("a report that the proxy does not get goes by SMS", () => {
  const phone = device({
    pages: {
      [`GET ${ORDER}/items/${ITEM}/content`]: contentOf({ activations: ["mms"] }),
      [`POST ${ORDER}/items/${ITEM}/report`]: "lost",
    },
  });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  phone.pass(3_000);
  assert.equal(phone.replies().at(-1)?.kind, "installed");
});

test("an activation by SMS alone wakes dormant software, and no request goes out for it", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  const before = phone.requests.length;
  phone.notice({
    kind: "content",
    itemId: ITEM,
    text: "MMS is on",
    content: contentOf({ activations: ["mms"] }),
  });
  assert.ok(isActive(phone.client.installer.modules(), "mms"));
  assert.deepEqual(
    phone.replies().map(({ kind }) => kind),
    ["installed"],
  );
  assert.equal(phone.requests.length, before);
});

test("power that goes at any step while content comes leaves a device that installs it once and reports it", () => {
  const pages = { [`GET ${ORDER}/items/${ITEM}/content`]: contentOf({ modules: [voiceMail] }) };
  const counted = createPhoneStorage();
  const whole = device({ pages, storage: counted });
  whole.happen({ kind: "power_on" });
  whole.notice({ kind: "content_ready", itemId: ITEM });
  for (let atStep = 1; atStep <= counted.steps; atStep++) {
    const storage = createPhoneStorage();
    const phone = device({ pages, storage });
    phone.happen({ kind: "power_on" });
    storage.cut({ atStep, part: 0.5, losesUnsynced: atStep % 2 === 0 });
    try {
      phone.notice({ kind: "content_ready", itemId: ITEM });
    } catch (error) {
      assert.ok(error instanceof PowerCut);
    }
    storage.powerOn();
    phone.restart();
    phone.notice({ kind: "content_ready", itemId: ITEM }); // the centre sends again what nobody acknowledged
    phone.pass(3_000);
    assert.ok(isActive(phone.client.installer.modules(), "voice-mail"), `step ${atStep}`);
    assert.equal(phone.client.installer.records().length, 1);
    assert.ok(
      phone.requests.some(({ body }) => body === "outcome=installed&modules=mms+1%2Cvoice-mail+1.2"),
      `step ${atStep}`,
    );
  }
});
