/** POST /v1/messages/decode: what it tells, to whom, and what it refuses. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { captureOf } from "../../../../test/fixture/capture.ts";
import { bearer, OPERATOR_A, openFixture } from "../../../../test/fixture/http.ts";
import { VECTORS } from "../../../../test/vector/oma-cp.ts";
import { bytesOf } from "../../../wire/hex.ts";

const fixture = await openFixture();
const decode = (payload: object, role: "admin" | "engineer" | "care" = "engineer") =>
  fixture.server.inject({
    method: "POST",
    url: "/v1/messages/decode",
    headers: bearer(OPERATOR_A, role),
    payload,
  });
const signed = VECTORS.find(({ pdus, auth }) => pdus && auth?.valid && auth.sec === "USERPIN");

test("a capture in Base64 and hexadecimal tell the same document, its MAC by the PIN that was given, and keep nothing", async () => {
  const { pdus = [], auth, expected } = signed ?? assert.fail("no such vector");
  const content = captureOf("pcapng", pdus.map(bytesOf)).toString("base64");
  const before = fixture.calls.length;
  const fromCapture = await decode({ content, pin: auth?.pin });
  assert.equal(fromCapture.statusCode, 200, fromCapture.body);
  const { form, messages, findings } = fromCapture.json();
  assert.deepEqual([form, messages.length, findings], ["capture", 1, []]);
  assert.equal(messages[0].xml, expected.xml);
  assert.deepEqual(messages[0].signature, { sec: "userpin", mac: auth?.mac, isRight: true });
  const wrong = (await decode({ content: pdus.join("\n"), pin: "99999" })).json();
  assert.equal(wrong.messages[0].signature.isRight, false);
  assert.ok(wrong.messages[0].findings.some(({ code }: { code: string }) => code === "bad_mac"));
  const field = wrong.messages[0].layers[0].fields[0];
  assert.deepEqual(
    [field.name, field.offset, field.length, field.clause],
    ["command_length", 0, 4, "SMPP v3.4 §5.1.1"],
  );
  assert.equal(fixture.calls.length, before);
});

test("what is no message is refused with its offset and the next step; an agent of care does not come in", async () => {
  const refused = await decode({ content: "hello, this is no message" });
  const { code, nextStep } = refused.json();
  assert.deepEqual([refused.statusCode, code], [400, "payload_malformed"]);
  assert.match(nextStep, /pcap/);
  assert.equal((await decode({ content: "00" }, "care")).statusCode, 403);
  assert.equal((await decode({ content: "" })).statusCode, 400);
});
