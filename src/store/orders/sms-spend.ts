/**
 * What an operator's short messages come to today, for the limits of its policy: parts that centres took since midnight (UTC) and
 * their cost, counted as they are booked, and what waits. Looked at once in `REMEMBERED_MS`; what this server admits and hands over in between is added, so that it does not
 * go beyond a limit by itself. Another server's is seen at the next look.
 */
import type { SmsSpend } from "../../kernel/operator/sms-limits.ts";
import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";

const REMEMBERED_MS = 5_000;
/** What was handed over so long ago is booked, and in the count. */
const BOOKED_WITHIN_MS = 15_000;
const dayOf = (ms: number): number => Math.floor(ms / 86_400_000);

const COUNTS = {
  name: "sms_spend", // sms_day_pkey, message_due_of_operator: what waits has a time at which it is due
  text: `select d.parts as spent, d.cost_micros as "spentMicros", w.waiting, w.parts as "waitingParts"
           from (select coalesce(sum(parts), 0)::float8 as parts, coalesce(sum(cost_micros), 0)::float8 as cost_micros
                   from sms_day where operator_id = $1 and day = ($2::timestamptz at time zone 'UTC')::date) d
          cross join (select count(*)::int as waiting, coalesce(sum(part_count), 0)::int as parts
                        from message where operator_id = $1 and due_at is not null) w`,
};

type Counts = {
  readonly spent: number;
  readonly spentMicros: number;
  readonly waiting: number;
  readonly waitingParts: number;
};
type Handed = { readonly atMs: number; readonly parts: number; readonly costMicros: number };
type Known = {
  readonly counts: Promise<Counts>;
  readonly atMs: number;
  admitted: { messages: number; parts: number };
};

export function createSmsSpend(database: Database, clock: () => Date): SmsSpend {
  const known = new Map<string, Known>();
  const handed = new Map<string, Handed[]>();
  const look = (operatorId: string): Known => {
    const nowMs = clock().getTime();
    const seen = known.get(operatorId);
    const isYoung = seen && nowMs - seen.atMs < REMEMBERED_MS && nowMs >= seen.atMs;
    if (isYoung && dayOf(nowMs) === dayOf(seen.atMs)) return seen;
    const counts = database.rows<Counts>(COUNTS, [operatorId, new Date(nowMs)]).then(the);
    counts.catch(() => known.delete(operatorId));
    const fresh = { counts, atMs: nowMs, admitted: { messages: 0, parts: 0 } };
    known.set(operatorId, fresh);
    return fresh;
  };
  /** Yesterday's sum, asked for before midnight and answered behind it, would hold today's messages back until tomorrow. */
  const lookToday = async (operatorId: string): Promise<Counts & Pick<Known, "admitted">> => {
    for (;;) {
      const { counts, atMs, admitted } = look(operatorId);
      const counted = await counts;
      if (dayOf(clock().getTime()) === dayOf(atMs)) return { ...counted, admitted };
    }
  };
  const lately = (operatorId: string, of: "parts" | "costMicros"): number => {
    const fromMs = clock().getTime() - BOOKED_WITHIN_MS;
    const recent = (handed.get(operatorId) ?? []).filter(({ atMs }) => atMs > fromMs);
    handed.set(operatorId, recent);
    return recent.reduce((sum, one) => sum + one[of], 0);
  };
  return {
    async now(operatorId) {
      const { admitted, spent, spentMicros, waiting, waitingParts } = await lookToday(operatorId);
      return {
        spent,
        spentMicros,
        get lately() {
          return lately(operatorId, "parts");
        },
        get latelyMicros() {
          return lately(operatorId, "costMicros");
        },
        get waiting() {
          return waiting + admitted.messages;
        },
        get waitingParts() {
          return waitingParts + admitted.parts;
        },
      };
    },
    admitted(operatorId, messages, parts) {
      const { admitted } = look(operatorId);
      admitted.messages += messages;
      admitted.parts += parts;
    },
    handedOver(operatorId, parts, costMicros) {
      const recent = handed.get(operatorId) ?? [];
      recent.push({ atMs: clock().getTime(), parts, costMicros });
      handed.set(operatorId, recent);
    },
  };
}
