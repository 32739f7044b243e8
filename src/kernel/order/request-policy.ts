/**
 * What an operator decides about requests of the device's road: one part of its policy. Every "may" of US 6,647,260 that
 * concerns the provisioning server is one field here.
 */
import { BILLED_FIELDS, type BilledField } from "../../wire/message/billing-api.ts";
import type { Assurance } from "../catalog/catalog-item.ts";
import { DEFAULT_REGISTRATION_POLICY, type RegistrationPolicy } from "../registration/registration-policy.ts";
import type { OrderState } from "./order.ts";
import { inLanguage } from "./request-draft.ts";

/** Texts to subscribers, by name; the names in braces are filled in, each as far as the text has it. */
export const NOTICE_TEXTS = [
  "terms",
  "accepted",
  "contentReady",
  "installFailed",
  "retransmitted",
  "needsInformation",
  "accessData",
  "unavailable",
  "elsewhere",
  "forwarded",
  "conflict",
  "conflictHad",
  "missingNeed",
  "status",
  "underReview",
  "done",
  "removed",
  "alsoEnded",
  "partlyDone",
  "failed",
  "rejected",
  "declined",
  "expired",
  "cancelled",
  "cancelledWithheld",
  "cancelledTakingBack",
  "cancelledKept",
  "takenBack",
  "notTakenBack",
  "changed",
  "offer",
  "notUnderstood",
  "whichQuestion",
  "stopped",
  "started",
  "offerNotTaken",
] as const;
export type NoticeText = (typeof NOTICE_TEXTS)[number];
type NoticeTexts = Readonly<Record<NoticeText, string>>;

/** Channels that terms may go to beside the SMS, where an address is known (R52). */
export const TERMS_CHANNELS = ["mail", "fax"] as const;
export type TermsChannel = (typeof TERMS_CHANNELS)[number];

/** Who collects what requests cost, and what becomes of a sum that is refused. */
type CollectionPolicy = {
  /** The billing centre, which is told of sums; or this server by the token that the subscriber left, and it is told of none. */
  readonly by: "billing_centre" | "token";
  /** How often a sum is asked for again that was refused for now, as for want of funds. */
  readonly retries: number;
  readonly retryAfterHours: number;
};

export type RequestPolicy = RegistrationPolicy & {
  /** How sure we must be who asks, whatever is asked for. */
  readonly minimumAssurance: Assurance;
  /** The most that a partner's word for its customer counts. */
  readonly partnerAssurance: Assurance;
  /** How long checks may take before they count as a no. */
  readonly verificationDeadlineMinutes: number;
  readonly consentDeadlineHours: number;
  /** Where terms go beside the SMS, which they always go by. */
  readonly termsAlsoBy: readonly TermsChannel[];
  /** What becomes of the request when a channel, SMS included, does not take the terms before they were answered. */
  readonly termsNotSent: "continue" | "stop";
  /** For the user's answer after a failed installation, and for fields that a service misses. */
  readonly choiceDeadlineHours: number;
  /** How long a service server and elements of the network may take. */
  readonly serviceDeadlineHours: number;
  readonly retransmissionLimit: number;
  /** How often a subscriber may have one order sent again within a day, without a person; 0: never. */
  readonly selfCareResendsMax: number;
  /** Of the periodic status; null sends none. */
  readonly statusIntervalMinutes: number | null;
  /** What becomes of the rest when an item cannot be had, or stands in conflict. */
  readonly unavailableItem: "continue" | "stop";
  readonly conflictingItem: "continue" | "stop";
  /** Content of at most so many octets goes in the notice itself, by SMS. 0: content always goes wideband. */
  readonly narrowbandContentOctets: number;
  /** What the billing centre is told of an account; what it does not need stays here. */
  readonly billingFields: readonly BilledField[];
  readonly collection: CollectionPolicy;
  readonly offerDays: number;
  /** So long after a no to an offer the same item is not offered again; 0: at once. */
  readonly offerPauseDays: number;
  /** Words that mean yes and no in a reply by text, beside those that every operator's subscribers have; case does not count. */
  readonly acceptWords: readonly string[];
  readonly declineWords: readonly string[];
  /** By BCP 47 language; a text that a language lacks is taken from `en`, and one that `en` lacks from the shipped ones. */
  readonly notices: Readonly<Record<string, Partial<NoticeTexts>>>;
};

