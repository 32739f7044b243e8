/** Text in one case, for names that compare without case. */

/** The dotless i is no i (Unicode Standard, CaseFolding.txt: it folds to itself), although both have one capital. */
const ALL_BUT_DOTLESS_I = /[^ı]+/g;

/**
 * A text such that two which differ in case alone become one: `Straße` and `STRASSE`, `ΟΔΟΣ` and `οδος`, however their
 * accents were typed (NFC). To compare, never to show.
 */
export const foldCase = (text: string): string =>
  text
    .normalize("NFC")
    .replace(ALL_BUT_DOTLESS_I, (part) => part.toLowerCase().toUpperCase())
    .normalize("NFC");
