/** The session against a peer that answers by script: the window seen from outside, odd answers, hostile octets. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, test } from "vitest";
import { bytesOf } from "../../wire/hex.ts";
import type { Pdu } from "../../wire/smpp/command.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { decodePdu, encodePdu, makePdu } from "../../wire/smpp/pdu.ts";
import { parseReceipt } from "../../wire/smpp/receipt.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { createEsme, type Esme, type EsmeOptions } from "./esme.ts";
import type { SubmitOutcome } from "./outcome.ts";

type Peer = {
  readonly port: number;
  readonly received: Pdu[];
  readonly sockets: Socket[];
  send(pdu: Pdu): void;
  sendHex(hex: string): void;
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** Accepts every bind; the rest is up to `onPdu`. */
async function peerOf(onPdu: (pdu: Pdu, peer: Peer) => void = () => undefined): Promise<Peer> {
  const server: Server = createServer((socket) => {
    const framer = createPduFramer();
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      for (const octets of framer.push(chunk)) {
        const pdu = decodePdu(octets);
        received.push(pdu);
        if (pdu.command === "bind_transceiver") {
          socket.write(
            encodePdu(makePdu("bind_transceiver_resp", pdu.sequence_number, { system_id: "peer" })),
          );
        } else onPdu(pdu, peer);
      }
    });
  });
  const received: Pdu[] = [];
  const sockets: Socket[] = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const peer: Peer = {
    port,
    received,
    sockets,
    send: (pdu) => void sockets.at(-1)?.write(encodePdu(pdu)),
    sendHex: (hex) => void sockets.at(-1)?.write(bytesOf(hex)),
  };
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return peer;
}

async function boundTo(peer: Peer, options: Partial<EsmeOptions> = {}): Promise<Esme> {
  const esme = createEsme({
    host: "127.0.0.1",
    port: peer.port,
    systemId: "turnup",
    password: "secret",
    reconnect: { minMs: 5, maxMs: 20 },
    ...options,
  });
  closers.push(() => esme.stop({ drainMs: 0 }));
  esme.start();
  await until(() => esme.state.name === "bound", "bound");
  return esme;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 4_000; tries++) {
    if (condition()) return;
    await sleep(5);
  }
  assert.fail(`waited in vain until ${what}`);
}

const TO = { destination_addr: "4512345678" };

test("ESME: never more than the window is unanswered, in whatever order the answers come", async () => {
  const waiting: number[] = [];
  let most = 0;
  let due = false;
  const peer = await peerOf((pdu, { send }) => {
    if (pdu.command !== "submit_sm") return;
    waiting.push(pdu.sequence_number);
    most = Math.max(most, waiting.length);
    // When nothing more comes: the latest first, and one kept behind all the time but the last.
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      while (waiting.length > 1 || (waiting.length === 1 && peer.received.length >= 201)) {
        const sequence = waiting.pop() as number;
        send(makePdu("submit_sm_resp", sequence, { message_id: String(sequence) }));
      }
    }, 5);
  });
  const esme = await boundTo(peer, { window: 7 });
  const outcomes = await esme.submitBatch(Array.from({ length: 200 }, () => TO));
  assert.equal(outcomes.filter(({ kind }) => kind === "accepted").length, 200);
  assert.equal(most, 7);
  const sequences = peer.received.flatMap((pdu) =>
    pdu.command === "submit_sm" ? [pdu.sequence_number] : [],
  );
  assert.equal(new Set(sequences).size, 200);
});

test("ESME: an answer given twice or to nothing settles nothing else", async () => {
  const peer = await peerOf((pdu, { send }) => {
    if (pdu.command !== "submit_sm") return;
    const answer = makePdu("submit_sm_resp", pdu.sequence_number, { message_id: "1" });
    for (const each of [{ ...answer, sequence_number: 99_999 }, answer, answer]) send(each);
  });
  const esme = await boundTo(peer);
  const outcomes: SubmitOutcome[] = [];
  await new Promise<void>((resolve) => {
    esme.submitWith(
      TO,
      (outcome) => {
        outcomes.push(outcome);
        resolve();
      },
      undefined,
    );
  });
  await until(() => esme.stats.lateResponses === 2, "the strays are counted");
  assert.deepEqual(outcomes, [{ kind: "accepted", messageId: "1" }]);
});

test("ESME: generic_nack to a submit is its refusal", async () => {
  const peer = await peerOf((pdu, { send }) => {
    if (pdu.command === "submit_sm") {
      send(makePdu("generic_nack", pdu.sequence_number, { command_status: STATUS.ESME_RINVCMDID }));
    }
  });
  const esme = await boundTo(peer);
  assert.deepEqual(await esme.submit(TO), {
    kind: "refused",
    status: 3,
    statusName: "ESME_RINVCMDID",
    permanent: true,
  });
});

