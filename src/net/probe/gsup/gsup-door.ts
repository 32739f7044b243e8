/**
 * The door for GSUP: an MSC or SGSN of Osmocom asks its subscriber register (HLR) whether a handset may be used (CHECK-IMEI), and finds us in
 * its place. As a proxy every message goes on to the register and back untouched, but a handset that may not be used, which is refused
 * here; without a register behind, CHECK-IMEI alone is answered. Source: Osmocom's manuals; 3GPP TS 29.002 clause 8.7 for the procedure.
 */
import { connect, createServer, type Socket } from "node:net";
import { DecodeError } from "../../../wire/decode-error.ts";
import {
  decodeGsup,
  encodeGsupError,
  encodeImeiAnswer,
  GSUP,
  GSUP_CAUSE,
  type GsupMessage,
} from "../../../wire/gsup/gsup.ts";
import {
  CCM,
  encodeIpaFrame,
  GSUP_EXTENSION,
  IPA_STREAM,
  type IpaFrame,
  identityRequest,
  ipaFrameAt,
} from "../../../wire/gsup/ipa.ts";

/** An MSC or SGSN, by its address. */
export type GsupClient = { readonly name: string };
/**
 * `checked`: answered here; `passed`: the register answered a CHECK-IMEI; `refused`: no IMEI or IMSI in it; `unserved`: another message with
 * no register behind. Connections: `unknown_client`, `malformed`, `no_register` (it does not answer, or hung up).
 */
export const GSUP_OUTCOMES = [
  ...["checked", "passed", "refused", "unserved"],
  ...["unknown_client", "malformed", "no_register"],
] as const;
type GsupOutcome = (typeof GSUP_OUTCOMES)[number];

type Handset = { readonly imsi: string; readonly imei: string; readonly msisdn: string | undefined };
type GsupDoorOptions = {
  readonly host: string;
  readonly port: number;
  /** Where the register is; undefined: we are alone. */
  readonly register: { readonly host: string; readonly port: number } | undefined;
  clientAt(address: string): GsupClient | undefined;
  /** Whether it may be used. */
  isAllowed(client: GsupClient, handset: Handset): boolean;
  /** This SIM is in this handset, as the register, or we in its place, have accepted it. */
  saw(client: GsupClient, handset: Handset): void;
  onOutcome(outcome: GsupOutcome, client: GsupClient | undefined): void;
  onFault(error: unknown): void;
};
export type GsupDoor = {
  readonly port: number;
  close(): Promise<void>;
  /** What `clientAt` says has changed: whoever has another name now, or none, is cut off, and connects again. */
  recheck(): void;
};

const CONNECTIONS_MAX = 1_000;
/** Asked and not answered yet, or numbers that the register told of subscribers, of one connection. */
const REMEMBERED_MAX = 10_000;
const REGISTER_CONNECT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;

type Link = {
  readonly options: GsupDoorOptions;
  readonly client: GsupClient;
  readonly down: Socket;
  readonly up: Socket | undefined;
  /** By IMSI: what the register was asked, and which number it told. */
  readonly asked: Map<string, Handset>;
  readonly numbers: Map<string, string>;
};

/** @throws Error of the system: nobody may listen there */
export async function openGsupDoor(options: GsupDoorOptions): Promise<GsupDoor> {
  const sockets = new Set<Socket>();
  const clients = new Map<Socket, string>();
  const kept = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on("error", () => socket.destroy()); // its other side is ended by "close"
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((down) => {
    const client = options.clientAt(down.remoteAddress ?? "");
    if (client) {
      clients.set(down, client.name);
      down.on("close", () => clients.delete(down));
      return received(options, client, kept(down), kept);
    }
    options.onOutcome("unknown_client", undefined);
    down.destroy();
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((done, failed) => {
    server.once("error", failed).listen(options.port, options.host, done);
  });
  server.removeAllListeners("error").on("error", options.onFault);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    async close() {
      const closed = new Promise<void>((done) => void server.close(() => done()));
      for (const socket of sockets) socket.destroy(); // an MSC connects again, and asks again
      await closed;
    },
    recheck() {
      for (const [down, name] of clients)
        if (options.clientAt(down.remoteAddress ?? "")?.name !== name) down.destroy();
    },
  };
}

/** One link to the register for each client: by it the register knows whom it speaks with. */
function received(
  options: GsupDoorOptions,
  client: GsupClient,
  down: Socket,
  kept: (socket: Socket) => Socket,
): void {
  const up = options.register && kept(connect(options.register));
  const link: Link = { options, client, down, up, asked: new Map(), numbers: new Map() };
  reading(down, link, (frame) => fromClient(link, frame));
  down.on("close", () => up?.destroy());
  if (!up) {
    down.write(identityRequest());
    return;
  }
  const timer = setTimeout(() => up.destroy(), REGISTER_CONNECT_MS);
  up.on("connect", () => clearTimeout(timer));
  up.on("close", () => {
    clearTimeout(timer);
    if (down.destroyed) return;
    options.onOutcome("no_register", client);
    down.destroy();
  });
  reading(up, link, (frame) => fromRegister(link, frame));
}

/** Frame by frame, however they were cut. What cannot be a frame ends the connection. */
function reading(socket: Socket, { options, client, down, up }: Link, each: (frame: IpaFrame) => void): void {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    try {
      for (let frame = ipaFrameAt(bytes, at); frame; frame = ipaFrameAt(bytes, at)) {
        at += frame.octets.length;
        each(frame);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) options.onFault(error);
      options.onOutcome("malformed", client);
      socket.destroy();
    }
    rest = bytes.subarray(at);
  });
  // Of whoever writes to `socket`: the other side and, where the door answers by itself, the client.
  const other = socket === down ? up : down;
  other?.on("drain", () => socket.resume());
  if (socket === down) down.on("drain", () => down.resume());
}

