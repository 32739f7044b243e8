/** A PIN for the telephone: kept so that nobody reads it, tried a few times, then locked. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { checkPin, PIN_TRIES } from "../../kernel/account/telephone-pin.ts";
import { createTelephonePins } from "./telephone-pins.ts";

const shop = await requestShop();
const pins = createTelephonePins(shop.database, shop.sealer, () => new Date(shop.time.now));
const HOUR_MS = 3_600_000;

async function subscriber(name: string): Promise<readonly [operatorId: string, subscriberId: string]> {
  const { operatorId, imsi, imei, msisdn } = await shop.fixture(name, []);
  await shop.see(operatorId, { imsi, imei, msisdn });
  const row = await shop.database.one<{ id: string }>("select id from subscriber where operator_id = $1", [
    operatorId,
  ]);
  assert.ok(row);
  return [operatorId, row.id];
}

test("a PIN is right for its subscriber alone, until another one is set or it is taken away; the table does not tell it", async () => {
  const [mine, theirs] = [await subscriber("own pin"), await subscriber("another's pin")];
  assert.equal(await pins.isSet(...mine), false);
  assert.equal(await pins.check(...mine, "2580"), "locked", "none is no way in");
  await pins.put(...mine, "2580");
  assert.deepEqual([await pins.isSet(...mine), await pins.isSet(...theirs)], [true, false]);
  assert.equal(await pins.isSet(theirs[0], mine[1]), false, "of another operator it is none");
  assert.deepEqual(
    [await pins.check(...mine, "2581"), await pins.check(...mine, "2580")],
    ["wrong", "right"],
  );
  await pins.put(...theirs, "2580");
  const rows = await shop.database.rows<{ salt: Buffer; hash_sealed: Buffer }>(
    "select salt, hash_sealed from telephone_pin",
  );
  assert.equal(new Set(rows.map(({ salt }) => salt.toString("hex"))).size, 2, "each has a salt of its own");
  const hashes = rows.map((row) => shop.sealer.openBytes("telephone_pin", row.hash_sealed).toString("hex"));
  assert.equal(new Set(hashes).size, 2, "equal PINs do not look alike");
  await pins.put(...mine, "71935");
  assert.deepEqual(
    [await pins.check(...mine, "2580"), await pins.check(...mine, "71935")],
    ["wrong", "right"],
  );
  assert.deepEqual([await pins.remove(...mine), await pins.remove(...mine)], [true, false]);
  assert.equal(await pins.isSet(...mine), false);
});

test("wrong ones in a row lock it, also when many come at once; each after the lock locks it longer, and the right one ends that", async () => {
  const mine = await subscriber("locked pin");
  await pins.put(...mine, "2580");
  const cutShort = Array.from({ length: PIN_TRIES + 1 }, (_, at) => ["", "258", "258025802"][at % 3] ?? "");
  for (const keyed of cutShort) assert.equal(await pins.check(...mine, keyed), "wrong", "it spends no try");
  const guesses = Array.from({ length: 12 }, (_, at) => pins.check(...mine, String(3000 + at)));
  const answers = await Promise.all(guesses);
  assert.deepEqual(
    [answers.filter((one) => one === "wrong").length, answers.filter((one) => one === "locked").length],
    [PIN_TRIES, 12 - PIN_TRIES],
  );
  assert.equal(await pins.check(...mine, "2580"), "locked");
  shop.time.now += HOUR_MS;
  assert.equal(await pins.check(...mine, "3000"), "wrong");
  shop.time.now += HOUR_MS;
  assert.equal(await pins.check(...mine, "2580"), "locked", "two hours now");
  shop.time.now += HOUR_MS;
  assert.equal(await pins.check(...mine, "2580"), "right");
  assert.equal(await pins.check(...mine, "3000"), "wrong");
  assert.equal(await pins.check(...mine, "2580"), "right", "its tries begin anew");
});

test("a PIN that anybody tries first, or that keys cannot say, is refused", () => {
  for (const pin of ["", "123", "123456789", "12a4", "0000", "99999", "1234", "8765", "٣٤٥٦"])
    assert.throws(() => checkPin(pin), { code: "telephone_pin_unfit" }, pin);
  for (const pin of ["2580", "1357", "1212", "00000001"]) checkPin(pin);
});
