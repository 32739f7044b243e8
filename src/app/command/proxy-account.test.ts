/** `turnup proxy-account`: accounts of devices at the proxies as their operator's people open, block and close them. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";

const IMEI = "356938035643809";
const IMSI = "001010000000099";
const verbs = {
  put: async () => (await import("./proxy-account.ts")).proxyAccountPutCommand,
  block: async () => (await import("./proxy-account.ts")).proxyAccountBlockCommand,
  release: async () => (await import("./proxy-account.ts")).proxyAccountReleaseCommand,
  close: async () => (await import("./proxy-account.ts")).proxyAccountCloseCommand,
  show: async () => (await import("./proxy-account.ts")).proxyAccountShowCommand,
  list: async () => (await import("./proxy-account.ts")).proxyAccountListCommand,
};
const fixture = await cliFixture(
  Object.entries(verbs).map(([verb, load]) => ({ name: `proxy-account ${verb}`, summary: "", load })),
);
const account = (...argv: string[]) => fixture.run(["proxy-account", ...argv]);

test("R34: an account is opened, blocked, released and closed, is shown masked, and says that no proxy was told yet", async () => {
  await fixture.operator("meridian");
  const empty = await account("list");
  assert.match(empty.stderr, /there are no accounts/);
  const standing = async (...argv: string[]) => {
    const { stdout, stderr, exitCode } = await account(...argv, "--json");
    assert.equal(exitCode, 0, stderr);
    assert.ok(!stdout.includes(IMEI) && !stdout.includes(IMSI));
    const [one] = jsonLines(stdout);
    return [one?.standing, one?.version];
  };
  assert.deepEqual(await standing("put", IMEI, "--imsi", IMSI, "--msisdn", "+491701234567"), ["open", 1]);
  assert.deepEqual(await standing("block", IMEI), ["blocked", 2]);
  assert.deepEqual(await standing("block", IMEI), ["blocked", 2], "twice is once");
  assert.deepEqual(await standing("release", IMEI), ["open", 3]);
  assert.match((await account("show", IMEI)).stderr, /no server has looked for its proxies yet/);
  assert.deepEqual(await standing("close", IMEI), ["closed", 4]);
  const again = await account("close", IMEI, "--json");
  assert.deepEqual([again.exitCode, JSON.parse(again.stderr).error.code], [1, "account_not_found"]);
  const wrong = await account("block", "356938035643800", "--json");
  assert.equal(JSON.parse(wrong.stderr).error.code, "imei_check_digit");
  const [listed] = jsonLines((await account("list", "--json")).stdout);
  assert.match(JSON.stringify(listed?.rows), /"standing":"closed"/);
});
