/**
 * What the air side is made of, and which channel a message takes over it (US 6,647,260 column 4: CDPD, GSM, CDMA, TDMA,
 * PDC, PHS; packet data of later networks beside them). Octets are those of one short message's user data.
 */
import { BEARERS, type Bearer } from "../wire/message/legs.ts";

type BearerProfile = {
  /** Room in one short message: TS 23.040 (140); IS-637 and IS-136 as their networks commonly set it. */
  readonly narrowbandOctets: number;
  /** A round trip that is common there: waits on the air side are measured by it. */
  readonly latencyMs: number;
  /** Packet data beside the short message. */
  readonly wideband: boolean;
};

export const BEARER_PROFILES: Readonly<Record<Bearer, BearerProfile>> = {
  gsm: { narrowbandOctets: 140, latencyMs: 1_500, wideband: true },
  cdma: { narrowbandOctets: 140, latencyMs: 800, wideband: true },
  tdma: { narrowbandOctets: 239, latencyMs: 2_500, wideband: false },
  cdpd: { narrowbandOctets: 140, latencyMs: 1_000, wideband: true },
  pdc: { narrowbandOctets: 100, latencyMs: 1_500, wideband: true },
  phs: { narrowbandOctets: 90, latencyMs: 600, wideband: true },
  umts: { narrowbandOctets: 140, latencyMs: 250, wideband: true },
  lte: { narrowbandOctets: 140, latencyMs: 60, wideband: true },
};

export const isBearer = (text: string): text is Bearer => BEARERS.some((known) => known === text);

/** A notice of more short messages than this goes wideband (R31). */
const NARROWBAND_PARTS_MAX = 3;
/** Room that a part loses to its header when there are several (TS 23.040 clause 9.2.3.24.1). */
const CONCATENATION_OCTETS = 7;

type ChannelDecision = {
  readonly channel: "narrowband" | "wideband";
  /** Which rule decided: it is shown with the message. */
  readonly rule: "small_notice" | "notice_too_long" | "not_a_notice" | "no_wideband";
  readonly parts: number;
};

/** Small notices go narrowband, all else wideband; where there is no wideband, all goes narrowband. */
export function decideChannel(
  message: { readonly kind: "notice" | "screen" | "content"; readonly octets: number },
  bearer: Bearer,
): ChannelDecision {
  const { narrowbandOctets, wideband } = BEARER_PROFILES[bearer];
  const parts =
    message.octets <= narrowbandOctets
      ? 1
      : Math.ceil(message.octets / (narrowbandOctets - CONCATENATION_OCTETS));
  if (!wideband) return { channel: "narrowband", rule: "no_wideband", parts };
  if (message.kind !== "notice") return { channel: "wideband", rule: "not_a_notice", parts };
  return parts <= NARROWBAND_PARTS_MAX
    ? { channel: "narrowband", rule: "small_notice", parts }
    : { channel: "wideband", rule: "notice_too_long", parts };
}
