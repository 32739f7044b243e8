/** How much the door takes, and from whom how often. */
export type HttpLimits = {
  /** Body of an ordinary request. Sightings have their own limit. */
  readonly bodyOctets: number;
  /** Requests of one token in a minute. */
  readonly requestsPerMinute: number;
  /** Refused tokens, or unknown links, of one address in a minute. */
  readonly failuresPerMinute: number;
  /** How long a token is believed without asking again. A revocation is told at once, and takes effect within a second. */
  readonly tokenFreshMs: number;
  /** Tokens, and addresses, that are remembered at once. */
  readonly remembered: number;
  /** Time for a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** Between two notes of which tokens were used. */
  readonly useNoteMs: number;
};

export const DEFAULT_LIMITS: HttpLimits = {
  bodyOctets: 262_144,
  requestsPerMinute: 300_000,
  failuresPerMinute: 60,
  tokenFreshMs: 5_000,
  remembered: 10_000,
  requestTimeoutMs: 30_000,
  useNoteMs: 60_000,
};
