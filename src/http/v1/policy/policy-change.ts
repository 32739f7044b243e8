/**
 * How a policy is changed, by whichever door and whoever asks: what is given becomes a whole policy, contradictions and failing
 * tests of its own are refused, and only the version that was read is followed by the next one.
 */
import { type Acting, actingOf } from "../../../kernel/account/person.ts";
import type { Proposed, Versioned } from "../../../kernel/account/registry.ts";
import type { Caller, Role } from "../../../kernel/account/role.ts";
import { unreadableWords } from "../../../kernel/consent/read-reply.ts";
import { isMembers, mergePatch } from "../../../kernel/operator/merge-patch.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../../../kernel/operator/policy.ts";
import { policyChanges } from "../../../kernel/operator/policy-diff.ts";
import { isTimeZone } from "../../../kernel/operator/quiet-hours.ts";
import { RETAINED_KINDS, type RetentionPolicy } from "../../../kernel/operator/retention.ts";
import type { FailedPolicyTest, PolicyTest } from "../../../kernel/support/policy-tests.ts";
import { isCalendarDay } from "../../../term/calendar.ts";
import { TurnupError } from "../../../term/error.ts";
import { parseImei } from "../../../term/imei.ts";
import { changedMeanwhile } from "../../etag.ts";
import type { HttpDeps } from "../../ports.ts";
import { type FieldError, InvalidRequest, PolicyTestsFailed } from "../../problem.ts";
import { bodyOf } from "../../validation.ts";
import { policyKeys } from "./policy-keys.ts";
import { Policy } from "./policy-schema.ts";

type PolicyDeps = Pick<HttpDeps, "policies" | "policyTests">;
type PolicyAuthor = Pick<Caller, "operatorId" | "role"> & { readonly acting: Acting };
export const authorOf = (caller: Caller): PolicyAuthor => ({ ...caller, acting: actingOf(caller) });
/** What became of it: the version in force now, or the approval of a second person that it waits for. */
type Changed = { readonly live: Versioned<OrderPolicy> } | { readonly waiting: Proposed };
/** What is to go live, from which version, by whom and why. */
type PolicyWish = {
  readonly inForce: Versioned<OrderPolicy>;
  readonly body: OrderPolicy;
  readonly reason: string | null;
};

/**
 * Puts the next version in force, or asks a second person for it where the one in force wants one.
 * @throws InvalidRequest what each field allows, and all of them together do not
 * @throws PolicyTestsFailed a test of its own, or several
 * @throws TurnupError `precondition_failed`: another version is in force by now; `person_unknown`: two are needed
 */
export async function changePolicy(
  deps: PolicyDeps,
  { operatorId, role, acting }: PolicyAuthor,
  { inForce, body, reason }: PolicyWish,
): Promise<Changed> {
  refuseContradictions(body);
  refuseRetentionOf(role, inForce.body.retention, body.retention);
  await refuseFailing(deps, operatorId, body);
  const { secondPerson, approvalHours: hours } = inForce.body.policyChanges;
  if (!secondPerson) {
    const by = { actor: acting.label, reason };
    const live = await deps.policies.put(operatorId, inForce.version, body, by);
    if (!live) throw changedMeanwhile();
    return { live };
  }
  const changes = policyChanges(inForce.body, body).filter(({ key }) => key !== "tests"); // which may name a handset
  const keys = changes.map(({ key }) => key).join(", ") || "its tests";
  const title = `Changes the policy: ${keys.slice(0, TITLE_CHARACTERS_MAX)}.`;
  const proposal = { expected: inForce.version, body, askedBy: acting, reason, title, hours };
  const summary = { fromVersion: inForce.version, changes };
  const waiting = await deps.policies.propose(operatorId, { ...proposal, summary });
  if (!waiting) throw changedMeanwhile();
  return { waiting };
}
const TITLE_CHARACTERS_MAX = 160;

/** @throws PolicyTestsFailed */
export async function refuseFailing(
  deps: Pick<HttpDeps, "policyTests">,
  operatorId: string,
  body: OrderPolicy,
): Promise<void> {
  const failed = await failingTests(deps, operatorId, body);
  if (failed.length > 0) throw new PolicyTestsFailed(failed);
}

/** Those of the policy's own tests that fail under it; a policy without any is asked of nobody. */
export const failingTests = async (
  { policyTests }: Pick<PolicyDeps, "policyTests">,
  operatorId: string,
  body: OrderPolicy,
): Promise<readonly FailedPolicyTest[]> =>
  body.tests.length === 0 ? [] : policyTests.failing(operatorId, body);

