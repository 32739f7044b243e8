/**
 * A screen as HDML 3.0, for phones of 1997 to 2000 with UP.Browser. Source: Openwave's HDML 3.0 language reference.
 *
 * A thin form: texts and numbered entries as CHOICE cards, one ENTRY or CHOICE card a field, one DISPLAY card that posts.
 * What was typed is kept in variables, also from one deck to the next, so a long screen becomes several decks.
 * Names are in capitals and few elements have an end, as the language wants it.
 */
import { wapFormatOf } from "./input.ts";
import { type Piece, pageIn, pagesOf, textPiece } from "./pages.ts";
import {
  type Action,
  checkScreen,
  type Entry,
  type Field,
  FLAG_SET,
  type Form,
  type Screen,
} from "./screen.ts";
import type { SimplePage } from "./simple-page.ts";
import { ENGLISH, type ScreenWords } from "./words.ts";
import type { PagedOptions } from "./xhtmlmp.ts";

/** Of text. The gateway's compiled form, of which a phone holds 1,492 octets, is shorter. */
const HDML_OCTETS_MAX = 1_400;

/** What stands on a card of text and choices, or a card of its own. */
type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "entry"; readonly label: string; readonly dest: string }
  | { readonly kind: "card"; readonly cardOf: (name: string, next: string) => string };

const WIDEST_PAGE = 999;
/** Tags around the cards of a deck, and of the one card of text and choices. */
const FRAME_OCTETS = 320;

/** @throws ScreenError: a broken limit, or a part that alone is larger than a deck */
export function renderHdml(screen: Screen, options: PagedOptions): SimplePage {
  const { page, pageHref, words = ENGLISH, octetsMax = HDML_OCTETS_MAX } = options;
  const behind = octets(choiceFrame(screen.title)) + octets(choiceEntry(words.more, `#${CARD_NAME_WIDEST}`));
  const all = piecesOf(checkScreen(screen), words);
  const pieces = all.map((piece, index) =>
    piece.value.kind !== "card" && all[index - 1]?.value.kind === "card"
      ? { ...piece, cost: piece.cost + behind }
      : piece,
  );
  const back = screen.actions.find(({ role }) => role === "back");
  const outside =
    octets(uri(back?.href ?? "")) + octets(text(screen.title)) + octets(uri(pageHref(WIDEST_PAGE))) * 2;
  const pages = pagesOf(pieces, Math.min(octetsMax, HDML_OCTETS_MAX) - FRAME_OCTETS - outside);
  const at = pageIn(pages.length, page);
  const next = at < pages.length - 1 ? pageHref(at + 1) : undefined;
  const cards = cardsOf({ parts: pages[at] ?? [], screen, back: at === 0 ? back : undefined, next, words });
  return { text: `<HDML VERSION="3.0" MARKABLE="FALSE" TTL="0">${cards}</HDML>`, pages: pages.length };
}

function piecesOf({ text: paragraphs, entries, form, actions }: Screen, words: ScreenWords): Piece<Part>[] {
  const paragraph = (content: string, path: string): Piece<Part> =>
    textPiece<Part>(
      content,
      path,
      (one) => ({ kind: "text", text: one }),
      (one) => octets(text(one)) + "<BR>".length,
    );
  const entry = ({ label, href, note }: Entry, path: string): Piece<Part>[] => {
    const shown = note ? `${label}: ${note}` : label;
    const cost = octets(choiceEntry(shown, href));
    return [{ value: { kind: "entry", label: shown, dest: href }, cost, path }];
  };
  return [
    ...paragraphs.map((one, index) => paragraph(one, `text[${index}]`)),
    ...entries.flatMap((one, index) => entry(one, `entries[${index}]`)),
    ...(form ? formPieces(form, words) : []),
    ...actions.filter(({ role }) => role !== "back").map(actionPiece),
  ];
}

function actionPiece(action: Action): Piece<Part> {
  const path = `actions.${action.role}`;
  if (action.method !== "post") {
    const cost = octets(choiceEntry(action.label, action.href));
    return { value: { kind: "entry", label: action.label, dest: action.href }, cost, path };
  }
  const task = postTask(action.href, postData([], action.hidden ?? {}));
  const cardOf = (name: string): string =>
    `<DISPLAY NAME="${name}"><ACTION TYPE="ACCEPT" LABEL="${text(action.label)}" ${task}>${text(action.label)}</DISPLAY>`;
  return { value: { kind: "card", cardOf }, cost: octets(cardOf(CARD_NAME_WIDEST)) + LINK_OCTETS, path };
}

function formPieces({ fields, hidden, action, submit }: Form, words: ScreenWords): Piece<Part>[] {
  const card = (path: string, cardOf: (name: string, next: string) => string): Piece<Part> => ({
    value: { kind: "card", cardOf },
    cost: octets(cardOf(CARD_NAME_WIDEST, "")) + LINK_OCTETS,
    path,
  });
  const task = postTask(action, postData(fields, hidden));
  const send = (name: string): string =>
    `<DISPLAY NAME="${name}"><ACTION TYPE="ACCEPT" LABEL="${text(submit)}" ${task}>${text(submit)}</DISPLAY>`;
  return [
    ...fields.map((field) => card(`form.${field.name}`, (name, next) => fieldCard(field, name, next, words))),
    card("form", send),
  ];
}

