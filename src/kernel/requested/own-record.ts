/**
 * Whoever asks, against the operator's own record of their SIM (US 6,647,260, columns 3 and 5; R38): compared when the request
 * comes in and whenever details are given again. What was compared is told by fields and scores, never by a value.
 */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import type { AccountFacts } from "../account/account-facts.ts";
import { fieldNameIn } from "../account/field-names.ts";
import { USER_FIELDS, type UserData, type UserField } from "../account/user-data.ts";
import { linkOf, namesOf, tell } from "../notices/notices.ts";
import { itemsOf, type RequestTurn } from "../order/turn.ts";
import { checkUserData, tidyUserData } from "../registration/check-user-data.ts";
import type { Findings, VerificationDue } from "../registration/judge-verification.ts";
import { findByRecord, type RecordFinding } from "../registration/own-record.ts";

/** What a comparison goes by, read under the lock of the subscriber. */
export type RecordFacts = Pick<AccountFacts, "record" | "recordTries">;
type Compared = { readonly due: VerificationDue; readonly findings: Findings };

/** The policy may call the bureau or a person after the record had its say. */
export function withRecord(
  turn: RequestTurn,
  { due, findings }: Compared,
  given: UserData,
  facts: RecordFacts,
): Compared {
  const { record, recordTries } = facts;
  if (!due.byRecord || !record || findings.faults.length > 0) return { due, findings };
  const { scribe, order, terms } = turn;
  const found = findByRecord(terms.policy.request.ownRecords, { user: given, record, tries: recordTries });
  if (found.match === "partial" || found.match === "none") {
    const { operatorId, subscriberId, deviceId, id: orderId } = order;
    scribe.changes.recordTries.push({ id: scribe.newId(), operatorId, subscriberId, deviceId, orderId });
  }
  noteCompared(turn, found);
  const { consequence } = found;
  const byBureau = consequence === "bureau";
  const identity = byBureau || consequence === "review" ? consequence : "own_data";
  return {
    due: { ...due, identity, ...(byBureau && { orReview: true }) },
    findings: {
      ...findings,
      record: found,
      bureau: { state: byBureau ? "asked" : "not_asked" },
      review: { state: consequence === "review" ? "asked" : "not_asked" },
    },
  };
}

const MATCH_WORDS: Readonly<Record<RecordFinding["match"], string>> = {
  full: "what was given agrees with the operator's record",
  partial: "what was given agrees with the operator's record in part",
  none: "what was given does not agree with the operator's record",
  incomplete: "details that the operator's record is compared with are still to be given",
  not_compared: "it was not compared with the operator's record: something else was given too often",
};

function noteCompared(
  { scribe, order }: RequestTurn,
  { match, score, fields, consequence, isOfAnotherSim }: RecordFinding,
): void {
  scribe.note(order, {
    kind: "own_record_compared",
    reason: MATCH_WORDS[match],
    detail: {
      match,
      score,
      consequence,
      isOfAnotherSim,
      fields: Object.fromEntries(fields.map(({ field, result }) => [field, result])),
    },
  });
}

export const whyReview = ({ record }: Findings): string | undefined => record && MATCH_WORDS[record.match];

/** It waits for whoever asks: they are told which details to look at again, and not what is on file of them. */
export function askAgain(turn: RequestTurn, record: RecordFinding): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.request.ownRecords.askAgainHours);
  const fields = record.askAgain.join(", ");
  scribe.moveOrder(order, {
    state: "verifying",
    reason: `${MATCH_WORDS[record.match]}; asked for: ${fields}`,
    nextAction: "the subscriber gives these details; no answer is a no",
    dueAt: deadlineAt,
    deadlineAt,
  });
  scribe.note(order, { kind: "details_asked_again", reason: `asked for: ${fields}` });
  tell(turn, {
    kind: "needs_information",
    text: "needsInformation",
    values: {
      item: namesOf(turn, itemsOf(turn)),
      fields: record.askAgain.map((field) => fieldNameIn(field, order.request.language)).join(", "),
      link: linkOf(turn),
    },
  });
}

/**
 * What was asked for again, as it is kept from now on.
 * @throws TurnupError `nothing_to_answer`, `field_unknown`, `details_malformed`
 */
export function detailsGiven(turn: RequestTurn, given: UserData, channel: string): UserData {
  const { scribe, order, terms } = turn;
  const { verification, user } = order.request;
  const record = verification?.findings.record;
  if (order.state !== "verifying" || record?.consequence !== "ask_again" || record.gaveUp)
    throw new TurnupError("nothing_to_answer", "No details are asked for again.", {
      nextStep: "See where the request stands.",
    });
  const asked: readonly UserField[] = record.askAgain;
  const tidy = tidyUserData(given);
  const foreign = Object.keys(given).find((field) => !asked.some((one) => one === field));
  if (foreign !== undefined || Object.keys(tidy).length === 0)
    throw new TurnupError("field_unknown", `Just these details are asked for: ${asked.join(", ")}.`, {
      nextStep: "Give one of these at least, and no other.",
    });
  const whole: UserData = { ...user, ...tidy };
  const { minimumAgeYears } = terms.policy.request;
  const faults = checkUserData(whole, [], { now: scribe.now, minimumAgeYears });
  if (faults.length > 0)
    throw new TurnupError(
      "details_malformed",
      `These details cannot be right: ${faults.map(({ field, code }) => `${field} (${code})`).join(", ")}.`,
      { nextStep: "Give them again." },
    );
  scribe.note(order, {
    kind: "details_given_again",
    reason: `given: ${USER_FIELDS.filter((field) => tidy[field] !== undefined).join(", ")}`,
    evidence: channel,
  });
  return whole;
}
