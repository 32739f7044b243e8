/** Asks for an approval, in the transaction that writes what waits for it. */
import { type Acting, knownPerson } from "../../kernel/account/person.ts";
import type { Role } from "../../kernel/account/role.ts";
import type { Tx } from "../database/database.ts";
import { tellAll } from "../node/change-channel.ts";
import { noteIn } from "../operator/audited.ts";

/** As word of it goes to all servers. */
export const APPROVAL_NEWS = "approval";

export type ApprovalAsked = {
  readonly operatorId: string;
  readonly kind: string;
  /** The id of what waits for it: one approval at a time is asked for of one kind and subject. */
  readonly subject: string;
  /** What it would do, in a sentence. */
  readonly title: string;
  /** The same with its figures; no identifier of a person, no secret. */
  readonly summary: unknown;
  /** SHA-256 of what would be done. */
  readonly digest: Uint8Array;
  /** Why it is asked. */
  readonly reason: string;
  readonly roles: readonly Role[];
  /** Whether it has to be another person than who asks. */
  readonly secondPerson: boolean;
  readonly askedBy: Acting;
  readonly expiresAt: Date;
};

const INSERT_APPROVAL = {
  name: "insert_approval", // approval_once
  text: `insert into approval (id, operator_id, kind, subject, state, title, summary, digest, reason, roles, second_person,
                               asked_by, asked_by_person, asked_by_vouched, asked_at, expires_at)
         values ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
};

/**
 * Answers its id.
 * @throws TurnupError `person_unknown`: a second person is needed, and nobody could tell who that would be
 */
export async function askApproval(
  tx: Tx,
  deps: { readonly newId: () => string; readonly clock: () => Date },
  asked: ApprovalAsked,
): Promise<string> {
  const { operatorId, kind, subject, title, reason, secondPerson, askedBy, expiresAt } = asked;
  if (secondPerson) knownPerson(askedBy);
  const id = deps.newId();
  await tx.run(INSERT_APPROVAL, [
    ...[
      id,
      operatorId,
      kind,
      subject,
      title,
      JSON.stringify(asked.summary),
      Buffer.from(asked.digest),
      reason,
    ],
    ...[asked.roles, secondPerson, askedBy.label, askedBy.person, askedBy.vouchedBy, deps.clock(), expiresAt],
  ]);
  await noteIn(deps)(tx, operatorId, {
    actor: askedBy.label,
    action: "approval.ask",
    subject: id,
    detail: { kind, of: subject, title, reason, ...(askedBy.person !== null && { person: askedBy.person }) },
  });
  tellAll(tx, { kind: APPROVAL_NEWS, operatorId, version: 0 });
  return id;
}
