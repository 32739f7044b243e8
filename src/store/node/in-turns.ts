/** Long work on many things, beside what else the program has to do: it is at this one no longer at a time than nobody notices. */
import { setImmediate as turn } from "node:timers/promises";

const SLICE_MS = 10;
/** Looking at the clock costs as much as some of the work. */
const ITEMS_A_LOOK = 16;

export async function inTurns<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
  let sliceEnds = performance.now() + SLICE_MS;
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % ITEMS_A_LOOK > 0 || performance.now() < sliceEnds) continue;
    await turn();
    sliceEnds = performance.now() + SLICE_MS;
  }
}
