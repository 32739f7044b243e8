/** The few words that renderers and the keypad add to a screen. A screen brings all others in its own language. */
export type ScreenWords = {
  readonly more: string;
  readonly back: string;
  readonly select: string;
  readonly edit: string;
  readonly done: string;
  readonly clear: string;
  readonly menu: string;
  readonly yes: string;
  readonly no: string;
  readonly optional: string;
  /** Said of a required field without a value. */
  readonly missing: string;
  readonly tooShort: string;
  readonly malformed: string;
};

/** Used where a screen's language has no words here. */
export const ENGLISH: ScreenWords = {
  more: "More",
  back: "Back",
  select: "Select",
  edit: "Edit",
  done: "OK",
  clear: "Clear",
  menu: "Menu",
  yes: "Yes",
  no: "No",
  optional: "optional",
  missing: "needed",
  tooShort: "too short",
  malformed: "not valid",
};
