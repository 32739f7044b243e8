/** Octet for octet what goes to managed devices: whoever changes it means to, and looks at it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { accountIn } from "../../device/management-account.ts";
import { type ManagedModel, runSession } from "../../sim/handset/management/client.ts";
import { freshTree } from "../../sim/handset/management/tree.ts";
import { decodeProvisioning } from "../../wire/omacp/codec.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import type { SettingsPoint, SettingsValues } from "../payload/settings-values.ts";
import { newManagementAccount } from "./account.ts";
import { composeBootstrap, composeNotification, sessionNumberOf } from "./bootstrap.ts";
import { exchange, type ManagementStanding } from "./exchange.ts";

const FILE = join(import.meta.dirname, "../../../test/vector/data/oma-dm/composed.json");
const UPDATE = "UPDATE_VECTORS=1 npx vitest run src/kernel/management/composed.test.ts";
const URL_OF_DEVICE = "https://dm.example/dm/abcdefghijklmnopqrstuv";
const NETWPIN = { sec: "netwpin", imsi: "001010123456789" } as const;
const NOTHING: Omit<SettingsPoint, "use" | "apn"> = {
  user: null,
  password: null,
  authType: "none",
  mmsc: null,
  proxy: null,
  port: null,
  homepage: null,
};
const VALUES: SettingsValues = {
  name: "Example",
  points: [
    {
      ...NOTHING,
      use: "internet",
      apn: "internet.example",
      authType: "pap",
      user: "u&<ser",
      password: "secret",
    },
    { ...NOTHING, use: "mms", apn: "mms.example", proxy: "192.0.2.7", port: 9201 },
  ],
};

/** Nonces and secrets of one run are those of every run. */
function draws(): (octets: number) => Uint8Array {
  let count = 0;
  return (octets) =>
    Uint8Array.from(createHash("sha256").update(`composed ${count++}`).digest().subarray(0, octets));
}
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

/** Every answer of the server to a device that takes all of it. */
async function answersTo(model: ManagedModel): Promise<string[]> {
  const draw = draws();
  const freshNonce = (): string => Buffer.from(draw(8)).toString("base64");
  const made = newManagementAccount("01890000-0000-7000-8000-00000000aaaa", draw);
  const push = composeBootstrap(VALUES, made, { url: URL_OF_DEVICE, authentication: NETWPIN });
  const account = accountIn(decodeProvisioning(decodePush(push).body));
  assert.ok(account);
  let standing: ManagementStanding = { account: made.account, session: null, challenge: null, last: null };
  const answers: string[] = [];
  const about = { "./DevInfo/DevId": "IMEI:490154203237518", "./DevDetail/FwV": "7" };
  const isDone = await runSession(
    {
      ...{ imei: "490154203237518", model, account, tree: freshTree(model.kind, about), freshNonce },
      async post({ body, hmac }) {
        const outcome = exchange(
          standing,
          VALUES,
          { body, encoding: model.encoding, hmac: hmac ?? null },
          freshNonce,
        );
        standing = outcome.standing;
        const octets = Buffer.from(outcome.answer.body, "base64");
        answers.push(model.encoding === "xml" ? octets.toString() : hexOf(octets));
        return {
          status: 200,
          body: octets,
          ...(outcome.answer.mac === null ? {} : { hmac: outcome.answer.mac }),
        };
      },
    },
    "4B4B",
    1200,
  );
  assert.ok(isDone);
  return answers;
}

test("account, notification and every answer of a session are the octets that were looked at, as XML and WBXML, by digest and MAC, for each tree", async () => {
  const made = newManagementAccount("01890000-0000-7000-8000-00000000aaaa", draws());
  const composed: Record<string, string | readonly string[]> = {
    notification: hexOf(composeNotification(made.account, sessionNumberOf(7))),
  };
  for (const authentication of [NETWPIN, { sec: "userpin", pin: "4711" } as const])
    composed[`account, ${authentication.sec}`] = hexOf(
      composeBootstrap(VALUES, made, { url: URL_OF_DEVICE, authentication }),
    );
  for (const kind of ["connmo", "s60", "windows"] as const)
    for (const encoding of ["xml", "wbxml"] as const)
      for (const proof of ["digest", "mac"] as const)
        composed[`answers, ${kind}, ${encoding}, ${proof}`] = await answersTo({ kind, encoding, proof });
  const text = `${JSON.stringify(composed, null, 1)}\n`;
  if (process.env.UPDATE_VECTORS) writeFileSync(FILE, text);
  assert.equal(readFileSync(FILE, "utf8"), text, `run: ${UPDATE}`);
});
