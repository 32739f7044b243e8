/**
 * Requests that came with an Idempotency-Key: which id their work is done under and what was answered. A claim whose
 * work never ended (the server was killed) lapses and may be taken up again, under the same id.
 */
import { createHash } from "node:crypto";
import type { RepeatKey, RepeatState, Repeats } from "../../kernel/account/registry.ts";
import type { Database } from "../database/database.ts";

/** Longer than any request may take. */
const CLAIM_MS = 60_000;
const FORGET_AT_ONCE = 10_000;

const CLAIM = {
  name: "claim_request", // api_request_pkey
  text: `insert into api_request (operator_id, scope, key_hash, fingerprint, subject_id, begun_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (operator_id, scope, key_hash) do update set begun_at = excluded.begun_at
          where api_request.status is null and api_request.fingerprint = excluded.fingerprint and api_request.begun_at < $7
         returning subject_id as "subjectId"`,
};
const FIND = {
  name: "find_request", // api_request_pkey
  text: "select fingerprint, status, answer from api_request where operator_id = $1 and scope = $2 and key_hash = $3",
};
const FINISH = {
  name: "finish_request", // api_request_pkey
  text: "update api_request set status = $4, answer = $5 where operator_id = $1 and scope = $2 and key_hash = $3",
};
const ABANDON = {
  name: "abandon_request", // api_request_pkey
  text: "delete from api_request where operator_id = $1 and scope = $2 and key_hash = $3 and status is null",
};
const FORGET = {
  name: "forget_requests", // api_request_by_age
  text: `delete from api_request where ctid in
           (select ctid from api_request where begun_at < $1 order by begun_at limit ${FORGET_AT_ONCE})`,
};

export function createRepeats({
  database,
  newId,
  clock,
}: {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
}): Repeats {
  const keyOf = (operatorId: string, { scope, key }: RepeatKey): unknown[] => [
    operatorId,
    scope,
    createHash("sha256").update(key).digest(),
  ];
  return {
    async begin(operatorId, request): Promise<RepeatState> {
      const key = keyOf(operatorId, request);
      const now = clock();
      const lapsed = new Date(now.getTime() - CLAIM_MS);
      const fingerprint = Buffer.from(request.fingerprint);
      const values = [...key, fingerprint, newId(), now, lapsed];
      const claimed = await database.one<{ subjectId: string }>(CLAIM, values);
      if (claimed) return { state: "first", subjectId: claimed.subjectId };
      const known = await database.one<{ fingerprint: Buffer; status: number | null; answer: unknown }>(
        FIND,
        key,
      );
      if (!known) return { state: "running" }; // abandoned between the two looks: a repeat will get its turn
      if (!known.fingerprint.equals(fingerprint)) return { state: "other_request" };
      if (known.status === null) return { state: "running" };
      return { state: "done", answer: { status: known.status, body: known.answer } };
    },
    async finish(operatorId, request, { status, body }) {
      await database.run(FINISH, [...keyOf(operatorId, request), status, JSON.stringify(body ?? null)]);
    },
    async abandon(operatorId, request) {
      await database.run(ABANDON, keyOf(operatorId, request));
    },
    forget: (before) => database.run(FORGET, [before]),
  };
}
