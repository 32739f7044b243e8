/** Texts between a subscriber and their requests: long ones, and numbers that are another's by now. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";

const shop = await requestShop();
const RADIO = { id: "radio", terms: "t", content: { kind: "none" } } as const;
/** TS 23.040 9.2.3.24.1: a message has at most 255 parts; of UCS-2 each holds 67 characters. */
const CHARACTERS_OF_NO_SMS = 255 * 67 + 1;

test("terms that are longer than any SMS go out as far as ten SMS go, with the address of the whole", async () => {
  const fixture = await shop.fixture("long terms", [RADIO]);
  const text = `${"Я".repeat(CHARACTERS_OF_NO_SMS)}`;
  await shop.catalog.putTerms(fixture.operatorId, "t", { en: text }, { expected: () => true, actor: "test" });
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  const [told] = await fixture.told();
  assert.equal(told?.parts, 10);
  assert.match(told!.text, /Я … https:\S+$/);
  assert.equal((await fixture.status(orderId)).terms[0]?.text, text, "the screen has the whole");
});

test("terms of fewer characters than ten SMS hold, whose letters take more than ten, are cut at ten SMS as well", async () => {
  const fixture = await shop.fixture("dense terms", [RADIO]);
  await shop.catalog.putTerms(
    fixture.operatorId,
    "t",
    { en: "Я".repeat(1_000) },
    { expected: () => true, actor: "test" },
  );
  await fixture.ask(["radio"], { noticeKey: null });
  const [told] = await fixture.told();
  assert.equal(told?.parts, 10);
  assert.match(told!.text, /Я … https:\S+$/);
});

test("a notice to the client takes three SMS at most, whatever it has to say: the screen holds the rest", async () => {
  const fixture = await shop.fixture("growing terms", [RADIO]);
  const parts: number[] = [];
  for (let characters = 100; characters <= 700; characters += 100) {
    await shop.catalog.putTerms(
      fixture.operatorId,
      "t",
      { en: "a".repeat(characters) },
      { expected: () => true, actor: "test" },
    );
    const who = pair(`growing ${characters}`);
    await fixture.ask(["radio"], { who });
    const [told] = await fixture.told();
    parts.push(told!.parts);
    assert.equal(told!.text.endsWith("…"), !told!.text.includes("a".repeat(characters)));
  }
  assert.ok(Math.max(...parts) === 3 && parts.at(-1)! < 3, `${parts}`);
});

test("who has a number now answers his own questions alone, not those of who had it before", async () => {
  const fixture = await shop.fixture("number before", [RADIO], { terms: ["t"] });
  const before = await fixture.ask(["radio"]);
  const who = { ...pair("number now"), msisdn: fixture.msisdn };
  const now = await fixture.ask(["radio"], { who });
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "yes"), true);
  assert.equal((await fixture.status(before.orderId)).state, "awaiting_consent");
  assert.notEqual((await fixture.status(now.orderId)).state, "awaiting_consent");
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "no"), false, "he has no other question");
});

test("a number that was taken along to another operator of this server answers nothing for who had it at the former one", async () => {
  const from = await shop.fixture("ported from", [RADIO], { terms: ["t"] });
  const to = await shop.fixture("ported to", [RADIO], { terms: ["t"] });
  const { msisdn } = from;
  const seen = async (operatorId: string, sim: { imsi: string; imei: string }) => {
    shop.time.now += 61_000; // when a SIM was seen last is written once a minute
    await shop.see(operatorId, { ...sim, msisdn, seenAt: new Date(shop.time.now).toISOString() });
  };
  await seen(from.operatorId, { imsi: from.imsi, imei: from.imei });
  const before = await from.ask(["radio"], { noticeKey: null });
  const heir = pair("ported heir");
  await seen(to.operatorId, { imsi: heir.imsi, imei: heir.imei });
  assert.equal(await from.requests.textCame(msisdn, "yes"), false);
  assert.equal((await from.status(before.orderId)).state, "awaiting_consent");
  const now = await to.ask(["radio"], { who: { ...heir, msisdn }, noticeKey: null });
  assert.equal(await to.requests.textCame(msisdn, "yes"), true);
  assert.notEqual((await to.status(now.orderId)).state, "awaiting_consent");
  assert.equal((await from.status(before.orderId)).state, "awaiting_consent");
  await seen(from.operatorId, { imsi: from.imsi, imei: from.imei });
  assert.equal(await from.requests.textCame(msisdn, "yes"), true, "it came back");
});

