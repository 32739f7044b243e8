/**
 * Which channel of the air side a message takes, and whether it fits there (US 6,647,260 column 4: small notices narrowband,
 * all else wideband). Where a bearer has no wideband, a message has as many octets as its short messages hold, and no more.
 */
import {
  type AirChannel,
  type BearerProfile,
  isNarrowbandOnly,
  narrowbandOctets,
  partsOn,
} from "../wire/message/bearer-profile.ts";
import { BEARERS, type Bearer } from "../wire/message/legs.ts";

export const isBearer = (text: string): text is Bearer => BEARERS.some((known) => known === text);

/** A notice of more short messages than this goes wideband (R31). */
const NARROWBAND_PARTS_MAX = 3;

type ChannelDecision = {
  /** `none`: it is too large for what the bearer has, and is not sent. */
  readonly channel: AirChannel | "none";
  /** Which rule decided: it is shown with the message. */
  readonly rule:
    | "small_notice"
    | "notice_too_long"
    | "not_a_notice"
    | "no_wideband"
    | "no_narrowband"
    | "too_large_for_narrowband";
  readonly parts: number;
};

/** Small notices go narrowband, all else wideband; where there is no wideband, what fits goes narrowband. */
export function decideChannel(
  message: { readonly kind: "notice" | "screen" | "content"; readonly octets: number },
  profile: BearerProfile,
): ChannelDecision {
  const parts = partsOn(profile, message.octets);
  if (isNarrowbandOnly(profile)) {
    return message.octets <= narrowbandOctets(profile)
      ? { channel: "narrowband", rule: "no_wideband", parts }
      : { channel: "none", rule: "too_large_for_narrowband", parts };
  }
  if (message.kind !== "notice") return { channel: "wideband", rule: "not_a_notice", parts };
  if (!profile.channels.includes("narrowband")) return { channel: "wideband", rule: "no_narrowband", parts };
  return parts <= NARROWBAND_PARTS_MAX
    ? { channel: "narrowband", rule: "small_notice", parts }
    : { channel: "wideband", rule: "notice_too_long", parts };
}

/** The most octets that an answer to the device may have; undefined where nothing limits it. */
export const answerLimit = (profile: BearerProfile): number | undefined =>
  isNarrowbandOnly(profile) ? narrowbandOctets(profile) : undefined;
