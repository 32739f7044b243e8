/** The access points that an item sets, and on which of them traffic was seen: pure words and sets. */
import type { ItemDraft } from "./order-draft.ts";

type OfItem = Pick<ItemDraft, "apns" | "apnsSeen">;

/** In lower case, each once: uses that share an access point need it to be seen once. */
export const apnsOf = (points: readonly { readonly apn: string }[]): string[] => [
  ...new Set(points.map(({ apn }) => apn.toLowerCase())),
];

/** Those of its access points on which no traffic was seen. */
export const notSeenOf = ({ apns, apnsSeen }: OfItem): readonly string[] =>
  apns.filter((apn) => !apnsSeen.includes(apn));

/** What was seen of it and what was not; undefined where nothing was, or all of it. */
export function notSeenWords(item: OfItem): string | undefined {
  const missing = notSeenOf(item);
  if (item.apnsSeen.length === 0 || missing.length === 0) return undefined;
  return `traffic was seen on ${listed(item.apnsSeen)}, and none on ${listed(missing)}`;
}

/** `access point internet`, `access points internet, mms`. */
export const listed = (apns: readonly string[]): string =>
  `access point${apns.length === 1 ? "" : "s"} ${apns.join(", ")}`;
