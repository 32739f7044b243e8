/**
 * A trial of a message centre: a session of its own beside whatever else is bound there, texts with a receipt asked for, and
 * what came back, told step by step. Deliveries that are not of these texts are never acknowledged: a centre may hand a
 * second bind what is a running server's, and keeps and repeats what nobody took (SMPP v3.4 §4.6.2, ESME_RX_T_APPN).
 */
import type { PartOutcome, PartToSubmit } from "../../kernel/conductor/outbox.ts";
import { type Bind, type Binds, createBinds } from "../../net/smsc/binds.ts";
import {
  isFinalReceipt,
  namesNumber,
  ownerOf,
  receiptAsWritten,
  type SentPart,
  type TrialReceipt,
} from "../../net/smsc/receipt-findings.ts";
import { createCentrePort } from "../../net/smsc/smsc-port.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { STATUS } from "../../wire/smpp/status.ts";
import { UDHI } from "../../wire/smpp/user-data.ts";
import { encodeText } from "../../wire/sms/text.ts";
import type { SmscOptions } from "./message-centres.ts";

export type TrialText = {
  /** E.164 without its plus. */
  readonly to: string;
  readonly from: string;
  readonly text: string;
  /** A second text, of several parts. */
  readonly longText?: string;
};

export type TrialStep =
  | { readonly step: "connected"; readonly bind: Bind["role"]; readonly tls: boolean }
  | {
      readonly step: "bound";
      readonly bind: Bind["role"];
      readonly systemId: string;
      readonly interfaceVersion: number | undefined;
    }
  | { readonly step: "refused"; readonly bind: Bind["role"]; readonly status: string }
  /** `wasConnected`: the centre was reached, and the connection ended. */
  | {
      readonly step: "lost";
      readonly bind: Bind["role"];
      readonly reason: string;
      readonly wasConnected: boolean;
      readonly wasBound: boolean;
    }
  | { readonly step: "submitted"; readonly part: TrialPart; readonly outcome: PartOutcome }
  | { readonly step: "receipt"; readonly part: TrialPart; readonly pdu: DeliverSm; readonly afterMs: number }
  /** Of the number that was sent to, and of no id that the centre gave us. */
  | { readonly step: "unmatched"; readonly id: string };

export type TrialPart = {
  readonly text: "short" | "long";
  /** From 1. */
  readonly number: number;
  readonly of: number;
};

type TakenPart = SentPart & { readonly part: TrialPart; readonly takenAt: number };
export type TrialResult = {
  /** By which the trial ended before a text left. */
  readonly failed?: Extract<TrialStep, { readonly step: "refused" | "lost" }>;
  readonly submitted: readonly { readonly part: TrialPart; readonly outcome: PartOutcome }[];
  readonly taken: readonly TakenPart[];
  readonly receipts: readonly TrialReceipt[];
  /** Deliveries of others that came to us and were left to the centre. */
  readonly othersLeft: number;
};

/** Ends when every part has its last receipt, or after `waitMs` from the last answer. */
export async function trySmsc(
  options: SmscOptions,
  text: TrialText,
  how: { readonly waitMs: number; readonly clock: () => Date; readonly tell: (step: TrialStep) => void },
): Promise<TrialResult> {
  const trial = new Trial(options, text, how);
  return await trial.run();
}

const DRAIN_MS = 2_000;

class Trial {
  readonly #options: SmscOptions;
  readonly #text: TrialText;
  readonly #how: Parameters<typeof trySmsc>[2];
  readonly #binds: Binds;
  readonly #seen = new Map<number, string>();
  readonly #connected = new Set<number>();
  readonly #submitted: { part: TrialPart; outcome: PartOutcome }[] = [];
  readonly #taken: TakenPart[] = [];
  readonly #receipts: TrialReceipt[] = [];
  readonly #others = new Set<string>();
  #isAllSubmitted = false;
  #failed: TrialResult["failed"];
  #wake: (() => void)[] = [];

