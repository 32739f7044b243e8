/** Our SIP and SDP as Wireshark reads them (Debian: tshark). Fails, and never skips, where it is not installed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeSip } from "../../src/wire/sip/message.ts";
import { encodeSdp } from "../../src/wire/sip/sdp.ts";
import { dissect } from "./tshark.ts";

const SIP_PORT = 5060;
const SDP = encodeSdp({
  origin: "phone 1 1 IN IP4 192.0.2.2",
  connection: "IN IP4 192.0.2.2",
  media: [
    {
      kind: "video",
      port: 49_172,
      protocol: "RTP/AVP",
      formats: ["34"],
      attributes: ["rtpmap:34 H263/90000"],
    },
  ],
});

test("Wireshark reads our INVITE and what it offers, and finds nothing wrong with it", () => {
  const read = dissect(
    encodeSip({
      kind: "request",
      method: "INVITE",
      uri: "sip:video@server.example",
      headers: [
        ["Via", "SIP/2.0/TCP phone.invalid;branch=z9hG4bK1"],
        ["From", "<sip:+88210100000@server.example;user=phone>;tag=1"],
        ["To", "<sip:video@server.example>"],
        ["Call-ID", "1@phone.invalid"],
        ["CSeq", "1 INVITE"],
        ["Max-Forwards", "70"],
        ["Contact", "<sip:phone.invalid;transport=tcp>"],
        ["Content-Type", "application/sdp"],
      ],
      body: Buffer.from(SDP),
    }),
    { transport: "tcp", port: SIP_PORT },
  );
  for (const words of [
    /Request-Line: INVITE sip:video@server\.example SIP\/2\.0/,
    /Call-ID: 1@phone\.invalid/,
    /CSeq: 1 INVITE/,
    /Media Type: video/,
    /Media Port: 49172/,
    /MIME Type: H263/,
  ])
    assert.match(read, words);
  assert.doesNotMatch(read, /Malformed|\[Expert Info \(Error/);
});
