/**
 * Sums that came back, on PostgreSQL: each telling is a row and each return books once, in one transaction under the operator's turn and the
 * lock of the sum. What came before its time, or names nothing known, is kept and weighed again.
 */
import { tellReturned } from "../../kernel/billing/collection-return.ts";
import { emptyChangeSet } from "../../kernel/order/change-set.ts";
import { type CollectionState, NEXT_ACTIONS } from "../../kernel/settlement/collection.ts";
import {
  type BookedReturn,
  type CollectionReturns,
  type CollectionReturnView,
  collectionNamed,
  endsMeans,
  type ReturnVerdict,
  type ToldReturn,
  UNSETTLED_RETURNS,
  weighReturn,
} from "../../kernel/settlement/collection-return.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import type { Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { writeChanges } from "../orders/order-rows.ts";
import { SETTLED, writeCollectionPostings } from "./collection-rows.ts";
import { takeMoneyTurn } from "./payable-rows.ts";

const SUM = `c.id, c.order_id as "orderId", c.order_item_id as "itemId", c.catalog_id as "catalogId", c.amount_minor as "amountMinor",
  c.returned_minor as "returnedMinor", ${SETTLED} as "settledMinor", c.currency, c.state`;
const BY_ID = `select ${SUM} from collection c where c.operator_id = $1 and c.id = $2 for update`; // collection_pkey
const BY_REFERENCE = `select ${SUM} from collection c where c.operator_id = $1 and c.reference = any($2::text[]) limit 2 for update`; // collection_by_reference
const RETURN = `r.id, r.source, r.kind, r.named, r.collection_id as "collectionId", s.order_id as "orderId", r.amount_minor as "amountMinor",
  r.currency, r.code, r.returned_on::text as "returnedOn", r.outcome, r.reason, r.told_by as "toldBy", r.told_at as "toldAt"`;
const FROM = "from collection_return r left join collection s on s.id = r.collection_id"; // collection_pkey
const KNOWN = `select ${RETURN} ${FROM} where r.operator_id = $1 and r.entry_key = $2`; // collection_return_operator_id_entry_key_key
const FIND = `select ${RETURN} ${FROM} where r.operator_id = $1 and r.id = $2`; // collection_return_pkey
/** collection_return_of */
const EARLIER = `select source, amount_minor as "amountMinor", outcome from collection_return
                  where operator_id = $1 and collection_id = $2 and id <> $3 and outcome in ('booked', 'confirmed')`;
