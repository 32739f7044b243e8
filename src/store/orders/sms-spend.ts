/**
 * What an operator's short messages come to today, for the limits of its policy: parts that centres took since midnight (UTC), and
 * what waits. Looked at once in `REMEMBERED_MS`; what this server admits and hands over in between is added, so that it does not
 * go beyond a limit by itself. Another server's is seen at the next look.
 */
import type { SmsSpend } from "../../kernel/operator/sms-limits.ts";
import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";

const REMEMBERED_MS = 5_000;
/** What was handed over so long ago is booked, and in the count. */
const BOOKED_WITHIN_MS = 15_000;
const DAY_MS = 86_400_000;
/** Messages made before this many days hardly go out today. */
const DAYS_BACK = 3;

const COUNTS = {
  name: "sms_spend", // message_by_id, message_part_pkey
  text: `select coalesce(sum(p.spent), 0)::int as spent,
                count(*) filter (where m.state in ('queued', 'submitting'))::int as waiting,
                coalesce(sum(m.part_count) filter (where m.state in ('queued', 'submitting')), 0)::int as "waitingParts"
           from message m
           left join lateral (select count(*) as spent from message_part p
                               where p.message_id = m.id and p.accepted_at >= $3) p on true
          where m.operator_id = $1 and m.id >= $2`,
};

type Counts = { readonly spent: number; readonly waiting: number; readonly waitingParts: number };
type Known = {
  readonly counts: Promise<Counts>;
  readonly atMs: number;
  admitted: { messages: number; parts: number };
};

export function createSmsSpend(database: Database, clock: () => Date): SmsSpend {
  const known = new Map<string, Known>();
  const handed = new Map<string, { readonly atMs: number; readonly parts: number }[]>();
  const look = (operatorId: string): Known => {
    const nowMs = clock().getTime();
    const seen = known.get(operatorId);
    if (seen && nowMs - seen.atMs < REMEMBERED_MS && nowMs >= seen.atMs) return seen;
    const midnight = new Date(Math.floor(nowMs / DAY_MS) * DAY_MS);
    const since = floorId(midnight.getTime() - DAYS_BACK * DAY_MS);
    const counts = database.rows<Counts>(COUNTS, [operatorId, since, midnight]).then(the);
    counts.catch(() => known.delete(operatorId));
    const fresh = { counts, atMs: nowMs, admitted: { messages: 0, parts: 0 } };
    known.set(operatorId, fresh);
    return fresh;
  };
  const lately = (operatorId: string): number => {
    const fromMs = clock().getTime() - BOOKED_WITHIN_MS;
    const recent = (handed.get(operatorId) ?? []).filter(({ atMs }) => atMs > fromMs);
    handed.set(operatorId, recent);
    return recent.reduce((sum, { parts }) => sum + parts, 0);
  };
  return {
    async now(operatorId) {
      const { counts, admitted } = look(operatorId);
      const { spent, waiting, waitingParts } = await counts;
      return {
        spent,
        get lately() {
          return lately(operatorId);
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
    handedOver(operatorId, parts) {
      const recent = handed.get(operatorId) ?? [];
      recent.push({ atMs: clock().getTime(), parts });
      handed.set(operatorId, recent);
    },
  };
}

/** The least UUIDv7 of a moment. */
function floorId(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
