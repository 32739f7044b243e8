/** The proxy's decisions alone, without a socket: who is let through, to whom a key is issued, what breaks a bond (R10). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { parseImei } from "../term/imei.ts";
import { deviceNameOf, imeiNameOf } from "../wire/message/party-name.ts";
import type { ProxyEvent } from "./account.ts";
import type { DeviceCertificate } from "./admission.ts";
import { createEdge, type Edge } from "./edge.ts";

const NOW = new Date("2026-05-01T12:00:00Z");
const MINE = parseImei("356938035643809");
const OTHER = parseImei("490154203237518");
const SIM = "232011234567890";
const OTHER_SIM = "232019999999999";
const NUMBER = "436641234567";
const NOBODY = { network: null, stated: null };
const line = (imsi: string | null, msisdn: string | null = null) => ({ imsi, msisdn, deviceId: null });

const edgeOf = (): Edge => {
  let made = 0;
  return createEdge(() => `00000000-0000-4000-8000-${String(++made).padStart(12, "0")}`);
};
const factoryOf = (imei = MINE): DeviceCertificate => ({
  authority: "factory",
  names: [imeiNameOf(imei)],
  fingerprint: `F-${imei}`,
});
const keyOf = (name: string) => ({ fingerprint: name, publicKey: `spki-${name}`, notAfterMs: NOW.getTime() });
const ownOf = (edge: Edge, name: string, imei = MINE): DeviceCertificate => ({
  authority: "own",
  names: [imeiNameOf(imei), deviceNameOf(edge.accountOf(imei)?.uuid ?? "none")],
  ...keyOf(name),
});

/** A device that enrolled by its factory's certificate and used its own once. */
function enrolled(): Edge {
  const edge = edgeOf();
  edge.keepAccount({ deviceId: MINE, imsi: SIM, msisdn: NUMBER }, NOW);
  const { account } = issuedBy(edge, { certificate: factoryOf() });
  edge.issued(account, keyOf("one"), NOW);
  assert.equal(edge.admit(ownOf(edge, "one"), NOBODY, NOW).kind, "admitted");
  return edge;
}
function issuedBy(edge: Edge, { certificate }: { certificate: DeviceCertificate }) {
  const decision = edge.decideEnrolment({ kind: "certificate", certificate, network: null }, NOW);
  assert.ok(decision.kind === "issue");
  return decision;
}
const reasonOf = (decision: { readonly kind: string; readonly reason?: string }): string =>
  decision.reason ?? decision.kind;

test("a device may state no number but its own, nor may the network tell another", () => {
  const edge = enrolled();
  const own = ownOf(edge, "one");
  assert.equal(reasonOf(edge.admit(own, { network: null, stated: MINE }, NOW)), "admitted");
  assert.equal(reasonOf(edge.admit(own, { network: null, stated: OTHER }, NOW)), "device_mismatch");
  const told = { imsi: SIM, msisdn: null, deviceId: OTHER };
  assert.equal(reasonOf(edge.admit(own, { network: told, stated: null }, NOW)), "device_mismatch");
  assert.equal(reasonOf(edge.admitByNetwork(line(SIM), OTHER, NOW)), "device_mismatch");
});

test("a blocked device is refused by certificate and by the network, and gets no key, until it is released", () => {
  const edge = enrolled();
  const ways = () => [
    reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)),
    reasonOf(edge.admitByNetwork(line(SIM), null, NOW)),
    reasonOf(edge.decideEnrolment({ kind: "certificate", certificate: factoryOf(), network: null }, NOW)),
  ];
  edge.setBlocked(MINE, true, NOW);
  assert.deepEqual(ways(), ["device_blocked", "device_blocked", "device_blocked"]);
  edge.setBlocked(MINE, false, NOW);
  assert.deepEqual(ways(), ["admitted", "admitted", "issue"]);
});

