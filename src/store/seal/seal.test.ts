/** Sealing at rest: AES-256-GCM, the documented layout, blind indexes. */
import assert from "node:assert/strict";
import { createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { Secret } from "../../term/secret.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "./seal.ts";
import { parseSealKeys, sealerOf } from "./seal-key.ts";

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const OTHER = Buffer.alloc(32, 7);
const IMSI = "001010123456789";
const database = await freshDatabase();

test("a sealed IMSI opens to what it was, and is different each time", () => {
  const sealer = createSealer(KEY);
  const [one, two] = [sealer.seal("imsi", IMSI), sealer.seal("imsi", IMSI)];
  assert.equal(sealer.open("imsi", one), IMSI);
  assert.equal(sealer.open("imsi", two), IMSI);
  assert.notDeepEqual(one, two);
  assert.ok(!one.includes(IMSI));
});

test("ten thousand seals never repeat a nonce", () => {
  const sealer = createSealer(KEY);
  const nonces = Array.from({ length: 10_000 }, () =>
    sealer.seal("imsi", "").subarray(5, 17).toString("hex"),
  );
  assert.equal(new Set(nonces).size, nonces.length);
});

test("the layout is the documented one: node's own primitives open it", () => {
  const sealed = createSealer(KEY).seal("imsi", IMSI);
  const key = Buffer.from(hkdfSync("sha256", KEY, "", "turnup seal", 32));
  assert.equal(sealed[0], 1);
  assert.deepEqual(sealed.subarray(1, 5), Buffer.from(hkdfSync("sha256", KEY, "", "turnup seal key id", 4)));
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(5, 17));
  decipher.setAAD(Buffer.from("imsi")).setAuthTag(sealed.subarray(-16));
  assert.equal(decipher.update(sealed.subarray(17, -16)).toString() + decipher.final("utf8"), IMSI);
});

test("every octet of a sealed value is guarded, and every cut", () => {
  const sealer = createSealer(KEY);
  const sealed = sealer.seal("imsi", IMSI);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] as number) ^ 1;
    assert.throws(() => sealer.open("imsi", changed), { code: "seal_broken" }, `octet ${at}`);
    assert.throws(() => sealer.open("imsi", sealed.subarray(0, at)), { code: "seal_broken" }, `cut at ${at}`);
  }
});

test("a sealed value opens in its own domain and under its own key alone, and the refusal does not tell it", () => {
  const sealed = createSealer(KEY).seal("imsi", IMSI);
  for (const open of [
    () => createSealer(KEY).open("msisdn", sealed),
    () => createSealer(OTHER).open("imsi", sealed),
  ]) {
    assert.throws(open, (error: Error) => {
      assert.equal((error as unknown as { code: string }).code, "seal_broken");
      assert.ok(!error.message.includes(IMSI));
      return true;
    });
  }
});

test("a new key seals, the old one still opens, and rows are still found", () => {
  const before = createSealer(KEY);
  const after = createSealer([OTHER, KEY]);
  assert.equal(after.open("imsi", before.seal("imsi", IMSI)), IMSI);
  assert.throws(() => before.open("imsi", after.seal("imsi", IMSI)), { code: "seal_broken" });
  assert.deepEqual(after.blindIndex("imsi", "a", IMSI), before.blindIndex("imsi", "a", IMSI));
});

test("a blind index is the documented HMAC, and differs by domain, operator, text and key", () => {
  const sealer = createSealer(KEY);
  const key = Buffer.from(hkdfSync("sha256", KEY, "", "turnup blind index", 32));
  const expected = createHmac("sha256", key).update(`a\0imsi\0${IMSI}`).digest().subarray(0, 16);
  assert.deepEqual(sealer.blindIndex("imsi", "a", IMSI), expected);
  const others = [
    sealer.blindIndex("msisdn", "a", IMSI),
    sealer.blindIndex("imsi", "b", IMSI),
    sealer.blindIndex("imsi", "a", IMSI.slice(1)),
    createSealer(OTHER).blindIndex("imsi", "a", IMSI),
  ];
  for (const other of others) assert.notDeepEqual(other, expected);
});

test("octets that are no text survive a seal", () => {
  const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x80]);
  const sealer = createSealer(KEY);
  assert.deepEqual(sealer.openBytes("payload", sealer.seal("payload", bytes)), bytes);
});

test("the first start makes a key that only its owner reads, and later starts find it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-seal-"));
  const file = join(folder, "seal.key");
  const sealed = (await sealerOf(database, { file })).seal("imsi", "001010123456789");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await sealerOf(database, { file })).open("imsi", sealed), "001010123456789");
  writeFileSync(file, "short\n");
  await assert.rejects(sealerOf(database, { file }), { code: "seal_key_malformed" });
  rmSync(folder, { recursive: true });
});

test("a seal key is 64 hexadecimal digits; a refusal does not print it", () => {
  assert.deepEqual(parseSealKeys(`${KEY.toString("hex")},\n${OTHER.toString("hex")}\n`), [KEY, OTHER]);
  const almost = KEY.toString("hex").slice(1);
  assert.throws(
    () => parseSealKeys(almost),
    (error: Error) => !error.message.includes(almost),
  );
});

test("a database with sealed rows refuses a start without its key, and with a wrong one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-seal-"));
  const file = join(folder, "seal.key");
  const sealer = await sealerOf(database, { file });
  const [operatorId, deviceId] = [uuidv7(), uuidv7()];
  await database.run("insert into operator (id, slug, name, kind) values ($1, 'a', 'A', 'mno')", [
    operatorId,
  ]);
  const imei = "004999010640000";
  await database.run(
    "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, '00499901')",
    [deviceId, operatorId, sealer.blindIndex("imei", operatorId, imei), sealer.seal("imei", imei)],
  );
  await sealerOf(database, { file });
  const missing = { file: join(folder, "elsewhere.key") };
  await assert.rejects(sealerOf(database, missing), { code: "seal_key_missing" });
  const wrong = { file, key: new Secret(OTHER.toString("hex")) };
  await assert.rejects(sealerOf(database, wrong), { code: "seal_broken" });
  rmSync(folder, { recursive: true });
});
