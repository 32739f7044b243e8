/** The catalog in the database: versions, changes at once, modules. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { sampleItem, samplePackage } from "../../../test/fixture/catalog-samples.ts";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { surroundingsOf } from "../../kernel/catalog/catalog-store.ts";
import { bodyOf, type CatalogDocument } from "../../kernel/catalog/check-catalog.ts";
import { isEmptyDiff } from "../../kernel/catalog/diff.ts";
import { MODULE_OCTETS_MAX } from "../../kernel/catalog/item-body.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createCatalogStore } from "./catalog-store.ts";

const MINE = uuidv7();
const THEIRS = uuidv7();
const database = await freshDatabase();
const now = new Date("2026-03-01T12:00:00Z");
const clock = (): Date => now;
const store = createCatalogStore({ database, newId: uuidv7, clock });
/** Another node of the same operator. */
const elsewhere = createCatalogStore({ database, newId: uuidv7, clock });
for (const [id, slug] of [
  [MINE, "mine"],
  [THEIRS, "theirs"],
]) {
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [id, slug]);
}
const isNew = (version: number | undefined): boolean => version === undefined;
const always = (): boolean => true;
const body = (id: string, said: Parameters<typeof sampleItem>[1] = {}) => bodyOf(sampleItem(id, said));
const audit = (): Promise<{ action: string; subject: string }[]> =>
  database.rows("select action, subject from audit where operator_id = $1 order by id", [MINE]);
const documentOf = (
  items: Record<string, ReturnType<typeof body>>,
  terms: Record<string, Record<string, string>> = {},
): CatalogDocument => ({
  items: new Map(Object.entries(items)),
  terms: new Map(Object.entries(terms)),
});

test("a change is a next version; the one before is kept as it was, for orders that name it", async () => {
  assert.deepEqual(await store.put(MINE, "mms", body("mms"), { expected: isNew, actor: "root" }), {
    outcome: "stored",
    version: 1,
  });
  const dearer = body("mms", { price: { onceMinor: 100, monthlyMinor: 0, currency: "EUR" } });
  assert.deepEqual(
    await store.put(MINE, "mms", dearer, { expected: (version) => version === 1, actor: "root" }),
    {
      outcome: "stored",
      version: 2,
    },
  );
  assert.equal((await store.version(MINE, "mms", 1))?.price, null);
  assert.equal((await store.version(MINE, "mms", 2))?.price?.onceMinor, 100);
  const found = await store.find(MINE, "mms");
  assert.equal(found?.current?.version, 2);
  assert.deepEqual(
    found?.versions.map(({ version, madeBy, retiredAt }) => [version, madeBy, retiredAt !== null]),
    [
      [2, "root", false],
      [1, "root", true],
    ],
  );
  const rows = await database.rows<{ body: { price: unknown } }>(
    "select body from catalog_item where operator_id = $1 and item_id = 'mms' order by version",
    [MINE],
  );
  assert.equal(rows[0]?.body.price, null, "the first row was not edited");
});

test("the same again changes nothing, and who saw another version changes nothing either", async () => {
  const before = await audit();
  const current = (await store.find(MINE, "mms"))?.current;
  assert.ok(current);
  assert.deepEqual(await store.put(MINE, "mms", bodyOf(current), { expected: always, actor: "root" }), {
    outcome: "unchanged",
    version: 2,
  });
  assert.deepEqual(
    await store.put(MINE, "mms", body("mms"), { expected: (version) => version === 1, actor: "root" }),
    {
      outcome: "changed",
    },
  );
  assert.deepEqual(await store.put(MINE, "mms", body("mms"), { expected: isNew, actor: "root" }), {
    outcome: "changed",
  });
  assert.deepEqual(await audit(), before);
});

test("of two who change one version at once only one does", async () => {
  await store.put(MINE, "race", body("race"), { expected: isNew, actor: "root" });
  const outcomes = await Promise.all(
    [1, 2, 3, 4].map((onceMinor) =>
      (onceMinor % 2 ? store : elsewhere).put(
        MINE,
        "race",
        body("race", { price: { onceMinor, monthlyMinor: 0, currency: "EUR" } }),
        { expected: (version) => version === 1, actor: "root" },
      ),
    ),
  );
  assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), [
    "changed",
    "changed",
    "changed",
    "stored",
  ]);
});

