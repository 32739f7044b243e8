/**
 * Kannel as an operator's WAP gateway (Debian: kannel): bearerbox and wapbox on the loopback with a configuration of their own, told
 * by RADIUS accounting whose line an address is; and the radio side of a phone, connectionless WSP over UDP (WAP-230 clause 8),
 * which a browser on this machine reaches as an HTTP server.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../fixture/free-port.ts";

const BEARERBOX = "/usr/sbin/bearerbox";
const WAPBOX = "/usr/sbin/wapbox";
const HOST = "127.0.0.1";
/** IANA's port of connectionless WSP. */
const WSP_PORT = 9200;
const RADIUS_SECRET = "wap-radius";
export const MSISDN_HEADER = "x-wap-network-client-msisdn";
const START_MS = 30_000;
const ANSWER_MS = 20_000;

export type WapGateway = {
  /** A line has this address from now on (RFC 2866: Accounting-Request, Start). */
  attach(msisdn: string): Promise<void>;
  close(): Promise<void>;
};

export async function startWapGateway(): Promise<WapGateway> {
  for (const program of [BEARERBOX, WAPBOX])
    if (!existsSync(program)) throw new Error(`${program} is not there: apt-get install kannel`);
  const folder = mkdtempSync(join(tmpdir(), "turnup-wap-"));
  const [adminPort, boxPort, radiusPort] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, "kannel.conf");
  writeFileSync(
    file,
    `group = core
admin-port = ${adminPort}
admin-interface = ${HOST}
admin-password = peer
wapbox-port = ${boxPort}
wdp-interface-name = "${HOST}"
box-allow-ip = "${HOST}"
log-file = "${folder}/bearerbox.log"
log-level = 1

group = wapbox
bearerbox-host = ${HOST}
log-file = "${folder}/wapbox.log"
log-level = 0

group = wap-url-map
name = all
url = "http://${HOST}*"
send-msisdn-header = "X-WAP-Network-Client-MSISDN"

group = radius-acct
our-host = ${HOST}
our-port = ${radiusPort}
secret-nas = "${RADIUS_SECRET}"
`,
  );
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    children.push(spawn(BEARERBOX, [file], { stdio: "ignore" }));
    await until(
      () => says(join(folder, "bearerbox.log"), /MAIN|Start-up done|entering mainloop/i),
      "bearerbox does not start",
    );
    children.push(spawn(WAPBOX, [file], { stdio: "ignore" }));
    await until(
      () => says(join(folder, "wapbox.log"), /Connected to bearerbox|connected to bearer/i),
      "wapbox does not reach bearerbox",
    );
  } catch (error) {
    await close();
    throw error;
  }
  let attached: string | undefined;
  return {
    async attach(msisdn) {
      if (attached !== undefined) await account(radiusPort, attached, STOP);
      await account(radiusPort, msisdn, START);
      attached = msisdn;
    },
    close,
  };
}

const says = (file: string, what: RegExp): boolean =>
  existsSync(file) && what.test(readFileSync(file, "latin1"));

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const end = Date.now() + START_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(otherwise);
    await pause(100);
  }
}

const START = 1;
const STOP = 2;
/** RFC 2866 clause 4.1; attributes of RFC 2865 clause 5 and RFC 2866 clause 5. */
async function account(port: number, msisdn: string, status: number): Promise<void> {
  const attribute = (type: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.of(type, value.length + 2), value]);
  const attributes = Buffer.concat([
    attribute(40, Buffer.of(0, 0, 0, status)), // Acct-Status-Type
    attribute(8, Buffer.of(127, 0, 0, 1)), // Framed-IP-Address
    attribute(31, Buffer.from(msisdn)), // Calling-Station-Id
    attribute(44, Buffer.from(`s-${msisdn}`)), // Acct-Session-Id
    attribute(4, Buffer.of(127, 0, 0, 1)), // NAS-IP-Address
  ]);
  const head = Buffer.alloc(20);
  head.writeUInt8(4, 0);
  head.writeUInt8(1, 1);
  head.writeUInt16BE(20 + attributes.length, 2);
  createHash("md5").update(head).update(attributes).update(RADIUS_SECRET).digest().copy(head, 4);
  const socket = createSocket("udp4");
  try {
    const answered = once(socket, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
    socket.send(Buffer.concat([head, attributes]), port, HOST);
    const [answer] = (await answered) as [Buffer];
    if (answer[0] !== 5) throw new Error("the gateway took no accounting");
  } finally {
    socket.close();
  }
}

