/** The connectors of the configuration, each watched under what it is for and the host that it was configured with. */
import type { NetworkElement } from "../../kernel/catalog/catalog-item.ts";
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import type { Config } from "../config/config.ts";
import { type MachineKind, type MachineWatch, machineAt } from "./machine-watch.ts";

const ELEMENT_URL = {
  "billing-plan": "billingPlanUrl",
  "voice-mail": "voiceMailUrl",
  forwarding: "forwardingUrl",
  "e-mail": "eMailUrl",
  "hlr-profile": "hlrProfileUrl",
} as const satisfies Readonly<Record<NetworkElement, keyof Config["element"]>>;

export function watchedConnectors(
  connectors: Partial<Connectors>,
  { identity, payment, element, billing, mail }: Config,
  machines: MachineWatch,
): Partial<Connectors> {
  const at = <Port extends object>(
    kind: MachineKind,
    url: string | undefined,
    port: Port | undefined,
  ): Port | undefined => port && machines.watch(machineAt(kind, url), port);
  const { bureauOf, paymentProviderOf, serviceAt, elementOf, billingOf, mailOf, peerAt } = connectors;
  return {
    ...(bureauOf && { bureauOf: (of) => at("identity", identity.url, bureauOf(of)) }),
    ...(paymentProviderOf && {
      paymentProviderOf: (of) => at("payment", payment.url, paymentProviderOf(of)),
    }),
    ...(serviceAt && { serviceAt: (of, uri) => at("service", uri, serviceAt(of, uri)) }),
    ...(elementOf && {
      elementOf: (of, name) => at("element", element[ELEMENT_URL[name]] ?? element.url, elementOf(of, name)),
    }),
    ...(billingOf && { billingOf: (of) => at("billing", billing.url, billingOf(of)) }),
    ...(mailOf && {
      mailOf: (of) => at("mail", mail.host && `smtp://${mail.host}:${mail.port}`, mailOf(of)),
    }),
    ...(peerAt && { peerAt: (of, origin) => at("peer", origin, peerAt(of, origin)) }),
  };
}
