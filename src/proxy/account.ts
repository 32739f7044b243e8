/**
 * The accounts of devices at the proxy (US 6,647,260 column 6: the device ID "directly corresponds to the device ID in the
 * user account typically provided in an associated proxy server device"). State is the sum of its events; the door
 * journals them before it answers, and a restart replays them.
 *
 *   bond   unbound -> bound (a key of the device's own was issued for this SIM and this handset)
 *          bound -> broken (the SIM or the handset changed) -> bound again by a new enrolment
 *   keys   pending -> current when it is first used; until then the one before stays good
 */
import type { Imei } from "../term/imei.ts";

export type IssuedKey = {
  /** SHA-256 of the certificate, as hex in capitals with colons. */
  readonly fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64url. */
  readonly publicKey: string;
  readonly notAfterMs: number;
};

export type ProxyEvent =
  | {
      readonly kind: "account_opened";
      readonly deviceId: Imei;
      readonly uuid: string;
      readonly imsi: string | null;
      readonly msisdn: string | null;
      readonly atMs: number;
    }
  | {
      /** The operator's word, before any bond. */
      readonly kind: "subscriber_changed";
      readonly deviceId: Imei;
      readonly imsi: string | null;
      readonly msisdn: string | null;
      readonly atMs: number;
    }
  | {
      readonly kind: "bound";
      readonly deviceId: Imei;
      readonly imsi: string | null;
      readonly msisdn: string | null;
      readonly atMs: number;
    }
  | {
      readonly kind: "bond_broken";
      readonly deviceId: Imei;
      readonly cause: "sim_changed" | "handset_changed";
      /** Of the SIM that is in the handset now, where it is known. */
      readonly imsi: string | null;
      readonly msisdn: string | null;
      readonly atMs: number;
    }
  | { readonly kind: "key_issued"; readonly deviceId: Imei; readonly key: IssuedKey; readonly atMs: number }
  | {
      readonly kind: "key_confirmed";
      readonly deviceId: Imei;
      readonly fingerprint: string;
      readonly atMs: number;
    }
  | { readonly kind: "blocked"; readonly deviceId: Imei; readonly atMs: number }
  | { readonly kind: "released"; readonly deviceId: Imei; readonly atMs: number }
  /** The operator's word: the device has no account any more, and its certificates are nobody's. */
  | { readonly kind: "account_closed"; readonly deviceId: Imei; readonly atMs: number }
  /** An operator's list of accounts was told up to this version. */
  | { readonly kind: "list_told"; readonly list: string; readonly version: number; readonly atMs: number };

export type Account = {
  readonly deviceId: Imei;
  /** Its name in the certificates that the proxy issues. */
  readonly uuid: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly bond: "unbound" | "bound" | "broken";
  readonly isBlocked: boolean;
  readonly current: IssuedKey | null;
  readonly pending: IssuedKey | null;
};

/** As many as one reference proxy serves; above it no account is opened. */
export const ACCOUNTS_MAX = 2_000_000;

/** Changed by `apply` alone. */
export type Accounts = {
  readonly byDevice: Map<string, Account>;
  /** By their names in certificates, by their SIMs, by their numbers: the devices that they are, or are to be, bound to. */
  readonly deviceOfUuid: Map<string, string>;
  readonly deviceOfImsi: Map<string, string>;
  readonly deviceOfMsisdn: Map<string, string>;
  /** The devices that are blocked. */
  readonly blocked: Set<string>;
  /** How far each operator's list was told. */
  readonly versions: Map<string, number>;
};

export const noAccounts = (): Accounts => ({
  byDevice: new Map(),
  deviceOfUuid: new Map(),
  deviceOfImsi: new Map(),
  deviceOfMsisdn: new Map(),
  blocked: new Set(),
  versions: new Map(),
});

export function apply(accounts: Accounts, event: ProxyEvent): void {
  if (event.kind === "account_opened") return put(accounts, opened(event));
  if (event.kind === "list_told") return void accounts.versions.set(event.list, event.version);
  const account = accounts.byDevice.get(event.deviceId);
  if (!account) throw new RangeError("an event of an account that was never opened");
  if (event.kind === "account_closed") return remove(accounts, account);
  put(accounts, changed(account, event));
}

export const accountOfDevice = ({ byDevice }: Accounts, deviceId: string): Account | undefined =>
  byDevice.get(deviceId);
export const accountOfUuid = ({ byDevice, deviceOfUuid }: Accounts, uuid: string): Account | undefined =>
  byDevice.get(deviceOfUuid.get(uuid) ?? "");
export const accountOfImsi = ({ byDevice, deviceOfImsi }: Accounts, imsi: string): Account | undefined =>
  byDevice.get(deviceOfImsi.get(imsi) ?? "");
export const accountOfMsisdn = (
  { byDevice, deviceOfMsisdn }: Accounts,
  msisdn: string,
): Account | undefined => byDevice.get(deviceOfMsisdn.get(msisdn) ?? "");

function put(accounts: Accounts, account: Account): void {
  const { byDevice, deviceOfUuid, deviceOfImsi, deviceOfMsisdn } = accounts;
  const { deviceId, uuid, imsi, msisdn } = account;
  const before = byDevice.get(deviceId);
  forget(deviceOfImsi, before?.imsi, deviceId);
  forget(deviceOfMsisdn, before?.msisdn, deviceId);
  byDevice.set(deviceId, account);
  deviceOfUuid.set(uuid, deviceId);
  if (imsi !== null) deviceOfImsi.set(imsi, deviceId);
  if (msisdn !== null) deviceOfMsisdn.set(msisdn, deviceId);
  if (account.isBlocked) accounts.blocked.add(deviceId);
  else accounts.blocked.delete(deviceId);
}

function remove(accounts: Accounts, { deviceId, uuid, imsi, msisdn }: Account): void {
  const { byDevice, deviceOfUuid, deviceOfImsi, deviceOfMsisdn } = accounts;
  forget(deviceOfImsi, imsi, deviceId);
  forget(deviceOfMsisdn, msisdn, deviceId);
  deviceOfUuid.delete(uuid);
  byDevice.delete(deviceId);
  accounts.blocked.delete(deviceId);
}

const opened = ({
  deviceId,
  uuid,
  imsi,
  msisdn,
}: Extract<ProxyEvent, { kind: "account_opened" }>): Account => ({
  deviceId,
  uuid,
  imsi,
  msisdn,
  bond: "unbound",
  isBlocked: false,
  current: null,
  pending: null,
});

type Change = Exclude<ProxyEvent, { kind: "account_opened" | "account_closed" | "list_told" }>;

function changed(account: Account, event: Change): Account {
  switch (event.kind) {
    case "subscriber_changed":
      return { ...account, imsi: event.imsi, msisdn: event.msisdn };
    case "bound":
      return { ...account, imsi: event.imsi, msisdn: event.msisdn, bond: "bound" };
    case "bond_broken":
      return { ...account, imsi: event.imsi, msisdn: event.msisdn, bond: "broken" };
    case "key_issued":
      return { ...account, pending: event.key };
    case "key_confirmed":
      return { ...account, current: account.pending, pending: null };
    case "blocked":
      return { ...account, isBlocked: true };
    case "released":
      return { ...account, isBlocked: false };
  }
}

/** Another account may have taken the key over meanwhile: then it stays. */
function forget(index: Map<string, string>, key: string | null | undefined, deviceId: string): void {
  if (key !== null && key !== undefined && index.get(key) === deviceId) index.delete(key);
}
