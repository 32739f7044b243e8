/**
 * The submits to a centre, from the call to their one outcome: they wait in a queue of at most `maxQueued`, whose lanes take
 * turns, leave at the pace of pace.ts by whichever bind has the fewest unanswered, at most `window` of each; congestion is
 * retried here until the message's deadline, everything else is given back. When anything may leave by a bind is its session's
 * to say.
 */
import assert from "node:assert/strict";
import type { SubmitSm } from "../../wire/smpp/command.ts";
import { encodePdu } from "../../wire/smpp/pdu.ts";
import { type MessageIdForm, messageIdKey } from "../../wire/smpp/receipt.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import type { Clock } from "./clock.ts";
import type { EsmeOptions } from "./esme-api.ts";
import { submitSmOf } from "./esme-pdus.ts";
import { FairQueue } from "./fair-queue.ts";
import { Fifo } from "./fifo.ts";
import { InFlight } from "./in-flight.ts";
import { deferred, outcomeOfStatus, type SubmitMessage, type SubmitOutcome } from "./outcome.ts";
import { Outgoing } from "./outgoing.ts";
import { Pace } from "./pace.ts";
import { PartOrder } from "./part-order.ts";

/** What the submits ask of a session. */
type SubmitSession = {
  readonly mayLeave: () => boolean;
  /** It takes nothing new. */
  readonly isOver: () => boolean;
  readonly send: (pdu: SubmitSm) => void;
};

/** One bind by which they leave. */
export class SubmitWay {
  readonly session: SubmitSession;
  readonly inFlight: InFlight<Outgoing>;

  constructor(session: SubmitSession, window: number) {
    this.session = session;
    this.inFlight = new InFlight(window);
  }

  /** Requests of the session itself are numbered among the submits. */
  nextSequence(): number {
    return this.inFlight.nextSequence();
  }
  /** What is unanswered when its connection ends; to be given to `forget` when the session stands as it will. */
  takeSent(): Outgoing[] {
    return this.inFlight.takeSentUntil(Number.POSITIVE_INFINITY);
  }
}

