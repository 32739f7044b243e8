/** What the history says of settings that were chosen. */
import type { SettingsProtocol } from "../devices/settings-protocol.ts";
import type { SettingsChoice } from "../order/settings-choice.ts";

/** Whose they are, how they go, what was held back, and what could not be looked at. */
export const settingsDetail = (
  { source, confirmed, withheld = {}, unchecked }: Extract<SettingsChoice, { kind: "chosen" }>,
  protocol: SettingsProtocol,
) => ({
  settingsFrom: source,
  confirmed,
  protocol,
  road: protocol, // as release 0.1.0 named it, for whoever reads histories
  ...(Object.keys(withheld).length > 0 ? { withheld } : {}),
  ...(unchecked === undefined ? {} : { unchecked }),
});
