/**
 * What may stand where in a deck. Source: the DTD of WML 1.3 (WAP-238-WML §13); order inside a card is checked too,
 * because handsets refuse a timer that stands before an event.
 */
import { DecodeError } from "../decode-error.ts";
import { attributeOf, childrenOf } from "../wbxml/element.ts";
import type { XmlElement } from "../xml/tree.ts";

type Rule = { readonly children: string; readonly attributes: string; readonly text?: boolean };

const EMPHASIS = "em strong b i u big small";
const TASK = "go prev noop refresh";
const FLOW = `${EMPHASIS} br img anchor a table`;
const FIELDS = "input select fieldset";
const INSIDE_P = `${FLOW} ${FIELDS} do`;
const emphasised: Rule = { children: `${FLOW}`, attributes: "", text: true };

const RULES: Readonly<Record<string, Rule>> = {
  wml: { children: "head template card", attributes: "" },
  head: { children: "access meta", attributes: "" },
  access: { children: "", attributes: "domain path" },
  meta: { children: "", attributes: "http-equiv name forua content scheme" },
  template: { children: "do onevent", attributes: "onenterforward onenterbackward ontimer" },
  card: {
    children: "onevent timer do p pre",
    attributes: "title newcontext ordered onenterforward onenterbackward ontimer",
  },
  do: { children: TASK, attributes: "type label name optional" },
  onevent: { children: TASK, attributes: "type" },
  postfield: { children: "", attributes: "name value" },
  go: {
    children: "postfield setvar",
    attributes: "href sendreferer method enctype cache-control accept-charset",
  },
  prev: { children: "setvar", attributes: "" },
  refresh: { children: "setvar", attributes: "" },
  noop: { children: "", attributes: "" },
  setvar: { children: "", attributes: "name value" },
  select: {
    children: "optgroup option",
    attributes: "title name value iname ivalue multiple tabindex",
  },
  optgroup: { children: "optgroup option", attributes: "title" },
  option: { children: "onevent", attributes: "value title onpick", text: true },
  input: {
    children: "",
    attributes: "name type value format emptyok size maxlength tabindex title accesskey",
  },
  fieldset: { children: INSIDE_P, attributes: "title", text: true },
  timer: { children: "", attributes: "name value" },
  img: { children: "", attributes: "alt src localsrc vspace hspace align height width" },
  anchor: { children: `br img ${TASK}`, attributes: "title accesskey", text: true },
  a: { children: "br img", attributes: "href title accesskey", text: true },
  table: { children: "tr", attributes: "title align columns" },
  tr: { children: "td", attributes: "" },
  td: { children: FLOW, attributes: "", text: true },
  em: emphasised,
  strong: emphasised,
  b: emphasised,
  i: emphasised,
  u: emphasised,
  big: emphasised,
  small: emphasised,
  br: { children: "", attributes: "" },
  p: { children: INSIDE_P, attributes: "align mode", text: true },
  pre: { children: "a anchor br i b em strong input select do", attributes: "xml:space", text: true },
};
const COMMON = ["id", "class", "xml:lang"];
const REQUIRED: Readonly<Record<string, string>> = {
  do: "type",
  onevent: "type",
  postfield: "name value",
  go: "href",
  setvar: "name value",
  input: "name",
  timer: "value",
  img: "alt src",
  a: "href",
  table: "columns",
  meta: "content",
};

/** Whether text may stand in an element; elsewhere white space between elements says nothing. */
export const holdsText = (name: string): boolean => RULES[name]?.text === true;

/** Attributes in which references to variables are read (`%vdata;` and `%HREF;` in the DTD). */
export const holdsVariables = (element: string, attribute: string): boolean =>
  ["title", "label", "value", "href", "alt", "src", "ivalue", "onpick"].includes(attribute) ||
  ["onenterforward", "onenterbackward", "ontimer"].includes(attribute) ||
  (attribute === "name" && (element === "setvar" || element === "postfield"));

/** Attributes that hold an address: a variable is escaped there where nothing else is said (§10.3.4). */
export const isAddress = (attribute: string): boolean =>
  ["href", "src", "onpick", "onenterforward", "onenterbackward", "ontimer"].includes(attribute);

/** @throws DecodeError at the element that must not stand there, or lacks what it needs */
export function checkDeck(root: XmlElement): void {
  if (root.name !== "wml") throw new DecodeError(`${nameOf(root)} as the root of a deck`, root.at ?? 0);
  if (!childrenOf(root).some(({ name }) => name === "card")) {
    throw new DecodeError("a deck without a card", root.at ?? 0);
  }
  checkElement(root);
}

function checkElement(element: XmlElement): void {
  const rule = RULES[element.name];
  const at = element.at ?? 0;
  if (!rule) throw new DecodeError(`WML has no element ${nameOf(element)}`, at);
  for (const { name } of element.attributes) {
    if (!rule.attributes.split(" ").includes(name) && !COMMON.includes(name)) {
      throw new DecodeError(`${element.name} has no attribute ${name.slice(0, 40)}`, at);
    }
  }
  for (const name of (REQUIRED[element.name] ?? "").split(" ").filter(Boolean)) {
    if (attributeOf(element, name) === undefined)
      throw new DecodeError(`${element.name} without ${name}`, at);
  }
  const allowed = rule.children.split(" ");
  for (const part of element.content) {
    if (typeof part === "string") {
      if (!rule.text && part.trim() !== "") throw new DecodeError(`text inside ${element.name}`, at);
    } else if (!allowed.includes(part.name)) {
      throw new DecodeError(`${nameOf(part)} inside ${element.name}`, part.at ?? at);
    } else {
      checkElement(part);
    }
  }
  if (["wml", "card"].includes(element.name)) checkOrder(element, allowed);
  const tasks = childrenOf(element).filter(({ name }) => TASK.split(" ").includes(name));
  if (["do", "onevent", "anchor"].includes(element.name) && tasks.length !== 1) {
    throw new DecodeError(`${element.name} with ${tasks.length} tasks`, at);
  }
}

/** `head?, template?, card+` and `onevent*, timer?, (do | p | pre)*`. */
function checkOrder(element: XmlElement, order: readonly string[]): void {
  const rankOf = (name: string): number =>
    name === "p" || name === "pre" ? order.indexOf("do") : order.indexOf(name);
  let last = 0;
  for (const child of childrenOf(element)) {
    const rank = rankOf(child.name);
    if (rank < last) throw new DecodeError(`${child.name} too late inside ${element.name}`, child.at ?? 0);
    last = rank;
  }
}

const nameOf = ({ name }: XmlElement): string => name.slice(0, 40);
