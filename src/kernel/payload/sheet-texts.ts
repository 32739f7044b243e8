/** The words of the page behind a link, by language: a new one is a table here. What nobody wrote yet is English. */
import type { SettingsPoint } from "./settings-values.ts";

/** A value to type in, by what it is. */
export type ValueKey =
  | "name"
  | "apn"
  | "proxy"
  | "port"
  | "user"
  | "password"
  | "mmsc"
  | "mmsProxy"
  | "mmsPort"
  | "auth"
  | "type"
  | "protocol"
  | "homepage";

export type SheetTexts = {
  readonly ready: string;
  readonly show: string;
  readonly expiredTitle: string;
  readonly expired: string;
  readonly unknownTitle: string;
  readonly unknown: readonly string[];
  readonly waitTitle: string;
  readonly wait: string;
  readonly title: string;
  readonly forPhone: string;
  readonly uses: Readonly<Record<SettingsPoint["use"], string>>;
  readonly usesTogether: string;
  readonly values: Readonly<Record<ValueKey, string>>;
  /** What users of phones call authentication and protocols is the same in every language. */
  readonly copy: string;
  readonly copied: string;
  readonly type: {
    readonly open: string;
    readonly add: string;
    readonly fill: string;
    readonly save: string;
  };
  readonly otherMenus: string;
  /** Goes on from `otherMenus`, where the versions are known. */
  readonly ofVersions: string;
  readonly searchHint: string;
  readonly exactly: string;
  readonly locked: string;
  readonly dataLine: string;
  readonly byHand: { readonly open: string; readonly restart: string };
  readonly apple: {
    readonly intro: string;
    readonly download: string;
    readonly otherBrowser: string;
    readonly otherPhone: string;
    /** By system: 12.2 and later, 12.1.1, before, and where it is not known. */
    readonly install: readonly string[];
    readonly installGeneral: readonly string[];
    readonly installOld: readonly string[];
    readonly unsigned: string;
    readonly dataLine: string;
    readonly onlyOne: string;
    readonly noMms: string;
    /** Goes on from `noMms`, where there is something to type in. */
    readonly mmsFields: string;
    readonly remove: string;
    readonly removal: string;
    readonly save: string;
    readonly refused: string;
  };
};

