/**
 * A screen between our own parties, as XML: `application/vnd.turnup.screen+xml`, for devices that read XML and no JSON.
 *
 *   <screen xmlns="urn:turnup:screen:1" id title lang refresh?>
 *     <text>...</text>*  <entry href label note? lead?/>*
 *     <form action submit?> <hidden name value/>* <field name label kind required min? max? value? note?>
 *       <choice value label/>* </field>* </form>?
 *     <action role label href method?> <hidden name value/>* </action>*
 *   </screen>
 */
import { optionalMember } from "../../term/record.ts";
import { DecodeError } from "../decode-error.ts";
import { attributeOf, childrenOf } from "../wbxml/element.ts";
import { readXml } from "../xml/read.ts";
import { element, type XmlElement, xmlText } from "../xml/tree.ts";
import {
  ACTION_ROLES,
  type Action,
  checkScreen,
  type Entry,
  FIELD_KINDS,
  type Field,
  type Form,
  type Screen,
} from "./screen.ts";

const NAMESPACE = "urn:turnup:screen:1";

/** @throws ScreenError: a broken limit */
export function encodeScreenXml(screen: Screen): string {
  const { id, title, lang, text, entries, form, actions, refreshSeconds } = checkScreen(screen);
  const root = element(
    "screen",
    { xmlns: NAMESPACE, id, title, lang, refresh: refreshSeconds },
    text.map((one) => element("text", {}, one)),
    entries.map(({ href, label, note, lead }) =>
      element("entry", { href, label, note, lead: lead === undefined ? undefined : String(lead) }),
    ),
    form ? formElement(form) : undefined,
    actions.map(({ role, label, href, method, hidden }) =>
      // A POST without hidden values and one with none of them are told apart by the empty list alone, which says nothing.
      element("action", { role, label, href, method }, hiddenElements(hidden ?? {})),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(root)}`;
}

function formElement({ action, submit, fields, hidden }: Form): XmlElement {
  const drawn = fields.map((field) => {
    const { name, label, kind, required, minLength, maxLength, value, note, choices = [] } = field;
    return element(
      "field",
      { name, label, kind, required: String(required), min: minLength, max: maxLength, value, note },
      choices.map((choice) => element("choice", { value: choice.value, label: choice.label })),
    );
  });
  return element("form", { action, submit }, hiddenElements(hidden), drawn);
}

const hiddenElements = (hidden: Readonly<Record<string, string>>): XmlElement[] =>
  Object.entries(hidden).map(([name, value]) => element("hidden", { name, value }));

/** @throws DecodeError with the octet: no XML, or another document; ScreenError: a broken limit */
export function decodeScreenXml(bytes: Uint8Array): Screen {
  const { root } = readXml(bytes);
  if (root.name !== "screen" || attributeOf(root, "xmlns") !== NAMESPACE) {
    throw new DecodeError("another document than a screen", root.at ?? 0);
  }
  only(root, ["xmlns", "id", "title", "lang", "refresh"], ["text", "entry", "form", "action"]);
  const forms = named(root, "form");
  if (forms.length > 1) throw new DecodeError("more than one form", forms[1]?.at ?? 0);
  const refresh = maybeNumber(root, "refresh");
  return checkScreen({
    id: must(root, "id"),
    title: must(root, "title"),
    lang: must(root, "lang"),
    text: named(root, "text").map(plainText),
    entries: named(root, "entry").map(entryOf),
    ...(forms[0] ? { form: formOf(forms[0]) } : {}),
    actions: named(root, "action").map(actionOf),
    ...(refresh === undefined ? {} : { refreshSeconds: refresh }),
  });
}

function entryOf(entry: XmlElement): Entry {
  only(entry, ["href", "label", "note", "lead"], []);
  return {
    label: must(entry, "label"),
    ...maybe("note", entry, "note"),
    href: must(entry, "href"),
    ...(attributeOf(entry, "lead") === undefined
      ? {}
      : { lead: oneOf(entry, "lead", ["true", "false"]) === "true" }),
  };
}

function formOf(form: XmlElement): Form {
  only(form, ["action", "submit"], ["hidden", "field"]);
  return {
    action: must(form, "action"),
    submit: must(form, "submit"),
    fields: named(form, "field").map(fieldOf),
    hidden: hiddenOf(form),
  };
}

function fieldOf(field: XmlElement): Field {
  only(field, ["name", "label", "kind", "required", "min", "max", "value", "note"], ["choice"]);
  const choices = named(field, "choice").map((choice) => {
    only(choice, ["value", "label"], []);
    return { value: must(choice, "value"), label: must(choice, "label") };
  });
  const minLength = maybeNumber(field, "min");
  const maxLength = maybeNumber(field, "max");
  return {
    name: must(field, "name"),
    label: must(field, "label"),
    kind: oneOf(field, "kind", FIELD_KINDS),
    required: oneOf(field, "required", ["true", "false"]) === "true",
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...maybe("value", field, "value"),
    ...(choices.length > 0 ? { choices } : {}),
    ...maybe("note", field, "note"),
  };
}

function actionOf(action: XmlElement): Action {
  only(action, ["role", "label", "href", "method"], ["hidden"]);
  const hidden = hiddenOf(action);
  return {
    role: oneOf(action, "role", ACTION_ROLES),
    label: must(action, "label"),
    href: must(action, "href"),
    ...(attributeOf(action, "method") === undefined
      ? {}
      : { method: oneOf(action, "method", ["get", "post"] as const) }),
    ...(Object.keys(hidden).length > 0 ? { hidden } : {}),
  };
}

function hiddenOf(parent: XmlElement): Record<string, string> {
  const pairs = named(parent, "hidden").map((one) => {
    only(one, ["name", "value"], []);
    return [must(one, "name"), must(one, "value")] as const;
  });
  const twice = named(parent, "hidden")[
    pairs.findIndex(([name], at) => pairs.findIndex(([n]) => n === name) < at)
  ];
  if (twice) throw new DecodeError("a hidden name twice", twice.at ?? 0);
  return Object.fromEntries(pairs);
}

/** Refuses what the form does not name, and text where none belongs. */
function only(parent: XmlElement, attributes: readonly string[], children: readonly string[]): void {
  const at = parent.at ?? 0;
  const stray = parent.attributes.find(({ name }) => !attributes.includes(name));
  if (stray) throw new DecodeError(`${parent.name} has no attribute ${stray.name.slice(0, 40)}`, at);
  for (const part of parent.content) {
    if (typeof part === "string") {
      if (part.trim() !== "") throw new DecodeError(`text inside ${parent.name}`, at);
    } else if (!children.includes(part.name)) {
      throw new DecodeError(`${part.name.slice(0, 40)} inside ${parent.name}`, part.at ?? at);
    }
  }
}

function plainText(parent: XmlElement): string {
  if (parent.attributes.length > 0 || childrenOf(parent).length > 0) {
    throw new DecodeError(`more than text inside ${parent.name}`, parent.at ?? 0);
  }
  return parent.content.join("");
}

const named = (parent: XmlElement, name: string): XmlElement[] =>
  childrenOf(parent).filter((child) => child.name === name);

function must(parent: XmlElement, name: string): string {
  const value = attributeOf(parent, name);
  if (value === undefined) throw new DecodeError(`${parent.name} without ${name}`, parent.at ?? 0);
  return value;
}

function maybe<K extends string>(key: K, parent: XmlElement, name: string): { readonly [k in K]?: string } {
  return optionalMember(key, attributeOf(parent, name));
}

function maybeNumber(parent: XmlElement, name: string): number | undefined {
  const value = attributeOf(parent, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,6}$/.test(value))
    throw new DecodeError(`${name} of ${parent.name} is no number`, parent.at ?? 0);
  return Number(value);
}

function oneOf<Word extends string>(parent: XmlElement, name: string, words: readonly Word[]): Word {
  const value = must(parent, name);
  const word = words.find((known) => known === value);
  if (word === undefined)
    throw new DecodeError(`${name} of ${parent.name} is none of ${words.join(", ")}`, parent.at ?? 0);
  return word;
}
