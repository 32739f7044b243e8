/** Receipts of every real shape are booked: the shapes that were reported (`test/vector/data/smpp`), and more of their kinds. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import type { Receipt } from "../../kernel/order/message.ts";
import { bytesOf } from "../../wire/hex.ts";
import type { DeliverSm, Pdu, PduOf } from "../../wire/smpp/command.ts";
import { decodePduAt, makePdu } from "../../wire/smpp/pdu.ts";
import { messageIdKey, parseReceipt } from "../../wire/smpp/receipt.ts";
import type { Tlv } from "../../wire/smpp/tlv.ts";
import { packSeptets } from "../../wire/sms/gsm7.ts";
import { type Delivered, type ReceiptHabits, takeDelivery } from "./deliver.ts";
import { deliverSmOf } from "./esme-pdus.ts";
import { responseFormOf } from "./receipt-ids.ts";

type Case = {
  readonly id: string;
  readonly text?: string;
  readonly pdu?: string;
  readonly esm_class?: number;
  readonly data_coding?: number;
  readonly want: unknown;
};
const FILE = join(import.meta.dirname, "../../../test/vector/data/smpp/receipts.json");
const { cases } = JSON.parse(readFileSync(FILE, "utf8")) as { readonly cases: readonly Case[] };
const caseOf = (id: string): Case => {
  const found = cases.find((one) => one.id === id);
  assert.ok(found, id);
  return found;
};

const deliverSm = (more: Partial<DeliverSm>): DeliverSm =>
  makePdu("deliver_sm", 5, {
    source_addr: "88210000099",
    destination_addr: "2948",
    esm_class: 4,
    ...more,
  });
const textOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
/** As the session gives it on: data_sm as a deliver_sm. */
function received(pdu: Pdu): DeliverSm {
  if (pdu.command === "data_sm") return deliverSmOf(pdu);
  assert.equal(pdu.command, "deliver_sm");
  return pdu as DeliverSm;
}
function pduOf({ pdu, text = "", esm_class, data_coding }: Case): DeliverSm {
  if (pdu === undefined)
    return deliverSm({
      short_message: textOf(text),
      ...(esm_class !== undefined && { esm_class }),
      ...(data_coding !== undefined && { data_coding }),
    });
  const octets = Buffer.from(bytesOf(pdu));
  return received(decodePduAt(octets, 0, octets.length, true));
}

/** What is booked of a delivery, and what it was taken for. */
async function taken(
  pdu: DeliverSm,
  habits: Partial<ReceiptHabits> = {},
): Promise<{
  readonly came: Delivered<never>;
  readonly booked: Receipt | undefined;
  readonly texts: string[];
}> {
  const booked: Receipt[] = [];
  const texts: string[] = [];
  const came = await takeDelivery<never>(
    pdu,
    { smsc: "centre", receiptIds: "as-is", ...habits },
    {
      receipt: async (receipt) => void booked.push(receipt),
      applet: null,
      report: async () => false,
      reply: async () => false,
      text: async (_, text) => {
        texts.push(text);
        return false;
      },
    },
  );
  assert.ok(booked.length <= 1);
  return { came, booked: booked[0], texts };
}

test("R1: a word of no table is a last word, kept as evidence beside the code", async () => {
  const { booked } = await taken(pduOf(caseOf("R1")));
  assert.deepEqual(
    [booked?.smscMessageId, booked?.state, booked?.errorCode, booked?.reportedState],
    ["M1", "failed", "002", "FAILED"],
  );
  const other = await taken(deliverSm({ short_message: textOf("id:M1 stat:HLR_TROUBLE err:77") }));
  assert.deepEqual(other.came, { kind: "receipt", state: "unknown" });
  assert.deepEqual(
    [other.booked?.state, other.booked?.errorCode, other.booked?.reportedState],
    ["failed", "77", "HLR_TROUBLE"],
  );
});

for (const id of ["R2", "R3", "R4"]) {
  test(`${id}: delivered, whatever its spelling, its coding or the octets behind it`, async () => {
    const { booked } = await taken(pduOf(caseOf(id)));
    assert.deepEqual([booked?.smscMessageId, booked?.state], ["M1", "delivered"]);
  });
}