test("a yes to an offer that cannot be had by SMS is answered, and opens nothing", async () => {
  const safe = {
    ...RADIO,
    id: "safe",
    requires: { assurance: "cert", verification: false, card: false },
  } as const;
  const fixture = await shop.fixture("offer too weak", [RADIO, safe], { terms: ["t"] });
  await fixture.ask(["radio"], { noticeKey: null });
  await fixture.told();
  await fixture.requests.sendOffers(fixture.operatorId, {
    itemId: "safe",
    to: [{ msisdn: fixture.msisdn }],
    actor: "marketing",
    idempotencyKey: "spring",
  });
  const [offer] = await fixture.told();
  const code = /YES (\d{4})/.exec(offer!.text)![1]!;
  assert.equal(await fixture.requests.textCame(fixture.msisdn, `yes ${code}`), true);
  assert.deepEqual(
    (await fixture.told()).map(({ text }) => /cannot be set up by SMS/.test(text)),
    [true],
  );
  assert.equal(
    await shop.count("provisioning_order", "operator_id = $1 and cause = 'offer'", [fixture.operatorId]),
    0,
  );
});

const NOT_AN_ANSWER = [
  ...["not ok {code}", "Nicht ja sagen {code}", "never said yes", "Is it ok to pay later? {code}"],
  ...["YES or NO {code}", "yes... {code}", "{code}", "Reply YES {code} to agree or NO {code} to decline."],
];

test("what is no plain answer agrees to nothing, is answered by how to answer once a question, and is kept as it came", async () => {
  const fixture = await shop.fixture("no plain answer", [RADIO], { terms: ["t"] });
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  const [asked] = await fixture.told();
  const code = /YES (\d{4})/.exec(asked!.text)![1]!;
  const written = NOT_AN_ANSWER.map((text) => text.replaceAll("{code}", code));
  for (const text of written) await fixture.requests.textCame(fixture.msisdn, text);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  const told = (await fixture.told()).map(({ text }) => text);
  assert.deepEqual(
    told.map((text) => text.includes(`just YES ${code} or NO ${code}`)),
    [true],
    "once a question",
  );
  const kept = await shop.database.rows<{ text_sealed: Buffer; read_as: string; answered: string | null }>(
    "select text_sealed, read_as, answered from text_reply where operator_id = $1 order by id",
    [fixture.operatorId],
  );
  assert.deepEqual(
    kept.map(({ text_sealed }) => shop.sealer.open("text_reply", text_sealed)),
    written,
  );
  assert.deepEqual(new Set(kept.map(({ read_as }) => read_as)), new Set(["unclear"]));
  assert.equal(kept.filter(({ answered }) => answered !== null).length, 1);
  const events = await fixture.events(orderId);
  assert.equal(events.filter((kind) => kind === "reply_not_understood").length, written.length);

  await fixture.requests.textCame(fixture.msisdn, `1 ${code}`);
  assert.equal((await fixture.status(orderId)).state, "completed");
});

test("whoever only chats is told three times a day at most how to answer, whatever he is asked", async () => {
  const fixture = await shop.fixture("chats", [RADIO], { terms: ["t"] });
  let told = 0;
  for (let n = 0; n < 5; n++) {
    const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
    const [asked] = await fixture.told();
    await fixture.requests.textCame(fixture.msisdn, "why?");
    told += (await fixture.told()).length;
    await fixture.requests.textCame(fixture.msisdn, `no ${/YES (\d{4})/.exec(asked!.text)![1]}`);
    assert.equal((await fixture.status(orderId)).state, "declined");
    await fixture.told();
  }
  assert.equal(told, 3);
});

test("CANCEL with its number declines that question alone; another question's number answers none", async () => {
  const items = ["x", "y"].map((id) => ({ ...RADIO, id }));
  const fixture = await shop.fixture("cancels", items, { terms: ["t"] });
  const [x, y] = [
    await fixture.ask(["x"], { noticeKey: null }),
    await fixture.ask(["y"], { noticeKey: null }),
  ];
  const codes = (await fixture.told()).map(({ text }) => /YES (\d{4})/.exec(text)![1]!);
  assert.equal(new Set(codes).size, 2, "no two open questions have one number");
  await fixture.requests.textCame(fixture.msisdn, "yes 0000");
  assert.match(
    (await fixture.told())[0]!.text,
    new RegExp(`${codes[1]}, ${codes[0]}|${codes[0]}, ${codes[1]}`),
  );
  await fixture.requests.textCame(fixture.msisdn, `cancel ${codes[0]}`);
  assert.deepEqual(
    [(await fixture.status(x.orderId)).state, (await fixture.status(y.orderId)).state],
    ["declined", "awaiting_consent"],
  );
});

