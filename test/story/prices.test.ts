/**
 * What people are told that things cost, and what is booked when they are done, are the same numbers: for random catalogs,
 * read back out of the words of the screens and of the SMS (US 6,647,260 column 5, claim 10; R7, R44).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { CatalogItem, Price } from "../../src/kernel/catalog/catalog-item.ts";
import { isBilledElsewhere } from "../../src/kernel/catalog/charges.ts";
import { type Catalog, expandSelection } from "../../src/kernel/catalog/expand.ts";
import { priceWords } from "../../src/kernel/catalog/price-words.ts";
import { itemScreen, listScreen } from "../../src/kernel/dialog/catalog-screens.ts";
import { orderScreen } from "../../src/kernel/dialog/order-screen.ts";
import type { PortalView } from "../../src/kernel/dialog/view.ts";
import { costsOfItems, itemsFor } from "../../src/kernel/fulfilment/request-items.ts";
import type { NewRequest } from "../../src/kernel/order/request.ts";
import { createScribe } from "../../src/kernel/order/scribe.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { formatMoney, money } from "../../src/term/money.ts";
import { sampleCatalog, sampleItem, samplePackage } from "../fixture/catalog-samples.ts";
import { drawsOf, REPEAT_WITH, SEED } from "../fixture/seed.ts";

const CATALOGS = 400;

const CURRENCIES = ["EUR", "GBP", "JPY"] as const;
const TAX = [undefined, { en: "incl. VAT" }, { en: "plus local taxes" }] as const;
const UNITS = ["MB", "message"] as const;

function randomPrice(chance: (below: number) => number): Price {
  if (chance(3) === 0) return null;
  const tax = TAX[chance(3)];
  const use = chance(3) === 0 ? [{ minor: chance(20), per: { en: UNITS[chance(2)]! } }] : [];
  return {
    onceMinor: chance(2) * chance(2_000),
    monthlyMinor: chance(2) * chance(3_000),
    currency: CURRENCIES[chance(3)]!,
    ...(use.length > 0 ? { use } : {}),
    ...(tax ? { tax } : {}),
  };
}

/** Up to eight items and three packages of them; some needed, in conflict, not to be had, at another server, had already. */
function randomFixture(chance: (below: number) => number) {
  const ids = Array.from({ length: 2 + chance(7) }, (_, n) => `item-${n}`);
  const items = ids.map((id, n) =>
    sampleItem(id, {
      price: randomPrice(chance),
      available: chance(8) > 0,
      needs: n > 0 && chance(4) === 0 ? [ids[chance(n)]!] : [],
      conflicts: n > 0 && chance(10) === 0 ? [ids[chance(n)]!] : [],
      provisioningServer: chance(8) === 0 ? "https://other.example:8443" : null,
    }),
  );
  const packages = Array.from({ length: 1 + chance(3) }, (_, n) =>
    samplePackage(`package-${n}`, [...new Set(ids.filter(() => chance(2) === 0).concat(ids[0]!))], {
      price: chance(2) === 0 ? null : randomPrice(chance),
      available: chance(10) > 0,
    }),
  );
  const catalog = sampleCatalog(...items, ...packages);
  const has = ids.filter((id) => chance(5) === 0 && catalog.get(id)!.provisioningServer === null);
  const all = [...catalog.keys()];
  const selection = [...new Set(Array.from({ length: 1 + chance(3) }, () => all[chance(all.length)]!))];
  return { catalog, has, selection };
}

const visitorIn = (catalog: Catalog, has: readonly string[]): PortalView => ({
  operatorName: "Meridian",
  language: "en",
  catalog,
  has: has.map((itemId) => ({ itemId, name: itemId })),
  requests: [],
  lackOf: () => undefined,
  isKnown: true,
  serverName: (origin) => new URL(origin).host,
  serverUrl: (origin) => origin,
  isForwarded: () => false,
  timeZone: "UTC",
  care: { phone: null, url: null },
  at: (path) => path,
});

/** Every other server takes requests, so that what it sells stands in the order too. */
const PEERS = { of: () => ({ name: "Other", portalUrl: null, takesRequests: true }) };

