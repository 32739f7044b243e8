/**
 * Kills a server at seeded points of its work and starts it again: behind the so-and-so-manieth of a kind of thing that happens
 * outside, so that it dies with something just said and nothing answered yet.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { chanceOf } from "../fixture/seed.ts";
import type { TurnupProcess } from "./turnup-process.ts";

/** A moment that did not come for so long comes no more: the clock takes its place. */
const STILL_MS = 3_000;

export type Killing = {
  /** Of this moment: it is another one after each kill. */
  server(): TurnupProcess;
  /** When it was killed so far, in words. */
  readonly killed: readonly string[];
  /** Resolved when all kills are done and the last server runs. */
  finish(): Promise<void>;
};

export async function startKilling<Moment extends string>(
  fixture: { onMoment: (moment: Moment) => void },
  options: {
    readonly start: () => Promise<TurnupProcess>;
    /** How many of each may pass before a kill, at most. */
    readonly moments: Readonly<Record<Moment, number>>;
    readonly kills: number;
    readonly seed: number;
  },
): Promise<Killing> {
  const { start, kills } = options;
  const moments = Object.entries(options.moments) as [Moment, number][];
  const chance = chanceOf(options.seed);
  const killed: string[] = [];
  let server = await start();
  let runs = Promise.resolve();
  function plan(): void {
    const [moment, most] = moments[Math.floor(chance() * moments.length)]!;
    const after = 1 + Math.floor(chance() * most);
    let left = after;
    fixture.onMoment = (met) => {
      if (met !== moment || --left > 0) return;
      fixture.onMoment = () => undefined;
      killed.push(`${moment} ${after}`);
      process.kill(server.pid, "SIGKILL");
      runs = runs.then(async () => {
        await server.kill();
        server = await start();
        if (killed.length < kills) plan();
      });
    };
  }
  plan();
  return {
    server: () => server,
    killed,
    async finish() {
      while (killed.length < kills) {
        const before = killed.length;
        await sleep(STILL_MS);
        await runs;
        if (killed.length > before) continue;
        fixture.onMoment = () => undefined;
        killed.push("clock");
        await server.kill();
        server = await start();
        if (killed.length < kills) plan();
      }
      await runs;
    },
  };
}
