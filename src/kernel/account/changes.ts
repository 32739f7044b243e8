/**
 * What servers on one database tell each other: which of an operator's words changed. Whoever remembers some of them
 * listens, and forgets what is no longer so.
 */

/** Of an operator. Each has a version in the database, raised by whatever writes it (migration 0013). */
const CHANGE_KINDS = [
  "operator",
  "policy",
  "relations",
  "access_points",
  "overrides",
  "catalog",
  "terms",
  "datasets",
  "tokens",
  "equipment",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Word that one of an operator's facts is another now; what it is stands in the database. */
type Change = {
  /** One of `CHANGE_KINDS`, or a word of its own for another use of the channel. */
  readonly kind: string;
  readonly operatorId: string;
  /** The latest of this kind and operator; 0 where none is counted. */
  readonly version: number;
  /** What else is to be said; short, and never an identifier in clear. */
  readonly detail?: string | undefined;
};

/** `everything`: some word may have been missed. */
export type News = Change | "everything";

/** Word of changes, of this server's own and of others on the same database. */
export interface Changes {
  /** False: word of a change might not reach this server in time, so what is remembered has to be asked for again. */
  isHeard(): boolean;
  /** Answers what ends it. */
  onChange(listener: (news: News) => void): () => void;
}

/** For a program that hears nothing and therefore always asks. */
export const NOTHING_HEARD: Changes = { isHeard: () => false, onChange: () => () => undefined };
