/** What the device keeps, and what a power cut may do to it: nothing. Source: US 6,647,260 Fig. 5 (508), column 6. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { isActive } from "../../test/fixture/client-device.ts";
import { createPhoneStorage, type PhoneStorage, PowerCut } from "../sim/phone/storage.ts";
import { type ContentBody, encodeContent } from "../wire/message/content.ts";
import { type SoftwareModule, signModule } from "../wire/message/module.ts";
import { createInstaller, type Installer } from "./installer.ts";
import { factoryModules } from "./modules.ts";
import { openDeviceStore, StorageFullError } from "./store.ts";

const MAX_SECRETS = 128;

const operator = generateKeyPairSync("ed25519");
const vendor = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const IMEI = "356938035643809";
const REFERENCE = "K7QX4M2P";
const ITEM = "01890a5d-ac96-774b-bcce-b302099a8057";
const now = new Date("2026-03-01T12:00:00Z");
const wanted = { reference: REFERENCE, itemId: ITEM };

const moduleOf = (version: string, software: string, by = vendor): SoftwareModule =>
  signModule(
    {
      name: "voice-mail",
      version,
      vendor: "maker-one",
      bytes: new TextEncoder().encode(software.repeat(500)),
    },
    by.privateKey,
  );

function contentOf(change: Partial<ContentBody>, imei = IMEI): Uint8Array {
  const body: ContentBody = {
    issuer: "operator-one",
    reference: REFERENCE,
    itemId: ITEM,
    notAfter: new Date("2026-04-01T12:00:00Z"),
    modules: [],
    activations: [],
    removals: [],
    parameters: {},
    security: {},
    ...change,
  };
  return encodeContent(body, imei, operator.privateKey);
}
const item = (last: number): string => ITEM.slice(0, -1) + last;

const installerOn = (storage: PhoneStorage): Installer =>
  createInstaller({
    store: openDeviceStore(storage),
    imei: IMEI,
    issuerKeyOf: (issuer) => (issuer === "operator-one" ? operator.publicKey : undefined),
    vendorKeyOf: (name) => (name === "maker-one" ? vendor.publicKey : undefined),
    factory: factoryModules([
      { name: "conference-call", version: "1.0", vendor: "maker-one", state: "dormant" },
      { name: "browser", version: "4.1", vendor: "maker-one", state: "active" },
    ]),
  });
const full = contentOf({
  modules: [moduleOf("1.2", "new ")],
  activations: ["conference-call"],
  parameters: { number: "+431234" },
  security: { password: "s3cret" },
});

/** All that can be seen of a device, to tell the old state from the new one. */
const viewOf = (installer: Installer) => ({
  modules: installer.modules(),
  records: installer.records(),
  parameters: installer.parameters(),
  security: installer.securityOf(REFERENCE, ITEM),
  software: installer.softwareOf("voice-mail"),
});

test("content with software, an activation, parameters and security data is on the device after it was switched off", () => {
  const storage = createPhoneStorage();
  const installer = installerOn(storage);
  const outcome = installer.install(full, wanted, now);
  assert.ok(outcome.kind === "installed" && !outcome.repeated);
  const later = installerOn(storage);
  assert.deepEqual(viewOf(later), viewOf(installer));
  assert.ok(isActive(later.modules(), "voice-mail") && isActive(later.modules(), "conference-call"));
  assert.deepEqual(later.parameters(), { number: "+431234" });
  assert.deepEqual(later.securityOf(REFERENCE, ITEM), { password: "s3cret" });
  assert.equal(later.softwareOf("voice-mail")?.length, 2_000);
});

