/** `turnup keys`: a maker's batch as its operator meets it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { relationTerms, stockBatch } from "../../../test/fixture/order-engine.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { binderOf } from "../../wire/message/device-key.ts";
import { writeKeyBatch } from "../../wire/message/maker-api.ts";
import { ownIssuer } from "../server/own-issuer.ts";

const load = (name: "keysImportCommand" | "keysListCommand" | "keysWithdrawCommand") => async () =>
  (await import("./keys.ts"))[name];
const fixture = await cliFixture([
  { name: "keys import", summary: "", load: load("keysImportCommand") },
  { name: "keys list", summary: "", load: load("keysListCommand") },
  { name: "keys withdraw", summary: "", load: load("keysWithdrawCommand") },
]);
const keys = (...argv: string[]) => fixture.run(["keys", ...argv]);

test("a batch is imported whole, listed with what is left of it, and withdrawn; one that cannot be taken says why", async () => {
  const operatorId = await fixture.operator("meridian");
  const { database, sealer } = fixture;
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
  const relation = relationTerms({ keySource: "stock", keyServer: null });
  await registry.relations.put(operatorId, relation, () => true, "test");
  const issuer = await ownIssuer({ database, sealer, file: join("/nowhere", "own.pem") }, "own.turnup");
  const batch = stockBatch("spring", { count: 3, binder: binderOf(issuer.publicKey), now: Date.now() });
  const file = fixture.file("spring.json", writeKeyBatch(batch));
  const first = await keys("import", file);
  assert.equal(first.stdout, "stored: batch spring of Acme, 3 keys, 3 free\n", first.stderr);
  assert.equal((await keys("import", file)).stdout, "stored before: batch spring of Acme, 3 keys, 3 free\n");
  const [listed] = jsonLines((await keys("list", "--json")).stdout);
  assert.match(
    JSON.stringify(listed?.stocks),
    /^\[\{"make":"Acme","models":\[\],"low":20,"free":3,"nextExpiryAt":"[^"]+","state":"low","nextAction":"import a batch of keys of Acme"\}\]$/,
  );
  const foreign = {
    ...stockBatch("other", { count: 1, binder: new Uint8Array(32).fill(1), now: Date.now() }),
  };
  const refused = await keys("import", fixture.file("other.json", writeKeyBatch(foreign)), "--json");
  assert.equal(refused.exitCode, 1);
  assert.equal(JSON.parse(refused.stderr).error.code, "key_batch_invalid");
  const broken = await keys("import", fixture.file("broken.json", '{"keys": 7}'), "--json");
  assert.equal(JSON.parse(broken.stderr).error.code, "key_batch_invalid");
  assert.equal((await keys("withdraw", "spring")).stdout, "withdrawn: 3 of 3 keys, 0 were sent\n");
  assert.match((await keys("list")).stdout, /Acme: 0 free, empty: import a batch of keys of Acme/);
  const unknown = await keys("withdraw", "autumn", "--json");
  assert.equal(JSON.parse(unknown.stderr).error.code, "key_batch_not_found");
});
