/** Sessions of managed devices on PostgreSQL: which task a device is given, and how an account that proved nothing comes back. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { accountIn, type DeviceAccount } from "../../device/management-account.ts";
import type { SessionShown } from "../../kernel/proof/sessions.ts";
import { decodeProvisioning } from "../../wire/omacp/codec.ts";
import { credentialHash, encodeMd5Credential } from "../../wire/omadm/auth.ts";
import { decodeDmXml, encodeDmXml } from "../../wire/omadm/codec.ts";
import type { Credential } from "../../wire/omadm/message.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import { dropManagedDevicesOver } from "../retention/managed-devices-over.ts";
import { createManagedDevices } from "./managed-devices.ts";

const { shop, ordered } = await messageShop();
shop.world.protocol = "omadm";
const MINUTE_MS = 60_000;
const shown: SessionShown[] = [];
let chance = 0;
const managed = createManagedDevices({
  database: shop.database,
  sealer: shop.sealer,
  clock: () => new Date(shop.time.now),
  randomBytes: (octets) => new Uint8Array(octets).fill(++chance),
  onShown: async (one) => void shown.push(one),
  shownOf: async (settings) => settings,
});

type Order = Awaited<ReturnType<typeof ordered>>;

/** As it stands in the last message that brings the device its account. */
async function accountOf({ orderId }: Order): Promise<DeviceAccount> {
  const row = await shop.database.one<{ sealed: Buffer }>(
    `select p.sealed from message m join payload p on p.id = m.payload_id
      where m.order_id = $1 and m.kind = 'bootstrap' order by m.id desc limit 1`,
    [orderId],
  );
  assert.ok(row);
  const account = accountIn(
    decodeProvisioning(decodePush(shop.sealer.openBytes("payload", row.sealed)).body),
  );
  assert.ok(account);
  return account;
}

/** A first message; Status of its header, and the nonce that came with it. */
async function say({ url, device, serverId }: DeviceAccount, sessionId: string, nonce?: Uint8Array) {
  const credential: Credential | undefined = nonce && {
    type: "syncml:auth-md5",
    format: "b64",
    data: encodeMd5Credential(credentialHash(device.name, device.secret), nonce),
  };
  const body = encodeDmXml({
    sessionId,
    msgId: "1",
    target: serverId,
    source: "IMEI:490154203237518",
    sourceName: device.name,
    credential,
    commands: [{ name: "Alert", cmdId: "1", code: 1200, items: [] }],
    isFinal: true,
  });
  const reply = await managed.exchange(url.split("/").at(-1) ?? "", { body, encoding: "xml", hmac: null });
  assert.ok(reply);
  const [header] = decodeDmXml(reply.body).commands;
  assert.ok(header?.name === "Status");
  return { code: header.code, nonce: header.challenge?.nextNonce ?? undefined };
}
const given = (account: DeviceAccount): Uint8Array => Buffer.from(account.device.nonce, "base64");
const begun = ({ orderId }: Order): number => shown.filter((one) => one.orderId === orderId).length;
const openTasks = ({ orderId }: Order): Promise<number> =>
  shop.count("management_task", "order_id = $1 and ended_at is null", [orderId]);

test("an account that proved nothing ten times rests; then a device that is challenged first comes in", async () => {
  const account = await accountOf(await ordered("rests"));
  for (let time = 1; time <= 10; time++) assert.equal((await say(account, `A${time}`)).code, 407);
  await assert.rejects(say(account, "B1"), { code: "too_many_requests" });
  shop.time.now += 11 * MINUTE_MS;
  const { code, nonce } = await say(account, "C1");
  assert.equal(code, 407);
  assert.equal((await say(account, "C2", nonce)).code, 212);
});

test("an order that was cancelled has nothing set any more in a session that begins later", async () => {
  const order = await ordered("cancelled");
  const account = await accountOf(order);
  await shop.desk.cancel(order.operatorId, order.orderId, "care");
  assert.equal((await say(account, "A1", given(account))).code, 212);
  assert.equal(begun(order), 0);
});

test("what a later order has for a device takes the place of what an earlier one had", async () => {
  const order = await ordered("earlier");
  assert.equal(await openTasks(order), 1);
  const { operatorId, imei } = order;
  const later = { ...pair("the later one's SIM"), imei };
  const [seen] = await shop.see(operatorId, later);
  assert.ok(seen && "orderId" in seen);
  await shop.conductor.advance(1_000);
  const second = { ...order, orderId: seen.orderId };
  assert.deepEqual([await openTasks(order), await openTasks(second)], [0, 1]);
  const account = await accountOf(second);
  assert.equal((await say(account, "A1", given(account))).code, 212);
  assert.deepEqual([begun(order), begun(second)], [0, 1]);
});

test("what is sent again has its settings to set again, and asks for the session once the account has arrived", async () => {
  const order = await ordered("again");
  await shop.database.run(
    "update management_task set ended_at = created_at, expires_at = created_at where order_id = $1",
    [order.orderId],
  );
  shop.time.now += MINUTE_MS;
  await shop.desk.resend(order.operatorId, order.orderId, "care");
  const tasks = "order_id = $1 and ended_at is null and expires_at > $2";
  assert.equal(await shop.count("management_task", tasks, [order.orderId, new Date(shop.time.now)]), 1);
  const due = "order_id = $1 and kind = $2 and state = 'queued' and due_at <= $3";
  const dueOf = (kind: string) => shop.count("message", due, [order.orderId, kind, new Date(shop.time.now)]);
  assert.deepEqual([await dueOf("bootstrap"), await dueOf("wake")], [1, 0]);
});

test("what a device was to be set to goes ninety days after its order's end, with an account that no device proved; what is under way or was proved stays", async () => {
  const [over, proved, open] = [await ordered("over"), await ordered("proved"), await ordered("open")];
  assert.equal((await say(await accountOf(proved), "A1", given(await accountOf(proved)))).code, 212);
  for (const order of [over, proved]) await shop.desk.cancel(order.operatorId, order.orderId, "care");
  const orders = [over, proved, open].map(({ orderId }) => orderId);
  const accounts = await Promise.all(
    orders.map((orderId) =>
      shop.database.one<{ id: string }>("select account_id as id from management_task where order_id = $1", [
        orderId,
      ]),
    ),
  );
  const left = async () => ({
    tasks: await Promise.all(orders.map((id) => shop.count("management_task", "order_id = $1", [id]))),
    accounts: await Promise.all(
      accounts.map((account) => shop.count("management_account", "id = $1", [account?.id])),
    ),
  });
  const drop = (days: number) =>
    dropManagedDevicesOver({
      database: shop.database,
      clock: () => new Date(shop.time.now + days * 86_400_000),
    });
  await drop(80);
  assert.deepEqual(await left(), { tasks: [1, 1, 1], accounts: [1, 1, 1] });
  assert.ok((await drop(120)) > 0);
  assert.deepEqual(await left(), { tasks: [0, 0, 1], accounts: [0, 1, 1] });
});
