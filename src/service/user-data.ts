/**
 * What a service needs to know of a user: which of it came, which is missing, which is not good (US 6,647,260, figure 7C: 780).
 */
import { isCalendarDay } from "../term/calendar.ts";
import { attributeOfField, type Fields, type NeededDatum } from "../wire/message/scim.ts";

type FieldKind = "text" | "digits" | "phone" | "email" | "secret" | "date";
export type NeededField = { readonly name: string; readonly kind: FieldKind; readonly required: boolean };
export type UserData = {
  readonly userName: string;
  readonly msisdn: string;
  readonly language: string;
  readonly fields: Fields;
  /** Names of fields that came and were not good. */
  readonly corrupt: readonly string[];
  /** What the client said by SCIM's core attributes, to be shown as it came; missing of users from before it was kept. */
  readonly core?: CoreAttributes;
  /** False: not let in until the client says so. */
  readonly active?: boolean;
};
/** Attributes of SCIM's core, but for the names, the password and `active`. */
export type CoreAttributes = Readonly<Record<string, unknown>>;
/** What is said of a user at once; a field that one of the core attributes `replaces` gave before, and it does not say, is gone. */
type SaidData = Omit<UserData, "corrupt"> & { readonly replaces?: readonly string[] };

/** Just what is missing or corrupt (figure 7C, 780). */
export function needsOf(
  wanted: readonly NeededField[],
  { fields, corrupt, msisdn }: UserData,
): NeededDatum[] {
  const number: NeededDatum[] = isGood("phone", msisdn)
    ? []
    : [{ name: "msisdn", problem: msisdn === "" ? "missing" : "corrupt" }];
  return wanted.reduce<NeededDatum[]>((needs, { name, required }) => {
    if (corrupt.includes(name)) needs.push({ name, problem: "corrupt" });
    else if (required && !fields[name]) needs.push({ name, problem: "missing" });
    return needs;
  }, number);
}

/** Keeps what this service asks for and no more; what is not good is named and not kept. */
export function dataOf(
  wanted: readonly NeededField[],
  message: SaidData,
  known: UserData | undefined,
): UserData {
  const { replaces = [] } = message;
  const stays = (name: string) => !replaces.includes(attributeOfField(name)?.split(".")[0] ?? "");
  const fields: Record<string, string> = Object.fromEntries(
    Object.entries(known?.fields ?? {}).filter(([name]) => stays(name)),
  );
  const corrupt = new Set(known?.corrupt.filter(stays));
  for (const { name, kind } of wanted) {
    const value = message.fields[name]?.trim();
    if (!value) continue;
    corrupt.delete(name);
    if (isGood(kind, value)) fields[name] = value;
    else corrupt.add(name); // a good value that was there before stays
  }
  const { msisdn, language, userName, core, active } = message;
  return {
    ...{ userName, msisdn, language, fields, corrupt: [...corrupt] },
    ...(core === undefined ? {} : { core }),
    ...(active === undefined ? {} : { active }),
  };
}

/** Whether a password that somebody chose can be one. */
export const isGoodPassword = (password: string): boolean => isGood("secret", password);

const MAX_VALUE_CHARACTERS = 200;
const GOOD: Readonly<Record<FieldKind, RegExp>> = {
  text: /^\P{Cc}+$/u,
  digits: /^\d{1,32}$/,
  phone: /^\+?[1-9]\d{4,14}$/,
  email: /^[^\s@<>,;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/,
  secret: /^[\x21-\x7e]{8,128}$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
};
function isGood(kind: FieldKind, value: string): boolean {
  if (value.length > MAX_VALUE_CHARACTERS || !GOOD[kind].test(value)) return false;
  return kind !== "date" || isCalendarDay(value);
}
