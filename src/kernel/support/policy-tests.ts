/**
 * Tests that an operator writes into its policy: "this IMEI must be ended", "this model current". They go with each version,
 * and no version goes live while one of them fails.
 */
import type { SupportDecision, SupportReason, SupportVerdict } from "./decide-support.ts";

/** About one handset, one TAC, or every TAC of one model: just one of the three is given. */
export type PolicyTest = {
  readonly name: string;
  readonly imei?: string;
  readonly tac?: string;
  /** `make/model`. */
  readonly model?: string;
  readonly verdict: SupportVerdict;
  /** The rule that has to decide; left out where any may. */
  readonly rule?: string;
  /** The market whose rules hold; left out: those of none. */
  readonly market?: string;
  /** ISO date on which it is judged; left out: on the day on which the policy is to go live. */
  readonly asOf?: string;
};

export type FailedPolicyTest = {
  /** Its place in the list of tests, from 0. */
  readonly at: number;
  readonly name: string;
  readonly wanted: string;
  /** What the rules said instead. */
  readonly said: string;
};

/** What the rules say of one TAC that the test is about. */
type TestedDevice = { readonly tac: string; readonly decision: SupportDecision };

/** @param devicesOf what the test is about, judged by the policy that is to go live; none where no list names the model */
export function failedTests(
  tests: readonly PolicyTest[],
  devicesOf: (test: PolicyTest) => readonly TestedDevice[],
): readonly FailedPolicyTest[] {
  return tests.flatMap((test, at) => {
    const said = failureOf(test, devicesOf(test));
    return said === undefined ? [] : [{ at, name: test.name, wanted: wantedOf(test), said }];
  });
}

const wantedOf = ({ verdict, rule }: PolicyTest): string =>
  rule === undefined ? verdict : `${verdict} by ${rule}`;

function failureOf(test: PolicyTest, devices: readonly TestedDevice[]): string | undefined {
  if (devices.length === 0) return "no list names this model";
  const wrong = devices.find(({ decision }) => !isAsWanted(test, decision));
  return wrong && `${saidBy(wrong.decision)}${test.model === undefined ? "" : `, for TAC ${wrong.tac}`}`;
}

const isAsWanted = ({ verdict, rule }: PolicyTest, decision: SupportDecision): boolean =>
  decision.verdict === verdict && (rule === undefined || decidingReason(decision)?.rule === rule);

/** The rule that made the verdict; undefined where none did, and it is `unknown`. */
export const decidingReason = ({ reasons }: SupportDecision): SupportReason | undefined =>
  reasons.find(({ decided }) => decided);

/** `ended by age_cutoff (releasedBy 2003-12-31, cutOffYears 7)`. */
export function saidBy(decision: SupportDecision): string {
  const reason = decidingReason(decision);
  if (reason) return `${decision.verdict} by ${reason.rule}${factsOf(reason)}`;
  const asked = decision.reasons.map(({ rule }) => rule).join(", ");
  return `${decision.verdict}: no rule decides${asked === "" ? "" : ` (asked: ${asked})`}`;
}

function factsOf({ saw }: SupportReason): string {
  const facts = Object.entries(saw).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}
