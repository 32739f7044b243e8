/** What a link or a key of a deck does. Source: WAP-238-WML §9. */
import { attributeOf, childrenOf } from "../wbxml/element.ts";
import type { XmlElement } from "../xml/tree.ts";

/** A task by its element; references to variables are not replaced yet. */
export type WmlTask =
  | {
      readonly kind: "go";
      readonly href: string;
      readonly method: "get" | "post";
      readonly postfields: readonly Named[];
      readonly setvars: readonly Named[];
    }
  | { readonly kind: "prev" | "refresh"; readonly setvars: readonly Named[] }
  | { readonly kind: "noop" };

/** Name and value as they stand in the deck, references not yet replaced. */
export type Named = { readonly name: string; readonly value: string };

const TASKS = ["go", "prev", "refresh", "noop"];
const namedOf = (parent: XmlElement, kind: string): Named[] =>
  childrenOf(parent)
    .filter(({ name }) => name === kind)
    .map((one) => ({ name: attributeOf(one, "name") ?? "", value: attributeOf(one, "value") ?? "" }));
/** The variables that a task sets, in document order. */
export const setvarsOf = (task: XmlElement): Named[] => namedOf(task, "setvar");

/** The task inside an `anchor`, `do` or `onevent`; one that is missing does nothing. */
export function taskOf(parent: XmlElement): WmlTask {
  const task = childrenOf(parent).find(({ name }) => TASKS.includes(name));
  switch (task?.name) {
    case "go":
      return {
        kind: "go",
        href: attributeOf(task, "href") ?? "",
        method: attributeOf(task, "method") === "post" ? "post" : "get",
        postfields: namedOf(task, "postfield"),
        setvars: setvarsOf(task),
      };
    case "prev":
    case "refresh":
      return { kind: task.name, setvars: setvarsOf(task) };
    default:
      return { kind: "noop" };
  }
}

/** The task of a key that is there to do nothing: it hides the template's. */
export const NOTHING: WmlTask = { kind: "noop" };
/** A link without anything beside its address. */
export const plainGo = (href: string): WmlTask => ({
  kind: "go",
  href,
  method: "get",
  postfields: [],
  setvars: [],
});
/** Whether two tasks do the same. */
export const isSame = (one: WmlTask, other: WmlTask): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
