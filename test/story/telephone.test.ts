/**
 * The telephone road, walked by a small voice platform over the real server (US 6,647,260, column 2; R69): language, the
 * caller proved by a code to their SIM, a service chosen, prices and terms read out, a request that goes the usual way.
 */

import assert from "node:assert/strict";
import { test } from "vitest";
import { AGENT, type LandDoor, landDoor } from "../fixture/land-door.ts";
import { pair } from "../fixture/order-shop.ts";
import { requestShop } from "../fixture/request-shop.ts";
import { SILENCE, VoiceCall, type VoiceFetch } from "../fixture/voice-walker.ts";
import { withoutIds } from "../fixture/without-ids.ts";

const shop = await requestShop();
const door = await landDoor(shop);
const PRICE = { onceMinor: 0, monthlyMinor: 450, currency: "EUR" };
const requires = { assurance: "otp" as const, verification: false, card: false };
const ITEMS = [
  {
    id: "voice-mail",
    requires,
    name: { en: "Voice mail", de: "Anrufbeantworter" },
    price: PRICE,
    terms: "mail-terms",
  },
  {
    id: "alerts",
    requires,
    kind: "service" as const,
    name: { en: "Bank alerts" },
    service: {
      uri: "https://bank.example",
      module: null,
      fields: [
        { name: "account", label: { en: "Account number" }, kind: "digits" as const, required: true },
        { name: "born", label: { en: "Date of birth" }, kind: "date" as const, required: true },
      ],
    },
  },
  {
    id: "tune",
    requires: { ...requires, card: true },
    name: { en: "Paid tune" },
    price: PRICE,
  },
  {
    id: "forwarding",
    requires,
    name: { en: "Call forwarding" },
    elements: ["forwarding" as const],
    fields: [{ name: "target", label: { en: "Forward to" }, kind: "phone" as const, required: true }],
  },
  {
    id: "letters",
    requires,
    kind: "service" as const,
    name: { en: "Letters" },
    service: {
      uri: "https://post.example",
      module: null,
      fields: [{ name: "street", label: { en: "Street" }, kind: "text" as const, required: true }],
    },
  },
];
const POLICY = { verify: "items" as const, minimumAssurance: "otp" as const };

const fetchAs =
  ({ server }: LandDoor, authorization: string | undefined): VoiceFetch =>
  async (method, url, body) => {
    const answer = await server.inject({
      method,
      url,
      headers: {
        ...(authorization && { authorization }),
        ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      },
      ...(body !== undefined && { payload: body }),
    });
    return {
      status: answer.statusCode,
      contentType: String(answer.headers["content-type"]),
      text: answer.body,
    };
  };

async function line(name: string, over: LandDoor = door) {
  const fixture = await shop.fixture(name, ITEMS, { terms: ["mail-terms"], policy: POLICY });
  await shop.see(fixture.operatorId, { imsi: fixture.imsi, imei: fixture.imei, msisdn: fixture.msisdn });
  const token = await over.token(fixture.operatorId, "voice");
  const basic = `Basic ${Buffer.from(`platform:${token}`).toString("base64")}`;
  const posts: (() => ReturnType<VoiceFetch>)[] = [];
  const fetch: VoiceFetch = (...asked) => {
    const send = () => fetchAs(over, basic)(...asked);
    if (asked[0] === "POST") posts.push(send);
    return send();
  };
  const dial = (caller: string | undefined = `tel:+${fixture.msisdn}`) =>
    VoiceCall.dial(fetch, "/voice", caller);
  const codeSent = () =>
    /(\d{6})/.exec(over.sent.filter(({ to }) => to === fixture.msisdn).at(-1)?.text ?? "")![1]!;
  return {
    fixture,
    token,
    dial,
    /** What the platform posted, to be posted again. */
    posts,
    codeSent,
    /** A call of somebody who has proved who they are. */
    async known(language = "English") {
      const call = await dial();
      await call.choose(language);
      await call.press("1");
      await call.press(codeSent());
      return call;
    },
    requests: async () =>
      await shop.database.rows<{ id: string }>(
        "select order_id as id from request where operator_id = $1 order by order_id",
        [fixture.operatorId],
      ),
  };
}

