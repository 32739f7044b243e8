/** First in, first out, without moving what waits at every step: thousands of messages wait in one. */

const COMPACT_AT = 1024;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out what `leaves` says, in order; what stays keeps its place. */
  remove(leaves: (item: T) => boolean): T[] {
    const gone: T[] = [];
    const stay: (T | undefined)[] = [];
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i] as T; // filled from head on
      (leaves(item) ? gone : stay).push(item);
    }
    if (gone.length > 0) {
      this.#items = stay;
      this.#head = 0;
    }
    return gone;
  }
}
