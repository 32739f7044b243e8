/**
 * The proxy's decisions about devices: who is let through (the device ID must equal the account's, row 10), to whom a key
 * is issued, and when a bond of SIM and handset breaks. Pure: a decision and its events; the door journals the events,
 * then acts.
 *
 *   factory certificate   good for requests until the device has a key of its own, and for enrolment always
 *   own certificate       good for requests while the bond holds, and for re-enrolment
 *   one-time token        good for one enrolment; the provisioning server says whose it is
 *   operator's gateway    good for requests; it vouches for the SIM, not by a key of the device
 */

import { TurnupError } from "../term/error.ts";
import { type Imei, parseImei } from "../term/imei.ts";
import type { LegAssurance } from "../wire/message/legs.ts";
import { deviceInNames, imeiInNames } from "../wire/message/party-name.ts";
import { ACCOUNTS_MAX, type Account, createAccounts, type IssuedKey, type ProxyEvent } from "./account.ts";
import type { TerminationReason } from "./session.ts";

/** What stores the events: resolved only when they survive a power cut. */
export interface ProxyJournal {
  append(events: readonly ProxyEvent[]): Promise<void>;
}

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

export type EnrolmentProof =
  | {
      readonly kind: "certificate";
      readonly certificate: DeviceCertificate;
      readonly network: NetworkIdentity | null;
    }
  | {
      readonly kind: "token";
      readonly imsi: string;
      readonly msisdn: string | null;
      readonly imei: string | null;
      /** What the request for a certificate claims; believed only where the token names no device. */
      readonly claimedNames: readonly string[];
    };
export type EnrolmentDecision =
  | {
      readonly kind: "issue";
      readonly account: Account;
      /** To be booked before the certificate is handed out, with what `issued` adds. */
      readonly events: readonly ProxyEvent[];
    }
  | {
      readonly kind: "refused";
      readonly reason: TerminationReason;
      readonly deviceId: string | null;
      readonly events: readonly ProxyEvent[];
    };

export type Edge = ReturnType<typeof createEdge>;

/** @param newUuid names an account in the certificates that it gets */
/** An enrolment that came twice has two certificates for one key: each is good, whichever answer the device got. */
const isOfKey = (certificate: DeviceCertificate, key: IssuedKey): boolean =>
  key.fingerprint === certificate.fingerprint || key.publicKey === certificate.publicKey;

