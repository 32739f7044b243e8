/** The names of the forms in which a model takes access points: words of the data, and of docs/settings-formats.md. */
export const SETTINGS_FORMS = [
  "oma_cp",
  "nokia_ota",
  "oma_dm",
  "apple_profile",
  "android_page",
  "by_hand",
] as const;
export type SettingsForm = (typeof SETTINGS_FORMS)[number];