/** What came back: how many octets the air carried, and how it was typed. */
export type WspAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** Of the whole WSP PDU. */
  readonly octets: number;
};

/** Statuses of WSP's own numbering (WAP-230 table 36): the high nibble is the class. */
const STATUS: Readonly<Record<number, number>> = {
  32: 200,
  64: 400,
  65: 401,
  67: 403,
  68: 404,
  70: 406,
  79: 415,
  96: 500,
  97: 501,
  98: 502,
  99: 503,
  100: 504,
};
const GET = 0x40;
const POST = 0x60;
const REPLY = 0x04;

const uintvar = (value: number): Buffer => {
  const octets = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return Buffer.from(octets);
};
const textHeader = (name: string, value: string): Buffer => Buffer.from(`${name}\0${value}\0`, "latin1");

let transaction = 0;
export async function askByWsp(asked: {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}): Promise<WspAnswer> {
  transaction = (transaction + 1) % 256;
  const uri = Buffer.from(asked.url, "latin1");
  const headers = Buffer.concat(
    Object.entries(asked.headers).map(([name, value]) => textHeader(name, value)),
  );
  const pdu =
    asked.method === "GET"
      ? Buffer.concat([Buffer.of(transaction, GET), uintvar(uri.length), uri, headers])
      : postPdu(uri, headers, asked.body ?? "");
  const socket = createSocket("udp4");
  try {
    const answered = once(socket, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
    socket.send(pdu, WSP_PORT, HOST);
    const [answer] = (await answered) as [Buffer];
    return readReply(answer);
  } finally {
    socket.close();
  }
}

/** WAP-230 clause 8.2.3.2: the content type stands first in the headers. */
function postPdu(uri: Buffer, headers: Buffer, body: string): Buffer {
  const all = Buffer.concat([Buffer.from("application/x-www-form-urlencoded\0", "latin1"), headers]);
  return Buffer.concat([
    Buffer.of(transaction, POST),
    uintvar(uri.length),
    uintvar(all.length),
    uri,
    all,
    Buffer.from(body, "latin1"),
  ]);
}

function readReply(answer: Buffer): WspAnswer {
  const [, type, status = 0] = answer;
  if (type !== REPLY) throw new Error(`the gateway answered with PDU type ${type}`);
  let at = 3;
  let length = 0;
  for (let octet = 0x80; octet & 0x80; at++) {
    octet = answer[at] ?? 0;
    length = (length << 7) | (octet & 0x7f);
  }
  const headers = answer.subarray(at, at + length);
  return {
    status: STATUS[status] ?? status,
    contentType: contentTypeIn(headers),
    body: answer.subarray(at + length),
    octets: answer.length,
  };
}

/** Assigned numbers of WAP-230 table 40 that decks come as. */
const TYPES: Readonly<Record<number, string>> = {
  3: "text/plain",
  8: "text/vnd.wap.wml",
  20: "application/vnd.wap.wmlc",
};
function contentTypeIn(headers: Buffer): string {
  const [first = 0] = headers;
  if (first & 0x80) return TYPES[first & 0x7f] ?? `0x${(first & 0x7f).toString(16)}`;
  if (first < 0x20) return TYPES[(headers[1] ?? 0) & 0x7f] ?? "unknown";
  return headers.toString("latin1", 0, headers.indexOf(0));
}

/** What a phone's browser talks to: its requests go out by WSP with the headers that a phone of 2000 sends, and no others. */
export async function wspModem(origin: string, userAgent: string, seen: (answer: WspAnswer) => void) {
  const server = createServer((request, response) => {
    void bodyOf(request)
      .then(
        async (body) => {
          const answer = await askByWsp({
            method: request.method === "POST" ? "POST" : "GET",
            url: `${origin}${request.url}`,
            headers: {
              Accept: "application/vnd.wap.wmlc",
              "User-Agent": userAgent,
              "Accept-Language": "en",
            },
            body,
          });
          seen(answer);
          response.writeHead(answer.status, { "content-type": answer.contentType }).end(answer.body);
        },
        () => response.destroy(),
      )
      .catch(() => response.destroy());
  });
  server.listen(0, HOST);
  await once(server, "listening");
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}
