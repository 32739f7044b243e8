/**
 * Whether a request may go on: user data and device data are both verified, and either failing ends it before anything
 * is provisioned (US 6,647,260, figure 7A:708 to 712; R36 to R39). Time that ran out is a no, never a yes.
 *
 *   pending    something that was asked has not answered yet
 *   rejected   at least one check failed; all reasons are named
 *   approved   every check that was due passed
 */
import { isOneOf } from "../../term/narrow.ts";
import type { AccountFacts } from "../account/account-facts.ts";
import { USER_FIELDS, type UserData, type UserField } from "../account/user-data.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import { compareUsers } from "./compare-user.ts";
import type { FieldFault } from "./field-fault.ts";
import type { FraudFinding, FraudPattern } from "./find-fraud.ts";
import type { RecordFinding } from "./own-record.ts";
import type { RegistrationPolicy } from "./registration-policy.ts";

/** What must be looked at for this request. */
export type VerificationDue = {
  /** `short`: device and user are known (R37). */
  readonly road: "short" | "full";
  readonly identity: "bureau" | "own_data" | "review" | "none";
  /** A person of the operator looks where the bureau cannot be asked: nobody demanded the bureau by name. */
  readonly orReview?: boolean;
  /** The operator has a record of the SIM: what it says is compared first. */
  readonly byRecord?: boolean;
  readonly card: boolean;
  /** Fields of the user that must be there. */
  readonly fields: readonly UserField[];
};

/** Answer of a body outside. `failed` will be asked again; `gave_up`: its deadline passed. */
type Outside<Answer> =
  | { readonly state: "not_asked" }
  | { readonly state: "asked" }
  | { readonly state: "failed" }
  | { readonly state: "gave_up" }
  | ({ readonly state: "answered" } & Answer);

type BureauAnswer = {
  readonly outcome: "match" | "mismatch";
  readonly score: number | null;
  readonly mismatched: readonly string[];
};

/** Of a person of the operator; who it was stands in the audit. */
type ReviewAnswer = { readonly outcome: "approved" | "refused" };
type CardAnswer = { readonly outcome: "approved" | "refused"; readonly cause: string | null };

type DeviceFinding = {
  readonly imei: "valid" | "test" | "malformed";
  /** A model is known by its TAC. */
  readonly isKnownModel: boolean;
  readonly pairing: AccountFacts["pairing"];
};

/** Findings of all checks; those of a check that is not due are not looked at. */
export type Findings = {
  readonly faults: readonly FieldFault[];
  /** Fields that differ from those on file; null where nothing of who they are is on file. */
  readonly ownData: readonly UserField[] | null;
  /** Where the operator has a record of the SIM and nothing was wrong with what was given. */
  readonly record?: RecordFinding;
  readonly bureau: Outside<BureauAnswer>;
  /** Not there in the records of an earlier release. */
  readonly review?: Outside<ReviewAnswer>;
  readonly hasCard: boolean;
  readonly card: Outside<CardAnswer>;
  readonly device: DeviceFinding;
  readonly fraud: readonly FraudFinding[];
};

/** Stable: shown to staff, kept in events, counted. */
type RejectionCode =
  | "user_data_incomplete"
  | "user_data_malformed"
  | "user_data_differs"
  | "identity_mismatch"
  | "identity_score_too_low"
  | "identity_unverified"
  | "identity_refused"
  | "user_unknown"
  | "own_record_tries_exceeded"
  | "card_missing"
  | "card_refused"
  | "card_unverified"
  | "device_identity_malformed"
  | "device_identity_test"
  | "device_model_unknown"
  | "device_pairing_not_current"
  | FraudPattern;

export type Rejection = {
  readonly code: RejectionCode;
  /** Names of fields, counts and limits; never a value of somebody. */
  readonly detail: Readonly<Record<string, string | number>>;
};

export type Verdict =
  | { readonly outcome: "approved" }
  | { readonly outcome: "rejected"; readonly reasons: readonly Rejection[] }
  | { readonly outcome: "pending"; readonly waitingFor: readonly ("asker" | "bureau" | "person" | "card")[] };

/** Something of who they are was verified before and is kept. */
export const isOnFile = (account: AccountFacts["account"]): boolean =>
  account !== null && account.state !== "closed" && Object.keys(account.user).some(isDecisive);

/**
 * R37: a device that was provisioned before for this user takes the short road, unless policy or an item says otherwise.
 * R38: of whom nothing is known, somebody else has a word; only what they give back needs no more than their SIM.
 */
