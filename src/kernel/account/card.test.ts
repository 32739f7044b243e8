/** Card numbers: brands, check digits, what is kept and what is shown. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { test } from "vitest";
import { freeTries } from "../../../test/fixture/memory-tries.ts";
import { SEED } from "../../../test/fixture/seed.ts";
import { TurnupError } from "../../term/error.ts";
import { luhnDigitOf } from "../../term/luhn.ts";
import {
  brandOf,
  type CardInput,
  cardIndex,
  checkCard,
  expiryOf,
  maskedCard,
  parsePan,
  takeCard,
} from "./card.ts";

type CardTokens = Parameters<typeof takeCard>[0]["provider"];

const now = new Date("2026-03-31T12:00:00Z");
const SECRET = new Uint8Array(32).fill(7);
const PAN = "4111111111111111";
const CARD: CardInput = { number: "4111 1111 1111 1111", expiry: "04/29", code: "123" };
const input = { ...CARD, operatorId: "o", idempotencyKey: "k", now, triedBy: [] };
const provider = (answer: Awaited<ReturnType<CardTokens["tokenise"]>>): CardTokens => ({
  tokenise: async () => answer,
});
const good = provider({
  kind: "token",
  card: { token: "tok_1", first6: "411111", last4: "1111", brand: "visa" },
});
const codes = (said: Partial<CardInput>): string[] =>
  checkCard({ ...CARD, ...said }, now).map(({ code }) => code);

/** Test numbers that the card schemes publish. */
const published: [string, string][] = [
  ["4111111111111111", "visa"],
  ["4222222222222", "visa"],
  ["5555555555554444", "mastercard"],
  ["2223003122003222", "mastercard"],
  ["378282246310005", "amex"],
  ["6011111111111117", "discover"],
  ["30569309025904", "diners"],
  ["3530111333300000", "jcb"],
  ["6240008631401148", "unionpay"],
  ["6759649826438453", "maestro"],
];
for (const [pan, brand] of published) {
  test(`${pan} is a card of ${brand}`, () => {
    assert.equal(parsePan(pan), pan);
    assert.equal(brandOf(pan), brand);
  });
}

