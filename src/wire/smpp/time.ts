/**
 * SMPP's 16-character times, SMPP v3.4 §7.1.1.
 *
 *   absolute  YYMMDDhhmmsstnnp   t tenths of a second, nn quarter hours from UTC, p `+` or `-`
 *   relative  YYMMDDhhmmss000R   counted from when the SMSC gets the message
 */
import { DecodeError } from "../decode-error.ts";
import { unfit } from "./octets.ts";

/** An instant (milliseconds since 1970, and how it was written), or a span from when the SMSC gets the message. */
export type SmppTime =
  | { readonly kind: "absolute"; readonly atMs: number; readonly utcOffsetQuarters: number }
  | {
      readonly kind: "relative";
      readonly years: number;
      readonly months: number;
      readonly days: number;
      readonly hours: number;
      readonly minutes: number;
      readonly seconds: number;
    };

const SHAPE = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])$/;
const QUARTER_MS = 15 * 60_000;
/** 12 hours either way (§7.1.1.1: nn is 00 to 48). */
const MAX_QUARTERS = 48;
const DAY_S = 86_400;
/** A relative time's days go to 31; months have no fixed length, so none is written. */
const MAX_RELATIVE_S = 31 * DAY_S + DAY_S - 1;
const FIRST_YEAR = 2000;

/** @throws DecodeError no such time, with the character that is wrong or 0 */
export function parseTime(text: string): SmppTime {
  const match = SHAPE.exec(text);
  if (!match) throw new DecodeError("a time is YYMMDDhhmmsstnn and + - or R", 0);
  // Eight groups of digits, as the shape has them.
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0, tenths = 0, quarters = 0] =
    match.slice(1, 9).map(Number);
  if (hours > 23) throw new DecodeError(`no hour ${hours}`, 6);
  if (minutes > 59) throw new DecodeError(`no minute ${minutes}`, 8);
  if (seconds > 59) throw new DecodeError(`no second ${seconds}`, 10);
  if (match[9] === "R") {
    if (tenths !== 0 || quarters !== 0) throw new DecodeError("a relative time ends with 000R", 12);
    return { kind: "relative", years, months, days, hours, minutes, seconds };
  }
  if (quarters > MAX_QUARTERS) throw new DecodeError(`${quarters} quarter hours from UTC`, 13);
  const local = Date.UTC(FIRST_YEAR + years, months - 1, days, hours, minutes, seconds, tenths * 100);
  const back = new Date(local);
  if (back.getUTCMonth() + 1 !== months) throw new DecodeError(`no month ${months} with day ${days}`, 2);
  if (back.getUTCDate() !== days) throw new DecodeError(`no day ${days} in month ${months}`, 4);
  const utcOffsetQuarters = match[9] === "-" && quarters > 0 ? -quarters : quarters;
  return { kind: "absolute", atMs: local - utcOffsetQuarters * QUARTER_MS, utcOffsetQuarters };
}

/**
 * A value's text, the mirror of parseTime. Absolute times are cut to tenths of a second.
 * @throws TurnupError `smpp_field_invalid`: an instant before 2000, after 2099 or more than 12 hours from UTC
 */
export function formatTime(time: SmppTime): string {
  if (time.kind === "absolute") return formatAbsoluteTime(time.atMs, time.utcOffsetQuarters);
  const { years, months, days, hours, minutes, seconds } = time;
  return `${[years, months, days, hours, minutes, seconds].map(two).join("")}000R`;
}

/** @throws TurnupError `smpp_field_invalid`: before 2000, after 2099 or more than 12 hours from UTC */
export function formatAbsoluteTime(atMs: number, utcOffsetQuarters = 0): string {
  const local = new Date(atMs + utcOffsetQuarters * QUARTER_MS);
  const year = local.getUTCFullYear() - FIRST_YEAR;
  if (!(year >= 0 && year <= 99)) throw unfit("time", "the year is not 2000 to 2099");
  if (!Number.isInteger(utcOffsetQuarters) || Math.abs(utcOffsetQuarters) > MAX_QUARTERS) {
    throw unfit("time", `${utcOffsetQuarters} quarter hours from UTC`);
  }
  const parts = [
    year,
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  ];
  const tenths = Math.floor(local.getUTCMilliseconds() / 100);
  return `${parts.map(two).join("")}${tenths}${two(Math.abs(utcOffsetQuarters))}${utcOffsetQuarters < 0 ? "-" : "+"}`;
}

/** @throws TurnupError `smpp_field_invalid`: negative or not below 32 days; give an absolute time instead */
export function formatRelativeTime(durationMs: number): string {
  const total = Math.floor(durationMs / 1000);
  if (!(total >= 0 && total <= MAX_RELATIVE_S))
    throw unfit("time", `${durationMs} ms from now, below 32 days fit`);
  return formatTime({
    kind: "relative",
    years: 0,
    months: 0,
    days: Math.floor(total / DAY_S),
    hours: Math.floor(total / 3600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60,
  });
}

/** The moment that a time means for a message taken at `nowMs`; years and months by the calendar, in UTC. */
export function momentOf(time: SmppTime, nowMs: number): number {
  if (time.kind === "absolute") return time.atMs;
  const now = new Date(nowMs);
  return Date.UTC(
    now.getUTCFullYear() + time.years,
    now.getUTCMonth() + time.months,
    now.getUTCDate() + time.days,
    now.getUTCHours() + time.hours,
    now.getUTCMinutes() + time.minutes,
    now.getUTCSeconds() + time.seconds,
    now.getUTCMilliseconds(),
  );
}

const two = (value: number): string => String(value).padStart(2, "0");
