/** The operator's policy: one value, versioned; a change names the version that it was made from. */
import Type, { type Static } from "typebox";
import type { Proposed, Versioned } from "../../kernel/account/registry.ts";
import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import { changedMeanwhile, ifMatchOf, isAmong, requiredIfMatch, versionEtag } from "../etag.ts";
import { type Answer, ok, route } from "../route.ts";
import { anything, instantOrNull, named, text, textOrNull } from "../schema.ts";
import { authorOf, changePolicy, patchedPolicy } from "./policy/policy-change.ts";
import { Policy, PolicyPut, wholePolicy } from "./policy/policy-schema.ts";
import type { RequestPolicySchema } from "./request-policy.ts";

const REASON_CHARACTERS_MAX = 400;

export const versionFields = {
  version: Type.Integer({ description: "0 is the policy shipped with the product." }),
  madeBy: textOrNull(),
  madeAt: instantOrNull(),
  reason: textOrNull({ description: "Why it was made; null where nobody said." }),
};
export const PolicyVersion = named("PolicyVersion", Type.Object({ ...versionFields, body: Policy }));
type Whole = Static<typeof PolicyVersion>;
type PolicyAnswer = Answer<Whole | ({ readonly state: "waiting" } & Proposed)>;
/** What it is where it is done at once; FOUR_EYES says what it is else. */
export const PolicyChanged = Type.Unsafe<PolicyAnswer["body"]>(PolicyVersion);

/** What a change is told with. */
const reasonQuery = {
  reason: Type.Optional(text("Why, for the history of the policy.", REASON_CHARACTERS_MAX)),
};

const written = ({ body, ...version }: Versioned<OrderPolicy>): Whole => ({
  ...version,
  body: {
    ...body,
    listedModels: [...body.listedModels],
    markets: [...body.markets],
    // The same value; the schema's type does not say that nobody writes to it.
    request: body.request as Static<typeof RequestPolicySchema>,
  },
});

export const FOUR_EYES =
  "Where the policy in force wants a second person (`policyChanges`), the answer is 202 with the `approvalId` that it waits for, and nothing has changed yet: POST /v1/approvals/{id}.";

/** Besides a change that is in force. */
export const WAITING = { 202: { words: "A second person has to agree first." } };

/** 202 where a second person has to agree first. */
export const changedAnswer = (changed: Awaited<ReturnType<typeof changePolicy>>): PolicyAnswer =>
  "live" in changed
    ? answered(changed.live)
    : { status: 202, body: { state: "waiting", ...changed.waiting } };

export const answered = (version: Versioned<OrderPolicy>): Answer<Whole> =>
  ok(written(version), { etag: versionEtag(version.version) });

export const getPolicy = route({
  method: "GET",
  path: "/v1/policy",
  summary: "The policy in force, with its ETag",
  tag: "policy",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: PolicyVersion,
  async handle({ policies }, { caller }) {
    return answered(await policies.current(caller.operatorId));
  },
});

export const putPolicy = route({
  method: "PUT",
  path: "/v1/policy",
  summary: "Put a new version of the policy in force; every version is kept",
  description: FOUR_EYES,
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: [
    "precondition_required",
    "precondition_failed",
    "unconfirmed_not_allowed",
    "policy_test_failed",
    "person_unknown",
  ],
  status: 200,
  query: reasonQuery,
  body: PolicyPut,
  answer: PolicyChanged,
  otherwise: WAITING,
  async handle(deps, { body: given, query, caller, request }): Promise<PolicyAnswer> {
    const wanted = requiredIfMatch(request);
    const inForce = await deps.policies.current(caller.operatorId);
    const body = wholePolicy(given, inForce.body);
    if (!isAmong(wanted, versionEtag(inForce.version))) throw changedMeanwhile();
    return changedAnswer(
      await changePolicy(deps, authorOf(caller), { inForce, body, reason: query.reason ?? null }),
    );
  },
});

export const patchPolicy = route({
  method: "PATCH",
  path: "/v1/policy",
  summary: "Change members of the policy: a new version is in force, with all else as it was",
  description:
    "JSON Merge Patch (RFC 7396): what is named takes the place of what is there, member by member, and a list is one value. null takes a member back: it is null where it may be, else as it ships. With If-Match the change is made from that version alone. " +
    FOUR_EYES,
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["precondition_failed", "unconfirmed_not_allowed", "policy_test_failed", "person_unknown"],
  status: 200,
  consumes: ["application/merge-patch+json"],
  query: reasonQuery,
  body: Type.Unsafe<unknown>(anything("Members of Policy, at any depth.")),
  answer: PolicyChanged,
  otherwise: WAITING,
  async handle(deps, { body: patch, query, caller, request }): Promise<PolicyAnswer> {
    const wanted = ifMatchOf(request);
    const inForce = await deps.policies.current(caller.operatorId);
    if (wanted && !isAmong(wanted, versionEtag(inForce.version))) throw changedMeanwhile();
    const body = patchedPolicy(inForce.body, patch);
    return changedAnswer(
      await changePolicy(deps, authorOf(caller), { inForce, body, reason: query.reason ?? null }),
    );
  },
});
