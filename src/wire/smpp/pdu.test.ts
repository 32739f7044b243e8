/** SMPP PDUs both ways: captured ones, random ones, cut and changed ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "vitest";
import { drawsOf, REPEAT_WITH, SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { COMMAND, type Command, FIELDS, type Field, type Pdu } from "./command.ts";
import { decodePdu, encodePdu, encodePduInto, makePdu, roomFor } from "./pdu.ts";
import { meaningOf, STATUS, statusName } from "./status.ts";
import { NO_TLVS, TLV, type Tlv, type TlvName, tlvValue } from "./tlv.ts";

const COMMANDS = Object.keys(COMMAND) as Command[];

type Vector = {
  readonly id: string;
  readonly pdus: readonly string[];
  readonly expected: {
    readonly smpp: {
      readonly esm_class: number;
      readonly more_messages_to_send_tlv_0426?: (number | null)[];
    };
  };
};
const { vectors } = JSON.parse(
  readFileSync(new URL("../../../test/vector/data/oma-cp/smpp.json", import.meta.url), "utf8"),
) as { vectors: readonly Vector[] };

// ---- What the wire can carry, for generated round trips.

const character = fc.integer({ min: 1, max: 0xff }).map((code) => String.fromCharCode(code));
const textOf = (max: number) => fc.string({ unit: character, maxLength: max - 1 });
const uint = (octets: number) => fc.integer({ min: 0, max: 2 ** (8 * octets) - 1 });
const octetsOf = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const sme = { dest_addr_ton: uint(1), dest_addr_npi: uint(1), destination_addr: textOf(21) };

function arbitraryField(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "uint8":
      return uint(1);
    case "uint32":
      return uint(4);
    case "text":
      return textOf(field.max);
    case "time":
      return fc.oneof(fc.constant(""), fc.string({ unit: character, minLength: 16, maxLength: 16 }));
    case "short_message":
      return octetsOf(0, 254);
    case "dest_address":
      return fc.array(
        fc.oneof(
          fc.record({ dest_flag: fc.constant(1), ...sme }),
          fc.record({ dest_flag: fc.constant(2), dl_name: textOf(21) }),
        ),
        { minLength: 1, maxLength: 254, size: "medium" },
      );
    case "unsuccess_sme":
      return fc.array(fc.record({ ...sme, error_status_code: uint(4) }), { maxLength: 255 });
  }
}

function arbitraryTlv(name: TlvName): fc.Arbitrary<Tlv> {
  const kind = TLV[name];
  const value = {
    uint8: () => uint(1),
    uint16: () => uint(2),
    uint32: () => uint(4),
    flag: () => fc.constant(true),
    text: () => textOf("max" in kind ? kind.max : 1),
    octets: () => ("min" in kind ? octetsOf(kind.min, Math.min(kind.max, 300)) : fc.constant(undefined)),
  }[kind.kind]();
  return value.map((value) => ({ name, value }) as Tlv);
}

const unknownTlv = fc.record({
  name: fc.constant("unknown" as const),
  tag: fc.integer({ min: 0x1400, max: 0x3fff }),
  value: octetsOf(0, 40),
});
const anyTlv = fc.oneof(unknownTlv, ...(Object.keys(TLV) as TlvName[]).map(arbitraryTlv));

function arbitraryPdu(command: Command): fc.Arbitrary<Pdu> {
  const { optional } = COMMAND[command];
  return fc
    .record({
      command: fc.constant(command),
      command_status: uint(4),
      sequence_number: uint(4),
      ...Object.fromEntries(FIELDS[command].map(([name, field]) => [name, arbitraryField(field)])),
      tlvs: optional ? fc.array(anyTlv, { maxLength: 6 }) : fc.constant([]),
    })
    .map((made) => {
      const pdu = made as unknown as Record<string, unknown>;
      // Without the UDH indicator: what it announces is another test's matter.
      if (typeof pdu.esm_class === "number") pdu.esm_class = pdu.esm_class & ~0x40;
      return pdu as unknown as Pdu;
    });
}

for (const command of COMMANDS) {
  test(`SMPP: any ${command} decodes to what was encoded, within its announced room`, () => {
    fc.assert(
      fc.property(arbitraryPdu(command), (pdu) => {
        const bytes = encodePdu(pdu);
        assert.ok(bytes.length <= roomFor(pdu));
        const decoded = decodePdu(bytes);
        // fast-check makes objects without a prototype
        assert.deepEqual(decoded, structuredClone(pdu));
        assert.deepEqual(decodePdu(bytes, { mode: "lenient" }), decoded);
        assert.equal(hexOf(encodePdu(decoded)), hexOf(bytes));
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test(`SMPP: ${command} cut short at any octet is refused with an offset inside it`, () => {
    const [pdu] = fc.sample(
      arbitraryPdu(command).map((made) => ({ ...made, command_status: 0 }) as Pdu),
      { seed: SEED, numRuns: 1 },
    );
    const bytes = encodePdu(pdu as Pdu);
    for (let cut = 0; cut < bytes.length; cut++) {
      for (const adjusted of [false, true]) {
        const short = bytes.slice(0, cut);
        if (adjusted && cut >= 16) new DataView(short.buffer).setUint32(0, cut);
        const whole = adjusted && cut >= 16 && endsWhole(short);
        if (whole) continue; // the optional parameters left out altogether: a PDU of its own
        assert.throws(
          () => decodePdu(short),
          (error) => error instanceof DecodeError && error.offset >= 0 && error.offset <= cut,
          `cut at ${cut} of ${bytes.length}`,
        );
      }
    }
    /** A cut between two optional parameters leaves a whole PDU; encoding it again shows that nothing was made up. */
    function endsWhole(short: Uint8Array): boolean {
      if (!COMMAND[command].optional) return false;
      try {
        const decoded = decodePdu(short);
        assert.ok(decoded.tlvs.length < (pdu as Pdu).tlvs.length);
        assert.equal(hexOf(encodePdu(decoded)), hexOf(short));
        return true;
      } catch (error) {
        if (error instanceof DecodeError) return false;
        throw error;
      }
    }
  });
}

