/** CHECK-IMEI as libosmo-gsup-client asked it and osmo-hlr answered it, and frames that are cut or lie. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { GSUP_VECTORS } from "../../../test/vector/gsup.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import {
  decodeGsup,
  encodeGsupError,
  encodeImeiAnswer,
  encodeImeiRequest,
  GSUP,
  GSUP_CAUSE,
} from "./gsup.ts";
import { encodeIpaFrame, GSUP_EXTENSION, IPA_STREAM, identityRequest, ipaFrameAt } from "./ipa.ts";

const hexNamed = (id: string): string =>
  (GSUP_VECTORS.find((vector) => vector.id === id) ?? assert.fail(id)).hex;
const frame = (id: string) => ipaFrameAt(bytesOf(hexNamed(id)), 0) ?? assert.fail(id);
const message = (id: string) => decodeGsup(frame(id).payload.subarray(1));
const framed = (payload: Uint8Array) =>
  encodeIpaFrame(IPA_STREAM.osmocom, Uint8Array.from([GSUP_EXTENSION, ...payload]));

test("an MSC's question is read, written and answered octet for octet as libosmo-gsup-client and osmo-hlr do", () => {
  const request = message("gsup-ok14-req");
  assert.deepEqual(
    [request.type, request.imsi, request.imei],
    [GSUP.checkImei, "901700000000001", "35693803564380"],
  );
  assert.equal(
    hexOf(framed(encodeImeiRequest("901700000000001", "35693803564380"))),
    hexNamed("gsup-ok14-req"),
  );
  assert.equal(hexOf(framed(encodeImeiAnswer(request, true))), hexNamed("gsup-ok14-ans"));
  assert.deepEqual([message("gsup-ok14-ans").isAccepted, message("gsup-ok14-ans").cause], [true, undefined]);
  assert.equal(decodeGsup(encodeImeiAnswer(request, false)).isAccepted, false);
});

test("an IMEI of 16 digits, or one that is longer than its element, is none; the answer is the error that osmo-hlr gives", () => {
  const request = message("gsup-err16-req");
  assert.deepEqual([request.imsi, request.imei], ["310410123456789", undefined]);
  assert.equal(
    hexOf(framed(encodeGsupError(request, GSUP_CAUSE.invalidMandatory))),
    hexNamed("gsup-err16-ans"),
  );
  assert.equal(message("gsup-err16-ans").cause, GSUP_CAUSE.invalidMandatory);
  assert.equal(decodeGsup(bytesOf(hexNamed("gsup-lc-req"))).imei, undefined);
  assert.equal(decodeGsup(bytesOf(hexNamed("gsup-lc-res"))).isAccepted, true);
});

test("the names of the two ends change places in the answer", () => {
  const request = decodeGsup(
    Uint8Array.from([
      ...encodeImeiRequest("901700000000001", "35693803564380"),
      0x60,
      1,
      0x41,
      0x61,
      2,
      0x42,
      0x43,
    ]),
  );
  const answer = decodeGsup(encodeImeiAnswer(request, true));
  assert.deepEqual(
    answer.elements.slice(-2).map(({ tag, value }) => [tag, hexOf(value)]),
    [
      [0x60, "4243"],
      [0x61, "41"],
    ],
  );
});

test("link management is octet for octet osmo-hlr's", () => {
  assert.equal(hexOf(identityRequest()), hexNamed("gsup-ipa-idget"));
  assert.equal(frame("gsup-ipa-ping").stream, IPA_STREAM.management);
  for (const id of ["gsup-ipa-pong", "gsup-ipa-idresp", "gsup-ipa-idack"])
    assert.equal(hexOf(frame(id).octets), hexNamed(id));
});

test("a frame is there when its end is; an element that does not end inside is told", () => {
  const octets = bytesOf(hexNamed("gsup-ok14-req"));
  for (let length = 0; length < octets.length; length++)
    assert.equal(ipaFrameAt(octets.subarray(0, length), 0), undefined);
  assert.equal(ipaFrameAt(Uint8Array.from([...octets, 0]), 0)?.octets.length, octets.length);
  assert.throws(() => decodeGsup(Uint8Array.from([0x30, 0x01, 9, 1])), DecodeError);
  assert.throws(() => decodeGsup(new Uint8Array(0)), DecodeError);
  assert.throws(() => encodeIpaFrame(0, new Uint8Array(65_536)), RangeError);
  assert.throws(() => encodeImeiRequest("901700000000001", "356938035643809"), RangeError);
});