test("ESME: a response whose body is broken counts by its status; accepted without a readable id is unknown", async () => {
  let status = "00000000";
  const peer = await peerOf((pdu, { sendHex }) => {
    if (pdu.command !== "submit_sm") return;
    sendHex(`00000013 80000004 ${status} ${pdu.sequence_number.toString(16).padStart(8, "0")} 414243`);
  });
  const esme = await boundTo(peer);
  assert.deepEqual(await esme.submit(TO), { kind: "unknown", cause: "malformed" });
  status = "0000000b";
  const refused = await esme.submit(TO);
  assert.ok(refused.kind === "refused" && refused.status === STATUS.ESME_RINVDSTADR);
  assert.equal(esme.stats.brokenPdus, 2);
});

test("ESME: the centre's unbind is answered, no submit follows it, and a new bind is made", async () => {
  const peer = await peerOf((pdu, { send }) => {
    if (pdu.command === "submit_sm")
      send(makePdu("submit_sm_resp", pdu.sequence_number, { message_id: "1" }));
  });
  const esme = await boundTo(peer);
  const later = new Promise<SubmitOutcome>((resolve) => {
    const off = esme.on("state", ({ name }) => {
      if (name !== "waiting") return;
      off();
      esme.submitWith(TO, resolve, undefined);
    });
  });
  peer.send(makePdu("unbind", 5));
  await until(() => esme.stats.binds === 2, "a new bind");
  assert.equal((await later).kind, "accepted");
  assert.deepEqual(
    peer.received.map(({ command }) => command),
    ["bind_transceiver", "unbind_resp", "bind_transceiver", "submit_sm"],
  );
});

test("ESME: enquire_link is answered, data_sm delivers, an unknown command is refused by its number", async () => {
  const peer = await peerOf();
  const delivered: string[] = [];
  await boundTo(peer, {
    onDeliver: (pdu) => {
      delivered.push(pdu.source_addr);
      return 0;
    },
  });
  peer.send(makePdu("enquire_link", 11));
  peer.send(
    makePdu("data_sm", 12, {
      source_addr: "4599",
      tlvs: [{ name: "message_payload", value: Uint8Array.of(1) }],
    }),
  );
  peer.sendHex("00000010 00000099 00000000 0000000d");
  peer.sendHex("00000013 00000005 00000000 0000000e 414243"); // a deliver_sm that cannot be read
  await until(() => peer.received.length === 5, "four answers");
  assert.deepEqual(
    peer.received.slice(1).map((pdu) => [pdu.command, pdu.command_status, pdu.sequence_number]),
    [
      ["enquire_link_resp", 0, 11],
      ["data_sm_resp", 0, 12],
      ["generic_nack", STATUS.ESME_RINVCMDID, 13],
      ["deliver_sm_resp", STATUS.ESME_RX_R_APPN, 14],
    ],
  );
  assert.deepEqual(delivered, ["4599"]);
});

test("ESME: a receipt with a NUL behind its text is taken and answered with 0; an answer without an id is accepted by no name", async () => {
  const octets =
    "0000005200000005000000000000000700010138383231303030303030393900060132393438000400000000000000002069643a4d3120737461743a44454c49565244206572723a30303020746578743a00";
  const peer = await peerOf((pdu, { sendHex }) => {
    if (pdu.command !== "submit_sm") return;
    const sequence = pdu.sequence_number.toString(16).padStart(8, "0");
    sendHex(
      pdu.destination_addr === "1"
        ? `00000010 80000004 00000000 ${sequence}`
        : `00000011 80000004 00000000 ${sequence} 00`,
    );
  });
  const delivered: string[] = [];
  const esme = await boundTo(peer, {
    onDeliver: (pdu) => {
      delivered.push(parseReceipt(pdu)?.messageId ?? "none");
      return 0;
    },
  });
  peer.sendHex(octets);
  await until(() => peer.received.length === 2, "an answer");
  assert.deepEqual(
    peer.received.slice(1).map((pdu) => [pdu.command, pdu.command_status, pdu.sequence_number]),
    [["deliver_sm_resp", 0, 7]],
  );
  assert.deepEqual(delivered, ["M1"]);
  assert.deepEqual(await esme.submitBatch([{ destination_addr: "1" }, { destination_addr: "2" }]), [
    { kind: "accepted", messageId: "" },
    { kind: "accepted", messageId: "" },
  ]);
});

test("ESME: a password of more than eight octets is written whole, for a centre that takes it", async () => {
  const long = encodePdu(
    makePdu("bind_transceiver", 1, { system_id: "turnup", password: "longer than eight" }),
  );
  const bind = decodePdu(long, { mode: "lenient" });
  assert.ok(bind.command === "bind_transceiver" && bind.password === "longer than eight");
});

