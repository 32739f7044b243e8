/**
 * Which message centre takes a message: one that serves its operator and its number, the longest prefix that fits first, then
 * the order of the file; the next where that is unbound for longer than its time, or is being drained. A message of which a
 * centre has a part stays with it, and so does for a while one that it has perhaps: another would bring it twice.
 */

/** One centre as it is now. */
export type CentreNow = {
  readonly name: string;
  /** Short names of the operators whose messages it takes; empty: all. */
  readonly operators: readonly string[];
  /** How the numbers begin that it takes messages for; empty: any. */
  readonly prefixes: readonly string[];
  /** Nothing new goes to it. */
  readonly drain: boolean;
  /** Once it is unbound for so long, the next takes what it would. */
  readonly failoverMs: number;
  /** Since when it is unbound; null where it is bound. */
  readonly downSinceMs: number | null;
  /** Since when it is bound for seconds only, again and again; null or absent where it holds. */
  readonly shakySinceMs?: number | null;
};

/** What is to go out: whose it is, to which number, and which centre has it in part or perhaps. */
export type ToSend = {
  readonly operator: string;
  readonly to: string;
  readonly staysWith?: string | null;
};

export type CentreChoice =
  | {
      readonly kind: "goes";
      readonly centre: string /** Whose it would have been. */;
      readonly insteadOf?: string;
    }
  /** Nothing takes it now. `centre`: which it waits for. */
  | {
      readonly kind: "waits";
      readonly code: "smsc_unbound" | "smsc_drained" | "smsc_none";
      readonly centre?: string;
    };

export function chooseCentre(
  centres: readonly CentreNow[],
  { operator, to, staysWith }: ToSend,
  nowMs: number,
): CentreChoice {
  const own = staysWith ? centres.find(({ name }) => name === staysWith) : undefined;
  if (own)
    return own.downSinceMs === null
      ? { kind: "goes", centre: own.name }
      : { kind: "waits", code: "smsc_unbound", centre: own.name };
  const serving = inOrder(centres, operator, to);
  const open = serving.filter(({ drain }) => !drain);
  const [first] = open;
  if (!first) return { kind: "waits", code: serving.length > 0 ? "smsc_drained" : "smsc_none" };
  const goes = (centre: CentreNow): CentreChoice => ({
    kind: "goes",
    centre: centre.name,
    ...(centre !== first && { insteadOf: first.name }),
  });
  for (const centre of open) {
    const { downSinceMs, shakySinceMs = null, failoverMs } = centre;
    // One that falls seconds after each bind is as good as away once that goes on for its time.
    const sinceMs = shakySinceMs ?? downSinceMs;
    const isTrusted = sinceMs === null || nowMs - sinceMs < failoverMs;
    if (downSinceMs === null && isTrusted) return goes(centre);
    if (isTrusted) return { kind: "waits", code: "smsc_unbound", centre: first.name }; // it may be back at once
  }
  const shaky = open.find(({ downSinceMs }) => downSinceMs === null);
  return shaky ? goes(shaky) : { kind: "waits", code: "smsc_unbound", centre: first.name };
}

/** Those that serve an operator and a number, in the order in which they are asked. */
function inOrder(centres: readonly CentreNow[], operator: string, to: string): readonly CentreNow[] {
  const number = to.replace(/^\+/, "");
  return centres
    .flatMap((centre) => {
      if (!serves(centre, operator)) return [];
      const fits = centre.prefixes.filter((prefix) => number.startsWith(prefix)).map(({ length }) => length);
      return centre.prefixes.length > 0 && fits.length === 0
        ? []
        : [{ centre, length: Math.max(0, ...fits) }];
    })
    .sort((one, other) => other.length - one.length) // a sort that keeps the order of equals
    .map(({ centre }) => centre);
}

/** Whether any message of an operator may go there at all. */
export const serves = ({ operators }: Pick<CentreNow, "operators">, operator: string): boolean =>
  operators.length === 0 || operators.includes(operator);
