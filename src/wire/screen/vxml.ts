/**
 * A screen as VoiceXML 2.1, for callers: read out, answered by keys. Source: W3C VoiceXML 2.1 and its schema.
 *
 * A form asks field by field and posts; without a form, entries and actions are a menu of keys. Beside a form, actions are
 * star and a digit. Three times silence or a wrong key lead to an agent where there is one, else the call ends.
 * What cannot be keyed (a name, an e-mail address) is refused when it is required and has no value: `speaks` tells.
 */
import { element, type XmlContent, type XmlElement, xmlText } from "../xml/tree.ts";
import {
  type Action,
  checkScreen,
  type Field,
  FLAG_SET,
  type Form,
  type Screen,
  ScreenError,
} from "./screen.ts";

/** Of VoiceXML 2.0 and 2.1 alike. */
export const VXML_NAMESPACE = "http://www.w3.org/2001/vxml";

/** What is said around a screen, in its language. */
export type VoiceWords = {
  /** "{key}" and "{label}" are put in. */
  readonly press: string;
  readonly more: string;
  readonly optional: string;
  readonly date: string;
  readonly yesNo: string;
  /** Before the last digits of what was keyed. */
  readonly endsWith: string;
  readonly silence: string;
  readonly wrong: string;
  readonly agent: string;
  readonly goodbye: string;
};

const ENGLISH: VoiceWords = {
  press: "For {label}, press {key}.",
  more: "more",
  optional: "To leave this out, wait.",
  date: "Key eight digits: the year, the month, the day.",
  yesNo: "For yes press 1, for no press 2.",
  endsWith: "What you keyed ends with",
  silence: "Nothing was heard.",
  wrong: "That is not one of the choices.",
  agent: "You are connected to an agent.",
  goodbye: "Goodbye.",
};

/** What a call needs beside the screen. */
export type VxmlOptions = {
  /** Who takes over after three failures: "tel:+44...". */
  readonly transferTo?: string;
  readonly words?: VoiceWords;
};

/** Whether a caller can answer this screen by keys alone. */
export const speaks = ({ form }: Screen): boolean => (form?.fields ?? []).every(isSpoken);

const CANNOT_BE_KEYED: readonly Field["kind"][] = ["text", "email"];
const isSpoken = ({ kind, required, value }: Field): boolean =>
  !CANNOT_BE_KEYED.includes(kind) || !required || (value ?? "") !== "";

