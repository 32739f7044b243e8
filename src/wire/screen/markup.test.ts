/** Each markup is well-formed whatever a screen says, shows what the screen says, and keeps what its devices can hold. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import {
  AWKWARD,
  account,
  allOf,
  anyScreen,
  awkward,
  type Manner,
  type Node,
  roads,
  SCREENS,
  shown,
  status,
  strictly,
  terms,
  textOf,
} from "../../../test/vector/screens.ts";
import { compileWml } from "../wml/compile.ts";
import { readWml, wmlText } from "../wml/deck.ts";
import { decodeWmlc } from "../wml/decode.ts";
import { renderChtml } from "./chtml.ts";
import { renderHdml } from "./hdml.ts";
import { renderHtml } from "./html.ts";
import { HTML_STYLE, HTML_STYLE_HASH } from "./html-style.ts";
import { type Screen, ScreenError } from "./screen.ts";
import { renderVxml, speaks } from "./vxml.ts";
import { renderWml, WML_DECK_OCTETS_MAX } from "./wml.ts";
import { renderXhtmlMp } from "./xhtmlmp.ts";

const XHTMLMP_OCTETS_MAX = 9_999;

const HDML_OCTETS_MAX = 1_400;

const CHTML_OCTETS_MAX = 5_000;

const RUNS = 150;
const pageHref = (page: number): string => `/s?id=aa.bb&page=${page}`;
const octets = (text: string): number => Buffer.byteLength(text);

/** All pages of a screen. */
const HTML: Manner = { endless: ["meta", "br", "input", "hr"], bare: true };
const HDML: Manner = { endless: ["ACTION", "CE", "BR"] };
type Markup = {
  readonly name: string;
  readonly manner: Manner;
  readonly limit: number;
  readonly pages: (screen: Screen) => string[];
};
const paged =
  (
    render: (
      screen: Screen,
      options: { page: number; pageHref: (page: number) => string },
    ) => { text: string; pages: number },
  ) =>
  (screen: Screen): string[] => {
    const { pages } = render(screen, { page: 0, pageHref });
    return Array.from({ length: pages }, (_, page) => render(screen, { page, pageHref }).text);
  };
const wmlPages = (version: "1.1" | "1.3") =>
  paged((screen, { page }) => {
    const { text, decks } = renderWml(screen, { deck: page, pageHref, version });
    return { text, pages: decks };
  });
const MARKUPS: readonly Markup[] = [
  { name: "HTML", manner: HTML, limit: Infinity, pages: (screen) => [renderHtml(screen)] },
  { name: "XHTML-MP", manner: {}, limit: XHTMLMP_OCTETS_MAX, pages: paged(renderXhtmlMp) },
  { name: "cHTML", manner: HTML, limit: CHTML_OCTETS_MAX, pages: paged(renderChtml) },
  { name: "HDML", manner: HDML, limit: HDML_OCTETS_MAX, pages: paged(renderHdml) },
  { name: "WML 1.3", manner: {}, limit: Infinity, pages: wmlPages("1.3") },
  { name: "WML 1.1", manner: {}, limit: Infinity, pages: wmlPages("1.1") },
];

test("HDML: choices behind a form's card bear the title once more, and the deck still fits", () => {
  const entries = Array.from({ length: 12 }, (_, at) => ({ label: `Entry ${at}`, href: `/d/items/${at}` }));
  for (let length = 1; length <= 120; length++) {
    const screen: Screen = {
      id: "a",
      title: "日本語".repeat(6),
      lang: "ja",
      text: ["x".repeat(length)],
      entries,
      form: { action: "/d/a", submit: "Go", hidden: {}, fields: [] },
      actions: [
        { role: "refresh", label: "Again", href: "/d/a" },
        { role: "more", label: "More", href: "/d/b", method: "post" },
        { role: "accept", label: "Yes", href: "/d/yes" },
      ],
    };
    for (const page of paged(renderHdml)(screen)) assert.ok(octets(page) <= HDML_OCTETS_MAX, `${length}`);
  }
});

