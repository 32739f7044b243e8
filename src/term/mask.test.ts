/** Texts for logs: no card, account or person's number survives masking. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../test/fixture/seed.ts";
import { luhnDigitOf } from "./luhn.ts";
import { maskText } from "./mask.ts";

/** A card number: 13 to 19 digits, first not 0, right check digit. */
const pans = fc
  .tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 17 }),
  )
  .map(([first, rest]) => `${first}${rest.join("")}`)
  .map((body) => body + luhnDigitOf(body));
/** As people and forms write it: in a row, in groups of four, digit by digit, in odd groups. */
const written = fc
  .tuple(pans, fc.constantFrom(" ", "-", ".", "\u00a0"), fc.constantFrom(0, 1, 2, 3, 4, 5, 6))
  .map(([pan, separator, size]) => ({
    pan,
    text: size === 0 ? pan : (pan.match(new RegExp(`.{1,${size}}`, "g")) ?? []).join(separator),
  }));

const digitsOnly = (text: string): string => text.replace(/\D/g, "");

test("no card number survives masking, however it is parted and whatever stands around it", () => {
  fc.assert(
    fc.property(
      written,
      fc.string({ maxLength: 30 }),
      fc.string({ maxLength: 30 }),
      ({ pan, text }, before, after) => {
        const masked = maskText(`${before}${text}${after}`);
        assert.ok(!digitsOnly(masked).includes(pan), masked);
        assert.ok(!masked.includes(text), masked);
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("no card number survives where other digits stand right beside it", () => {
  const digits = fc.stringMatching(/^[0-9]{0,6}$/);
  fc.assert(
    fc.property(
      written,
      digits,
      digits,
      fc.constantFrom("", " ", "-"),
      ({ pan, text }, before, after, gap) => {
        const masked = maskText(`n=${before}${gap}${text}${gap}${after};`);
        assert.ok(!digitsOnly(masked).includes(pan), masked);
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("of a card at most the issuer's six digits are left in a text", () => {
  for (const [text, masked] of [
    ["card 4111111111111111 refused", "card 411111********** refused"],
    ["card 4111 1111 1111 1111 refused", "card 411111********** refused"],
    ["3782-822463-10005", "378282*********"],
    ["4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", "411111**********"],
  ] as const) {
    assert.equal(maskText(text), masked);
  }
});

test("dates, times, addresses, versions and UUIDs stay readable", () => {
  for (const text of [
    "2026-03-01 12:00:00.123Z",
    "from 10.20.30.40:8443 to 192.168.100.200",
    "turnup 0.1.0, node 20.19.0",
    "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11",
    "11111111-1111-4111-8111-111111111111",
    "1 2 3 4 5 6 7 8 9 10",
  ]) {
    assert.equal(maskText(text), text);
  }
});

test("phone numbers in a list are masked one by one", () => {
  assert.equal(maskText("491701234567 491701234568"), "49********67 49********68");
});
