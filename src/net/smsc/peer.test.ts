/** Our session and our simulator against an implementation that is not ours: npm smpp 0.5.1, both ways. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "vitest";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { parseReceipt } from "../../wire/smpp/receipt.ts";
import { createEsme } from "./esme.ts";

/** npm smpp has no types; this is what the tests use of it. */
type PeerPdu = Readonly<Record<string, unknown>> & { response(fields?: object): object };
type PeerSession = {
  on(event: string, listener: (pdu: PeerPdu) => void): void;
  send(pdu: object): void;
  bind_transceiver(fields: object, done: (pdu: PeerPdu) => void): void;
  submit_sm(fields: object, done: (pdu: PeerPdu) => void): void;
  deliver_sm(fields: object, done: (pdu: PeerPdu) => void): void;
  unbind(done: () => void): void;
  close(): void;
};
type PeerServer = {
  listen(port: number, ready: () => void): void;
  address(): { port: number };
  close(): void;
};
const peer = createRequire(import.meta.url)("smpp") as {
  connect(options: { host: string; port: number }, connected: () => void): PeerSession;
  createServer(accept: (session: PeerSession) => void): PeerServer;
};

test("our ESME binds to npm smpp's server, submits, and gets its receipt", async () => {
  const seen: PeerPdu[] = [];
  const answered: number[] = [];
  const server = peer.createServer((session) => {
    session.on("error", () => undefined);
    session.on("bind_transceiver", (pdu) => {
      seen.push(pdu);
      session.send(pdu.response({ system_id: "peer" }));
    });
    session.on("submit_sm", (pdu) => {
      seen.push(pdu);
      session.send(pdu.response({ message_id: "A1" }));
      session.deliver_sm(
        {
          esm_class: 4,
          source_addr: "4512345678",
          destination_addr: "2948",
          short_message:
            "id:A1 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:",
          receipted_message_id: "A1",
          message_state: 2,
        },
        (response) => answered.push(Number(response.command_status)),
      );
    });
    session.on("unbind", (pdu) => session.send(pdu.response()));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const receipts: unknown[] = [];
  const esme = createEsme({
    host: "127.0.0.1",
    port: server.address().port,
    systemId: "turnup",
    password: "secret",
    systemType: "ota",
    onDeliver: (pdu) => {
      receipts.push(parseReceipt(pdu));
      return 0;
    },
  });
  esme.start();
  const outcome = await esme.submit({
    source_addr: "2948",
    destination_addr: "4512345678",
    data_coding: 4,
    registered_delivery: 1,
    short_message: Uint8Array.of(0, 1, 255),
    tlvs: [{ name: "user_message_reference", value: 513 }],
  });
  assert.deepEqual(outcome, { kind: "accepted", messageId: "A1" });
  await esme.stop();
  server.close();

  const [bind, submit] = seen;
  assert.deepEqual([bind?.system_id, bind?.password, bind?.system_type], ["turnup", "secret", "ota"]);
  assert.deepEqual([submit?.source_addr, submit?.destination_addr], ["2948", "4512345678"]);
  assert.deepEqual(submit?.short_message, { message: Buffer.of(0, 1, 255) });
  assert.equal(submit?.user_message_reference, 513);
  assert.deepEqual(receipts, [
    {
      messageId: "A1",
      state: "delivered",
      errorCode: "000",
      submitDate: new Date("2026-01-02T03:04:00Z"),
      doneDate: new Date("2026-01-02T03:05:00Z"),
    },
  ]);
  assert.deepEqual(answered, [0]);
});

test("npm smpp's client binds to our simulated SMSC, submits, and gets its receipt", async () => {
  const air: string[] = [];
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "secret",
    seed: 1,
    onMessage: async ({ to, data }) => {
      air.push(`${to} ${Buffer.from(data).toString("latin1")}`);
      return "delivered";
    },
  });
  const receipt = await new Promise<PeerPdu>((resolve) => {
    const session = peer.connect({ host: "127.0.0.1", port: smsc.port }, () => {
      session.on("deliver_sm", (pdu) => {
        session.send(pdu.response());
        session.unbind(() => session.close());
        resolve(pdu);
      });
      session.bind_transceiver({ system_id: "turnup", password: "secret" }, (bound) => {
        assert.deepEqual([bound.command_status, bound.sc_interface_version], [0, 0x34]);
        session.submit_sm(
          { source_addr: "2948", destination_addr: "4510", registered_delivery: 1, short_message: "Hello" },
          (response) => assert.equal(response.message_id, smsc.log[0]?.messageId),
        );
      });
    });
    session.on("error", () => undefined);
  });
  assert.deepEqual(air, ["4510 Hello"]);
  assert.equal(receipt.receipted_message_id, smsc.log[0]?.messageId);
  assert.equal(receipt.message_state, 2);
  await smsc.close();
});