export class Submits {
  readonly #clock: Clock;
  readonly #window: number;
  readonly #maxQueued: number;
  readonly #submitDeadlineMs: number;
  readonly #idForm: MessageIdForm;
  readonly #pace: Pace;
  readonly #ways: SubmitWay[] = [];
  readonly #queue = new FairQueue<Outgoing>();
  readonly #order = new PartOrder();
  /** Taken back from congestion, and parts whose turn has come; they go first. */
  readonly #again = new Fifo<Outgoing>();
  #hadWays = false;
  #pumpTimer: unknown;
  #pumping = false;
  readonly #counts = {
    submitted: 0,
    accepted: 0,
    refused: 0,
    deferred: 0,
    unknown: 0,
    congested: 0,
    lateResponses: 0,
  };

  constructor(options: EsmeOptions, clock: Clock) {
    this.#clock = clock;
    this.#window = Math.max(1, options.window ?? 100);
    this.#maxQueued = options.maxQueued ?? 10_000;
    this.#submitDeadlineMs = options.submitDeadlineMs ?? 60_000;
    this.#idForm = options.messageIdForm ?? "verbatim";
    this.#pace = new Pace(options.ratePerSecond ?? Number.POSITIVE_INFINITY, clock.now());
  }

  /** A bind more. */
  open(session: SubmitSession): SubmitWay {
    const way = new SubmitWay(session, this.#window);
    this.#ways.push(way);
    this.#hadWays = true;
    return way;
  }
  /** That bind is gone for good; gives back all that waits where it was the last. */
  close(way: SubmitWay): void {
    const at = this.#ways.indexOf(way);
    if (at >= 0) this.#ways.splice(at, 1);
    if (this.#ways.length > 0) return;
    this.#clock.clearTimeout(this.#pumpTimer);
    for (const outgoing of [...this.#again.remove(() => true), ...this.#queue.remove(() => true)])
      this.#settle(outgoing, deferred("stopped", outgoing.status));
  }

  get stats() {
    return {
      ...this.#counts,
      queued: this.#waiting,
      inFlight: this.#inFlight,
      ratePerSecond: this.ratePerSecond,
    };
  }
  get ratePerSecond(): number {
    return this.#pace.ratePerSecond;
  }
  /** Without their outcome yet: those that wait, and those that left by this bind. */
  leftOf(way: SubmitWay): number {
    return this.#waiting + way.inFlight.count;
  }
  get #waiting(): number {
    return this.#queue.length + this.#again.length + this.#order.waiting;
  }
  get #inFlight(): number {
    return this.#ways.reduce((sum, { inFlight }) => sum + inFlight.count, 0);
  }

  submit(message: SubmitMessage): Promise<SubmitOutcome> {
    return new Promise((resolve) => {
      this.submitWith(message, resolve, undefined);
    });
  }

  submitBatch(messages: readonly SubmitMessage[]): Promise<SubmitOutcome[]> {
    return new Promise((resolve) => {
      const outcomes = new Array<SubmitOutcome>(messages.length);
      let missing = messages.length;
      if (missing === 0) resolve(outcomes);
      const done = (outcome: SubmitOutcome, index: number): void => {
        outcomes[index] = outcome;
        missing -= 1;
        if (missing === 0) resolve(outcomes);
      };
      for (const message of messages) encodePdu(submitSmOf(message)); // all can be written, or none is sent
      for (const [index, message] of messages.entries()) this.#enqueue(message, done, index);
      this.pump();
    });
  }

  submitWith<T>(message: SubmitMessage, done: (outcome: SubmitOutcome, token: T) => void, token: T): void {
    const paced = this.#pace.ratePerSecond !== Number.POSITIVE_INFINITY;
    const waits = paced || this.#pumping || this.#queue.length + this.#again.length > 0 || !this.#freestWay();
    if (waits) encodePdu(submitSmOf(message)); // refused now, to the caller, not when its turn comes
    this.#enqueue(message, done, token);
    this.pump();
  }

  #enqueue<T>(message: SubmitMessage, done: (outcome: SubmitOutcome, token: T) => void, token: T): void {
    assert(this.#hadWays, "a receiver bind cannot submit");
    this.#counts.submitted += 1;
    const isOver = this.#ways.every(({ session }) => session.isOver());
    const refusal = isOver ? "stopped" : "queue_full";
    if (refusal === "stopped" || this.#queue.length + this.#order.waiting >= this.#maxQueued) {
      this.#counts.deferred += 1;
      queueMicrotask(() => done(deferred(refusal), token));
      return;
    }
    const deadlineAt = this.#clock.now() + (message.deadlineMs ?? this.#submitDeadlineMs);
    const settle = done as (outcome: SubmitOutcome, token: unknown) => void; // the token goes back to whom it came from
    const { partOf, lane } = message;
    const outgoing = new Outgoing(submitSmOf(message), { done: settle, token }, deadlineAt, { partOf, lane });
    if (!this.#order.mustWait(outgoing)) this.#queue.push(outgoing);
  }

  /** The bind with the fewest unanswered of those by which something may leave. */
  #freestWay(): SubmitWay | undefined {
    let freest: SubmitWay | undefined;
    for (const way of this.#ways) {
      const { count } = way.inFlight;
      if (count >= this.#window || (freest && count >= freest.inFlight.count)) continue;
      if (way.session.mayLeave()) freest = way;
    }
    return freest;
  }

  /** Sends what may leave now. Not entered again from a callback below it. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let way = this.#freestWay(); way; way = this.#freestWay()) {
        const source = this.#again.length > 0 ? this.#again : this.#queue;
        if (source.length === 0) break;
        const now = this.#clock.now();
        if (!this.#pace.take(now)) {
          this.#pumpTimer ??= this.#clock.setTimeout(this.#resumePump, Math.ceil(this.#pace.waitMs(now)));
          break;
        }
        this.#send(source.shift() as Outgoing, way, now); // its length was not 0
      }
    } finally {
      this.#pumping = false;
    }
  }

  readonly #resumePump = (): void => {
    this.#pumpTimer = undefined;
    this.pump();
  };

  #send(outgoing: Outgoing, { session, inFlight }: SubmitWay, now: number): void {
    if (outgoing.deadlineAt <= now) {
      queueMicrotask(() => this.#settle(outgoing, deferred("deadline", outgoing.status))); // not inside submitWith
      return;
    }
    outgoing.sentAt = now;
    outgoing.pdu.sequence_number = inFlight.nextSequence();
    session.send(outgoing.pdu);
    inFlight.add(outgoing);
  }

  #settle(outgoing: Outgoing, outcome: SubmitOutcome): void {
    this.#counts[outcome.kind] += 1;
    const { next, left } = this.#order.settled(outgoing, outcome.kind === "accepted");
    if (next) this.#again.push(next);
    outgoing.done(outcome, outgoing.token);
    for (const part of left) {
      this.#counts.deferred += 1;
      part.done(deferred("part_before"), part.token);
    }
  }

  /** Answers whether it was waited for; a late one is counted only. */
  answered(way: SubmitWay, sequence: number, status: number, messageId: string): boolean {
    const outgoing = way.inFlight.take(sequence);
    if (!outgoing) {
      this.#counts.lateResponses += 1;
      return false;
    }
    const key = messageIdKey(messageId.trim(), this.#idForm);
    const outcome = outcomeOfStatus(status, key);
    if (outcome) {
      if (status === STATUS.ESME_ROK) this.#pace.accepted(outgoing.sentAt);
      this.#settle(outgoing, outcome);
    } else {
      this.#counts.congested += 1;
      outgoing.status = status;
      this.#pace.congested(this.#clock.now(), outgoing.sentAt);
      this.#again.push(outgoing);
    }
    this.pump();
    return true;
  }

  /** The centre's word on it could not be read. */
  answeredBadly(way: SubmitWay, sequence: number): void {
    const outgoing = way.inFlight.take(sequence);
    if (outgoing) this.#settle(outgoing, { kind: "unknown", cause: "malformed" });
  }

  /** Gives back what was sent before `sentUntil` and not answered, and what waited beyond its deadline. */
  sweep(way: SubmitWay, now: number, sentUntil: number): void {
    this.#pace.tick(now);
    const late = way.inFlight.takeSentUntil(sentUntil);
    const isDue = ({ deadlineAt }: Outgoing): boolean => deadlineAt <= now;
    const expired = [...this.#queue.remove(isDue), ...this.#again.remove(isDue)];
    for (const outgoing of late) this.#settle(outgoing, { kind: "unknown", cause: "timeout" });
    for (const outgoing of expired) this.#settle(outgoing, deferred("deadline", outgoing.status));
  }

  /** What a connection took with it. */
  forget(sent: readonly Outgoing[]): void {
    for (const outgoing of sent) this.#settle(outgoing, { kind: "unknown", cause: "disconnected" });
  }
}
