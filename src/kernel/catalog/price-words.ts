/** Prices in words, the same wherever they are read: screens, SMS, the telephone, lists of staff. */
import { formatMoney, money } from "../../term/money.ts";
import type { Cost } from "./charges.ts";
import { localized } from "./localized.ts";

type Words = {
  readonly free: string;
  readonly once: string;
  readonly monthly: string;
  readonly use: string;
  readonly useOf: string;
  readonly elsewhere: string;
  readonly restElsewhere: string;
};
const BY_LANGUAGE: Readonly<Record<string, Words>> & { readonly en: Words } = {
  en: {
    free: "Free",
    once: "{sum} once",
    monthly: "{sum} a month",
    use: "{sum} per {unit}",
    useOf: "{sum} per {unit} ({item})",
    elsewhere: "billed by its own provider",
    restElsewhere: "the rest billed by its own provider",
  },
  de: {
    free: "Kostenlos",
    once: "{sum} einmalig",
    monthly: "{sum} im Monat",
    use: "{sum} pro {unit}",
    useOf: "{sum} pro {unit} ({item})",
    elsewhere: "berechnet der Anbieter selbst",
    restElsewhere: "den Rest berechnet der Anbieter selbst",
  },
};

/**
 * `€2.50 once, €0.99 a month, €0.05 per MB, incl. VAT`; the word for free where nothing is charged, and nowhere else.
 * @param isElsewhere something of it is billed by another server, so that nothing here does not mean nothing at all
 */
export function priceWords(costs: readonly Cost[], language: string, isElsewhere = false): string {
  const words = BY_LANGUAGE[language.toLowerCase().split("-")[0] ?? "en"] ?? BY_LANGUAGE.en;
  if (costs.length === 0) return isElsewhere ? words.elsewhere : words.free;
  // Whose use costs what is told as soon as there are two whose use costs.
  const users = new Set(costs.flatMap(({ use }) => use.map(({ item }) => item.id)));
  const here = costs.map((cost) => costWords(cost, words, language, users.size > 1)).join(" + ");
  return isElsewhere ? `${here}, ${words.restElsewhere}` : here;
}

function costWords(
  { currency, onceMinor, monthlyMinor, use, tax }: Cost,
  words: Words,
  language: string,
  isNamed: boolean,
): string {
  // Some scripts set the sign apart with a space that old phones have no picture of.
  const sum = (minor: number): string =>
    formatMoney(money(minor, currency), language).replace(/[\u00a0\u202f]/g, " ");
  return [
    ...(onceMinor > 0 ? [filled(words.once, { sum: sum(onceMinor) })] : []),
    ...(monthlyMinor > 0 ? [filled(words.monthly, { sum: sum(monthlyMinor) })] : []),
    ...use.map(({ minor, per, item }) =>
      filled(isNamed ? words.useOf : words.use, {
        sum: sum(minor),
        unit: localized(per, language),
        item: localized(item.name, language) || item.id,
      }),
    ),
    ...(tax ? [localized(tax, language)] : []),
  ].join(", ");
}

const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
