/** Fields as release 0.1.0 named them, given beside today's for one release more: with the next this file goes. */
import type { Channel } from "../../../kernel/order/order.ts";
import type { VerificationView } from "../../../kernel/requested/request-reader.ts";

/** Whatever bears a channel: it was a road. */
export const withFormerChannel = <Channelled extends { readonly channel: Channel }>(one: Channelled) => ({
  ...one,
  road: one.channel,
});

/** How verification went: its extent was a road too. */
export const withFormerExtent = (one: VerificationView | null) => one && { ...one, road: one.extent };
