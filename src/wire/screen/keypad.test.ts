/** The whole journey by keys alone, on the displays of phones, pagers, PDAs and remote controls. Source: US 6,647,260 Fig. 2. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { account, anyScreen, roads, SCREENS, terms } from "../../../test/vector/screens.ts";
import { drawKeypad, type Effect, KEYS, type Key, type KeypadState, openKeypad, pressKey } from "./keypad.ts";
import { type Display, displayOf, itemsOf, softKeyLine, wrapped } from "./keypad-layout.ts";
import type { Field, Screen } from "./screen.ts";

const ALL_KEYS: readonly Key[] = [...KEYS, ...("0123456789*#".split("") as Key[])];
const DISPLAYS: readonly (readonly [name: string, display: Display])[] = [
  ["a phone of 4 lines", { columns: 16, lines: 4 }],
  ["a pager", { columns: 20, lines: 2 }],
  ["a PDA", displayOf({ widthPx: 160, heightPx: 160 })],
  ["a remote control", { columns: 12, lines: 3 }],
];

function press(state: KeypadState, ...keys: Key[]): { state: KeypadState; effect: Effect | undefined } {
  let effect: Effect | undefined;
  let at = state;
  for (const key of keys) {
    const pressed = pressKey(at, key);
    at = pressed.state;
    effect = pressed.effect ?? effect;
  }
  return { state: at, effect };
}
const digits = (text: string): Key[] => text.split("") as Key[];

/** DOWN, or UP where the mark stands behind it, until the mark is at this item. */
function at(state: KeypadState, index: number): KeypadState {
  const key = state.selected !== null && state.selected > index ? "UP" : "DOWN";
  let now = state;
  for (let times = 0; times < 3_000 && now.selected !== index; times++) now = pressKey(now, key).state;
  assert.equal(now.selected, index, `item ${index} cannot be reached`);
  return now;
}
const itemOf = (screen: Screen, name: string): number =>
  itemsOf(screen).findIndex((item) => item.kind === "field" && item.field.name === name);

/** Keys for one answer of each kind, OK included. */
const ANSWERS: Readonly<Record<string, readonly Key[]>> = {
  givenName: ["2", "PAUSE", "6", "6", "PAUSE", "6", "6", "SOFT_LEFT"],
  phone: ["*", ...digits("4477"), "SOFT_LEFT"],
  email: ["2", "*", "2", "2", "*", "*", "2", "2", "2", "6", "SOFT_LEFT"],
  pin: [...digits("1357"), "SOFT_LEFT"],
  born: [...digits("19991231"), "SOFT_LEFT"],
  plan: ["DOWN", "SOFT_LEFT"],
};

