/**
 * Whoever fails too often waits: 5 failures of one device id in 15 minutes, 50 of one address. Bounded: where more keys
 * fail than can be remembered, the oldest window gives way.
 */
const LOCKOUT_RULES = {
  windowMs: 15 * 60_000,
  perDevice: 5,
  perAddress: 50,
  keysMax: 50_000,
} as const;
type LockoutRules = { readonly [Name in keyof typeof LOCKOUT_RULES]: number };

type Lockout = {
  isLocked(who: Asking, nowMs: number): boolean;
  fail(who: Who, nowMs: number): void;
};
type Who = { readonly device?: string | undefined; readonly address: string };
/** Without an address: of somebody who answers for themselves alone. */
type Asking = { readonly device?: string | undefined; readonly address?: string | undefined };
type Window = { readonly startMs: number; count: number };

export function createLockout(rules: LockoutRules = LOCKOUT_RULES): Lockout {
  const devices = new Map<string, Window>();
  const addresses = new Map<string, Window>();

  const countOf = (windows: Map<string, Window>, key: string, nowMs: number): number => {
    const window = windows.get(key);
    return window && nowMs - window.startMs < rules.windowMs ? window.count : 0;
  };
  function add(windows: Map<string, Window>, key: string, nowMs: number): void {
    const window = windows.get(key);
    if (window && nowMs - window.startMs < rules.windowMs) {
      window.count++;
      return;
    }
    windows.delete(key); // to stand last again: a map keeps the order of its first entry
    for (const [old, { startMs }] of windows) {
      if (nowMs - startMs < rules.windowMs && windows.size < rules.keysMax) break;
      windows.delete(old);
    }
    windows.set(key, { startMs: nowMs, count: 1 });
  }

  return {
    isLocked: ({ device, address }, nowMs) =>
      (device !== undefined && countOf(devices, device, nowMs) >= rules.perDevice) ||
      (address !== undefined && countOf(addresses, address, nowMs) >= rules.perAddress),
    fail({ device, address }, nowMs) {
      if (device !== undefined) add(devices, device, nowMs);
      add(addresses, address, nowMs);
    },
  };
}
