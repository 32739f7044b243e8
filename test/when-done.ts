/** Cleans up behind a test where it is called inside one, behind the whole file where it is called outside. */
import { afterAll, onTestFinished } from "vitest";

export function whenDone(work: () => unknown): void {
  const run = async (): Promise<void> => void (await work());
  try {
    onTestFinished(run);
  } catch {
    afterAll(run); // no test runs: the file is being read
  }
}
