/**
 * One connection of a Diameter peer, as the side that was called: capabilities first, then questions and watchdogs, until one of both
 * leaves. Source: RFC 6733 section 5.3 to 5.6; RFC 3539 section 3.4 (watchdog).
 */
import type { Socket } from "node:net";
import { DecodeError } from "../../../wire/decode-error.ts";
import {
  type Avp,
  answerHead,
  avpOf,
  DiameterError,
  type DiameterHead,
  type DiameterMessage,
  decodeDiameter,
  decodeHead,
  encodeAvp,
  encodeDiameter,
  grouped,
  MESSAGE_FLAG,
  messageLength,
  RESULT,
  textOf,
  unsigned32,
  utf8,
} from "../../../wire/diameter/message.ts";
import {
  AVP,
  addressValue,
  answeringAs,
  type EquipmentAnswer,
  type EquipmentCheck,
  encodeEquipmentAnswer,
  encodeFault,
  ME_IDENTITY_CHECK,
  offersS13,
  readEquipmentCheck,
  S13_APPLICATION,
  VENDOR_3GPP,
} from "../../../wire/diameter/s13.ts";

/** RFC 6733 section 3.1. */
const COMMAND = { capabilities: 257, watchdog: 280, disconnect: 282 } as const;
/** RFC 6733 section 5.4.3. */
const REBOOTING = 0;
const WATCHDOG_MS = 30_000;
const FIRST_MESSAGE_MS = 10_000;
const LEAVE_MS = 5_000;
/** What a peer has not read of our answers: beyond it nothing more is read of its questions. */
const UNREAD_OCTETS_MAX = 1 << 20;

/** A node or an agent that may connect. */
export type S13Peer = { readonly name: string };

/**
 * What became of a message. Answered: `checked`, `watchdog`, `capabilities`, `refused` (a question that has a fault), `misrouted`.
 * Connections: `unknown_peer` (whoever is not named), `malformed` (where a message ends cannot be known), `silent` (no watchdog's answer).
 */
export const S13_OUTCOMES = [
  ...["checked", "watchdog", "capabilities", "refused", "misrouted"],
  ...["unknown_peer", "malformed", "silent"],
] as const;
type S13Outcome = (typeof S13_OUTCOMES)[number];

export type PeerOptions = {
  /** Who we are; `realms` are served beside that of our own. */
  readonly identity: {
    readonly originHost: string;
    readonly originRealm: string;
    readonly realms: readonly string[];
    /** Seconds since 1970 at the start: higher after each (RFC 6733 section 8.16). */
    readonly originState: number;
  };
  /** By the name that it gives itself (without regard of case) and the address that it comes from. */
  peerOf(originHost: string, address: string): S13Peer | undefined;
  check(peer: S13Peer, check: EquipmentCheck): EquipmentAnswer;
  onOutcome(outcome: S13Outcome, peer: S13Peer | undefined): void;
  onFault(error: unknown): void;
  /** It has said who it is. */
  onKnown(originHost: string): void;
  onEnd(originHost: string | undefined): void;
  /** Silence after which it is asked whether it lives; after as much again the connection ends. 30 s unless given. */
  readonly watchdogMs?: number;
  /** For its first message; 10 s unless given. */
  readonly firstMessageMs?: number;
};

export type Peer = {
  /** Says that we leave, and ends the connection when that was heard or after five seconds. */
  leave(): Promise<void>;
  /** At once. */
  end(): void;
  /** Who may connect has changed: whoever is no longer named leaves at once. */
  recheck(): void;
};

type Known = { readonly peer: S13Peer; readonly originHost: string };
type Connection = {
  readonly socket: Socket;
  readonly options: PeerOptions;
  readonly answering: ReturnType<typeof answeringAs>;
  readonly ended: Promise<void>;
  /** What came of a message whose end did not yet. */
  rest: Buffer;
  known: Known | undefined;
  /** A watchdog of ours is under way. */
  isAsked: boolean;
  /** Nothing more is read: the last answer goes out, and the connection ends. */
  isOver: boolean;
  nextId: number;
};

