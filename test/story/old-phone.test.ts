/**
 * The road of US 11,109,201 from Fig. 1 to Fig. 5B, phone by phone, over the real server, SMPP, mutual TLS and HTTP.
 * Rows are those of the requirements.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import { decodeAppleProfile } from "../../src/wire/apple/profile.ts";
import { decodeProvisioning } from "../../src/wire/omacp/codec.ts";
import { verifyMac } from "../../src/wire/omacp/mac.ts";
import { decodePush } from "../../src/wire/wsp/push.ts";
import { itemOf, kindsOf, type StoryOperator, type StoryPhone, storyFixture } from "../fixture/story.ts";

const fixture = await storyFixture();

/** What the bank moved for the charges of one order, and what the operator's books say of them. */
async function moneyOf(operator: StoryOperator, story: { charges: { id: string }[] }) {
  const ids = story.charges.map(({ id }) => id);
  const bank = fixture.world.parties.bank
    .ledger()
    .filter(({ id }) => ids.includes(id))
    .map(({ kind, payee, amountMinor, currency }) => `${kind} ${payee} ${amountMinor} ${currency}`);
  const { rows } = await operator.get("/v1/postings?limit=100");
  const postings = (rows as Posting[])
    .filter(({ chargeId }) => ids.includes(chargeId))
    .map(({ debit, credit, amountMinor }) => `${debit} -> ${credit} ${amountMinor}`)
    .reverse();
  return { bank, postings };
}
type Posting = { chargeId: string; debit: string; credit: string; amountMinor: number };

const balancesOf = async (operator: StoryOperator): Promise<Record<string, number>> => {
  const { balances } = await operator.get("/v1/balances");
  return Object.fromEntries(
    (balances as { account: string; balanceMinor: number }[]).map(({ account, balanceMinor }) => [
      account,
      balanceMinor,
    ]),
  );
};

const stateBefore = (phone: StoryPhone): string[] =>
  phone.did("attached").map((event) => (event.kind === "attached" ? event.before : ""));

