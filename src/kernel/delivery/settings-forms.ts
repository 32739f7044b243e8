/**
 * The forms in which settings go over the air (R30, R31): each composed and held against the bearer, none sent. Where a form is
 * more than the bearer carries it has a smaller one of its own (a message a use, a short text), and the model may take another.
 */
import type { LinkPushForm, PageForm, SettingsProtocol } from "../devices/settings-form.ts";
import type { Air } from "../operator/air.ts";
import {
  type Authentication,
  composeNokia,
  composeNokiaBookmark,
  composeOmaCp,
  composeSi,
  composeSl,
  composeText,
  type LinkToPush,
} from "../payload/compose.ts";
import type { SettingsValues } from "../payload/settings-values.ts";
import { fits } from "./fit.ts";

/** The protocol that the data names for a model, and the others that it takes, in the order in which they are tried. */
export type SettingsRoad = {
  readonly protocol: SettingsProtocol;
  readonly otherProtocols?: readonly SettingsProtocol[] | undefined;
  readonly linkPush?: LinkPushForm | undefined;
  /** What stands behind a link to the model; undefined: values to type in. */
  readonly pageForm?: PageForm | undefined;
};

export type SettingsForm = {
  readonly protocol: "omacp" | "nokiaota" | "text" | "si" | "sl";
  readonly sec: "netwpin" | "userpin" | null;
  /** Messages, in their order. */
  readonly messages: readonly Uint8Array[];
  /** Why it goes as it does. */
  readonly rule: string;
};
/** The octets of the smallest message that did not fit. */
export type TooLarge = { readonly octets: number };

/** Nothing is asked for: what is pushed to a handset goes by short messages, whatever else its bearer has. */
export const PUSHED = "what is pushed goes narrowband";

/** Whole; where the bearer does not hold that, a message a use, under one PIN where there is one. */
export function omaCpForm(
  values: SettingsValues,
  authentication: Authentication,
  air: Air,
): SettingsForm | TooLarge {
  const whole = composeOmaCp(values, authentication);
  const isWhole = fits("omacp", whole, air);
  const messages = isWhole ? [whole] : oneByOne(values).map((one) => composeOmaCp(one, authentication));
  const tooLarge = messages.find((bytes) => !fits("omacp", bytes, air));
  if (tooLarge || messages.length === 0) return { octets: tooLarge?.length ?? whole.length };
  const rule = isWhole ? PUSHED : `${whole.length} octets are too many for ${air.bearer}: a message a use`;
  return { protocol: "omacp", sec: authentication.sec, messages, rule };
}

function oneByOne(values: SettingsValues): SettingsValues[] {
  const { wireless = [], ...plain } = values;
  return [
    ...plain.points.map((point) => ({ ...plain, points: [point] })),
    ...wireless.map((network) => ({ ...plain, points: [], wireless: [network] })),
  ];
}

/** A message a use; undefined where the format holds none of the settings. */
export function nokiaForm(values: SettingsValues, air: Air): SettingsForm | TooLarge | undefined {
  const messages = composeNokia(values);
  if (messages.length === 0) return undefined;
  const tooLarge = messages.find((bytes) => !fits("nokiaota", bytes, air));
  if (tooLarge) return { octets: tooLarge.length };
  return { protocol: "nokiaota", sec: null, messages, rule: PUSHED };
}

const PUSHES = {
  si: { protocol: "si", compose: composeSi, words: "Service Indication" },
  sl: { protocol: "sl", compose: composeSl, words: "Service Loading" },
  bookmark: { protocol: "nokiaota", compose: composeNokiaBookmark, words: "bookmark" },
} as const;

/** A link by the push that the data says the model takes; undefined where the bearer does not hold it. */
export function linkPushForm(by: LinkPushForm, link: LinkToPush, air: Air): SettingsForm | undefined {
  const { protocol, compose, words } = PUSHES[by];
  const bytes = compose(link);
  if (!fits(protocol, bytes, air)) return undefined;
  return { protocol, sec: null, messages: [bytes], rule: `a link by ${words}, which the model takes` };
}

const LINKED = "a text with a link";

/** The operator's text; where the bearer does not hold that, its name and the link, or the link alone. */
export function linkForm(
  text: string,
  { link, operator }: { readonly link: string; readonly operator: string },
  air: Air,
): SettingsForm | TooLarge {
  const whole = composeText(text);
  const all = [whole, ...[`${operator}: ${link}`, link].map(composeText)];
  const bytes = all.find((one) => fits("text", one, air));
  if (!bytes) return { octets: Math.min(...all.map((one) => one.length)) };
  const rule =
    bytes === whole
      ? LINKED
      : `${LINKED}, in its short form: ${whole.length} octets are too many for ${air.bearer}`;
  return { protocol: "text", sec: null, messages: [bytes], rule };
}

/** A text beside settings: whole, or what counts of it where the bearer does not hold that. */
export function shortEnough(text: string, short: string, air: Air): Uint8Array {
  const whole = composeText(text);
  return fits("text", whole, air) ? whole : composeText(short);
}
