/**
 * Who is let through the proxy: the device ID must equal the account's (R10), the bond of SIM and handset must hold. The first
 * use of a new key is noted here, and a bond that the line's SIM breaks.
 */
import { assured } from "../term/narrow.ts";
import type { LegAssurance } from "../wire/message/legs.ts";
import { deviceInNames, imeiInNames } from "../wire/message/party-name.ts";
import {
  type Account,
  type Accounts,
  accountOfDevice,
  accountOfImsi,
  accountOfMsisdn,
  accountOfUuid,
  apply,
  type IssuedKey,
  type ProxyEvent,
} from "./account.ts";
import type { TerminationReason } from "./session.ts";

/** A certificate that TLS has found good, and which of the two authorities stands behind it. */
export type DeviceCertificate = {
  readonly authority: "factory" | "own";
  /** URIs of its subject alternative names. */
  readonly names: readonly string[];
  readonly fingerprint: string;
  /** SHA-256 of its key (SPKI) in base64url, where it is known. */
  readonly publicKey?: string;
};
/** What the network knows of the line that a message came over. */
export type NetworkIdentity = {
  readonly imsi: string | null;
  readonly msisdn: string | null;
  /** Where the gateway tells it too. */
  readonly deviceId: string | null;
};

export type Admission =
  | {
      readonly kind: "admitted";
      readonly account: Account;
      /** The line that is served: the network's word where it gives one, else the account's. */
      readonly line: { readonly imsi: string | null; readonly msisdn: string | null };
      readonly assurance: LegAssurance;
      readonly events: readonly ProxyEvent[];
    }
  | {
      readonly kind: "refused";
      readonly reason: TerminationReason;
      /** Whose failure it is, where a certificate or the network told. */
      readonly deviceId: string | null;
      readonly events: readonly ProxyEvent[];
    };

/** What the edge decides over. Only `applyAll` changes it. */
export type EdgeState = {
  readonly accounts: Accounts;
  /** Names an account in the certificates that it gets. */
  newUuid(): string;
};

/** A request over TLS. `stated` is what the device itself says its ID is. */
export function admit(
  edge: EdgeState,
  certificate: DeviceCertificate,
  about: { readonly network: NetworkIdentity | null; readonly stated: string | null },
  now: Date,
): Admission {
  const found = accountBehind(edge, certificate);
  const named = imeiInNames(certificate.names) ?? null;
  if (typeof found === "string") return refused(found, named);
  const { deviceId, current, pending } = found;
  if (about.stated !== null && about.stated !== deviceId) return refused("device_mismatch", deviceId);
  if (about.network?.deviceId && about.network.deviceId !== deviceId)
    return refused("device_mismatch", deviceId);
  if (found.isBlocked) return refused("device_blocked", deviceId);
  const broken = applyAll(edge, brokenBy(found, about.network, now));
  if (found.bond === "broken" || broken.length > 0) return refused("bond_broken", deviceId, broken);
  if (certificate.authority === "factory") {
    if (current) return refused("certificate_retired", deviceId);
    return admitted(found, about.network, "cert");
  }
  if (pending && isOfKey(certificate, pending)) {
    const events = applyAll(edge, [
      { kind: "key_confirmed", deviceId, fingerprint: pending.fingerprint, atMs: now.getTime() },
    ]);
    return admitted(
      assured(accountOfDevice(edge.accounts, deviceId), "its account was found above"),
      about.network,
      "cert",
      events,
    );
  }
  if (!current || !isOfKey(certificate, current)) return refused("certificate_retired", deviceId);
  return admitted(found, about.network, "cert");
}

/** A request that an operator's own gateway brings: it vouches for the line. */
export function admitByNetwork(
  edge: EdgeState,
  network: NetworkIdentity,
  stated: string | null,
  now: Date,
): Admission {
  const account =
    (network.imsi === null ? undefined : accountOfImsi(edge.accounts, network.imsi)) ??
    (network.msisdn === null ? undefined : accountOfMsisdn(edge.accounts, network.msisdn));
  if (!account) return refused("device_unknown", network.deviceId);
  const { deviceId } = account;
  if (
    network.imsi !== null &&
    network.msisdn !== null &&
    account.msisdn !== null &&
    account.msisdn !== network.msisdn
  )
    return refused("identity_conflict", deviceId);
  const told = network.deviceId ?? stated;
  if (told !== null && told !== deviceId) return refused("device_mismatch", deviceId);
  if (account.isBlocked) return refused("device_blocked", deviceId);
  const broken = applyAll(edge, brokenBy(account, network, now));
  if (account.bond === "broken" || broken.length > 0) return refused("bond_broken", deviceId, broken);
  return admitted(account, network, "network");
}

/** The account that a certificate belongs to, or why it belongs to none. */
export function accountBehind(
  edge: EdgeState,
  { authority, names }: DeviceCertificate,
): Account | TerminationReason {
  const deviceId = imeiInNames(names);
  if (!deviceId) return "no_device_id";
  if (authority === "factory") return accountOfDevice(edge.accounts, deviceId) ?? "device_unknown";
  const uuid = deviceInNames(names);
  const account = uuid === undefined ? undefined : accountOfUuid(edge.accounts, uuid);
  if (!account) return "device_unknown";
  return account.deviceId === deviceId ? account : "device_mismatch";
}

/** The SIM of the line is not the one that the account is bound to: the bond breaks here and now. */
function brokenBy(account: Account, network: NetworkIdentity | null, now: Date): ProxyEvent[] {
  if (!network || network.imsi === null || account.bond !== "bound" || account.imsi === network.imsi)
    return [];
  return [
    {
      kind: "bond_broken",
      deviceId: account.deviceId,
      cause: "sim_changed",
      imsi: network.imsi,
      msisdn: network.msisdn,
      atMs: now.getTime(),
    },
  ];
}

export function applyAll(edge: EdgeState, events: readonly ProxyEvent[]): readonly ProxyEvent[] {
  for (const event of events) apply(edge.accounts, event);
  return events;
}

/** Why, and whose failure it is. */
export const refused = (
  reason: TerminationReason,
  deviceId: string | null = null,
  events: readonly ProxyEvent[] = [],
) => ({ kind: "refused", reason, deviceId, events }) as const;

/** An enrolment that came twice has two certificates for one key: each is good, whichever answer the device got. */
const isOfKey = (certificate: DeviceCertificate, key: IssuedKey): boolean =>
  key.fingerprint === certificate.fingerprint || key.publicKey === certificate.publicKey;

function admitted(
  account: Account,
  network: NetworkIdentity | null,
  assurance: LegAssurance,
  events: readonly ProxyEvent[] = [],
): Admission {
  const isOther = network?.imsi != null && network.imsi !== account.imsi;
  const line = {
    imsi: network?.imsi ?? account.imsi,
    msisdn: network?.msisdn ?? (isOther ? null : account.msisdn),
  };
  return { kind: "admitted", account, line, assurance, events };
}
