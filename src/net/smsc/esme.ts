/**
 * We as an ESME: one bind to an SMSC that is kept up, and what is submitted through it.
 *
 *   idle -> connecting -> binding -> bound -> (connection lost) waiting -> connecting ...
 *                            |-> refused (the centre will not have us: slower) -> connecting ...
 *   any  -> stopping -> stopped
 *
 * Every submit has exactly one outcome; how submits wait and leave stands in submits.ts. One timer looks over all waits
 * (`SWEEPS_PER_WAIT`); PDUs of one turn of the event loop leave in one write.
 */
import { COMMAND, commandOf, type DeliverSm, type Pdu, type SubmitSm } from "../../wire/smpp/command.ts";
import { DEFAULT_MAX_PDU_OCTETS } from "../../wire/smpp/framer.ts";
import { encodePdu, makePdu } from "../../wire/smpp/pdu.ts";
import { meaningOf, STATUS, statusName } from "../../wire/smpp/status.ts";
import { NO_TLVS, type Tlv, tlvValue } from "../../wire/smpp/tlv.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Deliveries } from "./deliveries.ts";
import type { Esme, EsmeEvents, EsmeOptions, EsmeState, EsmeStats } from "./esme-api.ts";
import { bindPdu, deliverSmOf } from "./esme-pdus.ts";
import { type BrokenPdu, Link } from "./link.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";
import type { Outgoing } from "./outgoing.ts";
import { Submits, SubmitWay } from "./submits.ts";

export type { Esme, EsmeOptions, EsmeState } from "./esme-api.ts";

const DEFAULT_DRAIN_MS = 5_000;
/** How long a closing connection may take before it is cut. */
const UNBIND_MS = 1_000;
/** Waits are looked over so many times in the shortest of them. */
const SWEEPS_PER_WAIT = 10;
const MIN_SWEEP_MS = 5;
const MAX_SWEEP_MS = 250;

/**
 * @param submits those of the centre, where this is one of several binds there; its own otherwise
 * @throws TurnupError `smpp_field_invalid`: a name, password or type longer than its field
 */
export function createEsme(options: EsmeOptions, submits?: Submits): Esme {
  encodePdu(bindPdu(options, 1, typeof options.password === "string" ? options.password : ""));
  return new Session(options, submits);
}

class Session implements Esme {
  readonly #options: EsmeOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #enquireLinkMs: number;
  readonly #responseTimeoutMs: number;
  readonly #sweepMs: number;
  readonly #submits: Submits;
  readonly #way: SubmitWay;
  readonly #deliveries: Deliveries;
  readonly #stateListeners = new Set<EsmeEvents["state"]>();
  readonly #troubleListeners = new Set<EsmeEvents["trouble"]>();

