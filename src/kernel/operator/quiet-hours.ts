/**
 * When what nobody asked for may go out: never in an operator's quiet hours, by the clock where the subscriber's network is.
 * What was asked for (terms, notices, access data) goes at any time.
 */
import { minutesAfter } from "../../term/moment.ts";

export type QuietHours = {
  /** `HH:MM` by the local clock; from 21:00 to 08:00 is a night. */
  readonly from: string;
  readonly to: string;
  /** IANA name of the operator's time zone. */
  readonly timeZone: string;
  /** Of subscribers whose home network is elsewhere, by MCC. */
  readonly timeZones: Readonly<Record<string, string>>;
};

const DAY_MINUTES = 1_440;
const MCC_DIGITS = 3;
/** A change of the clock moves the end by an hour or two at most; each round looks at the local clock anew. */
const ROUNDS_MAX = 8;

/** The end of the quiet hours that `now` lies in; null where none are, or it lies in none. */
export function quietUntil(quiet: QuietHours | null, homePlmn: string | null, now: Date): Date | null {
  if (quiet === null) return null;
  const zone = zoneOf(quiet, homePlmn);
  let at = now;
  for (let round = 0; round < ROUNDS_MAX && isQuiet(quiet, zone, at); round++)
    at = nextAt(quiet.to, zone, at);
  return at <= now ? null : at;
}

/** When quiet hours begin next: nothing unasked may be on its way then. Null where there are none. */
export function quietFrom(quiet: QuietHours | null, homePlmn: string | null, now: Date): Date | null {
  if (quiet === null) return null;
  return nextAt(quiet.from, zoneOf(quiet, homePlmn), now);
}

/** Whether a name is one of the IANA database. */
export function isTimeZone(name: string): boolean {
  try {
    return clockOf(name) !== undefined;
  } catch {
    return false;
  }
}

function isQuiet({ from, to }: QuietHours, zone: string, at: Date): boolean {
  const [first, last, now] = [minuteOf(from), minuteOf(to), localMinute(zone, at)];
  return first <= last ? now >= first && now < last : now >= first || now < last;
}

/**
 * When the local clock shows this time next, at the latest a day later by that clock. Where the clock changes meanwhile the count
 * of minutes is off by as much as it changed; a time that is not there that day is met as much later.
 */
function nextAt(time: string, zone: string, at: Date): Date {
  const wanted = minuteOf(time);
  const minutes = ((wanted - localMinute(zone, at) + DAY_MINUTES - 1) % DAY_MINUTES) + 1;
  const counted = minutesAfter(wholeMinute(at), minutes);
  const off = ((localMinute(zone, counted) - wanted + 1.5 * DAY_MINUTES) % DAY_MINUTES) - DAY_MINUTES / 2;
  const mended = minutesAfter(counted, -off);
  return mended > at && localMinute(zone, mended) === wanted ? mended : counted;
}

/** By which clock a subscriber lives; UTC where the operator named none. */
export const localZone = (quiet: QuietHours | null, homePlmn: string | null): string =>
  quiet === null ? "UTC" : zoneOf(quiet, homePlmn);

const zoneOf = ({ timeZone, timeZones }: QuietHours, homePlmn: string | null): string =>
  timeZones[homePlmn?.slice(0, MCC_DIGITS) ?? ""] ?? timeZone;

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

const wholeMinute = (at: Date): Date => new Date(Math.floor(at.getTime() / 60_000) * 60_000);

/** Made once a zone: it costs more than all its uses of a day. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  clocks.set(zone, clock);
  return clock;
}

const localMinute = (zone: string, at: Date): number => minuteOf(clockOf(zone).format(at));