const ENGLISH: SheetTexts = {
  ready: "The settings for your phone are ready.",
  show: "Show my settings",
  expiredTitle: "Expired",
  expired: "This page has expired. Call your operator for a new link to your settings.",
  unknownTitle: "Nothing here",
  unknown: [
    "This address is not known. Open the link in your text message once more, or type it exactly as it stands there.",
    "If that does not help, call your operator.",
  ],
  waitTitle: "Please wait",
  wait: "Too many wrong addresses came from your network. Wait {seconds} seconds and open the link in your text message again.",
  title: "Settings from {operator}",
  forPhone: "For your phone: {phone}.",
  uses: {
    internet: "Internet",
    mms: "Picture messages (MMS)",
    wap: "WAP",
    maker: "Manufacturer's services",
  },
  usesTogether: "{first} and {second}",
  values: {
    name: "Name",
    apn: "APN",
    proxy: "Proxy",
    port: "Port",
    user: "Username",
    password: "Password",
    mmsc: "MMSC",
    mmsProxy: "MMS proxy",
    mmsPort: "MMS port",
    auth: "Authentication type",
    type: "APN type",
    protocol: "APN protocol",
    homepage: "Home page",
  },
  copy: "Copy",
  copied: "Copied",
  type: {
    open: "On your phone open:",
    add: "Touch “{add}”.",
    fill: "Fill in {use}. Leave everything else as it is:",
    save: "Save (three dots, then Save), and touch the new entry so that it is chosen.",
  },
  otherMenus: "If your phone does not have these menus",
  ofVersions: " (system {versions})",
  searchHint: "Or search the settings for APN.",
  exactly: "Type every value exactly as it stands here, without a blank behind it; capital letters count.",
  locked: "If there is no such menu, or nothing can be added, call {operator}: there are other ways.",
  dataLine: "With two SIMs choose the one of {operator}.",
  byHand: {
    open: "On your phone open Settings, then Connections or Mobile networks, then Access points.",
    restart: "Switch the phone off and on again.",
  },
  apple: {
    intro: "Your iPhone is set up by a profile: load it, then install it in Settings.",
    download: "Load the profile",
    otherBrowser: "Open this page in Safari: other browsers and applications only save the file.",
    otherPhone: "Open this page on the iPhone itself, in Safari.",
    install: [
      "Touch “Load the profile” in Safari, then Allow and Close.",
      "Open Settings and touch Profile Downloaded, near the top.",
      "Touch Install, give your passcode, and touch Install again.",
      "Do it within 8 minutes: a profile that waits longer is dropped.",
    ],
    installGeneral: [
      "Touch “Load the profile” in Safari, then Allow and Close.",
      "Open Settings, then General, then Profile, and touch Install.",
    ],
    installOld: ["Touch “Load the profile” in Safari, and Install on the screen that opens."],
    unsigned: "The profile is not signed: your iPhone shows “Not Signed”, and installs it all the same.",
    dataLine:
      "The profile holds for the line that is chosen for mobile data. With two lines choose that of {operator} first: Settings, Cellular, Cellular Data.",
    onlyOne:
      "An iPhone holds one profile with access points at a time. If there is one of another operator or of your company, remove it first.",
    noMms: "A profile cannot set picture messages (MMS): they come with the SIM.",
    mmsFields: "Where Settings, Cellular, Cellular Data Network shows fields for MMS, type these in:",
    remove: "To remove it: Settings, General, VPN & Device Management, {operator}, Remove Profile.",
    removal: "Load the profile that removes it",
    save: "It is saved by itself when you leave the menu.",
    refused: "On a phone that a company manages, or in Lockdown Mode, no profile can be installed.",
  },
};