for (const { name, manner, limit, pages } of MARKUPS) {
  describe(name, () => {
    test(`any screen is well-formed on every page, and no page is larger than its phones hold (seed ${SEED})`, () => {
      fc.assert(
        fc.property(anyScreen, (screen) => {
          for (const page of unlessTooLarge(() => pages(screen))) {
            strictly(page, manner);
            assert.ok(octets(page) <= limit, `${octets(page)} octets`);
          }
        }),
        { seed: SEED, numRuns: RUNS },
      );
    });

    test("characters with a meaning in some markup come out as what they are", () => {
      const all = pages(awkward).map((page) => strictly(page, manner));
      const said = all.flatMap((page) => allOf(page)).flatMap((node) => [textOf(node), ...values(node)]);
      const literal = said.map((text) => (name.startsWith("WML") ? text.replaceAll("$$", "$") : text));
      assert.ok(
        literal.some((text) => text.includes(AWKWARD)),
        "the text",
      );
      const wanted = "https://a.example/$(x)?a=1&b='2'&c=$$";
      assert.ok(
        literal.some((text) => text === wanted),
        "the address",
      );
    });

    test("every entry leads to its own address, so two of one list can lead to two servers", () => {
      const addresses = pages(roads)
        .flatMap((page) => allOf(strictly(page, manner)))
        .flatMap((node) => [node.attributes.get("href") ?? node.attributes.get("DEST") ?? ""])
        .map(shown);
      for (const { href } of roads.entries) assert.ok(addresses.includes(href), href);
    });

    test("the form posts every field and every hidden value, and nothing else", () => {
      const all = pages(account).map((page) => strictly(page, manner));
      const names = account.form!.fields.map((field) => field.name).concat(Object.keys(account.form!.hidden));
      const nodes = all.flatMap((page) => allOf(page));
      const posted =
        name === "HDML"
          ? namesPostedInHdml(nodes)
          : name.startsWith("WML")
            ? namesPostedInWml(nodes)
            : namesInForm(nodes);
      assert.deepEqual([...new Set(posted)].sort(), [...names].sort());
    });
  });
}

/** A part that alone is larger than a page of these phones is refused, not cut: the door answers with another markup. */
function unlessTooLarge(pages: () => string[]): string[] {
  try {
    return pages();
  } catch (error) {
    assert.ok(
      error instanceof ScreenError && /needs \d+ where a page has/.test(error.message),
      String(error),
    );
    return [];
  }
}

const values = (node: Node): string[] => [...node.attributes.values()].map(shown);
const postedTo = (nodes: readonly Node[], name: string, attribute: string): Node[] =>
  nodes.filter(
    (node) => node.name === name && shown(node.attributes.get(attribute) ?? "") === account.form!.action,
  );
const namesInForm = (nodes: readonly Node[]): string[] =>
  postedTo(nodes, "form", "action")
    .flatMap((form) => ["input", "select"].flatMap((kind) => allOf(form, kind)))
    .flatMap((input) => input.attributes.get("name") ?? []);
const namesPostedInWml = (nodes: readonly Node[]): string[] =>
  postedTo(nodes, "go", "href").flatMap((go) =>
    allOf(go, "postfield").map((one) => one.attributes.get("name")!),
  );
const namesPostedInHdml = (nodes: readonly Node[]): string[] =>
  postedTo(nodes, "ACTION", "DEST").flatMap((action) =>
    shown(action.attributes.get("POSTDATA")!)
      .split("&")
      .map((pair) => pair.split("=")[0]!),
  );

test(`WML: every deck is valid WML and compiles to at most 1,400 octets (seed ${SEED})`, () => {
  const check = (screen: Screen, version: "1.1" | "1.3"): void => {
    for (const text of unlessTooLarge(() => wmlPages(version)(screen))) {
      const bytes = compileWml(text);
      assert.ok(bytes.length <= WML_DECK_OCTETS_MAX, `${bytes.length} octets`);
      assert.equal(normal(wmlText(decodeWmlc(bytes))), normal(wmlText(readWml(text))));
    }
  };
  for (const screen of SCREENS) for (const version of ["1.1", "1.3"] as const) check(screen, version);
  fc.assert(
    fc.property(anyScreen, (screen) => check(screen, "1.3")),
    { seed: SEED, numRuns: RUNS },
  );
});

/** The octets always say how a reference is escaped; text may leave it to the place. */
const normal = (text: string): string => text.replaceAll(":noesc)", ")").replaceAll(":escape)", ")");

test("WML: the longest terms become decks that together hold every word, in order", () => {
  const texts = wmlPages("1.3")(terms).map((page) => strictly(page));
  assert.ok(texts.length > 5);
  const words = texts
    .flatMap((page) => allOf(page, "p"))
    .map(textOf)
    .join(" ")
    .replaceAll("More", "")
    .split(/\s+/)
    .filter(Boolean);
  assert.deepEqual(words, [...terms.text, "Annehmen", "Ablehnen"].join(" ").split(/\s+/));
});