const ENGLISH: NoticeTexts = {
  terms:
    "{operator}: you asked for {items} ({price}). {terms} Reply YES {code} to agree or NO {code} to decline.",
  accepted: "{operator}: thank you. {items} is being set up; request {reference}.",
  contentReady: "{operator}: {item} is ready for your device; request {reference}.",
  installFailed:
    "{operator}: {item} could not be installed. Reply YES {code} to have it sent again or NO {code} to give it up.",
  retransmitted: "{operator}: {item} is sent again; request {reference}.",
  needsInformation: "{operator}: {item} still needs: {fields}. Give it under {link}",
  accessData: "{operator}: {item}: {access}",
  elsewhere:
    "{operator}: {items} comes from {server} alone: {link} Nothing of it was done or billed here. Request {reference}.",
  forwarded:
    "{operator}: {server} provides and bills {items}; it has your request and will write to you. Request {reference}.",
  unavailable: "{operator}: not available: {items}. Request {reference}.",
  conflict: "{operator}: {items} cannot stand beside {others}; neither is set up. Request {reference}.",
  conflictHad: "{operator}: {items} cannot stand beside {others}, which you have. Request {reference}.",
  missingNeed: "{operator}: {items} needs {others}. Request {reference}.",
  status: "{operator}: request {reference}: {state}.",
  underReview:
    "{operator}: a person of ours looks at your request {reference}, until {until} at the latest. Without an answer by then it is not accepted. You need do nothing.",
  done: "{operator}: request {reference} is done: {items}.",
  removed: "{operator}: request {reference} is done: removed: {items}.",
  alsoEnded: "No longer part of it, and ended: {items}.",
  partlyDone: "{operator}: request {reference}: done: {items}. Not done: {others}.",
  failed: "{operator}: request {reference} failed: {reason}.",
  rejected: "{operator}: request {reference} was not accepted: {reason}.",
  declined: "{operator}: you declined; nothing was set up and nothing is charged. Request {reference}.",
  expired: "{operator}: no answer came to request {reference}; nothing was set up and nothing is charged.",
  cancelled: "{operator}: request {reference} was cancelled.",
  cancelledWithheld: "Not passed on to anybody: {items}.",
  cancelledTakingBack: "Being taken back: {items}; we tell you when it is.",
  cancelledKept: "Set up before that, and kept: {items}.",
  takenBack: "{operator}: taken back: {items}. Nothing is charged for it. Request {reference}.",
  notTakenBack: "{operator}: {items} could not be taken back yet; we see to it. Request {reference}.",
  changed: "{operator}: {actor} asked for a change for you: {items}. Request {reference}.",
  offer:
    "{operator}: {item} is there for you ({price}). No more offers: STOP. Reply YES {code}, or see {link}",
  notUnderstood:
    "{operator}: we did not understand that; nothing was agreed to. Please reply just YES {code} or NO {code}.",
  whichQuestion:
    "{operator}: we cannot tell which question you answer; nothing was agreed to. Please reply YES or NO with the number of one: {codes}.",
  stopped: "{operator}: you get no more offers from us. If you want them again, reply START.",
  started: "{operator}: you may get offers from us again. To end them, reply STOP.",
  offerNotTaken:
    "{operator}: what we offered cannot be set up by SMS now; nothing is charged. Please contact us.",
};

