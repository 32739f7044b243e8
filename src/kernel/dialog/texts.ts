/**
 * The words of the screens, by language. Short, since the smallest display holds four lines of twelve characters; plain,
 * since nobody learns a phone's menu for one day. What a language lacks is said in English.
 */
import { FIELD_NAMES } from "../account/field-names.ts";
import type { UserField } from "../account/user-data.ts";
import type { CatalogKind, Lack } from "../catalog/catalog-item.ts";
import type { ItemState, OrderState } from "../order/order.ts";

export { localized } from "../catalog/localized.ts";

export type DialogTexts = {
  readonly welcome: string;
  readonly roads: Readonly<Record<CatalogKind, string>>;
  readonly roadNotes: Readonly<Record<CatalogKind, string>>;
  readonly choose: string;
  readonly nothingOffered: string;
  readonly notNow: string;
  /** Why the device in hand cannot have it. */
  readonly lacks: Readonly<Record<Lack, string>>;
  /** Of a package: what of it the device in hand cannot have. */
  readonly leavesOut: string;
  readonly youHaveIt: string;
  readonly newerVersion: string;
  readonly includes: string;
  readonly needs: string;
  readonly conflictsWith: string;
  readonly withTerms: string;
  readonly termsOf: string;
  readonly inPackage: string;
  readonly fromServer: string;
  readonly goToServer: string;
  readonly askServer: string;
  readonly priceChanged: string;
  readonly order: string;
  readonly yourData: string;
  readonly yourDataWhy: string;
  readonly optional: string;
  readonly pleaseCheck: string;
  readonly detailsAgain: string;
  readonly careSignIn: string;
  readonly careSettings: string;
  readonly careMend: string;
  readonly careWaitsForNumber: string;
  readonly careWaitsForSettings: string;
  readonly careOnItsWay: string;
  readonly careNotArrived: string;
  readonly careResent: string;
  readonly careGivenUp: string;
  readonly careGiveUpSure: string;
  readonly detailsAgainWhy: string;
  /** While who asks is verified: whose word is awaited, until when, and what no word is. */
  readonly awaited: Readonly<Record<"person" | "machines" | "subscriber", string>>;
  readonly card: {
    readonly number: string;
    readonly expiry: string;
    readonly code: string;
    readonly kept: string;
  };
  readonly account: {
    readonly number: string;
    readonly holder: string;
    readonly allow: string;
    readonly kept: string;
  };
  readonly payBy: Readonly<Record<"card" | "account", string>>;
  readonly paidBy: string;
  readonly request: string;
  readonly terms: string;
  readonly accept: string;
  readonly decline: string;
  readonly stillNeeded: string;
  readonly send: string;
  readonly notInstalled: string;
  readonly sendAgain: string;
  readonly giveUp: string;
  readonly youHaveNow: string;
  readonly nothingYet: string;
  readonly remove: string;
  /** Something else is given for what is there, or a newer version of it is taken. */
  readonly change: string;
  readonly removeSure: string;
  readonly removed: string;
  readonly myServices: string;
  readonly myRequests: string;
  readonly help: string;
  readonly helpCall: string;
  readonly helpCallPlain: string;
  readonly helpWhere: string;
  readonly helpNothingOpen: string;
  readonly home: string;
  readonly back: string;
  readonly refresh: string;
  readonly language: string;
  readonly signIn: string;
  readonly signInWhy: string;
  readonly phoneNumber: string;
  readonly phoneNumberForm: string;
  readonly phoneNumberWrong: string;
  readonly linkSent: string;
  /** An SMS: as short as it can be. */
  readonly signInLink: string;
  readonly code: string;
  readonly codeWrong: string;
  readonly problem: string;
  readonly until: string;
  readonly more: string;
  readonly goOn: string;
  readonly linkReady: string;
  readonly offered: string;
  readonly states: Readonly<Record<OrderState, string>>;
  /** What the user can do now, or that they need do nothing; empty where the state says all. */
  readonly nextSteps: Readonly<Record<OrderState, string>>;
  /** Grounds of a rejection that are told, by the kernel's words for them. */
  readonly rejections: Readonly<Record<string, string>>;
  readonly itemStates: Readonly<Record<ItemState, string>>;
  readonly fields: Readonly<Record<UserField, string>>;
  readonly faults: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
};

