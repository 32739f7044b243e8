/**
 * The lock of a SIM and its device, for lines of machines: a SIM out of a meter must not serve a telephone. Decided by what networks
 * show, whoever shows it: a registration (EIR) or a data session (RADIUS). Source: how providers of such lines do it; no 3GPP
 * specification has it.
 *
 *   neutral ── arm ── armed ── the first device that is seen ── locked ── another device ── deferred
 *                                                                 ^   └───── its own again ─────┘ │
 *                                                                 └── kept, or moved to that one ──┘
 *
 * Devices are compared without check digit and software version: an update of its software is no other device (TS 23.003 clause 6.2).
 */

export const LOCK_STATES = ["neutral", "armed", "locked", "deferred"] as const;
export type LockState = (typeof LOCK_STATES)[number];
/** What has to be the same: the handset, its model, or that it stands in a list of the operator's own. */
export const LOCK_SCOPES = ["imei", "tac", "list"] as const;
export type LockScope = (typeof LOCK_SCOPES)[number];

export type SimLock = {
  readonly state: LockState;
  readonly scope: LockScope;
  /** 14 digits of a handset, 8 of a model, or a list's name; null while nothing was seen. */
  readonly expected: string | null;
  /** 14 digits of the foreign device; null unless deferred. */
  readonly received: string | null;
  /** When a foreign device was seen first; null unless deferred. Milliseconds. */
  readonly foreignSinceMs: number | null;
  /** For how long a foreign device is let be; 0: not at all. */
  readonly graceSeconds: number;
  /** The foreign device was refused already. */
  readonly isRefusing: boolean;
};

/** `locked`: it took the device that was seen; `triggered`: a foreign device; `refused`: its time is over; `returned`: its own again. */
type SeenEvent = "locked" | "triggered" | "refused" | "returned";
/** What is told of a lock: those, what somebody asked for, and that a session was ended. */
export const LOCK_EVENTS = [
  "armed",
  "locked",
  "triggered",
  "refused",
  "returned",
  "kept",
  "moved",
  "unlocked",
  "disconnected",
] as const;
export type LockEvent = (typeof LOCK_EVENTS)[number];

type LockSeen = {
  /** The same object where nothing changed. */
  readonly lock: SimLock;
  readonly isRefused: boolean;
  readonly events: readonly SeenEvent[];
};

const TAC_DIGITS = 8;
const NOTHING_SAID = /^0+$/;

/**
 * What follows from a SIM that was seen in a device of these 14 digits.
 * @param isOnList whether that device stands in the operator's own list of this name
 */
export function lockSeen(
  lock: SimLock,
  imei14: string,
  isOnList: (list: string) => boolean,
  nowMs: number,
): LockSeen {
  // Nodes fill in zeros where no number was said: that is no other device.
  if (lock.state === "neutral" || NOTHING_SAID.test(imei14)) return { lock, isRefused: false, events: [] };
  if (lock.state === "armed" || lock.expected === null)
    return {
      lock: { ...lock, state: "locked", expected: expectedOf(lock.scope, imei14) },
      isRefused: false,
      events: ["locked"],
    };
  if (isExpected(lock.scope, lock.expected, imei14, isOnList)) {
    if (lock.state === "locked") return { lock, isRefused: false, events: [] };
    return { lock: atPeace(lock), isRefused: false, events: ["returned"] };
  }
  return foreignSeen(lock, imei14, nowMs);
}

function foreignSeen(lock: SimLock, imei14: string, nowMs: number): LockSeen {
  const foreignSinceMs = lock.foreignSinceMs ?? nowMs; // another foreign device gets no time of its own
  const isRefused = nowMs - foreignSinceMs >= lock.graceSeconds * 1_000;
  const events: SeenEvent[] = [];
  if (lock.received !== imei14) events.push("triggered");
  if (isRefused && (!lock.isRefusing || lock.received !== imei14)) events.push("refused");
  if (events.length === 0) return { lock, isRefused, events };
  return {
    lock: { ...lock, state: "deferred", received: imei14, foreignSinceMs, isRefusing: isRefused },
    isRefused,
    events,
  };
}

const atPeace = (lock: SimLock): SimLock => ({
  ...lock,
  ...{ state: "locked", received: null, foreignSinceMs: null, isRefusing: false },
});

const expectedOf = (scope: LockScope, imei14: string): string =>
  scope === "tac" ? imei14.slice(0, TAC_DIGITS) : imei14;

function isExpected(
  scope: LockScope,
  expected: string,
  imei14: string,
  isOnList: (list: string) => boolean,
): boolean {
  switch (scope) {
    case "imei":
      return expected === imei14;
    case "tac":
      return expected === imei14.slice(0, TAC_DIGITS);
    case "list":
      return isOnList(expected);
  }
}

/**
 * What somebody wants of a SIM's lock. `keep` and `move` unlock a SIM that was seen in a foreign device: the lock stays with its own, or
 * goes to that one.
 */
export const LOCK_ACTIONS = ["arm", "lock", "keep", "move", "unlock"] as const;
export type LockAction = (typeof LOCK_ACTIONS)[number];
export type LockWish = {
  readonly action: LockAction;
  readonly scope: LockScope | undefined;
  /** Of `lock`: a handset's 14 digits, 8 of a model, a list's name. */
  readonly expected: string | undefined;
  readonly graceSeconds: number | undefined;
};

const NEUTRAL: SimLock = {
  ...{ state: "neutral", scope: "imei", expected: null, received: null, foreignSinceMs: null },
  ...{ graceSeconds: 0, isRefusing: false },
};

/** The lock after it, or what stands against it, in a clause. */
export function lockWished(
  before: SimLock | undefined,
  { action, scope, expected, graceSeconds }: LockWish,
): { readonly lock: SimLock } | { readonly fault: string } {
  const lock = before ?? NEUTRAL;
  const fresh: SimLock = { ...NEUTRAL, graceSeconds: graceSeconds ?? lock.graceSeconds };
  switch (action) {
    case "arm":
      if (scope === "list") return { fault: "a lock to a list is not armed: it names its list" };
      return { lock: { ...fresh, state: "armed", scope: scope ?? "imei" } };
    case "lock": {
      const fault = expectedFault(scope ?? "imei", expected);
      if (fault !== undefined) return { fault };
      return { lock: { ...fresh, state: "locked", scope: scope ?? "imei", expected: expected ?? null } };
    }
    case "unlock":
      return { lock: { ...fresh, state: "neutral" } };
    case "keep":
      if (lock.state !== "deferred") return { fault: `it is ${lock.state}, and no foreign device was seen` };
      return { lock: atPeace({ ...lock, graceSeconds: fresh.graceSeconds }) };
    case "move":
      if (lock.state !== "deferred" || lock.received === null)
        return { fault: `it is ${lock.state}, and no foreign device was seen` };
      if (lock.scope === "list") return { fault: "it is locked to a list: put the device into that" };
      return {
        lock: {
          ...atPeace({ ...lock, graceSeconds: fresh.graceSeconds }),
          expected: expectedOf(lock.scope, lock.received),
        },
      };
  }
}

function expectedFault(scope: LockScope, expected: string | undefined): string | undefined {
  if (expected === undefined) return "what it is locked to is missing";
  if (scope === "imei" && !/^\d{14}$/.test(expected)) return "it is locked to a handset of 14 to 16 digits";
  if (scope === "tac" && !/^\d{8}$/.test(expected)) return "it is locked to a TAC of 8 digits";
  return undefined;
}
