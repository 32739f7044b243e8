/** The key that all servers of one database sign with. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { openDatabase } from "../../store/database/database.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { sealerOf } from "../../store/seal/seal-key.ts";
import { ownIssuer } from "./own-issuer.ts";

const { database, config } = await freshDatabaseConfig();
const other = await openDatabase(config);
const sealer = createSealer(Buffer.alloc(32, 3));
const folder = mkdtempSync(join(tmpdir(), "turnup-issuer-"));
const none = join(folder, "none.pem");
afterAll(async () => {
  await other.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await database.run("delete from own_issuer");
});

function pem(name: string): { readonly file: string; readonly spki: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const file = join(folder, name);
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  return { file, spki: publicKey.export({ type: "spki", format: "der" }).toString("base64") };
}

test("servers that start at once on one database sign with one key, and with the same after a start", async () => {
  const starts = Array.from({ length: 8 }, (_, at) =>
    ownIssuer({ database: at % 2 ? database : other, sealer, file: none }, "own.turnup"),
  );
  const keys = new Set((await Promise.all(starts)).map(({ spki }) => spki));
  assert.equal(keys.size, 1);
  const later = await ownIssuer({ database, sealer, file: none }, "own.turnup");
  assert.ok(keys.has(later.spki));
  assert.equal(later.isOtherFile, false);
});

test("the file of an earlier release is taken over, and a server without it signs with the same key", async () => {
  const { file, spki } = pem("own-issuer.pem");
  assert.equal((await ownIssuer({ database, sealer, file }, "own.turnup")).spki, spki);
  assert.equal((await ownIssuer({ database: other, sealer, file: none }, "own.turnup")).spki, spki);
});

test("the database's key counts above another server's file, and that is told", async () => {
  const first = await ownIssuer({ database, sealer, file: none }, "own.turnup");
  const { file } = pem("another.pem");
  const second = await ownIssuer({ database, sealer, file }, "own.turnup");
  assert.deepEqual([second.spki, second.isOtherFile], [first.spki, true]);
});

test("the private key stands sealed: it is not in the row in clear, and another seal key does not open it", async () => {
  const { privateKey } = await ownIssuer({ database, sealer, file: none }, "own.turnup");
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const row = await database.one<{ key: Buffer }>("select private_key_sealed as key from own_issuer");
  assert.equal(row!.key.includes(seed), false);
  const wrong = createSealer(randomBytes(32));
  await assert.rejects(ownIssuer({ database, sealer: wrong, file: none }, "own.turnup"), {
    code: "seal_broken",
  });
});

test("a lost seal key is noticed as soon as the issuer's key is sealed, and no new one is made beside it", async () => {
  await ownIssuer({ database, sealer, file: none }, "own.turnup");
  await assert.rejects(sealerOf(database, { file: join(folder, "seal.key") }), { code: "seal_key_missing" });
});
