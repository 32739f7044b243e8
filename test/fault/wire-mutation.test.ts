/**
 * A million damaged messages: every codec on the way of a provisioning message refuses them with a DecodeError or reads
 * them, and neither crashes, nor hangs, nor takes more than 1 MiB of memory for one message.
 *
 * Memory is held in three ways. What a decode gives back is weighed for every message. What a decode allocates on the
 * way is measured by the heap's own count for a sample of them. And messages made to cost the most that the decoders'
 * limits allow are measured one by one after a collection, so that no collection falls into the measurement.
 *
 * TURNUP_TEST_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "vitest";
import { DecodeError } from "../../src/wire/decode-error.ts";
import { decodeDiameter, messageLength } from "../../src/wire/diameter/message.ts";
import { readEquipmentAnswer, readEquipmentCheck } from "../../src/wire/diameter/s13.ts";
import { decodeGsup } from "../../src/wire/gsup/gsup.ts";
import { ipaFrameAt } from "../../src/wire/gsup/ipa.ts";
import { bytesOf, hexOf } from "../../src/wire/hex.ts";
import { decodeMms, encodeMms } from "../../src/wire/mms/codec.ts";
import { decodeNokiaOta } from "../../src/wire/nokiaota/codec.ts";
import { decodeProvisioning, xmlOf } from "../../src/wire/omacp/codec.ts";
import { decodeDmWbxml, decodeDmXml } from "../../src/wire/omadm/codec.ts";
import { decodeNotification } from "../../src/wire/omadm/notification.ts";
import { readAccounting } from "../../src/wire/radius/accounting.ts";
import { decodeRadius } from "../../src/wire/radius/packet.ts";
import { readMessage } from "../../src/wire/reading.ts";
import { decodeSi, decodeSl } from "../../src/wire/si/codec.ts";
import { decodeSip, encodeSip } from "../../src/wire/sip/message.ts";
import { decodeSdp, encodeSdp } from "../../src/wire/sip/sdp.ts";
import { decodePdu } from "../../src/wire/smpp/pdu.ts";
import { createReassembler } from "../../src/wire/sms/reassembly.ts";
import { decodeText } from "../../src/wire/sms/text.ts";
import { decodeUdh, splitHeader } from "../../src/wire/sms/udh.ts";
import { uintvar } from "../../src/wire/uintvar.ts";
import { LIMITS } from "../../src/wire/wbxml/decode.ts";
import { decodeMultipart, encodeMultipart } from "../../src/wire/wsp/multipart.ts";
import { decodePush } from "../../src/wire/wsp/push.ts";
import { drawsOf, REPEAT_WITH, SEED } from "../fixture/seed.ts";
import { DIAMETER_VECTORS } from "../vector/diameter.ts";
import { GSUP_VECTORS } from "../vector/gsup.ts";
import { MMS_SAMPLES, MMS_VECTORS } from "../vector/mms.ts";
import { isWbxmlLayer, VECTORS } from "../vector/oma-cp.ts";
import { DM_VECTORS } from "../vector/oma-dm.ts";
import { RADIUS_VECTORS } from "../vector/radius.ts";
import { SAMPLES } from "../vector/settings-samples.ts";

const MUTATIONS = 1_000_000;
const MEMORY_MAX_OCTETS = 1_048_576;
const SECRET = { imsi: "001010123456789", pin: "1234" };

type Target = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
};

/** One for all parts of all messages: what the damaged ones leave behind in it is bounded too. */
const REASSEMBLY = { limitMessages: 64, limitOctets: 65_536, timeoutMs: 1_000_000 };
const reassembler = createReassembler(REASSEMBLY);

function acceptPart(bytes: Uint8Array): unknown {
  const whole = reassembler.accept({ from: "1", to: "2", ...splitHeader(bytes), atMs: 0 });
  return whole && decodePush(whole.bytes);
}

const OFFER = encodeSdp({
  origin: "a 1 1 IN IP4 b",
  connection: "IN IP4 b",
  media: [
    { kind: "video", port: 9, protocol: "RTP/AVP", formats: ["34"], attributes: ["rtpmap:34 H263/90000"] },
  ],
});
const INVITE = encodeSip({
  kind: "request",
  method: "INVITE",
  uri: "sip:a@b",
  headers: [
    ["Call-ID", "1"],
    ["Content-Type", "application/sdp"],
  ],
  body: Buffer.from(OFFER),
});

