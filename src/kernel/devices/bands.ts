/**
 * Whether a network can serve a model at all: by the radio bands that both have (US 11,109,201 Fig. 2:250). Lists write
 * `GSM 900`, `LTE 1800`, `TD-LTE 2300`, `5G 3500` or the technology alone; what nobody knows decides nothing.
 */
export type Service = {
  readonly answer: "yes" | "no" | "unknown";
  /** As the network's list writes them; those that the model has too. */
  readonly common: readonly string[];
};

type Band = { readonly technology: string; readonly mhz: number | null; readonly text: string };

/** Names of lists for the same thing. */
const TECHNOLOGIES: readonly (readonly [pattern: RegExp, technology: string])[] = [
  [/^(?:5G|NR)\b/i, "5G"],
  [/^(?:4G|(?:TD-|FDD-|TDD-)?LTE)\b/i, "LTE"],
  [/^(?:3G|UMTS|WCDMA|HSPA|TD-SCDMA)\b/i, "UMTS"],
  [/^(?:2G|GSM|GPRS|EDGE)\b/i, "GSM"],
  [/^(?:CDMA|EV-?DO)/i, "CDMA"],
  [/^(?:TDMA|D-?AMPS|IS-136)\b/i, "TDMA"],
  [/^PDC\b/i, "PDC"],
  [/^PHS\b/i, "PHS"],
];

/** @param network null or empty: its bands are not known */
export function serviceOf(model: readonly string[], network: readonly string[]): Service {
  const [ours, theirs] = [model.flatMap(bandOf), network.flatMap(bandOf)];
  if (ours.length === 0 || theirs.length === 0) return { answer: "unknown", common: [] };
  const common = theirs.filter((band) => ours.some((own) => meets(own, band)));
  return { answer: common.length > 0 ? "yes" : "no", common: common.map(({ text }) => text) };
}

/** Written so that it can be compared with what lists of models and networks say. */
export const isBand = (text: string): boolean => bandOf(text).length > 0;

function bandOf(text: string): Band[] {
  const found = TECHNOLOGIES.find(([pattern]) => pattern.test(text.trim()));
  if (!found) return [];
  const mhz = /\b(\d{3,5})\b/.exec(text.replace(/IS-136/i, ""))?.[1];
  return [{ technology: found[1], mhz: mhz === undefined ? null : Number(mhz), text: text.trim() }];
}

/** A list that names the technology alone speaks of all its bands. */
const meets = (one: Band, other: Band): boolean =>
  one.technology === other.technology && (one.mhz === null || other.mhz === null || one.mhz === other.mhz);
