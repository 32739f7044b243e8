/** A line by its number: since when its SIM has it, in which handset it is since when, and what is left when the number moved on. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { createLineReader } from "./lines.ts";

const shop = await requestShop();
const RADIO = { id: "radio", content: { kind: "none" } } as const;
const lines = createLineReader(shop.database, shop.sealer);

/** The network sees them together, a minute after whatever was before. */
async function sees(operatorId: string, sim: { imsi: string; imei: string; msisdn: string }): Promise<Date> {
  shop.time.now += 60_000;
  const seenAt = new Date(shop.time.now);
  await shop.see(operatorId, { seenAt: seenAt.toISOString(), ...sim });
  return seenAt;
}

test("a line tells its handset since it was put into it, and its SIM since it was seen or since the number came to it", async () => {
  const { operatorId } = await shop.fixture("lines", [RADIO]);
  const [first, second] = [pair("line"), pair("other line")];
  const { msisdn } = first;
  await sees(operatorId, { ...second, msisdn: pair("number of the other").msisdn });
  const began = await sees(operatorId, first);
  assert.deepEqual(await lines.lineOf(operatorId, msisdn), {
    simSince: began,
    device: { imei: first.imei, softwareVersion: null, since: began, lastSeenAt: began },
  });

  const swapped = await sees(operatorId, { ...first, imei: second.imei });
  const after = await lines.lineOf(operatorId, msisdn);
  assert.deepEqual(
    [after?.simSince, after?.device?.since, after?.device?.imei],
    [began, swapped, second.imei],
  );

  const moved = await sees(operatorId, { ...second, msisdn });
  const held = await lines.lineOf(operatorId, msisdn);
  assert.equal(held?.device?.imei, second.imei);
  assert.deepEqual(held?.simSince, moved, "another SIM has the number since it was seen with it");

  const third = pair("third line").msisdn;
  const renumbered = await sees(operatorId, { ...second, msisdn: third });
  assert.deepEqual((await lines.lineOf(operatorId, third))?.simSince, renumbered, "a SIM's new number");
  assert.deepEqual(
    await lines.lineOf(operatorId, msisdn),
    { simSince: null, device: null },
    "no SIM has it now",
  );
});

test("another operator's number is none, and so is one that nobody ever had", async () => {
  const [one, other] = [await shop.fixture("has it", [RADIO]), await shop.fixture("has it not", [RADIO])];
  const sim = pair("of one");
  await sees(one.operatorId, sim);
  assert.equal((await lines.lineOf(one.operatorId, sim.msisdn))?.device?.imei, sim.imei);
  assert.equal(await lines.lineOf(other.operatorId, sim.msisdn), undefined);
  assert.equal(await lines.lineOf(one.operatorId, pair("of nobody").msisdn), undefined);
});
