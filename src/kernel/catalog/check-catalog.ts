/**
 * A whole catalog as one reviewed file: its shape, and whether its items fit each other. Nothing of a catalog with a
 * problem is taken: half a catalog would sell what cannot be delivered.
 *
 *   catalog: 1                       # format
 *   terms:                           # texts that people agree to, by id and language
 *     mail-terms: { en: ..., de: ... }
 *   items:
 *     mail: { kind: service, name: { en: Mail }, ... }
 */
import type { CatalogItem, FeatureContent, Localized } from "./catalog-item.ts";
import { type ItemBody, readItemBody, writeItemBody } from "./item-body.ts";
import { type CatalogProblem, isCatalogId, Reading, shortened } from "./reading.ts";

const CATALOG_FORMAT = 1;
export const ITEMS_MAX = 500;
export const TERMS_MAX = 200;
export const TERMS_CHARACTERS_MAX = 20_000;

export type CatalogDocument = {
  readonly items: ReadonlyMap<string, ItemBody>;
  /** Texts by terms id. */
  readonly terms: ReadonlyMap<string, Localized>;
};

/** What a catalog may lean on beside its own words. */
export type Surroundings = {
  /** Terms that are there already. */
  readonly hasTerms: (termsId: string) => boolean;
  /** Octets of modules that are there already, by hexadecimal SHA-256. */
  readonly hasContent: (sha256: string) => boolean;
  /** Other provisioning servers that this one knows, by origin; undefined where nobody told it of any. */
  readonly hasServer?: ((origin: string) => boolean) | undefined;
};

export type Checked<Value> =
  | { readonly fits: true; readonly value: Value }
  | { readonly fits: false; readonly problems: readonly CatalogProblem[] };

export function checkCatalogDocument(value: unknown, around: Surroundings): Checked<CatalogDocument> {
  const reading = new Reading();
  const members = reading.record(value, "catalog", ["catalog", "terms", "items"]);
  if (members.get("catalog") !== CATALOG_FORMAT)
    reading.refuse("catalog", `must say catalog: ${CATALOG_FORMAT}`);
  const document: CatalogDocument = {
    terms: readEach(reading, { value: members.get("terms") ?? {}, at: "terms" }, TERMS_MAX, readTerms),
    items: readEach(reading, { value: members.get("items"), at: "items" }, ITEMS_MAX, readItemBody),
  };
  const { hasContent } = around;
  const hasTerms = (id: string): boolean => document.terms.has(id) || around.hasTerms(id);
  if (reading.problems.length === 0) checkServers(reading, document.items, around);
  if (reading.problems.length === 0) checkTogether(reading, document.items, { hasTerms, hasContent });
  return outcome(reading, document);
}

/** One item that is put into a catalog, or takes the place of one there. */
export function checkCatalogItem(
  value: unknown,
  id: string,
  others: ReadonlyMap<string, ItemBody>,
  around: Surroundings,
): Checked<ItemBody> {
  const reading = new Reading();
  const body = readItemBody(reading, value, "body");
  if (!isCatalogId(id)) reading.refuse("path/id", "must be 1 to 63 of a-z, 0-9 and -");
  if (reading.problems.length === 0) {
    const together = new Map(others).set(id, body);
    if (together.size > ITEMS_MAX) reading.refuse("body", `would be more than ${ITEMS_MAX} items`);
    checkServers(reading, new Map([[id, body]]), around);
    checkTogether(reading, together, around);
  }
  const checked = outcome(reading, body);
  if (checked.fits) return checked;
  return {
    fits: false,
    problems: checked.problems.map((one) => ({ ...one, at: one.at.replace(`items/${id}`, "body") })),
  };
}

/** Texts of terms, as they are put by themselves. */
export function checkTerms(value: unknown): Checked<Localized> {
  const reading = new Reading();
  return outcome(reading, readTerms(reading, value, "body"));
}

/** As it is written into a file: sorted by id, without what is said by saying nothing. */
export const writeCatalogDocument = ({
  items,
  terms,
}: CatalogDocument): Readonly<Record<string, unknown>> => ({
  catalog: CATALOG_FORMAT,
  terms: Object.fromEntries(sorted(terms)),
  items: Object.fromEntries(sorted(items).map(([id, body]) => [id, writeItemBody(body)])),
});

const sorted = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));

const outcome = <Value>(reading: Reading, value: Value): Checked<Value> =>
  reading.problems.length === 0 ? { fits: true, value } : { fits: false, problems: reading.problems };

