/** The client module as stories: keys go in, requests and SMS come out. Source: US 6,647,260 columns 4 to 7, Fig. 2, 3, 5, 7. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  device,
  formScreen,
  HOME,
  noticeKey,
  ORDER,
  PAGES,
  plain,
  REFERENCE,
} from "../../test/fixture/client-device.ts";
import { createPhoneStorage } from "../sim/phone/storage.ts";
import { hexOf } from "../wire/hex.ts";
import type { Screen } from "../wire/screen/screen.ts";
import { DEVICE_CLASSES, displayOfClass } from "./device-class.ts";

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
