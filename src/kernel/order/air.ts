/** What carries messages to an order's device, as far as somebody said it, with the operator's own figures of its network. */
import { type BearerProfile, bearerProfiles } from "../../wire/message/bearer-profile.ts";
import { BEARERS, type Bearer } from "../../wire/message/legs.ts";
import type { OrderPolicy } from "./policy.ts";
import type { Turn } from "./turn.ts";

export type Air = { readonly bearer: Bearer; readonly profile: BearerProfile };

/** The bearer of the device's own request; of any other device, what the operator says of such. */
export const airOf = ({ order, terms }: Pick<Turn, "order" | "terms">): Air =>
  airBy(terms.policy, order.request?.bearer ?? null);

/** @param said a bearer as somebody told it; null where nobody did */
export function airBy(
  { unknownBearer, bearers }: Pick<OrderPolicy, "unknownBearer" | "bearers">,
  said: string | null,
): Air {
  const bearer = BEARERS.find((known) => known === said) ?? unknownBearer;
  return { bearer, profile: bearerProfiles(bearers)[bearer] };
}
