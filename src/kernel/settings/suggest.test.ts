/** What an operator may confirm, in which order, and what its word has to name. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { carrierRow, networkRow, pointRow } from "../../../test/fixture/access-point-rows.ts";
import { confirmedPoints } from "./confirm-suggestions.ts";
import { createAccessPointIndex } from "./find-settings.ts";
import { chooseSettings } from "./settings-for.ts";
import { type SimGroup, suggestFor, withUse } from "./suggest.ts";
import { triedUses } from "./try-out.ts";
import type { UseRecord } from "./use-record.ts";

/** A network "Nordnet" with a virtual operator "Piko" of its own set, and one, "Lumo", of whom nobody has a set. */
const NORD = { mcc: "999", mnc: "01" };
const rows = [
  pointRow("nord.old", NORD, { name: "Nordnet" }),
  pointRow("nord.internet", NORD, {
    name: "Nordnet",
    uses: ["internet", "mms"],
    mmsc: "http://mms.nord",
    protocol: "ipv4v6",
  }),
  pointRow("nord.wrong", NORD, { name: "Nordnet", protocol: "ipv6", doubtful: "its proxy is of GR" }),
  pointRow("piko.internet", { ...NORD, gid1: "5A" }, { name: "Piko" }),
];
const index = createAccessPointIndex(
  rows,
  [
    carrierRow(1, "Nordnet", "99901"),
    carrierRow(2, "Piko", "99901", { gid1Prefixes: ["5A"] }),
    carrierRow(3, "Lumo", "99901", { spns: ["Lumo"] }),
  ],
  [networkRow("999", "01", "XX", "Nordnet")],
);
const record = (apn: string, more: Partial<UseRecord> = {}): UseRecord => ({
  ...{
    plmn: "99901",
    spn: "",
    gid1: "",
    apn,
    subscribers: 12,
    sessions: 30,
    failedSubscribers: 0,
    failures: 0,
  },
  ...{ firstSeenAt: "2026-10-01T00:00:00.000Z", lastSeenAt: "2026-11-29T00:00:00.000Z" },
  ...{ lastFailedAt: null, lastFailure: null },
  ...more,
});
type Operator = { readonly operatorName: string; readonly isHost: boolean };
const HOST: Operator = { operatorName: "Nordnet", isHost: true };
const LUMO: Operator = { operatorName: "Lumo", isHost: false };
const suggest = (operator: Operator, group: SimGroup = NORD, records: readonly UseRecord[] = []) =>
  suggestFor(group, { index, records, ...operator });
const apnsOf = (all: readonly { readonly use: string; readonly apn: string }[], use = "internet") =>
  all.filter((one) => one.use === use).map(({ apn }) => apn);

test("an operator without an access point sees what is known for its network, with sources; doubtful rows stand last", () => {
  const { suggestions, hosts, network } = suggest(HOST);
  assert.equal(network, "Nordnet");
  assert.deepEqual(apnsOf(suggestions), ["nord.internet", "nord.old", "nord.wrong"]);
  assert.deepEqual(apnsOf(suggestions, "mms"), ["nord.internet"]);
  assert.ok(suggestions.every(({ source, confirmed }) => source.name === "one set" && !confirmed));
  assert.deepEqual(hosts, []);
});

test("a virtual operator's suggestions hold none of its host's: those stand apart, and the operators known there are named", () => {
  for (const group of [NORD, { ...NORD, spn: "Lumo" }]) {
    const { suggestions, hosts, refused, virtualOperators } = suggest(LUMO, group);
    assert.deepEqual(suggestions, []);
    assert.deepEqual(apnsOf(hosts), ["nord.internet", "nord.old", "nord.wrong"]);
    assert.equal(refused?.code, "mvno_without_access_point");
    assert.deepEqual(
      virtualOperators.map(({ name }) => name),
      ["Lumo", "Piko"],
    );
  }
  const piko = suggest({ operatorName: "Piko Mobile", isHost: false }, { ...NORD, gid1: "5A" });
  assert.deepEqual(apnsOf(piko.suggestions), ["piko.internet"]);
});

type Confirmation = Parameters<typeof confirmedPoints>[0];
const word = (group: SimGroup, id: string, more: Partial<Confirmation> = {}): Confirmation => ({
  ...{ group, picks: [{ id, uses: [] }], accept: [], wholeNetwork: false },
  ...more,
});
const idOf = (apn: string) => rows.find((row) => row.apn === apn)?.id ?? "";

test("a virtual operator that confirms its host's access point without saying so is refused", () => {
  const known = suggest(LUMO);
  assert.throws(() => confirmedPoints(word(NORD, idOf("nord.internet")), known), {
    code: "suggestion_not_accepted",
  });
  const [point] = confirmedPoints(
    word(NORD, idOf("nord.internet"), { accept: ["host"], wholeNetwork: true }),
    known,
  );
  assert.equal(point?.apn, "nord.internet");
  assert.deepEqual(point?.criteria, { ...NORD, wholeNetwork: true });
});

