/** How access points reach a model: over the air in one of two protocols, or as a text with a link (R100). */
import type { Device } from "./catalog.ts";

export type SettingsProtocol = "omacp" | "nokiaota" | "link";

/**
 * The protocol that the data names for the model. A modem has nobody who could look at a message, so it gets what it is
 * known to take; of any other model of which nothing is known, the operator chooses.
 */
export function settingsProtocolOf(
  {
    capability,
    form,
  }: { readonly capability: Pick<Device["capability"], "omaCp" | "nokiaOta">; readonly form: Device["form"] },
  unknownProtocol: SettingsProtocol,
): SettingsProtocol {
  if (capability.omaCp === "yes") return "omacp";
  if (capability.nokiaOta === "yes") return "nokiaota";
  if (capability.omaCp === "unknown" && form !== "modem") return unknownProtocol;
  return "link";
}
