/** The simulated world in a process of its own, so that its phones do not take the server's time. */

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { FleetEvent } from "../../sim/handset/fleet-state.ts";
import { packageFolder } from "../../store/dataset/folder.ts";
import { assured } from "../../term/narrow.ts";
import type { WorldAddresses, WorldLedger } from "./world.ts";
import type { Tried } from "./world-fleet.ts";
import type { TurnupAddress, WorldOptions } from "./world-options.ts";

/** A phone's news, small enough to cross between processes in thousands. */
export type WorldNews = {
  readonly imei: string;
  readonly kind: FleetEvent["kind"];
  readonly before: string;
  readonly now: string;
  readonly detail: string;
};

export type ToWorld =
  | { readonly kind: "start"; readonly options: WorldOptions }
  | { readonly kind: "connect"; readonly turnup: TurnupAddress }
  | { readonly kind: "attach"; readonly perSecond: number }
  | { readonly kind: "ask" }
  | { readonly kind: "settle" }
  | { readonly kind: "ledger" }
  | { readonly kind: "close" };

export type FromWorld =
  | { readonly kind: "started"; readonly addresses: WorldAddresses }
  | { readonly kind: "connected" }
  | { readonly kind: "attached" }
  | { readonly kind: "asked" }
  | { readonly kind: "settled"; readonly tried: Tried }
  | { readonly kind: "ledger"; readonly ledger: WorldLedger }
  | { readonly kind: "news"; readonly news: readonly WorldNews[] }
  /** Something went wrong out there that it goes on from. */
  | { readonly kind: "trouble"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

export type WorldProcess = {
  readonly addresses: WorldAddresses;
  readonly pid: number;
  connect(turnup: TurnupAddress): Promise<void>;
  attach(perSecond: number): Promise<void>;
  ask(): Promise<void>;
  /** Resolves when no phone does anything, and what the network saw of it is told: with what users of the fleet tried. */
  settle(): Promise<Tried>;
  ledger(): Promise<WorldLedger>;
  close(): Promise<void>;
};

const START_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;

type WorldFork = {
  /** May be called once. */
  start(options: WorldOptions): Promise<WorldProcess>;
  close(): Promise<void>;
};

/** Begins the process at once, so that it loads its program while its parent does other things. */
export function forkWorld(told: {
  readonly onNews: (news: readonly WorldNews[]) => void;
  /** Something went wrong out there that it goes on from. */
  readonly onTrouble: (message: string) => void;
}): WorldFork {
  const child = fork(join(packageFolder(), "bin", "turnup.js"), ["world"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const waiting = new Map<FromWorld["kind"], (message: FromWorld) => void>();
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure = error;
    for (const [kind, answer] of waiting) answer({ kind: "failed", message: `${kind}: ${error.message}` });
    waiting.clear();
  };
  child.on("message", (message: FromWorld) => {
    if (message.kind === "news") return told.onNews(message.news);
    if (message.kind === "trouble") return told.onTrouble(message.message);
    if (message.kind === "failed") return fail(new Error(message.message));
    waiting.get(message.kind)?.(message);
    waiting.delete(message.kind);
  });
  child.on("error", fail);
  child.on("exit", (code) => fail(new Error(`the simulated world ended with ${code}`)));
  const expect = <Kind extends FromWorld["kind"]>(
    kind: Kind,
    message: ToWorld,
  ): Promise<Extract<FromWorld, { kind: Kind }>> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      waiting.set(kind, (answer) => {
        if (answer.kind === "failed") reject(new Error(answer.message));
        else resolve(answer as Extract<FromWorld, { kind: Kind }>); // it was waited for under its kind
      });
      child.send(message);
    });
  return {
    async start(options) {
      const late = setTimeout(
        () => fail(new Error(`it did not start within ${START_TIMEOUT_MS} ms`)),
        START_TIMEOUT_MS,
      );
      const { addresses } = await expect("started", { kind: "start", options }).finally(() =>
        clearTimeout(late),
      );
      return {
        addresses,
        pid: assured(child.pid, "it answered, so it runs"),
        connect: async (turnup) => void (await expect("connected", { kind: "connect", turnup })),
        ask: async () => void (await expect("asked", { kind: "ask" })),
        attach: async (perSecond) => void (await expect("attached", { kind: "attach", perSecond })),
        settle: async () => (await expect("settled", { kind: "settle" })).tried,
        ledger: async () => (await expect("ledger", { kind: "ledger" })).ledger,
        close: () => close(child),
      };
    },
    close: () => close(child),
  };
}

function close(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill("SIGKILL"), CLOSE_TIMEOUT_MS);
    child.removeAllListeners("exit");
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    if (child.connected) child.send({ kind: "close" } satisfies ToWorld);
  });
}