/** @throws ScreenError: a broken limit, or a required field that cannot be keyed */
export function renderVxml(screen: Screen, { transferTo, words = ENGLISH }: VxmlOptions = {}): string {
  const { lang, form } = checkScreen(screen);
  const mute = form?.fields.find((field) => !isSpoken(field));
  if (mute) throw new ScreenError(`form.${mute.name}`, "cannot be keyed on a telephone");
  const posts = screen.actions.flatMap((action, index) =>
    action.method === "post" ? [postForm(action, index)] : [],
  );
  const root = element(
    "vxml",
    { version: "2.1", xmlns: VXML_NAMESPACE, "xml:lang": lang },
    properties(),
    escalation(words),
    form ? [...links(screen.actions), formDialog(screen, form, words)] : menus(screen, words),
    posts,
    agent(transferTo, words),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(root)}`;
}

const PROPERTIES: Readonly<Record<string, string>> = {
  inputmodes: "dtmf",
  timeout: "5s",
  interdigittimeout: "3s",
  termchar: "#",
  fetchtimeout: "15s",
};
const properties = (): XmlElement[] =>
  Object.entries(PROPERTIES).map(([name, value]) => element("property", { name, value }));

/** Once and twice: say so and ask again. The third time: the agent. */
function escalation(words: VoiceWords): XmlElement[] {
  const handlers = (event: string, said: string): XmlElement[] => [
    element(event, { count: 1 }, prompt(said), element("reprompt")),
    element(event, { count: 3 }, element("goto", { next: "#agent" })),
  ];
  const failed = element("catch", { event: "error" }, element("goto", { next: "#agent" }));
  return [...handlers("noinput", words.silence), ...handlers("nomatch", words.wrong), failed];
}

function agent(transferTo: string | undefined, words: VoiceWords): XmlElement {
  if (!transferTo)
    return element("form", { id: "agent" }, block(prompt(words.goodbye), element("disconnect")));
  const transfer = element("transfer", { name: "agentCall", dest: transferTo, type: "blind" });
  return element("form", { id: "agent" }, block(prompt(words.agent)), transfer, block(element("disconnect")));
}

function formDialog(screen: Screen, form: Form, words: VoiceWords): XmlElement {
  const names = form.fields.map(({ name }) => name);
  const fixed = { ...form.hidden };
  for (const field of form.fields) {
    if (CANNOT_BE_KEYED.includes(field.kind)) fixed[field.name] = field.value ?? "";
  }
  const variables = Object.entries(fixed).map(([name, value]) =>
    element("var", { name, expr: script(value) }),
  );
  const asked = form.fields.filter(({ kind }) => !CANNOT_BE_KEYED.includes(kind));
  const held = asked.filter(isHeldApart).map(({ name }) => element("var", { name, expr: "''" }));
  const hints = screen.actions.map((action, index) => pressHint(action.label, `*${index + 1}`, words));
  const send = element("submit", {
    next: form.action,
    method: "post",
    namelist: [...names, ...Object.keys(form.hidden)].join(" ") || undefined,
    fetchtimeout: "15s",
  });
  return element(
    "form",
    { id: "form" },
    variables,
    held,
    block(prompt(...spoken(screen.title), ...screen.text.flatMap(pausedThen), ...hints)),
    asked.map((field) => fieldItem(field, words)),
    block(send),
  );
}

/** Where what was keyed is not yet what is sent. */
const isHeldApart = ({ kind }: Field): boolean => kind === "date" || kind === "flag";
const keyedName = ({ name }: Field): string => `${name}_keyed`;

function fieldItem(field: Field, words: VoiceWords): XmlElement {
  const { name, kind, required, choices = [], note, readBack } = field;
  const width = String(choices.length).length;
  const keyOf = (index: number): string => String(index + 1).padStart(width, "0");
  const options = choices.map(({ value, label }, index) =>
    element("option", { dtmf: keyOf(index).split("").join(" "), value }, label),
  );
  const item = isHeldApart(field) ? keyedName(field) : name;
  const said = [
    ...(readBack === undefined
      ? []
      : [...spoken(words.endsWith), lastOf(readBack), element("break", { time: "400ms" })]),
    ...spoken(field.label),
    ...(note ? pausedThen(note) : []),
    ...choices.map(({ label }, index) => pressHint(label, keyOf(index), words)),
    ...(kind === "date" ? pausedThen(words.date) : []),
    ...(kind === "flag" ? pausedThen(words.yesNo) : []),
    ...(required ? [] : pausedThen(words.optional)),
  ];
  return element(
    "field",
    { name: item, type: builtinOf(field) },
    prompt(...said),
    // Silence leaves an optional field out, rather than asking again.
    required ? undefined : element("noinput", {}, element("assign", { name: item, expr: "''" })),
    options,
    filledOf(field),
  );
}

/** So many digits of what was keyed are said again; the rest is nobody's to hear. */
const SAID_AGAIN = 4;
const lastOf = (name: string): XmlElement =>
  element(
    "say-as",
    { "interpret-as": "digits" },
    element("value", { expr: `String(${name}).slice(-${SAID_AGAIN}).split('').join(' ')` }),
  );

/** VoiceXML 2.0 appendix P: builtin types with the keys they take. */
function builtinOf({ kind, minLength, maxLength }: Field): string | undefined {
  if (kind === "choice") return undefined;
  if (kind === "date") return "date";
  if (kind === "flag") return "boolean?y=1;n=2";
  const bounds = [
    ...(minLength ? [`minlength=${minLength}`] : []),
    ...(maxLength ? [`maxlength=${maxLength}`] : []),
  ];
  return bounds.length > 0 ? `digits?${bounds.join(";")}` : "digits";
}

/** A date comes as yyyymmdd, a flag as true or false. */
function filledOf(field: Field): XmlElement | undefined {
  const keyed = keyedName(field);
  if (field.kind === "flag") {
    // Platforms give a boolean, or its text: only a true is a yes ("false" is a text that is not empty).
    return element("filled", {}, assign(field.name, `String(${keyed}) == 'true' ? '${FLAG_SET}' : ''`));
  }
  if (field.kind !== "date") return undefined;
  const parts = ["0, 4", "4, 6", "6, 8"].map((range) => `String(${keyed}).substring(${range})`);
  return element("filled", {}, assign(field.name, parts.join(" + '-' + ")));
}

const assign = (name: string, expr: string): XmlElement => element("assign", { name, expr });

/** Beside a form a bare digit is an answer, so actions begin with a star. */
const links = (actions: readonly Action[]): XmlElement[] =>
  actions.map((action, index) => element("link", { dtmf: `* ${index + 1}`, next: targetOf(action, index) }));

/** Keys 1 to 8; 9 leads to the next menu. */
const KEYS_OF_A_MENU = 8;
const MORE_KEY = 9;

type Branch = { readonly label: string; readonly next: string };

/** As many menus as the branches need, the texts before the first; without any the call ends behind the text. */
function menus({ title, text, entries, actions, refreshSeconds }: Screen, words: VoiceWords): XmlElement[] {
  const intro = [...spoken(title), ...text.flatMap(pausedThen)];
  const branches: Branch[] = [
    ...entries.map(({ label, note, href }) => ({ label: note ? `${label}, ${note}` : label, next: href })),
    ...actions.map((action, index) => ({ label: action.label, next: targetOf(action, index) })),
  ];
  if (branches.length === 0) {
    return [element("form", { id: "end" }, block(prompt(...intro), element("disconnect")))];
  }
  const refresh = actions.find(({ role, method }) => role === "refresh" && method !== "post");
  const turn = refresh && refreshSeconds ? { seconds: refreshSeconds, href: refresh.href } : undefined;
  const count = branches.length <= MORE_KEY ? 1 : Math.ceil(branches.length / KEYS_OF_A_MENU);
  return Array.from({ length: count }, (_, index) => {
    const size = count === 1 ? MORE_KEY : KEYS_OF_A_MENU;
    const some = branches.slice(index * size, (index + 1) * size);
    const next = index + 1 < count ? `#menu${index + 1}` : undefined;
    return menuElement(
      { id: `menu${index}`, intro: index === 0 ? intro : [], branches: some, next, turn },
      words,
    );
  });
}

