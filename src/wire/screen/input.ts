/** What a kind of field asks of a phone's keypad: WML's format codes, which `-wap-input-format` has too, and lengths. */
import { type Field, type FieldKind, FLAG_SET, SCREEN_LIMITS } from "./screen.ts";

/** Source: WAP-238-WML §11.6.3. A literal stands behind a backslash. Undefined: anything. */
const FORMATS: Readonly<Partial<Record<FieldKind, string>>> = {
  digits: "*N",
  date: "NNNN\\-NN\\-NN",
  email: "*m",
};
const DATE_LENGTH = 10;

/** The format code of a kind of field (WAP-238-WML §11.6.3); undefined where anything may be typed. */
export const wapFormatOf = ({ kind }: Field): string | undefined => FORMATS[kind];

/** Most characters that the keypad takes; undefined where the field has no limit of its own. */
export const maxLengthOf = ({ kind, maxLength }: Field): number | undefined =>
  kind === "date" ? DATE_LENGTH : maxLength;

/** What a form sends for a field before anybody touched it. */
export const initialValueOf = (field: Field): string => field.value ?? "";

/** What is wrong with an entry before it is sent. */
export type FieldFault = "missing" | "tooShort" | "tooLong" | "malformed";

/** What is wrong with a value before it is sent, or undefined. The server judges again. */
export function faultOf(field: Field, value: string): FieldFault | undefined {
  if (value === "") return field.required ? "missing" : undefined;
  if (value.length < (field.minLength ?? 0)) return "tooShort";
  if (value.length > (maxLengthOf(field) ?? SCREEN_LIMITS.value)) return "tooLong";
  return isOfKind(field, value) ? undefined : "malformed";
}

function isOfKind({ kind, choices }: Field, value: string): boolean {
  switch (kind) {
    case "digits":
      return /^\d+$/.test(value);
    case "phone":
      return /^\+?[\d ()./-]+$/.test(value) && /\d{3}/.test(value.replace(/\D/g, ""));
    case "email":
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value);
    case "date":
      return isDate(value);
    case "choice":
      return choices?.some((choice) => choice.value === value) ?? false;
    case "flag":
      return value === FLAG_SET; // `no`, `false` and `off` are no yes
    case "text":
    case "secret":
      return true;
  }
}

function isDate(value: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(value) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1000 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** What a person typed, as a form means it: a date of eight digits (keypads without a hyphen) gets its hyphens. */
export function normalValueOf({ kind }: Field, typed: string): string {
  const value = typed.trim();
  const digits = kind === "date" ? /^(\d{4})(\d{2})(\d{2})$/.exec(value) : null;
  return digits ? digits.slice(1).join("-") : value;
}