const changes = (
  after: number,
  upto: number,
  ...accounts: readonly { readonly standing: "open" | "blocked" | "closed"; readonly imsi?: string }[]
) => ({
  ...{ list: "meridian", after, upto },
  accounts: accounts.map(({ standing, imsi }) => ({
    deviceId: MINE,
    standing,
    line: imsi === undefined ? null : { imsi, msisdn: null },
  })),
});

test("an operator's list is taken from the version that the proxy has, else nothing of it; from 0 it is always taken", () => {
  const edge = edgeOf();
  edge.takeChanges(changes(0, 3, { standing: "open", imsi: SIM }), NOW);
  assert.deepEqual([edge.versionOf("meridian"), edge.accountOf(MINE)?.imsi], [3, SIM]);
  assert.deepEqual(edge.takeChanges(changes(4, 5, { standing: "blocked" }), NOW), []);
  assert.deepEqual([edge.versionOf("meridian"), edge.accountOf(MINE)?.isBlocked], [3, false]);
  assert.deepEqual(edge.takeChanges(changes(3, 3), NOW), [], "the version is asked for, nothing changes");
  edge.takeChanges(changes(3, 5, { standing: "blocked" }), NOW);
  assert.deepEqual([edge.versionOf("meridian"), edge.accountOf(MINE)?.isBlocked], [5, true]);
  edge.takeChanges(changes(0, 2, { standing: "closed" }), NOW);
  assert.deepEqual([edge.versionOf("meridian"), edge.accountOf(MINE)], [2, undefined]);
  assert.equal(edge.versionOf("another"), 0, "versions of two lists are nothing to each other");
});

test("a block that an operator's list brings breaks no bond that the device made with another SIM since", () => {
  const edge = enrolled();
  const moved = edge.admit(ownOf(edge, "one"), { network: line(OTHER_SIM), stated: null }, NOW);
  assert.equal(reasonOf(moved), "bond_broken");
  const { account } = issuedBy(edge, { certificate: factoryOf() });
  edge.issued(account, keyOf("two"), NOW);
  for (const standing of ["blocked", "open"] as const)
    edge.takeChanges(changes(edge.versionOf("meridian"), edge.versionOf("meridian") + 1, { standing }), NOW);
  assert.equal(reasonOf(edge.admit(ownOf(edge, "two"), NOBODY, NOW)), "admitted");
});

test("what an operator's list brought is there after a restart, with its version", () => {
  const edge = edgeOf();
  const events = edge.takeChanges(changes(0, 3, { standing: "blocked", imsi: SIM }), NOW);
  const again = edgeOf();
  for (const event of events) again.apply(event);
  assert.deepEqual([again.versionOf("meridian"), again.accountOf(MINE)?.isBlocked], [3, true]);
});

test("a factory's certificate is good until the device has a key of its own, and for enrolment always", () => {
  const edge = edgeOf();
  edge.keepAccount({ deviceId: MINE, imsi: SIM, msisdn: NUMBER }, NOW);
  assert.equal(reasonOf(edge.admit(factoryOf(), NOBODY, NOW)), "admitted");
  const { account } = issuedBy(edge, { certificate: factoryOf() });
  edge.issued(account, keyOf("one"), NOW);
  assert.equal(reasonOf(edge.admit(factoryOf(), NOBODY, NOW)), "admitted"); // the own one was never used
  assert.equal(reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)), "admitted");
  assert.equal(reasonOf(edge.admit(factoryOf(), NOBODY, NOW)), "certificate_retired");
  issuedBy(edge, { certificate: factoryOf() });
});

test("a successor replaces a key at its first use, and not before", () => {
  const edge = enrolled();
  const decision = edge.decideReenrolment(ownOf(edge, "one"), null, NOW);
  assert.ok(decision.kind === "issue");
  edge.issued(decision.account, keyOf("two"), NOW);
  assert.equal(reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)), "admitted");
  assert.equal(reasonOf(edge.admit(ownOf(edge, "two"), NOBODY, NOW)), "admitted");
  assert.equal(reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)), "certificate_retired");
  assert.equal(reasonOf(edge.decideReenrolment(factoryOf(), null, NOW)), "certificate_refused");
});

