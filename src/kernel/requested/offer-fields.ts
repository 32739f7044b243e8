/**
 * What an offer by SMS still lacks before it can be ordered: one short field can be given by text, is read back, and waits for a yes;
 * all else is given under the offer's link (US 6,647,260, column 8). A yes alone never orders what lacks a field.
 */
import { TurnupError } from "../../term/error.ts";
import type { CatalogItem, Localized, NeededField } from "../catalog/catalog-item.ts";
import { type Catalog, expandSelection, type LackOf } from "../catalog/expand.ts";
import { localized } from "../catalog/localized.ts";
import { outdatedOf } from "../catalog/upgrade.ts";
import { CODE, digitsOf } from "../consent/plain-words.ts";
import { queueAnswer } from "../notices/notices.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { Asker, Holding, OfferRow, OpenQuestion } from "../order/request-store.ts";
import type { Step } from "../order/step.ts";
import { checkItemFields, fieldsAskedBy } from "../registration/check-item-fields.ts";
import type { Desk } from "./on-request.ts";
import { homeOf, lackingOn } from "./submit.ts";

/** What an item is weighed by for one subscriber, on the device where their SIM is. */
export type Considered = {
  readonly asker: Asker;
  readonly item: CatalogItem;
  readonly catalog: Catalog;
  readonly holdings: readonly Holding[];
  readonly heldHere: readonly CatalogItem[];
  readonly outdated: ReadonlySet<string>;
  readonly lackOf: LackOf;
};

/** Undefined where the item is not on offer any more. */
export async function considered(
  deps: ConductorDeps,
  { tx }: Pick<Step, "tx">,
  {
    operatorId,
    asker,
    itemId,
  }: { readonly operatorId: string; readonly asker: Asker; readonly itemId: string },
): Promise<Considered | undefined> {
  const holdings = await tx.holdingsOf(operatorId, asker.subscriberId);
  const withHeld = await deps.catalog.catalogWith(operatorId, holdings);
  const offered = await deps.catalog.catalogWith(operatorId, []);
  const catalog = new Map([...withHeld, ...offered]);
  const item = catalog.get(itemId);
  if (!item) return undefined;
  // What is there in an older version is offered as what replaces it (R122).
  const heldHere = holdings.flatMap(({ itemId: id, deviceId }) =>
    deviceId === asker.deviceId ? (withHeld.get(id) ?? []) : [],
  );
  const outdated = outdatedOf(heldHere, offered);
  const lackOf = await lackingOn(deps, tx, operatorId, asker.deviceId);
  return { asker, item, catalog, holdings, heldHere, outdated, lackOf };
}

type Lacking = { readonly item: CatalogItem; readonly field: NeededField };

/** Of what would be provisioned, each field that must be given and is not known from the version before. */
export function fieldsLacking({
  item,
  catalog,
  holdings,
  heldHere,
  outdated,
  lackOf,
}: Considered): readonly Lacking[] {
  const here = new Set(heldHere.map(({ id }) => id));
  const { items } = expandSelection(catalog, [item.id], {
    ...{ has: here, outdated, lackOf },
    deviceTakes: () => true,
  });
  return items.flatMap(({ item: one }) => {
    const given = holdings.find(({ itemId }) => itemId === one.id)?.given ?? {};
    const former = heldHere.find(({ id }) => id === one.id);
    // What a service was registered with stays with its registration.
    const kept =
      former?.kind === "service" ? fieldsAskedBy(former).map(({ name }) => name) : Object.keys(given);
    return fieldsAskedBy(one).flatMap((field) =>
      field.required && one.provisioningServer === null && !kept.includes(field.name)
        ? [{ item: one, field }]
        : [],
    );
  });
}

/** What no yes, no or number of a question can be taken for. */
const BY_TEXT: readonly NeededField["kind"][] = ["phone", "email", "date"];

/** The one field that a text can give; undefined where there are more, or others. */
export const askedByText = (lacking: readonly Lacking[]): Lacking | undefined =>
  lacking.length === 1 && lacking[0] && BY_TEXT.includes(lacking[0].field.kind) ? lacking[0] : undefined;

export const lackingWords = (lacking: readonly Lacking[], language: string): string =>
  lacking.map(({ field }) => localized(field.label, language)).join(", ");

type OfferQuestion = Extract<OpenQuestion, { readonly kind: "offer" }> & {
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly language: string;
};

