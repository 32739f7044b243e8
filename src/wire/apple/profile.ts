/**
 * Configuration profiles (`.mobileconfig`) with access points: written for iPhones and iPads, read of any maker.
 * Source: Apple's device-management schemas `TopLevel`, `com.apple.cellular` (iOS 7 and later) and `com.apple.apn.managed`
 * (iOS 4 to 6). One cellular payload exists on a device at a time, over all its profiles, and the two kinds exclude each
 * other; neither has a place for MMS. A profile of the same identifier takes the place of the one before.
 */
import { DecodeError } from "../decode-error.ts";
import { decodePlist, encodePlist, type PlistDict, PlistReal, type PlistValue } from "./plist.ts";

/** What a profile is served as. */
export const APPLE_PROFILE_TYPE = "application/x-apple-aspen-config";

/** `AllowedProtocolMask`: 1 is IPv4, 2 is IPv6, 3 is both. */
export type ProtocolMask = 1 | 2 | 3;

/** `AttachAPN`: what the phone names when it attaches to LTE and 5G. A password goes with a user name alone. */
export type AppleAttachApn = {
  readonly name: string;
  /** Null: nobody has to be named; the schema's own default, PAP, is meant only where there is a user. */
  readonly authentication: "PAP" | "CHAP" | null;
  readonly username: string | null;
  readonly password: string | null;
  /** Null: left out, and no default is documented (iOS 10.3 and later read it). */
  readonly protocols: ProtocolMask | null;
};

/** One of `APNs`: for data; the first is used. */
export type AppleApn = AppleAttachApn & {
  readonly proxyServer: string | null;
  readonly proxyPort: number | null;
  readonly roamingProtocols: ProtocolMask | null;
  readonly domesticRoamingProtocols: ProtocolMask | null;
  /** 464XLAT, for access points of IPv6 alone (iOS 16 and later). */
  readonly xlat464: boolean;
};

/** One access point of the older payload; a phone asks for what of user and password is missing. */
export type AppleLegacyApn = {
  readonly apn: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly proxy: string | null;
  readonly proxyPort: number | null;
};

type PayloadHead = {
  readonly identifier: string;
  readonly uuid: string;
  readonly displayName: string | null;
};

/** What stands in a profile; of other payloads only their type is told. */
export type ApplePayload = PayloadHead &
  (
    | {
        readonly kind: "cellular";
        readonly attachApn: AppleAttachApn | null;
        readonly apns: readonly AppleApn[];
      }
    | { readonly kind: "apn"; readonly apns: readonly AppleLegacyApn[] }
    | { readonly kind: "other"; readonly type: string }
  );

/** A profile. UUIDs have eight, four, four, four and twelve hexadecimal digits. */
export type AppleProfile = {
  readonly identifier: string;
  readonly uuid: string;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly organization: string | null;
  /** The phone takes the profile away by itself so many seconds after it was installed; null: it stays. */
  readonly secondsUntilRemoval: number | null;
  readonly payloads: readonly ApplePayload[];
};

const CELLULAR = "com.apple.cellular";
const LEGACY = "com.apple.apn.managed";
const LEGACY_DOMAIN = "com.apple.managedCarrier";
const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
/** `TargetDeviceType` (iOS 12.2): iPhone, iPad and iPod touch. */
const FOR_PHONES = 1;

/**
 * The octets of an unsigned profile; the same profile gives the same octets.
 * @throws RangeError: what a phone would refuse (two cellular payloads, a UUID twice), or a payload of another kind
 */
export function encodeAppleProfile(profile: AppleProfile): Uint8Array {
  checkPayloads(profile);
  return encodePlist({
    PayloadContent: profile.payloads.map(payloadDict),
    PayloadDescription: profile.description ?? undefined,
    PayloadDisplayName: profile.displayName ?? undefined,
    PayloadIdentifier: profile.identifier,
    PayloadOrganization: profile.organization ?? undefined,
    PayloadType: "Configuration",
    PayloadUUID: profile.uuid,
    PayloadVersion: 1,
    TargetDeviceType: FOR_PHONES,
    DurationUntilRemoval:
      profile.secondsUntilRemoval === null ? undefined : new PlistReal(profile.secondsUntilRemoval),
  });
}

