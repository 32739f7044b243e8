/**
 * How a packet gateway tells of its sessions: one Accounting-Request (Start) each, by UDP, again every few seconds until it is
 * acknowledged (RFC 2866 section 2.1; TS 29.061 clause 16.4). 256 may be open at a time, as many as there are identifiers.
 */
import { createSocket, type Socket } from "node:dgram";
import {
  decodeRadius,
  encodeRequest,
  isAnswerAuthentic,
  RADIUS,
  type RadiusPacket,
  type RadiusValue,
  vendorValue,
} from "../../wire/radius/packet.ts";
import type { UsageRecord } from "./packet-gateway.ts";

export type AccountingServer = { readonly host: string; readonly port: number; readonly secret: string };
export type AccountingClient = {
  /** Resolves when the server has acknowledged each, or nobody asks any more. */
  tell(records: readonly UsageRecord[]): Promise<void>;
  close(): void;
};

const IDENTIFIERS = 256;
const AGAIN_MS = 3_000;
const VENDOR_3GPP = 10_415;
const START = 1;
/** TS 29.061 clause 16.4.7.2: the access point is the subscription's, and verified. */
const SUBSCRIBED = "0";

type Open = {
  readonly request: RadiusPacket;
  readonly again: NodeJS.Timeout;
  readonly done: () => void;
};
type Client = {
  readonly socket: Socket;
  readonly server: AccountingServer;
  readonly secret: Uint8Array;
  readonly open: Map<number, Open>;
  readonly waiting: { readonly record: UsageRecord; readonly done: () => void }[];
  next: number;
};

export function accountingClient(server: AccountingServer): AccountingClient {
  const socket = createSocket("udp4");
  const client: Client = {
    ...{ socket, server, secret: octets(server.secret), open: new Map(), waiting: [], next: 0 },
  };
  socket.on("error", () => undefined); // nobody listens yet: it is sent again
  socket.on("message", (bytes) => answered(client, bytes));
  return {
    async tell(records) {
      const told = records.map(
        (record) => new Promise<void>((done) => client.waiting.push({ record, done })),
      );
      pump(client);
      await Promise.all(told);
    },
    close() {
      for (const { again, done } of client.open.values()) {
        clearInterval(again);
        done();
      }
      for (const { done } of client.waiting.splice(0)) done();
      client.open.clear();
      socket.close();
    },
  };
}

function pump(client: Client): void {
  const { socket, server, open, waiting, secret } = client;
  while (open.size < IDENTIFIERS) {
    const first = waiting.shift();
    if (!first) return;
    while (open.has(client.next)) client.next = (client.next + 1) % IDENTIFIERS;
    const identifier = client.next;
    client.next = (client.next + 1) % IDENTIFIERS;
    const bytes = encodeRequest(
      { code: RADIUS.accountingRequest, identifier, attributes: attributesOf(first.record) },
      secret,
    );
    const send = (): void => socket.send(bytes, server.port, server.host);
    open.set(identifier, {
      ...{ request: decodeRadius(bytes), again: setInterval(send, AGAIN_MS), done: first.done },
    });
    send();
  }
}

function answered(client: Client, bytes: Uint8Array): void {
  const answer = decodeRadius(bytes);
  const open = client.open.get(answer.identifier);
  if (!open || !isAnswerAuthentic(answer, open.request, client.secret)) return;
  clearInterval(open.again);
  client.open.delete(answer.identifier);
  open.done();
  pump(client);
}

const attributesOf = ({
  sessionId,
  apn,
  imsi,
  imei,
  msisdn,
  radioType,
  visited,
  at,
}: UsageRecord): RadiusValue[] => [
  [40, number(START)],
  [44, octets(sessionId)],
  [55, number(Math.floor(at.getTime() / 1_000))],
  [30, octets(apn)],
  ...(msisdn === undefined ? [] : [[31, octets(msisdn.replace("+", ""))] as const]),
  vendorValue(VENDOR_3GPP, 1, octets(imsi)),
  vendorValue(VENDOR_3GPP, 12, octets(SUBSCRIBED)),
  vendorValue(VENDOR_3GPP, 20, octets(imei)),
  ...(visited === undefined ? [] : [vendorValue(VENDOR_3GPP, 18, octets(visited))]),
  ...(radioType === undefined ? [] : [vendorValue(VENDOR_3GPP, 21, new Uint8Array([radioType]))]),
];

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