const ENGLISH: DialogTexts = {
  welcome: "Welcome to {operator}. What would you like?",
  roads: { package: "Packages", feature: "Features", service: "Services" },
  roadNotes: {
    package: "Ready made, everything in one",
    feature: "What your device can do",
    service: "Mail, alerts and more",
  },
  choose: "Choose one.",
  nothingOffered: "Nothing is offered here at the moment.",
  notNow: "Not available at the moment",
  lacks: {
    camera: "Not for your device: it has no camera",
    screen: "Not for your device: its screen is too small",
    bands: "Not for your device: it lacks the radio bands",
    class: "Not for this kind of device",
  },
  leavesOut: "Without what your device cannot have: {items}",
  youHaveIt: "You have it",
  newerVersion: "A newer version of yours",
  includes: "Includes: {items}",
  needs: "Needs: {items}",
  conflictsWith: "Cannot stand beside: {items}",
  termsOf: "Terms: {item}",
  inPackage: "Comes with the package",
  fromServer: "From {server}",
  goToServer: "Continue at {server}",
  askServer: "Please ask {server} for it: nothing of it can be ordered here.",
  priceChanged: "The price has changed meanwhile. Please look at it before you order.",
  withTerms: "Its terms come next. Nothing is done or billed before you agree.",
  order: "Order",
  yourData: "Your details",
  yourDataWhy: "Needed once, to open your account.",
  optional: "optional",
  pleaseCheck: "Please check what is marked.",
  detailsAgain: "Give your details",
  careSignIn: "Sign in to see where you stand",
  careSettings: "Settings of your phone",
  careMend: "See it and mend it",
  careWaitsForNumber:
    "The network has not told us your number yet. Make a call or restart your phone; we go on by ourselves.",
  careWaitsForSettings: "We have no settings for your card yet. We see to it; you need do nothing.",
  careOnItsWay: "It was sent to your phone; install it when your phone asks.",
  careNotArrived: "Not all of it arrived. It can be sent again.",
  careResent: "It is being sent again.",
  careGivenUp: "It was given up.",
  careGiveUpSure: "Give it up? What is on its way is not called back; what you have already, you keep.",
  detailsAgainWhy: "We need these details of you. Please give them as they stand in your contract.",
  awaited: {
    person:
      "A person of ours looks at it, until {until} at the latest. Without an answer by then it is not accepted, and nothing is billed. You need do nothing.",
    machines:
      "That takes until {until} at the latest. Without an answer by then it is not accepted, and nothing is billed. You need do nothing.",
    subscriber:
      "We need these details of you until {until}. Please give them as they stand in your contract.",
  },
  card: {
    number: "Card number",
    expiry: "Valid to (MMYY)",
    code: "Security code",
    kept: "We keep a token of your card, never its number.",
  },
  account: {
    number: "IBAN or account number",
    holder: "Account holder",
    allow: "What I order may be collected from this account",
    kept: "We keep a token of your account, never its number.",
  },
  payBy: { card: "Pay by card", account: "Pay from a bank account" },
  paidBy: "Paid from {means}, which you gave before.",
  request: "Request {reference}",
  terms: "Terms",
  accept: "I agree",
  decline: "I decline",
  stillNeeded: "{item} still needs:",
  send: "Send",
  notInstalled: "{item} could not be installed. Shall we send it again?",
  sendAgain: "Send again",
  giveUp: "Give up",
  youHaveNow: "You have now: {items}",
  nothingYet: "You have nothing from us yet.",
  remove: "Remove",
  change: "Change",
  removeSure: "Remove {item}?",
  removed: "removed",
  myServices: "What I have",
  myRequests: "My requests",
  help: "Help",
  helpCall: "Call {phone}. Say that your request is {reference}.",
  helpCallPlain: "Questions? Call {phone}.",
  helpWhere: "Where you are: {state}. {reason}",
  helpNothingOpen: "You have no request under way.",
  home: "Start",
  back: "Back",
  refresh: "Look again",
  language: "Language",
  signIn: "Sign in",
  signInWhy: "We send a code and a link by SMS to the phone with this number.",
  phoneNumber: "Phone number",
  phoneNumberForm: "Begin with + and the country, such as +44",
  phoneNumberWrong: "is no phone number; begin with + and the country, such as +44",
  signInLink: "{operator}: your code is {code}. Or open {link} Give them to nobody.",
  linkSent: "If the number is one of ours, an SMS is on its way. Enter its code here, or open its link.",
  code: "Code",
  codeWrong: "That code is not valid. Ask for a new one.",
  problem: "That did not work",
  until: "until {time}",
  more: "More",
  goOn: "Continue",
  linkReady: "This link is for you alone. It works once.",
  offered: "We have this for you:",
  states: {
    received: "received",
    waiting: "waiting",
    verifying: "your details are being checked",
    awaiting_consent: "waiting for you to agree to the terms",
    provisioning: "being set up",
    completed: "done",
    partly_completed: "partly done",
    failed: "failed",
    cancelled: "cancelled",
    rejected: "not accepted",
    declined: "declined by you",
    expired: "too late, nothing was done",
  },
  nextSteps: {
    received: "",
    waiting: "You need do nothing.",
    verifying: "You need do nothing.",
    awaiting_consent: "Please read the terms and answer. Nothing is done or billed before.",
    provisioning: "You need do nothing; we tell you when it is done.",
    completed: "",
    partly_completed: "What is missing was not billed.",
    failed: "Nothing was billed.",
    cancelled: "Nothing was billed.",
    rejected: "",
    declined: "Nothing was done or billed.",
    expired: "Nothing was billed. You can ask for it again.",
  },
  rejections: {
    "user data incomplete": "Some of your details were missing.",
    "user data malformed": "Some of your details cannot be right.",
    "user data differs": "Your details differ from those we know.",
    "identity mismatch": "Your details could not be confirmed.",
    "identity score too low": "Your details could not be confirmed.",
    "identity unverified": "Your details could not be checked in time.",
    "identity refused": "Your details were not accepted.",
    "user unknown": "We do not know you yet.",
    "card missing": "A card is needed.",
    "card refused": "The card was refused.",
    "card unverified": "The card could not be checked in time.",
    other: "Please call us.",
  },
  itemStates: {
    pending: "waiting for its turn",
    waiting_for_key: "waiting for a key",
    sending: "on its way",
    delivered: "arrived",
    opened: "being installed",
    works: "works",
    failed: "failed",
    cancelled: "cancelled",
    awaiting_choice: "could not be installed",
    registering: "you are being registered",
    needs_information: "more is needed from you",
    registered: "registered",
    access_data_sent: "registered, access data sent by SMS",
    forwarded: "with its own provider",
  },
  fields: FIELD_NAMES.en,
  faults: {
    missing: "is needed",
    too_long: "is too long",
    date_malformed: "write it as 1980-12-31",
    date_impossible: "is no day of the calendar",
    date_in_future: "lies in the future",
    too_young: "you are too young for this",
    email_malformed: "is no e-mail address",
    postal_code_malformed: "is no postal code of this country",
    country_unknown: "is no country; write two letters, such as GB",
    control_characters: "holds a character that nobody can read",
    no_name: "has no letter in it",
    date_too_long_ago: "is too long ago",
    document_malformed: "is no number of a document",
    fax_malformed: "is no fax number; begin with + and the country",
    card_number_malformed: "a card number has 12 to 19 digits",
    card_number_check_digit: "a digit is wrong; please read it again",
    card_expiry_malformed: "month and year, such as 0429",
    card_code_malformed: "three digits, or four on American Express",
    card_expired: "the card is no longer valid",
    card_refused: "the card was refused",
    card_tries_exceeded: "too many cards were tried; please wait",
    iban_malformed: "an IBAN is two letters, two digits and your account number",
    iban_country: "no country with these two letters has IBANs",
    iban_length: "it is longer or shorter than the IBANs of its country",
    iban_check_digits: "a digit is wrong; please read it again",
    account_number_malformed: "is no account number of your country; please give the IBAN",
    account_number_check_digits: "a digit is wrong; please read it again",
    mandate_missing: "without this we cannot collect from the account",
    account_refused: "the account was refused",
    account_not_taken: "bank accounts are not taken; please give a card",
    field_invalid: "please check it; a phone number begins with + and the country",
    corrupt: "could not be used; please give it again",
    other: "please check it",
  },
  problems: {
    catalog_item_unknown: "This is not offered any more.",
    item_unavailable: "This cannot be had now, or not on your device. Nothing was ordered.",
    item_elsewhere: "This comes from another provider, who must be asked for it. Nothing was done or billed.",
    assurance_too_low: "For this we must be sure who you are. Sign in first.",
    identity_unknown: "We do not know this device yet. Switch it off and on, then try again.",
    nothing_to_answer: "This was answered already.",
    order_not_found: "There is no such request of yours.",
    selection_empty: "Nothing was chosen.",
    nothing_to_resend: "Nothing of it can be sent again now. Nothing was sent.",
    order_closed: "It has ended already. Nothing was changed.",
    care_limit_reached: "It was sent again as often as is of use today. Nothing was sent. Please call us.",
    settings_unconfirmed: "It cannot be sent again as it is. Nothing was sent. Please call us.",
    too_many_requests: "Too many tries. Please wait {minutes} min.",
    codes_exceeded:
      "Too many wrong codes came from your network. Open the link in the text message, or wait {minutes} min.",
    card_not_taken: "The card could not be checked now. Nothing was ordered; please try again.",
    assurance_needs_device:
      "For security, please ask for this from the phone itself, over the mobile network.",
    form_foreign: "This form was not made for you. Please begin again.",
    form_over: "This page was open too long. Please begin again.",
    request_in_progress: "We are at it already.",
    body_malformed: "We could not read what was sent. Please begin again.",
    content_not_found: "There is nothing to fetch now.",
    bearer_too_narrow:
      "It is too large for the network that your device is on. Please fetch it where your device has packet data.",
    content_unavailable: "It cannot be fetched now. Please try again later.",
    field_unknown: "We could not read what was sent. Please begin again.",
    method_not_allowed: "There is no such page.",
    media_type_unsupported: "We could not read what was sent. Please begin again.",
    not_found: "There is no such page.",
    link_over: "This link is not valid any more. Ask for a new one.",
    offer_over: "This offer is over, or was answered already.",
    line_conflict: "We could not tell whose line this is. Please try again.",
    other: "Something went wrong on our side. Nothing was lost; please try again.",
  },
};

