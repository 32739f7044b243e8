/**
 * The connectors to other companies' machines, which may be opened anew while calls are under way: a call ends at the port that it
 * began with, the next one asks for its port here.
 */
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import { createRetired } from "./retired.ts";

type Open = { readonly connectors: Connectors; close(): unknown };

export function liveConnectors(first: Open) {
  let current = first;
  const retired = createRetired();
  const connectors: Connectors = {
    bureauOf: (of) => current.connectors.bureauOf(of),
    paymentProviderOf: (of) => current.connectors.paymentProviderOf(of),
    serviceAt: (of, uri) => current.connectors.serviceAt(of, uri),
    elementOf: (of, element) => current.connectors.elementOf(of, element),
    billingOf: (of) => current.connectors.billingOf(of),
    mailOf: (of) => current.connectors.mailOf(of),
  };
  return {
    connectors,
    change(next: Open): void {
      retired.add(current);
      current = next;
    },
    async close(): Promise<void> {
      await retired.close();
      await current.close();
    },
  };
}
