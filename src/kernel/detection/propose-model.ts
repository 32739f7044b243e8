/**
 * Which model the handsets of a TAC say that they are, where no list names it: a row that is proposed and that a person approves. Several
 * handsets have to agree: one may bear a false IMEI, or its link was opened by another phone.
 */
import { modelKeyOf, modelSaid, type Said, type SaidSource } from "./said-of-device.ts";
import { isSpecialTac } from "./special-imei.ts";

/** What one handset of the TAC said. */
export type HandsetSaid = { readonly deviceId: string; readonly said: readonly Said[] };

export type ProposedModel = {
  readonly make: string;
  readonly model: string;
  /** How many handsets say so, of how many that named a model at all. */
  readonly handsets: number;
  readonly ofHandsets: number;
  readonly sources: readonly SaidSource[];
};

/** Fewer that agree are no ground for a row. */
const AGREE_MIN = 2;
/** Of those that named a model, in percent. */
const AGREE_PERCENT_MIN = 80;

type Vote = { make: string; model: string; deviceIds: Set<string>; sources: Set<SaidSource> };

export function proposedModelOf(tac: string, handsets: readonly HandsetSaid[]): ProposedModel | null {
  if (isSpecialTac(tac)) return null;
  const votes = new Map<string, Vote>();
  const voters = new Set<string>();
  for (const { deviceId, said } of handsets)
    for (const one of said) {
      const { make, model } = modelSaid(one);
      if (make === null || model === null) continue;
      voters.add(deviceId);
      const key = `${make}/${modelKeyOf(model)}`;
      const vote = votes.get(key) ?? { make, model, deviceIds: new Set(), sources: new Set() };
      vote.deviceIds.add(deviceId);
      vote.sources.add(one.source);
      votes.set(key, vote);
    }
  const [best] = [...votes.values()].sort((one, other) => other.deviceIds.size - one.deviceIds.size);
  if (!best || best.deviceIds.size < AGREE_MIN) return null;
  if (best.deviceIds.size * 100 < voters.size * AGREE_PERCENT_MIN) return null;
  const { make, model, deviceIds, sources } = best;
  return { make, model, handsets: deviceIds.size, ofHandsets: voters.size, sources: [...sources].sort() };
}
