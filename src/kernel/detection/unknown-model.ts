/** A TAC that was seen and that no list names, with all that helps a person to say what model it is. */
import type { YearWindow } from "../devices/age.ts";
import { type HandsetSaid, type ProposedModel, proposedModelOf } from "./propose-model.ts";
import type { RadioType } from "./radio-type.ts";
import type { SaidSource } from "./said-of-device.ts";
import { isSpecialTac } from "./special-imei.ts";

export type UnknownModel = {
  readonly tac: string;
  readonly handsets: number;
  readonly subscribers: number;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
} & ModelClues;

/** What is known of the model without its name. */
export type ModelClues = {
  /** Years in which such numbers were given out; two where the numbering was used twice, none where the range is not known. */
  readonly ageWindows: readonly YearWindow[];
  /** Numbers for tests, runs and the like: no model has them. */
  readonly isSpecial: boolean;
  readonly radios: readonly RadioType[];
  /** What its handsets say of themselves, what most say first. */
  readonly said: readonly SaidOfTac[];
  /** The row that they make likely; null: they say too little, or do not agree. */
  readonly proposal: ProposedModel | null;
};
type SaidOfTac = { readonly source: SaidSource; readonly value: string; readonly handsets: number };

const SAID_SHOWN_MAX = 5;

export function cluesOf(
  tac: string,
  ageWindows: readonly YearWindow[],
  words: { readonly radios: readonly RadioType[]; readonly handsets: readonly HandsetSaid[] } | undefined,
): ModelClues {
  const { radios = [], handsets = [] } = words ?? {};
  const counted = new Map<string, SaidOfTac>();
  for (const { said } of handsets)
    for (const { source, value } of said) {
      const key = `${source} ${value}`;
      counted.set(key, { source, value, handsets: (counted.get(key)?.handsets ?? 0) + 1 });
    }
  const said = [...counted.values()].sort((one, other) => other.handsets - one.handsets);
  return {
    ageWindows,
    isSpecial: isSpecialTac(tac),
    radios,
    said: said.slice(0, SAID_SHOWN_MAX),
    proposal: proposedModelOf(tac, handsets),
  };
}