test("an operator's own words mean yes and no beside the product's, in whatever language", async () => {
  const policy = { acceptWords: ["jepp"], declineWords: ["nada"] };
  const fixture = await shop.fixture("own words", [RADIO], { terms: ["t"], policy });
  const answered = async (text: string) => {
    const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
    await fixture.requests.textCame(fixture.msisdn, text);
    return (await fixture.status(orderId)).state;
  };
  assert.equal(await answered("Nada!"), "declined");
  assert.equal(await answered("non"), "declined");
  assert.equal(await answered("not jepp"), "awaiting_consent");
  assert.equal(await fixture.requests.textCame(fixture.msisdn, "JEPP"), true);
});

test("with two questions of one number by chance, neither is answered by it", async () => {
  const fixture = await shop.fixture(
    "same number",
    ["x", "y"].map((id) => ({ ...RADIO, id })),
    { terms: ["t"] },
  );
  const orders = [await fixture.ask(["x"]), await fixture.ask(["y"])];
  await shop.database.run("update consent set code = '4821' where operator_id = $1", [fixture.operatorId]);
  await fixture.requests.textCame(fixture.msisdn, "yes 4821");
  for (const { orderId } of orders) assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
});

test("a part of a longer text is no answer, whatever stands in it; a STOP that begins one is heard", async () => {
  const fixture = await shop.fixture("long letter", [RADIO], { terms: ["t"] });
  const { orderId } = await fixture.ask(["radio"], { noticeKey: null });
  const [asked] = await fixture.told();
  const code = /YES (\d{4})/.exec(asked!.text)![1]!;
  const part = (text: string, seq: number) =>
    fixture.requests.textCame(fixture.msisdn, text, undefined, { seq, total: 2 });
  await part("I have read all of it and will never say ", 1);
  await part(`yes ${code}`, 2);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  const told = (await fixture.told()).map(({ text }) => text.includes(`just YES ${code} or NO ${code}`));
  assert.deepEqual(told, [true]);
  await part(`in every town where the buses no longer stop`, 2);
  assert.deepEqual(await fixture.told(), []);
  await part("Stop sending me such offers, since", 1);
  assert.match((await fixture.told())[0]!.text, /no more offers from us/);
});

test("words of one operator mean nothing to another's question, though one number has questions of both", async () => {
  const own = (policy: object) => ({ terms: ["t"], policy });
  const near = await shop.fixture("own words near", [RADIO], own({ acceptWords: ["jepp"] }));
  const far = await shop.fixture("own words far", [RADIO], own({ acceptWords: ["klaro"] }));
  const codeOf = async (of: typeof near) => /YES (\d{4})/.exec((await of.told())[0]!.text)![1]!;
  const [first] = [await near.ask(["radio"], { noticeKey: null })];
  const nearCode = await codeOf(near);
  const who = { ...pair("own words far"), msisdn: near.msisdn };
  const second = await far.ask(["radio"], { who, noticeKey: null });
  const farCode = await codeOf(far);
  await near.requests.textCame(near.msisdn, `klaro ${nearCode}`);
  await near.requests.textCame(near.msisdn, `jepp ${farCode}`);
  assert.equal((await near.status(first.orderId)).state, "awaiting_consent");
  assert.equal((await far.status(second.orderId)).state, "awaiting_consent");
  await near.requests.textCame(near.msisdn, `jepp ${nearCode}`);
  await near.requests.textCame(near.msisdn, `klaro ${farCode}`);
  assert.equal((await near.status(first.orderId)).state, "completed");
  assert.equal((await far.status(second.orderId)).state, "completed");
});

test("a word that says no in another language agrees in its own alone", async () => {
  const fixture = await shop.fixture("language of a yes", [RADIO], { terms: ["t"] });
  const answered = async (text: string, language: string) => {
    const { orderId } = await fixture.ask(["radio"], { noticeKey: null, language });
    await fixture.requests.textCame(fixture.msisdn, text);
    const { state } = await fixture.status(orderId);
    if (state === "awaiting_consent") await fixture.requests.textCame(fixture.msisdn, "no");
    return state;
  };
  assert.equal(await answered("tak", "da"), "awaiting_consent", "thanks");
  assert.equal(await answered("nai", "de-CH"), "awaiting_consent");
  assert.equal(await answered("tak", "pl-PL"), "completed");
});
