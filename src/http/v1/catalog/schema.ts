/** The catalog in the API description. What is sent is read by the kernel itself, which names every place that is wrong. */
import Type, { type Static } from "typebox";
import {
  ASSURANCES,
  CATALOG_KINDS,
  type CatalogItem,
  NETWORK_ELEMENTS,
} from "../../../kernel/catalog/catalog-item.ts";
import type { CatalogDiff } from "../../../kernel/catalog/catalog-store.ts";
import type { Cost } from "../../../kernel/catalog/charges.ts";
import type { Checked } from "../../../kernel/catalog/check-catalog.ts";
import { MODEL_CLASSES } from "../../../kernel/devices/device-class.ts";
import { HARDWARE, LACKS, type Lack } from "../../../kernel/devices/hardware.ts";
import { InvalidRequest } from "../../problem.ts";
import { anything, instant, instantOrNull, named, textOrNull, words } from "../../schema.ts";

const localized = (description: string) =>
  Type.Record(Type.String({ pattern: "^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$" }), Type.String(), {
    description,
  });
const ids = (description: string) => Type.Array(Type.String(), { maxItems: 50, description });

export const itemId = Type.String({
  pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
  description: "a-z, 0-9 and -, at most 63.",
  examples: ["mail"],
});
export const termsId = Type.String({
  pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
  description: "a-z, 0-9 and -, at most 63.",
  examples: ["mail-terms"],
});

/** Sums by currency and tax words. Of a package without a price of its own, what its members cost. */
const Costs = Type.Array(
  Type.Object({
    currency: Type.String(),
    onceMinor: Type.Integer(),
    monthlyMinor: Type.Integer(),
    use: Type.Array(
      Type.Object({ minor: Type.Integer(), per: localized("What is counted."), itemId: Type.String() }),
    ),
    tax: Type.Unsafe<CatalogItem["name"] | null>({
      type: ["object", "null"],
      additionalProperties: { type: "string" },
    }),
  }),
  { description: "What it costs, also by its members; empty where nothing is charged here." },
);
export const writtenCosts = (costs: readonly Cost[]): Static<typeof Costs> =>
  costs.map(({ currency, onceMinor, monthlyMinor, use, tax }) => ({
    currency,
    onceMinor,
    monthlyMinor,
    use: use.map(({ minor, per, item }) => ({ minor, per: { ...per }, itemId: item.id })),
    tax,
  }));

const said = {
  kind: words(CATALOG_KINDS),
  name: localized("By BCP 47 language; en is needed."),
  description: localized("By BCP 47 language; en is needed."),
  price: Type.Unsafe<CatalogItem["price"]>({
    type: ["object", "null"],
    properties: {
      onceMinor: { type: "integer" },
      monthlyMinor: { type: "integer" },
      currency: { type: "string" },
    },
    description:
      "Its own, in minor units of an ISO 4217 currency, with `use` [{minor, per}] and `tax` words where it has them; null " +
      "where it has none of its own: `costs` says what it costs.",
  }),
  terms: textOrNull({ description: "Id of the terms that must be agreed to." }),
  needs: ids("What must be there, or asked for with it."),
  conflicts: ids("What it cannot stand beside."),
  includes: ids("Of a package: its members."),
  available: Type.Boolean({ description: "False: shown, but not to be had now." }),
  provisioningServer: textOrNull({
    description: "https origin of the server that takes requests for it; null for this one.",
  }),
  content: anything(
    "Of a feature: {kind: module, module, version, sha256, octets, url}, {kind: activation, module}, {kind: parameters, values}, {kind: settings} or {kind: none}.",
  ),
  fields: Type.Optional(
    anything(
      "Of a feature: [{name, label, kind, required}], asked for with the request; told to the network's elements, and as {name} in parameters.",
    ),
  ),
  service: anything("Of a service: {uri, module, fields: [{name, label, kind, required}]}, or null."),
  elements: Type.Array(words(NETWORK_ELEMENTS), { description: "Elements of the network that serve it." }),
  requires: Type.Object({
    assurance: words(ASSURANCES, "How sure we must be who asks."),
    verification: Type.Boolean({ description: "A user who was not verified before is verified." }),
    card: Type.Boolean(),
    hardware: Type.Optional(
      Type.Array(words(HARDWARE), {
        description: "A model that is known to be without is not sent it, nor offered it.",
      }),
    ),
    screen: Type.Optional(
      Type.String({ description: "`240x320`: pixels that the screen has at least, held either way." }),
    ),
    bands: Type.Optional(
      Type.Array(Type.String(), { description: "Radio bands, `LTE 800`: one of them is enough." }),
    ),
    classes: Type.Optional(Type.Array(words(MODEL_CLASSES), { description: "Devices that it is for." })),
  }),
};

export const ItemOut = named(
  "CatalogItem",
  Type.Object({
    id: Type.String(),
    version: Type.Integer(),
    costs: Costs,
    lacks: Type.Optional(
      Type.Unsafe<Lack | null>({
        enum: [...LACKS, null],
        description:
          "Where a subscriber was named: what keeps it off their device; null: nothing that is known.",
      }),
    ),
    ...said,
  }),
);
export const ItemIn = named("NewCatalogItem", Type.Partial(Type.Object(said)));

export const ItemWithVersions = named(
  "CatalogItemVersions",
  Type.Object({
    item: Type.Union([ItemOut, Type.Null()], {
      description: "The version on offer; null where it is retired.",
    }),
    versions: Type.Array(
      Type.Object({
        version: Type.Integer(),
        madeBy: Type.String(),
        madeAt: instant(),
        retiredAt: instantOrNull(),
      }),
      { description: "Newest first." },
    ),
  }),
);

const Changed = Type.Array(Type.Object({ id: Type.String(), members: Type.Array(Type.String()) }));
export const Diff = named(
  "CatalogDiff",
  Type.Object({
    applied: Type.Boolean({ description: "False of a dry run." }),
    items: Type.Object({
      added: Type.Array(Type.String()),
      changed: Changed,
      retired: Type.Array(Type.String()),
      unchanged: Type.Integer(),
    }),
    terms: Type.Object({ added: Type.Array(Type.String()), changed: Changed, unchanged: Type.Integer() }),
  }),
);

export const TermsOut = named(
  "Terms",
  Type.Object({
    id: Type.String(),
    version: Type.Integer(),
    texts: localized("By language."),
    madeBy: Type.String(),
    madeAt: instant(),
  }),
);
export const TermsIn = named("NewTerms", localized("Exact text by BCP 47 language; en is needed."));

type WrittenDiff = {
  readonly applied: boolean;
  readonly items: {
    added: string[];
    changed: { id: string; members: string[] }[];
    retired: string[];
    unchanged: number;
  };
  readonly terms: { added: string[]; changed: { id: string; members: string[] }[]; unchanged: number };
};

/** As it is answered: lists of our own, which the kernel's are not. */
export function writtenDiff({ items, terms }: CatalogDiff, applied: boolean): WrittenDiff {
  const changed = (list: CatalogDiff["items"]["changed"]) =>
    list.map(({ id, members }) => ({ id, members: [...members] }));
  return {
    applied,
    items: {
      added: [...items.added],
      changed: changed(items.changed),
      retired: [...items.retired],
      unchanged: items.unchanged,
    },
    terms: { added: [...terms.added], changed: changed(terms.changed), unchanged: terms.unchanged },
  };
}

/** @throws InvalidRequest with every problem's place */
export function fitOrRefuse<Value>(checked: Checked<Value>): Value {
  if (checked.fits) return checked.value;
  throw new InvalidRequest(checked.problems);
}
