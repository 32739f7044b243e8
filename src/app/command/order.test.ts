/** `turnup order show`: the story of one order, with nobody's numbers in it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { STORY, writeOrderStory } from "../../../test/fixture/order-story.ts";
import { uuidv7 } from "../../store/database/uuid.ts";

const fixture = await cliFixture([
  { name: "order show", summary: "", load: async () => (await import("./order.ts")).orderShowCommand },
]);
const NORTH = await fixture.operator("north");
const { orderId } = await writeOrderStory(fixture, NORTH);
const run = (...argv: string[]) => fixture.run(["order", "show", ...argv]);

test("the story of an order reads from its head to its money", async () => {
  const { stdout, exitCode } = await run(orderId);
  assert.equal(exitCode, 0);
  const told = stdout.split("\n");
  const shows = [
    `order ${orderId}  completed`,
    "  phone           Acme One, IMEI 35201307*******",
    "  SIM             IMSI 262019*********, number 49********67",
    "  opened          2026-11-22 10:00:00Z for first registration, mvno",
    "  ended           2026-11-22 10:00:03Z, after 3.4 s",
    "what the verdict goes by",
    "  * maker support end   ended       ends 2018-06-01, model One",
    "    maker relation      unknown     make Acme",
    "items",
    "  settings  works: traffic was seen on access point internet.meridian",
    "            access points internet.meridian",
    "applications",
    "  mms             before: failed to reach mms.acme.example over old.acme: no_route (gateway)",
    "                  after:  works with mms.acme.example over internet.meridian (mmsc)",
    "what happened",
    "  2026-11-22",
    "  10:00:00.125  order received: the SIM registered for the first time",
    "  10:00:03.500  settings works: traffic was seen on access point internet.meridian",
    "                seen by traffic:gateway",
    "messages",
    "    SMS 2 of 2: smsc.example:2775 took it as 12345678901232, delivered 2026-11-22 10:00:03Z, error 000",
    "        NAPAUTHINFO   AUTHTYPE=PAP AUTHNAME=web AUTHSECRET=***",
    "asked of others",
    "  2026-11-22 10:00:03Z  fee request: done, paid (1 attempt)",
    "money",
    "  €2.50 for Acme at level works, key from maker: settled, fee received, portion paid",
    "    of it €1.00 to the manufacturer",
    "    bank B6, payout B7",
    "    2026-11-22 10:00:03Z  revenue:fees -> receivable:operator  €2.50",
    "    2026-11-22 10:00:03Z  cash:bank -> payable:maker:acme  €1.00",
  ];
  let at = -1;
  for (const line of shows) {
    const next = told.indexOf(line, at + 1);
    assert.ok(next > at, `missing or out of place: ${line}\n${stdout}`);
    at = next;
  }
  assert.ok(told.some((line) => /^ {6}NAPDEF {8}.*NAP-ADDRESS=internet\.meridian/.test(line)));
});

test("neither people's numbers nor secrets are in it, even where a step wrote one down", async () => {
  for (const { stdout, stderr } of [await run(orderId), await run(orderId, "--json")]) {
    for (const secret of [
      STORY.imsi,
      STORY.imei,
      STORY.imei.slice(0, 14),
      STORY.msisdn,
      STORY.password,
      STORY.pin,
    ]) {
      assert.ok(!(stdout + stderr).includes(secret), secret);
    }
    assert.match(stdout, /the centre spoke of 262019\*{9}/);
  }
});

test("with --json it is one object, amounts as numbers, messages decoded and without octets", async () => {
  const [story, ...more] = jsonLines((await run(orderId, "--json")).stdout);
  assert.deepEqual(more, []);
  const { charges, postings, messages } = story as unknown as {
    charges: { feeMinor: number }[];
    postings: unknown[];
    messages: { payload?: unknown; decoded: { bodies: { sec: string; mac: string }[] } }[];
  };
  assert.equal(charges[0]?.feeMinor, 250);
  assert.equal(postings.length, 4);
  assert.equal(messages[0]?.payload, undefined);
  assert.deepEqual(
    [messages[0]?.decoded.bodies[0]?.sec, messages[0]?.decoded.bodies[0]?.mac],
    ["netwpin", "***"],
  );
});

test("an order that is not there, another operator's and what is no id are not found alike", async () => {
  await fixture.operator("south");
  for (const argv of [
    [uuidv7(), "--operator", "north"],
    [orderId, "--operator", "south"],
    ["42", "--operator", "north"],
    [STORY.imsi, "--operator", "north"],
  ]) {
    const { exitCode, stdout, stderr } = await run(...argv);
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^order_not_found: .*\n`turnup order list` lists them\./);
    assert.ok(!stderr.includes(STORY.imsi));
  }
  assert.equal((await run(orderId.toUpperCase(), "--operator", "north")).exitCode, 0);
  assert.equal((await run()).exitCode, 2);
});
