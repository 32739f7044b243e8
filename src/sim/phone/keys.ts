/** Which keys a person presses: to type a text, and to come to an item of a screen. Found by trying, as people do. */
import { type Key, type KeypadState, pressKey } from "../../wire/screen/keypad.ts";
import { type Item, itemsOf } from "../../wire/screen/keypad-layout.ts";
import { type DigitKey, textOfTyping } from "../../wire/screen/multitap.ts";
import type { Field } from "../../wire/screen/screen.ts";

const TWELVE: readonly DigitKey[] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*"];
/** The longest row of characters on one key. */
const PRESSES_MAX = 32;
const CASES = 4;
/** Rows of the longest text, and every item. */
const STEPS_MAX = 3_000;

/** On a field that is open for typing: empties it, types, and takes it. @throws RangeError: a character on no key */
export function keysToType(state: KeypadState, text: string): Key[] {
  const keys: Key[] = [];
  let now = state;
  const press = (...pressed: Key[]): void => {
    for (const key of pressed) now = pressKey(now, key).state;
    keys.push(...pressed);
  };
  while (typedIn(now) !== "") press("SOFT_RIGHT");
  while (typedIn(now) !== text) press(...keysToNext(now, text));
  press("SOFT_LEFT");
  return keys;
}

/** The keys to one character more, or several where hyphens come by themselves. */
function keysToNext(state: KeypadState, text: string): Key[] {
  const before = typedIn(state).length;
  let cased = state;
  for (let turns = 0; turns < CASES; turns++) {
    for (const key of TWELVE) {
      let now = cased;
      for (let times = 1; times <= PRESSES_MAX; times++) {
        now = pressKey(now, key).state;
        const typed = typedIn(now);
        if (typed.length > before && text.startsWith(typed)) {
          const hashes = Array<Key>(turns).fill("#");
          return [...hashes, ...Array<Key>(times).fill(key), "PAUSE"];
        }
      }
    }
    cased = pressKey(cased, "#").state;
  }
  throw new RangeError("a character that no key has");
}

function typedIn({ mode }: KeypadState): string {
  if (mode.kind !== "edit") throw new RangeError("nothing is open for typing");
  return textOfTyping(mode.typing);
}

/** To the first item that fits; undefined where none can be reached. */
export function keysToItem(state: KeypadState, fits: (item: Item) => boolean): Key[] | undefined {
  const items = itemsOf(state.screen);
  for (const direction of ["DOWN", "UP"] as const) {
    const keys: Key[] = [];
    let now = state;
    for (let step = 0; step < STEPS_MAX; step++) {
      const item = now.selected === null ? undefined : items[now.selected];
      if (item && fits(item)) return keys;
      const next = pressKey(now, direction).state;
      if (next.selected === now.selected && next.top === now.top) break;
      keys.push(direction);
      now = next;
    }
  }
  return undefined;
}

/** On an open list of choices: to the value, and takes it. @throws RangeError: no such value */
export function keysToPick(state: KeypadState, field: Field, value: string): Key[] {
  const all = field.required ? (field.choices ?? []) : [{ value: "" }, ...(field.choices ?? [])];
  const wanted = all.findIndex((choice) => choice.value === value);
  if (wanted < 0 || state.mode.kind !== "pick") throw new RangeError("no such choice");
  const steps = wanted - state.mode.at;
  return [...Array<Key>(Math.abs(steps)).fill(steps < 0 ? "UP" : "DOWN"), "SOFT_LEFT"];
}
