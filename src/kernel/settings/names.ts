/**
 * Do two names mean the same company? `Vodafone.de`, `vodafone DE` and `Vodafone D2 GmbH` do.
 * Names are compared by the words that tell companies apart; words every operator uses do not count.
 */
import type { Network } from "./access-point.ts";

/** Words that name a kind of company, a plan or a service, not a company. */
const GENERIC = new Set(
  (
    "internet mms wap web gprs gsm umts lte 2g 3g 4g 5g volte ims data mobile mobil mobiel movil mobility " +
    "wireless cellular telecom telecommunications telecommunication communications communication comunicaciones " +
    "telecomunicaciones network networks net company co corp corporation inc ltd limited llc plc sa spa s p a " +
    "ag gmbh bv nv ab as asa oy oyj kft zrt rt d o doo dd ad jsc pjsc ojsc ooo sro pte pty pvt private public " +
    "group holdings holding services service international national de of the and la el y e us " +
    "prepaid postpaid contract prepay prepago payg pre post abo plan default access apn " +
    "phone operator carrier online digital moviles island islands republic " +
    "china america american africa african asia asian europe european north south east west central united"
  ).split(" "),
);

/** Longest name that is looked at, in characters: nothing real is longer. */
const MAX_NAME_CHARS = 120;

/** A part of a hyphened word stands for itself from this length on, in characters. */
const PART_CHARS_MIN = 5;

/** `T-Mobile D` -> `tmobile`, `d`; `F-Bouygues` -> `fbouygues`, `bouygues`: accents, case, punctuation fall away. */
function wordsOf(name: string): readonly string[] {
  const known = split.get(name);
  if (known) return known;
  const words = splitName(name);
  if (split.size >= NAMES_KEPT) split.clear();
  split.set(name, words);
  return words;
}

/** The same few hundred names come with every SIM of a network; splitting one costs ten times a look-up. */
const NAMES_KEPT = 4096;
const split = new Map<string, readonly string[]>();

function splitName(name: string): string[] {
  const plain = name
    .slice(0, MAX_NAME_CHARS)
    .normalize("NFKD")
    .replace(/\p{M}|&/gu, "")
    .toLowerCase();
  return plain
    .split(/[^\p{L}\p{N}-]+/u)
    .flatMap((word) => {
      const parts = word.split("-").filter((part) => part !== "");
      if (!/\p{L}-\p{L}/u.test(word)) return parts;
      return [parts.join(""), ...parts.filter((part) => part.length >= PART_CHARS_MIN)];
    })
    .filter((word) => word !== "");
}

/** A name ready to be compared on one network: the country's own words are as common as `mobile` there. */
export type ComparableName = {
  readonly words: readonly string[];
  /** The words that tell it apart; empty for a name of common words only. */
  readonly distinctive: readonly string[];
};

export function comparable(name: string, network: Network | undefined): ComparableName {
  const words = wordsOf(name);
  const country = network ? countryWords(network) : [];
  return { words, distinctive: words.filter((word) => !GENERIC.has(word) && !country.includes(word)) };
}

/** True if `name` speaks of the company `company`. */
export function speaksOf(name: ComparableName, company: ComparableName): boolean {
  if (company.words.length === 0 || name.words.length === 0) return false;
  if (company.distinctive.length > 0) {
    return company.distinctive.some(
      (word) =>
        name.words.includes(word) || (word.length >= 5 && name.words.some((own) => own.startsWith(word))),
    );
  }
  return company.words.every((word) => name.words.includes(word));
}

/** True if `name` bears at least half of what tells `company` apart: one shared word in three is chance. */
export function bearsNameOf(name: ComparableName, company: ComparableName): boolean {
  if (!speaksOf(name, company)) return false;
  const shared = company.distinctive.filter((word) => speaksOf(name, { words: [word], distinctive: [word] }));
  return shared.length * 2 >= company.distinctive.length;
}

function countryWords(network: Network): string[] {
  const code = network.country.toLowerCase();
  return [
    ...wordsOf(network.countryName),
    code,
    ...(code === "gb" ? ["uk"] : []),
    ...(code === "us" ? ["usa"] : []),
  ];
}
