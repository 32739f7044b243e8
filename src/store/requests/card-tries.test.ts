/** Cards that are tried are counted on all nodes and across restarts, and no number of one stands anywhere (R38, R39). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { cardIndex } from "../../kernel/account/card.ts";
import {
  CARD_TRY_KINDS,
  type CardTries,
  DEFAULT_CARD_TRY_LIMITS,
  type Pause,
  type TriedBy,
} from "../../kernel/account/card-tries.ts";
import { cardSecretOf } from "./account-store.ts";
import { createCardTries } from "./card-tries.ts";

const shop = await requestShop();
const { database, sealer } = shop;
const pauses: Pause[] = [];
const outcomes: string[] = [];
/** As each node makes its own, at each start. */
const node = (): CardTries =>
  createCardTries({
    database,
    sealer,
    limitsOf: async () => DEFAULT_CARD_TRY_LIMITS,
    onPause: async (_, pause) => void pauses.push(pause),
    onTry: (outcome) => outcomes.push(outcome),
  });
const nodes = [node(), node()] as const;
let tries = 0;
const pan = (serial: number): string => `41111111111${String(serial).padStart(5, "0")}`;
const cardOf = (operatorId: string, serial: number) =>
  cardIndex(cardSecretOf(sealer, operatorId), operatorId, pan(serial));
const at = (seconds: number): Date => new Date(Date.UTC(2026, 2, 1) + seconds * 1_000);

const one = (
  operatorId: string,
  by: readonly TriedBy[],
  seconds: number,
  serial = ++tries,
  on: CardTries = nodes[tries % 2]!,
) =>
  on.begin({
    operatorId,
    by,
    card: cardOf(operatorId, serial),
    idempotencyKey: `k${++tries}`,
    now: at(seconds),
  });

for (const kind of CARD_TRY_KINDS.filter((one) => one !== "card")) {
  test(`refused cards of one ${kind} are paused on every node, longer each time, and after a restart`, async () => {
    const operatorId = await shop.operator();
    const by = [{ kind, key: `the ${kind}` }];
    for (let n = 0; n < DEFAULT_CARD_TRY_LIMITS.free[kind]; n++) {
      const begun = await one(operatorId, by, n);
      assert.ok(begun.kind === "go", `try ${n}`);
      await nodes[0].end(operatorId, begun.tryId, "refused");
    }
    const last = DEFAULT_CARD_TRY_LIMITS.free[kind] - 1;
    for (const on of [...nodes, node()]) {
      const begun = await one(operatorId, by, last + 59, ++tries, on);
      assert.ok(begun.kind === "pause");
      assert.deepEqual([begun.pause.of, begun.pause.until], [kind, at(last + 60)]);
    }
    const next = await one(operatorId, by, last + 60);
    assert.ok(next.kind === "go");
    await nodes[1].end(operatorId, next.tryId, "refused");
    const longer = await one(operatorId, by, last + 60 + 119);
    assert.ok(longer.kind === "pause" && longer.pause.until.getTime() === at(last + 60 + 120).getTime());
    assert.equal((await one(operatorId, [{ kind, key: "another" }], last + 61)).kind, "go");
    assert.equal((await one(operatorId, by, last + 90_000)).kind, "go", "a day later nothing of it counts");
  });
}

test("one card tried by many is paused too", async () => {
  const operatorId = await shop.operator();
  for (let n = 0; n < 3; n++)
    assert.equal((await one(operatorId, [{ kind: "session", key: `s${n}` }], n, 7)).kind, "go");
  assert.equal((await one(operatorId, [{ kind: "session", key: "s9" }], 3, 7)).kind, "pause");
});

test("of many at once no more go than are free", async () => {
  const operatorId = await shop.operator();
  const by = [{ kind: "session", key: "hasty" } as const, { kind: "number", key: "n" } as const];
  const begun = await Promise.all(Array.from({ length: 12 }, () => one(operatorId, by, 1)));
  assert.equal(begun.filter(({ kind }) => kind === "go").length, 3);
});

test("a form that is sent again is no further try, and a payment provider that is silent makes none", async () => {
  const operatorId = await shop.operator();
  const by = [{ kind: "session", key: "patient" } as const];
  const again = { operatorId, by, card: cardOf(operatorId, 1), idempotencyKey: "same", now: at(1) };
  for (let n = 0; n < 9; n++) assert.equal((await nodes[n % 2]!.begin(again)).kind, "go");
  for (let n = 0; n < 9; n++) {
    const begun = await one(operatorId, by, 2);
    assert.ok(begun.kind === "go");
    await nodes[0].end(operatorId, begun.tryId, "void");
  }
});

