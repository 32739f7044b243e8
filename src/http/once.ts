/**
 * Idempotency-Key on requests that must not happen twice (draft-ietf-httpapi-idempotency-key-header). The first answer is
 * kept and given again; the same key for another request is refused; a repeat while the first is still being done waits
 * for nobody and is told so.
 */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Repeats } from "../kernel/account/registry.ts";
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
      "this request needs an Idempotency-Key of 1 to 200 printable characters",
      {
        nextStep: "Send a new random key with each new request, and the same key when you repeat one.",
      },
    );
  }
  return createHash("sha256").update(key).digest("base64url");
}

/**
 * Does the work of a request once per key.
 * @throws TurnupError `idempotency_key_reused`, `request_in_progress`
 */
export async function once(
  repeats: Repeats,
  route: Route,
  request: FastifyRequest,
  caller: Caller,
  work: (once: { readonly key: string; readonly subjectId: string }) => Promise<Answer>,
): Promise<Answer> {
  const key = keyOf(caller, request);
  const named = { scope: `${route.method} ${route.path}`, key };
  const body = route.tellsApart ? route.tellsApart(request.body) : (request.body ?? null);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([request.params, body]))
    .digest();
  const before = await repeats.begin(caller.operatorId, { ...named, fingerprint });
  switch (before.state) {
    case "done":
      return { ...before.answer, headers: { "idempotency-replayed": "true" } };
    case "running":
      throw new TurnupError("request_in_progress", "a request with this Idempotency-Key is being worked on", {
        nextStep: "Repeat it in a minute with the same key.",
      });
    case "other_request":
      throw new TurnupError(
        "idempotency_key_reused",
        "this Idempotency-Key came with another request before",
        {
          nextStep: "Use a new key for a new request.",
        },
      );
    case "first": {
      let answer: Answer;
      try {
        answer = await work({ key, subjectId: before.subjectId });
      } catch (error) {
        // Refused work left nothing behind. After any other failure nobody knows: the claim stays and lapses.
        if (error instanceof TurnupError && STATUS_OF[error.code] < 500)
          await repeats.abandon(caller.operatorId, named);
        throw error;
      }
      await repeats.finish(caller.operatorId, named, {
        status: answer.status,
        body: withoutSecret(answer.body),
      });
      return answer;
    }
  }
}

/** Partners are other companies: the key of one is never the key of another. */
function keyOf({ role, label }: Caller, request: FastifyRequest): string {
  const key = idempotencyKeyOf(request);
  if (role !== "partner") return key;
  return createHash("sha256")
    .update(JSON.stringify([label, key]))
    .digest("base64url");
}

/** A token is shown once: what is kept for repeats does not hold it. */
function withoutSecret(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !("token" in body)) return body ?? null;
  return { ...body, token: null };
}
