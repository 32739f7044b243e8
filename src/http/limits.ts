/** How much the door takes, and from whom how often. */
import { CONNECTION_LIMITS } from "./connections.ts";

export type HttpLimits = {
  /** Body of an ordinary request. Sightings have their own limit. */
  readonly bodyOctets: number;
  /** Requests of one token in a minute. */
  readonly requestsPerMinute: number;
  /** Refused tokens of one address in a minute. */
  readonly failuresPerMinute: number;
  /** Unknown links of one address in a minute; a good link is answered however many others are guessed behind it. */
  readonly guessesPerMinute: number;
  /** How long a token is believed without asking again. A revocation is told at once, and takes effect within a second. */
  readonly tokenFreshMs: number;
  /** Tokens, and addresses, that are remembered at once. */
  readonly remembered: number;
  /** Time for a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** Time for an answer to be taken. */
  readonly answerTimeoutMs: number;
  /** Open at once: all, and those of one address that is no proxy of ours. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Between two notes of which tokens were used. */
  readonly useNoteMs: number;
};

/**
 * Of the portal, by address of those whom nobody vouches for. Behind one address may be a carrier's translator with thousands
 * of subscribers, so these hold back programs and not people: who came in has an allowance of their own.
 */
export type PortalLimits = {
  /** Ways in by SMS that were asked for in 15 minutes and that nobody used. */
  readonly signInsPerAddress: number;
  /** Pages that strangers ask for in a minute. */
  readonly pagesPerAddress: number;
};

export const DEFAULT_PORTAL_LIMITS: PortalLimits = { signInsPerAddress: 300, pagesPerAddress: 3_000 };

export const DEFAULT_LIMITS: HttpLimits = {
  bodyOctets: 262_144,
  requestsPerMinute: 300_000,
  failuresPerMinute: 60,
  guessesPerMinute: 60,
  tokenFreshMs: 5_000,
  remembered: 10_000,
  requestTimeoutMs: CONNECTION_LIMITS.requestMs,
  answerTimeoutMs: CONNECTION_LIMITS.answerMs,
  connections: CONNECTION_LIMITS.connections,
  connectionsPerAddress: CONNECTION_LIMITS.perAddress,
  useNoteMs: 60_000,
};