for (const [name, display] of DISPLAYS) {
  describe(name, () => {
    test("each of the three roads is reached by DOWN, and leads to its own server", () => {
      for (const [index, { href }] of roads.entries.entries()) {
        const { effect } = press(at(openKeypad(roads, display), index), "SOFT_LEFT");
        assert.deepEqual(effect, { kind: "follow", href, method: "get", hidden: {} });
      }
    });

    test("a whole form is filled and sent by keys, with its hidden values and nothing else", () => {
      let state = openKeypad(account, display);
      for (const field of account.form!.fields) {
        state = press(
          at(state, itemOf(account, field.name)),
          "SOFT_LEFT",
          ...(ANSWERS[field.name] ?? []),
        ).state;
        assert.equal(state.mode.kind, "browse", `${field.name}: ${state.message}`);
      }
      const submit = itemsOf(account).findIndex(({ kind }) => kind === "submit");
      const { effect } = press(at(state, submit), "SOFT_LEFT");
      assert.deepEqual(effect, {
        kind: "submit",
        action: account.form!.action,
        fields: {
          givenName: "Ann",
          phone: "+4477",
          email: "a@b.cm",
          pin: "1357",
          born: "1999-12-31",
          plan: "l",
          agree: "yes",
          ...account.form!.hidden,
        },
      });
    });

    test("the longest terms can be read to their end, every line of them, and answered both ways", () => {
      let state = openKeypad(terms, display);
      const seen = new Set<string>();
      for (let times = 0; times < 5_000; times++) {
        for (const line of drawKeypad(state)) seen.add(line.trim());
        const next = pressKey(state, "DOWN").state;
        if (next.top === state.top && next.selected === state.selected) break;
        state = next;
      }
      for (const paragraph of terms.text) {
        for (const line of wrapped(paragraph, display.columns)) assert.ok(seen.has(line.trim()), line);
      }
      assert.deepEqual(press(at(state, 0), "SOFT_LEFT").effect, {
        kind: "follow",
        href: "/terms",
        method: "post",
        hidden: { version: "3" },
      });
      assert.deepEqual(press(at(state, 1), "SOFT_LEFT").effect, {
        kind: "follow",
        href: "/terms/no",
        method: "get",
        hidden: {},
      });
    });

    test(`every drawing is exactly as large as the display, whatever is pressed (seed ${SEED})`, () => {
      fc.assert(
        fc.property(
          fc.oneof(fc.constantFrom(...SCREENS), anyScreen),
          fc.array(fc.constantFrom(...ALL_KEYS), { maxLength: 60 }),
          (screen, keys) => {
            let state = openKeypad(screen, display);
            for (const key of keys) {
              const before = structuredClone(state);
              const pressed = pressKey(state, key);
              assert.deepEqual(state, before, "a state is never changed");
              state = pressed.state;
              const lines = drawKeypad(state);
              assert.equal(lines.length, display.lines);
              for (const line of lines) assert.equal([...line].length, display.columns, JSON.stringify(line));
              const marks = lines.slice(0, -1).filter((line) => line.startsWith(">")).length;
              if (state.mode.kind === "browse" && state.selected !== null && state.message === null)
                assert.ok(marks >= 1, lines.join("\n"));
              const fields = pressed.effect?.kind === "submit" ? Object.keys(pressed.effect.fields) : [];
              const known = [
                ...(screen.form?.fields ?? []).map((field) => field.name),
                ...Object.keys(screen.form?.hidden ?? {}),
              ];
              for (const field of fields) assert.ok(known.includes(field), field);
            }
          },
        ),
        { seed: SEED, numRuns: 120 },
      );
    });

    test(`every item of any screen is reached by DOWN alone, and again by UP (seed ${SEED})`, () => {
      fc.assert(
        fc.property(anyScreen, (screen) => {
          let state = openKeypad(screen, display);
          const count = itemsOf(screen).length;
          for (let index = 0; index < count; index++) state = at(state, index);
          for (let index = count - 1; index >= 0; index--) state = at(state, index);
        }),
        { seed: SEED, numRuns: 60 },
      );
    });
  });
}

const PHONE: Display = { columns: 16, lines: 4 };

test("the phone of Fig. 2 draws title, marked list and two soft keys", () => {
  assert.deepEqual(drawKeypad(openKeypad({ ...roads, text: [] }, PHONE)), [
    "Welcome         ",
    ">1 Ready-made   ",
    " package        ",
    "Select      Menu",
  ]);
});

test("a digit follows the entry of its number, wherever the mark is", () => {
  assert.equal(
    (press(openKeypad(roads, PHONE), "2").effect as { href: string }).href,
    "https://features.example/list",
  );
  assert.equal(press(openKeypad(roads, PHONE), "9").effect, undefined);
});

test("BACK takes the screen's own way back, else the device's; MENU offers every action", () => {
  assert.deepEqual(press(openKeypad(account, PHONE), "BACK").effect, {
    kind: "follow",
    href: "/?s=aa.bb",
    method: "get",
    hidden: {},
  });
  assert.deepEqual(press(openKeypad(roads, PHONE), "BACK").effect, { kind: "back" });
  const menu = press(openKeypad(account, PHONE), "MENU").state;
  assert.deepEqual(drawKeypad(menu), [
    "Menu            ",
    ">Back           ",
    " Decline        ",
    "Select      Back",
  ]);
  assert.deepEqual(press(menu, "DOWN", "SOFT_LEFT").effect, {
    kind: "follow",
    href: "/decline",
    method: "post",
    hidden: { state: "x" },
  });
  assert.equal(press(menu, "BACK").state.mode.kind, "browse");
});

test("letters turn with the same key, and are taken by a pause, another key or an arrow", () => {
  const edit = press(at(openKeypad(account, PHONE), 0), "SOFT_LEFT").state;
  const typed = (...keys: Key[]) => press(press(edit, ...keys).state, "SOFT_LEFT").state.values.givenName;
  assert.equal(typed("2"), "A");
  assert.equal(typed("2", "2", "2"), "C");
  assert.equal(typed("2", "PAUSE", "2", "2"), "Ab");
  assert.equal(typed("2", "UP", "2"), "Aa");
  assert.equal(typed("7", "7", "7", "7", "8"), "St");
  assert.equal(typed("2", "0", "2"), "A A", "a capital after a space");
  assert.equal(typed("#", "2"), "a");
  assert.equal(typed("#", "#", "2", "3"), "AD");
  assert.equal(typed("#", "#", "#", "2", "2"), "22");
  assert.equal(typed("6", "6", "6", "6", "6"), "Ö", "behind the digit stand other letters");
  assert.equal(typed("2", "3", "SOFT_RIGHT"), "A", "Clear takes the letter that turns");
  assert.equal(typed("2", "3", "PAUSE", "SOFT_RIGHT", "SOFT_RIGHT", "4"), "G");
});

