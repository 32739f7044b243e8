/** What the configuration says of the HTTP door: limits of failures, and whose word on addresses counts. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { IMEI, openFixture } from "../../../test/fixture/http.ts";
import { readConfig } from "./config.ts";
import { httpOptionsOf } from "./http-options.ts";

const optionsOf = (env: Record<string, string>) =>
  httpOptionsOf(readConfig({ env, folder: import.meta.dirname }).config);

test("what the configuration says of the door holds there: how many failures, and whose word counts behind a proxy", async () => {
  const options = optionsOf({
    TURNUP_HTTP_FAILURES_PER_MINUTE: "1",
    TURNUP_HTTP_TRUST_PROXY: "192.0.2.0/24, 2001:db8::1",
  });
  const { server } = await openFixture(options);
  const guess = (client: string, remoteAddress: string) =>
    server.inject({
      url: `/v1/devices/${IMEI}`,
      remoteAddress,
      headers: { authorization: `Bearer tup_${"x".repeat(43)}`, "x-forwarded-for": client },
    });
  assert.equal((await guess("198.51.100.1", "192.0.2.7")).statusCode, 401);
  assert.equal((await guess("198.51.100.1", "192.0.2.7")).statusCode, 429, "one guess was allowed");
  assert.equal(
    (await guess("198.51.100.2", "192.0.2.7")).statusCode,
    401,
    "another client of the same proxy",
  );
  assert.equal((await guess("198.51.100.3", "203.0.113.1")).statusCode, 401);
  assert.equal(
    (await guess("198.51.100.4", "203.0.113.1")).statusCode,
    429,
    "no proxy: its word is not believed",
  );
  await server.close();
});

test("without a proxy nobody's X-Forwarded-For is believed, and the limits are those of the handbook", () => {
  const { trustProxy, limits } = optionsOf({});
  assert.equal(trustProxy, undefined);
  assert.deepEqual(limits, {
    bodyOctets: 262_144,
    guessesPerMinute: 60,
    answerTimeoutMs: 120_000,
    connections: 10_000,
    connectionsPerAddress: 1_000,
    requestsPerMinute: 300_000,
    failuresPerMinute: 60,
    requestTimeoutMs: 30_000,
    tokenFreshMs: 5_000,
  });
});

for (const proxy of ["proxy.example", "10.0.0.0/33", "999.1.1.1", "10.0.0.1/8/8", "::1/129"]) {
  test(`a proxy that is no address is refused by name: ${proxy}`, () => {
    assert.throws(() => optionsOf({ TURNUP_HTTP_TRUST_PROXY: proxy }), {
      code: "config_invalid",
      message: new RegExp(proxy.replaceAll(".", "\\.")),
    });
  });
}
