/** What became of a submitted message, as a value: each of these happens on an ordinary day. */
import type { SubmitSm } from "../../wire/smpp/command.ts";
import { meaningOf, statusName } from "../../wire/smpp/status.ts";

export type SubmitOutcome =
  /** The centre has it; receipts will name it by this id. */
  | { readonly kind: "accepted"; readonly messageId: string }
  /** The centre said no. `permanent`: it will say no to the same message again. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly statusName: string;
      readonly permanent: boolean;
    }
  /** Certainly not taken (`part_before`: the part before it was not); the same message may be given again later. `status` is the centre's, if it was asked. */
  | {
      readonly kind: "deferred";
      readonly cause: "temporary_error" | "deadline" | "queue_full" | "stopped" | "part_before";
      readonly status: number | undefined;
      readonly statusName: string | undefined;
    }
  /** It left us and no answer came: it may or may not have been taken. */
  | { readonly kind: "unknown"; readonly cause: "timeout" | "disconnected" | "malformed" };

/** The fields of a submit_sm that are not 0 or empty. */
export type SubmitMessage = Partial<Omit<SubmitSm, "command" | "command_status" | "sequence_number">> & {
  readonly destination_addr: string;
  /** Parts of one message bear one name: each leaves when the one before it was taken, so that they go in order. */
  readonly partOf?: string;
  /** Whose it is: those of one wait behind each other, and take turns with those of others. */
  readonly lane?: string;
  /** How long the session may try, from now. Default `submitDeadlineMs`. */
  readonly deadlineMs?: number;
};

/** The outcome that a response's status means; undefined for congestion, which the session takes on itself. */
export function outcomeOfStatus(status: number, messageId: string): SubmitOutcome | undefined {
  const meaning = meaningOf(status);
  switch (meaning) {
    case "ok":
      return { kind: "accepted", messageId };
    case "congested":
      return undefined;
    case "temporary":
      return deferred("temporary_error", status);
    case "permanent":
    case "doubtful":
      return {
        kind: "refused",
        status,
        statusName: statusName(status),
        permanent: meaning === "permanent",
      };
  }
}

export function deferred(
  cause: Extract<SubmitOutcome, { kind: "deferred" }>["cause"],
  status?: number,
): SubmitOutcome {
  return {
    kind: "deferred",
    cause,
    status,
    statusName: status === undefined ? undefined : statusName(status),
  };
}
