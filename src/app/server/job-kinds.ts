/** The kinds of jobs that this server runs, and of approvals that it carries out: one list each, a line a kind. */
import type { ApprovalKind } from "../../store/jobs/approvals.ts";
import type { JobKind } from "../../store/jobs/job-kind.ts";
import type { Stores } from "./open-stores.ts";

type KindDeps = Pick<Stores, "database" | "newId" | "clock">;

export const jobKinds = (_deps: KindDeps): readonly JobKind[] => [];

export const approvalKinds = (_deps: KindDeps): readonly ApprovalKind[] => [];