test("another SIM on the line breaks the bond here and now, and only an enrolment mends it", () => {
  const edge = enrolled();
  const moved = edge.admit(ownOf(edge, "one"), { network: line(OTHER_SIM), stated: null }, NOW);
  assert.ok(moved.kind === "refused" && moved.reason === "bond_broken");
  assert.deepEqual(
    moved.events.map((event) => event.kind === "bond_broken" && event.cause),
    ["sim_changed"],
  );
  assert.equal(reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)), "bond_broken");
  assert.equal(reasonOf(edge.admitByNetwork(line(OTHER_SIM), null, NOW)), "bond_broken");
  const { account } = issuedBy(edge, { certificate: factoryOf() });
  edge.issued(account, keyOf("two"), NOW);
  assert.equal(reasonOf(edge.admit(ownOf(edge, "two"), NOBODY, NOW)), "admitted");
});

test("a SIM that is bound to a second handset leaves the first", () => {
  const edge = enrolled();
  const token = { kind: "token", imsi: SIM, msisdn: NUMBER, imei: OTHER, claimedNames: [] } as const;
  const decision = edge.decideEnrolment(token, NOW);
  assert.ok(decision.kind === "issue");
  assert.deepEqual(
    decision.events.map((event) => [event.kind, "deviceId" in event && event.deviceId]),
    [
      ["account_opened", OTHER],
      ["bond_broken", MINE],
      ["bound", OTHER],
    ],
  );
  assert.equal(reasonOf(edge.admit(ownOf(edge, "one"), NOBODY, NOW)), "bond_broken");
});

test("whoever holds a token for one SIM takes over no handset of another, unless the server names it", () => {
  const edge = enrolled();
  const token = { kind: "token", imsi: OTHER_SIM, msisdn: null, claimedNames: [imeiNameOf(MINE)] } as const;
  assert.equal(reasonOf(edge.decideEnrolment({ ...token, imei: null }, NOW)), "device_mismatch");
  assert.equal(reasonOf(edge.decideEnrolment({ ...token, imei: OTHER }, NOW)), "device_mismatch");
  assert.equal(reasonOf(edge.decideEnrolment({ ...token, imei: "123" }, NOW)), "token_refused");
  assert.equal(reasonOf(edge.decideEnrolment({ ...token, imei: MINE }, NOW)), "issue");
});

test("two answers of the network about one line that disagree let nobody through", () => {
  const edge = enrolled();
  assert.equal(reasonOf(edge.admitByNetwork(line(SIM, NUMBER), null, NOW)), "admitted");
  assert.equal(reasonOf(edge.admitByNetwork(line(SIM, "436649999999"), null, NOW)), "identity_conflict");
  assert.equal(reasonOf(edge.admitByNetwork(line("999999999999999"), null, NOW)), "device_unknown");
});

test("the accounts are the sum of their events: replayed, they decide the same", () => {
  const journal: ProxyEvent[] = [];
  const edge = edgeOf();
  const note = (events: readonly ProxyEvent[]) => void journal.push(...events);
  note(edge.keepAccount({ deviceId: MINE, imsi: SIM, msisdn: NUMBER }, NOW));
  const decision = issuedBy(edge, { certificate: factoryOf() });
  note(decision.events);
  note(edge.issued(decision.account, keyOf("one"), NOW));
  const own = ownOf(edge, "one");
  const admission = edge.admit(own, NOBODY, NOW);
  note(admission.events);
  const replayed = edgeOf();
  for (const event of JSON.parse(JSON.stringify(journal)) as ProxyEvent[]) replayed.apply(event);
  assert.deepEqual(replayed.accountOf(MINE), edge.accountOf(MINE));
  assert.equal(reasonOf(replayed.admit(own, NOBODY, NOW)), "admitted");
  assert.equal(reasonOf(replayed.admit(factoryOf(), NOBODY, NOW)), "certificate_retired");
});
