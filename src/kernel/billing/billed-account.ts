/**
 * Whom the billing centre bills (US 6,647,260, claim 7; R119): number, SIM or account number, device, what they have, who they
 * is and the token that pays, each as far as it is known and the operator's policy lets it out.
 */
import {
  type BilledAccount,
  type BilledField,
  MAKE_CHARACTERS_MAX,
  MODEL_CHARACTERS_MAX,
} from "../../wire/message/billing-api.ts";
import type { BilledOffering } from "../account/account-books.ts";
import type { UserData } from "../account/user-data.ts";
import { isClosed } from "../order/ending.ts";
import { isRequestItemDone } from "../order/item-done.ts";
import { itemsOf, type RequestTurn } from "../order/turn.ts";
import { isCollectedHere } from "./collection.ts";

/** @param fields the policy's list: nothing else is in it but the time that it is true of */
export function billedAccountOf(turn: RequestTurn, fields: readonly BilledField[]): BilledAccount {
  const { scribe, order, subject } = turn;
  const { user, card, books } = order.request;
  const known: Readonly<Record<Exclude<BilledField, "productOffering">, string | null | undefined>> = {
    externalId: books.externalId,
    msisdn: subject.msisdn,
    imsi: subject.imsi,
    imei: subject.imei,
    make: shortened(order.make, MAKE_CHARACTERS_MAX),
    model: shortened(order.model, MODEL_CHARACTERS_MAX),
    ...personOf(user),
    paymentToken: isCollectedHere(turn) ? null : (card?.token ?? books.paymentToken),
  };
  const told = Object.entries(known).filter(([name, value]) => value && isAmong(fields, name));
  return {
    lastModified: scribe.now.toISOString(),
    ...(Object.fromEntries(told) as Omit<BilledAccount, "lastModified" | "productOffering">), // its names are those of `known`
    ...(fields.includes("productOffering") && { productOffering: offeringsOf(turn) }),
  };
}

/** As much of a name out of a list of devices as a notice takes: for a name that is too long no account is refused. */
const shortened = (name: string | null, max: number): string | null =>
  name &&
  Array.from(name.replace(/\p{Cc}+/gu, " "))
    .slice(0, max)
    .join("")
    .slice(0, max);

const isAmong = (fields: readonly string[], name: string): boolean => fields.includes(name);

const personOf = (user: UserData) => ({
  givenName: user.givenName,
  familyName: user.familyName,
  streetName: user.streetName,
  streetNr: user.streetNumber,
  postcode: user.postalCode,
  city: user.locality,
  country: user.country,
});

/** What they had before, with what this request has brought or taken by now. */
function offeringsOf(turn: RequestTurn): BilledOffering[] {
  const offerings = new Map(turn.order.request.books.holds.map((one) => [one.id, one]));
  for (const item of itemsOf(turn)) {
    const { catalogId: id, action, package: bundle, moduleOf } = item.subject;
    const isDone = isRequestItemDone(item, turn.terms.policy.doneAt);
    if (moduleOf !== null || isClosed(item) || item.cause === "had" || !isDone) continue;
    if (action === "remove") offerings.delete(id);
    else offerings.set(id, { id, bundle });
  }
  return [...offerings.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** Whether another time is all that differs. */
export function isSameAccount(one: BilledAccount, other: BilledAccount): boolean {
  const plain = ({ lastModified: _, ...said }: BilledAccount): string =>
    JSON.stringify(Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1)));
  return plain(one) === plain(other);
}
