/**
 * A page of HTML as a small browser of an old phone shows it: texts, links, one form, buttons. Forgiving as browsers are, for
 * simulated phones alone: it reads the pages of the road, and no more of HTML than they have.
 */
import {
  type Action,
  type Choice,
  checkScreen,
  type Entry,
  type Field,
  type FieldKind,
  FLAG_SET,
  type Form,
  isSafeHref,
  SCREEN_LIMITS,
  type Screen,
} from "../../wire/screen/screen.ts";

const TOKEN = /<!--[\s\S]*?-->|<!?(\/?)([A-Za-z][A-Za-z0-9]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>|[^<]+|</g;
const ATTRIBUTE = /([A-Za-z_:][\w:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};
const PAGE_CHARACTERS_MAX = 400_000;
const BLOCKS = [
  "p",
  "div",
  "h1",
  "h2",
  "li",
  "br",
  "form",
  "nav",
  "legend",
  "label",
  "fieldset",
  "ul",
  "small",
];
const HIDDEN = ["style", "script", "title"];
const KIND_OF_TYPE: Readonly<Record<string, FieldKind>> = {
  tel: "phone",
  email: "email",
  password: "secret",
  date: "date",
};

type Attributes = Readonly<Record<string, string>>;
type OpenForm = { action: string; fields: Field[]; hidden: Record<string, string>; submit: string };

/** @throws ScreenError: a page that is more than a screen holds */
export function readHtmlPage(html: string): Screen {
  const reader = new PageReader();
  for (const [token, close, name, attributes] of html.slice(0, PAGE_CHARACTERS_MAX).matchAll(TOKEN)) {
    if (name === undefined) {
      if (!token.startsWith("<!--")) reader.text(token);
    } else if (close) reader.close(name.toLowerCase());
    else reader.open(name.toLowerCase(), attributesIn(attributes ?? ""));
  }
  return checkScreen(reader.screen());
}

class PageReader {
  readonly #paragraphs: string[] = [];
  readonly #entries: Entry[] = [];
  readonly #forms: OpenForm[] = [];
  readonly #labels = new Map<string, string>();
  #line = "";
  #title = "";
  #lang = "en";
  #refreshSeconds: number | undefined;
  #inside: string | undefined;
  #link: { href: string; label: string; numbered: boolean } | undefined;
  #label: { target: string; text: string } | undefined;
  #button: string | undefined;
  #form: OpenForm | undefined;
  #select: { name: string; id: string; value: string | undefined; choices: Choice[] } | undefined;
  #option: { value: string; label: string } | undefined;

  text(raw: string): void {
    const text = plainText(raw);
    if (this.#inside === "title") this.#title += text;
    if (this.#inside !== undefined) return;
    if (this.#option) this.#option.label += text;
    else if (this.#button !== undefined) this.#button += text;
    else if (this.#label) this.#label.text += text;
    else if (this.#link) this.#link.label += text;
    else this.#line += text;
  }

  open(name: string, attributes: Attributes): void {
    if (HIDDEN.includes(name)) this.#inside = name;
    if (BLOCKS.includes(name) && !this.#link && !this.#label) this.#endLine();
    switch (name) {
      case "html":
        this.#lang = attributes.lang ?? attributes["xml:lang"] ?? "en";
        break;
      case "meta":
        if (attributes["http-equiv"] === "refresh")
          this.#refreshSeconds = Number.parseInt(attributes.content ?? "", 10);
        break;
      case "a":
        this.#link = { href: attributes.href ?? "", label: "", numbered: attributes.accesskey !== undefined };
        break;
      case "form":
        this.#form = { action: attributes.action ?? "", fields: [], hidden: {}, submit: "" };
        break;
      case "label":
        this.#label = { target: attributes.for ?? "", text: "" };
        break;
      case "button":
        this.#button = "";
        break;
      case "input":
        this.#input(attributes);
        break;
      case "select":
        this.#select = {
          name: attributes.name ?? "",
          id: attributes.id ?? "",
          value: undefined,
          choices: [],
        };
        break;
      case "option":
        this.#option = { value: attributes.value ?? "", label: "" };
        if (this.#select && attributes.selected !== undefined) this.#select.value = attributes.value;
        break;
    }
  }

  close(name: string): void {
    if (this.#inside === name) this.#inside = undefined;
    if (name === "a") this.#endLink();
    if (name === "label" && this.#label) {
      this.#labels.set(this.#label.target, this.#label.text.trim());
      this.#label = undefined;
    }
    if (name === "option" && this.#option) {
      this.#select?.choices.push({ value: this.#option.value, label: this.#option.label.trim() || "-" });
      this.#option = undefined;
    }
    if (name === "select") this.#endSelect();
    if (name === "button" && this.#button !== undefined) {
      if (this.#form) this.#form.submit = this.#button.trim();
      this.#button = undefined;
    }
    if (name === "form" && this.#form) {
      this.#forms.push(this.#form);
      this.#form = undefined;
    }
    if (BLOCKS.includes(name) && !this.#link && !this.#label) this.#endLine();
  }

  screen(): Screen {
    this.#endLine();
    const filled = this.#forms.find(({ fields }) => fields.length > 0);
    const form = filled && this.#formOf(filled);
    const actions: Action[] = this.#forms
      .filter((one) => one !== filled && isSafeHref(one.action))
      .slice(0, SCREEN_LIMITS.actions)
      .map(({ action, hidden, submit }) => ({
        role: "more",
        label: submit || "OK",
        href: action,
        method: "post",
        hidden,
      }));
    const title = this.#title.trim() || "-";
    return {
      id: "page",
      title: title.slice(0, SCREEN_LIMITS.title),
      lang: this.#lang,
      text: this.#paragraphs.filter((text) => text !== title).slice(0, SCREEN_LIMITS.paragraphs),
      entries: this.#entries.slice(0, SCREEN_LIMITS.entries),
      actions,
      ...(form ? { form } : {}),
      ...(this.#refreshSeconds ? { refreshSeconds: this.#refreshSeconds } : {}),
    };
  }

  #formOf({ action, fields, hidden, submit }: OpenForm): Form {
    const labelled = fields.map((field): Field => {
      const label = this.#labels.get(field.label) || field.name;
      const choices = field.choices?.map((choice) => ({
        ...choice,
        label: this.#labels.get(choice.label) || choice.label,
      }));
      return { ...field, label, ...(choices ? { choices } : {}) };
    });
    return { action, submit: submit || "OK", fields: labelled, hidden };
  }

  /** The label of a field is its id until all labels were read. */
  #input(attributes: Attributes): void {
    const { type = "text", name = "", value = "", id = "" } = attributes;
    const form = this.#form;
    if (!form) return;
    const required = attributes.required !== undefined;
    if (type === "hidden") form.hidden[name] = value;
    else if (type === "submit") form.submit = value;
    else if (type === "radio")
      this.#radio(form, name, { value, label: id }, required, attributes.checked !== undefined);
    else if (type === "checkbox")
      form.fields.push({
        name,
        label: id,
        kind: "flag",
        required,
        value: attributes.checked === undefined ? "" : FLAG_SET,
      });
    else {
      const kind = KIND_OF_TYPE[type] ?? (attributes.inputmode === "numeric" ? "digits" : "text");
      const maxLength = Number(attributes.maxlength);
      form.fields.push({ name, label: id, kind, required, value, ...(maxLength > 0 ? { maxLength } : {}) });
    }
  }

  #radio(form: OpenForm, name: string, choice: Choice, required: boolean, isChecked: boolean): void {
    const at = form.fields.findIndex((field) => field.name === name);
    const before = form.fields[at];
    const value = isChecked ? { value: choice.value } : {};
    if (!before)
      form.fields.push({ name, label: name, kind: "choice", required, choices: [choice], ...value });
    else form.fields[at] = { ...before, choices: [...(before.choices ?? []), choice], ...value };
  }

  #endSelect(): void {
    const select = this.#select;
    this.#select = undefined;
    if (!select || !this.#form) return;
    const choices = select.choices.filter(({ value }) => value !== "");
    const required = choices.length === select.choices.length;
    const { name, id, value } = select;
    this.#form.fields.push({
      name,
      label: id,
      kind: "choice",
      required,
      choices,
      ...(value === undefined ? {} : { value }),
    });
  }

  #endLink(): void {
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    const label = link.label
      .trim()
      .replace(link.numbered ? /^\d+ / : /^$/, "")
      .slice(0, SCREEN_LIMITS.label);
    if (label !== "" && isSafeHref(link.href)) this.#entries.push({ label, href: link.href });
  }

  #endLine(): void {
    const line = this.#line.trim();
    this.#line = "";
    if (line !== "") this.#paragraphs.push(line.slice(0, SCREEN_LIMITS.paragraph));
  }
}

function attributesIn(text: string): Attributes {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = "", ...values]) => [
      name.toLowerCase(),
      plainText(values.find((value) => value !== undefined) ?? "", false),
    ]),
  );
}

function plainText(text: string, collapses = true): string {
  const plain = text.replace(
    /&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([A-Za-z]{2,8}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
  return collapses ? plain.replace(/\s+/g, " ") : plain;
}
