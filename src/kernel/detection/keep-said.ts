/** What is kept of a handset's words: the last of each source, and on how many days it named the same model. */
import { modelKeyOf, modelSaid, type Said } from "./said-of-device.ts";

type Kept = Said & { readonly saidAt: Date };
type Heard = Pick<Said, "source" | "value"> & { readonly at: Date };

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** A browser's next version is the same phone: what counts is the model that is said. Older words than the last change nothing. */
export function nextSaid(before: Kept | undefined, { source, value, at }: Heard): Kept {
  if (!before) return { source, value, times: 1, saidAt: at };
  if (at < before.saidAt) return before;
  const isSame = wordsOf(before) === wordsOf({ source, value });
  const isNewDay = dayOf(at) !== dayOf(before.saidAt);
  return { source, value, times: isSame ? before.times + (isNewDay ? 1 : 0) : 1, saidAt: at };
}

function wordsOf(said: Pick<Said, "source" | "value">): string {
  const { make, model, system } = modelSaid(said);
  return make === null && model === null && system === null
    ? said.value
    : JSON.stringify([make, model && modelKeyOf(model), system]);
}
