/**
 * One dialog, free of any markup: what the provisioning server asks and tells, and what each device draws in its own way.
 * Renderers stand beside it (`wml.ts`, `html.ts`, ...), each handset's own drawing in `keypad.ts`.
 * Source: US 6,647,260 Fig. 2 and columns 4-5: every entry of a list carries its own URI.
 */

/** One step of a dialog. Lengths and numbers have limits: `SCREEN_LIMITS`, held by `checkScreen`. */
export type Screen = {
  /** Names the step, for logs and tests: `[A-Za-z][A-Za-z0-9_-]*`. */
  readonly id: string;
  readonly title: string;
  /** BCP 47: "en", "en-GB". */
  readonly lang: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  readonly entries: readonly Entry[];
  readonly form?: Form;
  readonly actions: readonly Action[];
  /** Ask again by itself after so long: a status that moves. */
  readonly refreshSeconds?: number;
};

/** One line of a list. Absolute, or a path: two entries of one list may lead to two servers. */
export type Entry = {
  readonly label: string;
  readonly note?: string;
  readonly href: string;
  /** What most people want of this screen: it stands out where a display can show that. */
  readonly lead?: boolean;
};

/** Always a POST of application/x-www-form-urlencoded. */
export type Form = {
  readonly action: string;
  /** The label of the button. */
  readonly submit: string;
  readonly fields: readonly Field[];
  /** Sent with the fields and never shown. */
  readonly hidden: Readonly<Record<string, string>>;
};

/** What may be entered, and so what keypad a phone shows. */
export type FieldKind = "text" | "digits" | "phone" | "email" | "secret" | "date" | "choice" | "flag";
/** Every kind, for readers of screens. */
export const FIELD_KINDS: readonly FieldKind[] = [
  "text",
  "digits",
  "phone",
  "email",
  "secret",
  "date",
  "choice",
  "flag",
];

/** One thing to enter. Lengths count characters. */
export type Field = {
  readonly name: string;
  readonly label: string;
  /** A date is sent as YYYY-MM-DD; a flag as "yes", and when it is not set as "" or not at all. */
  readonly kind: FieldKind;
  readonly required: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Never of a secret. */
  readonly value?: string;
  readonly choices?: readonly Choice[];
  /** A hint, or what was wrong with the last answer. */
  readonly note?: string;
  /** Where fields are asked for one after the other, by voice: the end of what was given in this field before is said first. */
  readonly readBack?: string;
};

/** One of a list: `value` is sent, `label` is read. */
export type Choice = { readonly value: string; readonly label: string };

/** What a step beside the screen is for; keys and soft keys are bound by it. */
export type ActionRole = "back" | "help" | "home" | "accept" | "decline" | "refresh" | "more";
/** Every role, for readers of screens. */
export const ACTION_ROLES: readonly ActionRole[] = [
  "back",
  "help",
  "home",
  "accept",
  "decline",
  "refresh",
  "more",
];

/** One step aside or onward. GET where no method stands. */
export type Action = {
  readonly role: ActionRole;
  readonly label: string;
  readonly href: string;
  readonly method?: "get" | "post";
  /** Sent with a POST; a GET carries what it needs in its href. */
  readonly hidden?: Readonly<Record<string, string>>;
};

/** What a flag sends when it is set. */
export const FLAG_SET = "yes";

/** Beyond these no screen is drawn or read. */
export const SCREEN_LIMITS = {
  id: 40,
  title: 80,
  paragraphs: 60,
  paragraph: 2_000,
  /** Of all paragraphs together: the longest terms. */
  text: 40_000,
  entries: 100,
  label: 120,
  note: 300,
  href: 1_024,
  fields: 20,
  name: 40,
  value: 400,
  choices: 60,
  hidden: 20,
  actions: 8,
  refreshSeconds: 86_400,
} as const;

