/** Radio types as networks tell them: by the numbers of 3GPP-RAT-Type (TS 29.061 clause 16.4.7.2), or in words as exports write them. */

/** With their generation and when the first phones had each. */
export const RADIO_TYPES = {
  geran: { generation: 2, since: 1991 },
  utran: { generation: 3, since: 2001 },
  hspa_evolution: { generation: 3, since: 2008 },
  eutran: { generation: 4, since: 2010 },
  eutran_nb_iot: { generation: 4, since: 2016 },
  lte_m: { generation: 4, since: 2016 },
  nr: { generation: 5, since: 2019 },
} as const;
export type RadioType = keyof typeof RADIO_TYPES;

/** Undefined: not a radio that tells anything of a phone. */
const BY_NUMBER: Readonly<Record<string, RadioType>> = {
  1: "utran",
  2: "geran",
  5: "hspa_evolution",
  6: "eutran",
  8: "eutran_nb_iot",
  9: "lte_m",
  51: "nr",
};
/** By letters and digits alone, and the plus. */
const BY_WORD: Readonly<Record<string, RadioType>> = {
  ...{ geran: "geran", gsm: "geran", gprs: "geran", edge: "geran", "2g": "geran" },
  ...{ utran: "utran", umts: "utran", wcdma: "utran", hspa: "utran", "3g": "utran" },
  ...{ "hspa+": "hspa_evolution", hspaplus: "hspa_evolution", hspaevolution: "hspa_evolution" },
  ...{ eutran: "eutran", lte: "eutran", "4g": "eutran", wbeutran: "eutran" },
  ...{ nbiot: "eutran_nb_iot", eutrannbiot: "eutran_nb_iot" },
  ...{ ltem: "lte_m", ltecatm1: "lte_m", catm1: "lte_m" },
  ...{ nr: "nr", "5g": "nr", "5gnr": "nr" },
};
/** What carries sessions and is no radio of a phone: WLAN, wire, satellites and what is to come. */
const OTHER = /^(?:\d{1,3}|wlan|gan|virtual|wireline|trustedwlan|satellite)$/;

/** `other`: known, and tells nothing of the phone; undefined: in no form that is known. */
export function radioTypeIn(text: string): RadioType | "other" | undefined {
  const plain = text.toLowerCase().replace(/[^a-z0-9+]/g, "");
  if (Object.hasOwn(BY_NUMBER, plain)) return BY_NUMBER[plain];
  if (Object.hasOwn(BY_WORD, plain)) return BY_WORD[plain];
  return OTHER.test(plain) ? "other" : undefined;
}
