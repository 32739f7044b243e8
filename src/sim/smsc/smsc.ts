/**
 * A simulated SMSC that is real over SMPP: it authenticates binds, stores and forwards what is submitted, asks the
 * handset network behind it (`onMessage`) to deliver, sends receipts and mobile-originated messages, and does wrong
 * what `faults` says, by a seeded chance. What it has accepted outlives the ESME's connection, not the process.
 */
import { createServer, type Server } from "node:net";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Pdu, PduOf, UnsuccessSme } from "../../wire/smpp/command.ts";
import { MAX_SHORT_MESSAGE_OCTETS, makePdu } from "../../wire/smpp/pdu.ts";
import { formatReceipt, isFinal, stateId } from "../../wire/smpp/receipt.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { formatAbsoluteTime, parseTime } from "../../wire/smpp/time.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { hasHeader, UDHI } from "../../wire/smpp/user-data.ts";
import { portOf } from "../web/listen.ts";
import { type Chance, createChance } from "./chance.ts";
import { type Faults, type IdForm, NO_FAULTS } from "./faults.ts";
import { Outbox } from "./outbox.ts";
import { type Centre, CentreSession, refusal, type Submit } from "./session.ts";
import {
  type AirMessage,
  type NewMessage,
  type OnMessage,
  StoreAndForward,
  type Stored,
  type Taken,
} from "./store-and-forward.ts";
import { endsMessage, userDataParts } from "./user-data.ts";

/** A receipt that is to be overtaken goes all the same when nothing came behind it for so long. */
const HELD_MS_MAX = 1_000;

export type SmscOptions = {
  /** 0: any free one. */
  readonly port: number;
  readonly host?: string;
  readonly systemId: string;
  readonly password: string;
  /** More that may bind, beside the one above. */
  readonly others?: readonly SmscAccount[];
  readonly onMessage: OnMessage;
  readonly faults?: Faults;
  readonly seed: number;
  /** Sees every accepted message; the log keeps only the latest. */
  readonly onAccepted?: (accepted: AcceptedMessage) => void;
  /** Accepted messages kept in `log`. Default 10,000. */
  readonly logSize?: number;
  /** Unanswered deliver_sm per session. Default 50. */
  readonly deliverWindow?: number;
  /** Wait for a deliver_sm_resp. Default 5,000. */
  readonly deliverTimeoutMs?: number;
  /** Wait before a deliver_sm goes again. Default 500. */
  readonly redeliverMs?: number;
  /** Wait before an absent handset is tried again. Default 1,000. */
  readonly retryMs?: number;
  /** Validity of a message that names none. Default 24 hours. */
  readonly validityMs?: number;
  /** Messages not yet final; one more is answered ESME_RMSGQFUL. Default 200,000. */
  readonly maxUnfinished?: number;
};

/** Who may bind, and the numbers behind it: what is sent to them is delivered to it, as from a mobile. */
export type SmscAccount = {
  readonly systemId: string;
  readonly password: string;
  /** How its numbers begin. */
  readonly numbers?: readonly string[];
};

type AcceptedMessage = {
  readonly messageId: string;
  /** The system id of who sent it. */
  readonly account: string;
  readonly from: string;
  readonly to: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly userData: Uint8Array;
};

type SmscStats = {
  readonly sessions: number;
  readonly accepted: number;
  readonly throttled: number;
  readonly unfinished: number;
  /** Receipts and messages from mobiles that no ESME has acknowledged yet. */
  readonly undelivered: number;
  readonly receiptsAcknowledged: number;
};

export interface SmscSimulator {
  readonly port: number;
  /** The latest accepted messages, oldest first. */
  readonly log: readonly AcceptedMessage[];
  readonly stats: SmscStats;
  setFaults(faults: Faults): void;
  /** A message from a mobile: `data` is the whole user data. Settles when an ESME has taken or refused it. */
  sendMobileOriginated(message: {
    readonly from: string;
    readonly to: string;
    readonly dataCoding: number;
    readonly esmClass: number;
    readonly data: Uint8Array;
  }): Promise<"taken" | "refused">;
  /** Cuts connections, as a crash of the link would: all, or so many of the oldest. */
  dropConnections(count?: number): void;
  close(): Promise<void>;
}

