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
  /** Whose it is: lanes take turns. */
  readonly lane: string | undefined;
  sentAt = 0;
  /** What the centre last said of it. */
  status: number | undefined = undefined;

  constructor(
    pdu: WritableSubmit,
    { done, token }: Pick<Outgoing, "done" | "token">,
    deadlineAt: number,
    { partOf, lane }: Pick<Outgoing, "partOf" | "lane">,
  ) {
    this.pdu = pdu;
    this.done = done;
    this.token = token;
    this.deadlineAt = deadlineAt;
    this.partOf = partOf;
    this.lane = lane;
  }

  get sequence(): number {
    return this.pdu.sequence_number;
  }
}
