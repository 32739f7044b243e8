/** Gateways at the door for RADIUS accounting, over real sockets: who is answered, when, and how often what they say is taken. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "vitest";
import { whenDone } from "../../../../test/fixture/when-done.ts";
import type { Accounting } from "../../../wire/radius/accounting.ts";
import {
  decodeRadius,
  encodeRequest,
  isAnswerAuthentic,
  RADIUS,
  type RadiusValue,
  vendorValue,
} from "../../../wire/radius/packet.ts";
import { createAccountingDesk } from "./accounting-desk.ts";
import { openRadiusDoor } from "./accounting-door.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const SECRET = octets("a secret of ours");
const CLIENT = { name: "pgw-1", secret: SECRET };
const session = (imsi: string): RadiusValue[] => [
  [40, new Uint8Array([0, 0, 0, 1])],
  vendorValue(10_415, 1, octets(imsi)),
];
const start = (identifier: number, imsi = "234150000000001", secret = SECRET): Uint8Array =>
  encodeRequest({ code: RADIUS.accountingRequest, identifier, attributes: session(imsi) }, secret);

function gate() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve: () => resolve() };
}

async function door(more: { readonly isKnown?: boolean; readonly atOnceMax?: number } = {}) {
  const world = {
    nowMs: 0,
    isReady: true,
    outcomes: [] as string[],
    taken: [] as Accounting[],
    keep: async (): Promise<void> => undefined,
    clientAt: () => (more.isKnown === false ? undefined : CLIENT),
  };
  const desk = createAccountingDesk({
    async take(_client, accounting) {
      world.taken.push(accounting);
      await world.keep();
    },
    isReady: async () => world.isReady,
    onOutcome: (outcome) => world.outcomes.push(outcome),
    onFault: () => undefined,
    ...(more.atOnceMax !== undefined && { atOnceMax: more.atOnceMax }),
  });
  const opened = await openRadiusDoor({
    ...{ host: "127.0.0.1", port: 0, desk },
    clientAt: () => world.clientAt(),
    nowMs: () => world.nowMs,
  });
  whenDone(() => opened.close());
  return { ...opened, world };
}

async function gateway(port: number) {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  whenDone(() => void socket.close());
  const answers: Uint8Array[] = [];
  socket.on("message", (bytes) => answers.push(bytes));
  const arrived = async (count: number): Promise<readonly Uint8Array[]> => {
    while (answers.length < count) await once(socket, "message");
    return answers;
  };
  return { send: (bytes: Uint8Array) => socket.send(bytes, port, "127.0.0.1"), answers, arrived };
}

test("a packet is answered once what it says is kept, and the same again is answered again and not taken twice", async () => {
  const { port, world } = await door();
  const kept = gate();
  world.keep = () => kept.promise;
  const { send, answers, arrived } = await gateway(port);
  const request = start(7);
  send(request);
  send(request);
  send(start(8, "234150000000002"));
  while (world.taken.length < 2) await new Promise((soon) => setImmediate(soon));
  assert.deepEqual(answers, [], "nothing is on disk yet");
  kept.resolve();
  const got = await arrived(2);
  assert.deepEqual(got.map((bytes) => decodeRadius(bytes).identifier).sort(), [7, 8]);
  for (const bytes of got) {
    const answer = decodeRadius(bytes);
    assert.equal(answer.code, RADIUS.accountingResponse);
    if (answer.identifier === 7) assert.ok(isAnswerAuthentic(answer, decodeRadius(request), SECRET));
  }
  send(request);
  await arrived(3);
  assert.deepEqual(
    world.taken.map(({ imsi }) => imsi),
    ["234150000000001", "234150000000002"],
  );
  assert.deepEqual(world.outcomes.sort(), ["repeated", "repeated", "taken", "taken"]);
  world.nowMs = 31_000;
  send(start(9, "234150000000003"));
  send(request);
  await arrived(5);
  assert.equal(world.taken.length, 4, "after half a minute an identifier is used for something else");
});

test("what could not be kept is not answered, and taken when it comes again", async () => {
  const { port, world } = await door();
  const { send, answers, arrived } = await gateway(port);
  world.keep = () => Promise.reject(new Error("the database is away"));
  send(start(1));
  while (world.outcomes.length < 1) await new Promise((soon) => setImmediate(soon));
  assert.deepEqual([world.outcomes, answers], [["not_kept"], []]);
  world.keep = async () => undefined;
  send(start(1));
  await arrived(1);
  assert.deepEqual(world.outcomes, ["not_kept", "taken"]);
});

test("strangers, wrong secrets, other kinds of packets and what is no packet are not answered, and counted each by its cause", async () => {
  const stranger = await door({ isKnown: false });
  (await gateway(stranger.port)).send(start(1));
  while (stranger.world.outcomes.length < 1) await new Promise((soon) => setImmediate(soon));
  assert.deepEqual(stranger.world.outcomes, ["unknown_client"]);
  const { port, world } = await door();
  const { send, answers, arrived } = await gateway(port);
  send(start(1, "234150000000001", octets("another secret")));
  send(octets("no packet"));
  send(encodeRequest({ code: RADIUS.disconnectRequest, identifier: 2, attributes: [] }, SECRET));
  const signed = [...session("234150000000001"), [80, new Uint8Array(16)] as const];
  send(encodeRequest({ code: RADIUS.accountingRequest, identifier: 3, attributes: signed }, SECRET));
  send(encodeRequest({ code: RADIUS.statusServer, identifier: 4, attributes: [] }, SECRET));
  send(start(5));
  assert.equal(decodeRadius((await arrived(1))[0] ?? assert.fail()).identifier, 5);
  assert.equal(answers.length, 1);
  assert.deepEqual(world.outcomes, [
    ...["wrong_secret", "malformed", "other_kind", "wrong_secret", "wrong_secret", "taken"],
  ]);
});

test("more at once than are worked on are left to come again", async () => {
  const { port, world } = await door({ atOnceMax: 4 });
  const kept = gate();
  world.keep = () => kept.promise;
  const { send, arrived } = await gateway(port);
  for (const identifier of [1, 2, 3]) send(start(identifier, `23415000000000${identifier}`));
  while (!world.outcomes.includes("busy")) await new Promise((soon) => setImmediate(soon));
  kept.resolve();
  await arrived(2);
  send(start(3, "234150000000003"));
  await arrived(3);
  assert.deepEqual(world.outcomes, ["busy", "taken", "taken", "taken"]);
});

test("one gateway's flood, or the same again and again, leaves room for the others", async () => {
  const { port, world } = await door({ atOnceMax: 4 });
  const kept = gate();
  world.keep = () => kept.promise;
  const [flood, other] = [await gateway(port), await gateway(port)];
  world.clientAt = () => CLIENT;
  for (const identifier of [1, 1, 1, 1, 1, 2, 3, 4, 5]) flood.send(start(identifier));
  while (world.outcomes.length < 7) await new Promise((soon) => setImmediate(soon));
  assert.deepEqual(world.outcomes, [
    ...["repeated", "repeated", "repeated", "repeated"],
    ...["busy", "busy", "busy"],
  ]);
  world.clientAt = () => ({ ...CLIENT, name: "pgw-2" });
  other.send(start(6));
  while (world.taken.length < 3) await new Promise((soon) => setImmediate(soon));
  kept.resolve();
  await other.arrived(1);
  await flood.arrived(2);
});

test("an answer that many proxies made long is not remembered, and the packet is taken anew", async () => {
  const { port, world } = await door();
  const { send, arrived } = await gateway(port);
  const long = [
    ...session("234150000000001"),
    ...[1, 2, 3].map((n) => [33, new Uint8Array(250).fill(n)] as const),
  ];
  const request = encodeRequest({ code: RADIUS.accountingRequest, identifier: 1, attributes: long }, SECRET);
  send(request);
  await arrived(1);
  send(request);
  assert.equal((await arrived(2))[1]?.length, 20 + 3 * 252);
  assert.deepEqual(world.outcomes, ["taken", "taken"]);
});

test("whoever closes the door waits for what has been begun", async () => {
  const { port, world, close } = await door();
  const kept = gate();
  world.keep = () => kept.promise;
  const { send, arrived } = await gateway(port);
  send(start(1));
  while (world.taken.length < 1) await new Promise((soon) => setImmediate(soon));
  const closed = close();
  kept.resolve();
  await closed;
  await arrived(1);
  assert.deepEqual(world.outcomes, ["taken"]);
});