  constructor(options: SmscOptions, text: TrialText, how: Parameters<typeof trySmsc>[2]) {
    this.#options = options;
    this.#text = text;
    this.#how = how;
    this.#binds = createBinds({
      ...options,
      binds: 1,
      submitDeadlineMs: how.waitMs,
      onDeliver: (pdu) => this.#deliver(pdu),
    });
    this.#binds.on("state", () => {
      for (const bind of this.#binds.all) this.#look(bind);
      this.#woken();
    });
  }

  async run(): Promise<TrialResult> {
    this.#binds.start();
    const isBound = (): boolean => this.#binds.all.every(({ state }) => state.name === "bound");
    // Each attempt ends by its own limit, `smsc.response_timeout_ms`.
    await this.#until(() => isBound() || this.#failed !== undefined);
    if (!this.#failed) {
      await this.#submitAll();
      await this.#until(() => this.#isAllTold(), this.#how.waitMs);
    }
    await this.#binds.stop({ drainMs: DRAIN_MS });
    return {
      ...(this.#failed && { failed: this.#failed }),
      submitted: this.#submitted,
      taken: this.#taken,
      receipts: this.#receipts,
      othersLeft: this.#others.size,
    };
  }

  #isAllTold(): boolean {
    const told = new Set(this.#receipts.filter(isFinalReceipt).map(({ of }) => of));
    return this.#taken.every((part) => told.has(part));
  }

  /** Tells what changed of a bind since it was looked at. */
  #look({ number, role, state }: Bind): void {
    const before = this.#seen.get(number);
    if (before === state.name) return;
    this.#seen.set(number, state.name);
    if (state.name === "binding") {
      this.#connected.add(number);
      this.#how.tell({ step: "connected", bind: role, tls: this.#options.tls !== undefined });
    } else if (state.name === "bound") {
      const { smscSystemId: systemId, interfaceVersion } = state;
      this.#how.tell({ step: "bound", bind: role, systemId, interfaceVersion });
    } else if (state.name === "refused") {
      this.#fail({ step: "refused", bind: role, status: state.statusName });
    } else if (state.name === "waiting") {
      const wasConnected = this.#connected.delete(number);
      const { reason } = state;
      this.#fail({ step: "lost", bind: role, reason, wasConnected, wasBound: before === "bound" });
    }
  }

  /** A connection that falls later is made again by the session itself. */
  #fail(step: NonNullable<TrialResult["failed"]>): void {
    this.#how.tell(step);
    if (this.#submitted.length === 0 && !(step.step === "lost" && step.wasBound)) this.#failed ??= step;
  }

  async #submitAll(): Promise<void> {
    const { text, longText } = this.#text;
    const port = createCentrePort(() => this.#options.forms, this.#binds, this.#how.clock);
    const texts = [{ kind: "short", text } as const];
    const all = longText === undefined ? texts : [...texts, { kind: "long", text: longText } as const];
    for (const one of all) {
      for (const { submit, part } of this.#partsOf(one)) {
        const outcome = await port.submit(submit);
        this.#submitted.push({ part, outcome });
        const isTaken = outcome.kind === "accepted";
        if (isTaken)
          this.#taken.push({
            id: outcome.smscMessageId,
            isOfLong: part.of > 1,
            part,
            takenAt: this.#how.clock().getTime(),
          });
        this.#how.tell({ step: "submitted", part, outcome });
        this.#woken();
        if (!isTaken) break; // half a message is of no use to anybody
      }
    }
    this.#isAllSubmitted = true;
    this.#woken();
  }

  #partsOf(one: { readonly kind: TrialPart["text"]; readonly text: string }): {
    readonly submit: PartToSubmit;
    readonly part: TrialPart;
  }[] {
    const now = this.#how.clock().getTime();
    const { dataCoding, parts } = encodeText(one.text, { reference: now });
    const { to, from } = this.#text;
    return parts.map(({ udh, data }, at) => ({
      part: { text: one.kind, number: at + 1, of: parts.length },
      submit: {
        lane: "",
        to,
        from,
        esmClass: udh.length > 0 ? UDHI : 0,
        dataCoding,
        userData: Buffer.concat([udh, data]),
        moreToSend: at + 1 < parts.length,
        expiresAt: new Date(now + this.#how.waitMs),
      },
    }));
  }

  /** A receipt may overtake the answer that names its message. */
  async #deliver(pdu: DeliverSm): Promise<number> {
    const written = receiptAsWritten(pdu);
    if (!written) return this.#leave(pdu);
    const ownerNow = (): TakenPart | undefined => {
      const owner = ownerOf(pdu, this.#taken, this.#text.to);
      return this.#taken.find((part) => part === owner);
    };
    await this.#until(() => ownerNow() !== undefined || this.#isAllSubmitted, this.#how.waitMs);
    const owner = ownerNow();
    if (!owner) {
      if (namesNumber(pdu, this.#text.to) && !this.#others.has(keyOf(pdu)))
        this.#how.tell({ step: "unmatched", id: written.messageId });
      return this.#leave(pdu);
    }
    this.#receipts.push({ of: owner, pdu });
    const afterMs = this.#how.clock().getTime() - owner.takenAt;
    this.#how.tell({ step: "receipt", part: owner.part, pdu, afterMs });
    this.#woken();
    return STATUS.ESME_ROK;
  }

  #leave(pdu: DeliverSm): number {
    this.#others.add(keyOf(pdu));
    return STATUS.ESME_RX_T_APPN;
  }

  #woken(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  async #until(holds: () => boolean, limitMs?: number): Promise<void> {
    let isOver = false;
    const timer =
      limitMs === undefined
        ? undefined
        : setTimeout(() => {
            isOver = true;
            this.#woken();
          }, limitMs);
    while (!isOver && !holds())
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    clearTimeout(timer);
  }
}

/** The same delivery comes again, as long as nobody takes it. */
const keyOf = ({ source_addr, destination_addr, short_message }: DeliverSm): string =>
  `${source_addr} ${destination_addr} ${Buffer.from(short_message).toString("hex")}`;
