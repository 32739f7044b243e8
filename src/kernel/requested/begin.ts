/**
 * The first steps of a request (US 6,647,260, figure 7A:708 to 714): device and user are verified, on what the server
 * knows and, where policy or an item wants it, at bodies outside. A known device gets the short verification. Either failing, or
 * no answer in time, ends the request before anything is done.
 */

import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { hoursAfter, minutesAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import type { UserData } from "../account/user-data.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOT_CONFIGURED } from "../calls/ask.ts";
import { tellReview } from "../fulfilment/settle.ts";
import { namesOf, tell } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import type { ComingRequest } from "../order/kernel-modules.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { VerificationRecord } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestTurn, touchRequest } from "../order/turn.ts";
import { checkUserData, neededFields, tidyUserData } from "../registration/check-user-data.ts";
import { findFraud } from "../registration/find-fraud.ts";
import {
  asVerified,
  differingFields,
  type Findings,
  isOnFile,
  judgeVerification,
  reviewedWithoutName,
  type VerificationDue,
  verificationDue,
} from "../registration/judge-verification.ts";
import { nothingCameOfIt } from "./close.ts";
import { askConsent } from "./consent.ts";
import { askAgain, detailsGiven, type RecordFacts, whyReview, withRecord } from "./own-record.ts";

export function beginRequest(turn: RequestTurn, { request, items, facts }: ComingRequest): void {
  const { deps, scribe, order, subject, terms } = turn;
  const policy = terms.policy.request;
  const judgement = deps.judge(order, subject, terms, scribe.now);
  change(order, { make: judgement.make, model: judgement.model });
  if (isForwardedAlone(turn)) {
    scribe.note(order, {
      kind: "verified_elsewhere",
      reason: "all of it is provisioned by other servers: each verifies who asks",
    });
    tellOfOthers(turn);
    return askConsent(turn);
  }
  const asked = verificationDue(policy, items, facts, request.action);
  const due = reviewedWithoutName(asked, policy, order.request.user);
  // What the operator's record is compared with is asked for where it is missing, and nobody refused for it.
  const demanded = due.byRecord ? { ...due, fields: policy.userFields } : due;
  const needed = due.road === "full" ? neededFields(demanded, items).user : [];
  const findings: Findings = {
    faults: checkUserData(request.user, needed, { now: scribe.now, minimumAgeYears: policy.minimumAgeYears }),
    ownData:
      facts.account && isOnFile(facts.account) ? differingFields(request.user, facts.account.user) : null,
    bureau: { state: due.identity === "bureau" ? "asked" : "not_asked" },
    review: { state: due.identity === "review" ? "asked" : "not_asked" },
    hasCard: payingToken(turn) !== null,
    card: { state: due.card && payingToken(turn) !== null ? "asked" : "not_asked" },
    device: {
      imei: formOf(subject.imei),
      isKnownModel: judgement.model !== null,
      pairing: facts.pairing,
    },
    fraud: findFraud(facts, policy.fraud, scribe.now),
  };
  if (due.road === "short") {
    // Nobody looks at who they say they are, so it changes nothing on file.
    if (facts.account) order.request.user = asVerified(order.request.user, facts.account.user);
    scribe.note(order, {
      kind: "short_road",
      reason: "this device was provisioned for this user before: nobody outside is asked",
    });
  }
  const compared = withRecord(turn, { due, findings }, tidyUserData(request.user), facts);
  judgeCompared(turn, compared);
}

/** What this request brought to pay with, or what was left at sign-up (R8). */
const payingToken = ({ order: { request } }: RequestTurn): string | null =>
  request.card?.token ?? request.books.paymentToken;

function judgeCompared(
  turn: RequestTurn,
  { due, findings }: Pick<VerificationRecord, "due" | "findings">,
): void {
  judge(turn, { due, findings, verdict: "pending", reasons: [] }, () => {
    if (findings.record?.consequence === "ask_again") askAgain(turn, findings.record);
    else askOutside(turn, findings, whyReview(findings) ?? NO_NAME);
  });
}

/**
 * Details that were asked for again have come.
 * @throws TurnupError `nothing_to_answer`, `field_unknown`, `details_malformed`
 */
export function detailsCame(turn: RequestTurn, given: UserData, channel: string, facts: RecordFacts): void {
  const { order } = turn;
  const user = detailsGiven(turn, given, channel);
  change(order.request, { user });
  touchRequest(turn);
  const record = order.request.verification;
  if (!record) return;
  const { record: _, ...findings } = record.findings;
  judgeCompared(turn, withRecord(turn, { due: record.due, findings }, user, facts));
}

const NO_NAME = "nothing is known of who asks";

const isForwardedAlone = (turn: RequestTurn): boolean => {
  const pending = itemsOf(turn).filter(({ state }) => state === "pending");
  return pending.length > 0 && pending.every(({ subject }) => Boolean(subject.server));
};

function formOf(imei: string): Findings["device"]["imei"] {
  try {
    parseImei(imei);
    return "valid";
  } catch (error) {
    return error instanceof TurnupError && error.code === "imei_test" ? "test" : "malformed";
  }
}

/** Rejects, goes on, or does what `pending` says. */
function judge(turn: RequestTurn, record: VerificationRecord, pending: () => void): void {
  const { scribe, order, terms } = turn;
  const verdict = judgeVerification(terms.policy.request, record.due, record.findings);
  const reasons = verdict.outcome === "rejected" ? verdict.reasons : [];
  order.request.verification = { ...record, verdict: verdict.outcome, reasons };
  touchRequest(turn);
  if (verdict.outcome === "pending") return pending();
  if (verdict.outcome === "rejected")
    return reject(
      turn,
      reasons.map(({ code }) => code),
    );
  scribe.note(order, {
    kind: "verified",
    reason: `who asks was verified, by the ${record.due.road} verification`,
    detail: { identity: record.due.identity, card: record.due.card },
  });
  keepAccount(turn);
  tellOfOthers(turn);
  askConsent(turn);
}

/** Whoever asked for them, the subscriber hears of it before anything is done (R66). */
function tellOfOthers(turn: RequestTurn): void {
  const { order } = turn;
  if (order.cause !== "representative" && order.cause !== "partner") return;
  const values = { actor: order.request.actor, items: namesOf(turn, itemsOf(turn)) };
  tell(turn, { kind: "status", text: "changed", values });
}

function askOutside(turn: RequestTurn, { bureau, review, card }: Findings, why: string): void {
  const { scribe, order, terms } = turn;
  const { user } = order.request;
  const token = payingToken(turn);
  const deadlineAt = minutesAfter(scribe.now, terms.policy.request.verificationDeadlineMinutes);
  if (review?.state === "asked") waitForReview(turn, why);
  else waitForOthers(turn, bureau, card, deadlineAt);
  if (bureau.state === "asked") {
    const idempotencyKey = `${order.id}:identity`;
    ask(turn, {
      kind: "identity_check",
      itemId: null,
      idempotencyKey,
      body: {},
      secret: { user },
      deadlineAt,
    });
  }
  if (card.state === "asked" && token !== null) {
    ask(turn, {
      kind: "card_check",
      itemId: null,
      idempotencyKey: `${order.id}:card`,
      body: { amountMinor: 0n, currency: currencyOf(turn) },
      secret: { token },
      deadlineAt,
    });
  }
}

function waitForOthers(
  { scribe, order }: RequestTurn,
  bureau: Findings["bureau"],
  card: Findings["card"],
  deadlineAt: Date,
): void {
  const outside = [
    ...(bureau.state === "asked" ? ["the identity bureau"] : []),
    ...(card.state === "asked" ? ["the payment provider"] : []),
  ].join(" and ");
  scribe.moveOrder(order, {
    state: "verifying",
    reason: `${outside} is asked`,
    nextAction: `wait for ${outside}; no answer is a no`,
    dueAt: deadlineAt,
    deadlineAt,
  });
}

/** It waits for a person of the operator, and for no machine: what it waits for stands where staff look, and is told. */
function waitForReview(turn: RequestTurn, why: string): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.request.reviewDeadlineHours);
  scribe.moveOrder(order, {
    state: "verifying",
    reason: `a person has to look at who asks: ${why}`,
    nextAction: "approve or refuse who asks (`turnup review answer`, or POST /v1/reviews); no answer is a no",
    dueAt: deadlineAt,
    deadlineAt,
  });
  tellReview(turn);
}

