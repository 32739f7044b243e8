/** The portal on the public server over real sockets: who is let in, by what, and what every kind of device is shown. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { openFixture } from "../../../test/fixture/http.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type Answered, ask } from "../../../test/fixture/parties.ts";
import { filled, portalOver, type Sms } from "../../../test/fixture/portal.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import { MARKUP_TYPE, MARKUPS } from "../../wire/screen/choose.ts";
import { HTML_STYLE_HASH } from "../../wire/screen/html-style.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import type { PortalDeps } from "./ports.ts";

const JSON_SCREEN = "application/vnd.turnup.screen+json";
const MINUTE_MS = 60_000;
const GATEWAY: GatewayRule = {
  name: "wap",
  addresses: ["127.0.0.1"],
  bearer: "gsm",
  msisdnHeader: "x-msisdn",
  imsiHeader: null,
  deviceIdHeader: null,
};
const requires: CatalogItem["requires"] = { assurance: "otp", verification: false, card: false };
const MAIL = { id: "mail", name: { en: "Mail" }, requires };

const shop = await requestShop();

type Post = Readonly<Record<string, string>>;

/** A server with a portal of an operator of its own; its subscriber was seen by the network. */
async function town(name: string, changes: Partial<PortalDeps> & { readonly items?: readonly Item[] } = {}) {
  const { items = [MAIL], ...deps } = changes;
  const fixture = await shop.fixture(name, items, { terms: ["t"], policy: { minimumAssurance: "otp" } });
  await shop.see(fixture.operatorId, { imsi: fixture.imsi, imei: fixture.imei, msisdn: fixture.msisdn });
  const portal = portalOver(shop, fixture, deps);
  const { server } = await openFixture({ portal: portal.portal });
  await server.listen({ host: "127.0.0.1", port: 0 });
  whenDone(() => server.close());
  const { port } = server.server.address() as { port: number };

  const call = (
    path: string,
    body?: Post,
    headers: Readonly<Record<string, string | string[]>> = {},
  ): Promise<Answered> =>
    ask(new URL(path, `http://127.0.0.1:${port}`), {
      method: body ? "POST" : "GET",
      headers: {
        accept: JSON_SCREEN,
        ...(body && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      body: body && new URLSearchParams(body).toString(),
    });
  const screen = async (...asked: Parameters<typeof call>): Promise<Screen & { readonly status: number }> => {
    const { status, body } = await call(...asked);
    return { ...(JSON.parse(body.toString()) as Screen), status };
  };
  /** Asks for a way in and gives the form for its code, and the SMS, if one went out. */
  async function signInLink(msisdn: string, path = "/d/sign-in") {
    const form = await screen(path);
    const code = await screen(form.form!.action, filled(form, { msisdn }));
    await portal.portal.idle();
    return { code, sms: portal.sent.at(-1) };
  }
  return { fixture, ...portal, call, screen, signInLink, port };
}
type Item = Parameters<typeof shop.fixture>[1][number];
const codeIn = ({ text }: Sms): string => /\b\d{6}\b/.exec(text)![0];
const linkIn = ({ text }: Sms): string => new URL(/https:\S+/.exec(text)![0]).pathname;
const unknownNumber = ({ msisdn }: RequestFixture): string =>
  `${msisdn.slice(0, -1)}${9 - Number(msisdn.at(-1))}`;

test("somebody unknown may look at the catalog and ask for help; for more he is led to sign in", async () => {
  const { screen } = await town("public stranger");
  assert.deepEqual(
    (await screen("/d/start")).actions.map(({ href }) => href),
    ["/d/sign-in", "/d/help"],
  );
  assert.equal((await screen("/d/items/mail")).status, 200);
  assert.match((await screen("/d/help")).text.join(" "), /\+44 20/);
  const refused = await screen("/d/items/mail/order");
  assert.deepEqual([refused.status, refused.entries[0]?.href], [403, "/d/sign-in?to=items/mail/order"]);
  assert.equal((await screen("/d/orders/ABCD2345")).status, 403);
  assert.deepEqual((await screen("/d/orders")).entries, []);
});

test("a number that is known and one that is not get the same answer, but for the SMS", async () => {
  const { fixture, signInLink, sent, faults } = await town("public sign in");
  const plain = (screen: Screen): string => JSON.stringify(screen).replace(/"(?:state|way)":"[^"]+"/g, "");
  const unknown = await signInLink(`+${unknownNumber(fixture)}`);
  assert.deepEqual([sent, faults], [[], []]);
  const known = await signInLink(`+${fixture.msisdn}`);
  assert.equal(plain(unknown.code), plain(known.code));
  assert.equal(sent.length, 1);
  assert.equal(known.sms?.to, fixture.msisdn);
  assert.match(
    known.sms!.text,
    /^Meridian: your code is \d{6}\. Or open https:\/\/portal\.example\/d\/l\/[A-Za-z0-9_-]{22} /,
  );
});

test("a code lets its phone's owner in, back to where he wanted to go, and may then order", async () => {
  const { fixture, screen, signInLink } = await town("public code");
  const { code, sms } = await signInLink(`+${fixture.msisdn}`, "/d/sign-in?to=items/mail/order");
  const order = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
  assert.deepEqual([order.status, order.id], [200, "order"]);
  assert.match(order.form!.action, /^\/d\/requests\?s=[A-Za-z0-9_-]{51}$/);
  const status = await screen(order.form!.action, filled(order));
  assert.deepEqual([status.status, status.text.at(-1)], [200, "You have now: Mail"]);
  const [request] = await fixture.requests.ofSubscriber({
    operatorId: fixture.operatorId,
    subscriberId: (await subscriberOf(fixture))!,
  });
  const row = await shop.database.one<{ assurance: string; actor: string }>(
    "select assurance, actor from request where order_id = $1",
    [request!.orderId],
  );
  assert.deepEqual(row, { assurance: "otp", actor: "portal" });
  const again = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
  assert.equal(again.status, 422, "a code is spent by its first use");
});

test("a code has five tries and five minutes", async () => {
  const { fixture, screen, signInLink } = await town("public tries");
  const guess = (code: Screen, digits: string) => screen(code.form!.action, filled(code, { code: digits }));
  const first = await signInLink(`+${fixture.msisdn}`);
  const right = codeIn(first.sms!);
  const wrong = right === "000000" ? "000001" : "000000";
  for (let tries = 1; tries <= 5; tries++) assert.equal((await guess(first.code, wrong)).status, 422);
  assert.equal((await guess(first.code, right)).status, 422, "the sixth is too late");
  const second = await signInLink(`+${fixture.msisdn}`);
  shop.time.now += 5 * MINUTE_MS + 1;
  assert.equal((await guess(second.code, codeIn(second.sms!))).status, 422);
});

test("a link lets in once, is not spent by looking, and ends after a quarter of an hour", async () => {
  const { fixture, screen, signInLink, call } = await town("public link");
  const { sms } = await signInLink(`+${fixture.msisdn}`);
  const path = linkIn(sms!);
  for (let looks = 0; looks < 3; looks++) assert.equal((await screen(path)).status, 200);
  const look = await screen(path);
  const go = look.actions.find(({ method }) => method === "post")!;
  const start = await screen(go.href, go.hidden);
  assert.equal(start.id, "start");
  assert.match(start.entries[0]!.href, /\?s=/);
  assert.equal((await screen(go.href, go.hidden)).status, 404);
  const late = linkIn((await signInLink(`+${fixture.msisdn}`)).sms!);
  const lateGo = (await screen(late)).actions.find(({ method }) => method === "post")!;
  shop.time.now += 15 * MINUTE_MS + 1;
  assert.equal((await screen(lateGo.href, lateGo.hidden)).status, 404);
  assert.equal((await call(path, undefined, { accept: "image/png" })).status, 406);
});

test("nobody's phone is flooded with ways in, and no address asks without end", async () => {
  const limits = { signInsPerAddress: 20, pagesPerAddress: 3_000 };
  const { fixture, screen, signInLink, sent } = await town("public flood", { limits });
  for (let asks = 0; asks < 6; asks++) await signInLink(`+${fixture.msisdn}`);
  assert.equal(sent.length, 3);
  for (let asks = 6; asks < 20; asks++) await signInLink(`+${unknownNumber(fixture)}`);
  const form = await screen("/d/sign-in");
  const refused = await screen("/d/sign-in", filled(form, { msisdn: "+447700900123" }));
  assert.equal(refused.status, 429);
  assert.match(refused.text.join(), /wait 15 min/, "as long as it is");
  const malformed = await screen("/d/sign-in", filled(form, { msisdn: "hello" }));
  assert.deepEqual([malformed.status, malformed.id], [422, "signin"]);
});

test("behind one address any number of people come in: what let somebody in counts no more", async () => {
  const limits = { signInsPerAddress: 2, pagesPerAddress: 3_000 };
  const { fixture, screen, signInLink } = await town("public many", { limits });
  const { operatorId } = fixture;
  const people = Array.from({ length: 6 }, (_, at) => pair(`public many ${at}`));
  for (const person of people) await shop.see(operatorId, person);
  for (const [at, { msisdn }] of people.entries()) {
    const { code, sms } = await signInLink(`+${msisdn}`);
    const link = at % 2 === 0 ? undefined : await screen(linkIn(sms!));
    const go = link?.actions.find(({ method }) => method === "post");
    const letIn = go
      ? await screen(go.href, go.hidden)
      : await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
    assert.equal(letIn.id, "start", `person ${at}`);
  }
  for (let unused = 0; unused < 2; unused++) await signInLink(`+${people[unused]!.msisdn}`);
  const form = await screen("/d/sign-in");
  assert.equal((await screen("/d/sign-in", filled(form, { msisdn: `+${people[5]!.msisdn}` }))).status, 429);
});

test("codes are not guessed at from one address without end; the link in the SMS is good all the same", async () => {
  const limits = { signInsPerAddress: 1_000, pagesPerAddress: 3_000 };
  const { fixture, screen, signInLink } = await town("public code guesses", { limits });
  const honest = await signInLink(`+${fixture.msisdn}`);
  const path = linkIn(honest.sms!);
  let { code } = await signInLink(`+${unknownNumber(fixture)}`);
  for (let guess = 0; guess < 100; guess++) {
    code = await screen(code.form!.action, filled(code, { code: String(guess).padStart(6, "0") }));
    assert.equal(code.status, 422, `guess ${guess}`);
  }
  const right = filled(honest.code, { code: codeIn(honest.sms!) });
  const refused = await screen(honest.code.form!.action, right);
  assert.equal(refused.status, 429);
  assert.match(refused.text.join(), /Open the link in the text message, or wait 15 min/);
  const go = (await screen(path)).actions.find(({ method }) => method === "post")!;
  assert.equal((await screen(go.href, go.hidden)).id, "start");
});

test("strangers of one address have an allowance of pages together, which nobody who came in is held back by", async () => {
  const limits = { signInsPerAddress: 20, pagesPerAddress: 5 };
  const { fixture, screen, signInLink } = await town("public pages", { limits });
  const { code, sms } = await signInLink(`+${fixture.msisdn}`);
  const start = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
  assert.equal((await screen("/d/start")).status, 200);
  assert.equal((await screen("/d/start")).status, 200);
  const refused = await screen("/d/start");
  assert.equal(refused.status, 429);
  assert.match(refused.text.join(), /wait 1 min/);
  assert.equal((await screen(start.entries[0]!.href)).status, 200);
});

test("who guesses at links is told to wait in what his device draws; good links and codes behind his address go on", async () => {
  const { fixture, screen, call, signInLink } = await town("public guesses");
  const guess = (n: number, accept: string) =>
    call(`/d/offers/${String(n).padStart(22, "g")}`, undefined, { accept });
  const good = await signInLink(`+${fixture.msisdn}`);
  for (let n = 0; n < 60; n++) assert.equal((await guess(n, JSON_SCREEN)).status, 404);
  const told = await guess(60, JSON_SCREEN);
  assert.equal(told.status, 429);
  assert.ok(Number(told.headers["retry-after"]) >= 1);
  assert.match((JSON.parse(told.body.toString()) as Screen).text.join(), /wait/);
  const onOldPhone = await guess(61, "text/vnd.wap.wml");
  assert.match(String(onOldPhone.headers["content-type"]), /^text\/vnd\.wap\.wml/);
  assert.match(onOldPhone.body.toString(), /wait/);
  assert.ok(Number(onOldPhone.headers["retry-after"]) >= 1);
  // More than all that one link may be asked for: no other is any the worse for it.
  for (let n = 62; n < 320; n++) await guess(n, JSON_SCREEN);
  assert.equal((await screen("/d/start")).status, 200);
  const path = linkIn(good.sms!);
  const look = await screen(path);
  assert.equal(look.status, 200);
  const go = look.actions.find(({ method }) => method === "post")!;
  assert.equal((await screen(go.href, go.hidden)).id, "start");
  const second = await signInLink(`+${fixture.msisdn}`);
  const letIn = await screen(second.code.form!.action, filled(second.code, { code: codeIn(second.sms!) }));
  assert.equal(letIn.id, "start");
});

test("a session that was changed, is over, or is another operator's is none", async () => {
  const { fixture, screen, signInLink } = await town("public session");
  const { code, sms } = await signInLink(`+${fixture.msisdn}`);
  const start = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
  const token = /s=([^&]+)/.exec(start.entries[0]!.href)![1]!;
  const isLetIn = async (s: string): Promise<boolean> =>
    (await screen(`/d/start?s=${s}`)).actions.every(({ href }) => !href.startsWith("/d/sign-in"));
  assert.equal(await isLetIn(token), true);
  for (let at = 0; at < token.length; at += 5) {
    const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    assert.equal(await isLetIn(changed), false, `changed at ${at}`);
  }
  const other = await town("public other operator");
  assert.equal((await other.screen(`/d/start?s=${token}`)).actions[0]?.href, "/d/sign-in");
  shop.time.now += 46 * MINUTE_MS;
  assert.equal(await isLetIn(token), false);
});

test("a session ends when its number is another SIM's: nothing of the old holder's is shown or asked for in his name", async () => {
  const { fixture, screen, signInLink } = await town("public moves on");
  const { operatorId, imsi, imei, msisdn } = fixture;
  const letIn = async (): Promise<string> => {
    const { code, sms } = await signInLink(`+${msisdn}`);
    const start = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
    return /s=([^&]+)/.exec(start.entries[0]!.href)![1]!;
  };
  const seen = async (sim: { readonly imsi: string; readonly imei: string; readonly msisdn: string }) => {
    shop.time.now += MINUTE_MS;
    await shop.see(operatorId, { ...sim, seenAt: new Date(shop.time.now).toISOString() });
    shop.time.now += 1_000;
  };
  const ordersOf = async (s: string) => (await screen(`/d/orders?s=${s}`)).entries.length;
  const ordered = () => shop.count("request", "operator_id = $1", [operatorId]);
  const old = await letIn();
  const form = await screen(`/d/items/mail/order?s=${old}`);
  const before = await screen(form.form!.action, filled(form));
  assert.equal(before.status, 200);
  const drawn = await screen(`/d/items/mail/order?s=${old}`);
  assert.deepEqual([await ordersOf(old), await ordered()], [1, 1]);

  const heir = { ...pair("public heir"), msisdn };
  await seen(heir);
  assert.equal((await screen(`/d/start?s=${old}`)).actions[0]?.href, "/d/sign-in", "he is a stranger again");
  assert.equal((await screen(`/d/items/mail/order?s=${old}`)).status, 403);
  assert.equal(
    (await screen(drawn.form!.action, filled(drawn))).status,
    403,
    "a form that was open does nothing",
  );
  assert.deepEqual([await ordersOf(old), await ordered()], [0, 1]);

  const fresh = await letIn();
  assert.equal(await ordersOf(fresh), 0, "what the former holder asked for is not shown to the new one");
  assert.doesNotMatch(JSON.stringify(await screen(`/d/mine?s=${fresh}`)), /Mail/);

  await seen({ imsi, imei, msisdn: pair("public another number").msisdn });
  assert.equal(
    (await screen(`/d/start?s=${old}`)).actions[0]?.href,
    "/d/sign-in",
    "his new number does not revive it",
  );
  assert.notEqual((await screen(`/d/start?s=${fresh}`)).actions[0]?.href, "/d/sign-in");
});

test("a number in a header is believed from the operator's gateway alone, and under its agreed name", async () => {
  const near = await town("public gateway", { gateways: [GATEWAY] });
  const far = await town("public no gateway", { gateways: [{ ...GATEWAY, addresses: ["192.0.2.1"] }] });
  const signIn = async ({ screen, fixture }: typeof near, name: string) =>
    (await screen("/d/start", undefined, { [name]: fixture.msisdn })).actions.some(
      ({ href }) => href === "/d/sign-in",
    );
  assert.equal(await signIn(near, "x-msisdn"), false);
  assert.equal(await signIn(near, "x-nokia-msisdn"), true);
  assert.equal(await signIn(near, "turnup-msisdn"), true);
  for (const name of [
    "x-msisdn",
    "x-wap-network-client-msisdn",
    "turnup-msisdn",
    "turnup-imei",
    "x-up-subno",
  ])
    assert.equal(await signIn(far, name), true, name);
  const line = { "x-msisdn": near.fixture.msisdn };
  const order = await near.screen("/d/items/mail/order", undefined, line);
  const status = await near.screen("/d/requests", filled(order), line);
  assert.equal(status.text.at(-1), "You have now: Mail");
  const row = await shop.database.one<{ assurance: string }>(
    "select assurance from request where operator_id = $1",
    [near.fixture.operatorId],
  );
  assert.equal(row?.assurance, "network");
  // The same form without the gateway's word is nobody's: the line is no cookie that another page could use.
  assert.equal((await near.screen("/d/requests", filled(order))).status, 403);
});

test("headers that name two lines are refused; a session in the address never counts before the line", async () => {
  const { fixture, screen, call, signInLink } = await town("public conflict", { gateways: [GATEWAY] });
  const other = unknownNumber(fixture);
  for (const headers of [
    { "x-msisdn": [fixture.msisdn, other] },
    { "x-msisdn": `${fixture.msisdn}, ${other}` },
    { "x-msisdn": fixture.msisdn, "x-nokia-msisdn": other },
    { "x-msisdn": "nonsense" },
  ]) {
    assert.equal((await call("/d/orders", undefined, headers)).status, 403);
  }
  const { code, sms } = await signInLink(`+${fixture.msisdn}`);
  const start = await screen(code.form!.action, filled(code, { code: codeIn(sms!) }));
  const session = start.entries[0]!.href.replace(/\/list\/package/, "/orders");
  const led = await screen(session, undefined, { "x-msisdn": other });
  assert.ok(led.actions.every(({ href }) => !href.includes("s=")));
});

test("each kind of device is shown its own markup, and none that it does not take", async () => {
  const { call } = await town("public markups");
  const accepts: Readonly<Record<string, readonly [accept: string, userAgent: string]>> = {
    html: ["text/html,*/*;q=0.8", "Mozilla/5.0"],
    xhtmlmp: ["application/vnd.wap.xhtml+xml, text/vnd.wap.wml", "Nokia6600"],
    wml: ["text/vnd.wap.wml, */*", "Nokia7110/1.0 (05.01)"],
    wmlc: ["application/vnd.wap.wmlc", "WapIDE"],
    chtml: ["*/*", "DoCoMo/2.0 N905i(c100;TB;W24H16)"],
    hdml: ["text/x-hdml, */*", "ALAV UP.Browser/3.2.01-UP.Link/3.2"],
    vxml: ["application/voicexml+xml", "OpenVXI/3.0"],
    "screen+json": [JSON_SCREEN, "x"],
    "screen+xml": ["application/vnd.turnup.screen+xml", "x"],
  };
  for (const markup of MARKUPS) {
    const [accept, agent] = accepts[markup]!;
    for (const path of ["/d/start", "/d/list/feature", "/d/items/mail", "/d/help", "/d/sign-in"]) {
      const { status, headers } = await call(path, undefined, { accept, "user-agent": agent });
      assert.deepEqual([status, headers["content-type"]], [200, MARKUP_TYPE[markup]], `${markup} of ${path}`);
    }
  }
  const plain = { accept: "*/*", "user-agent": "Nokia7110/1.0" };
  assert.equal((await call("/d/start", undefined, plain)).headers["content-type"], MARKUP_TYPE.wml);
  for (const accept of ["image/png", "application/pdf;q=1, text/html;q=0"])
    assert.equal((await call("/d/start", undefined, { accept })).status, 406);
  const wmlOnly = { accept: "text/html", "turnup-capability": "markups=wml; screen=16x4" };
  assert.equal(
    (await call("/d/start", undefined, wmlOnly)).status,
    406,
    "never what a device cannot draw (R12)",
  );
});

test("what the network knows of a model decides where its browser says nothing", async () => {
  const capabilitiesOf = () => ({ markups: ["wml"] });
  const { call, fixture } = await town("public model", { gateways: [GATEWAY], capabilitiesOf });
  const { headers } = await call("/d/start", undefined, { accept: "*/*", "x-msisdn": fixture.msisdn });
  assert.equal(headers["content-type"], MARKUP_TYPE.wml);
});

test("a browser is led on by GET after a POST; a WAP phone gets its deck at once, never an error of its gateway", async () => {
  const { fixture, call, screen } = await town("public redirect", { gateways: [GATEWAY] });
  const line = { "x-msisdn": fixture.msisdn };
  const order = await screen("/d/items/mail/order", undefined, line);
  const html = await call("/d/requests", filled(order), { ...line, accept: "text/html" });
  assert.equal(html.status, 303);
  assert.match(String(html.headers.location), /^\/d\/orders\/[0-9A-Z]{8}$/);
  const again = await call("/d/requests", filled(order), { ...line, accept: "text/html" });
  assert.equal(again.headers.location, html.headers.location);
  const wml = await call("/d/requests", filled(order), { ...line, accept: "text/vnd.wap.wml" });
  assert.equal(wml.status, 200);
  const refused = await call("/d/orders/ABCD2345", undefined, { ...line, accept: "text/vnd.wap.wml" });
  assert.deepEqual([refused.status, refused.headers["turnup-error"]], [200, "order_not_found"]);
});

test("a page loads nothing, runs nothing, sends its forms here alone, and is kept nowhere", async () => {
  const { call } = await town("public policy");
  const { headers, body } = await call("/d/sign-in", undefined, { accept: "text/html" });
  const policy = String(headers["content-security-policy"]);
  assert.equal(
    policy,
    `default-src 'none'; style-src ${HTML_STYLE_HASH}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["set-cookie"], undefined);
  assert.ok(!/<script|<img|<link|@import/i.test(body.toString()));
});

test("what is no form of ours is told so in a screen, and HEAD looks at nothing", async () => {
  const { call, screen, port } = await town("public malformed");
  assert.equal((await screen("/d/sign-in", { msisdn: "+447700900123" })).status, 403);
  assert.equal((await screen("/d/sign-in", { a: "b" }, { "content-type": "text/plain" })).status, 415);
  const cut = await ask(new URL(`http://127.0.0.1:${port}/d/sign-in`), {
    method: "POST",
    headers: { accept: JSON_SCREEN, "content-type": "application/x-www-form-urlencoded" },
    body: "msisdn=%E4%",
  });
  assert.equal(cut.status, 400);
  assert.equal((await call("/d/sign-in", { a: "x".repeat(70_000) })).status, 413);
  const head = await ask(new URL(`http://127.0.0.1:${port}/d/start`), { method: "HEAD", headers: {} });
  assert.equal(head.status, 404);
});

test("an offer's link shows its item, filled in, until it is answered (R67)", async () => {
  const { fixture, screen } = await town("public offer", { items: [{ ...MAIL, terms: "t" }] });
  const { msisdn } = fixture;
  const offer = { itemId: "mail", to: [{ msisdn }], actor: "staff", idempotencyKey: "o1" };
  await fixture.requests.sendOffers(fixture.operatorId, offer);
  const [told] = await fixture.told("none");
  const path = /\/d\/offers\/\S+/.exec(told!.text)![0];
  const elsewhere = await town("public offer elsewhere");
  assert.equal((await elsewhere.screen(path)).status, 404, "another operator's portal knows no such offer");
  const order = await screen(path);
  assert.deepEqual([order.status, order.text[0]], [200, "We have this for you:"]);
  const terms = await screen(order.entries[0]!.href);
  assert.deepEqual(terms.text, ["Terms of t."]);
  const status = await screen(order.form!.action, filled(order));
  assert.equal(status.status, 200);
  const accept = (await screen(status.entries[0]!.href)).actions.find(({ role }) => role === "accept")!;
  assert.match((await screen(accept.href, accept.hidden)).text.join(" "), /You have now: Mail/);
  assert.equal((await screen(path)).status, 404);
  assert.equal((await screen("/d/offers/AAAAAAAAAAAAAAAAAAAAAA")).status, 404);
});

test("looking at an offer's link opens no session, however often; taking it opens one, once (R67)", async () => {
  const { fixture, screen, call } = await town("public offer looked at", {
    items: [{ ...MAIL, terms: "t" }],
  });
  const offer = { itemId: "mail", to: [{ msisdn: fixture.msisdn }], actor: "staff", idempotencyKey: "o2" };
  await fixture.requests.sendOffers(fixture.operatorId, offer);
  const [told] = await fixture.told("none");
  const path = /\/d\/offers\/\S+/.exec(told!.text)![0];
  const SESSION = /[?&]s=[A-Za-z0-9_-]{20,}/;
  for (const accept of [JSON_SCREEN, "text/html", "text/vnd.wap.wml"]) {
    const { body } = await call(path, undefined, { accept });
    assert.doesNotMatch(body.toString(), SESSION, `previews get no way in: ${accept}`);
  }
  const [first, second] = [await screen(path), await screen(path)];
  for (const address of [first.form!.action, ...first.entries.map(({ href }) => href)])
    assert.doesNotMatch(address, SESSION);
  assert.equal((await screen("/d/mine")).text.join(" ").includes("Mail"), false);
  assert.equal(
    (await screen(path, { selection: "mail" })).status,
    403,
    "a form of another page takes nothing",
  );
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [fixture.operatorId]),
    0,
  );
  const taken = await screen(first.form!.action, filled(first));
  assert.match(taken.entries[0]!.href, SESSION, "his own from here on");
  for (const again of [filled(first), filled(second)]) {
    const { status, entries, actions } = await screen(path, again);
    assert.equal(status, 404);
    for (const { href } of [...entries, ...actions]) assert.doesNotMatch(href, SESSION);
  }
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [fixture.operatorId]),
    1,
  );
});

