/**
 * Data sessions that are open now, as packet gateways told of them, and what comes of it when somebody has one ended or changed: a handset
 * that is to fetch its settings anew, a SIM in a machine that is not its own.
 */

/** A SIM by one of its numbers; the phone number in E.164 without `+`. */
export type SessionSim = { readonly imsi: string } | { readonly msisdn: string };

export type LiveSession = {
  /** The gateway's name in `radius.clients_file`. */
  readonly gateway: string;
  readonly apn: string | null;
  /** When it was first told of here. */
  readonly since: Date;
  readonly heardAt: Date;
};

/** What is asked of the gateway: to end the session, or to treat it otherwise from now on (RFC 5176 section 2). */
export type SessionRequest =
  | { readonly kind: "disconnect" }
  | {
      readonly kind: "change";
      /** A set of rules that the gateway knows by this name (RFC 2865 section 5.11). */
      readonly filterId?: string | undefined;
      /** After which it ends the session (RFC 2865 section 5.27). */
      readonly sessionTimeoutSeconds?: number | undefined;
    };

/**
 * `done`: the gateway says so. `was_gone`: it knows of no such session. `refused`: it said no, and why where it did. `unanswered`: it said
 * nothing in time; `unreachable`: nobody listens there, or it has no connection open.
 */
export const SESSION_OUTCOMES = ["done", "was_gone", "refused", "unanswered", "unreachable"] as const;
type SessionOutcome = (typeof SESSION_OUTCOMES)[number];

export type SessionAnswer = LiveSession & {
  readonly outcome: SessionOutcome;
  /** Error-Cause of the refusal (RFC 5176 section 3.5). */
  readonly cause: { readonly code: number; readonly name: string | null } | null;
  /** What to do, in words; null: nothing. */
  readonly next: string | null;
};

/**
 * `ack`: every session is over, or changed as was asked. `nak`: at least one may go on as it was. `none`: no gateway that can be asked has
 * told of one.
 */
export type SessionsAsked = {
  readonly outcome: "ack" | "nak" | "none";
  readonly sessions: readonly SessionAnswer[];
};

/** Who has sessions ended or changed: people by the API, rules of the operator. What is done stands in the audit. */
export interface LiveSessions {
  of(operatorId: string, sim: SessionSim): Promise<readonly LiveSession[]>;
  /** @throws TurnupError `too_many_requests`: as many are being asked for as may be at once */
  ask(asked: {
    readonly operatorId: string;
    readonly sim: SessionSim;
    readonly request: SessionRequest;
    /** Why; it stands in the audit. */
    readonly reason: string;
    /** Who asks, by the name of a token or of a rule. */
    readonly actor: string;
  }): Promise<SessionsAsked>;
}

/** What a gateway said of one session. */
type GatewayAnswer =
  | {
      readonly isAck: boolean;
      readonly cause: { readonly code: number; readonly name: string | undefined } | undefined;
    }
  | "unanswered"
  | "unreachable";

const CONTEXT_NOT_FOUND = 503;
/** Of causes that a person can do something about (RFC 5176 section 3.5). */
const NEXT_BY_CAUSE: Readonly<Record<number, string>> = {
  401: "The gateway knows another set of attributes: ask its operator by which it finds a session.",
  402: "The gateway needs another attribute: ask its operator by which it finds a session.",
  403: "The request reached another gateway: look at disconnect.host of this client.",
  406: "The gateway takes no such requests: have them switched on there, or take disconnect from this client.",
  407: "The gateway did not take a value: ask its operator by which attributes it finds a session.",
  501: "The gateway was told to refuse this: do not ask again before its operator changed that.",
  502: "A proxy on the way does not know the gateway: have its operator look at the route.",
  504: "Ask again in a minute.",
  505: "A proxy on the way failed: ask again in a minute.",
  506: "The gateway is short of resources: ask again in a minute.",
  508: "The gateway found several sessions and ends none of them: ask its operator.",
};

export function sessionAnswerOf(session: LiveSession, answer: GatewayAnswer): SessionAnswer {
  if (typeof answer === "string")
    return { ...session, outcome: answer, cause: null, next: NEXT_BY_SILENCE[answer] };
  const cause = answer.cause && { code: answer.cause.code, name: answer.cause.name ?? null };
  if (answer.isAck) return { ...session, outcome: "done", cause: cause ?? null, next: null };
  if (cause?.code === CONTEXT_NOT_FOUND) return { ...session, outcome: "was_gone", cause, next: null };
  const next = NEXT_BY_CAUSE[cause?.code ?? 0] ?? "Ask the gateway's operator why it refuses.";
  return { ...session, outcome: "refused", cause: cause ?? null, next };
}

const NEXT_BY_SILENCE = {
  unanswered:
    "See whether the gateway counts our requests: it drops without a word those with another secret, or whose time is five minutes off its clock.",
  unreachable: "See whether the gateway listens at disconnect.host, or has a connection open here.",
} as const;

/** A session that is gone cannot be changed any more. */
export const sessionsAsked = (
  { kind }: SessionRequest,
  sessions: readonly SessionAnswer[],
): SessionsAsked => ({
  outcome:
    sessions.length === 0
      ? "none"
      : sessions.every(
            ({ outcome }) => outcome === "done" || (outcome === "was_gone" && kind === "disconnect"),
          )
        ? "ack"
        : "nak",
  sessions,
});
