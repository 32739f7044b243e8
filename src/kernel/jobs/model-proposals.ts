/** Rows about models that no list names, proposed by one person or by what handsets say, and approved before they count. */
import type { Acting } from "../account/person.ts";

export type ProposedRow = {
  readonly tac: string;
  readonly make: string;
  readonly model: string;
  /** Of the maker, where they are known. */
  readonly modelCodes: readonly string[];
  readonly releasedYear: number | null;
};

/** Rows of one approval: a person has to be able to look at each. */
export const PROPOSED_ROWS_MAX = 200;

export interface ModelProposals {
  /**
   * Asks for an approval; the rows are the operator's own data from the moment in which it is given.
   * @throws TurnupError `dataset_malformed`: a TAC twice
   */
  ask(
    operatorId: string,
    asked: { readonly rows: readonly ProposedRow[]; readonly reason: string; readonly askedBy: Acting },
  ): Promise<{ readonly approvalId: string; readonly expiresAt: string }>;
}