test("an old phone of a maker with a key server: seen, judged, keyed, provisioned, proved, paid for, all in its order", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  await phone.attach();
  const story = await operator.settled(phone);

  // R74-77, 85, 90: seen once, named by its TAC, judged with the rules that decided.
  assert.deepEqual([story.cause, story.make, story.model], ["first_registration", "Sony", "Xperia Z3"]);
  assert.equal(story.verdict, "ended");
  const decided = story.verdictReasons.filter((rule: { decided: boolean }) => rule.decided);
  assert.deepEqual(
    decided.map(({ rule, outcome }: { rule: string; outcome: string }) => `${rule}: ${outcome}`),
    ["support_estimate: ended"],
  );
  assert.equal(decided[0].saw.releasedBy, "2014-12-31");
  // R90, R129: the applications that could not reach the maker, by the attempts that the network saw fail.
  const judged = story.events.find(({ kind }: { kind: string }) => kind === "judged");
  const { cannotReach } = judged.detail.symptoms;
  const before = cannotReach === "not known" ? [] : cannotReach;
  const after = story.events.filter(({ kind }: { kind: string }) => kind === "symptom_seen");
  const symptoms = [...before, ...after.map(({ detail }: { detail: object }) => detail)];
  const attempts = symptoms.map(({ application, server, apn, cause, source }: Record<string, string>) => [
    application,
    server,
    apn,
    cause,
    source,
  ]);
  const failing = ["group_message", "mms", "video_call"];
  const over = (apn: string) =>
    failing.map((application) => [application, WORLD.makerHost, apn, "no_route", "gateway"]);
  const isOverFactory = (attempt: readonly unknown[]): boolean => attempt.includes(WORLD.factoryApn);
  assert.deepEqual(attempts.filter(isOverFactory).sort(), over(WORLD.factoryApn));
  // Where the settings are there before the key, the operator's own access points do not lead to the maker either.
  const others = attempts.filter((attempt) => !isOverFactory(attempt));
  const possible = ["internet.meridian", "mms.meridian"].flatMap(over).map(String);
  assert.deepEqual(
    others.map(String).filter((attempt) => !possible.includes(attempt)),
    [],
  );
  const keyWorks = story.events.find(
    ({ kind, itemId }: Record<string, string>) => kind === "works" && itemId === itemOf(story, "key").id,
  );
  const isAfterKey = ({ detail }: { detail: { seenAt: string } }): boolean =>
    detail.seenAt > keyWorks.detail.seenAt;
  assert.deepEqual(after.filter(isAfterKey), [], "nothing fails once the key works");

  // R92, R94, R95, R102, R107: a key of the maker's server, apart from the settings.
  const key = itemOf(story, "key");
  const settings = itemOf(story, "settings");
  assert.deepEqual([key.state, key.apns], ["works", [WORLD.makerApn]]);
  assert.deepEqual([settings.state, settings.apns], ["works", ["internet.meridian", "mms.meridian"]]);
  assert.deepEqual([...settings.apnsSeen].sort(), settings.apns, "it works since each of them was used");
  const messages = story.messages as { kind: string; parts: { state: string }[]; partCount: number }[];
  assert.deepEqual(messages.map(({ kind }) => kind).sort(), ["key", "settings"]);
  for (const { parts, partCount } of messages)
    assert.deepEqual(
      parts.map(({ state }) => state),
      Array<string>(partCount).fill("delivered"),
    );

  // R103-106: the key ran, deleted itself, and the application that was dead is alive.
  assert.deepEqual(stateBefore(phone), ["dead"]);
  const { now, keyOpened, keyDeleted, settingsApplied, refused } = phone.status();
  assert.deepEqual(
    { now, keyOpened, keyDeleted, settingsApplied, refused },
    { now: "alive", keyOpened: true, keyDeleted: true, settingsApplied: 1, refused: [] },
  );
  const works = phone.did("works").map((event) => (event.kind === "works" ? [event.apn, event.host] : []));
  assert.deepEqual(works, [[WORLD.makerApn, WORLD.makerHost]]);
  const ran = phone.did("applied").flatMap((event) => ("session" in event ? [event.session] : []));
  assert.deepEqual(ran, [["opened", "inserted", "closed"]]);

  // R108: downloaded and working are told apart, each with who saw it and when.
  const proofs = story.events.filter((event: { evidence: string | null }) => event.evidence !== null);
  for (const { at } of proofs) assert.ok(Date.parse(at) >= Date.parse(story.createdAt));
  const evidence = proofs.map(
    ({ state, evidence }: { state: string; evidence: string }) => `${state} ${evidence}`,
  );
  // Of message centre, device and gateway the one that speaks first is the witness.
  assert.ok(
    evidence.some((line: string) =>
      ["opened device_report", "delivered smsc_receipts", "opened traffic:gateway"].includes(line),
    ),
    evidence.join(),
  );
  assert.ok(
    evidence.some((line: string) => /^works (traffic:|arrival:|device_report)/.test(line)),
    evidence.join(),
  );
  assert.ok(kindsOf(story).includes("key_deleted"), kindsOf(story).join());

  // R110, R111, R114: fee, portion, and the maker hears of download and payment.
  assert.deepEqual(
    story.charges.map(({ state, feeMinor, portionMinor, level }: Record<string, unknown>) => ({
      state,
      feeMinor,
      portionMinor,
      level,
    })),
    [{ state: "settled", feeMinor: 250, portionMinor: 100, level: "works" }],
  );
  assert.deepEqual(
    story.calls.map(({ kind, state }: { kind: string; state: string }) => `${kind} ${state}`).sort(),
    ["download_notice", "fee_request", "key_request", "portion_payment", "remittance_notice"].map(
      (kind) => `${kind} done`,
    ),
  );
  const { bank, postings } = await moneyOf(operator, story);
  assert.deepEqual(bank, ["charge turnup 250 EUR", "payout Sony 100 EUR"]);
  assert.deepEqual(postings.sort(), [
    "cash:bank -> receivable:operator 250",
    "expense:portions -> payable:maker:sony 100",
    "payable:maker:sony -> cash:bank 100",
    "receivable:operator -> revenue:fees 250",
  ]);
  const balances = await balancesOf(operator);
  assert.equal(
    Object.values(balances).reduce((sum, minor) => sum + minor, 0),
    0,
  );
  assert.equal(balances["cash:bank"], 150);
});

