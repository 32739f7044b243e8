/** Several message centres in one configuration: `[[smsc]]` entries, and how the environment addresses them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { TurnupError } from "../../term/error.ts";
import { ALL_SETTINGS, type ConfigSource, readConfig } from "./config.ts";
import { settingsIn } from "./entries.ts";
import { changesBetween, inForceOf } from "./in-force.ts";
import { messageCentresOf } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "turnup-entries-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TWO = `
[[smsc]]
name = "north"
host = "north.example"
operators = ["meridian", "vega"]
window = 10

[[smsc]]
name = "south-2"
host = "south.example"
password = "hunter2"
prefixes = ["49", "43"]
bind = "transmitter+receiver"
binds = 2
drain = true
`;

function read(text: string, env: ConfigSource["env"] = {}) {
  const file = join(folder, "turnup.toml");
  writeFileSync(file, text);
  return readConfig({ file, env, folder });
}
function refusalOf(text: string, env: ConfigSource["env"] = {}): string {
  try {
    read(text, env);
  } catch (error) {
    if (error instanceof TurnupError && error.code === "config_invalid") return error.message;
    throw error;
  }
  return "it was taken";
}

test("each entry has its settings and the defaults of the others; [smsc] stays the only one where it stands alone", () => {
  const { config, from } = read(TWO);
  const [north, south] = messageCentresOf(config);
  assert.deepEqual(
    [north?.name, north?.host, north?.window, north?.port],
    ["north", "north.example", 10, 2775],
  );
  assert.deepEqual(north?.operators, ["meridian", "vega"]);
  assert.deepEqual(
    [south?.bind, south?.binds, south?.drain, south?.window],
    ["transmitter+receiver", 2, true, 100],
  );
  assert.deepEqual(south?.prefixes, ["49", "43"]);
  assert.equal(south?.password?.reveal(), "hunter2");
  assert.match(String(from.get("smsc.north.host")), /turnup\.toml$/);
  const single = read("[smsc]\nhost = 'one.example'").config;
  assert.deepEqual(
    messageCentresOf(single).map(({ host }) => host),
    ["one.example"],
  );
});

test("the environment addresses an entry by its name or its number, and stands above the file", () => {
  const { config, from } = read(TWO, {
    TURNUP_SMSC_0_HOST: "other.example",
    TURNUP_SMSC_SOUTH_2_PASSWORD: "swordfis",
    TURNUP_SMSC_SOUTH_2_OPERATORS: "vega, lyra",
  });
  const [north, south] = config.smscEntries;
  assert.equal(north?.host, "other.example");
  assert.equal(from.get("smsc.north.host"), "TURNUP_SMSC_0_HOST");
  assert.equal(south?.password?.reveal(), "swordfis");
  assert.deepEqual(south?.operators, ["vega", "lyra"]);
  assert.equal(read("[smsc]\nport = 1", { TURNUP_SMSC_0_PORT: "2" }).config.smsc.port, 2);
});

test("without a file, numbers in the environment alone make entries", () => {
  const env = { TURNUP_SMSC_0_NAME: "north", TURNUP_SMSC_1_NAME: "south", TURNUP_SMSC_SOUTH_PORT: "2776" };
  const { config } = readConfig({ env, folder: "/nonexistent" });
  assert.deepEqual(
    config.smscEntries.map(({ name, port }) => [name, port]),
    [
      ["north", 2775],
      ["south", 2776],
    ],
  );
});

for (const [what, text, env, says] of [
  [
    "an entry that there is not, by name",
    TWO,
    { TURNUP_SMSC_WEST_HOST: "x" },
    /TURNUP_SMSC_WEST_HOST .*no such entry; there are north \(0\), south-2 \(1\)/,
  ],
  [
    "an entry that there is not, by number",
    TWO,
    { TURNUP_SMSC_2_HOST: "x" },
    /TURNUP_SMSC_2_HOST .*no such entry/,
  ],
  [
    "a setting without its entry",
    TWO,
    { TURNUP_SMSC_HOST: "x" },
    /TURNUP_SMSC_HOST .*several message centres: say which, as TURNUP_SMSC_NORTH_HOST/,
  ],
  [
    "an entry where there is one centre",
    "[smsc]\nport = 1",
    { TURNUP_SMSC_NORTH_HOST: "x" },
    /TURNUP_SMSC_NORTH_HOST .*one message centre/,
  ],
  [
    "a setting that does not exist",
    TWO,
    { TURNUP_SMSC_NORTH_HOTS: "x" },
    /TURNUP_SMSC_NORTH_HOTS .*no such setting/,
  ],
  [
    "one setting by name and number",
    TWO,
    { TURNUP_SMSC_0_HOST: "x", TURNUP_SMSC_NORTH_HOST: "y" },
    /give one of them/,
  ],
  [
    "two entries of one name",
    `${TWO}\n[[smsc]]\nname = "north"`,
    {},
    /smsc\[2\]\.name = "north": smsc\[0\] has it already/,
  ],
  [
    "an entry without a name",
    `${TWO}\n[[smsc]]\nport = 1`,
    {},
    /smsc\[2\]\.name: each of several message centres has a name/,
  ],
  ["a name that is a number", `${TWO}\n[[smsc]]\nname = "3"`, {}, /smsc\[2\]\.name/],
  [
    "a setting that an entry does not have",
    `${TWO}\nhots = "x"`,
    {},
    /smsc\.south-2\.hots .*no such setting; there are smsc\.name/,
  ],
  ["a value that is not allowed", `${TWO}\nport = 0`, {}, /smsc\.south-2\.port = 0 .*1 to 65535/],
  [
    "a prefix that is no number",
    `${TWO}\n[[smsc]]\nname = "b"\nprefixes = ["+49"]`,
    {},
    /smsc\.b\.prefixes = \["\+49"\] .*digits/,
  ],
  ["an entry that is none", "smsc = [1]", {}, /smsc/],
  ["a list of none", "smsc = []", {}, /smsc: a list of entries with none in it/],
  ["a list elsewhere", "[[http]]\nport = 1", {}, /http .*stand in a section/],
] as const)
  test(`refused by name: ${what}`, () => assert.match(refusalOf(text, env), says));

test("a variable that may mean two entries is refused, and their numbers address them", () => {
  const text = '[[smsc]]\nname = "a"\n[[smsc]]\nname = "a-long"';
  const named = { TURNUP_SMSC_A_LONG_PASSWORD: "true" };
  assert.match(refusalOf(text, named), /it may mean smsc\.a\.long_password or smsc\.a-long\.password/);
  assert.equal(read(text, { TURNUP_SMSC_0_LONG_PASSWORD: "true" }).config.smscEntries[0]?.longPassword, true);
});

test("what is in force and what changed is told entry by entry, and a password of none is shown", () => {
  const { config } = read(TWO);
  const names = settingsIn(ALL_SETTINGS, config).map(({ name }) => name);
  assert.ok(names.includes("smsc.north.host") && names.includes("smsc.south-2.drain"));
  assert.ok(!names.includes("smsc.host"));
  const after = read(TWO.replace("drain = true", "drain = false").replace("hunter2", "swordfis")).config;
  assert.deepEqual(changesBetween(inForceOf(config), inForceOf(after)), [
    "smsc.south-2.drain",
    "smsc.south-2.password",
  ]);
  assert.ok(!JSON.stringify(config).includes("hunter2"));
});
