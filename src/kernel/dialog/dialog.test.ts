/** The subscriber's screens: what they offer, what they ask, and that every one can be drawn. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { MARKUPS } from "../../wire/screen/choose.ts";
import { renderScreen } from "../../wire/screen/render.ts";
import { checkScreen, type Screen } from "../../wire/screen/screen.ts";
import { speaks } from "../../wire/screen/vxml.ts";
import type { CatalogItem, CatalogKind } from "../catalog/catalog-item.ts";
import type { RequestStatus } from "../order/request.ts";
import { type CareView, helpScreen } from "./care-screens.ts";
import { itemScreen, itemTermsScreen, listScreen, startScreen } from "./catalog-screens.ts";
import { mineScreen, removeScreen } from "./held-screens.ts";
import { problemScreen } from "./help-screens.ts";
import { missingFieldName, orderScreen, serviceFieldName } from "./order-screen.ts";
import { paragraphsOf } from "./paragraphs.ts";
import { pinKeptScreen, pinKeptText, pinScreen } from "./pin-screens.ts";
import { choiceScreen, fieldsScreen, ordersScreen, statusScreen, termsScreen } from "./request-screens.ts";
import { codeScreen, linkScreen, signInScreen } from "./sign-in-screens.ts";
import { DIALOG_LANGUAGES, textsIn } from "./texts.ts";
import type { PortalView } from "./view.ts";

const item = (id: string, kind: CatalogKind, more: Partial<CatalogItem> = {}): CatalogItem =>
  sampleItem(id, { kind, name: { en: `The ${id}`, de: `Das ${id}` }, ...more });
const ITEMS = [
  item("starter", "package", { includes: ["mail", "java"] }),
  item("java", "feature", { price: { onceMinor: 250, monthlyMinor: 99, currency: "EUR" } }),
  item("ring", "feature", { provisioningServer: "https://other.example:8443", conflicts: ["java"] }),
  item("mail", "service", { available: false }),
];
const status = (more: Partial<RequestStatus> = {}): RequestStatus => ({
  orderId: "0199f0aa-0000-7000-8000-000000000001",
  reference: "ABCD2345",
  channel: "self_service",
  state: "provisioning",
  reason: "it is on its way",
  waitsFor: null,
  nextAction: "wait",
  askAgain: [],
  deadlineAt: null,
  items: [],
  terms: [],
  createdAt: "2026-01-01T00:00:00.000Z",
  ...more,
});
const itemStatus = (more: Partial<RequestStatus["items"][number]>): RequestStatus["items"][number] => ({
  id: "0199f0aa-0000-7000-8000-000000000002",
  catalogId: "java",
  kind: "feature",
  package: null,
  server: null,
  name: "The java",
  state: "sending",
  reason: "",
  missing: [],
  hasContent: false,
  ...more,
});
const view = (more: Partial<PortalView> = {}): PortalView => ({
  operatorName: "Meridian",
  language: "en",
  catalog: new Map(ITEMS.map((one) => [one.id, one])),
  has: [],
  requests: [],
  lackOf: () => undefined,
  timeZone: "Europe/Vienna",
  isKnown: true,
  care: { phone: "+44 20 7946 0000", url: null },
  serverName: (origin) => new URL(origin).host,
  serverUrl: (origin) => origin,
  isForwarded: () => false,
  at: (path) => path,
  ...more,
});
const careView = (here: PortalView, mayChoosePin = true): CareView => ({
  ...here,
  networkOrders: [],
  hasNumber: true,
  signIn: null,
  mayChoosePin,
});
const orderOf = (asked: Partial<Parameters<typeof orderScreen>[1]["asked"]> = {}): Screen =>
  orderScreen(view(), {
    items: [ITEMS[1]!],
    asked: { user: [], services: [], payment: null, ...asked },
    state: "s1",
  });

test("R23: whoever waits for a word reads whose it is and until when, by the operator's clock, in every language, on its screen and in the help", () => {
  const deadlineAt = "2026-11-30T14:30:00.000Z";
  const cases = [
    ["person", "en", /person of ours .* until 30 November\D+15:30 CET at the latest/],
    ["person", "de", /Mensch bei uns .* bis 30\. November\D+15:30 MEZ/],
    ["machines", "en", /until 30 November\D+15:30 CET at the latest/],
    ["machines", "de", /spätestens bis 30\. November\D+15:30 MEZ/],
    ["subscriber", "en", /We need these details of you until 30 November\D+15:30 CET/],
    ["subscriber", "de", /Angaben von Ihnen bis 30\. November\D+15:30 MEZ/],
  ] as const;
  for (const [waitsFor, language, told] of cases) {
    const request = status({ state: "verifying", waitsFor, deadlineAt });
    const here = view({ language, requests: [request] });
    const [, next = ""] = statusScreen(here, request).text;
    assert.match(next, told);
    assert.doesNotMatch(next, /minutes|Minuten/);
    const care = helpScreen(careView(here));
    assert.match(care.text.join(" "), told);
    checkScreen(care);
  }
  assert.deepEqual(
    new Set(cases.map(([, language]) => language)),
    new Set(DIALOG_LANGUAGES),
    "a language that is shipped is tried here",
  );
});

test("the first screen offers exactly three roads (R3)", () => {
  const { entries } = startScreen(view());
  assert.deepEqual(
    entries.map(({ label, href }) => [label, href]),
    [
      ["Packages", "/d/list/package"],
      ["Features", "/d/list/feature"],
      ["Services", "/d/list/service"],
    ],
  );
});

test("two entries of one list lead to two servers, each its own (R6)", () => {
  const { entries } = listScreen(view({ at: (path) => `${path}?s=1` }), "feature");
  assert.deepEqual(
    entries.map(({ href }) => href),
    ["/d/items/java?s=1", "https://other.example:8443/d/items/ring"],
  );
});

test("a list says what costs what, what is had already and what is not to be had", () => {
  const has = [{ itemId: "ring", name: "The ring" }];
  assert.deepEqual(
    listScreen(view({ has }), "feature").entries.map(({ note }) => note),
    ["€2.50 once, €0.99 a month", "You have it"],
  );
  assert.deepEqual(
    listScreen(view(), "service").entries.map(({ note }) => note),
    ["Not available at the moment"],
  );
  assert.equal(itemScreen(view(), ITEMS[3]!).entries.length, 0);
});

test("one form holds account data and selection, and asks for no identity of the device (R5 and R9)", () => {
  const { form } = orderOf({ user: ["givenName", "birthdate"], payment: "card" });
  const { quote, ...hidden } = form?.hidden ?? {};
  assert.deepEqual(hidden, { selection: "java", state: "s1", pay: "card" });
  assert.match(quote ?? "", /^[\w-]{16}$/, "what the form says that it costs");
  assert.equal(form?.action, "/d/requests");
  assert.deepEqual(
    form?.fields.map(({ name, kind }) => `${name} ${kind}`),
    ["u_givenName text", "u_birthdate date", "c_number secret", "c_expiry digits", "c_code secret"],
  );
  assert.ok(!JSON.stringify(form).match(/ime[i]|imsi/i));
});

test("what was wrong stands beside its field, what was typed stays, and secrets are typed again", () => {
  const asked = { user: ["email"] as const, services: [], payment: "card" as const };
  const typed = {
    values: { u_email: "x", c_number: "4111111111111111" },
    faults: { u_email: "email_malformed" },
  };
  const { form } = orderScreen(view(), { items: [ITEMS[1]!], asked, state: "s" }, typed);
  const [email, number] = form!.fields;
  assert.equal(email?.value, "x");
  assert.equal(email?.note, "is no e-mail address");
  assert.equal(number?.value, undefined);
});

test("a status says what waits for the user before anything else, and looks again by itself only when nothing does", () => {
  const waiting = status({
    items: [
      itemStatus({ state: "awaiting_choice" }),
      itemStatus({ id: "i2", kind: "service", name: "Mail", state: "needs_information" }),
    ],
    terms: [{ consentId: "c", termsId: "t", version: 1, text: "Terms." }],
  });
  const shown = statusScreen(view(), waiting);
  assert.deepEqual(
    shown.entries.map(({ href }) => href.split("/").at(-1)),
    ["terms", "choice", "fields"],
  );
  assert.equal(shown.refreshSeconds, undefined);
  assert.equal(statusScreen(view(), status()).refreshSeconds, 5);
});

test("the last screen lists what was really provisioned, and nothing else (R19)", () => {
  const items = [
    itemStatus({ catalogId: "ring", state: "works", name: "Ring" }),
    itemStatus({ id: "i2", state: "failed", name: "Java" }),
    itemStatus({ id: "i3", catalogId: "mail", kind: "service", state: "access_data_sent", name: "Mail" }),
  ];
  const has = ["ring", "mail", "other"].map((itemId) => ({ itemId, name: itemId }));
  const { id, text } = statusScreen(view({ has }), status({ state: "partly_completed", items }));
  assert.equal(id, "done");
  assert.equal(text.at(-1), "You have now: Ring, Mail");
});

test("terms are shown whole, whatever their length, with two answers that are equally easy (R20)", () => {
  const words = Array.from({ length: 900 }, (_, at) => `word${at}`).join(" ");
  const text = `First part.\r\n\r\n${words}`;
  assert.equal(paragraphsOf(text).join(" "), text.replace(/\s+/g, " "));
  const { actions } = termsScreen(
    view(),
    status({ terms: [{ consentId: "c", termsId: "t", version: 2, text }] }),
    "s",
  );
  const answers = actions.filter(({ method }) => method === "post");
  assert.deepEqual(
    answers.map(({ role, hidden }) => [role, hidden]),
    [
      ["accept", { answer: "accept", state: "s" }],
      ["decline", { answer: "decline", state: "s" }],
    ],
  );
});

test("only what a service misses is asked for again (R61)", () => {
  const missing = [{ name: "dob", label: "Date of birth", kind: "date" }];
  const request = status({ items: [itemStatus({ state: "needs_information", missing })] });
  const shown = fieldsScreen(view(), request, request.items[0]!.id, "s");
  assert.deepEqual(
    shown?.form?.fields.map(({ name, kind }) => [name, kind]),
    [["x_dob", "date"]],
  );
  assert.equal(fieldsScreen(view(), status({ items: [itemStatus({})] }), itemStatus({}).id, "s"), undefined);
});

test("help says where the user stands, before anything is provisioned too (R23)", () => {
  assert.match(helpScreen(careView(view({ isKnown: false }))).text.join(" "), /no request under way/);
  assert.match(
    helpScreen(careView(view({ requests: [status()] }))).text.join(" "),
    /being set up.*\+44 20.*ABCD2345/,
  );
});

test("the PIN for the telephone is chosen behind the help, in every language, and the one until now is asked for where there is one", () => {
  for (const language of DIALOG_LANGUAGES) {
    const here = view({ language });
    const { pin, faults } = textsIn(language);
    const leads = (mayChoosePin: boolean) =>
      helpScreen(careView(here, mayChoosePin)).entries.filter(({ href }) => href === "/d/pin");
    assert.deepEqual([leads(true).map(({ label }) => label), leads(false)], [[pin.title], []]);
    const names = (isSet: boolean) =>
      checkScreen(pinScreen(here, { state: "s", isSet })).form?.fields.map(({ name }) => name);
    assert.deepEqual(names(false), ["pin_new", "pin_again"]);
    assert.deepEqual(names(true), ["pin_now", "pin_new", "pin_again"]);
    const codes = { pin_now: "pin_wrong", pin_new: "telephone_pin_unfit", pin_again: "pin_differs" };
    const again = checkScreen(pinScreen(here, { state: "s", isSet: true, faults: codes }));
    assert.deepEqual(
      again.form?.fields.map(({ note }) => note),
      Object.values(codes).map((code) => faults[code]),
    );
    assert.ok(faults.pin_locked && !Object.values(codes).some((code) => faults[code] === undefined));
    assert.ok(pinKeptText(language, "Meridian").length <= 160, "one SMS");
    assert.notEqual(language !== "en" && pin.title, textsIn("en").pin.title);
  }
});

test("a long list and long terms take several screens; terms are answered on the last alone", () => {
  const many = Array.from({ length: 120 }, (_, at) => item(`java-${at}`, "feature"));
  const here = view({ catalog: new Map(many.map((one) => [one.id, one])) });
  const hrefs: string[] = [];
  let list: Screen | undefined = checkScreen(listScreen(here, "feature"));
  for (let screens = 0; list && screens < 5; screens++) {
    hrefs.push(...list.entries.map(({ href }) => href));
    const next: string | undefined = list.actions.find(({ role }) => role === "more")?.href;
    list =
      next === undefined ? undefined : checkScreen(listScreen(here, "feature", Number(next.split("=")[1])));
  }
  assert.equal(new Set(hrefs).size, 120);

  const text = Array.from({ length: 90 }, (_, at) => `Clause ${at}. ${"Words. ".repeat(100)}`.trim()).join(
    "\n",
  );
  const request = status({ terms: [{ consentId: "c", termsId: "t", version: 1, text }] });
  const shown: string[] = [];
  for (let part = 0; part < 9; part++) {
    const terms = checkScreen(termsScreen(here, request, "s", part));
    shown.push(...terms.text);
    const asks = terms.actions.filter(({ method }) => method === "post").length;
    if (shown.length === 90) {
      assert.equal(asks, 2);
      break;
    }
    assert.equal(asks, 0);
  }
  assert.deepEqual(shown, text.split("\n"));
});

test("a field has a name that every form can carry, whatever its service calls it", () => {
  assert.equal(serviceFieldName("mail", "box"), "f_mail__box");
  for (const name of ["a.b", "a-b", "x".repeat(40)]) {
    assert.match(serviceFieldName("mail", name), /^f_[0-9a-f]{16}$/);
    assert.match(missingFieldName(name), /^x_[0-9a-f]{16}$/);
  }
  assert.notEqual(serviceFieldName("mail", "a.b"), serviceFieldName("mail", "a-b"));
});

test("what staff read stays with staff; a rejection tells what the kernel tells", () => {
  const shown = statusScreen(
    view(),
    status({ reason: "the identity bureau is asked", nextAction: "wait for it" }),
  );
  assert.ok(!JSON.stringify(shown).includes("bureau"));
  const rejected = statusScreen(
    view(),
    status({ state: "rejected", reason: "card refused, please contact us" }),
  );
  assert.deepEqual(rejected.text, ["Not accepted", "The card was refused. Please call us."]);
});

test("every language has every text, and names what it fills in", () => {
  const shapeOf = (value: unknown): unknown =>
    typeof value === "string"
      ? [...value.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()
      : Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, shapeOf(one)]));
  for (const language of DIALOG_LANGUAGES)
    assert.deepEqual(shapeOf(textsIn(language)), shapeOf(textsIn("en")));
});

test("every screen of every language keeps the limits of a screen, and every markup can show it", () => {
  const long = "Ä".repeat(300);
  const items = [
    itemStatus({
      state: "needs_information",
      name: long.slice(0, 80),
      missing: [{ name: "pin", label: long, kind: "secret" }],
    }),
    itemStatus({ id: "0199f0aa-0000-7000-8000-000000000003", state: "awaiting_choice" }),
  ];
  const request = status({ items, terms: [{ consentId: "c", termsId: "t", version: 1, text: "Terms." }] });
  for (const language of [...DIALOG_LANGUAGES, "fr-CA"]) {
    const here = view({
      language,
      lackOf: () => undefined,
      requests: [request],
      has: [{ itemId: "java", name: long.slice(0, 90) }],
    });
    const screens = [
      startScreen(here),
      ...(["package", "feature", "service"] as const).map((kind) => listScreen(here, kind)),
      ...ITEMS.map((one) => itemScreen(here, one)),
      orderScreen(here, {
        items: ITEMS,
        asked: { user: ["givenName", "email"], services: [], payment: "card" as const },
        state: "s",
      }),
      statusScreen(here, request),
      termsScreen(here, request, "s"),
      fieldsScreen(here, request, items[0]!.id, "s"),
      choiceScreen(here, request, items[1]!.id, "s"),
      ordersScreen(here),
      mineScreen(here),
      removeScreen(here, "java", "s"),
      helpScreen(careView(here)),
      pinScreen(here, { state: "s", isSet: true, faults: { pin_now: "pin_locked" } }),
      pinKeptScreen(here),
      itemTermsScreen(here, ITEMS[0]!, { en: "Terms." }),
      signInScreen(here, { state: "s", to: "orders/ABCD2345", wasWrong: true }),
      codeScreen(here, { state: "s", way: "w", to: null, wasWrong: true }),
      linkScreen(here, "/d/l/token", "s"),
      problemScreen(here, "assurance_too_low"),
      problemScreen(here, "no_such_code"),
    ];
    for (const one of screens) {
      checkScreen(one!);
      for (const markup of MARKUPS) {
        if (markup === "vxml" && !speaks(one!)) continue; // what is typed in letters or in secret is not spoken
        const { body } = renderScreen(markup, one!, { pageHref: (page) => `/d/p?page=${page}` });
        assert.ok(body.length > 0, `${markup} of ${one!.id}`);
      }
    }
  }
});

test("an item of another server leads there, is ordered here where requests are forwarded, or says whom to ask (R6, R120)", () => {
  const ring = ITEMS[2]!;
  const label = (more: Partial<PortalView>) =>
    itemScreen(view(more), ring).entries.map((one) => [one.label, one.href]);
  assert.deepEqual(label({}), [
    ["Continue at other.example:8443", "https://other.example:8443/d/items/ring"],
  ]);
  const far = { serverUrl: () => null };
  assert.deepEqual(label({ ...far, isForwarded: () => true }), [["Order", "/d/items/ring/order"]]);
  assert.deepEqual(label(far), []);
  assert.match(itemScreen(view(far), ring).text.join(" "), /Please ask other\.example:8443 for it/);
  const [, entry] = listScreen(view(far), "feature").entries;
  assert.equal(entry?.href, "/d/items/ring", "its own page, for who cannot get there");
});