const GERMAN: DialogTexts = {
  welcome: "Willkommen bei {operator}. Was möchten Sie?",
  roads: { package: "Pakete", feature: "Funktionen", service: "Dienste" },
  roadNotes: {
    package: "Fertig geschnürt, alles in einem",
    feature: "Was Ihr Gerät kann",
    service: "Post, Meldungen und mehr",
  },
  choose: "Bitte wählen.",
  nothingOffered: "Hier gibt es im Moment nichts.",
  notNow: "Im Moment nicht zu haben",
  lacks: {
    camera: "Nicht für Ihr Gerät: Es hat keine Kamera",
    screen: "Nicht für Ihr Gerät: Sein Bildschirm ist zu klein",
    bands: "Nicht für Ihr Gerät: Ihm fehlen die Funkbänder",
    class: "Nicht für diese Art von Gerät",
  },
  leavesOut: "Ohne das, was Ihr Gerät nicht haben kann: {items}",
  youHaveIt: "Haben Sie schon",
  newerVersion: "Neuere Version als Ihre",
  includes: "Enthält: {items}",
  needs: "Braucht: {items}",
  conflictsWith: "Verträgt sich nicht mit: {items}",
  termsOf: "Bedingungen: {item}",
  inPackage: "Ist im Paket enthalten",
  fromServer: "Von {server}",
  goToServer: "Weiter bei {server}",
  askServer: "Fragen Sie bitte {server} danach: Hier lässt sich nichts davon bestellen.",
  priceChanged: "Der Preis hat sich geändert. Bitte sehen Sie ihn an, bevor Sie bestellen.",
  withTerms: "Die Bedingungen kommen als Nächstes. Vorher geschieht und kostet nichts.",
  order: "Bestellen",
  yourData: "Ihre Angaben",
  yourDataWhy: "Einmal nötig, um Ihr Konto zu eröffnen.",
  optional: "freiwillig",
  pleaseCheck: "Bitte prüfen Sie, was markiert ist.",
  detailsAgain: "Angaben machen",
  careSignIn: "Anmelden und sehen, wie weit es ist",
  careSettings: "Einstellungen Ihres Telefons",
  careMend: "Ansehen und in Ordnung bringen",
  careWaitsForNumber:
    "Das Netz hat uns Ihre Nummer noch nicht gesagt. Rufen Sie jemanden an oder starten Sie das Telefon neu; es geht von selbst weiter.",
  careWaitsForSettings:
    "Für Ihre Karte haben wir noch keine Einstellungen. Wir kümmern uns darum; Sie müssen nichts tun.",
  careOnItsWay: "Sie sind an Ihr Telefon gesandt; installieren Sie sie, wenn es fragt.",
  careNotArrived: "Nicht alles kam an. Es lässt sich erneut senden.",
  careResent: "Es wird erneut gesendet.",
  careGivenUp: "Es wurde aufgegeben.",
  careGiveUpSure: "Aufgeben? Was unterwegs ist, wird nicht zurückgerufen; was Sie schon haben, behalten Sie.",
  detailsAgainWhy: "Wir brauchen diese Angaben von Ihnen. Bitte geben Sie sie an, wie sie im Vertrag stehen.",
  awaited: {
    person:
      "Ein Mensch bei uns sieht sich das an, spätestens bis {until}. Ohne Antwort bis dahin wird der Auftrag nicht angenommen und nichts berechnet. Sie müssen nichts tun.",
    machines:
      "Das dauert spätestens bis {until}. Ohne Antwort bis dahin wird der Auftrag nicht angenommen und nichts berechnet. Sie müssen nichts tun.",
    subscriber:
      "Wir brauchen diese Angaben von Ihnen bis {until}. Bitte geben Sie sie an, wie sie im Vertrag stehen.",
  },
  card: {
    number: "Kartennummer",
    expiry: "Gültig bis (MMJJ)",
    code: "Prüfziffer",
    kept: "Wir behalten ein Kennzeichen Ihrer Karte, nie ihre Nummer.",
  },
  account: {
    number: "IBAN oder Kontonummer",
    holder: "Kontoinhaber",
    allow: "Was ich bestelle, darf von diesem Konto eingezogen werden",
    kept: "Wir behalten ein Kennzeichen Ihres Kontos, nie seine Nummer.",
  },
  payBy: { card: "Mit Karte zahlen", account: "Vom Bankkonto zahlen" },
  paidBy: "Bezahlt von {means}, wie zuletzt angegeben.",
  request: "Auftrag {reference}",
  terms: "Bedingungen",
  accept: "Ich stimme zu",
  decline: "Ich lehne ab",
  stillNeeded: "{item} braucht noch:",
  send: "Senden",
  notInstalled: "{item} ließ sich nicht einrichten. Noch einmal senden?",
  sendAgain: "Noch einmal",
  giveUp: "Aufgeben",
  youHaveNow: "Sie haben jetzt: {items}",
  nothingYet: "Sie haben noch nichts von uns.",
  remove: "Entfernen",
  change: "Ändern",
  removeSure: "{item} entfernen?",
  removed: "entfernt",
  myServices: "Was ich habe",
  myRequests: "Meine Aufträge",
  help: "Hilfe",
  helpCall: "Rufen Sie {phone} an und nennen Sie den Auftrag {reference}.",
  helpCallPlain: "Fragen? Rufen Sie {phone} an.",
  helpWhere: "Wo Sie stehen: {state}. {reason}",
  helpNothingOpen: "Sie haben keinen offenen Auftrag.",
  home: "Anfang",
  back: "Zurück",
  refresh: "Neu ansehen",
  language: "Sprache",
  signIn: "Anmelden",
  signInWhy: "Wir senden einen Code und einen Link per SMS an das Telefon mit dieser Nummer.",
  phoneNumber: "Telefonnummer",
  phoneNumberForm: "Mit + und dem Land beginnen, etwa +49",
  phoneNumberWrong: "ist keine Telefonnummer; mit + und dem Land beginnen, etwa +49",
  signInLink: "{operator}: Ihr Code ist {code}. Oder öffnen Sie {link} Geben Sie beides niemandem.",
  linkSent:
    "Gehört die Nummer zu uns, ist eine SMS unterwegs. Geben Sie ihren Code hier ein oder öffnen Sie ihren Link.",
  code: "Code",
  codeWrong: "Dieser Code gilt nicht. Fordern Sie einen neuen an.",
  problem: "Das ging nicht",
  until: "bis {time}",
  more: "Mehr",
  goOn: "Weiter",
  linkReady: "Dieser Link ist nur für Sie. Er gilt einmal.",
  offered: "Das gibt es für Sie:",
  states: {
    received: "angekommen",
    waiting: "wartet",
    verifying: "Ihre Angaben werden geprüft",
    awaiting_consent: "wartet auf Ihre Zustimmung zu den Bedingungen",
    provisioning: "wird eingerichtet",
    completed: "fertig",
    partly_completed: "teilweise fertig",
    failed: "fehlgeschlagen",
    cancelled: "abgebrochen",
    rejected: "nicht angenommen",
    declined: "von Ihnen abgelehnt",
    expired: "zu spät, nichts ist geschehen",
  },
  nextSteps: {
    received: "",
    waiting: "Sie müssen nichts tun.",
    verifying: "Sie müssen nichts tun.",
    awaiting_consent:
      "Bitte lesen Sie die Bedingungen und antworten Sie. Vorher geschieht und kostet nichts.",
    provisioning: "Sie müssen nichts tun; wir melden, wenn es fertig ist.",
    completed: "",
    partly_completed: "Was fehlt, wird nicht berechnet.",
    failed: "Es wird nichts berechnet.",
    cancelled: "Es wird nichts berechnet.",
    rejected: "",
    declined: "Nichts ist geschehen, nichts wird berechnet.",
    expired: "Es wird nichts berechnet. Sie können es neu bestellen.",
  },
  rejections: {
    "user data incomplete": "Es fehlten Angaben von Ihnen.",
    "user data malformed": "Einige Angaben können nicht stimmen.",
    "user data differs": "Ihre Angaben weichen von denen ab, die wir kennen.",
    "identity mismatch": "Ihre Angaben ließen sich nicht bestätigen.",
    "identity score too low": "Ihre Angaben ließen sich nicht bestätigen.",
    "identity unverified": "Ihre Angaben ließen sich nicht rechtzeitig prüfen.",
    "identity refused": "Ihre Angaben wurden nicht angenommen.",
    "user unknown": "Wir kennen Sie noch nicht.",
    "card missing": "Eine Karte ist nötig.",
    "card refused": "Die Karte wurde abgelehnt.",
    "card unverified": "Die Karte ließ sich nicht rechtzeitig prüfen.",
    other: "Bitte rufen Sie uns an.",
  },
  itemStates: {
    pending: "wartet",
    waiting_for_key: "wartet auf einen Schlüssel",
    sending: "unterwegs",
    delivered: "angekommen",
    opened: "wird eingerichtet",
    works: "funktioniert",
    failed: "fehlgeschlagen",
    cancelled: "abgebrochen",
    awaiting_choice: "ließ sich nicht einrichten",
    registering: "Sie werden angemeldet",
    needs_information: "es fehlt noch etwas von Ihnen",
    registered: "angemeldet",
    access_data_sent: "angemeldet, Zugangsdaten kommen per SMS",
    forwarded: "beim Anbieter selbst",
  },
  fields: FIELD_NAMES.de,
  faults: {
    missing: "fehlt",
    too_long: "ist zu lang",
    date_malformed: "so schreiben: 1980-12-31",
    date_impossible: "ist kein Tag des Kalenders",
    date_in_future: "liegt in der Zukunft",
    too_young: "dafür sind Sie zu jung",
    email_malformed: "ist keine E-Mail-Adresse",
    postal_code_malformed: "ist keine Postleitzahl dieses Landes",
    country_unknown: "ist kein Land; zwei Buchstaben, etwa DE",
    control_characters: "enthält ein Zeichen, das niemand lesen kann",
    no_name: "enthält keinen Buchstaben",
    date_too_long_ago: "liegt zu lange zurück",
    document_malformed: "ist keine Ausweisnummer",
    fax_malformed: "ist keine Faxnummer; mit + und dem Land beginnen",
    card_number_malformed: "eine Kartennummer hat 12 bis 19 Ziffern",
    card_number_check_digit: "eine Ziffer stimmt nicht; bitte noch einmal lesen",
    card_expiry_malformed: "Monat und Jahr, etwa 0429",
    card_code_malformed: "drei Ziffern, vier bei American Express",
    card_expired: "die Karte gilt nicht mehr",
    card_refused: "die Karte wurde abgelehnt",
    card_tries_exceeded: "zu viele Karten wurden versucht; bitte warten Sie",
    iban_malformed: "eine IBAN ist zwei Buchstaben, zwei Ziffern und Ihre Kontonummer",
    iban_country: "kein Land mit diesen zwei Buchstaben hat IBANs",
    iban_length: "ist länger oder kürzer als die IBANs ihres Landes",
    iban_check_digits: "eine Ziffer stimmt nicht; bitte noch einmal lesen",
    account_number_malformed: "ist keine Kontonummer Ihres Landes; bitte die IBAN angeben",
    account_number_check_digits: "eine Ziffer stimmt nicht; bitte noch einmal lesen",
    mandate_missing: "ohne dies können wir nicht vom Konto einziehen",
    account_refused: "das Konto wurde abgelehnt",
    account_not_taken: "Bankkonten werden nicht angenommen; bitte eine Karte angeben",
    field_invalid: "bitte prüfen; eine Rufnummer beginnt mit + und dem Land",
    corrupt: "war nicht zu gebrauchen; bitte noch einmal",
    other: "bitte prüfen",
  },
  problems: {
    catalog_item_unknown: "Das gibt es nicht mehr.",
    item_unavailable: "Das ist jetzt nicht zu haben, oder nicht auf Ihrem Gerät. Nichts wurde bestellt.",
    item_elsewhere:
      "Das kommt von einem anderen Anbieter; bitte fragen Sie dort. Nichts ist geschehen oder berechnet.",
    assurance_too_low: "Dafür müssen wir sicher sein, wer Sie sind. Melden Sie sich zuerst an.",
    identity_unknown:
      "Wir kennen dieses Gerät noch nicht. Schalten Sie es aus und ein und versuchen Sie es wieder.",
    nothing_to_answer: "Das ist schon beantwortet.",
    order_not_found: "Einen solchen Auftrag haben Sie nicht.",
    selection_empty: "Es wurde nichts gewählt.",
    nothing_to_resend: "Davon lässt sich jetzt nichts erneut senden. Es wurde nichts gesendet.",
    order_closed: "Das ist schon beendet. Es wurde nichts geändert.",
    care_limit_reached:
      "Es wurde heute so oft erneut gesendet, wie es Sinn hat. Es wurde nichts gesendet. Bitte rufen Sie uns an.",
    settings_unconfirmed:
      "So lässt es sich nicht erneut senden. Es wurde nichts gesendet. Bitte rufen Sie uns an.",
    too_many_requests: "Zu viele Versuche. Bitte warten Sie {minutes} Min.",
    codes_exceeded:
      "Zu viele falsche Codes kamen aus Ihrem Netz. Öffnen Sie den Link in der SMS, oder warten Sie {minutes} Min.",
    card_not_taken: "Die Karte ließ sich gerade nicht prüfen. Nichts wurde bestellt; bitte noch einmal.",
    assurance_needs_device:
      "Zur Sicherheit bestellen Sie das bitte vom Telefon selbst, über das Mobilfunknetz.",
    form_foreign: "Dieses Formular ist nicht für Sie gemacht. Bitte beginnen Sie neu.",
    form_over: "Diese Seite war zu lange offen. Bitte beginnen Sie neu.",
    request_in_progress: "Wir sind schon dabei.",
    body_malformed: "Die Sendung war nicht zu lesen. Bitte beginnen Sie neu.",
    content_not_found: "Im Moment gibt es nichts abzuholen.",
    bearer_too_narrow:
      "Es ist zu groß für das Netz, in dem Ihr Gerät gerade ist. Bitte dort abholen, wo es Paketdaten hat.",
    content_unavailable: "Es lässt sich gerade nicht abholen. Bitte später noch einmal.",
    field_unknown: "Die Sendung war nicht zu lesen. Bitte beginnen Sie neu.",
    method_not_allowed: "Diese Seite gibt es nicht.",
    media_type_unsupported: "Die Sendung war nicht zu lesen. Bitte beginnen Sie neu.",
    not_found: "Diese Seite gibt es nicht.",
    link_over: "Dieser Link gilt nicht mehr. Fordern Sie einen neuen an.",
    offer_over: "Dieses Angebot ist vorbei oder schon beantwortet.",
    line_conflict:
      "Wir konnten nicht erkennen, wessen Anschluss das ist. Bitte versuchen Sie es noch einmal.",
    other: "Bei uns ging etwas schief. Nichts ist verloren; bitte noch einmal.",
  },
};

const BY_LANGUAGE: Readonly<Record<string, DialogTexts>> = { en: ENGLISH, de: GERMAN };

export const DIALOG_LANGUAGES = Object.keys(BY_LANGUAGE);

/** `de-AT` finds `de`; what nobody wrote yet is English. */
export const textsIn = (language: string): DialogTexts =>
  BY_LANGUAGE[language.toLowerCase().split("-")[0] ?? "en"] ?? ENGLISH;

export const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
