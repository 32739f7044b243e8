/** The operator's own Wi-Fi networks: sent with settings to models whose format has a place for them. */
import Type, { type Static } from "typebox";
import {
  WIRELESS_SECURITY,
  type WirelessNetwork,
  wirelessFault,
} from "../../kernel/settings/wireless-network.ts";
import { TurnupError } from "../../term/error.ts";
import { InvalidRequest } from "../problem.ts";
import { REDACTED } from "../redact.ts";
import { created, gone, ok, route } from "../route.ts";
import { id, named, text, textOrNull, words } from "../schema.ts";

const shown = {
  name: text("What the phone shows.", 80),
  ssid: text("1 to 32 octets.", 32),
  security: words(WIRELESS_SECURITY, "wpa_psk: WPA or WPA2 with a passphrase."),
  hidden: Type.Boolean({ description: "It does not tell its name by itself." }),
  models: Type.Array(text("make/model, make/prefix* or make/*.", 200), {
    maxItems: 500,
    description: "For these models alone; empty: for every model that takes one.",
  }),
};
const Network = named(
  "WirelessNetwork",
  Type.Object({
    id: Type.String(),
    ...shown,
    key: textOrNull({ description: "*** unless the role is admin." }),
  }),
);
export const WirelessNetworkIn = Type.Object(
  {
    ...shown,
    hidden: Type.Optional(shown.hidden),
    models: Type.Optional(shown.models),
    key: Type.Optional(text("Kept sealed; needed unless it is open.", 63)),
  },
  { additionalProperties: false },
);

/** As it is kept, whichever way it was given. @throws InvalidRequest */
export function ownWirelessNetwork(
  body: Static<typeof WirelessNetworkIn>,
  networkId: string,
): WirelessNetwork {
  const { name, ssid, security, hidden = false, models = [], key = null } = body;
  const network = { id: networkId, name, ssid, security, hidden, models, key };
  const fault = wirelessFault(network);
  if (fault) throw new InvalidRequest([{ at: `body/${fault.at}`, wanted: fault.wanted }]);
  return network;
}

export const writtenNetwork = ({ key, models, ...network }: WirelessNetwork, seesSecrets: boolean) => ({
  ...network,
  models: [...models],
  key: key === null || seesSecrets ? key : REDACTED,
});

export const listWirelessNetworks = route({
  method: "GET",
  path: "/v1/wireless-networks",
  summary: "The operator's own Wi-Fi networks",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({ wirelessNetworks: Type.Array(Network) }),
  async handle({ wirelessNetworks }, { caller }) {
    const networks = await wirelessNetworks.list(caller.operatorId);
    return ok({ wirelessNetworks: networks.map((one) => writtenNetwork(one, caller.role === "admin")) });
  },
});

export const addWirelessNetwork = route({
  method: "POST",
  path: "/v1/wireless-networks",
  summary: "Add a Wi-Fi network: it goes with the settings of models whose format has a place for one",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: [],
  status: 201,
  once: "door",
  body: WirelessNetworkIn,
  answer: Network,
  async handle({ wirelessNetworks }, { body, caller, once }) {
    const network = ownWirelessNetwork(body, once.subjectId);
    await wirelessNetworks.add(caller.operatorId, network, caller.label);
    return created(writtenNetwork(network, false));
  },
});

export const retireWirelessNetwork = route({
  method: "DELETE",
  path: "/v1/wireless-networks/:id",
  summary: "Retire a Wi-Fi network; phones that have it keep it",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: ["wireless_network_not_found"],
  status: 204,
  params: { id: id("Of the Wi-Fi network.") },
  async handle({ wirelessNetworks }, { params, caller }) {
    if (!(await wirelessNetworks.retire(caller.operatorId, params.id, caller.label))) {
      throw new TurnupError("wireless_network_not_found", "There is no such Wi-Fi network.", {
        nextStep: "GET /v1/wireless-networks lists them.",
      });
    }
    return gone();
  },
});