test("what is confirmed is for the signs that it was asked for, keeps its message centre and says where it is from", () => {
  const group = { ...NORD, spn: "Nord Extra" };
  const [point] = confirmedPoints(word(group, idOf("nord.internet")), { ...suggest(HOST), group });
  assert.deepEqual(point?.uses, ["internet", "mms"]);
  assert.equal(point?.mmsc, "http://mms.nord");
  assert.deepEqual(point?.criteria, group);
  assert.deepEqual([point?.confirmed, point?.source.name], [true, "operator, from one set"]);
});

test("a doubtful row, a use that is not suggested and an id of nothing are refused", () => {
  const known = suggest(HOST);
  assert.throws(() => confirmedPoints(word(NORD, idOf("nord.wrong")), known), {
    code: "suggestion_not_accepted",
  });
  const forWap = { picks: [{ id: idOf("nord.old"), uses: ["wap" as const] }] };
  assert.throws(() => confirmedPoints(word(NORD, "", forWap), known), { code: "suggestion_not_found" });
  assert.throws(() => confirmedPoints(word(NORD, "set-none"), known), { code: "suggestion_not_found" });
  assert.equal(confirmedPoints(word(NORD, idOf("nord.wrong"), { accept: ["doubtful"] }), known).length, 1);
});

test("what the operator's SIMs were seen to use stands above the sets, also where no set names it", () => {
  const { suggestions } = suggest(HOST, NORD, [record("nord.old"), record("nord.new")]);
  assert.deepEqual(apnsOf(suggestions).slice(0, 3), ["nord.new", "nord.old", "nord.internet"]);
  assert.equal(suggestions.find(({ apn }) => apn === "nord.old")?.record?.subscribers, 12);
  const few = suggest(HOST, NORD, [record("nord.old", { subscribers: 2 })]);
  assert.equal(apnsOf(few.suggestions)[0], "nord.internet");
});

test("a virtual operator's own SIMs lift what they use; those of another group of SIMs do not", () => {
  const records = [record("lumo.net", { spn: "Lumo" })];
  assert.deepEqual(apnsOf(suggest(LUMO, NORD, records).suggestions), ["lumo.net"]);
  assert.deepEqual(apnsOf(suggest(LUMO, { ...NORD, spn: "lumo" }, records).suggestions), ["lumo.net"]);
  assert.ok(!apnsOf(suggest(HOST, NORD, records).suggestions).includes("lumo.net"));
});

const failing = record("nord.internet", {
  ...{ subscribers: 1, failedSubscribers: 4, failures: 9 },
  ...{ lastFailedAt: "2026-11-28T00:00:00.000Z", lastFailure: "unknown_apn" },
});

test("an access point that fails again and again loses its place, with the record that says why", () => {
  const { suggestions } = suggest(HOST, NORD, [failing]);
  assert.deepEqual(apnsOf(suggestions), ["nord.old", "nord.wrong", "nord.internet"]);
  assert.throws(() => confirmedPoints(word(NORD, idOf("nord.internet")), suggest(HOST, NORD, [failing])), {
    code: "suggestion_not_accepted",
    message: /failed for 4 SIMs and worked for 1, last: unknown_apn/,
  });
  const one = record("nord.internet", { subscribers: 500, failedSubscribers: 20 });
  assert.equal(apnsOf(suggest(HOST, NORD, [one]).suggestions)[0], "nord.internet");
});

const POLICY = { isHost: true, sendUnconfirmed: true, ownPlmns: ["999/01"], mixOwnAndSuggested: true };

test("what fails again and again is not sent without a person's word, and is sent with it", () => {
  const chosenOf = (own: Parameters<typeof index.findSettings>[1]) =>
    chooseSettings(withUse(index.findSettings(NORD, own), [failing], NORD), NORD, ["internet"], POLICY).chosen
      .internet?.apn;
  assert.equal(chosenOf([]), "nord.old");
  const own = pointRow("nord.internet", NORD, { ownership: "operator", confirmed: true });
  assert.equal(chosenOf([own]), "nord.internet");
});

test("a SIM that is tried is told its access point, the rule, and why each other one is passed over", () => {
  const own = [
    pointRow("mine", NORD, { ownership: "operator", confirmed: true }),
    pointRow("mine.gid", { ...NORD, gid1: "77" }, { ownership: "operator", confirmed: true }),
    pointRow("mine.nokia", { ...NORD, models: ["Nokia/3*"] }, { ownership: "operator", confirmed: true }),
  ];
  const query = { ...NORD, spn: "Nordnet" };
  const found = index.findSettings(query, own);
  const [internet, mms] = triedUses(
    query,
    found,
    chooseSettings(found, query, ["internet", "mms"], POLICY),
    own,
  );
  assert.deepEqual([internet?.chosen?.apn, internet?.rule], ["mine", "the operator's own, for 999/01"]);
  const why = new Map(internet?.passedOver.map(({ apn, reason }) => [apn, reason]));
  assert.match(why.get("mine.gid") ?? "", /for GID1 77, and the SIM's is not known/);
  assert.match(why.get("mine.nokia") ?? "", /for the models Nokia\/3/);
  assert.match(why.get("nord.internet") ?? "", /operator's own goes before every suggestion/);
  assert.match(why.get("nord.wrong") ?? "", /of GR/);
  assert.match(mms?.rule ?? "", /suggested by one set, for the network 999\/01/);
});
