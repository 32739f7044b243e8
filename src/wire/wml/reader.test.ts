/** A handset of four lines walks decks by its keys: what was typed is kept from deck to deck, and all of it is posted. */
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { account, roads, status } from "../../../test/vector/screens.ts";
import {
  drawKeypad,
  type Effect,
  type Key,
  type KeypadState,
  openKeypad,
  pressKey,
} from "../screen/keypad.ts";
import { displayOf, itemsOf } from "../screen/keypad-layout.ts";
import { checkScreen, type Field, type Screen } from "../screen/screen.ts";
import { renderWml } from "../screen/wml.ts";
import { compileWml } from "./compile.ts";
import { readWml, type WmlDeck } from "./deck.ts";
import { decodeWmlc } from "./decode.ts";
import { openCard, stepOf, taskStep } from "./reader.ts";
import type { Variables } from "./variables.ts";

const pageHref = (page: number): string => `/deck?page=${page}`;
const overTheAir = (screen: Screen, deck: number): WmlDeck =>
  decodeWmlc(compileWml(renderWml(screen, { deck, pageHref }).deck));
const deckOf = (text: string): WmlDeck => readWml(text);

test("a deck of roads is a screen of roads: each link keeps its own server", () => {
  const { screen } = openCard(overTheAir(roads, 0));
  assert.equal(checkScreen(screen).title, "Welcome");
  assert.deepEqual(
    screen.entries.map(({ label, href }) => [label, href]),
    [
      ["Ready-made package", "https://packages.example/start?s=aa.bb"],
      ["Features", "https://features.example/list"],
      ["Services", "/services?s=aa.bb"],
      ["Help", "/help"],
    ],
  );
  assert.deepEqual(screen.actions, [{ role: "back", label: "Back", href: "#task-0" }]);
});

test("a deck of a form is a form: kinds, lengths and needs as they were asked for", () => {
  const { screen } = openCard(overTheAir(account, 0));
  assert.deepEqual(
    screen.form?.fields.map(({ name, kind, required, maxLength }) => [name, kind, required, maxLength]),
    [
      ["givenName", "text", true, 30],
      ["phone", "text", false, undefined],
      ["email", "email", false, undefined],
      ["pin", "secret", true, 8],
      ["born", "date", true, 10],
      ["plan", "choice", true, undefined],
      ["agree", "flag", false, undefined],
    ],
  );
  assert.equal(screen.form?.submit, "Send");
});

/** A browser of the year 2000: follows links and posts, keeps variables, knows nothing of Turnup. */
function browse(serve: (deck: number) => WmlDeck) {
  let deck = serve(0);
  let view = openCard(deck);
  let state = openKeypad(view.screen, displayOf({ columns: 16, lines: 4 }));
  let posted: { href: string; fields: Readonly<Record<string, string>> } | undefined;
  let followed: string | undefined;
  const open = (variables: Variables): void => {
    view = openCard(deck, { variables });
    state = openKeypad(view.screen, displayOf({ columns: 16, lines: 4 }));
  };
  const act = (effect: Effect): void => {
    const step = stepOf(view, effect, state.values);
    if (step.kind !== "go") return;
    if (step.method === "post") posted = { href: step.href, fields: step.fields };
    const page = /page=(\d+)/.exec(step.href)?.[1];
    if (page === undefined) followed = step.href;
    else {
      deck = serve(Number(page));
      open(step.variables);
    }
  };
  return {
    press(...keys: Key[]): void {
      for (const key of keys) {
        const { state: next, effect } = pressKey(state, key);
        state = next;
        if (effect) act(effect);
      }
    },
    state: (): KeypadState => state,
    posted: () => posted,
    followed: () => followed,
  };
}

const labelAt = ({ screen, selected }: KeypadState): string => {
  const item = selected === null ? undefined : itemsOf(screen)[selected];
  if (item?.kind === "entry") return item.entry.label;
  if (item?.kind === "field") return item.field.label;
  return item?.kind === "submit" ? item.label : (item?.action.label ?? "");
};

/** The mark to the item of this label, by DOWN alone; the mark is seen on the display. */
function moveTo(handset: ReturnType<typeof browse>, label: string): void {
  const KEYS_MAX = 200;
  for (let press = 0; press < KEYS_MAX; press++) {
    if (labelAt(handset.state()).includes(label)) {
      assert.ok(drawKeypad(handset.state()).some((line) => line.startsWith(">")));
      return;
    }
    handset.press("DOWN");
  }
  assert.fail(`${label} is not reached:\n${drawKeypad(handset.state()).join("\n")}`);
}

