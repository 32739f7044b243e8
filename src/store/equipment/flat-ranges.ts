/** Ranges of handsets that overlap, as ranges that do not: of two the narrower counts, of two of one width the stricter. */
import { TurnupError } from "../../term/error.ts";

/** Both ends within; the lower the status the stricter. */
export type Range = { readonly from: number; readonly to: number; readonly status: number };

/** Ranges over one handset: each step looks at all of them. */
const DEPTH_MAX = 1_000;

/** In order. @throws TurnupError `dataset_malformed`: more than a thousand lie over one handset */
export function flatten(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort((one, other) => one.from - other.from);
  const flat: Range[] = [];
  let open: Range[] = [];
  let at = 0;
  let cursor = 0;
  while (open.length > 0 || at < sorted.length) {
    const next = sorted[at];
    if (open.length === 0 && next) cursor = next.from;
    for (let begun = sorted[at]; begun && begun.from <= cursor; begun = sorted[++at]) open.push(begun);
    if (open.length > DEPTH_MAX)
      throw new TurnupError("dataset_malformed", `More than ${DEPTH_MAX} ranges lie over one handset.`, {
        nextStep: "Join those that say the same.",
      });
    const best = open.reduce(better);
    const following = sorted[at];
    const end = Math.min(best.to, following ? following.from - 1 : best.to);
    flat.push({ from: cursor, to: end, status: best.status });
    cursor = end + 1;
    open = open.filter(({ to }) => to >= cursor);
  }
  return flat;
}

function better(one: Range, other: Range): Range {
  const [width, otherWidth] = [one.to - one.from, other.to - other.from];
  if (width !== otherWidth) return width < otherWidth ? one : other;
  return one.status <= other.status ? one : other;
}
