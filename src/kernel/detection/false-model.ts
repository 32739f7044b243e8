/**
 * Whether a handset is of another model than its IMEI says: a false IMEI, written over the true one. It is marked where what the
 * handset says of itself, or the radio that it was seen on, cannot be of the model that lists name for the TAC.
 *
 * What two lists or makers may both be right about is no contradiction: brands of one house, phones that one maker built for
 * another, codes of one model for several markets. A browser speaks for the phone that opened a link, which need not be the one that the
 * link was sent to: once is nothing.
 */
import { samsungBaseOf } from "../devices/names.ts";
import { RADIO_TYPES, type RadioType } from "./radio-type.ts";
import { modelSaid, type Said, type SaidModel } from "./said-of-device.ts";

/** What lists say of the TAC. */
export type ListedModel = {
  readonly make: string | null;
  readonly model: string | null;
  readonly modelCodes: readonly string[];
  /** `2G GSM`, `4G LTE`; empty where no list has them. */
  readonly networks: readonly string[];
  /** ISO dates; null where nothing is known. */
  readonly release: { readonly from: string | null; readonly to: string } | null;
};

export type FalseModel = {
  readonly rule: "other_make" | "other_model" | "no_such_system" | "no_such_radio";
  /** A clause: what the lists say, and what was said or seen. */
  readonly reason: string;
};

/** A browser has to have said so on this many days. */
const BROWSER_TIMES = 2;
const FIRST_ANDROID_YEAR = 2008;
/** Makers that share models, brands and factories with each other: none of these proves another wrong. */
const HOUSES: readonly (readonly string[])[] = [
  ["Nokia", "HMD", "Microsoft"],
  ["Huawei", "Honor", "Google"],
  ["Oppo", "OnePlus", "Realme"],
  ["Motorola", "Lenovo", "Google"],
  ["Sony", "Sony Ericsson", "Ericsson"],
  ["Alcatel", "TCL", "BlackBerry", "Palm"],
  ["Google", "HTC", "LG", "Samsung", "Asus"],
];
/** Makers that sell phones under their own name alone; whoever is not here may be behind any other name. */
const OWN_NAME: readonly string[] = [
  ...["Apple", "Samsung", "Nokia", "HMD", "Xiaomi", "Sony", "Sony Ericsson", "Google", "Motorola", "LG"],
  ...["Honor", "HTC", "OnePlus", "Oppo", "Realme", "Vivo", "BlackBerry"],
];

/** Null: nothing contradicts; also where no list names the model. */
export function falseModelIn(
  listed: ListedModel,
  said: readonly Said[],
  radios: readonly RadioType[],
): FalseModel | null {
  if (listed.make === null) return null;
  for (const one of said) {
    if (one.source === "user_agent" && one.times < BROWSER_TIMES) continue;
    const found = contradicts(listed, modelSaid(one), wordsOf(one));
    if (found) return found;
  }
  for (const radio of radios) {
    const found = cannotUse(listed, radio);
    if (found) return found;
  }
  return null;
}

const WORDS = {
  user_agent: "the browser that opened links sent to it",
  ua_profile: "its own profile (UAProf)",
  terminal_profile: "its terminal profile",
  apple_product: "its own identifier",
} as const;
const wordsOf = ({ source }: Said): string => WORDS[source];

function contradicts(listed: ListedModel, said: SaidModel, whose: string): FalseModel | null {
  const name = nameOf(listed);
  if (said.make !== null && listed.make !== null && areStrangers(listed.make, said.make))
    return {
      rule: "other_make",
      reason: `its number is of ${name}, and ${whose} says ${[said.make, said.model].filter(Boolean).join(" ")}`,
    };
  const code = said.model === null ? undefined : samsungBaseOf(said.model.toUpperCase());
  const codes = listed.modelCodes.flatMap((one) => samsungBaseOf(one.toUpperCase()) ?? []);
  if (
    said.make === "Samsung" &&
    listed.make === "Samsung" &&
    code !== undefined &&
    codes.length > 0 &&
    !codes.includes(code)
  )
    return { rule: "other_model", reason: `its number is of ${name}, and ${whose} says ${said.model}` };
  if (said.system === "android" && listed.release !== null && listed.release.to < `${FIRST_ANDROID_YEAR}`)
    return {
      rule: "no_such_system",
      reason: `its number is of ${name}, which came out by ${listed.release.to.slice(0, 4)}, and ${whose} says Android`,
    };
  return null;
}

const nameOf = ({ make, model }: ListedModel): string => [make, model].filter(Boolean).join(" ");

function areStrangers(one: string, other: string): boolean {
  if (one === other || !OWN_NAME.includes(one) || !OWN_NAME.includes(other)) return false;
  return !HOUSES.some((house) => house.includes(one) && house.includes(other));
}

function cannotUse(listed: ListedModel, radio: RadioType): FalseModel | null {
  const { generation, since } = RADIO_TYPES[radio];
  const known = listed.networks.flatMap((text) => /^([2-5])G\b/.exec(text)?.[1] ?? []).map(Number);
  if (known.length > 0 && !known.some((one) => one >= generation))
    return {
      rule: "no_such_radio",
      reason: `its number is of ${nameOf(listed)}, which has no more than ${Math.max(...known)}G, and it was seen on ${radio}`,
    };
  // A year of grace: what was shown one year is sold the next.
  if (known.length === 0 && listed.release !== null && Number(listed.release.to.slice(0, 4)) + 1 < since)
    return {
      rule: "no_such_radio",
      reason: `its number is of ${nameOf(listed)}, which came out by ${listed.release.to.slice(0, 4)}, and it was seen on ${radio}, which came in ${since}`,
    };
  return null;
}
