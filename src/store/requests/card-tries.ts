/**
 * Cards that were tried, counted in the database: on every node, and after a restart. Keys and cards are blind indexes; a try
 * is one row for each thing that it counts for. Every statement names the index that it runs on.
 */
import { createHash } from "node:crypto";
import {
  type CardTries,
  type CardTryKind,
  type CardTryLimits,
  type Pause,
  pauseAfter,
  type Tried,
} from "../../kernel/account/card-tries.ts";
import { octetIn } from "../../wire/octet.ts";
import type { Database, Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Longer than the longest window of a policy. */
const KEPT_DAYS = 31;
const FORGOTTEN_AT_ONCE = 500;
const HOUR_MS = 3_600_000;

/** Of the rows that a try of this number or device wrote. */
export const tryKeyOf = (sealer: Sealer, operatorId: string, kind: CardTryKind, key: string): Buffer =>
  sealer.blindIndex(`card_try_${kind}`, operatorId, key);
const cardKeyOf = (card: Uint8Array): string => Buffer.from(card).toString("hex");

/** Held to the end of the transaction, taken in one order by all: of two tries at once the second sees the first. */
const LOCK = {
  name: "lock_card_tries",
  text: "select pg_advisory_xact_lock(n) from (select distinct hashtextextended(encode(k, 'hex'), 0) as n from unnest($1::bytea[]) k order by n) q",
};
const TRIED = {
  name: "cards_tried", // card_try_pkey
  text: `select t.kind, count(*)::int as tries, (count(*) filter (where t.outcome = 'refused'))::int as refused, max(t.at) as "lastAt"
           from unnest($2::text[], $3::bytea[]) as q(kind, key)
           join card_try t on t.operator_id = $1 and t.kind = q.kind and t.key = q.key and t.at > $4 group by t.kind`,
};
const KNOWN = {
  name: "card_try_known", // card_try_by_id
  text: "select outcome from card_try where try_id = $1 limit 1",
};
const ADD = {
  name: "add_card_try", // card_try_pkey
  text: `insert into card_try (operator_id, kind, key, try_id, card, outcome, at)
         select $1, q.kind, q.key, $4, $5, 'asked', $6 from unnest($2::text[], $3::bytea[]) as q(kind, key)`,
};
const END = {
  name: "end_card_try", // card_try_by_id
  text: "update card_try set outcome = $3 where try_id = $2 and operator_id = $1",
};
const VOID = {
  name: "void_card_try", // card_try_by_id
  text: "delete from card_try where try_id = $2 and operator_id = $1",
};
const FORGET = {
  name: "forget_card_tries", // card_try_by_time
  text: `delete from card_try where ctid = any(array(select ctid from card_try where at < $1 order by at limit ${FORGOTTEN_AT_ONCE}))`,
};
const REFUSED = {
  name: "card_refused_later", // card_try_pkey, card_try_by_id
  text: `update card_try set outcome = 'refused'
          where try_id in (select try_id from card_try where operator_id = $1 and kind = 'card' and key = $2 and outcome = 'accepted')`,
};

export function createCardTries(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly limitsOf: (operatorId: string) => Promise<CardTryLimits>;
  /** A pause begins with this try: somebody may be running stolen numbers. */
  readonly onPause: (operatorId: string, pause: Pause) => Promise<void>;
  readonly onTry: (outcome: "accepted" | "refused" | "void" | "paused") => void;
}): CardTries {
  const { database, sealer } = deps;
  return {
    async begin({ operatorId, by, card, idempotencyKey, now }) {
      const limits = await deps.limitsOf(operatorId);
      const of = [...by, { kind: "card" as const, key: cardKeyOf(card) }];
      const kinds = of.map(({ kind }) => kind);
      const keys = of.map(({ kind, key }) => tryKeyOf(sealer, operatorId, kind, key));
      const since = new Date(now.getTime() - limits.windowHours * HOUR_MS);
      const begun = await database.transaction(async (tx) => {
        await tx.rows(LOCK, [keys]);
        const { tryId, isKnown } = await tryOf(tx, operatorId, idempotencyKey, card);
        if (isKnown) return { tryId, pause: null, next: null };
        const tried = () => tx.rows<Tried>(TRIED, [operatorId, kinds, keys, since]);
        const pause = pauseAfter(await tried(), limits, now);
        if (pause) return { tryId, pause, next: null };
        await tx.run(ADD, [operatorId, kinds, keys, tryId, Buffer.from(card), now]);
        await tx.run(FORGET, [new Date(now.getTime() - KEPT_DAYS * 24 * HOUR_MS)]);
        return { tryId, pause: null, next: pauseAfter(await tried(), limits, now) };
      });
      if (begun.pause) {
        deps.onTry("paused");
        return { kind: "pause", pause: begun.pause };
      }
      if (begun.next) await deps.onPause(operatorId, begun.next);
      return { kind: "go", tryId: begun.tryId };
    },
    async end(operatorId, tryId, outcome) {
      if (outcome === "void") await database.run(VOID, [operatorId, tryId]);
      else await database.run(END, [operatorId, tryId, outcome]);
      deps.onTry(outcome);
    },
  };
}

/** The payment provider took the card's number, and its bank refused the card afterwards. */
export async function cardRefusedLater(
  db: Db,
  sealer: Sealer,
  { operatorId, card }: { readonly operatorId: string; readonly card: Uint8Array },
): Promise<void> {
  await db.run(REFUSED, [operatorId, tryKeyOf(sealer, operatorId, "card", cardKeyOf(card))]);
}

/**
 * Which try this is. The same card under the same key again is the same try while nobody knows what became of it, or it was
 * taken; after a refusal it is a next one, with another code or date perhaps, of which nothing is kept to compare.
 */
async function tryOf(
  tx: Db,
  operatorId: string,
  idempotencyKey: string,
  card: Uint8Array,
): Promise<{ readonly tryId: string; readonly isKnown: boolean }> {
  for (let round = 0; ; round++) {
    const tryId = uuidOf(operatorId, idempotencyKey, round, card);
    const known = await tx.one<{ outcome: string }>(KNOWN, [tryId]);
    if (known?.outcome !== "refused") return { tryId, isKnown: known !== undefined };
  }
}

/** RFC 9562 §5.8, version 8: the same for the same try. */
function uuidOf(operatorId: string, idempotencyKey: string, round: number, card: Uint8Array): string {
  const octets = createHash("sha256")
    .update(`${operatorId}\0${idempotencyKey}\0${round === 0 ? "" : `${round}\0`}`)
    .update(card)
    .digest()
    .subarray(0, 16);
  octets[6] = (octetIn(octets, 6) & 0x0f) | 0x80;
  octets[8] = (octetIn(octets, 8) & 0x3f) | 0x80;
  return octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
