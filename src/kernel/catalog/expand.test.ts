/** What a selection comes to: packages expanded, needs and conflicts told. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleCatalog, sampleItem, samplePackage } from "../../../test/fixture/catalog-samples.ts";
import { type CatalogStore, seenFromHome } from "./catalog-store.ts";
import { askingItems, type Expansion, expandRemoval, expandSelection } from "./expand.ts";

const nothing = { has: new Set<string>(), deviceTakes: () => true };
const ids = (expansion: Expansion): string[] => expansion.items.map(({ item }) => item.id);

test("a package expands to its fixed set, each member with the package's name (260 claim 10)", () => {
  const catalog = sampleCatalog(
    samplePackage("starter", ["mms", "mail"]),
    sampleItem("mms"),
    sampleItem("mail", { kind: "service" }),
  );
  const expansion = expandSelection(catalog, ["starter"], nothing);
  assert.deepEqual(
    expansion.items.map(({ item, package: from }) => [item.id, from]),
    [
      ["mms", "starter"],
      ["mail", "starter"],
    ],
  );
  assert.deepEqual([expansion.unavailable, expansion.conflicts, expansion.missing], [[], [], []]);
});

test("what a package requires is required with any of its members", () => {
  const catalog = sampleCatalog(
    samplePackage("starter", ["mms", "mail"]),
    sampleItem("mms"),
    sampleItem("mail"),
  );
  const asking = (has: readonly string[]) =>
    askingItems(catalog, expandSelection(catalog, ["starter"], { ...nothing, has: new Set(has) })).map(
      ({ id }) => id,
    );
  assert.deepEqual(asking([]), ["mms", "mail", "starter"]);
  assert.deepEqual(asking(["mms"]), ["mail", "starter"]);
  assert.deepEqual(asking(["mms", "mail"]), [], "nothing is left of it to be had");
});

test("what is chosen twice is asked for once, and comes with the package that holds it", () => {
  const catalog = sampleCatalog(
    samplePackage("one", ["mms", "ring-back"]),
    samplePackage("two", ["mms"]),
    sampleItem("mms"),
    sampleItem("ring-back"),
  );
  for (const selection of [
    ["mms", "one", "mms", "two"],
    ["one", "mms", "two"],
  ]) {
    const { items } = expandSelection(catalog, selection, nothing);
    assert.deepEqual(
      items.map(({ item, package: from }) => [item.id, from]),
      [
        ["mms", "one"],
        ["ring-back", "one"],
      ],
    );
  }
});

test("what is unknown, not offered or not for this device is named, and the rest goes on (260 column 7)", () => {
  const catalog = sampleCatalog(
    sampleItem("mms"),
    sampleItem("browser", { available: false }),
    sampleItem("java", { content: { kind: "activation", module: "midp" } }),
  );
  const expansion = expandSelection(catalog, ["browser", "java", "radio", "mms"], {
    has: new Set(),
    deviceTakes: (item) => item.content.kind !== "activation",
  });
  assert.deepEqual(ids(expansion), ["mms"]);
  assert.deepEqual(expansion.unavailable, [
    { id: "radio", reason: "unknown" },
    { id: "browser", reason: "not_available" },
    { id: "java", reason: "device_cannot" },
  ]);
});

test("a package that is not to be had withholds its members, but not what was also chosen by itself", () => {
  const catalog = sampleCatalog(
    samplePackage("gold", ["mms", "mail"], { available: false }),
    sampleItem("mms"),
    sampleItem("mail"),
  );
  const expansion = expandSelection(catalog, ["gold", "mms"], nothing);
  assert.deepEqual(ids(expansion), ["mms"]);
  assert.deepEqual(expansion.unavailable, [{ id: "mail", reason: "not_available" }]);
});

test("of two items in conflict neither is provisioned and both are named, whichever side says it and in any order (R42)", () => {
  const catalog = sampleCatalog(
    sampleItem("plan-a", { conflicts: ["plan-b"] }),
    sampleItem("plan-b"),
    sampleItem("mms"),
  );
  for (const selection of [
    ["plan-a", "mms", "plan-b"],
    ["plan-b", "plan-a", "mms"],
  ]) {
    const expansion = expandSelection(catalog, selection, nothing);
    assert.deepEqual(ids(expansion), ["mms"]);
    assert.deepEqual(
      new Set(expansion.conflicts.map((said) => `${said.id} with ${said.with}: ${said.reason}`)),
      new Set(["plan-a with plan-b: asked_together", "plan-b with plan-a: asked_together"]),
    );
  }
});

test("of three items in a chain of conflicts none is provisioned: the middle one does not save the ends", () => {
  const catalog = sampleCatalog(
    sampleItem("a", { conflicts: ["b"] }),
    sampleItem("b", { conflicts: ["c"] }),
    sampleItem("c"),
  );
  assert.deepEqual(ids(expandSelection(catalog, ["a", "b", "c"], nothing)), []);
});

test("what conflicts with something the subscriber has is not provisioned, and what he has stays unnamed but as the other side", () => {
  const catalog = sampleCatalog(sampleItem("plan-a"), sampleItem("plan-b", { conflicts: ["plan-a"] }));
  for (const [have, want] of [
    ["plan-a", "plan-b"],
    ["plan-b", "plan-a"],
  ] as const) {
    const expansion = expandSelection(catalog, [want], { ...nothing, has: new Set([have]) });
    assert.deepEqual(expansion.items, []);
    assert.deepEqual(expansion.conflicts, [{ id: want, with: have, reason: "had_already" }]);
  }
});

test("a conflict with something had that the catalog knows no more still holds", () => {
  const catalog = sampleCatalog(sampleItem("plan-b", { conflicts: ["old-plan"] }));
  const expansion = expandSelection(catalog, ["plan-b"], { ...nothing, has: new Set(["old-plan"]) });
  assert.deepEqual(expansion.conflicts, [{ id: "plan-b", with: "old-plan", reason: "had_already" }]);
});

test("needs are met by what is had or asked for, and stand before what needs them", () => {
  const catalog = sampleCatalog(
    sampleItem("bank", { kind: "service", needs: ["browser", "sign"] }),
    sampleItem("sign", { needs: ["java"] }),
    sampleItem("java"),
    sampleItem("browser"),
  );
  const expansion = expandSelection(catalog, ["bank", "sign", "java"], {
    ...nothing,
    has: new Set(["browser"]),
  });
  assert.deepEqual(ids(expansion), ["java", "sign", "bank"]);
  assert.deepEqual(expansion.missing, []);
});

test("what lacks a need falls, and takes with it what needs it in turn", () => {
  const catalog = sampleCatalog(
    sampleItem("bank", { needs: ["sign"] }),
    sampleItem("sign", { needs: ["java"] }),
    sampleItem("java", { available: false }),
    sampleItem("mms"),
  );
  const expansion = expandSelection(catalog, ["bank", "sign", "java", "mms"], nothing);
  assert.deepEqual(ids(expansion), ["mms"]);
  assert.deepEqual(expansion.unavailable, [{ id: "java", reason: "not_available" }]);
  assert.deepEqual(expansion.missing, [
    { id: "java", neededBy: "sign" },
    { id: "sign", neededBy: "bank" },
  ]);
});

test("what fell to a conflict is missing to what needs it", () => {
  const catalog = sampleCatalog(
    sampleItem("wap", { conflicts: ["web"] }),
    sampleItem("web"),
    sampleItem("news", { needs: ["wap"] }),
  );
  const expansion = expandSelection(catalog, ["news", "wap", "web"], nothing);
  assert.deepEqual(ids(expansion), []);
  assert.deepEqual(expansion.missing, [{ id: "wap", neededBy: "news" }]);
});

test("what falls for a missing need is in nobody's way: its conflicts count no more", () => {
  const catalog = sampleCatalog(sampleItem("a", { needs: ["gone"], conflicts: ["b"] }), sampleItem("b"));
  const expansion = expandSelection(catalog, ["a", "b"], nothing);
  assert.deepEqual(ids(expansion), ["b"]);
  assert.deepEqual(expansion.conflicts, []);
});

test("what the subscriber has already is told apart and not provisioned again", () => {
  const catalog = sampleCatalog(samplePackage("p", ["mms", "mail"]), sampleItem("mms"), sampleItem("mail"));
  const expansion = expandSelection(catalog, ["p"], { ...nothing, has: new Set(["mms"]) });
  assert.deepEqual(ids(expansion), ["mail"]);
  assert.deepEqual(expansion.had, [{ id: "mms", package: "p" }]);
});

test("needs that go round in a circle end, though such a catalog is refused when it is read", () => {
  const catalog = sampleCatalog(sampleItem("a", { needs: ["b"] }), sampleItem("b", { needs: ["a"] }));
  assert.deepEqual(ids(expandSelection(catalog, ["a", "b"], nothing)), ["b", "a"]);
});

test("an empty selection comes to nothing", () => {
  assert.deepEqual(expandSelection(sampleCatalog(), [], nothing).items, []);
});

test("a removal takes users of a thing before the thing, and keeps what something that stays still needs (R65)", () => {
  const catalog = sampleCatalog(
    sampleItem("java"),
    sampleItem("sign", { needs: ["java"] }),
    sampleItem("game", { needs: ["java"] }),
    samplePackage("p", ["java", "sign"]),
  );
  const all = expandRemoval(catalog, ["java", "game", "sign"], { has: new Set(["java", "sign", "game"]) });
  assert.deepEqual(ids(all), ["sign", "game", "java"]);

  const some = expandRemoval(catalog, ["p", "radio"], { has: new Set(["java", "sign", "game"]) });
  assert.deepEqual(ids(some), ["sign"]);
  assert.deepEqual(some.missing, [{ id: "java", neededBy: "game" }]);
  assert.deepEqual(some.unavailable, [{ id: "radio", reason: "unknown" }]);

  const none = expandRemoval(catalog, ["sign"], { has: new Set() });
  assert.deepEqual(none.unavailable, [{ id: "sign", reason: "not_had" }]);
});

test("an item that names this very server is provisioned here: one file may be the catalog of several servers (R6)", async () => {
  const own = "https://prov.example:8445";
  const catalog = sampleCatalog(
    sampleItem("here", { provisioningServer: own }),
    sampleItem("there", { provisioningServer: "https://other.example" }),
  );
  const store: Pick<CatalogStore, "currentCatalog" | "catalogWith"> = {
    currentCatalog: async () => catalog,
    catalogWith: async () => catalog,
  };
  const seen = seenFromHome(store, (origin) => origin === own);
  for (const read of [await seen.currentCatalog("any"), await seen.catalogWith("any", [])])
    assert.deepEqual(
      [...read.values()].map(({ provisioningServer }) => provisioningServer),
      [null, "https://other.example"],
    );
});

test("what is there in an older version is replaced where the new one can be had, and stands for what needs it meanwhile (R122)", () => {
  const radio = sampleItem("radio", { content: { kind: "activation", module: "Radio" } });
  const catalog = sampleCatalog(radio, sampleItem("tuner", { needs: ["radio"] }));
  const has = new Set(["radio"]);
  const outdated = has;
  assert.deepEqual(ids(expandSelection(catalog, ["radio"], { ...nothing, has, outdated })), ["radio"]);
  assert.deepEqual(ids(expandSelection(catalog, ["tuner"], { ...nothing, has, outdated })), ["tuner"]);
  const withdrawn = sampleCatalog({ ...radio, available: false });
  const stays = expandSelection(withdrawn, ["radio"], { ...nothing, has, outdated });
  assert.deepEqual([ids(stays), stays.had.length, stays.unavailable.length], [[], 1, 0]);
  const other = expandSelection(catalog, ["radio"], { has, outdated, deviceTakes: () => false });
  assert.deepEqual([ids(other), other.had.length], [[], 1]);
});