test("R5 and R6: dates of 16 and of 12 characters are read or left out, and no year is made up", () => {
  const submitted = parseReceipt(pduOf(caseOf("R5")));
  assert.deepEqual(submitted?.submitDate, new Date("2018-07-11T07:00:03.900Z"));
  assert.deepEqual(parseReceipt(pduOf(caseOf("R6")))?.doneDate, new Date("2015-06-20T16:41:00Z"));
  const dates: readonly (readonly [string, string | undefined])[] = [
    ["2611290344", "2026-11-29T03:44:00.000Z"],
    ["261129034455", "2026-11-29T03:44:55.000Z"],
    ["202611290344", "2026-11-29T03:44:00.000Z"],
    ["20261129034455", "2026-11-29T03:44:55.000Z"],
    ["261129034455000+", "2026-11-29T03:44:55.000Z"],
    ["2611290344551", "2026-11-29T03:44:55.100Z"],
    ["2026-11-29 03:44:55", "2026-11-29T03:44:55.000Z"],
    ["2026-11-29T03:44:55Z", "2026-11-29T03:44:55.000Z"],
    ["0000000000", undefined],
    ["2613290344", undefined],
    ["2611292544", undefined],
    ["2611290361", undefined],
    ["000001000000000R", undefined],
    ["26112903445", undefined],
    ["1732851840000123456", undefined],
    ["today", undefined],
  ];
  for (const [written, read] of dates) {
    const receipt = parseReceipt(
      deliverSm({ short_message: textOf(`id:M1 done date:${written} stat:DELIVRD err:0`) }),
    );
    assert.deepEqual([receipt?.state, receipt?.doneDate?.toISOString()], ["delivered", read], written);
  }
});

test("R7: an intermediate notification is never a last word, in text or parameters", async () => {
  const { booked, came } = await taken(pduOf(caseOf("R7")));
  assert.equal(booked, undefined);
  assert.deepEqual(came, { kind: "receipt", state: "enroute" });
  for (const esm_class of [0x20, 0x24, 0x60, 0xa0]) {
    const tlvs: Tlv[] = [
      { name: "receipted_message_id", value: "M1" },
      { name: "message_state", value: 5 },
    ];
    assert.equal((await taken(deliverSm({ esm_class, tlvs }))).booked, undefined, String(esm_class));
  }
});

test("R8: words longer or shorter than seven letters, in any case, or the number of the state", async () => {
  const words: readonly (readonly [string, Receipt["state"] | undefined])[] = [
    ["UNDELIVERABLE", "failed"],
    ["DELIVERED", "delivered"],
    ["Delivrd", "delivered"],
    ["delivered", "delivered"],
    ["DELIVERD", "delivered"],
    ["EXPIRD", "expired"],
    ["undelivered", "failed"],
    ["REJECTED", "failed"],
    ["Accepted", undefined],
    ["EN_ROUTE", undefined],
    ["EN ROUTE", undefined],
    ["BUFFERED", undefined],
    ["2", "delivered"],
    ["005", "failed"],
    ["3", "expired"],
  ];
  for (const [word, state] of words) {
    const { booked } = await taken(deliverSm({ short_message: textOf(`id:M1 stat:${word} err:011`) }));
    assert.equal(booked?.state, state, word);
  }
});

test("R9: an unmarked receipt is a phone's text, told as what it looks like; where the centre marks none it is booked", async () => {
  const pdu = pduOf(caseOf("R9"));
  const byDefault = await taken(pdu);
  assert.equal(byDefault.booked, undefined);
  assert.equal(byDefault.texts.length, 1);
  assert.ok(byDefault.came.kind === "other" && byDefault.came.likeReceipt?.includes("stat:DELIVRD"));
  const unmarked = await taken(pdu, { receiptsMarked: false });
  assert.deepEqual([unmarked.booked?.smscMessageId, unmarked.booked?.state], ["M1", "delivered"]);
  const text = deliverSm({ esm_class: 0, short_message: textOf("My id: 7, what now?") });
  const words = await taken(text, { receiptsMarked: false });
  assert.deepEqual([words.came, words.texts], [{ kind: "other" }, ["My id: 7, what now?"]]);
});

