/** How receipts name the messages that responses named. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { formatReceipt, messageIdKey } from "../../wire/smpp/receipt.ts";
import { RECEIPT_IDS, type ReceiptIds, readReceipt, responseFormOf } from "./receipt-ids.ts";

const AT = new Date("2026-03-04T05:06:00Z");
const receiptOf = (inText: string, inTlv: string | null) => {
  const { short_message, tlvs } = formatReceipt({
    messageId: inTlv ?? "none",
    messageIdInText: inText,
    state: "delivered",
    submitDate: AT,
    doneDate: AT,
  });
  return { esm_class: 0x04, data_coding: 0, short_message, tlvs: inTlv === null ? [] : tlvs };
};
const booked = (response: string, ids: ReceiptIds): string => messageIdKey(response, responseFormOf(ids));

/** 2591 is A1F. */
const CENTRES: readonly {
  readonly what: string;
  readonly response: string;
  readonly text: string;
  readonly tlv: string | null;
  readonly ids: readonly ReceiptIds[];
}[] = [
  { what: "says the same everywhere", response: "b7-x/1", text: "b7-x/1", tlv: "b7-x/1", ids: RECEIPT_IDS },
  {
    what: "answers in hex and reports in decimal",
    response: "00000A1F",
    text: "0000002591",
    tlv: null,
    ids: ["hex-to-decimal", "either"],
  },
  {
    what: "answers in small hex and reports in decimal, in both places",
    response: "a1f",
    text: "2591",
    tlv: "2591",
    ids: ["hex-to-decimal", "either"],
  },
  {
    what: "repeats its answer in receipted_message_id alone",
    response: "00000A1F",
    text: "2591",
    tlv: "00000A1F",
    ids: RECEIPT_IDS,
  },
  {
    what: "answers in decimal and reports in hex",
    response: "2591",
    text: "00000A1F",
    tlv: null,
    ids: ["decimal-to-hex", "either"],
  },
  { what: "pads its reports with zeros", response: "2591", text: "0000002591", tlv: null, ids: ["either"] },
];

for (const { what, response, text, tlv, ids } of CENTRES) {
  for (const setting of RECEIPT_IDS) {
    const meets = ids.includes(setting);
    test(`a centre that ${what}: receipt_ids ${setting} ${meets ? "finds the message" : "does not"}`, () => {
      const receipt = readReceipt(receiptOf(text, tlv), setting);
      assert.ok(receipt);
      const names = [receipt.messageId, ...receipt.otherIds];
      assert.equal(names.includes(booked(response, setting)), meets, names.join(" "));
    });
  }
}

test("a message whose id holds blanks is found by the whole of what its receipt says, before the first word, which may be another's", () => {
  const text = "id:AB CD 12 sub:001 dlvrd:001 stat:DELIVRD err:000 text:";
  const pdu = { esm_class: 4, data_coding: 0, short_message: Buffer.from(text), tlvs: [] };
  for (const setting of RECEIPT_IDS) {
    const receipt = readReceipt(pdu, setting);
    const word = messageIdKey("AB", setting === "decimal-to-hex" ? "hex" : "verbatim");
    assert.deepEqual([receipt?.messageId, receipt?.otherIds[0]], ["AB CD 12", word], setting);
  }
});

test("an id of more digits than a double holds is brought to the other base exactly", () => {
  const receipt = readReceipt(receiptOf("18446744073709551615", null), "hex-to-decimal");
  assert.equal(receipt?.messageId, booked("FFFFFFFFFFFFFFFF", "hex-to-decimal"));
});
