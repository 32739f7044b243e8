/** The page with settings behind a link in a text message. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { LINK_TOKEN, openFixture } from "../../../test/fixture/http.ts";
import { DIALOG_LANGUAGES } from "../../kernel/dialog/texts.ts";
import { sheetTextsIn } from "../../kernel/payload/sheet-texts.ts";
import { decodeAppleProfile } from "../../wire/apple/profile.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const { server, ...fixture } = await openFixture({ limits: { guessesPerMinute: 3, failuresPerMinute: 3 } });
const url = `/s/${LINK_TOKEN}`;
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const OLD_IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 6_1_3 like Mac OS X) AppleWebKit/536.26 (KHTML, like Gecko) Version/6.0 Mobile/10B329 Safari/8536.25";
const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";

const press = (headers: Record<string, string> = {}) =>
  server.inject({ method: "POST", url, headers: { ...FORM, ...headers }, payload: "" });

test("the page behind a link shows the values step by step, in the portal's look and the operator's name", async () => {
  const { statusCode, headers, body } = await press();
  assert.equal(statusCode, 200);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.equal(headers["cache-control"], "no-store");
  assert.match(String(headers["x-robots-tag"]), /noindex/);
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.ok(!/<img|<link|javascript:|\bon\w+=/i.test(body));
  for (const [key, value] of [
    ["apn", "internet.telco"],
    ["apn", "mms.telco"],
    ["mmsc", "http://mms.telco.example/servlets/mms"],
    ["mmsProxy", "10.0.0.1"],
    ["mmsPort", "8080"],
    ["auth", "PAP"],
  ]) {
    assert.match(body, new RegExp(`<code id="v\\d+" data-value="${key}">${value}</code>`));
  }
  assert.ok(
    body.includes("<h1>Settings from Telco &amp; &lt;Söhne&gt;</h1>"),
    "the name is text, never markup",
  );
});

test("every value has a button that copies it, shown by a script that the page's policy names; without it none is missing", async () => {
  const { headers, body } = await press({ "user-agent": ANDROID });
  const values = body.match(/<code id="v\d+"/g) ?? [];
  const buttons = body.match(/<button type="button" hidden data-copy="v\d+"/g) ?? [];
  assert.ok(values.length > 6);
  assert.equal(buttons.length, values.length);
  const policy = String(headers["content-security-policy"]);
  const script = /<script>([\s\S]*)<\/script>/.exec(body)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  assert.ok(policy.includes(`script-src 'sha256-${Buffer.from(digest).toString("base64")}'`));
  assert.match(policy, /form-action 'self'/);
});

test("an Android phone finds its menus and every value in the order of Android's editor", async () => {
  const { body } = await press({ "user-agent": ANDROID });
  assert.match(body, /Settings › SIMs › Access Point Names/);
  assert.match(body, /Touch “New APN”/);
  const [first = ""] = body.match(/<dl class="sheet" data-use="internet">[\s\S]*?<\/dl>/) ?? [];
  const labels = [...first.matchAll(/<dt>([^<]+)</g)].map(([, label]) => label);
  assert.deepEqual(labels, ["Name", "APN", "Username", "Password", "Authentication type", "APN type"]);
  assert.match(first, />default,supl</);
  assert.doesNotMatch(body, /\/profile"/);
});

test("an iPhone finds a profile and what it cannot set; loaded, it holds the access point of data alone", async () => {
  const { body } = await press({ "user-agent": IPHONE });
  assert.match(body, new RegExp(`<a class="button lead" href="${url}/profile">Load the profile</a>`));
  for (const words of [
    /cannot set picture messages \(MMS\)/,
    /one profile with access points at a time/,
    /not signed/,
  ])
    assert.match(body, words);
  assert.match(body, /data-use="mms"[\s\S]*mms\.telco/);
  assert.doesNotMatch(body, /data-use="internet"/, "what the profile sets is not typed in");

  const answer = await server.inject({ url: `${url}/profile`, headers: { "user-agent": IPHONE } });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers["content-type"], "application/x-apple-aspen-config");
  assert.match(String(answer.headers["content-disposition"]), /^inline; filename="settings\.mobileconfig"$/);
  const { payloads, secondsUntilRemoval } = decodeAppleProfile(answer.rawPayload);
  const [payload] = payloads;
  assert.ok(payload?.kind === "cellular");
  assert.deepEqual(
    payload.apns.map(({ name, authentication, username, protocols }) => [
      name,
      authentication,
      username,
      protocols,
    ]),
    [["internet.telco", "PAP", "gprs", 3]],
  );
  assert.equal(secondsUntilRemoval, null);
  const again = await server.inject({ url: `${url}/profile`, headers: { "user-agent": IPHONE } });
  assert.deepEqual(again.rawPayload, answer.rawPayload, "a repeat gets the same octets");
});

test("the removal profile has the identifier of the first, and takes itself away", async () => {
  const [first, removal] = await Promise.all(
    ["profile", "removal"].map(async (path) =>
      decodeAppleProfile(
        (await server.inject({ url: `${url}/${path}`, headers: { "user-agent": IPHONE } })).rawPayload,
      ),
    ),
  );
  assert.equal(removal?.identifier, first?.identifier);
  assert.equal(removal?.secondsUntilRemoval, 60);
  assert.notEqual(removal?.uuid, first?.uuid);
});

test("an iPhone of iOS 6 gets the older payload; iPhone OS 3 gets none, and types its values in", async () => {
  const legacy = await server.inject({ url: `${url}/profile`, headers: { "user-agent": OLD_IPHONE } });
  assert.deepEqual(
    decodeAppleProfile(legacy.rawPayload).payloads.map(({ kind }) => kind),
    ["apn"],
  );
  const oldest = OLD_IPHONE.replace("6_1_3", "3_1_3");
  const none = await server.inject({ url: `${url}/profile`, headers: { "user-agent": oldest } });
  assert.equal(none.statusCode, 404);
  const { body } = await press({ "user-agent": oldest });
  assert.match(body, /Settings › Cellular › Cellular Data Network/);
  assert.match(body, /data-use="internet"/);
});

test("a profile leaves this server over HTTPS alone: elsewhere the values are typed in", async () => {
  const { publicUrl } = fixture.deps.requests;
  Object.assign(fixture.deps.requests, { publicUrl: () => "http://start.telco.example" });
  try {
    const { body } = await press({ "user-agent": IPHONE });
    assert.doesNotMatch(body, /\/profile"/);
    assert.match(body, /data-use="internet"/);
    const loaded = await server.inject({ url: `${url}/profile`, headers: { "user-agent": IPHONE } });
    assert.equal(loaded.statusCode, 404);
  } finally {
    Object.assign(fixture.deps.requests, { publicUrl });
  }
});

test("the page speaks every language of the portal, by the phone's", async () => {
  for (const language of DIALOG_LANGUAGES) assert.equal(sheetTextsIn(`${language}-XX`).language, language);
  const german = await press({ "accept-language": "de-AT,en;q=0.5", "user-agent": ANDROID });
  assert.match(german.body, /<html lang="de">/);
  assert.match(german.body, /Einstellungen › SIMs › Zugangspunkte/);
  assert.match(german.body, /<button type="button" hidden[^>]*>Kopieren</);
  const other = await press({ "accept-language": "cy" });
  assert.match(other.body, /<html lang="en">/, "what nobody wrote yet is English, and says so");
});

for (const [name, accept, agent, type, cover, sheet] of [
  [
    "WML",
    "text/vnd.wap.wml",
    "Nokia7110/1.0",
    "text/vnd.wap.wml",
    /<go [^>]*method="post"/,
    /internet\.telco/,
  ],
  [
    "XHTML-MP",
    "application/vnd.wap.xhtml+xml",
    "SonyEricssonK700i/R2A",
    "application/vnd.wap.xhtml+xml",
    /method="post"/,
    /internet\.telco/,
  ],
  [
    "compact HTML",
    "text/html",
    "DoCoMo/2.0 N2001",
    "text/html; charset=us-ascii",
    /method="post"/,
    /internet\.telco/,
  ],
] as const) {
  test(`a phone that asks for ${name} gets it, cover and values; its further pages are links that show on`, async () => {
    const headers = { accept, "user-agent": agent };
    const first = await server.inject({ url, headers });
    assert.ok(String(first.headers["content-type"]).startsWith(type), String(first.headers["content-type"]));
    assert.match(first.body, cover);
    const pressed = await press(headers);
    assert.ok(String(pressed.headers["content-type"]).startsWith(type));
    const pages = [pressed.body];
    for (let turned = 1; turned < 20; turned++) {
      const next = `${url}?turnup-page=${turned + 1}`;
      if (!pages.at(-1)?.includes(next)) break;
      pages.push((await server.inject({ url: next, headers })).body);
    }
    const all = pages.join("\n");
    assert.match(all, sheet);
    assert.match(all, /mms\.telco/);
    assert.doesNotMatch(all, /<script/);
  });
}

test("an expired link says so, an unknown one is not found; both are pages for people", async () => {
  for (const method of ["GET", "POST"] as const) {
    const expired = await server.inject({ method, url: "/s/expiredexpiredexpired1" });
    assert.equal(expired.statusCode, 410);
    assert.match(expired.body, /has expired/);
    const unknown = await server.inject({
      method,
      url: "/s/unknownunknownunknown1",
      remoteAddress: "203.0.113.1",
    });
    assert.equal(unknown.statusCode, 404);
    assert.match(String(unknown.headers["content-type"]), /^text\/html/);
  }
  const profile = await server.inject({ url: "/s/expiredexpiredexpired1/profile" });
  assert.equal(profile.statusCode, 410);
});

test("a link that something fetches by itself opens nothing: the page has a button, and no value of the settings", async () => {
  let opened = 0;
  const { open } = fixture.deps.pages;
  Object.assign(fixture.deps.pages, {
    open(token: string) {
      opened++;
      return open(token);
    },
  });
  const head = await server.inject({ method: "HEAD", url });
  assert.equal(head.statusCode, 405);
  const cover = await server.inject({ url });
  assert.equal(cover.statusCode, 200);
  assert.match(
    cover.body,
    /<form [^>]*method="post" action="\/s\/[^"]+"[^>]*>.*<button [^>]*>Show my settings/,
  );
  assert.match(
    String(cover.headers["content-security-policy"]),
    /form-action 'self'/,
    "or the button is dead",
  );
  assert.ok(!/<script|<img|<link|internet\.telco|gprs|6610/i.test(cover.body));
  assert.equal(opened, 0);
  assert.match((await press()).body, /internet\.telco/);
  assert.equal(opened, 1);
});

test("a further page of a link that nobody opened is its cover, and opens nothing", async () => {
  const { turn, open } = fixture.deps.pages;
  const unopened = { state: "ready", operatorName: "Telco" } as const;
  Object.assign(fixture.deps.pages, { turn: async () => unopened, open: () => assert.fail("opened") });
  try {
    const { statusCode, body } = await server.inject({ url: `${url}?turnup-page=3` });
    assert.equal(statusCode, 200);
    assert.match(body, /Show my settings/);
    assert.ok(!body.includes("internet.telco"));
  } finally {
    Object.assign(fixture.deps.pages, { turn, open });
  }
});

test("the button works from every browser: with a form's type, with fields of the browser's own, without any type", async () => {
  for (const request of [
    { headers: FORM, payload: "" },
    { headers: { "content-type": `${FORM["content-type"]}; charset=utf-8` }, payload: "x=1&y=2" },
    {},
  ]) {
    const { statusCode, body } = await server.inject({ method: "POST", url, ...request });
    assert.equal(statusCode, 200);
    assert.match(body, /internet\.telco/);
  }
  const flood = await server.inject({ method: "POST", url, headers: FORM, payload: "x".repeat(2_000) });
  assert.equal(flood.statusCode, 413);
});

test("whoever guesses at links is told to wait, on a page; good links and tokens behind his address work all the time", async () => {
  const remoteAddress = "203.0.113.9";
  const guess = (n: number, accept = "text/html") =>
    server.inject({ url: `/s/${String(n).padStart(22, "g")}`, remoteAddress, headers: { accept } });
  for (let n = 0; n < 3; n++) assert.equal((await guess(n)).statusCode, 404);
  const slowed = await guess(3);
  assert.equal(slowed.statusCode, 429);
  assert.match(String(slowed.headers["content-type"]), /^text\/html/);
  assert.match(slowed.body, /<h1>Please wait<\/h1>/);
  assert.ok(Number(slowed.headers["retry-after"]) >= 1);
  const onOldPhone = await guess(4, "text/vnd.wap.wml, image/vnd.wap.wbmp");
  assert.equal(onOldPhone.statusCode, 429);
  assert.match(String(onOldPhone.headers["content-type"]), /^text\/vnd\.wap\.wml/);
  assert.match(onOldPhone.body, /<card [^>]*title="Please wait"/);
  assert.ok(Number(onOldPhone.headers["retry-after"]) >= 1);

  assert.equal((await server.inject({ url, remoteAddress })).statusCode, 200);
  const token = `Bearer tup_${"x".repeat(43)}`;
  const asked = await server.inject({ url: "/v1/orders", remoteAddress, headers: { authorization: token } });
  assert.equal(asked.json().code, "token_unknown", "it is looked at");
});