test("WML: a deck is never kept by the phone, can always be left, and knows its charset", () => {
  for (const text of SCREENS.flatMap(wmlPages("1.3"))) {
    const deck = strictly(text);
    assert.ok(
      allOf(deck, "meta").some(
        (meta) => meta.attributes.get("content") === "no-cache" && meta.attributes.get("forua") === "true",
      ),
    );
    assert.equal(allOf(deck, "do").filter((one) => one.attributes.get("type") === "prev").length, 1);
    assert.match(
      text,
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<!DOCTYPE wml PUBLIC "-\/\/WAPFORUM\/\/DTD WML 1\.3\/\/EN"/,
    );
  }
});

test("WML 1.1 has no access keys, which came with 1.2", () => {
  const keys = (version: "1.1" | "1.3") =>
    wmlPages(version)(roads)
      .flatMap((page) => allOf(strictly(page), "a"))
      .flatMap((a) => a.attributes.get("accesskey") ?? []);
  assert.deepEqual(keys("1.3"), ["1", "2", "3"]);
  assert.deepEqual(keys("1.1"), []);
});

test("WML: a list of choices too long for a select is a list of links that set the variable, and lead on behind it", () => {
  const choices = Array.from({ length: 60 }, (_, at) => ({ value: `c${at}`, label: `Country number ${at}` }));
  const form = {
    ...account.form!,
    fields: [{ name: "country", label: "Country", kind: "choice" as const, required: true, choices }],
  };
  const decks = wmlPages("1.3")({ ...account, form }).map((page) => strictly(page));
  const picks = decks
    .flatMap((deck) => allOf(deck, "anchor"))
    .filter((anchor) => allOf(anchor, "setvar").length > 0);
  assert.deepEqual(
    picks.map((pick) => allOf(pick, "setvar")[0]!.attributes.get("value")),
    choices.map(({ value }) => value),
  );
  const last = pageHref(decks.length - 1);
  for (const pick of picks) assert.equal(shown(allOf(pick, "go")[0]!.attributes.get("href")!), last);
  assert.equal(allOf(decks.at(-1)!, "postfield").length, 4, "country, two hidden, and one of Decline");
});

test("WML: what was typed before is forgotten when a form is opened again", () => {
  const [deck] = wmlPages("1.3")(account).map((page) => strictly(page));
  const event = allOf(deck!, "onevent")[0]!;
  assert.equal(event.attributes.get("type"), "onenterforward");
  assert.ok(
    allOf(event, "setvar").some(
      (one) => one.attributes.get("name") === "pin" && one.attributes.get("value") === "",
    ),
  );
});

test("WML: a status asks again by itself, a form never does", () => {
  const timer = (screen: Screen) =>
    wmlPages("1.3")(screen)
      .flatMap((page) => allOf(strictly(page), "timer"))[0]
      ?.attributes.get("value");
  assert.equal(timer(status), "200", "tenths of a second");
  assert.equal(timer({ ...account, refreshSeconds: 20 }), undefined);
});

test("HTML: every field has its label, its keyboard and its note; there is no script", () => {
  const text = renderHtml(account);
  const page = strictly(text, HTML);
  assert.equal(allOf(page, "script").length, 0);
  assert.doesNotMatch(text, /\son[a-z]+=|javascript:/i);
  assert.equal(page.attributes.get("lang"), "en-GB");
  const labels = allOf(page, "label").map((one) => one.attributes.get("for"));
  const inputs = ["input", "select"]
    .flatMap((kind) => allOf(page, kind))
    .filter((one) => one.attributes.get("type") !== "hidden");
  for (const input of inputs)
    assert.ok(labels.includes(input.attributes.get("id")), input.attributes.get("name"));
  const byName = (name: string): Node => inputs.find((one) => one.attributes.get("name") === name)!;
  assert.equal(byName("givenName").attributes.get("autocomplete"), "given-name");
  assert.equal(byName("phone").attributes.get("type"), "tel");
  assert.equal(byName("pin").attributes.get("type"), "password");
  assert.ok(byName("pin").attributes.has("required"));
  const noteId = byName("email").attributes.get("aria-describedby");
  const note = allOf(page, "p").find((one) => one.attributes.get("id") === noteId);
  assert.equal(note && textOf(note), "for the receipt");
});

test("HTML: what was wrong stands right above the form, and is announced", () => {
  const page = strictly(
    renderHtml(account, { problem: "The PIN has 4 digits.", problemFields: ["pin"] }),
    HTML,
  );
  const main = allOf(page, "main")[0]!.content.filter((one): one is Node => typeof one !== "string");
  const form = main.findIndex(({ name }) => name === "form");
  assert.equal(main[form - 1]!.attributes.get("role"), "alert");
  assert.equal(textOf(main[form - 1]!), "The PIN has 4 digits.");
  assert.equal(
    allOf(page, "input")
      .find((one) => one.attributes.get("name") === "pin")!
      .attributes.get("aria-invalid"),
    "true",
  );
});

