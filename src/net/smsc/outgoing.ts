/** A submit on its way. One object from call to outcome. */
import type { WritableSubmit } from "./esme-pdus.ts";
import type { SubmitOutcome } from "./outcome.ts";

export class Outgoing {
  readonly pdu: WritableSubmit;
  readonly done: (outcome: SubmitOutcome, token: unknown) => void;
  readonly token: unknown;
  readonly deadlineAt: number;
  /** Of which message it is a part, where parts go in order. */
  readonly partOf: string | undefined;
  sentAt = 0;
  /** What the centre last said of it. */
  status: number | undefined = undefined;

  constructor(
    pdu: WritableSubmit,
    done: (outcome: SubmitOutcome, token: unknown) => void,
    token: unknown,
    deadlineAt: number,
    partOf?: string,
  ) {
    this.pdu = pdu;
    this.done = done;
    this.token = token;
    this.deadlineAt = deadlineAt;
    this.partOf = partOf;
  }

  get sequence(): number {
    return this.pdu.sequence_number;
  }
}
