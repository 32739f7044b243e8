/** The door for GSUP on real sockets: octets of libosmo-gsup-client, with a register behind it and without one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "vitest";
import { whenDone } from "../../../../test/fixture/when-done.ts";
import { GSUP_VECTORS } from "../../../../test/vector/gsup.ts";
import { hexOf } from "../../../wire/hex.ts";
import { openGsupDoor } from "./gsup-door.ts";

const vector = (id: string): Buffer =>
  Buffer.from((GSUP_VECTORS.find((one) => one.id === id) ?? assert.fail(id)).hex, "hex");
const ASK = vector("gsup-ok14-req");
const ACK = vector("gsup-ok14-ans");
const NACK = Buffer.from(ACK.toString("hex").replace("510100", "510101"), "hex");
/** INSERT-DATA of osmo-hlr for that subscriber, whose number is 447700900123. */
const INSERT = Buffer.from("0015ee0510010809710000000000f1080706447700091032", "hex");

type Options = Parameters<typeof openGsupDoor>[0];
async function door(more: Partial<Options> = {}) {
  const seen: unknown[] = [];
  const outcomes: string[] = [];
  const faults: unknown[] = [];
  const opened = await openGsupDoor({
    ...{ host: "127.0.0.1", port: 0, register: undefined },
    clientAt: () => ({ name: "msc" }),
    isAllowed: () => true,
    saw: (_, handset) => void seen.push(handset),
    onOutcome: (outcome) => void outcomes.push(outcome),
    onFault: (error) => void faults.push(error),
    ...more,
  });
  whenDone(async () => {
    await opened.close();
    assert.deepEqual(faults, []);
  });
  return { port: opened.port, seen, outcomes, recheck: opened.recheck };
}

/** Octets that come, as far as they are asked for. */
function reader(socket: Socket) {
  let got = Buffer.alloc(0);
  let tell = () => undefined as unknown;
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    got = Buffer.concat([got, chunk]);
    tell();
  });
  return async (length: number): Promise<string> => {
    while (got.length < length) await new Promise<void>((done) => (tell = done as () => undefined));
    const octets = got.subarray(0, length);
    got = got.subarray(length);
    return hexOf(octets);
  };
}
async function caller(port: number) {
  const socket = connect(port, "127.0.0.1");
  whenDone(() => void socket.destroy());
  const read = reader(socket);
  await once(socket, "connect");
  return { socket, read };
}
/** A register that takes one client at a time. */
async function register() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  whenDone(() => void server.close());
  const place = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  return {
    place,
    server,
    async next() {
      const [socket] = (await once(server, "connection")) as [Socket];
      whenDone(() => void socket.destroy());
      return { socket, read: reader(socket) };
    },
  };
}

test("without a register the door speaks as osmo-hlr does: it asks who is there, answers pings, and CHECK-IMEI", async () => {
  const { port, seen, outcomes } = await door();
  const { socket, read } = await caller(port);
  assert.equal(await read(20), hexOf(vector("gsup-ipa-idget")));
  socket.write(vector("gsup-ipa-ping"));
  assert.equal(await read(4), hexOf(vector("gsup-ipa-pong")));
  socket.write(vector("gsup-ipa-idresp"));
  assert.equal(await read(4), hexOf(vector("gsup-ipa-idack")));
  for (const octet of ASK) socket.write(Uint8Array.of(octet));
  assert.equal(await read(ACK.length), hexOf(ACK));
  socket.write(vector("gsup-err16-req"));
  assert.equal(await read(21), hexOf(vector("gsup-err16-ans")));
  assert.deepEqual(seen, [{ imsi: "901700000000001", imei: "35693803564380", msisdn: undefined }]);
  assert.deepEqual(outcomes, ["checked", "refused"]);
});

