/** The portal on the public server over real sockets: what every kind of device is shown, and who is believed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ask } from "../../../test/fixture/parties.ts";
import { filled } from "../../../test/fixture/portal.ts";
import { codeIn, JSON_SCREEN, MAIL, publicDoor, unknownNumber } from "../../../test/fixture/public-door.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import { MARKUP_TYPE, MARKUPS } from "../../wire/screen/choose.ts";
import { HTML_STYLE_HASH } from "../../wire/screen/html-style.ts";

const { shop, town } = await publicDoor();

const GATEWAY: GatewayRule = {
  name: "wap",
  addresses: ["127.0.0.1"],
  bearer: "gsm",
  msisdnHeader: "x-msisdn",
  imsiHeader: null,
  deviceIdHeader: null,
};

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
