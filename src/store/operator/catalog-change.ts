/** One change of the catalog within its transaction. */
import type { Db } from "../database/database.ts";

/** Who changes what in which transaction. */
export type Change = {
  readonly tx: Db;
  readonly operatorId: string;
  readonly actor: string;
  readonly at: Date;
  readonly note: (
    action: string,
    subject: string,
    detail?: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
};
