/**
 * A mail server's receiving end (RFC 5321, with DSN by RFC 3461): takes every mail and keeps it, envelope and all, for
 * a test or a person to read. On request it refuses, asks to come later, is silent, or hangs up in the middle.
 */
import { createServer, type Socket } from "node:net";
import { closed, listening } from "../web/listen.ts";

const MAX_MAIL_OCTETS = 1_048_576;
const MAX_LINE_OCTETS = 4_096;
const MAX_MAILS = 10_000;
const MAX_SESSIONS = 100;
const IDLE_MS = 60_000;

type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  /** `ENVID` of MAIL FROM. */
  readonly envelopeId: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
};
type MailFault = "silent" | "busy" | "refuse_recipient" | "hang_up" | "lose_answer";
export type MailSimulator = {
  readonly host: string;
  readonly port: number;
  mails(): readonly ReceivedMail[];
  close(): Promise<void>;
};

/** One mail as it comes in. */
type Session = {
  from: string;
  to: string[];
  envelopeId: string | null;
  data: string[] | undefined;
  octets: number;
};
const freshSession = (): Session => ({ from: "", to: [], envelopeId: null, data: undefined, octets: 0 });

type Mailbox = {
  readonly mails: ReceivedMail[];
  readonly sockets: Set<Socket>;
  /** Asked for each mail as it begins, counted from 1. */
  readonly faultOf: (number: number) => MailFault | undefined;
  begun: number;
};
type Connection = {
  readonly box: Mailbox;
  readonly socket: Socket;
  session: Session;
  fault: MailFault | undefined;
  /** Of a line that is not whole yet. */
  rest: string;
};

export async function startMailbox(
  options: {
    readonly port?: number;
    readonly host?: string;
    /** Asked for each mail as it begins, counted from 1. */
    fault?(number: number): MailFault | undefined;
  } = {},
): Promise<MailSimulator> {
  const { host = "127.0.0.1" } = options;
  const box: Mailbox = {
    mails: [],
    sockets: new Set(),
    faultOf: (number) => options.fault?.(number),
    begun: 0,
  };
  const server = createServer((socket) => serve(box, socket));
  const port = await listening(server, host, options.port);
  return {
    host,
    port,
    mails: () => box.mails,
    async close() {
      for (const socket of box.sockets) socket.destroy();
      await closed(server);
    },
  };
}

function serve(box: Mailbox, socket: Socket): void {
  if (box.sockets.size >= MAX_SESSIONS) return void socket.end("421 too many sessions\r\n");
  box.sockets.add(socket);
  const connection: Connection = { box, socket, session: freshSession(), fault: undefined, rest: "" };
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.setEncoding("latin1");
  say(connection, "220 mailbox.sim ESMTP");
  socket.on("error", () => socket.destroy());
  socket.on("close", () => box.sockets.delete(socket));
  socket.on("data", (chunk) => take(connection, String(chunk)));
}

const say = ({ fault, socket }: Connection, line: string): void =>
  void (fault === "silent" || socket.write(`${line}\r\n`));

function take(connection: Connection, text: string): void {
  const lines = (connection.rest + text).split("\r\n");
  connection.rest = lines.pop() ?? "";
  for (const line of lines) {
    if (connection.session.data) takeData(connection, line);
    else command(connection, line);
  }
  if (connection.rest.length > MAX_LINE_OCTETS) connection.socket.destroy();
}

function command(connection: Connection, line: string): void {
  const { session, fault, socket } = connection;
  const [verb = "", ...words] = line.split(/[ :]/);
  switch (verb.toUpperCase()) {
    case "EHLO":
      return say(
        connection,
        "250-mailbox.sim\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 SIZE 1048576",
      );
    case "HELO":
    case "NOOP":
      return say(connection, "250 OK");
    case "RSET":
      connection.session = freshSession();
      return say(connection, "250 OK");
    case "MAIL":
      return begin(connection, line, words);
    case "RCPT":
      if (fault === "refuse_recipient") return say(connection, "550 5.1.1 nobody of this name");
      session.to.push(addressIn(line));
      return say(connection, "250 OK");
    case "DATA":
      if (session.to.length === 0) return say(connection, "503 a recipient is wanted first");
      if (fault === "hang_up") return void socket.destroy();
      session.data = [];
      return say(connection, "354 end with a dot");
    case "QUIT":
      say(connection, "221 bye");
      return void socket.end();
    default:
      return say(connection, "502 not known here");
  }
}

function begin(connection: Connection, line: string, words: readonly string[]): void {
  const { box } = connection;
  connection.fault = box.faultOf(++box.begun);
  if (connection.fault === "busy") return say(connection, "451 4.3.0 come again later");
  const envelopeId = words.find((word) => /^ENVID=/i.test(word))?.slice("ENVID=".length) ?? null;
  connection.session = { ...freshSession(), from: addressIn(line), envelopeId };
  say(connection, "250 OK");
}

function takeData(connection: Connection, line: string): void {
  const { box, session, fault, socket } = connection;
  if (line !== ".") {
    session.octets += line.length + 2;
    if (session.octets > MAX_MAIL_OCTETS) return void socket.destroy();
    session.data?.push(line.startsWith(".") ? line.slice(1) : line);
    return;
  }
  const { mails } = box;
  if (mails.length < MAX_MAILS) mails.push(mailOf(session));
  connection.session = freshSession();
  if (fault === "lose_answer") return void socket.destroy();
  say(connection, mails.length < MAX_MAILS ? "250 kept" : "452 full");
}

const addressIn = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? "";

function mailOf({ from, to, envelopeId, data = [] }: Session): ReceivedMail {
  const blank = data.indexOf("");
  const unfolded = data
    .slice(0, blank)
    .join("\r\n")
    .replace(/\r\n[ \t]+/g, " ");
  const headers = new Map(
    unfolded.split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), wordsOf(line.slice(colon + 1).trim())] as const;
    }),
  );
  const body = data.slice(blank + 1).join("\r\n");
  return { from, to, envelopeId, headers, text: bodyText(body, headers.get("content-transfer-encoding")) };
}

/** Encoded words of RFC 2047 in UTF-8. */
function wordsOf(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === "b"
        ? Buffer.from(text, "base64").toString("utf8")
        : quoted(text.replaceAll("_", " ")),
    );
}

function bodyText(body: string, encoding = "7bit"): string {
  if (encoding.toLowerCase() === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding.toLowerCase() === "quoted-printable") return quoted(body.replace(/=\r\n/g, ""));
  return Buffer.from(body, "latin1").toString("utf8");
}

const quoted = (text: string): string =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString("utf8");