for (const [what, hex] of [
  ["a length of 0", "00000000"],
  ["a length of 3", "00000003 00"],
  ["a length of 4", "00000004"],
  ["a length of 8", "00000008 00000015"],
  ["a length of 15", "0000000f 00000015 00000000 000000"],
  ["a length of 0xFFFFFFFF", "ffffffff 00000015"],
  ["a length just above the limit", "00010801"],
  ["HTTP text", "47455420 2f204854 54502f31 2e310d0a 0d0a"],
] as const) {
  test(`ESME: ${what} is answered with generic_nack, closes, makes what is under way unknown, and a new bind is made`, async () => {
    const peer = await peerOf((pdu, { sendHex }) => {
      if (pdu.command === "submit_sm" && peer.sockets.length === 1) sendHex(hex);
    });
    const esme = await boundTo(peer);
    assert.deepEqual(await esme.submit(TO), { kind: "unknown", cause: "disconnected" });
    await until(() => esme.stats.binds === 2, "a new bind");
    const nack = peer.received.find(({ command }) => command === "generic_nack");
    assert.equal(nack?.command_status, STATUS.ESME_RINVCMDLEN);
  });
}

// Framed well and wrong inside: the session must answer and live.
const HEAD = "00000000 00000001";
for (const [what, hex] of [
  [
    "an sm_length past the end",
    `00000023 00000005 ${HEAD} 00 0000 00 0101 3100 000000 00 00 01 00 04 00 c8 41`,
  ],
  ["a C-octet string without its NUL", `00000013 00000005 ${HEAD} 414243`],
  [
    "an optional parameter past the end",
    `00000028 00000005 ${HEAD} 00 0000 00 0101 3100 000000 00 00 01 00 04 00 00 04240010 4142`,
  ],
  [
    "an integer parameter without octets",
    `00000026 00000005 ${HEAD} 00 0000 00 0101 3100 000000 00 00 01 00 04 00 00 04270000`,
  ],
  ["submit_multi with 255 destinations", `0000001c 00000021 ${HEAD} 00 0000 00 ff 01 0101 3100 0000`],
  [
    "a user data header longer than the message",
    `00000025 00000005 ${HEAD} 00 0000 00 0101 3100 400000 00 00 01 00 04 00 03 0b0504`,
  ],
  ["a bind while bound", `0000001f 00000009 ${HEAD} 41 00 42 00 00 34 00 00 00 00 00 00 00 00 00`],
  ["a response to nothing", `00000010 80000021 ${HEAD}`],
] as const) {
  test(`ESME: ${what} leaves the session alive`, async () => {
    const peer = await peerOf();
    const esme = await boundTo(peer, { onDeliver: () => 0 });
    const octets = bytesOf(hex);
    new DataView(octets.buffer).setUint32(0, octets.length);
    peer.sockets[0]?.write(octets);
    peer.send(makePdu("enquire_link", 77));
    await until(
      () => peer.received.some((pdu) => pdu.command === "enquire_link_resp" && pdu.sequence_number === 77),
      "enquire_link is answered",
    );
    assert.equal(esme.stats.binds, 1);
    assert.equal(esme.state.name, "bound");
  });
}

test("ESME: a peer that binds and closes at once is met with growing waits", async () => {
  const peer = await peerOf();
  const esme = await boundTo(peer, { reconnect: { minMs: 1, maxMs: 1_000, jitter: 0 } });
  const waits: number[] = [];
  esme.on("state", (state) => {
    if (state.name === "waiting") waits.push(state.retryInMs);
    if (state.name === "bound") peer.sockets.at(-1)?.destroy();
  });
  peer.sockets[0]?.destroy();
  await until(() => waits.length >= 6, "six closings");
  assert.deepEqual(waits.slice(0, 6), [1, 2, 4, 8, 16, 32]);
});

test("ESME: a quiet link is kept alive by enquire_link", async () => {
  const peer = await peerOf((pdu, { send }) => {
    if (pdu.command === "enquire_link") send(makePdu("enquire_link_resp", pdu.sequence_number));
  });
  const esme = await boundTo(peer, { enquireLinkMs: 20 });
  const asked = () => peer.received.filter(({ command }) => command === "enquire_link").length;
  await until(() => asked() >= 10, "it asks ten times");
  assert.equal(esme.state.name, "bound");
  assert.equal(esme.stats.binds, 1);
});

test("ESME: a peer that sends and never reads costs a bounded memory", async () => {
  const peer = await peerOf();
  const esme = await boundTo(peer);
  const socket = peer.sockets[0] as Socket;
  socket.pause();
  const flood = Buffer.concat(
    Array.from({ length: 4_000 }, (_, i) => encodePdu(makePdu("enquire_link", i + 1))),
  );
  let stuck = false;
  for (let round = 0; round < 400 && !stuck; round++) {
    if (socket.write(flood)) continue;
    stuck = await Promise.race([
      new Promise<boolean>((resolve) => socket.once("drain", () => resolve(false))),
      sleep(300).then(() => true),
    ]);
  }
  assert.ok(stuck, "25 MB of enquire_link were all read although no answer was");
  assert.equal(esme.state.name, "bound");
});
