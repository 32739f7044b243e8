/** The kinds of jobs that this server runs, and of approvals that it carries out: one list each, a line a kind. */
import type { HttpDeps } from "../../http/ports.ts";
import { refuseFailing } from "../../http/v1/policy/policy-change.ts";
import { importApproval, importJob } from "../../store/dataset/import-job.ts";
import { reviewedModelsApproval } from "../../store/dataset/reviewed-models.ts";
import { settingsImportApproval, settingsImportJob } from "../../store/dataset/settings-import.ts";
import { equipmentImportApproval, equipmentImportJob } from "../../store/equipment/list-import.ts";
import type { ApprovalKind } from "../../store/jobs/approvals.ts";
import type { JobKind } from "../../store/jobs/job-kind.ts";
import type { JobDesk } from "../../store/jobs/jobs.ts";
import { policyApprovals } from "../../store/operator/policies.ts";
import { verdictChange } from "./import-verdicts.ts";
import type { Stores } from "./open-stores.ts";
import { policyComparisonKind } from "./policy-comparison.ts";
import { policyReplayKind } from "./policy-replay-job.ts";

type KindDeps = Pick<Stores, "database" | "sealer" | "newId" | "clock" | "knowledge" | "termsOf">;

export const jobKinds = (deps: KindDeps): readonly JobKind[] => [
  importJob({
    ...deps,
    verdicts: (operatorId, staged) =>
      verdictChange({ ...deps, knowledgeOf: () => deps.knowledge }, operatorId, staged),
  }),
  settingsImportJob(deps),
  policyReplayKind(deps),
  policyComparisonKind(deps),
  equipmentImportJob(deps),
];

export const approvalKinds = (deps: KindDeps, jobs: JobDesk): readonly ApprovalKind[] => [
  importApproval(deps, jobs),
  reviewedModelsApproval(deps),
  settingsImportApproval(deps, jobs),
  equipmentImportApproval(deps, jobs),
  policyApprovals({
    ...deps,
    check: (operatorId, body) => refuseFailing({ policyTests: policyTestsOf(deps) }, operatorId, body),
  }),
];

/** The tests that a policy carries, asked of what is known of devices now. */
export const policyTestsOf = ({
  knowledge,
  termsOf,
  clock,
}: Pick<KindDeps, "knowledge" | "termsOf" | "clock">): HttpDeps["policyTests"] => ({
  failing: async (operatorId, policy) => knowledge.failingTests(await termsOf(operatorId), policy, clock()),
});
