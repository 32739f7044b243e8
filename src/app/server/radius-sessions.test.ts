/** Sessions that gateways told of: which are remembered, by what they are asked for, and what becomes of them. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Registry } from "prom-client";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { type Accounting, readAccounting } from "../../wire/radius/accounting.ts";
import {
  decodeRadius,
  encodeAnswer,
  encodeRequest,
  RADIUS,
  type RadiusPacket,
  type RadiusValue,
  vendorValue,
} from "../../wire/radius/packet.ts";
import { countRadius } from "./radius-measures.ts";
import { createRadiusSessions } from "./radius-sessions.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const SECRET = octets("a secret of both");
const STATUS = { start: 1, stop: 2, interim: 3, on: 7, off: 8 } as const;
const [IMSI, NUMBER] = ["234150000000001", "447700900123"];

function told(
  status: keyof typeof STATUS,
  { session, imsi = IMSI, nas = 1 }: { session?: string; imsi?: string; nas?: number } = {},
): Accounting {
  const attributes: RadiusValue[] = [
    [40, Uint8Array.of(0, 0, 0, STATUS[status])],
    [4, Uint8Array.of(192, 0, 2, nas)],
    ...(session === undefined
      ? []
      : [
          [44, octets(session)] as const,
          [1, octets("user@internet")] as const,
          [30, octets("internet")] as const,
        ]),
    [31, octets(NUMBER)],
    vendorValue(10_415, 1, octets(imsi)),
  ];
  return readAccounting(
    decodeRadius(encodeRequest({ code: RADIUS.accountingRequest, identifier: 1, attributes }, SECRET)),
  );
}

/** A gateway that answers as the test says, and what keeps its sessions. */
async function world(
  answer: (request: RadiusPacket) => Uint8Array | undefined,
  more: {
    readonly withImsi?: boolean;
    readonly sessionsMax?: number;
    readonly waitsMs?: readonly number[];
  } = {},
) {
  const socket = createSocket("udp4");
  const came: RadiusPacket[] = [];
  socket.on("message", (bytes, from) => {
    const request = decodeRadius(Uint8Array.from(bytes));
    came.push(request);
    const octets = answer(request);
    if (octets) socket.send(octets, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  whenDone(() => void socket.close());
  const disconnect = { host: "127.0.0.1", port: socket.address().port, withImsi: more.withImsi ?? false };
  const place = { name: "pgw-1", addresses: [], secret: SECRET, certificate: undefined, operator: undefined };
  const places = new Map([
    ["pgw-1", { ...place, disconnect }],
    ["pgw-2", { ...place, name: "pgw-2", disconnect: undefined }],
  ]);
  const audit: object[] = [];
  const now = { ms: 1_800_000_000_000 };
  const registry = new Registry();
  const sessions = createRadiusSessions({
    ...{ clientNamed: (name: string) => places.get(name), overTls: () => undefined },
    audit: { record: async (operatorId, row) => void audit.push({ operatorId, ...row }) },
    ...{ clock: () => new Date(now.ms), randomOctet: () => 7, waitsMs: more.waitsMs ?? [10_000] },
    asked: countRadius(registry, [], () => 0).asked,
    ...(more.sessionsMax !== undefined && { sessionsMax: more.sessionsMax }),
  });
  const ask = (sim: { imsi: string } | { msisdn: string } = { imsi: IMSI }, operatorId = "north") =>
    sessions.ask({ operatorId, sim, request: { kind: "disconnect" }, reason: "a test", actor: "test" });
  return { sessions, ask, came, audit, now, registry };
}
const ack = (request: RadiusPacket) => encodeAnswer(request, RADIUS.disconnectAck, SECRET);
const nak = (code: number) => (request: RadiusPacket) =>
  encodeAnswer(request, RADIUS.disconnectNak, SECRET, [[101, Uint8Array.of(0, 0, code >> 8, code & 0xff)]]);

test("a session is ended by what its gateway knows it by, with the time of asking; it is gone then, and the audit names its SIM masked", async () => {
  const { sessions, ask, came, audit } = await world(ack);
  sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  const { outcome, sessions: ended } = await ask();
  assert.deepEqual(
    [outcome, ended.map((one) => [one.gateway, one.apn, one.outcome])],
    ["ack", [["pgw-1", "internet", "done"]]],
  );
  assert.deepEqual(
    came[0]?.attributes.slice(1).map(({ type, value }) => [type, Buffer.from(value).toString("latin1")]),
    [
      [4, "\xc0\x00\x02\x01"],
      [44, "A1"],
      [1, "user@internet"],
      [55, "\x6b\x49\xd2\x00"],
    ],
  );
  assert.equal((await ask()).outcome, "none");
  assert.equal(came.length, 1);
  const row = {
    operatorId: "north",
    actor: "test",
    action: "session.disconnect",
    subject: "234150*********",
  };
  const detail = { reason: "a test", outcome: "ack" };
  assert.deepEqual(audit[0], {
    ...row,
    detail: { ...detail, sessions: [{ gateway: "pgw-1", apn: "internet", outcome: "done", cause: null }] },
  });
});

test("a session is found by the phone number too, and never for another operator or at a gateway that is not to be asked", async () => {
  const { sessions, ask, came } = await world(ack);
  sessions.heard("north", "pgw-1", told("interim", { session: "A1" }));
  assert.equal(sessions.isOfInterest("pgw-2"), false);
  assert.equal((await ask({ imsi: IMSI }, "south")).outcome, "none");
  assert.equal((await ask({ msisdn: "447700900999" })).outcome, "none");
  assert.equal(came.length, 0);
  assert.equal((await ask({ msisdn: NUMBER })).outcome, "ack");
});

test("sessions that ended, by their own word or by the start of their gateway, are asked for no more", async () => {
  const { sessions, ask } = await world(ack);
  sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  sessions.heard("north", "pgw-1", told("stop", { session: "A1" }));
  assert.equal((await ask()).outcome, "none");
  sessions.heard("north", "pgw-1", told("start", { session: "A2", nas: 1 }));
  sessions.heard("north", "pgw-1", told("start", { session: "A3", nas: 2 }));
  sessions.heard("north", "pgw-1", told("on", { nas: 2 }));
  assert.deepEqual((await ask()).sessions.length, 1, "the other gateway behind that proxy goes on");
});

test("a gateway that knows an attribute not is asked once more by the session's name alone; another refusal stays one", async () => {
  const { sessions, ask, came } = await world((request) => (came.length === 1 ? nak(401) : ack)(request), {
    withImsi: true,
  });
  sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  assert.equal((await ask()).outcome, "ack");
  assert.deepEqual(
    came.map(({ attributes }) => attributes.map(({ type }) => type)),
    [
      [80, 4, 44, 1, 26, 55],
      [80, 44, 55],
    ],
  );
  const other = await world(nak(504));
  other.sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  const { outcome, sessions: refused } = await other.ask();
  assert.deepEqual(
    [outcome, refused[0]?.outcome, refused[0]?.cause, refused[0]?.next],
    ["nak", "refused", { code: 504, name: "Session Context Not Removable" }, "Ask again in a minute."],
  );
  assert.equal(other.came.length, 1);
  assert.equal((await other.ask()).outcome, "nak", "it is there still");
});

test("a session of which its gateway knows nothing is over; one whose gateway is silent is not", async () => {
  const gone = await world(nak(503));
  gone.sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  assert.deepEqual([(await gone.ask()).outcome, (await gone.ask()).outcome], ["ack", "none"]);
  const silent = await world(() => undefined, { waitsMs: [20, 20] });
  silent.sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  const { outcome, sessions: asked } = await silent.ask();
  assert.deepEqual([outcome, asked[0]?.outcome, silent.came.length], ["nak", "unanswered", 2]);
  const measures = await silent.registry.metrics();
  assert.match(measures, /asked_total\{client="pgw-1",kind="disconnect",outcome="unanswered"\} 1\n/);
});

test("a change names the rules and the end of the session; a session that is gone cannot be changed", async () => {
  const { sessions, came } = await world((request) =>
    encodeAnswer(request, came.length === 1 ? RADIUS.coaAck : RADIUS.coaNak, SECRET, [
      [101, Uint8Array.of(0, 0, 1, 0xf7)],
    ]),
  );
  sessions.heard("north", "pgw-1", told("start", { session: "A1" }));
  const change = { kind: "change", filterId: "slow", sessionTimeoutSeconds: 600 } as const;
  const asked = { operatorId: "north", sim: { imsi: IMSI }, request: change, reason: "r", actor: "a" };
  assert.equal((await sessions.ask(asked)).outcome, "ack");
  assert.deepEqual(
    came[0]?.attributes.slice(-2).map(({ type, value }) => [type, Buffer.from(value).toString("hex")]),
    [
      [11, "736c6f77"],
      [27, "00000258"],
    ],
  );
  assert.equal((await sessions.ask(asked)).outcome, "nak");
});

test("of sessions whose number has a limit the one not heard of for longest goes, and any that is silent for a day", async () => {
  const { sessions, now } = await world(ack, { sessionsMax: 2 });
  const imsis = ["234150000000001", "234150000000002", "234150000000003"];
  const known = async () =>
    (await Promise.all(imsis.map((imsi) => sessions.of("north", { imsi })))).map(({ length }) => length);
  for (const [at, imsi] of imsis.entries())
    sessions.heard("north", "pgw-1", told("start", { session: `A${at}`, imsi }));
  assert.deepEqual(await known(), [0, 1, 1]);
  sessions.heard("north", "pgw-1", told("interim", { session: "A1", imsi: imsis[1] ?? "" }));
  sessions.heard("north", "pgw-1", told("start", { session: "A0", imsi: imsis[0] ?? "" }));
  assert.deepEqual(await known(), [1, 1, 0]);
  now.ms += 86_400_000;
  sessions.heard("north", "pgw-1", told("start", { session: "A2", imsi: imsis[2] ?? "" }));
  assert.deepEqual(await known(), [0, 0, 1]);
});