/** Whoever does not read slows down who writes to it. */
function passOn(to: Socket | undefined, from: Socket, octets: Uint8Array): void {
  if (to && !to.destroyed && !to.write(octets)) from.pause();
}

const gsupIn = ({ stream, payload }: IpaFrame): GsupMessage | undefined =>
  stream === IPA_STREAM.osmocom && payload[0] === GSUP_EXTENSION
    ? decodeGsup(payload.subarray(1))
    : undefined;

const send = (down: Socket, payload: Uint8Array): void =>
  passOn(down, down, encodeIpaFrame(IPA_STREAM.osmocom, Uint8Array.from([GSUP_EXTENSION, ...payload])));

function fromClient(link: Link, frame: IpaFrame): void {
  const { options, client, down, up } = link;
  if (!up && frame.stream === IPA_STREAM.management) return managed(down, frame);
  const message = up ? readable(frame) : gsupIn(frame);
  if (message?.type === GSUP.checkImei) {
    const { imsi, imei } = message;
    const handset = imsi !== undefined &&
      imei !== undefined && { imsi, imei, msisdn: link.numbers.get(imsi) };
    if (handset && !options.isAllowed(client, handset)) {
      options.onOutcome("checked", client);
      options.saw(client, handset); // it is there, whether it may be used or not
      return send(down, encodeImeiAnswer(message, false));
    }
    if (up) {
      if (handset) remember(link.asked, handset.imsi, handset);
      return passOn(up, down, frame.octets);
    }
    options.onOutcome(handset ? "checked" : "refused", client);
    if (!handset) return send(down, encodeGsupError(message, GSUP_CAUSE.invalidMandatory));
    send(down, encodeImeiAnswer(message, true));
    return options.saw(client, handset);
  }
  if (up) return passOn(up, down, frame.octets);
  if (!message) return;
  options.onOutcome("unserved", client);
  const isRequest = (message.type & 0x03) === 0;
  if (isRequest) send(down, encodeGsupError(message, GSUP_CAUSE.networkFailure));
}

/** What goes on untouched need not be understood here. */
function readable(frame: IpaFrame): GsupMessage | undefined {
  try {
    return gsupIn(frame);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** As osmo-hlr does: a ping is answered, and an identity acknowledged. */
function managed(down: Socket, { payload }: IpaFrame): void {
  const answer =
    payload[0] === CCM.ping ? CCM.pong : payload[0] === CCM.identityResponse ? CCM.identityAck : undefined;
  if (answer !== undefined)
    passOn(down, down, encodeIpaFrame(IPA_STREAM.management, Uint8Array.from([answer])));
}

function fromRegister(link: Link, frame: IpaFrame): void {
  const { options, client, down, up, asked, numbers } = link;
  if (up) passOn(down, up, frame.octets);
  const message = readable(frame);
  if (message?.imsi === undefined) return;
  if (message.type === GSUP.insertData && message.msisdn !== undefined)
    remember(numbers, message.imsi, message.msisdn);
  if (message.type !== GSUP.checkImeiResult && message.type !== GSUP.checkImeiError) return;
  const handset = asked.get(message.imsi);
  if (!handset) return;
  asked.delete(message.imsi);
  options.onOutcome("passed", client);
  if (message.type === GSUP.checkImeiResult)
    options.saw(client, { ...handset, msisdn: numbers.get(handset.imsi) });
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}
