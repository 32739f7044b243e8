/** One card laid out as a screen, with the tasks behind its links and keys. Source: WAP-238-WML §9-§12. */
import {
  type Action,
  type Entry,
  type Field,
  type FieldKind,
  FLAG_SET,
  isFieldName,
  isSafeHref,
  SCREEN_LIMITS,
  type Screen,
} from "../screen/screen.ts";
import { attributeOf, childrenOf } from "../wbxml/element.ts";
import type { XmlElement } from "../xml/tree.ts";
import { isSame, NOTHING, plainGo, taskOf, type WmlTask } from "./task.ts";
import { substituted, type Variables } from "./variables.ts";

/** A card as it is shown; `task-N` in an address is place N of `tasks`. */
export type WmlView = {
  readonly card: string;
  readonly screen: Screen;
  readonly tasks: readonly WmlTask[];
  /** After what the card sets when it is entered. */
  readonly variables: Variables;
  /** A timer's end: after so long, this task. */
  readonly timer?: { readonly tenths: number; readonly task: number };
};

type Link = { readonly label: string; readonly task: WmlTask };

/** Lays out one card, once: `view` is called a single time. */
export class CardReader {
  readonly #card: XmlElement;
  readonly #template: XmlElement | undefined;
  readonly #lang: string;
  readonly #variables: Variables;
  readonly #paragraphs: string[] = [];
  readonly #links: Link[] = [];
  readonly #fields: Field[] = [];
  readonly #keys: { readonly type: string; readonly link: Link }[] = [];
  readonly #tasks: WmlTask[] = [];
  #line = "";
  #characters = 0;

  constructor(card: XmlElement, template: XmlElement | undefined, lang: string, variables: Variables) {
    this.#card = card;
    this.#template = template;
    this.#lang = lang;
    this.#variables = variables;
  }

  view(): WmlView {
    for (const part of childrenOf(this.#card)) {
      if (part.name === "do") this.#key(part);
      else if (part.name === "p" || part.name === "pre") this.#paragraph(part);
    }
    for (const part of this.#template ? childrenOf(this.#template) : []) {
      const type = attributeOf(part, "type");
      // A card's own key of a type hides the template's (§9.9.4).
      if (part.name === "do" && !this.#keys.some((key) => key.type === type)) this.#key(part);
    }
    const submit = this.#takeSubmit();
    const screen = this.#screen(submit);
    const timer = this.#timer();
    return {
      card: attributeOf(this.#card, "id") ?? "",
      screen,
      tasks: this.#tasks,
      variables: this.#variables,
      ...(timer ? { timer } : {}),
    };
  }

  #paragraph(parent: XmlElement): void {
    this.#inside(parent);
    this.#endLine();
  }

  #inside(parent: XmlElement): void {
    for (const part of parent.content) {
      if (typeof part === "string") this.#line += this.#replaced(part);
      else this.#element(part);
    }
  }

  #element(part: XmlElement): void {
    switch (part.name) {
      case "br":
      case "tr":
        this.#endLine();
        this.#inside(part);
        return;
      case "a":
        this.#links.push(this.#linkOf(part, plainGo(attributeOf(part, "href") ?? "")));
        return;
      case "anchor":
        this.#links.push(this.#linkOf(part, taskOf(part)));
        return;
      case "do":
        this.#key(part);
        return;
      case "input":
      case "select":
        this.#field(part);
        return;
      case "img":
        this.#line += this.#replaced(attributeOf(part, "alt") ?? "");
        return;
      case "td":
        this.#inside(part);
        this.#line += " ";
        return;
      default:
        this.#inside(part);
    }
  }

