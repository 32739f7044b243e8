/** One centre's settings out of a configuration, by its name. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { readConfig } from "../config/config.ts";
import { smscNamed, smscOptions, smscsOptions } from "./smsc-options.ts";

const configOf = (env: Readonly<Record<string, string>>) =>
  readConfig({ env, folder: "/nonexistent" }).config;
const TWO = configOf({
  TURNUP_SMSC_0_NAME: "north",
  TURNUP_SMSC_0_OPERATORS: "meridian",
  TURNUP_SMSC_0_FAILOVER_SECONDS: "5",
  TURNUP_SMSC_1_NAME: "south",
  TURNUP_SMSC_1_PORT: "2776",
});

test("the only centre needs no name; one of several is found by its own, and another is refused with those there are", () => {
  const single = configOf({ TURNUP_SMSC_PORT: "2777" });
  assert.equal(smscNamed(single).port, 2777);
  assert.equal(smscNamed(single, "127.0.0.1:2777").port, 2777);
  assert.equal(smscNamed(TWO, "south").port, 2776);
  assert.throws(() => smscNamed(TWO), { code: "config_invalid", nextStep: "Name one: north, south." });
  assert.throws(() => smscNamed(TWO, "west"), { message: "There is no message centre west." });
});

test("parts are booked under a centre's name, or its host and port where it has none, which no measure tells", () => {
  const [north] = smscsOptions(TWO);
  assert.deepEqual([north?.name, north?.label], ["north", "north"]);
  assert.deepEqual(north?.route, { operators: ["meridian"], prefixes: [], drain: false, failoverMs: 5_000 });
  const unnamed = smscOptions(smscNamed(configOf({})));
  assert.deepEqual([unnamed.name, unnamed.label], ["127.0.0.1:2775", "smsc"]);
});

test("what is wrong with a centre is told by its name", () => {
  const long = configOf({
    ...{ TURNUP_SMSC_0_NAME: "north", TURNUP_SMSC_1_NAME: "south" },
    TURNUP_SMSC_1_PASSWORD: "a long password",
  });
  assert.throws(() => smscsOptions(long), {
    code: "config_invalid",
    message: /^smsc\.south\.password has 15 octets/,
  });
});