/**
 * A person of the operator has looked.
 * @throws TurnupError `nothing_to_answer`: it does not wait for a person
 */
export function reviewed(
  turn: RequestTurn,
  { outcome, actor }: { readonly outcome: "approved" | "refused"; readonly actor: string },
): void {
  const { scribe, order } = turn;
  const record = order.request.verification;
  if (order.state !== "verifying" || record?.findings.review?.state !== "asked") {
    throw new TurnupError(
      "nothing_to_answer",
      "This request does not wait for a person to look at who asks.",
      {
        nextStep: "GET /v1/reviews lists those that do.",
      },
    );
  }
  const reason = outcome === "approved" ? "who asks was approved" : "who asks was refused";
  scribe.note(order, { kind: `review_${outcome}`, reason: `${reason} by a person`, evidence: actor });
  const findings: Findings = { ...record.findings, review: { state: "answered", outcome } };
  judge(turn, { ...record, findings }, () =>
    waitForOthers(
      turn,
      findings.bureau,
      findings.card,
      assured(order.deadlineAt, "a request that is not over has a deadline"),
    ),
  );
}

/** A sum of nothing still names a currency. */
const currencyOf = ({ order }: RequestTurn): string =>
  order.items.find(({ subject }) => subject?.price)?.subject?.price?.currency ?? "EUR";

