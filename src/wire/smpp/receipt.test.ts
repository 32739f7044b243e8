/** Delivery receipts in the forms met in the field. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  formatReceipt,
  isFinal,
  type MessageState,
  messageIdKey,
  parseReceipt,
  type ReceiptPdu,
  stateId,
} from "./receipt.ts";

const SUBMIT = new Date("2026-03-04T05:06:00Z");
const DONE = new Date("2026-03-04T05:07:00Z");
const TEXT =
  "id:00000A1F sub:001 dlvrd:001 submit date:2603040506 done date:2603040507 stat:DELIVRD err:000 text:hello";

const receiptPdu = (text: string, more: Partial<ReceiptPdu> = {}): ReceiptPdu => ({
  esm_class: 0x04,
  data_coding: 0,
  short_message: Buffer.from(text, "latin1"),
  tlvs: [],
  ...more,
});

for (const state of [
  "enroute",
  "delivered",
  "expired",
  "deleted",
  "undeliverable",
  "accepted",
  "unknown",
  "rejected",
] as const) {
  test(`receipt: ${state} is read back from what is written, from the text alone and the parameters alone`, () => {
    const written = formatReceipt({
      messageId: "42",
      state,
      submitDate: SUBMIT,
      doneDate: DONE,
      errorCode: "017",
    });
    const both = parseReceipt({ esm_class: 0x04, data_coding: 0, ...written });
    assert.deepEqual(both, { messageId: "42", state, errorCode: "017", submitDate: SUBMIT, doneDate: DONE });
    const textOnly = parseReceipt({ esm_class: 0x04, data_coding: 0, ...written, tlvs: [] });
    assert.deepEqual(textOnly, both);
    const tlvOnly = parseReceipt({
      esm_class: 0x04,
      data_coding: 0,
      ...written,
      short_message: new Uint8Array(0),
    });
    assert.deepEqual(tlvOnly, {
      messageId: "42",
      state,
      errorCode: undefined,
      submitDate: undefined,
      doneDate: undefined,
    });
  });
}

test("receipt: the forms met in the field give the same receipt", () => {
  for (const text of [
    TEXT,
    TEXT.replace("text:", "Text:"),
    TEXT.replace("id:", "ID:").replace("stat:", "Stat:"),
    TEXT.replace("2603040506", "260304050600").replace("2603040507", "20260304050700"),
    "id:00000A1F submit date:2603040506 done date:2603040507 stat:DELIVRD err:000",
    TEXT.replace("submit date", "submitdate"),
  ]) {
    assert.deepEqual(
      parseReceipt(receiptPdu(text)),
      { messageId: "00000A1F", state: "delivered", errorCode: "000", submitDate: SUBMIT, doneDate: DONE },
      text,
    );
  }
});

test("receipt: other signs between its fields, or none, are read; an id that holds such a sign stays whole where the text is in order", () => {
  for (const text of [
    "id=M1 sub=001 stat=UNDELIV err=011",
    "id=M1&stat=UNDELIV&err=011",
    '{"id":"M1","stat":"UNDELIV","err":"011"}',
    'id:"M1" stat:"UNDELIV" err:"011"',
    "id:M1/sub:001/dlvrd:000/stat:UNDELIV/err:011",
    "id:M1sub:001dlvrd:000submit date:2611290344done date:2611290345stat:UNDELIVerr:011text:id=M2",
    "\xef\xbb\xbfid:M1 stat:UNDELIV err:011",
    "<dlr><id>M1</id><sub>001</sub><stat>UNDELIV</stat><err>011</err></dlr>",
    "<receipt> <id> M1 </id> <stat>UNDELIV</stat> <err>011</err> </receipt>",
  ]) {
    const receipt = parseReceipt({
      esm_class: 4,
      data_coding: 0,
      short_message: Buffer.from(text, "latin1"),
      tlvs: [],
    });
    assert.deepEqual(
      [receipt?.messageId, receipt?.state, receipt?.errorCode],
      ["M1", "undeliverable", "011"],
      text,
    );
  }
  const whole = {
    esm_class: 4,
    data_coding: 0,
    short_message: Buffer.from("id:a/b=c&d stat:DELIVRD"),
    tlvs: [],
  };
  assert.equal(parseReceipt(whole)?.messageId, "a/b=c&d");
});

test("receipt: where it begins with the reported message its own fields stand behind, whatever that message says", () => {
  for (const text of [
    "text:hello id:M1 sub:001 dlvrd:000 stat:UNDELIV err:011",
    "Text: id:M2 stat:DELIVRD err:000 id:M1 sub:001 dlvrd:000 stat:UNDELIV err:011",
    "\x05\x00\x03\x0a\x01\x01text:hello stat:UNDELIV err:011 id:M1",
  ]) {
    const receipt = parseReceipt(receiptPdu(text));
    assert.deepEqual(
      [receipt?.messageId, receipt?.state, receipt?.errorCode],
      ["M1", "undeliverable", "011"],
      text,
    );
  }
  assert.equal(parseReceipt(receiptPdu("text:hello")), undefined);
});

test("receipt: its state is found under the other names that centres give it, and in brackets", () => {
  for (const text of [
    "message_id:M1 message_state:2",
    "messageId:M1 messageStatus:DELIVRD",
    "msg_id:M1 msg_status:DELIVRD",
    "Message-ID: M1, Delivery-Status: Delivered",
    "id:M1 dlr_status:DELIVRD",
    "id:M1 final_status:DELIVRD",
    "id:[M1] stat:[DELIVRD]",
    "id:<M1> stat:'DELIVRD'",
    "@id:M1 stat:DELIVRD",
  ]) {
    const receipt = parseReceipt(receiptPdu(text));
    assert.deepEqual([receipt?.messageId, receipt?.state], ["M1", "delivered"], text);
  }
  assert.equal(parseReceipt(receiptPdu("id:a(b) stat:DELIVRD"))?.messageId, "a(b)");
});

test("receipt: an id with blanks in it is its first word, and told whole beside", () => {
  const read = (text: string) => {
    const receipt = parseReceipt(receiptPdu(text));
    return [receipt?.messageId, receipt?.messageIdWhole, receipt?.state];
  };
  assert.deepEqual(read("id:AB CD  12 sub:001 dlvrd:001 stat:DELIVRD"), ["AB", "AB CD 12", "delivered"]);
  assert.deepEqual(read("id: M1  sub:001 stat:DELIVRD"), ["M1", undefined, "delivered"]);
});

test("receipt: of several words none is taken for a delivery that speaks of a failure, a wait or a hop on the way", () => {
  const states: Readonly<Record<string, MessageState>> = {
    DELIVERED_TO_HANDSET: "delivered",
    DELIVERED_TO_OPERATOR: "accepted",
    "Delivered to SMSC": "accepted",
    NOT_DELIVERED: "undeliverable",
    "NOT YET DELIVERED": "enroute",
    "DELIVERED: NO": "unknown",
    DELIVERED_FAILED: "undeliverable",
    PENDING_ENROUTE: "enroute",
    "TEMPORARY FAILURE": "enroute",
    DEFERRED: "enroute",
    "RETRY EXPIRED": "expired",
    EXPIRED_MSG: "expired",
    REJECTED_BY_OPERATOR: "rejected",
    ABSENT_SUBSCRIBER: "undeliverable",
    "To be delivered": "unknown",
    "Will be delivered": "unknown",
    "Unable to be delivered": "unknown",
    "Partially delivered": "unknown",
    "Message delivered": "delivered",
    "Message queued": "enroute",
    READ: "delivered",
    DISPLAYED: "delivered",
  };
  for (const [word, state] of Object.entries(states))
    assert.equal(parseReceipt(receiptPdu(`id:M1 stat:${word} err:000`))?.state, state, word);
});

test("receipt: text in UCS-2, in message_payload or behind a user data header is found", () => {
  const ucs2 = Buffer.from(TEXT, "utf16le").swap16();
  const payload = { name: "message_payload", value: Buffer.from(TEXT) } as const;
  const udh = Buffer.concat([Buffer.from("0500030a0101", "hex"), Buffer.from(TEXT)]);
  for (const pdu of [
    receiptPdu("", { short_message: ucs2, data_coding: 8 }),
    receiptPdu("", { tlvs: [payload] }),
    receiptPdu("", { short_message: udh, esm_class: 0x44 }),
  ]) {
    assert.equal(parseReceipt(pdu)?.messageId, "00000A1F");
  }
});

test("receipt: an id in hex in one place and decimal in the other is brought to one key", () => {
  assert.equal(messageIdKey("00000A1F", "hex"), messageIdKey("0000002591", "decimal"));
  assert.equal(messageIdKey("b7-x", "hex"), "b7-x");
  assert.equal(messageIdKey("007", "verbatim"), "007");
  assert.equal(parseReceipt(receiptPdu(TEXT), { inText: "hex" })?.messageId, "2591");
  const tlvs = [{ name: "receipted_message_id", value: "2591" }] as const;
  assert.equal(parseReceipt(receiptPdu(TEXT, { tlvs }), { inText: "hex" })?.messageId, "2591");
});

test("receipt: a subscriber cannot forge one by writing its text", () => {
  assert.equal(parseReceipt(receiptPdu(TEXT, { esm_class: 0x00 })), undefined);
  assert.ok(parseReceipt(receiptPdu(TEXT, { esm_class: 0x00 }), { unmarked: true }));
});

test("receipt: what the reported message says is not taken for the report", () => {
  const text = "id:1 sub:001 dlvrd:000 stat:UNDELIV err:005 text:id:2 stat:DELIVRD err:000";
  const receipt = parseReceipt(receiptPdu(text));
  assert.deepEqual([receipt?.messageId, receipt?.state, receipt?.errorCode], ["1", "undeliverable", "005"]);
});

test("receipt: the network's error code stands in where the text has none", () => {
  const tlvs = [
    { name: "receipted_message_id", value: "9" },
    { name: "message_state", value: 5 },
    { name: "network_error_code", value: Uint8Array.of(3, 0x01, 0x02) },
  ] as const;
  assert.equal(parseReceipt(receiptPdu("", { tlvs }))?.errorCode, "258");
});

test("receipt: no message, no success or a date that does not exist is made up", () => {
  assert.equal(parseReceipt(receiptPdu("stat:DELIVRD")), undefined);
  assert.equal(parseReceipt(receiptPdu("id:1 stat:PERHAPS"))?.state, "unknown");
  assert.equal(parseReceipt(receiptPdu("id:1 stat:PERHAPS"))?.word, "PERHAPS");
  assert.equal(parseReceipt(receiptPdu("id:1"))?.state, "unknown");
  assert.equal(parseReceipt(receiptPdu("id:1 stat:DELIVRD done date:2602310000"))?.doneDate, undefined);
  assert.equal(parseReceipt(receiptPdu(`${"id:".repeat(20_000)}`)), undefined);
});

test("receipt: the centre's own clock is brought to UTC", () => {
  assert.deepEqual(
    parseReceipt(receiptPdu(TEXT), { utcOffsetMinutes: 120 })?.doneDate,
    new Date("2026-03-04T03:07:00Z"),
  );
});

test("receipt: en route and accepted are not the end", () => {
  assert.deepEqual((["enroute", "accepted", "delivered", "unknown"] as const).map(isFinal), [
    false,
    false,
    true,
    true,
  ]);
  assert.equal(stateId("rejected"), 8);
});
