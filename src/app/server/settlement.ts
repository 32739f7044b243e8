/** What pays manufacturers, on the database that a command opened. */
import { createCollectionReturns } from "../../store/settlement/collection-returns.ts";
import { createCollections } from "../../store/settlement/collections.ts";
import { createCreditors } from "../../store/settlement/creditors.ts";
import { createDisputes } from "../../store/settlement/disputes.ts";
import { createPaymentDesk } from "../../store/settlement/payment-desk.ts";
import { createStatements } from "../../store/settlement/statements.ts";
import type { OperatorStore } from "./operator-store.ts";

export function settlementOf({ store: { database, sealer }, newId, clock }: OperatorStore) {
  const deps = { database, sealer, newId, clock };
  return {
    creditors: createCreditors(deps),
    payments: createPaymentDesk(deps),
    disputes: createDisputes(deps),
    statements: createStatements(database),
    collections: createCollections(deps),
    returns: createCollectionReturns(deps),
  };
}