test("help by telephone needs nobody: where the caller stands before anything is provisioned, sent again, given up, a person if wanted", async () => {
  const { fixture, known } = await line("care call");
  await shop.pass(0);
  const { rows } = await shop.reader.listOrders(fixture.operatorId, {}, { limit: 1 });
  const orderId = rows[0]?.id ?? "";
  const messages = () => shop.count("message", "order_id = $1", [orderId]);
  const call = await known();
  const before = await messages();
  await call.choose("Help");
  assert.match(call.heard, /Settings of your phone: being set up\. It was sent to your phone/);
  await call.choose("Settings of your phone");
  await call.choose("Send again");
  assert.match(call.heard, /It is being sent again\./);
  assert.equal(await messages(), before + 1, "a message is queued for it");
  await call.choose("Give up");
  assert.match(call.heard, /what you have already, you keep/);
  await call.choose("Give up");
  assert.match(call.heard, /It was given up\./);
  const story = await shop.reader.findOrder(fixture.operatorId, orderId);
  assert.equal(story?.state, "cancelled");
  const history = story?.events.map(({ kind, evidence }) => `${kind} ${evidence}`) ?? [];
  for (const one of ["self_care_resend telephone", "self_care_give_up telephone"])
    assert.ok(history.includes(one), one);
  await call.choose("Help");
  assert.match(call.heard, /no request under way/);
  await call.choose("a person");
  assert.deepEqual(call.end, { kind: "transferred", to: AGENT });
});

test("a caller proves himself by a code, chooses, hears price and terms, and his request waits for his yes by SMS", async () => {
  const { fixture, dial, codeSent, requests } = await line("whole call");
  const call = await dial();
  assert.match(call.heard, /Meridian .*For English, press 1\. .*For Deutsch, press 2\./);
  await call.choose("English");
  assert.match(call.heard, new RegExp(`ends in ${fixture.msisdn.slice(-2).split("").join(" ")}`));
  await call.choose("sending the code");
  assert.match(call.heard, /six digits/);
  await call.press(codeSent());
  assert.match(call.heard, /For Packages.* press 1\. .*For Features.* press 2\. .*For Services/);
  await call.choose("Features");
  assert.match(call.heard, /Voice mail, €4\.50 a month/);
  await call.choose("Voice mail");
  assert.match(call.heard, /In short, the terms: Terms of mail-terms\. The whole terms come to you by SMS\./);
  await call.choose("Order");
  assert.match(call.heard, /Voice mail: €4\.50 a month .*The whole terms come to you by SMS/);
  assert.deepEqual(await requests(), [], "nothing is asked for before he confirms");
  await call.choose("Order");
  const [request] = await requests();
  assert.ok(request, call.heard);
  const status = await fixture.status(request.id);
  assert.deepEqual([status.channel, status.state], ["telephone", "awaiting_consent"]);
  assert.match(call.heard.replaceAll(" ", ""), new RegExp(status.reference), "digits are read in groups");

  const [terms] = await fixture.told();
  const code = /YES (\d{4})/.exec(terms!.text)![1];
  assert.ok(await fixture.requests.textCame(fixture.msisdn, `YES ${code}`));
  assert.equal((await fixture.status(request.id)).state, "completed");
  const row = await shop.database.one<{ actor: string; assurance: string }>(
    "select actor, assurance from request where order_id = $1",
    [request.id],
  );
  assert.deepEqual(row, { actor: "ivr", assurance: "otp" });
});

test("who is proved is the SIM, not the number that calls: a wrong code opens nothing, and the third leads to an agent", async () => {
  const { fixture, dial, codeSent, requests } = await line("three wrong codes");
  const call = await dial();
  await call.choose("English");
  await call.press("1");
  const wrong = codeSent() === "000000" ? "000001" : "000000";
  assert.match(await call.press(wrong), /not right/);
  assert.match(await call.press(wrong), /not right/);
  await call.press(wrong);
  assert.deepEqual(call.end, { kind: "transferred", to: AGENT });
  assert.deepEqual(await requests(), []);
  assert.ok(!call.documents.some((text) => text.includes(fixture.msisdn)), "no document holds the number");
});