  #state: EsmeState = { name: "idle" };
  #link: Link | undefined;
  #sweepTimer: unknown;
  #retryTimer: unknown;
  /** Failures since the last sign that the bind is of use. */
  #failures = 0;
  #attemptAt = 0;
  #bindSequence = 0;
  #heardAt = 0;
  /** Something came since the last sweep: cheaper than a clock reading per PDU. */
  #heard = false;
  #leftAt = 0;
  #enquiry: { readonly sequence: number; readonly sentAt: number } | undefined;
  #refusal: number | undefined;
  #drain: { readonly until: number; readonly done: () => void; unbindSequence: number } | undefined;
  #stopping: Promise<void> | undefined;
  readonly #counts = {
    deliveries: 0,
    brokenPdus: 0,
    binds: 0,
  };

  constructor(options: EsmeOptions, submits?: Submits) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#enquireLinkMs = options.enquireLinkMs ?? 30_000;
    this.#responseTimeoutMs = options.responseTimeoutMs ?? 10_000;
    const shortest = Math.min(this.#enquireLinkMs, this.#responseTimeoutMs);
    this.#sweepMs = Math.min(MAX_SWEEP_MS, Math.max(MIN_SWEEP_MS, shortest / SWEEPS_PER_WAIT));
    this.#submits = submits ?? new Submits(options, this.#clock);
    const session = {
      mayLeave: () => this.#mayLeave(),
      isOver: () => this.#state.name === "stopping" || this.#state.name === "stopped",
      send: (pdu: SubmitSm) => this.#link?.send(pdu),
    };
    this.#way = options.bind === "receiver" ? new SubmitWay(session, 1) : this.#submits.open(session);
    this.#deliveries = new Deliveries({
      onDeliver: options.onDeliver ?? (() => STATUS.ESME_RX_T_APPN),
      maxUnanswered: options.maxUnansweredDeliveries ?? 100,
      maxWaiting: options.maxWaitingDeliveries ?? 1_000,
      onFailure: (error) => this.#trouble(new Error("a delivery's handler failed", { cause: error })),
    });
  }

  get state(): EsmeState {
    return this.#state;
  }

  get stats(): EsmeStats {
    return {
      ...this.#counts,
      ...this.#submits.stats,
      inFlight: this.#way.inFlight.count,
      unansweredDeliveries: this.#deliveries.unanswered,
    };
  }

  get ratePerSecond(): number {
    return this.#submits.ratePerSecond;
  }

  on<E extends keyof EsmeEvents>(event: E, listener: EsmeEvents[E]): () => void {
    const listeners = (event === "state" ? this.#stateListeners : this.#troubleListeners) as Set<unknown>; // by event
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  start(): void {
    if (this.#state.name !== "idle") return;
    this.#connect();
    this.#sweepTimer = this.#clock.setTimeout(this.#sweep, this.#sweepMs);
  }

  // ---- submitting

  submit(message: SubmitMessage): Promise<SubmitOutcome> {
    return this.#submits.submit(message);
  }
  submitBatch(messages: readonly SubmitMessage[]): Promise<SubmitOutcome[]> {
    return this.#submits.submitBatch(messages);
  }
  submitWith<T>(message: SubmitMessage, done: (outcome: SubmitOutcome, token: T) => void, token: T): void {
    this.#submits.submitWith(message, done, token);
  }

  #mayLeave(): boolean {
    const { name } = this.#state;
    return name === "bound" || (name === "stopping" && this.#drain?.unbindSequence === 0);
  }

  #answered(sequence: number, status: number, messageId: string): void {
    if (!this.#submits.answered(this.#way, sequence, status, messageId)) return;
    this.#failures = 0;
    if (this.#drain) this.#checkDrain(this.#clock.now());
  }

  // ---- the connection

  #connect(): void {
    const { host, port, tls, maxPduOctets = DEFAULT_MAX_PDU_OCTETS } = this.#options;
    this.#retryTimer = undefined;
    this.#refusal = undefined;
    this.#enquiry = undefined;
    this.#attemptAt = this.#clock.now();
    this.#setState({ name: "connecting" });
    const link: Link = new Link(
      { host, port, tls, maxPduOctets },
      {
        onOpen: () => link === this.#link && this.#bind(),
        onPdu: (pdu) => link === this.#link && this.#receive(pdu),
        onBroken: (broken) => link === this.#link && this.#receiveBroken(broken),
        onClose: (reason) => link === this.#link && this.#lost(reason),
      },
    );
    this.#link = link;
  }

  #bind(): void {
    const { password } = this.#options;
    this.#bindSequence = this.#way.nextSequence();
    this.#setState({ name: "binding" });
    try {
      const secret = typeof password === "string" ? password : password();
      this.#link?.send(bindPdu(this.#options, this.#bindSequence, secret));
    } catch (error) {
      // A password that cannot be had or written is met again later, like one that the centre refuses.
      this.#trouble(new Error("the bind could not be written", { cause: error }));
      this.#refusal = STATUS.ESME_RINVPASWD;
      this.#link?.close("the bind could not be written");
    }
  }

  #bindAnswered(
    status: number,
    sequence: number,
    smscSystemId: string,
    tlvs: readonly Tlv[] = NO_TLVS,
  ): void {
    if (this.#state.name !== "binding" || sequence !== this.#bindSequence) return;
    if (status !== STATUS.ESME_ROK) {
      this.#refusal = status;
      this.#link?.close(`the bind was refused: ${statusName(status)}`);
      return;
    }
    this.#counts.binds += 1;
    this.#heardAt = this.#clock.now();
    const interfaceVersion = tlvValue(tlvs, "sc_interface_version");
    this.#setState({
      name: "bound",
      smscSystemId,
      ...(interfaceVersion !== undefined && { interfaceVersion }),
    });
    this.#submits.pump();
  }

  /** The connection is gone: what was sent on it is unknown, and a new one is made after a wait. */
  #lost(reason: string): void {
    this.#link = undefined;
    this.#deliveries.dropWaiting();
    const sent = this.#way.takeSent();
    if (this.#drain) {
      this.#stopped(sent);
      return;
    }
    const status = this.#refusal;
    const retryInMs = this.#retryDelay(status);
    this.#failures += 1;
    this.#retryTimer = this.#clock.setTimeout(() => this.#connect(), retryInMs);
    if (status === undefined) this.#setState({ name: "waiting", reason, retryInMs });
    else this.#setState({ name: "refused", status, statusName: statusName(status), retryInMs });
    this.#submits.forget(sent);
  }

  #retryDelay(refusal: number | undefined): number {
    const { minMs = 500, maxMs = 30_000, jitter = 0.5, refusedMs = 60_000 } = this.#options.reconnect ?? {};
    // "Already bound" mends itself when the centre notices that our former connection is dead.
    const lasting =
      refusal !== undefined && refusal !== STATUS.ESME_RALYBND && meaningOf(refusal) === "permanent";
    const longest = lasting ? refusedMs : Math.min(maxMs, minMs * 2 ** Math.min(this.#failures, 20));
    return Math.round(longest * (1 - jitter * this.#random()));
  }

  // ---- what the centre says

  #receive(pdu: Pdu): void {
    this.#heard = true;
    switch (pdu.command) {
      case "submit_sm_resp":
        this.#answered(pdu.sequence_number, pdu.command_status, pdu.message_id);
        return;
      case "deliver_sm":
        this.#deliver(pdu, "deliver_sm_resp");
        return;
      case "data_sm":
        this.#deliver(deliverSmOf(pdu), "data_sm_resp");
        return;
      case "enquire_link":
        this.#link?.send(makePdu("enquire_link_resp", pdu.sequence_number));
        return;
      case "enquire_link_resp":
        this.#enquiryAnswered(pdu.sequence_number);
        return;
      case "bind_receiver_resp":
      case "bind_transmitter_resp":
      case "bind_transceiver_resp":
        this.#bindAnswered(pdu.command_status, pdu.sequence_number, pdu.system_id, pdu.tlvs);
        return;
      case "generic_nack":
        this.#nacked(pdu.sequence_number, pdu.command_status);
        return;
      case "unbind":
        this.#link?.send(makePdu("unbind_resp", pdu.sequence_number));
        this.#leave("the SMSC unbound us");
        return;
      case "unbind_resp":
        if (this.#drain?.unbindSequence === pdu.sequence_number) this.#link?.close("unbound");
        return;
      case "alert_notification":
      case "outbind":
        return; // neither has a response (§4.12, §4.1.7), and nothing here waits for them
      default:
        if (COMMAND[pdu.command].id < 0x80000000) this.#nack(pdu.sequence_number, STATUS.ESME_RINVCMDID);
    }
  }

  /** A PDU whose frame is sound and whose body is not. A response still tells its status in the header. */
  #receiveBroken({ command_id, command_status, sequence_number, error }: BrokenPdu): void {
    this.#counts.brokenPdus += 1;
    this.#heard = true;
    this.#trouble(error);
    const command = commandOf(command_id);
    if (command === "submit_sm_resp" && command_status !== STATUS.ESME_ROK) {
      this.#answered(sequence_number, command_status, "");
    } else if (command === "submit_sm_resp") {
      this.#submits.answeredBadly(this.#way, sequence_number);
      this.#submits.pump();
    } else if (command === "deliver_sm" || command === "data_sm") {
      const response = command === "deliver_sm" ? "deliver_sm_resp" : "data_sm_resp";
      this.#link?.send(makePdu(response, sequence_number, { command_status: STATUS.ESME_RX_R_APPN }));
    } else if (command_id < 0x80000000) {
      this.#nack(sequence_number, command ? STATUS.ESME_RINVCMDLEN : STATUS.ESME_RINVCMDID);
    } else if (this.#state.name === "binding" && sequence_number === this.#bindSequence) {
      this.#bindAnswered(command_status, sequence_number, "");
    }
  }

  #nack(sequence: number, command_status: number): void {
    this.#link?.send(makePdu("generic_nack", sequence, { command_status }));
  }

  /** The centre could not read a request of ours: whichever bears this number. */
  #nacked(sequence: number, status: number): void {
    const code = status === STATUS.ESME_ROK ? STATUS.ESME_RUNKNOWNERR : status;
    if (this.#state.name === "binding" && sequence === this.#bindSequence) {
      this.#bindAnswered(code, sequence, "");
    } else if (this.#enquiry?.sequence === sequence) {
      this.#enquiryAnswered(sequence); // it does not know enquire_link, yet it lives
    } else {
      this.#answered(sequence, code, "");
    }
  }

  #deliver(pdu: DeliverSm, response: "deliver_sm_resp" | "data_sm_resp"): void {
    const link = this.#link;
    this.#counts.deliveries += 1;
    this.#failures = 0;
    this.#deliveries.take(pdu, (command_status) => {
      if (link === undefined || link !== this.#link) return; // the centre will send it again
      link.send({
        command: response,
        command_status,
        sequence_number: pdu.sequence_number,
        message_id: "",
        tlvs: NO_TLVS,
      });
      if (this.#drain) this.#checkDrain(this.#clock.now());
    });
  }

  #enquiryAnswered(sequence: number): void {
    if (this.#enquiry?.sequence !== sequence) return;
    this.#enquiry = undefined;
    this.#failures = 0;
  }

  // ---- the one timer

  readonly #sweep = (): void => {
    const now = this.#clock.now();
    this.#sweepTimer = this.#clock.setTimeout(this.#sweep, this.#sweepMs);
    this.#submits.sweep(this.#way, now, now - this.#responseTimeoutMs);
    this.#checkLink(now);
    this.#checkDrain(now);
    this.#submits.pump();
  };

  #checkLink(now: number): void {
    const { name } = this.#state;
    if (name === "connecting" || name === "binding") {
      if (now - this.#attemptAt > this.#responseTimeoutMs) this.#link?.close(`no answer while ${name}`);
      return;
    }
    if (name === "waiting" && now - this.#leftAt > UNBIND_MS) this.#link?.close("unbound");
    if (this.#heard) this.#heardAt = now;
    this.#heard = false;
    if (this.#enquiry) {
      if (now - this.#enquiry.sentAt > this.#responseTimeoutMs) this.#link?.close("enquire_link unanswered");
    } else if (this.#maySendEnquiry() && now - this.#heardAt >= this.#enquireLinkMs) {
      this.#enquiry = { sequence: this.#way.nextSequence(), sentAt: now };
      this.#link?.send(makePdu("enquire_link", this.#enquiry.sequence));
    }
  }

  #maySendEnquiry(): boolean {
    return this.#link !== undefined && this.#state.name === "bound";
  }

  /** The centre ends the bind: nothing more is sent, answers under way may still come until it closes. */
  #leave(reason: string): void {
    this.#leftAt = this.#clock.now();
    if (this.#drain) this.#drain.unbindSequence = -1;
    else this.#setState({ name: "waiting", reason, retryInMs: 0 });
    this.#link?.end(reason);
  }

  // ---- stopping

  stop({ drainMs = DEFAULT_DRAIN_MS }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#stopping ??= new Promise((resolve) => {
      const bound = this.#state.name === "bound";
      this.#drain = { until: this.#clock.now() + drainMs, done: resolve, unbindSequence: 0 };
      this.#setState({ name: "stopping" });
      if (!bound) this.#stopped(this.#way.takeSent());
      else this.#checkDrain(this.#clock.now());
    });
    return this.#stopping;
  }

  /** Unbinds when nothing is left or time is up; cuts the connection when the centre does not answer that either. */
  #checkDrain(now: number): void {
    const drain = this.#drain;
    if (!drain || this.#state.name !== "stopping") return;
    if (drain.unbindSequence !== 0) {
      if (now > drain.until + UNBIND_MS) this.#link?.close("unbind unanswered");
      return;
    }
    const left = this.#submits.leftOf(this.#way) + this.#deliveries.unanswered;
    if (left > 0 && now < drain.until) return;
    drain.unbindSequence = this.#way.nextSequence();
    this.#link?.send(makePdu("unbind", drain.unbindSequence));
  }

  #stopped(sent: readonly Outgoing[]): void {
    const link = this.#link;
    this.#link = undefined;
    link?.close("stopped");
    for (const timer of [this.#sweepTimer, this.#retryTimer]) this.#clock.clearTimeout(timer);
    this.#setState({ name: "stopped" });
    this.#submits.forget(sent);
    this.#submits.close(this.#way);
    this.#drain?.done();
  }

  #setState(state: EsmeState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  #trouble(error: Error): void {
    for (const listener of this.#troubleListeners) listener(error);
  }
}