test("a form that a small phone must turn pages for keeps what was typed, though it answered a POST", async () => {
  const fields = Array.from({ length: 12 }, (_, at) => ({
    name: `answer${at}`,
    label: { en: `A long question with the number ${at}, to be answered in full` },
    kind: "text" as const,
    required: true,
  }));
  const service = { uri: "https://s.example", module: null, fields };
  const items = [{ ...MAIL, kind: "service" as const, service }];
  const { fixture, screen, call } = await town("public pages", { items, gateways: [GATEWAY] });
  const line = { "x-msisdn": fixture.msisdn, accept: "text/vnd.wap.wml" };
  const order = await screen("/d/items/mail/order", undefined, { "x-msisdn": fixture.msisdn });
  const typed = { [order.form!.fields[0]!.name]: "kept by the server" };
  const wrong = await call("/d/requests", filled(order, typed), line);
  const pages = [...wrong.body.toString().matchAll(/\/d\/p\/[A-Za-z0-9_-]{22}\?turnup-page=\d+/g)].map(
    ([one]) => one,
  );
  assert.ok(pages.length > 0, "the form takes more than one deck");
  const next = await call(pages[0]!, undefined, line);
  assert.equal(next.status, 200);
  assert.match(wrong.body.toString() + next.body.toString(), /kept by the server/);
  assert.equal(
    (await call(pages[0]!, undefined, { accept: JSON_SCREEN })).status,
    404,
    "nobody else sees it",
  );
});

async function subscriberOf({ operatorId }: RequestFixture): Promise<string | undefined> {
  const row = await shop.database.one<{ id: string }>("select id from subscriber where operator_id = $1", [
    operatorId,
  ]);
  return row?.id;
}
