/**
 * The person with the phone in hand: does a script, or wanders about by a seeded chance. Sees the display alone and has keys
 * alone; so whatever a script does, a person can do.
 */
import { roundAt } from "../../term/collections.ts";
import type { Key, KeypadState } from "../../wire/screen/keypad.ts";
import type { Item } from "../../wire/screen/keypad-layout.ts";
import { type ActionRole, type Field, FLAG_SET, type Screen } from "../../wire/screen/screen.ts";
import type { Chance } from "../handset/chance.ts";
import { keysToItem, keysToPick, keysToType } from "./keys.ts";

/** What a person holds. */
export type Hands = {
  /** Undefined while the device is busy or off. */
  keypad(): KeypadState | undefined;
  press(key: Key): void;
  /** Resolves when the display may have changed, or after so long. */
  changed(withinMs: number): Promise<void>;
};

export type Step =
  /** Waits for a screen by its id, or by its title. */
  | { readonly await: string | RegExp }
  /** An entry, or what leads on, by the beginning of its label. */
  | { readonly choose: string | RegExp }
  | { readonly fill: Readonly<Record<string, string>> }
  /** The same, of those that the form asks for. */
  | { readonly fillIfAsked: Readonly<Record<string, string>> }
  | { readonly submit: true }
  /** What a role leads to, on the screen or behind MENU. */
  | { readonly action: ActionRole }
  | { readonly press: readonly Key[] };

class WalkError extends Error {
  override readonly name = "WalkError";
}

const WITHIN_MS = 20_000;

/** @throws WalkError: a step that the screens of the device do not allow, or that took too long */
export async function walk(hands: Hands, script: readonly Step[], withinMs = WITHIN_MS): Promise<Screen> {
  let at = await ready(hands, () => true, "a screen", withinMs);
  for (const step of script) {
    if ("await" in step) {
      at = await ready(
        hands,
        ({ screen }) => isNamed(screen, step.await),
        `the screen ${step.await}`,
        withinMs,
      );
      continue;
    }
    at = await ready(hands, () => true, "a screen", withinMs);
    take(hands, at, step);
  }
  return (await ready(hands, () => true, "a screen", withinMs)).screen;
}

/** Waits until the device shows a screen that fits. */
async function ready(
  hands: Hands,
  fits: (state: KeypadState) => boolean,
  what: string,
  withinMs: number,
): Promise<KeypadState> {
  const until = performance.now() + withinMs;
  for (;;) {
    const state = hands.keypad();
    if (state && fits(state)) return state;
    const left = until - performance.now();
    if (left <= 0) throw new WalkError(`${what} did not come; there is ${describe(state)}`);
    await hands.changed(left);
  }
}

function take(hands: Hands, state: KeypadState, step: Exclude<Step, { await: unknown }>): void {
  if ("press" in step) for (const key of step.press) hands.press(key);
  else if ("fill" in step) for (const [name, value] of Object.entries(step.fill)) fill(hands, name, value);
  else if ("fillIfAsked" in step) {
    for (const [name, value] of Object.entries(step.fillIfAsked))
      if (fieldOf(state, name)) fill(hands, name, value);
  } else if ("submit" in step) choose(hands, state, ({ kind }) => kind === "submit", "the button");
  else if ("choose" in step) choose(hands, state, (item) => isLabelled(item, step.choose), `${step.choose}`);
  else act(hands, state, step.action);
}

function choose(hands: Hands, state: KeypadState, fits: (item: Item) => boolean, what: string): void {
  const keys = keysToItem(state, fits);
  if (!keys) throw new WalkError(`${what} is not on ${describe(state)}`);
  for (const key of keys) hands.press(key);
  hands.press("SOFT_LEFT");
}

/** On the screen where it stands there, else by MENU. */
function act(hands: Hands, state: KeypadState, role: ActionRole): void {
  const onScreen = keysToItem(state, (item) => item.kind === "action" && item.action.role === role);
  if (onScreen)
    return choose(hands, state, (item) => item.kind === "action" && item.action.role === role, role);
  const index = state.screen.actions.findIndex((action) => action.role === role);
  if (index < 0) throw new WalkError(`no ${role} on ${describe(state)}`);
  hands.press("MENU");
  for (let step = 0; step < index; step++) hands.press("DOWN");
  hands.press("SOFT_LEFT");
}