const INSERT = `
  insert into collection_return (id, operator_id, entry_key, source, kind, named, collection_id, amount_minor, currency, code, returned_on,
                                 outcome, reason, told_by, told_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;
const WEIGHED =
  "update collection_return set collection_id = $3, outcome = $4, reason = $5 where operator_id = $1 and id = $2"; // collection_return_pkey
const TAKE_BACK = `
  update collection set state = $3, returned_minor = returned_minor + $4, return_code = $5, returned_at = $6, reason = $7, next_action = $8,
         due_at = null, deadline_at = null, ends_means = ends_means or $9, updated_at = $6
   where operator_id = $1 and id = $2`; // collection_pkey
/** What may have been too early: of a sum by its name, or by the number that its provider gave meanwhile. collection_return_to_see_to */
const EARLY = `
  select r.id from collection_return r
   where r.operator_id = $1 and r.outcome = 'unknown'
     and exists (select from collection c where c.operator_id = r.operator_id and c.state not in ('asked', 'waiting')
                    and (c.id = r.collection_id or c.reference = any(r.named)))
   order by r.id limit $2`;
const LOOKED_AT_ONCE = 200;

type Sum = {
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly catalogId: string;
  readonly amountMinor: bigint;
  readonly returnedMinor: bigint;
  readonly settledMinor: bigint;
  readonly currency: string;
  readonly state: CollectionState;
};
type Row = Omit<CollectionReturnView, "toldAt"> & { readonly toldAt: Date };
const viewOf = (row: Row): CollectionReturnView => ({ ...row, toldAt: row.toldAt.toISOString() });

export const createCollectionReturns = (deps: RegistryDeps): CollectionReturns => ({
  book: (operatorId, told, actor) => bookReturn(deps, operatorId, told, actor),
  async list(operatorId, { unsettled, collectionId }, page) {
    const { text, values } = new Conditions()
      .add("r.operator_id = ?", operatorId)
      .maybe("r.outcome = any(?::text[])", unsettled ? [...UNSETTLED_RETURNS] : undefined)
      .maybe("r.collection_id = ?::uuid", collectionId)
      .page(`select ${RETURN} ${FROM}`, "r", page); // collection_return_by_id
    return cutPage((await deps.database.rows<Row>(text, values)).map(viewOf), page.limit);
  },
  settle: (operatorId, id, said, actor) => settleReturn(deps, { operatorId, id, actor, ...said }),
  async lookAgain(operatorId) {
    const early = await deps.database.rows<{ id: string }>(EARLY, [operatorId, LOOKED_AT_ONCE]);
    let booked = 0;
    for (const { id } of early) if ((await weighAgain(deps, operatorId, id)) === "booked") booked++;
    return booked;
  },
});

function bookReturn(
  deps: RegistryDeps,
  operatorId: string,
  told: ToldReturn,
  actor: string,
): Promise<BookedReturn> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const key = `${told.source === "payment_provider" ? told.source : "bank"}:${told.key}`;
    const known = await tx.one<Row>(KNOWN, [operatorId, key]);
    if (known) return { ...viewOf(known), isRepeated: true };
    const id = deps.newId();
    const sum = await sumNamed(tx, operatorId, told.named);
    const verdict = weighReturn(sum, sum ? await earlierOf(tx, operatorId, sum.id, id) : [], told);
    const { source, kind, named, amountMinor, currency, code, returnedOn } = told;
    await tx.run(INSERT, [
      ...[
        id,
        operatorId,
        key,
        source,
        kind,
        [...named],
        sum?.id ?? null,
        amountMinor,
        currency,
        code,
        returnedOn,
      ],
      ...[verdict.outcome, verdict.reason, actor, deps.clock()],
    ]);
    if (sum) await takeBack(tx, deps, { operatorId, sum, returnId: id, told, verdict });
    return { ...viewOf(await found(tx, operatorId, id)), isRepeated: false };
  });
}

/** By our own name first; one number of the provider's for two sums names neither. */
async function sumNamed(tx: Tx, operatorId: string, named: readonly string[]): Promise<Sum | undefined> {
  for (const name of named) {
    const id = collectionNamed(name);
    const sum = id && (await tx.one<Sum>(BY_ID, [operatorId, id]));
    if (sum) return sum;
  }
  const [sum, another] = await tx.rows<Sum>(BY_REFERENCE, [operatorId, [...named]]);
  return another ? undefined : sum;
}

const earlierOf = (tx: Tx, operatorId: string, collectionId: string, returnId: string) =>
  tx.rows<Parameters<typeof weighReturn>[1][number]>(EARLIER, [operatorId, collectionId, returnId]);

async function takeBack(
  tx: Tx,
  deps: RegistryDeps,
  one: {
    readonly operatorId: string;
    readonly sum: Sum;
    readonly returnId: string;
    readonly told: Pick<ToldReturn, "source" | "kind" | "code">;
    readonly verdict: ReturnVerdict;
  },
): Promise<void> {
  const { operatorId, sum, returnId, told, verdict } = one;
  const { backMinor, state, reason } = verdict;
  if (backMinor === undefined || state === undefined) return;
  const now = deps.clock();
  await tx.run(TAKE_BACK, [
    ...[operatorId, sum.id, state, backMinor, told.code, now],
    ...[reason, NEXT_ACTIONS.returned, endsMeans(told)],
  ]);
  const changes = emptyChangeSet();
  const said = { returnId, told, verdict: { ...verdict, backMinor } };
  tellReturned(changes, { ...sum, operatorId }, said, { now, newId: deps.newId });
  writeChanges(tx, deps.sealer, changes, now);
  await writeCollectionPostings(tx, changes.collectionPostings, now);
}

async function found(tx: Tx, operatorId: string, id: string): Promise<Row> {
  const row = await tx.one<Row>(FIND, [operatorId, id]);
  if (row) return row;
  throw new TurnupError("collection_return_not_found", "There is no such return.", {
    nextStep: "GET /v1/collection-returns lists them.",
  });
}

/** What is known by now of one that was not known, or too early. */
function weighAgain(deps: RegistryDeps, operatorId: string, id: string): Promise<string> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const row = await found(tx, operatorId, id);
    if (row.outcome !== "unknown") return row.outcome; // another server was faster
    const sum = await sumNamed(tx, operatorId, row.named);
    return (await weighFor(tx, deps, { operatorId, row, sum })).outcome;
  });
}

async function weighFor(
  tx: Tx,
  deps: RegistryDeps,
  { operatorId, row, sum }: { readonly operatorId: string; readonly row: Row; readonly sum: Sum | undefined },
): Promise<ReturnVerdict> {
  const verdict = weighReturn(sum, sum ? await earlierOf(tx, operatorId, sum.id, row.id) : [], row);
  await tx.run(WEIGHED, [operatorId, row.id, sum?.id ?? null, verdict.outcome, verdict.reason]);
  if (sum) await takeBack(tx, deps, { operatorId, sum, returnId: row.id, told: row, verdict });
  return verdict;
}

type Settling = {
  readonly operatorId: string;
  readonly id: string;
  readonly collectionId?: string | undefined;
  readonly reason: string;
  readonly actor: string;
};

function settleReturn(deps: RegistryDeps, settling: Settling): Promise<CollectionReturnView> {
  const { operatorId, id, collectionId, reason, actor } = settling;
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId);
    const row = await found(tx, operatorId, id);
    if (!UNSETTLED_RETURNS.includes(row.outcome))
      throw new TurnupError(
        "collection_return_closed",
        `Nobody has to see to this return: it is ${row.outcome}.`,
        {
          nextStep: "GET /v1/collection-returns?unsettled=true lists those that wait for a person.",
        },
      );
    if (collectionId === undefined) {
      const said = `${actor} has seen to it: ${reason}`;
      await tx.run(WEIGHED, [operatorId, id, row.collectionId, "settled", said]);
    } else {
      const sum = await tx.one<Sum>(BY_ID, [operatorId, collectionId]);
      if (!sum)
        throw new TurnupError("collection_not_found", "There is no such sum.", {
          nextStep: "GET /v1/collections lists them.",
        });
      await weighFor(tx, deps, { operatorId, row, sum });
    }
    const detail = { reason, ...(collectionId !== undefined && { collectionId }) };
    await noteIn(deps)(tx, operatorId, { actor, action: "collection_return.settle", subject: id, detail });
    return viewOf(await found(tx, operatorId, id));
  });
}