export function verificationDue(
  policy: RegistrationPolicy,
  items: readonly CatalogItem[],
  facts: DueFacts,
  action: "add" | "remove" = "add",
): VerificationDue {
  const { isKnownDevice, account } = facts;
  const isKnownUser = account !== null && account.state !== "closed";
  const byPolicy =
    policy.verify === "always" || (policy.verify === "new_devices" && !(isKnownDevice && isKnownUser));
  // An item that asks for it wants a word from outside.
  const byItem = !isKnownUser && items.some(({ requires }) => requires.verification);
  const isFull = byPolicy || byItem;
  const identity = byItem ? "bureau" : isFull ? identityDue(policy, facts, action) : "none";
  const orReview = identity === "bureau" && !byItem && policy.verifyBy !== "bureau";
  const byRecord = identity === "own_data" && isByRecord(facts, action);
  return {
    road: isFull ? "full" : "short",
    identity,
    ...(byRecord && { byRecord }),
    ...(orReview && { orReview }),
    card: (isFull && policy.cardRequired) || items.some(({ requires }) => requires.card),
    fields: isFull ? fieldsDue(policy, identity, byRecord) : [],
  };
}

/** What a verification is about; `record` is left out where nobody looked for one. */
type DueFacts = Pick<AccountFacts, "isKnownDevice" | "account"> & Partial<Pick<AccountFacts, "record">>;

/** What is given back needs nobody's record. */
const isByRecord = ({ record }: DueFacts, action: "add" | "remove"): boolean =>
  Boolean(record) && action === "add";

function fieldsDue(
  { userFields, ownRecords }: RegistrationPolicy,
  identity: VerificationDue["identity"],
  byRecord: boolean,
): readonly UserField[] {
  if (byRecord) return [...new Set([...userFields, ...ownRecords.requiredFields])];
  return identity === "bureau" && userFields.length === 0 ? BUREAU_FIELDS : userFields;
}

function identityDue(
  { verifyBy, unknownUser }: RegistrationPolicy,
  facts: DueFacts,
  action: "add" | "remove",
): VerificationDue["identity"] {
  if (verifyBy === "bureau") return "bureau";
  if (isByRecord(facts, action) || isOnFile(facts.account)) return "own_data";
  if (action === "remove") return "none";
  return unknownUser === "bureau" || unknownUser === "review" ? unknownUser : "own_data";
}

/** Without a name there is nothing to ask the bureau: a person looks, where one may. Fields that the policy demands stay. */
export function reviewedWithoutName(
  due: VerificationDue,
  { userFields }: Pick<RegistrationPolicy, "userFields">,
  user: UserData,
): VerificationDue {
  const isNameless = BUREAU_FIELDS.some((field) => !user[field]);
  return due.orReview && isNameless ? { ...due, identity: "review", fields: userFields } : due;
}

/** A bureau has nothing to compare of somebody who said nothing: so much is asked for where the policy names nothing. */
const BUREAU_FIELDS: readonly UserField[] = ["givenName", "familyName"];

export function judgeVerification(
  policy: Pick<
    RegistrationPolicy,
    "identityThreshold" | "userFields" | "unknownUser" | "knownModelsOnly" | "devicePairing"
  >,
  due: VerificationDue,
  findings: Findings,
): Verdict {
  const reasons: Rejection[] = [
    ...findings.fraud.map(({ pattern, saw, limit, detail }) => ({
      code: pattern,
      detail: { ...detail, saw, limit },
    })),
    ...judgeDevice(policy, findings.device),
    ...judgeFaults(findings.faults),
    ...judgeRecord(findings.record),
    ...(due.identity === "own_data" && !due.byRecord ? judgeOwnData(policy, findings.ownData) : []),
    ...(due.byRecord && !findings.record && findings.faults.length === 0 ? no("user_unknown") : []),
    ...(due.identity === "bureau" ? judgeBureau(policy, findings.bureau) : []),
    ...(due.identity === "review" ? judgeReview(findings.review) : []),
    ...(due.card ? judgeCard(findings) : []),
  ];
  if (reasons.length > 0) return { outcome: "rejected", reasons }; // a no does not wait for the other answer
  const waitingFor = [
    ...(findings.record?.consequence === "ask_again" ? (["asker"] as const) : []),
    ...(due.identity === "bureau" && findings.bureau.state !== "answered" ? (["bureau"] as const) : []),
    ...(due.identity === "review" && findings.review?.state !== "answered" ? (["person"] as const) : []),
    ...(due.card && findings.card.state !== "answered" ? (["card"] as const) : []),
  ];
  return waitingFor.length > 0 ? { outcome: "pending", waitingFor } : { outcome: "approved" };
}

