/**
 * What the centre has for the ESME: receipts and messages from mobiles. Kept until a bound receiver takes them; sent
 * again when it does not answer, answers with an error that may pass, or goes away.
 */
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { makePdu, type PduInit } from "../../wire/smpp/pdu.ts";
import { STATUS } from "../../wire/smpp/status.ts";

type Parcel = {
  readonly init: PduInit<"deliver_sm">;
  readonly done: (outcome: "taken" | "refused") => void;
  attempts: number;
};

/** A session that takes deliver_sm. */
interface Receiver {
  send(pdu: DeliverSm): void;
}

type Underway = { readonly parcel: Parcel; readonly receiver: Receiver; readonly sentAt: number };

type OutboxOptions = {
  /** Unanswered deliver_sm per session. */
  readonly window: number;
  readonly responseTimeoutMs: number;
  /** Wait before an unanswered or refused one goes again. */
  readonly redeliverMs: number;
};

export class Outbox {
  readonly #options: OutboxOptions;
  /** A Set keeps order and gives up its first in constant time. */
  readonly #waiting = new Set<Parcel>();
  readonly #resting: { readonly parcel: Parcel; readonly until: number }[] = [];
  readonly #underway = new Map<number, Underway>();
  readonly #load = new Map<Receiver, number>();
  #turn = 0;
  #sequence = 1;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#waiting.size + this.#resting.length + this.#underway.size;
  }

  /** Somebody is there to take what comes. */
  get isOpen(): boolean {
    return this.#load.size > 0;
  }

  add(parcel: Parcel): void {
    this.#waiting.add(parcel);
    this.#pump();
  }

  open(receiver: Receiver): void {
    this.#load.set(receiver, 0);
    this.#pump();
  }

  /** The session is gone: what it had not answered goes to the next one, oldest first. */
  close(receiver: Receiver): void {
    if (!this.#load.delete(receiver)) return;
    const back: Parcel[] = [];
    for (const [sequence, { parcel, receiver: of }] of this.#underway) {
      if (of !== receiver) continue;
      this.#underway.delete(sequence);
      back.push(parcel);
    }
    const rest = [...this.#waiting];
    this.#waiting.clear();
    for (const parcel of [...back, ...rest]) this.#waiting.add(parcel);
    this.#pump();
  }

  answered(receiver: Receiver, sequence: number, status: number): void {
    const underway = this.#underway.get(sequence);
    if (underway?.receiver !== receiver) return;
    this.#release(sequence, underway);
    const { parcel } = underway;
    if (status === STATUS.ESME_ROK) parcel.done("taken");
    else if (status === STATUS.ESME_RX_R_APPN || status === STATUS.ESME_RX_P_APPN) parcel.done("refused");
    else this.#rest(parcel);
    this.#pump();
  }

  /** Called now and then: finds what was not answered and what has rested long enough. */
  tick(): void {
    const now = performance.now();
    for (const [sequence, underway] of this.#underway) {
      if (now - underway.sentAt < this.#options.responseTimeoutMs) break; // in the order of sending
      this.#release(sequence, underway);
      this.#rest(underway.parcel);
    }
    for (let first = this.#resting[0]; first && first.until <= now; first = this.#resting[0]) {
      this.#resting.shift();
      this.#waiting.add(first.parcel);
    }
    this.#pump();
  }

  #release(sequence: number, { receiver }: Underway): void {
    this.#underway.delete(sequence);
    const load = this.#load.get(receiver);
    if (load !== undefined) this.#load.set(receiver, load - 1);
  }

  #rest(parcel: Parcel): void {
    this.#resting.push({ parcel, until: performance.now() + this.#options.redeliverMs });
  }

  #pump(): void {
    for (const parcel of this.#waiting) {
      const receiver = this.#nextReceiver();
      if (!receiver) return;
      this.#waiting.delete(parcel);
      const sequence = this.#sequence;
      this.#sequence = sequence === 0x7fffffff ? 1 : sequence + 1;
      parcel.attempts += 1;
      this.#underway.set(sequence, { parcel, receiver, sentAt: performance.now() });
      this.#load.set(receiver, (this.#load.get(receiver) ?? 0) + 1);
      receiver.send(makePdu("deliver_sm", sequence, parcel.init));
    }
  }

  /** Sessions in turn, those with room in their window. */
  #nextReceiver(): Receiver | undefined {
    if (this.#load.size === 1) {
      for (const [receiver, load] of this.#load) return load < this.#options.window ? receiver : undefined;
    }
    const free = [...this.#load].filter(([, load]) => load < this.#options.window);
    return free[this.#turn++ % Math.max(free.length, 1)]?.[0];
  }
}