describe("a form that takes several decks", () => {
  const long: Field[] = Array.from({ length: 14 }, (_, at) => ({
    name: `part${at}`,
    label: `Part ${at}, ${"as your contract names it ".repeat(4).trim()}`,
    kind: "digits",
    required: true,
  }));
  const choices = Array.from({ length: 60 }, (_, at) => ({ value: `c${at}`, label: `Country number ${at}` }));
  const fields: Field[] = [
    ...long,
    { name: "country", label: "Country", kind: "choice", required: true, choices },
  ];
  const screen: Screen = { ...account, actions: [], form: { ...account.form!, fields } };

  test("is filled deck by deck on four lines, and posts every field and hidden value at once", () => {
    const handset = browse((deck) => overTheAir(screen, deck));
    const { decks } = renderWml(screen, { pageHref });
    assert.ok(decks > 3);
    let at = 0;
    while (handset.posted() === undefined && at < 40) {
      const { form, entries } = handset.state().screen;
      for (const field of form?.fields ?? []) {
        moveTo(handset, field.label.slice(0, 6));
        handset.press("SOFT_LEFT", ...(`${at++}7`.split("") as Key[]), "SOFT_LEFT");
      }
      const country = entries.find(({ label }) => label.includes("number 41"));
      if (country) moveTo(handset, "number 41");
      else moveTo(handset, form ? form.submit : (entries.at(-1)?.label ?? ""));
      handset.press("SOFT_LEFT");
    }
    const posted = handset.posted();
    assert.equal(posted?.href, account.form!.action);
    for (const [index, field] of long.entries())
      assert.equal(posted?.fields[field.name], `${index}7`, field.name);
    assert.equal(posted?.fields.country, "c41");
    assert.equal(posted?.fields.state, "t0k3n.$5&x", "a hidden dollar arrives as it was sent");
    assert.equal(Object.keys(posted?.fields ?? {}).length, 17);
  });
});

test("a flag in a deck is sent as yes, or empty", () => {
  const only: Screen = {
    ...account,
    form: { ...account.form!, fields: [{ name: "agree", label: "I agree", kind: "flag", required: false }] },
  };
  const untouched = browse((deck) => overTheAir(only, deck));
  moveTo(untouched, "Send");
  untouched.press("SOFT_LEFT");
  assert.equal(untouched.posted()?.fields.agree, "");
  const ticked = browse((deck) => overTheAir(only, deck));
  moveTo(ticked, "I agree");
  ticked.press("SOFT_LEFT");
  moveTo(ticked, "Send");
  ticked.press("SOFT_LEFT");
  assert.equal(ticked.posted()?.fields.agree, "yes");
});

test("BACK does what the deck says: to the screen's own address, or to the card before", () => {
  const view = openCard(overTheAir(account, 0));
  const back = pressKey(openKeypad(view.screen, { columns: 16, lines: 4 }), "BACK").effect!;
  assert.deepEqual(stepOf(view, back), {
    kind: "go",
    href: "/?s=aa.bb",
    method: "get",
    fields: {},
    variables: view.variables,
  });
  const plain = openCard(overTheAir(roads, 0));
  const prev = pressKey(openKeypad(plain.screen, { columns: 16, lines: 4 }), "BACK").effect!;
  assert.equal(stepOf(plain, prev).kind, "prev");
});

test("coming back to a card, what was typed stands still; coming forward, it is forgotten", () => {
  const deck = overTheAir(account, 0);
  const variables = { givenName: "Ann" };
  const name = (direction: "forward" | "backward") =>
    openCard(deck, { variables, direction }).screen.form?.fields.find((field) => field.name === "givenName")
      ?.value;
  assert.equal(name("backward"), "Ann");
  assert.equal(name("forward"), undefined);
});

test("a status deck asks again when its timer ends", () => {
  const view = openCard(overTheAir(status, 0));
  assert.equal(view.timer?.tenths, 200);
  const task = view.tasks[view.timer!.task]!;
  assert.deepEqual(taskStep(task, {}), {
    kind: "go",
    href: "/status?s=aa.bb",
    method: "get",
    fields: {},
    variables: {},
  });
});

test("a deck by another hand is shown too: cards, templates, tables, groups of options", () => {
  const deck = deckOf(
    `<wml><template><do type="help" label="Hilfe"><go href="#help"/></do></template>
    <card id="a" title="Stra&#223;e"><p>One<br/>two $(who)</p><table columns="2"><tr><td>x</td><td>y</td></tr></table></card>
    <card id="help"><do type="prev"><prev/></do><p>Size: <select name="size"><optgroup title="g"><option value="1">Small</option></optgroup><option value="2">Big</option></select></p></card></wml>`.replace(
      /(<table.*<\/table>)/s,
      "<p>$1</p>",
    ),
  );
  const first = openCard(deck, { variables: { who: "Ann" } });
  assert.deepEqual([first.screen.title, first.screen.text], ["Straße", ["One", "two Ann", "x y"]]);
  assert.deepEqual(
    first.screen.actions.map(({ role, href }) => [role, href]),
    [["help", "#help"]],
  );
  const second = openCard(deck, { card: "help" });
  assert.deepEqual(second.screen.form?.fields[0]?.choices, [
    { value: "1", label: "Small" },
    { value: "2", label: "Big" },
  ]);
});

test("a link by another scheme than http leads nowhere", () => {
  const view = openCard(
    deckOf(
      '<wml><card><p><a href="javascript:alert(1)">x</a><a href="wtai://wp/mc;123">call</a></p></card></wml>',
    ),
  );
  for (const { href } of view.screen.entries) {
    const step = stepOf(view, { kind: "follow", href, method: "get", hidden: {} });
    assert.equal(step.kind, "stay");
  }
});
