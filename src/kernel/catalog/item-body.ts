/**
 * One catalog item as it is written (JSON or YAML): its shape, its limits, and what its kind may have. What it says of
 * other items is judged by `check-catalog.ts`.
 */

import { entriesOf } from "../../term/record.ts";
import { MAX_MODULE_OCTETS } from "../../wire/message/module.ts";
import { isBand } from "../devices/bands.ts";
import { MODEL_CLASSES } from "../devices/device-class.ts";
import { HARDWARE, type HardwareNeeds, SCREEN_PIXELS } from "../devices/hardware.ts";
import {
  ASSURANCES,
  CATALOG_KINDS,
  type CatalogItem,
  type CatalogKind,
  type FeatureContent,
  NETWORK_ELEMENTS,
  type NeededField,
  type Price,
} from "./catalog-item.ts";
import { CATALOG_ID, type Reading } from "./reading.ts";

/** What an item says; its id and version are where it stands. */
export type ItemBody = Omit<CatalogItem, "id" | "version">;

/** Largest module, in octets, as content carries it. */
export const MODULE_OCTETS_MAX = MAX_MODULE_OCTETS;
const NAME_CHARACTERS_MAX = 80;
const DESCRIPTION_CHARACTERS_MAX = 600;
/** Ids in needs, conflicts or includes. */
const IDS_MAX = 50;
const FIELDS_MAX = 20;
const VALUES_MAX = 50;
const VALUE_CHARACTERS_MAX = 500;
/** In UTF-8. */
const VALUE_OCTETS_MAX = 1_000;
// Names as content carries them (`wire/message/module.ts`, `content.ts`): an item with another one could be sold, and never sent.
const MODULE_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const MODULE_VERSION = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}$/;
const VALUE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const PRICE_MINOR_MAX = 1_000_000_000;
/** Prices of use of one item. */
const USES_MAX = 5;
const UNIT_CHARACTERS_MAX = 40;

const MEMBERS = [
  "kind",
  "name",
  "description",
  "price",
  "terms",
  "needs",
  "conflicts",
  "includes",
  "available",
  "provisioningServer",
  "content",
  "fields",
  "service",
  "elements",
  "requires",
] as const satisfies readonly (keyof ItemBody)[];

const NOTHING_REQUIRED: CatalogItem["requires"] = {
  assurance: "network",
  verification: true,
  card: false,
};

/** Whatever is wrong is told to `reading`; the answer is of use only where nothing was. */
export function readItemBody(reading: Reading, value: unknown, at: string): ItemBody {
  const members = reading.record(value, at, MEMBERS);
  const given = (name: keyof ItemBody): unknown => members.get(name) ?? undefined; // null reads as not said
  const kind: CatalogKind = reading.oneOf(given("kind"), `${at}/kind`, CATALOG_KINDS);
  const body: ItemBody = {
    kind,
    name: reading.localized(given("name"), `${at}/name`, NAME_CHARACTERS_MAX),
    description: reading.localized(given("description"), `${at}/description`, DESCRIPTION_CHARACTERS_MAX, {
      lines: true,
    }),
    price: readPrice(reading, given("price"), `${at}/price`),
    terms: readTermsId(reading, given("terms"), `${at}/terms`),
    needs: reading.ids(given("needs"), `${at}/needs`, IDS_MAX),
    conflicts: reading.ids(given("conflicts"), `${at}/conflicts`, IDS_MAX),
    includes: reading.ids(given("includes"), `${at}/includes`, IDS_MAX),
    available: reading.yesOrNo(given("available"), `${at}/available`, true),
    provisioningServer:
      given("provisioningServer") === undefined
        ? null
        : reading.httpsUrl(given("provisioningServer"), `${at}/provisioningServer`, { origin: true }),
    content: readContent(reading, given("content"), `${at}/content`),
    ...(given("fields") === undefined
      ? {}
      : { fields: readFields(reading, given("fields"), `${at}/fields`) }),
    service: readService(reading, given("service"), `${at}/service`),
    elements: readElements(reading, given("elements"), `${at}/elements`),
    requires: readRequires(reading, given("requires"), `${at}/requires`),
  };
  refuseForeignMembers(reading, body, at);
  return body;
}

/** What only another kind can have. */
function refuseForeignMembers(reading: Reading, body: ItemBody, at: string): void {
  const forbid = (name: keyof ItemBody, isThere: boolean, wanted: string): void => {
    if (isThere) reading.refuse(`${at}/${name}`, wanted);
  };
  const { kind } = body;
  if (kind === "package") {
    // Of a package that another server provisions, that server's catalog says what it holds.
    const isElsewhere = body.provisioningServer !== null;
    forbid("includes", body.includes.length === 0 && !isElsewhere, "must name what the package holds");
    for (const name of ["needs", "conflicts", "elements"] as const)
      forbid(name, body[name].length > 0, "belongs to the members of a package");
  } else {
    forbid("includes", body.includes.length > 0, "belongs to a package");
  }
  forbid("content", kind !== "feature" && body.content.kind !== "none", "belongs to a feature");
  forbid("fields", kind !== "feature" && (body.fields ?? []).length > 0, "belongs to a feature");
  forbid("service", kind !== "service" && body.service !== null, "belongs to a service");
  forbid("service", kind === "service" && body.service === null, "is missing");
}