const targets: readonly Target[] = [
  ...GSUP_VECTORS.map(({ id, hex }) => ({
    name: id,
    bytes: bytesOf(hex),
    decode: (bytes: Uint8Array) => decodeGsup(ipaFrameAt(bytes, 0)?.payload.subarray(1) ?? bytes),
  })),
  ...DIAMETER_VECTORS.map(({ id, hex }) => ({
    name: id,
    bytes: bytesOf(hex),
    decode(bytes: Uint8Array) {
      const message = decodeDiameter(bytes.subarray(0, messageLength(bytes, 0)));
      return [readEquipmentAnswer(message), readEquipmentCheck(message)];
    },
  })),
  ...RADIUS_VECTORS.map(({ id, hex }) => ({
    name: id,
    bytes: bytesOf(hex),
    decode: (bytes: Uint8Array) => readAccounting(decodeRadius(bytes)),
  })),
  ...VECTORS.flatMap(({ hex, hexStringTable, segments, pdus, id, ...vector }) => {
    const [, root] = vector.expected.xml.match(/^<([\w-]+)/) ?? [];
    const isProv = root === "wap-provisioningdoc";
    const decodeDocument = isProv
      ? decodeProvisioning
      : root === "si"
        ? decodeSi
        : root === "sl"
          ? decodeSl
          : decodeNokiaOta;
    const isDocument = isWbxmlLayer({ hex, id, ...vector });
    const document = isDocument ? bytesOf(hex) : decodePush(bytesOf(hex)).body;
    const push = isDocument
      ? []
      : [
          {
            bytes: bytesOf(hex),
            decode: (bytes: Uint8Array) => readMessage("push", [bytes], { secret: SECRET }),
          },
        ];
    return [
      { bytes: document, decode: decodeDocument },
      {
        bytes: document,
        decode: (bytes: Uint8Array) => readMessage("wbxml", [bytes], { secret: SECRET, sec: "netwpin" }),
      },
      ...(isProv ? [{ bytes: document, decode: xmlOf }] : []),
      ...(hexStringTable ? [{ bytes: bytesOf(hexStringTable), decode: decodeProvisioning }] : []),
      ...push,
      ...(segments ?? []).map((segment) => ({ bytes: bytesOf(segment), decode: acceptPart })),
      ...(segments ?? []).map((segment) => ({ bytes: splitHeader(bytesOf(segment)).udh, decode: decodeUdh })),
      ...(pdus ?? []).map((pdu) => ({
        bytes: bytesOf(pdu),
        decode: (bytes: Uint8Array) => decodePdu(bytes),
      })),
      ...(pdus ?? []).map((pdu) => ({
        bytes: bytesOf(pdu),
        decode: (bytes: Uint8Array) => readMessage("smpp", [bytes], { secret: SECRET }),
      })),
    ].map((target) => ({ ...target, name: id }));
  }),
  ...DM_VECTORS.flatMap(({ id, group, hex, xml }): Target[] => {
    if (!hex || hex.includes("x") || id === "bootstrap-cp-w7") return [];
    if (group === "package0") return [{ name: id, bytes: bytesOf(hex), decode: decodeNotification }];
    return [
      { name: id, bytes: bytesOf(hex), decode: decodeDmWbxml },
      ...(xml ? [{ name: id, bytes: Buffer.from(xml), decode: decodeDmXml }] : []),
    ];
  }),
  {
    name: "package",
    bytes: encodeMultipart(
      SAMPLES.map(({ hex, mac }) => ({
        contentType: "application/vnd.wap.connectivity-wbxml",
        params: { SEC: 1, MAC: mac },
        body: bytesOf(hex),
      })),
    ),
    decode: decodeMultipart,
  },
  ...MMS_VECTORS.map(({ name, hex }) => ({
    name,
    bytes: bytesOf(hex.replaceAll(" ", "")),
    decode: decodeMms,
  })),
  ...MMS_SAMPLES.map((pdu) => ({ name: pdu.type, bytes: encodeMms(pdu), decode: decodeMms })),
  { name: "INVITE", bytes: INVITE, decode: (bytes) => decodeSip(bytes) },
  {
    name: "SDP",
    bytes: Buffer.from(OFFER),
    decode: (bytes) => decodeSdp(Buffer.from(bytes).toString("utf8")),
  },
  {
    name: "text",
    bytes: bytesOf("00416200f6b0"),
    decode: (bytes) => decodeText(bytes[0] ?? 0, bytes.subarray(1)),
  },
];

/** Octets that mean something to one of the layers. */
const TELLING = Uint8Array.of(
  0,
  1,
  2,
  3,
  4,
  0x1f,
  0x40,
  0x43,
  0x45,
  0x7f,
  0x80,
  0x83,
  0x84,
  0xc0,
  0xc3,
  0xc4,
  0xc6,
  0xff,
);

