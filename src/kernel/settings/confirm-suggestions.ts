/**
 * A person's word for suggestions: they become the operator's own access points, for just the SIMs that they were asked for. What
 * could be wrong in a way that nobody sees on the list has to be named in the word: that it is the host's, that it is doubtful,
 * that it failed for the operator's own SIMs.
 */
import { TurnupError } from "../../term/error.ts";
import { type AccessPoint, addressFaultOf, type MatchCriteria, type Use } from "./access-point.ts";
import type { NetworkSuggestions, SimGroup, Suggestion } from "./suggest.ts";
import { failingWords } from "./suggest.ts";
import { isFailing } from "./use-record.ts";

/** What a person has to say beside the choice itself. */
export const ACCEPTED_RISKS = ["host", "doubtful", "failing"] as const;
type AcceptedRisk = (typeof ACCEPTED_RISKS)[number];

/** `uses` empty: all for which it is suggested and that a payload can carry. */
type Pick = { readonly id: string; readonly uses: readonly Use[] };

type Confirmation = {
  readonly group: SimGroup;
  readonly picks: readonly Pick[];
  readonly accept: readonly AcceptedRisk[];
  /** For every SIM of the network that the operator has, whatever its signs say. */
  readonly wholeNetwork: boolean;
};

type NewPoint = Omit<AccessPoint, "id">;

/**
 * @throws TurnupError `suggestion_not_found`: nothing of that id is suggested for these SIMs, or not for that use
 * @throws TurnupError `suggestion_not_accepted`: it is the host's, doubtful or failing, and the word does not say so
 */
export function confirmedPoints(
  { group, picks, accept, wholeNetwork }: Confirmation,
  { suggestions, hosts }: NetworkSuggestions,
): NewPoint[] {
  return picks.map(({ id, uses }) => {
    const rows = [...suggestions, ...hosts].filter((one) => one.accessPointId === id);
    const [first] = rows;
    const missing = uses.find((use) => !rows.some((one) => one.use === use));
    if (!first || missing !== undefined) throw notSuggested(id, first && missing);
    const isHosts = !suggestions.some((one) => one.accessPointId === id);
    for (const [risk, why] of risksOf(rows, isHosts)) {
      if (!accept.includes(risk)) throw notAccepted(first, risk, why);
    }
    return pointOf(rows, uses, criteriaOf(group, wholeNetwork));
  });
}

function* risksOf(rows: readonly Suggestion[], isHosts: boolean): Generator<readonly [AcceptedRisk, string]> {
  if (isHosts) yield ["host", "it is the access point of the network that hosts these SIMs, not theirs"];
  for (const row of rows) {
    const fault = addressFaultOf(row);
    if (row.doubtful !== undefined) yield ["doubtful", row.doubtful];
    if (fault) yield ["doubtful", `${fault.field} ${fault.wanted}`];
    if (row.record && isFailing(row.record)) yield ["failing", failingWords(row.record)];
  }
}

function criteriaOf({ mcc, mnc, spn, gid1, imsiPrefix }: SimGroup, wholeNetwork: boolean): MatchCriteria {
  return {
    mcc,
    mnc,
    ...(spn === undefined ? {} : { spn }),
    ...(gid1 === undefined ? {} : { gid1 }),
    ...(imsiPrefix === undefined ? {} : { imsiPrefix }),
    ...(wholeNetwork ? { wholeNetwork } : {}),
  };
}

function pointOf(rows: readonly Suggestion[], uses: readonly Use[], criteria: MatchCriteria): NewPoint {
  const offered = uses.length > 0 ? uses : rows.map(({ use }) => use);
  // A row says its message centre for MMS alone; the rest is the same for each use.
  const mms = offered.includes("mms") ? rows.find(({ use }) => use === "mms") : undefined;
  const row = mms ?? rows.find(({ use }) => offered.includes(use)) ?? rows[0];
  if (!row) throw new Error("a suggestion has a row");
  const { name, provider, apn, protocol, authType, user, password, proxy, port, homepage, source } = row;
  return {
    ...{ ownership: "operator", name, provider, uses: offered, apn, protocol, authType, user, password },
    ...{ mmsc: row.mmsc, mmsProxy: row.mmsProxy, mmsPort: row.mmsPort, proxy, port, homepage, plan: null },
    ...{ shown: true, wifiOnly: false, confirmed: true },
    source: { ...source, name: `operator, from ${source.name}` },
    criteria,
  } as const;
}

const notSuggested = (id: string, use: Use | undefined): TurnupError =>
  new TurnupError(
    "suggestion_not_found",
    use === undefined
      ? `Nothing called ${id.slice(0, 120)} is suggested for these SIMs.`
      : `${id} is not suggested for ${use}.`,
    { nextStep: "GET /v1/access-points/suggestions lists what is, with the same network and signs." },
  );

const notAccepted = ({ apn }: Suggestion, risk: AcceptedRisk, why: string): TurnupError =>
  new TurnupError("suggestion_not_accepted", `${apn} was not confirmed: ${why}.`, {
    nextStep: `Confirm it with "${risk}" in accept if it is right all the same; else take another.`,
  });