test("whoever begins a pause is told of once, for the audit, and a paused card is counted as such", async () => {
  const operatorId = await shop.operator();
  pauses.length = outcomes.length = 0;
  for (let n = 0; n < 5; n++) await one(operatorId, [{ kind: "device", key: "d" }], n);
  assert.deepEqual(
    pauses.map(({ of, tries: count }) => [of, count]),
    [["device", 3]],
  );
  assert.deepEqual(outcomes, ["paused", "paused"]);
});

test("many cards tried for one subscriber stop his request as card testing, and a card that its bank refuses later counts as refused", async () => {
  const fixture = await shop.fixture("card tester", [
    { id: "paid", requires: { assurance: "otp", verification: false, card: true } },
  ]);
  const { operatorId } = fixture;
  const first = await fixture.ask(["paid"]);
  const order = await shop.database.one<{ subscriber_id: string }>(
    "select subscriber_id from provisioning_order where id = $1",
    [first.orderId],
  );
  const by = [{ kind: "number", key: order!.subscriber_id } as const];
  const seconds = (shop.time.now - at(0).getTime()) / 1_000;
  for (let n = 0; n < 6; n++) {
    const begun = await one(operatorId, by, seconds - 80_000 + n * 10_000, 100 + n);
    assert.ok(begun.kind === "go");
    await nodes[0].end(operatorId, begun.tryId, "accepted");
  }
  const card = {
    token: "tok_tester",
    first6: "411111",
    last4: "0105",
    brand: "visa",
    index: cardOf(operatorId, 105),
  };
  const { orderId } = await fixture.ask(["paid"], { card });
  const row = await shop.database.one<{ verification: { reasons: { code: string }[] } }>(
    "select verification from request where order_id = $1",
    [orderId],
  );
  assert.ok(row!.verification.reasons.some(({ code }) => code === "card_testing"));
  const { state, reason } = await fixture.status(orderId);
  assert.deepEqual(
    [state, reason],
    ["rejected", "please contact us"],
    "stopped, and not told of the pattern",
  );
});

test("a card that its bank refuses after the payment provider took it counts as refused", async () => {
  const fixture = await shop.fixture("card later", [
    { id: "paid", requires: { assurance: "otp", verification: false, card: true } },
  ]);
  const { operatorId } = fixture;
  const begun = await one(operatorId, [{ kind: "address", key: "a" }], 5, 200);
  assert.ok(begun.kind === "go");
  await nodes[0].end(operatorId, begun.tryId, "accepted");
  fixture.answers.card = () => Promise.resolve({ kind: "refused", cause: "declined", reason: "no" });
  const card = {
    token: "tok_later",
    first6: "411111",
    last4: "0200",
    brand: "visa",
    index: cardOf(operatorId, 200),
  };
  await fixture.ask(["paid"], { card });
  await fixture.calls();
  const rows = await database.rows<{ outcome: string }>("select outcome from card_try where try_id = $1", [
    begun.tryId,
  ]);
  assert.deepEqual(new Set(rows.map(({ outcome }) => outcome)), new Set(["refused"]));
});

test("no number of a card, and no plain hash of one, stands in what is kept", async () => {
  const rows = JSON.stringify(
    (await database.rows<Record<string, unknown>>("select * from card_try")).map((row) =>
      Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : value)),
    ),
  );
  for (const serial of [1, 7, 105]) {
    for (const text of [
      pan(serial),
      ...["sha256", "sha1", "md5"].map((name) => createHash(name).update(pan(serial)).digest("hex")),
    ])
      assert.ok(!rows.includes(text));
  }
});

test("a card that was refused is a new try when it comes again under its key, as it would with a next security code", async () => {
  const operatorId = await shop.operator();
  const card = cardOf(operatorId, 77);
  const again = (seconds: number) =>
    nodes[0].begin({ operatorId, by: [], card, idempotencyKey: "one form", now: at(seconds) });
  const names = new Set<string>();
  for (let n = 0; n < DEFAULT_CARD_TRY_LIMITS.free.card; n++) {
    const begun = await again(n);
    assert.ok(begun.kind === "go");
    names.add(begun.tryId);
    assert.deepEqual(await again(n), begun, "until it is known what became of it, it is the same try");
    await nodes[0].end(operatorId, begun.tryId, "refused");
  }
  assert.equal(names.size, DEFAULT_CARD_TRY_LIMITS.free.card);
  assert.equal((await again(10)).kind, "pause");
});
