/**
 * What the pages of XHTML-MP and cHTML have in common: paragraphs, numbered links, one form that is never divided, and a
 * size that a phone of its time can hold. Each says in a `Manner` how it differs.
 */
import { element, type XmlContent, type XmlElement } from "../xml/tree.ts";
import { initialValueOf, maxLengthOf } from "./input.ts";
import { type Piece, pageIn, pagesOf, textPiece } from "./pages.ts";
import { type Action, type Entry, type Field, FLAG_SET, type Form, type Screen } from "./screen.ts";
import type { ScreenWords } from "./words.ts";

/** How one format draws what both have. */
export type Manner = {
  readonly octetsMax: number;
  readonly textOf: (element: XmlElement) => string;
  /** The whole page around what stands in its body. */
  readonly page: (body: readonly XmlElement[], isOnlyPage: boolean) => string;
  /** What the format adds to an input for a kind of field. */
  readonly hint: (field: Field) => Readonly<Record<string, string | undefined>>;
  readonly label: (field: Field, id: string, content: string) => XmlContent;
  readonly words: ScreenWords;
  readonly pageHref: (page: number) => string;
};

/** One page as text, and how many there are. */
export type SimplePage = { readonly text: string; readonly pages: number };

const WIDEST_PAGE = 999;
const ACCESS_KEYS = 9;

/** @throws ScreenError: an entry or a form that alone is larger than a page */
export function renderSimplePage(screen: Screen, asked: number | undefined, manner: Manner): SimplePage {
  const pieces = piecesOf(screen, manner);
  const costOf = (text: string): number => Buffer.byteLength(text);
  const frame = costOf(manner.page([], true));
  const links = [pageLink(manner, WIDEST_PAGE, "more"), pageLink(manner, WIDEST_PAGE, "back")];
  const linkOctets = links.reduce((sum, link) => sum + costOf(manner.textOf(link)), 0);
  const whole = pieces.reduce((sum, { cost }) => sum + cost, frame);
  const pages =
    whole <= manner.octetsMax
      ? [pieces.map(({ value }) => value)]
      : pagesOf(pieces, manner.octetsMax - frame - linkOctets);
  const page = pageIn(pages.length, asked);
  const body = numbered(pages[page] ?? []);
  if (page < pages.length - 1) body.push(pageLink(manner, page + 1, "more"));
  if (page > 0) body.push(pageLink(manner, page - 1, "back"));
  return { text: manner.page(body, pages.length === 1), pages: pages.length };
}

/** An entry gets its number when its page is known: keys 1 to 9 are there for each page. */
type Block = XmlElement | { readonly entry: Entry };

function piecesOf({ text, entries, form, actions }: Screen, manner: Manner): Piece<Block>[] {
  const octets = (block: XmlElement): number => Buffer.byteLength(manner.textOf(block));
  const piece = (value: XmlElement, path: string): Piece<Block> => ({ value, cost: octets(value), path });
  const words = (content: string, path: string): Piece<Block> =>
    textPiece<Block>(
      content,
      path,
      (one) => element("p", {}, one),
      (one) => octets(element("p", {}, one)),
    );
  return [
    ...text.map((paragraph, index) => words(paragraph, `text[${index}]`)),
    ...entries.flatMap((entry, index): Piece<Block>[] => [
      { value: { entry }, cost: octets(entryBlock(entry, WIDEST_PAGE)) + 14, path: `entries[${index}]` },
      ...(entry.note ? [words(entry.note, `entries[${index}].note`)] : []),
    ]),
    ...(form ? [piece(formBlock(form, manner), "form")] : []),
    ...actions.map((action) => piece(actionBlock(action), `actions.${action.role}`)),
  ];
}

function numbered(blocks: readonly Block[]): XmlElement[] {
  let number = 0;
  return blocks.map((block) => ("entry" in block ? entryBlock(block.entry, ++number) : block));
}

function entryBlock({ label, href }: Entry, number: number): XmlElement {
  const accesskey = number <= ACCESS_KEYS ? number : undefined;
  return element("p", {}, element("a", { href, accesskey }, `${number} ${label}`));
}

const pageLink = ({ pageHref, words }: Manner, page: number, word: "more" | "back"): XmlElement =>
  element("p", {}, element("a", { href: pageHref(page) }, words[word]));

function formBlock(form: Form, manner: Manner): XmlElement {
  const fields = form.fields.flatMap((field) => [
    element("p", {}, fieldContent(field, manner)),
    ...(field.note ? [element("p", {}, element("i", {}, field.note))] : []),
  ]);
  const submit = element("input", { type: "submit", value: form.submit });
  return element(
    "form",
    { action: form.action, method: "post" },
    fields,
    element("p", {}, hiddenInputs(form.hidden), submit),
  );
}

function fieldContent(field: Field, manner: Manner): XmlContent[] {
  const { name, kind, choices = [], required, value } = field;
  const id = `f-${name}`;
  if (kind === "flag") {
    const checked = value === FLAG_SET ? "checked" : undefined;
    const tick = element("input", { type: "checkbox", name, value: FLAG_SET, id, checked });
    return [tick, " ", manner.label(field, id, field.label)];
  }
  const head = [
    manner.label(field, id, required ? field.label : `${field.label} (${manner.words.optional})`),
  ];
  if (kind === "choice") {
    const none = value === undefined ? [element("option", { value: "" }, "-")] : [];
    const options = choices.map((choice) =>
      element(
        "option",
        { value: choice.value, selected: choice.value === value ? "selected" : undefined },
        choice.label,
      ),
    );
    return [...head, element("br"), element("select", { name, id }, none, options)];
  }
  const input = element("input", {
    type: kind === "secret" ? "password" : "text",
    name,
    id,
    maxlength: maxLengthOf(field),
    value: initialValueOf(field) || undefined,
    ...manner.hint(field),
  });
  return [...head, element("br"), input];
}

function actionBlock({ href, label, method, hidden = {} }: Action): XmlElement {
  if (method !== "post") return element("p", {}, element("a", { href }, label));
  const submit = element("input", { type: "submit", value: label });
  return element("form", { action: href, method: "post" }, element("p", {}, hiddenInputs(hidden), submit));
}

const hiddenInputs = (hidden: Readonly<Record<string, string>>): XmlElement[] =>
  Object.entries(hidden).map(([name, value]) => element("input", { type: "hidden", name, value }));