const readTerms = (reading: Reading, value: unknown, at: string): Localized =>
  reading.localized(value, at, TERMS_CHARACTERS_MAX, { lines: true });

function readEach<Value>(
  reading: Reading,
  { value, at }: { readonly value: unknown; readonly at: string },
  max: number,
  read: (reading: Reading, value: unknown, at: string) => Value,
): ReadonlyMap<string, Value> {
  const members = reading.record(value, at);
  if (members.size > max) reading.refuse(at, `must have at most ${max} members`);
  const found = new Map<string, Value>();
  for (const [id, member] of [...members].slice(0, max)) {
    if (isCatalogId(id)) found.set(id, read(reading, member, `${at}/${id}`));
    else reading.refuse(`${at}/${shortened(id)}`, "must have a name of 1 to 63 of a-z, 0-9 and -");
  }
  return found;
}

// Items among each other.

type Items = ReadonlyMap<string, ItemBody>;

/** Of what is said now: an item that was there before its server was taken off the list is no reason to refuse another. */
function checkServers(reading: Reading, items: Items, { hasServer }: Surroundings): void {
  for (const [id, { provisioningServer }] of items) {
    if (provisioningServer !== null && hasServer?.(provisioningServer) === false)
      reading.refuse(
        `items/${id}/provisioningServer`,
        `names ${provisioningServer}, which is no server of peer.file`,
      );
  }
}

function checkTogether(reading: Reading, items: Items, { hasTerms, hasContent }: Surroundings): void {
  for (const [id, body] of items) {
    const at = `items/${id}`;
    if (body.terms !== null && !hasTerms(body.terms))
      reading.refuse(`${at}/terms`, `there are no terms ${body.terms}`);
    for (const [member, content] of [
      ["content", body.content],
      ["service/module", body.service?.module ?? null],
    ] as const) {
      if (lacksContent(content, hasContent))
        reading.refuse(`${at}/${member}`, "has no url, and no content of this sha256 is there: put it first");
    }
    checkReferences(reading, items, id, body);
  }
  if (reading.problems.length > 0) return; // what hangs together wrongly is told when every name is known
  checkCircles(reading, items);
  if (reading.problems.length === 0) checkConflicts(reading, items);
}

const lacksContent = (content: FeatureContent | null, hasContent: Surroundings["hasContent"]): boolean =>
  content?.kind === "module" && content.url === null && !hasContent(content.sha256);

function checkReferences(reading: Reading, items: Items, id: string, body: ItemBody): void {
  for (const member of ["needs", "conflicts", "includes"] as const) {
    for (const [n, other] of body[member].entries()) {
      const at = `items/${id}/${member}/${n}`;
      const found = items.get(other);
      if (other === id) reading.refuse(at, "names the item itself");
      else if (!found) reading.refuse(at, `there is no item ${other}`);
      else if (found.kind === "package")
        reading.refuse(at, member === "includes" ? "a package holds no package" : "must be no package");
    }
  }
}

/** Needs that come back to where they began: neither could ever be first. */
function checkCircles(reading: Reading, items: Items): void {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (id: string): void => {
    const began = path.indexOf(id);
    if (began !== -1)
      return reading.refuse(`items/${id}/needs`, `go round: ${[...path.slice(began), id].join(" -> ")}`);
    if (done.has(id)) return;
    path.push(id);
    for (const need of items.get(id)?.needs ?? []) visit(need);
    path.pop();
    done.add(id);
  };
  for (const id of items.keys()) visit(id);
}

/** What can never be had: an item in conflict with what it needs, or a package whose members are. */
function checkConflicts(reading: Reading, items: Items): void {
  for (const [id, body] of items) {
    const together = withNeeds(items, body.kind === "package" ? body.includes : [id]);
    const pair = [...together].flatMap((one) =>
      (items.get(one)?.conflicts ?? []).flatMap((other) => (together.has(other) ? [[one, other]] : [])),
    )[0];
    if (pair) reading.refuse(`items/${id}`, `brings ${pair[0]} and ${pair[1]}, which conflict`);
  }
}

function withNeeds(items: Items, ids: readonly string[]): ReadonlySet<string> {
  const all = new Set(ids);
  for (const id of all) for (const need of items.get(id)?.needs ?? []) all.add(need); // a set grows while it is walked
  return all;
}

/** Of a stored item: what it says. */
export const bodyOf = ({ id: _id, version: _version, ...body }: CatalogItem): ItemBody => body;
