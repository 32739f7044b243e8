/**
 * Texts of subscribers: the answer to a question of ours, STOP and START, or something that is no plain answer. Each is kept as
 * it came, with what it was read as; what is not understood is answered by what can be said, once a question.
 */

import { firstOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { codesIn, questionOf, type Reply, type ReplyWords, readReply } from "../consent/read-reply.ts";
import { readStop, type StopRead } from "../consent/read-stop.ts";
import { featuresOf } from "../fulfilment/modules.ts";
import { queueAnswer } from "../notices/notices.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import type { NewTextReply, NumberHolder, TextPart, TextTarget } from "../order/reply-store.ts";
import type { RequestStore } from "../order/request-store.ts";
import type { Scribe } from "../order/scribe.ts";
import { termsAnswered } from "./consent.ts";
import { fieldCame, valueFor } from "./offer-fields.ts";
import { answerOffer } from "./offers.ts";
import { type Desk, onRequest } from "./on-request.ts";

type Question = Awaited<ReturnType<RequestStore["questionsOf"]>>[number];

/** "Not understood" to one subscriber within a day, whatever they write. */
const UNCLEAR_ANSWERS_PER_DAY = 3;
const DAY_HOURS = 24;
/** What an operator keeps of a text; a longer one is no answer to anything. */
const KEPT_CHARACTERS = 1_000;
/** What is wrong with an offer itself, or with its subscriber's way to it. */
const OFFER_FAULTS: readonly string[] = [
  "assurance_too_low",
  "catalog_item_unknown",
  "field_invalid",
  "identity_unknown",
  "item_elsewhere",
];
const ACTOR = "subscriber";

type CameText = { readonly from: string; readonly text: string; readonly to: TextTarget | undefined };

/**
 * @param part of a longer text: what stands in it may be half of a sentence, so nothing in it is a plain answer
 */
export async function textCame(
  here: Desk,
  { from, text, to }: CameText,
  part: TextPart | undefined,
): Promise<boolean> {
  const { deps, requests } = here;
  const stop = part && part.seq > 1 ? undefined : readStop(text);
  const wasPreference = stop !== undefined && (await preferenceCame(here, stop, { from, text, to }));
  if (stop?.kind === "start") return wasPreference;
  const asked = await requests.questionsOf(from, deps.clock());
  const questions = asked.filter((one) => mayBeOf(one, to));
  // The words that count are those of whoever asked, in the language that they asked in.
  const about = questionNamed(text, questions) ?? questions[0];
  if (!about) return wasPreference;
  const terms = await deps.store.termsOf(about.operatorId);
  const read = stop ? asNo(stop) : part ? undefined : readReply(text, wordsFor(about, terms));
  const meant = read && questionOf(read, questions);
  if (read && meant) {
    await answer(here, meant, read, text);
    return true;
  }
  const given = part || stop ? undefined : valueFor(text, questions);
  if (given?.question.kind === "offer" && (await fieldGiven(here, given.question, given.value, text)))
    return true;
  // STOP has its own answer, and is no question's by itself.
  if (!wasPreference) await notUnderstood(here, about, questions, text);
  return wasPreference || read !== undefined;
}

/** A centre of one operator brings texts for that one alone. */
const mayBeOf = ({ operatorId }: { readonly operatorId: string }, to: TextTarget | undefined): boolean =>
  to?.operatorId === undefined || to.operatorId === operatorId;

function questionNamed(text: string, questions: readonly Question[]): Question | undefined {
  const [code = null, ...more] = codesIn(text);
  return more.length > 0 ? undefined : questionOf({ code }, questions);
}

/** What an offer still lacks, behind its number. */
async function fieldGiven(
  here: Desk,
  question: Extract<Question, { kind: "offer" }>,
  value: string,
  text: string,
): Promise<boolean> {
  const answered = await fieldCame(here, question, value);
  if (!answered) return false;
  const { operatorId, subscriberId, offerId } = question;
  const reply = {
    operatorId,
    subscriberId,
    offerId,
    readAs: "field" as const,
    questions: [nameOf(question)],
    text,
    answered,
  };
  await here.inStep(async ({ scribe }) => keep(scribe, reply));
  return true;
}

const wordsFor = ({ language }: Question, { policy }: OperatorTerms): ReplyWords => ({
  accept: policy.request.acceptWords,
  decline: policy.request.declineWords,
  language,
});

/** Who wants to hear no more agrees to nothing. */
const asNo = (stop: Extract<StopRead, { kind: "stop" }>): Reply => ({ answer: "decline", code: stop.code });

async function answer(here: Desk, question: Question, { answer: said }: Reply, text: string): Promise<void> {
  const scope = { operatorId: question.operatorId, subscriberId: question.subscriberId };
  const evidence = { ...scope, readAs: said, questions: [nameOf(question)], text };
  if (question.kind === "terms") {
    return onRequest(here, scope, question.orderId, (turn) => {
      termsAnswered(turn, said, "sms");
      keep(turn.scribe, { ...evidence, orderId: question.orderId });
    });
  }
  if (question.kind === "choice") {
    const choice = said === "accept" ? "retransmit" : "give_up";
    return onRequest(here, scope, question.orderId, (turn) => {
      featuresOf(turn).chosen(turn, question.itemId, choice, "sms");
      keep(turn.scribe, { ...evidence, orderId: question.orderId });
    });
  }
  await here.inStep(async ({ scribe }) => keep(scribe, { ...evidence, offerId: question.offerId }));
  await offerAnswered(here, question, said);
}

/** Whoever says yes to what cannot be had this way (any more) is told so. */
async function offerAnswered(
  desk: Desk,
  offer: Extract<Question, { kind: "offer" }>,
  said: Reply["answer"],
): Promise<void> {
  try {
    await answerOffer(desk, offer, said);
  } catch (error) {
    if (!(error instanceof TurnupError) || !OFFER_FAULTS.includes(error.code)) throw error;
    const { deps, inStep } = desk;
    await inStep(async ({ tx, scribe }) =>
      queueAnswer({ deps, scribe, terms: await tx.termsOf(offer.operatorId) }, offer, "offerNotTaken"),
    );
  }
}

// No plain answer.

/** Says how to answer: once a question, and not to somebody who only chats. */
async function notUnderstood(
  { deps, inStep }: Desk,
  { operatorId, subscriberId }: Question,
  open: readonly Question[],
  text: string,
): Promise<void> {
  const terms = await deps.store.termsOf(operatorId);
  const own = open.filter((question) => question.operatorId === operatorId);
  const told = codesIn(text);
  const named = own.filter(({ code }) => told.includes(code));
  const about = named.length > 0 ? named : own;
  const questions = about.map(nameOf);
  await inStep(async ({ tx, scribe }) => {
    await tx.lockSubscriber(operatorId, subscriberId);
    const before = await tx.answeredSince(operatorId, subscriberId, hoursAfter(scribe.now, -DAY_HOURS));
    const isNews = questions.some((name) => !before.some((names) => names.includes(name)));
    const why = about.length === 1 ? "notUnderstood" : "whichQuestion";
    const answered = isNews && before.length < UNCLEAR_ANSWERS_PER_DAY ? why : null;
    keep(scribe, { operatorId, subscriberId, readAs: "unclear", questions, text, answered });
    for (const question of about) if (question.kind !== "offer") noteUnclear(scribe, question, answered);
    if (answered) {
      const codes = about.map(({ code }) => code);
      const values = { code: codes[0] ?? "", codes: codes.join(", ") };
      queueAnswer({ deps, scribe, terms }, firstOf(about), answered, values);
    }
  });
}

/** In the order's story, without the words themselves. */
function noteUnclear(
  scribe: Scribe,
  question: Exclude<Question, { kind: "offer" }>,
  answered: string | null,
): void {
  scribe.changes.events.push({
    id: scribe.newId(),
    operatorId: question.operatorId,
    orderId: question.orderId,
    itemId: question.kind === "choice" ? question.itemId : null,
    kind: "reply_not_understood",
    state: null,
    reason: answered
      ? "a reply by text was no plain yes or no; its sender was told how to answer"
      : "a reply by text was no plain yes or no",
    evidence: "sms",
    detail: null,
    at: scribe.now,
  });
}

/** The same question at another time has another name: its number, and what it is about. */
function nameOf(question: Question): string {
  const about =
    question.kind === "offer"
      ? question.offerId
      : question.kind === "choice"
        ? question.itemId
        : question.orderId;
  return `${question.kind}:${about}:${question.code}`;
}

function keep(
  scribe: Scribe,
  reply: Omit<NewTextReply, "id" | "orderId" | "offerId" | "answered"> & Partial<NewTextReply>,
): void {
  scribe.changes.textReplies.push({
    id: scribe.newId(),
    orderId: null,
    offerId: null,
    answered: null,
    ...reply,
    text: reply.text.slice(0, KEPT_CHARACTERS),
  });
}

// STOP and START.

/** False where no operator is meant: nobody here has the number, and the address is none's. */
async function preferenceCame(here: Desk, { kind }: StopRead, came: CameText): Promise<boolean> {
  const holders = await holdersOf(here, came);
  for (const holder of holders) await takePreference(here, holder, kind, came);
  return holders.length > 0;
}

/** Operators that know the number, else those whose address was written to, else the only one there is. */
async function holdersOf({ deps, requests }: Desk, { from, to }: CameText) {
  const all = (await requests.holdersOf(from)).filter((one) => mayBeOf(one, to));
  const known = all.filter(({ subscriberId }) => subscriberId !== null);
  if (known.length > 0) return known;
  if (all.length <= 1) return all;
  const meant: NumberHolder[] = [];
  for (const holder of all) {
    const { policy } = await deps.store.termsOf(holder.operatorId);
    if (to !== undefined && policy.sender.replace(/^\+/, "") === to.address.replace(/^\+/, ""))
      meant.push(holder);
  }
  return meant;
}

/** In force, audited and confirmed in one transaction; a repeat is kept as evidence and changes nothing. */
async function takePreference(
  { deps, inStep }: Desk,
  { operatorId, subscriberId, language }: NumberHolder,
  kind: StopRead["kind"],
  { from, text }: CameText,
): Promise<void> {
  const msisdn = parseMsisdn(from.startsWith("+") ? from : `+${from}`);
  const of = { operatorId, msisdn, subscriberId };
  await inStep(async ({ tx, scribe }) => {
    if (subscriberId !== null) await tx.lockSubscriber(operatorId, subscriberId);
    const ended = kind === "stop" ? await tx.stopUnasked(of, scribe.now) : undefined;
    const isNews = kind === "stop" ? ended !== undefined : await tx.allowUnasked(of);
    const answered = isNews ? (kind === "stop" ? "stopped" : "started") : null;
    keep(scribe, { operatorId, subscriberId, readAs: kind, questions: [], text, answered });
    if (!answered) return;
    scribe.changes.audits.push({
      id: scribe.newId(),
      operatorId,
      actor: ACTOR,
      action: kind === "stop" ? "messages.stop" : "messages.start",
      subject: subscriberId ?? "unknown",
      detail: { channel: "sms", ...ended },
    });
    const terms = await tx.termsOf(operatorId);
    queueAnswer({ deps, scribe, terms }, { subscriberId, destination: msisdn, language }, answered);
  });
}
