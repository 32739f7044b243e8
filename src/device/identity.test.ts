/** The store of identity and the address book. Source: US 6,647,260 Fig. 3 (316), columns 5 and 6. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { withAddress, withoutAddress } from "./address-book.ts";
import {
  decodeIdentity,
  encodeIdentity,
  judgeIdentity,
  type StoredIdentity,
  withEnrolled,
  withoutIdentityFields,
} from "./identity.ts";

const stored: StoredIdentity = {
  imei: "356938035643809",
  imsi: "232011234567890",
  credential: null,
  provisioningUri: "https://one.example",
  proxyUri: "https://proxy.example:8443",
  noticeKey: new Uint8Array(32).fill(3),
};

test("a whole store names its server with its port, and the proxy by its origin", () => {
  const verdict = judgeIdentity(stored);
  assert.ok(verdict.kind === "ready");
  assert.equal(verdict.identity.server, "one.example:443");
  assert.equal(verdict.identity.proxy, "https://proxy.example:8443");
});

const faults: [Partial<StoredIdentity>, string][] = [
  [{ imei: "356938035643800" }, "imei_wrong"],
  [{ imei: "" }, "imei_wrong"],
  [{ imsi: "12" }, "imsi_wrong"],
  [{ provisioningUri: null }, "provisioning_uri_missing"],
  [{ provisioningUri: "" }, "provisioning_uri_wrong"],
  [{ provisioningUri: "http://one.example" }, "provisioning_uri_wrong"],
  [{ provisioningUri: "https://user@one.example" }, "provisioning_uri_wrong"],
  [{ provisioningUri: "https://one.example/?x" }, "provisioning_uri_wrong"],
  [{ provisioningUri: `https://${"a".repeat(300)}.example` }, "provisioning_uri_wrong"],
  [{ proxyUri: null }, "proxy_uri_missing"],
  [{ proxyUri: "ftp://proxy.example" }, "proxy_uri_wrong"],
];
for (const [change, fault] of faults) {
  test(`a store that is not whole is told apart: ${fault} of ${Object.values(change)[0] ?? "nothing"}`, () => {
    const verdict = judgeIdentity({ ...stored, ...change });
    assert.equal(verdict.kind === "unready" && verdict.fault, fault);
  });
}

test("the store is read as it was written, and what is none is nothing", () => {
  const enrolled = withEnrolled(stored, "credential");
  assert.deepEqual(decodeIdentity(encodeIdentity(enrolled)), enrolled);
  for (const text of ["", "{}", "[]", '{"version":2}', "\u0000"])
    assert.equal(decodeIdentity(new TextEncoder().encode(text)), undefined);
});

test("no form can ask for the device's own numbers, however it spells them", () => {
  const field = (name: string) => ({ name, label: name, kind: "text", required: true }) as const;
  const names = ["imei", "IMSI", "deviceId", "device_id", "imeisv", "iccid", "noticeKey", "familyName"];
  const screen = { id: "x", title: "X", lang: "en", text: [], entries: [], actions: [] };
  const form = { action: "/d/requests", submit: "Order", hidden: {}, fields: names.map(field) };
  const shown = withoutIdentityFields({ ...screen, form });
  assert.deepEqual(
    shown.form?.fields.map(({ name }) => name),
    ["familyName"],
  );
  assert.equal(withoutIdentityFields(screen), screen);
});

test("an address book takes names and numbers, in the order of their names, and has a last page", () => {
  const care = [{ name: "E-CARE", number: "43800", origin: "factory" }] as const;
  const changed = withAddress(care, { name: "Anna Huber", number: "+43 (664) 123-4567" });
  assert.ok(changed.kind === "changed");
  assert.deepEqual(
    changed.book.map(({ name }) => name),
    ["Anna Huber", "E-CARE"],
  );
  const faultOf = (name: string, number: string) => {
    const outcome = withAddress(changed.book, { name, number });
    return outcome.kind === "refused" && outcome.fault;
  };
  assert.equal(faultOf("", "123"), "name_wrong");
  assert.equal(faultOf("Bela", "12a"), "number_wrong");
  assert.equal(faultOf("e-care", "123"), "kept_by_maker");
  const again = withAddress(changed.book, { name: "ANNA HUBER", number: "12345" });
  assert.equal(again.kind === "changed" && again.book.length, 2);
  assert.equal(withoutAddress(changed.book, "Nobody").kind, "refused");
  const full = Array.from({ length: 100 }, (_, at) => ({
    name: `N${at}`,
    number: "123",
    origin: "user" as const,
  }));
  const more = withAddress(full, { name: "One more", number: "123" });
  assert.equal(more.kind === "refused" && more.fault, "full");
});
