/** A policy replayed: what past verdicts would be under it, model by model; nothing is put in force, and no order is touched. */
import { setImmediate as turn } from "node:timers/promises";
import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import {
  createReplay,
  type PastVerdicts,
  type ReplayRow,
  type ReplaySummary,
  type Said,
} from "../../kernel/operator/replay.ts";
import { decidingReason, saidBy } from "../../kernel/support/policy-tests.ts";
import type { Database } from "../../store/database/database.ts";
import { countPastOrders, pastVerdicts } from "../../store/orders/past-verdicts.ts";
import type { Knowledge } from "./knowledge.ts";

/** Groups judged before others have their turn on this server; a judgement takes some microseconds, a new model's a few hundred. */
const GROUPS_A_TURN = 50;

type ReplayDeps = {
  readonly database: Database;
  readonly knowledge: Pick<Knowledge, "decide">;
  readonly terms: OperatorTerms;
};
type Asked = {
  readonly policy: OrderPolicy;
  readonly since: Date;
  /** Told after each piece; it may throw to end the replay. */
  readonly onProgress: (done: number, total: number) => Promise<void>;
};
type Replayed = { readonly rows: readonly ReplayRow[]; readonly summary: ReplaySummary };

export async function replayPolicy(
  deps: ReplayDeps,
  { policy, since, onProgress }: Asked,
): Promise<Replayed> {
  const { database, terms } = deps;
  const total = await countPastOrders(database, terms.operatorId, since);
  const replay = createReplay();
  const judge = judgedOnce(deps, policy);
  let [done, judged] = [0, 0];
  const spokenOf = [...terms.overrides.keys()].flatMap((key) =>
    key.startsWith("imei:") ? [key.slice(5)] : [],
  );
  for await (const { groups, orders } of pastVerdicts(database, terms.operatorId, { since, spokenOf })) {
    for (const past of groups) {
      const { inForce, tried } = judge(past);
      replay.add(past, inForce, tried);
      if (++judged % GROUPS_A_TURN === 0) await turn();
    }
    done += orders;
    await onProgress(Math.min(done, total), total);
  }
  return { rows: replay.rows(), summary: replay.summary() };
}

/** Of a model on one day what was said once is said again: by both policies. */
function judgedOnce({ knowledge, terms }: ReplayDeps, policy: OrderPolicy) {
  type Both = { readonly inForce: Said; readonly tried: Said };
  let day = new Map<string, Both>();
  const wish = { ...terms, policy };
  return ({ tac, imeiIndex, market, asOf }: PastVerdicts): Both => {
    const key = `${tac} ${imeiIndex} ${market} ${asOf}`;
    const known = day.get(key);
    if (known) return known;
    if (day.size > 200_000) day = new Map();
    const asked = { tac, imeiIndex: imeiIndex ?? "", market, asOf };
    const both = { inForce: said(knowledge, terms, asked), tried: said(knowledge, wish, asked) };
    day.set(key, both);
    return both;
  };
}

function said(
  knowledge: Pick<Knowledge, "decide">,
  terms: OperatorTerms,
  asked: Parameters<Knowledge["decide"]>[1],
): Said {
  const decision = knowledge.decide(terms, asked);
  return { verdict: decision.verdict, rule: decidingReason(decision)?.rule ?? null, words: saidBy(decision) };
}
