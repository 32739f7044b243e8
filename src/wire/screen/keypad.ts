/**
 * A screen on a small display, walked by keys alone. Source: US 6,647,260 Fig. 2 (210, 212-216): a selection mark moved up
 * and down, MENU and BACK, two soft keys, alphanumeric keys.
 *
 *   browse --soft left on a field--> edit (typed) or pick (from a list) --OK--> browse, one item further
 *   browse --MENU--> menu --BACK--> browse
 *   browse --soft left on an entry, a digit, the submit item--> an effect: the device asks the server
 *
 * A key gives a new state and perhaps an effect; nothing else changes and nothing is fetched here. The device adds its own
 * identity to what is submitted: it is never among the fields.
 */
import { type FieldFault, faultOf, initialValueOf, maxLengthOf, normalValueOf } from "./input.ts";
import {
  type Display,
  fitted,
  hasTitleLine,
  itemsOf,
  rowsOf,
  softKeyLine,
  windowLines,
} from "./keypad-layout.ts";
import { cleared, type DigitKey, settled, type Typing, textOfTyping, typed } from "./multitap.ts";
import {
  type Action,
  type Choice,
  checkScreen,
  type Field,
  FLAG_SET,
  SCREEN_LIMITS,
  type Screen,
} from "./screen.ts";
import { ENGLISH, type ScreenWords } from "./words.ts";

/** Keys beside the twelve of the keypad, and the pause. */
export const KEYS = ["UP", "DOWN", "MENU", "BACK", "SOFT_LEFT", "SOFT_RIGHT", "PAUSE"] as const;
/** PAUSE is pressed by the device's clock when no key was for a second: the letter that turns is taken. */
export type Key = (typeof KEYS)[number] | DigitKey;

/** What the device does next; `fields` of `submit` has the hidden ones too. */
export type Effect =
  | {
      readonly kind: "follow";
      readonly href: string;
      readonly method: "get" | "post";
      readonly hidden: Readonly<Record<string, string>>;
    }
  | { readonly kind: "submit"; readonly action: string; readonly fields: Readonly<Record<string, string>> }
  /** The screen has no way back of its own: the device goes to the one before. */
  | { readonly kind: "back" };

/** Where the user stands; a value, so that going back is keeping the one before. */
export type KeypadState = {
  readonly screen: Screen;
  readonly display: Display;
  readonly words: ScreenWords;
  /** First row of the window. */
  readonly top: number;
  /** The item with the mark; none while the window shows text alone. */
  readonly selected: number | null;
  /** What was entered, by field. */
  readonly values: Readonly<Record<string, string>>;
  readonly mode: Mode;
  /** Until the next key. */
  readonly message: string | null;
};

type Mode =
  | { readonly kind: "browse" }
  | { readonly kind: "menu"; readonly at: number }
  | { readonly kind: "pick"; readonly field: Field; readonly at: number }
  | { readonly kind: "edit"; readonly field: Field; readonly typing: Typing };

/** What a key made of a state. */
export type Pressed = { readonly state: KeypadState; readonly effect?: Effect };

const BROWSE: Mode = { kind: "browse" };

/** @throws ScreenError: a screen that breaks a limit */
export function openKeypad(screen: Screen, display: Display, words: ScreenWords = ENGLISH): KeypadState {
  checkScreen(screen);
  const values = Object.fromEntries(
    (screen.form?.fields ?? []).map((field) => [field.name, initialValueOf(field)]),
  );
  const state = { screen, display, words, top: 0, selected: null, values, mode: BROWSE, message: null };
  return { ...state, selected: firstVisible(state) };
}

/** What one key does; a key that means nothing here gives the same state. */
export function pressKey(before: KeypadState, key: Key): Pressed {
  const state = key === "PAUSE" ? before : { ...before, message: null };
  switch (state.mode.kind) {
    case "browse":
      return pressInBrowse(state, key);
    case "menu":
      return pressInMenu(state, state.mode.at, key);
    case "pick":
      return pressInPick(state, state.mode, key);
    case "edit":
      return pressInEdit(state, state.mode, key);
  }
}

