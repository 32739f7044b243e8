/** The configuration profile of a link, for iPhones and iPads, and the one that takes it away again. */
import type { FastifyRequest } from "fastify";
import { phoneSeen, profileFormFor } from "../../../kernel/payload/phone-seen.ts";
import { APPLE_PROFILE_TYPE } from "../../../wire/apple/profile.ts";
import type { HttpDeps } from "../../ports.ts";
import { type Answer, route } from "../../route.ts";
import { page, viewerOf } from "../answer.ts";
import { isProfilePlace } from "../profile-place.ts";
import { BEHIND_LINK, expiredPage, find, unknownPage } from "../token.ts";

const SHARED = {
  ...BEHIND_LINK,
  method: "GET",
  produces: [APPLE_PROFILE_TYPE],
  otherwise: {
    ...BEHIND_LINK.otherwise,
    303: { words: "To the page whose button was not pressed yet." },
  },
} as const;
const ABOUT =
  "Signed (CMS) where `apple.certificate_file` is set. 303 to the page whose button was not pressed yet, 404 where there is none, 410 expired.";

export const settingsProfile = route({
  ...SHARED,
  path: "/s/:token/profile",
  summary: "The settings as a configuration profile for iPhones",
  description: `Its first download is told in the order's history: that it was downloaded, and nothing more. ${ABOUT}`,
  handle: (deps, { params: { token }, request }) => profile(deps, { token, isRemoval: false }, request),
});

export const settingsRemoval = route({
  ...SHARED,
  path: "/s/:token/removal",
  summary: "A profile that takes the place of the first one, and takes itself away a minute later",
  description: ABOUT,
  handle: (deps, { params: { token }, request }) => profile(deps, { token, isRemoval: true }, request),
});

async function profile(
  { pages, requests, profileSigner }: HttpDeps,
  { token, isRemoval }: { readonly token: string; readonly isRemoval: boolean },
  request: FastifyRequest,
): Promise<Answer<never>> {
  const viewer = viewerOf(request);
  const form = profileFormFor(phoneSeen(viewer.userAgent));
  if (!form || !isProfilePlace(requests.publicUrl())) return unknownPage(viewer);
  const found = await find(token, (one) =>
    pages.profile(one, { form, isRemoval, userAgent: viewer.userAgent }),
  );
  if (!found) return unknownPage(viewer);
  if (found.state === "expired") return expiredPage(viewer, viewer.texts.texts.expiredTitle);
  if (found.state !== "ready") return page("", 303, { location: `/s/${token}` });
  const sign = profileSigner?.();
  const octets = sign ? await sign(found.bytes) : found.bytes;
  return page(Buffer.from(octets), 200, {
    "content-type": APPLE_PROFILE_TYPE,
    "content-disposition": `inline; filename="${isRemoval ? "removal" : "settings"}.mobileconfig"`,
  });
}
