/** The road from a device through the proxy to a provisioning server, over real sockets (US 6,647,260 claims 20, 26, 33-42). */
import assert from "node:assert/strict";
import { afterAll, beforeAll, test } from "vitest";
import {
  IMEI,
  IMSI,
  MSISDN,
  openRoad,
  PROXY_ID,
  type RoadParties,
  screenIn,
} from "../../test/road-parties.ts";
import { ROAD } from "../wire/message/road.ts";

let road: RoadParties;
beforeAll(async () => {
  road = await openRoad();
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
});
afterAll(() => road.close());

test("a device's request arrives at the server with the identity of its account, and comes back as a screen through the proxy", async () => {
  const answer = await road.air(road.start(), {
    pair: road.factory,
    headers: { "accept-language": "en-GB" },
  });
  assert.equal(answer.status, 200, answer.body.toString());
  assert.deepEqual(road.received.at(-1)?.identity, {
    imei: IMEI,
    imsi: IMSI,
    msisdn: MSISDN,
    assurance: "cert",
    bearer: "lte",
    capability: null,
    proxy: PROXY_ID,
    language: "en-GB",
  });
  const screen = screenIn(answer);
  assert.equal(screen.entries[0]?.href, ROAD.through(road.server, "/d/packages"));
  assert.equal(screen.entries[1]?.href, ROAD.through(road.otherServer, "/d/services"));
  assert.equal(screen.form?.action, ROAD.through(road.server, ROAD.requests));
  assert.equal(screen.actions[0]?.href, "https://operator.example/help");
});
