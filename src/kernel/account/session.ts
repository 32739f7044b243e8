/**
 * Sessions of people in a browser. One stands for a token: it has that token's operator, role and person, and ends with it.
 * What the browser holds is 256 random bits; only their SHA-256 is kept.
 */
import { TurnupError } from "../../term/error.ts";
import { minutesAfter } from "../../term/moment.ts";
import type { RegistryPage, RegistryRows } from "./registry.ts";
import type { Caller, Role } from "./role.ts";
import { admit, type TokenRecord } from "./token.ts";

/** What is kept of a session, with the token that it stands for. Times in UTC. */
export type SessionRecord = {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly endedAt: Date | null;
  readonly token: TokenRecord;
};

/** A session as it is listed. Times are RFC 3339. */
export type SessionView = {
  readonly id: string;
  readonly role: Role;
  /** Of its token: what the audit names. */
  readonly label: string;
  readonly person: string | null;
  readonly browser: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly endedAt: string | null;
  readonly endedBy: string | null;
};

/** How long a session lives. */
export type SessionLimits = {
  /** Without a request. */
  readonly idleMinutes: number;
  /** At all. */
  readonly totalHours: number;
};

/** When a session is over whatever its browser does. */
export const sessionEndsAt = (createdAt: Date, { totalHours }: SessionLimits): Date =>
  minutesAfter(createdAt, totalHours * 60);

/**
 * Whether a session opens the door at this moment, and to whom.
 * @throws TurnupError `session_ended`: unknown, ended, idle for too long, too old
 * @throws TurnupError `token_revoked`, `token_expired`: its token opens nothing any more
 */
export function admitSession(record: SessionRecord | undefined, limits: SessionLimits, now: Date): Caller {
  if (!record) throw ended("No session like this is open here.");
  if (record.endedAt) throw ended("Somebody ended this session.");
  if (sessionEndsAt(record.createdAt, limits) <= now)
    throw ended(`A session lives ${limits.totalHours} hours, and this one is older.`);
  if (minutesAfter(record.lastSeenAt, limits.idleMinutes) <= now)
    throw ended(`Nothing came in this session for ${limits.idleMinutes} minutes.`);
  return admit(record.token, now);
}

const ended = (fact: string): TurnupError =>
  new TurnupError("session_ended", fact, { nextStep: "Sign in again." });

/** Sessions and the links that open one. Every change is audited. */
export interface Sessions {
  /** By the SHA-256 of what the browser holds. */
  findByHash(hash: Uint8Array): Promise<SessionRecord | undefined>;
  /** Opens one for a token of the operator. */
  open(
    operatorId: string,
    session: {
      readonly id: string;
      readonly hash: Uint8Array;
      readonly tokenId: string;
      readonly browser: string;
    },
    actor: string,
  ): Promise<void>;
  /** Notes that it was used; a lost note shortens it by so much. */
  touch(sessionId: string, at: Date): Promise<void>;
  /** Those that are open, newest first; what is over by `limits` is not among them. */
  list(operatorId: string, limits: SessionLimits, page: RegistryPage): Promise<RegistryRows<SessionView>>;
  /** False where no such session is open. */
  end(operatorId: string, sessionId: string, actor: string): Promise<boolean>;
  /** Keeps the hash of a link that opens one session for the token, once, until `expiresAt`. */
  makeLink(link: {
    readonly hash: Uint8Array;
    readonly tokenId: string;
    readonly expiresAt: Date;
  }): Promise<void>;
  /** Takes a link, once. Undefined: there is none, it was taken, or its time is over. */
  spendLink(hash: Uint8Array): Promise<TokenRecord | undefined>;
}