const MAX_SESSIONS = 64;
const MAX_FINISHED = 20_000;
/** Short messages offered to the handset network at once. */
const MAX_ON_AIR = 1_000;
const TICK_MS = 20;
const CLOSE_WITHIN_MS = 500;
const DAY_MS = 86_400_000;
/** The throttle lets this long's worth of submits through at once. */
const THROTTLE_BURST_S = 0.1;
const WANTS_RECEIPT = 0x03;
const FAILURES_ONLY = 0x02;
const WANTS_INTERMEDIATE = 0x10;
const RECEIPT = 0x04;
const INTERMEDIATE = 0x20;

export async function createSmscSimulator(options: SmscOptions): Promise<SmscSimulator> {
  const centre = new SimulatedCentre(options);
  await centre.listen();
  return centre;
}

class SimulatedCentre implements Centre, SmscSimulator {
  readonly systemId: string;
  faults: Faults;
  readonly #options: SmscOptions;
  readonly #chance: Chance;
  readonly #server: Server;
  readonly #sessions = new Set<CentreSession>();
  /** Of each account that may bind. */
  readonly #accounts: ReadonlyMap<string, { readonly account: SmscAccount; readonly outbox: Outbox }>;
  /** What comes from mobiles of no account's own goes to the first. */
  readonly #outbox: Outbox;
  readonly #store: StoreAndForward;
  readonly #log: AcceptedMessage[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #tickTimer: NodeJS.Timeout | undefined;
  #nextId: number;
  #accepted = 0;
  #throttled = 0;
  #receiptsAcknowledged = 0;
  #throttleTokens = 0;
  #throttleAt = 0;
  #heldReceipt: (() => void) | undefined;

  constructor(options: SmscOptions) {
    this.#options = options;
    this.systemId = options.systemId;
    this.faults = options.faults ?? NO_FAULTS;
    this.#chance = createChance(options.seed);
    this.#nextId = 1 + Math.floor(this.#chance.next() * 1_000_000);
    this.#outbox = outboxOf(options);
    const others = (options.others ?? []).map((account) => ({ account, outbox: outboxOf(options) }));
    const every = [{ account: options, outbox: this.#outbox }, ...others];
    this.#accounts = new Map(every.map((one) => [one.account.systemId, one]));
    if (this.#accounts.size !== every.length) throw new RangeError("two accounts have one name");
    this.#store = new StoreAndForward({
      onMessage: (message) => this.#deliver(message),
      onState: (stored) => this.#report(stored),
      maxUnfinished: this.#maxUnfinished,
      maxFinished: MAX_FINISHED,
      maxOnAir: MAX_ON_AIR,
      retryMs: options.retryMs ?? 1_000,
      validityMs: options.validityMs ?? DAY_MS,
    });
    this.#server = createServer((socket) => {
      if (this.#sessions.size >= MAX_SESSIONS) socket.destroy();
      else this.#sessions.add(new CentreSession(socket, this));
    });
  }

