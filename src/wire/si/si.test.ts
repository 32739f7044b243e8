/** Service Indication and Service Loading: the octets of the specifications' examples, dates, refusals. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytesOf, hexOf } from "../hex.ts";
import { decodeSi, decodeSl, encodeSi, encodeSl, type ServiceIndication } from "./codec.ts";
import { dateOfOctets, octetsOfDate } from "./date.ts";

const INDICATION: ServiceIndication = {
  text: "You have 4 new emails",
  href: "http://www.xyz.com/email/123/abc.wml",
  siId: "mail",
  action: "signal-high",
  created: "1999-06-25T15:23:15Z",
  expires: "1999-06-30T00:00:00Z",
  items: [{ class: "folder", text: "inbox" }],
};

test("an indication with everything in it survives, its tokens and dates as the specification writes them", () => {
  const bytes = encodeSi(INDICATION);
  assert.deepEqual(decodeSi(bytes), INDICATION);
  const hex = hexOf(bytes);
  assert.ok(hex.startsWith("02056a0045c60d0378797a008503656d61696c2f3132332f6162632e776d6c00"), hex);
  assert.ok(hex.includes("0ac30719990625152315"), hex);
  assert.ok(hex.includes("10c30419990630"), hex);
});

const LINKS = [
  { href: "http://www.a.com/", hex: "0a03610085" },
  { href: "http://a.org/x", hex: "0903610088037800" },
  { href: "https://www.b.net/", hex: "0c03620087" },
  { href: "https://b.edu/", hex: "0b03620086" },
  { href: "http://", hex: "09" },
  { href: "ftp://c", hex: "08036674703a2f2f6300" },
];
for (const { href, hex } of LINKS) {
  test(`the link ${href} takes the tokens there are for it`, () => {
    const bytes = encodeSl({ href, action: "execute-high" });
    assert.equal(hexOf(bytes), `02066a0085${hex}0601`);
    assert.deepEqual(decodeSl(bytes), { href, action: "execute-high" });
  });
}

test("dates are digits, two an octet, without the zero octets at their end", () => {
  for (const [text, hex] of [
    ["1999-06-25T15:23:15Z", "19990625152315"],
    ["1999-06-30T00:00:00Z", "19990630"],
    ["2000-02-29T10:00:00Z", "2000022910"],
    ["2010-10-20T00:00:10Z", "20101020000010"],
  ] as const) {
    assert.equal(hexOf(octetsOfDate(text)!), hex);
    assert.equal(dateOfOctets(bytesOf(hex)), text);
  }
});

test("what is no date is refused, in octets and in text", () => {
  for (const hex of ["", "199906", "19991325", "19990230", "1999062524", "1999062a", "1999062515231500"]) {
    assert.equal(dateOfOctets(bytesOf(hex)), undefined, hex);
    const document = bytesOf(`02056a0045c60ac3 0${hex.length / 2}${hex} 010101`);
    assert.throws(() => decodeSi(document), { name: "DecodeError", offset: 7 }, hex);
  }
  for (const created of ["1999-06-31T00:00:00Z", "1999-06-30", "1999-06-30T00:00:00+02:00", "now"]) {
    assert.equal(octetsOfDate(created), undefined, created);
    assert.throws(() => encodeSi({ text: "", created }), { code: "payload_malformed" }, created);
  }
});

test("a document whose elements do not stand as they should is refused", () => {
  for (const hex of ["02056a0006", "02056a0045 07 01", "02056a0045 06 06 01", "02056a0045 06 47 06 01 01"]) {
    assert.throws(() => decodeSi(bytesOf(hex)), { name: "DecodeError" }, hex);
  }
  assert.throws(() => decodeSl(bytesOf("02066a0005")), { name: "DecodeError", offset: 4 });
});