function checkPayloads({ uuid, payloads }: AppleProfile): void {
  const uuids = [uuid, ...payloads.map((payload) => payload.uuid)];
  if (uuids.some((one) => !UUID.test(one))) throw new RangeError("a UUID of another form");
  if (new Set(uuids.map((one) => one.toUpperCase())).size < uuids.length)
    throw new RangeError("a UUID twice: phones refuse the profile");
  const cellular = payloads.filter(({ kind }) => kind !== "other");
  if (cellular.length > 1) throw new RangeError("more than one cellular payload: a phone holds one");
}

function payloadDict(payload: ApplePayload): PlistDict {
  const head = {
    PayloadDisplayName: payload.displayName ?? undefined,
    PayloadIdentifier: payload.identifier,
    PayloadUUID: payload.uuid,
    PayloadVersion: 1,
  };
  switch (payload.kind) {
    case "cellular":
      if (!payload.attachApn && payload.apns.length === 0)
        throw new RangeError("a cellular payload without an access point");
      return {
        AttachAPN: payload.attachApn ? attachDict(payload.attachApn) : undefined,
        APNs: payload.apns.length > 0 ? payload.apns.map(apnDict) : undefined,
        ...head,
        PayloadType: CELLULAR,
      };
    case "apn":
      if (payload.apns.length === 0) throw new RangeError("a payload without an access point");
      return {
        DefaultsData: { apns: payload.apns.map(legacyDict) },
        DefaultsDomainName: LEGACY_DOMAIN,
        ...head,
        PayloadType: LEGACY,
      };
    case "other":
      throw new RangeError(`no payload of type ${payload.type} is written here`);
  }
}

const attachDict = ({ name, authentication, username, password, protocols }: AppleAttachApn): PlistDict => ({
  Name: name,
  AuthenticationType: authentication ?? undefined,
  Username: username ?? undefined,
  Password: username === null ? undefined : (password ?? undefined),
  AllowedProtocolMask: protocols ?? undefined,
});

const apnDict = (apn: AppleApn): PlistDict => ({
  ...attachDict(apn),
  ProxyServer: apn.proxyServer ?? undefined,
  ProxyPort: apn.proxyServer === null ? undefined : (apn.proxyPort ?? undefined),
  AllowedProtocolMaskInRoaming: apn.roamingProtocols ?? undefined,
  AllowedProtocolMaskInDomesticRoaming: apn.domesticRoamingProtocols ?? undefined,
  EnableXLAT464: apn.xlat464 || undefined,
});

const legacyDict = ({ apn, username, password, proxy, proxyPort }: AppleLegacyApn): PlistDict => ({
  apn,
  username: username ?? undefined,
  password: password === null ? undefined : new TextEncoder().encode(password),
  proxy: proxy ?? undefined,
  proxyPort: proxy === null ? undefined : (proxyPort ?? undefined),
});

/**
 * Reads an unsigned profile. `DefaultProtocolMask` (iOS 10.3 alone) and keys of later systems are passed over.
 * @throws DecodeError: no property list, or no profile by Apple's schema
 */
export function decodeAppleProfile(bytes: Uint8Array): AppleProfile {
  const top = new Dict(decodePlist(bytes), "");
  if (top.text("PayloadType") !== "Configuration") throw top.fault("PayloadType", "is not Configuration");
  const removal = top.of("DurationUntilRemoval");
  return {
    identifier: top.text("PayloadIdentifier"),
    uuid: top.text("PayloadUUID"),
    displayName: top.maybeText("PayloadDisplayName"),
    description: top.maybeText("PayloadDescription"),
    organization: top.maybeText("PayloadOrganization"),
    secondsUntilRemoval:
      removal instanceof PlistReal ? removal.value : typeof removal === "number" ? removal : null,
    payloads: top.dicts("PayloadContent").map(payloadOf),
  };
}