test("another operator's catalog is another one", async () => {
  assert.equal(await store.find(THEIRS, "mms"), undefined);
  assert.equal(await store.version(THEIRS, "mms", 1), undefined);
  assert.equal((await store.currentCatalog(THEIRS)).size, 0);
  assert.equal(await store.retire(THEIRS, "mms", always, "mallory"), "unknown");
  assert.ok((await store.currentCatalog(MINE)).has("mms"));
  assert.deepEqual(await store.put(THEIRS, "mms", body("mms"), { expected: isNew, actor: "them" }), {
    outcome: "stored",
    version: 1,
  });
});

test("lists go page by page in order of id, all kinds or one", async () => {
  for (const id of ["a1", "a2", "a3"])
    await store.put(MINE, id, body(id), { expected: isNew, actor: "root" });
  await store.put(MINE, "a-pack", bodyOf(samplePackage("a-pack", ["a1"])), {
    expected: isNew,
    actor: "root",
  });
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const { items, next } = await store.list(MINE, { limit: 2, after });
    seen.push(...items.map(({ id }) => id));
    if (next === null) break;
    after = next;
  }
  assert.deepEqual(seen, ["a-pack", "a1", "a2", "a3", "mms", "race"]);
  const { items } = await store.list(MINE, { kind: "package", limit: 10 });
  assert.deepEqual(
    items.map(({ id }) => id),
    ["a-pack"],
  );
});

test("what another item includes is not retired; what nothing leans on is, and can come back as a next version", async () => {
  await assert.rejects(store.retire(MINE, "a1", always, "root"), { code: "catalog_item_in_use" });
  assert.equal(await store.retire(MINE, "a-pack", (version) => version === 7, "root"), "changed");
  assert.equal(await store.retire(MINE, "a-pack", always, "root"), "retired");
  assert.equal(await store.retire(MINE, "a-pack", always, "root"), "unknown");
  assert.equal(await store.retire(MINE, "a1", always, "root"), "retired");
  assert.equal((await store.find(MINE, "a1"))?.current, undefined);
  assert.equal((await store.version(MINE, "a1", 1))?.id, "a1");
  assert.deepEqual(await store.put(MINE, "a1", body("a1"), { expected: isNew, actor: "root" }), {
    outcome: "stored",
    version: 2,
  });
});

test("what is offered is remembered; a change is seen at once here, and elsewhere by whoever asks for its version", async () => {
  const before = await elsewhere.currentCatalog(MINE);
  assert.ok(before.has("a2"));
  assert.equal(await elsewhere.currentCatalog(MINE), before, "nothing was read again");
  await store.currentCatalog(MINE);
  await store.retire(MINE, "a2", always, "root");
  assert.equal((await store.currentCatalog(MINE)).has("a2"), false);
  assert.equal((await elsewhere.currentCatalog(MINE)).has("a2"), false);
});

test("what somebody has stays known by its version, though it is offered no more", async () => {
  const catalog = await store.catalogWith(MINE, [
    { itemId: "a2", version: 1 },
    { itemId: "mms", version: 1 },
    { itemId: "a3", version: 99 },
  ]);
  assert.equal(catalog.get("a2")?.version, 1);
  assert.equal(catalog.get("mms")?.version, 1, "the version that he has, not the one on offer");
  assert.equal(catalog.get("a3")?.version, 1);
});

const wanted = documentOf(
  {
    mms: body("mms", { terms: "general" }),
    mail: body("mail"),
    pack: bodyOf(samplePackage("pack", ["mms", "mail"])),
  },
  { general: { en: "It costs.", de: "Es kostet." } },
);

test("an import that is only tried changes nothing and tells what it would", async () => {
  const before = await store.exported(MINE);
  const diff = await store.import(MINE, wanted, { actor: "root", dryRun: true });
  assert.ok(diff !== "changed");
  assert.deepEqual(diff.items.added, ["mail", "pack"]);
  assert.deepEqual(diff.items.changed, [{ id: "mms", members: ["price", "terms"] }]);
  assert.deepEqual(diff.items.retired, ["a1", "a3", "race"]);
  assert.deepEqual(diff.terms.added, ["general"]);
  assert.deepEqual(await store.exported(MINE), before);
});