/** A screen that breaks a limit or a rule: `path` says where ("form.fields[2].name"). */
export class ScreenError extends Error {
  override readonly name = "ScreenError";
  readonly path: string;
  constructor(path: string, fact: string) {
    super(`${path || "the screen"}: ${fact}`);
    this.path = path;
  }
}

const ID = /^[A-Za-z][A-Za-z0-9_-]*$/;
/** A name that every markup can carry, as an ECMAScript variable in VoiceXML too: so none of its reserved words. */
const NAME =
  /^(?!(?:abstract|boolean|break|byte|case|catch|char|class|const|continue|debugger|default|delete|do|double|else|enum|export|extends|false|final|finally|float|for|function|goto|if|implements|import|in|instanceof|int|interface|long|native|new|null|package|private|protected|public|return|short|static|super|switch|synchronized|this|throw|throws|transient|true|try|typeof|var|void|volatile|while|with)$)[A-Za-z][A-Za-z0-9_]*$/;
/** Whether a field may be called so; WML makes a variable of it. */
export const isFieldName = (name: string): boolean => name.length <= SCREEN_LIMITS.name && NAME.test(name);
const LANG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;
/** Line ends are no part of a text either: a paragraph is one line. */
const CONTROL = /[\p{Cc}\ufffe\uffff]|[\ud800-\udfff]/u;
/** Printable ASCII without quotes, angle brackets, backslash and the like (RFC 3986 §2 leaves those out). */
const URI_TEXT = /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+$/;

/**
 * The same screen, when it keeps every limit and rule.
 * @throws ScreenError with the path of the first fault
 */
export function checkScreen(screen: Screen): Screen {
  text(screen.id, "id", SCREEN_LIMITS.id, ID);
  text(screen.title, "title", SCREEN_LIMITS.title);
  text(screen.lang, "lang", SCREEN_LIMITS.name, LANG);
  checkParagraphs(screen.text);
  each(screen.entries, "entries", SCREEN_LIMITS.entries, (entry, path) => {
    text(entry.label, `${path}.label`, SCREEN_LIMITS.label);
    maybeText(entry.note, `${path}.note`, SCREEN_LIMITS.note);
    href(entry.href, `${path}.href`);
  });
  if (screen.form) checkForm(screen.form);
  each(screen.actions, "actions", SCREEN_LIMITS.actions, checkAction);
  number(screen.refreshSeconds, "refreshSeconds", 1, SCREEN_LIMITS.refreshSeconds);
  return screen;
}

function checkParagraphs(paragraphs: readonly string[]): void {
  let characters = 0;
  each(paragraphs, "text", SCREEN_LIMITS.paragraphs, (paragraph, path) => {
    text(paragraph, path, SCREEN_LIMITS.paragraph);
    characters += paragraph.length;
  });
  if (characters > SCREEN_LIMITS.text) {
    throw new ScreenError("text", `more than ${SCREEN_LIMITS.text} characters`);
  }
}

function checkForm({ action, submit, fields, hidden }: Form): void {
  href(action, "form.action");
  text(submit, "form.submit", SCREEN_LIMITS.label);
  checkHidden(hidden, "form.hidden");
  const names = new Set(Object.keys(hidden));
  each(fields, "form.fields", SCREEN_LIMITS.fields, (field, path) => {
    checkField(field, path);
    if (names.has(field.name)) throw new ScreenError(`${path}.name`, "the name of another field too");
    names.add(field.name);
  });
}

