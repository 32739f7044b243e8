/**
 * How what a key holds reaches a handset: as a key where its model runs one, else as ordinary settings (US 11,109,201
 * Fig. 1:140) where its maker agreed to that. An operator's own word that a device is to get no key stands above both.
 */
import type { Relation } from "../operator/operator-terms.ts";
import type { Judgement } from "../support/judge.ts";

type KeyRoad = "key" | "settings" | "none";

export function keyRoadOf(
  { takesKey, isKeyForbidden }: Pick<Judgement, "takesKey" | "isKeyForbidden">,
  relation: Pick<Relation, "keyApnsAsSettings"> | undefined,
): KeyRoad {
  if (takesKey) return "key";
  return relation?.keyApnsAsSettings && !isKeyForbidden ? "settings" : "none";
}
