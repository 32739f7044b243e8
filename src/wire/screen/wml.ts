/**
 * A screen as WML decks, for phones of 1999 to 2006. Source: WAP-238-WML; US 6,647,260 Fig. 2.
 *
 * Old phones hold a deck of about 1,400 compiled octets, so a long screen becomes several decks of one card each.
 * What was typed on one deck is kept by the phone in variables, and the last deck posts all of it. Entries are numbered
 * links, each with its own address; where a list of choices does not fit as `select`, each is a link that sets the variable.
 */
import { octetsOf } from "../wml/compile.ts";
import { type WmlDeck, wmlText } from "../wml/deck.ts";
import type { WmlVersion } from "../wml/tokens.ts";
import { withoutReferences } from "../wml/variables.ts";
import { element, type XmlContent, type XmlElement } from "../xml/tree.ts";
import { initialValueOf, maxLengthOf, wapFormatOf } from "./input.ts";
import { type Piece, pageIn, pagesOf, textPiece } from "./pages.ts";
import {
  type Action,
  type Choice,
  checkScreen,
  type Entry,
  type Field,
  FLAG_SET,
  type Form,
  type Screen,
} from "./screen.ts";
import { ENGLISH, type ScreenWords } from "./words.ts";

/** Of one compiled deck: what phones of 1999 hold. */
export const WML_DECK_OCTETS_MAX = 1_400;

/** Which deck of a long screen, and for which phones. */
export type WmlOptions = {
  /** Which deck of the screen, from 0. */
  readonly deck?: number;
  /** The address of another deck of the same screen. */
  readonly pageHref: (deck: number) => string;
  /** 1.3 where it is absent; 1.1 has no access keys. */
  readonly version?: WmlVersion;
  readonly words?: ScreenWords;
  /** Of one compiled deck, where the road to the phone holds less than the phone does. */
  readonly octetsMax?: number;
};

/** One deck, as a tree and as text. */
export type RenderedWml = {
  readonly deck: WmlDeck;
  readonly text: string;
  /** How many decks the screen takes. */
  readonly decks: number;
};

/** What stands in a card, part by part. */
type Part =
  | { readonly kind: "block"; readonly block: XmlElement }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "field"; readonly field: Field; readonly block: XmlElement }
  /** A choice that does not fit as `select`: one link each, which leads behind the last of them. */
  | { readonly kind: "option"; readonly field: Field; readonly choice: Choice };

/** @throws ScreenError: a broken limit, or a part (an address, a form) that alone is larger than a deck */
export function renderWml(screen: Screen, options: WmlOptions): RenderedWml {
  const drawing = new Drawing(checkScreen(screen), options);
  const pages = drawing.pages();
  const deck = drawing.deck(pages, pageIn(pages.length, options.deck));
  return { deck, text: wmlText(deck), decks: pages.length };
}

/** The head of WBXML: version, public id, charset, and two octets for the length of the string table. */
const HEAD_OCTETS = 6;
/** An address of a page grows with its number. */
const WIDEST_PAGE = 999;
const TENTHS = 10;
/** Keys 1 to 9. */
const ACCESS_KEYS = 9;

class Drawing {
  readonly #screen: Screen;
  readonly #pageHref: (deck: number) => string;
  readonly #version: WmlVersion;
  readonly #words: ScreenWords;
  readonly #octetsMax: number;
  readonly #room: number;

  constructor(screen: Screen, options: WmlOptions) {
    const { pageHref, version = "1.3", words = ENGLISH, octetsMax = WML_DECK_OCTETS_MAX } = options;
    this.#screen = screen;
    this.#pageHref = pageHref;
    this.#version = version;
    this.#words = words;
    this.#octetsMax = Math.min(octetsMax, WML_DECK_OCTETS_MAX);
    this.#room = this.#octetsMax - HEAD_OCTETS - this.#frameOctets(false);
  }

