/** A handset's report is worth what its signature is worth: without that of its own key it moves nothing. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { maker, type TestEngine, testEngine } from "../../../test/fixture/order-engine.ts";
import { signDeviceKey } from "../../wire/message/device-key.ts";
import { type DeviceKey, decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import {
  encodeDeviceReport,
  type ReportLevel,
  reportReferenceOf,
  signDeviceReport,
} from "../../wire/message/device-report.ts";

const DEVICE_REPORT_OCTETS = 28;

const LEVELS: readonly ReportLevel[] = ["opened", "works", "deleted", "refused"];
const MAC_OCTETS = 12;

/** Orders whose own keys are on their way, in the order of their keys. */
async function withKeys(count: number) {
  const engine = testEngine({
    policy: { package: "apart", doneAt: "works" },
    relation: { keySource: "own", feeLevel: "opened" },
  });
  const orders = Array.from({ length: count }, () => engine.open());
  await engine.conductor.advance(count);
  for (const message of engine.books.messages.values()) message.state = "submitted";
  return { engine, orders };
}
const keyItem = ({ order }: TestEngine, orderId: string) =>
  order(orderId).items.find(({ kind }) => kind === "key")!;
const keyOf = (engine: TestEngine, orderId: string): DeviceKey =>
  decodeDeviceKey(engine.books.keys.get(keyItem(engine, orderId).keyId!)!.bytes);

const said = ({ keyId }: Pick<DeviceKey, "keyId">, level: ReportLevel = "works") => ({
  reference: reportReferenceOf(keyId),
  level,
  cause: level === "refused" ? ("user_refused" as const) : ("none" as const),
  at: new Date(Date.UTC(2026, 4, 4, 9)),
});

/** Everything that a report could have moved. */
const booksOf = ({ books }: TestEngine) => ({
  items: [...books.orders.values()].map(({ state, items }) => [
    state,
    items.map((item) => [item.state, item.reason, item.keyState]),
  ]),
  keys: [...books.keys.values()].map(({ state }) => state),
  charges: books.charges.size,
  calls: books.calls.size,
  events: books.events.length,
});

/** The order's key under another id, as another maker might have chosen it. */
function rekeyed(engine: TestEngine, orderId: string, keyId: Uint8Array): DeviceKey {
  const item = keyItem(engine, orderId);
  const stored = engine.books.keys.get(item.keyId!)!;
  const bytes = signDeviceKey({ ...decodeDeviceKey(stored.bytes), keyId }, maker.privateKey);
  const hex = Buffer.from(keyId).toString("hex");
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );
  engine.books.keys.delete(item.keyId!);
  engine.books.keys.set(id, { ...stored, keyId: id, bytes });
  item.keyId = id;
  return decodeDeviceKey(bytes);
}
const alike = ({ keyId }: DeviceKey): Uint8Array =>
  Uint8Array.from(keyId, (octet, at) => (at < 8 ? octet : octet ^ 0xff));

for (const level of LEVELS) {
  test(`a report of "${level}" without its key's signature is nobody's, and changes nothing at all`, async () => {
    const { engine, orders } = await withKeys(2);
    const [mine, other] = orders.map((id) => keyOf(engine, id));
    const body = said(mine!, level);
    const signed = signDeviceReport(body, mine!.confirmSecret);
    const changed = Array.from({ length: DEVICE_REPORT_OCTETS }, (_, at) => {
      const copy = Uint8Array.from(signed);
      copy[at]! ^= 1;
      return copy;
    });
    const before = booksOf(engine);
    const wrong = [
      encodeDeviceReport({ ...body, mac: new Uint8Array(MAC_OCTETS) }),
      signDeviceReport(body, new Uint8Array(mine!.confirmSecret.length)),
      signDeviceReport(body, new Uint8Array(0)),
      signDeviceReport(body, other!.confirmSecret),
      signed.subarray(0, DEVICE_REPORT_OCTETS - MAC_OCTETS),
      ...changed,
    ];
    assert.deepEqual(
      await engine.conductor.bookReports(wrong),
      wrong.map(() => false),
    );
    for (const one of wrong) assert.deepEqual(await engine.conductor.bookReports([one]), [false]);
    assert.deepEqual(booksOf(engine), before);
    assert.deepEqual(await engine.conductor.bookReports([signed]), [true], "signed it is one");
    assert.notDeepEqual(booksOf(engine), before);
  });
}

test("the holder of one key cannot speak for another's, though both report at once", async () => {
  const { engine, orders } = await withKeys(2);
  const [mine, other] = orders as [string, string];
  const [myKey, otherKey] = [keyOf(engine, mine), keyOf(engine, other)];
  const reports = [
    signDeviceReport(said(otherKey, "works"), myKey.confirmSecret),
    signDeviceReport(said(myKey, "opened"), myKey.confirmSecret),
    signDeviceReport(said(otherKey, "refused"), myKey.confirmSecret),
    signDeviceReport(said(otherKey, "opened"), otherKey.confirmSecret),
  ];
  assert.deepEqual(await engine.conductor.bookReports(reports), [false, true, false, true]);
  assert.deepEqual(
    [mine, other].map((id) => keyItem(engine, id).state),
    ["opened", "opened"],
  );
});

test("of two keys whose ids begin alike, the one is meant whose secret signed", async () => {
  for (const meant of [0, 1]) {
    const { engine, orders } = await withKeys(2);
    const first = keyOf(engine, orders[0]!);
    const keys = [first, rekeyed(engine, orders[1]!, alike(first))];
    const report = signDeviceReport(said(keys[meant]!), keys[meant]!.confirmSecret);
    assert.deepEqual(await engine.conductor.bookReports([report]), [true]);
    const states = orders.map((id) => keyItem(engine, id).state);
    assert.deepEqual(states, meant === 0 ? ["works", "sending"] : ["sending", "works"]);
  }
});

test("a key that cannot be read proves nothing, and hides no other", async () => {
  const { engine, orders } = await withKeys(2);
  const first = keyOf(engine, orders[0]!);
  const second = rekeyed(engine, orders[1]!, alike(first));
  const { keyId } = keyItem(engine, orders[0]!);
  const stored = engine.books.keys.get(keyId!)!;
  engine.books.keys.set(keyId!, { ...stored, bytes: stored.bytes.subarray(0, 20) });
  const reports = [first, second].map((key) => signDeviceReport(said(key), key.confirmSecret));
  assert.deepEqual(await engine.conductor.bookReports(reports), [false, true]);
  assert.deepEqual(
    orders.map((id) => keyItem(engine, id).state),
    ["sending", "works"],
  );
});