export function checkAnswered(
  turn: RequestTurn,
  call: OutboundCall<"identity_check" | "card_check">,
  answer: CallAnswer,
): void {
  const { order } = turn;
  const record = order.request.verification;
  if (order.state !== "verifying" || !record) return;
  const { findings } = record;
  if (call.kind === "identity_check" && isNobodyThere(answer) && record.due.orReview)
    return reviewInstead(turn, record);
  if (call.kind === "card_check" && answer.kind === "refused" && order.request.card) {
    const { card } = order.request;
    turn.scribe.changes.refusedCards.push({ operatorId: order.operatorId, card: card.index });
  }
  const next = call.kind === "identity_check" ? withBureau(findings, answer) : withCard(findings, answer);
  judge(turn, { ...record, findings: next }, () => undefined);
}

const isNobodyThere = (answer: CallAnswer): boolean =>
  answer.kind === "failed" && answer.cause === NOT_CONFIGURED;

function reviewInstead(turn: RequestTurn, record: VerificationRecord): void {
  const due: VerificationDue = { ...record.due, identity: "review" };
  const findings: Findings = {
    ...record.findings,
    bureau: { state: "not_asked" },
    review: { state: "asked" },
  };
  judge(turn, { ...record, due, findings }, () =>
    waitForReview(turn, "nothing is known of who asks, and no identity bureau is configured"),
  );
}

function withBureau(findings: Findings, answer: CallAnswer): Findings {
  if (answer.kind !== "answered") return { ...findings, bureau: { state: "gave_up" } };
  const { outcome, score, mismatched } = answer;
  return { ...findings, bureau: { state: "answered", outcome, score, mismatched: [...mismatched] } };
}

function withCard(findings: Findings, answer: CallAnswer): Findings {
  if (answer.kind === "done")
    return { ...findings, card: { state: "answered", outcome: "approved", cause: null } };
  if (answer.kind !== "refused") return { ...findings, card: { state: "gave_up" } };
  return { ...findings, card: { state: "answered", outcome: "refused", cause: answer.cause } };
}

/** Time that ran out is a no. */
export function verificationTimedOut(turn: RequestTurn): void {
  const record = turn.order.request.verification;
  if (!record) return reject(turn, ["identity_unverified"]);
  const { findings } = record;
  const silent = <Answer extends { readonly state: string }>(answer: Answer) =>
    answer.state === "asked" ? ({ state: "gave_up" } as const) : answer;
  judge(
    turn,
    {
      ...record,
      findings: {
        ...findings,
        ...(findings.record?.consequence === "ask_again" && {
          record: { ...findings.record, gaveUp: true },
        }),
        bureau: silent(findings.bureau),
        review: silent(findings.review ?? { state: "not_asked" }),
        card: silent(findings.card),
      },
    },
    () => reject(turn, ["identity_unverified"]),
  );
}

function reject(turn: RequestTurn, codes: readonly string[]): void {
  const { scribe, order } = turn;
  const reason = codes.map((code) => code.replaceAll("_", " ")).join(", ");
  scribe.moveOrder(order, {
    state: "rejected",
    reason: `verification failed: ${reason}`,
    nextAction: NO_ACTION,
    dueAt: null,
    deadlineAt: null,
    detail: { reasons: codes },
  });
  nothingCameOfIt(turn, "the request was rejected");
}

/**
 * A verified user has an account from now on; the billing centre hears of it with the first success. Whoever gives something
 * back was asked nothing, so that it makes nobody known and changes nothing of who is.
 */
function keepAccount({ scribe, order }: RequestTurn): void {
  const { user, card, account, language, action } = order.request;
  if (action === "remove") return;
  if (account && Object.keys(user).length === 0 && !card) return;
  const id = account?.id ?? scribe.newId();
  order.request.account ??= { id, state: "verified" };
  scribe.changes.accounts.push({
    id,
    operatorId: order.operatorId,
    subscriberId: order.subscriberId,
    user,
    language,
    card: card && {
      token: card.token,
      digits: `${card.first6}${card.last4}`,
      index: card.index,
      mandate: card.mandate ?? null,
    },
  });
}
