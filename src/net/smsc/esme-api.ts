/** What an ESME is asked for and tells: its options, its states, its counts. How it works stands in esme.ts. */
import type { ConnectionOptions } from "node:tls";
import type { MessageIdForm } from "../../wire/smpp/receipt.ts";
import type { Clock } from "./clock.ts";
import type { OnDeliver } from "./deliveries.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";

export type EsmeOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls?: ConnectionOptions;
  readonly systemId: string;
  readonly password: string | (() => string);
  readonly systemType?: string;
  readonly bind?: "transceiver" | "transmitter" | "receiver";
  readonly addressRange?: string;
  /** Submits sent and not answered. Default 100. */
  readonly window?: number;
  /** Silence after which the link is tried. Default 30,000. */
  readonly enquireLinkMs?: number;
  /** How long a connect, a bind or any other request may go without its answer. Default 10,000. */
  readonly responseTimeoutMs?: number;
  /** Default: as fast as window and centre allow. */
  readonly ratePerSecond?: number;
  /** How long a submit is tried that gives no deadline of its own. Default 60,000. */
  readonly submitDeadlineMs?: number;
  readonly reconnect?: {
    /** First wait after a lost connection, doubled at each failure. Default 500. */
    readonly minMs?: number;
    /** Default 30,000. */
    readonly maxMs?: number;
    /** The part of a wait that is left to chance, 0 to 1. Default 0.5. */
    readonly jitter?: number;
    /** Wait after the centre refused our name or password. Default 60,000. */
    readonly refusedMs?: number;
  };
  /** Submits waiting to be sent; one more is given back as deferred. Default 10,000. */
  readonly maxQueued?: number;
  readonly maxPduOctets?: number;
  /** Default: everything is answered with ESME_RX_T_APPN, so that the centre keeps it. */
  readonly onDeliver?: OnDeliver;
  /** Deliveries in the handler at once. Default 100. */
  readonly maxUnansweredDeliveries?: number;
  /** Deliveries waiting for the handler. Default 1,000. */
  readonly maxWaitingDeliveries?: number;
  /** How the centre writes ids in its responses; use the same key for receipts. Default `verbatim`. */
  readonly messageIdForm?: MessageIdForm;
  readonly clock?: Clock;
  /** 0 up to 1. Default Math.random. */
  readonly random?: () => number;
};

export type EsmeState =
  | { readonly name: "idle" | "connecting" | "binding" | "stopping" | "stopped" }
  /** `interfaceVersion`: sc_interface_version, 0x34 for SMPP 3.4, where the centre says it (§5.3.2.25). */
  | { readonly name: "bound"; readonly smscSystemId: string; readonly interfaceVersion?: number }
  | { readonly name: "waiting"; readonly reason: string; readonly retryInMs: number }
  | {
      readonly name: "refused";
      readonly status: number;
      readonly statusName: string;
      readonly retryInMs: number;
    };

/** Counts since createEsme, and the present length of what is bounded. */
export type EsmeStats = {
  readonly submitted: number;
  readonly accepted: number;
  readonly refused: number;
  readonly deferred: number;
  readonly unknown: number;
  /** Answers of congestion; each was retried or became `deferred`. */
  readonly congested: number;
  readonly lateResponses: number;
  readonly deliveries: number;
  readonly brokenPdus: number;
  readonly binds: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly unansweredDeliveries: number;
  /** Infinity when neither we nor the centre set a limit. */
  readonly ratePerSecond: number;
};

export type EsmeEvents = {
  readonly state: (state: EsmeState) => void;
  /** Something for the log that changes no state: a broken PDU, a handler that failed. */
  readonly trouble: (error: Error) => void;
};

export interface Esme {
  readonly state: EsmeState;
  readonly stats: EsmeStats;
  /** That of `stats`, which is asked for with each message. */
  readonly ratePerSecond: number;
  start(): void;
  /** Takes nothing new, sends what is queued and waits for answers for at most `drainMs`, unbinds, closes. */
  stop(options?: { readonly drainMs?: number }): Promise<void>;
  /** Returns what takes the listener away again. */
  on<E extends keyof EsmeEvents>(event: E, listener: EsmeEvents[E]): () => void;
  /**
   * One outcome for the message, never a rejection for what the network does.
   * @throws TurnupError `smpp_field_invalid`: a value that submit_sm cannot hold
   */
  submit(message: SubmitMessage): Promise<SubmitOutcome>;
  /** The outcomes in the order of the messages; a message that cannot be written refuses the batch before any is sent. */
  submitBatch(messages: readonly SubmitMessage[]): Promise<SubmitOutcome[]>;
  /** The same without a promise: `done` is called once, with the given token, never before this returns. */
  submitWith<T>(message: SubmitMessage, done: (outcome: SubmitOutcome, token: T) => void, token: T): void;
}
