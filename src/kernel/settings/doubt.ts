/**
 * Which rows of the shipped sets are doubtful: their message centre or proxy belongs to another country's or another brand's
 * operator, since a volunteer took it for one of the same name, or put it under the wrong network. A phone that gets such a row
 * sends its pictures to a stranger, or nowhere. Asked when the data is built (`npm run build:data`); data/apn-doubtful.csv keeps
 * the answer, each with its reason.
 *
 *   | host of the row                                            | the row is doubtful where                           |
 *   | under another country's domain (`mmsc.cosmote.gr`, Ghana)  | an operator there has the name or uses it, or it bears the network's own name |
 *   | bears a brand of other countries alone (`mms.movistar.com`) | the network never had it, and one set alone says so |
 *   | bears the brand of another network of the country          | so too, and the row does not bear the network's name |
 *
 * An address of digits says nothing. A row for a group of SIMs, or of a carrier that the list of carriers knows on the network, may
 * use a message centre of its own or its host's.
 */
import { hostOf } from "../../term/host.ts";
import type { AccessPoint, CarrierRule, Network } from "./access-point.ts";
import { type ComparableName, comparable, speaksOf } from "./names.ts";
import { isForGroup } from "./rank.ts";

type Doubt = {
  /** Of the row. */
  readonly id: string;
  readonly mcc: string;
  readonly mnc: string;
  readonly apn: string;
  readonly field: "mmsc" | "mmsProxy" | "proxy";
  readonly host: string;
  /** A clause: it stands behind the name of the access point. */
  readonly reason: string;
};

/** A name that a network had. */
export type FormerName = { readonly mcc: string; readonly mnc: string; readonly name: string };

/** Countries and parts of them whose operators share domains. */
const MOTHERLAND: Readonly<Record<string, string>> = {
  ...{
    RE: "FR",
    YT: "FR",
    GP: "FR",
    MQ: "FR",
    GF: "FR",
    BL: "FR",
    MF: "FR",
    PM: "FR",
    NC: "FR",
    PF: "FR",
    WF: "FR",
  },
  ...{ GG: "GB", JE: "GB", IM: "GB", GI: "GB", FK: "GB", GL: "DK", FO: "DK", AX: "FI", SJ: "NO" },
  ...{ CW: "NL", AW: "NL", SX: "NL", BQ: "NL", PR: "US", GU: "US", VI: "US", AS: "US", MP: "US" },
  ...{ NF: "AU", CC: "AU", CX: "AU" },
};
/** Their domains are sold to anybody. */
const SOLD_DOMAINS = ["TV", "CC", "IO", "FM", "WS", "CO"];
/** Shorter labels (`mm`, `wap`, `3`) are chance. */
const LABEL_CHARS_MIN = 3;

type Known = {
  readonly countriesOf: (mcc: string) => ReadonlySet<string>;
  readonly isCountry: (code: string) => boolean;
  /** Names that the network has or had, and those of the carriers on it. */
  readonly namesOf: (plmn: string) => readonly ComparableName[];
  readonly networkOf: (plmn: string) => Network | undefined;
  /** Whether an operator of the country has or had a name that the label begins with, or a row there uses the domain. */
  readonly isOfCountry: (country: string, host: string) => boolean;
  /** Networks by a word of their brand. */
  readonly byBrand: ReadonlyMap<string, readonly Network[]>;
  readonly setsNaming: (plmn: string, host: string) => number;
};

type DoubtFacts = {
  readonly networks: readonly Network[];
  readonly carriers: readonly CarrierRule[];
  readonly formerNames: readonly FormerName[];
};

export function doubtsOf(points: readonly AccessPoint[], facts: DoubtFacts): Doubt[] {
  const known = knownOf(points, facts);
  return points.flatMap((point) => {
    for (const field of ["mmsc", "mmsProxy", "proxy"] as const) {
      const host = nameOfHost(point[field]);
      const reason = host && (anotherCountrys(point, host, known) ?? anotherBrands(point, host, known));
      if (!host || !reason) continue;
      const { mcc, mnc } = point.criteria;
      return [{ id: point.id, mcc, mnc, apn: point.apn, field, host, reason }];
    }
    return [];
  });
}

const FIELD_WORDS = "its message centre or proxy";

function anotherCountrys({ criteria }: AccessPoint, host: string, known: Known): string | undefined {
  const country = countryOfDomain(host);
  if (SOLD_DOMAINS.includes(country) || !known.isCountry(country)) return undefined;
  const own = known.countriesOf(criteria.mcc);
  if (own.size === 0 || own.has(country)) return undefined;
  const names = known.namesOf(criteria.mcc + criteria.mnc);
  const isSister = labelsOf(domainOf(host)).some((label) =>
    names.some((name) => name.distinctive.includes(label)),
  );
  if (!isSister && !known.isOfCountry(country, host)) return undefined;
  return `${FIELD_WORDS} ${host} is of ${country}, and the network of ${[...own].join("/")}`;
}

function anotherBrands(point: AccessPoint, host: string, known: Known): string | undefined {
  const plmn = point.criteria.mcc + point.criteria.mnc;
  const network = known.networkOf(plmn);
  if (!network?.operational || network.brand === "" || isForGroup(point)) return undefined;
  if (known.setsNaming(plmn, host) > 1) return undefined;
  const names = known.namesOf(plmn);
  const said = comparable(point.provider ?? point.name, network);
  const isOwnDomain = known.countriesOf(point.criteria.mcc).has(countryOfDomain(host));
  for (const label of labelsOf(domainOf(host))) {
    const spoken = { words: [label], distinctive: [label] };
    if (names.some((name) => speaksOf(spoken, name) || speaksOf(name, spoken))) return undefined;
    const others = known.byBrand.get(label);
    if (!others) continue;
    const here = others.find(({ mcc }) => sharesCountry(known, mcc, point.criteria.mcc));
    const isOwnWord = names.some((name) => speaksOf(said, name));
    if (here && isOwnWord) return undefined; // a small operator may use the message centre of a large one
    const owner = here ?? others[0];
    if (!owner || (!here && isOwnDomain)) continue; // of a name that a company had here before
    const place = here ? `${owner.mcc}/${owner.mnc}` : owner.countryName;
    return `${FIELD_WORDS} ${host} bears the name of ${owner.brand} (${place}), which ${network.brand} never had`;
  }
  return undefined;
}

