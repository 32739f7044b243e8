/** One person's data, on their word: looked at, erased, given to them. */
import { randomBytes } from "node:crypto";
import { type Erasure, refuseHeld, subscriberNotFound } from "../../kernel/account/erasure.ts";
import type { Database, Tx } from "../database/database.ts";
import { INSERT_AUDIT } from "../operator/audited.ts";
import type { Sealer } from "../seal/seal.ts";
import { erasePeople, holdsOf, LOCK_PEOPLE, wouldGo } from "./erase-people.ts";
import { personData } from "./person-data.ts";

/** What no index finds of the last weeks is read once. */
const TIMEOUT_MS = 120_000;

type Deps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};

export function createErasure({ database, sealer, newId, clock }: Deps): Erasure {
  const inTurn = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    database.transaction(work, { statementTimeoutMs: TIMEOUT_MS });
  const ofWord = (now: Date) => ({ since: null, byNumber: true, now });
  return {
    look: (operatorId, subscriberId) =>
      inTurn(async (tx) => {
        await refuseUnknown(tx, operatorId, subscriberId);
        const holds = (await holdsOf(tx, [subscriberId], ofWord(clock()))).get(subscriberId) ?? [];
        return { subscriberId, holds, erases: await wouldGo(tx, [subscriberId]), erasedAt: null };
      }),
    erase: (operatorId, subscriberId, actor) =>
      inTurn(async (tx) => {
        const now = clock();
        await refuseUnknown(tx, operatorId, subscriberId);
        await tx.rows(LOCK_PEOPLE, [[subscriberId]]);
        const holds = (await holdsOf(tx, [subscriberId], ofWord(now))).get(subscriberId);
        if (!holds) throw subscriberNotFound(); // another one erased it meanwhile
        refuseHeld(holds);
        const erases = await erasePeople(tx, { sealer, randomBytes }, [subscriberId], ofWord(now));
        const detail = JSON.stringify(erases);
        await tx.run(INSERT_AUDIT, [
          newId(),
          operatorId,
          actor,
          "subscriber.erase",
          subscriberId,
          detail,
          now,
        ]);
        return { subscriberId, holds, erases, erasedAt: now.toISOString() };
      }),
    exportOf: (operatorId, subscriberId, actor) =>
      inTurn(async (tx) => {
        const now = clock();
        await refuseUnknown(tx, operatorId, subscriberId);
        await tx.run(INSERT_AUDIT, [
          newId(),
          operatorId,
          actor,
          "subscriber.export",
          subscriberId,
          "{}",
          now,
        ]);
        return personData(tx, sealer, subscriberId, now);
      }),
  };
}

async function refuseUnknown(tx: Tx, operatorId: string, subscriberId: string): Promise<void> {
  const found = "select from subscriber where operator_id = $1 and id = $2 and erased_at is null"; // subscriber_pkey
  if (!(await tx.one(found, [operatorId, subscriberId]))) throw subscriberNotFound();
}
