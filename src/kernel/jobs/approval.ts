/**
 * An approval: what somebody wants done and another person has to agree to. It says what would be done, by whose wish and why, waits
 * for a limited time, and is carried out in the transaction in which it is approved, once.
 *
 *   waiting ── another person, of a role that may ── approved (and carried out) | refused
 *      ├── nobody in time ── expired
 *      └── what it is about is gone ── withdrawn
 */
import { TurnupError } from "../../term/error.ts";
import { type Acting, checkSecondPerson } from "../account/person.ts";
import type { RegistryPage, RegistryRows } from "../account/registry.ts";
import type { Role } from "../account/role.ts";

export const APPROVAL_STATES = ["waiting", "approved", "refused", "expired", "withdrawn"] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export type ApprovalView = {
  readonly id: string;
  readonly kind: string;
  /** The id of what waits for it. */
  readonly subject: string;
  readonly state: ApprovalState;
  /** What it would do, in a sentence. */
  readonly title: string;
  /** The same with its figures, as it was when it was asked for. */
  readonly summary: unknown;
  /** SHA-256 of what would be done, hexadecimal. */
  readonly digest: string;
  readonly reason: string;
  readonly roles: readonly Role[];
  /** False: whoever asked may say yes too. */
  readonly secondPerson: boolean;
  readonly askedBy: string;
  readonly askedByPerson: string | null;
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly decidedBy: string | null;
  readonly decidedByPerson: string | null;
  readonly decidedAt: string | null;
  readonly decisionReason: string | null;
};

export type Decision = {
  readonly outcome: "approved" | "refused";
  readonly reason: string;
  /** What whoever decides has looked at; nothing is done where something else would be. */
  readonly digest?: string | undefined;
};
/** Who decides, and as what. */
export type Decider = Acting & { readonly role: Role };

type ApprovalFilter = { readonly kind?: string | undefined; readonly state?: ApprovalState | undefined };

export interface Approvals {
  list(operatorId: string, filter: ApprovalFilter, page: RegistryPage): Promise<RegistryRows<ApprovalView>>;
  find(operatorId: string, approvalId: string): Promise<ApprovalView | undefined>;
  /**
   * Approved, it is carried out in the same transaction.
   * @throws TurnupError `approval_not_found`, `approval_decided`, `approval_changed`, `role_not_allowed`, `second_person_needed`,
   * `person_unknown`, and what its kind refuses
   */
  decide(operatorId: string, approvalId: string, decision: Decision, decider: Decider): Promise<ApprovalView>;
}

/** What of a waiting approval says who may decide about it. */
type Asked = {
  readonly roles: readonly Role[];
  readonly digest: string;
  readonly secondPerson: boolean;
  readonly person: string | null;
  readonly vouchedBy: readonly string[];
};

/**
 * Whether this person may decide so. Whoever asked may take it back; that needs no second one.
 * @throws TurnupError `role_not_allowed`, `approval_changed`, `second_person_needed`, `person_unknown`
 */
export function checkDecision(asked: Asked, { outcome, digest }: Decision, decider: Decider): void {
  if (!asked.roles.includes(decider.role))
    throw new TurnupError("role_not_allowed", `A token of role ${decider.role} may not decide about this.`, {
      nextStep: `Let somebody of role ${asked.roles.join(" or ")} decide.`,
    });
  if (digest !== undefined && digest !== asked.digest)
    throw new TurnupError(
      "approval_changed",
      "This approval is about something else than what was looked at.",
      {
        nextStep: "GET the approval again, look at its summary, and decide about its digest.",
      },
    );
  if (outcome === "refused" || !asked.secondPerson) return;
  if (asked.person === null)
    throw new TurnupError("second_person_needed", "It is not known which person asked for this.", {
      nextStep: "Refuse it, and ask again with a token that names its person.",
    });
  checkSecondPerson({ person: asked.person, vouchedBy: asked.vouchedBy }, decider);
}
