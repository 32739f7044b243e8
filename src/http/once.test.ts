/** A POST that is repeated under its Idempotency-Key is done once. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bearer, OPERATOR_A, ORDER_ID, openFixture } from "../../test/fixture/http.ts";

test("a repeat with its Idempotency-Key is answered as before, and does nothing", async () => {
  const fresh = await openFixture();
  const resend = (key: string, id = ORDER_ID) =>
    fresh.server.inject({
      method: "POST",
      url: `/v1/orders/${id}/resend`,
      headers: { ...bearer(OPERATOR_A, "care"), "idempotency-key": key },
    });
  const first = await resend("k1");
  const again = await resend("k1");
  assert.deepEqual([first.statusCode, again.statusCode], [202, 202]);
  assert.equal(again.body, first.body);
  assert.equal(again.headers["idempotency-replayed"], "true");
  assert.equal(fresh.calls.filter(({ name }) => name === "orderDesk.resend").length, 1);
  assert.equal((await resend("k2")).headers["idempotency-replayed"], undefined);
  assert.equal(fresh.calls.filter(({ name }) => name === "orderDesk.resend").length, 2);
  const other = await resend("k1", "01900000-0000-7000-8000-0000000000ff");
  assert.equal(other.statusCode, 422);
  assert.equal(other.json().code, "idempotency_key_reused");
  await fresh.server.close();
});

test("a refused request gives its Idempotency-Key back; without a key nothing is done", async () => {
  const fresh = await openFixture();
  const missing = "01900000-0000-7000-8000-0000000000ff";
  const ask = (url: string, headers: Record<string, string>) =>
    fresh.server.inject({ method: "POST", url, headers: { ...bearer(OPERATOR_A, "care"), ...headers } });
  assert.equal((await ask(`/v1/orders/${missing}/cancel`, { "idempotency-key": "k" })).statusCode, 404);
  assert.equal((await ask(`/v1/orders/${ORDER_ID}/cancel`, { "idempotency-key": "k" })).statusCode, 202);
  const without = await ask(`/v1/orders/${ORDER_ID}/cancel`, {});
  assert.equal(without.json().code, "idempotency_key_missing");
  await fresh.server.close();
});

test("a request that is still being done is not done twice at once", async () => {
  const fresh = await openFixture();
  let release = (): void => undefined;
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  Object.assign(fresh.deps.orderDesk, {
    resend: () =>
      new Promise<void>((resolve) => {
        release = resolve;
        begin();
      }),
  });
  const resend = () =>
    fresh.server.inject({
      method: "POST",
      url: `/v1/orders/${ORDER_ID}/resend`,
      headers: { ...bearer(OPERATOR_A, "care"), "idempotency-key": "k" },
    });
  const first = resend();
  await begun;
  const second = await resend();
  assert.equal(second.statusCode, 409);
  assert.equal(second.json().code, "request_in_progress");
  release();
  assert.equal((await first).statusCode, 202);
  await fresh.server.close();
});
