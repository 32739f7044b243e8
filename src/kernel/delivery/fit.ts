/**
 * Whether a message to a handset fits its bearer, and which smaller form is sent where it does not (R30, R31). All that goes
 * over the air by itself is short messages: a bearer joins so many of them and no more.
 */
import { narrowbandOctets } from "../../wire/message/bearer-profile.ts";
import { type Air, airBy } from "../operator/air.ts";
import type { MessageAir, PayloadProtocol } from "../order/message.ts";
import type { Turn } from "../order/turn.ts";
import { cutMessage } from "../payload/compose.ts";

/** An item cannot be sent: a stable code. */
const TOO_NARROW = "bearer_too_narrow";

/** The bearer of the device's own request; of any other device, what the operator says of such. */
export const airOf = ({ order, terms }: Pick<Turn, "order" | "terms">): Air =>
  airBy(terms.policy, order.request?.bearer ?? null);

/** How a message is cut on this bearer, and the rule that it goes by. */
export const onAir = ({ bearer, profile }: Air, rule: string): MessageAir => ({
  bearer,
  channel: "narrowband",
  rule,
  partOctets: profile.partOctets,
});

/** Short messages that it takes there. @throws TurnupError `payload_too_long`: more than any network joins */
export const partsOnAir = (protocol: PayloadProtocol, bytes: Uint8Array, { profile }: Air): number =>
  cutMessage(protocol, bytes, 0, profile.partOctets).parts.length;

export const fits = (protocol: PayloadProtocol, bytes: Uint8Array, air: Air): boolean =>
  bytes.length <= narrowbandOctets({ ...air.profile, partsMax: 255 }) &&
  partsOnAir(protocol, bytes, air) <= air.profile.partsMax;

/** Why it is refused, with both figures. */
export const tooNarrow = (what: string, octets: number, { bearer, profile }: Air) => ({
  cause: TOO_NARROW,
  reason:
    `${what} of ${octets} octets is more than ${bearer} carries in one message ` +
    `(${profile.partsMax} SMS of ${profile.partOctets} octets), and has no smaller form`,
});