function mutated(bytes: Uint8Array, other: Uint8Array, below: (limit: number) => number): Uint8Array {
  let octets = bytes;
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(octets.length + 1);
    const run = below(8);
    switch (below(7)) {
      case 0:
        octets = octets.length > 0 ? octets.with(at % octets.length, below(256)) : octets;
        break;
      case 1:
        octets =
          octets.length > 0 ? octets.with(at % octets.length, TELLING[below(TELLING.length)]!) : octets;
        break;
      case 2:
        octets = spliced(octets, at, 0, Uint8Array.of(TELLING[below(TELLING.length)]!));
        break;
      case 3:
        octets = spliced(octets, at, run, new Uint8Array(0));
        break;
      case 4:
        octets = spliced(octets, at, 0, octets.subarray(at, at + run * 16)); // a stretch twice
        break;
      case 5:
        octets = spliced(octets, at, run, other.subarray(below(other.length), below(other.length)));
        break;
      default:
        octets = octets.subarray(0, at);
    }
  }
  return octets;
}

function spliced(octets: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(octets.length - removed, at) + inserted.length);
  result.set(octets.subarray(0, at));
  result.set(inserted, at);
  result.set(octets.subarray(at + removed), at + inserted.length);
  return result;
}

/** What a value holds, at the least: 16 octets an object or text, the characters and octets in it. */
function weightOf(value: unknown): number {
  if (typeof value === "string") return 16 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof Uint8Array) return 16 + value.length;
  let weight = 16;
  for (const key in value) weight += 8 + weightOf(value[key as keyof typeof value]);
  return weight;
}

