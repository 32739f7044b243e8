/** The PIN for the telephone, chosen or changed by whose it is (R69): a PIN that is there is asked for first. */
import type { Field, Screen } from "../../wire/screen/screen.ts";
import { PIN_DIGITS } from "../account/telephone-pin.ts";
import { fill, textsIn } from "./texts.ts";
import { type PortalView, screen, step } from "./view.ts";

export const PIN_PATH = "/d/pin";
/** Names of the form's fields. */
export const PIN_FIELD = { now: "pin_now", wanted: "pin_new", again: "pin_again" } as const;
type PinField = (typeof PIN_FIELD)[keyof typeof PIN_FIELD];

/** Nothing that was typed stands on it again. */
export function pinScreen(
  view: PortalView,
  {
    state,
    isSet,
    faults = {},
  }: {
    readonly state: string;
    readonly isSet: boolean;
    /** Codes by the names of fields. */
    readonly faults?: Partial<Readonly<Record<PinField, string>>>;
  },
): Screen {
  const here = step(view);
  const { texts, at } = here;
  const { pin } = texts;
  const field = (name: PinField, label: string, hint?: string): Field => {
    const fault = faults[name];
    const note = fault === undefined ? hint : (texts.faults[fault] ?? texts.faults.other);
    const { min: minLength, max: maxLength } = PIN_DIGITS;
    const shape = { kind: "secret", required: true, minLength, maxLength } as const;
    return { name, label, ...shape, ...(note === undefined ? {} : { note }) };
  };
  return screen(here, "pin", pin.title, {
    text: [
      ...(Object.keys(faults).length > 0 ? [texts.pleaseCheck] : []),
      isSet ? `${pin.why} ${pin.forgotten}` : pin.why,
    ],
    form: {
      action: at(PIN_PATH),
      submit: texts.send,
      fields: [
        ...(isSet ? [field(PIN_FIELD.now, pin.now)] : []),
        field(PIN_FIELD.wanted, pin.wanted, pin.form),
        field(PIN_FIELD.again, pin.again),
      ],
      hidden: { state },
    },
    actions: [{ role: "back", label: texts.back, href: at("/d/help") }],
  });
}

export function pinKeptScreen(view: PortalView): Screen {
  const here = step(view);
  return screen(here, "pin", here.texts.pin.title, { text: [here.texts.pin.kept] });
}

/** The SMS that tells the subscriber: whoever did not do it themselves has to know. */
export const pinKeptText = (language: string, operator: string): string =>
  fill(textsIn(language).pin.notice, { operator });
