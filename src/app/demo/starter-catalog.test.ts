/** The shipped catalog that a made-up operator begins with. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { type CatalogDocument, checkCatalogDocument } from "../../kernel/catalog/check-catalog.ts";
import { expandSelection } from "../../kernel/catalog/expand.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { putStarterCatalog, starterCatalog } from "./starter-catalog.ts";

const NOTHING = { hasTerms: () => false, hasContent: () => false };
const checked = checkCatalogDocument(starterCatalog(), NOTHING);
const { items, terms }: CatalogDocument = checked.fits
  ? checked.value
  : { items: new Map(), terms: new Map() };
const all = [...items.values()];

test("the starter catalog fits, as it is shipped", () => {
  assert.deepEqual(checked.fits ? [] : checked.problems, []);
});

test("it has ten features and more, services of two servers, two packages, and two other provisioning servers (R6)", () => {
  const count = (kind: CatalogItem["kind"]): number => all.filter((item) => item.kind === kind).length;
  assert.ok(count("feature") >= 10);
  assert.equal(count("package"), 2);
  const hosts = all.flatMap(({ service, provisioningServer }) =>
    service && provisioningServer === null ? [new URL(service.uri).host] : [],
  );
  assert.ok(hosts.length >= 3 && new Set(hosts).size === 2);
  assert.equal(new Set(all.flatMap(({ provisioningServer }) => provisioningServer ?? [])).size, 2);
  for (const kind of ["module", "activation", "parameters", "settings", "none"]) {
    assert.ok(
      all.some(({ content }) => content.kind === kind),
      kind,
    );
  }
});

test("every text stands in English and German, and every item costs euros or nothing", () => {
  for (const texts of [...terms.values(), ...all.flatMap(({ name, description }) => [name, description])])
    assert.deepEqual(Object.keys(texts).sort(), ["de", "en"]);
  for (const { price } of all) assert.ok(price === null || price.currency === "EUR");
});

test("every package can be had whole", () => {
  const catalog = new Map([...items].map(([id, body]) => [id, { ...body, id, version: 1 }]));
  for (const [id, { includes }] of [...items].filter(([, { kind }]) => kind === "package")) {
    const expansion = expandSelection(catalog, [id], { has: new Set(), deviceTakes: () => true });
    assert.deepEqual(
      [expansion.items.length, expansion.missing, expansion.conflicts],
      [includes.length, [], []],
    );
  }
});

const database = await freshDatabase();
const OPERATOR = uuidv7();
await database.run("insert into operator (id, slug, name, kind) values ($1, 'o', 'o', 'mno')", [OPERATOR]);
const store = createCatalogStore({ database, newId: uuidv7, clock: () => new Date() });
const octets = Buffer.from("mail client");

const sha256 = createHash("sha256").update(octets).digest("hex");
const places = (port: number) => ({
  origins: { "https://office.example": `https://127.0.0.1:${port}` },
  modules: { "mail-client": { version: "1.1", sha256, octets: octets.length } },
});

test("a first start puts it on offer with its own addresses and modules, a second changes the addresses alone", async () => {
  await store.putContent(OPERATOR, sha256, octets, "test");
  assert.equal(await putStarterCatalog(store, OPERATOR, places(7001), "start"), items.size);
  const mail = (await store.currentCatalog(OPERATOR)).get("mail");
  assert.equal(mail?.service?.uri, "https://127.0.0.1:7001/scim/v2");
  const client = (await store.currentCatalog(OPERATOR)).get("mail-client");
  assert.deepEqual(client?.content, {
    kind: "module",
    module: "mail-client",
    version: "1.1",
    sha256,
    octets: octets.length,
    url: null,
  });
  assert.equal(await putStarterCatalog(store, OPERATOR, places(7001), "start"), 0);
  assert.equal(await putStarterCatalog(store, OPERATOR, places(7002), "start"), 2);
  const moved = (await store.currentCatalog(OPERATOR)).get("directory");
  assert.deepEqual([moved?.version, moved?.service?.uri], [2, "https://127.0.0.1:7002/scim/v2/directory"]);
});

test("what somebody changed since stays as it is, and what was taken off is not offered again", async () => {
  const { items: now } = await store.exported(OPERATOR);
  const mail = now.get("mail");
  assert.ok(mail);
  await store.put(OPERATOR, "mail", { ...mail, price: null }, { expected: () => true, actor: "admin" });
  await store.retire(OPERATOR, "ring-back", () => true, "admin");
  await putStarterCatalog(store, OPERATOR, places(7003), "start");
  const { items: after } = await store.exported(OPERATOR);
  assert.equal(after.get("mail")?.service?.uri, "https://127.0.0.1:7002/scim/v2");
  assert.equal(after.has("ring-back"), false);
  assert.equal(after.get("directory")?.service?.uri, "https://127.0.0.1:7003/scim/v2/directory");
});
