/** The page with settings behind a link in a text message. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { LINK_TOKEN, openFixture } from "../../../test/fixture/http.ts";

const PAGE_OCTETS_MAX = 4_096;
const COVER_OCTETS_MAX = 1_024;
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const { server, ...fixture } = await openFixture({ limits: { guessesPerMinute: 3, failuresPerMinute: 3 } });

const press = () => server.inject({ method: "POST", url: `/s/${LINK_TOKEN}`, headers: FORM, payload: "" });

test("the page behind a link shows the values step by step, small, without script, in the operator's name", async () => {
  const { statusCode, headers, body } = await press();
  assert.equal(statusCode, 200);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.equal(headers["cache-control"], "no-store");
  assert.match(String(headers["x-robots-tag"]), /noindex/);
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.ok(Buffer.byteLength(body) < PAGE_OCTETS_MAX);
  assert.ok(!/<script|<img|<link|javascript:|\bon\w+=/i.test(body));
  for (const value of [
    "internet.telco",
    "mms.telco",
    "http://mms.telco.example/servlets/mms",
    "10.0.0.1",
    "8080",
    "PAP",
  ]) {
    assert.ok(body.includes(`<b>${value}</b>`), value);
  }
  assert.ok(body.includes("<h1>Telco &amp; &lt;Söhne&gt;</h1>"), "the name is text, never markup");
});

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
  const head = await server.inject({ method: "HEAD", url: `/s/${LINK_TOKEN}` });
  assert.equal(head.statusCode, 405);
  const cover = await server.inject({ url: `/s/${LINK_TOKEN}` });
  assert.equal(cover.statusCode, 200);
  assert.match(cover.body, /<form method="post"><input type="submit" value="Show my settings"><\/form>/);
  assert.match(
    String(cover.headers["content-security-policy"]),
    /form-action 'self'/,
    "or the button is dead",
  );
  assert.ok(Buffer.byteLength(cover.body) < COVER_OCTETS_MAX);
  assert.ok(!/<script|<img|<link|internet\.telco|gprs|6610/i.test(cover.body));
  assert.equal(opened, 0);
  assert.match((await press()).body, /internet\.telco/);
  assert.equal(opened, 1);
});

test("the button works from every browser: with a form's type, with fields of the browser's own, without any type", async () => {
  const url = `/s/${LINK_TOKEN}`;
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
  assert.match(onOldPhone.body, /<wml><card title="Please wait">/);
  assert.ok(Number(onOldPhone.headers["retry-after"]) >= 1);

  assert.equal((await server.inject({ url: `/s/${LINK_TOKEN}`, remoteAddress })).statusCode, 200);
  const token = `Bearer tup_${"x".repeat(43)}`;
  const asked = await server.inject({ url: "/v1/orders", remoteAddress, headers: { authorization: token } });
  assert.equal(asked.json().code, "token_unknown", "it is looked at");
});
