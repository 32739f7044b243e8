/**
 * Every byte vector of OMA CP, Nokia OTA, SI and SL: real operators' messages, the specifications' examples, captures of
 * other senders. Decoded alike by at least two other programs before they came here (`verifiedBy` in the data).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DecodeError } from "../../src/wire/decode-error.ts";
import { bytesOf, hexOf } from "../../src/wire/hex.ts";
import { decodeNokiaOta, encodeNokiaOta, xmlOfNokiaOta } from "../../src/wire/nokiaota/codec.ts";
import { decodeProvisioning, encodeProvisioning, xmlOf } from "../../src/wire/omacp/codec.ts";
import { type Sec, verifyMac } from "../../src/wire/omacp/mac.ts";
import { decodeSi, decodeSl, encodeSi, encodeSl, xmlOfSi, xmlOfSl } from "../../src/wire/si/codec.ts";
import { decodePdu } from "../../src/wire/smpp/pdu.ts";
import { tlvValue } from "../../src/wire/smpp/tlv.ts";
import { createReassembler } from "../../src/wire/sms/reassembly.ts";
import { splitUserData } from "../../src/wire/sms/split.ts";
import { decodeUdh, encodeUdh, splitHeader } from "../../src/wire/sms/udh.ts";
import { decodePush, encodePush } from "../../src/wire/wsp/push.ts";
import { isWbxmlLayer, VECTORS, type Vector } from "./oma-cp.ts";

type Codec = {
  readonly xmlOf: (bytes: Uint8Array) => string;
  /** Octets to value to octets. */
  readonly again: (bytes: Uint8Array) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
};

const CODECS: Readonly<Record<"prov" | "nokia" | "si" | "sl", Codec>> = {
  prov: {
    xmlOf,
    decode: decodeProvisioning,
    again: (bytes) => encodeProvisioning(decodeProvisioning(bytes)),
  },
  nokia: {
    xmlOf: xmlOfNokiaOta,
    decode: decodeNokiaOta,
    again: (bytes) => encodeNokiaOta(decodeNokiaOta(bytes)),
  },
  si: { xmlOf: xmlOfSi, decode: decodeSi, again: (bytes) => encodeSi(decodeSi(bytes)) },
  sl: { xmlOf: xmlOfSl, decode: decodeSl, again: (bytes) => encodeSl(decodeSl(bytes)) },
};

function codecOf({ expected }: Vector): Codec {
  const [, root] = expected.xml.match(/^<([\w-]+)/) ?? [];
  const codec = {
    "wap-provisioningdoc": CODECS.prov,
    "CHARACTERISTIC-LIST": CODECS.nokia,
    si: CODECS.si,
    sl: CODECS.sl,
  };
  return codec[root as keyof typeof codec];
}

const documentOf = (vector: Vector): Uint8Array =>
  isWbxmlLayer(vector) ? bytesOf(vector.hex) : decodePush(bytesOf(vector.hex)).body;

/** `<si/>` alone: the published vector tests the head of a document, and holds no indication to decode. */
const HAS_NO_CONTENT = /^<(si|sl)\/>$/;

test("there are as many vectors as were collected", () => {
  assert.equal(VECTORS.length, 35);
});

