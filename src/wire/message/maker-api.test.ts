/** The API of a manufacturer's key server: shapes, and refusals by path. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  readArrivals,
  readKeyAnswers,
  readKeyRequests,
  writeArrivals,
  writeKeyAnswers,
} from "./maker-api.ts";

const model = { make: "Nokia", model: "6021", tac: "35693803" };
const uniqueId = { imei: "356938035643809" };

test("a key may be asked for by model, by unique id, or by both", () => {
  const keys = [
    { requestId: "1", model },
    { requestId: "2", uniqueId },
    { requestId: "3", model, uniqueId, network: { mcc: "001", mnc: "01" } },
  ];
  assert.deepEqual(readKeyRequests({ keys }, ""), { keys });
});

const refused: [string, unknown, string][] = [
  ["neither model nor unique id", { keys: [{ requestId: "1" }] }, "keys[0]"],
  ["an unknown member", { keys: [{ requestId: "1", uniqueId, imsi: "1" }] }, "keys[0].imsi"],
  [
    "an IMEI with a letter",
    { keys: [{ requestId: "1", uniqueId: { imei: "35693803564380X" } }] },
    "keys[0].uniqueId.imei",
  ],
  ["no entry", { keys: [] }, "keys"],
  ["501 entries", { keys: Array(501).fill({ requestId: "1", uniqueId }) }, "keys"],
  ["no list", { keys: "all" }, "keys"],
  ["no object", null, ""],
  [
    "a prototype's name as member",
    { keys: [{ requestId: "1", uniqueId, constructor: 1 }] },
    "keys[0].constructor",
  ],
  ["a line break in an id", { keys: [{ requestId: "1\n", uniqueId }] }, "keys[0].requestId"],
];
for (const [what, value, path] of refused) {
  test(`a request with ${what} is refused with its path`, () => {
    assert.throws(() => readKeyRequests(value, ""), { name: "ShapeError", path });
  });
}

test("a refusal does not repeat what was sent, which may be a subscriber's number", () => {
  assert.throws(
    () => readKeyRequests({ keys: [{ requestId: "1", uniqueId: { imei: "35693803564380X" } }] }, ""),
    (error: Error) => !error.message.includes("35693803"),
  );
});

test("an answer holds a key or a refusal, never both and never neither", () => {
  const key = Uint8Array.of(1, 2, 250);
  const refusal = { requestId: "2", refused: { code: "unknown_model", reason: "no such model" } } as const;
  const answers = [{ requestId: "1", key }, refusal];
  assert.deepEqual(readKeyAnswers(JSON.parse(writeKeyAnswers(answers)), ""), { keys: answers });
  assert.throws(() => readKeyAnswers({ keys: [{ requestId: "1" }] }, ""), { path: "keys[0]" });
  assert.throws(() => readKeyAnswers({ keys: [{ ...refusal, key: "AQL6" }] }, ""), { path: "keys[0]" });
});

test("arrivals survive the wire, and a proof of 15 octets is refused", () => {
  const arrival = {
    arrivalId: "a-1",
    keyId: "00".repeat(16),
    at: new Date("2026-03-01T12:00:00Z"),
    apn: "mms.maker-one.example",
    application: "mms",
    proof: new Uint8Array(16).fill(200),
  };
  assert.deepEqual(readArrivals(JSON.parse(writeArrivals([arrival])), ""), { arrivals: [arrival] });
  const short = JSON.parse(writeArrivals([{ ...arrival, proof: new Uint8Array(15) }]));
  assert.throws(() => readArrivals(short, ""), { path: "arrivals[0].proof" });
});
