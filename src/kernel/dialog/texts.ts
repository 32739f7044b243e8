/** The words of the screens, by language: a new one is a file beside `texts-en.ts` and a word here. What it lacks is said in English. */
import type { DialogTexts } from "./dialog-texts.ts";
import { GERMAN } from "./texts-de.ts";
import { ENGLISH } from "./texts-en.ts";

const BY_LANGUAGE: Readonly<Record<string, DialogTexts>> = { en: ENGLISH, de: GERMAN };

export const DIALOG_LANGUAGES = Object.keys(BY_LANGUAGE);

/** `de-AT` finds `de`; what nobody wrote yet is English. */
export const textsIn = (language: string): DialogTexts =>
  BY_LANGUAGE[language.toLowerCase().split("-")[0] ?? "en"] ?? ENGLISH;

export const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