export function receivePeer(socket: Socket, options: PeerOptions): Peer {
  const ended = new Promise<void>((done) => socket.once("close", () => done()));
  const connection: Connection = {
    ...{ socket, options, answering: answeringAs(options.identity), ended },
    ...{ rest: Buffer.alloc(0), known: undefined, isAsked: false, isOver: false },
    nextId: options.identity.originState,
  };
  socket.setNoDelay(true);
  socket.setTimeout(options.firstMessageMs ?? FIRST_MESSAGE_MS);
  socket.on("timeout", () => fellSilent(connection));
  socket.on("data", (chunk) => came(connection, chunk));
  socket.on("drain", () => socket.resume());
  socket.on("error", () => socket.destroy()); // reset by the peer: it connects again
  const first = setTimeout(
    () => connection.known ?? fellSilent(connection),
    options.firstMessageMs ?? FIRST_MESSAGE_MS,
  ); // octet by octet, too
  socket.on("close", () => {
    clearTimeout(first);
    options.onEnd(connection.known?.originHost.toLowerCase());
  });
  return {
    end: () => socket.destroy(),
    recheck() {
      const { known } = connection;
      if (!known) return;
      const peer = options.peerOf(known.originHost, socket.remoteAddress ?? "");
      if (peer) connection.known = { ...known, peer };
      else socket.destroy();
    },
    async leave() {
      if (!connection.known) return void socket.destroy();
      send(connection, request(connection, COMMAND.disconnect, [disconnectCause()]));
      const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** All messages of a chunk are answered by one write. */
function came(connection: Connection, chunk: Buffer): void {
  const { options } = connection;
  if (connection.isOver) return;
  connection.isAsked = false; // whatever comes shows that it lives
  const bytes = connection.rest.length === 0 ? chunk : Buffer.concat([connection.rest, chunk]);
  const answers: Uint8Array[] = [];
  let at = 0;
  let isOver = false;
  try {
    while (!isOver) {
      const length = messageLength(bytes, at);
      if (length === undefined || at + length > bytes.length) break;
      isOver = !answered(connection, bytes.subarray(at, at + length), answers);
      at += length;
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) options.onFault(error);
    options.onOutcome("malformed", connection.known?.peer);
    isOver = true;
  }
  connection.rest = bytes.subarray(at);
  if (answers.length > 0) send(connection, answers.length === 1 ? answers[0] : Buffer.concat(answers));
  if (isOver) leaveAfterAnswer(connection);
}

/** A peer that never reads the last answer does not keep the connection for ever. */
function leaveAfterAnswer(connection: Connection): void {
  const { socket } = connection;
  connection.isOver = true;
  connection.rest = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
  socket.once("close", () => clearTimeout(timer)).end(() => socket.destroy());
}

function send({ socket }: Connection, octets: Uint8Array | undefined): void {
  if (!octets || socket.destroyed) return;
  socket.write(octets);
  if (socket.writableLength > UNREAD_OCTETS_MAX) socket.pause();
}

/** Whether the connection goes on. @throws DiameterError: the first message cannot be read */
function answered(connection: Connection, octets: Uint8Array, answers: Uint8Array[]): boolean {
  const { options, known } = connection;
  const head = decodeHead(octets);
  let avps: readonly Avp[] = [];
  try {
    const message = decodeDiameter(octets);
    avps = message.avps;
    if ((message.flags & MESSAGE_FLAG.request) === 0) return heard(connection, message);
    if (!known) return introduced(connection, message, answers);
    return asked(connection, known.peer, message, answers);
  } catch (error) {
    if (!(error instanceof DiameterError) || (head.flags & MESSAGE_FLAG.request) === 0) throw error;
    answers.push(encodeFault({ ...head, octets }, avps, error, connection.answering));
    options.onOutcome("refused", known?.peer);
    return known !== undefined;
  }
}

/** An answer: to a watchdog, which `came` took as a sign of life, or to our leaving. */
const heard = ({ known }: Connection, { command }: DiameterHead): boolean =>
  known !== undefined && command !== COMMAND.disconnect;

/** RFC 6733 section 5.3: nothing but a CER begins. */
function introduced(connection: Connection, message: DiameterMessage, answers: Uint8Array[]): boolean {
  const { options, socket } = connection;
  if (message.command !== COMMAND.capabilities) {
    options.onOutcome("unknown_peer", undefined);
    return false;
  }
  const origin = avpOf(message, AVP.originHost);
  const originHost = (origin && textOf(message.octets, origin)) ?? "";
  if (originHost === "" || !avpOf(message, AVP.originRealm)) throw lacking(originHost);
  const peer = options.peerOf(originHost, socket.remoteAddress ?? "");
  const result = !peer
    ? RESULT.unknownPeer
    : offersS13(message)
      ? RESULT.success
      : RESULT.noCommonApplication;
  answers.push(
    encodeDiameter(answerHead(message, result), [
      encodeAvp(AVP.result, unsigned32(result)),
      connection.answering.origin,
      encodeAvp(AVP.hostAddress, addressValue(socket.localAddress ?? "0.0.0.0")),
      encodeAvp(AVP.vendorId, unsigned32(0)),
      encodeAvp(AVP.product, utf8("Turnup"), { isMandatory: false }),
      ...capabilities(options),
    ]),
  );
  options.onOutcome(peer ? "capabilities" : "unknown_peer", peer);
  if (!peer || result !== RESULT.success) return false;
  connection.known = { peer, originHost };
  options.onKnown(originHost.toLowerCase());
  const tw = options.watchdogMs ?? WATCHDOG_MS;
  socket.setTimeout(tw + Math.floor(tw / 15) * ((options.identity.originState % 3) - 1)); // two seconds about 30 (RFC 3539 section 3.4.1)
  return true;
}

const lacking = (originHost: string): DiameterError =>
  new DiameterError(
    RESULT.missingAvp,
    `${originHost === "" ? "Origin-Host" : "Origin-Realm"} is missing`,
    0,
    encodeAvp(originHost === "" ? AVP.originHost : AVP.originRealm, new Uint8Array(0)),
  );

const capabilities = ({ identity }: PeerOptions): Uint8Array[] => [
  encodeAvp(AVP.originState, unsigned32(identity.originState)),
  encodeAvp(AVP.supportedVendor, unsigned32(VENDOR_3GPP)),
  encodeAvp(
    AVP.vendorApplication,
    grouped(
      encodeAvp(AVP.vendorId, unsigned32(VENDOR_3GPP)),
      encodeAvp(AVP.authApplication, unsigned32(S13_APPLICATION)),
    ),
  ),
];

function asked(
  connection: Connection,
  peer: S13Peer,
  message: DiameterMessage,
  answers: Uint8Array[],
): boolean {
  const { options, answering } = connection;
  const isServed = message.application === 0 || message.application === S13_APPLICATION;
  // python-diameter writes application 0 beside this command, which no other application has.
  if (isServed && message.command === ME_IDENTITY_CHECK) {
    const check = readEquipmentCheck(message);
    const elsewhere = misrouting(options, check);
    if (elsewhere !== undefined) {
      options.onOutcome("misrouted", peer);
      const fault = { result: elsewhere, message: "not served here", failed: undefined };
      answers.push(encodeFault(message, message.avps, fault, answering));
      return true;
    }
    answers.push(encodeEquipmentAnswer(message, options.check(peer, check), answering));
    options.onOutcome("checked", peer);
    return true;
  }
  const plain = (...more: readonly Uint8Array[]) =>
    encodeDiameter(answerHead(message, RESULT.success), [
      encodeAvp(AVP.result, unsigned32(RESULT.success)),
      answering.origin,
      ...more,
    ]);
  if (message.application === 0 && message.command === COMMAND.watchdog) {
    answers.push(plain(encodeAvp(AVP.originState, unsigned32(options.identity.originState))));
    options.onOutcome("watchdog", peer);
    return true;
  }
  if (message.application === 0 && message.command === COMMAND.disconnect) {
    answers.push(plain());
    return false;
  }
  throw isServed
    ? new DiameterError(RESULT.commandUnsupported, `command ${message.command} is not served`, 5)
    : new DiameterError(RESULT.applicationUnsupported, `application ${message.application} is not served`, 8);
}

/** Another host's question is not ours to answer, nor one for a realm that is not served here (RFC 6733 section 6.1.4). */
function misrouting({ identity }: PeerOptions, check: EquipmentCheck) {
  const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  if (check.destinationHost !== undefined && !isSame(check.destinationHost, identity.originHost))
    return RESULT.unableToDeliver;
  const isServed = [identity.originRealm, ...identity.realms].some((realm) =>
    isSame(realm, check.destinationRealm),
  );
  return isServed ? undefined : RESULT.realmNotServed;
}

/** Nothing came for as long: it is asked whether it lives; it was asked already, or never said who it is: the connection ends. */
function fellSilent(connection: Connection): void {
  const { socket, options, known } = connection;
  if (connection.isOver) return; // it has a limit of its own
  if (!known || connection.isAsked) {
    options.onOutcome(known ? "silent" : "unknown_peer", known?.peer);
    socket.destroy();
    return;
  }
  connection.isAsked = true;
  const state = encodeAvp(AVP.originState, unsigned32(options.identity.originState));
  send(connection, request(connection, COMMAND.watchdog, [state]));
}

const disconnectCause = (): Uint8Array => encodeAvp(AVP.disconnectCause, unsigned32(REBOOTING));

function request(connection: Connection, command: number, avps: readonly Uint8Array[]): Uint8Array {
  const id = connection.nextId++ >>> 0;
  return encodeDiameter(
    { flags: MESSAGE_FLAG.request, command, application: 0, hopByHop: id, endToEnd: id },
    [connection.answering.origin, ...avps],
  );
}
