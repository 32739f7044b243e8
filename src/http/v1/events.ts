/** The feed of events by pages: everything that changed since a position, in an order that never changes; it may wait for news. */
import type { IncomingMessage } from "node:http";
import Type from "typebox";
import type { EventFeed, FeedPage } from "../../kernel/events/event-feed.ts";
import { asItIs, route } from "../route.ts";
import { instantIn, named } from "../schema.ts";
import { takeReader } from "./events/readers.ts";

const BATCH = "application/cloudevents-batch+json; charset=utf-8";
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** A request that waits ends before proxies in front give it up. */
const WAIT_SECONDS_MAX = 55;
/** Of types that are rare in a long feed none may be found for so long: then the reader gets a position further on. */
const SEARCH_MS = 10_000;

const CloudEvent = named(
  "CloudEvent",
  Type.Object(
    {
      specversion: Type.Literal("1.0"),
      id: Type.String({
        description: "With `source` it names the event for good: whoever gets it twice knows by that.",
      }),
      source: Type.String({ description: "Whose: `urn:uuid:` and the operator's id." }),
      type: Type.String({
        description: "GET /v1/events/types lists them.",
        examples: ["turnup.order.completed"],
      }),
      subject: Type.String({
        description: "What it is about; events of one subject are in their order.",
        examples: ["orders/01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11"],
      }),
      time: Type.String({ format: "date-time" }),
      datacontenttype: Type.Literal("application/json"),
      position: Type.String({ description: "Where it stands in the feed: give it as `after`." }),
      data: Type.Record(Type.String(), Type.Unknown(), { description: "By its type: docs/events.md." }),
    },
    { description: "CloudEvents 1.0, JSON format." },
  ),
);

/** Where a reader begins, and which events it wants. */
export const feedQuery = {
  after: Type.Optional(
    Type.String({
      description:
        "A position: events behind it. `start` (unless given): from the first that is kept. `now`: only what comes.",
      pattern: "^(start|now|[A-Za-z0-9_-]{40,120})$",
    }),
  ),
  from: Type.Optional(
    instantIn(
      "RFC 3339 time, in the place of `after`: events of this moment and later; some of just before may come too.",
    ),
  ),
  types: Type.Optional(
    Type.String({
      description: "Only these, parted by commas; a beginning ends with `*`.",
      maxLength: 2_000,
      pattern: "^[a-z0-9_.]+\\*?(,[a-z0-9_.]+\\*?)*$",
      examples: ["turnup.order.*,turnup.charge.paid"],
    }),
  ),
};
type Begin = { readonly after?: string | undefined; readonly from?: string | undefined };

export const typesOf = (types: string | undefined): readonly string[] => types?.split(",") ?? [];

/** @throws TurnupError as `EventFeed.read` */
export async function beginOf(
  feed: EventFeed,
  operatorId: string,
  { after, from }: Begin,
): Promise<string | undefined> {
  if (from !== undefined) return feed.at(operatorId, new Date(from));
  if (after === "now") return feed.now(operatorId);
  return after === "start" ? undefined : after;
}

export const readEvents = route({
  method: "GET",
  path: "/v1/events",
  summary:
    "Everything that changed since a position: orders, items, pairings, messages, charges, registrations",
  description:
    'A batch of CloudEvents (JSON). The header Link with rel="next" leads to those that follow, or that will: it is there on every page. ' +
    "An event that was read stands before no other that was not, so nothing is missed by whoever reads on from where they are. " +
    "It comes at least once: whoever must not do a thing twice knows an event by its id.",
  tag: "events",
  roles: ["admin", "engineer"],
  errors: ["cursor_malformed", "event_position_gone"],
  status: 200,
  query: {
    ...feedQuery,
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMIT_MAX,
        description: `Events of one page; ${LIMIT_DEFAULT} unless given.`,
      }),
    ),
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: WAIT_SECONDS_MAX,
        description: "Seconds to wait for the first event where none is there yet; 0 unless given.",
        "x-unit": "s",
      }),
    ),
  },
  answer: Type.Array(CloudEvent),
  produces: ["application/cloudevents-batch+json"],
  async handle({ events: feed, monotonicMs }, { query, caller, request, ending }) {
    const { limit = LIMIT_DEFAULT, wait = 0 } = query;
    const { operatorId } = caller;
    const types = typesOf(query.types);
    let after = await beginOf(feed, operatorId, query);
    let page = await feed.read(operatorId, { after, limit, types });
    const giveBack = wait > 0 ? takeReader(caller) : () => undefined;
    const gone = watchGone(request.raw, ending);
    try {
      const untilMs = monotonicMs() + wait * 1_000;
      const soughtMs = Math.max(untilMs, monotonicMs() + SEARCH_MS);
      while (page.events.length === 0 && !gone.signal.aborted) {
        const leftMs = untilMs - monotonicMs();
        if (leftMs <= 0 && (!page.hasMore || monotonicMs() >= soughtMs)) break;
        if (!page.hasMore) await feed.wait(operatorId, page.next, leftMs, gone.signal);
        after = page.next;
        page = await feed.read(operatorId, { after, limit, types });
      }
    } finally {
      gone.release();
      giveBack();
    }
    return asItIs(JSON.stringify(page.events), { "content-type": BATCH, link: nextLink(request.url, page) });
  },
});

type Gone = { readonly signal: AbortSignal; release(): void };

/** Whoever asked hung up, or the server ends. A connection bears many requests, so each lets go of it. */
export function watchGone({ socket }: IncomingMessage, ending: AbortSignal): Gone {
  const gone = new AbortController();
  const hungUp = (): void => gone.abort();
  socket.once("close", hungUp);
  ending.addEventListener("abort", hungUp);
  if (ending.aborted || socket.destroyed) hungUp();
  return {
    signal: gone.signal,
    release() {
      socket.off("close", hungUp);
      ending.removeEventListener("abort", hungUp);
    },
  };
}

function nextLink(url: string, { next }: FeedPage): string {
  const link = new URL(url, "http://localhost");
  link.searchParams.delete("from");
  link.searchParams.set("after", next);
  return `<${link.pathname}${link.search}>; rel="next"`;
}
