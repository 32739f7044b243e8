/** The words that renderers add to a screen, in the languages of the dialog. */
import { ENGLISH, type ScreenWords } from "../../wire/screen/words.ts";

const GERMAN: ScreenWords = {
  more: "Mehr",
  back: "Zurück",
  select: "Wählen",
  edit: "Ändern",
  done: "OK",
  clear: "Löschen",
  menu: "Menü",
  yes: "Ja",
  no: "Nein",
  optional: "freiwillig",
  missing: "fehlt",
  tooShort: "zu kurz",
  malformed: "ungültig",
};
const BY_LANGUAGE: Readonly<Record<string, ScreenWords>> = { en: ENGLISH, de: GERMAN };

export const wordsIn = (language: string): ScreenWords =>
  BY_LANGUAGE[language.toLowerCase().split("-")[0] ?? ""] ?? ENGLISH;