test("a power cut at any step of an installation, however torn, leaves the old state or the new one", () => {
  const counted = createPhoneStorage();
  installerOn(counted).install(full, wanted, now);
  const afterwards = viewOf(installerOn(counted));
  let cuts = 0;
  const seen = new Set<string>();
  for (let atStep = 1; atStep <= counted.steps; atStep++) {
    for (const part of [0, 0.3, 0.5, 0.99, 1]) {
      for (const losesUnsynced of [true, false]) {
        const storage = createPhoneStorage();
        const before = viewOf(installerOn(storage));
        storage.cut({ atStep, part, losesUnsynced });
        try {
          installerOn(storage).install(full, wanted, now);
        } catch (error) {
          assert.ok(error instanceof PowerCut);
          cuts++;
        }
        storage.powerOn();
        const found = viewOf(installerOn(storage));
        const isNew = found.records.length > 0;
        assert.deepEqual(found, isNew ? afterwards : before, `step ${atStep}, part ${part}`);
        seen.add(isNew ? "new" : "old");
        const again = installerOn(storage).install(full, wanted, now);
        assert.ok(again.kind === "installed" && again.repeated === isNew);
        assert.deepEqual(viewOf(installerOn(storage)), afterwards);
      }
    }
  }
  assert.ok(cuts >= 20, `${cuts} cuts`);
  assert.deepEqual([...seen].sort(), ["new", "old"]);
});

test("an upgrade that loses power keeps a version that runs, with its own software", () => {
  const upgrade = contentOf({ itemId: item(8), modules: [moduleOf("1.3", "newer ")] });
  for (let atStep = 1; atStep <= 8; atStep++) {
    const storage = createPhoneStorage();
    installerOn(storage).install(full, wanted, now);
    storage.cut({ atStep, part: 0.5, losesUnsynced: true });
    try {
      installerOn(storage).install(upgrade, { ...wanted, itemId: item(8) }, now);
    } catch (error) {
      assert.ok(error instanceof PowerCut);
    }
    storage.powerOn();
    const found = installerOn(storage);
    const version = found.modules().modules.find(({ name }) => name === "voice-mail")?.version;
    assert.equal(found.softwareOf("voice-mail")?.length, version === "1.2" ? 2_000 : 3_000);
  }
});

test("dormant software of the maker wakes up without any download, and sleeps again when it is removed", () => {
  const installer = installerOn(createPhoneStorage());
  assert.ok(!isActive(installer.modules(), "conference-call"));
  const woken = installer.install(contentOf({ activations: ["conference-call"] }), wanted, now);
  assert.equal(woken.kind, "installed");
  assert.ok(isActive(installer.modules(), "conference-call"));
  assert.equal(installer.softwareOf("conference-call"), undefined);
  installer.install(
    contentOf({ itemId: item(1), removals: ["conference-call"] }),
    { ...wanted, itemId: item(1) },
    now,
  );
  assert.ok(!isActive(installer.modules(), "conference-call"));
});

const refused: [string, Uint8Array, string][] = [
  ["content for another device", contentOf({}, "356938035643817"), "foreign_device"],
  ["content of another item", contentOf({ itemId: item(9) }), "other_item"],
  ["content of another request", contentOf({ reference: "AAAAAAAA" }), "other_item"],
  ["content of an issuer that it does not know", contentOf({ issuer: "somebody" }), "unknown_issuer"],
  [
    "software that its vendor did not sign",
    contentOf({ modules: [moduleOf("1.2", "x", stranger)] }),
    "bad_module_signature",
  ],
  ["an activation of what is not there", contentOf({ activations: ["video-call"] }), "unknown_module"],
  ["half of a package", full.slice(0, 300), "malformed"],
];
for (const [what, bytes, fault] of refused) {
  test(`a device refuses ${what}: ${fault}, and nothing of it changes`, () => {
    const installer = installerOn(createPhoneStorage());
    const before = viewOf(installer);
    const outcome = installer.install(bytes, wanted, now);
    assert.equal(outcome.kind === "failed" && outcome.fault, fault);
    assert.deepEqual(viewOf(installer), before);
  });
}

test("good and bad parts of one package: nothing of it is installed", () => {
  const installer = installerOn(createPhoneStorage());
  const mixed = contentOf({ modules: [moduleOf("1.2", "x")], activations: ["video-call"] });
  assert.equal(installer.install(mixed, wanted, now).kind, "failed");
  assert.ok(!isActive(installer.modules(), "voice-mail"));
});