function payloadOf(dict: Dict): ApplePayload {
  const head = {
    identifier: dict.text("PayloadIdentifier"),
    uuid: dict.text("PayloadUUID"),
    displayName: dict.maybeText("PayloadDisplayName"),
  };
  const type = dict.text("PayloadType");
  if (type === CELLULAR) {
    const attach = dict.of("AttachAPN");
    const attachApn = attach === undefined ? null : attachOf(new Dict(attach, `${dict.path}AttachAPN.`));
    return { ...head, kind: "cellular", attachApn, apns: dict.dicts("APNs").map(apnOf) };
  }
  if (type !== LEGACY) return { ...head, kind: "other", type };
  const data = new Dict(dict.of("DefaultsData"), `${dict.path}DefaultsData.`);
  return { ...head, kind: "apn", apns: data.dicts("apns").map(legacyOf) };
}

function attachOf(dict: Dict): AppleAttachApn {
  const authentication = dict.maybeText("AuthenticationType");
  if (authentication !== null && authentication !== "PAP" && authentication !== "CHAP")
    throw dict.fault("AuthenticationType", "is neither PAP nor CHAP");
  return {
    name: dict.text("Name"),
    authentication,
    username: dict.maybeText("Username"),
    password: dict.maybeText("Password"),
    protocols: dict.mask("AllowedProtocolMask"),
  };
}

const apnOf = (dict: Dict): AppleApn => ({
  ...attachOf(dict),
  proxyServer: dict.maybeText("ProxyServer"),
  proxyPort: dict.maybePort("ProxyPort"),
  roamingProtocols: dict.mask("AllowedProtocolMaskInRoaming"),
  domesticRoamingProtocols: dict.mask("AllowedProtocolMaskInDomesticRoaming"),
  xlat464: dict.of("EnableXLAT464") === true,
});

function legacyOf(dict: Dict): AppleLegacyApn {
  const password = dict.of("password");
  if (password !== undefined && !(password instanceof Uint8Array)) throw dict.fault("password", "is no data");
  return {
    apn: dict.text("apn"),
    username: dict.maybeText("username"),
    password: password === undefined ? null : new TextDecoder().decode(password),
    proxy: dict.maybeText("proxy"),
    proxyPort: dict.maybePort("proxyPort"),
  };
}

const isDict = (value: PlistValue | undefined): value is PlistDict =>
  typeof value === "object" &&
  !Array.isArray(value) &&
  !(value instanceof Date || value instanceof Uint8Array || value instanceof PlistReal);

/** Members of a dictionary as its schema has them; a fault names its path. */
class Dict {
  readonly path: string;
  readonly #members: PlistDict;

  constructor(value: PlistValue | undefined, path: string) {
    if (!isDict(value)) throw new DecodeError(`${path.slice(0, -1) || "the profile"} is no dictionary`, 0);
    this.path = path;
    this.#members = value;
  }

  fault(key: string, fact: string): DecodeError {
    return new DecodeError(`${this.path}${key} ${fact}`, 0);
  }
  of(key: string): PlistValue | undefined {
    return Object.hasOwn(this.#members, key) ? this.#members[key] : undefined;
  }
  maybeText(key: string): string | null {
    const value = this.of(key);
    if (value !== undefined && typeof value !== "string") throw this.fault(key, "is no text");
    return value ?? null;
  }
  text(key: string): string {
    const text = this.maybeText(key);
    if (text === null || text === "") throw this.fault(key, "is missing");
    return text;
  }
  maybePort(key: string): number | null {
    const value = this.of(key);
    if (value === undefined) return null;
    if (typeof value !== "number" || value < 1 || value > 65_535) throw this.fault(key, "is no port");
    return value;
  }
  mask(key: string): ProtocolMask | null {
    const value = this.of(key);
    if (value === undefined) return null;
    if (value !== 1 && value !== 2 && value !== 3) throw this.fault(key, "is none of 1, 2, 3");
    return value;
  }
  dicts(key: string): Dict[] {
    const value = this.of(key) ?? [];
    if (!Array.isArray(value)) throw this.fault(key, "is no list");
    return value.map((one: PlistValue, at) => new Dict(one, `${this.path}${key}[${at}].`));
  }
}
