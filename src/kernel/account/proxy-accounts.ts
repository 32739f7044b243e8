/**
 * Accounts of devices at the operator's proxies (US 6,647,260 column 6: the account "typically provided in an associated proxy
 * server device"), as the operator says how they are to stand. Each change takes the list of its operator one version further;
 * a proxy that has an older version is told what changed since, so that one that was away has the whole state when it is back.
 */
import type { AccountChanges, AccountStanding } from "../../wire/message/account-api.ts";
import type { RegistryPage, RegistryRows } from "./registry.ts";

/** What is left out stays as it is; of a new account it is no SIM, no number, not blocked. */
export type WantedProxyAccount = {
  /** 15 digits. */
  readonly imei: string;
  readonly imsi?: string | null | undefined;
  /** Digits without `+`. */
  readonly msisdn?: string | null | undefined;
  readonly isBlocked?: boolean | undefined;
};

/** As staff see it. A closed one stays on the list, without SIM and number, for proxies that were not told yet. */
export type ProxyAccountView = {
  readonly id: string;
  readonly imeiMasked: string;
  readonly imsiMasked: string | null;
  readonly msisdnMasked: string | null;
  readonly standing: AccountStanding;
  /** Of the operator's list at its last change: a proxy at this version or a later one knows how it stands. */
  readonly version: number;
  readonly changedAt: string;
  readonly changedBy: string;
};

/** One proxy and how far it was told. */
export type ToldProxy = {
  readonly proxy: string;
  /** By the proxy's own word; 0 where it has not spoken yet. */
  readonly version: number;
  /** Of the list now. */
  readonly listVersion: number;
  /** Tries since it answered last. */
  readonly tries: number;
  /** What came of the last try; null before the first. */
  readonly outcome: string | null;
  readonly triedAt: string | null;
  readonly answeredAt: string | null;
  readonly nextTryAt: string;
};

/** Every change is audited in its own transaction. */
export interface ProxyAccounts {
  /** Opens it, or says how it stands from now on; what stands so already changes nothing. */
  put(operatorId: string, wanted: WantedProxyAccount, actor: string): Promise<ProxyAccountView>;
  /** False where there is none, or it is closed already. */
  close(operatorId: string, imei: string, actor: string): Promise<boolean>;
  find(operatorId: string, imei: string): Promise<ProxyAccountView | undefined>;
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<ProxyAccountView>>;
  proxies(operatorId: string): Promise<readonly ToldProxy[]>;
  /**
   * Whether a message of this device is refused although its proxy let it through: it is blocked, or it was closed and this
   * proxy does not know of it yet.
   */
  isShutOut(operatorId: string, imei: string, proxy: string): Promise<boolean>;
}

/** One proxy that is due to be told, under a lease. */
export type DueProxy = { readonly proxy: string; readonly version: number; readonly tries: number };

export type ProxyOutcome = {
  /** The proxy's own; null where it gave no answer. */
  readonly version: number | null;
  readonly tries: number;
  readonly outcome: string;
  /** When it is asked again, unless the list is further by then: at once, in that case. */
  readonly nextTryAt: Date;
};

/** What the telling of proxies asks of storage. */
export interface ProxyBook {
  /** Leases those of these proxies that are due; one that is not on the books yet is due at version 0. */
  claimDue(operatorId: string, proxies: readonly string[], leaseMs: number): Promise<readonly DueProxy[]>;
  /** The way from this version, as far as one call goes; without accounts where there is nothing later. */
  changesAfter(
    operatorId: string,
    after: number,
  ): Promise<AccountChanges & { /** The list's own. */ readonly version: number }>;
  book(operatorId: string, proxy: string, outcome: ProxyOutcome): Promise<void>;
  /** This proxy is asked at once: it has just spoken to us, and may have been away. */
  wake(operatorId: string, proxy: string): Promise<void>;
}
