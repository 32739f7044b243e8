/** The policy's versions: who made each and why, what differs between two, and a former one put in force again. */
import Type from "typebox";
import type { Versioned } from "../../../kernel/account/registry.ts";
import type { OrderPolicy } from "../../../kernel/operator/policy.ts";
import { policyChanges } from "../../../kernel/operator/policy-diff.ts";
import { TurnupError } from "../../../term/error.ts";
import type { HttpDeps } from "../../ports.ts";
import { ok, route } from "../../route.ts";
import { anything, named, page, pageLimit, text } from "../../schema.ts";
import {
  answered,
  changedAnswer,
  FOUR_EYES,
  PolicyChanged,
  PolicyVersion,
  versionFields,
  WAITING,
} from "../policy.ts";
import {
  authorOf,
  changePolicy,
  failingTests,
  patchedPolicy,
  refuseContradictions,
} from "./policy-change.ts";

const VERSIONS_DEFAULT = 100;
const shared = { tag: "policy", status: 200 } as const;
const READERS = ["admin", "engineer", "care"] as const;

const PolicyChange = named(
  "PolicyChange",
  Type.Object({
    key: Type.String({ description: "Members on the way to it, with dots: `request.fraud.place`." }),
    before: Type.Optional(anything("Left out: it was not there.")),
    after: Type.Optional(anything("Left out: it is not there any more.")),
  }),
);

const versionNumber = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 2_147_483_647, description });

/** @throws TurnupError `policy_version_not_found` */
export async function versionNamed(
  { policies }: Pick<HttpDeps, "policies">,
  operatorId: string,
  version: number,
): Promise<Versioned<OrderPolicy>> {
  const found = await policies.version(operatorId, version);
  if (found) return found;
  throw new TurnupError("policy_version_not_found", `The policy has no version ${version}.`, {
    nextStep: "GET /v1/policy/versions, or `turnup policy history`, lists them.",
  });
}

export const listPolicyVersions = route({
  ...shared,
  method: "GET",
  path: "/v1/policy/versions",
  summary: "The versions of the policy, newest first: who made each, when and why, and which keys it changed",
  roles: READERS,
  errors: [],
  query: {
    limit: pageLimit,
    cursor: Type.Optional(
      Type.String({ pattern: "^[0-9]{1,9}$", description: "`nextCursor` of the page before." }),
    ),
  },
  answer: page(
    Type.Object({
      ...versionFields,
      changed: Type.Array(Type.String(), { description: "Keys that differ from the version before." }),
    }),
  ),
  async handle({ policies }, { query: { limit = VERSIONS_DEFAULT, cursor }, caller: { operatorId } }) {
    const before = cursor === undefined ? undefined : Number(cursor);
    const found = await policies.versions(operatorId, { limit: limit + 1, before });
    const shown = found.slice(0, limit);
    const rows = await Promise.all(
      shown.map(async ({ body, ...version }, at) => {
        const former = found[at + 1] ?? (await policies.version(operatorId, version.version - 1));
        const changed = policyChanges(former?.body, body).map(({ key }) => key);
        return { ...version, changed };
      }),
    );
    return ok({ rows, nextCursor: found.length > limit ? String(shown.at(-1)?.version ?? 0) : null });
  },
});

export const getPolicyVersion = route({
  ...shared,
  method: "GET",
  path: "/v1/policy/versions/:version",
  summary: "One version of the policy, whole",
  roles: READERS,
  errors: ["policy_version_not_found"],
  params: { version: versionNumber("0 is the policy shipped with the product.") },
  answer: PolicyVersion,
  async handle(deps, { params, caller }) {
    return answered(await versionNamed(deps, caller.operatorId, params.version));
  },
});

export const diffPolicy = route({
  ...shared,
  method: "GET",
  path: "/v1/policy/diff",
  summary: "What differs between two versions of the policy, key by key",
  roles: READERS,
  errors: ["policy_version_not_found"],
  query: {
    from: Type.Optional(versionNumber("The version before; the one before `to`, where it is not given.")),
    to: Type.Optional(versionNumber("The version after; the one in force, where it is not given.")),
  },
  answer: Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(PolicyChange) }),
  async handle(deps, { query: { from, to }, caller: { operatorId } }) {
    const after = await (to === undefined
      ? deps.policies.current(operatorId)
      : versionNamed(deps, operatorId, to));
    const before = await versionNamed(deps, operatorId, from ?? Math.max(0, after.version - 1));
    const changes = [...policyChanges(before.body, after.body)];
    return ok({ from: before.version, to: after.version, changes });
  },
});

export const tryPolicy = route({
  ...shared,
  method: "POST",
  path: "/v1/policy/diff",
  summary:
    "What a change of the policy would change, and which of the policy's tests would fail; nothing is put in force",
  roles: ["admin", "engineer"],
  errors: [],
  consumes: ["application/merge-patch+json"],
  body: Type.Unsafe<unknown>(anything("Members of Policy, at any depth, as PATCH /v1/policy takes them.")),
  answer: Type.Object({
    from: Type.Integer({ description: "The version in force." }),
    changes: Type.Array(PolicyChange),
    failing: Type.Array(
      Type.Object({
        at: Type.Integer({ description: "Its place in the list of tests, from 0." }),
        name: Type.String(),
        wanted: Type.String(),
        said: Type.String({ description: "What the rules say instead." }),
      }),
    ),
  }),
  async handle(deps, { body: patch, caller: { operatorId } }) {
    const { version, body } = await deps.policies.current(operatorId);
    const wanted = patchedPolicy(body, patch);
    refuseContradictions(wanted);
    const failing = await failingTests(deps, operatorId, wanted);
    return ok({ from: version, changes: [...policyChanges(body, wanted)], failing: [...failing] });
  },
});

export const rollBackPolicy = route({
  ...shared,
  method: "POST",
  path: "/v1/policy/rollback",
  summary: "Put a former version of the policy in force again, as the next version",
  description:
    "Nothing is undone and no version goes: what the former one said is said again, with its author and reason. Its tests are asked as of any other change. " +
    FOUR_EYES,
  roles: ["admin", "engineer"],
  errors: [
    "policy_version_not_found",
    "precondition_failed",
    "unconfirmed_not_allowed",
    "policy_test_failed",
    "person_unknown",
  ],
  body: Type.Object(
    {
      version: versionNumber("The version whose content is to hold again; 0: as shipped."),
      reason: Type.Optional(text("Why, for the history of the policy.", 400)),
    },
    { additionalProperties: false },
  ),
  answer: PolicyChanged,
  otherwise: WAITING,
  async handle(deps, { body: { version, reason }, caller }) {
    const former = await versionNamed(deps, caller.operatorId, version);
    const inForce = await deps.policies.current(caller.operatorId);
    const wish = { inForce, body: former.body, reason: reason ?? `rolled back to version ${version}` };
    return changedAnswer(await changePolicy(deps, authorOf(caller), wish));
  },
});
