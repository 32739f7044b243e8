/**
 * A screen as a page of HTML5 for today's phones, without a script: every step is a link or a form.
 * Labels are tied to their fields, what was wrong stands above the form and is announced, notes are tied to fields.
 */
import { element, htmlText, type XmlContent, type XmlElement } from "../xml/tree.ts";
import { HTML_STYLE } from "./html-style.ts";
import { initialValueOf, maxLengthOf } from "./input.ts";
import {
  type Action,
  checkScreen,
  type Entry,
  type Field,
  FLAG_SET,
  type Form,
  type Screen,
} from "./screen.ts";
import { ENGLISH, type ScreenWords } from "./words.ts";

/** What goes on the page beside the screen. */
export type HtmlOptions = {
  /** What was wrong with the last answer, in words for the person. */
  readonly problem?: string;
  /** The fields it was about: their notes say what was wrong, and are announced with them. */
  readonly problemFields?: readonly string[];
  readonly words?: ScreenWords;
};

/** @throws ScreenError: a broken limit */
export function renderHtml(screen: Screen, options: HtmlOptions = {}): string {
  const { title, lang, text, entries, form, actions, refreshSeconds } = checkScreen(screen);
  // A page that reloads would drop what was typed.
  const refresh = refreshSeconds !== undefined && !form ? refreshSeconds : undefined;
  const main = element(
    "main",
    {},
    element("h1", {}, title),
    // A status that changes is read out when it does.
    element(
      "div",
      refresh ? { role: "status" } : {},
      text.map((one) => element("p", {}, one)),
    ),
    options.problem
      ? element("p", { class: "wrong", role: "alert", id: "problem" }, options.problem)
      : undefined,
    entries.length > 0 ? element("ul", {}, entries.map(entryOf)) : undefined,
    form ? formOf(form, options) : undefined,
    actionsOf(actions, form ? [] : entries.length > 0 ? ["accept"] : ["accept", "more"]),
  );
  const head = refresh
    ? [element("meta", { "http-equiv": "refresh", content: refreshOf(refresh, actions) })]
    : [];
  return htmlPage({ title, lang, head, body: [main] });
}

/** A page in the look of all pages, around what stands in its body. */
export function htmlPage(page: {
  readonly title: string;
  readonly lang: string;
  readonly body: readonly XmlElement[];
  /** What goes into the head beside what every page has. */
  readonly head?: readonly XmlElement[];
}): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("meta", { name: "referrer", content: "no-referrer" }),
    page.head ?? [],
    element("title", {}, page.title),
    element("style", {}, HTML_STYLE),
  );
  const html = element("html", { lang: page.lang }, head, element("body", {}, page.body));
  return `<!DOCTYPE html>\n${htmlText(html)}\n`;
}

/** By the address of its own step, where it has one: a page that answered a POST cannot be asked for again. */
export function refreshOf(seconds: number, actions: readonly Action[]): string {
  const again = actions.find(({ role, method }) => role === "refresh" && method !== "post");
  return again ? `${seconds}; url=${again.href}` : String(seconds);
}

function entryOf({ label, note, href, lead }: Entry): XmlElement {
  const words = element("span", {}, element("b", {}, label), note ? element("small", {}, note) : undefined);
  return element("li", {}, element("a", { class: lead ? "entry lead" : "entry", href }, words));
}

function formOf(form: Form, options: HtmlOptions): XmlElement {
  return element(
    "form",
    {
      class: "sheet",
      method: "post",
      action: form.action,
      "accept-charset": "utf-8",
      "aria-describedby": options.problem ? "problem" : undefined,
    },
    hiddenOf(form.hidden),
    form.fields.map((field, index) => fieldOf(field, index, options)),
    element("button", { type: "submit", class: "lead" }, form.submit),
  );
}

/** So many choices stand open as radio buttons; more are a list to open. */
const RADIOS_MAX = 6;

function fieldOf(field: Field, index: number, options: HtmlOptions): XmlElement {
  const id = `field-${index}`;
  const note = field.note ? element("p", { class: "note", id: `${id}-note` }, field.note) : undefined;
  const about = {
    "aria-describedby": note ? `${id}-note` : undefined,
    "aria-invalid": options.problem && options.problemFields?.includes(field.name) ? "true" : undefined,
  };
  if (field.kind === "flag") {
    const tick = element("input", {
      id,
      name: field.name,
      type: "checkbox",
      value: FLAG_SET,
      checked: field.value === FLAG_SET,
      required: field.required,
      ...about,
    });
    return element(
      "div",
      { class: "field" },
      element("label", { class: "tick", for: id }, tick, field.label),
      note,
    );
  }
  const label = labelOf(field, options.words ?? ENGLISH);
  if (field.kind === "choice" && (field.choices ?? []).length <= RADIOS_MAX) {
    const radios = (field.choices ?? []).map((choice, at) => radioOf(field, choice, `${id}-${at}`));
    return element("fieldset", { class: "field", ...about }, element("legend", {}, label), radios, note);
  }
  const control = field.kind === "choice" ? selectOf(field, id, about) : inputOf(field, id, about);
  return element("div", { class: "field" }, element("label", { for: id }, label), control, note);
}