test("software is never downgraded, also not after it was removed", () => {
  const installer = installerOn(createPhoneStorage());
  const put = (last: number, change: Partial<ContentBody>) =>
    installer.install(contentOf({ itemId: item(last), ...change }), { ...wanted, itemId: item(last) }, now);
  assert.equal(put(1, { modules: [moduleOf("1.10", "a")] }).kind, "installed");
  const older = put(2, { modules: [moduleOf("1.9", "b")] });
  assert.equal(older.kind === "failed" && older.fault, "older_version");
  const other = put(3, { modules: [moduleOf("1.10", "b")] });
  assert.equal(other.kind === "failed" && other.fault, "other_software");
  assert.equal(put(4, { removals: ["voice-mail"] }).kind, "installed");
  assert.equal(installer.softwareOf("voice-mail"), undefined);
  const back = put(5, { modules: [moduleOf("1.9", "b")] });
  assert.equal(back.kind === "failed" && back.fault, "older_version");
  assert.equal(put(6, { modules: [moduleOf("1.10", "a")] }).kind, "installed");
});

test("a memory that is full is a failure that the device reports, with the old state in it", () => {
  const storage = createPhoneStorage({ roomOctets: 1_500 });
  const installer = installerOn(storage);
  const before = viewOf(installer);
  const outcome = installer.install(full, wanted, now);
  assert.equal(outcome.kind === "failed" && outcome.fault, "memory_full");
  assert.deepEqual(viewOf(installerOn(storage)), before);
});

test("software that was written and could not be taken note of does not stay and fill the memory", () => {
  let room = Number.POSITIVE_INFINITY;
  const medium = createPhoneStorage();
  const storage: typeof medium = Object.assign(Object.create(medium), {
    append(name: string, bytes: Uint8Array) {
      if (bytes.length > room) throw new StorageFullError("the phone's memory is full");
      medium.append(name, bytes);
    },
  });
  const installer = installerOn(storage);
  room = 0;
  const outcome = installer.install(full, wanted, now);
  assert.equal(outcome.kind === "failed" && outcome.fault, "memory_full");
  assert.ok(!medium.list().some((name) => name.startsWith("blob-")));
});

test("software that a cut left without a name is cleared away at the next start", () => {
  const storage = createPhoneStorage();
  installerOn(storage);
  storage.cut({ atStep: 2, part: 1, losesUnsynced: false });
  assert.throws(() => installerOn(storage).install(full, wanted, now), PowerCut);
  storage.powerOn();
  assert.ok(storage.list().some((name) => name.startsWith("blob-")));
  installerOn(storage);
  assert.ok(!storage.list().some((name) => name.startsWith("blob-")));
});

test("security data stands apart: no view of modules, records and parameters shows it", () => {
  const installer = installerOn(createPhoneStorage());
  installer.install(full, wanted, now);
  installer.keepSecurity(REFERENCE, ITEM, { user: "anna" });
  const { security, ...shown } = viewOf(installer);
  assert.deepEqual(security, { password: "s3cret", user: "anna" });
  assert.ok(!JSON.stringify(shown).includes("s3cret"));
});

test("access data has a limit: what is there stays, and what is too much is told", () => {
  const installer = installerOn(createPhoneStorage());
  const kept = Array.from({ length: MAX_SECRETS + 1 }, (_, at) =>
    installer.keepSecurity(REFERENCE, `item-${at}`, { password: `${at}` }),
  );
  assert.deepEqual([kept.filter(Boolean).length, kept.at(-1)], [MAX_SECRETS, false]);
  assert.deepEqual(installer.securityOf(REFERENCE, "item-0"), { password: "0" });
});

test("a store that was cut while it made room keeps every commit that returned", () => {
  const value = new Uint8Array(9_000).fill(1);
  for (let atStep = 1; atStep <= 30; atStep++) {
    for (const losesUnsynced of [true, false]) {
      const storage = createPhoneStorage();
      const store = openDeviceStore(storage);
      storage.cut({ atStep, part: 0.6, losesUnsynced });
      let done = 0;
      try {
        for (let turn = 1; turn <= 12; turn++) {
          store.commit({ [`key/${turn % 3}`]: value, turn: Uint8Array.of(turn), gone: null });
          done = turn;
        }
      } catch (error) {
        assert.ok(error instanceof PowerCut);
      }
      storage.powerOn();
      const found = openDeviceStore(storage).get("turn")?.[0] ?? 0;
      assert.ok(found === done || found === done + 1, `${done} commits returned, ${found} found`);
      openDeviceStore(storage).commit({ after: Uint8Array.of(1) });
      assert.equal(openDeviceStore(storage).get("turn")?.[0] ?? 0, found);
    }
  }
});