test("whoever set a PIN is asked for it beside the code: without it nothing is told, and what is wrong too often leads to an agent", async () => {
  const { fixture, known, token, requests } = await line("a pin");
  const pin = (method: "PUT" | "DELETE", payload?: object) =>
    over(fixture.operatorId).then((authorization) =>
      door.server.inject({
        method,
        url: `/v1/subscribers/+${fixture.msisdn}/telephone-pin`,
        headers: { authorization },
        ...(payload && { payload }),
      }),
    );
  const weak = await pin("PUT", { pin: "1234" });
  assert.deepEqual([weak.statusCode, weak.json().code], [400, "telephone_pin_unfit"]);
  assert.equal((await pin("PUT", { pin: "2580" })).json().isSet, true);
  const call = await known();
  assert.match(call.heard, /PIN for the telephone/);
  const awaiting = /call=([\w-]+)/.exec(call.documents.at(-1) ?? "")?.[1];
  for (const to of ["/d/start", "/d/requests"]) {
    const url = `/voice/screen?to=${encodeURIComponent(to)}&call=${awaiting}`;
    const { text } = await fetchAs(door, `Bearer ${token}`)("GET", url, undefined);
    assert.match(text, /A code goes by SMS to your phone/, "the code alone opens nothing");
  }
  assert.match(await call.press("2581"), /That PIN is not right/);
  assert.match(await call.press("2580"), /For Features/);
  assert.ok(!call.documents.some((text) => withoutIds(text).includes("2580")));

  const other = await known();
  for (const wrong of ["2581", "2582", "2583"]) await other.press(wrong);
  assert.deepEqual(other.end, { kind: "transferred", to: AGENT });
  const third = await known();
  for (const wrong of ["2584", "2585"]) await third.press(wrong);
  assert.match(await third.press("2580"), /locked/);
  assert.deepEqual(third.end, { kind: "transferred", to: AGENT });

  assert.equal((await pin("DELETE")).json().isSet, false);
  assert.match((await known()).heard, /For Features/, "without one the code is enough");
  assert.deepEqual(await requests(), []);
  const audit = await shop.database.rows<{ action: string; detail: object | null }>(
    "select action, detail from audit where operator_id = $1 and action like 'telephone_pin.%' order by id",
    [fixture.operatorId],
  );
  assert.deepEqual(
    audit.map(({ action }) => action),
    ["telephone_pin.put", "telephone_pin.remove"],
  );
  assert.doesNotMatch(withoutIds(JSON.stringify(audit)), /2580/);
});
const over = async (operatorId: string): Promise<string> => `Bearer ${await door.token(operatorId, "care")}`;

test("before the code was right nothing of the dialog is told, whatever address is asked for", async () => {
  const { fixture, dial, token, requests } = await line("not yet proved");
  await fixture.ask(["voice-mail"], { assurance: "cert" });
  const [own] = await requests();
  const call = await dial();
  await call.choose("English");
  const unproved = /call=([\w-]+)/.exec(call.documents.at(-1)!)![1]!;
  const { reference } = await fixture.status(own!.id);
  for (const to of ["/d/start", "/d/mine", "/d/orders", `/d/orders/${reference}`, "/d/requests", "x"]) {
    for (const method of ["GET", "POST"] as const) {
      const url = `/voice/screen?to=${encodeURIComponent(to)}&call=${unproved}`;
      const { status, text } = await fetchAs(door, `Bearer ${token}`)(
        method,
        url,
        method === "POST" ? "a=b" : undefined,
      );
      assert.equal(status, 200);
      assert.match(text, /A code goes by SMS to your phone/, to);
    }
  }
});

test("a code is spent by its use, and five minutes old it is none", async () => {
  const { dial, codeSent } = await line("old code");
  const call = await dial();
  await call.choose("English");
  await call.press("1");
  const code = codeSent();
  shop.time.now += 5 * 60_000;
  assert.match(await call.press(code), /not right/);
});

