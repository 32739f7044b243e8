/** How key servers are reached is the configuration's word. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { readConfig } from "../config/config.ts";
import { createMachineWatch } from "./machine-watch.ts";
import { makerPorts } from "./maker-ports.ts";

const CREDENTIALS = { authority: "", certificate: "", key: "" };
const configOf = (env: Readonly<Record<string, string>>) =>
  readConfig({ env, folder: "/nonexistent" }).config;
const ASKED = {
  requestId: "r-1",
  model: { make: "Acme", model: "One", tac: "35693803" },
  uniqueId: { imei: "356938035643809" },
} as const;
const machines = () => createMachineWatch({ nowMs: Date.now });
/** Nobody listens there. */
const KEY_SERVER = "https://127.0.0.1:9";

async function causeOf(env: Readonly<Record<string, string>>): Promise<string> {
  const makers = makerPorts(configOf(env), CREDENTIALS, machines());
  try {
    const [answer] = await makers.at(KEY_SERVER)!.requestKeys([ASKED]);
    assert.equal(answer?.kind, "failed");
    return answer.kind === "failed" ? answer.cause : "none";
  } finally {
    makers.close();
  }
}

test("where a tunnel is named and is not up, no request leaves for a key server by another way", async () => {
  assert.equal(await causeOf({ TURNUP_MAKER_TUNNEL_INTERFACE: "no-such-tunnel0" }), "tunnel_down");
});

test("without a tunnel a key server is called directly", async () => {
  assert.notEqual(await causeOf({}), "tunnel_down");
});

test("without our certificate there is nobody to call a key server", () => {
  assert.equal(makerPorts(configOf({}), undefined, machines()).at(KEY_SERVER), undefined);
});
