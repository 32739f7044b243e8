/**
 * Messages and receipts from the centre: each is answered only after its handler is done, so that a receipt is safe
 * before the centre forgets it. At most `maxUnanswered` are in the handler at once and `maxWaiting` behind them; what
 * comes on top is answered with a temporary error, which makes the centre send it again later.
 */
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { Fifo } from "./fifo.ts";

/** Gives the status of the response: 0 when the message is safe. A rejected promise answers ESME_RX_T_APPN. */
export type OnDeliver = (pdu: DeliverSm) => Promise<number> | number;
type Answer = (status: number) => void;
type Waiting = { readonly pdu: DeliverSm; readonly answer: Answer };

export class Deliveries {
  readonly #onDeliver: OnDeliver;
  readonly #maxUnanswered: number;
  readonly #maxWaiting: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #waiting = new Fifo<Waiting>();
  #running = 0;

  constructor(options: {
    readonly onDeliver: OnDeliver;
    readonly maxUnanswered: number;
    readonly maxWaiting: number;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#onDeliver = options.onDeliver;
    this.#maxUnanswered = options.maxUnanswered;
    this.#maxWaiting = options.maxWaiting;
    this.#onFailure = options.onFailure;
  }

  get unanswered(): number {
    return this.#running + this.#waiting.length;
  }

  take(pdu: DeliverSm, answer: Answer): void {
    if (this.#running < this.#maxUnanswered) this.#run(pdu, answer);
    else if (this.#waiting.length < this.#maxWaiting) this.#waiting.push({ pdu, answer });
    else answer(STATUS.ESME_RX_T_APPN);
  }

  /** Forgets what no handler has seen: its connection is gone, the centre will send it again. */
  dropWaiting(): void {
    this.#waiting.remove(() => true);
  }

  #run(pdu: DeliverSm, answer: Answer): void {
    let result: Promise<number> | number;
    this.#running += 1;
    try {
      result = this.#onDeliver(pdu);
    } catch (error) {
      this.#failed(error, answer);
      return;
    }
    if (typeof result === "number") this.#answered(result, answer);
    else
      result.then(
        (status) => this.#answered(status, answer),
        (error) => this.#failed(error, answer),
      );
  }

  #failed(error: unknown, answer: Answer): void {
    this.#onFailure(error);
    this.#answered(STATUS.ESME_RX_T_APPN, answer);
  }

  #answered(status: number, answer: Answer): void {
    this.#running -= 1;
    answer(status);
    if (this.#running >= this.#maxUnanswered) return;
    const next = this.#waiting.shift();
    if (next) this.#run(next.pdu, next.answer);
  }
}
