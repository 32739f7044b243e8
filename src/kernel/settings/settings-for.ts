/**
 * From what was found to what an order sends: one access point for each use that is wanted.
 *
 * - What the operator entered itself is sent.
 * - A shipped suggestion is nobody's word. It is sent only by a host (`mno`) that switched that on (`sendUnconfirmed`, off
 *   by default), and only for its own network (`ownPlmns`). A virtual, secondary or tertiary operator's SIMs look like
 *   its host's where no more than an IMSI is seen: with a suggestion they would get the host's access point, user and
 *   password. It sends its own or nothing, whatever the switch says.
 * - Where `mixOwnAndSuggested` is off, a suggestion is not sent when the operator has an access point of its own for
 *   another use of the same SIM: half a set of each is what can make MMS fail.
 */

import { hostOf, plainUrl } from "../../term/host.ts";
import { entriesOf, optionalMember } from "../../term/record.ts";
import type { SettingsPoint } from "../payload/settings-values.ts";
import { addressFaultOf, type Use } from "./access-point.ts";
import type { Found, Match, Refusal, RefusalCode } from "./find-settings.ts";

type SendPolicy = {
  /** Whether the operator runs the network of its SIMs itself: kind `mno`. */
  readonly isHost: boolean;
  readonly sendUnconfirmed: boolean;
  /** MCC and MNC of the operator's own networks, `262/01`; a suggestion for any other is not sent. */
  readonly ownPlmns: readonly string[];
  readonly mixOwnAndSuggested: boolean;
};

/** Whether shipped access points that nobody confirmed may go out for this operator at all. */
export const sendsUnconfirmed = ({
  isHost,
  sendUnconfirmed,
}: Pick<SendPolicy, "isHost" | "sendUnconfirmed">) => isHost && sendUnconfirmed;

/** Stable: why nothing is sent. `settings_unconfirmed`: something is known, and nobody confirmed it. */
type WithheldCode = RefusalCode | "settings_unconfirmed";

/** Why nothing is sent for a use, and what its operator can do. */
type Withheld = {
  readonly code: WithheldCode;
  readonly reason: string;
  readonly nextAction: string;
};

export type ChosenSettings = {
  /** The access point of each wanted use that has one. */
  readonly chosen: Readonly<Partial<Record<Use, Match>>>;
  readonly confirmed: readonly Use[];
  readonly unconfirmed: readonly Use[];
  /** Wanted uses for which nothing is sent, each with the reason. */
  readonly withheld: Readonly<Partial<Record<Use, Withheld>>>;
  readonly refused?: Refusal;
};

const ADD_OWN = "add an access point of your own for these SIMs";
const CONFIRM_OR_SWITCH = `${ADD_OWN}, or switch on "sendUnconfirmed" in the policy`;

export function chooseSettings(
  found: Found,
  plmn: { readonly mcc: string; readonly mnc: string },
  wantedUses: readonly Use[],
  policy: SendPolicy,
): ChosenSettings {
  const chosen: Partial<Record<Use, Match>> = {};
  const withheld: Partial<Record<Use, Withheld>> = {};
  const hasOwn = found.matches.some((match) => match.match === "own");
  for (const use of new Set(wantedUses)) {
    const known = found.matches.filter((match) => match.use === use && !isAnothers(match, found));
    const first = known.find((match) => addressFaultOf(match) === undefined && match.doubtful === undefined);
    const objection = first ? objectionTo(first, `${plmn.mcc}/${plmn.mnc}`, hasOwn, policy) : undefined;
    if (!first) withheld[use] = nothingFor(use, found, known[0]);
    else if (objection) withheld[use] = objection;
    else chosen[use] = first;
  }
  const uses = entriesOf(chosen);
  return {
    chosen,
    confirmed: uses.filter(([, match]) => match.confirmed).map(([use]) => use),
    unconfirmed: uses.filter(([, match]) => !match.confirmed).map(([use]) => use),
    withheld,
    ...(found.refused ? { refused: found.refused } : {}),
  };
}

/** The first word about what is missing: that something is known and withheld says more than that nothing is. */
export function whyNothing({ withheld, refused }: ChosenSettings): Withheld {
  const all = Object.values(withheld);
  return (
    all.find(({ code }) => code === "settings_unconfirmed") ??
    all[0] ?? {
      code: refused?.code ?? "no_access_point",
      reason: refused?.reason ?? "no access point is known",
      nextAction: ADD_OWN,
    }
  );
}

function nothingFor(use: Use, { refused }: Found, faulty: Match | undefined): Withheld {
  const fault = faulty && addressFaultOf(faulty);
  const wrong = fault ? `${fault.field} ${fault.wanted}` : faulty?.doubtful;
  return {
    code: refused?.code ?? "no_access_point",
    reason:
      refused?.reason ??
      (wrong ? `${faulty?.apn} for ${use}: ${wrong}` : `no access point is known for ${use}`),
    nextAction: ADD_OWN,
  };
}

/**
 * A row for the whole network that bears another brand's name: the sets hold many such without saying whose SIMs
 * they are for. Where the network has no row in its own name, the other may be its former name, and may serve.
 */
export function isAnothers(match: Match, { matches }: Found): boolean {
  if (match.match !== "plmn" || match.owner !== "other") return false;
  return matches.some((one) => one.match === "plmn" && one.owner !== "other");
}

/** Why this one may not be sent, or undefined. */
function objectionTo(
  match: Match,
  plmn: string,
  hasOwn: boolean,
  { isHost, sendUnconfirmed, ownPlmns, mixOwnAndSuggested }: SendPolicy,
): Withheld | undefined {
  if (match.confirmed) return undefined;
  const because = (why: string, nextAction: string): Withheld => ({
    code: "settings_unconfirmed",
    reason: `${match.apn} of ${match.source.name} is not confirmed, and ${why}`,
    nextAction,
  });
  if (!isHost) return because("an operator that is no host sends access points of its own only", ADD_OWN);
  if (!ownPlmns.includes(plmn)) return because(`${plmn} is not the operator's own network`, ADD_OWN);
  if (!sendUnconfirmed) return because("the operator sends confirmed access points only", CONFIRM_OR_SWITCH);
  if (hasOwn && !mixOwnAndSuggested)
    return because("the operator does not mix its own with suggestions", ADD_OWN);
  return undefined;
}

/** The uses a payload can carry to a phone. */
export const SENDABLE_USES = ["internet", "mms", "wap"] as const satisfies readonly Use[];

type SendablePoint = SettingsPoint & { readonly use: (typeof SENDABLE_USES)[number] };

export function sendablePoints({ chosen }: ChosenSettings): SendablePoint[] {
  return SENDABLE_USES.flatMap((use) => {
    const match = chosen[use];
    if (!match) return [];
    const { apn, user, password, homepage } = match;
    const mmsc = match.mmsc === null ? null : (plainUrl(match.mmsc) ?? null);
    const proxy = hostOf((use === "mms" ? match.mmsProxy : match.proxy) ?? "")?.address ?? null;
    const port = use === "mms" ? match.mmsPort : match.port;
    const plain = { use, apn, authType: authTypeOf(match), user, password, mmsc, proxy, port, homepage };
    return [{ ...plain, ...optionalMember("protocol", match.protocol ?? undefined) }];
  });
}

/** A network that takes both gets CHAP, which does not show the password; a user without a method means PAP. */
function authTypeOf({ authType, user }: Match): SendablePoint["authType"] {
  if (authType === "pap_or_chap") return user === null ? "none" : "chap";
  return authType ?? (user === null ? "none" : "pap");
}