/** Exactly `display.lines` lines of `display.columns` characters; the selection mark is ">". */
export function drawKeypad(state: KeypadState): string[] {
  const { display, screen, mode } = state;
  const lines = windowLines(display);
  const body = bodyOf(state).slice(0, lines);
  const title =
    mode.kind === "browse" ? screen.title : mode.kind === "menu" ? state.words.menu : mode.field.label;
  const all = hasTitleLine(display) ? [title, ...body] : body;
  // What went wrong takes the first line, whatever stood there.
  if (state.message !== null) all[0] = state.message;
  while (all.length < display.lines - 1) all.push("");
  const { left, right } = softKeysOf(state);
  return [...all.map((line) => fitted(line, display.columns)), softKeyLine(left, right, display.columns)];
}

function bodyOf(state: KeypadState): string[] {
  const { mode, display, words } = state;
  switch (mode.kind) {
    case "browse":
      return rows(state)
        .slice(state.top, state.top + windowLines(display))
        .map(({ text, item, isFirst }) => {
          if (item === undefined) return text;
          return `${isFirst && item === state.selected ? ">" : " "}${text}`;
        });
    case "menu":
      return marked(
        state.screen.actions.map(({ label }) => label),
        mode.at,
        state,
      );
    case "pick":
      return marked(
        choicesOf(mode.field).map(({ label }) => label),
        mode.at,
        state,
      );
    case "edit":
      return editLines(mode.field, mode.typing, display, words);
  }
}

/** A list with the mark in its window. */
function marked(labels: readonly string[], at: number, { display }: KeypadState): string[] {
  const lines = windowLines(display);
  const top = Math.max(0, Math.min(at - (lines >> 1), labels.length - lines));
  return labels.slice(top, top + lines).map((label, index) => `${top + index === at ? ">" : " "}${label}`);
}

/** The end of what was typed, with a cursor; letters or digits above it where there is room. */
function editLines(field: Field, typing: Typing, display: Display, words: ScreenWords): string[] {
  const text = textOfTyping(typing);
  const settledLength = typing.text.length;
  // The letter that turns is shown in a secret too, or nobody could type one.
  const shown = field.kind === "secret" ? "*".repeat(settledLength) + text.slice(settledLength) : text;
  const line = `${[...shown].slice(-(display.columns - 1)).join("")}_`;
  const how = isTypedAsDigits(field) ? "123" : typing.letterCase;
  const head = `${how}${field.required ? "" : ` (${words.optional})`}`;
  const lines = hasTitleLine(display)
    ? [line, head]
    : windowLines(display) > 1
      ? [field.label, line]
      : [line];
  return field.note && hasTitleLine(display) ? [...lines, field.note] : lines;
}

function softKeysOf(state: KeypadState): { left: string; right: string } {
  const { mode, words, screen } = state;
  if (mode.kind === "edit") {
    return { left: words.done, right: textOfTyping(mode.typing) === "" ? words.back : words.clear };
  }
  if (mode.kind !== "browse") return { left: words.select, right: words.back };
  const item = state.selected === null ? undefined : itemsOf(screen)[state.selected];
  const left =
    item === undefined ? "" : item.kind === "field" && item.field.kind !== "flag" ? words.edit : words.select;
  return { left, right: asideOf(screen).length > 0 ? words.menu : words.back };
}

function pressInBrowse(state: KeypadState, key: Key): Pressed {
  switch (key) {
    case "UP":
    case "DOWN":
      return { state: moved(state, key === "DOWN" ? 1 : -1) };
    case "MENU":
      return { state: withMenu(state) };
    case "BACK":
      return { state, effect: backOf(state.screen) };
    case "SOFT_RIGHT":
      return asideOf(state.screen).length > 0
        ? { state: withMenu(state) }
        : { state, effect: backOf(state.screen) };
    case "SOFT_LEFT":
      return state.selected === null ? { state } : chosen(state, state.selected);
    case "PAUSE":
      return { state };
    default: {
      const entry = /^[1-9]$/.test(key) ? state.screen.entries[Number(key) - 1] : undefined;
      return entry ? { state, effect: follow(entry.href) } : { state };
    }
  }
}

/** What stands on no item: MENU offers it, with all other actions. */
const asideOf = ({ actions }: Screen): readonly Action[] =>
  actions.filter(({ role }) => role === "help" || role === "home");

