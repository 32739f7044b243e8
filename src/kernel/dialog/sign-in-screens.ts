/** The way in for those whom neither a proxy nor a gateway vouches for: the SIM proves itself by an SMS. */
import type { Screen } from "../../wire/screen/screen.ts";
import { fill, textsIn } from "./texts.ts";
import { type PortalView, screen, step } from "./view.ts";

/**
 * For those whom neither a proxy nor a gateway vouches for: the SIM proves itself by an SMS.
 * @param to where to go afterwards, as far as the address tells
 */
export function signInScreen(
  view: PortalView,
  {
    state,
    to,
    wasWrong = false,
  }: { readonly state: string; readonly to: string | null; readonly wasWrong?: boolean },
): Screen {
  const here = step(view);
  const { texts, at } = here;
  return screen(here, "signin", texts.signIn, {
    text: [texts.signInWhy],
    form: {
      action: at("/d/sign-in"),
      submit: texts.send,
      fields: [
        {
          name: "msisdn",
          label: texts.phoneNumber,
          kind: "phone",
          required: true,
          maxLength: 25,
          note: wasWrong ? texts.phoneNumberWrong : texts.phoneNumberForm,
        },
      ],
      hidden: { state, ...(to === null ? {} : { to }) },
    },
  });
}

/** The same for a number that is known and one that is not: it tells nobody whose subscriber somebody is. */
export function codeScreen(
  view: PortalView,
  {
    state,
    way,
    to,
    wasWrong = false,
  }: {
    readonly state: string;
    /** Names the SMS that the code came by. */
    readonly way: string;
    readonly to: string | null;
    readonly wasWrong?: boolean;
  },
): Screen {
  const here = step(view);
  const { texts, at } = here;
  return screen(here, "code", texts.signIn, {
    text: [wasWrong ? texts.codeWrong : texts.linkSent],
    form: {
      action: at("/d/code"),
      submit: texts.send,
      fields: [
        { name: "code", label: texts.code, kind: "digits", required: true, minLength: 6, maxLength: 6 },
      ],
      hidden: { state, way, ...(to === null ? {} : { to }) },
    },
    actions: [{ role: "back", label: texts.back, href: at("/d/sign-in") }],
  });
}

/** What the SMS says that lets its reader in. */
export const signInText = (
  language: string,
  values: { readonly operator: string; readonly code: string; readonly link: string },
): string => fill(textsIn(language).signInLink, values);

/** Behind a link in an SMS. Looking must not spend it: programs look at links before people do. */
export function linkScreen(view: PortalView, path: string, state: string): Screen {
  const here = step(view);
  const { texts, at } = here;
  return screen(here, "link", view.operatorName, {
    text: [texts.linkReady],
    actions: [{ role: "accept", label: texts.goOn, href: at(path), method: "post", hidden: { state } }],
  });
}