/** What the policy made of the comparison; a bureau or a person that it called has a check of its own. */
function judgeRecord(record: RecordFinding | undefined): Rejection[] {
  if (record?.gaveUp) return no("identity_unverified");
  if (record?.consequence !== "refuse") return [];
  if (record.match === "not_compared") return no("own_record_tries_exceeded");
  const fields = record.fields.filter(({ result }) => result === "different" || result === "close");
  return no("user_data_differs", {
    fields: fields.map(({ field }) => field).join(", "),
    score: record.score ?? 0,
  });
}

const no = (code: RejectionCode, detail: Rejection["detail"] = {}): Rejection[] => [{ code, detail }];

function judgeDevice(
  { knownModelsOnly, devicePairing }: Pick<RegistrationPolicy, "knownModelsOnly" | "devicePairing">,
  { imei, isKnownModel, pairing }: DeviceFinding,
): Rejection[] {
  if (imei === "malformed") return no("device_identity_malformed");
  if (imei === "test") return no("device_identity_test");
  const fits =
    pairing === "current" ||
    devicePairing === "any" ||
    (devicePairing === "not_elsewhere" && pairing === "never");
  return [
    ...(isKnownModel || !knownModelsOnly ? [] : no("device_model_unknown")),
    ...(fits ? [] : no("device_pairing_not_current", { pairing })),
  ];
}

function judgeFaults(faults: readonly FieldFault[]): Rejection[] {
  const named = (some: readonly FieldFault[]): Rejection["detail"] => ({
    fields: some.map(({ field, code }) => `${field}: ${code}`).join(", "),
  });
  const missing = faults.filter(({ code }) => code === "missing");
  const wrong = faults.filter(({ code }) => code !== "missing");
  return [
    ...(missing.length > 0 ? no("user_data_incomplete", named(missing)) : []),
    ...(wrong.length > 0 ? no("user_data_malformed", named(wrong)) : []),
  ];
}

/**
 * By what the server knows itself: what is on file must agree. With nothing on file there is nothing to agree with, and
 * only a policy that says so takes possession of the SIM for it.
 */
function judgeOwnData(
  { userFields, unknownUser }: Pick<RegistrationPolicy, "userFields" | "unknownUser">,
  differing: Findings["ownData"],
): Rejection[] {
  if (differing === null) return unknownUser === "accept" ? [] : no("user_unknown");
  const decisive = differing.filter((field) => isDecisive(field) || userFields.includes(field));
  return decisive.length > 0 ? no("user_data_differs", { fields: decisive.join(", ") }) : [];
}

/** A move or a new mail address is no other person. */
const DECISIVE: readonly UserField[] = ["givenName", "familyName", "birthdate", "idDocument"];
const isDecisive = (field: string): boolean => isOneOf(DECISIVE, field);

/** What was given, with who somebody is as it was verified: only a verification changes that. */
export const asVerified = (given: UserData, onFile: UserData): UserData => ({
  ...given,
  ...Object.fromEntries(Object.entries(onFile).filter(([field]) => isDecisive(field))),
});

function judgeBureau(
  { identityThreshold }: Pick<RegistrationPolicy, "identityThreshold">,
  bureau: Outside<BureauAnswer>,
): Rejection[] {
  if (bureau.state === "gave_up") return no("identity_unverified");
  if (bureau.state !== "answered") return [];
  // Names of fields come from outside: only those that we know are repeated.
  const fields = USER_FIELDS.filter((field) => bureau.mismatched.includes(field)).join(", ");
  if (bureau.outcome !== "match") return no("identity_mismatch", { fields });
  const { score } = bureau;
  if (score === null) return [];
  if (score >= identityThreshold) return []; // NaN is less than nothing, and so refused
  return no("identity_score_too_low", {
    score: Number.isFinite(score) ? score : -1,
    threshold: identityThreshold,
  });
}

function judgeReview(review: Findings["review"]): Rejection[] {
  if (review?.state === "gave_up") return no("identity_unverified");
  return review?.state === "answered" && review.outcome !== "approved" ? no("identity_refused") : [];
}

function judgeCard({ hasCard, card }: Findings): Rejection[] {
  if (!hasCard) return no("card_missing");
  if (card.state === "gave_up") return no("card_unverified");
  if (card.state !== "answered" || card.outcome === "approved") return [];
  return no("card_refused", card.cause === null ? {} : { cause: card.cause });
}

/** Fields that are given and are another value than the one on file, however either is written. */
export const differingFields = (given: UserData, onFile: UserData): readonly UserField[] =>
  compareUsers(given, onFile).fields.flatMap(({ field, result }) =>
    result === "different" || result === "close" ? [field] : [],
  );
