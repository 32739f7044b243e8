/** Applications that the data says are cut off on a model, since their servers were switched off (R129). */
import type { Device } from "../devices/catalog.ts";
import type { SupportKnowledge } from "./support-knowledge.ts";

/** An application that the data says is cut off on this model. */
export type CutOffApplication = { readonly application: string; readonly source: string };

/** Empty where the data tells nothing, or where the model's release is not known to lie before the last that it holds for. */
export function cutOffOn(
  { make, release }: Pick<Device, "make" | "release">,
  knowledge: Pick<SupportKnowledge, "exitOf">,
  /** ISO date. */
  asOf: string,
): CutOffApplication[] {
  const exit = make === null ? undefined : knowledge.exitOf(make);
  if (!exit || exit.cutOff.length === 0 || exit.endedBy > asOf) return [];
  const { cutOffReleasedUntil: until, cutOffSource: source } = exit;
  if (until !== null && (!release || Number(release.to.slice(0, 4)) > until)) return [];
  return exit.cutOff.map((application) => ({ application, source }));
}
