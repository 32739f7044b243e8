/** A second operator takes nothing from the first, and a setting names only operators that there are. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { NOTHING_HEARD } from "../../kernel/account/changes.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { readConfig } from "../config/config.ts";
import { checkOperators } from "./check-config.ts";
import { portalOperators } from "./device-doors.ts";

const configOf = (env: Readonly<Record<string, string>>) =>
  readConfig({ env, folder: "/nonexistent" }).config;
const operator = (slug: string, atMs: number) =>
  ({ id: uuidv7(atMs), slug, name: slug, kind: "mvno", homePlmns: [] }) as const;

/** The settings of the CAMARA APIs, with a client of that operator. */
async function camaraOf(slug: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), "turnup-named-"));
  whenDone(() => rm(folder, { recursive: true }));
  const [keys, clients] = [join(folder, "keys.pem"), join(folder, "clients.json")];
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(keys, publicKey.export({ type: "spki", format: "pem" }));
  await writeFile(clients, JSON.stringify([{ clientId: "bank", operator: slug, scopes: ["sim-swap"] }]));
  return {
    ...{
      TURNUP_CAMARA_ISSUER: "https://auth.example.org",
      TURNUP_CAMARA_AUDIENCE: "https://api.example.org",
    },
    ...{ TURNUP_CAMARA_KEYS_FILE: keys, TURNUP_CAMARA_CLIENTS_FILE: clients },
  };
}

test("an operator that a setting names and that is not there is refused with those that are; an empty database is at its beginning", async () => {
  const database = await freshDatabase();
  const named = configOf({ TURNUP_PORTAL_OPERATOR: "south" });
  await checkOperators(database, named);
  await ensureOperator(database, operator("north", 1_000));
  await assert.rejects(checkOperators(database, named), {
    code: "config_invalid",
    message: "portal.operator = south: there is no operator of this short name.",
    nextStep: "There is north.",
  });
  await assert.rejects(checkOperators(database, configOf({ TURNUP_APPLET_OPERATOR: "west" })), {
    message: /^applet\.operator = west/,
  });
  await assert.rejects(
    checkOperators(database, configOf({ TURNUP_SMSC_NAME: "one", TURNUP_SMSC_OPERATORS: "north,west" })),
    { message: /^smsc\.one\.operators = west/ },
  );
  await assert.rejects(checkOperators(database, configOf(await camaraOf("west"))), {
    message: "camara.clients_file: operator of bank = west: there is no operator of this short name.",
  });
  await checkOperators(database, configOf(await camaraOf("north")));
  await ensureOperator(database, operator("south", 2_000));
  await checkOperators(database, named);
  await checkOperators(database, configOf({}));
});

test("the portal stays with the operator that was made first when a second one comes; the setting names another", async () => {
  const database = await freshDatabase();
  await ensureOperator(database, operator("north", 1_000));
  const portalOf = async (env: Readonly<Record<string, string>>) =>
    (await portalOperators(database, configOf(env).portal, NOTHING_HEARD, () => null).at({ host: "" }))?.name;
  assert.equal(await portalOf({}), "north");
  await ensureOperator(database, operator("south", 2_000));
  assert.equal(await portalOf({}), "north");
  assert.equal(await portalOf({ TURNUP_PORTAL_OPERATOR: "south" }), "south");
  assert.equal(await portalOf({ TURNUP_PORTAL_OPERATOR: "west" }), undefined, "nobody else's in its place");
  const named = new Map([
    ["edge-south", "south"],
    ["edge-west", "west"],
  ]);
  const behind = async (proxy: string) => {
    const { portal } = configOf({ TURNUP_PORTAL_OPERATOR: "north" });
    const operators = portalOperators(
      database,
      portal,
      NOTHING_HEARD,
      () => null,
      (id) => named.get(id),
    );
    return (await operators.at({ proxy }))?.name;
  };
  assert.deepEqual(await Promise.all(["edge-south", "edge-1", "edge-west"].map(behind)), [
    ...["south", "north", undefined],
  ]);
});