/** Each item with the price that is booked for it, as the order has it. */
function booked(catalog: Catalog, has: readonly string[], selection: readonly string[]) {
  const request = { action: "add", selection, language: "en" } as unknown as NewRequest; // no more of it is read
  const making = {
    scribe: createScribe(new Date(0), uuidv7),
    catalog,
    texts: new Map(),
    request,
    underway: new Map(),
    held: new Set<string>(),
    replaced: new Map(),
    leaving: [],
    deps: { peers: PEERS, randomBytes: (octets: number) => new Uint8Array(octets) },
  };
  const expansion = expandSelection(catalog, selection, { has: new Set(has), deviceTakes: () => true });
  return itemsFor(making, expansion).flatMap((item) =>
    item.subject && item.state === "pending" ? [{ subject: item.subject, price: item.subject.price }] : [],
  );
}

/** `EUR monthly 1999`, summed as a cashier would: the words are not asked how. */
function sumsOf(prices: readonly Price[]): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (name: string, minor: number): void => {
    if (minor > 0) sums[name] = (sums[name] ?? 0) + minor;
  };
  for (const price of prices) {
    if (!price) continue;
    add(`${price.currency} once`, price.onceMinor);
    add(`${price.currency} monthly`, price.monthlyMinor);
    for (const { minor, per } of price.use ?? []) add(`${price.currency} per ${per.en}`, minor);
  }
  return sums;
}

const SIGNS: Readonly<Record<string, (typeof CURRENCIES)[number]>> = { "€": "EUR", "£": "GBP", "¥": "JPY" };
/** The numbers that stand in words, by what they are for. */
function sumsIn(words: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {};
  const pattern = /([€£¥])([\d,]+(?:\.\d\d)?) (once|a month|per (?:MB|message))/g;
  for (const [, sign = "", digits = "", what = ""] of words.join("\n").matchAll(pattern)) {
    const currency = SIGNS[sign]!;
    const name = `${currency} ${what === "a month" ? "monthly" : what}`;
    sums[name] = (sums[name] ?? 0) + Number(digits.replace(/[,.]/g, ""));
  }
  return sums;
}

test(`for ${CATALOGS} random catalogs the words on the order's form and in its SMS say what is booked, and say free only then (R7, R44)`, () => {
  const chance = drawsOf(SEED);
  for (let run = 0; run < CATALOGS; run++) {
    const { catalog, has, selection } = randomFixture(chance);
    const what = `${REPEAT_WITH}, run ${run}, ${selection.join(" + ")}`;
    const items = selection.map((id) => catalog.get(id)!);
    const done = booked(catalog, has, selection);
    const charged = sumsOf(done.map(({ price }) => price));

    // What another server sells, its own entry advertises: that is no charge of this one.
    const foreign = items.filter(({ provisioningServer }) => provisioningServer !== null);
    const asked = { user: [], services: [], payment: null };
    const form = orderScreen(visitorIn(catalog, has), { items, asked, state: "s" });
    // Nor is what cannot be had: its line says what it would cost.
    const isCharged = (id: string): boolean =>
      done.some(({ subject }) => (subject.package ?? subject.catalogId) === id);
    const others = items.filter((item) => foreign.includes(item) || !isCharged(item.id));
    const lines = form.text.filter((line) => !others.some(({ id }) => line.startsWith(`${id}: `)));
    assert.deepEqual(sumsIn(lines), charged, `${what}: ${form.text.join(" | ")}`);
    assert.deepEqual(
      sumsIn([priceWords(costsOfItems(done), "en")]),
      charged,
      `${what}: the SMS with the terms`,
    );
    const isForeign = done.some(({ subject }) => catalog.get(subject.catalogId)!.provisioningServer !== null);
    const sms = priceWords(costsOfItems(done), "en", isForeign);
    assert.equal(/Free/.test(sms), Object.keys(charged).length === 0 && !isForeign, `${what}: ${sms}`);
  }
});

test("a list and an item's own page say what that item alone is booked with, for the same random catalogs", () => {
  const chance = drawsOf(SEED);
  for (let run = 0; run < CATALOGS; run++) {
    const { catalog, has } = randomFixture(chance);
    const visitor = visitorIn(catalog, has);
    for (const kind of ["package", "feature"] as const) {
      const items = [...catalog.values()].filter((item) => item.kind === kind);
      const notes = listScreen(visitor, kind).entries.map(({ note }) => note ?? "");
      for (const [n, item] of items.entries()) {
        if (item.provisioningServer !== null || !item.available) continue;
        const done = booked(catalog, has, [item.id]);
        if (done.length === 0) continue;
        const charged = sumsOf(done.map(({ price }) => price));
        const what = `${REPEAT_WITH}, run ${run}, ${item.id}: ${notes[n]}`;
        assert.deepEqual(sumsIn([notes[n]!]), charged, what);
        assert.deepEqual(sumsIn(itemScreen(visitor, item).text), charged, what);
        const isForeign = done.some(
          ({ subject }) => catalog.get(subject.catalogId)!.provisioningServer !== null,
        );
        assert.equal(/Free/.test(notes[n]!), !isForeign && Object.keys(charged).length === 0, what);
      }
    }
  }
});

