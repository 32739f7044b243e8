/**
 * The dialog with a subscriber, step by step (US 6,647,260 columns 4 to 6 and Fig. 2), free of any markup: who looks, and
 * what all screens have in common. Each screen is a pure function of what is known; state between screens stands in
 * addresses alone, so a device without cookies or script goes the whole way.
 *
 *   start -> list -> item                    catalog-screens.ts
 *   item -> form -> request                  order-screen.ts: one POST with data and selection
 *   request -> status -> terms | missing fields | failed installation | done     request-screens.ts
 *   what is had -> removal                   held-screens.ts
 *   help, problems; the way in by SMS        help-screens.ts, sign-in-screens.ts
 */
import type { Action, Screen } from "../../wire/screen/screen.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import type { Catalog, LackOf } from "../catalog/expand.ts";
import { localized } from "../catalog/localized.ts";
import { FINAL_ORDER_STATES } from "../order/order.ts";
import type { RequestStatus } from "../order/request.ts";
import type { DialogTexts } from "./dialog-texts.ts";
import { textsIn } from "./texts.ts";

/** A request that has come this far needs nothing more of anybody. */
export const ENDED: readonly string[] = FINAL_ORDER_STATES;
/** A paragraph of a screen holds this much; longer terms are cut at sentences. */
export const PARAGRAPH_CHARACTERS = 1_500;
const TITLE_CHARACTERS = 60;

export type PortalView = {
  readonly operatorName: string;
  readonly language: string;
  readonly catalog: Catalog;
  /** What the subscriber has; empty for somebody unknown. */
  readonly has: readonly {
    readonly itemId: string;
    readonly name: string;
    /** On the device in hand, as is what is on no known one; false where it is on another one. */
    readonly isHere?: boolean;
    /** A newer version is on offer, which would replace it. */
    readonly isOutdated?: boolean;
  }[];
  readonly requests: readonly RequestStatus[];
  /** What the device in hand is known to be without, of what an item needs; of everything nothing where nobody knows the device. */
  readonly lackOf: LackOf;
  /** IANA name of the zone by whose clock moments are told. */
  readonly timeZone: string;
  /** Somebody is known to stand behind this session. */
  readonly isKnown: boolean;
  /** What people call the server at this origin. */
  readonly serverName: (origin: string) => string;
  /** Where this visitor can go on at that server; null where their screen leads to none of it. */
  readonly serverUrl: (origin: string) => string | null;
  /** Requests of this visitor are handed over to that server from here. */
  readonly isForwarded: (origin: string) => boolean;
  readonly care: { readonly phone: string | null; readonly url: string | null };
  /** An address of this server with the session's state in it; absolute ones of other servers are left alone. */
  readonly at: (path: string) => string;
};

export type Step = PortalView & { readonly texts: DialogTexts };
export const step = (view: PortalView): Step => ({ ...view, texts: textsIn(view.language) });

export const short = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
export const nameOf = ({ name, id }: CatalogItem, language: string): string =>
  localized(name, language) || id;

export function screen(
  { language, texts, at }: Step,
  id: string,
  title: string,
  rest: Partial<Omit<Screen, "id" | "title" | "lang">>,
): Screen {
  const actions: Action[] = [...(rest.actions ?? [])];
  if (id !== "start") actions.push({ role: "home", label: texts.home, href: at("/d/start") });
  if (id !== "help") actions.push({ role: "help", label: texts.help, href: at("/d/help") });
  return {
    text: [],
    entries: [],
    ...rest,
    id,
    title: short(title, TITLE_CHARACTERS),
    lang: language,
    actions,
  };
}