function checkField(field: Field, path: string): void {
  text(field.name, `${path}.name`, SCREEN_LIMITS.name, NAME);
  text(field.label, `${path}.label`, SCREEN_LIMITS.label);
  if (!FIELD_KINDS.includes(field.kind)) throw new ScreenError(`${path}.kind`, "no known kind of field");
  maybeText(field.note, `${path}.note`, SCREEN_LIMITS.note);
  if (field.value !== undefined && field.value !== "")
    text(field.value, `${path}.value`, SCREEN_LIMITS.value);
  if (field.kind === "secret" && field.value !== undefined) {
    throw new ScreenError(`${path}.value`, "a secret is asked for and never told");
  }
  number(field.minLength, `${path}.minLength`, 0, SCREEN_LIMITS.value);
  number(field.maxLength, `${path}.maxLength`, 1, SCREEN_LIMITS.value);
  if ((field.minLength ?? 0) > (field.maxLength ?? SCREEN_LIMITS.value)) {
    throw new ScreenError(`${path}.minLength`, "more than maxLength");
  }
  if ((field.kind === "choice") !== (field.choices !== undefined)) {
    throw new ScreenError(`${path}.choices`, "choices belong to the kind choice, and only to it");
  }
  each(field.choices ?? [], `${path}.choices`, SCREEN_LIMITS.choices, (choice, at) => {
    text(choice.value, `${at}.value`, SCREEN_LIMITS.value);
    text(choice.label, `${at}.label`, SCREEN_LIMITS.label);
  });
  if (field.choices?.length === 0) throw new ScreenError(`${path}.choices`, "nothing to choose from");
}

function checkAction(action: Action, path: string): void {
  if (!ACTION_ROLES.includes(action.role)) throw new ScreenError(`${path}.role`, "no known role");
  text(action.label, `${path}.label`, SCREEN_LIMITS.label);
  href(action.href, `${path}.href`);
  if (action.method !== undefined && action.method !== "get" && action.method !== "post") {
    throw new ScreenError(`${path}.method`, "get or post is wanted");
  }
  if (action.hidden && action.method !== "post") {
    throw new ScreenError(`${path}.hidden`, "only a post carries hidden values");
  }
  if (action.hidden) checkHidden(action.hidden, `${path}.hidden`);
}

function checkHidden(hidden: Readonly<Record<string, string>>, path: string): void {
  each(Object.entries(hidden), path, SCREEN_LIMITS.hidden, ([name, value]) => {
    text(name, `${path}.${name.slice(0, SCREEN_LIMITS.name)}`, SCREEN_LIMITS.name, NAME);
    if (value !== "") text(value, `${path}.${name}`, SCREEN_LIMITS.value);
  });
}

function each<T>(
  list: readonly T[],
  path: string,
  limit: number,
  check: (one: T, path: string) => void,
): void {
  if (list.length > limit) throw new ScreenError(path, `more than ${limit}`);
  for (const [index, one] of list.entries()) check(one, `${path}[${index}]`);
}

function text(value: string, path: string, limit: number, pattern?: RegExp): void {
  if (value.trim() === "") throw new ScreenError(path, "is empty");
  if (value.length > limit) throw new ScreenError(path, `more than ${limit} characters`);
  if (CONTROL.test(value)) throw new ScreenError(path, "a character that no text holds");
  if (pattern && !pattern.test(value)) throw new ScreenError(path, "is of another form");
}

function maybeText(value: string | undefined, path: string, limit: number): void {
  if (value !== undefined) text(value, path, limit);
}

function number(value: number | undefined, path: string, least: number, most: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ScreenError(path, `a whole number from ${least} to ${most} is wanted`);
  }
}

function href(value: string, path: string): void {
  text(value, path, SCREEN_LIMITS.href);
  if (!isSafeHref(value)) throw new ScreenError(path, "an address by http or https, or a path, is wanted");
}

/**
 * An absolute address by http or https without user information, or a reference inside the server: never
 * `javascript:`, and never `//host`, which leaves the server though it looks like a path.
 */
export function isSafeHref(value: string): boolean {
  if (value.length > SCREEN_LIMITS.href || !URI_TEXT.test(value)) return false;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined) return !value.startsWith("//") && !value.startsWith(":");
  return (
    (scheme === "http" || scheme === "https") && /^https?:\/\/[A-Za-z0-9[][^@/]*(?:[/?#].*)?$/i.test(value)
  );
}