const withMenu = (state: KeypadState): KeypadState =>
  state.screen.actions.length > 0 ? { ...state, mode: { kind: "menu", at: 0 } } : state;

const follow = (href: string): Effect => ({ kind: "follow", href, method: "get", hidden: {} });
const act = ({ href, method = "get", hidden = {} }: Action): Effect => ({
  kind: "follow",
  href,
  method,
  hidden,
});

function backOf({ actions }: Screen): Effect {
  const back = actions.find(({ role }) => role === "back");
  return back ? act(back) : { kind: "back" };
}

function chosen(state: KeypadState, index: number): Pressed {
  const item = itemsOf(state.screen)[index];
  switch (item?.kind) {
    case undefined:
      return { state };
    case "entry":
      return { state, effect: follow(item.entry.href) };
    case "action":
      return { state, effect: act(item.action) };
    case "submit":
      return submitted(state);
    case "field":
      return { state: opened(state, item.field) };
  }
}

function opened(state: KeypadState, field: Field): KeypadState {
  const value = state.values[field.name] ?? "";
  if (field.kind === "flag") return entered(state, field, value === FLAG_SET ? "" : FLAG_SET);
  if (field.kind === "choice") {
    const at = Math.max(
      0,
      choicesOf(field).findIndex((choice) => choice.value === value),
    );
    return { ...state, mode: { kind: "pick", field, at } };
  }
  const letterCase = field.kind === "text" ? "Abc" : field.kind === "secret" ? "123" : "abc";
  return { ...state, mode: { kind: "edit", field, typing: { text: value, letterCase } } };
}

/** The value is kept, and the mark moves on. A flag stays, so that its tick is seen. */
function entered(state: KeypadState, field: Field, value: string): KeypadState {
  const kept = { ...state, values: { ...state.values, [field.name]: value }, mode: BROWSE };
  return field.kind === "flag" ? kept : shownAt(kept, (state.selected ?? 0) + 1);
}

/** An optional choice can be taken back. */
const choicesOf = ({ choices = [], required }: Field): readonly Choice[] =>
  required ? choices : [{ value: "", label: "-" }, ...choices];

function submitted(state: KeypadState): Pressed {
  const { screen, values, words } = state;
  const form = screen.form;
  if (!form) return { state };
  for (const [index, field] of form.fields.entries()) {
    const fault = faultOf(field, values[field.name] ?? "");
    if (!fault) continue;
    const at = screen.entries.length + index;
    return { state: { ...shownAt(state, at), message: `${field.label}: ${wordOf(fault, words)}` } };
  }
  const fields = Object.fromEntries(form.fields.map(({ name }) => [name, values[name] ?? ""]));
  return { state, effect: { kind: "submit", action: form.action, fields: { ...fields, ...form.hidden } } };
}

const wordOf = (fault: FieldFault, words: ScreenWords): string =>
  fault === "missing" ? words.missing : fault === "tooShort" ? words.tooShort : words.malformed;

function pressInMenu(state: KeypadState, at: number, key: Key): Pressed {
  const { actions } = state.screen;
  const closed: KeypadState = { ...state, mode: BROWSE };
  if (key === "BACK" || key === "SOFT_RIGHT" || key === "MENU") return { state: closed };
  const pick = key === "SOFT_LEFT" ? actions[at] : /^[1-9]$/.test(key) ? actions[Number(key) - 1] : undefined;
  if (pick) return { state: closed, effect: act(pick) };
  return { state: { ...state, mode: { kind: "menu", at: stepped(at, key, actions.length) } } };
}

function pressInPick(state: KeypadState, mode: Mode & { kind: "pick" }, key: Key): Pressed {
  const choices = choicesOf(mode.field);
  if (key === "BACK" || key === "SOFT_RIGHT") return { state: { ...state, mode: BROWSE } };
  const pick = key === "SOFT_LEFT" ? choices[mode.at] : undefined;
  if (pick) return { state: entered(state, mode.field, pick.value) };
  return { state: { ...state, mode: { ...mode, at: stepped(mode.at, key, choices.length) } } };
}

const stepped = (at: number, key: Key, length: number): number =>
  Math.max(0, Math.min(length - 1, at + (key === "DOWN" ? 1 : key === "UP" ? -1 : 0)));