const GERMAN: SheetTexts = {
  ready: "Die Einstellungen für Ihr Telefon liegen bereit.",
  show: "Meine Einstellungen zeigen",
  expiredTitle: "Abgelaufen",
  expired:
    "Diese Seite ist abgelaufen. Bitten Sie Ihren Anbieter um einen neuen Link zu Ihren Einstellungen.",
  unknownTitle: "Hier ist nichts",
  unknown: [
    "Diese Adresse ist nicht bekannt. Öffnen Sie den Link in Ihrer SMS noch einmal, oder tippen Sie ihn genau so ab, wie er dort steht.",
    "Wenn das nicht hilft, rufen Sie Ihren Anbieter an.",
  ],
  waitTitle: "Bitte warten",
  wait: "Aus Ihrem Netz kamen zu viele falsche Adressen. Warten Sie {seconds} Sekunden und öffnen Sie den Link in Ihrer SMS noch einmal.",
  title: "Einstellungen von {operator}",
  forPhone: "Für Ihr Telefon: {phone}.",
  uses: {
    internet: "Internet",
    mms: "Bildnachrichten (MMS)",
    wap: "WAP",
    maker: "Dienste des Herstellers",
  },
  usesTogether: "{first} und {second}",
  values: {
    name: "Name",
    apn: "APN",
    proxy: "Proxy",
    port: "Port",
    user: "Nutzername",
    password: "Passwort",
    mmsc: "MMSC",
    mmsProxy: "MMS-Proxy",
    mmsPort: "MMS-Port",
    auth: "Authentifizierungstyp",
    type: "APN-Typ",
    protocol: "APN-Protokoll",
    homepage: "Startseite",
  },
  copy: "Kopieren",
  copied: "Kopiert",
  type: {
    open: "Öffnen Sie auf Ihrem Telefon:",
    add: "Tippen Sie auf „{add}“.",
    fill: "Tragen Sie {use} ein. Alles andere bleibt, wie es ist:",
    save: "Speichern Sie (drei Punkte, dann Speichern), und tippen Sie auf den neuen Eintrag, damit er gewählt ist.",
  },
  otherMenus: "Falls Ihr Telefon diese Menüs nicht hat",
  ofVersions: " (System {versions})",
  searchHint: "Oder suchen Sie in den Einstellungen nach APN.",
  exactly:
    "Tippen Sie jeden Wert genau so, wie er hier steht, ohne Leerzeichen dahinter; Groß- und Kleinschreibung zählt.",
  locked:
    "Wenn es kein solches Menü gibt oder sich nichts hinzufügen lässt, rufen Sie {operator} an: Es gibt andere Wege.",
  dataLine: "Mit zwei SIM-Karten wählen Sie die von {operator}.",
  byHand: {
    open: "Öffnen Sie auf Ihrem Telefon Einstellungen, dann Verbindungen oder Mobile Netzwerke, dann Zugangspunkte.",
    restart: "Schalten Sie das Telefon aus und wieder ein.",
  },
  apple: {
    intro:
      "Ihr iPhone wird durch ein Profil eingerichtet: Laden Sie es, und installieren Sie es dann in den Einstellungen.",
    download: "Profil laden",
    otherBrowser: "Öffnen Sie diese Seite in Safari: Andere Browser und Apps speichern die Datei nur.",
    otherPhone: "Öffnen Sie diese Seite auf dem iPhone selbst, in Safari.",
    install: [
      "Tippen Sie in Safari auf „Profil laden“, dann auf Zulassen und Schließen.",
      "Öffnen Sie Einstellungen, und tippen Sie weit oben auf Profil geladen.",
      "Tippen Sie auf Installieren, geben Sie Ihren Code ein, und tippen Sie noch einmal auf Installieren.",
      "Tun Sie das binnen 8 Minuten: Ein Profil, das länger wartet, wird verworfen.",
    ],
    installGeneral: [
      "Tippen Sie in Safari auf „Profil laden“, dann auf Zulassen und Schließen.",
      "Öffnen Sie Einstellungen, dann Allgemein, dann Profil, und tippen Sie auf Installieren.",
    ],
    installOld: [
      "Tippen Sie in Safari auf „Profil laden“, und auf dem Bildschirm, der sich öffnet, auf Installieren.",
    ],
    unsigned: "Das Profil ist nicht signiert: Ihr iPhone zeigt „Nicht signiert“ und installiert es trotzdem.",
    dataLine:
      "Das Profil gilt für die Leitung, die für mobile Daten gewählt ist. Mit zwei Leitungen wählen Sie zuerst die von {operator}: Einstellungen, Mobilfunk, Mobile Daten.",
    onlyOne:
      "Ein iPhone hält jeweils ein Profil mit Zugangspunkten. Ist dort eines eines anderen Anbieters oder Ihrer Firma, entfernen Sie es zuerst.",
    noMms: "Bildnachrichten (MMS) kann ein Profil nicht einstellen: Sie kommen mit der SIM-Karte.",
    mmsFields:
      "Wo Einstellungen, Mobilfunk, Mobiles Datennetzwerk Felder für MMS zeigt, tippen Sie diese ein:",
    remove:
      "So entfernen Sie es: Einstellungen, Allgemein, VPN und Geräteverwaltung, {operator}, Profil entfernen.",
    removal: "Das Profil laden, das es entfernt",
    save: "Gespeichert wird von selbst, wenn Sie das Menü verlassen.",
    refused:
      "Auf einem Telefon, das eine Firma verwaltet, oder im Blockierungsmodus lässt sich kein Profil installieren.",
  },
};

const BY_LANGUAGE: Readonly<Record<string, SheetTexts>> = { en: ENGLISH, de: GERMAN };

/** `de-AT` finds `de`; what nobody wrote yet is English. */
export function sheetTextsIn(language: string): { readonly language: string; readonly texts: SheetTexts } {
  const known = language.toLowerCase().split("-")[0] ?? "en";
  const texts = Object.hasOwn(BY_LANGUAGE, known) ? BY_LANGUAGE[known] : undefined;
  return texts ? { language: known, texts } : { language: "en", texts: ENGLISH };
}