/** Octets that the heap has given out, as far as no collection came between. */
function allocatedOctets(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

const MEASURED_EVERY = 16;
/** A million take a minute of a core that does nothing else. */
const PATIENCE_MS = 900_000;

test(
  `a million damaged messages are read or refused, each for less than 1 MiB (${REPEAT_WITH})`,
  () => {
    process.stdout.write(`wire mutation: ${REPEAT_WITH}\n`);
    const below = drawsOf(SEED);
    const outcome = { read: 0, refused: 0 };
    for (let turn = 0; turn < MUTATIONS; turn++) {
      const target = targets[below(targets.length)]!;
      const bytes = mutated(target.bytes, targets[below(targets.length)]!.bytes, below);
      const where = () => `${REPEAT_WITH}, turn ${turn}, ${target.name}: ${hexOf(bytes)}`;
      const before = turn % MEASURED_EVERY === 0 ? allocatedOctets() : 0;
      let value: unknown;
      try {
        value = target.decode(bytes);
        outcome.read++;
      } catch (error) {
        if (!(error instanceof DecodeError)) assert.fail(`${String((error as Error).stack)}\n${where()}`);
        const inside = error.offset >= 0 && error.offset <= Math.max(bytes.length, 65_536);
        if (!Number.isInteger(error.offset) || !inside) assert.fail(`offset ${error.offset}: ${where()}`);
        outcome.refused++;
      }
      if (before > 0 && allocatedOctets() - before > MEMORY_MAX_OCTETS) assert.fail(`memory: ${where()}`);
      if (weightOf(value) > MEMORY_MAX_OCTETS) assert.fail(`weight: ${where()}`);
    }
    assert.ok(reassembler.pending <= REASSEMBLY.limitMessages);
    // A generator that damages everything or nothing would prove nothing.
    assert.ok(outcome.read > MUTATIONS / 50 && outcome.refused > MUTATIONS / 4, JSON.stringify(outcome));
  },
  PATIENCE_MS,
);

const HEAD = "030b6a";
const hexTimes = (hex: string, times: number): string => hex.repeat(times);
const body = (hex: string): Uint8Array => bytesOf(`${HEAD}00${hex}`);
const tableOf = (hex: string): string => hexOf(Uint8Array.from(uintvar(hex.length / 2))) + hex;
const TREE = `02016a00000260${hexTimes("06", LIMITS.elements - 1)}01`;
const EMBEDDED = `c3${tableOf(TREE)}`;
/** Messages that use the decoders' limits up, each in its own way. */
const COSTLY: readonly Target[] = [
  {
    name: "as many elements as are read",
    bytes: body(`45${hexTimes("865101", LIMITS.elements - 1)}01`),
    decode: decodeProvisioning,
  },
  {
    name: "one element more",
    bytes: body(`45${hexTimes("865101", LIMITS.elements)}01`),
    decode: decodeProvisioning,
  },
  {
    name: "as many documents inside as are read, each of as many elements",
    bytes: bytesOf(`02a4016a006d4f${hexTimes(EMBEDDED, 4)}0101`),
    decode: decodeDmWbxml,
  },
  { name: "elements without end", bytes: body(`45${hexTimes("06", 60_000)}`), decode: decodeProvisioning },
  { name: "nesting without end", bytes: body(hexTimes("46", 60_000)), decode: xmlOf },
  {
    name: "as many attributes as are read",
    bytes: body(`c5${hexTimes("45", LIMITS.attributes)}0101`),
    decode: xmlOf,
  },
  {
    name: "as many characters as are read",
    bytes: body(`c54503${hexTimes("61", LIMITS.textCharacters)}000101`),
    decode: xmlOf,
  },
  {
    name: "as many characters, each escaped and none Latin",
    bytes: body(`c5450326${hexTimes("26", LIMITS.textCharacters - 4)}e282ac000101`),
    decode: xmlOf,
  },
  {
    name: "the longest value token as often as is read",
    bytes: body(`c545${hexTimes("95", LIMITS.textPieces)}0101`),
    decode: xmlOf,
  },
  {
    name: "as many entities as are read",
    bytes: body(`c545${hexTimes("028720", LIMITS.textPieces)}0101`),
    decode: xmlOf,
  },
  {
    name: "a long string table entry, referred to without end",
    bytes: bytesOf(`${HEAD}${tableOf(`${hexTimes("61", 4_000)}00`)}c545${hexTimes("8300", 20_000)}0101`),
    decode: xmlOf,
  },
  {
    name: "a string table without ends",
    bytes: bytesOf(`${HEAD}${tableOf(hexTimes("61", 20_000))}c545${hexTimes("8300", 20_000)}0101`),
    decode: xmlOf,
  },
  { name: "a string table that is said to be 4 GiB", bytes: bytesOf(`${HEAD}8fffffff7f45`), decode: xmlOf },
  { name: "opaque octets that are said to be 4 GiB", bytes: body("c545c38fffffff7f00"), decode: xmlOf },
  {
    name: "empty parms as an operator's document",
    bytes: body(`45c65501${hexTimes("87070600", 0)}${hexTimes("87070601", LIMITS.elements - 2)}0101`),
    decode: decodeProvisioning,
  },
  {
    name: "a push with headers without end",
    bytes: bytesOf(`0106${hexOf(Uint8Array.from(uintvar(60_001)))}b6${hexTimes("8d81", 30_000)}`),
    decode: decodePush,
  },
  {
    name: "a push with as many headers as are read, one very long",
    bytes: bytesOf(
      `0106${hexOf(Uint8Array.from(uintvar(60_064)))}b6${hexTimes("8d81", 31)}41${"00"}${hexTimes("41", 59_998)}00`,
    ),
    decode: decodePush,
  },
  {
    name: "a push whose type is a text of 60,000 characters",
    bytes: bytesOf(`0106${hexOf(Uint8Array.from(uintvar(60_001)))}${hexTimes("41", 60_000)}00`),
    decode: decodePush,
  },
  { name: "a package of 4 billion entries", bytes: bytesOf("8fffffff7f00"), decode: decodeMultipart },
  {
    name: "an MMS of as many addresses as are read, and one more",
    bytes: bytesOf(`8c80${hexTimes("976100", 101)}`),
    decode: decodeMms,
  },
  {
    name: "an MMS of fields without end",
    bytes: bytesOf(`8c83${hexTimes("b180", 60_000)}`),
    decode: decodeMms,
  },
  {
    name: "an MMS with a subject of 600,000 characters",
    bytes: bytesOf(`8c8396${hexTimes("61", 600_000)}00`),
    decode: decodeMms,
  },
  { name: "a header of 127 empty elements", bytes: bytesOf(`fe${hexTimes("7000", 127)}`), decode: decodeUdh },
  {
    name: "a PDU of optional parameters without end",
    bytes: bytesOf(
      `0000ea7400000004000000000000000100010131000101320000000000000000000000${hexTimes("14000000", 15_000)}`.slice(
        0,
        2 * 0xea74,
      ),
    ),
    decode: (bytes) => decodePdu(bytes),
  },
];

const MEASURES = 3;

const collect = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

for (const { name, bytes, decode } of COSTLY) {
  test(`${name}: no more than 1 MiB is allocated`, () => {
    const run = () => {
      try {
        return decode(bytes);
      } catch (error) {
        if (error instanceof DecodeError) return error;
        throw error;
      }
    };
    run(); // what the engine allocates once for code is no cost of the message
    const measured = Array.from({ length: MEASURES }, () => {
      collect();
      const before = allocatedOctets();
      const value = run();
      return { value, octets: allocatedOctets() - before };
    });
    const kept = measured.filter(({ octets }) => octets >= 0);
    assert.ok(kept.length > 0, "a collection fell into every measurement");
    // The engine may compile meanwhile, which is no cost of the message either: the least of them is the message's.
    const { value, octets } = kept.reduce((least, one) => (one.octets < least.octets ? one : least));
    assert.ok(octets <= MEMORY_MAX_OCTETS, `${octets} octets allocated for ${bytes.length}`);
    assert.ok(weightOf(value) <= MEMORY_MAX_OCTETS);
  });
}
