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
import type { OperatorTerms } from "./operator-terms.ts";
import type { Subscriber } from "./order-draft.ts";
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

/** What access points are looked for by: the SIM's network, and as much of its names as is known. */
export function settingsQueryOf({ homePlmn, imsi, gid1, spn, iccid }: Subscriber): SettingsQuery {
  return {
    mcc: homePlmn.slice(0, 3),
    mnc: homePlmn.slice(3),
    imsi,
    ...(gid1 === null ? {} : { gid1 }),
    ...(spn === null ? {} : { spn }),
    ...(iccid === null ? {} : { iccid }),
  };
}

export function settingsChoiceOf(
  found: Found,
  query: SettingsQuery,
  { kind, policy, homePlmns, operatorName }: OperatorTerms,
): SettingsChoice {
  const chosen = chooseSettings(found, query, SENDABLE_USES, {
    isHost: isHost(kind),
    sendUnconfirmed: policy.sendUnconfirmed,
    ownPlmns: homePlmns,
    mixOwnAndSuggested: true,
  });
  const points = sendablePoints(chosen);
  if (points.length === 0) return { kind: "refused", ...whyNothing(chosen) };
  const isConfirmed = chosen.unconfirmed.length === 0;
  const sources = new Set(Object.values(chosen.chosen).map(({ source }) => source.name));
  return {
    kind: "chosen",
    values: { name: operatorName, points, ...(isConfirmed ? {} : { unconfirmed: true }) },
    confirmed: isConfirmed,
    source: [...sources].join(", "),
    withheld: withheldIn(chosen),
    ...(found.unchecked ? { unchecked: found.unchecked.reason } : {}),
  };
}

/** Suggestions that were held back. A use of which nothing is known at all is no news. */
function withheldIn({ withheld }: ChosenSettings): Record<string, string> {
  const held = Object.entries(withheld).filter(([, { code }]) => code === SETTINGS_UNCONFIRMED);
  return Object.fromEntries(held.map(([use, { reason }]) => [use, reason]));
}
