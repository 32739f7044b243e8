/** What is sent to a subscriber of all that is known for their SIM, or why nothing may be. */

import type { SettingsValues } from "../payload/settings-values.ts";
import type { SettingsQuery } from "../settings/access-point.ts";
import type { Found } from "../settings/find-settings.ts";
import {
  type ChosenSettings,
  chooseSettings,
  SENDABLE_USES,
  sendablePoints,
  whyNothing,
} from "../settings/settings-for.ts";
import type { WirelessNetwork } from "../settings/wireless-network.ts";
import type { OperatorTerms } from "./operator-terms.ts";
import { isHost, SETTINGS_UNCONFIRMED } from "./unconfirmed.ts";

export type SettingsChoice =
  | {
      readonly kind: "chosen";
      readonly values: SettingsValues;
      readonly confirmed: boolean;
      readonly source: string;
      /** Uses for which nothing is sent, each with the reason. */
      readonly withheld?: Readonly<Record<string, string>>;
      /** What was not looked at before the SIM was taken for the network's own. */
      readonly unchecked?: string;
    }
  | {
      readonly kind: "refused";
      /** Stable; docs/operations.md lists every one. */
      readonly code: string;
      readonly reason: string;
      readonly nextAction?: string;
    };

/** A SIM by its network and its names; null where nobody said one. */
type SimNames = {
  readonly homePlmn: string;
  readonly imsi: string;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly iccid: string | null;
};

/** What access points are looked for by: the SIM's network, and as much of its names as is known. */
export function settingsQueryOf({ homePlmn, imsi, gid1, spn, iccid }: SimNames): SettingsQuery {
  return {
    mcc: homePlmn.slice(0, 3),
    mnc: homePlmn.slice(3),
    imsi,
    ...(gid1 === null ? {} : { gid1 }),
    ...(spn === null ? {} : { spn }),
    ...(iccid === null ? {} : { iccid }),
  };
}

/** Uses that the maker lets nobody set on the model, and who says so. */
type Blocked = { readonly uses: readonly string[]; readonly source: string } | null;

/** Every access point of the model is blocked: a stable code. */
export const ACCESS_POINTS_BLOCKED = "access_points_blocked";

/** What is sent of all that is known, as the operator's kind and policy have it. */
export const chosenFor = (
  found: Found,
  query: SettingsQuery,
  { kind, policy, homePlmns }: OperatorTerms,
): ChosenSettings =>
  chooseSettings(found, query, SENDABLE_USES, {
    isHost: isHost(kind),
    sendUnconfirmed: policy.sendUnconfirmed,
    ownPlmns: homePlmns,
    mixOwnAndSuggested: true,
  });

export function settingsChoiceOf(
  found: Found,
  query: SettingsQuery,
  terms: OperatorTerms,
  blocked: Blocked = null,
): SettingsChoice {
  const { operatorName } = terms;
  const chosen = chosenFor(found, query, terms);
  const all = sendablePoints(chosen);
  if (all.length === 0) return { kind: "refused", ...whyNothing(chosen) };
  const isBlocked = (use: string): boolean => blocked?.uses.includes(use) === true;
  const points = all.filter(({ use }) => !isBlocked(use));
  const held = all
    .filter(({ use }) => isBlocked(use))
    .map(({ use }) => [use, blockedReason(blocked)] as const);
  if (points.length === 0) {
    return {
      kind: "refused",
      code: ACCESS_POINTS_BLOCKED,
      reason: `${blockedReason(blocked)}: ${held.map(([use]) => use).join(", ")}`,
      nextAction: "say with an override (blockedUses) what can be set on this model",
    };
  }
  const isConfirmed = chosen.unconfirmed.length === 0;
  const sources = new Set(Object.values(chosen.chosen).map(({ source }) => source.name));
  return {
    kind: "chosen",
    values: { name: operatorName, points, ...(isConfirmed ? {} : { unconfirmed: true }) },
    confirmed: isConfirmed,
    source: [...sources].join(", "),
    withheld: { ...withheldIn(chosen), ...Object.fromEntries(held) },
    ...(found.unchecked ? { unchecked: found.unchecked.reason } : {}),
  };
}

/** The operator's Wi-Fi networks for the model go along with its access points, never alone. */
export function withWireless(choice: SettingsChoice, networks: readonly WirelessNetwork[]): SettingsChoice {
  if (choice.kind === "refused" || networks.length === 0) return choice;
  const wireless = networks.map(({ name, ssid, security, key, hidden }) => ({
    name,
    ssid,
    security,
    key,
    hidden,
  }));
  return { ...choice, values: { ...choice.values, wireless } };
}

const blockedReason = (blocked: Blocked): string =>
  `the maker lets nobody set this access point on the model (${blocked?.source ?? "unknown"})`;

/** Suggestions that were held back. A use of which nothing is known at all is no news. */
function withheldIn({ withheld }: ChosenSettings): Record<string, string> {
  const held = Object.entries(withheld).filter(([, { code }]) => code === SETTINGS_UNCONFIRMED);
  return Object.fromEntries(held.map(([use, { reason }]) => [use, reason]));
}
