/**
 * Divides a screen into pages that a small device can hold. What the pieces of a page cost is added up, so the caller's
 * measure must be additive: octets of text, or of WMLC without its string table.
 */
import { ScreenError } from "./screen.ts";

/** What is placed on one page whole, if it can be; `cost` in the caller's measure. */
export type Piece<T> = {
  readonly value: T;
  readonly cost: number;
  /** For messages: "entries[3]". */
  readonly path: string;
  /** Nothing else stands behind it on its page. */
  readonly endsPage?: boolean;
  /** In two, the first of which costs at most `room`; undefined where that cannot be. */
  readonly divided?: (room: number) => readonly [Piece<T>, Piece<T>] | undefined;
};

/** More pages of one screen are refused. */
const PAGES_MAX = 200;

/**
 * At least one page; a piece goes to the next page where it fits whole there, and is divided only where it would not.
 * @throws ScreenError: a piece that fits no page, or more than {@link PAGES_MAX} pages
 */
export function pagesOf<T>(pieces: readonly Piece<T>[], room: number): T[][] {
  let page: T[] = [];
  const pages = [page];
  let left = room;
  const turn = (): void => {
    if (pages.length >= PAGES_MAX) throw new ScreenError("", `more than ${PAGES_MAX} pages`);
    page = [];
    pages.push(page);
    left = room;
  };
  const place = (piece: Piece<T>): void => {
    page.push(piece.value);
    left -= piece.cost;
  };
  for (const whole of pieces) {
    let piece: Piece<T> | undefined = whole;
    while (piece) {
      if (piece.cost <= left) {
        place(piece);
        if (piece.endsPage) turn();
        break;
      }
      // A text that is longer than a page fills the rest of this one too.
      const parts: readonly [Piece<T>, Piece<T>] | undefined =
        piece.cost > room || left === room ? piece.divided?.(left) : undefined;
      if (parts) {
        place(parts[0]);
        turn();
        piece = parts[1];
      } else if (left < room) {
        turn();
      } else {
        throw new ScreenError(piece.path, `needs ${piece.cost} where a page has ${room}`);
      }
    }
  }
  return pages;
}

/** A paragraph, divided between words; a word longer than a page between characters. `costOf` is of the element. */
export function textPiece<T>(
  text: string,
  path: string,
  make: (text: string) => T,
  costOf: (text: string) => number,
): Piece<T> {
  return {
    value: make(text),
    cost: costOf(text),
    path,
    divided: (room) => {
      const end = cutOf(text, room, costOf);
      if (end === 0) return undefined;
      const [head, tail] = [text.slice(0, end).trimEnd(), text.slice(end).trimStart()];
      if (head === "" || tail === "") return undefined;
      return [textPiece(head, path, make, costOf), textPiece(tail, path, make, costOf)];
    },
  };
}

/** Less than this of a text is not left alone at the foot of a page. */
const CHARACTERS_MIN = 20;

function cutOf(text: string, room: number, costOf: (text: string) => number): number {
  let [fits, tooMuch] = [0, text.length];
  while (tooMuch - fits > 1) {
    const middle = (fits + tooMuch) >> 1;
    if (costOf(text.slice(0, middle)) <= room) fits = middle;
    else tooMuch = middle;
  }
  const space = text.lastIndexOf(" ", fits);
  if (space >= CHARACTERS_MIN) return space;
  if (fits < CHARACTERS_MIN) return 0;
  const last = text.charCodeAt(fits - 1);
  return last >= 0xd800 && last <= 0xdbff ? fits - 1 : fits;
}

/** Which page was asked for: the first where it is none of them. */
export const pageIn = (pages: number, asked: number | undefined): number =>
  asked !== undefined && Number.isInteger(asked) && asked >= 0 && asked < pages ? asked : 0;
