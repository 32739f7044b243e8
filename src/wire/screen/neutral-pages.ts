/**
 * A screen in its neutral form, in as many screens as a small message needs: each leads to the next by its `more`. Fields
 * and the other actions stand on the last one, as on the last deck of a phone of 1999.
 */
import { type Piece, pageIn, pagesOf, textPiece } from "./pages.ts";
import { type Action, checkScreen, type Entry, type Screen } from "./screen.ts";
import { ENGLISH } from "./words.ts";

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "rest" };

const WIDEST_PAGE = 999;
/** Of a member in its list. */
const COMMA_OCTETS = 1;

/** How it is written and how much of it one message holds. */
type PageOptions = {
  readonly encode: (screen: Screen) => string;
  readonly octetsMax: number;
  readonly pageHref: (page: number) => string;
  readonly page: number;
};

/** @throws ScreenError: a broken limit, or a form that alone is larger than a message */
export function neutralPage(screen: Screen, { encode, octetsMax, pageHref, page }: PageOptions): Screen {
  const octetsOf = (one: Screen): number => Buffer.byteLength(encode(one));
  if (octetsOf(checkScreen(screen)) <= octetsMax) return screen;
  const { form, refreshSeconds: _, ...plain } = screen;
  const back = screen.actions.filter(({ role }) => role === "back");
  const more = (at: number): Action => ({ role: "more", label: ENGLISH.more, href: pageHref(at) });
  const empty: Screen = { ...plain, text: [], entries: [], actions: [...back, more(WIDEST_PAGE)] };
  const frame = octetsOf(empty);
  const costOf = (news: Partial<Screen>): number => octetsOf({ ...empty, ...news }) - frame + COMMA_OCTETS;
  const last: Partial<Screen> = {
    ...(form ? { form } : {}),
    actions: screen.actions,
  };
  const pieces: Piece<Part>[] = [
    ...screen.text.map((paragraph, index) =>
      textPiece<Part>(
        paragraph,
        `text[${index}]`,
        (text) => ({ kind: "text", text }),
        (text) => costOf({ text: [text] }),
      ),
    ),
    ...screen.entries.map((entry, index) => ({
      value: { kind: "entry", entry } as const,
      cost: costOf({ entries: [entry] }),
      path: `entries[${index}]`,
    })),
    { value: { kind: "rest" }, cost: Math.max(0, costOf(last)), path: "form" },
  ];
  const pages = pagesOf(pieces, octetsMax - frame);
  const at = pageIn(pages.length, page);
  const parts = pages[at] ?? [];
  return {
    ...plain,
    text: parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])),
    entries: parts.flatMap((part) => (part.kind === "entry" ? [part.entry] : [])),
    ...(at < pages.length - 1 ? { actions: [...back, more(at + 1)] } : last),
  };
}