  /** The parts of each deck. All on one, where that fits without a link to the next. */
  pages(): readonly (readonly Part[])[] {
    const pieces = this.#pieces();
    const whole = pieces.reduce((sum, { cost }) => sum + cost, HEAD_OCTETS + this.#frameOctets(true));
    const isSplitChoice = pieces.some(({ endsPage }) => endsPage);
    if (whole <= this.#octetsMax && !isSplitChoice) return [pieces.map(({ value }) => value)];
    return pagesOf(pieces, this.#room);
  }

  deck(pages: readonly (readonly Part[])[], page: number): WmlDeck {
    const parts = pages[page] ?? [];
    const isLast = page === pages.length - 1;
    let number = 0;
    const blocks = parts.map((part) => {
      if (part.kind === "entry") return this.#entry(part.entry, ++number);
      if (part.kind === "option") return this.#option(part, ++number, this.#pageBehind(pages, part.field));
      return part.block;
    });
    const fields = this.#fieldsFirstOn(pages, page);
    return {
      version: this.#version,
      root: this.#frame({ blocks, fields, page, isLast, pages: pages.length }),
    };
  }

  #pieces(): Piece<Part>[] {
    const { text, entries, form, actions } = this.#screen;
    return [
      ...text.map((paragraph, index) => this.#text(paragraph, `text[${index}]`)),
      ...entries.flatMap((entry, index) => [
        this.#piece({ kind: "entry", entry }, this.#entry(entry, WIDEST_PAGE), `entries[${index}]`),
        ...(entry.note ? [this.#text(entry.note, `entries[${index}].note`)] : []),
      ]),
      ...(form ? this.#formPieces(form) : []),
      ...actions
        .filter(({ role }) => role !== "back")
        .map((action) => this.#block(paragraph(this.#actionLink(action)), `actions.${action.role}`)),
    ];
  }

  #formPieces(form: Form): Piece<Part>[] {
    const submit = element(
      "anchor",
      {},
      literal(form.submit),
      this.#post(form.action, this.#postfields(form)),
    );
    return [
      ...form.fields.flatMap((field) => [
        ...(field.note ? [this.#text(field.note, `form.${field.name}.note`)] : []),
        ...this.#fieldPieces(field),
      ]),
      this.#block(paragraph(submit), "form"),
    ];
  }

  #fieldPieces(field: Field): Piece<Part>[] {
    const path = `form.${field.name}`;
    const block = paragraph(literal(`${field.label}: `), this.#control(field));
    const whole = this.#piece({ kind: "field", field, block }, block, path, this.#variable(field));
    if (field.kind !== "choice" || whole.cost <= this.#room) return [whole];
    const choices = field.choices ?? [];
    return [
      this.#text(field.label, path),
      ...choices.map((choice, index) => {
        const part = { kind: "option", field, choice } as const;
        const drawn = this.#option(part, WIDEST_PAGE, WIDEST_PAGE);
        const extra = index === 0 ? this.#variable(field) : undefined;
        const piece = this.#piece(part, drawn, `${path}.choices[${index}]`, extra);
        return index === choices.length - 1 ? { ...piece, endsPage: true } : piece;
      }),
    ];
  }

  #control(field: Field): XmlElement {
    const { name, kind, required, choices = [] } = field;
    if (kind === "choice") {
      const options = choices.map(({ value, label }) =>
        element("option", { value: literal(value) }, literal(label)),
      );
      const none = required ? [] : [element("option", { value: "" }, "-")];
      return element("select", { name, title: literal(field.label) }, none, options);
    }
    if (kind === "flag") {
      const option = element("option", { value: FLAG_SET }, this.#words.yes);
      return element("select", { name, title: literal(field.label), multiple: "true" }, option);
    }
    return element("input", {
      name,
      type: kind === "secret" ? "password" : undefined,
      format: wapFormatOf(field),
      emptyok: required ? "false" : "true",
      maxlength: maxLengthOf(field),
    });
  }

  #variable(field: Field): XmlElement {
    return element("setvar", { name: field.name, value: literal(initialValueOf(field)) });
  }

  #entry({ label, href }: Entry, number: number): XmlElement {
    const accesskey = this.#version !== "1.1" && number <= ACCESS_KEYS ? number : undefined;
    return paragraph(element("a", { href: literal(href), accesskey }, `${number} ${literal(label)}`));
  }

  #option({ field, choice }: { field: Field; choice: Choice }, number: number, target: number): XmlElement {
    const set = element("setvar", { name: field.name, value: literal(choice.value) });
    const go = element("go", { href: literal(this.#pageHref(target)) }, set);
    return paragraph(element("anchor", {}, `${number} ${literal(choice.label)}`, go));
  }

  #pageBehind(pages: readonly (readonly Part[])[], field: Field): number {
    return (
      1 + pages.findLastIndex((page) => page.some((part) => part.kind === "option" && part.field === field))
    );
  }

  /** Variables are set where their field first stands, and nowhere else: what was typed must last. */
  #fieldsFirstOn(pages: readonly (readonly Part[])[], page: number): Field[] {
    const fieldsOn = (at: number): Field[] =>
      (pages[at] ?? []).flatMap((part) =>
        part.kind === "field" || part.kind === "option" ? [part.field] : [],
      );
    const before = new Set(pages.slice(0, page).flatMap((_, at) => fieldsOn(at)));
    return [...new Set(fieldsOn(page))].filter((field) => !before.has(field));
  }

  #actionLink(action: Action): XmlElement {
    const label = literal(action.label);
    return action.method === "post"
      ? element("anchor", {}, label, this.#go(action))
      : element("a", { href: literal(action.href) }, label);
  }

  #go({ href, method, hidden = {} }: Action): XmlElement {
    return method === "post"
      ? this.#post(href, hiddenFields(hidden))
      : element("go", { href: literal(href) });
  }

  #post(href: string, postfields: readonly XmlElement[]): XmlElement {
    return element("go", { href: literal(href), method: "post", "accept-charset": "utf-8" }, postfields);
  }

  #postfields({ fields, hidden }: Form): XmlElement[] {
    const typed = fields.map(({ name }) => element("postfield", { name, value: `$(${name})` }));
    return [...typed, ...hiddenFields(hidden)];
  }

  #text(text: string, path: string): Piece<Part> {
    return textPiece<Part>(
      text,
      path,
      (one) => ({ kind: "block", block: paragraph(literal(one)) }),
      (one) => octetsOf(paragraph(literal(one)), this.#version),
    );
  }

  #block(block: XmlElement, path: string): Piece<Part> {
    return this.#piece({ kind: "block", block }, block, path);
  }

  #piece(value: Part, drawn: XmlElement, path: string, extra?: XmlElement): Piece<Part> {
    const cost = octetsOf(drawn, this.#version) + (extra ? octetsOf(extra, this.#version) : 0);
    return { value, cost, path };
  }

  #frameOctets(isLast: boolean): number {
    const frame = (page: number, pages: number) =>
      octetsOf(
        this.#frame({ blocks: [], fields: this.#screen.form?.fields.slice(0, 1) ?? [], page, isLast, pages }),
        this.#version,
      );
    return Math.max(frame(0, isLast ? 1 : 2), frame(WIDEST_PAGE, WIDEST_PAGE + 1));
  }

  #frame({ blocks, fields, page, isLast, pages }: Frame): XmlElement {
    const { id, title, lang, refreshSeconds, actions, form } = this.#screen;
    const next = isLast ? undefined : literal(this.#pageHref(page + 1));
    const turnsItself = refreshSeconds !== undefined && !form && pages === 1;
    const refresh = actions.find(({ role }) => role === "refresh")?.href ?? this.#pageHref(0);
    const noCache = element("meta", { "http-equiv": "Cache-Control", content: "no-cache", forua: "true" });
    return element(
      "wml",
      { "xml:lang": lang },
      element("head", {}, noCache),
      element(
        "card",
        { id, title: literal(title), ontimer: turnsItself ? literal(refresh) : undefined },
        this.#setting(fields),
        turnsItself ? element("timer", { value: refreshSeconds * TENTHS }) : undefined,
        this.#back(page),
        // On a deck of fields the soft key goes on too; the link below stands for browsers that hide it.
        next && form
          ? element("do", { type: "accept", label: this.#words.more }, element("go", { href: next }))
          : undefined,
        blocks,
        next ? paragraph(element("a", { href: next }, this.#words.more)) : undefined,
      ),
    );
  }

  #setting(fields: readonly Field[]): XmlElement | undefined {
    if (fields.length === 0) return undefined;
    const variables = fields.map((field) => this.#variable(field));
    return element("onevent", { type: "onenterforward" }, element("refresh", {}, variables));
  }

  #back(page: number): XmlElement {
    const back = page === 0 ? this.#screen.actions.find(({ role }) => role === "back") : undefined;
    const label = literal(back?.label ?? this.#words.back);
    return element("do", { type: "prev", label }, back ? this.#go(back) : element("prev"));
  }
}

type Frame = {
  readonly blocks: readonly XmlElement[];
  readonly fields: readonly Field[];
  readonly page: number;
  readonly isLast: boolean;
  readonly pages: number;
};

const literal = withoutReferences;
const paragraph = (...content: readonly XmlContent[]): XmlElement => element("p", {}, content);
const hiddenFields = (hidden: Readonly<Record<string, string>>): XmlElement[] =>
  Object.entries(hidden).map(([name, value]) => element("postfield", { name, value: literal(value) }));