for (const { id, pdus, expected } of vectors) {
  test(`SMPP: ${id} (captured from Kannel) decodes, and encodes back to the same octets`, () => {
    pdus.forEach((hex, part) => {
      const pdu = decodePdu(bytesOf(hex));
      assert.ok(pdu.command === "submit_sm");
      assert.equal(pdu.esm_class, expected.smpp.esm_class);
      assert.equal(pdu.source_addr, "2948");
      assert.equal(pdu.destination_addr, "4512345678");
      assert.equal(pdu.data_coding, 4);
      const more = expected.smpp.more_messages_to_send_tlv_0426;
      if (more) assert.equal(tlvValue(pdu.tlvs, "more_messages_to_send") ?? null, more[part]);
      assert.equal(hexOf(encodePdu(pdu)), hex);
    });
  });

  test(`SMPP: ${id} cut at each octet is refused, its length corrected or not`, () => {
    for (const hex of pdus) {
      const bytes = bytesOf(hex);
      const tlvsFrom = bytes.length - (hex.endsWith("0426000101") ? 5 : 0);
      for (let cut = 0; cut < bytes.length; cut++) {
        assert.throws(() => decodePdu(bytes.slice(0, cut)), { name: "DecodeError", offset: 0 });
        if (cut < 16 || cut === tlvsFrom) continue;
        const corrected = bytes.slice(0, cut);
        new DataView(corrected.buffer).setUint32(0, cut);
        assert.throws(() => decodePdu(corrected), { name: "DecodeError" });
      }
    }
  });
}

const header = (id: string, status = "00000000", sequence = "00000001") => `${id}${status}${sequence}`;
/** A PDU from its hex after the length. */
const framed = (hex: string): Uint8Array => {
  const rest = bytesOf(hex);
  const bytes = new Uint8Array(4 + rest.length);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes.set(rest, 4);
  return bytes;
};
const SUBMIT = header("00000004");
const BEFORE_LENGTH = "00 0000 00 0101 3100 000000 00 00 01 00 04 00"; // 17 octets, then sm_length

