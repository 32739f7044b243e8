/** Long texts as screens hold them: paragraph by paragraph, screen by screen, nothing left out. */
import { PARAGRAPH_CHARACTERS } from "./view.ts";

const TERMS_CHARACTERS = 30_000;
/** Of the terms on one screen; longer ones take several, and are agreed to on the last. */
const TERMS_PARAGRAPHS = 40;
/** Paragraphs by screens, none of which holds more than a screen may. */
export function screenfuls(paragraphs: readonly string[]): string[][] {
  let last: string[] = [];
  const parts = [last];
  let characters = 0;
  for (const paragraph of paragraphs) {
    if (last.length >= TERMS_PARAGRAPHS || characters + paragraph.length > TERMS_CHARACTERS) {
      last = [paragraph];
      parts.push(last);
      characters = paragraph.length;
    } else {
      last.push(paragraph);
      characters += paragraph.length;
    }
  }
  return parts;
}

/** One line each, none longer than a paragraph may be; nothing is left out. */
export function paragraphsOf(text: string): string[] {
  return text
    .split(/\r?\n+/)
    .map((line) => line.replace(/\p{Cc}/gu, " ").trim())
    .filter((line) => line !== "")
    .flatMap((line) => {
      const pieces: string[] = [];
      let rest = line;
      while (rest.length > PARAGRAPH_CHARACTERS) {
        const space = rest.lastIndexOf(" ", PARAGRAPH_CHARACTERS);
        const end = space > 0 ? space : PARAGRAPH_CHARACTERS;
        pieces.push(rest.slice(0, end));
        rest = rest.slice(end).trimStart();
      }
      return [...pieces, rest];
    });
}
