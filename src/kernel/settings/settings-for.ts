/**
 * From what was found to what an order sends: one access point for each use that is wanted.
 *
 * The policy switch, proposed default `SEND_POLICY`:
 * - what the operator entered itself is sent;
 * - a shipped suggestion is sent only where the operator said so (`sendUnconfirmed`) and the network is the
 *   operator's own (`ownPlmns`): somebody else's network is somebody else's word. The default is on, because an
 *   operator that has entered nothing would otherwise send nothing to its own subscribers; an operator with many
 *   virtual operators on its network turns it off and confirms each set.
 * - where `mixOwnAndSuggested` is off, a suggestion is not sent when the operator has an access point of its own for
 *   another use of the same SIM: half a set of each is what can make MMS fail.
 */
import type { Use } from "./access-point.ts";
import type { Found, Match, Refusal } from "./find-settings.ts";

export type SendPolicy = {
  readonly sendUnconfirmed: boolean;
  /** MCC and MNC of the operator's own networks, `262/01`; a suggestion for any other is not sent. */
  readonly ownPlmns: readonly string[];
  readonly mixOwnAndSuggested: boolean;
};

export const SEND_POLICY = { sendUnconfirmed: true, mixOwnAndSuggested: true } as const;

export type ChosenSettings = {
  /** The access point of each wanted use that has one. */
  readonly chosen: Readonly<Partial<Record<Use, Match>>>;
  readonly confirmed: readonly Use[];
  readonly unconfirmed: readonly Use[];
  /** Wanted uses for which nothing is sent, each with the reason. */
  readonly withheld: Readonly<Partial<Record<Use, string>>>;
  readonly refused?: Refusal;
};

export function chooseSettings(
  found: Found,
  plmn: { readonly mcc: string; readonly mnc: string },
  wantedUses: readonly Use[],
  policy: SendPolicy,
): ChosenSettings {
  const chosen: Partial<Record<Use, Match>> = {};
  const withheld: Partial<Record<Use, string>> = {};
  const hasOwn = found.matches.some((match) => match.match === "own");
  for (const use of new Set(wantedUses)) {
    const first = found.matches.find((match) => match.use === use && !isAnothers(match, found));
    const objection = first ? objectionTo(first, `${plmn.mcc}/${plmn.mnc}`, hasOwn, policy) : undefined;
    if (!first) withheld[use] = found.refused?.reason ?? `no access point is known for ${use}`;
    else if (objection) withheld[use] = objection;
    else chosen[use] = first;
  }
  const uses = Object.entries(chosen) as [Use, Match][];
  return {
    chosen,
    confirmed: uses.filter(([, match]) => match.confirmed).map(([use]) => use),
    unconfirmed: uses.filter(([, match]) => !match.confirmed).map(([use]) => use),
    withheld,
    ...(found.refused ? { refused: found.refused } : {}),
  };
}

/**
 * A row for the whole network that bears another brand's name: the sets hold many such without saying whose SIMs
 * they are for. Where the network has no row in its own name, the other may be its former name, and may serve.
 */
function isAnothers(match: Match, { matches }: Found): boolean {
  if (match.match !== "plmn" || match.owner !== "other") return false;
  return matches.some((one) => one.match === "plmn" && one.owner !== "other");
}

/** Why this one may not be sent, or undefined. */
function objectionTo(
  match: Match,
  plmn: string,
  hasOwn: boolean,
  { sendUnconfirmed, ownPlmns, mixOwnAndSuggested }: SendPolicy,
): string | undefined {
  if (match.confirmed) return undefined;
  const which = `${match.apn} of ${match.source.name} is not confirmed`;
  if (!sendUnconfirmed) return `${which}, and the operator sends confirmed access points only`;
  if (!ownPlmns.includes(plmn)) return `${which}, and ${plmn} is not the operator's own network`;
  if (hasOwn && !mixOwnAndSuggested)
    return `${which}, and the operator does not mix its own with suggestions`;
  return undefined;
}

/** The uses a payload can carry to a phone. */
export const SENDABLE_USES = ["internet", "mms", "wap"] as const satisfies readonly Use[];

/** One access point as a composer of payloads takes it. */
export type SendablePoint = {
  readonly use: (typeof SENDABLE_USES)[number];
  readonly apn: string;
  readonly authType: "none" | "pap" | "chap";
  readonly user: string | null;
  readonly password: string | null;
  readonly mmsc: string | null;
  readonly proxy: string | null;
  readonly port: number | null;
  readonly homepage: string | null;
};

export function sendablePoints({ chosen }: ChosenSettings): SendablePoint[] {
  return SENDABLE_USES.flatMap((use) => {
    const match = chosen[use];
    if (!match) return [];
    const { apn, user, password, mmsc, homepage } = match;
    const proxy = use === "mms" ? match.mmsProxy : match.proxy;
    const port = use === "mms" ? match.mmsPort : match.port;
    return [{ use, apn, authType: authTypeOf(match), user, password, mmsc, proxy, port, homepage }];
  });
}

/** A network that takes both gets CHAP, which does not show the password; a user without a method means PAP. */
function authTypeOf({ authType, user }: Match): SendablePoint["authType"] {
  if (authType === "pap_or_chap") return user === null ? "none" : "chap";
  return authType ?? (user === null ? "none" : "pap");
}