test("an import makes the catalog what the file says, with one audit row, and the same file again changes nothing", async () => {
  const rowsBefore = (await audit()).length;
  await store.import(MINE, wanted, { actor: "root", dryRun: false });
  assert.deepEqual(await store.exported(MINE), wanted);
  assert.equal((await store.currentTerms(MINE)).get("general")?.version, 1);
  const rows = await audit();
  assert.equal(rows.length, rowsBefore + 1);
  assert.deepEqual(rows.at(-1), { action: "catalog.import", subject: "3 items" });
  const again = await store.import(MINE, await store.exported(MINE), { actor: "root", dryRun: false });
  assert.ok(again !== "changed" && isEmptyDiff(again));
  assert.equal((await store.find(MINE, "mail"))?.versions.length, 1);
  assert.equal((await audit()).length, rows.length);
});

test("an import whose catalog was changed meanwhile changes nothing", async () => {
  const before = await store.exported(MINE);
  const outcome = await store.import(MINE, documentOf({}), {
    actor: "root",
    dryRun: false,
    expected: () => false,
  });
  assert.equal(outcome, "changed");
  assert.deepEqual(await store.exported(MINE), before);
});

test("an import that fails halfway leaves nothing behind", async () => {
  const before = await store.exported(MINE);
  const broken = documentOf({ mms: body("mms"), "Not An Id": body("x") }); // the table refuses it
  await assert.rejects(store.import(MINE, broken, { actor: "root", dryRun: false }));
  assert.deepEqual(await store.exported(MINE), before);
});

test("terms that a file does not name stay, since somebody may have agreed to them", async () => {
  await store.import(MINE, documentOf({ mms: body("mms") }), { actor: "root", dryRun: false });
  assert.deepEqual(
    (await store.listTerms(MINE)).map(({ id }) => id),
    ["general"],
  );
});

test("terms have versions with all their languages, and an older one is never edited", async () => {
  const put = await store.putTerms(
    MINE,
    "general",
    { en: "It costs more." },
    { expected: (version) => version === 1, actor: "root" },
  );
  assert.deepEqual(put, { outcome: "stored", version: 2 });
  assert.deepEqual((await store.termsVersion(MINE, "general", 1))?.texts, {
    de: "Es kostet.",
    en: "It costs.",
  });
  assert.deepEqual((await store.termsVersion(MINE, "general", 2))?.texts, { en: "It costs more." });
  assert.deepEqual(
    (await store.termsVersions(MINE, "general")).map(({ version }) => version),
    [2, 1],
  );
  assert.deepEqual((await store.currentTerms(MINE)).get("general")?.texts, { en: "It costs more." });
  assert.deepEqual(
    await store.putTerms(MINE, "general", { en: "It costs more." }, { expected: always, actor: "root" }),
    {
      outcome: "unchanged",
      version: 2,
    },
  );
  assert.deepEqual(
    await store.putTerms(
      MINE,
      "general",
      { en: "x" },
      { expected: (version) => version === 1, actor: "root" },
    ),
    {
      outcome: "changed",
    },
  );
  assert.deepEqual(await store.termsVersions(THEIRS, "general"), []);
  const [row] = await database.rows<{ sha256: Buffer }>(
    "select sha256 from terms where operator_id = $1 and terms_id = 'general' and version = 2",
    [MINE],
  );
  assert.deepEqual(row?.sha256, createHash("sha256").update("It costs more.").digest());
});

test("octets stand under their own hash, once, and no other operator has them", async () => {
  const octets = Buffer.from("a module");
  const sha256 = createHash("sha256").update(octets).digest("hex");
  assert.equal(await store.putContent(MINE, sha256, octets, "root"), true);
  assert.equal(await store.putContent(MINE, sha256, octets, "root"), false);
  assert.deepEqual(Buffer.from((await store.content(MINE, sha256)) ?? []), octets);
  assert.equal(await store.content(THEIRS, sha256), undefined);
  assert.equal((await surroundingsOf(store, MINE)).hasContent(sha256), true);
  assert.equal((await surroundingsOf(store, THEIRS)).hasContent(sha256), false);
  await assert.rejects(store.putContent(MINE, "0".repeat(64), octets, "root"), { code: "content_mismatch" });
  const large = Buffer.alloc(MODULE_OCTETS_MAX + 1);
  await assert.rejects(
    store.putContent(MINE, createHash("sha256").update(large).digest("hex"), large, "root"),
    { code: "body_too_large" },
  );
  await assert.rejects(store.putContent(MINE, sha256, Buffer.alloc(0), "root"), { code: "body_too_large" });
});