test("a secret is asked for and never told, in no markup", () => {
  const fields = account.form!.fields.map((field) =>
    field.name === "pin" ? { ...field, value: "1357" } : field,
  );
  const screen = { ...account, form: { ...account.form!, fields } };
  for (const { pages } of MARKUPS) {
    assert.throws(() => pages(screen), { name: "ScreenError", path: "form.fields[3].value" });
  }
});

test("HTML: the style's hash names the style that stands in the page", async () => {
  const { createHash } = await import("node:crypto");
  const style = /<style>(.*?)<\/style>/s.exec(renderHtml(roads))![1]!;
  assert.equal(style, HTML_STYLE);
  assert.equal(HTML_STYLE_HASH, `'sha256-${createHash("sha256").update(style).digest("base64")}'`);
});

test("HTML: a status asks again by itself and is read out; a form never reloads", () => {
  const refresh = (screen: Screen) =>
    allOf(strictly(renderHtml(screen), HTML), "meta").find(
      (one) => one.attributes.get("http-equiv") === "refresh",
    );
  assert.equal(refresh(status)?.attributes.get("content"), "20; url=/status?s=aa.bb");
  assert.equal(refresh({ ...account, refreshSeconds: 20 }), undefined);
  assert.match(renderHtml(status), /role="status"/);
});

