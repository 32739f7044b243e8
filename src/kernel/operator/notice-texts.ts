/** What subscribers are told of their requests: the shipped texts by language, which an operator may put its own in the place of. */
import { localized } from "../catalog/localized.ts";

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
  "accessPointsStay",
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
  "offerWithField",
  "offerWithForm",
  "offerLacksField",
  "offerLacksForm",
  "offerRead",
  "offerMisread",
] as const;

export type NoticeText = (typeof NOTICE_TEXTS)[number];
export type NoticeTexts = Readonly<Record<NoticeText, string>>;

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
  accessPointsStay: "Its access points stay on your device until you delete them there: {items}.",
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
  offerWithField:
    "{operator}: {item} is there for you ({price}). No more offers: STOP. It needs: {fields}. Reply {code} and then that, or see {link}",
  offerWithForm:
    "{operator}: {item} is there for you ({price}). No more offers: STOP. It needs: {fields}. Give it under {link}",
  offerLacksField:
    "{operator}: {item} still needs: {fields}. Nothing was ordered. Reply {code} and then that, or open the link of our offer.",
  offerLacksForm:
    "{operator}: {item} still needs: {fields}. Nothing was ordered. Open the link of our offer to give it.",
  offerRead:
    "{operator}: {item}, {fields}: {value}. Reply YES {code} to order it so, NO {code} to leave it, or {code} and another one.",
  offerMisread:
    "{operator}: we could not read that as {fields}: it is {wanted}. Nothing was ordered. Reply {code} and then that.",
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
  accessPointsStay: "Die Zugangspunkte dazu bleiben auf Ihrem Gerät, bis Sie sie dort löschen: {items}.",
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
  offerWithField:
    "{operator}: {item} gibt es jetzt für Sie ({price}). Keine Angebote mehr: STOP. Es braucht: {fields}. Antworten Sie {code} und dann das, oder siehe {link}",
  offerWithForm:
    "{operator}: {item} gibt es jetzt für Sie ({price}). Keine Angebote mehr: STOP. Es braucht: {fields}. Angeben unter {link}",
  offerLacksField:
    "{operator}: {item} braucht noch: {fields}. Nichts wurde bestellt. Antworten Sie {code} und dann das, oder öffnen Sie den Link unseres Angebots.",
  offerLacksForm:
    "{operator}: {item} braucht noch: {fields}. Nichts wurde bestellt. Öffnen Sie dazu den Link unseres Angebots.",
  offerRead:
    "{operator}: {item}, {fields}: {value}. JA {code} bestellt es so, NEIN {code} lässt es, oder {code} und etwas anderes.",
  offerMisread:
    "{operator}: Als {fields} war das nicht zu lesen: Es ist {wanted}. Nichts wurde bestellt. Antworten Sie {code} und dann das.",
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

/** By BCP 47 language. */
export const SHIPPED_NOTICES = { en: ENGLISH, de: GERMAN };

type Notices = { readonly notices: Readonly<Record<string, Partial<NoticeTexts>>> };

/** The operator's text in this language, else in its English, else the shipped one. */
export function noticeText({ notices }: Notices, name: NoticeText, language: string): string {
  const texts = Object.fromEntries(
    Object.entries(notices).flatMap(([of, its]) => (its[name] ? [[of, its[name]]] : [])),
  );
  return localized({ en: ENGLISH[name], ...texts }, language);
}