type Menu = {
  readonly id: string;
  readonly intro: readonly XmlContent[];
  readonly branches: readonly Branch[];
  /** Where the key for more leads. */
  readonly next: string | undefined;
  /** Whoever waits is led there after so long. */
  readonly turn: { readonly seconds: number; readonly href: string } | undefined;
};

function menuElement({ id, intro, branches, next, turn }: Menu, words: VoiceWords): XmlElement {
  const hints = branches.map(({ label }, index) => pressHint(label, String(index + 1), words));
  if (next) hints.push(pressHint(words.more, String(MORE_KEY), words));
  return element(
    "menu",
    { id },
    turn ? element("property", { name: "timeout", value: `${turn.seconds}s` }) : undefined,
    prompt(...intro, ...hints),
    branches.map(({ label, next: to }, index) => element("choice", { dtmf: index + 1, next: to }, label)),
    next ? element("choice", { dtmf: MORE_KEY, next }, words.more) : undefined,
    // A caller who waits is told anew how far things are.
    turn ? element("noinput", {}, element("goto", { next: turn.href })) : undefined,
  );
}

const targetOf = (action: Action, index: number): string =>
  action.method === "post" ? `#post${index}` : action.href;

function postForm({ href, hidden = {} }: Action, index: number): XmlElement {
  const variables = Object.entries(hidden).map(([name, value]) =>
    element("var", { name, expr: script(value) }),
  );
  const namelist = Object.keys(hidden).join(" ") || undefined;
  const send = element("submit", { next: href, method: "post", namelist, fetchtimeout: "15s" });
  return element("form", { id: `post${index}` }, variables, block(send));
}

const block = (...content: readonly XmlElement[]): XmlElement => element("block", {}, content);

const prompt = (...content: readonly XmlContent[]): XmlElement =>
  element("prompt", { bargein: "true" }, content);

function pausedThen(text: string): XmlContent[] {
  return [element("break", { time: "400ms" }), ...spoken(text)];
}

/** Long numbers are read digit by digit. */
const LONG_NUMBER = /(\d{4,})/;
const spoken = (text: string): XmlContent[] =>
  text
    .split(LONG_NUMBER)
    .filter((part) => part !== "")
    .map((part) => (/^\d{4,}$/.test(part) ? element("say-as", { "interpret-as": "digits" }, part) : part));

const pressHint = (label: string, key: string, words: VoiceWords): string =>
  ` ${words.press.replaceAll("{label}", () => label).replaceAll("{key}", () => key.replace("*", "star "))}`;

/** A text as a literal of ECMAScript. */
function script(text: string): string {
  const safe = text.replace(
    /[\\'"<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `'${safe}'`;
}
