/**
 * The page behind a link in a text message: what its phone needs, in the form that it takes. Each phone gets the markup that it
 * draws. The values come after the press of a button: what fetches links by itself must not count as a person who read them.
 */

import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { phoneSeen } from "../../kernel/payload/phone-seen.ts";
import type { SettingsPage } from "../../kernel/payload/settings-page.ts";
import { settingsSheet } from "../../kernel/payload/settings-sheet.ts";
import type { HttpDeps } from "../ports.ts";
import { type Answer, route } from "../route.ts";
import { DRAWN_TYPES, drawn, page, type Viewer, viewerOf } from "./answer.ts";
import { isProfilePlace } from "./profile-place.ts";
import { SHEET_POLICY, sheetHtml } from "./sheet-html.ts";
import { coverScreen, sheetScreen, toldScreen } from "./sheet-screen.ts";

/** 16 random octets in base64url. */
const LINK_TOKEN = /^[A-Za-z0-9_-]{20,64}$/;
/** The form has no fields; a phone's own additions fit. */
const FORM_OCTETS_MAX = 1_024;

/** Pages that say why nothing is shown, whatever was asked for. */
const UNOPENED = {
  404: { words: "There is nothing behind this link, as a page.", produces: DRAWN_TYPES },
  410: { words: "The link has expired, as a page.", produces: DRAWN_TYPES },
  429: { words: "Whoever guesses at links waits, as a page.", produces: DRAWN_TYPES },
} as const;

/** What all addresses behind a link have in common. */
export const BEHIND_LINK = {
  tag: "pages",
  roles: "open",
  errors: [],
  otherwise: UNOPENED,
  status: 200,
  params: { token: Type.String({ maxLength: 200 }) },
  tooMany: (seconds: number, request: FastifyRequest): Answer => {
    const viewer = viewerOf(request);
    const { texts, language } = viewer.texts;
    const text = [texts.wait.replace("{seconds}", String(seconds))];
    const answer = drawn(toldScreen({ id: "wait", title: texts.waitTitle, language, text }), 429, viewer);
    return { ...answer, status: 429, headers: { ...answer.headers, "retry-after": String(seconds) } };
  },
} as const;

const SHARED = {
  ...BEHIND_LINK,
  path: "/s/:token",
  produces: DRAWN_TYPES,
  query: { "turnup-page": Type.Optional(Type.String({ maxLength: 3 })) },
} as const;

export const settingsCover = route({
  ...SHARED,
  method: "GET",
  summary: "What stands behind a link: whose settings, and a button that shows them",
  description:
    "Its address is its credential. Fetching it proves nothing: message centres and phones look at links by themselves. " +
    "404 unknown, 410 expired, both as a page. WML, XHTML-MP, compact HTML and HDML for phones that ask for them.",
  async handle(deps, { params: { token }, request }): Promise<Answer<never>> {
    const viewer = viewerOf(request);
    // The further pages of a sheet are links on it, and open nothing by themselves.
    const isPart = viewer.part !== undefined;
    return shown(deps, viewer, await find(token, isPart ? deps.pages.turn : deps.pages.look));
  },
});

export const settingsPage = route({
  ...SHARED,
  method: "POST",
  summary: "The settings in the form that the phone takes, as the button asks for them",
  description:
    "Evidence that the settings were opened: only a person presses the button. An iPhone finds a configuration profile, an " +
    "Android phone its maker's menus, any other the values to type in. 404 unknown, 410 expired, both as a page.",
  consumes: ["application/x-www-form-urlencoded"],
  bodyLimitOctets: FORM_OCTETS_MAX,
  async handle(deps, { params: { token }, request }): Promise<Answer<never>> {
    const viewer = viewerOf(request);
    return shown(deps, viewer, await find(token, (one) => deps.pages.open(one, viewer.userAgent)));
  },
});

/** Undefined: no such link was ever sent. */
export const find = async <Found>(
  token: string,
  ask: (token: string) => Promise<Found | undefined>,
): Promise<Found | undefined> => (LINK_TOKEN.test(token) ? ask(token) : undefined);

function shown(deps: HttpDeps, viewer: Viewer, found: SettingsPage | undefined): Answer<never> {
  if (!found) return unknownPage(viewer);
  switch (found.state) {
    case "expired":
      return expiredPage(viewer, found.operatorName);
    case "ready":
      return drawn(coverScreen(found.operatorName, viewer.address, viewer.texts), 200, {
        ...viewer,
        part: undefined,
      });
    case "open":
      return sheetPage(deps, viewer, found);
  }
}

export function unknownPage(viewer: Viewer): Answer<never> {
  const { texts, language } = viewer.texts;
  const { unknownTitle: title, unknown: text } = texts;
  const answer = drawn(toldScreen({ id: "unknown", title, language, text }), 404, viewer);
  return { ...answer, status: 404 }; // whoever guesses is counted by it
}

export function expiredPage(viewer: Viewer, title: string): Answer<never> {
  const { texts, language } = viewer.texts;
  return drawn(toldScreen({ id: "expired", title, language, text: [texts.expired] }), 410, viewer);
}

function sheetPage(
  { requests, profileSigner }: HttpDeps,
  viewer: Viewer,
  found: Extract<SettingsPage, { readonly state: "open" }>,
): Answer<never> {
  const { texts, language } = viewer.texts;
  const sheet = settingsSheet(found, {
    seen: phoneSeen(viewer.userAgent),
    language,
    hasProfiles: isProfilePlace(requests.publicUrl()),
    isSigned: profileSigner?.() !== undefined,
  });
  const files = { profile: `${viewer.address}/profile`, removal: `${viewer.address}/removal` };
  if (viewer.markup !== "html") return drawn(sheetScreen(sheet, files), 200, viewer);
  return page(sheetHtml(sheet, texts, files), 200, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": SHEET_POLICY,
  });
}
