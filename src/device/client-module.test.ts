/** The client module as stories: keys go in, requests and SMS come out. Source: US 6,647,260 columns 4 to 7, Fig. 2, 3, 5, 7. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  CENTRE,
  contentOf,
  device,
  formScreen,
  HOME,
  ITEM,
  noticeKey,
  ORDER,
  PAGES,
  plain,
  REFERENCE,
  statusScreen,
  voiceMail,
} from "../../test/fixture/client-device.ts";
import { createPhoneStorage, type PhoneStorage, PowerCut } from "../sim/phone/storage.ts";
import { hexOf } from "../wire/hex.ts";
import { encodeNotice, NOTICE_CONTENT_TYPE } from "../wire/message/notice.ts";
import type { Screen } from "../wire/screen/screen.ts";
import { encodePush } from "../wire/wsp/push.ts";
import { DEVICE_CLASSES, displayOfClass } from "./device-class.ts";
import { isActive } from "./modules.ts";
import { StorageFullError } from "./store.ts";

test("a device that was never provisioned opens its first screen by itself when it is switched on", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  assert.deepEqual(phone.asked(), [`GET ${HOME}/start`]);
  assert.deepEqual(phone.client.lines(), [
    "Welcome         ",
    ">1 Packages     ",
    " 2 Features     ",
    "Select      Back",
  ]);
});

test("it enrols a key of its own first, once", () => {
  const phone = device({ identity: { credential: { kind: "factory", reference: "0" } } });
  phone.happen({ kind: "power_on" });
  phone.happen({ kind: "power_off" });
  phone.restart();
  assert.equal(phone.seen.filter(({ kind }) => kind === "enrol").length, 1);
  assert.deepEqual(phone.client.identity().credential, { kind: "enrolled", reference: "2" });
});

for (const [what, wrong, says] of [
  ["without an address of a provisioning server", { provisioningUri: null }, /has no address/],
  ["with an address that is no https", { provisioningUri: "http://one.example" }, /address of the/],
  ["with an address that is no address", { provisioningUri: "one.example" }, /address of the/],
  ["without a proxy", { proxyUri: null }, /has no address/],
] as const) {
  test(`a device ${what} says so and sends nothing, whatever the user presses`, () => {
    const phone = device({ identity: wrong });
    phone.happen({ kind: "power_on" });
    assert.match(phone.client.screen()?.text.join(" ") ?? "", says);
    phone.press("SOFT_LEFT", "1", "2", "3", "MENU", "BACK", "1", "SOFT_LEFT", "DOWN", "SOFT_LEFT");
    phone.pass(100_000);
    assert.deepEqual(phone.requests, []);
  });
}

test("data and selection go in one request, by keys alone; the device's number is nowhere to be typed", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  phone.press("2"); // Features
  assert.deepEqual(
    phone.client.screen()?.form?.fields.map(({ name }) => name),
    ["familyName"],
  );
  phone.press("SOFT_LEFT", "2", "6", "6", "PAUSE", "6", "6", "2", "SOFT_LEFT", "SOFT_LEFT");
  const posts = phone.requests.filter(({ method }) => method === "POST");
  assert.equal(posts.length, 1);
  assert.equal(posts[0]!.body, "familyName=Anna&selection=voice-mail");
  assert.equal(posts[0]!.path, `${HOME}/requests`);
  assert.match(posts[0]!.headers["idempotency-key"] ?? "", /^[0-9a-f]{32}$/);
  assert.equal(posts[0]!.headers["turnup-notice-key"], Buffer.from(noticeKey).toString("base64"));
  assert.match(phone.client.lines().join("|"), /Being looked at/);
  assert.deepEqual(phone.client.state().orders, [{ server: "one.example:8443", reference: REFERENCE }]);
});

test("BACK leads out of the screens to the device's own menu, whatever screens say of the way back themselves", () => {
  const list: Screen = {
    ...plain,
    id: "list",
    entries: [{ label: "Mail", href: `${HOME}/mail` }],
    actions: [{ role: "back", label: "Back", href: `${HOME}/start` }],
  };
  const phone = device({ pages: { [`GET ${HOME}/features`]: list, [`GET ${HOME}/mail`]: formScreen } });
  phone.happen({ kind: "power_on" });
  phone.press("2", "1"); // the list, its entry
  const seen: unknown[] = [];
  for (let times = 0; times < 4; times++) {
    phone.press("BACK");
    seen.push(phone.client.screen()?.id);
  }
  assert.deepEqual(seen, ["list", "start", "home", "home"]);
});

test("BACK leads out to the menu too where the screens are another server's, and lead back among themselves", () => {
  const there = "/r/two.example%3A443/d";
  const item: Screen = {
    ...plain,
    id: "item",
    actions: [{ role: "back", label: "Back", href: `${there}/list` }],
  };
  const list: Screen = {
    ...item,
    id: "list",
    actions: [{ role: "back", label: "Back", href: `${there}/start` }],
  };
  const phone = device({
    pages: {
      [`GET ${there}/services`]: item,
      [`GET ${there}/list`]: list,
      [`GET ${there}/start`]: { ...plain, id: "there" },
    },
  });
  phone.happen({ kind: "power_on" });
  phone.press("3", "SOFT_LEFT");
  const seen: unknown[] = [];
  for (let times = 0; times < 4; times++) {
    phone.press("BACK");
    seen.push(phone.client.screen()?.id);
  }
  assert.deepEqual(seen, ["list", "there", "start", "home"]);
});

test("entries of one list lead to their own servers, both through the proxy", () => {
  const there: Screen = {
    ...formScreen,
    form: { ...formScreen.form!, action: "/d/requests" },
  };
  const phone = device({ pages: { "GET /r/two.example%3A443/d/services": there } });
  phone.happen({ kind: "power_on" });
  phone.press("3", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  assert.deepEqual(phone.asked().slice(0, 3), [
    `GET ${HOME}/start`,
    "GET /r/two.example%3A443/d/services",
    "POST /r/two.example%3A443/d/requests",
  ]);
});

test("what was typed for one server is not sent to another, nor anywhere but through the proxy", () => {
  for (const action of [
    "https://two.example/d/requests",
    "http://one.example:8443/d/requests",
    "/elsewhere",
    "/~/start",
  ]) {
    const phone = device({
      pages: { [`GET ${HOME}/features`]: { ...formScreen, form: { ...formScreen.form!, action } } },
    });
    phone.happen({ kind: "power_on" });
    phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
    assert.equal(phone.requests.filter(({ method }) => method === "POST").length, 0, action);
    assert.match(phone.client.screen()?.text[0] ?? "", /not safe/);
  }
});

test("by a WAP gateway without TLS the key of notices stays on the device", () => {
  const phone = device({ identity: { proxyUri: "http://wap.example" } });
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  assert.ok(phone.requests.some(({ method }) => method === "POST"));
  for (const { headers } of phone.requests) assert.equal(headers["turnup-notice-key"], undefined);
});

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

test("a status that moves by itself is looked at again, and the screen follows", () => {
  const pages: Record<string, Screen> = { ...PAGES } as Record<string, Screen>;
  const phone = device({ pages });
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "SOFT_LEFT", "SOFT_LEFT");
  const before = phone.requests.length;
  phone.pass(29_000);
  assert.equal(phone.requests.length, before);
  phone.pass(1_000);
  assert.equal(phone.asked().at(-1), `GET ${ORDER}`);
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

for (const deviceClass of DEVICE_CLASSES) {
  test(`a ${deviceClass} draws each screen within its own display`, () => {
    const { columns, lines } = displayOfClass(deviceClass);
    const phone = device({ deviceClass });
    phone.happen({ kind: "power_on" });
    for (const key of ["DOWN", "DOWN", "SOFT_LEFT", "MENU", "BACK"] as const) {
      assert.equal(phone.client.lines().length, lines);
      assert.ok(phone.client.lines().every((line) => [...line].length === columns));
      phone.press(key);
    }
  });
}

test("the address book keeps the maker's customer care, and what the user wrote", () => {
  const phone = device();
  phone.happen({ kind: "power_on" });
  assert.equal(phone.client.addAddress({ name: "Anna", number: "+43 664 1234567" }), undefined);
  assert.equal(phone.client.addAddress({ name: "e-care", number: "1" }), "number_wrong");
  assert.equal(phone.client.removeAddress("E-CARE"), "kept_by_maker");
  phone.restart();
  assert.deepEqual(
    phone.client.addresses().map(({ name, number }) => [name, number]),
    [
      ["Anna", "+436641234567"],
      ["E-CARE", "43800"],
    ],
  );
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

test("what the user typed does not stay on the medium", () => {
  const storage = createPhoneStorage();
  const phone = device({ storage, pages: { [`POST ${HOME}/requests`]: "lost" } });
  phone.happen({ kind: "power_on" });
  phone.press("2", "SOFT_LEFT", "2", "6", "6", "PAUSE", "6", "6", "2", "SOFT_LEFT", "SOFT_LEFT");
  for (const name of storage.list()) {
    const text = Buffer.from(storage.read(name)!).toString("latin1");
    assert.ok(!text.includes("Anna") && !text.includes(hexOf(new TextEncoder().encode("Anna"))), name);
  }
});
