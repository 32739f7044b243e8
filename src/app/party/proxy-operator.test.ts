/** The proxy's door for its operator, and what may change while the proxy runs: over real sockets, with devices under way. */
import assert from "node:assert/strict";
import { Agent } from "node:https";
import { afterEach, beforeEach, test } from "vitest";
import {
  ask,
  IMEI,
  IMSI,
  MSISDN,
  OTHER_IMEI,
  openParties,
  type Parties,
  pairOf,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import { TurnupError } from "../../term/error.ts";
import { ACCOUNT_CHANGES_PATH, accountPath } from "../../wire/message/account-api.ts";

const SECRET = "manage-secret-0123456789";
let road: Parties;
beforeEach(async () => {
  road = await openParties({ proxy: { manageDoor: { host: "127.0.0.1", port: 0, secret: SECRET } } });
});
afterEach(() => road.close());

const operator = async (method: string, path: string, body?: unknown, secret: string | null = SECRET) => {
  const answer = await ask(new URL(path, road.proxy.manageUrl), {
    method,
    ca: road.certificates.proxy.airAuthority,
    headers: {
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, text: answer.body.toString("utf8") };
};
const ACCOUNT = { imsi: IMSI, msisdn: MSISDN, blocked: false };
const put = (more: Partial<typeof ACCOUNT> = {}) =>
  operator("PUT", accountPath(IMEI), { ...ACCOUNT, ...more });
const lastReason = (): string | undefined => road.records.at(-1)?.reason;

test("an account comes, is blocked, released and goes while the proxy runs: each at the device's next message, on a connection that stays open", async () => {
  const { key, certificate: cert } = road.factory;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const local = new Set<number>();
  const device = async (): Promise<number> => {
    const url = new URL(road.start(), road.proxy.url);
    const headers = { accept: "application/vnd.turnup.screen+json" };
    const { status } = await ask(url, {
      agent,
      key,
      cert,
      ca: road.certificates.proxy.airAuthority,
      headers,
    });
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) local.add(socket.localPort ?? 0);
    return status;
  };
  assert.equal(await device(), 403);
  assert.equal(lastReason(), "device_unknown");
  const opened = await put();
  assert.deepEqual(
    [opened.status, JSON.parse(opened.text)],
    [200, { deviceId: IMEI, bond: "unbound", blocked: false }],
  );
  assert.equal(await device(), 200);
  assert.equal(JSON.parse((await put({ blocked: true })).text).blocked, true);
  const before = road.received.length;
  assert.equal(await device(), 403);
  assert.equal(lastReason(), "device_blocked");
  assert.equal(road.received.length, before, "nothing of a blocked device reaches a server");
  await put();
  assert.equal(await device(), 200);
  assert.equal((await operator("DELETE", accountPath(IMEI))).status, 204);
  assert.equal(await device(), 403);
  assert.equal(lastReason(), "device_unknown");
  assert.equal((await operator("DELETE", accountPath(IMEI))).status, 204, "a repeat changes nothing");
  assert.equal(local.size, 1, "all of it went over one connection");
  agent.destroy();
});

test("what the operator was answered is there after a restart: blocked ones stay blocked, closed ones closed", async () => {
  await put({ blocked: true });
  await operator("PUT", accountPath(OTHER_IMEI), { imsi: null, msisdn: null, blocked: false });
  await operator("DELETE", accountPath(OTHER_IMEI));
  await road.restartProxy();
  assert.equal(JSON.parse((await operator("GET", accountPath(IMEI))).text).blocked, true);
  assert.equal((await operator("GET", accountPath(OTHER_IMEI))).status, 404);
});

test("without the secret, or with another, the door tells nothing and changes nothing; the secret stands in no answer", async () => {
  for (const [secret, code] of [
    [null, "token_missing"],
    ["manage-secret-0123456780", "token_unknown"],
  ] as const) {
    for (const [method, path] of [
      ["PUT", accountPath(IMEI)],
      ["DELETE", accountPath(IMEI)],
      ["GET", accountPath(IMEI)],
      ["GET", "/metrics"],
      ["GET", "/readyz"],
    ] as const) {
      const answer = await operator(method, path, method === "PUT" ? ACCOUNT : undefined, secret);
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(JSON.parse(answer.text).code, code);
      assert.ok(!answer.text.includes(SECRET));
    }
  }
  assert.equal(road.proxy.accounts(), 0);
});

test("an account that is none is refused with its reason, and nothing is written", async () => {
  for (const [path, body, code] of [
    [accountPath("356938035643800"), ACCOUNT, "imei_check_digit"],
    [accountPath("123"), ACCOUNT, "invalid_request"],
    [accountPath(IMEI), { imsi: IMSI, msisdn: MSISDN }, "invalid_request"],
    [accountPath(IMEI), { ...ACCOUNT, imsi: "abc" }, "invalid_request"],
  ] as const) {
    const answer = await operator("PUT", path, body);
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.text).code, code);
  }
  assert.equal(road.proxy.accounts(), 0);
});