test("a call ends to be its caller's when his number is another SIM's meanwhile: he has to prove himself anew, and cannot", async () => {
  const { fixture, dial, known, codeSent, requests, posts } = await line("moves on");
  const call = await known();
  await call.choose("Features");
  await call.choose("Voice mail");
  await call.choose("Order");
  shop.time.now += 60_000;
  const heir = {
    ...pair("moves on heir"),
    msisdn: fixture.msisdn,
    seenAt: new Date(shop.time.now).toISOString(),
  };
  await shop.see(fixture.operatorId, heir);
  shop.time.now += 1_000;
  const told = door.sent.length;
  assert.doesNotMatch(await call.choose("Order"), /Voice mail/);
  assert.deepEqual(await requests(), [], "nothing is asked for in his name");
  await posts.at(-1)!();
  assert.deepEqual(await requests(), [], "nor when the platform posts it again");
  assert.equal(door.sent.length, told);
  const own = await dial();
  await own.choose("English");
  await own.press("1");
  await own.press(codeSent());
  assert.match(own.heard, /For Packages/, "the new holder has the number, and its codes");
});

test("a number that is none of ours is answered as any other, and gets nothing", async () => {
  const { dial } = await line("stranger");
  const before = door.sent.length;
  const call = await dial("tel:+4915199999999");
  await call.choose("English");
  await call.press("1");
  assert.match(call.heard, /If the number is one of ours/);
  assert.equal(door.sent.length, before);
});

test("a hidden number is keyed, and three silences put the caller through", async () => {
  const { fixture, dial } = await line("hidden number");
  const call = await dial("sip:anonymous@anonymous.invalid");
  await call.choose("Deutsch");
  assert.match(call.heard, /Landesvorwahl/);
  await call.press("12");
  assert.match(call.heard, /Das steht nicht zur Wahl/);
  await call.press(fixture.msisdn);
  assert.match(call.heard, /sechs Ziffern/);
  for (let silence = 0; silence < 3; silence++) await call.press(SILENCE);
  assert.deepEqual(call.end, { kind: "transferred", to: AGENT });
});

test("a service's own fields are keyed, a date as eight digits; they go to the service and nowhere else", async () => {
  const { fixture, known, requests } = await line("fields by keys");
  const call = await known();
  await call.choose("Services");
  await call.choose("Bank alerts");
  await call.choose("Order");
  assert.match(call.heard, /Account number/);
  await call.press("471100");
  assert.match(call.heard, /Date of birth/);
  await call.press("19801231");
  const [request] = await requests();
  assert.ok(request, call.heard);
  await fixture.calls();
  assert.deepEqual(fixture.saw.registrations[0]?.fields, { account: "471100", born: "1980-12-31" });
  const story = withoutIds(JSON.stringify(await fixture.story(request.id)));
  assert.ok(!story.includes("471100") && !story.includes("1980-12-31"));
});

test("the number that calls are forwarded to is keyed, and its element gets it (R122)", async () => {
  const { fixture, known, requests } = await line("forwarded by keys");
  const call = await known();
  await call.choose("Features");
  await call.choose("Call forwarding");
  await call.choose("Order");
  assert.match(call.heard, /Forward to/);
  await call.press("4915198765432");
  const [request] = await requests();
  assert.ok(request, call.heard);
  await fixture.calls();
  assert.deepEqual(fixture.saw.elements[0]?.values, { target: "+4915198765432" });
});

test("what keys cannot write goes to an agent; where there is none, to the caller's phone by a link", async () => {
  const withAgent = await line("street");
  const call = await withAgent.known();
  await call.choose("Services");
  await call.choose("Letters");
  await call.choose("Order");
  assert.deepEqual(call.end, { kind: "transferred", to: AGENT });

  const alone = await landDoor(shop, { agentOf: () => undefined });
  const without = await line("street without agent", alone);
  const other = await without.known();
  await other.choose("Services");
  await other.choose("Letters");
  await other.choose("Order");
  assert.deepEqual(other.end, { kind: "hung_up" });
  assert.match(other.heard, /A link comes to you by SMS/);
  assert.match(alone.sent.at(-1)!.text, /https:\/\/turnup\.invalid\/d\/l\/[\w-]{22}$/);
});

