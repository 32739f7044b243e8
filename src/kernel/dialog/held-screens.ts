/** What a subscriber has, and how they get rid of it. */
import type { Screen } from "../../wire/screen/screen.ts";
import { replaceableHere } from "./price-lines.ts";
import { fill } from "./texts.ts";
import { type PortalView, screen, short, step } from "./view.ts";

const HELD_SHOWN = 90;
/** R65: what somebody has can be changed any time. */
export function mineScreen(view: PortalView): Screen {
  const here = step(view);
  const { texts, at, has } = here;
  return screen(here, "mine", texts.myServices, {
    text: has.length > 0 ? [] : [texts.nothingYet],
    entries: has
      .slice(0, HELD_SHOWN)
      .map(({ itemId, name }) => ({ label: short(name, 100), href: at(`/d/mine/${itemId}`) })),
  });
}

export function removeScreen(view: PortalView, itemId: string, state: string): Screen | undefined {
  const here = step(view);
  const { texts, at, has } = here;
  const item = has.find((one) => one.itemId === itemId);
  if (!item) return undefined;
  const offered = here.catalog.get(itemId);
  const isReplaceable = offered?.available === true && replaceableHere(here).has(itemId);
  return screen(here, "remove", item.name, {
    entries: isReplaceable ? [{ label: texts.change, href: at(`/d/items/${itemId}/order`) }] : [],
    text: [fill(texts.removeSure, { item: item.name })],
    form: {
      action: at("/d/requests"),
      submit: texts.remove,
      fields: [],
      hidden: { selection: itemId, remove: "yes", state },
    },
    actions: [{ role: "back", label: texts.back, href: at("/d/mine") }],
  });
}
