/**
 * What the operator's own records decide of whoever asks (US 6,647,260, columns 3 and 5; R38): what they say of themselves is
 * compared with the record of their SIM, and the policy says what a full match, a partial one and none come to. Whoever gave
 * something else too often is compared no more, so that nobody finds out a record by asking.
 */
import type { UserData, UserField } from "../account/user-data.ts";
import { type Comparison, compareUsers } from "./compare-user.ts";

/** Who or what has the last word. */
export const FULL_MATCH = ["accept", "bureau", "review"] as const;
export const PARTIAL_MATCH = ["accept", "ask_again", "bureau", "review", "refuse"] as const;
export const NO_MATCH = ["bureau", "review", "refuse"] as const;
export const TOO_MANY_TRIES = ["review", "refuse"] as const;

export type OwnRecordPolicy = {
  /** Least score of a full match and of a partial one, 0 to 100. */
  readonly fullScore: number;
  readonly partialScore: number;
  /** Asked for where there is a record; a full match needs each of them to be the same there. */
  readonly requiredFields: readonly UserField[];
  /** `accept`: the record is enough; `bureau`: the bureau is asked as well; `review`: a person looks. */
  readonly full: (typeof FULL_MATCH)[number];
  /** `ask_again`: the asker is told which field to look at again, never what it should be. */
  readonly partial: (typeof PARTIAL_MATCH)[number];
  readonly none: (typeof NO_MATCH)[number];
  /** Fields that may be named to the asker; where none of them is amiss, a person looks. */
  readonly askAgainFields: readonly UserField[];
  /** How long the asker has for it. */
  readonly askAgainHours: number;
  /** Comparisons short of a full match, of one SIM or one device, within the window; from then on nothing is compared. */
  readonly triesMax: number;
  readonly triesWindowHours: number;
  readonly tooManyTries: (typeof TOO_MANY_TRIES)[number];
};

export const DEFAULT_OWN_RECORD_POLICY: OwnRecordPolicy = {
  fullScore: 90,
  partialScore: 60,
  requiredFields: ["givenName", "familyName", "birthdate"],
  full: "accept",
  partial: "ask_again",
  none: "refuse",
  askAgainFields: [
    "givenName",
    "familyName",
    "streetName",
    "streetNumber",
    "postalCode",
    "locality",
    "country",
    "email",
  ],
  askAgainHours: 48,
  triesMax: 3,
  triesWindowHours: 24,
  tooManyTries: "review",
};

/** What the operator has on file of a SIM. */
type OwnRecord = {
  readonly user: UserData;
  /** Found by its phone number, and it names another SIM: the number may have been moved to one by somebody else. */
  readonly isOfAnotherSim: boolean;
};

type Consequence =
  | OwnRecordPolicy["full"]
  | OwnRecordPolicy["partial"]
  | OwnRecordPolicy["none"]
  | OwnRecordPolicy["tooManyTries"];

/** Kept with the request; no value of either side is in it. */
export type RecordFinding = Comparison & {
  /** `incomplete`: a field that is needed was not given yet; `not_compared`: there were too many tries. */
  readonly match: "full" | "partial" | "none" | "incomplete" | "not_compared";
  readonly isOfAnotherSim: boolean;
  readonly consequence: Consequence;
  /** Named to the asker; empty but where they are asked again. */
  readonly askAgain: readonly UserField[];
  /** Nobody answered in time, though asked again. */
  readonly gaveUp?: boolean;
};

/** Who somebody is; all else changes while they stay who they are. */
const WHO: readonly UserField[] = ["givenName", "familyName", "birthdate", "idDocument"];

type Given = {
  readonly user: UserData;
  readonly record: OwnRecord;
  /** Short of a full match, within the window, this one not among them. */
  readonly tries: number;
};

export function findByRecord(policy: OwnRecordPolicy, { user, record, tries }: Given): RecordFinding {
  const { isOfAnotherSim } = record;
  const nothing = { score: null, fields: [], isOfAnotherSim, askAgain: [] };
  if (tries >= policy.triesMax)
    return { ...nothing, match: "not_compared", consequence: policy.tooManyTries };
  // Their names tell nothing of a record: nobody is refused for what no form asked them for.
  const missing = policy.requiredFields.filter((field) => user[field] === undefined);
  if (missing.length > 0)
    return { ...nothing, match: "incomplete", consequence: "ask_again", askAgain: missing };
  const comparison = compareUsers(user, record.user);
  const match = matchOf(policy, comparison, isOfAnotherSim);
  const found = { ...comparison, match, isOfAnotherSim, askAgain: [] };
  if (match !== "partial") return { ...found, consequence: policy[match] };
  if (policy.partial !== "ask_again") return { ...found, consequence: policy.partial };
  if (tries + 1 >= policy.triesMax) return { ...found, consequence: policy.tooManyTries };
  const askAgain = comparison.fields
    .filter(({ result }) => result === "different" || result === "close")
    .flatMap(({ field }) => (policy.askAgainFields.includes(field) ? [field] : []));
  return askAgain.length > 0
    ? { ...found, consequence: "ask_again", askAgain }
    : { ...found, consequence: "review" };
}

function matchOf(
  policy: OwnRecordPolicy,
  { score, fields }: Comparison,
  isOfAnotherSim: boolean,
): "full" | "partial" | "none" {
  const isSame = (field: UserField): boolean =>
    fields.some((one) => one.field === field && one.result === "same");
  const isAnother = fields.some(({ field, result }) => WHO.includes(field) && result === "different");
  const isWhoKnown = WHO.some(isSame);
  if (score === null || score < policy.partialScore || !isWhoKnown) return "none";
  const isFull =
    score >= policy.fullScore && !isAnother && !isOfAnotherSim && policy.requiredFields.every(isSame);
  return isFull ? "full" : "partial";
}