const IBAN = "DE89370400440532013000";

test("a bank account is keyed where its number is digits: heard again masked, allowed by key, tokenised at once and kept nowhere (R8)", async () => {
  const german = await landDoor(shop, {
    operatorOf: async (id) => ({ id, name: "Meridian", country: "DE", care: { phone: null, url: null } }),
  });
  const { known, requests } = await line("account by keys", german);
  const call = await known();
  await call.choose("Features");
  await call.choose("Paid tune");
  await call.choose("Order");
  await call.choose("Pay from a bank account");
  assert.match(call.heard, /Key your IBAN without its letters/);
  await call.press("88370400440532013000");
  assert.match(call.heard, /What you keyed ends with 3 0 0 0/);
  assert.ok(!call.heard.includes("88370400440532013000"), "no more of it is said");
  await call.press("1");
  assert.match(call.heard, /a digit is wrong/);
  assert.equal((await requests()).length, 0);
  await call.press(IBAN.slice(2));
  await call.press("2");
  assert.equal((await requests()).length, 0, "what nobody allowed is not collected");
  assert.equal(german.accounts.length, 0, "nor given to the payment provider");
  await call.press(IBAN.slice(2));
  await call.press("1");
  assert.equal((await requests()).length, 1, call.heard);
  assert.deepEqual(
    german.accounts.map(({ iban, holder }) => [iban, holder]),
    [[IBAN, undefined]],
  );
  const kept = JSON.stringify(
    await shop.database.rows(
      "select card_token, card_digits, mandate_reference from request where card_token is not null",
    ),
  );
  assert.match(kept, /ba_1.*DE\*{4}3000/);
  assert.ok(!kept.includes(IBAN.slice(4)));
});

