/** Screens for tests: some of the flow, any that keeps the limits, and a reader of markup that knows no mercy. */
import fc from "fast-check";
import { type Action, checkScreen, type Field, type Screen } from "../../src/wire/screen/screen.ts";

/** Every character that some markup gives a meaning, and some of other scripts. */
export const AWKWARD = `$(x) & < > " ' \\ $$ {y} ]]> Ünï 日本 😀`;

export const roads: Screen = {
  id: "roads",
  title: "Welcome",
  lang: "en",
  text: ["How shall your phone be set up?"],
  entries: [
    { label: "Ready-made package", href: "https://packages.example/start?s=aa.bb" },
    { label: "Features", note: "one by one", href: "https://features.example/list" },
    { label: "Services", href: "/services?s=aa.bb" },
  ],
  actions: [{ role: "help", label: "Help", href: "/help" }],
};

export const account: Screen = {
  id: "account",
  title: "Your account",
  lang: "en-GB",
  text: ["We need a few things."],
  entries: [],
  form: {
    action: "/account?s=aa.bb&step=2",
    submit: "Send",
    hidden: { state: "t0k3n.$5&x", step: "2" },
    fields: [
      { name: "givenName", label: "First name", kind: "text", required: true, maxLength: 30 },
      { name: "phone", label: "Phone", kind: "phone", required: false },
      { name: "email", label: "E-mail", kind: "email", required: false, note: "for the receipt" },
      { name: "pin", label: "PIN", kind: "secret", required: true, minLength: 4, maxLength: 8 },
      { name: "born", label: "Born", kind: "date", required: true },
      {
        name: "plan",
        label: "Plan",
        kind: "choice",
        required: true,
        choices: [
          { value: "s", label: "Small" },
          { value: "l", label: "Large & fast" },
        ],
      },
      { name: "agree", label: "I agree", kind: "flag", required: true },
    ],
  },
  actions: [
    { role: "back", label: "Back", href: "/?s=aa.bb" },
    { role: "decline", label: "Decline", href: "/decline", method: "post", hidden: { state: "x" } },
  ],
};

export const status: Screen = {
  id: "status",
  title: "Working",
  lang: "en",
  text: ["Your order 20261122 is being carried out."],
  entries: [],
  actions: [{ role: "refresh", label: "Refresh", href: "/status?s=aa.bb" }],
  refreshSeconds: 20,
};

export const terms: Screen = {
  id: "terms",
  title: "Terms",
  lang: "de",
  text: Array.from(
    { length: 12 },
    (_, at) => `§ ${at + 1} ${"Der Kunde zahlt, was er bestellt, pünktlich. ".repeat(20).trim()}`,
  ),
  entries: [],
  actions: [
    { role: "accept", label: "Annehmen", href: "/terms", method: "post", hidden: { version: "3" } },
    { role: "decline", label: "Ablehnen", href: "/terms/no" },
  ],
};

/** One of everything that could break out of its place. */
export const awkward: Screen = {
  id: "awkward",
  title: AWKWARD,
  lang: "ja",
  text: [AWKWARD],
  entries: [{ label: AWKWARD, note: AWKWARD, href: "https://a.example/$(x)?a=1&b='2'&c=$$" }],
  form: {
    action: "/x?a=$(x)&b=1",
    submit: AWKWARD,
    hidden: { h: AWKWARD },
    fields: [
      {
        name: "pick",
        label: AWKWARD,
        kind: "choice",
        required: true,
        choices: [{ value: AWKWARD, label: AWKWARD }],
      },
      { name: "code", label: AWKWARD, kind: "digits", required: true, note: AWKWARD },
      { name: "mail", label: AWKWARD, kind: "email", required: false, value: AWKWARD },
    ],
  },
  actions: [
    { role: "back", label: AWKWARD, href: "/b?$(x)" },
    { role: "accept", label: AWKWARD, href: "/a", method: "post", hidden: { h: AWKWARD } },
  ],
};