test("in front of a register all goes through untouched, both ways; the SIM is seen when the register accepts the handset, with the number that it told", async () => {
  const hlr = await register();
  const { port, seen, outcomes } = await door({ register: hlr.place });
  const [{ socket, read }, up] = await Promise.all([caller(port), hlr.next()]);
  const unknown = Buffer.from("0006ee0777aabbccdd", "hex");
  for (const octets of [vector("gsup-ipa-idresp"), unknown, ASK]) {
    socket.write(octets);
    assert.equal(await up.read(octets.length), hexOf(octets));
  }
  assert.deepEqual(seen, []);
  for (const octets of [vector("gsup-ipa-idget"), INSERT, ACK]) {
    up.socket.write(octets);
    assert.equal(await read(octets.length), hexOf(octets));
  }
  assert.deepEqual(seen, [{ imsi: "901700000000001", imei: "35693803564380", msisdn: "447700900123" }]);
  assert.deepEqual(outcomes, ["passed"]);
  socket.write(vector("gsup-err16-req"));
  await up.read(29);
  up.socket.write(vector("gsup-err16-ans"));
  await read(21);
  const refusal = Buffer.from("0012ee0531010809710000000000f10201600a0101", "hex");
  socket.write(ASK);
  await up.read(ASK.length);
  up.socket.write(refusal);
  assert.equal(await read(refusal.length), hexOf(refusal));
  assert.equal(seen.length, 1, "what the register refused nobody has seen");
});

test("a handset that may not be used is refused here, and the register does not hear of it", async () => {
  const hlr = await register();
  const { port, seen } = await door({ register: hlr.place, isAllowed: () => false });
  const [{ socket, read }, up] = await Promise.all([caller(port), hlr.next()]);
  socket.write(Buffer.concat([ASK, vector("gsup-ipa-ping")]));
  assert.equal(await read(NACK.length), hexOf(NACK));
  assert.equal(await up.read(4), hexOf(vector("gsup-ipa-ping")), "the next that it hears");
  assert.equal(seen.length, 1);
});

test("a register that is away ends the client's connection, so that it tries again; a client that leaves is left", async () => {
  const hlr = await register();
  const { port, outcomes } = await door({ register: hlr.place });
  const [{ socket }, up] = await Promise.all([caller(port), hlr.next()]);
  const closed = once(socket, "close");
  up.socket.destroy();
  await closed;
  assert.deepEqual(outcomes, ["no_register"]);
  const [again, upAgain] = await Promise.all([caller(port), hlr.next()]);
  const left = once(upAgain.socket, "close");
  again.socket.destroy();
  await left;
});

test("frames that lie end the connection; who is not named is cut off", async () => {
  const alone = await door();
  const { socket, read } = await caller(alone.port);
  await read(20);
  const closed = once(socket, "close");
  socket.write(Buffer.from("0004ee053001ff", "hex"));
  await closed;
  assert.deepEqual(alone.outcomes, ["malformed"]);
  const shut = await door({ clientAt: () => undefined });
  const stranger = connect(shut.port, "127.0.0.1").on("error", () => undefined);
  await once(stranger, "close");
  assert.deepEqual(shut.outcomes, ["unknown_client"]);
});

test("a client that has another name now, or none, is cut off; who is named as before stays", async () => {
  let name: string | undefined = "msc";
  const { port, recheck } = await door({ clientAt: () => (name === undefined ? undefined : { name }) });
  const { socket, read } = await caller(port);
  await read(20);
  recheck();
  socket.write(vector("gsup-ipa-ping"));
  assert.equal(await read(4), hexOf(vector("gsup-ipa-pong")));
  const closed = once(socket, "close");
  name = undefined;
  recheck();
  await closed;
});

test("a client that asks and never reads is not read from for ever", async () => {
  const { port, outcomes } = await door();
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  whenDone(() => void socket.destroy());
  // With the names of both ends, each as long as an element may be: answers of 550 octets, 33 MB, more than the system holds for two sockets.
  const names = [0x60, 0x61].map((tag) => Buffer.from([tag, 255, ...new Uint8Array(255)]));
  const ask = Buffer.concat([ASK, ...names]);
  ask.writeUInt16BE(ask.length - 3);
  const total = 60_000;
  socket.write(Buffer.concat(Array.from({ length: total }, () => ask)));
  for (
    let [before, turns] = [0, 0];
    (outcomes.length === 0 || turns < 1_000) && outcomes.length < total;
    turns++
  ) {
    await new Promise((done) => setImmediate(done));
    if (outcomes.length !== before) [before, turns] = [outcomes.length, 0];
  }
  assert.ok(outcomes.length > 0 && outcomes.length < total, `${outcomes.length} of ${total} are answered`);
});
