/** PLMN, IMSI, MSISDN, ICCID and APN as people and networks write them. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "vitest";
import { parseApn } from "./apn.ts";
import { parseIccid } from "./iccid.ts";
import { homePlmnResolver, parseImsi } from "./imsi.ts";
import { maskIdentifier, maskText } from "./mask.ts";
import { formatMoney, money, portionOf } from "./money.ts";
import { callingCodeOf, parseMsisdn } from "./msisdn.ts";
import { msisdnFromNational } from "./msisdn-national.ts";
import { mccOf, mncOf, parsePlmn, plmnOf } from "./plmn.ts";
import { Secret } from "./secret.ts";

test("MNC 01 and 001 stay two networks", () => {
  assert.notEqual(plmnOf("262", "01"), plmnOf("262", "001"));
  for (const text of ["26201", "262-01", "262/01", "262 01"]) assert.equal(parsePlmn(text), "26201");
  assert.deepEqual([mccOf(parsePlmn("310-410")), mncOf(parsePlmn("310-410"))], ["310", "410"]);
  for (const text of ["2620", "262-1", "2620111", "26a01", ""]) {
    assert.throws(() => parsePlmn(text), { code: "plmn_malformed" });
  }
});

test("an IMSI has 6 to 15 digits", () => {
  for (const digits of ["262011", "262011234567890"]) assert.equal(parseImsi(digits), digits);
  for (const text of ["26201", "2620112345678901", "26201 1234567890", "26201123456789x", ""]) {
    assert.throws(() => parseImsi(text), { code: "imsi_malformed" });
  }
});

test("the home network of an IMSI is told by the networks that exist, else by its country, else not at all", () => {
  const homeOf = homePlmnResolver(["26201", "26202", "310410", "310260", "40501", "405025"].map(parsePlmn));
  assert.equal(homeOf(parseImsi("262011234567890")), "26201");
  assert.equal(homeOf(parseImsi("310410123456789")), "310410");
  assert.equal(homeOf(parseImsi("405025123456789")), "405025");
  assert.equal(homeOf(parseImsi("405011234567890")), "40501");
  assert.equal(homeOf(parseImsi("262991234567890")), "26299", "Germany knows 2-digit codes only");
  assert.equal(homeOf(parseImsi("310999123456789")), "310999", "the United States knows 3-digit codes only");
  assert.equal(homeOf(parseImsi("405991234567890")), undefined, "India has both");
  assert.equal(homeOf(parseImsi("999991234567890")), undefined);
});

test("a phone number is E.164 digits; signs that people write are dropped", () => {
  for (const text of ["491701234567", "+49 (170) 123-45.67", "0049 170/1234567"]) {
    assert.equal(parseMsisdn(text), "491701234567");
  }
  for (const text of ["01701234567", "123456", "1234567890123456", "+49x", "", "4".repeat(5_000)]) {
    assert.throws(() => parseMsisdn(text), { code: "msisdn_malformed" });
  }
});

test("a national number needs its country", () => {
  assert.equal(msisdnFromNational("0170 1234567", "de"), "491701234567");
  assert.equal(msisdnFromNational("(212) 555-0100", "US"), "12125550100");
  assert.equal(msisdnFromNational("+44 7911 123456", "DE"), "447911123456");
  assert.throws(() => msisdnFromNational("0170 1234567", "XX"), { code: "country_unknown" });
  assert.throws(() => msisdnFromNational("12", "DE"), { code: "msisdn_malformed" });
});

test("a calling code has one, two or three digits", () => {
  const codes = ["12125550100", "79161234567", "491701234567", "34600123456", "358401234567", "971501234567"];
  assert.deepEqual(codes.map(callingCodeOf), ["1", "7", "49", "34", "358", "971"]);
});

test("an ICCID of 19 or 20 digits carries a check digit; the card's filler F is dropped", () => {
  assert.equal(parseIccid("8991101200003204514"), "8991101200003204514");
  assert.equal(parseIccid("8991 1012 0000 3204 514F"), "8991101200003204514");
  assert.throws(() => parseIccid("8991101200003204515"), { code: "iccid_check_digit" });
  for (const text of ["899110120000320451", "7991101200003204514", "899110120000320451400", ""]) {
    assert.throws(() => parseIccid(text), { code: "iccid_malformed" });
  }
});

test("access point names follow TS 23.003 clause 9", () => {
  for (const text of [
    "internet",
    "web.vodafone.de",
    "INTERNET.t-mobile",
    "ims.mnc001.mcc262.gprs",
    `${"a".repeat(61)}`,
  ]) {
    assert.equal(parseApn(text), text);
  }
  const refused = [
    "",
    "-a",
    "a-",
    "a..b",
    ".a",
    "a b",
    "rac1",
    "LAC.x",
    "sgsn",
    "rnc7.x",
    "a.gprs",
    "ä",
    "a".repeat(63),
  ];
  for (const text of [...refused, "a.".repeat(10_000)])
    assert.throws(() => parseApn(text), { code: "apn_malformed" });
});

test("a portion is rounded to the nearest minor unit, a half to the even one, and with its rest adds up to the sum", () => {
  for (let cents = -25; cents <= 25; cents++) {
    for (const basisPoints of [0, 1, 333, 3_333, 5_000, 9_999, 10_000]) {
      const sum = money(cents, "EUR");
      const { portion, rest } = portionOf(sum, basisPoints);
      assert.equal(portion.amountMinor + rest.amountMinor, sum.amountMinor);
      const away = Math.abs(Number(portion.amountMinor) * 10_000 - cents * basisPoints);
      assert.ok(away <= 5_000, `${basisPoints} of ${cents}`);
      if (away === 5_000) assert.equal(portion.amountMinor % 2n, 0n, `${basisPoints} of ${cents}`);
    }
  }
  for (const [cents, basisPoints, portion] of [
    [1, 5_000, 0n],
    [3, 5_000, 2n],
    [5, 5_000, 2n],
    [-3, 5_000, -2n],
    [25, 1_000, 2n],
    [35, 1_000, 4n],
    [251, 3_333, 84n],
  ] as const) {
    assert.equal(portionOf(money(cents, "EUR"), basisPoints).portion.amountMinor, portion);
  }
  for (const basisPoints of [-1, 10_001, 0.5]) {
    assert.throws(() => portionOf(money(1, "EUR"), basisPoints), { code: "portion_malformed" });
  }
});

test("money is whole minor units of one currency", () => {
  assert.throws(() => money(1.5, "EUR"), { code: "money_malformed" });
  assert.throws(() => money("1.5", "EUR"), { code: "money_malformed" });
  assert.throws(() => money(1, "eur"), { code: "currency_malformed" });
});

test("money is shown exactly, with the currency's own number of digits", () => {
  assert.equal(formatMoney(money(120, "EUR")), "€1.20");
  assert.equal(formatMoney(money(-5, "EUR")), "-€0.05");
  assert.equal(formatMoney(money(120, "JPY")), "¥120");
  assert.equal(formatMoney(money(9_007_199_254_740_993n, "EUR")), "€90,071,992,547,409.93");
});

test("a masked number keeps its network, model or country and hides the person", () => {
  assert.equal(maskIdentifier("262011234567890"), "262011*********");
  assert.equal(maskIdentifier("490154203237518", "imei"), "49015420*******");
  assert.equal(maskIdentifier("491701234567"), "49********67");
  assert.equal(maskIdentifier("8991101200003204514"), "899110*************");
  assert.equal(maskIdentifier("+12125550100"), "1********00");
  assert.equal(maskIdentifier("12"), "**");
  assert.equal(maskIdentifier("AF0123450ABCDE"), "AF************");
});

test("long numbers are masked wherever they stand in a text, a UUID and short numbers are not", () => {
  assert.equal(
    maskText("imsi=262011234567890 to +491701234567, imei 35-209900-176148-1, port 2948, 2026-11-22"),
    "imsi=262011********* to +49********67, imei 352099*********, port 2948, 2026-11-22",
  );
  const id = "01890a5d-ac96-774b-bcce-123456789012";
  assert.equal(maskText(id), id);
});

test("a secret prints as *** however it is printed", () => {
  const secret = new Secret("hunter2");
  assert.equal(
    `${secret} ${JSON.stringify({ secret })} ${inspect({ secret })}`,
    '*** {"secret":"***"} { secret: *** }',
  );
  assert.equal(secret.reveal(), "hunter2");
});
