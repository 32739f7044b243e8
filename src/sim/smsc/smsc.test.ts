/** The simulated SMSC, asked in bare PDUs. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, test } from "vitest";
import { bytesOf, hexOf } from "../../wire/hex.ts";
import type { Command, DeliverSm, Pdu, PduOf } from "../../wire/smpp/command.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { decodePdu, encodePdu, makePdu, type PduInit } from "../../wire/smpp/pdu.ts";
import { parseReceipt } from "../../wire/smpp/receipt.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { formatAbsoluteTime, formatRelativeTime } from "../../wire/smpp/time.ts";
import { createSmscSimulator, type SmscOptions, type SmscSimulator } from "./smsc.ts";
import type { AirMessage } from "./store-and-forward.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function smscOf(options: Partial<SmscOptions> = {}): Promise<SmscSimulator> {
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "secret",
    seed: 5,
    onMessage: async () => "delivered",
    retryMs: 10,
    redeliverMs: 20,
    ...options,
  });
  closers.push(() => smsc.close());
  return smsc;
}

const ANSWER_MS = 30_000;

class Client {
  readonly received: Pdu[] = [];
  readonly socket: Socket;
  /** Answers deliver_sm with this; undefined: not at all. */
  deliverStatus: number | undefined = 0;
  #sequence = 1;
  readonly #asked = new Map<number, (answer: Pdu) => void>();

  constructor({ port }: SmscSimulator) {
    const framer = createPduFramer();
    this.socket = connect(port, "127.0.0.1").setNoDelay(true);
    this.socket.on("error", () => undefined);
    this.socket.on("data", (chunk) => {
      for (const octets of framer.push(chunk)) {
        const pdu = decodePdu(octets);
        this.received.push(pdu);
        if (pdu.command !== "deliver_sm") this.#asked.get(pdu.sequence_number)?.(pdu);
        if (pdu.command === "deliver_sm" && this.deliverStatus !== undefined) {
          const command_status = this.deliverStatus;
          this.socket.write(encodePdu(makePdu("deliver_sm_resp", pdu.sequence_number, { command_status })));
        }
      }
    });
    closers.push(() => this.socket.destroy());
  }

  async ask<C extends Command>(command: C, init: PduInit<C> = {}): Promise<Pdu> {
    const sequence = this.#sequence++;
    const answered = new Promise<Pdu>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${command} was not answered`)), ANSWER_MS);
      this.#asked.set(sequence, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
    this.socket.write(encodePdu(makePdu(command, sequence, init) as Pdu));
    return answered;
  }

  async bind(command: "bind_transceiver" | "bind_receiver" | "bind_transmitter" = "bind_transceiver") {
    const answer = await this.ask(command, {
      system_id: "turnup",
      password: "secret",
      interface_version: 0x34,
    });
    assert.equal(answer.command_status, 0);
    return this;
  }

  async submit(init: PduInit<"submit_sm">): Promise<string> {
    const answer = await this.ask("submit_sm", { source_addr: "2948", destination_addr: "4510", ...init });
    assert.ok(answer.command === "submit_sm_resp");
    assert.equal(answer.command_status, 0);
    return answer.message_id;
  }

  get deliveries(): DeliverSm[] {
    return this.received.filter((pdu): pdu is DeliverSm => pdu.command === "deliver_sm");
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 4_000; tries++) {
    if (condition()) return;
    await sleep(5);
  }
  assert.fail(`waited in vain until ${what}`);
}

test("SMSC: names, passwords and bind states are checked", async () => {
  const smsc = await smscOf();
  const client = new Client(smsc);
  const statusOf = async <C extends Command>(command: C, init: PduInit<C>) =>
    (await client.ask(command, init)).command_status;
  assert.equal(await statusOf("submit_sm", { destination_addr: "1" }), STATUS.ESME_RINVBNDSTS);
  assert.equal(
    await statusOf("bind_receiver", { system_id: "other", password: "secret" }),
    STATUS.ESME_RINVSYSID,
  );
  assert.equal(
    await statusOf("bind_receiver", { system_id: "turnup", password: "x" }),
    STATUS.ESME_RINVPASWD,
  );
  assert.equal(await statusOf("bind_receiver", { system_id: "turnup", password: "secret" }), STATUS.ESME_ROK);
  assert.equal(
    await statusOf("bind_receiver", { system_id: "turnup", password: "secret" }),
    STATUS.ESME_RALYBND,
  );
  assert.equal(await statusOf("submit_sm", { destination_addr: "1" }), STATUS.ESME_RINVBNDSTS);
  assert.equal(await statusOf("query_sm", { message_id: "1" }), STATUS.ESME_RINVBNDSTS);
  assert.equal((await client.ask("enquire_link")).command, "enquire_link_resp");
  assert.equal((await client.ask("unbind")).command, "unbind_resp");
  assert.equal(smsc.log.length, 0);
});

test("SMSC: what is wrong with a message is said by its status", async () => {
  const client = await new Client(await smscOf()).bind();
  const to = { destination_addr: "4510" };
  const payload = { name: "message_payload", value: Uint8Array.of(1) } as const;
  for (const [init, status] of [
    [{}, STATUS.ESME_RINVDSTADR],
    [{ ...to, validity_period: "9999999999999999" }, STATUS.ESME_RINVEXPIRY],
    [{ ...to, schedule_delivery_time: "abcdefghijklmnop" }, STATUS.ESME_RINVSCHED],
    [{ ...to, short_message: Uint8Array.of(1), tlvs: [payload] }, STATUS.ESME_RINVMSGLEN],
    [{ ...to, esm_class: 0x40, short_message: Uint8Array.of(9, 1) }, STATUS.ESME_RINVMSGLEN],
    [{ ...to, esm_class: 0x40 }, STATUS.ESME_RINVESMCLASS],
  ] as const) {
    assert.equal((await client.ask("submit_sm", init)).command_status, status, JSON.stringify(init));
  }
  assert.equal((await client.ask("outbind")).command, "generic_nack");
});

test("SMSC: the handset network gets header and data apart, as they were submitted", async () => {
  const air: AirMessage[] = [];
  const smsc = await smscOf({
    onMessage: async (message) => {
      air.push(message);
      return "delivered";
    },
  });
  const client = await new Client(smsc).bind();
  const id = await client.submit({
    esm_class: 0x43,
    data_coding: 0xf5,
    protocol_id: 1,
    short_message: bytesOf("0605040b8423f0 010203"),
  });
  await client.submit({ data_coding: 4, short_message: bytesOf("0605") });
  await until(() => air.length === 2, "both are on air");
  const { udh, data, ...rest } = air[0] as AirMessage;
  assert.deepEqual([hexOf(udh), hexOf(data)], ["0605040b8423f0", "010203"]);
  assert.deepEqual(rest, {
    messageId: id,
    from: "2948",
    to: "4510",
    esmClass: 0x43,
    protocolId: 1,
    dataCoding: 0xf5,
  });
  assert.deepEqual([air[1]?.udh.length, hexOf(air[1]?.data as Uint8Array)], [0, "0605"]);
});

test("SMSC: a long payload with ports is cut by the centre, one receipt for all parts", async () => {
  const air: AirMessage[] = [];
  const smsc = await smscOf({
    onMessage: async (message) => {
      air.push(message);
      return "delivered";
    },
  });
  const client = await new Client(smsc).bind();
  const value = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
  const answer = await client.ask("data_sm", {
    destination_addr: "4510",
    data_coding: 4,
    registered_delivery: 1,
    tlvs: [
      { name: "destination_port", value: 2948 },
      { name: "source_port", value: 9200 },
      { name: "message_payload", value },
    ],
  });
  assert.ok(answer.command === "data_sm_resp");
  await until(() => client.deliveries.length === 1, "the receipt");
  assert.deepEqual(
    air.map(({ udh }) => hexOf(udh).replace(/^(0b05040b8423f00003)..(03)/, "$1rr$2")),
    ["0b05040b8423f00003rr0301", "0b05040b8423f00003rr0302", "0b05040b8423f00003rr0303"],
  );
  assert.deepEqual(Buffer.concat(air.map(({ data }) => data)), Buffer.from(value));
  assert.ok(air.every(({ udh, data, esmClass }) => udh.length + data.length <= 140 && esmClass & 0x40));
  assert.equal(parseReceipt(client.deliveries[0] as DeliverSm)?.messageId, answer.message_id);
});

test("SMSC: segments told by parameters get a concatenation header", async () => {
  const air: AirMessage[] = [];
  const smsc = await smscOf({
    onMessage: async (message) => {
      air.push(message);
      return "delivered";
    },
  });
  const client = await new Client(smsc).bind();
  await client.submit({
    short_message: Uint8Array.of(7),
    tlvs: [
      { name: "sar_msg_ref_num", value: 0x1234 },
      { name: "sar_total_segments", value: 2 },
      { name: "sar_segment_seqnum", value: 1 },
    ],
  });
  await until(() => air.length === 1, "on air");
  assert.equal(hexOf(air[0]?.udh as Uint8Array), "0608041234" + "0201");
});

test("SMSC: submit_multi reaches each subscriber and names those it cannot", async () => {
  const smsc = await smscOf();
  const client = await new Client(smsc).bind();
  const sme = (destination_addr: string) =>
    ({ dest_flag: 1, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr }) as const;
  const answer = await client.ask("submit_multi", {
    source_addr: "2948",
    dest_address: [sme("4511"), { dest_flag: 2, dl_name: "staff" }, sme("4512")],
    registered_delivery: 1,
  });
  assert.ok(answer.command === "submit_multi_resp");
  assert.deepEqual(
    answer.unsuccess_sme.map(({ error_status_code }) => error_status_code),
    [STATUS.ESME_RINVDLNAME],
  );
  await until(() => client.deliveries.length === 2, "two receipts");
  assert.deepEqual(client.deliveries.map(({ source_addr }) => source_addr).sort(), ["4511", "4512"]);
});

test("SMSC: an absent handset is tried until it is there, or the message expires", async () => {
  let present = false;
  let tries = 0;
  const smsc = await smscOf({
    onMessage: async () => {
      tries += 1;
      return present ? "delivered" : "absent";
    },
  });
  const client = await new Client(smsc).bind();
  const first = await client.submit({ registered_delivery: 0x11 });
  await until(() => tries >= 3, "three tries");
  const query = await client.ask("query_sm", { message_id: first, source_addr: "2948" });
  assert.ok(query.command === "query_sm_resp" && query.message_state === 1 && query.final_date === "");
  present = true;
  await until(() => client.deliveries.length === 2, "the note that it waits, then the receipt");
  assert.deepEqual(
    client.deliveries.map((pdu) => [pdu.esm_class, parseReceipt(pdu)?.state]),
    [
      [0x20, "enroute"],
      [0x04, "delivered"],
    ],
  );
  present = false;
  const second = await client.submit({ registered_delivery: 1, validity_period: formatRelativeTime(1_000) });
  await until(() => client.deliveries.length === 3, "the end of its validity");
  const receipt = parseReceipt(client.deliveries[2] as DeliverSm);
  assert.deepEqual([receipt?.messageId, receipt?.state], [second, "expired"]);
});

test("SMSC: receipts come for what was asked: always, for failures only, never", async () => {
  const smsc = await smscOf({
    onMessage: async ({ to }) => (to === "4566" ? "undeliverable" : "delivered"),
  });
  const client = await new Client(smsc).bind();
  await client.submit({ registered_delivery: 0 });
  await client.submit({ registered_delivery: 2 });
  const failed = await client.submit({ registered_delivery: 2, destination_addr: "4566" });
  const asked = await client.submit({ registered_delivery: 1 });
  await until(() => client.deliveries.length === 2, "two receipts");
  await sleep(30);
  assert.deepEqual(
    client.deliveries.map((pdu) => [parseReceipt(pdu)?.messageId, parseReceipt(pdu)?.state]),
    [
      [failed, "undeliverable"],
      [asked, "delivered"],
    ],
  );
});

test("SMSC: a scheduled message can be asked for, replaced and cancelled before its time", async () => {
  const air: string[] = [];
  let isThere = true;
  const smsc = await smscOf({
    onMessage: async ({ data }) => {
      if (!isThere) return "absent";
      air.push(hexOf(data));
      return "delivered";
    },
  });
  const client = await new Client(smsc).bind();
  const later = { schedule_delivery_time: formatAbsoluteTime(Date.now() + 3_600_000) };
  const id = await client.submit({ ...later, registered_delivery: 1, short_message: Uint8Array.of(1) });
  const own = { message_id: id, source_addr: "2948" };
  const status = async (command: "query_sm" | "cancel_sm" | "replace_sm", of: typeof own) =>
    (await client.ask(command, of)).command_status;
  assert.equal(await status("query_sm", { ...own, source_addr: "other" }), STATUS.ESME_RQUERYFAIL);
  assert.equal(await status("replace_sm", { ...own, message_id: "nope" }), STATUS.ESME_RREPLACEFAIL);
  assert.equal(await status("replace_sm", own), STATUS.ESME_ROK);
  assert.equal(await status("cancel_sm", own), STATUS.ESME_ROK);
  assert.equal(await status("cancel_sm", own), STATUS.ESME_RCANCELFAIL);
  const query = (await client.ask("query_sm", own)) as PduOf<"query_sm_resp">;
  assert.equal(query.message_state, 4);
  assert.match(query.final_date, /^\d{15}\+$/);
  await sleep(20);
  assert.deepEqual(air, []);

  await client.submit({
    schedule_delivery_time: formatAbsoluteTime(Date.now() + 300),
    short_message: Uint8Array.of(8),
  });
  await until(() => air.length === 1, "its time has come");
  isThere = false;
  const waits = await client.submit({ short_message: Uint8Array.of(1) });
  await client.ask("replace_sm", { message_id: waits, source_addr: "2948", short_message: Uint8Array.of(9) });
  isThere = true;
  await until(() => air.length === 2, "the handset is there");
  assert.deepEqual(air, ["08", "09"]);
});

test("SMSC: a message from a mobile waits for a receiver, and comes again when it was not answered", async () => {
  const smsc = await smscOf({ deliverTimeoutMs: 50 });
  const sent = smsc.sendMobileOriginated({
    from: "4510",
    to: "2948",
    dataCoding: 0,
    esmClass: 0,
    data: Buffer.from("STOP"),
  });
  const transmitter = await new Client(smsc).bind("bind_transmitter");
  await sleep(20);
  assert.equal(transmitter.deliveries.length, 0);
  const deaf = new Client(smsc);
  deaf.deliverStatus = undefined;
  await deaf.bind("bind_receiver");
  await until(() => deaf.deliveries.length >= 2, "it comes again to the same session");
  deaf.socket.destroy();
  const busy = new Client(smsc);
  busy.deliverStatus = STATUS.ESME_RX_T_APPN;
  await busy.bind("bind_receiver");
  await until(() => busy.deliveries.length >= 2, "it comes again after a temporary error");
  busy.deliverStatus = 0;
  assert.equal(await sent, "taken");
  assert.equal(Buffer.from(busy.deliveries[0]?.short_message as Uint8Array).toString(), "STOP");
  assert.equal(smsc.stats.undelivered, 0);
});

test("SMSC: a message of a mobile that the ESME rejects is not sent again", async () => {
  const smsc = await smscOf();
  const client = new Client(smsc);
  client.deliverStatus = STATUS.ESME_RX_R_APPN;
  await client.bind();
  const data = new Uint8Array(300);
  assert.equal(
    await smsc.sendMobileOriginated({ from: "45", to: "2948", dataCoding: 4, esmClass: 0, data }),
    "refused",
  );
  assert.equal(client.deliveries.length, 1);
  assert.deepEqual(client.deliveries[0]?.tlvs, [{ name: "message_payload", value: data }]);
});

test("SMSC: receipts lost, doubled and out of order happen as the seed says, twice the same", async () => {
  const run = async (seed: number) => {
    const smsc = await smscOf({
      seed,
      faults: { receiptLostPart: 0.2, receiptDuplicatePart: 0.2, receiptReorderPart: 0.3 },
    });
    const client = await new Client(smsc).bind();
    const first = Number(await client.submit({ registered_delivery: 1 }));
    for (let i = 1; i < 60; i++) await client.submit({ registered_delivery: 1 });
    await until(() => smsc.stats.unfinished === 0, "all are delivered");
    // One more, whose receipt overtakes the last that may be held back.
    smsc.setFaults({});
    const last = Number(await client.submit({ registered_delivery: 1 }));
    const numbers = () => client.deliveries.map((pdu) => Number(parseReceipt(pdu)?.messageId));
    await until(() => numbers().includes(last) && smsc.stats.undelivered === 0, "all receipts are there");
    return numbers().flatMap((number) => (number === last ? [] : [number - first]));
  };
  const order = await run(3);
  assert.deepEqual(await run(3), order);
  assert.notDeepEqual(await run(4), order);
  const distinct = new Set(order).size;
  assert.ok(distinct < 60, "some are lost");
  assert.ok(order.length > distinct, "some are doubled");
  assert.ok(
    order.some((id, i) => i > 0 && id < (order[i - 1] as number)),
    "some are overtaken",
  );
});

test("SMSC: too many unfinished messages are refused, the log keeps the latest", async () => {
  const smsc = await smscOf({
    maxUnfinished: 5,
    logSize: 3,
    onMessage: async () => "absent",
    retryMs: 60_000,
  });
  const client = await new Client(smsc).bind();
  for (let i = 0; i < 5; i++) await client.submit({ destination_addr: `451${i}` });
  const refused = await client.ask("submit_sm", { destination_addr: "4519" });
  assert.equal(refused.command_status, STATUS.ESME_RMSGQFUL);
  assert.deepEqual(
    smsc.log.map(({ to }) => to),
    ["4512", "4513", "4514"],
  );
  assert.equal(smsc.stats.unfinished, 5);
});

test("SMSC: octets that are no SMPP are answered with generic_nack and the connection is closed", async () => {
  const smsc = await smscOf();
  const client = new Client(smsc);
  client.socket.write("GET / HTTP/1.1\r\n\r\n");
  await until(() => client.socket.closed, "closed");
  assert.deepEqual(
    client.received.map(({ command }) => command),
    ["generic_nack"],
  );
});