function countryOfDomain(host: string): string {
  const domain = host.slice(host.lastIndexOf(".") + 1).toUpperCase();
  return domain === "UK" ? "GB" : domain;
}

const sharesCountry = (known: Known, one: string, other: string): boolean => {
  const countries = known.countriesOf(other);
  return [...known.countriesOf(one)].some((country) => countries.has(country));
};

function knownOf(points: readonly AccessPoint[], { networks, carriers, formerNames }: DoubtFacts): Known {
  const countries = new Map<string, Set<string>>();
  const names = new Map<string, ComparableName[]>();
  const byPlmn = new Map<string, Network>();
  const byBrand = new Map<string, Network[]>();
  const wordsOf = new Map<string, Set<string>>();
  const add = (plmn: string, name: string, network: Network | undefined) => {
    const read = comparable(name, network);
    if (read.words.length === 0) return;
    names.set(plmn, [...(names.get(plmn) ?? []), read]);
    for (const country of countries.get(plmn.slice(0, 3)) ?? [])
      for (const word of read.distinctive)
        wordsOf.set(country, (wordsOf.get(country) ?? new Set<string>()).add(word));
  };
  for (const { mcc, country } of networks) countries.set(mcc, withMotherlands(countries.get(mcc), country));
  for (const network of networks) {
    const plmn = network.mcc + network.mnc;
    if (!byPlmn.get(plmn)?.operational) byPlmn.set(plmn, network);
    add(plmn, network.brand, network);
    add(plmn, network.operator, network);
    if (network.operational)
      for (const word of comparable(network.brand, network).distinctive)
        byBrand.set(word, [...(byBrand.get(word) ?? []), network]);
  }
  for (const { mcc, mnc, name } of formerNames) add(mcc + mnc, name, byPlmn.get(mcc + mnc));
  for (const { name, plmns } of carriers)
    for (const plmn of plmns)
      names.set(plmn, [...(names.get(plmn) ?? []), comparable(name, byPlmn.get(plmn))]);
  const uses = usesOf(points, countries);
  return {
    countriesOf: (mcc) => countries.get(mcc) ?? new Set(),
    isCountry: (code) => wordsOf.has(code),
    namesOf: (plmn) => names.get(plmn) ?? [],
    networkOf: (plmn) => byPlmn.get(plmn),
    isOfCountry: (country, host) =>
      (uses.byCountry.get(country)?.has(domainOf(host)) ?? false) ||
      labelsOf(host).some((label) => wordsOf.get(country)?.has(label)),
    byBrand,
    setsNaming: (plmn, host) => uses.sets.get(`${plmn} ${host}`)?.size ?? 0,
  };
}

function withMotherlands(known: Set<string> | undefined, country: string): Set<string> {
  const all = known ?? new Set<string>();
  for (const one of country.split("/").filter(Boolean)) {
    all.add(one);
    const mother = MOTHERLAND[one];
    if (mother) all.add(mother);
  }
  return all;
}

/** Which countries' rows use a domain, and which sets of different people give a network a host. */
function usesOf(points: readonly AccessPoint[], countries: ReadonlyMap<string, ReadonlySet<string>>) {
  const byCountry = new Map<string, Set<string>>();
  const sets = new Map<string, Set<string>>();
  for (const { mmsc, mmsProxy, proxy, criteria, source } of points) {
    for (const host of [mmsc, mmsProxy, proxy].map(nameOfHost)) {
      if (!host) continue;
      for (const country of countries.get(criteria.mcc) ?? [])
        byCountry.set(country, (byCountry.get(country) ?? new Set<string>()).add(domainOf(host)));
      const key = `${criteria.mcc}${criteria.mnc} ${host}`;
      sets.set(key, (sets.get(key) ?? new Set<string>()).add(familyOf(source.name)));
    }
  }
  return { byCountry, sets };
}

/** LineageOS's set began as a copy of AOSP's: what both say, one said. */
const familyOf = (source: string): string => (/^(?:AOSP|LineageOS)\b/.test(source) ? "android" : source);

/** The name of a host in lower case; undefined where there is none, or an address of digits. */
function nameOfHost(text: string | null): string | undefined {
  const [, host = ""] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/:?#[\]]+)/i.exec(text ?? "") ?? [];
  return hostOf(host)?.kind === "name" && host.includes(".") ? host.toLowerCase() : undefined;
}

/** `mms.orange.co.uk` -> `orange.co.uk`; `mmsc.tele2.no` -> `tele2.no`. */
function domainOf(host: string): string {
  const labels = host.split(".");
  const isSecond = labels.length > 2 && /^(?:com?|net|org|ne|ac|gov|id)$/.test(labels.at(-2) ?? "");
  return labels.slice(isSecond ? -3 : -2).join(".");
}

const labelsOf = (host: string): string[] =>
  host
    .split(".")
    .slice(0, -1)
    .reverse()
    .flatMap((label) => [...new Set([label.replaceAll("-", ""), ...label.split("-")])])
    .filter((label) => label.length >= LABEL_CHARS_MIN);
