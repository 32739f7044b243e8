/** What the telephone menu says beyond the dialog's own words, and the words of its keys. */
import type { VoiceWords } from "../../wire/screen/vxml.ts";

type CallWords = {
  readonly keys: VoiceWords | undefined;
  /** Name of the language in itself. */
  readonly language: string;
  readonly whichNumber: string;
  readonly ownNumber: string;
  readonly sendCode: string;
  readonly otherNumber: string;
  readonly number: string;
  readonly numberHint: string;
  readonly numberWrong: string;
  readonly code: string;
  readonly codeSent: string;
  readonly codeWrong: string;
  readonly pin: string;
  readonly pinAsked: string;
  readonly pinWrong: string;
  readonly pinLocked: string;
  readonly send: string;
  readonly person: string;
  readonly resumed: string;
  readonly termsSummary: string;
  readonly termsBySms: string;
  readonly notByKeys: string;
  readonly linkSent: string;
  readonly tooOften: string;
  readonly trouble: string;
};

const ENGLISH: CallWords = {
  keys: undefined, // the renderer's own
  language: "English",
  whichNumber: "We must know that it is you. A code goes by SMS to your phone.",
  ownNumber: "You are calling from a number that ends in {tail}.",
  sendCode: "sending the code to this number",
  otherNumber: "another number",
  number: "Key your mobile number with the country code.",
  numberHint: "Without zeros in front. End with the hash key.",
  numberWrong: "That is no number that we can use.",
  code: "Key the six digits of the code.",
  codeSent: "If the number is one of ours, an SMS with a code is on its way.",
  codeWrong: "That code is not right.",
  pin: "Key your PIN for the telephone, and end with the hash key.",
  pinAsked: "The code is right. One more thing.",
  pinWrong: "That PIN is not right.",
  pinLocked: "Your PIN is locked, since it was wrong too often.",
  send: "Send",
  person: "a person",
  resumed: "Welcome back. Request {reference} is still under way.",
  termsSummary: "In short, the terms: {summary}",
  termsBySms: "The whole terms come to you by SMS. Nothing happens before you agree to them.",
  notByKeys: "This needs details that cannot be keyed on a telephone.",
  linkSent: "A link comes to you by SMS. Open it on your phone to go on.",
  tooOften: "That was asked for too often. Please call again later.",
  trouble: "That did not work. Please call again later.",
};

const GERMAN: CallWords = {
  keys: {
    press: "Für {label} drücken Sie {key}.",
    more: "mehr",
    optional: "Zum Auslassen warten Sie.",
    date: "Geben Sie acht Ziffern ein: Jahr, Monat, Tag.",
    yesNo: "Für ja drücken Sie 1, für nein 2.",
    endsWith: "Ihre Eingabe endet auf",
    silence: "Es war nichts zu hören.",
    wrong: "Das steht nicht zur Wahl.",
    agent: "Sie werden verbunden.",
    goodbye: "Auf Wiederhören.",
  },
  language: "Deutsch",
  whichNumber: "Wir müssen wissen, dass Sie es sind. Ein Code kommt per SMS auf Ihr Telefon.",
  ownNumber: "Sie rufen von einer Nummer an, die auf {tail} endet.",
  sendCode: "den Code an diese Nummer",
  otherNumber: "eine andere Nummer",
  number: "Geben Sie Ihre Mobilnummer mit der Landesvorwahl ein.",
  numberHint: "Ohne Nullen am Anfang. Schließen Sie mit der Rautetaste ab.",
  numberWrong: "Das ist keine Nummer, mit der wir etwas anfangen können.",
  code: "Geben Sie die sechs Ziffern des Codes ein.",
  codeSent: "Gehört die Nummer zu uns, ist eine SMS mit einem Code unterwegs.",
  codeWrong: "Dieser Code stimmt nicht.",
  pin: "Geben Sie Ihre PIN für das Telefon ein und schließen Sie mit der Rautetaste ab.",
  pinAsked: "Der Code stimmt. Eines noch.",
  pinWrong: "Diese PIN stimmt nicht.",
  pinLocked: "Ihre PIN ist gesperrt, da sie zu oft falsch war.",
  send: "Senden",
  person: "einen Menschen",
  resumed: "Willkommen zurück. Ihr Auftrag {reference} läuft noch.",
  termsSummary: "Die Bedingungen in Kürze: {summary}",
  termsBySms: "Die ganzen Bedingungen kommen per SMS. Bevor Sie zustimmen, geschieht nichts.",
  notByKeys: "Dafür sind Angaben nötig, die sich am Telefon nicht eintippen lassen.",
  linkSent: "Ein Link kommt per SMS. Öffnen Sie ihn auf Ihrem Telefon, um weiterzumachen.",
  tooOften: "Das wurde zu oft verlangt. Bitte rufen Sie später wieder an.",
  trouble: "Das ging nicht. Bitte rufen Sie später wieder an.",
};

const BY_LANGUAGE: Readonly<Record<string, CallWords>> = { en: ENGLISH, de: GERMAN };
export const CALL_LANGUAGES: readonly (readonly [language: string, name: string])[] = Object.entries(
  BY_LANGUAGE,
).map(([language, { language: name }]) => [language, name]);
export const callWordsIn = (language: string): CallWords =>
  BY_LANGUAGE[language.toLowerCase().split("-")[0] ?? ""] ?? ENGLISH;
