/**
 * The proxy's decisions about devices: who is let through (the device ID must equal the account's, R10), to whom a key
 * is issued, and when a bond of SIM and handset breaks. Pure: a decision and its events; the door journals the events,
 * then acts.
 *
 *   factory certificate   good for requests until the device has a key of its own, and for enrolment always
 *   own certificate       good for requests while the bond holds, and for re-enrolment
 *   one-time token        good for one enrolment; the provisioning server says whose it is
 *   operator's gateway    good for requests; it vouches for the SIM, not by a key of the device
 */
import { TurnupError } from "../term/error.ts";
import { parseImei } from "../term/imei.ts";
import {
  ACCOUNTS_MAX,
  type Account,
  accountOfDevice,
  apply,
  type IssuedKey,
  noAccounts,
  type ProxyEvent,
} from "./account.ts";
import {
  admit,
  admitByNetwork,
  applyAll,
  type DeviceCertificate,
  type EdgeState,
  type NetworkIdentity,
} from "./admission.ts";
import { decideEnrolment, decideReenrolment, type EnrolmentProof, issued, openAccount } from "./enrolment.ts";

/** What stores the events: resolved only when they survive a power cut. */
export interface ProxyJournal {
  append(events: readonly ProxyEvent[]): Promise<void>;
}

export type Edge = ReturnType<typeof createEdge>;

/**
 * The decisions over accounts of their own.
 * @param newUuid names an account in the certificates that it gets
 */
export function createEdge(newUuid: () => string) {
  const edge: EdgeState = { accounts: noAccounts(), newUuid };
  const { accounts } = edge;
  return {
    apply: (event: ProxyEvent): void => apply(accounts, event),
    accountOf: (deviceId: string) => accountOfDevice(accounts, deviceId),
    size: (): number => accounts.byDevice.size,
    admit: (
      certificate: DeviceCertificate,
      about: { readonly network: NetworkIdentity | null; readonly stated: string | null },
      now: Date,
    ) => admit(edge, certificate, about, now),
    admitByNetwork: (network: NetworkIdentity, stated: string | null, now: Date) =>
      admitByNetwork(edge, network, stated, now),
    decideEnrolment: (proof: EnrolmentProof, now: Date) => decideEnrolment(edge, proof, now),
    decideReenrolment: (certificate: DeviceCertificate, network: NetworkIdentity | null, now: Date) =>
      decideReenrolment(edge, certificate, network, now),
    issued: (account: Account, key: IssuedKey, now: Date) => issued(edge, account, key, now),
    keepAccount: (given: Parameters<typeof keepAccount>[1], now: Date) => keepAccount(edge, given, now),
    setBlocked: (deviceId: string, isBlocked: boolean, now: Date) =>
      setBlocked(edge, deviceId, isBlocked, now),
    closeAccount: (deviceId: string, now: Date) => closeAccount(edge, deviceId, now),
    blocked: (): number => accounts.blocked.size,
  };
}

/**
 * The operator's own word: opens an account, or says which SIM is in a handset now. Repeating it changes nothing.
 * @throws TurnupError `imei_malformed` and the like
 */
function keepAccount(
  edge: EdgeState,
  given: { readonly deviceId: string; readonly imsi: string | null; readonly msisdn: string | null },
  now: Date,
): readonly ProxyEvent[] {
  const deviceId = parseImei(given.deviceId);
  const { imsi, msisdn } = given;
  const known = accountOfDevice(edge.accounts, deviceId);
  if (!known) {
    if (edge.accounts.byDevice.size >= ACCOUNTS_MAX)
      throw new TurnupError("accounts_full", `The proxy holds ${ACCOUNTS_MAX} accounts, as many as it can.`, {
        nextStep: "Close accounts of devices that are gone, or run a second proxy.",
      });
    return openAccount(edge, deviceId, { imsi, msisdn }, now);
  }
  if (known.imsi === imsi && known.msisdn === msisdn) return [];
  const atMs = now.getTime();
  const isBroken = known.bond === "bound" && known.imsi !== imsi;
  return applyAll(edge, [
    isBroken
      ? { kind: "bond_broken", deviceId, cause: "sim_changed", imsi, msisdn, atMs }
      : { kind: "subscriber_changed", deviceId, imsi, msisdn, atMs },
  ]);
}

function setBlocked(edge: EdgeState, deviceId: string, isBlocked: boolean, now: Date): readonly ProxyEvent[] {
  const account = accountOfDevice(edge.accounts, deviceId);
  if (!account || account.isBlocked === isBlocked) return [];
  const kind = isBlocked ? "blocked" : "released";
  return applyAll(edge, [{ kind, deviceId: account.deviceId, atMs: now.getTime() }]);
}

/** The operator's word that a device is none of theirs any more; what it has of certificates opens nothing from now on. */
function closeAccount(edge: EdgeState, deviceId: string, now: Date): readonly ProxyEvent[] {
  const account = accountOfDevice(edge.accounts, deviceId);
  if (!account) return [];
  return applyAll(edge, [{ kind: "account_closed", deviceId: account.deviceId, atMs: now.getTime() }]);
}