function pressInEdit(state: KeypadState, mode: Mode & { kind: "edit" }, key: Key): Pressed {
  const { field, typing } = mode;
  const going = (next: Typing): Pressed => ({ state: { ...state, mode: { ...mode, typing: next } } });
  const left: KeypadState = { ...state, mode: BROWSE };
  switch (key) {
    case "BACK":
      return { state: left };
    case "SOFT_RIGHT":
      return textOfTyping(typing) === "" ? { state: left } : going(cleared(typing));
    case "UP":
    case "DOWN":
    case "PAUSE":
      return going(settled(typing));
    case "MENU":
      return { state };
    case "SOFT_LEFT":
      return { state: taken(state, mode) };
    default:
      return going(
        isTypedAsDigits(field) ? digitTyped(field, typing, key) : typed(typing, key, limitOf(field)),
      );
  }
}

function taken(state: KeypadState, { field, typing }: Mode & { kind: "edit" }): KeypadState {
  const value = normalValueOf(field, textOfTyping(typing));
  const fault = value === "" ? undefined : faultOf(field, value);
  if (!fault) return entered(state, field, value);
  return {
    ...state,
    mode: { kind: "edit", field, typing: settled(typing) },
    message: wordOf(fault, state.words),
  };
}

const limitOf = (field: Field): number => maxLengthOf(field) ?? SCREEN_LIMITS.value;

const isTypedAsDigits = ({ kind }: Field): boolean => ["digits", "phone", "date"].includes(kind);

/** Digits go in as they are. A star begins a phone number with +; the hyphens of a date come by themselves. */
function digitTyped(field: Field, typing: Typing, key: DigitKey): Typing {
  const { text } = typing;
  if (text.length >= limitOf(field)) return typing;
  if (/^\d$/.test(key)) {
    const hyphen = field.kind === "date" && (text.length === 4 || text.length === 7) ? "-" : "";
    return { ...typing, text: text + hyphen + key };
  }
  return field.kind === "phone" && key === "*" && text === "" ? { ...typing, text: "+" } : typing;
}

const rows = ({ screen, display, values }: Pick<KeypadState, "screen" | "display" | "values">) =>
  rowsOf(screen, display, values);

/** The row of an item's mark. */
const rowOfItem = (state: KeypadState, item: number): number =>
  rows(state).findIndex((row) => row.item === item && row.isFirst);

const isVisible = (state: KeypadState, row: number): boolean =>
  row >= state.top && row < state.top + windowLines(state.display);

function firstVisible(state: KeypadState): number | null {
  const row = rows(state).find(({ isFirst }, index) => isFirst && isVisible(state, index));
  return row?.item ?? null;
}

/**
 * To the next item where it stands in the window, else one row on: no text is jumped over. A mark that left the window
 * is gone, so that a soft key never acts on what is not seen.
 */
function moved(state: KeypadState, step: 1 | -1): KeypadState {
  const all = rows(state);
  const marks = all.flatMap(({ item, isFirst }, row) =>
    isFirst && item !== undefined ? [{ item, row }] : [],
  );
  const ordered = step === 1 ? marks : marks.toReversed();
  const from = state.selected === null ? null : rowOfItem(state, state.selected);
  const next = ordered.find(({ row }) => isVisible(state, row) && (from === null || (row - from) * step > 0));
  if (next) return { ...state, selected: next.item };
  const last = Math.max(0, all.length - windowLines(state.display));
  const top = Math.max(0, Math.min(last, state.top + step));
  const scrolled = { ...state, top };
  if (top === state.top) return state;
  const come = ordered.find(({ row }) => isVisible(scrolled, row) && !isVisible(state, row));
  if (come) return { ...scrolled, selected: come.item };
  return from !== null && isVisible(scrolled, from) ? scrolled : { ...scrolled, selected: null };
}

/** The window so that an item is seen, with the mark at it. */
function shownAt(state: KeypadState, wanted: number): KeypadState {
  const item = Math.max(0, Math.min(wanted, itemsOf(state.screen).length - 1));
  const row = rowOfItem(state, item);
  const lines = windowLines(state.display);
  const top = isVisible(state, row) ? state.top : row < state.top ? row : row - lines + 1;
  return { ...state, selected: item, top: Math.max(0, top) };
}
