/** What an answer of a provider comes to, where it is no user. */
import type { Failed, Refused } from "../../kernel/calls/connectors.ts";
import { type Answered, type ExchangeFailure, failureOfStatus } from "../exchange/exchange.ts";

/** Who is not let in, or does not prove who they are, is refused; whatever else went wrong may be asked again. */
export function outcomeOf(answer: Answered | ExchangeFailure): Refused | Failed {
  const failure = answer.kind === "failed" ? answer : failureOfStatus(answer);
  switch (failure.cause) {
    case "unauthorised":
      return refused(
        "unauthorised",
        `the service server does not take our certificate or token (${failure.reason})`,
      );
    case "tls":
    case "wrong_key":
      return refused("server_not_proven", `the service server did not prove itself (${failure.reason})`);
    case "bad_request":
      return refused("malformed", `the service server refused the request (${failure.reason})`);
    default:
      return failure;
  }
}

export const refused = (cause: string, reason: string): Refused => ({ kind: "refused", cause, reason });