function fieldCard(field: Field, name: string, next: string, words: ScreenWords): string {
  const go = `<ACTION TYPE="ACCEPT" TASK="GO" DEST="${next}">`;
  const shown = text(field.note ? `${field.label}: ${field.note}` : field.label);
  if (field.kind === "choice" || field.kind === "flag") {
    const choices =
      field.kind === "flag"
        ? [
            { value: "", label: words.no },
            { value: FLAG_SET, label: words.yes },
          ]
        : (field.choices ?? []);
    const list = choices.map(({ value, label }) => `<CE VALUE="${text(value)}">${text(label)}`).join("");
    return `<CHOICE NAME="${name}" KEY="${field.name}">${go}${shown}${list}</CHOICE>`;
  }
  const format = wapFormatOf(field);
  const attributes = [
    `NAME="${name}"`,
    `KEY="${field.name}"`,
    ...(format ? [`FORMAT="${format}"`] : []),
    ...(field.kind === "secret" ? [`NOECHO="TRUE"`] : [`DEFAULT="${text(field.value ?? "")}"`]),
    ...(field.required ? [] : [`EMPTYOK="TRUE"`]),
  ];
  return `<ENTRY ${attributes.join(" ")}>${go}${shown}</ENTRY>`;
}

const CARD_NAME_WIDEST = "c99";
/** A card that leads to the next one, or to the next deck, whose address is counted outside. */
const LINK_OCTETS = 8;

type Deck = {
  readonly parts: readonly Part[];
  readonly screen: Screen;
  readonly back: Action | undefined;
  readonly next: string | undefined;
  readonly words: ScreenWords;
};

/** Texts and entries in a row make one card; each card leads to the one behind it. */
function cardsOf({ parts, screen, back, next, words }: Deck): string {
  let last: Part[] = [];
  const groups = [last];
  for (const part of parts) {
    if (part.kind === "card") {
      last = [];
      groups.push([part], last);
    } else last.push(part);
  }
  const filled = groups.filter((group) => group.length > 0);
  if (filled.length === 0) filled.push([{ kind: "text", text: screen.title }]);
  return filled
    .map((group, index) => {
      const name = `c${index}`;
      const isLast = index === filled.length - 1;
      const behind = isLast ? next && uri(next) : `#c${index + 1}`;
      const [first] = group;
      if (first?.kind === "card") return first.cardOf(name, behind ?? "");
      return choiceCard({ group, name, behind, screen, back: index === 0 ? back : undefined, words });
    })
    .join("");
}

type ChoiceCard = Omit<Deck, "parts" | "next"> & {
  readonly group: readonly Part[];
  readonly name: string;
  readonly behind: string | undefined;
};

function choiceCard({ group, name, behind, screen, back, words }: ChoiceCard): string {
  const prev = back ? `<ACTION TYPE="PREV" TASK="GO" DEST="${uri(back.href)}">` : "";
  const paragraphs = group.flatMap((part) => (part.kind === "text" ? [text(part.text)] : [])).join("<BR>");
  const entries = group.flatMap((part) =>
    part.kind === "entry" ? [choiceEntry(part.label, part.dest)] : [],
  );
  if (behind) entries.push(`<CE TASK="GO" DEST="${behind}">${text(words.more)}`);
  const title = `TITLE="${text(screen.title)}"`;
  if (entries.length === 0) return `<DISPLAY NAME="${name}" ${title}>${prev}${paragraphs}</DISPLAY>`;
  return `<CHOICE NAME="${name}" ${title}>${prev}${paragraphs}${entries.join("")}</CHOICE>`;
}

/** Texts and choices behind a card are one of their own again, with tags and title. */
const choiceFrame = (title: string): string =>
  `<CHOICE NAME="${CARD_NAME_WIDEST}" TITLE="${text(title)}"></CHOICE>`;

const choiceEntry = (label: string, dest: string): string =>
  `<CE TASK="GO" DEST="${uri(dest)}">${text(label)}`;

const postTask = (dest: string, data: string): string =>
  `TASK="GO" METHOD="POST" DEST="${uri(dest)}" POSTDATA="${data}"`;

function postData(fields: readonly Field[], hidden: Readonly<Record<string, string>>): string {
  const typed = fields.map(({ name }) => `${name}=$(${name}:esc)`);
  const fixed = Object.entries(hidden).map(([name, value]) => `${name}=${text(encodeURIComponent(value))}`);
  return [...typed, ...fixed].join("&amp;");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // A dollar begins a variable.
  $: "&dol;",
};

const text = (plain: string): string =>
  plain
    .replace(/[&<>"'$]/g, (found) => ESCAPES[found] ?? found)
    .replace(/[^\x20-\x7e]/gu, (found) => `&#${found.codePointAt(0)};`);
const uri = text;
const octets = (written: string): number => Buffer.byteLength(written);