const labelOf = (field: Field, words: ScreenWords): XmlContent[] =>
  field.required
    ? [field.label]
    : [field.label, " ", element("span", { class: "optional" }, `(${words.optional})`)];

type About = Readonly<Record<string, string | undefined>>;

function radioOf(field: Field, choice: { value: string; label: string }, id: string): XmlElement {
  const radio = element("input", {
    id,
    name: field.name,
    type: "radio",
    value: choice.value,
    checked: field.value === choice.value,
    required: field.required,
  });
  return element("label", { class: "tick", for: id }, radio, choice.label);
}

function selectOf(field: Field, id: string, about: About): XmlElement {
  const { name, required, value, choices = [] } = field;
  const options = choices.map((choice) =>
    element("option", { value: choice.value, selected: choice.value === value }, choice.label),
  );
  const none = element("option", { value: "" }, "\u2013");
  return element("select", { id, name, required, ...about }, none, options);
}

function inputOf(field: Field, id: string, about: About): XmlElement {
  const { type, inputmode, pattern } = INPUT_OF[field.kind];
  return element("input", {
    id,
    name: field.name,
    type,
    inputmode: DIGIT_SECRETS.includes(field.name) ? "numeric" : inputmode,
    pattern,
    autocomplete: AUTOCOMPLETE[field.name.replace(/^u_/, "")] ?? AUTOCOMPLETE_OF_KIND[field.kind],
    minlength: type === "date" ? undefined : field.minLength,
    maxlength: type === "date" ? undefined : maxLengthOf(field),
    required: field.required,
    value: initialValueOf(field) || undefined,
    ...about,
  });
}

type Input = { readonly type: string; readonly inputmode?: string; readonly pattern?: string };
const INPUT_OF: Readonly<Record<Field["kind"], Input>> = {
  text: { type: "text" },
  digits: { type: "text", inputmode: "numeric", pattern: "[0-9]*" },
  phone: { type: "tel" },
  email: { type: "email" },
  secret: { type: "password" },
  date: { type: "date" },
  choice: { type: "text" },
  flag: { type: "checkbox" },
};
const AUTOCOMPLETE_OF_KIND: Readonly<Partial<Record<Field["kind"], string>>> = {
  phone: "tel",
  email: "email",
  secret: "off",
};
/** Names that the forms of the flow use (a user's begin with `u_`), in the words of the HTML standard. */
const AUTOCOMPLETE: Readonly<Record<string, string>> = {
  givenName: "given-name",
  familyName: "family-name",
  birthdate: "bday",
  streetName: "address-line1",
  postalCode: "postal-code",
  locality: "address-level2",
  country: "country",
  c_number: "cc-number",
  c_expiry: "cc-exp",
  c_code: "cc-csc",
  code: "one-time-code",
};
/** Secrets of digits alone: a phone shows its number pad. */
const DIGIT_SECRETS: readonly string[] = ["c_number", "c_code"];

/** What leads on is a button, what leads aside a link below. */
const ASIDE = ["back", "help", "home"];

/** `leading`: what stands out, where neither a form nor a list does. */
function actionsOf(actions: readonly Action[], leading: readonly Action["role"][]): XmlElement | undefined {
  if (actions.length === 0) return undefined;
  const isLink = ({ role, method }: Action): boolean => ASIDE.includes(role) && method !== "post";
  const buttons = actions.filter((action) => !isLink(action)).map((action) => buttonOf(action, leading));
  const links = actions.filter(isLink).map(({ href, label }) => element("a", { href }, label));
  return element(
    "div",
    { class: "actions" },
    buttons,
    links.length > 0 ? element("nav", {}, links) : undefined,
  );
}

function buttonOf(
  { role, label, href, method, hidden = {} }: Action,
  leading: readonly Action["role"][],
): XmlElement {
  const look = leading.includes(role) ? "lead" : undefined;
  if (method !== "post") return element("a", { class: look ? "button lead" : "button", href }, label);
  return element(
    "form",
    { method: "post", action: href, "accept-charset": "utf-8" },
    hiddenOf(hidden),
    element("button", { type: "submit", class: look }, label),
  );
}

const hiddenOf = (hidden: Readonly<Record<string, string>>): XmlElement[] =>
  Object.entries(hidden).map(([name, value]) => element("input", { type: "hidden", name, value }));
