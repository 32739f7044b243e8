/**
 * What was opened, closed in turn: the last first, each once, and all of them though one of them fails. What we need of
 * JavaScript's `AsyncDisposableStack`, which Node 20 does not have.
 */
export class ClosingStack {
  readonly #steps: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  /** Gives `thing` back, and closes it in its turn. */
  use<Thing extends { close(): unknown }>(thing: Thing): Thing {
    this.defer(() => thing.close());
    return thing;
  }

  /** What is to be done in its turn where there is no `close`. */
  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** A second call waits for the first. @throws what failed first, when all the rest is closed */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Opens one thing after the other; where one of them does not open, those before it are closed. */
export async function opening<Opened>(open: (closing: ClosingStack) => Promise<Opened>): Promise<Opened> {
  const closing = new ClosingStack();
  try {
    return await open(closing);
  } catch (error) {
    await closing.close().catch(() => undefined); // why it did not open is what counts
    throw error;
  }
}
