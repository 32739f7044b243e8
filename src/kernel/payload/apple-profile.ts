/**
 * Settings as a configuration profile for iPhones and iPads. It has a place for the access point of data alone: MMS comes
 * from the carrier bundle of the SIM's network, or is typed in where that shows the fields.
 */
import { createHash } from "node:crypto";
import {
  type AppleApn,
  type ApplePayload,
  type AppleProfile,
  encodeAppleProfile,
  type ProtocolMask,
} from "../../wire/apple/profile.ts";
import { isXmlText } from "../../wire/wbxml/charset.ts";
import type { SettingsPoint, SettingsValues } from "./settings-values.ts";

/** `removal` takes the place of the profile, and then takes itself away: a profile cannot remove another one. */
export type AppleProfileWish = {
  /** The same for all profiles of an operator: a newer one takes the place of the one before. */
  readonly operatorId: string;
  readonly form: "cellular" | "legacy";
  readonly isRemoval: boolean;
};

/** Long enough that the phone has shown that it is installed. */
const SECONDS_UNTIL_REMOVAL = 60;
/** iOS 7 brought the payload that is read today. */
export const FIRST_IOS_WITH_CELLULAR = 7;
/** Before iOS 4 a phone has another form, which nobody documents any more. */
export const FIRST_IOS_WITH_PROFILE = 4;

/** The one that a profile sets; undefined where the settings hold none for data, or one that no profile can hold. */
export function appleDataPoint(points: readonly SettingsPoint[]): SettingsPoint | undefined {
  const point = points.find(({ use }) => use === "internet") ?? points.find(({ use }) => use === "wap");
  return point && [point.apn, point.user, point.password, point.proxy].every(isHeld) ? point : undefined;
}

/** Values as they were kept in a time that looked at them less. */
const isHeld = (text: string | null): boolean => text === null || isXmlText(text);

/** The octets of an unsigned profile, the same for the same settings; undefined where a profile has no place for any of them. */
export function composeAppleProfile(
  { name: given, points }: SettingsValues,
  { operatorId, form, isRemoval }: AppleProfileWish,
): Uint8Array | undefined {
  const point = appleDataPoint(points);
  if (!point) return undefined;
  const name = isXmlText(given) ? given : point.apn;
  const identifier = `turnup.settings.${operatorId}`;
  const head = { identifier: `${identifier}.apn`, uuid: NO_UUID, displayName: `${name} (${point.apn})` };
  const payload = form === "legacy" ? legacyPayload(head, point) : cellularPayload(head, point);
  const profile: AppleProfile = {
    identifier,
    uuid: NO_UUID,
    displayName: name,
    description: `${isRemoval ? "Removes" : "Sets"} the access point ${point.apn} for mobile data.`,
    organization: name,
    secondsUntilRemoval: isRemoval ? SECONDS_UNTIL_REMOVAL : null,
    payloads: [payload],
  };
  return encodeAppleProfile(withUuids(profile));
}

const NO_UUID = "00000000-0000-0000-0000-000000000000";

type Head = Pick<ApplePayload, "identifier" | "uuid" | "displayName">;

function cellularPayload(head: Head, point: SettingsPoint): ApplePayload {
  const { apn: name, user: username, password, proxy, port, protocol } = point;
  const authentication =
    username === null ? null : point.authType === "chap" ? ("CHAP" as const) : ("PAP" as const);
  const protocols = maskOf(protocol);
  const attachApn = { name, authentication, username, password, protocols };
  const apn: AppleApn = {
    ...attachApn,
    proxyServer: proxy,
    proxyPort: port,
    roamingProtocols: protocols,
    domesticRoamingProtocols: protocols,
    xlat464: protocol === "ipv6",
  };
  return { ...head, kind: "cellular", attachApn, apns: [apn] };
}

/** What is missing is asked for by the phone: who needs neither user nor password gets both, empty. */
const legacyPayload = (head: Head, { apn, user, password, proxy, port }: SettingsPoint): ApplePayload => ({
  ...head,
  kind: "apn",
  apns: [{ apn, username: user ?? "", password: password ?? "", proxy, proxyPort: port }],
});

/** Both where nobody said it: no default is documented, and a network gives the one that it has (TS 23.401 clause 5.3.1.1). */
function maskOf(protocol: SettingsPoint["protocol"]): ProtocolMask {
  return protocol === "ipv4" ? 1 : protocol === "ipv6" ? 2 : 3;
}

/** By content (RFC 9562 clause 5.5), so that the same settings are the same profile and other settings another one. */
function withUuids(profile: AppleProfile): AppleProfile {
  const content = JSON.stringify(profile);
  return {
    ...profile,
    uuid: uuidOf("profile", content),
    payloads: profile.payloads.map((payload, at) => ({ ...payload, uuid: uuidOf(`payload ${at}`, content) })),
  };
}

function uuidOf(part: string, content: string): string {
  const octets = createHash("sha1").update(`turnup ${part}\n${content}`).digest().subarray(0, 16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x50;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  const hex = octets.toString("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