  async listen(): Promise<void> {
    const { port, host = "127.0.0.1" } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.removeListener("error", reject);
        resolve();
      });
    });
    this.#tickTimer = setInterval(() => {
      for (const { outbox } of this.#accounts.values()) outbox.tick();
    }, TICK_MS);
  }

  get port(): number {
    return portOf(this.#server);
  }

  get log(): readonly AcceptedMessage[] {
    return this.#log.slice(-this.#logSize);
  }

  get stats(): SmscStats {
    return {
      sessions: [...this.#sessions].filter(({ bind }) => bind).length,
      accepted: this.#accepted,
      throttled: this.#throttled,
      unfinished: this.#store.unfinished,
      undelivered: this.#pending,
      receiptsAcknowledged: this.#receiptsAcknowledged,
    };
  }

  setFaults(faults: Faults): void {
    this.faults = faults;
  }

  sendMobileOriginated(message: Parameters<SmscSimulator["sendMobileOriginated"]>[0]) {
    const { from, to, dataCoding, esmClass, data } = message;
    const long = data.length > MAX_SHORT_MESSAGE_OCTETS;
    return new Promise<"taken" | "refused">((done) => {
      this.#outbox.add({
        attempts: 0,
        done,
        init: {
          source_addr: from,
          destination_addr: to,
          esm_class: esmClass,
          data_coding: dataCoding,
          short_message: long ? new Uint8Array(0) : data,
          tlvs: long ? [{ name: "message_payload", value: data }] : [],
        },
      });
    });
  }

  /** To the account whose number it is, where one has it; else to the handset network. */
  async #deliver(message: AirMessage): ReturnType<OnMessage> {
    const owner = [...this.#accounts.values()].find(({ account: { numbers = [] } }) =>
      numbers.some((start) => message.to.startsWith(start)),
    );
    if (!owner) return this.#options.onMessage(message);
    if (!owner.outbox.isOpen) return "absent";
    const taken = await new Promise<"taken" | "refused">((done) => {
      owner.outbox.add({
        attempts: 0,
        done,
        init: {
          source_addr: message.from,
          destination_addr: message.to,
          esm_class: message.udh.length > 0 ? UDHI : 0,
          protocol_id: message.protocolId,
          data_coding: message.dataCoding,
          short_message: Buffer.concat([message.udh, message.data]),
        },
      });
    });
    return taken === "taken" ? "delivered" : "undeliverable";
  }

  dropConnections(count = Number.POSITIVE_INFINITY): void {
    for (const session of [...this.#sessions].slice(0, count)) session.cut();
  }

  async close(): Promise<void> {
    clearInterval(this.#tickTimer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#store.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.unbind();
    const cut = setTimeout(() => this.dropConnections(), CLOSE_WITHIN_MS);
    await closed;
    clearTimeout(cut);
  }

  // ---- what sessions ask

  authenticate(systemId: string, password: string): number {
    const known = this.#accounts.get(systemId);
    if (!known) return STATUS.ESME_RINVSYSID;
    return password === known.account.password ? STATUS.ESME_ROK : STATUS.ESME_RINVPASWD;
  }

  bound(session: CentreSession): void {
    if (this.#sessions.has(session) && session.bind !== "bind_transmitter")
      this.#outboxOf(session.systemId).open(session);
  }

  closed(session: CentreSession): void {
    this.#sessions.delete(session);
    this.#outboxOf(session.systemId).close(session);
  }

  answered(session: CentreSession, sequence: number, status: number): void {
    this.#outboxOf(session.systemId).answered(session, sequence, status);
  }

  #outboxOf(systemId: string): Outbox {
    return this.#accounts.get(systemId)?.outbox ?? this.#outbox;
  }

  submit(pdu: Submit, systemId: string): Pdu | undefined {
    const refused = this.#refusalOf(pdu);
    if (refused !== undefined) return refusal(pdu.command, pdu.sequence_number, refused);
    const number = this.#nextId++;
    const messageId = writeId(number, this.faults.idForms?.response);
    const response =
      pdu.command === "submit_multi"
        ? this.#submitMulti(pdu, { messageId, number, account: systemId })
        : this.#submitOne(pdu, { messageId, number, account: systemId });
    return this.#chance.happens(this.faults.responseLostPart) ? undefined : response;
  }

  #submitOne(pdu: PduOf<"submit_sm"> | PduOf<"data_sm">, taken: Taken): Pdu {
    const { messageId: message_id } = taken;
    if (pdu.command === "data_sm") {
      this.#accept(taken, messageOfDataSm(pdu));
      return makePdu("data_sm_resp", pdu.sequence_number, { message_id });
    }
    if (pdu.replace_if_present_flag === 1) {
      const [present] = this.#store.pending(pdu);
      if (present) {
        this.#store.replace(present, pdu);
        return makePdu("submit_sm_resp", pdu.sequence_number, { message_id: present.messageId });
      }
    }
    this.#accept(taken, pdu);
    const { sequence_number } = pdu;
    return { command: "submit_sm_resp", command_status: 0, sequence_number, message_id, tlvs: [] };
  }

  #submitMulti(pdu: PduOf<"submit_multi">, taken: Taken): Pdu {
    const { messageId: message_id } = taken;
    const unsuccess_sme: UnsuccessSme[] = [];
    for (const address of pdu.dest_address) {
      const to = address.dest_flag === 1 ? address.destination_addr : "";
      if (to !== "") this.#accept(taken, { ...pdu, destination_addr: to });
      else {
        const error_status_code = address.dest_flag === 1 ? STATUS.ESME_RINVDSTADR : STATUS.ESME_RINVDLNAME; // it holds no lists
        unsuccess_sme.push({ dest_addr_ton: 0, dest_addr_npi: 0, destination_addr: to, error_status_code });
      }
    }
    return makePdu("submit_multi_resp", pdu.sequence_number, { message_id, unsuccess_sme });
  }

  /** Why a submit is not taken: the centre's faults, then what is wrong with the message. */
  #refusalOf(pdu: Submit): number | undefined {
    const { throttleAbovePerSecond, queueFullPart, refuse } = this.faults;
    if (throttleAbovePerSecond !== undefined && this.#isTooFast(throttleAbovePerSecond)) {
      this.#throttled += 1;
      return STATUS.ESME_RTHROTTLED;
    }
    if (this.#isFull || this.#chance.happens(queueFullPart)) return STATUS.ESME_RMSGQFUL;
    if (refuse && this.#chance.happens(refuse.part)) return refuse.status;
    if (pdu.command !== "submit_multi" && pdu.destination_addr === "") return STATUS.ESME_RINVDSTADR;
    const message = pdu.command === "data_sm" ? messageOfDataSm(pdu) : { ...pdu, destination_addr: "" };
    if (!isTime(message.schedule_delivery_time)) return STATUS.ESME_RINVSCHED;
    if (!isTime(message.validity_period)) return STATUS.ESME_RINVEXPIRY;
    if (message.short_message.length > 0 && tlvValue(pdu.tlvs, "message_payload"))
      return STATUS.ESME_RINVMSGLEN;
    return pdu.tlvs.length > 0 || hasHeader(pdu) ? headerRefusal(message) : undefined;
  }

  get #isFull(): boolean {
    return this.#store.full || this.#pending >= this.#maxUnfinished;
  }

  get #pending(): number {
    let pending = 0;
    for (const { outbox } of this.#accounts.values()) pending += outbox.pending;
    return pending;
  }

  get #maxUnfinished(): number {
    return this.#options.maxUnfinished ?? 200_000;
  }

  #isTooFast(perSecond: number): boolean {
    const now = performance.now();
    const capacity = Math.max(1, perSecond * THROTTLE_BURST_S);
    const earned = ((now - this.#throttleAt) / 1000) * perSecond;
    this.#throttleTokens = Math.min(capacity, this.#throttleTokens + earned);
    this.#throttleAt = now;
    if (this.#throttleTokens < 1) return true;
    this.#throttleTokens -= 1;
    return false;
  }

  #accept({ messageId, number, account }: Taken, message: NewMessage): void {
    this.#accepted += 1;
    const accepted: AcceptedMessage = {
      messageId,
      account,
      from: message.source_addr,
      to: message.destination_addr,
      esmClass: message.esm_class,
      dataCoding: message.data_coding,
      userData:
        message.short_message.length > 0
          ? message.short_message
          : (tlvValue(message.tlvs, "message_payload") ?? message.short_message),
    };
    this.#log.push(accepted);
    if (this.#log.length >= 2 * this.#logSize) this.#log.splice(0, this.#log.length - this.#logSize);
    this.#options.onAccepted?.(accepted);
    this.#store.add({ messageId, number, account }, message);
  }

  get #logSize(): number {
    return this.#options.logSize ?? 10_000;
  }

  manage(pdu: PduOf<"query_sm"> | PduOf<"cancel_sm"> | PduOf<"replace_sm">): Pdu {
    const found = pdu.message_id === "" ? undefined : this.#store.find(pdu.message_id);
    const own = found?.message.source_addr === pdu.source_addr ? found : undefined;
    switch (pdu.command) {
      case "query_sm":
        if (!own) return refusal(pdu.command, pdu.sequence_number, STATUS.ESME_RQUERYFAIL);
        return makePdu("query_sm_resp", pdu.sequence_number, {
          message_id: own.messageId,
          final_date: own.finalAt === undefined ? "" : formatAbsoluteTime(own.finalAt),
          message_state: stateId(own.state),
        });
      case "cancel_sm": {
        // Without an id: all that wait for that address (§4.9).
        const targets =
          pdu.message_id === "" ? this.#store.pending(pdu) : own?.finalAt === undefined && own ? [own] : [];
        for (const target of targets) this.#store.finish(target, "deleted");
        const command_status = targets.length > 0 ? STATUS.ESME_ROK : STATUS.ESME_RCANCELFAIL;
        return makePdu("cancel_sm_resp", pdu.sequence_number, { command_status });
      }
      case "replace_sm": {
        if (!own || own.finalAt !== undefined) {
          return refusal(pdu.command, pdu.sequence_number, STATUS.ESME_RREPLACEFAIL);
        }
        const { short_message, registered_delivery, validity_period } = pdu;
        if (!isTime(validity_period))
          return refusal(pdu.command, pdu.sequence_number, STATUS.ESME_RINVEXPIRY);
        const validity = validity_period ? { validity_period } : {};
        const change = { short_message, registered_delivery, ...validity };
        const status = headerRefusal({ ...own.message, ...change });
        if (status !== undefined) return refusal(pdu.command, pdu.sequence_number, status);
        this.#store.replace(own, change);
        return makePdu("replace_sm_resp", pdu.sequence_number);
      }
    }
  }

  // ---- receipts

  #report(stored: Stored): void {
    const { registered_delivery } = stored.message;
    const final = isFinal(stored.state);
    if (!final && (registered_delivery & WANTS_INTERMEDIATE) === 0) return;
    const wants = registered_delivery & WANTS_RECEIPT;
    if (final && (wants === 0 || (wants === FAILURES_ONLY && stored.state === "delivered"))) return;
    if (this.faults.receiptsPer === "message" && !endsMessage(stored.message)) return;
    const { receiptLostPart, receiptDuplicatePart, receiptReorderPart, receiptDelayMs } = this.faults;
    if (this.#chance.happens(receiptLostPart)) return;
    const state = { ...stored };
    const send = (): void => {
      for (let copies = this.#chance.happens(receiptDuplicatePart) ? 2 : 1; copies > 0; copies--) {
        this.#sendReceipt(state);
      }
    };
    if (receiptDelayMs) this.#later(send, this.#chance.next() * receiptDelayMs);
    else if (this.#heldReceipt === undefined && this.#chance.happens(receiptReorderPart)) this.#hold(send);
    else {
      send();
      this.#releaseHeld();
    }
  }

  /** Kept back until another has overtaken it, or a while has passed without one. */
  #hold(send: () => void): void {
    this.#heldReceipt = send;
    this.#later(() => {
      if (this.#heldReceipt === send) this.#releaseHeld();
    }, HELD_MS_MAX);
  }

  #releaseHeld(): void {
    const held = this.#heldReceipt;
    this.#heldReceipt = undefined;
    held?.();
  }

  #later(run: () => void, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, delayMs);
    this.#timers.add(timer);
  }

  #sendReceipt({ number, account, state, submittedAt, finalAt, message }: Stored): void {
    const { idForms, receiptsUnmarked } = this.faults;
    const { short_message, tlvs } = formatReceipt({
      messageId: writeId(number, idForms?.tlv ?? idForms?.response),
      messageIdInText: writeId(number, idForms?.text ?? idForms?.response),
      state,
      errorCode: state === "delivered" || !isFinal(state) ? "000" : "001",
      submitDate: new Date(submittedAt),
      doneDate: new Date(finalAt ?? Date.now()),
    });
    this.#outboxOf(account).add({
      attempts: 0,
      done: (outcome) => {
        if (outcome === "taken") this.#receiptsAcknowledged += 1;
      },
      init: {
        source_addr: message.destination_addr,
        destination_addr: message.source_addr,
        esm_class: receiptsUnmarked ? 0 : isFinal(state) ? RECEIPT : INTERMEDIATE,
        short_message,
        tlvs: receiptsUnmarked ? [] : tlvs,
      },
    });
  }
}

const outboxOf = ({ deliverWindow, deliverTimeoutMs, redeliverMs }: SmscOptions): Outbox =>
  new Outbox({
    window: deliverWindow ?? 50,
    responseTimeoutMs: deliverTimeoutMs ?? 5_000,
    redeliverMs: redeliverMs ?? 500,
  });

function writeId(number: number, form: IdForm = "decimal"): string {
  return form === "hex"
    ? number.toString(16).toUpperCase().padStart(8, "0")
    : String(number).padStart(10, "0");
}

function messageOfDataSm(pdu: PduOf<"data_sm">): NewMessage {
  return {
    ...pdu,
    protocol_id: 0,
    schedule_delivery_time: "",
    validity_period: "",
    short_message: new Uint8Array(0),
  };
}

function isTime(text: string): boolean {
  if (text === "") return true;
  try {
    parseTime(text);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** Can the message be cut into short messages? */
function headerRefusal(message: NewMessage): number | undefined {
  try {
    userDataParts(message, 0);
    return undefined;
  } catch (error) {
    return error instanceof DecodeError ? STATUS.ESME_RINVESMCLASS : STATUS.ESME_RINVMSGLEN;
  }
}
