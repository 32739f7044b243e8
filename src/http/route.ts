/**
 * A route is a value: where it stands, whom it serves, what it takes and gives, and one function that answers. The list
 * of routes mounts the server, writes the API description and drives the tests that knock at every door.
 */
import type { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { Static, TObject, TProperties, TSchema } from "typebox";
import type { Caller, Role } from "../kernel/account/role.ts";
import type { ErrorCode } from "../term/error.ts";
import type { HttpDeps } from "./ports.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Headers = Readonly<Record<string, string>>;

export type Answer<Body = unknown> = {
  readonly status: number;
  readonly body: Body;
  readonly headers?: Headers;
};

/** What a handler is given: checked input, and who asks. */
export type Input<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  readonly request: FastifyRequest;
  /** The server closes: what still streams ends. */
  readonly ending: AbortSignal;
  /** Of a route that takes an Idempotency-Key: the key, and the id under which the work is to be done. */
  readonly once: { readonly key: string; readonly subjectId: string };
};

type Mounted = {
  readonly method: Method;
  /** Fastify's spelling: `/v1/orders/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Whom it serves; `open` answers without a token. */
  readonly roles: readonly Role[] | "open";
  /** Codes of its own; those that every route can answer are added by the description. */
  readonly errors: readonly ErrorCode[];
  readonly status: number;
  /**
   * Whether it takes an Idempotency-Key. `door`: the door keeps the answer and gives it again; `desk`: the port behind
   * knows repeats by itself and the key is handed through.
   */
  readonly once?: "door" | "desk";
  /** What of the body tells two requests apart, where it holds what must not be kept, not even as a hash: a card, a user. */
  readonly tellsApart?: (body: unknown) => unknown;
  /** A voice platform sends its token as the password of Basic, or is known by its address: it sets no other headers. */
  readonly takesPlatform?: true;
  /** The handler checks the body by itself; its schema only describes. */
  readonly checksOwnBody?: boolean;
  /** Largest body, in octets, where it is not the server's common limit. */
  readonly bodyLimitOctets?: number;
  /** The body is given as it comes, as a `Readable`: the handler holds it to a limit. */
  readonly streams?: true;
  /** The answer goes on for as long as its reader takes it: no limit of an answer's time cuts it, and nobody asks for its head alone. */
  readonly neverEnds?: true;
  /** Media types of the body besides JSON. */
  readonly consumes?: readonly string[];
  /** JSON is refused with 415: the body is what `consumes` says, and nothing else. */
  readonly takesNoJson?: true;
  /** Of a page whose address is its credential: what somebody reads who guessed at too many that were none. */
  readonly tooMany?: (seconds: number, request: FastifyRequest) => Answer;
  /** Media types of the answer where it is not JSON, the usual one first. */
  readonly produces?: readonly string[];
  /** Further statuses that are no problem documents, such as a page that says why there is none; in the form of the good one unless they say their own. */
  readonly otherwise?: Readonly<
    Record<number, { readonly words: string; readonly produces?: readonly string[] }>
  >;
};

type Shapes<P extends TProperties, Q extends TProperties, B extends TSchema, A extends TSchema> = {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: A;
};

type RouteSpec<P extends TProperties, Q extends TProperties, B extends TSchema, A extends TSchema> = Mounted &
  Shapes<P, Q, B, A> & {
    handle(
      deps: HttpDeps,
      input: Input<Static<TObject<P>>, Static<TObject<Q>>, Static<B>>,
    ): Promise<Answer<Static<A>>>;
  };

/** A route whose types are forgotten: what the list holds. */
export type Route = Mounted &
  Shapes<TProperties, TProperties, TSchema, TSchema> & {
    handle(deps: HttpDeps, input: Input<unknown, unknown, unknown>): Promise<Answer>;
  };

/** A route in the list, under its name there: clients that are generated from the description call it so. */
export type ListedRoute = Route & { readonly operationId: string };

export function route<
  P extends TProperties = Record<never, never>,
  Q extends TProperties = Record<never, never>,
  B extends TSchema = TSchema,
  A extends TSchema = TSchema,
>(spec: RouteSpec<P, Q, B, A>): Route {
  return spec as unknown as Route; // the server checks the input by the same schemas before it calls `handle`
}

export const ok = <Body>(body: Body, headers?: Headers): Answer<Body> => ({
  status: 200,
  body,
  ...(headers && { headers }),
});
/** Text that goes out as it is: the type says `never`, since no schema describes it and no serializer touches it. */
export const asItIs = (text: string | Buffer | Readable, headers: Headers, status = 200): Answer<never> => ({
  status,
  body: text as never, // as it says above
  headers,
});
export const created = <Body>(body: Body): Answer<Body> => ({ status: 201, body });
export const accepted = <Body>(body: Body): Answer<Body> => ({ status: 202, body });
export const gone = (): Answer<undefined> => ({ status: 204, body: undefined });
