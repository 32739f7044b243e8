/**
 * The form in which a model takes access points, and how that form reaches it: data about its platform names it, and an
 * operator's own word stands above that. docs/settings-formats.md tells what each form can set.
 *
 *   | form          | reaches the phone as                                                  |
 *   | oma_cp        | a message of OMA client provisioning                                  |
 *   | nokia_ota     | messages of Nokia and Ericsson OTA settings                           |
 *   | oma_dm        | as an account and a notification, then in a session of OMA DM         |
 *   | apple_profile | a text with a link, behind which a configuration profile stands       |
 *   | android_page  | a text with a link, behind which the maker's menus and values stand   |
 *   | by_hand       | a text with a link, behind which the values stand                     |
 */
import type { Device } from "./catalog.ts";
import type { SettingsForm } from "./form-names.ts";

/** What stands behind a link. */
export type PageForm = Extract<SettingsForm, "apple_profile" | "android_page" | "by_hand">;

/** How it is sent: over the air in one of three protocols, or as a text with a link (R100). */
export type SettingsProtocol = "omacp" | "nokiaota" | "omadm" | "link";

const PROTOCOL_OF: Readonly<Record<SettingsForm, SettingsProtocol>> = {
  oma_cp: "omacp",
  nokia_ota: "nokiaota",
  oma_dm: "omadm",
  apple_profile: "link",
  android_page: "link",
  by_hand: "link",
};

type Model = {
  readonly capability: Pick<Device["capability"], "omaCp" | "nokiaOta"> &
    Partial<Pick<Device["capability"], "appleProfile" | "platforms" | "settingsForm">>;
  readonly form: Device["form"];
};

/**
 * The form that the data names for the model, else what follows from what it is known to take. A modem has nobody who could
 * look at a message, so it gets what it is known to take; of any other model of which nothing is known, the operator chooses.
 */
export function settingsFormOf(model: Model, unknownProtocol: SettingsProtocol): SettingsForm {
  const { capability, form } = model;
  if (capability.settingsForm) return capability.settingsForm;
  if (capability.omaCp === "yes") return "oma_cp";
  if (capability.nokiaOta === "yes") return "nokia_ota";
  if (capability.omaCp !== "unknown" || form === "modem") return pageFormOf(model);
  return unknownProtocol === "link" ? pageFormOf(model) : FORM_BY[unknownProtocol];
}

const FORM_BY = { omacp: "oma_cp", nokiaota: "nokia_ota", omadm: "oma_dm" } as const;

/** What stands behind a link to the model, whether the link is its form or goes where no other fits. */
export function pageFormOf({ capability }: Model): PageForm {
  const { settingsForm, appleProfile, platforms = [] } = capability;
  if (settingsForm && isPageForm(settingsForm)) return settingsForm;
  if (appleProfile === "yes") return "apple_profile";
  const isAndroid = platforms.length > 0 && platforms.every((name) => /android/i.test(name));
  return isAndroid ? "android_page" : "by_hand";
}

const isPageForm = (form: SettingsForm): form is PageForm => protocolOf(form) === "link";

export const protocolOf = (form: SettingsForm): SettingsProtocol => PROTOCOL_OF[form];

/**
 * What the model takes beside that, the smallest change first: the other protocol where the data says that it takes it, then a text with a
 * link, which whoever holds the phone can open. A modem has nobody who could.
 */
export function otherProtocolsOf(
  { capability, form }: Model,
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
