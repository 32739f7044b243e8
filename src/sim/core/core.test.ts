/** The core network's rules: which access point opens for whom, and where it leads. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { afterEach, test } from "vitest";
import type { Arrival } from "../../wire/message/maker-api.ts";
import { startApplicationServer } from "./application-server.ts";
import { createBatcher } from "./batcher.ts";
import { startPacketGateway, type UsageRecord } from "./packet-gateway.ts";

const MAKER_HOST = "mms.maker-one.example";
const KEY_ID = "07".repeat(16);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function world(verdict: "good" | "unknown_key" | "bad_proof" = "good") {
  const arrivals: Arrival[] = [];
  const usage: UsageRecord[] = [];
  const server = await startApplicationServer({
    verifyArrival: () => verdict,
    onArrivals: async (batch) => void arrivals.push(...batch),
  });
  const gateway = await startPacketGateway({
    accessPoints: [
      { apn: "internet.op", hosts: ["www.example"] },
      { apn: "mms.maker-one", user: "u", password: "p", hosts: [MAKER_HOST] },
    ],
    hosts: new Map([[MAKER_HOST, server.url]]),
    onUsage: async (batch) => void usage.push(...batch),
  });
  closers.push(server.close, gateway.close);
  return { arrivals, usage, server, gateway };
}

type Answer = {
  readonly status: number;
  readonly body: { session?: string; cause?: string; received?: boolean; gtpCause?: number };
};
function call(port: number, method: string, path: string, body?: object, session?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body ? JSON.stringify(body) : "";
    const headers = {
      "content-length": Buffer.byteLength(text),
      ...(session === undefined ? {} : { "x-pdp-session": session }),
    };
    request({ port, method, path, headers, agent: false }, (response) => {
      let answer = "";
      response.on("data", (chunk) => {
        answer += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: answer ? JSON.parse(answer) : {} }),
      );
    })
      .on("error", reject)
      .end(text);
  });
}
const phone = { imsi: "001010123456789", imei: "356938035643809" };
const post = { keyId: KEY_ID, proof: Buffer.alloc(16).toString("base64"), application: "mms" };
const toMaker = (port: number, session: string) =>
  call(port, "POST", `http://${MAKER_HOST}/m`, post, session);

test("the manufacturer's server is reached by its own access point and by no other", async () => {
  const { gateway, server, arrivals } = await world();
  const old = await call(gateway.port, "POST", "/pdp", { ...phone, apn: "internet.op" });
  const dead = await toMaker(gateway.port, String(old.body.session));
  assert.deepEqual([dead.status, dead.body.cause], [502, "no_route"]);
  const opened = await call(gateway.port, "POST", "/pdp", {
    ...phone,
    apn: "MMS.maker-one",
    user: "u",
    password: "p",
  });
  const alive = await toMaker(gateway.port, String(opened.body.session));
  assert.deepEqual([alive.status, alive.body.received], [200, true]);
  await server.flush();
  assert.deepEqual(
    arrivals.map(({ keyId, apn, application }) => [keyId, apn, application]),
    [[KEY_ID, "mms.maker-one", "mms"]],
  );
});

const refused: [string, object, number][] = [
  ["an unknown access point", { apn: "nowhere" }, 219],
  ["a wrong password", { apn: "mms.maker-one", user: "u", password: "x" }, 209],
  ["no credentials", { apn: "mms.maker-one" }, 209],
];
for (const [what, changes, gtpCause] of refused) {
  test(`a session with ${what} is refused with GTP cause ${gtpCause}, and leaves no usage record`, async () => {
    const { gateway, usage } = await world();
    const { status, body } = await call(gateway.port, "POST", "/pdp", { ...phone, ...changes });
    assert.deepEqual([status, body.gtpCause], [403, gtpCause]);
    await gateway.flush();
    assert.deepEqual(usage, []);
  });
}

test("a session that opens is told with its access point, IMSI and IMEI", async () => {
  const { gateway, usage } = await world();
  await call(gateway.port, "POST", "/pdp", { ...phone, apn: "internet.op" });
  await gateway.flush();
  assert.deepEqual(
    usage.map(({ apn, imsi, imei }) => ({ apn, imsi, imei })),
    [{ ...phone, apn: "internet.op" }],
  );
});

test("a closed session leads nowhere any more", async () => {
  const { gateway } = await world();
  const opened = await call(gateway.port, "POST", "/pdp", {
    ...phone,
    apn: "mms.maker-one",
    user: "u",
    password: "p",
  });
  const session = String(opened.body.session);
  assert.equal((await call(gateway.port, "DELETE", `/pdp/${session}`)).status, 204);
  assert.equal((await toMaker(gateway.port, session)).body.cause, "no_session");
});

test("an arrival with a wrong proof is refused and not told", async () => {
  const { gateway, server, arrivals } = await world("bad_proof");
  const opened = await call(gateway.port, "POST", "/pdp", {
    ...phone,
    apn: "mms.maker-one",
    user: "u",
    password: "p",
  });
  assert.equal((await toMaker(gateway.port, String(opened.body.session))).status, 403);
  await server.flush();
  assert.deepEqual(arrivals, []);
  assert.equal(server.counts().badProof, 1);
});

test("records wait for a server that is away, keep their order, and are delivered once", async () => {
  const taken: number[] = [];
  let failures = 2;
  const batcher = createBatcher<number>({
    maxBatch: 3,
    maxWaiting: 10,
    intervalMs: 1,
    async deliver(batch) {
      if (failures-- > 0) throw new Error("away");
      taken.push(...batch);
    },
  });
  closers.push(batcher.close);
  for (let entry = 1; entry <= 12; entry++) batcher.push(entry);
  await batcher.flush();
  assert.deepEqual(taken, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(batcher.state(), { waiting: 0, dropped: 2 });
});
