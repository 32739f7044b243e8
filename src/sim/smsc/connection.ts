/** One ESME's connection as the centre sees it: framing, decoding, one write for the PDUs of one turn. */
import type { Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Pdu } from "../../wire/smpp/command.ts";
import { createPduFramer, type PduFramer } from "../../wire/smpp/framer.ts";
import { createPduPacker, type PduPacker } from "../../wire/smpp/packer.ts";
import { decodePduAt, makePdu } from "../../wire/smpp/pdu.ts";
import { STATUS } from "../../wire/smpp/status.ts";

/** Octets written and not yet taken by the peer before we stop reading from it. */
const MAX_UNREAD_OCTETS = 1024 * 1024;

export interface Connection {
  send(pdu: Pdu): void;
  /** Closes after what is due has been sent. */
  end(): void;
  cut(): void;
}

type ConnectionEvents = {
  readonly onPdu: (pdu: Pdu) => void;
  readonly onBroken: (id: number, sequence: number, error: DecodeError) => void;
  readonly onClose: () => void;
};

type Served = {
  readonly socket: Socket;
  readonly events: ConnectionEvents;
  readonly framer: PduFramer;
  readonly packer: PduPacker;
  flushDue: boolean;
  /** Nothing that comes is heard any more. */
  deaf: boolean;
};

export function serveConnection(socket: Socket, events: ConnectionEvents): Connection {
  const packer = createPduPacker((octets) => write(socket, octets));
  const served: Served = {
    socket,
    events,
    framer: createPduFramer(),
    packer,
    flushDue: false,
    deaf: false,
  };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => hear(served, chunk));
  socket.on("drain", () => socket.resume());
  socket.on("error", () => undefined); // "close" follows and says all
  socket.on("close", events.onClose);
  return {
    send: (pdu) => send(served, pdu),
    end: () => end(served),
    cut: () => {
      served.deaf = true;
      socket.destroy();
    },
  };
}

function write(socket: Socket, octets: Uint8Array): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.write(octets);
  if (socket.writableLength > MAX_UNREAD_OCTETS) socket.pause();
}

function send(served: Served, pdu: Pdu): void {
  served.packer.add(pdu);
  if (served.flushDue) return;
  served.flushDue = true;
  process.nextTick(flush, served);
}

function flush(served: Served): void {
  served.flushDue = false;
  served.packer.flush();
}

function end(served: Served): void {
  served.deaf = true;
  flush(served);
  served.socket.destroySoon();
}

function hear(served: Served, chunk: Buffer): void {
  if (served.deaf) return;
  try {
    served.framer.feed(chunk, (buffer, start, stop) => take(served, buffer, start, stop));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    send(served, makePdu("generic_nack", 0, { command_status: STATUS.ESME_RINVCMDLEN }));
    end(served);
  }
}

function take({ deaf, socket, events }: Served, buffer: Buffer, start: number, stop: number): void {
  if (deaf || socket.destroyed) return;
  let pdu: Pdu;
  try {
    pdu = decodePduAt(buffer, start, stop, false);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    events.onBroken(buffer.readUInt32BE(start + 4), buffer.readUInt32BE(start + 12), error);
    return;
  }
  events.onPdu(pdu);
}
