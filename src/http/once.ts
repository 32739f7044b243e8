/**
 * Idempotency-Key on requests that must not happen twice (draft-ietf-httpapi-idempotency-key-header). The first answer is
 * kept and given again; the same key for another request is refused; a repeat while the first is still being done waits
 * for nobody and is told so.
 */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { RepeatAnswer, Repeats } from "../kernel/account/registry.ts";
import type { Caller } from "../kernel/account/role.ts";
import { TurnupError } from "../term/error.ts";
import { STATUS_OF } from "./problem.ts";
import type { Answer, Route } from "./route.ts";

/** Printable ASCII, as the draft's structured-field string allows; the quotes may be there or not. */
const KEY_SHAPE = /^"?([\x21\x23-\x7e]{1,200})"?$/;

/**
 * A hash of the key, which goes wherever the key would: a client may have put a subscriber's number into it.
 * @throws TurnupError `idempotency_key_missing`
 */
export function idempotencyKeyOf(request: FastifyRequest): string {
  const header = request.headers["idempotency-key"];
  const key = typeof header === "string" ? KEY_SHAPE.exec(header)?.[1] : undefined;
  if (key === undefined) {
    throw new TurnupError(
      "idempotency_key_missing",
      "This request needs an Idempotency-Key of 1 to 200 printable characters.",
      {
        nextStep: "Send a new random key with each new request, and the same key when you repeat one.",
      },
    );
  }
  return createHash("sha256").update(key).digest("base64url");
}

/** What is asked for: by whom, at which door, under which key. The fingerprint tells another request under the same key. */
type Asked = {
  readonly operatorId: string;
  readonly scope: string;
  readonly key: string;
  /** Anything that JSON holds. */
  readonly said: unknown;
};

/** How a door keeps what it answered, and how it says no. */
type Door<Outcome> = {
  /** Work that was refused left nothing behind, and its key is free again; after any other failure nobody knows. */
  readonly isRefusal: (error: unknown) => boolean;
  readonly running: () => Error;
  readonly otherRequest: () => Error;
  readonly keep: (outcome: Outcome) => RepeatAnswer;
  readonly again: (kept: RepeatAnswer) => Outcome;
};

/** Does work once a key, whoever asks again and on whichever server: the first answer is kept, and given again. */
export async function onceAtDoor<Outcome>(
  repeats: Pick<Repeats, "begin" | "finish" | "abandon">,
  { operatorId, scope, key, said }: Asked,
  door: Door<Outcome>,
  work: (subjectId: string) => Promise<Outcome>,
): Promise<Outcome> {
  const named = { scope, key };
  const fingerprint = createHash("sha256").update(JSON.stringify(said)).digest();
  const before = await repeats.begin(operatorId, { ...named, fingerprint });
  switch (before.state) {
    case "done":
      return door.again(before.answer);
    case "running":
      throw door.running();
    case "other_request":
      throw door.otherRequest();
    case "first": {
      let outcome: Outcome;
      try {
        outcome = await work(before.subjectId);
      } catch (error) {
        // The claim of work whose failure is no refusal stays, and lapses.
        if (door.isRefusal(error)) await repeats.abandon(operatorId, named);
        throw error;
      }
      await repeats.finish(operatorId, named, door.keep(outcome));
      return outcome;
    }
  }
}

const API_DOOR: Door<Answer> = {
  isRefusal: (error) => error instanceof TurnupError && STATUS_OF[error.code] < 500,
  running: () =>
    new TurnupError("request_in_progress", "A request with this Idempotency-Key is being worked on.", {
      nextStep: "Repeat it in a minute with the same key.",
    }),
  otherRequest: () =>
    new TurnupError("idempotency_key_reused", "This Idempotency-Key came with another request before.", {
      nextStep: "Use a new key for a new request.",
    }),
  keep: ({ status, body }) => ({ status, body: withoutSecret(body) }),
  again: (kept) => ({ ...kept, headers: { "idempotency-replayed": "true" } }),
};

/**
 * Does the work of a request once per key.
 * @throws TurnupError `idempotency_key_reused`, `request_in_progress`
 */
export async function once(
  repeats: Repeats,
  route: Route,
  { request, caller }: { readonly request: FastifyRequest; readonly caller: Caller },
  work: (once: { readonly key: string; readonly subjectId: string }) => Promise<Answer>,
): Promise<Answer> {
  const key = keyOf(caller, request);
  const body = route.tellsApart ? route.tellsApart(request.body) : (request.body ?? null);
  return onceAtDoor(
    repeats,
    {
      operatorId: caller.operatorId,
      scope: `${route.method} ${route.path}`,
      key,
      said: [request.params, body],
    },
    API_DOOR,
    (subjectId) => work({ key, subjectId }),
  );
}

/** Partners are other companies: the key of one is never the key of another. */
function keyOf({ role, label }: Caller, request: FastifyRequest): string {
  const key = idempotencyKeyOf(request);
  if (role !== "partner") return key;
  return createHash("sha256")
    .update(JSON.stringify([label, key]))
    .digest("base64url");
}

/** A token is shown once: what is kept for repeats does not hold it. Sums are kept as they are sent, as numbers. */
function withoutSecret(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body ?? null;
  const shown = "token" in body ? { ...body, token: null } : body;
  return JSON.parse(
    JSON.stringify(shown, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)),
  );
}
