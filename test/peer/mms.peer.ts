/**
 * Our MMS PDUs as Wireshark reads them (Debian: tshark), in the HTTP request and in the WAP push that carry them. Fails, and never
 * skips, where it is not installed. Run by `npm run test:peer`.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeMms, MMS_CONTENT_TYPE, type NewMmsPdu } from "../../src/wire/mms/codec.ts";
import { encodePush } from "../../src/wire/wsp/push.ts";
import { MMS_SAMPLES } from "../vector/mms.ts";
import { dissect } from "./tshark.ts";

const PUSH_PORT = 2948;

/** A datagram to the push port, which Wireshark takes for WSP. */
const byPush = (pdu: NewMmsPdu): string =>
  dissect(
    encodePush({ transactionId: 1, contentType: MMS_CONTENT_TYPE, applicationId: 4, body: encodeMms(pdu) }),
    {
      transport: "udp",
      port: PUSH_PORT,
    },
  );

/** What Wireshark's words say of each field of ours. */
const wordsOf = (pdu: NewMmsPdu): readonly RegExp[] => [
  new RegExp(`X-Mms-Message-Type: ${pdu.type}`, "i"),
  ...(pdu.transactionId === undefined ? [] : [new RegExp(`X-Mms-Transaction-ID: ${pdu.transactionId}`)]),
  ...(pdu.version === undefined ? [] : [new RegExp(`X-Mms-MMS-Version: ${pdu.version.replace(".", "\\.")}`)]),
  ...(pdu.messageId === undefined ? [] : [new RegExp(`Message-Id: ${pdu.messageId}`, "i")]),
  ...(pdu.messageSize === undefined ? [] : [new RegExp(`X-Mms-Message-Size: ${pdu.messageSize}`)]),
  ...(pdu.contentLocation === undefined
    ? []
    : [new RegExp(`X-Mms-Content-Location: ${pdu.contentLocation}`)]),
  ...(pdu.responseStatus === undefined ? [] : [/ Response-Status: Ok/]),
  ...(pdu.retrieveStatus === undefined ? [] : [/X-Mms-Retrieve-Status: Ok/i]),
  ...(pdu.status === undefined ? [] : [new RegExp(` Status: ${pdu.status}`, "i")]),
  ...(pdu.deliveryReport === undefined
    ? []
    : [new RegExp(`X-Mms-Delivery-Report: ${pdu.deliveryReport}`, "i")]),
  ...(pdu.from === undefined
    ? []
    : [pdu.from === null ? /From: <insert address>/i : new RegExp(`From: \\${pdu.from}`)]),
  ...(pdu.to ?? []).map((address) => new RegExp(`To: \\${address}`)),
  ...(pdu.expiry?.kind === "relative" ? [new RegExp(`X-Mms-Expiry: ${pdu.expiry.seconds}`)] : []),
];

for (const pdu of MMS_SAMPLES) {
  test(`Wireshark reads our ${pdu.type} with every field, and finds nothing wrong with it`, () => {
    const read = byPush(pdu);
    for (const words of wordsOf(pdu)) assert.match(read, words);
    assert.doesNotMatch(read, /Malformed|Expert Info/);
    if ("content" in pdu) assert.match(read, new RegExp(pdu.content.contentType.replaceAll(".", "\\.")));
  });
}
