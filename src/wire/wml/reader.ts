/**
 * A deck as a browser of old phones shows it: one card as a screen, and what each of its links and keys does. With
 * `screen/keypad.ts` a handset walks a deck by keys alone.
 *
 * The screen's addresses are the deck's own where a link is plain; where a task sets variables, posts or goes back, the
 * address is `#task-N`, and `stepOf` tells what it means. Source: WAP-238-WML §9-§12.
 */
import { DecodeError } from "../decode-error.ts";
import type { Effect } from "../screen/keypad.ts";
import { FLAG_SET } from "../screen/screen.ts";
import { attributeOf, childrenOf } from "../wbxml/element.ts";
import { CardReader, type WmlView } from "./card.ts";
import type { WmlDeck } from "./deck.ts";
import { type Named, setvarsOf, type WmlTask } from "./task.ts";
import { isVariableName, substituted, type Variables } from "./variables.ts";

export type { WmlView } from "./card.ts";

/** What a browser does next; variables are those after the step's own settings. */
export type WmlStep =
  | {
      readonly kind: "go";
      /** "#card" stays in the deck. */
      readonly href: string;
      readonly method: "get" | "post";
      readonly fields: Readonly<Record<string, string>>;
      readonly variables: Variables;
    }
  | { readonly kind: "prev" | "stay"; readonly variables: Variables };

/** Variables that a phone keeps at most. */
const VARIABLES_MAX = 200;

/** Which card, by which way, with what is remembered. */
export type OpenOptions = {
  /** Without the hash; the first card where it is absent or unknown. */
  readonly card?: string | undefined;
  readonly variables?: Variables;
  /** Coming back, what was typed stands still. */
  readonly direction?: "forward" | "backward";
};

/**
 * Opens a card: sets its variables, and lays it out as a screen. What a screen cannot hold (a link by another scheme, texts
 * beyond its limits) is left out or cut, as a phone would.
 * @throws DecodeError: a deck without a card
 */
export function openCard(deck: WmlDeck, options: OpenOptions = {}): WmlView {
  const { variables = {}, direction = "forward" } = options;
  const cards = childrenOf(deck.root).filter(({ name }) => name === "card");
  const card = cards.find((one) => attributeOf(one, "id") === options.card) ?? cards[0];
  if (!card) throw new DecodeError("a deck without a card", deck.root.at ?? 0);
  const template = childrenOf(deck.root).find(({ name }) => name === "template");
  const event = direction === "forward" ? "onenterforward" : "onenterbackward";
  const onEnter = childrenOf(card).find(
    (one) => one.name === "onevent" && attributeOf(one, "type") === event,
  );
  const fresh = direction === "forward" && attributeOf(card, "newcontext") === "true" ? {} : variables;
  const setting = onEnter && childrenOf(onEnter).find(({ name }) => name === "refresh");
  const context = setting ? withSet(fresh, setvarsOf(setting)) : fresh;
  return new CardReader(card, template, languageOf(deck), context).view();
}

/** What a key's effect means on this card; `values` is what was entered, by field. */
export function stepOf(
  view: WmlView,
  effect: Effect,
  values: Readonly<Record<string, string>> = {},
): WmlStep {
  const flags = new Set(
    view.screen.form?.fields.filter(({ kind }) => kind === "flag").map(({ name }) => name),
  );
  const typed = Object.entries(values).filter(([name]) =>
    view.screen.form?.fields.some((field) => field.name === name),
  );
  const variables = withSet(
    view.variables,
    typed.map(([name, value]) => ({
      name,
      value: (flags.has(name) && value !== FLAG_SET ? "" : value).replaceAll("$", "$$$$"),
    })),
  );
  if (effect.kind === "back") return { kind: "prev", variables };
  const target = effect.kind === "submit" ? effect.action : effect.href;
  const index = /^#task-(\d{1,4})$/.exec(target)?.[1];
  const task = index === undefined ? undefined : view.tasks[Number(index)];
  return task
    ? taskStep(task, variables)
    : { kind: "go", href: target, method: "get", fields: {}, variables };
}

/** A task by its number: for a timer that ended. */
export function taskStep(task: WmlTask, before: Variables): WmlStep {
  if (task.kind === "noop") return { kind: "stay", variables: before };
  const variables = withSet(before, task.setvars);
  if (task.kind !== "go") return { kind: task.kind === "prev" ? "prev" : "stay", variables };
  // A browser replaces references with the values before the task's own setvars took effect (§12.5.1).
  const fields = task.postfields.map(
    ({ name, value }) => [substituted(name, before, "text"), substituted(value, before, "text")] as const,
  );
  return {
    kind: "go",
    href: substituted(task.href, before, "address"),
    method: task.method,
    fields: Object.fromEntries(fields),
    variables,
  };
}

function withSet(variables: Variables, setvars: readonly Named[]): Variables {
  const set = setvars
    .map(
      ({ name, value }) =>
        [substituted(name, variables, "text"), substituted(value, variables, "text")] as const,
    )
    .filter(([name]) => isVariableName(name));
  return Object.fromEntries([...Object.entries(variables), ...set].slice(-VARIABLES_MAX));
}

function languageOf({ root }: WmlDeck): string {
  const lang = attributeOf(root, "xml:lang") ?? "";
  return /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$/.test(lang) ? lang : "en";
}
