/** Accounting as gateways and FreeRADIUS send it (`test/vector/data/probes/radius.json` names each source), and packets that are none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { RADIUS_VECTORS } from "../../../test/vector/radius.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { type Accounting, readAccounting } from "./accounting.ts";
import { readDynamicAnswer } from "./dynamic.ts";
import {
  decodeRadius,
  encodeAnswer,
  encodeRequest,
  isAnswerAuthentic,
  isRequestAuthentic,
  messageAuthenticator,
  RADIUS,
  vendorAttributes,
  vendorValue,
} from "./packet.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const named = (id: string) => RADIUS_VECTORS.find((vector) => vector.id === id) ?? assert.fail(id);
const STATUS: Readonly<Record<string, Accounting["status"]>> = {
  Start: "start",
  Stop: "stop",
  "Interim-Update": "interim",
  "Accounting-On": "on",
};

for (const { id, hex, secret = "", meaning, answer } of RADIUS_VECTORS)
  test(`RADIUS as others sent it: ${id}`, () => {
    const packet = decodeRadius(bytesOf(hex));
    const read = readAccounting(packet);
    const said = (name: string): unknown => meaning[name] ?? undefined;
    if ("acctStatus" in meaning) assert.equal(read.status, STATUS[String(meaning.acctStatus)]);
    if ("imsi" in meaning) assert.equal(read.imsi, said("imsi"));
    if ("msisdn" in meaning) assert.equal(read.msisdn, said("msisdn"));
    if ("imei14" in meaning) assert.equal(read.imei?.slice(0, 14), said("imei14"));
    if (said("svn") !== undefined) assert.equal(read.imei?.slice(14, 16), said("svn"));
    if ("calledStation" in meaning) assert.equal(read.apn, said("calledStation"));
    if ("eventTimestamp" in meaning) assert.equal(read.eventSeconds, said("eventTimestamp"));
    if ("sgsnMccMnc" in meaning) assert.equal(read.visited, said("sgsnMccMnc"));
    if ("imsiMccMnc" in meaning) assert.equal(read.home, said("imsiMccMnc"));
    if ("rat" in meaning) assert.equal(read.radioType, Number.parseInt(String(meaning.rat), 10));
    if ("acctSessionId" in meaning) assert.equal(read.sessionId, said("acctSessionId"));
    assert.deepEqual(read.unread, []);
    if (packet.code === RADIUS.accountingRequest) {
      assert.ok(isRequestAuthentic(packet, octets(secret)));
      assert.ok(!isRequestAuthentic(packet, octets("foo")));
    }
    if (packet.code === RADIUS.statusServer) {
      assert.equal(messageAuthenticator(packet, octets(secret)), "right");
      assert.equal(messageAuthenticator(packet, octets("foo")), "wrong");
    }
    if (meaning.messageAuthenticator === "valid")
      assert.equal(messageAuthenticator(packet, octets(secret)), "right");
    if (answer === undefined || packet.code === RADIUS.disconnectRequest) return;
    const ours = encodeAnswer(packet, RADIUS.accountingResponse, octets(secret));
    assert.equal(hexOf(ours), answer, "octet for octet what FreeRADIUS answered");
    assert.ok(isAnswerAuthentic(decodeRadius(ours), packet, octets(secret)));
  });

test("a vendor that writes its attributes in another form is left out whole, and two attributes in one 26 are both read", () => {
  const starent = decodeRadius(bytesOf(named("rad-starent-start-umts").hex));
  assert.ok(starent.attributes.some(({ type, value }) => type === 26 && hexOf(value).startsWith("00001fe4")));
  assert.deepEqual(vendorAttributes(starent, [8_164]).length > 0, true, "it is there for who asks for it");
  assert.ok(vendorAttributes(starent, [10_415]).every(({ vendor }) => vendor === 10_415));
  const nokia = readAccounting(decodeRadius(bytesOf(named("rad-nokia-fwa-stop").hex)));
  assert.deepEqual([nokia.imsi, nokia.imei], ["206010000000001", "3534900600000153"]);
});

test("times are seconds of four octets; of another length they are none", () => {
  const seconds = (value: number[]) => {
    const of = (type: number) => [type, new Uint8Array(value)] as const;
    const { eventSeconds, delaySeconds, sessionSeconds } = accounting([of(55), of(41), of(46)]);
    return [eventSeconds, delaySeconds, sessionSeconds];
  };
  assert.deepEqual(seconds([0xff, 0, 0, 1]), [0xff000001, 0xff000001, 0xff000001]);
  assert.deepEqual(seconds([0, 1]), [undefined, undefined, undefined]);
});

test("what is no packet is refused at its octet; a length of zero within an attribute ends nothing for ever", () => {
  const whole = bytesOf(named("rad-made-imeisv-16ascii").hex);
  const refused = (bytes: Uint8Array, offset: number) =>
    assert.throws(
      () => decodeRadius(bytes),
      (error) => error instanceof DecodeError && error.offset === offset,
    );
  refused(new Uint8Array(0), 0);
  refused(whole.subarray(0, 19), 19);
  refused(whole.subarray(0, -1), whole.length - 1);
  refused(Uint8Array.from(whole).fill(0, 2, 4), 2);
  refused(Uint8Array.from([...whole.subarray(0, 2), 0xff, 0xff, ...whole.subarray(4)]), 2);
  for (const length of [0, 1, 255]) {
    const bytes = Uint8Array.from(whole);
    bytes[21] = length;
    refused(bytes, 21);
  }
  const padded = decodeRadius(Uint8Array.from([...whole, 1, 2, 3]));
  assert.equal(padded.octets.length, whole.length, "what is beyond its length is padding");
  const [type, value] = vendorValue(10_415, 1, octets("234150000000001"));
  const broken = Uint8Array.from(value);
  broken[5] = 0;
  const packet = {
    code: 4,
    identifier: 1,
    attributes: [[type, broken] as const, [40, new Uint8Array([0, 0, 0, 1])] as const],
  };
  const read = readAccounting(decodeRadius(encodeRequest(packet, octets("s"))));
  assert.deepEqual([read.imsi, read.status], [undefined, "start"], "the rest of the packet counts");
});

const accounting = (attributes: Parameters<typeof encodeRequest>[0]["attributes"]): Accounting =>
  readAccounting(decodeRadius(encodeRequest({ code: 4, identifier: 0, attributes }, octets("s"))));

test("the handset's number in each shape that gateways write; one that says nothing is none, and one in no shape is told", () => {
  const read = (value: Uint8Array) => {
    const { imei, unread } = accounting([vendorValue(10_415, 20, value)]);
    return unread.length > 0 ? unread : imei;
  };
  const SHAPES: readonly (readonly [string | Uint8Array, string | undefined | string[]])[] = [
    ["3569380356438091", "3569380356438091"],
    ["356938035643809", "356938035643809"],
    ["35693803564380", "35693803564380"],
    ["356938035643809,01", "3569380356438001"],
    ["imeisv-3569380356438091", "3569380356438091"],
    ["imei-356938035643809", "356938035643809"],
    ["356938035643809\0", "356938035643809"],
    ["356938035643809F", "356938035643809"],
    [bytesOf("5396833065340819"), "3569380356438091"],
    [bytesOf("53968330653408f9"), "356938035643809"],
    ["0000000000000000", undefined],
    ["000000000000000", undefined],
    [new Uint8Array(0), undefined],
    ["", undefined],
    ["not known", ["imei"]],
    ["12345678", ["imei"]],
    ["35693803564380912", ["imei"]],
    [bytesOf("ffffffffffffffff"), ["imei"]],
  ];
  for (const [value, wanted] of SHAPES)
    assert.deepEqual(read(typeof value === "string" ? octets(value) : value), wanted, String(value));
});

test("the line's number without what some write in front of it; one that is no number costs nothing but itself", () => {
  for (const [text, msisdn] of [
    ["447700900123", "447700900123"],
    ["+447700900123", "447700900123"],
    ["00447700900123", "447700900123"],
    ["msisdn-447700900123", "447700900123"],
  ] as const)
    assert.equal(accounting([[31, octets(text)]]).msisdn, msisdn);
  const read = accounting([
    [31, octets("user@realm")],
    vendorValue(10_415, 1, octets("imsi-234150000000001")),
  ]);
  assert.deepEqual([read.msisdn, read.imsi, read.unread], [undefined, "234150000000001", ["msisdn"]]);
});

test("who chose the access point: what the network chose for a handset that asked for another is no proof of its settings", () => {
  for (const [text, selection] of [
    ["0", "subscribed"],
    ["1", "handset"],
    ["2", "network"],
    ["7", undefined],
  ] as const)
    assert.equal(accounting([vendorValue(10_415, 12, octets(text))]).selection, selection);
});

for (const id of ["coa-made-disc", "coa-made-disc-ma", "coa-made-disc503"])
  test(`what FreeRADIUS answered to a Disconnect-Request is read: ${id}`, () => {
    const { hex, secret = "", answer = "" } = named(id);
    const [request, said] = [decodeRadius(bytesOf(hex)), decodeRadius(bytesOf(answer))];
    assert.ok(isRequestAuthentic(request, octets(secret)));
    assert.ok(isAnswerAuthentic(said, request, octets(secret)));
    assert.equal(messageAuthenticator(said, octets(secret), request), "absent");
    assert.deepEqual(
      readDynamicAnswer(said, RADIUS.disconnectRequest),
      id === "coa-made-disc503"
        ? { isAck: false, cause: { code: 503, name: "Session Context Not Found" } }
        : { isAck: true, cause: undefined },
    );
    assert.equal(readDynamicAnswer(said, RADIUS.coaRequest), undefined);
  });

test("a Disconnect-Request of ours differs from that of radclient in the place of its Message-Authenticator alone", () => {
  const { hex, secret = "" } = named("coa-made-disc-ma");
  const theirs = decodeRadius(bytesOf(hex));
  const own = theirs.attributes.filter(({ type }) => type !== 80);
  const ours = encodeRequest(
    {
      ...{ code: theirs.code, identifier: theirs.identifier, isSigned: true },
      attributes: own.map(({ type, value }) => [type, value] as const),
    },
    octets(secret),
  );
  assert.equal(ours.length, theirs.octets.length);
  const packet = decodeRadius(ours);
  assert.equal(messageAuthenticator(packet, octets(secret)), "right");
  assert.ok(isRequestAuthentic(packet, octets(secret)));
  assert.equal(packet.attributes[0]?.type, 80);
});