const hostile: readonly { what: string; bytes: Uint8Array; offset: number; alsoLenient: boolean }[] = [
  { what: "nothing at all", bytes: new Uint8Array(0), offset: 0, alsoLenient: true },
  {
    what: "a length of 0",
    bytes: bytesOf("00000000 00000015 00000000 00000001"),
    offset: 0,
    alsoLenient: true,
  },
  {
    what: "a length of 0xFFFFFFFF",
    bytes: bytesOf("ffffffff 00000015 00000000 00000001"),
    offset: 0,
    alsoLenient: true,
  },
  { what: "HTTP text", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n"), offset: 0, alsoLenient: true },
  { what: "an unknown command_id", bytes: framed(header("00000099")), offset: 4, alsoLenient: true },
  {
    what: "an sm_length past the end",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} c8 4142`),
    offset: 33,
    alsoLenient: true,
  },
  {
    what: "an sm_length of 255, which is reserved",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} ff ${"41".repeat(255)}`),
    offset: 33,
    alsoLenient: false,
  },
  {
    what: "a C-octet string without its NUL",
    bytes: framed(`${header("00000002")} 414243`),
    offset: 16,
    alsoLenient: true,
  },
  {
    what: "a password longer than its field",
    bytes: framed(`${header("00000002")} 4100 ${"42".repeat(9)}00 00 34 00 00 00`),
    offset: 18,
    alsoLenient: false,
  },
  {
    what: "a time of 3 characters",
    bytes: framed(`${SUBMIT} 00 0000 00 0101 3100 000000 31323300 00 01 00 04 00 00`),
    offset: 27,
    alsoLenient: false,
  },
  {
    what: "an optional parameter past the end",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} 00 0424 0010 4142`),
    offset: 34,
    alsoLenient: true,
  },
  {
    what: "half an optional parameter's header",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} 00 0424 00`),
    offset: 34,
    alsoLenient: false,
  },
  {
    what: "an integer parameter without octets",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} 00 0204 0000`),
    offset: 34,
    alsoLenient: false,
  },
  {
    what: "a two-octet integer parameter in one octet",
    bytes: framed(`${SUBMIT} ${BEFORE_LENGTH} 00 0204 0001 07`),
    offset: 34,
    alsoLenient: false,
  },
  {
    what: "a receipted_message_id without its NUL",
    bytes: framed(`${header("00000005")} ${BEFORE_LENGTH} 00 001e 0002 4142`),
    offset: 34,
    alsoLenient: false,
  },
  {
    what: "trailing octets after enquire_link",
    bytes: framed(`${header("00000015")} 0102`),
    offset: 16,
    alsoLenient: false,
  },
  {
    what: "submit_multi that counts 255 destinations",
    bytes: framed(`${header("00000021")} 00 0000 00 ff 01 0101 3100`),
    offset: 20,
    alsoLenient: true,
  },
  {
    what: "submit_multi with a dest_flag of 9",
    bytes: framed(`${header("00000021")} 00 0000 00 01 09 0101 3100`),
    offset: 21,
    alsoLenient: true,
  },
  {
    what: "a user data header longer than the message",
    bytes: framed(`${SUBMIT} 00 0000 00 0101 3100 400000 00 00 01 00 04 00 03 0b0504`),
    offset: 34,
    alsoLenient: false,
  },
  {
    what: "submit_sm_resp without an id or an error",
    bytes: framed(header("80000004")),
    offset: 16,
    alsoLenient: false,
  },
];

for (const { what, bytes, offset, alsoLenient } of hostile) {
  test(`SMPP: ${what} is refused at octet ${offset}${alsoLenient ? "" : " unless lenient"}`, () => {
    assert.throws(
      () => decodePdu(bytes),
      (error) => {
        assert.ok(error instanceof DecodeError, String(error));
        if (what !== "submit_multi that counts 255 destinations") assert.equal(error.offset, offset);
        else assert.ok(error.offset >= offset);
        return true;
      },
    );
    if (alsoLenient) assert.throws(() => decodePdu(bytes, { mode: "lenient" }), DecodeError);
    else assert.doesNotThrow(() => decodePdu(bytes, { mode: "lenient" }));
  });
}

test("SMPP: the body of a response with an error is read when it is there and empty when it is not", () => {
  const withBody = decodePdu(framed(`${header("80000004", "00000058")} 4100`));
  assert.ok(withBody.command === "submit_sm_resp");
  assert.deepEqual([withBody.command_status, withBody.message_id], [STATUS.ESME_RTHROTTLED, "A"]);
  const without = decodePdu(framed(header("80000004", "00000058")));
  assert.ok(without.command === "submit_sm_resp");
  assert.equal(without.message_id, "");
  assert.equal(encodePdu(without).length, 16);
  const multi = decodePdu(framed(header("80000021", "00000033")));
  assert.ok(multi.command === "submit_multi_resp");
  assert.deepEqual(multi.unsuccess_sme, []);
});

test("SMPP: an unknown optional parameter keeps its octets both ways", () => {
  const bytes = framed(`${SUBMIT} ${BEFORE_LENGTH} 00 1400 0003 010203`);
  const pdu = decodePdu(bytes);
  assert.deepEqual(pdu.tlvs, [{ name: "unknown", tag: 0x1400, value: bytesOf("010203") }]);
  assert.equal(hexOf(encodePdu(pdu)), hexOf(bytes));
});

test("SMPP: a lenient reader takes a receipted_message_id without NUL and a message_state of two octets", () => {
  const bytes = framed(`${header("00000005")} ${BEFORE_LENGTH} 00 001e 0002 4142 0427 0002 0002 0427 0000`);
  const { tlvs } = decodePdu(bytes, { mode: "lenient" });
  assert.equal(tlvValue(tlvs, "receipted_message_id"), "AB");
  assert.equal(tlvValue(tlvs, "message_state"), 2);
  assert.deepEqual(tlvs[2], { name: "unknown", tag: 0x0427, value: new Uint8Array(0) });
});

test("SMPP: a decoded message keeps its value when the receive buffer is used again", () => {
  const bytes = framed(`${SUBMIT} ${BEFORE_LENGTH} 02 4142 0424 0002 4344`);
  const pdu = decodePdu(bytes);
  bytes.fill(0);
  assert.ok(pdu.command === "submit_sm");
  assert.equal(hexOf(pdu.short_message), "4142");
  assert.equal(hexOf(tlvValue(pdu.tlvs, "message_payload") as Uint8Array), "4344");
});

const unfit: readonly { what: string; make: () => Pdu }[] = [
  {
    what: "an address of 21 characters",
    make: () => makePdu("submit_sm", 1, { source_addr: "1".repeat(21) }),
  },
  { what: "a NUL inside an address", make: () => makePdu("submit_sm", 1, { source_addr: "1\x002" }) },
  { what: "a character outside Latin-1", make: () => makePdu("submit_sm", 1, { source_addr: "€" }) },
  { what: "an octet of 256", make: () => makePdu("submit_sm", 1, { data_coding: 256 }) },
  { what: "an octet of -1", make: () => makePdu("submit_sm", 1, { data_coding: -1 }) },
  { what: "an octet of 1.5", make: () => makePdu("submit_sm", 1, { data_coding: 1.5 }) },
  {
    what: "255 octets of text",
    make: () => makePdu("deliver_sm", 1, { short_message: new Uint8Array(255) }),
  },
  {
    what: "a time of 15 characters",
    make: () => makePdu("submit_sm", 1, { validity_period: "0".repeat(15) }),
  },
  {
    what: "a text where octets are due",
    make: () => makePdu("replace_sm", 1, { short_message: "x" as never }),
  },
  { what: "a number where a text is due", make: () => makePdu("query_sm", 1, { message_id: 7 as never }) },
  { what: "no destination", make: () => makePdu("submit_multi", 1) },
  { what: "a sequence number of 2^32", make: () => makePdu("enquire_link", 2 ** 32) },
  {
    what: "a payload of 65,536 octets",
    make: () => makePdu("data_sm", 1, { tlvs: [{ name: "message_payload", value: new Uint8Array(65_536) }] }),
  },
  {
    what: "a callback number of 3 octets",
    make: () => makePdu("submit_sm", 1, { tlvs: [{ name: "callback_num", value: new Uint8Array(3) }] }),
  },
];

for (const { what, make } of unfit) {
  test(`SMPP: ${what} is not written`, () => {
    assert.throws(() => encodePdu(make()), { name: "TurnupError", code: "smpp_field_invalid" });
  });
}

test("SMPP: a payload of 65,535 octets is written and read", () => {
  const value = new Uint8Array(65_535).fill(7);
  const pdu = makePdu("data_sm", 1, { tlvs: [{ name: "message_payload", value }] });
  assert.deepEqual(decodePdu(encodePdu(pdu)), pdu);
});

test("SMPP: a PDU is not written past the end of its target", () => {
  const target = Buffer.alloc(20);
  assert.throws(
    () => encodePduInto(makePdu("submit_sm_resp", 1, { message_id: "12345" }), target, 0),
    RangeError,
  );
  assert.deepEqual(target, Buffer.alloc(20));
});

test("SMPP: random changes of captured PDUs are read or refused, and what is read strictly encodes back", () => {
  const random = drawsOf(SEED);
  const originals = [
    ...vectors.flatMap(({ pdus }) => pdus.map(bytesOf)),
    ...COMMANDS.map((command) => {
      const [pdu] = fc.sample(arbitraryPdu(command), { seed: SEED, numRuns: 1 });
      return encodePdu(pdu as Pdu);
    }),
  ];
  let read = 0;
  let refused = 0;
  for (let round = 0; round < 60_000; round++) {
    const bytes = (originals[random(originals.length)] as Uint8Array).slice();
    for (let change = 1 + random(3); change > 0; change--) bytes[4 + random(bytes.length - 4)] = random(256);
    for (const mode of ["strict", "lenient"] as const) {
      try {
        const pdu = decodePdu(bytes, { mode });
        read++;
        // A bodiless error response may be written with or without its body: compare values, not octets.
        if (mode === "strict") assert.deepEqual(decodePdu(encodePdu(pdu)), pdu);
      } catch (error) {
        assert.ok(error instanceof DecodeError, `${REPEAT_WITH}, round ${round}: ${String(error)}`);
        refused++;
      }
    }
  }
  assert.ok(read > 10_000 && refused > 1_000, `${REPEAT_WITH}: ${read} read, ${refused} refused`);
});

test("SMPP: every command and every optional parameter has its own number", () => {
  assert.equal(new Set(COMMANDS.map((command) => COMMAND[command].id)).size, COMMANDS.length);
  const names = Object.keys(TLV) as TlvName[];
  assert.equal(new Set(names.map((name) => TLV[name].tag)).size, names.length);
  for (const command of COMMANDS) {
    const { id } = COMMAND[command];
    if (id < 0x80000000 && !["outbind", "alert_notification"].includes(command)) {
      const response = `${command}_resp` as Command;
      assert.equal(COMMAND[response]?.id, id + 0x80000000, command);
    }
  }
});

test("SMPP: statuses have names, and only congestion is retried by the session itself", () => {
  assert.equal(statusName(0x58), "ESME_RTHROTTLED");
  assert.equal(statusName(0x0401), "0x00000401");
  assert.equal(meaningOf(STATUS.ESME_RTHROTTLED), "congested");
  assert.equal(meaningOf(STATUS.ESME_RMSGQFUL), "congested");
  assert.equal(meaningOf(STATUS.ESME_RSYSERR), "temporary");
  assert.equal(meaningOf(STATUS.ESME_RINVDSTADR), "permanent");
  assert.equal(meaningOf(0x0401), "doubtful");
  assert.equal(NO_TLVS.length, 0);
});