const fieldOf = (state: KeypadState | undefined, name: string) =>
  state?.screen.form?.fields.find((one) => one.name === name);

function fill(hands: Hands, name: string, value: string): void {
  const state = hands.keypad();
  const field = fieldOf(state, name);
  if (!state || !field) throw new WalkError(`no field ${name} on ${describe(state)}`);
  if (field.kind === "flag" && (state.values[name] === FLAG_SET) === (value === FLAG_SET)) return;
  choose(hands, state, (item) => item.kind === "field" && item.field.name === name, `the field ${name}`);
  const open = hands.keypad();
  if (!open || field.kind === "flag") return;
  const keys = field.kind === "choice" ? keysToPick(open, field, value) : keysToType(open, value);
  for (const key of keys) hands.press(key);
}

const isNamed = ({ id, title }: Screen, wanted: string | RegExp): boolean =>
  typeof wanted === "string" ? id === wanted || title === wanted : wanted.test(id) || wanted.test(title);

function isLabelled(item: Item, wanted: string | RegExp): boolean {
  if (item.kind !== "entry" && item.kind !== "action") return false;
  const { label } = item.kind === "entry" ? item.entry : item.action;
  return typeof wanted === "string" ? label.startsWith(wanted) : wanted.test(label);
}

/** The screen by its name and what stands on it: for who reads why a walk ended. Values that were typed are not told. */
function describe(state: KeypadState | undefined): string {
  if (!state) return "no screen";
  const { id, title, text, entries, actions, form } = state.screen;
  const labels = [...entries, ...actions].map(({ label }) => label);
  const fields = form?.fields.map(({ name }) => name) ?? [];
  return `the screen ${id} "${title}" (${[...text.slice(0, 2), ...labels, ...fields].join("; ")})`;
}

const drawn = <Entry>(list: readonly Entry[], chance: Chance): Entry =>
  roundAt(list, chance.between(0, list.length - 1));

/** A plausible value for a field of each kind. */
function sampleOf({ kind, choices = [], minLength = 0, maxLength = 40 }: Field, chance: Chance): string {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => String(chance.between(0, 9))).join("");
  switch (kind) {
    case "digits":
      return digits(Math.min(maxLength, Math.max(4, minLength)));
    case "phone":
      return `+43664${digits(7)}`;
    case "email":
      return `user${digits(4)}@mail.example`;
    case "date":
      return `19${chance.between(60, 99)}-0${chance.between(1, 9)}-1${chance.between(0, 9)}`;
    case "choice":
      return choices[chance.between(0, choices.length - 1)]?.value ?? "";
    case "flag":
      return FLAG_SET;
    case "secret":
      return digits(Math.min(maxLength, Math.max(6, minLength)));
    case "text":
      return drawn(["Anna", "Bela", "Cora", "Dino"], chance).padEnd(minLength, "a").slice(0, maxLength);
  }
}

/** So many screens of a curious person: fills what must be filled, follows anything. What it meets is never an error. */
export async function wander(
  hands: Hands,
  chance: Chance,
  screens: number,
  withinMs = WITHIN_MS,
): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let turn = 0; turn < screens; turn++) {
    const state = await ready(hands, () => true, "a screen", withinMs);
    seen.push(state.screen.id);
    const { form, entries, actions } = state.screen;
    if (form && chance.is(0.8)) {
      for (const field of form.fields) if (field.required) fill(hands, field.name, sampleOf(field, chance));
      const filled = hands.keypad();
      if (filled) choose(hands, filled, ({ kind }) => kind === "submit", "the button");
    } else if (entries.length > 0 && chance.is(0.8)) {
      const entry = drawn(entries, chance);
      choose(hands, state, (item) => item.kind === "entry" && item.entry === entry, entry.label);
    } else if (actions.length > 0) act(hands, state, drawn(actions, chance).role);
    else hands.press("BACK");
  }
  return seen;
}
