/** Parts of one message leave one after the other: a centre that refuses some of them would else get them out of order. */
import type { Outgoing } from "./outgoing.ts";

const NONE: readonly Outgoing[] = [];

export class PartOrder {
  /** By message, of those of which a part is on its way: the parts behind it. */
  readonly #behind = new Map<string, Outgoing[]>();
  #waiting = 0;

  get waiting(): number {
    return this.#waiting;
  }

  /** Keeps a part that has one before it on its way; any other may be queued. */
  mustWait(part: Outgoing): boolean {
    if (part.partOf === undefined) return false;
    const behind = this.#behind.get(part.partOf);
    if (!behind) {
      this.#behind.set(part.partOf, []);
      return false;
    }
    behind.push(part);
    this.#waiting += 1;
    return true;
  }

  /** `next` may go now; where the part was not taken, those behind it do not go: they are `left`. */
  settled(
    { partOf }: Outgoing,
    isTaken: boolean,
  ): { readonly next?: Outgoing | undefined; readonly left: readonly Outgoing[] } {
    const behind = partOf === undefined ? undefined : this.#behind.get(partOf);
    if (partOf === undefined || !behind) return { left: NONE };
    const next = isTaken ? behind.shift() : undefined;
    if (next) this.#waiting -= 1;
    else this.#behind.delete(partOf);
    if (isTaken) return { next, left: NONE };
    this.#waiting -= behind.length;
    return { left: behind };
  }
}
