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

/**
 * What the model takes beside that, the smallest change first: the other protocol where the data says that it takes it, then a text with a
 * link, which whoever holds the phone can open. A modem has nobody who could.
 */
export function otherProtocolsOf(
  { capability, form }: Parameters<typeof settingsProtocolOf>[0],
  protocol: SettingsProtocol,
): readonly SettingsProtocol[] {
  if (protocol === "link") return [];
  return [
    ...(protocol === "omacp" && capability.nokiaOta === "yes" ? (["nokiaota"] as const) : []),
    ...(form === "modem" ? [] : (["link"] as const)),
  ];
}

/** Service Indication, Service Loading, or a bookmark. */
export type LinkPushForm = "si" | "sl" | "bookmark";

/** The push by which the data says that the model takes a link; undefined: a text, which every phone with a person shows. */
export function linkPushOf({
  capability: { linkPush },
  form,
}: {
  readonly capability: Pick<Device["capability"], "linkPush">;
  readonly form: Device["form"];
}): LinkPushForm | undefined {
  return form === "modem" || linkPush === "no" || linkPush === "unknown" ? undefined : linkPush;
}
