/** A gateway that is asked to end a session, over real sockets: what is sent, how often, and which answers are believed. */
import assert from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { test } from "vitest";
import { freePort } from "../../../../test/fixture/free-port.ts";
import { whenDone } from "../../../../test/fixture/when-done.ts";
import {
  decodeRadius,
  encodeAnswer,
  isRequestAuthentic,
  messageAuthenticator,
  RADIUS,
  type RadiusPacket,
  type RadiusValue,
} from "../../../wire/radius/packet.ts";
import { askGateway } from "./dynamic-client.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const SECRET = octets("a secret of both");
const SESSION: readonly RadiusValue[] = [[44, octets("C0A8010A00000001")]];
const ASKED = { code: RADIUS.disconnectRequest, attributes: SESSION } as const;
const CAUSE_503: RadiusValue = [101, Uint8Array.of(0, 0, 1, 0xf7)];

/** Answers what the test says, and keeps what came. */
async function gateway(answers: (request: RadiusPacket, count: number) => readonly Uint8Array[]) {
  const socket = createSocket("udp4");
  const came: { readonly bytes: Buffer; readonly from: RemoteInfo }[] = [];
  socket.on("message", (bytes, from) => {
    came.push({ bytes, from });
    for (const answer of answers(decodeRadius(bytes), came.length))
      socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  whenDone(() => void socket.close());
  return { port: socket.address().port, came };
}
const at = (port: number, waitsMs = [20, 20, 20]) => ({ host: "127.0.0.1", port, secret: SECRET, waitsMs });

test("the request is signed by both sums, and an ACK ends it", async () => {
  const { port, came } = await gateway((request) => [encodeAnswer(request, RADIUS.disconnectAck, SECRET)]);
  assert.deepEqual(await askGateway(at(port, [10_000]), ASKED, 7), { isAck: true, cause: undefined });
  const [one] = came;
  const request = decodeRadius(one?.bytes ?? assert.fail());
  assert.deepEqual([request.code, request.identifier], [40, 7]);
  assert.ok(isRequestAuthentic(request, SECRET));
  assert.equal(messageAuthenticator(request, SECRET), "right");
  assert.deepEqual(
    request.attributes.map(({ type }) => type),
    [80, 44],
  );
});

test("a NAK is told with its cause, or without where it has none", async () => {
  const { port } = await gateway((request) => [
    encodeAnswer(request, RADIUS.disconnectNak, SECRET, request.identifier === 1 ? [CAUSE_503] : []),
  ]);
  const cause = { code: 503, name: "Session Context Not Found" };
  assert.deepEqual(await askGateway(at(port, [10_000]), ASKED, 1), { isAck: false, cause });
  assert.deepEqual(await askGateway(at(port, [10_000]), ASKED, 2), { isAck: false, cause: undefined });
});

test("without an answer the same octets go out three times from one port; then it is told that none came", async () => {
  const { port, came } = await gateway(() => []);
  assert.equal(await askGateway(at(port), ASKED, 1), "unanswered");
  assert.equal(came.length, 3);
  assert.equal(new Set(came.map(({ bytes, from }) => `${from.port} ${bytes.toString("hex")}`)).size, 1);
});

test("answers of somebody without the secret, to another request, of another kind or with a wrong Message-Authenticator are none", async () => {
  const { port } = await gateway((request, count) =>
    count === 1
      ? [
          encodeAnswer(request, RADIUS.disconnectAck, octets("another secret")),
          encodeAnswer({ ...request, identifier: request.identifier + 1 }, RADIUS.disconnectAck, SECRET),
          encodeAnswer(request, RADIUS.coaAck, SECRET),
          encodeAnswer(request, RADIUS.disconnectAck, SECRET, [[80, new Uint8Array(16)]]),
          octets("no packet"),
        ]
      : [encodeAnswer(request, RADIUS.disconnectNak, SECRET, [CAUSE_503])],
  );
  const answer = await askGateway(at(port, [200, 10_000]), ASKED, 1);
  assert.equal(typeof answer === "object" && answer.cause?.code, 503);
});

test("where nobody listens it is told at once", async () => {
  const port = await freePort();
  assert.equal(await askGateway(at(port, [60_000]), ASKED, 1), "unreachable");
});
