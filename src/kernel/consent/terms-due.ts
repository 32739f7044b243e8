/**
 * Which terms a request must ask its user about (US 6,647,260, figure 7B:732): those of what is asked for, in their
 * version of now and their language, but for those that they agreed to in this version before.
 */
import type { CatalogItem, Localized } from "../catalog/catalog-item.ts";

type TermsInForce = { readonly version: number; readonly texts: Localized };

/** One answer that was given before, by this subscriber or on the screen where the request was entered. */
type GivenAnswer = {
  readonly termsId: string;
  readonly version: number;
  readonly answer: "accept" | "decline";
};

type TermsDue = {
  readonly termsId: string;
  readonly version: number;
  /** Of the text, which need not be the one asked for. */
  readonly language: string;
  /** Exactly what is shown and kept with the answer. */
  readonly text: string;
  /** Ids of the items and packages that are not to be had without it. */
  readonly neededBy: readonly string[];
};

type TermsQuestion = {
  readonly due: readonly TermsDue[];
  /** Ids of terms that an item names and nobody wrote: the item cannot be had, since nobody can agree to it. */
  readonly unknown: readonly string[];
};

/** `items` are those to be provisioned and the packages that they came with, each of which may have terms of its own. */
export function termsDue(
  items: readonly CatalogItem[],
  inForce: ReadonlyMap<string, TermsInForce>,
  given: readonly GivenAnswer[],
  language: string,
): TermsQuestion {
  const neededBy = new Map<string, Set<string>>();
  for (const { id, terms } of items) {
    if (terms === null) continue;
    neededBy.set(terms, (neededBy.get(terms) ?? new Set()).add(id));
  }
  const due: TermsDue[] = [];
  const unknown: string[] = [];
  for (const [termsId, ids] of neededBy) {
    const terms = inForce.get(termsId);
    const told = terms && textIn(terms.texts, language);
    if (!terms || !told) unknown.push(termsId);
    else if (!agreedBefore(given, termsId, terms.version))
      due.push({ termsId, version: terms.version, ...told, neededBy: [...ids] });
  }
  return { due, unknown };
}

/** By the latest word on this very version: a later no takes an earlier yes back. Answers stand in the order given. */
const agreedBefore = (given: readonly GivenAnswer[], termsId: string, version: number): boolean =>
  given.filter((one) => one.termsId === termsId && one.version === version).at(-1)?.answer === "accept";

/** In the language, in the language it is a form of (`de` for `de-CH`), in another form of it, or in English. */
export function textIn(
  texts: Localized,
  language: string,
): { readonly language: string; readonly text: string } | undefined {
  const known = Object.keys(texts);
  const wanted = language.toLowerCase();
  const subtags = wanted.split("-");
  const exact = subtags
    .map((_, n) => subtags.slice(0, subtags.length - n).join("-"))
    .map((tag) => known.find((one) => one.toLowerCase() === tag))
    .find((tag) => tag !== undefined);
  const form = known.find((one) => one.toLowerCase().split("-")[0] === subtags[0]);
  const found = exact ?? form ?? known.find((one) => one === "en");
  const text = found === undefined ? undefined : texts[found];
  return found === undefined || text === undefined ? undefined : { language: found, text };
}

/** How the questions of a request stand together: one no ends it (7B:736), and silence is no yes. */
export function standingOf(
  consents: readonly { readonly answer: "accept" | "decline" | null }[],
): "accepted" | "declined" | "open" {
  if (consents.some(({ answer }) => answer === "decline")) return "declined";
  return consents.every(({ answer }) => answer === "accept") ? "accepted" : "open";
}
