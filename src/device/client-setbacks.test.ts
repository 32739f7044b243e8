/** The client module where requests are lost, memory is full, power goes, or the SIM is another. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { contentOf, device, HOME, ITEM, ORDER, REFERENCE } from "../../test/fixture/client-device.ts";
import { createPhoneStorage, type PhoneStorage } from "../sim/phone/storage.ts";
import { StorageFullError } from "./store.ts";

test("a lost request goes once more under the same key, then the user is told and can try again under it", () => {
  const phone = device({ pages: { [`POST ${HOME}/requests`]: "lost" } });
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  phone.pass(3_000);
  phone.pass(100_000);
  const keys = () =>
    phone.requests.filter(({ method }) => method === "POST").map(({ headers }) => headers["idempotency-key"]);
  assert.equal(keys().length, 2);
  assert.match(phone.client.screen()?.text[0] ?? "", /No connection/);
  phone.press("DOWN", "DOWN", "SOFT_LEFT");
  assert.equal(keys().length, 3);
  assert.equal(new Set(keys()).size, 1);
});

test("a request that met a server which was away goes once more under the same key, and by the user's wish again", () => {
  const phone = device({ pages: { [`POST ${HOME}/requests`]: "away" } });
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  phone.pass(3_000);
  assert.match(phone.client.screen()?.text[0] ?? "", /No connection/);
  phone.press("DOWN", "DOWN", "SOFT_LEFT");
  const posts = phone.requests.filter(({ method }) => method === "POST");
  assert.equal(posts.length, 3);
  assert.equal(new Set(posts.map(({ headers }) => headers["idempotency-key"])).size, 1);
});

test("a report that met a server which was away goes by SMS: the job is not done before it arrives", () => {
  const phone = device({
    pages: {
      [`GET ${ORDER}/items/${ITEM}/content`]: contentOf({ activations: ["mms"] }),
      [`POST ${ORDER}/items/${ITEM}/report`]: "away",
    },
  });
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "content_ready", itemId: ITEM });
  phone.pass(3_000);
  assert.equal(phone.replies().at(-1)?.kind, "installed");
});

test("a memory that is full stops no device: it goes on with what it knows", () => {
  const medium = createPhoneStorage();
  let isFull = false;
  const full = (): never => {
    throw new StorageFullError("the phone's memory is full");
  };
  const storage: PhoneStorage = Object.assign(Object.create(medium), {
    append: (name: string, bytes: Uint8Array) => (isFull ? full() : medium.append(name, bytes)),
    replace: (name: string, bytes: Uint8Array) => (isFull ? full() : medium.replace(name, bytes)),
  });
  const phone = device({ storage });
  phone.happen({ kind: "power_on" });
  isFull = true;
  phone.notice({ kind: "terms", text: "You pay 2.00 EUR" });
  phone.press("DOWN", "SOFT_LEFT");
  assert.equal(phone.replies().at(-1)?.kind, "accept");
});

test("access data reaches the applications and the eyes of the user, and no list of messages", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.notice({ kind: "access_data", itemId: ITEM, text: "Your mail box", fields: { password: "s3cret" } });
  assert.deepEqual(phone.client.installer.securityOf(REFERENCE, ITEM), { password: "s3cret" });
  assert.ok(phone.client.screen()?.text.includes("password: s3cret"));
  phone.press("BACK");
  assert.ok(!JSON.stringify(phone.client.state()).includes("s3cret"));
});

test("switched off and on, a device goes on with its open request, and after it is done with its own menu", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  phone.restart();
  assert.equal(phone.asked().at(-1), `GET ${ORDER}`);
  phone.notice({ kind: "done", text: "Voice mail works" });
  phone.restart();
  assert.equal(phone.client.screen()?.id, "home");
  phone.press("1"); // changes, any time after
  assert.equal(phone.asked().at(-1), `GET ${HOME}/start`);
});

test("with another SIM the device is another subscriber's: it enrols again, and requests and messages are gone", () => {
  const storage = createPhoneStorage();
  const first = device({ storage });
  first.happen({ kind: "power_on" });
  first.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  first.notice({ kind: "unavailable", text: "Not available" });
  const imsi = "232019999999999";
  const factoryCredential = { kind: "factory", reference: "0" } as const;
  const other = device({
    storage,
    identity: { imsi, credential: factoryCredential, noticeKey: new Uint8Array(32).fill(8) },
  });
  other.happen({ kind: "power_on" });
  assert.ok(other.seen.some(({ kind }) => kind === "enrol"));
  assert.deepEqual(other.client.state().orders, []);
  assert.deepEqual(other.client.state().messages, []);
  other.notice({ kind: "terms" });
  assert.ok(
    other.seen.some(({ kind }) => kind === "dropped"),
    "the notice was for the subscriber before",
  );
});
