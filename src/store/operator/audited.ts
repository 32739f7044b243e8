/** What every store of an operator's words works with: each change stands in the audit. */
import type { Database, Db } from "../database/database.ts";
import type { ChangeChannel } from "../node/change-channel.ts";
import type { Sealer } from "../seal/seal.ts";

export type RegistryDeps = {
  readonly database: Database;
  /** Told of what is written here before it is answered; without it nothing here is remembered. */
  readonly changes?: Pick<ChangeChannel, "tellHere"> | undefined;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};
export const INSERT_AUDIT = {
  name: "insert_audit",
  text: "insert into audit (id, operator_id, actor, action, subject, detail, at) values ($1, $2, $3, $4, $5, $6, $7)",
};

export type Note = (
  db: Db,
  operatorId: string,
  what: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly detail?: Readonly<Record<string, unknown>>;
  },
) => Promise<void>;

export const noteIn =
  ({ newId, clock }: Pick<RegistryDeps, "newId" | "clock">): Note =>
  async (db, operatorId, { actor, action, subject, detail = {} }) => {
    await db.run(INSERT_AUDIT, [
      newId(),
      operatorId,
      actor,
      action,
      subject,
      JSON.stringify(detail),
      clock(),
    ]);
  };
