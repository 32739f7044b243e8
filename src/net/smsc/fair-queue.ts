/** A queue with lanes that take turns: whoever has much to send delays nobody who has little. Within a lane, first in, first out. */
import { Fifo } from "./fifo.ts";

type Lane<T> = { readonly items: Fifo<T>; hasTurn: boolean };
/** Lanes that are empty are kept up to this number, since most come back. */
const LANES_KEPT = 256;

export class FairQueue<T extends { readonly lane: string | undefined }> {
  readonly #lanes = new Map<string | undefined, Lane<T>>();
  /** Lanes with something in them, in the order of their turns. */
  readonly #turns = new Fifo<Lane<T>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    let lane = this.#lanes.get(item.lane);
    if (!lane) {
      if (this.#lanes.size >= LANES_KEPT) this.#forgetEmpty();
      lane = { items: new Fifo<T>(), hasTurn: false };
      this.#lanes.set(item.lane, lane);
    }
    lane.items.push(item);
    this.#length += 1;
    this.#giveTurn(lane);
  }

  shift(): T | undefined {
    for (let lane = this.#turns.shift(); lane; lane = this.#turns.shift()) {
      lane.hasTurn = false;
      const item = lane.items.shift();
      if (item === undefined) continue; // taken out meanwhile
      this.#length -= 1;
      this.#giveTurn(lane);
      return item;
    }
    return undefined;
  }

  /** Takes out what `leaves` says, lane by lane; what stays keeps its place. */
  remove(leaves: (item: T) => boolean): T[] {
    const gone = [...this.#lanes.values()].flatMap(({ items }) => items.remove(leaves));
    this.#length -= gone.length;
    return gone;
  }

  #giveTurn(lane: Lane<T>): void {
    if (lane.hasTurn || lane.items.length === 0) return;
    lane.hasTurn = true;
    this.#turns.push(lane);
  }

  #forgetEmpty(): void {
    for (const [name, { items, hasTurn }] of this.#lanes)
      if (items.length === 0 && !hasTurn) this.#lanes.delete(name);
  }
}
