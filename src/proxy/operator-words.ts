/**
 * What an operator says of accounts at its proxy: one by one, or as the way from one version of its list to a later one. A list
 * says which SIM is in a handset only where that changed, so that a block breaks no bond that the device made since.
 */
import { TurnupError } from "../term/error.ts";
import { parseImei } from "../term/imei.ts";
import type { AccountChange, AccountChanges } from "../wire/message/account-api.ts";
import { ACCOUNTS_MAX, accountOfDevice, type ProxyEvent } from "./account.ts";
import { applyAll, type EdgeState } from "./admission.ts";
import { openAccount } from "./enrolment.ts";

/**
 * The operator's own word: opens an account, or says which SIM is in a handset now. Repeating it changes nothing.
 * @throws TurnupError `imei_malformed` and the like
 */
export function keepAccount(
  edge: EdgeState,
  given: { readonly deviceId: string; readonly imsi: string | null; readonly msisdn: string | null },
  now: Date,
): readonly ProxyEvent[] {
  const deviceId = parseImei(given.deviceId);
  const { imsi, msisdn } = given;
  const known = accountOfDevice(edge.accounts, deviceId);
  if (!known) {
    if (edge.accounts.byDevice.size >= ACCOUNTS_MAX) throw accountsFull();
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

export function setBlocked(
  edge: EdgeState,
  deviceId: string,
  isBlocked: boolean,
  now: Date,
): readonly ProxyEvent[] {
  const account = accountOfDevice(edge.accounts, deviceId);
  if (!account || account.isBlocked === isBlocked) return [];
  const kind = isBlocked ? "blocked" : "released";
  return applyAll(edge, [{ kind, deviceId: account.deviceId, atMs: now.getTime() }]);
}

/** The operator's word that a device is none of theirs any more; what it has of certificates opens nothing from now on. */
export function closeAccount(edge: EdgeState, deviceId: string, now: Date): readonly ProxyEvent[] {
  const account = accountOfDevice(edge.accounts, deviceId);
  if (!account) return [];
  return applyAll(edge, [{ kind: "account_closed", deviceId: account.deviceId, atMs: now.getTime() }]);
}

const accountsFull = (): TurnupError =>
  new TurnupError("accounts_full", `The proxy holds ${ACCOUNTS_MAX} accounts, as many as it can.`, {
    nextStep: "Close accounts of devices that are gone, or run a second proxy.",
  });

export const versionOf = ({ accounts }: EdgeState, list: string): number => accounts.versions.get(list) ?? 0;

/**
 * Takes the changes whole or not at all: all where this proxy stands at `after`, or is told anew from 0; else nothing, and
 * whoever tells goes on from the version that is here.
 * @throws TurnupError `accounts_full`, `imei_malformed` and the like: nothing was taken
 */
export function takeChanges(
  edge: EdgeState,
  { list, after, upto, accounts }: AccountChanges,
  now: Date,
): readonly ProxyEvent[] {
  const known = versionOf(edge, list);
  if ((after !== known && after !== 0) || upto < after || (upto === known && accounts.length === 0))
    return [];
  refuseTooMany(edge, accounts);
  return [
    ...accounts.flatMap((account) => changeOne(edge, account, now)),
    ...applyAll(edge, [{ kind: "list_told", list, version: upto, atMs: now.getTime() }]),
  ];
}

/** Looked at before the first is taken: what is applied and not in the journal would be forgotten by a restart. */
function refuseTooMany({ accounts }: EdgeState, changes: readonly AccountChange[]): void {
  const fresh = changes.filter(
    ({ deviceId, standing }) => standing !== "closed" && !accountOfDevice(accounts, parseImei(deviceId)),
  );
  if (accounts.byDevice.size + fresh.length > ACCOUNTS_MAX) throw accountsFull();
}

function changeOne(
  edge: EdgeState,
  { deviceId, standing, line }: AccountChange,
  now: Date,
): readonly ProxyEvent[] {
  if (standing === "closed") return closeAccount(edge, deviceId, now);
  const known = accountOfDevice(edge.accounts, deviceId);
  const { imsi, msisdn } = line ?? known ?? { imsi: null, msisdn: null };
  return [
    ...keepAccount(edge, { deviceId, imsi, msisdn }, now),
    ...setBlocked(edge, deviceId, standing === "blocked", now),
  ];
}
