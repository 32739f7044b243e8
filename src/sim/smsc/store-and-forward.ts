/**
 * The centre's messages: taken, held until their time, offered to the handset network, tried again while the handset
 * is away, given up at the end of their validity. Each ends in one state and, where asked for, with a receipt.
 */

import { dropOldest } from "../../term/collections.ts";
import { assured } from "../../term/narrow.ts";
import type { MessageState } from "../../wire/smpp/receipt.ts";
import { momentOf, parseTime } from "../../wire/smpp/time.ts";
import { UDHI } from "../../wire/smpp/user-data.ts";

import { type Submitted, userDataParts } from "./user-data.ts";

/** A short message as the handset network gets it. */
export type AirMessage = {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly esmClass: number;
  readonly protocolId: number;
  readonly dataCoding: number;
  /** With its length octet; empty where the message has none. */
  readonly udh: Uint8Array;
  readonly data: Uint8Array;
};

export type OnMessage = (message: AirMessage) => Promise<"delivered" | "undeliverable" | "absent">;

export type NewMessage = Submitted & {
  readonly service_type: string;
  readonly source_addr: string;
  readonly destination_addr: string;
  readonly protocol_id: number;
  readonly schedule_delivery_time: string;
  readonly validity_period: string;
  readonly registered_delivery: number;
};

/** What the centre calls a message that it took, and from which account. */
export type Taken = { readonly messageId: string; readonly number: number; readonly account: string };

export type Stored = Taken & {
  readonly submittedAt: number;
  message: NewMessage;
  expiresAt: number;
  state: MessageState;
  finalAt: number | undefined;
  /** Parts that the handset has; a later try goes on behind them. */
  partsDelivered: number;
  saidAbsent: boolean;
};

/** A longer setTimeout fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type StoreOptions = {
  readonly onMessage: OnMessage;
  /** Called at the end of a message, and once when it first waits for an absent handset. */
  readonly onState: (stored: Stored) => void;
  readonly maxUnfinished: number;
  readonly maxFinished: number;
  readonly maxOnAir: number;
  readonly retryMs: number;
  readonly validityMs: number;
};

export class StoreAndForward {
  readonly #options: StoreOptions;
  readonly #unfinished = new Map<string, Stored[]>();
  /** The latest final ones, for query_sm. */
  readonly #finished = new Map<string, Stored>();
  readonly #ready = new Set<Stored>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #unfinishedCount = 0;
  #onAir = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#unfinishedCount >= this.#options.maxUnfinished;
  }

  get unfinished(): number {
    return this.#unfinishedCount;
  }

  add(taken: Taken, message: NewMessage): Stored {
    const { messageId } = taken;
    const now = Date.now();
    const stored: Stored = {
      ...taken,
      submittedAt: now,
      message,
      expiresAt: this.#expiry(message.validity_period, now),
      state: "enroute",
      finalAt: undefined,
      partsDelivered: 0,
      saidAbsent: false,
    };
    const same = this.#unfinished.get(messageId);
    if (same) same.push(stored);
    else this.#unfinished.set(messageId, [stored]);
    this.#unfinishedCount += 1;
    const dueAt = message.schedule_delivery_time
      ? momentOf(parseTime(message.schedule_delivery_time), now)
      : now;
    if (dueAt > now) this.#later(stored, dueAt - now);
    else this.#offer(stored);
    return stored;
  }

  /** By id, also final ones that are not forgotten yet. */
  find(messageId: string): Stored | undefined {
    return this.#unfinished.get(messageId)?.[0] ?? this.#finished.get(messageId);
  }

  /** Unfinished ones from one address to another. */
  pending(filter: Pick<NewMessage, "service_type" | "source_addr" | "destination_addr">): Stored[] {
    return [...this.#unfinished.values()]
      .flat()
      .filter(
        ({ message }) =>
          message.service_type === filter.service_type &&
          message.source_addr === filter.source_addr &&
          message.destination_addr === filter.destination_addr,
      );
  }

  replace(stored: Stored, change: Partial<NewMessage>): void {
    stored.message = { ...stored.message, ...change };
    if (change.validity_period) stored.expiresAt = this.#expiry(change.validity_period, Date.now());
    stored.partsDelivered = 0;
  }

  finish(stored: Stored, state: MessageState): void {
    if (stored.finalAt !== undefined) return;
    stored.state = state;
    stored.finalAt = Date.now();
    this.#unfinishedCount -= 1;
    const same = this.#unfinished.get(stored.messageId)?.filter((other) => other !== stored) ?? [];
    if (same.length > 0) this.#unfinished.set(stored.messageId, same);
    else this.#unfinished.delete(stored.messageId);
    this.#finished.set(stored.messageId, stored);
    dropOldest(this.#finished, this.#options.maxFinished);
    this.#options.onState(stored);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#ready.clear();
  }

  #expiry(validity: string, now: number): number {
    return validity ? momentOf(parseTime(validity), now) : now + this.#options.validityMs;
  }

  /** However the time of day is set meanwhile. */
  #later(stored: Stored, waitMs: number): void {
    const due = performance.now() + waitMs;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        const leftMs = due - performance.now();
        if (leftMs > 0) this.#later(stored, leftMs);
        else this.#offer(stored);
      },
      Math.min(waitMs, LONGEST_TIMER_MS),
    );
    this.#timers.add(timer);
  }

  #offer(stored: Stored): void {
    if (stored.finalAt !== undefined) return;
    if (Date.now() >= stored.expiresAt) {
      this.finish(stored, "expired");
      return;
    }
    if (this.#onAir >= this.#options.maxOnAir) {
      this.#ready.add(stored);
      return;
    }
    this.#onAir += 1;
    this.#deliver(stored).then((state) => {
      this.#onAir -= 1;
      if (state === "absent") this.#absent(stored);
      else this.finish(stored, state);
      const [next] = this.#ready;
      if (!next) return;
      this.#ready.delete(next);
      this.#offer(next);
    });
  }

  /** All parts in order; the first that does not arrive decides. A network that fails is one that is away. */
  async #deliver(stored: Stored): Promise<"delivered" | "undeliverable" | "absent"> {
    const { message } = stored;
    const parts = userDataParts(message, stored.number & 0xff);
    while (stored.partsDelivered < parts.length) {
      const { udh, data } = assured(parts[stored.partsDelivered], "fewer were delivered than there are");
      const air: AirMessage = {
        messageId: stored.messageId,
        from: message.source_addr,
        to: message.destination_addr,
        esmClass: udh.length > 0 ? message.esm_class | UDHI : message.esm_class,
        protocolId: message.protocol_id,
        dataCoding: message.data_coding,
        udh,
        data,
      };
      const outcome = await this.#options.onMessage(air).catch(() => "absent" as const);
      if (outcome !== "delivered") return outcome;
      stored.partsDelivered += 1;
    }
    return "delivered";
  }

  #absent(stored: Stored): void {
    if (stored.finalAt !== undefined) return;
    if (!stored.saidAbsent) {
      stored.saidAbsent = true;
      this.#options.onState(stored);
    }
    this.#later(stored, Math.min(this.#options.retryMs, stored.expiresAt - Date.now()));
  }
}
