/** What the bench of engines asks of each: a flow of three steps, each a job, its effect once. */

/** 1 to 3. */
export const STEPS = [1, 2, 3] as const;
/** Jobs of one step that are taken together, by each engine that can. */
export const BATCH = 500;
/** A run that takes longer has failed. */
export const PATIENCE_MS = 600_000;

export type Engine = {
  /** Writes the first job of so many flows, which nobody works on yet. */
  prepare(flows: number): Promise<void>;
  /** Works until each flow has had its three effects. @throws Error where one had another number of them */
  work(): Promise<void>;
  close(): Promise<void>;
};

/** Resolves when as many effects as wanted were told of. @throws Error after `PATIENCE_MS` */
export function countdown(wanted: number): { readonly done: Promise<void>; told(effects: number): void } {
  let left = wanted;
  let resolve: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolved, reject) => {
    resolve = resolved;
    timer = setTimeout(() => reject(new Error(`${left} of ${wanted} effects are missing`)), PATIENCE_MS);
  });
  return {
    done,
    told(effects) {
      left -= effects;
      if (left > 0) return;
      clearTimeout(timer);
      resolve();
    },
  };
}
