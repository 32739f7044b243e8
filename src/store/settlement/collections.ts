/** Sums collected from subscribers, as a person reads and books them. */
import { emptyChangeSet } from "../../kernel/order/change-set.ts";
import {
  type Collections,
  type CollectionView,
  NEXT_ACTIONS,
  type OwedSum,
  owedOf,
} from "../../kernel/settlement/collection.ts";
import { dueEntry, settledEntry, takenEntry } from "../../kernel/settlement/postings.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import { cutPage } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "../operator/audited.ts";
import { writeChanges } from "../orders/order-rows.ts";
import { SETTLED, writeCollectionPostings } from "./collection-rows.ts";
import { takeMoneyTurn } from "./payable-rows.ts";

const COLLECTION = `c.id, c.order_id as "orderId", c.order_item_id as "itemId", c.catalog_id as "catalogId", c.purpose, c.period,
  c.amount_minor as "amountMinor", c.currency, c.state, c.attempt, c.reason, c.next_action as "nextAction", c.due_at as "dueAt",
  c.deadline_at as "deadlineAt", c.means_masked as "meansMasked", c.reference,
  c.returned_minor as "returnedMinor", ${SETTLED} as "settledMinor", c.return_code as "returnCode", c.returned_at as "returnedAt", c.created_at as "createdAt", c.updated_at as "updatedAt"`;
const LOCK = `select ${COLLECTION} from collection c where c.operator_id = $1 and c.id = $2 for update`; // collection_pkey
const BOOK = `update collection set state = $3, reason = $4, next_action = $5, reference = coalesce($6, reference), updated_at = $7
               where operator_id = $1 and id = $2`; // collection_pkey

/** collection_to_see_to, posting_of_collection */
const OWED = `select currency, state, count(*)::int as sums,
                     sum(case when state in ('partly_returned', 'returned') then returned_minor - ${SETTLED} else amount_minor end)::bigint as "owedMinor"
                from collection c where operator_id = $1 and state in ('refused', 'unknown', 'partly_returned', 'returned')
               group by currency, state order by currency, state`;

type Row = Omit<
  CollectionView,
  "dueAt" | "deadlineAt" | "returnedAt" | "owedMinor" | "createdAt" | "updatedAt"
> & {
  readonly settledMinor: bigint;
  readonly dueAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly returnedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

const viewOf = ({ settledMinor, ...row }: Row): CollectionView => ({
  ...row,
  dueAt: row.dueAt?.toISOString() ?? null,
  deadlineAt: row.deadlineAt?.toISOString() ?? null,
  returnedAt: row.returnedAt?.toISOString() ?? null,
  owedMinor: owedOf({ ...row, settledMinor }),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export const createCollections = (deps: RegistryDeps): Collections => ({
  async list(operatorId, { state, orderId, toSeeTo }, page) {
    const conditions = new Conditions()
      .add("c.operator_id = ?", operatorId)
      .maybe("c.state = ?", state)
      .maybe("c.order_id = ?", orderId);
    if (toSeeTo) conditions.fixed("c.state in ('refused', 'unknown', 'partly_returned', 'returned')"); // collection_to_see_to
    const { text, values } = conditions.page(`select ${COLLECTION} from collection c`, "c", page); // collection_by_id
    return cutPage((await deps.database.rows<Row>(text, values)).map(viewOf), page.limit);
  },
  owed: (operatorId) => deps.database.rows<OwedSum>(OWED, [operatorId]),
  book: (operatorId, id, said, actor) => book(deps, { operatorId, id, actor, ...said }),
});

type Said = Parameters<Collections["book"]>[2] & {
  readonly operatorId: string;
  readonly id: string;
  readonly actor: string;
};

function book(
  deps: RegistryDeps,
  { operatorId, id, outcome, reference, reason, actor }: Said,
): Promise<CollectionView> {
  return deps.database.transaction(async (tx) => {
    await takeMoneyTurn(tx, operatorId); // what came back meanwhile is seen
    const row = await tx.one<Row>(LOCK, [operatorId, id]);
    if (!row)
      throw new TurnupError("collection_not_found", "There is no such sum.", {
        nextStep: "GET /v1/collections lists them.",
      });
    // Only where no answer is awaited any more: else two words would stand against each other.
    const wasReturned = row.state === "returned" || row.state === "partly_returned";
    if (row.state !== "unknown" && row.state !== "refused" && !(wasReturned && outcome === "taken"))
      throw new TurnupError(
        "collection_closed",
        wasReturned
          ? "This sum came back, and stays owed until it is paid."
          : `The payment provider has the word of this sum: it is ${row.state}.`,
        {
          nextStep: "GET /v1/collections?toSeeTo=true lists those that a person has to see to.",
        },
      );
    const now = deps.clock();
    const state = outcome === "taken" ? "taken" : "refused";
    const what = state === "refused" ? "not taken" : row.state === "unknown" ? "taken" : "paid otherwise";
    const said = `it was ${what}, as ${actor} booked: ${reason}`;
    const nextAction = state === "taken" ? "none" : NEXT_ACTIONS.refused;
    await tx.run(BOOK, [operatorId, id, state, said, nextAction, reference ?? null, now]);
    const changes = emptyChangeSet();
    const event = {
      id: deps.newId(),
      operatorId,
      orderId: row.orderId,
      itemId: row.itemId,
      state: null,
      at: now,
    };
    changes.events.push({
      ...event,
      kind: "collection_booked",
      reason: said,
      evidence: actor,
      detail: { collectionId: id, outcome, reference: reference ?? null },
    });
    if (state === "taken")
      for (const entry of paidEntries(deps, row)) changes.collectionPostings.push({ ...entry, operatorId });
    writeChanges(tx, deps.sealer, changes, now);
    await writeCollectionPostings(tx, changes.collectionPostings, now);
    const detail = { outcome, reason };
    await noteIn(deps)(tx, operatorId, { actor, action: "collection.book", subject: id, detail });
    return viewOf({
      ...row,
      state,
      reason: said,
      nextAction,
      reference: reference ?? row.reference,
      updatedAt: now,
    });
  });
}

/** The provider took what it never answered; what it refused, or what came back, was paid otherwise. */
function paidEntries(deps: RegistryDeps, row: Row) {
  const isTaken = row.state === "unknown";
  const paid = isTaken
    ? takenEntry(row)
    : settledEntry({ id: row.id, amountMinor: owedOf(row) }, deps.newId());
  return [dueEntry(row), paid].map((entry) => ({
    ...entry,
    id: deps.newId(),
    collectionId: row.id,
    currency: row.currency,
  }));
}