for (const vector of VECTORS) {
  const codec = codecOf(vector);

  test(`${vector.id}: decodes to the document that others read in it`, () => {
    assert.equal(codec.xmlOf(documentOf(vector)), vector.expected.xml);
    if (vector.hexStringTable) assert.equal(codec.xmlOf(bytesOf(vector.hexStringTable)), vector.expected.xml);
  });

  test(`${vector.id}: cut at any octet is refused, with an offset inside what is left`, () => {
    const bytes = documentOf(vector);
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => codec.xmlOf(bytes.subarray(0, cut)), isRefusalWithin(cut), `cut at ${cut}`);
    }
  });

  if (!HAS_NO_CONTENT.test(vector.expected.xml)) {
    test(`${vector.id}: encoded after decoding, it is the same document`, () => {
      const bytes = documentOf(vector);
      assert.deepEqual(codec.decode(codec.again(bytes)), codec.decode(bytes));
    });
  }

  if (vector.auth) {
    const { sec, pin, imsi, mac, valid } = vector.auth;
    test(`${vector.id}: its ${sec} MAC ${valid ? "verifies" : "does not verify"}`, () => {
      const name = sec.toLowerCase() as Sec;
      const document = documentOf(vector);
      assert.equal(verifyMac(name, mac, { pin, imsi }, document), valid);
      assert.equal(verifyMac(name, mac.toLowerCase(), { pin, imsi }, document), valid);
      const changed = document.with(document.length - 1, 0);
      assert.equal(verifyMac(name, mac, { pin, imsi }, changed), false);
    });
  }

  if (vector.expected.wsp) {
    test(`${vector.id}: its push has the headers that others read in it`, () => {
      const push = decodePush(bytesOf(vector.hex));
      const { transactionId, pduType, headersLength, contentType, contentTypeCode, params, bodyOffset } =
        push;
      assert.deepEqual(
        { transactionId, pduType, headersLength, contentType, contentTypeCode, params, bodyOffset },
        vector.expected.wsp,
      );
    });

    test(`${vector.id}: its push encodes back to the same octets`, () => {
      const push = decodePush(bytesOf(vector.hex));
      assert.equal(hexOf(encodePush(push)), vector.hex);
    });

    // A body has no length of its own, so a push cut inside it is a push with a shorter body: the document refuses it.
    test(`${vector.id}: a push cut at any octet is refused, by its headers or by the document in it`, () => {
      const bytes = bytesOf(vector.hex);
      for (let cut = 0; cut < bytes.length; cut++) {
        const left = bytes.subarray(0, cut);
        assert.throws(() => codec.xmlOf(decodePush(left).body), isRefusalWithin(cut), `cut at ${cut}`);
      }
    });
  }

  if (vector.segments) {
    const segments = vector.segments.map((hex) => splitHeader(bytesOf(hex)));

    test(`${vector.id}: its short messages have the headers that others read in them`, () => {
      assert.deepEqual(
        segments.map(({ udh }) => decodeUdh(udh)),
        vector.expected.udh,
      );
      for (const { udh } of segments) assert.equal(hexOf(encodeUdh(decodeUdh(udh))), hexOf(udh));
    });

    test(`${vector.id}: its short messages give the push in any order, each of them twice`, () => {
      for (const order of [segments, segments.toReversed(), [...segments.slice(1), segments[0]!]]) {
        const reassembler = createReassembler({ limitMessages: 4, limitOctets: 4096, timeoutMs: 1000 });
        const whole = order
          .flatMap((part) => [part, part])
          .map((part, atMs) => reassembler.accept({ from: "1", to: "2", ...part, atMs }))
          .filter((message) => message !== null);
        // A message of one part has no reference by which to know it again.
        assert.equal(whole.length, segments.length === 1 ? 2 : 1);
        assert.equal(hexOf(whole[0]!.bytes), vector.hex);
      }
    });

    test(`${vector.id}: cutting its push gives the same short messages`, () => {
      const { destPort, srcPort, concat } = decodeUdh(segments[0]!.udh);
      const parts = splitUserData(bytesOf(vector.hex), {
        destPort: destPort!,
        srcPort: srcPort!,
        reference: concat?.ref ?? 0,
        referenceBits: concat?.refBits ?? 8,
      });
      const hex = parts.map(({ udh, data }) => hexOf(udh) + hexOf(data));
      assert.deepEqual(hex, vector.segments);
    });

    test(`${vector.id}: a header cut at any octet is refused`, () => {
      const udh = segments[0]!.udh;
      for (let cut = 0; cut < udh.length; cut++) {
        assert.throws(() => splitHeader(udh.subarray(0, cut)), isRefusalWithin(cut), `cut at ${cut}`);
      }
    });
  }

  if (vector.pdus) {
    test(`${vector.id}: a PDU cut at any octet is refused`, () => {
      for (const bytes of vector.pdus!.map(bytesOf)) {
        for (let cut = 0; cut < bytes.length; cut++) {
          assert.throws(() => decodePdu(bytes.subarray(0, cut)), isRefusalWithin(cut), `cut at ${cut}`);
        }
      }
    });

    test(`${vector.id}: its PDUs carry the short messages, with the fields that others read in them`, () => {
      const pdus = vector.pdus!.map((hex) => decodePdu(bytesOf(hex)));
      const { dest_addr, more_messages_to_send_tlv_0426: more, ...fields } = vector.expected.smpp!;
      const wanted = dest_addr === undefined ? fields : { ...fields, destination_addr: dest_addr };
      for (const [index, pdu] of pdus.entries()) {
        assert.ok(pdu.command === "submit_sm");
        assert.equal(hexOf(pdu.short_message), vector.segments![index]);
        const met = Object.entries(pdu).filter(([name]) => name in wanted);
        assert.deepEqual(Object.fromEntries(met), wanted);
        if (Array.isArray(more))
          assert.equal(tlvValue(pdu.tlvs, "more_messages_to_send") ?? null, more[index]);
      }
    });
  }
}

const isRefusalWithin = (cut: number) => (error: unknown) =>
  error instanceof DecodeError && error.offset >= 0 && error.offset <= cut;
