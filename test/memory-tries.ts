/** Tries of cards in memory, for doors without a database: none is ever too many. */
import type { CardTries } from "../src/kernel/account/card-tries.ts";

export const freeTries = (): CardTries & { readonly ended: string[] } => {
  const ended: string[] = [];
  return {
    ended,
    begin: async () => ({ kind: "go", tryId: "try" }),
    end: async (_operatorId, _tryId, outcome) => void ended.push(outcome),
  };
};
