/**
 * One pass of a request through the proxy, as a state machine (US 6,647,260 Fig. 7A 702-706, claims 33 and 38). A request
 * goes to a server in `requesting` alone; whatever fails ends the session with one record, and the peer is told nothing of
 * the reason.
 *
 *   connected -> serverVerified -> deviceVerified -> identified -> requesting
 *   any of them -> terminated
 */
export const SESSION_STATES = [
  "connected",
  "serverVerified",
  "deviceVerified",
  "identified",
  "requesting",
  "terminated",
] as const;
type SessionState = (typeof SESSION_STATES)[number];
type SessionStep = "server_verified" | "device_verified" | "identified" | "request";

const NEXT: Readonly<Record<SessionState, Partial<Record<SessionStep, SessionState>>>> = {
  connected: { server_verified: "serverVerified" },
  serverVerified: { device_verified: "deviceVerified" },
  deviceVerified: { identified: "identified" },
  identified: { request: "requesting" },
  requesting: { request: "requesting" },
  terminated: {},
};

export type Leg = "air" | "land";
export type TerminationReason =
  /** The device's side. */
  | "no_certificate"
  | "certificate_refused"
  | "certificate_retired"
  | "no_device_id"
  | "device_unknown"
  | "device_mismatch"
  | "device_blocked"
  | "bond_broken"
  | "enrolment_needed"
  | "identity_conflict"
  | "not_a_gateway"
  | "session_unknown"
  | "locked_out"
  | "token_refused"
  | "request_refused"
  /** The server's side. */
  | "server_unknown"
  | "server_unreachable"
  | "server_not_proved"
  | "server_refused_us";

/** What is written down when a session ends by force; no identifier in clear. */
export type AuditRecord = {
  readonly at: Date;
  readonly leg: Leg;
  readonly reason: TerminationReason;
  /** Of the peer's certificate; null where it showed none. */
  readonly fingerprint: string | null;
  readonly address: string;
  /** Masked. */
  readonly device: string | null;
  readonly server: string | null;
  /** How far the session had come. */
  readonly state: SessionState;
};

export type LegsSession = {
  readonly state: SessionState;
  /** @throws RangeError: a step that does not follow */
  step(step: SessionStep): void;
  /** The first end counts: one record a session. */
  terminate(
    leg: Leg,
    reason: TerminationReason,
    about: Omit<AuditRecord, "at" | "leg" | "reason" | "state">,
    now: Date,
  ): void;
};

export function openLegsSession(audit: (record: AuditRecord) => void): LegsSession {
  let state: SessionState = "connected";
  return {
    get state() {
      return state;
    },
    step(step) {
      const next = NEXT[state][step];
      if (!next) throw new RangeError(`no ${step} follows ${state}`);
      state = next;
    },
    terminate(leg, reason, about, now) {
      if (state === "terminated") return;
      const record: AuditRecord = { at: now, leg, reason, ...about, state };
      state = "terminated";
      audit(record);
    },
  };
}
