/** What the history says of settings that were chosen. */
import type { Judgement, SettingsChoice } from "../order/deps.ts";

/** What the story says of the settings: whose they are, what was held back, and what could not be looked at. */
export const settingsDetail = (
  { source, confirmed, withheld = {}, unchecked }: Extract<SettingsChoice, { kind: "chosen" }>,
  { protocol }: Judgement,
) => ({
  settingsFrom: source,
  confirmed,
  road: protocol,
  ...(Object.keys(withheld).length > 0 ? { withheld } : {}),
  ...(unchecked === undefined ? {} : { unchecked }),
});
