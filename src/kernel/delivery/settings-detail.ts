/** What the history says of settings that were chosen. */
import type { SettingsForm } from "../devices/form-names.ts";
import type { SettingsProtocol } from "../devices/settings-form.ts";
import type { SettingsChoice } from "../operator/settings-choice.ts";

type Sent = {
  readonly protocol: SettingsProtocol;
  readonly form?: SettingsForm;
  readonly protocolBecause?: string;
};

/** Whose they are, how they go, what was held back, and what could not be looked at. */
export const settingsDetail = (
  { source, confirmed, withheld = {}, unchecked, values }: Extract<SettingsChoice, { kind: "chosen" }>,
  { protocol, form, protocolBecause }: Sent,
) => ({
  settingsFrom: source,
  confirmed,
  protocol,
  ...(form === undefined ? {} : { form }),
  ...(protocolBecause === undefined ? {} : { protocolBecause }),
  road: protocol, // as release 0.1.0 named it, for whoever reads histories
  ...(Object.keys(withheld).length > 0 ? { withheld } : {}),
  ...(unchecked === undefined ? {} : { unchecked }),
  ...wirelessDetail(values.wireless ?? [], protocol),
});

/** Which Wi-Fi networks go along, or that the format of the model has no place for one (R126). */
function wirelessDetail(wireless: readonly { readonly ssid: string }[], protocol: SettingsProtocol) {
  if (wireless.length === 0) return {};
  const ssids = wireless.map(({ ssid }) => ssid);
  return protocol === "omacp"
    ? { wireless: ssids }
    : { wirelessWithheld: { ssids, reason: `${protocol} has no place for a Wi-Fi network` } };
}
