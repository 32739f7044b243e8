/** Locks of SIMs and devices as they are kept and asked for; the rules stand in `sim-lock.ts`. */
import type { RegistryPage, RegistryRows } from "../account/registry.ts";
import type { LockAction, LockEvent, LockScope, LockState, LockWish } from "./sim-lock.ts";

export type SimLockView = {
  readonly id: string;
  readonly imsiMasked: string;
  readonly state: LockState;
  readonly scope: LockScope;
  /** What it is locked to, and the foreign device; without its serial number where a list shows it. */
  readonly expected: string | null;
  readonly received: string | null;
  readonly foreignSince: string | null;
  readonly graceSeconds: number;
  readonly isRefusing: boolean;
  readonly changedAt: string;
  /** Label of a token; `network` where it was what networks showed. */
  readonly changedBy: string;
};
export type SimLockEventView = {
  readonly id: string;
  readonly at: string;
  readonly kind: LockEvent;
  readonly expected: string | null;
  readonly received: string | null;
  /** Where it was seen: the door's word (`s13`, `eir`, `gsup`, `radius`) and its peer's name; null: somebody asked. */
  readonly source: string | null;
  readonly client: string | null;
  readonly actor: string | null;
  readonly reason: string | null;
  /** Of a disconnection: `ack`, `nak`, `none`. */
  readonly outcome: string | null;
};

export type LockAsked = LockWish & { readonly imsi: string };
export type LockResult = {
  readonly imsi: string;
  readonly outcome: LockAction | "refused";
  readonly state: LockState | null;
  /** Why not; null where it was done. */
  readonly reason: string | null;
};

export interface SimLocks {
  /** Masked, newest change first. */
  list(
    operatorId: string,
    filter: { readonly state?: LockState | undefined },
    page: RegistryPage,
  ): Promise<RegistryRows<SimLockView>>;
  /** Undefined: this SIM never had one. */
  find(operatorId: string, imsi: string): Promise<SimLockView | undefined>;
  /** Newest first, at most 200. */
  events(operatorId: string, imsi: string): Promise<readonly SimLockEventView[]>;
  /** Each for itself: one that cannot be is told, and the others are done. */
  ask(
    operatorId: string,
    asked: readonly LockAsked[],
    said: { readonly actor: string; readonly reason: string },
  ): Promise<readonly LockResult[]>;
}
