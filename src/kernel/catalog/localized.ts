/** Texts of the catalog in somebody's language. */
import type { Localized } from "./catalog-item.ts";

/** In a language (`de-AT`), in the one it is a form of (`de`), else in English, else in whatever there is. */
export function localized(texts: Localized, language: string): string {
  const [plain = "en"] = language.toLowerCase().split("-");
  return texts[language] ?? texts[plain] ?? texts.en ?? Object.values(texts)[0] ?? "";
}
