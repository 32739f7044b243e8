/**
 * Handsets that are not what their IMEIs say, and sources that contradict each other, as networks tell them: a packet gateway by RADIUS and
 * an MME by S13, at the real doors of a real server.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { mmeClient } from "../../src/sim/core/mme.ts";
import type { UsageRecord } from "../../src/sim/core/packet-gateway.ts";
import { accountingClient } from "../../src/sim/core/radius-accounting.ts";
import { imeiFromNetwork } from "../../src/term/imei.ts";
import { kindsOf, storyFixture, until } from "../fixture/story.ts";
import { whenDone } from "../fixture/when-done.ts";

const REALM = "epc.mnc001.mcc262.3gppnetwork.org";
const SECRET = "a secret of both";
const NR = 51;
const [GERMANY, KENYA] = ["26201", "63902"];
/** A Sony Ericsson of 2006, and a Samsung of 2020. */
const [OLD_TAC, NEW_TAC] = ["35155901", "35158611"];

const folder = await mkdtemp(join(tmpdir(), "turnup-doubted-"));
whenDone(() => rm(folder, { recursive: true }));
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
await file("pgw.secret", SECRET);
const gateways = [{ name: "pgw-1", addresses: ["127.0.0.1"], secretFile: "pgw.secret" }];
const mmes = [{ name: "mme-1", originHost: `mme1.${REALM}`, addresses: ["127.0.0.1"] }];
const fixture = await storyFixture({
  env: {
    TURNUP_RADIUS_PORT: "0",
    TURNUP_RADIUS_CLIENTS_FILE: await file("clients.json", JSON.stringify(gateways)),
    ...{ TURNUP_S13_PORT: "0", TURNUP_S13_PEERS_FILE: await file("peers.json", JSON.stringify(mmes)) },
    ...{ TURNUP_S13_ORIGIN_HOST: `eir.${REALM}`, TURNUP_S13_ORIGIN_REALM: REALM },
  },
});
/** The first, so that the doors for cores are its own. */
const operator = await fixture.operator();

const { radiusPort, s13Port } = fixture.server;
assert.ok(radiusPort !== undefined && s13Port !== undefined);
const gateway = accountingClient({ host: "127.0.0.1", port: radiusPort, secret: SECRET });
const mme = mmeClient(
  { host: "127.0.0.1", port: s13Port, realm: REALM },
  { originHost: `mme1.${REALM}`, originRealm: REALM },
);
whenDone(() => {
  gateway.close();
  mme.close();
});

const imei = (tac: string, serial: number): string =>
  imeiFromNetwork(`${tac}${String(810_200 + serial).padStart(6, "0")}`);
let sessions = 0;
const session = (imsi: string, handset: string, more: Partial<UsageRecord> = {}) =>
  gateway.tell([
    {
      ...{ sessionId: `doubted-${++sessions}`, apn: "internet", imsi, imei: handset, msisdn: undefined },
      ...{ at: new Date(Date.now() - 5_000), visited: GERMANY },
      ...more,
    },
  ]);
const standingOf = (imsi: string) => operator.get(`/v1/care/subscribers/${imsi}`, "care");
const doubtsOf = async (handset: string) => (await operator.get(`/v1/devices/${handset}`, "care")).doubts;
const kindsOfNewest = async (imsi: string) => {
  const { rows } = await operator.get(`/v1/orders?imsi=${imsi}&limit=1`, "engineer");
  return kindsOf(await operator.get(`/v1/orders/${rows[0].id}`, "engineer"));
};

test("a handset of 2006 by its number, which a gateway sees on 5G, stands as one with a false IMEI on its subscriber and in its order", async () => {
  const [imsi, handset] = ["262010000810201", imei(OLD_TAC, 1)];
  await session(imsi, handset, { radioType: NR });
  const [doubt] = await until(
    () => doubtsOf(handset),
    (found) => found.length > 0,
    "its IMEI is doubted",
  );
  assert.deepEqual([doubt.kind, doubt.detail.rule], ["false_model", "no_such_radio"]);
  const { devices } = await standingOf(imsi);
  assert.deepEqual([devices[0].cameBy, devices[0].doubts[0].id], ["radius", doubt.id]);
  assert.ok((await kindsOfNewest(imsi)).includes("imei_doubted"));
});

test("one IMEI with a SIM in Germany and another in Kenya at the same time is a clone on both subscribers; a handset of one country is none", async () => {
  const [cloned, family] = [imei(NEW_TAC, 2), imei(NEW_TAC, 3)];
  const [german, kenyan] = ["262010000810202", "639020000810203"];
  await session(german, cloned);
  await session("262010000810204", family);
  await session("262010000810205", family);
  await session(kenyan, cloned, { visited: KENYA });
  const [doubt] = await until(
    () => doubtsOf(cloned),
    (found) => found.length > 0,
    "two handsets bear one number",
  );
  assert.deepEqual([doubt.kind, doubt.detail.countries.split(" ").sort()], ["clone", ["DE", "KE"]]);
  for (const imsi of [german, kenyan]) {
    const { devices } = await standingOf(imsi);
    assert.deepEqual(
      devices[0].doubts.map(({ kind }: { kind: string }) => kind),
      ["clone"],
    );
    assert.ok((await kindsOfNewest(imsi)).includes("imei_doubted"));
  }
  assert.deepEqual(await doubtsOf(family), []);
});

test("a SIM that a gateway has in one handset and an MME in another within a minute: the newest word counts, and both sources are told to disagree", async () => {
  const imsi = "262010000810206";
  const [one, other] = [imei(NEW_TAC, 4), imei(NEW_TAC, 5)];
  await session(imsi, one);
  assert.equal(await mme.check({ imeisv: `${other.slice(0, 14)}01`, imsi }), "white");
  const moved = await until(
    () => standingOf(imsi),
    (standing) => standing.devices[0].cameBy === "s13",
    "the newest word is the MME's",
  );
  assert.deepEqual(moved.conflicts, [], "it may have moved");
  const secondLater = new Date(Date.parse(moved.devices[0].lastSeenAt) + 1_500); // told in whole seconds
  await session(imsi, one, { at: secondLater });
  const { conflicts, devices } = await until(
    () => standingOf(imsi),
    (standing) => standing.conflicts.length > 0,
    "the two sources disagree",
  );
  assert.equal(devices[0].cameBy, "radius", "the newest word is the gateway's");
  assert.deepEqual(
    [conflicts[0].source, conflicts[0].otherSource, conflicts[0].rule],
    ["s13", "radius", "at_once"],
  );
  assert.ok((await kindsOfNewest(imsi)).includes("sighting_conflict"));
  const { rows } = await operator.get("/v1/sightings/conflicts", "engineer");
  assert.deepEqual(rows, conflicts);

  const { sources } = await until(
    () => operator.get("/v1/sources", "care"),
    (told) => told.sources.length >= 2,
    "both sources are told",
  );
  const told = new Map<string, { silenceProves: boolean; state: string }>(
    sources.map((source: { source: string }) => [source.source, source]),
  );
  assert.deepEqual([told.get("radius")?.silenceProves, told.get("s13")?.silenceProves], [true, false]);
  assert.deepEqual([told.get("radius")?.state, told.get("s13")?.state], ["healthy", "healthy"]);
});