function readPrice(reading: Reading, value: unknown, at: string): Price {
  if (value === undefined) return null;
  const members = reading.record(value, at, ["onceMinor", "monthlyMinor", "currency", "use", "tax"]);
  const currency = reading.matching(members.get("currency"), `${at}/currency`, /^[A-Z]{3}$/, "ISO 4217");
  if (currency !== "" && !CURRENCIES.has(currency))
    reading.refuse(`${at}/currency`, "must be a currency of ISO 4217");
  return {
    onceMinor: reading.integer(members.get("onceMinor") ?? 0, `${at}/onceMinor`, 0, PRICE_MINOR_MAX),
    monthlyMinor: reading.integer(members.get("monthlyMinor") ?? 0, `${at}/monthlyMinor`, 0, PRICE_MINOR_MAX),
    currency,
    ...(members.get("use") === undefined
      ? {}
      : {
          use: reading
            .list(members.get("use"), `${at}/use`, USES_MAX)
            .map((use, n) => readUsePrice(reading, use, `${at}/use/${n}`)),
        }),
    ...(members.get("tax") === undefined
      ? {}
      : { tax: reading.localized(members.get("tax"), `${at}/tax`, UNIT_CHARACTERS_MAX) }),
  };
}

function readUsePrice(reading: Reading, value: unknown, at: string) {
  const members = reading.record(value, at, ["minor", "per"]);
  return {
    minor: reading.integer(members.get("minor"), `${at}/minor`, 0, PRICE_MINOR_MAX),
    per: reading.localized(members.get("per"), `${at}/per`, UNIT_CHARACTERS_MAX),
  };
}

/** The list that comes with the language itself (Unicode CLDR follows ISO 4217). */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

const readTermsId = (reading: Reading, value: unknown, at: string): string | null =>
  value === undefined ? null : reading.matching(value, at, CATALOG_ID, "the id of terms");

function readContent(reading: Reading, value: unknown, at: string): FeatureContent {
  if (value === undefined) return { kind: "none" };
  const members = reading.record(value, at);
  const kind = reading.oneOf(members.get("kind"), `${at}/kind`, [
    "none",
    "module",
    "activation",
    "parameters",
    "settings",
  ] as const);
  const only = (...names: string[]): void => void reading.record(value, at, ["kind", ...names]);
  const module = (): string =>
    reading.matching(
      members.get("module"),
      `${at}/module`,
      MODULE_NAME,
      "a module's name (a-z, 0-9, . and -, at most 63)",
    );
  switch (kind) {
    case "module": {
      only("module", "version", "sha256", "octets", "url");
      const url = members.get("url") ?? undefined;
      return {
        kind,
        module: module(),
        version: reading.matching(
          members.get("version"),
          `${at}/version`,
          MODULE_VERSION,
          "a version, as text",
        ),
        sha256: reading.matching(
          members.get("sha256"),
          `${at}/sha256`,
          SHA256_HEX,
          "64 lower-case hexadecimal digits",
        ),
        octets: reading.integer(members.get("octets"), `${at}/octets`, 1, MODULE_OCTETS_MAX),
        url: url === undefined ? null : reading.httpsUrl(url, `${at}/url`),
      };
    }
    case "activation":
      only("module");
      return { kind, module: module() };
    case "parameters":
      only("values");
      return { kind, values: readValues(reading, members.get("values"), `${at}/values`) };
    default:
      only();
      return { kind };
  }
}

function readValues(reading: Reading, value: unknown, at: string): Readonly<Record<string, string>> {
  const members = reading.record(value, at);
  if (members.size > VALUES_MAX) reading.refuse(at, `must have at most ${VALUES_MAX} members`);
  const values: [string, string][] = [];
  for (const [name, text] of [...members].slice(0, VALUES_MAX)) {
    const fit = reading.matching(name, `${at}/${name.slice(0, 64)}`, VALUE_NAME, "a name as mail.server");
    if (fit === "") continue;
    const read = reading.text(text, `${at}/${fit}`, VALUE_CHARACTERS_MAX);
    if (Buffer.byteLength(read) > VALUE_OCTETS_MAX)
      reading.refuse(`${at}/${fit}`, `must have at most ${VALUE_OCTETS_MAX} octets in UTF-8`);
    values.push([fit, read]);
  }
  return Object.fromEntries(values);
}

