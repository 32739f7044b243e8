/** Moments as subscribers read them: by the clock where their network is, with the clock's name beside it. */

/** English as most of the world reads it: the day first, 24 hours. */
const LOCALES: Readonly<Record<string, string>> = { de: "de-DE" };
const ENGLISH = "en-GB";

/** `30 November at 15:30 CET`; in a language that texts are not shipped in, in English. @param zone IANA name */
export function momentWords(at: Date, language: string, zone: string): string {
  return new Intl.DateTimeFormat(LOCALES[language.toLowerCase().split("-")[0] ?? ""] ?? ENGLISH, {
    ...{ day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    ...{ timeZone: zone, timeZoneName: "short" },
  }).format(at);
}