export const SCREENS: readonly Screen[] = [roads, account, status, terms, awkward];

const PLAIN = { noNullPrototype: true } as const;
const word = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9 .,:-]{1,40}$/),
  fc.constantFrom(
    "$",
    "$(x)",
    "a & b",
    "<p>",
    '"q"',
    "it's",
    "日本語",
    "Ünïcode é",
    "😀",
    "]]>",
    "&amp;",
    "$$",
  ),
);
const line = (max: number): fc.Arbitrary<string> =>
  fc.array(word, { minLength: 1, maxLength: 4 }).map(
    (words) =>
      words
        .join(" ")
        .trim()
        .slice(0, max)
        .replace(/[\ud800-\udbff]$/, "")
        .trim() || "x",
  );
const label = line(60);
const href = fc
  .tuple(
    fc.constantFrom("https://a.example", "http://b.example:8080", "", "."),
    fc.stringMatching(/^[a-z0-9$&=?()'~/.-]{0,60}$/),
  )
  .map(([host, path]) => `${host}/x${path}`);
const hidden = fc.dictionary(fc.stringMatching(/^h[a-z0-9]{0,6}$/), line(40), {
  maxKeys: 3,
  noNullPrototype: true,
});
const named = (name: string): fc.Arbitrary<Field> =>
  fc.oneof(
    fc
      .record(
        {
          name: fc.constant(name),
          label,
          kind: fc.constantFrom("text", "digits", "phone", "email", "secret", "date", "flag"),
          required: fc.boolean(),
          minLength: fc.integer({ min: 0, max: 4 }),
          maxLength: fc.integer({ min: 4, max: 40 }),
          value: line(20),
          note: label,
        },
        { requiredKeys: ["name", "label", "kind", "required"], ...PLAIN },
      )
      .map(({ value, ...rest }) =>
        value === undefined || rest.kind === "secret" ? rest : { ...rest, value },
      ),
    fc.record(
      {
        name: fc.constant(name),
        label,
        kind: fc.constant("choice" as const),
        required: fc.boolean(),
        choices: fc.uniqueArray(fc.record({ value: line(20), label }, PLAIN), {
          minLength: 1,
          maxLength: 8,
          selector: ({ value }) => value,
        }),
      },
      PLAIN,
    ),
  ) as fc.Arbitrary<Field>;
const form = fc.record(
  {
    action: href,
    submit: label,
    fields: fc
      .integer({ min: 0, max: 6 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => named(`f${at}`)))),
    hidden,
  },
  PLAIN,
);
const action = fc
  .record(
    {
      role: fc.constantFrom("back", "help", "home", "accept", "decline", "refresh", "more"),
      label,
      href,
      method: fc.constantFrom("get", "post"),
    },
    { requiredKeys: ["role", "label", "href"], ...PLAIN },
  )
  .chain((one) =>
    one.method === "post"
      ? hidden.map((some) => (Object.keys(some).length > 0 ? { ...one, hidden: some } : one))
      : fc.constant(one),
  ) as fc.Arbitrary<Action>;

export const anyScreen: fc.Arbitrary<Screen> = fc
  .record(
    {
      id: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/),
      title: label,
      lang: fc.constantFrom("en", "de-DE", "ja"),
      text: fc.array(line(600), { maxLength: 6 }),
      entries: fc.array(
        fc.record({ label, note: label, href }, { requiredKeys: ["label", "href"], ...PLAIN }),
        { maxLength: 15 },
      ),
      form,
      actions: fc.array(action, { maxLength: 4 }),
      refreshSeconds: fc.integer({ min: 1, max: 3_600 }),
    },
    { requiredKeys: ["id", "title", "lang", "text", "entries", "actions"], ...PLAIN },
  )
  .map((screen) => checkScreen(screen as Screen));

/** An element as a checker sees it. */
export type Node = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly content: readonly (Node | string)[];
};

