/** Which of the access points that were found may be sent. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Found, Match } from "./find-settings.ts";
import { chooseSettings, sendablePoints, whyNothing } from "./settings-for.ts";

type SendPolicy = Parameters<typeof chooseSettings>[3];

const match = (more: Partial<Match>): Match => ({
  use: "internet",
  apn: "web",
  name: "Internet",
  provider: null,
  owner: "host",
  protocol: null,
  authType: null,
  user: null,
  password: null,
  mmsc: null,
  mmsProxy: null,
  mmsPort: null,
  proxy: null,
  port: null,
  homepage: null,
  confirmed: false,
  source: { name: "a set", version: "1", licence: "none" },
  agreeing: [],
  match: "plmn",
  matchValue: "262/01",
  accessPointId: "a",
  ...more,
});
const own = match({ apn: "mine", confirmed: true, match: "own" });
const suggested = match({});
const mms = match({ use: "mms", apn: "mms", mmsc: "http://mms", mmsProxy: "10.0.0.1", mmsPort: 8080 });
const home = { mcc: "262", mnc: "01" };
/** A host that switched suggestions on. */
const policy: SendPolicy = {
  isHost: true,
  sendUnconfirmed: true,
  mixOwnAndSuggested: true,
  ownPlmns: ["262/01"],
};
const choose = (found: Found, more: Partial<SendPolicy> = {}, plmn = home) =>
  chooseSettings(found, plmn, ["internet", "mms"], { ...policy, ...more });

test("each wanted use gets its best access point, and what is confirmed is told from what is not", () => {
  const { chosen, confirmed, unconfirmed } = choose({ matches: [own, suggested, mms] });
  assert.deepEqual([chosen.internet?.apn, chosen.mms?.apn], ["mine", "mms"]);
  assert.deepEqual([confirmed, unconfirmed], [["internet"], ["mms"]]);
});

test("an operator that sends confirmed access points only withholds the suggestions, with the reason", () => {
  const { chosen, withheld } = choose({ matches: [own, mms] }, { sendUnconfirmed: false });
  assert.deepEqual(Object.keys(chosen), ["internet"]);
  assert.match(withheld.mms?.reason ?? "", /not confirmed/);
  assert.equal(withheld.mms?.code, "settings_unconfirmed");
  assert.match(withheld.mms?.nextAction ?? "", /add an access point.*or switch on "sendUnconfirmed"/);
});

test("a suggestion for a network that is not the operator's own is not sent", () => {
  const { chosen, withheld } = choose({ matches: [suggested] }, { ownPlmns: ["262/02"] });
  assert.deepEqual(chosen, {});
  assert.match(withheld.internet?.reason ?? "", /not the operator's own network/);
});

test("an operator that is no host sends no suggestion whatever its switch says, and hears what to do", () => {
  const result = choose({ matches: [suggested, mms] }, { isHost: false, sendUnconfirmed: true });
  assert.deepEqual(result.chosen, {});
  const { code, reason, nextAction } = whyNothing(result);
  assert.equal(code, "settings_unconfirmed");
  assert.match(
    reason,
    /is not confirmed, and an operator that is no host sends access points of its own only/,
  );
  assert.equal(nextAction, "add an access point of your own for these SIMs");
  // Its own goes out, and the host's is not put beside it.
  const both = choose({ matches: [own, mms] }, { isHost: false, sendUnconfirmed: true });
  assert.deepEqual(
    [Object.keys(both.chosen), both.withheld.mms?.code],
    [["internet"], "settings_unconfirmed"],
  );
});

test("that something is known and withheld is told before that nothing is known of another use", () => {
  const { withheld, ...rest } = choose({ matches: [mms] }, { sendUnconfirmed: false });
  assert.deepEqual(
    [withheld.internet?.code, withheld.mms?.code],
    ["no_access_point", "settings_unconfirmed"],
  );
  assert.equal(whyNothing({ ...rest, withheld }).code, "settings_unconfirmed");
});

test("the operator's own access point is sent whatever the switches say", () => {
  const { chosen } = choose({ matches: [own] }, { isHost: false, sendUnconfirmed: false, ownPlmns: [] });
  assert.equal(chosen.internet?.apn, "mine");
});

test("where own and suggested are not mixed, one own access point keeps the suggestions back", () => {
  assert.deepEqual(Object.keys(choose({ matches: [own, mms] }, { mixOwnAndSuggested: false }).chosen), [
    "internet",
  ]);
  assert.deepEqual(Object.keys(choose({ matches: [suggested, mms] }, { mixOwnAndSuggested: false }).chosen), [
    "internet",
    "mms",
  ]);
});

test("another brand's row of the same network is not sent beside the network's own", () => {
  const others = match({ use: "mms", apn: "theirs", mmsc: "http://theirs", owner: "other" });
  assert.equal(choose({ matches: [suggested, others] }).chosen.mms, undefined);
  assert.equal(choose({ matches: [others] }).chosen.mms?.apn, "theirs");
});

test("an access point whose proxy is no address is never sent: the next one is, or the reason says what is wrong", () => {
  const faulty = match({ apn: "broken", proxy: "999.1.2.3" });
  assert.equal(choose({ matches: [faulty, suggested] }).chosen.internet?.apn, suggested.apn);
  const { chosen, withheld } = choose({ matches: [faulty] });
  assert.deepEqual(
    [chosen.internet, withheld.internet?.reason],
    [undefined, 'broken for internet: proxy "999.1.2.3" is no host and no address'],
  );
});

test("what is sent has addresses without leading zeros, and the protocol that is stored", () => {
  const own = match({ proxy: "010.0.0.1", protocol: "ipv6" });
  const pictures = match({ use: "mms", mmsc: "http://010.0.0.2/", mmsProxy: "192.168.094.023" });
  const [internet, message] = sendablePoints(choose({ matches: [own, pictures] }));
  assert.deepEqual([internet?.proxy, internet?.protocol], ["10.0.0.1", "ipv6"]);
  assert.deepEqual(
    [message?.mmsc, message?.proxy, message?.protocol],
    ["http://10.0.0.2/", "192.168.94.23", undefined],
  );
});

test("a refusal goes through, and nothing is chosen", () => {
  const refused = { code: "mvno_without_access_point", reason: "SPN Lumo" } as const;
  const result = choose({ matches: [], refused });
  assert.deepEqual(
    [result.chosen, result.refused, result.withheld.internet?.reason],
    [{}, refused, "SPN Lumo"],
  );
  assert.equal(whyNothing(result).code, "mvno_without_access_point");
});

test("a payload's point takes the message centre's proxy for MMS, and one method where the network takes two", () => {
  const both = match({ authType: "pap_or_chap", user: "u", password: "p" });
  const [internet, message] = sendablePoints(choose({ matches: [both, mms] }));
  assert.deepEqual([internet?.use, internet?.authType, internet?.password], ["internet", "chap", "p"]);
  assert.deepEqual([message?.proxy, message?.port, message?.authType], ["10.0.0.1", 8080, "none"]);
});
