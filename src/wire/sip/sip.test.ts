/** SIP on a stream and the streams of a call: RFC 3261's own example and RFC 3264's rules. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DecodeError } from "../decode-error.ts";
import { decodeSip, encodeSip, type SipMessage, sipHeader } from "./message.ts";
import { answerSdp, decodeSdp, encodeSdp } from "./sdp.ts";

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll("\n", "\r\n"));
/** F1 INVITE of RFC 3261 §24.2, with compact names and a fold (§7.3.1, §7.3.3), and a body of four octets. */
const INVITE = crlf(`INVITE sip:bob@biloxi.com SIP/2.0
v: SIP/2.0/TCP pc33.atlanta.com;branch=z9hG4bKnashds8
Max-Forwards: 70
t: Bob <sip:bob@biloxi.com>
From: Alice <sip:alice@atlanta.com>
 ;tag=1928301774
i: a84b4c76e66710@pc33.atlanta.com
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
c: application/sdp
l: 4

v=0
`);

test("a request is read with compact names in full and folds undone, and says where the next one begins", () => {
  const two = Buffer.concat([INVITE, INVITE]);
  const first = decodeSip(two);
  assert.ok(first?.message.kind === "request");
  const { message } = first;
  assert.deepEqual(
    [message.method, message.uri, first.next],
    ["INVITE", "sip:bob@biloxi.com", INVITE.length - 1],
  );
  assert.deepEqual(
    ["Call-ID", "from", "VIA", "Content-Type", "Route"].map((name) => sipHeader(message, name)),
    [
      "a84b4c76e66710@pc33.atlanta.com",
      "Alice <sip:alice@atlanta.com> ;tag=1928301774",
      "SIP/2.0/TCP pc33.atlanta.com;branch=z9hG4bKnashds8",
      "application/sdp",
      undefined,
    ],
  );
  assert.equal(Buffer.from(message.body).toString(), "v=0\r");
});

test("a message that is not whole waits for the rest, at each of its octets", () => {
  for (let end = 0; end < INVITE.length - 1; end++)
    assert.equal(decodeSip(INVITE.subarray(0, end)), undefined);
});

const messages: readonly SipMessage[] = [
  {
    kind: "response",
    status: 200,
    reason: "OK",
    headers: [["To", "<sip:a@b>;tag=1"]],
    body: Buffer.from("v=0\r\n"),
  },
  { kind: "request", method: "BYE", uri: "sip:a@b", headers: [["CSeq", "2 BYE"]], body: Buffer.alloc(0) },
];
for (const message of messages) {
  test(`a ${message.kind} as it is written reads back`, () => {
    const read = decodeSip(encodeSip(message))?.message;
    assert.ok(read);
    assert.deepEqual(
      { ...read, body: Buffer.from(read.body).toString() },
      {
        ...message,
        headers: [...message.headers, ["Content-Length", String(message.body.length)]],
        body: Buffer.from(message.body).toString(),
      },
    );
  });
}

const head = "BYE sip:a@b SIP/2.0\n";
const refused: readonly [string, string][] = [
  ["no start line", "HELLO\nl: 0\n\n"],
  ["another protocol", "GET / HTTP/1.1\nContent-Length: 0\n\n"],
  ["a status of none", "SIP/2.0 999 No\nl: 0\n\n"],
  ["no length", `${head}CSeq: 1 BYE\n\n`],
  ["two lengths", `${head}l: 0\nContent-Length: 4\n\n`],
  ["a length below nothing", `${head}l: -1\n\n`],
  ["a body too long", `${head}l: ${16_385}\n\n`],
  ["a header without a name", `${head}: x\nl: 0\n\n`],
  ["a header of a line alone", `${head}nothing\nl: 0\n\n`],
  ["too many headers", `${head}${"a: b\n".repeat(64)}l: 0\n\n`],
  ["a head without end", `${head}a: ${"x".repeat(8_192)}`],
];
for (const [what, text] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => decodeSip(crlf(text)), DecodeError);
  });
}

test("a line break in a line is not written: nothing that somebody else said makes a header", () => {
  const [message] = messages;
  assert.ok(message);
  assert.throws(() => encodeSip({ ...message, headers: [["To", "a\r\nVia: b"]] }), /line break/);
  assert.throws(() => encodeSip({ ...message, headers: [["To:", "a"]] }), /without a name/);
});

/** The offer of RFC 3264 §10.1, with the streams of an old phone. */
const OFFER = `v=0
o=alice 2890844526 2890844526 IN IP4 host.anywhere.com
s=
c=IN IP4 host.anywhere.com
t=0 0
m=audio 49170 RTP/AVP 0 8
a=rtpmap:0 PCMU/8000
m=video 51372 RTP/AVP 31 34
a=rtpmap:31 H261/90000
m=video 53000/2 RTP/AVP 99
a=rtpmap:99 MPV/90000
`.replaceAll("\n", "\r\n");
const WHO = { origin: "bob 1 1 IN IP4 host.example", connection: "IN IP4 host.example" };

test("an answer has the offer's streams in its order: what both know, and port 0 for the rest (RFC 3264 §6)", () => {
  const ours = new Map([
    ["audio", { port: 1_000, codecs: ["PCMU"] }],
    ["video", { port: 1_002, codecs: ["H263"] }],
  ]);
  const answer = answerSdp(decodeSdp(OFFER), ours, WHO);
  assert.deepEqual(
    answer.media.map(({ kind, port, formats }) => [kind, port, formats]),
    [
      ["audio", 1_000, ["0"]],
      ["video", 1_002, ["34"]],
      ["video", 0, ["99"]],
    ],
  );
  assert.deepEqual(decodeSdp(encodeSdp(answer)), answer);
});

for (const [what, text] of [
  ["another version", "v=1\r\no=a 1 1 IN IP4 b\r\n"],
  ["no origin", "v=0\r\n"],
  ["a line of none", "v=0\r\no=a\r\nhello\r\n"],
  ["a stream without formats", "v=0\r\no=a\r\nm=video 1 RTP/AVP\r\n"],
  ["a port that is none", "v=0\r\no=a\r\nm=video 70000 RTP/AVP 1\r\n"],
  ["streams without end", `v=0\r\no=a\r\n${"m=video 1 RTP/AVP 1\r\n".repeat(9)}`],
  ["lines without end", `v=0\r\no=a\r\n${"a=x\r\n".repeat(200)}`],
] as const) {
  test(`SDP of ${what} is refused`, () => {
    assert.throws(() => decodeSdp(text), DecodeError);
  });
}
