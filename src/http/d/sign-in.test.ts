/** Who is let in at the portal, by which code or link, how often, and for how long. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { filled, type Sms } from "../../../test/fixture/portal.ts";
import { codeIn, JSON_SCREEN, publicDoor, unknownNumber } from "../../../test/fixture/public-door.ts";
import type { RequestFixture } from "../../../test/fixture/request-shop.ts";
import type { Screen } from "../../wire/screen/screen.ts";

const { shop, town } = await publicDoor();

const MINUTE_MS = 60_000;
const linkIn = ({ text }: Sms): string => new URL(/https:\S+/.exec(text)![0]).pathname;

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

async function subscriberOf({ operatorId }: RequestFixture): Promise<string | undefined> {
  const row = await shop.database.one<{ id: string }>("select id from subscriber where operator_id = $1", [
    operatorId,
  ]);
  return row?.id;
}
