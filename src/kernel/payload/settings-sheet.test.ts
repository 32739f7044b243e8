/** What the page behind a link says to the phone that looks at it, which may be another one than it was sent to. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { PhoneMenuRow } from "../devices/phone-menus.ts";
import { composeAppleProfile } from "./apple-profile.ts";
import { phoneSeen } from "./phone-seen.ts";
import { settingsSheet } from "./settings-sheet.ts";

type Page = Parameters<typeof settingsSheet>[0];

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
const COMPUTER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";
const row = (said: Partial<PhoneMenuRow>): PhoneMenuRow => ({
  ...{ system: "android", make: "*", from: null, to: null, evidence: "seen", source: "" },
  path: { en: ["Settings", "Access Point Names"] },
  add: { en: "New APN" },
  ...said,
});
const page = (said: Partial<Page> = {}): Page => ({
  ...{ state: "open", operatorName: "Telco", make: "Nokia", model: "6610", form: "by_hand" },
  menus: [row({})],
  points: [
    {
      ...{ use: "mms", apn: "mms.telco", authType: "none", user: null, password: null, homepage: null },
      ...{ mmsc: "http://mms.telco.example/", proxy: "10.0.0.1", port: 8080 },
    },
  ],
  ...said,
});
const sheet = (said: Partial<Page>, userAgent: string | undefined) =>
  settingsSheet(page(said), {
    seen: phoneSeen(userAgent),
    language: "en",
    hasProfiles: false,
    isSigned: false,
  });

test("the page names the model that it was sent to only where the phone that looks may be of it", () => {
  const named = (said: Partial<Page>, userAgent: string | undefined): boolean =>
    sheet(said, userAgent).intro.some((text) => text.startsWith("For your phone"));
  const iphone = { make: "Apple", model: "iPhone 13", form: "apple_profile" } as const;
  const galaxy = { make: "Samsung", model: "Galaxy S9", form: "android_page" } as const;
  const agents = [IPHONE, ANDROID, "Nokia6610/1.0 (4.18)", "SonyEricssonK700i/R2A", COMPUTER, undefined];
  assert.deepEqual(
    [{}, iphone, galaxy].map((said) => agents.map((agent) => named(said, agent))),
    [
      [false, false, true, false, true, true],
      [true, false, false, false, true, true],
      [false, true, false, false, true, true],
    ],
  );
});

test("an iPhone has no field for the port of the MMS proxy: it stands behind the proxy; elsewhere it has its own", () => {
  const typed = (userAgent: string) =>
    sheet({}, userAgent)
      .steps.flatMap(({ point }) => point?.values ?? [])
      .flatMap(({ key, value }) => (key === "mmsProxy" || key === "mmsPort" ? [`${key} ${value}`] : []));
  assert.deepEqual(typed(IPHONE), ["mmsProxy 10.0.0.1:8080"]);
  assert.deepEqual(typed(ANDROID), ["mmsProxy 10.0.0.1", "mmsPort 8080"]);
});

test("menus of other versions are told with those versions, and those of any version without", () => {
  const make = "Samsung";
  const menus = [
    row({ make, from: 9 }),
    row({ make, from: 7, to: 8 }),
    row({ make, from: 6, to: 6 }),
    row({ make, to: 5 }),
    row({ make }),
  ];
  const { notes } = sheet({ make, menus, form: "android_page" }, ANDROID);
  assert.deepEqual(
    notes.flatMap((note) => /does not have these menus(.*?):/.exec(note)?.slice(1) ?? []),
    [" (system 7-8)", " (system 6)", " (system 1-5)", ""],
  );
});

test("names with a dollar sign stand as they are", () => {
  const { title, steps } = sheet(
    { operatorName: "A$$ $& Mobile", menus: [row({ add: { en: "$'" } })] },
    ANDROID,
  );
  assert.equal(title, "Settings from A$$ $& Mobile");
  assert.ok(steps.some(({ text }) => text === "Touch “$'”."));
});

test("values that no profile can hold, as they were kept once, get no profile and no button for one; a name gives way to the access point", () => {
  const point = {
    use: "internet",
    apn: "internet.telco",
    authType: "none",
    user: null,
    password: null,
  } as const;
  const data = { ...point, mmsc: null, proxy: null, port: null, homepage: null };
  const wish = { operatorId: "o", form: "cellular", isRemoval: false } as const;
  const profileOf = (said: Partial<typeof data> | { user: string }, name = "Telco") =>
    composeAppleProfile({ name, points: [{ ...data, ...said }] }, wish);
  const offers = (points: Page["points"]) =>
    settingsSheet(page({ points }), {
      ...{ seen: phoneSeen(IPHONE), language: "en", hasProfiles: true, isSigned: true },
    }).form === "apple_profile";
  assert.ok(profileOf({}) && offers([data]));
  for (const said of [{ apn: "internet\u0001telco" as never }, { user: "gu\ud800est" }])
    assert.deepEqual([profileOf(said), offers([{ ...data, ...said }])], [undefined, false]);
  assert.match(
    Buffer.from(profileOf({}, "Tel\u0000co") ?? []).toString(),
    /<string>internet\.telco<\/string>/,
  );
});