test("R12: `either` matches an id in the other case, padded, in the other base, and a UUID", async () => {
  const { resp, receipt } = caseOf("R12") as unknown as { readonly resp: string; readonly receipt: string };
  const pairs: readonly (readonly [string, string])[] = [
    [resp, receipt],
    ["5F0C9A7E-1B2D-4C3E-8F90-A1B2C3D4E5F6", "5f0c9a7e-1b2d-4c3e-8f90-a1b2c3d4e5f6"],
    ["0a0c9a7e-1b2d-4c3e-8f90-a1b2c3d4e5f6", "0A0C9A7E-1B2D-4C3E-8F90-A1B2C3D4E5F6"],
    ["42", "0000000042"],
    ["0000000042", "42"],
    ["00000A1F", "2591"],
    ["0x0406AB", "406ab"],
    ["263851", "406ab"],
    ["Abc_Xyz/1", "Abc_Xyz/1"],
  ];
  for (const [response, inReceipt] of pairs) {
    const kept = messageIdKey(response, responseFormOf("either"));
    const pdu = deliverSm({ short_message: textOf(`id:${inReceipt} stat:DELIVRD`) });
    const { booked } = await taken(pdu, { receiptIds: "either" });
    const names = [booked?.smscMessageId, ...(booked?.otherIds ?? [])];
    assert.ok(names.includes(kept), `${response} ${inReceipt}: ${names.join(" ")}`);
  }
});

const BODY = "id:M1 sub:001 dlvrd:001 submit date:2611290344 done date:2611290345 stat:DELIVRD err:000 text:";
const ucs2 = (text: string, order: "big" | "little"): Uint8Array => {
  const octets = Buffer.from(text, "utf16le");
  return order === "big" ? octets.swap16() : octets;
};
const idTlv: Tlv = { name: "receipted_message_id", value: "M1" };
const dataSm = (more: Partial<PduOf<"data_sm">>): DeliverSm => received(makePdu("data_sm", 6, more));
const SHAPES: readonly (readonly [string, () => DeliverSm])[] = [
  ["by parameters alone", () => deliverSm({ tlvs: [idTlv, { name: "message_state", value: 2 }] })],
  [
    "by parameters alone, unmarked in esm_class",
    () => deliverSm({ esm_class: 0, tlvs: [idTlv, { name: "message_state", value: 2 }] }),
  ],
  [
    "with the id in a parameter and the state in the text",
    () => deliverSm({ short_message: textOf("stat:DELIVRD err:000"), tlvs: [idTlv] }),
  ],
  [
    "with the state in a parameter and the id in the text",
    () =>
      deliverSm({
        esm_class: 0,
        short_message: textOf("id:M1"),
        tlvs: [{ name: "message_state", value: 2 }],
      }),
  ],
  [
    "with a parameter that lags behind its text",
    () => deliverSm({ short_message: textOf(BODY), tlvs: [idTlv, { name: "message_state", value: 1 }] }),
  ],
  [
    "with an empty receipted_message_id",
    () => deliverSm({ short_message: textOf(BODY), tlvs: [{ name: "receipted_message_id", value: "" }] }),
  ],
  ["in message_payload", () => deliverSm({ tlvs: [{ name: "message_payload", value: textOf(BODY) }] })],
  [
    "in message_payload behind a short_message of blanks",
    () =>
      deliverSm({ short_message: textOf("  "), tlvs: [{ name: "message_payload", value: textOf(BODY) }] }),
  ],
  [
    "by data_sm with parameters",
    () => dataSm({ esm_class: 4, tlvs: [idTlv, { name: "message_state", value: 2 }] }),
  ],
  [
    "by data_sm with a payload",
    () => dataSm({ esm_class: 4, tlvs: [{ name: "message_payload", value: textOf(BODY) }] }),
  ],
  ["with NULs behind the text", () => deliverSm({ short_message: textOf(`${BODY}\0\0`) })],
  [
    "with NULs behind the fields",
    () => deliverSm({ short_message: textOf("id:M1\0\0 stat:DELIVRD\0 err:000\0") }),
  ],
  ["in UCS-2", () => deliverSm({ data_coding: 8, short_message: ucs2(BODY, "big") })],
  [
    "in UCS-2 with a byte order mark",
    () => deliverSm({ data_coding: 8, short_message: ucs2(`\ufeff${BODY}`, "big") }),
  ],
  ["in UCS-2 of the other order", () => deliverSm({ data_coding: 8, short_message: ucs2(BODY, "little") })],
  ["in UCS-2 that says it is the default alphabet", () => deliverSm({ short_message: ucs2(BODY, "big") })],
  [
    "in one octet a character that says it is UCS-2, of an odd length",
    () => deliverSm({ data_coding: 8, short_message: textOf(`${BODY}1`) }),
  ],
  ["that says it is binary", () => deliverSm({ data_coding: 4, short_message: textOf(BODY) })],
  ["in packed septets", () => deliverSm({ short_message: packSeptets(textOf(BODY)) })],
  [
    "behind a header",
    () =>
      deliverSm({ esm_class: 0x44, short_message: Buffer.concat([bytesOf("0500030a0101"), textOf(BODY)]) }),
  ],
  ["that announces a header and has none", () => deliverSm({ esm_class: 0x44, short_message: textOf(BODY) })],
  ["marked as an acknowledgement", () => deliverSm({ esm_class: 0x08, short_message: textOf(BODY) })],
  [
    "with reply path and another messaging mode",
    () => deliverSm({ esm_class: 0x87, short_message: textOf(BODY) }),
  ],
  [
    "in small letters",
    () => deliverSm({ short_message: textOf(BODY.toLowerCase().replace("id:m1", "id:M1")) }),
  ],
  ["in capitals", () => deliverSm({ short_message: textOf(BODY.toUpperCase()) })],
  [
    "with fields more than the specification has",
    () =>
      deliverSm({
        short_message: textOf(`id:M1 mccmnc:26201 price:0.03 stat:DELIVRD err:000 hlr:x seg:1 text:`),
      }),
  ],
  [
    "with its fields in another order",
    () => deliverSm({ short_message: textOf("stat:DELIVRD err:000 done date:2611290345 id:M1") }),
  ],
  [
    "with commas between its fields",
    () => deliverSm({ short_message: textOf("id:M1,stat:DELIVRD,err:000") }),
  ],
  [
    "with blanks behind its colons",
    () => deliverSm({ short_message: textOf("id: M1 stat: DELIVRD err: 0") }),
  ],
  [
    "with lines for its fields",
    () => deliverSm({ short_message: textOf("id:M1\r\nstat:DELIVRD\r\nerr:000") }),
  ],
  [
    "with empty fields",
    () => deliverSm({ short_message: textOf("id:M1 sub: dlvrd: submit date: stat:DELIVRD err: text:") }),
  ],
];
for (const [what, make] of SHAPES) {
  test(`a receipt ${what} is booked`, async () => {
    const { booked } = await taken(make());
    assert.deepEqual([booked?.smscMessageId, booked?.state], ["M1", "delivered"]);
  });
}

