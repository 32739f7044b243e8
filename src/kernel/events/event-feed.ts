/** The feed of everything that changes, as CloudEvents 1.0, in an order that never changes behind a reader. */

/** One event (CloudEvents 1.0.2, JSON format clause 3). (`source`, `id`) names it for good: whoever gets it twice knows by that. */
export type CloudEvent = {
  readonly specversion: "1.0";
  readonly id: string;
  /** Whose: `urn:uuid:` and the operator's id. */
  readonly source: string;
  readonly type: string;
  /** What it is about: `orders/{id}`, `messages/{id}`. Events of one subject are in their order. */
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** Extension attribute: where it stands in the feed. */
  readonly position: string;
  readonly data: Readonly<Record<string, unknown>>;
};

export type FeedPage = {
  readonly events: readonly CloudEvent[];
  /** Where to read on: behind the last event, or further where those that follow are not asked for. */
  readonly next: string;
  /** Whether more is there already. */
  readonly hasMore: boolean;
};

type FeedQuery = {
  /** A position; undefined: from the first event that is kept. */
  readonly after: string | undefined;
  /** Events of one page. */
  readonly limit: number;
  /** Types, or their beginnings with `*`; none: all. */
  readonly types: readonly string[];
};

export interface EventFeed {
  /** @throws TurnupError `cursor_malformed`, `event_position_gone` */
  read(operatorId: string, query: FeedQuery): Promise<FeedPage>;
  /** Behind everything that is over now. */
  now(operatorId: string): Promise<string>;
  /** Before everything that happened at this moment or later; a little of before may follow too. */
  at(operatorId: string, moment: Date): Promise<string>;
  /** Resolves when something may stand behind a position, when the time is over, or when the signal says so. */
  wait(operatorId: string, position: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}
