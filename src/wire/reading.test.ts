/** Looking into messages: the ways that no vector takes. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { SAMPLES } from "../../test/vector/settings-samples.ts";
import { bytesOf, hexOf } from "./hex.ts";
import { macOf } from "./omacp/mac.ts";
import { readMessage } from "./reading.ts";
import { encodePdu, makePdu } from "./smpp/pdu.ts";
import type { Tlv } from "./smpp/tlv.ts";
import { splitUserData } from "./sms/split.ts";
import { encodeMultipart } from "./wsp/multipart.ts";
import { encodePush } from "./wsp/push.ts";

const { document, hex, mac } = SAMPLES[1]!;
const WBXML = bytesOf(hex);
const OMA_CP = "application/vnd.wap.connectivity-wbxml";
const SECRET = { pin: "1234" };
const PUSH = encodePush({ transactionId: 1, contentType: OMA_CP, sec: "userpin", mac, body: WBXML });

const submitOf = (short_message: Uint8Array, esm_class: number, tlvs: readonly Tlv[]) =>
  encodePdu(
    makePdu("submit_sm", 1, { destination_addr: "46700", esm_class, data_coding: 4, short_message, tlvs }),
  );

test("a package shows each of its parts, and the settings in it with their own signature", () => {
  const key = bytesOf("0102");
  const body = encodeMultipart([
    { contentType: "application/vnd.turnup.device-key", body: key },
    { contentType: OMA_CP, params: { SEC: "userpin", MAC: mac }, body: WBXML },
  ]);
  const bytes = encodePush({ transactionId: 1, contentType: "application/vnd.wap.multipart.mixed", body });
  const reading = readMessage("push", [bytes], { secret: SECRET });
  assert.deepEqual(reading.document, document);
  assert.equal(reading.macVerified, true);
  assert.deepEqual(
    reading.entries?.map((entry) => [entry.contentType, hexOf(entry.body)]),
    [
      ["application/vnd.turnup.device-key", "0102"],
      [OMA_CP, hex],
    ],
  );
  const at = bytes.length - 1; // the END of the document
  assert.throws(() => readMessage("push", [bytes.with(at, 0x7f)], {}), { name: "DecodeError", offset: at });
});

test("a package without settings, and a type that is no document, are shown as what they are", () => {
  const body = encodeMultipart([{ contentType: "text/plain", body: bytesOf("61") }]);
  for (const push of [
    { contentType: "application/vnd.wap.multipart.related", body },
    { contentType: "text/plain", body: bytesOf("61") },
  ]) {
    const reading = readMessage("push", [encodePush({ transactionId: 1, ...push })], {});
    assert.equal(reading.xml, null);
    assert.equal(reading.push?.contentType, push.contentType);
  }
});

test("a PDU may carry the whole message as message_payload, with a header or with ports as parameters", () => {
  const empty = new Uint8Array(0);
  const ports: Tlv[] = [
    { name: "source_port", value: 9200 },
    { name: "destination_port", value: 2948 },
  ];
  const [part] = splitUserData(PUSH, {
    destPort: 2948,
    srcPort: 9200,
    reference: 1,
    referenceBits: 8,
    maxOctets: 1_000,
  });
  const withHeader = Uint8Array.of(...part!.udh, ...part!.data);
  for (const pdu of [
    submitOf(empty, 0x40, [{ name: "message_payload", value: withHeader }]),
    submitOf(empty, 0, [...ports, { name: "message_payload", value: PUSH }]),
  ]) {
    const reading = readMessage("smpp", [pdu], { secret: SECRET });
    assert.deepEqual(reading.document, document);
    assert.equal(reading.macVerified, true);
    assert.deepEqual(reading.udh, [{ destPort: 2948, srcPort: 9200 }]);
  }
});

test("PDUs may be joined by SMPP's own segment parameters", () => {
  const pdus = [PUSH.subarray(0, 100), PUSH.subarray(100, 200), PUSH.subarray(200)].map((octets, index) =>
    submitOf(octets, 0, [
      { name: "sar_msg_ref_num", value: 700 },
      { name: "sar_total_segments", value: 3 },
      { name: "sar_segment_seqnum", value: index + 1 },
    ]),
  );
  assert.deepEqual(readMessage("smpp", pdus.toReversed(), {}).document, document);
});

test("a PDU that carries no message is refused with its place in the row", () => {
  const link = encodePdu(makePdu("enquire_link", 1, {}));
  assert.throws(() => readMessage("smpp", [link], {}), {
    name: "DecodeError",
    message: /^PDU 1: enquire_link/,
  });
});

test("a document of unknown public identifier is OMA CP where it reads as that, else Nokia's", () => {
  const anonymous = WBXML.with(1, 0x01);
  assert.deepEqual(readMessage("wbxml", [anonymous], {}).document, document);
  const nokia = readMessage("wbxml", [bytesOf("01016a0045c60601871249010101")], {});
  assert.match(nokia.xml!, /^<CHARACTERISTIC-LIST>/);
  assert.equal(nokia.document, null);
});

test("a SEC that is none of the four verifies nothing", () => {
  const bytes = encodePush({
    transactionId: 1,
    contentType: OMA_CP,
    params: { SEC: 9, MAC: mac },
    body: WBXML,
  });
  const reading = readMessage("push", [bytes], { secret: { pin: "1234", imsi: "001010123456789" } });
  assert.equal(reading.sec, null);
  assert.equal(reading.macVerified, null);
});

test("a MAC given beside the message does not replace the one in it", () => {
  const other = macOf("userpin", { pin: "9999" }, WBXML);
  const reading = readMessage("push", [PUSH], { secret: { pin: "9999" }, sec: "userpin", mac: other });
  assert.equal(reading.mac, mac);
  assert.equal(reading.macVerified, false);
});
