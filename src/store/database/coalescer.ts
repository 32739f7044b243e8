/**
 * Lets callers that came alone go to the database together: while one batch is there, the next one gathers. A lone
 * caller waits for nobody; a flood costs one transaction a batch.
 */
import { TurnupError } from "../../term/error.ts";

export type Waiting<Row, Result> = {
  readonly row: Row;
  readonly answer: (result: Result) => void;
  readonly fail: (error: unknown) => void;
};

type Coalescer<Row, Result> = { put(rows: readonly Row[]): Promise<Result>[]; waiting(): number };

export function createCoalescer<Row, Result>(options: {
  readonly maxBatchRows: number;
  readonly maxBatchesAtOnce: number;
  /** More rows than this waiting and callers are turned away: memory is not a queue. */
  readonly maxWaitingRows: number;
  /** Answers every row of the batch, or rejects for all that are not answered. */
  readonly work: (batch: readonly Waiting<Row, Result>[]) => Promise<void>;
}): Coalescer<Row, Result> {
  const waiting: Waiting<Row, Result>[] = [];
  let running = 0;

  const pump = (): void => {
    while (running < options.maxBatchesAtOnce && waiting.length > 0) {
      const batch = waiting.splice(0, options.maxBatchRows);
      running++;
      void options
        .work(batch)
        .catch((error: unknown) => {
          for (const { fail } of batch) fail(error);
        })
        .finally(() => {
          running--;
          pump();
        });
    }
  };

  return {
    put(rows) {
      if (waiting.length + rows.length > options.maxWaitingRows) {
        throw new TurnupError("intake_full", `${waiting.length} rows wait for the database.`, {
          nextStep: "Send them again in a few seconds.",
        });
      }
      const results = rows.map(
        (row) => new Promise<Result>((answer, fail) => waiting.push({ row, answer, fail })),
      );
      // One turn of the event loop lets requests that came together go together.
      setImmediate(pump);
      return results;
    },
    waiting: () => waiting.length,
  };
}
