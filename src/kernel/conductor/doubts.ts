/**
 * Messages that a centre has perhaps: they left, and no answer came. They go out again there, under the same reference; by another
 * centre only after a while, since the handset would get them twice. Kept in memory: a server that starts anew gives each centre
 * its time to be bound before another takes what is its.
 */
const DOUBT_MS = 600_000;

export class Doubts {
  readonly #held = new Map<string, { readonly smsc: string; readonly untilMs: number }>();

  note(messageId: string, smsc: string, nowMs: number): void {
    for (const [id, { untilMs }] of this.#held) {
      if (untilMs > nowMs) break; // in the order of their coming
      this.#held.delete(id);
    }
    this.#held.delete(messageId);
    this.#held.set(messageId, { smsc, untilMs: nowMs + DOUBT_MS });
  }

  /** The centre that has it perhaps. */
  holderOf(messageId: string, nowMs: number): string | undefined {
    const held = this.#held.get(messageId);
    return held && held.untilMs > nowMs ? held.smsc : undefined;
  }

  settle(messageId: string): void {
    this.#held.delete(messageId);
  }
}