test("an account whose number has letters goes to an agent, or to the caller's phone by a link, and it is said why (R8)", async () => {
  const operatorOf = async (id: string) => ({
    id,
    name: "Meridian",
    country: "GB",
    care: { phone: null, url: null },
  });
  const withAgent = await line("account with letters", await landDoor(shop, { operatorOf }));
  const alone = await landDoor(shop, { operatorOf, agentOf: () => undefined });
  const without = await line("account with letters, nobody there", alone);
  const calls = [];
  for (const { known } of [withAgent, without]) {
    const call = await known();
    for (const choice of ["Features", "Paid tune", "Order", "Pay from a bank account"])
      await call.choose(choice);
    calls.push(call);
  }
  assert.deepEqual(
    calls.map(({ end }) => end),
    [{ kind: "transferred", to: AGENT }, { kind: "hung_up" }],
  );
  for (const { heard } of calls) assert.match(heard, /cannot be keyed on a telephone/);
  assert.match(alone.sent.at(-1)?.text ?? "", /https:\/\/turnup\.invalid\/d\/l\//);
});

test("somebody who was cut off calls again and hears where he was; terms can be heard and agreed to by key", async () => {
  const { fixture, known, requests } = await line("cut off");
  const first = await known();
  await first.choose("Features");
  await first.choose("Voice mail");
  await first.choose("Order");
  await first.choose("Order");
  const again = await known();
  const [request] = await requests();
  const { reference } = await fixture.status(request!.id);
  assert.match(again.heard, new RegExp(`Request ${reference.split("").join(" ")} is still under way`));
  await again.choose("My requests");
  await again.choose(reference);
  await again.choose("Terms");
  assert.match(again.heard, /Terms of mail-terms\./);
  await again.choose("I agree");
  assert.equal((await fixture.status(request!.id)).state, "completed");
  const row = await shop.database.one<{ answered_by: string }>(
    "select answered_by from consent where order_id = $1",
    [request!.id],
  );
  assert.equal(row?.answered_by, "telephone");
});

test("a confirmation that the platform sends twice asks for nothing twice", async () => {
  const { known, requests, posts } = await line("twice");
  const call = await known();
  await call.choose("Features");
  await call.choose("Voice mail");
  await call.choose("Order");
  await call.choose("Order");
  const [first] = await requests();
  const again = await posts.at(-1)!();
  assert.equal(again.status, 200);
  assert.match(again.text, /Request /);
  assert.deepEqual(await requests(), [first]);
});

test("the call is sealed: changed, of another operator, or too old, it begins anew with the language", async () => {
  const { known, token } = await line("sealed");
  const call = await known();
  const href = /next="([^"]*list[^"]*)"/.exec(call.documents.at(-1)!)![1]!.replaceAll("&amp;", "&");
  const ask = async (url: string, as = token) =>
    (await fetchAs(door, `Bearer ${as}`)("GET", url, undefined)).text;
  assert.match(await ask(href), /Packages/);
  const at = href.length - 10;
  const changed = href.slice(0, at) + (href[at] === "A" ? "B" : "A") + href.slice(at + 1);
  const other = await line("sealed elsewhere");
  assert.match(await ask(changed), /For English, press 1/);
  assert.match(await ask(href, other.token), /For English, press 1/);
  shop.time.now += 46 * 60_000;
  assert.match(await ask(href), /For English, press 1/);
});

test("the voice platform is known by its token, as bearer or as Basic, or by its configured address; nobody else is", async () => {
  const { fixture, token } = await line("platform");
  const get = (authorization?: string, over: LandDoor = door) =>
    fetchAs(over, authorization)("GET", "/voice", undefined);
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
  for (const good of [`Bearer ${token}`, basic(`x:${token}`), basic(`:${token}`)]) {
    assert.equal((await get(good)).status, 200, good.slice(0, 6));
  }
  const care = await door.token(fixture.operatorId, "care");
  assert.equal((await get(basic(`x:${care}`))).status, 403);
  for (const bad of [undefined, basic("x:y"), basic(token), "Basic !!"])
    assert.equal((await get(bad)).status, 401);
  const refused = await door.server.inject({ url: "/voice" });
  assert.match(String(refused.headers["www-authenticate"]), /Basic realm="turnup"/);
  const orders = await door.server.inject({
    url: "/v1/orders",
    headers: { authorization: basic(`x:${care}`) },
  });
  assert.equal(orders.statusCode, 401, "Basic is for platforms alone");

  const { operatorId } = fixture;
  const byAddress = await landDoor(shop, {
    voicePlatformAt: async (address) => (address === "127.0.0.1" ? { operatorId, name: "ivr-1" } : undefined),
  });
  assert.equal((await get(undefined, byAddress)).status, 200);
  const elsewhere = await landDoor(shop, { voicePlatformAt: async () => undefined });
  assert.equal((await get(undefined, elsewhere)).status, 401);
});

test("an answer of the platform that says two things is refused: it is no yes", async () => {
  const { fixture, token } = await line("two answers");
  const post = (body: string) => fetchAs(door, `Bearer ${token}`)("POST", "/voice/screen", body);
  for (const body of ["answer=accept&answer=decline", "answer=decline&answer=accept"]) {
    const { status, text } = await post(body);
    assert.deepEqual([status, JSON.parse(text).code], [400, "body_malformed"], body);
  }
  const said = await post(`caller=tel:%2B${fixture.msisdn}&caller=tel:%2B${fixture.msisdn}`);
  assert.equal(said.status, 200, "the same thing twice is one thing");
});

test("what a number is asked for too often is asked no more", async () => {
  const { dial } = await line("too often");
  for (let asked = 0; asked < 5; asked++) {
    const call = await dial();
    await call.choose("English");
    await call.press("1");
  }
  const call = await dial();
  await call.choose("English");
  await call.press("1");
  assert.match(call.heard, /too often/);
  assert.deepEqual(call.end, { kind: "transferred", to: AGENT });
});

test("staff see the last thing that a caller heard", async () => {
  const { fixture, known } = await line("last heard");
  const call = await known();
  await call.choose("Services");
  const care = await door.token(fixture.operatorId, "care");
  const { lastScreen } = (await door.get(care, `/v1/care/subscribers/${fixture.msisdn}`)).json();
  assert.deepEqual([lastScreen.screen, lastScreen.channel], ["list", "telephone"]);
});
