/**
 * Submits that wait for their response, by sequence number. A flat table instead of a map with timers: a number's low
 * bits are its place, time-outs are found by one look over the table now and then.
 */

/** §5.1.4: 1 to 0x7FFFFFFF. */
const LAST_SEQUENCE = 0x7fffffff;

interface Numbered {
  readonly sequence: number;
  readonly sentAt: number;
}

export class InFlight<T extends Numbered> {
  readonly #slots: (T | undefined)[];
  readonly #mask: number;
  #next: number;
  #count = 0;

  constructor(window: number, firstSequence = 1) {
    this.#next = firstSequence;
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * window)));
    this.#slots = new Array<T | undefined>(size).fill(undefined);
    this.#mask = size - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** A number whose place is free; the table is at most half full, so one is near. */
  nextSequence(): number {
    let sequence: number;
    do {
      sequence = this.#next;
      this.#next = sequence === LAST_SEQUENCE ? 1 : sequence + 1;
    } while (this.#slots[sequence & this.#mask] !== undefined);
    return sequence;
  }

  add(item: T): void {
    this.#slots[item.sequence & this.#mask] = item;
    this.#count += 1;
  }

  /** Takes out the one with this number, if it still waits. */
  take(sequence: number): T | undefined {
    const place = sequence & this.#mask;
    const item = this.#slots[place];
    if (item === undefined || item.sequence !== sequence) return undefined;
    this.#slots[place] = undefined;
    this.#count -= 1;
    return item;
  }

  /** Takes out all that were sent at `latest` or before. */
  takeSentUntil(latest: number): T[] {
    const taken: T[] = [];
    if (this.#count === 0) return taken;
    for (let place = 0; place < this.#slots.length; place++) {
      const item = this.#slots[place];
      if (item === undefined || item.sentAt > latest) continue;
      this.#slots[place] = undefined;
      this.#count -= 1;
      taken.push(item);
    }
    return taken;
  }
}
