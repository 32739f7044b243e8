/**
 * Texts in one piece of memory. A text of its own takes some forty octets beside its letters, and a map's entry as much again:
 * of hundred thousands of models that is most of what a server holds. What is packed is made once and never changed.
 */

/** FNV-1a over UTF-16 units. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
/** Slots a key: of an open table that is half full a look finds its key at the second slot. */
const SLOTS_A_KEY = 2;

/** Texts by their index, from 0 in the order given. */
export class PackedTexts {
  readonly #octets: Buffer;
  /** Where each begins, and where the last ends. */
  readonly #starts: Uint32Array;

  constructor(texts: readonly string[]) {
    this.#octets = Buffer.from(texts.join(""), "utf8");
    this.#starts = new Uint32Array(texts.length + 1);
    for (const [at, text] of texts.entries())
      this.#starts[at + 1] = (this.#starts[at] ?? 0) + Buffer.byteLength(text, "utf8");
  }

  get octets(): number {
    return this.#octets.length + this.#starts.byteLength;
  }

  /** Empty where there is none. */
  at(index: number): string {
    return this.#octets.toString("utf8", this.#starts[index], this.#starts[index + 1]);
  }
}

/** Gives each text an index, the same to the same. */
export class TextIndex {
  readonly #indexes = new Map<string, number>();

  indexOf(text: string): number {
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    this.#indexes.set(text, this.#indexes.size);
    return this.#indexes.size - 1;
  }

  packed(): PackedTexts {
    return new PackedTexts([...this.#indexes.keys()]);
  }
}

/** A map from texts to whole numbers of 32 bits. */
export class PackedMap {
  readonly size: number;
  readonly #keys: PackedTexts;
  readonly #values: Int32Array;
  /** Of the key at each slot, one more than its index; 0: none. */
  readonly #slots: Uint32Array;

  constructor(entries: ReadonlyMap<string, number>) {
    const keys = [...entries.keys()];
    this.size = keys.length;
    this.#keys = new PackedTexts(keys);
    this.#values = Int32Array.from(entries.values());
    this.#slots = new Uint32Array(Math.max(1, keys.length * SLOTS_A_KEY));
    for (const [at, key] of keys.entries()) {
      let slot = hashOf(key) % this.#slots.length;
      while (this.#slots[slot] !== 0) slot = (slot + 1) % this.#slots.length;
      this.#slots[slot] = at + 1;
    }
  }

  get(key: string): number | undefined {
    const { length } = this.#slots;
    for (let slot = hashOf(key) % length; ; slot = (slot + 1) % length) {
      const at = (this.#slots[slot] ?? 0) - 1;
      if (at < 0) return undefined;
      if (this.#keys.at(at) === key) return this.#values[at];
    }
  }
}

function hashOf(text: string): number {
  let hash = HASH_START;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_PRIME);
  return hash >>> 0;
}
