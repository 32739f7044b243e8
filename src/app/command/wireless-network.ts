/** `turnup wireless-network ...`: the operator's own Wi-Fi networks, for all models or some, over the same code as the API. */
import { ownWirelessNetwork, WirelessNetworkIn, writtenNetwork } from "../../http/v1/wireless-networks.ts";
import type { WirelessNetwork } from "../../kernel/settings/wireless-network.ts";
import { addCommandOf, listCommandOf, type OwnSetting, removeCommandOf } from "../terminal/own-setting.ts";

const WIRELESS_NETWORK: OwnSetting<WirelessNetwork, typeof WirelessNetworkIn> = {
  noun: "wireless-network",
  words: "Wi-Fi network",
  schema: WirelessNetworkIn,
  made: ownWirelessNetwork,
  shown: (network) => writtenNetwork(network, false),
  heads: ["ID", "NAME", "SSID", "SECURITY", "MODELS"],
  row: ({ id, name, ssid, security, hidden, models }) => [
    id,
    name,
    ssid,
    `${security}${hidden ? ", hidden" : ""}`,
    models.join(", ") || "all",
  ],
  notFound: "wireless_network_not_found",
  of: ({ wirelessNetworks }) => wirelessNetworks,
};

export const wirelessNetworkAddCommand = addCommandOf(WIRELESS_NETWORK, {
  summary: "Add Wi-Fi networks that go with settings, for all models or some",
  description: [
    'As POST /v1/wireless-networks takes them: {"name": "Shop", "ssid": "shop", "security": "wpa_psk", "key": "...",',
    '"models": ["Nokia/*"]}. They go with settings to models whose format has a place for them, by OMA client provisioning.',
    "The key is kept sealed and is shown by no list.",
  ].join("\n"),
  examples: ["turnup wireless-network add wifi.json"],
});

export const wirelessNetworkListCommand = listCommandOf(WIRELESS_NETWORK, {
  summary: "List the operator's own Wi-Fi networks",
  examples: ["turnup wireless-network list", "turnup wireless-network list --json"],
});

export const wirelessNetworkRemoveCommand = removeCommandOf(WIRELESS_NETWORK, {
  summary: "Retire a Wi-Fi network; phones that have it keep it",
  examples: ["turnup wireless-network remove 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11"],
});
