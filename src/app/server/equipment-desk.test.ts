/** The desk behind the doors of an equipment register: lists, then the lock of the SIM, and white where neither can be looked up. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { EquipmentAnswer } from "../../kernel/equipment/equipment.ts";
import { openEquipmentDesk } from "./equipment-desk.ts";

const IMSI = "234150000000001";
async function deskWith(answer: () => EquipmentAnswer, isRefused: () => boolean) {
  const asked: string[] = [];
  const registry = new Registry();
  const desk = await openEquipmentDesk({
    intake: {
      accept: async (_operator, sightings) => sightings.map(() => ({ outcome: "unchanged" as const })),
    },
    statuses: { statusOf: answer },
    locks: {
      isRefused({ operatorId, imsi, imei, source, client }) {
        asked.push(`${operatorId} ${imsi} ${imei} ${source} ${client}`);
        return isRefused();
      },
    },
    ...{ homePlmnOf: () => undefined, operatorIdOf: async () => "north", operators: [undefined] },
    ...{ clock: () => new Date(0), registry, onFault: () => undefined },
  });
  whenDone(() => desk.close());
  const ask = (imsi: string | undefined = IMSI) =>
    desk.check({
      ...({ source: "s13", client: "mme-1", operator: undefined } as const),
      equipment: {
        ...{ imei: "35693803564380", imsi, softwareVersion: undefined },
        ...{ msisdn: undefined, visited: undefined },
      },
    });
  return { ask, asked, registry };
}

test("a SIM that is locked to another device is answered black, whatever lists say of the device", async () => {
  for (const answer of ["white", "grey", "unknown"] as const) {
    const { ask, asked } = await deskWith(
      () => answer,
      () => true,
    );
    assert.equal(ask(), "black");
    assert.deepEqual(asked, [`north ${IMSI} 35693803564380 s13 mme-1`]);
    const { ask: own } = await deskWith(
      () => answer,
      () => false,
    );
    assert.equal(own(), answer);
  }
});

test("a handset on a black list is refused before any lock is asked, so that none takes it for its own device", async () => {
  const { ask, asked } = await deskWith(
    () => "black",
    () => false,
  );
  assert.equal(ask(), "black");
  assert.deepEqual(asked, []);
});

test("what cannot be looked up is answered white at once, and counted", async () => {
  const broken = (): never => {
    throw new Error("the file of statuses is gone");
  };
  const lists = await deskWith(broken, () => true);
  assert.equal(lists.ask(), "white");
  assert.match(await lists.registry.metrics(), /turnup_equipment_faults_total 1\n/);
  const locks = await deskWith(() => "grey", broken);
  assert.equal(locks.ask(), "white");
});
