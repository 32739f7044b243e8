/**
 * One connection to an SMSC: socket, framing, decoding, and one write for all PDUs of a turn of the event loop.
 * A bad length is answered with generic_nack and the connection is closed; a PDU that is framed well but cannot be
 * read is handed on with its header, for whoever knows the answer. A peer that does not read what we answer is not
 * read from either.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Pdu } from "../../wire/smpp/command.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { createPduPacker, type PduPacker } from "../../wire/smpp/packer.ts";
import { decodePduAt, HEADER_OCTETS, makePdu } from "../../wire/smpp/pdu.ts";
import { STATUS } from "../../wire/smpp/status.ts";

/** Octets written and not yet taken by the peer before we stop reading from it. */
const MAX_UNREAD_OCTETS = 1024 * 1024;

export type BrokenPdu = {
  readonly command_id: number;
  readonly command_status: number;
  readonly sequence_number: number;
  readonly error: DecodeError;
};

type LinkEvents = {
  readonly onOpen: () => void;
  readonly onPdu: (pdu: Pdu) => void;
  readonly onBroken: (broken: BrokenPdu) => void;
  /** Once, whatever the end was. */
  readonly onClose: (reason: string) => void;
};

export class Link {
  readonly #socket: Socket;
  readonly #packer: PduPacker;
  readonly #events: LinkEvents;
  readonly #framer;
  #flushDue = false;
  #closed = false;
  /** The stream lost its frame: nothing after that can be read. */
  #deaf = false;
  #reason: string | undefined;

  constructor(
    options: {
      readonly host: string;
      readonly port: number;
      readonly tls?: ConnectionOptions | undefined;
      readonly maxPduOctets: number;
    },
    events: LinkEvents,
  ) {
    const { host, port, tls, maxPduOctets } = options;
    this.#events = events;
    this.#framer = createPduFramer({ maxPduOctets });
    const socket = tls ? connectTls({ host, port, ...tls }) : connectTcp({ host, port });
    this.#socket = socket;
    this.#packer = createPduPacker((octets) => this.#write(octets));
    socket.setNoDelay(true);
    socket.on(tls ? "secureConnect" : "connect", () => events.onOpen());
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("drain", () => socket.resume());
    socket.on("error", (error) => {
      this.#reason ??= error.message;
    });
    socket.on("close", () => {
      this.#closed = true;
      events.onClose(this.#reason ?? "the SMSC closed the connection");
    });
  }

  /** @throws TurnupError `smpp_field_invalid`: nothing of this PDU is sent */
  send(pdu: Pdu): void {
    this.#packer.add(pdu);
    if (this.#flushDue) return;
    this.#flushDue = true;
    process.nextTick(this.#flush);
  }

  /** Sends what is due and closes in good order. */
  end(reason: string): void {
    this.#reason ??= reason;
    this.#flush();
    if (!this.#closed) this.#socket.end();
  }

  close(reason: string): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  readonly #flush = (): void => {
    this.#flushDue = false;
    this.#packer.flush();
  };

  #write(octets: Uint8Array): void {
    if (this.#closed || this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.write(octets);
    if (this.#socket.writableLength > MAX_UNREAD_OCTETS) this.#socket.pause();
  }

  #read(chunk: Buffer): void {
    if (this.#deaf) return;
    try {
      this.#framer.feed(chunk, this.#take);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#deaf = true;
      this.send(makePdu("generic_nack", 0, { command_status: STATUS.ESME_RINVCMDLEN }));
      this.end(`not SMPP: ${error.message}`);
      this.#socket.destroySoon();
    }
  }

  readonly #take = (buffer: Buffer, start: number, end: number): void => {
    if (this.#socket.destroyed) return;
    let pdu: Pdu;
    try {
      pdu = decodePduAt(buffer, start, end, true);
    } catch (error) {
      if (!(error instanceof DecodeError) || end - start < HEADER_OCTETS) throw error;
      this.#events.onBroken({
        command_id: buffer.readUInt32BE(start + 4),
        command_status: buffer.readUInt32BE(start + 8),
        sequence_number: buffer.readUInt32BE(start + 12),
        error,
      });
      return;
    }
    this.#events.onPdu(pdu);
  };
}
