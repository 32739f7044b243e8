/** A screen as rows of characters for a small display: what can be selected, and the text between. */
import type { DisplaySize } from "./choose.ts";
import { type Action, type Entry, type Field, FLAG_SET, type Screen } from "./screen.ts";

/** In characters. */
export type Display = { readonly columns: number; readonly lines: number };

/** A cell of the fonts that PDAs had. */
const CELL = { widthPx: 6, heightPx: 13 };
/** Displays that a screen can be drawn on, in characters. */
const DISPLAY_LIMITS = { columnsMin: 8, columnsMax: 120, linesMin: 2, linesMax: 60 } as const;

/** In characters, whatever it is told in; within what can be drawn on. */
export function displayOf(size: DisplaySize): Display {
  const columns = "columns" in size ? size.columns : size.widthPx / CELL.widthPx;
  const lines = "lines" in size ? size.lines : size.heightPx / CELL.heightPx;
  const { columnsMin, columnsMax, linesMin, linesMax } = DISPLAY_LIMITS;
  return {
    columns: Math.min(columnsMax, Math.max(columnsMin, Math.floor(columns))),
    lines: Math.min(linesMax, Math.max(linesMin, Math.floor(lines))),
  };
}

/** What a selection mark can stand at. */
export type Item =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "field"; readonly field: Field }
  | { readonly kind: "submit"; readonly label: string }
  | { readonly kind: "action"; readonly action: Action };

/** Of the item, the first row bears the mark. */
export type Row = { readonly text: string; readonly item?: number; readonly isFirst?: boolean };

/** Entries, then the form, then what leads on. Back, help and home stand on keys and in the menu. */
export function itemsOf({ entries, form, actions }: Screen): Item[] {
  return [
    ...entries.map((entry): Item => ({ kind: "entry", entry })),
    ...(form
      ? [
          ...form.fields.map((field): Item => ({ kind: "field", field })),
          { kind: "submit", label: form.submit } as const,
        ]
      : []),
    ...actions
      .filter(({ role }) => !["back", "help", "home"].includes(role))
      .map((action): Item => ({ kind: "action", action })),
  ];
}

/** A display of fewer lines has none left for a title of its own. */
const LINES_FOR_TITLE = 4;
/** Whether the display keeps its first line for the title; smaller ones scroll it with the rest. */
export const hasTitleLine = ({ lines }: Display): boolean => lines >= LINES_FOR_TITLE;
/** Lines between the title and the soft keys. */
export const windowLines = (display: Display): number => display.lines - (hasTitleLine(display) ? 2 : 1);

/** The screen as rows of at most `columns` characters, from top to bottom; the window shows some of them. */
export function rowsOf(
  screen: Screen,
  display: Display,
  values: Readonly<Record<string, string>>,
): readonly Row[] {
  const rows: Row[] = [];
  const add = (text: string): void => {
    for (const line of wrapped(text, display.columns)) rows.push({ text: line });
  };
  if (!hasTitleLine(display)) add(screen.title);
  for (const paragraph of screen.text) add(paragraph);
  for (const [index, item] of itemsOf(screen).entries()) {
    const lines = wrapped(labelOf(item, index, values), display.columns - 1);
    for (const [at, line] of lines.entries()) rows.push({ text: line, item: index, isFirst: at === 0 });
    const note =
      item.kind === "entry" ? item.entry.note : item.kind === "field" ? item.field.note : undefined;
    if (note) add(note);
  }
  return rows;
}

function labelOf(item: Item, index: number, values: Readonly<Record<string, string>>): string {
  switch (item.kind) {
    case "entry":
      return `${index + 1} ${item.entry.label}`;
    case "field":
      return fieldLabel(item.field, values[item.field.name] ?? "");
    case "submit":
      return `[${item.label}]`;
    case "action":
      return `[${item.action.label}]`;
  }
}

function fieldLabel({ kind, label, required, choices = [] }: Field, value: string): string {
  if (kind === "flag") return `${value === FLAG_SET ? "[x]" : "[ ]"} ${label}`;
  const shown = kind === "choice" ? choices.find((choice) => choice.value === value)?.label : value;
  const text = kind === "secret" ? "*".repeat(value.length) : (shown ?? "");
  return `${label}${required ? "*" : ""}: ${text || "_"}`;
}

/** Of a character that takes two UTF-16 units: where a text has none, its length is its width. */
const HALF_OF_A_PAIR = /[\ud800-\udfff]/;

/** Lines of at most so many characters, broken between words; a longer word is broken inside. */
export function wrapped(text: string, columns: number): string[] {
  const widthOf = HALF_OF_A_PAIR.test(text)
    ? (part: string) => [...part].length
    : (part: string) => part.length;
  const lines: string[] = [];
  let line = "";
  let width = 0;
  for (const word of text.split(" ")) {
    const length = widthOf(word);
    if (line !== "" && width + 1 + length <= columns) {
      line = `${line} ${word}`;
      width += 1 + length;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    width = length;
    if (width <= columns) continue;
    const characters = [...word];
    const cut = Math.ceil(width / columns) - 1;
    for (let at = 0; at < cut; at++) lines.push(characters.slice(at * columns, (at + 1) * columns).join(""));
    line = characters.slice(cut * columns).join("");
    width -= cut * columns;
  }
  if (line !== "" || lines.length === 0) lines.push(line);
  return lines;
}

/** Exactly so wide. */
export function fitted(text: string, columns: number): string {
  const characters = [...text];
  return characters.length > columns
    ? characters.slice(0, columns).join("")
    : text + " ".repeat(columns - characters.length);
}

/** Two labels at the two ends of the last line; the left one is cut last. */
export function softKeyLine(left: string, right: string, columns: number): string {
  const half = columns >> 1;
  const rightText = [...right].slice(0, Math.max(half - 1, columns - 1 - [...left].length)).join("");
  const leftText = [...left].slice(0, columns - [...rightText].length - (rightText ? 1 : 0)).join("");
  const gap = columns - [...leftText].length - [...rightText].length;
  return leftText + " ".repeat(gap) + rightText;
}
