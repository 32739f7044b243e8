/** A date as people and systems write it, as RFC 3339 `full-date`. */
import { isCalendarDay } from "../../term/calendar.ts";

/** Which of day, month and year comes first where the writing does not say it. */
export const DATE_ORDERS = ["dmy", "mdy", "ymd"] as const;

export type DateOrder = (typeof DATE_ORDERS)[number];

/** `ambiguous`: day and month could be either, and nobody said which comes first. */
type DateRead = { readonly date: string } | { readonly fault: "malformed" | "impossible" | "ambiguous" };

const MONTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "jan feb mar apr may jun jul aug sep oct nov dec " +
    "januar februar maerz april mai juni juli august september oktober november dezember"
  )
    .split(" ")
    .map((name, at) => [name, (at % 12) + 1]),
);

/**
 * `1990-02-01`, `19900201`, `1.2.1990`, `01/02/1990`, `1 Feb 1990`, a time of day behind it left out. Dots have the day first;
 * slashes and dashes are read by `order`, and without one only where no more than one reading is a date.
 */
export function readDate(text: string, order?: DateOrder): DateRead {
  const plain = text.trim().replace(/[T ]\d{2}:\d{2}.*$/, "");
  const ymd =
    /^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})$/.exec(plain) ?? /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(plain);
  if (ymd) return dateOf(ymd[1], ymd[2], ymd[3]);
  const named = /^(\d{1,2})[. -]+(\p{L}{3,9})[., -]+(\d{4})$/u.exec(plain);
  if (named) return dateOf(named[3], String(monthNamed(named[2] ?? "")), named[1]);
  const [, first, mark, second, year] = /^(\d{1,2})([-/. ])\s*(\d{1,2})\2\s*(\d{4})$/.exec(plain) ?? [];
  if (first === undefined || second === undefined) return { fault: "malformed" };
  if (mark === "." || order === "dmy") return dateOf(year, second, first);
  if (order === "mdy") return dateOf(year, first, second);
  const [asDay, asMonth] = [dateOf(year, second, first), dateOf(year, first, second)];
  if ("date" in asDay && "date" in asMonth && asDay.date !== asMonth.date) return { fault: "ambiguous" };
  return "date" in asDay ? asDay : asMonth;
}

const monthNamed = (name: string): number => {
  const plain = name.toLowerCase().replace("ä", "ae");
  return MONTHS[plain] ?? MONTHS[plain.slice(0, 3)] ?? 0;
};

function dateOf(year = "", month = "", day = ""): DateRead {
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  return isCalendarDay(date) ? { date } : { fault: "impossible" };
}