export type Manner = {
  /** Elements that have no end: HTML's void ones. None in XML, where `<x/>` says so. */
  readonly endless?: readonly string[];
  /** Whether an attribute may stand without a value. */
  readonly bare?: boolean;
};

/**
 * A second reader, apart from the product's own: no leniency, no knowledge of any document type but what `manner` says.
 * Throws on everything that is not well-formed. References stay as they are, so that escaping can be looked at.
 */
export function strictly(markup: string, manner: Manner = {}): Node {
  const endless = manner.endless ?? [];
  const stack: { name: string; attributes: Map<string, string>; content: (Node | string)[] }[] = [
    { name: "", attributes: new Map(), content: [] },
  ];
  const body = markup
    .replace(/^<\?xml [^?]*\?>\s*/, "")
    .replace(/^<!DOCTYPE [^>[]*>\s*/, "")
    .trimEnd();
  const token =
    /<(\/?)([A-Za-z][A-Za-z0-9:-]*)((?:\s+[A-Za-z][A-Za-z0-9:-]*(?:="[^"<]*")?)*)\s*(\/?)>|([^<]+)/y;
  while (token.lastIndex < body.length) {
    const from = token.lastIndex;
    const match = token.exec(body);
    if (!match) throw new Error(`not well-formed at "${body.slice(from, from + 60)}"`);
    const [, close, name = "", list = "", selfEnd, text] = match;
    const top = stack.at(-1)!;
    if (text !== undefined) {
      const isRaw = endless.length > 0 && top.name === "style";
      if (!isRaw) checkText(text);
      if (stack.length === 1 && text.trim() !== "") throw new Error("text outside the root");
      top.content.push(text);
      continue;
    }
    if (close) {
      const ended = stack.pop()!;
      if (ended.name !== name || stack.length === 0) throw new Error(`</${name}> ends ${ended.name}`);
      continue;
    }
    const node = { name, attributes: attributesOf(list, manner.bare ?? false), content: [] };
    top.content.push(node);
    if (selfEnd && endless.length > 0) throw new Error(`<${name}/> in HTML`);
    if (!selfEnd && !endless.includes(name)) stack.push(node);
  }
  const roots = stack[0]!.content.filter((one): one is Node => typeof one !== "string");
  if (stack.length !== 1 || roots.length !== 1) throw new Error(`${stack.at(-1)!.name} has no end`);
  return roots[0]!;
}

function checkText(text: string): void {
  const stray = /&(?!(?:amp|lt|gt|quot|apos|nbsp|dol|#\d+|#x[0-9a-f]+);)/i.exec(text);
  if (stray) throw new Error(`a bare & in "${text.slice(0, 60)}"`);
  if (text.includes(">")) throw new Error(`a bare > in "${text.slice(0, 60)}"`);
}

function attributesOf(list: string, bare: boolean): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", value] of list.matchAll(/([A-Za-z][A-Za-z0-9:-]*)(?:="([^"<]*)")?/g)) {
    if (value === undefined && !bare) throw new Error(`${name} has no value`);
    if (found.has(name)) throw new Error(`${name} twice`);
    if (value !== undefined) checkText(value);
    found.set(name, value ?? "");
  }
  return found;
}

/** What a browser makes of references. */
export const shown = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(
      /&(?:quot|apos|lt|gt|dol);/g,
      (name) => ({ "&quot;": '"', "&apos;": "'", "&lt;": "<", "&gt;": ">", "&dol;": "$" })[name]!,
    )
    .replaceAll("&amp;", "&");

export const allOf = (node: Node, name?: string): Node[] => [
  ...(name === undefined || node.name === name ? [node] : []),
  ...node.content.flatMap((part) => (typeof part === "string" ? [] : allOf(part, name))),
];

export const textOf = (node: Node): string =>
  shown(node.content.map((part) => (typeof part === "string" ? part : textOf(part))).join(""));