/**
 * The policy with a merge patch (RFC 7396). A member that the patch takes away by null is null where it may be, and else as it
 * ships: no policy is without it.
 * @throws InvalidRequest the outcome is no policy
 */
export function patchedPolicy(inForce: OrderPolicy, patch: unknown): OrderPolicy {
  if (!isMembers(patch) || isDeeper(patch, PATCH_LEVELS_MAX))
    throw new InvalidRequest([{ at: "body", wanted: "an object: the members to be changed (RFC 7396)" }]);
  const nullable = new Set(policyKeys().flatMap(({ key, isNullable }) => (isNullable ? [key] : [])));
  const merged = restored(mergePatch(inForce, patch), { patch, shipped: DEFAULT_POLICY, key: "", nullable });
  return bodyOf(Policy, merged);
}

/** More than any policy has: what lies deeper is none of its members. */
const PATCH_LEVELS_MAX = 20;
const isDeeper = (value: unknown, levels: number): boolean =>
  isMembers(value) && (levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1)));

type TakenAway = {
  readonly patch: unknown;
  readonly shipped: unknown;
  readonly key: string;
  readonly nullable: ReadonlySet<string>;
};

function restored(merged: unknown, { patch, shipped, key, nullable }: TakenAway): unknown {
  if (!isMembers(merged) || !isMembers(patch)) return merged;
  const members = new Map(Object.entries(merged));
  for (const [name, asked] of Object.entries(patch)) {
    const path = key === "" ? name : `${key}.${name}`;
    const asShipped = isMembers(shipped) ? shipped[name] : undefined;
    if (asked === null && nullable.has(path)) members.set(name, null);
    else if (asked === null && asShipped !== undefined) members.set(name, asShipped);
    else if (asked !== null)
      members.set(name, restored(merged[name], { patch: asked, shipped: asShipped, key: path, nullable }));
  }
  return Object.fromEntries(members);
}

/** Whoever may change what is sent may not thereby let what was done be forgotten. @throws TurnupError `role_not_allowed` */
function refuseRetentionOf(role: Role, before: RetentionPolicy, after: RetentionPolicy): void {
  if (role === "admin" || RETAINED_KINDS.every((kind) => before[kind] === after[kind])) return;
  throw new TurnupError("role_not_allowed", `The role ${role} may not change how long data is kept.`, {
    nextStep: "Leave retention as it is, or use a token of the role admin.",
  });
}

/** What each field allows, and all of them together do not. @throws InvalidRequest */
export function refuseContradictions({ quietHours, request, smsLimits, tests }: OrderPolicy): void {
  const faults: FieldError[] = tests.flatMap(faultsOfTest);
  const unreadable = unreadableWords({ accept: request.acceptWords, decline: request.declineWords });
  if (unreadable.length > 0) {
    const at = "body/request/acceptWords and declineWords";
    faults.push({ at, wanted: `one meaning a word, and that of every operator: ${unreadable.join(", ")}` });
  }
  if (smsLimits.costMicrosPerDay !== null && smsLimits.prices === null)
    faults.push({ at: "body/smsLimits/prices", wanted: "prices, by which costMicrosPerDay is counted" });
  if (quietHours) {
    const { from, to, timeZone, timeZones } = quietHours;
    if (from === to) faults.push({ at: "body/quietHours/to", wanted: "another time than from" });
    for (const zone of [timeZone, ...Object.values(timeZones)].filter((name) => !isTimeZone(name)))
      faults.push({ at: "body/quietHours", wanted: `a time zone of the IANA database in place of ${zone}` });
  }
  if (faults.length > 0) throw new InvalidRequest(faults);
}

function faultsOfTest({ imei, tac, model, asOf }: PolicyTest, index: number): readonly FieldError[] {
  const at = `body/tests/${index}`;
  const faults: FieldError[] = [];
  if ([imei, tac, model].filter((one) => one !== undefined).length !== 1)
    faults.push({ at, wanted: "just one of imei, tac and model" });
  if (imei !== undefined && !isImei(imei))
    faults.push({ at: `${at}/imei`, wanted: "15 digits of a sold device" });
  if (model !== undefined && !/^[^/*]+\/[^*]+$/.test(model))
    faults.push({ at: `${at}/model`, wanted: "make/model" });
  if (asOf !== undefined && !isCalendarDay(asOf))
    faults.push({ at: `${at}/asOf`, wanted: "a day, YYYY-MM-DD" });
  return faults;
}

function isImei(text: string): boolean {
  try {
    parseImei(text);
    return true;
  } catch (error) {
    if (error instanceof TurnupError) return false;
    throw error;
  }
}
