/**
 * The proxy's decisions about devices: who is let through (the device ID must equal the account's, R10), to whom a key
 * is issued, and when a bond of SIM and handset breaks. Pure: a decision and its events; the door journals the events,
 * then acts.
 *
 *   factory certificate   good for requests until the device has a key of its own, and for enrolment always
 *   own certificate       good for requests while the bond holds, and for re-enrolment
 *   one-time token        good for one enrolment, spent by it; the provisioning server says whose it is
 *   operator's gateway    good for requests; it vouches for the SIM, not by a key of the device
 */
import type { AccountChanges } from "../wire/message/account-api.ts";
import {
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
  type DeviceCertificate,
  type EdgeState,
  type NetworkIdentity,
} from "./admission.ts";
import {
  decideEnrolment,
  decideReenrolment,
  type EnrolmentProof,
  issued,
  tokenRefusal,
} from "./enrolment.ts";
import { closeAccount, keepAccount, setBlocked, takeChanges, versionOf } from "./operator-words.ts";

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
    tokenRefusal: (proof: Parameters<typeof tokenRefusal>[1]) => tokenRefusal(edge, proof),
    decideEnrolment: (proof: EnrolmentProof, now: Date) => decideEnrolment(edge, proof, now),
    decideReenrolment: (certificate: DeviceCertificate, network: NetworkIdentity | null, now: Date) =>
      decideReenrolment(edge, certificate, network, now),
    issued: (account: Account, key: IssuedKey, now: Date) => issued(edge, account, key, now),
    keepAccount: (given: Parameters<typeof keepAccount>[1], now: Date) => keepAccount(edge, given, now),
    setBlocked: (deviceId: string, isBlocked: boolean, now: Date) =>
      setBlocked(edge, deviceId, isBlocked, now),
    closeAccount: (deviceId: string, now: Date) => closeAccount(edge, deviceId, now),
    takeChanges: (changes: AccountChanges, now: Date) => takeChanges(edge, changes, now),
    /** How far this proxy has been told of an operator's list. */
    versionOf: (list: string): number => versionOf(edge, list),
    blocked: (): number => accounts.blocked.size,
  };
}