test("one wrong digit anywhere is found (ISO/IEC 7812-1 Annex B)", () => {
  fc.assert(
    fc.property(fc.nat({ max: 15 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
      const wrong = PAN.slice(0, at) + ((Number(PAN[at]) + by) % 10) + PAN.slice(at + 1);
      assert.notEqual(parsePan(wrong), wrong);
    }),
    { seed: SEED },
  );
});

test("a number is 12 to 19 digits with spaces or hyphens; anything else is none", () => {
  const ofLength = (length: number): string => {
    const body = "5".padEnd(length - 1, "0");
    return body + luhnDigitOf(body);
  };
  for (const length of [12, 19]) assert.equal(parsePan(ofLength(length)), ofLength(length));
  for (const text of [
    ofLength(11),
    ofLength(20),
    "",
    "abcd",
    "4111x11111111111",
    `0${ofLength(15)}`,
    "-4111111111111111",
    `4111111111111111${" ".repeat(40)}`,
  ])
    assert.deepEqual(parsePan(text), { fault: "card_number_malformed" }, text);
  assert.equal(parsePan(" 4111-1111 1111-1111 "), PAN);
});

test("an expiry is a month and a year in the forms that cards have", () => {
  for (const text of ["04/29", "04/2029", "0429", "04-29", " 04 / 29 "]) assert.equal(expiryOf(text), "0429");
  for (const text of ["13/29", "00/29", "4/29", "29/04/01", "April", "04/1929", ""])
    assert.equal(expiryOf(text), undefined, text);
});

test("a card is good to the end of its month, as long as that lasts anywhere", () => {
  assert.deepEqual(codes({ expiry: "03/26" }), []);
  assert.deepEqual(codes({ expiry: "02/26" }), ["card_expired"]);
  const april = checkCard({ ...CARD, expiry: "03/26" }, new Date("2026-04-01T11:59:00Z"));
  assert.deepEqual(april, [], "west of Greenwich it is still March");
  assert.equal(
    checkCard({ ...CARD, expiry: "03/26" }, new Date("2026-04-01T12:00:00Z"))[0]?.code,
    "card_expired",
  );
  assert.deepEqual(codes({ expiry: "04/46" }), ["card_expiry_malformed"]);
});

test("a code has 3 digits, 4 on American Express, and need not be there", () => {
  assert.deepEqual(codes({ code: null }), []);
  assert.deepEqual(codes({ code: "" }), []);
  assert.deepEqual(codes({ code: "1234" }), ["card_code_malformed"]);
  assert.deepEqual(codes({ number: "378282246310005", code: "1234" }), []);
  assert.deepEqual(codes({ number: "378282246310005", code: "123" }), ["card_code_malformed"]);
});

test("everything that is wrong is told at once", () => {
  assert.deepEqual(codes({ number: "4111111111111112", expiry: "1/1", code: "x" }), [
    "card_number_check_digit",
    "card_expiry_malformed",
    "card_code_malformed",
  ]);
});

test("a card becomes a reference: token, first six, last four, brand and a blind index; the number is nowhere in it", async () => {
  const card = await takeCard({ provider: good, secret: SECRET, tries: freeTries() }, input);
  assert.deepEqual(
    { ...card, index: undefined },
    { token: "tok_1", first6: "411111", last4: "1111", brand: "visa", index: undefined },
  );
  assert.equal(maskedCard(card), "411111******1111");
  assert.ok(!inspect(card, { depth: 9 }).includes(PAN));
});

test("the payment provider gets the plain digits, the month and the code, once per key", async () => {
  const asked: unknown[] = [];
  const listening: CardTokens = {
    tokenise: (card) => {
      asked.push(card);
      return good.tokenise(card);
    },
  };
  await takeCard({ provider: listening, secret: SECRET, tries: freeTries() }, input);
  assert.deepEqual(asked, [{ pan: PAN, expiry: "0429", cvv: "123", idempotencyKey: "k" }]);
});

test("the index is equal for one card at one operator, and tells nothing without the secret", () => {
  const index = Buffer.from(cardIndex(SECRET, "o", PAN));
  assert.deepEqual(Buffer.from(cardIndex(SECRET, "o", PAN)), index);
  assert.notDeepEqual(Buffer.from(cardIndex(SECRET, "p", PAN)), index);
  assert.notDeepEqual(Buffer.from(cardIndex(SECRET, "o", "5555555555554444")), index);
  assert.notDeepEqual(Buffer.from(cardIndex(new Uint8Array(32), "o", PAN)), index);
  assert.throws(() => cardIndex(new Uint8Array(16), "o", PAN), RangeError);
});

const everything = (error: unknown): string =>
  `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${(error as Error).message}`;

test("no error repeats any of a card, not even one of the payment provider's that does", async () => {
  const houses: [CardTokens, string][] = [
    [{ tokenise: async ({ pan }) => Promise.reject(new Error(`declined ${pan}`)) }, "dependency_unavailable"],
    [provider({ kind: "failed", cause: `timeout for ${PAN}` }), "dependency_unavailable"],
    [provider({ kind: "refused", cause: `card ${PAN} stolen` }), "card_refused"],
    [
      provider({ kind: "token", card: { token: PAN, first6: "", last4: "", brand: "" } }),
      "dependency_unavailable",
    ],
    [
      provider({ kind: "token", card: { token: "", first6: "", last4: "", brand: "" } }),
      "dependency_unavailable",
    ],
  ];
  for (const [one, code] of houses) {
    await assert.rejects(
      takeCard({ provider: one, secret: SECRET, tries: freeTries() }, input),
      (error: TurnupError) => {
        assert.equal(error.code, code);
        assert.ok(!everything(error).includes(PAN), everything(error));
        return true;
      },
    );
  }
});

test("a malformed card is refused before the payment provider hears of it, by field and code alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 6, maxLength: 30 }), async (number) => {
      fc.pre(typeof parsePan(number) === "object");
      const never: CardTokens = { tokenise: async () => assert.fail("was asked") };
      await assert.rejects(
        takeCard({ provider: never, secret: SECRET, tries: freeTries() }, { ...input, number }),
        (error: TurnupError) => {
          assert.equal(error.code, "card_malformed");
          assert.equal(error.details?.field, "number");
          return error instanceof TurnupError && !error.message.includes(number);
        },
      );
    }),
    { seed: SEED },
  );
});