test("measures count accounts, forwarded requests and forced ends, and name nobody", async () => {
  await put();
  await road.air(road.start(), { pair: road.factory });
  await put({ blocked: true });
  await road.air(road.start(), { pair: road.factory });
  const { status, text } = await operator("GET", "/metrics");
  assert.equal(status, 200);
  for (const line of [
    'turnup_proxy_accounts{state="blocked"} 1',
    'turnup_proxy_accounts{state="open"} 0',
    'turnup_proxy_terminations_total{reason="device_blocked"} 1',
    'turnup_proxy_forwarded_total{outcome="answered"} 1',
    "turnup_process_resident_memory_bytes",
  ])
    assert.ok(text.includes(line), line);
  for (const hidden of [IMEI, IMSI, MSISDN, "127.0.0.1"]) assert.ok(!text.includes(hidden), hidden);
  assert.equal((await operator("GET", "/readyz")).status, 200);
  await road.otherLand.close();
  await road.restartProxy();
  assert.equal((await operator("GET", "/readyz")).status, 503);
});

test("other factories and servers are taken over while devices are under way; what does not fit changes nothing", async () => {
  await put();
  const maker = strangerAuthority();
  const device = pairOf(maker);
  const start = () =>
    road.air(road.start(), { pair: device }).then(
      ({ status }) => status,
      () => "refused",
    );
  assert.equal(await start(), "refused");
  const { proxy } = road.certificates;
  const { serverAuthority: authority, publicKey } = road.certificates.land;
  const servers = [{ url: road.land.url, id: "turnup-1", authority, publicKey }];
  const factoryAuthorities = [...proxy.factoryAuthorities, maker.certificate];
  const broken = { ...proxy, factoryAuthorities, air: { ...proxy.air, key: device.key } };
  assert.throws(() => road.proxy.change({ servers, certificates: broken }));
  assert.equal(await start(), "refused", "a key that is not the certificate's leaves all as it was");
  assert.equal(
    (await road.air(`/r/${encodeURIComponent(road.otherServer)}/d/start`, { pair: road.factory })).status,
    200,
  );
  road.proxy.change({ servers, certificates: { ...proxy, factoryAuthorities } });
  assert.equal(await start(), 200);
  const gone = await road.air(`/r/${encodeURIComponent(road.otherServer)}/d/start`, { pair: road.factory });
  assert.equal(gone.status, 403, "the server that the policy names no more is led to no more");
});

test("R34: what a server says of an account that its proxy was not told of is a refusal at the proxy, with its record", async () => {
  await road.close();
  road = await openParties({
    proxy: { manageDoor: { host: "127.0.0.1", port: 0, secret: SECRET } },
    async handler() {
      throw new TurnupError("device_blocked", "The account of this device is blocked or closed.");
    },
  });
  await put();
  const pair = road.factory;
  const answer = await ask(new URL(road.start(), road.proxy.url), {
    key: pair.key,
    cert: pair.certificate,
    ca: road.certificates.proxy.airAuthority,
    headers: { accept: "application/vnd.turnup.screen+json" },
  });
  assert.equal(answer.status, 403);
  assert.ok(!answer.body.toString("utf8").includes("blocked"), "a refused device is told nothing of why");
  const { reason, leg } = road.records.at(-1) ?? {};
  assert.deepEqual([leg, reason], ["land", "device_blocked"]);
});

test("R34: an operator's list goes by its version, survives a restart, and is refused without the secret", async () => {
  const list = { list: "meridian", after: 0, upto: 2 };
  const accounts = [{ deviceId: IMEI, standing: "blocked", line: { imsi: IMSI, msisdn: MSISDN } }];
  const tell = async (body: unknown, secret?: string) => {
    const { status, text } = await operator("POST", ACCOUNT_CHANGES_PATH, body, secret);
    return status === 200 ? JSON.parse(text).version : status;
  };
  assert.equal(await tell({ ...list, accounts }, "another-secret-0123456789"), 401);
  assert.equal(await tell({ ...list, accounts }), 2);
  await road.restartProxy();
  assert.equal(await tell({ ...list, after: 2, accounts: [] }), 2);
  assert.equal(JSON.parse((await operator("GET", accountPath(IMEI))).text).blocked, true);
  const open = [{ deviceId: IMEI, standing: "open", line: null }];
  assert.equal(
    await tell({ ...list, after: 7, upto: 8, accounts: open }),
    2,
    "it goes on from the version that is here",
  );
  assert.equal(JSON.parse((await operator("GET", accountPath(IMEI))).text).blocked, true);
  assert.equal(
    await tell({ ...list, after: 2, upto: 8, accounts: [{ ...open[0], deviceId: "356938035643800" }] }),
    400,
  );
});
