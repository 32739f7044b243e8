/**
 * The feed as server-sent events (WHATWG HTML clause 9.2): each event as it happens, under its position, so that a browser or
 * client that was cut off goes on by `Last-Event-ID` where it was. It ends with the token that asked.
 */
import { Readable } from "node:stream";
import Type from "typebox";
import { admit } from "../../../kernel/account/token.ts";
import type { CloudEvent } from "../../../kernel/events/event-feed.ts";
import type { HttpDeps } from "../../ports.ts";
import { asItIs, type Input, route } from "../../route.ts";
import { beginOf, feedQuery, typesOf, watchGone } from "../events.ts";
import { takeReader } from "./readers.ts";

const STREAM = "text/event-stream; charset=utf-8";
/** Before whatever stands between us and a reader takes a quiet connection for dead. */
const HEARTBEAT_MS = 15_000;
const PAGE = 100;
const RETRY_MS = 1_000;
const SECONDS_MAX = 86_400;

type Query = {
  readonly after?: string;
  readonly from?: string;
  readonly types?: string;
  readonly seconds?: number;
};
type Asked = Pick<Input<unknown, Query, unknown>, "query" | "caller" | "request" | "ending">;

export const streamEvents = route({
  method: "GET",
  path: "/v1/events/stream",
  summary: "Events as they happen, as server-sent events; a client that was cut off goes on where it was",
  description:
    "The header Last-Event-ID, which clients send by themselves, counts before `after`. A stream begins with what comes (`now`) unless " +
    "it says otherwise. Its position goes along each heartbeat, every 15 seconds.",
  tag: "events",
  roles: ["admin", "engineer"],
  errors: ["cursor_malformed", "event_position_gone"],
  status: 200,
  query: {
    ...feedQuery,
    seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: SECONDS_MAX,
        description: "Ends after so long; 0: after what is there.",
        "x-unit": "s",
      }),
    ),
  },
  produces: ["text/event-stream"],
  neverEnds: true,
  async handle(deps, asked) {
    const { caller, request, query } = asked;
    const [last] = [request.headers["last-event-id"]].flat();
    const begin = last ? { after: last } : query.from === undefined ? { after: query.after ?? "now" } : query;
    const after = await beginOf(deps.events, caller.operatorId, begin);
    const first = await deps.events.read(caller.operatorId, {
      after,
      limit: PAGE,
      types: typesOf(query.types),
    }); // refused before the stream begins
    const release = takeReader(caller);
    const frames = Readable.from(framesOf(deps, asked, first), { objectMode: false });
    frames.once("close", release);
    return asItIs(frames, { "content-type": STREAM, "cache-control": "no-store", "x-accel-buffering": "no" });
  },
});

type Page = Awaited<ReturnType<HttpDeps["events"]["read"]>>;

async function* framesOf(deps: HttpDeps, asked: Asked, first: Page): AsyncGenerator<string> {
  const { query, caller, request, ending } = asked;
  const { events: feed, monotonicMs } = deps;
  const untilMs =
    query.seconds === undefined ? Number.POSITIVE_INFINITY : monotonicMs() + query.seconds * 1_000;
  const gone = watchGone(request.raw, ending);
  const tokens = watchTokens(deps);
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    for (let page = first; ; ) {
      for (const event of page.events) yield frameOf(event);
      yield `id: ${page.next}\n\n`; // a heartbeat that moves the reader on, and that no listener hears
      const news = tokens.news();
      const refusal = await refusalOf(deps, caller.tokenId);
      if (refusal !== undefined) yield `event: end\ndata: ${JSON.stringify({ code: refusal })}\n\n`;
      const leftMs = untilMs - monotonicMs();
      if (refusal !== undefined || gone.signal.aborted || (leftMs <= 0 && !page.hasMore)) return;
      const waitMs = Math.min(HEARTBEAT_MS, leftMs);
      if (!page.hasMore)
        await feed.wait(caller.operatorId, page.next, waitMs, AbortSignal.any([gone.signal, news]));
      page = await feed.read(caller.operatorId, {
        after: page.next,
        limit: PAGE,
        types: typesOf(query.types),
      });
    }
  } finally {
    tokens.release();
    gone.release();
  }
}

/** Word of tokens ends a wait: one of them may be this reader's. */
function watchTokens({ changes }: HttpDeps): { news(): AbortSignal; release(): void } {
  let told = new AbortController();
  const release = changes.onChange((news) => {
    if (news === "everything" || news.kind === "tokens") told.abort();
  });
  return {
    release,
    news() {
      if (told.signal.aborted) told = new AbortController();
      return told.signal;
    },
  };
}

const frameOf = (event: CloudEvent): string =>
  `id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Why the token opens nothing any more. */
async function refusalOf({ tokens, clock }: HttpDeps, tokenId: string): Promise<string | undefined> {
  try {
    admit(await tokens.findById(tokenId), clock());
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "token_unknown";
  }
}
