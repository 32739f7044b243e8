/** Gateways at the door for RADIUS over TLS, over real sockets: what is answered, what ends a connection, and what is left for later. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { test } from "vitest";
import { pairOf, strangerAuthority } from "../../../../test/fixture/parties.ts";
import { whenDone } from "../../../../test/fixture/when-done.ts";
import { mutualTls } from "../../../http/mutual-tls.ts";
import type { Accounting } from "../../../wire/radius/accounting.ts";
import {
  decodeRadius,
  encodeAnswer,
  encodeRequest,
  isAnswerAuthentic,
  messageAuthenticator,
  RADIUS,
  type RadiusValue,
  vendorValue,
} from "../../../wire/radius/packet.ts";
import { createAccountingDesk } from "./accounting-desk.ts";
import { openRadiusTlsDoor } from "./tls-door.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const RADSEC = octets("radsec");
const authority = strangerAuthority();
const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
const gateway = pairOf(authority, { names: [{ kind: "dns", name: "pgw.example" }] });

async function when(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((soon) => setImmediate(soon));
}
function gate() {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    open = done;
  });
  return { promise, open: () => open() };
}

const start = (identifier: number, more: { secret?: Uint8Array; states?: RadiusValue[] } = {}): Uint8Array =>
  encodeRequest(
    {
      code: RADIUS.accountingRequest,
      identifier,
      attributes: [
        [40, new Uint8Array([0, 0, 0, 1])],
        vendorValue(10_415, 1, octets(`23415000000${String(identifier).padStart(4, "0")}`)),
        ...(more.states ?? []),
      ],
    },
    more.secret ?? RADSEC,
  );

async function door(
  more: { readonly atOnceMax?: number; readonly idleMs?: number; readonly answerMs?: number } = {},
) {
  const world = {
    isNamed: true,
    isReady: true,
    outcomes: [] as string[],
    refused: [] as (string | undefined)[],
    taken: [] as Accounting[],
    keep: async (): Promise<void> => undefined,
  };
  const { atOnceMax, ...limits } = more;
  const desk = createAccountingDesk({
    async take(_client, accounting) {
      world.taken.push(accounting);
      await world.keep();
    },
    isReady: async () => world.isReady,
    onOutcome: (outcome) => world.outcomes.push(outcome),
    onFault: () => undefined,
    ...(atOnceMax !== undefined && { atOnceMax }),
  });
  const opened = await openRadiusTlsDoor({
    ...{ host: "127.0.0.1", port: 0, desk, ...limits },
    tls: mutualTls({ ...own, authorities: authority.certificate }, { admitsOlder: true }),
    clientOf: () => (world.isNamed ? { name: "pgw-1" } : undefined),
    onRefused: (_socket, error) => world.refused.push(error.code),
  });
  whenDone(() => opened.close());
  return { ...opened, world };
}

async function caller(port: number, pair: { key: string; certificate: string } | undefined = gateway) {
  const socket = connect({
    ...{ port, host: "127.0.0.1", servername: "localhost", ca: authority.certificate },
    ...(pair && { key: pair.key, cert: pair.certificate }),
  });
  whenDone(() => void socket.destroy());
  socket.on("error", () => undefined);
  const came: Buffer[] = [];
  const world = { isClosed: false };
  socket.on("data", (bytes) => came.push(bytes));
  socket.on("close", () => {
    world.isClosed = true;
  });
  if (pair) await once(socket, "secureConnect");
  const answers = () => {
    const packets = [];
    let rest = Buffer.concat(came);
    while (rest.length >= 20) {
      const packet = decodeRadius(rest);
      packets.push(packet);
      rest = rest.subarray(packet.octets.length);
    }
    return packets;
  };
  return {
    socket,
    answers,
    arrived: (count: number) => when(() => answers().length >= count),
    closed: () => when(() => world.isClosed),
  };
}

test("packets in one stream, wherever it is cut, are each answered under the secret radsec once they are kept, with what proxies left in them", async () => {
  const { port, world } = await door();
  const { socket, answers, arrived } = await caller(port);
  const first = start(1, {
    states: [
      [33, octets("one")],
      [33, octets("two")],
    ],
  });
  const all = Buffer.concat([first, start(2), start(3)]);
  for (const at of [0, 3, 4, 19, first.length + 1]) {
    const next = [3, 4, 19, first.length + 1, all.length].find((one) => one > at);
    socket.write(all.subarray(at, next));
    await new Promise((soon) => setImmediate(soon));
  }
  await arrived(3);
  const answer = answers().find(({ identifier }) => identifier === 1) ?? assert.fail();
  assert.equal(answer.code, RADIUS.accountingResponse);
  assert.ok(isAnswerAuthentic(answer, decodeRadius(first), RADSEC));
  assert.deepEqual(
    answer.attributes.map(({ type, value }) => [type, Buffer.from(value).toString()]),
    [
      [33, "one"],
      [33, "two"],
    ],
  );
  assert.deepEqual(
    world.taken.map(({ imsi }) => imsi),
    ["234150000000001", "234150000000002", "234150000000003"],
  );
  assert.deepEqual(world.outcomes, ["taken", "taken", "taken"]);
});

test("a watchdog is answered while packets would be kept, and not while they would not", async () => {
  const { port, world } = await door();
  const { socket, answers, arrived } = await caller(port);
  const status = (identifier: number) => {
    const octets = Buffer.concat([
      Uint8Array.of(12, identifier, 0, 38),
      randomBytes(16),
      Uint8Array.of(80, 18),
    ]);
    const unsigned = Buffer.concat([octets, new Uint8Array(16)]); // RFC 5997 section 3
    return Buffer.concat([octets, createHmac("md5", RADSEC).update(unsigned).digest()]);
  };
  world.isReady = false;
  socket.write(status(1));
  await when(() => world.outcomes.length === 1);
  world.isReady = true;
  socket.write(status(2));
  await arrived(1);
  assert.deepEqual(
    answers().map(({ code, identifier }) => [code, identifier]),
    [[RADIUS.accountingResponse, 2]],
  );
});

test("what could not be kept ends the connection, since nothing is said twice over one", async () => {
  const { port, world } = await door();
  const { socket, answers, closed } = await caller(port);
  world.keep = () => Promise.reject(new Error("the database is away"));
  socket.write(start(1));
  await closed();
  assert.deepEqual([world.outcomes, answers()], [["not_kept"], []]);
  world.keep = async () => undefined;
  const again = await caller(port);
  again.socket.write(start(1));
  await again.arrived(1);
});

test("another secret, and what is no packet, end the connection; another kind of packet does not", async () => {
  const { port, world } = await door();
  for (const bytes of [
    start(1, { secret: octets("mysecret") }),
    Uint8Array.of(4, 1, 0, 19, ...new Uint8Array(15)),
    Uint8Array.of(4, 1, 16, 1, ...new Uint8Array(40)),
    encodeRequest(
      { code: RADIUS.accountingRequest, identifier: 1, attributes: [[80, new Uint8Array(16)]] },
      RADSEC,
    ),
  ]) {
    const { socket, answers, closed } = await caller(port);
    socket.write(bytes);
    await closed();
    assert.deepEqual(answers(), []);
  }
  const { socket, answers, arrived } = await caller(port);
  socket.write(encodeRequest({ code: RADIUS.disconnectRequest, identifier: 2, attributes: [] }, RADSEC));
  socket.write(start(3));
  await arrived(1);
  assert.equal(answers()[0]?.identifier, 3);
  assert.deepEqual(world.outcomes, [
    ...["wrong_secret", "malformed", "malformed", "wrong_secret", "other_kind", "taken"],
  ]);
});

test("of a flood nothing is dropped: what there is no room for waits unread", async () => {
  const { port, world } = await door({ atOnceMax: 4 });
  const kept = gate();
  world.keep = () => kept.promise;
  const { socket, answers, arrived } = await caller(port);
  socket.write(Buffer.concat(Array.from({ length: 200 }, (_, at) => start(at))));
  await when(() => world.taken.length === 2);
  await new Promise((soon) => setImmediate(soon));
  assert.equal(world.taken.length, 2, "half of what there is room for is one gateway's");
  kept.open();
  await arrived(200);
  assert.equal(new Set(answers().map(({ identifier }) => identifier)).size, 200);
  assert.ok(world.outcomes.every((one) => one === "taken"));
});

test("nobody comes in without a certificate, with one of another authority, or with one that is not named; whoever is named no more is cut off", async () => {
  const { port, world, recheck } = await door();
  const strangers = [undefined, pairOf(strangerAuthority())];
  for (const pair of strangers) {
    const socket = connect({
      ...{ port, host: "127.0.0.1", servername: "localhost", ca: authority.certificate },
      ...(pair && { key: pair.key, cert: pair.certificate }),
    });
    socket.on("error", () => undefined);
    await new Promise((done) => socket.once("close", done));
  }
  await when(() => world.refused.length === 2);
  const named = await caller(port);
  named.socket.write(start(1));
  await named.arrived(1);
  world.isNamed = false;
  const stranger = await caller(port);
  await stranger.closed();
  assert.deepEqual(world.outcomes, ["taken", "unknown_client"]);
  recheck();
  await named.closed();
});

test("whoever closes the door waits for what has been begun, and for no handshake", async () => {
  const { port, world, close } = await door();
  const kept = gate();
  world.keep = () => kept.promise;
  const plain = connectPlain({ port, host: "127.0.0.1" });
  plain.on("error", () => undefined);
  await once(plain, "connect");
  const { socket, arrived } = await caller(port);
  socket.write(start(1));
  await when(() => world.taken.length === 1);
  const closed = close();
  kept.open();
  await arrived(1);
  await closed;
});

test("a connection that says nothing for longer than it may is closed", async () => {
  const { port } = await door({ idleMs: 50 });
  const { closed } = await caller(port);
  await closed();
});

test("a client is asked over the connection that it opened, once; what it answers is told, and so are its silence and its end", async () => {
  const { port, ask, world } = await door({ answerMs: 100 });
  const session: readonly RadiusValue[] = [[44, octets("C0A8010A00000001")]];
  const disconnect = { code: RADIUS.disconnectRequest, attributes: session } as const;
  assert.equal(ask("pgw-1", disconnect), undefined, "nobody is connected");
  const { socket, answers, arrived, closed } = await caller(port);
  socket.write(start(1));
  await arrived(1);
  const ended = ask("pgw-1", disconnect);
  await arrived(2);
  const request = answers()[1] ?? assert.fail();
  assert.equal(request.code, 40);
  assert.equal(messageAuthenticator(request, RADSEC), "right");
  socket.write(encodeAnswer(request, RADIUS.disconnectAck, octets("another secret")));
  socket.write(encodeAnswer(request, RADIUS.disconnectAck, RADSEC));
  assert.deepEqual(await ended, { isAck: true, cause: undefined });
  assert.equal(await ask("pgw-1", disconnect), "unanswered");
  assert.equal(answers().length, 3, "nothing is said twice");
  const cut = ask("pgw-1", disconnect);
  await arrived(4);
  socket.destroy();
  assert.equal(await cut, "unanswered");
  await closed();
  assert.deepEqual(world.outcomes, ["taken", "other_kind"]);
});

test("other certificates are shown to connections from now on, and those that are there stay", async () => {
  const { port, changeTls } = await door();
  const before = await caller(port);
  const next = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  changeTls(mutualTls({ ...next, authorities: authority.certificate }, { admitsOlder: true }));
  const after = await caller(port);
  const serial = (one: { socket: TLSSocket }) => one.socket.getPeerX509Certificate()?.serialNumber;
  assert.notEqual(serial(after), serial(before));
  before.socket.write(start(1));
  after.socket.write(start(2));
  await before.arrived(1);
  await after.arrived(1);
});
