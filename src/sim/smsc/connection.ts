/** One ESME's connection as the centre sees it: framing, decoding, one write for the PDUs of one turn. */
import type { Socket } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Pdu } from "../../wire/smpp/command.ts";
import { createPduFramer } from "../../wire/smpp/framer.ts";
import { createPduPacker } from "../../wire/smpp/packer.ts";
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

export function serveConnection(
  socket: Socket,
  events: {
    readonly onPdu: (pdu: Pdu) => void;
    readonly onBroken: (id: number, sequence: number, error: DecodeError) => void;
    readonly onClose: () => void;
  },
): Connection {
  const framer = createPduFramer();
  const packer = createPduPacker((octets) => {
    if (socket.destroyed || socket.writableEnded) return;
    socket.write(octets);
    if (socket.writableLength > MAX_UNREAD_OCTETS) socket.pause();
  });
  let flushDue = false;
  let deaf = false;
  const flush = (): void => {
    flushDue = false;
    packer.flush();
  };
  const send = (pdu: Pdu): void => {
    packer.add(pdu);
    if (flushDue) return;
    flushDue = true;
    process.nextTick(flush);
  };
  const end = (): void => {
    deaf = true;
    flush();
    socket.destroySoon();
  };
  const take = (buffer: Buffer, start: number, stop: number): void => {
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
  };

  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    if (deaf) return;
    try {
      framer.feed(chunk, take);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      send(makePdu("generic_nack", 0, { command_status: STATUS.ESME_RINVCMDLEN }));
      end();
    }
  });
  socket.on("drain", () => socket.resume());
  socket.on("error", () => undefined); // "close" follows and says all
  socket.on("close", events.onClose);
  return {
    send,
    end,
    cut: () => {
      deaf = true;
      socket.destroy();
    },
  };
}
