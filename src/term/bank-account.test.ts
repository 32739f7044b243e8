/**
 * Account numbers, references and decimals of the payment world. The IBANs are the examples that the IBAN registry prints for
 * each country; the references are ISO 11649's own and one made by hand.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../test/fixture/seed.ts";
import { parseBic } from "./bic.ts";
import { creditorReferenceOf, isCreditorReference } from "./creditor-reference.ts";
import { minorDigitsOf } from "./currency.ts";
import { ibanFaultOf, maskAccount, parseIban } from "./iban.ts";
import { decimalOf, formatMoney, minorOfDecimal } from "./money.ts";
import { ibanOfNational, NATIONAL_ACCOUNT_COUNTRIES } from "./national-account.ts";

const REGISTRY =
  `AD1200012030200359100100 AE070331234567890123456 AL47212110090000000235698741 AT611904300234573201
AZ21NABZ00000000137010001944 BA391290079401028494 BE68539007547034 BG80BNBG96611020345678 BH67BMAG00001299123456
BR1800360305000010009795493C1 CH9300762011623852957 CR05015202001026284066 CY17002001280000001200527600
CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243 DO28BAGR00000001212453611324 EE382200221020145685
ES9121000418450200051332 FI2112345600000785 FO6264600001631634 FR1420041010050500013M02606 GB29NWBK60161331926819
GE29NB0000000101904917 GI75NWBK000000007099453 GL8964710001000206 GR1601101250000000012300695
GT82TRAJ01020000001210029690 HR1210010051863000160 HU42117730161111101800000000 IE29AIBK93115212345678
IL620108000000099999999 IS140159260076545510730339 IT60X0542811101000000123456 JO94CBJO0010000000000131000302
KW81CBKU0000000000001234560101 KZ86125KZT5004100100 LB62099900000001001901229114 LI21088100002324013AA
LT121000011101001000 LU280019400644750000 LV80BANK0000435195001 MC5811222000010123456789030 MD24AG000225100013104168
ME25505000012345678951 MK07250120000058984 MR1300020001010000123456753 MT84MALT011000012345MTLCAST001S
MU17BOMM0101101030300200000MUR NL91ABNA0417164300 NO9386011117947 PK36SCBL0000001123456702 PL61109010140000071219812874
PS92PALS000000000400123456702 PT50000201231234567890154 QA58DOHB00001234567890ABCDEFG RO49AAAA1B31007593840000
RS35260005601001611379 SA0380000000608010167519 SE4550000000058398257466 SI56263300012039086 SK3112000000198742637541
SM86U0322509800000000270100 TN5910006035183598478831 TR330006100519786457841326 VA59001123000012345678
VG96VPVG0000012345678901 XK051212012345678906`.split(/\s+/);

test("every example of the IBAN registry is taken, in groups of four and in small letters too", () => {
  for (const iban of REGISTRY) {
    assert.equal(parseIban(iban), iban);
    assert.equal(parseIban(iban.toLowerCase().replace(/(.{4})/g, "$1 ")), iban);
  }
});

test("one digit changed, two neighbours exchanged, one character more or less: no IBAN any more", () => {
  fc.assert(
    fc.property(fc.constantFrom(...REGISTRY), fc.nat(), (iban, chance) => {
      // A letter counts as two digits, so that MOD 97-10 promises nothing of a letter that becomes a digit, or changes places with one.
      const digits = [...iban].flatMap((character, at) => (at >= 4 && /\d/.test(character) ? [at] : []));
      const at = digits[chance % digits.length] ?? 4;
      const changed = String((Number(iban[at]) + 1) % 10);
      assert.notEqual(ibanFaultOf(iban.slice(0, at) + changed + iban.slice(at + 1)), null);
      const [one = "", two = ""] = [iban[at - 1], iban[at]];
      if (one !== two && digits.includes(at - 1))
        assert.notEqual(ibanFaultOf(iban.slice(0, at - 1) + two + one + iban.slice(at + 1)), null);
      assert.equal(ibanFaultOf(`${iban}0`), "iban_length");
      assert.equal(ibanFaultOf(iban.slice(0, -1)), "iban_length");
    }),
    { seed: SEED },
  );
});

test("what is wrong with an account number is said without the number", () => {
  for (const [text, code] of [
    ["DE88370400440532013000", "iban_check_digits"],
    ["ZZ89370400440532013000", "iban_country"],
    ["DE8937040044053201300", "iban_length"],
    ["370400440532013000", "iban_malformed"],
  ] as const) {
    assert.throws(
      () => parseIban(text),
      (error: Error & { details?: unknown }) => {
        assert.deepEqual(error.details, { field: "iban", code });
        return !JSON.stringify([error.message, error.details]).includes(text.slice(4));
      },
    );
  }
  assert.equal(maskAccount("DE89370400440532013000"), "DE89 **** 3000");
  assert.equal(maskAccount("12345678"), "****");
});

test("check digits of 00, 01 and 99 are nobody's, even where the remainder fits", () => {
  for (const digits of ["00", "01", "99"]) {
    // Of all numbers with these digits, some leave 1.
    const fits = Array.from({ length: 97 }, (_, number) => `DE${digits}${String(number).padStart(18, "0")}`);
    assert.ok(fits.every((iban) => ibanFaultOf(iban) === "iban_check_digits"));
  }
});

test("creditor references: ISO 11649's own, ours, and one with a wrong digit", () => {
  for (const good of ["RF18539007547034", "RF98INV2026000123", "RF13FEE202601M1", "RF18 5390 0754 7034"])
    assert.ok(isCreditorReference(good), good);
  assert.ok(!isCreditorReference("RF45539007547034"));
  assert.equal(creditorReferenceOf("INV2026000123"), "RF98INV2026000123");
  assert.equal(creditorReferenceOf("539007547034"), "RF18539007547034");
});

test("a BIC has 8 or 11 characters", () => {
  assert.equal(parseBic("cobadeff xxx"), "COBADEFFXXX");
  assert.equal(parseBic("NWBKGB2L"), "NWBKGB2L");
  for (const wrong of ["NWBKGB2", "NWBKGB2LX", "NWBK1B2L", ""])
    assert.throws(() => parseBic(wrong), { code: "account_malformed" });
});

test("a bank reads decimals by ISO 4217, not by how people write sums", () => {
  for (const [amountMinor, currency, decimal] of [
    [15_000n, "EUR", "150.00"],
    [5n, "EUR", "0.05"],
    [1_250n, "HUF", "12.50"],
    [1_250n, "JPY", "1250"],
    [1_250n, "IQD", "1.250"],
    [1n, "CLF", "0.0001"],
    [-5n, "EUR", "-0.05"],
    [9_007_199_254_740_993n, "KWD", "9007199254740.993"],
  ] as const) {
    assert.equal(decimalOf({ amountMinor, currency }), decimal);
    assert.equal(minorOfDecimal(decimal, currency), amountMinor);
  }
  assert.equal(minorOfDecimal("150.5", "EUR"), 15_050n);
  assert.equal(minorOfDecimal("150.50000", "EUR"), 15_050n);
  for (const [decimal, currency] of [
    ["150.505", "EUR"],
    ["1.5", "JPY"],
    ["1e3", "EUR"],
    ["", "EUR"],
    ["+5", "EUR"],
  ] as const)
    assert.equal(minorOfDecimal(decimal, currency), undefined, decimal);
  assert.equal(formatMoney({ amountMinor: 1_250n, currency: "HUF" }), "HUF\u00a012.50");
  assert.equal(minorDigitsOf("USD"), 2);
});

test("national numbers of the registry's examples pass by their own check digits and become just their IBAN", () => {
  const held = REGISTRY.filter((iban) => NATIONAL_ACCOUNT_COUNTRIES.includes(iban.slice(0, 2)));
  assert.equal(held.length, NATIONAL_ACCOUNT_COUNTRIES.length);
  for (const iban of held) {
    const [country, number] = [iban.slice(0, 2), iban.slice(4)];
    assert.equal(ibanOfNational(country, number), iban);
    // Each digit changed by one is seen, though it would make a good IBAN.
    for (let at = 0; at < number.length; at++) {
      if (!/\d/.test(number[at] ?? "")) continue;
      const wrong = number.slice(0, at) + ((Number(number[at]) + 1) % 10) + number.slice(at + 1);
      assert.throws(() => ibanOfNational(country, wrong), { code: "account_malformed" }, `${country} ${at}`);
    }
  }
  assert.equal(ibanOfNational("NO", "8601.11.17947"), "NO9386011117947");
  assert.throws(() => ibanOfNational("DE", "370400440532013000"), { message: /as IBAN alone/ });
});