test("a code is kept as it is written: hexadecimal, words, negative; else the network's", async () => {
  const codes: readonly (readonly [string, string | null])[] = [
    ["err:0x1B", "0x1B"],
    ["err:00B", "00B"],
    ["err:ABSENT_SUBSCRIBER", "ABSENT_SUBSCRIBER"],
    ["err:Absent subscriber", "Absent subscriber"],
    ["err:-1", "-1"],
    ["ERR:EC-12 Text:err:9", "EC-12"],
    ["err:", null],
    ["", null],
  ];
  for (const [written, code] of codes) {
    const { booked } = await taken(deliverSm({ short_message: textOf(`id:M1 stat:UNDELIV ${written}`) }));
    assert.equal(booked?.errorCode, code, written);
  }
});

test("a receipt without any state ends its message all the same, as not delivered", async () => {
  for (const text of ["id:M1", "id:M1 sub:001 dlvrd:001 err:000 text:stat:DELIVRD"]) {
    const { booked, came } = await taken(deliverSm({ short_message: textOf(text) }));
    assert.deepEqual([booked?.state, came.kind], ["failed", "receipt"], text);
  }
});

test("an id with a low line in the GSM alphabet is the id of the response", async () => {
  const { booked } = await taken(deliverSm({ short_message: textOf("id:A\x11B stat:DELIVRD") }));
  assert.equal(booked?.smscMessageId, "A_B");
});

test("a marked receipt that names no message is no phone's, and what is shown of it has no number", async () => {
  for (const more of [
    { short_message: textOf("sub:001 dlvrd:001 stat:DELIVRD to:4915112345678 text:my secret 1234") },
    { short_message: textOf("id:sub:001 dlvrd:001 stat:DELIVRD") },
    { short_message: textOf("") },
    { data_coding: 4, short_message: Uint8Array.of(1, 2, 3) },
    { esm_class: 0, tlvs: [{ name: "message_state", value: 2 } as const] },
  ]) {
    const { came, booked, texts } = await taken(deliverSm(more));
    assert.deepEqual([booked, texts], [undefined, []]);
    assert.ok(came.kind === "unreadable_receipt");
    assert.doesNotMatch(came.shown, /\d{4}|secret/);
  }
});
