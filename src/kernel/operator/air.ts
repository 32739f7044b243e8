/** What carries messages to a device, as far as somebody said it, with the operator's own figures of its network. */
import { type BearerProfile, bearerProfiles } from "../../wire/message/bearer-profile.ts";
import { BEARERS, type Bearer } from "../../wire/message/legs.ts";
import type { OrderPolicy } from "./policy.ts";

export type Air = { readonly bearer: Bearer; readonly profile: BearerProfile };

/** @param said a bearer as somebody told it; null where nobody did: then what the operator says of such devices */
export function airBy(
  { unknownBearer, bearers }: Pick<OrderPolicy, "unknownBearer" | "bearers">,
  said: string | null,
): Air {
  const bearer = BEARERS.find((known) => known === said) ?? unknownBearer;
  return { bearer, profile: bearerProfiles(bearers)[bearer] };
}
