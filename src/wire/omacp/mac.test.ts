/** The MAC of an OMA CP message by NETWPIN and USERPIN. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "vitest";
import { IMSI_KEYS } from "../../../test/vector/oma-cp.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { macOf, netwPinKey, type Sec, verifyMac } from "./mac.ts";

const DOCUMENT = bytesOf("030b6a004501");
const IMSI = "466923103145252";

for (const { imsi, keyHex } of IMSI_KEYS) {
  test(`the NETWPIN key of an IMSI of ${imsi.length} digits, ${imsi}, is packed as the SIM packs it`, () => {
    assert.equal(hexOf(netwPinKey(imsi)), keyHex);
  });
}

test("an IMSI that is none gives no key", () => {
  for (const imsi of ["", "12345", "1234567890123456", "46692310314525x", "+46692310314525"]) {
    assert.throws(() => netwPinKey(imsi), { name: "TurnupError", code: "imsi_malformed" });
  }
});

test("each way to sign uses its own key", () => {
  const hmac = (key: string) => createHmac("sha1", bytesOf(key)).update(DOCUMENT).digest("hex").toUpperCase();
  assert.equal(macOf("netwpin", { imsi: IMSI }, DOCUMENT), "1AF545FE2823DC9347064450F90FF1BBF957E146");
  assert.equal(macOf("userpin", { pin: "0123" }, DOCUMENT), hmac("30313233"));
  assert.equal(macOf("usernetwpin", { imsi: IMSI, pin: "0123" }, DOCUMENT), hmac("496629133041252530313233"));
});

test("USERPINMAC: the user types the PIN and as many digits of the MAC", () => {
  const digest = createHmac("sha1", "4711").update(DOCUMENT).digest();
  const typed = `4711${[...digest.subarray(0, 4)].map((octet) => octet % 10).join("")}`;
  assert.equal(macOf("userpinmac", { pin: "4711" }, DOCUMENT), typed);
  assert.equal(verifyMac("userpinmac", null, { pin: typed }, DOCUMENT), true);
  for (const wrong of [`${typed}0`, typed.slice(0, -1), typed.slice(0, -2), `4712${typed.slice(4)}`]) {
    assert.equal(verifyMac("userpinmac", null, { pin: wrong }, DOCUMENT), false, wrong);
  }
});

test("a MAC of another secret, another document or another length does not verify", () => {
  const mac = macOf("usernetwpin", { imsi: IMSI, pin: "1234" }, DOCUMENT);
  const verify = (given: string | null, imsi: string, pin: string, document = DOCUMENT) =>
    verifyMac("usernetwpin", given, { imsi, pin }, document);
  assert.equal(verify(mac, IMSI, "1234"), true);
  assert.equal(verify(mac.toLowerCase(), IMSI, "1234"), true);
  assert.equal(verify(mac, IMSI, "1235"), false);
  assert.equal(verify(mac, "466923103145253", "1234"), false);
  assert.equal(verify(mac, IMSI, "1234", bytesOf("030b6a004502")), false);
  assert.equal(verify(mac.slice(0, 38), IMSI, "1234"), false);
  assert.equal(verify("", IMSI, "1234"), false);
  assert.equal(verify(null, IMSI, "1234"), false);
});

test("a secret that is missing is said, and there is no PIN by default", () => {
  const cases: [Sec, { imsi?: string; pin?: string }][] = [
    ["netwpin", { pin: "1234" }],
    ["userpin", { imsi: IMSI }],
    ["usernetwpin", { imsi: IMSI }],
    ["usernetwpin", { pin: "1234" }],
    ["userpinmac", {}],
  ];
  for (const [sec, secret] of cases) {
    assert.throws(() => macOf(sec, secret, DOCUMENT), { code: "payload_secret_missing" }, sec);
  }
  for (const pin of ["", "12a4", "12345678901234567", "１２３４"]) {
    assert.throws(() => macOf("userpin", { pin }, DOCUMENT), { code: "pin_malformed" }, pin);
  }
});