test("the story of an order decodes the very octets that the centre took, and its MAC is the SIM's", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  const before = fixture.accepted.length;
  await phone.attach();
  const story = await operator.settled(phone);
  const taken = fixture.accepted.slice(before).filter(({ to }) => to === phone.spec.msisdn);
  const told = story.messages.flatMap(
    ({ content }: { content: { parts: { udh: string; data: string }[] } }) =>
      content.parts.map(({ udh, data }) => udh + data),
  );
  assert.deepEqual(taken.map(({ userData }) => Buffer.from(userData).toString("hex")).sort(), told.sort());

  const settings = story.messages.find(({ kind }: { kind: string }) => kind === "settings");
  const push = decodePush(Buffer.from(settings.content.hex, "hex"));
  assert.ok(verifyMac("netwpin", String(push.params.MAC), { imsi: phone.spec.imsi }, push.body));
  assert.ok(!verifyMac("netwpin", String(push.params.MAC), { imsi: "001010999999999" }, push.body));
  const document = JSON.stringify(decodeProvisioning(push.body));
  for (const value of ["internet.meridian", "mms.meridian", "http://mmsc.meridian/mms", "10.11.12.13"])
    assert.ok(document.includes(value), value);
  assert.ok(settings.content.bodies[0].xml.startsWith("<wap-provisioningdoc"));

  // What care sees of the same order tells the road without its secrets.
  const seen = await operator.call("GET", `/v1/orders/${story.id}`, undefined, "care");
  assert.equal(seen.status, 200);
  assert.ok(seen.body.messages.every(({ content }: { content: { hex: null } }) => content.hex === null));
  assert.ok(!seen.text.includes(String(push.params.MAC)));
});

test("an old phone whose maker has no key server gets a key of the own store, and nobody else is paid", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([itemOf(story, "key").state, itemOf(story, "key").apns], ["works", [WORLD.ownApn]]);
  assert.deepEqual([stateBefore(phone), phone.status().now], [["dead"], "alive"]);
  const [charge] = story.charges;
  assert.deepEqual(
    [charge.keySource, charge.state, charge.feeMinor, charge.portionMinor],
    ["own", "settled", 150, 0],
  );
  assert.deepEqual(
    story.calls.map(({ kind }: { kind: string }) => kind),
    ["fee_request"],
    "R112: no portion, and no maker to tell",
  );
  const { bank, postings } = await moneyOf(operator, story);
  assert.deepEqual(bank, ["charge turnup 150 EUR"]);
  assert.deepEqual(postings.sort(), [
    "cash:bank -> receivable:operator 150",
    "receivable:operator -> revenue:fees 150",
  ]);
});

test("a phone that its maker still looks after gets its settings, and neither key nor bill", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Galaxy S25");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.equal(story.verdict, "supported");
  assert.deepEqual(
    story.items.map(({ kind, state }: { kind: string; state: string }) => `${kind} ${state}`),
    ["settings works"],
  );
  assert.deepEqual([story.calls, story.charges], [[], []]);
  assert.deepEqual((await operator.get("/v1/charges")).rows, []);
  assert.equal(phone.status().keyOpened, false);
});

