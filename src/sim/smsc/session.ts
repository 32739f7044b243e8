/**
 * One ESME's session with the simulated centre: unbound -> bound (transmitter, receiver or transceiver) -> closed.
 * Which request is taken in which state follows SMPP v3.4 §2.3.
 */
import type { Socket } from "node:net";
import { type BindCommand, type Command, commandOf, type Pdu, type PduOf } from "../../wire/smpp/command.ts";
import { makePdu, type PduInit } from "../../wire/smpp/pdu.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { type Connection, serveConnection } from "./connection.ts";
import type { Faults } from "./faults.ts";

/** A connection that does not bind in time is closed. */
const BIND_WITHIN_MS = 10_000;
const RESPONSE_BIT = 0x80000000;

export type Submit = PduOf<"submit_sm"> | PduOf<"data_sm"> | PduOf<"submit_multi">;
type Manage = PduOf<"query_sm"> | PduOf<"cancel_sm"> | PduOf<"replace_sm">;

/** What the centre behind the sessions decides. */
export interface Centre {
  readonly faults: Faults;
  readonly systemId: string;
  authenticate(systemId: string, password: string): number;
  /** The response, or undefined when it is not to be sent. */
  submit(pdu: Submit, systemId: string): Pdu | undefined;
  manage(pdu: Manage): Pdu;
  bound(session: CentreSession): void;
  answered(session: CentreSession, sequence: number, status: number): void;
  closed(session: CentreSession): void;
}

export class CentreSession {
  readonly #centre: Centre;
  readonly #connection: Connection;
  readonly #bindTimer: NodeJS.Timeout;
  #bind: BindCommand | undefined;
  #systemId = "";
  #requests = 0;

  constructor(socket: Socket, centre: Centre) {
    this.#centre = centre;
    this.#bindTimer = setTimeout(() => this.cut(), BIND_WITHIN_MS);
    this.#connection = serveConnection(socket, {
      onPdu: (pdu) => this.#receive(pdu),
      onBroken: (id, sequence) => this.#broken(id, sequence),
      onClose: () => {
        clearTimeout(this.#bindTimer);
        centre.closed(this);
      },
    });
  }

  get bind(): BindCommand | undefined {
    return this.#bind;
  }

  /** Who bound; empty until then. */
  get systemId(): string {
    return this.#systemId;
  }

  send(pdu: Pdu): void {
    if (!this.#centre.faults.silent) this.#connection.send(pdu);
  }

  cut(): void {
    this.#connection.cut();
  }

  /** The centre closes: unbind is sent and its answer not waited for. */
  unbind(): void {
    if (this.#bind) this.send(makePdu("unbind", RESPONSE_BIT - 1));
    this.#connection.end();
  }

  #receive(pdu: Pdu): void {
    const { dropAfterPdus, responseDelayMs = 0 } = this.#centre.faults;
    this.#requests += 1;
    const last = dropAfterPdus !== undefined && this.#requests >= dropAfterPdus;
    const response = this.#answer(pdu);
    if (last) this.cut();
    else if (response?.command === "submit_sm_resp" && responseDelayMs > 0)
      setTimeout(() => this.send(response), responseDelayMs);
    else if (response) this.send(response);
  }

  #answer(pdu: Pdu): Pdu | undefined {
    switch (pdu.command) {
      case "bind_transmitter":
      case "bind_receiver":
      case "bind_transceiver":
        return this.#answerBind(pdu);
      case "submit_sm":
      case "submit_multi":
      case "data_sm":
        if (!this.#bind || this.#bind === "bind_receiver") return this.#wrongState(pdu);
        return this.#centre.submit(pdu, this.#systemId);
      case "query_sm":
      case "cancel_sm":
      case "replace_sm":
        if (!this.#bind || this.#bind === "bind_receiver") return this.#wrongState(pdu);
        return this.#centre.manage(pdu);
      case "deliver_sm_resp":
        this.#centre.answered(this, pdu.sequence_number, pdu.command_status);
        return undefined;
      case "generic_nack":
        this.#centre.answered(this, pdu.sequence_number, STATUS.ESME_RX_R_APPN);
        return undefined;
      case "enquire_link":
        return makePdu("enquire_link_resp", pdu.sequence_number);
      case "unbind":
        this.send(makePdu("unbind_resp", pdu.sequence_number));
        this.#connection.end();
        return undefined;
      case "deliver_sm":
      case "outbind":
      case "alert_notification":
        return nack(pdu.sequence_number, STATUS.ESME_RINVCMDID); // the centre's own words
      default:
        return undefined; // responses that need nothing more
    }
  }

  #answerBind(pdu: PduOf<BindCommand>): Pdu {
    const respond = (command_status: number, init: PduInit<"bind_transceiver_resp"> = {}): Pdu =>
      makePdu(`${pdu.command}_resp`, pdu.sequence_number, { ...init, command_status });
    if (this.#bind) return respond(STATUS.ESME_RALYBND);
    const status = this.#centre.authenticate(pdu.system_id, pdu.password);
    if (status !== STATUS.ESME_ROK) return respond(status);
    this.#bind = pdu.command;
    this.#systemId = pdu.system_id;
    clearTimeout(this.#bindTimer);
    // After the response, which must come before any deliver_sm.
    process.nextTick(() => this.#centre.bound(this));
    return respond(STATUS.ESME_ROK, {
      system_id: this.#centre.systemId,
      tlvs: [{ name: "sc_interface_version", value: 0x34 }],
    });
  }

  #wrongState(pdu: Submit | Manage): Pdu {
    return refusal(pdu.command, pdu.sequence_number, STATUS.ESME_RINVBNDSTS);
  }

  #broken(id: number, sequence: number): void {
    const command = commandOf(id);
    if (id >= RESPONSE_BIT) {
      if (command === "deliver_sm_resp") this.#centre.answered(this, sequence, STATUS.ESME_RX_R_APPN);
      return;
    }
    const response = command && commandOf(id + RESPONSE_BIT);
    if (!command) this.send(nack(sequence, STATUS.ESME_RINVCMDID));
    else if (response) this.send(refusal(command, sequence, STATUS.ESME_RINVMSGLEN));
  }
}

const nack = (sequence: number, command_status: number): Pdu =>
  makePdu("generic_nack", sequence, { command_status });

/** The response to a request, with an error and no body. */
export function refusal(command: Command, sequence: number, command_status: number): Pdu {
  return makePdu(`${command}_resp` as Command, sequence, { command_status }) as Pdu; // every request asked here has one
}