/** The value that follows an offer's number: `4821 +44 20 7946 0000`. Undefined: the text begins with no such number. */
export function valueFor<Question extends { readonly kind: string; readonly code: string }>(
  text: string,
  open: readonly Question[],
): { readonly question: Question; readonly value: string } | undefined {
  const [, code = "", value = ""] = /^\s*(\d+)[\s:,;]+(.+)$/su.exec(digitsOf(text)) ?? [];
  const named = CODE.test(code) ? open.filter((one) => one.code === code) : [];
  const [question] = named;
  return question?.kind === "offer" && named.length === 1 && value.trim() !== ""
    ? { question, value: value.trim() }
    : undefined;
}

/** What of an offer is lacking now, beside what a text gave; undefined where the offer is over. */
async function lackingNow(
  deps: ConductorDeps,
  step: Step,
  offer: OfferRow | undefined,
): Promise<{ readonly of: Considered; readonly lacking: readonly Lacking[] } | undefined> {
  if (offer?.state !== "sent") return undefined;
  const { operatorId, subscriberId, itemId } = offer;
  const asker = await step.tx.askerOf(operatorId, { subscriberId }, step.scribe.newId);
  const of = asker && (await considered(deps, step, { operatorId, asker, itemId }));
  return of && { of, lacking: fieldsLacking(of) };
}

/**
 * Before a yes orders anything: what the offer lacks is asked for, and nothing is ordered. Undefined: nothing is lacking, and
 * these are the fields that were given by text.
 */
export async function askForLacking(
  deps: ConductorDeps,
  step: Step,
  offer: OfferRow,
  { code, language }: Pick<OfferQuestion, "code" | "language">,
): Promise<"asked" | OfferRow["given"]> {
  const found = await lackingNow(deps, step, offer);
  const lacking = (found?.lacking ?? []).filter(({ item, field }) => !offer.given[item.id]?.[field.name]);
  if (!found || lacking.length === 0) return offer.given;
  const terms = await step.tx.termsOf(offer.operatorId);
  const why = askedByText(lacking) ? "offerLacksField" : "offerLacksForm";
  const values = {
    item: localized(found.of.item.name, language),
    fields: lackingWords(lacking, language),
    code,
  };
  queueAnswer({ deps, scribe: step.scribe, terms }, { ...offer, language }, why, values);
  return "asked";
}

/** A text gave what an offer lacks: it is read back, or answered with what is wrong. Undefined where the offer lacks no such thing. */
export const fieldCame = (
  { deps, inStep }: Desk,
  question: OfferQuestion,
  value: string,
): Promise<"offerRead" | "offerMisread" | undefined> =>
  inStep(async (step) => {
    const { tx, scribe } = step;
    const { operatorId, offerId, language, code } = question;
    const offer = await tx.lockOffer(operatorId, offerId);
    const found = await lackingNow(deps, step, offer);
    const asked = askedByText(found?.lacking ?? []);
    if (!offer || !found || !asked) return undefined;
    const { item, field } = asked;
    const words = {
      item: localized(found.of.item.name, language),
      fields: localized(field.label, language),
      code,
    };
    const terms = await tx.termsOf(operatorId);
    const answer = (why: "offerRead" | "offerMisread", more: Readonly<Record<string, string>>) =>
      queueAnswer({ deps, scribe, terms }, { ...offer, language }, why, { ...words, ...more });
    const read = readValue(asked, value, homeOf(deps, found.of.asker, operatorId));
    if (read === undefined) {
      answer("offerMisread", { wanted: localized(WANTED[field.kind] ?? NOTHING_SPECIAL, language) });
      return "offerMisread" as const;
    }
    await tx.keepOfferFields(operatorId, offerId, { [item.id]: { [field.name]: read } });
    answer("offerRead", { value: read });
    return "offerRead" as const;
  });

/** Undefined: it is no such value. */
function readValue({ item, field }: Lacking, value: string, country: string | null): string | undefined {
  try {
    const of = { ...item, kind: "feature" as const, service: null, fields: [field] };
    return checkItemFields([of], { [item.id]: { [field.name]: value } }, country)[item.id]?.[field.name];
  } catch (error) {
    if (error instanceof TurnupError && error.code === "field_invalid") return undefined;
    throw error;
  }
}

const NOTHING_SPECIAL: Localized = { en: "text", de: "Text" };
const WANTED: Readonly<Partial<Record<NeededField["kind"], Localized>>> = {
  phone: { en: "a phone number with its country, +44...", de: "eine Telefonnummer mit Land, +49..." },
  email: { en: "a mail address, name@place", de: "eine Mailadresse, name@ort" },
  date: { en: "a day, 2027-01-31", de: "ein Tag, 2027-01-31" },
};