test("XHTML-MP tells the keypad what to type, and numbers its links", () => {
  const [text = ""] = paged(renderXhtmlMp)({
    ...account,
    form: { ...account.form!, fields: [{ name: "code", label: "Code", kind: "digits", required: true }] },
  });
  assert.match(text, /-\/\/WAPFORUM\/\/DTD XHTML Mobile 1\.0\/\/EN/);
  assert.match(shown(text), /style="-wap-input-format: "\*N"/);
  const links = allOf(strictly(paged(renderXhtmlMp)(roads)[0]!), "a");
  assert.deepEqual(
    links.slice(0, 3).map((link) => link.attributes.get("accesskey")),
    ["1", "2", "3"],
  );
});

test("cHTML is ASCII, without style, script, labels or identifiers", () => {
  for (const text of SCREENS.flatMap((screen) => paged(renderChtml)(screen))) {
    assert.match(text, /^[\x20-\x7e]+$/);
    const page = strictly(text, HTML);
    for (const name of ["style", "script", "label", "i"]) assert.equal(allOf(page, name).length, 0, name);
    for (const node of allOf(page)) assert.ok(!node.attributes.has("id") && !node.attributes.has("style"));
  }
});

/** VoiceXML 2.1: what may stand in each element that we write, from its schema. */
const VOICE: Readonly<Record<string, { readonly children: string; readonly attributes: string }>> = {
  vxml: { children: "property noinput nomatch catch link form menu", attributes: "version xmlns xml:lang" },
  property: { children: "", attributes: "name value" },
  noinput: { children: "prompt reprompt goto assign", attributes: "count" },
  nomatch: { children: "prompt reprompt goto", attributes: "count" },
  catch: { children: "goto", attributes: "event" },
  link: { children: "", attributes: "dtmf next" },
  form: { children: "var block field transfer", attributes: "id" },
  menu: { children: "property prompt choice noinput", attributes: "id" },
  choice: { children: "", attributes: "dtmf next" },
  var: { children: "", attributes: "name expr" },
  block: { children: "prompt submit disconnect", attributes: "" },
  field: { children: "prompt noinput option filled", attributes: "name type" },
  option: { children: "", attributes: "dtmf value" },
  filled: { children: "assign", attributes: "" },
  assign: { children: "", attributes: "name expr" },
  prompt: { children: "break say-as", attributes: "bargein" },
  break: { children: "", attributes: "time" },
  "say-as": { children: "", attributes: "interpret-as" },
  submit: { children: "", attributes: "next method namelist fetchtimeout" },
  goto: { children: "", attributes: "next" },
  transfer: { children: "", attributes: "name dest type" },
  reprompt: { children: "", attributes: "" },
  disconnect: { children: "", attributes: "" },
};

const call = (screen: Screen): Node => strictly(renderVxml(screen, { transferTo: "tel:+441234567890" }));

test(`VoiceXML: any screen that can be keyed is well-formed, of known elements, and jumps only to what is there (seed ${SEED})`, () => {
  fc.assert(
    fc.property(anyScreen.filter(speaks), (screen) => {
      const nodes = allOf(call(screen));
      const ids = nodes.flatMap((node) => node.attributes.get("id") ?? []);
      assert.equal(new Set(ids).size, ids.length);
      for (const node of nodes) {
        const rule = VOICE[node.name];
        assert.ok(rule, node.name);
        for (const part of node.content)
          if (typeof part !== "string")
            assert.ok(rule.children.split(" ").includes(part.name), `${part.name} in ${node.name}`);
        for (const name of node.attributes.keys())
          assert.ok(rule.attributes.split(" ").includes(name), `${name} of ${node.name}`);
        const next = node.attributes.get("next");
        if (next?.startsWith("#")) assert.ok(ids.includes(next.slice(1)), next);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test("VoiceXML: a caller hears each road with its key, and each key leads to its own server", () => {
  const menu = allOf(call(roads), "menu")[0]!;
  const choices = allOf(menu, "choice");
  assert.deepEqual(
    choices.map((choice) => choice.attributes.get("dtmf")),
    ["1", "2", "3", "4"],
  );
  assert.equal(shown(choices[0]!.attributes.get("next")!), "https://packages.example/start?s=aa.bb");
  assert.match(textOf(allOf(menu, "prompt")[0]!), /For Ready-made package, press 1\./);
});

test("VoiceXML: more roads than keys make a chain of menus, in which no road is lost", () => {
  const entries = Array.from({ length: 30 }, (_, at) => ({ label: `Package ${at}`, href: `/p${at}` }));
  const menus = allOf(call({ ...roads, entries }), "menu");
  const next = menus.flatMap((menu) => allOf(menu, "choice").map((choice) => choice.attributes.get("next")!));
  for (const { href } of entries) assert.equal(next.filter((one) => one === href).length, 1, href);
  for (const menu of menus) assert.ok(allOf(menu, "choice").length <= 9);
});

test("VoiceXML: what cannot be keyed is refused where it is needed, left out where not", () => {
  assert.equal(speaks(account), false);
  assert.throws(() => renderVxml(account), { name: "ScreenError", path: "form.givenName" });
  const fields = account.form!.fields.map((field) => ({
    ...field,
    required: field.kind !== "text" && field.required,
  }));
  const nodes = allOf(call({ ...account, form: { ...account.form!, fields } }));
  assert.deepEqual(
    nodes
      .filter(({ name }) => name === "field")
      .map((field) => [field.attributes.get("name"), field.attributes.get("type")]),
    [
      ["phone", "digits"],
      ["pin", "digits?minlength=4;maxlength=8"],
      ["born_keyed", "date"],
      ["plan", undefined],
      ["agree_keyed", "boolean?y=1;n=2"],
    ],
  );
  const submit = nodes.find(
    (node) => node.name === "submit" && shown(node.attributes.get("next")!) === account.form!.action,
  )!;
  assert.equal(submit.attributes.get("method"), "post");
  assert.equal(submit.attributes.get("namelist"), "givenName phone email pin born plan agree state step");
});

test("VoiceXML: silence and wrong keys are answered twice, then the agent takes over, or the call ends", () => {
  for (const event of ["noinput", "nomatch"]) {
    const third = allOf(call(roads), event).find((node) => node.attributes.get("count") === "3")!;
    assert.equal(allOf(third, "goto")[0]!.attributes.get("next"), "#agent");
  }
  assert.equal(allOf(call(roads), "transfer")[0]!.attributes.get("dest"), "tel:+441234567890");
  const alone = strictly(renderVxml(roads));
  assert.equal(allOf(alone, "transfer").length, 0);
  assert.equal(allOf(alone, "disconnect").length, 1);
});

test("VoiceXML: keys alone are listened to, long numbers are read digit by digit, hidden values are no script", () => {
  const heard = allOf(call(status), "property").find((one) => one.attributes.get("name") === "inputmodes");
  assert.equal(heard!.attributes.get("value"), "dtmf");
  assert.deepEqual(allOf(call(status), "say-as").map(textOf), ["20261122"]);
  const evil = {
    ...terms,
    actions: [{ role: "accept", label: "Yes", href: "/y", method: "post", hidden: { h: "'+alert(1)+'\\" } }],
  } as const satisfies Screen;
  const expr = shown(allOf(call(evil), "var")[0]!.attributes.get("expr")!);
  assert.equal(expr, "'\\u0027+alert(1)+\\u0027\\u005c'");
});