test("a model whose protocol nobody knows gets a link; its page opens the settings and traffic proves them", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("KE970 Shine");
  await phone.attach();
  const story = await operator.settled(phone);
  const [message] = story.messages;
  assert.deepEqual([story.messages.length, message.kind, message.protocol], [1, "link", "text"]);
  const [url] = /https?:\/\/\S+/.exec(message.content.bodies[0].text) ?? [];
  const page = await fetch(url!, { method: "POST" });
  assert.equal(page.status, 200);
  const html = await page.text();
  for (const value of ["internet.meridian", "mms.meridian", "http://mmsc.meridian/mms"])
    assert.ok(html.includes(value), value);
  const levels = story.events.filter(({ itemId }: { itemId: string | null }) => itemId !== null);
  assert.ok(levels.some(({ evidence }: { evidence: string }) => evidence === "page_opened"));
  assert.ok(levels.some(({ evidence }: { evidence: string }) => evidence === "traffic:gateway"));
  assert.deepEqual(
    [story.verdict, story.charges],
    ["ended", []],
    "it runs no key, so none is sent or billed",
  );
  assert.ok(kindsOf(story).includes("key_not_taken"));

  // The text went as text: no push port, readable on any phone since 1994.
  const [taken] = fixture.accepted.filter(({ to }) => to === phone.spec.msisdn);
  assert.equal(taken!.dataCoding & 0x04, 0);
});

test("an iPhone gets a link by SMS, downloads its profile, and works once its traffic is seen; nothing more is claimed before", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("iPhone 13");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([story.make, story.state], ["Apple", "completed"]);
  const [message] = story.messages;
  assert.deepEqual([story.messages.length, message.kind, message.protocol], [1, "link", "text"]);
  const begun = story.events.find(({ kind }: { kind: string }) => kind === "order_provisioning");
  assert.equal(begun.detail.form, "apple_profile");
  const proofs = story.events
    .filter(({ evidence }: { evidence: string | null }) => evidence !== null)
    .map(({ kind, state, evidence }: Record<string, string>) => `${kind} ${state} ${evidence}`);
  const places = ["opened opened page_opened", "profile_downloaded opened downloaded"].map((one) =>
    proofs.indexOf(one),
  );
  assert.ok(
    places.every((at) => at >= 0),
    proofs.join("\n"),
  );
  assert.equal(proofs.filter((one: string) => one.startsWith("profile_downloaded")).length, 1);
  const works = proofs.findIndex((one: string) => one.startsWith("works works traffic:"));
  assert.ok(works > Math.max(...places), "a download is no proof that it works");
  assert.equal(itemOf(story, "settings").state, "works");

  const [url] = /https?:\/\/\S+/.exec(message.content.bodies[0].text) ?? [];
  const profile = await fetch(`${url}/profile`);
  assert.equal(profile.headers.get("content-type"), "application/x-apple-aspen-config");
  const { payloads } = decodeAppleProfile(new Uint8Array(await profile.arrayBuffer()));
  assert.deepEqual(
    payloads.map((payload) =>
      payload.kind === "cellular" ? payload.apns.map(({ name }) => name) : payload.kind,
    ),
    [["internet.meridian"]],
  );
});

test("a Nokia from before OMA CP gets Smart Messaging settings, which its user lets in", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("3100");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([story.make, itemOf(story, "settings").state], ["Nokia", "works"]);
  const [message] = story.messages;
  assert.deepEqual([message.kind, message.protocol, message.sec], ["settings", "nokiaota", null]);
  assert.deepEqual(
    phone.did("prompt").map((event) => (event.kind === "prompt" ? event.needs : "")),
    ["consent", "consent"],
    "one push for browsing, one for MMS: the user is asked for each",
  );
  assert.equal(phone.status().settingsApplied, 2);
});

test("a repeated confirmation of any kind bills nothing twice", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("Xperia Z3");
  await phone.attach();
  const story = await operator.settled(phone);
  const bankBefore = fixture.world.parties.bank.ledger().length;
  const traffic = { imsi: phone.spec.imsi, apn: WORLD.makerApn, source: "gateway" };
  for (let time = 0; time < 3; time++) {
    const { body } = await operator.call(
      "POST",
      "/v1/confirmations",
      { confirmations: [traffic, traffic] },
      "probe",
    );
    assert.deepEqual(
      body.results.map(({ outcome }: { outcome: string }) => outcome),
      ["repeated", "repeated"],
    );
  }
  const after = await operator.settled(phone);
  assert.deepEqual(after.charges, story.charges);
  assert.equal(after.events.length, story.events.length);
  assert.equal(fixture.world.parties.bank.ledger().length, bankBefore);
});