const business = (said: Partial<CatalogItem> = {}) =>
  sampleCatalog(
    sampleItem("mail", {
      price: { onceMinor: 299, monthlyMinor: 199, currency: "EUR", tax: { en: "incl. VAT" } },
    }),
    sampleItem("news", {
      price: {
        onceMinor: 0,
        monthlyMinor: 100,
        currency: "EUR",
        tax: { en: "incl. VAT" },
        use: [{ minor: 5, per: { en: "message", de: "Nachricht" } }],
      },
    }),
    sampleItem("roaming", { price: { onceMinor: 0, monthlyMinor: 250, currency: "GBP" } }),
    sampleItem("directory"),
    samplePackage("business", ["mail", "news", "roaming", "directory"], said),
  );
const noteIn = (catalog: Catalog, has: readonly string[] = [], language = "en"): string | undefined =>
  listScreen({ ...visitorIn(catalog, has), language }, "package").entries[0]?.note;

test("a package without a price shows what its members cost: sums by currency and period, use by itself, tax words as they stand", () => {
  assert.equal(noteIn(business()), "€2.99 once, €2.99 a month, €0.05 per message, incl. VAT + £2.50 a month");
  assert.equal(
    noteIn(business(), [], "de"),
    "2,99 € einmalig, 2,99 € im Monat, 0,05 € pro Nachricht, incl. VAT + 2,50 £ im Monat",
  );
  assert.equal(noteIn(business(), ["mail"]), "€1.00 a month, €0.05 per message, incl. VAT + £2.50 a month");
  assert.equal(noteIn(business(), ["mail", "news", "roaming"]), "Free", "what is left of it costs nothing");
  assert.equal(noteIn(business(), ["mail", "news", "roaming", "directory"]), "You have it");
  const own = { price: { onceMinor: 0, monthlyMinor: 990, currency: "EUR" } };
  assert.equal(
    noteIn(business(own)),
    `${formatMoney(money(990, "EUR"))} a month`,
    "with a price of its own, that",
  );
  assert.equal(
    noteIn(business({ price: { ...own.price, monthlyMinor: 0 } })),
    "Free",
    "and nothing, where it says so",
  );
});

test("what costs by its use alone is not free", () => {
  const price = {
    onceMinor: 0,
    monthlyMinor: 0,
    currency: "EUR",
    use: [{ minor: 20, per: { en: "minute" } }],
  };
  const catalog = sampleCatalog(sampleItem("video", { price }), samplePackage("calls", ["video"]));
  assert.equal(noteIn(catalog), "€0.20 per minute");
});

test("what needs something else first has its price all the same", () => {
  const price = { onceMinor: 0, monthlyMinor: 299, currency: "EUR" };
  const catalog = sampleCatalog(
    sampleItem("client"),
    sampleItem("mail", { price, needs: ["client"], kind: "service" }),
  );
  const [note] = listScreen(visitorIn(catalog, []), "service").entries.map((entry) => entry.note);
  assert.equal(note, "€2.99 a month");
});

test("what another server bills is never called free here", () => {
  const provisioningServer = "https://games.example";
  const catalog = sampleCatalog(sampleItem("games", { provisioningServer }), samplePackage("fun", ["games"]));
  assert.equal(noteIn(catalog), "games: From games.example");
  const [note] = listScreen(visitorIn(catalog, []), "feature").entries.map((entry) => entry.note);
  assert.equal(note, "From games.example");
  const mixed = sampleCatalog(
    sampleItem("games", { provisioningServer }),
    sampleItem("radio"),
    samplePackage("fun", ["radio", "games"]),
  );
  assert.equal(noteIn(mixed), "games: From games.example");
  assert.equal(
    priceWords([], "en", isBilledElsewhere(mixed, mixed.get("fun")!)),
    "billed by its own provider",
  );
});