const GERMAN: NoticeTexts = {
  terms: "{operator}: Sie wünschen {items} ({price}). {terms} Antworten Sie JA {code} oder NEIN {code}.",
  accepted: "{operator}: Danke. {items} wird eingerichtet; Auftrag {reference}.",
  contentReady: "{operator}: {item} liegt für Ihr Gerät bereit; Auftrag {reference}.",
  installFailed:
    "{operator}: {item} konnte nicht installiert werden. JA {code} sendet es erneut, NEIN {code} gibt es auf.",
  retransmitted: "{operator}: {item} wird erneut gesendet; Auftrag {reference}.",
  needsInformation: "{operator}: Für {item} fehlt noch: {fields}. Angeben unter {link}",
  accessData: "{operator}: {item}: {access}",
  elsewhere:
    "{operator}: {items} gibt es nur bei {server}: {link} Hier ist nichts davon geschehen oder berechnet. Auftrag {reference}.",
  forwarded:
    "{operator}: {items} kommt von {server} und wird dort berechnet; Ihr Wunsch liegt dort, man schreibt Ihnen. Auftrag {reference}.",
  unavailable: "{operator}: nicht verfügbar: {items}. Auftrag {reference}.",
  conflict:
    "{operator}: {items} verträgt sich nicht mit {others}; beides wird nicht eingerichtet. Auftrag {reference}.",
  conflictHad: "{operator}: {items} verträgt sich nicht mit {others}, das Sie haben. Auftrag {reference}.",
  missingNeed: "{operator}: {items} braucht {others}. Auftrag {reference}.",
  status: "{operator}: Auftrag {reference}: {state}.",
  underReview:
    "{operator}: Ihren Auftrag {reference} sieht sich ein Mensch bei uns an, spätestens bis {until}. Ohne Antwort bis dahin wird er nicht angenommen. Sie müssen nichts tun.",
  done: "{operator}: Auftrag {reference} ist erledigt: {items}.",
  removed: "{operator}: Auftrag {reference} ist erledigt: entfernt: {items}.",
  alsoEnded: "Nicht mehr enthalten und beendet: {items}.",
  partlyDone: "{operator}: Auftrag {reference}: erledigt: {items}. Nicht erledigt: {others}.",
  failed: "{operator}: Auftrag {reference} ist fehlgeschlagen: {reason}.",
  rejected: "{operator}: Auftrag {reference} wurde nicht angenommen: {reason}.",
  declined: "{operator}: Sie haben abgelehnt; nichts wurde eingerichtet oder berechnet. Auftrag {reference}.",
  expired: "{operator}: Zu Auftrag {reference} kam keine Antwort; nichts wurde eingerichtet oder berechnet.",
  cancelled: "{operator}: Auftrag {reference} wurde storniert.",
  cancelledWithheld: "Niemandem weitergegeben: {items}.",
  cancelledTakingBack: "Wird zurückgenommen: {items}; wir melden es Ihnen.",
  cancelledKept: "Vorher eingerichtet und behalten: {items}.",
  takenBack: "{operator}: zurückgenommen: {items}. Dafür wird nichts berechnet. Auftrag {reference}.",
  notTakenBack:
    "{operator}: {items} konnte noch nicht zurückgenommen werden; wir kümmern uns darum. Auftrag {reference}.",
  changed: "{operator}: {actor} wünscht für Sie eine Änderung: {items}. Auftrag {reference}.",
  offer:
    "{operator}: {item} gibt es jetzt für Sie ({price}). Keine Angebote mehr: STOP. Antworten Sie JA {code}, oder siehe {link}",
  notUnderstood:
    "{operator}: Das haben wir nicht verstanden; nichts wurde vereinbart. Bitte antworten Sie nur JA {code} oder NEIN {code}.",
  whichQuestion:
    "{operator}: Auf welche Frage Sie antworten, ist nicht klar; nichts wurde vereinbart. Bitte antworten Sie JA oder NEIN mit der Zahl von einer: {codes}.",
  stopped:
    "{operator}: Sie bekommen von uns keine Angebote mehr. Möchten Sie wieder welche, antworten Sie START.",
  started: "{operator}: Sie können wieder Angebote von uns bekommen. Mit STOP enden sie.",
  offerNotTaken:
    "{operator}: Das Angebot kann jetzt nicht per SMS eingerichtet werden; nichts wird berechnet. Bitte fragen Sie uns.",
};

export const DEFAULT_REQUEST_POLICY: RequestPolicy = {
  ...DEFAULT_REGISTRATION_POLICY,
  minimumAssurance: "otp",
  partnerAssurance: "otp",
  verificationDeadlineMinutes: 60,
  consentDeadlineHours: 48,
  termsAlsoBy: ["mail", "fax"],
  termsNotSent: "continue",
  choiceDeadlineHours: 48,
  serviceDeadlineHours: 24,
  retransmissionLimit: 3,
  selfCareResendsMax: 3,
  statusIntervalMinutes: 720,
  unavailableItem: "continue",
  conflictingItem: "continue",
  narrowbandContentOctets: 0,
  billingFields: BILLED_FIELDS,
  collection: { by: "billing_centre", retries: 3, retryAfterHours: 72 },
  offerDays: 14,
  offerPauseDays: 90,
  acceptWords: [],
  declineWords: [],
  notices: { en: ENGLISH, de: GERMAN },
};

/** How far an open request is, for the periodic status; a request that has ended is told by texts of its own. */
const STATE_WORDS: Readonly<Record<string, Readonly<Partial<Record<OrderState, string>>>>> = {
  en: {
    received: "received",
    waiting: "waiting",
    verifying: "your details are being checked",
    awaiting_consent: "waiting for your answer to the terms",
    provisioning: "being set up",
  },
  de: {
    received: "angekommen",
    waiting: "wartet",
    verifying: "Ihre Angaben werden geprüft",
    awaiting_consent: "wartet auf Ihre Antwort zu den Bedingungen",
    provisioning: "wird eingerichtet",
  },
};

export const stateWords = (state: OrderState, language: string): string =>
  inLanguage(
    Object.fromEntries(
      Object.entries(STATE_WORDS).map(([of, words]) => [of, words[state] ?? state.replaceAll("_", " ")]),
    ),
    language,
  );

/** The operator's text in this language, else in its English, else the shipped one. */
export function noticeText(policy: RequestPolicy, name: NoticeText, language: string): string {
  const texts = Object.fromEntries(
    Object.entries(policy.notices).flatMap(([of, its]) => (its[name] ? [[of, its[name]]] : [])),
  );
  return inLanguage({ en: ENGLISH[name], ...texts }, language);
}