function readService(reading: Reading, value: unknown, at: string): CatalogItem["service"] {
  if (value === undefined) return null;
  const members = reading.record(value, at, ["uri", "module", "fields"]);
  const module = members.get("module") ?? undefined;
  const fields = readFields(reading, members.get("fields"), `${at}/fields`);
  return {
    uri: reading.httpsUrl(members.get("uri"), `${at}/uri`),
    module: module === undefined ? null : readContent(reading, module, `${at}/module`),
    fields,
  };
}

function readFields(reading: Reading, value: unknown, at: string): readonly NeededField[] {
  const fields = reading
    .list(value, at, FIELDS_MAX)
    .map((field, n) => readField(reading, field, `${at}/${n}`));
  reading.refuseTwins(
    fields.map(({ name }) => name),
    at,
  );
  return fields;
}

function readField(reading: Reading, value: unknown, at: string): NeededField {
  const members = reading.record(value, at, ["name", "label", "kind", "required"]);
  const kinds = ["text", "digits", "phone", "email", "secret", "date"] as const;
  return {
    name: reading.matching(members.get("name"), `${at}/name`, VALUE_NAME, "a field's name"),
    label: reading.localized(members.get("label"), `${at}/label`, NAME_CHARACTERS_MAX),
    kind: reading.oneOf(members.get("kind"), `${at}/kind`, kinds, "text"),
    required: reading.yesOrNo(members.get("required"), `${at}/required`, true),
  };
}

function readElements(reading: Reading, value: unknown, at: string): CatalogItem["elements"] {
  const elements = reading
    .list(value, at, NETWORK_ELEMENTS.length)
    .map((element, n) => reading.oneOf(element, `${at}/${n}`, NETWORK_ELEMENTS));
  reading.refuseTwins(elements, at);
  return elements;
}

function readRequires(reading: Reading, value: unknown, at: string): CatalogItem["requires"] {
  if (value === undefined) return NOTHING_REQUIRED;
  const members = reading.record(value, at, REQUIREMENTS);
  return {
    assurance: reading.oneOf(
      members.get("assurance"),
      `${at}/assurance`,
      ASSURANCES,
      NOTHING_REQUIRED.assurance,
    ),
    verification: reading.yesOrNo(
      members.get("verification"),
      `${at}/verification`,
      NOTHING_REQUIRED.verification,
    ),
    card: reading.yesOrNo(members.get("card"), `${at}/card`, NOTHING_REQUIRED.card),
    ...readHardwareNeeds(reading, members, at),
  };
}

const REQUIREMENTS = ["assurance", "verification", "card", "hardware", "screen", "bands", "classes"];

function readHardwareNeeds(
  reading: Reading,
  members: ReadonlyMap<string, unknown>,
  at: string,
): HardwareNeeds {
  const words = <Word extends string>(name: string, known: readonly Word[]): readonly Word[] => {
    const place = `${at}/${name}`;
    const read = reading
      .list(members.get(name), place, known.length)
      .map((one, n) => reading.oneOf(one, `${place}/${n}`, known));
    reading.refuseTwins(read, place);
    return read;
  };
  const hardware = words("hardware", HARDWARE);
  const classes = words("classes", MODEL_CLASSES);
  const bands = reading.list(members.get("bands"), `${at}/bands`, BANDS_MAX).map((one, n) => {
    const place = `${at}/bands/${n}`;
    const band = reading.text(one, place, BAND_CHARACTERS_MAX);
    if (band !== "" && !isBand(band)) reading.refuse(place, "must be a radio band, as LTE 800");
    return band;
  });
  reading.refuseTwins(bands, `${at}/bands`);
  const screen = members.get("screen") ?? undefined;
  return {
    ...(hardware.length > 0 && { hardware }),
    ...(screen !== undefined && {
      screen: reading.matching(screen, `${at}/screen`, SCREEN_PIXELS, "pixels, as 240x320"),
    }),
    ...(bands.length > 0 && { bands }),
    ...(classes.length > 0 && { classes }),
  };
}

const BANDS_MAX = 20;
const BAND_CHARACTERS_MAX = 30;

/** As it is written for people: without what it says by saying nothing. */
export function writeItemBody(body: ItemBody): Readonly<Record<string, unknown>> {
  const members = entriesOf<keyof ItemBody, unknown>(body).filter(
    ([name, value]) => !(name in NOTHING_SAID) || canonical(value) !== canonical(NOTHING_SAID[name]),
  );
  const names: readonly string[] = MEMBERS;
  const order = (name: string): number => names.indexOf(name);
  return Object.fromEntries(members.sort(([one], [other]) => order(one) - order(other)));
}

const NOTHING_SAID: Partial<ItemBody> = {
  price: null,
  terms: null,
  needs: [],
  conflicts: [],
  includes: [],
  available: true,
  provisioningServer: null,
  content: { kind: "none" },
  fields: [],
  service: null,
  elements: [],
  requires: NOTHING_REQUIRED,
};

/** Equal text for equal values, whatever the order of their members. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}