export function createEdge(newUuid: () => string) {
  const accounts = createAccounts();

  const refused = (
    reason: TerminationReason,
    deviceId: string | null = null,
    events: readonly ProxyEvent[] = [],
  ) => ({ kind: "refused", reason, deviceId, events }) as const;

  function applyAll(events: readonly ProxyEvent[]): readonly ProxyEvent[] {
    for (const event of events) accounts.apply(event);
    return events;
  }

  /** The account that a certificate belongs to, or why it belongs to none. */
  function accountOf({ authority, names }: DeviceCertificate): Account | TerminationReason {
    const deviceId = imeiInNames(names);
    if (!deviceId) return "no_device_id";
    if (authority === "factory") return accounts.byDeviceId(deviceId) ?? "device_unknown";
    const uuid = deviceInNames(names);
    const account = uuid === undefined ? undefined : accounts.byUuid(uuid);
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

  /** A request over TLS. `stated` is what the device itself says its ID is. */
  function admit(
    certificate: DeviceCertificate,
    about: { readonly network: NetworkIdentity | null; readonly stated: string | null },
    now: Date,
  ): Admission {
    const found = accountOf(certificate);
    const named = imeiInNames(certificate.names) ?? null;
    if (typeof found === "string") return refused(found, named);
    const { deviceId, current, pending } = found;
    if (about.stated !== null && about.stated !== deviceId) return refused("device_mismatch", deviceId);
    if (about.network?.deviceId && about.network.deviceId !== deviceId)
      return refused("device_mismatch", deviceId);
    if (found.isBlocked) return refused("device_blocked", deviceId);
    const broken = applyAll(brokenBy(found, about.network, now));
    if (found.bond === "broken" || broken.length > 0) return refused("bond_broken", deviceId, broken);
    if (certificate.authority === "factory") {
      if (current) return refused("certificate_retired", deviceId);
      return admitted(found, about.network, "cert");
    }
    if (pending && isOfKey(certificate, pending)) {
      const events = applyAll([
        { kind: "key_confirmed", deviceId, fingerprint: pending.fingerprint, atMs: now.getTime() },
      ]);
      return admitted(accounts.byDeviceId(deviceId)!, about.network, "cert", events);
    }
    if (!current || !isOfKey(certificate, current)) return refused("certificate_retired", deviceId);
    return admitted(found, about.network, "cert");
  }

  /** A request that an operator's own gateway brings: it vouches for the line. */
  function admitByNetwork(network: NetworkIdentity, stated: string | null, now: Date): Admission {
    const account =
      (network.imsi === null ? undefined : accounts.byImsi(network.imsi)) ??
      (network.msisdn === null ? undefined : accounts.byMsisdn(network.msisdn));
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
    const broken = applyAll(brokenBy(account, network, now));
    if (account.bond === "broken" || broken.length > 0) return refused("bond_broken", deviceId, broken);
    return admitted(account, network, "network");
  }

  function decideEnrolment(proof: EnrolmentProof, now: Date): EnrolmentDecision {
    return proof.kind === "token" ? enrolByToken(proof, now) : enrolByFactory(proof, now);
  }

  function enrolByFactory(
    { certificate, network }: Extract<EnrolmentProof, { kind: "certificate" }>,
    now: Date,
  ): EnrolmentDecision {
    const found = accountOf(certificate);
    if (typeof found === "string") return refused(found, imeiInNames(certificate.names) ?? null);
    const { deviceId } = found;
    if (certificate.authority !== "factory") return refused("certificate_refused", deviceId);
    if (found.isBlocked) return refused("device_blocked", deviceId);
    if (network?.deviceId && network.deviceId !== deviceId) return refused("device_mismatch", deviceId);
    const imsi = network?.imsi ?? found.imsi;
    // A bond that broke because the SIM went elsewhere is not mended by the handset's word alone.
    if (found.bond === "broken" && imsi === null) return refused("bond_broken", deviceId);
    const msisdn = network?.imsi ? network.msisdn : found.msisdn;
    return bind(found, { imsi, msisdn }, now);
  }

  function enrolByToken(
    { imsi, msisdn, imei, claimedNames }: Extract<EnrolmentProof, { kind: "token" }>,
    now: Date,
  ): EnrolmentDecision {
    const claimed = imeiInNames(claimedNames);
    const named = imei === null ? undefined : imeiOf(imei);
    if (imei !== null && named === undefined) return refused("token_refused");
    if (named !== undefined && claimed !== undefined && named !== claimed)
      return refused("device_mismatch", named);
    const deviceId = named ?? claimed;
    if (deviceId === undefined) return refused("no_device_id");
    const known = accounts.byDeviceId(deviceId);
    if (known?.isBlocked) return refused("device_blocked", deviceId);
    // Whoever holds a token owns its SIM. That the handset is theirs too, only the server or an account can say.
    const isTaken = known && known.imsi !== null && known.imsi !== imsi;
    if (isTaken && named === undefined) return refused("device_mismatch", deviceId);
    if (!known && accounts.size() >= ACCOUNTS_MAX) return refused("device_unknown", deviceId);
    const opened = known ? [] : open(deviceId, imsi, msisdn, now);
    const decision = bind(accounts.byDeviceId(deviceId)!, { imsi, msisdn }, now);
    return { ...decision, events: [...opened, ...decision.events] };
  }

  /** One SIM, one handset: whatever else was bound to the SIM loses its bond. */
  function bind(
    account: Account,
    { imsi, msisdn }: { readonly imsi: string | null; readonly msisdn: string | null },
    now: Date,
  ): EnrolmentDecision {
    const atMs = now.getTime();
    const events: ProxyEvent[] = [];
    const other = imsi === null ? undefined : accounts.byImsi(imsi);
    if (other && other.deviceId !== account.deviceId) {
      const { deviceId } = other;
      events.push(
        other.bond === "bound"
          ? { kind: "bond_broken", deviceId, cause: "handset_changed", imsi: null, msisdn: null, atMs }
          : { kind: "subscriber_changed", deviceId, imsi: null, msisdn: null, atMs },
      );
    }
    events.push({ kind: "bound", deviceId: account.deviceId, imsi, msisdn, atMs });
    applyAll(events);
    return { kind: "issue", account: accounts.byDeviceId(account.deviceId)!, events };
  }

  /** Re-enrolment: the old key, of the same account, asks for its successor. */
  function decideReenrolment(
    certificate: DeviceCertificate,
    network: NetworkIdentity | null,
    now: Date,
  ): EnrolmentDecision {
    if (certificate.authority !== "own")
      return refused("certificate_refused", imeiInNames(certificate.names) ?? null);
    const admission = admit(certificate, { network, stated: null }, now);
    return admission.kind === "admitted"
      ? { kind: "issue", account: admission.account, events: admission.events }
      : admission;
  }

  /** The certificate was made: until its first use the key before it stays good. */
  function issued(account: Account, key: IssuedKey, now: Date): readonly ProxyEvent[] {
    return applyAll([{ kind: "key_issued", deviceId: account.deviceId, key, atMs: now.getTime() }]);
  }

  function open(
    deviceId: Imei,
    imsi: string | null,
    msisdn: string | null,
    now: Date,
  ): readonly ProxyEvent[] {
    // The SIM's earlier account keeps it until the bond is made.
    const isElsewhere = imsi !== null && accounts.byImsi(imsi) !== undefined;
    return applyAll([
      {
        kind: "account_opened",
        deviceId,
        uuid: newUuid(),
        imsi: isElsewhere ? null : imsi,
        msisdn: isElsewhere ? null : msisdn,
        atMs: now.getTime(),
      },
    ]);
  }

  /**
   * The operator's own word: opens an account, or says which SIM is in a handset now. Repeating it changes nothing.
   * @throws TurnupError `imei_malformed` and the like
   */
  function keepAccount(
    given: { readonly deviceId: string; readonly imsi: string | null; readonly msisdn: string | null },
    now: Date,
  ): readonly ProxyEvent[] {
    const deviceId = parseImei(given.deviceId);
    const { imsi, msisdn } = given;
    const known = accounts.byDeviceId(deviceId);
    if (!known) {
      if (accounts.size() >= ACCOUNTS_MAX) throw new RangeError("the proxy holds as many accounts as it can");
      return open(deviceId, imsi, msisdn, now);
    }
    if (known.imsi === imsi && known.msisdn === msisdn) return [];
    const atMs = now.getTime();
    const isBroken = known.bond === "bound" && known.imsi !== imsi;
    return applyAll([
      isBroken
        ? { kind: "bond_broken", deviceId, cause: "sim_changed", imsi, msisdn, atMs }
        : { kind: "subscriber_changed", deviceId, imsi, msisdn, atMs },
    ]);
  }

  function setBlocked(deviceId: string, isBlocked: boolean, now: Date): readonly ProxyEvent[] {
    const account = accounts.byDeviceId(deviceId);
    if (!account || account.isBlocked === isBlocked) return [];
    const kind = isBlocked ? "blocked" : "released";
    return applyAll([{ kind, deviceId: account.deviceId, atMs: now.getTime() }]);
  }

  return {
    apply: accounts.apply,
    accountOf: (deviceId: string) => accounts.byDeviceId(deviceId),
    size: accounts.size,
    admit,
    admitByNetwork,
    decideEnrolment,
    decideReenrolment,
    issued,
    keepAccount,
    setBlocked,
  };
}

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

function imeiOf(digits: string): Imei | undefined {
  try {
    return parseImei(digits);
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}
