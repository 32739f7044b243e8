/** The leases that this server has itself: listed, and given back where it could not go on with them (`kernel/conductor/in-hand.ts`). */
import type { LeaseBook, Leased } from "../../kernel/order/order-store.ts";
import { CALL_KINDS } from "../../kernel/order/outbound-call.ts";
import type { Database } from "../database/database.ts";

/** What is due now has lapsed by itself. */
const LEASED_HERE = {
  name: "leased_here", // message_due, outbound_call_due
  text: `select id, attempts from message where due_at > $2 and lease_until is not null and leased_by = $1
          union all
         select id, attempts from outbound_call
          where kind = any($3::text[]) and due_at > $2 and lease_until is not null and leased_by = $1`,
};
/** A second after the first attempt that failed, then later and later: what always fails is no burden. */
const SOON = "$3::timestamptz + least(power(2, attempts - 1), 60) * interval '1 s'";
/** In order of id, as every other batch locks its messages. */
const stillLeased = (table: string): string =>
  `select t.id from ${table} t join unnest($1::uuid[], $2::integer[]) as v(id, attempts) on t.id = v.id and t.attempts = v.attempts
    where t.due_at is not null and t.lease_until is not null and t.leased_by = $4 order by t.id for update of t`;
const GIVE_BACK_MESSAGES = {
  name: "give_back_messages", // message_pkey
  text: `update message set state = 'queued', reason = 'its server could not go on with it; it goes out again',
                due_at = ${SOON}, lease_until = null, updated_at = $3
          where id in (${stillLeased("message")})`,
};
const GIVE_BACK_CALLS = {
  name: "give_back_calls", // outbound_call_pkey
  text: `update outbound_call set due_at = ${SOON}, lease_until = null, updated_at = $3
          where id in (${stillLeased("outbound_call")})`,
};

/** Without a number in the database nobody knows which leases are this server's: they lapse by their time. */
export function ownLeases(database: Database, nodeNumber: () => number | null): LeaseBook {
  return {
    async leasedHere(now) {
      const number = nodeNumber();
      return number === null ? [] : database.rows<Leased>(LEASED_HERE, [number, now, CALL_KINDS]);
    },
    giveBack: (leased, now) =>
      database.transaction(
        async (tx) => {
          const values = [
            leased.map(({ id }) => id),
            leased.map(({ attempts }) => attempts),
            now,
            nodeNumber(),
          ];
          return (await tx.run(GIVE_BACK_MESSAGES, values)) + (await tx.run(GIVE_BACK_CALLS, values));
        },
        { safeToRepeat: true },
      ),
  };
}