  #linkOf(part: XmlElement, task: WmlTask): Link {
    const plain = this.#replaced(textIn(part)).replace(/\s+/g, " ").trim();
    // The number of a list's entry is drawn by whoever shows it.
    const label = plain.replace(/^\d{1,3} (?=\S)/, "");
    return { label, task };
  }

  #key(part: XmlElement): void {
    const task = taskOf(part);
    const type = attributeOf(part, "type") ?? "";
    if (task.kind === "noop" || this.#keys.some((key) => key.type === type)) return;
    const label = this.#replaced(attributeOf(part, "label") ?? "") || type;
    this.#keys.push({ type, link: { label, task } });
  }

  /** A field's label is the text before it on its line. */
  #field(part: XmlElement): void {
    const name = attributeOf(part, "name") ?? attributeOf(part, "iname") ?? "";
    if (!isFieldName(name) || this.#fields.some((field) => field.name === name)) return;
    const before = this.#line.trim().replace(/:$/, "");
    this.#line = "";
    const label = cut(
      before || this.#replaced(attributeOf(part, "title") ?? "") || name,
      SCREEN_LIMITS.label,
    );
    const set = Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined;
    const value = set || this.#replaced(attributeOf(part, "value") ?? "");
    const common = { name, label, ...(value === "" ? {} : { value: cut(value, SCREEN_LIMITS.value) }) };
    const field = part.name === "input" ? inputField(part, common) : this.#selectField(part, common);
    if (field) this.#fields.push(field);
  }

  #selectField(part: XmlElement, common: FieldStart): Field | undefined {
    const choices = optionsOf(part).map((option) => ({
      value: this.#replaced(attributeOf(option, "value") ?? ""),
      label: cut(this.#replaced(textIn(option)), SCREEN_LIMITS.label),
    }));
    const [only] = choices;
    if (attributeOf(part, "multiple") === "true" && choices.length === 1 && only?.value === FLAG_SET) {
      return { ...common, kind: "flag", required: false };
    }
    const real = choices
      .filter(({ value }) => value !== "" && value === cut(value, SCREEN_LIMITS.value))
      .slice(0, SCREEN_LIMITS.choices);
    if (real.length === 0) return undefined;
    const required = choices.every(({ value }) => value !== "");
    const chosen = real.some(({ value }) => value === common.value);
    // A phone marks the first option where nothing is set (§11.6.2.1).
    const value = chosen ? common.value : required ? real[0]?.value : undefined;
    const { name, label } = common;
    return { name, label, kind: "choice", required, ...(value ? { value } : {}), choices: real };
  }

  /** The link or key that sends what was typed; a key to go on where none posts. */
  #takeSubmit(): Link | undefined {
    if (this.#fields.length === 0) return undefined;
    const posts = ({ task }: Link): boolean =>
      task.kind === "go" && task.method === "post" && this.#refersToField(task);
    const link = this.#links.find(posts);
    if (link) {
      this.#links.splice(this.#links.indexOf(link), 1);
      return link;
    }
    const key = this.#keys.find((one) => posts(one.link)) ?? this.#keys.find(({ type }) => type === "accept");
    if (key) {
      this.#keys.splice(this.#keys.indexOf(key), 1);
      // The same step as a link, for browsers that hide the key.
      const twin = this.#links.findIndex(({ task }) => isSame(task, key.link.task));
      if (twin >= 0) this.#links.splice(twin, 1);
    }
    return key?.link ?? { label: "OK", task: { kind: "noop" } };
  }

  #refersToField(task: WmlTask & { kind: "go" }): boolean {
    const text = [task.href, ...task.postfields.map(({ value }) => value)].join(" ");
    return this.#fields.some(({ name }) => text.includes(`$(${name}`) || text.includes(`$${name}`));
  }

  #screen(submit: Link | undefined): Screen {
    this.#endLine();
    const entries = this.#links
      .slice(0, SCREEN_LIMITS.entries)
      .map(
        ({ label, task }): Entry => ({ label: cut(label, SCREEN_LIMITS.label), href: this.#address(task) }),
      );
    // A key that does what a link does is not offered twice.
    const keys = this.#keys.filter(({ link }) => !this.#links.some(({ task }) => isSame(task, link.task)));
    const actions = keys.slice(0, SCREEN_LIMITS.actions).map(
      ({ type, link }): Action => ({
        role: type === "prev" ? "back" : type === "help" ? "help" : type === "accept" ? "accept" : "more",
        label: cut(link.label, SCREEN_LIMITS.label),
        href: this.#address(link.task),
      }),
    );
    const fields = this.#fields.slice(0, SCREEN_LIMITS.fields);
    return {
      id: "card",
      title: cut(this.#replaced(attributeOf(this.#card, "title") ?? ""), SCREEN_LIMITS.title),
      lang: this.#lang,
      text: this.#paragraphs.slice(0, SCREEN_LIMITS.paragraphs),
      entries,
      ...(submit
        ? {
            form: {
              action: this.#address(submit.task, true),
              submit: cut(submit.label, SCREEN_LIMITS.label),
              fields,
              hidden: {},
            },
          }
        : {}),
      actions,
    };
  }

  /** A plain link's own address; the number of any other task. */
  #address(task: WmlTask, always = false): string {
    const isPlain =
      task.kind === "go" &&
      task.method === "get" &&
      task.setvars.length === 0 &&
      task.postfields.length === 0;
    if (isPlain && !always) {
      const href = substituted(task.href, this.#variables, "address");
      if (isSafeHref(href)) return href;
    }
    this.#tasks.push(
      isPlain && !isSafeHref(substituted(task.href, this.#variables, "address")) ? NOTHING : task,
    );
    return `#task-${this.#tasks.length - 1}`;
  }

  #timer(): WmlView["timer"] {
    const timer = childrenOf(this.#card).find(({ name }) => name === "timer");
    const tenths = Number(this.#replaced(timer ? (attributeOf(timer, "value") ?? "") : ""));
    const onTimer = attributeOf(this.#card, "ontimer");
    const event = childrenOf(this.#card).find(
      (one) => one.name === "onevent" && attributeOf(one, "type") === "ontimer",
    );
    if (!timer || !Number.isInteger(tenths) || tenths <= 0 || (onTimer === undefined && !event))
      return undefined;
    this.#tasks.push(event ? taskOf(event) : plainGo(onTimer ?? ""));
    return { tenths, task: this.#tasks.length - 1 };
  }

  #replaced(text: string): string {
    return substituted(text, this.#variables, "text");
  }

  #endLine(): void {
    const line = this.#line.trim();
    this.#line = "";
    const room = Math.min(SCREEN_LIMITS.paragraph, SCREEN_LIMITS.text - this.#characters);
    if (line === "" || room < NAMELESS.length) return;
    const paragraph = cut(line, room);
    this.#characters += paragraph.length;
    this.#paragraphs.push(paragraph);
  }
}

/** One line of at most so many characters, and never half of one; a dot row where nothing is left. */
function cut(text: string, limit: number): string {
  const line = text.replace(/[\s\p{Cc}\ufffe\uffff]+/gu, " ").trim();
  return (
    line
      .slice(0, limit)
      .replace(/[\ud800-\udbff]$/, "")
      .trim() || NAMELESS
  );
}
const NAMELESS = "...";

type FieldStart = { readonly name: string; readonly label: string; readonly value?: string };

const KIND_OF_FORMAT: Readonly<Record<string, FieldKind>> = {
  "*N": "digits",
  "NNNN\\-NN\\-NN": "date",
  "*m": "email",
};

function inputField(part: XmlElement, common: FieldStart): Field {
  const format = attributeOf(part, "format") ?? "";
  const isSecret = attributeOf(part, "type") === "password";
  const maxLength = Number(attributeOf(part, "maxlength"));
  const { value, ...bare } = common;
  return {
    ...(isSecret || value === undefined ? bare : common),
    kind: isSecret ? "secret" : (KIND_OF_FORMAT[format] ?? "text"),
    required:
      attributeOf(part, "emptyok") === "false" || (format !== "" && attributeOf(part, "emptyok") !== "true"),
    ...(Number.isInteger(maxLength) && maxLength > 0 && maxLength <= SCREEN_LIMITS.value
      ? { maxLength }
      : {}),
  };
}

/** Text directly inside: of a link the words, of an option its label. */
const textIn = (part: XmlElement): string =>
  part.content.filter((one): one is string => typeof one === "string").join(" ");

const optionsOf = (parent: XmlElement): XmlElement[] =>
  childrenOf(parent).flatMap((child) => (child.name === "optgroup" ? optionsOf(child) : [child]));
