/**
 * A screen between our own parties, as JSON: `application/vnd.turnup.screen+json`. What a device gets, it reads with the
 * same strictness as a server reads a device: no unknown member, every limit of `SCREEN_LIMITS`.
 */
import { DecodeError } from "../decode-error.ts";
import {
  boolean,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Read,
  ShapeError,
  text,
} from "../message/shape.ts";
import { ACTION_ROLES, checkScreen, FIELD_KINDS, SCREEN_LIMITS, type Screen, ScreenError } from "./screen.ts";

/** Media type of a screen in JSON. */
export const SCREEN_JSON_TYPE = "application/vnd.turnup.screen+json";

/** Of a whole screen between our own parties. */
export const SCREEN_OCTETS_MAX = 262_144;

const anyText = text({ min: 0, max: SCREEN_LIMITS.paragraph });
const number = integer({ min: 0, max: SCREEN_LIMITS.refreshSeconds });

/** Names are judged by `checkScreen`; here only that it is an object of texts. */
const record: Read<Readonly<Record<string, string>>> = (value, path) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ShapeError(path, "an object is wanted");
  }
  const entries = Object.entries(value);
  if (entries.length > SCREEN_LIMITS.hidden) {
    throw new ShapeError(path, `at most ${SCREEN_LIMITS.hidden} members are wanted`);
  }
  return Object.fromEntries(
    entries.map(([name, one]) => [name, anyText(one, `${path}.${name.slice(0, 40)}`)]),
  );
};

const field = object({
  name: anyText,
  label: anyText,
  kind: oneOf(FIELD_KINDS),
  required: boolean,
  minLength: optional(number),
  maxLength: optional(number),
  value: optional(anyText),
  choices: optional(list(object({ value: anyText, label: anyText }), { max: SCREEN_LIMITS.choices })),
  note: optional(anyText),
});
const screen = object({
  id: anyText,
  title: anyText,
  lang: anyText,
  text: list(anyText, { max: SCREEN_LIMITS.paragraphs }),
  entries: list(object({ label: anyText, note: optional(anyText), href: anyText, lead: optional(boolean) }), {
    max: SCREEN_LIMITS.entries,
  }),
  form: optional(
    object({
      action: anyText,
      submit: anyText,
      fields: list(field, { max: SCREEN_LIMITS.fields }),
      hidden: record,
    }),
  ),
  actions: list(
    object({
      role: oneOf(ACTION_ROLES),
      label: anyText,
      href: anyText,
      method: optional(oneOf(["get", "post"])),
      hidden: optional(record),
    }),
    { max: SCREEN_LIMITS.actions },
  ),
  refreshSeconds: optional(number),
});

/** @throws ScreenError: a broken limit */
export const encodeScreenJson = (one: Screen): string => JSON.stringify(checkScreen(one));

/** @throws DecodeError: too long, not UTF-8, no JSON; ScreenError: of another shape, or a broken limit */
export function decodeScreenJson(bytes: Uint8Array): Screen {
  if (bytes.length > SCREEN_OCTETS_MAX) {
    throw new DecodeError(`a screen of more than ${SCREEN_OCTETS_MAX} octets`, SCREEN_OCTETS_MAX);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new DecodeError("no JSON in UTF-8", 0); // neither says where, on every engine
  }
  try {
    return checkScreen(screen(value, ""));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new ScreenError(error.path, error.message.slice(error.message.indexOf(": ") + 2));
  }
}