test("a secret shows stars, and the letter that turns", () => {
  const edit = press(
    at(openKeypad(account, PHONE), itemOf(account, "pin")),
    "SOFT_LEFT",
    ...digits("135"),
  ).state;
  assert.deepEqual(drawKeypad(edit), [
    "PIN             ",
    "***_            ",
    "123             ",
    "OK         Clear",
  ]);
  const shown = drawKeypad(press(edit, "7", "SOFT_LEFT", "UP").state).join("\n");
  assert.doesNotMatch(shown, /1357/);
});

const form = (field: Field): Screen => ({ ...account, form: { ...account.form!, fields: [field] } });
const WRONG: readonly (readonly [name: string, field: Field, keys: readonly Key[], message: string])[] = [
  [
    "a PIN too short",
    { name: "a", label: "PIN", kind: "digits", required: true, minLength: 4 },
    digits("12"),
    "too short",
  ],
  [
    "a day that is none",
    { name: "a", label: "Born", kind: "date", required: true },
    digits("20010229"),
    "not valid",
  ],
  [
    "an address without @",
    { name: "a", label: "Mail", kind: "email", required: false },
    digits("23"),
    "not valid",
  ],
];
for (const [name, field, keys, message] of WRONG) {
  test(`${name} is told at once, and can be put right`, () => {
    const edit = press(at(openKeypad(form(field), PHONE), 0), "SOFT_LEFT", ...keys, "SOFT_LEFT").state;
    assert.equal(edit.mode.kind, "edit");
    assert.equal(drawKeypad(edit)[0]?.trim(), message);
    assert.equal(pressKey(edit, "SOFT_RIGHT").state.message, null);
  });
}

test("a form that lacks something is not sent: the mark goes to what is missing", () => {
  const state = openKeypad(account, PHONE);
  const submit = itemsOf(account).findIndex(({ kind }) => kind === "submit");
  const pressed = press(at(state, submit), "SOFT_LEFT");
  assert.equal(pressed.effect, undefined);
  assert.equal(pressed.state.selected, 0);
  assert.match(drawKeypad(pressed.state)[0]!, /^First name: need/);
});

test("no more is typed than a field takes", () => {
  const field: Field = { name: "a", label: "A", kind: "digits", required: true, maxLength: 3 };
  const { state } = press(
    at(openKeypad(form(field), PHONE), 0),
    "SOFT_LEFT",
    ...digits("12345"),
    "SOFT_LEFT",
  );
  assert.equal(state.values.a, "123");
});

test("BACK out of a field keeps what stood there before", () => {
  const field: Field = { name: "a", label: "A", kind: "digits", required: true, value: "7" };
  const { state } = press(at(openKeypad(form(field), PHONE), 0), "SOFT_LEFT", "8", "BACK");
  assert.deepEqual([state.mode.kind, state.values.a], ["browse", "7"]);
});

test("a soft key never acts on an item that is not seen", () => {
  let state = at(openKeypad({ ...terms, entries: [], text: [] }, PHONE), 0);
  assert.equal(state.selected, 0);
  state = openKeypad(terms, PHONE);
  assert.equal(state.selected, null);
  assert.equal(press(state, "SOFT_LEFT").effect, undefined);
  assert.equal(drawKeypad(state).at(-1)?.startsWith(" "), true, "no label where it does nothing");
});

test("labels of soft keys share the last line, however long they are", () => {
  assert.equal(softKeyLine("Select", "Back", 12), "Select  Back");
  assert.equal(softKeyLine("Auswählen", "Zurück", 12), "Auswäh Zurüc");
  assert.equal(softKeyLine("", "", 12), " ".repeat(12));
});

test("a display told in pixels has cells of 6 by 13; none is too small or large to draw on", () => {
  assert.deepEqual(displayOf({ widthPx: 160, heightPx: 160 }), { columns: 26, lines: 12 });
  assert.deepEqual(displayOf({ columns: 1, lines: 1 }), { columns: 8, lines: 2 });
  assert.deepEqual(displayOf({ widthPx: 100_000, heightPx: 100_000 }), { columns: 120, lines: 60 });
});
