/** An access point that no set names and that SIMs were seen to use: its name is all that is known of it. */
import type { SettingsQuery } from "./access-point.ts";
import type { Match } from "./find-settings.ts";
import type { UseRecord } from "./use-record.ts";

const SEEN_SOURCE = "seen in use";

export const accessPointSeen = ({ apn, lastSeenAt }: UseRecord, { mcc, mnc }: SettingsQuery): Match => ({
  use: "internet",
  apn,
  name: apn,
  provider: null,
  owner: "nobody",
  protocol: null,
  authType: null,
  user: null,
  password: null,
  mmsc: null,
  mmsProxy: null,
  mmsPort: null,
  proxy: null,
  port: null,
  homepage: null,
  confirmed: false,
  source: { name: SEEN_SOURCE, version: lastSeenAt?.slice(0, 10) ?? "", licence: "the operator's own" },
  agreeing: [],
  match: "plmn",
  matchValue: `${mcc}/${mnc}`,
  accessPointId: `seen-${apn}`,
});
