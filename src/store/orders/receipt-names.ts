/** Receipts of a centre whose spelling of message ids is not known: each is given the name under which its part stands. */
import type { Receipt } from "../../kernel/order/message.ts";
import type { Db } from "../database/database.ts";

const KNOWN_NAMES = {
  name: "known_receipt_names", // message_part_by_smsc_id
  text: `select distinct on (q.at) q.at::int as at, p.smsc_message_id as "smscMessageId"
           from unnest($1::int[], $2::text[], $3::text[]) with ordinality as q(at, smsc, id, rank)
           join message_part p on p.smsc = q.smsc and p.smsc_message_id = q.id
          order by q.at, p.state <> 'accepted', q.rank`,
};

/** A part that has no last word yet goes before one that has; then the receipt's own spelling. One nobody knows stays. */
export async function named(db: Db, receipts: readonly Receipt[]): Promise<readonly Receipt[]> {
  const spellings = receipts.flatMap(({ smsc, smscMessageId, otherIds }, at) =>
    otherIds && otherIds.length > 0 ? [smscMessageId, ...otherIds].map((id) => ({ at, smsc, id })) : [],
  );
  if (spellings.length === 0) return receipts;
  const known = await db.rows<{ at: number; smscMessageId: string }>(KNOWN_NAMES, [
    spellings.map(({ at }) => at),
    spellings.map(({ smsc }) => smsc),
    spellings.map(({ id }) => id),
  ]);
  const names = new Map(known.map(({ at, smscMessageId }) => [at, smscMessageId]));
  return receipts.map((receipt, at) => ({
    ...receipt,
    smscMessageId: names.get(at) ?? receipt.smscMessageId,
  }));
}
