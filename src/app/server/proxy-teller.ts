/**
 * Tells the operator's proxies how accounts stand, each by a durable call at its own pace: one that does not answer holds up no
 * other. Which proxies there are, and where their doors are, may change while it runs.
 */
import type { ProxyBook } from "../../kernel/account/proxy-accounts.ts";
import { type ProxyDoor, tellProxy } from "../../kernel/account/tell-proxies.ts";
import { proxyDoor } from "../../net/proxy/door.ts";
import { TurnupError } from "../../term/error.ts";
import { type Loop, startLoop } from "./loop.ts";
import { type MachineWatch, machineAt } from "./machine-watch.ts";
import { createRetired } from "./retired.ts";

const POLL_MS = 500;
const DOOR_TIMEOUT_MS = 5_000;
/** Outlasts the calls of one turn. */
const LEASE_MS = 60_000;

/** Where a proxy's door for its operator is, what it is trusted by, and what opens it. */
export type ManageAddress = { readonly url: string; readonly authority: string; readonly secret: string };
type KnownProxy = {
  readonly id: string;
  /** Short name of whose it is; the portal's unless given. */
  readonly operator?: string | undefined;
  readonly manage?: ManageAddress | undefined;
};

export type ProxyTeller = {
  /** The proxies that there are now, by their operator; those of nobody yet are left out. */
  byOperator(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Short name of the operator that this proxy was said to be of. */
  operatorNamed(proxy: string): string | undefined;
  /** Answers what puts them into force. @throws TurnupError `config_invalid`: a door that cannot be reached safely */
  prepare(proxies: readonly KnownProxy[]): () => void;
  /** The door of the proxy in this process, which is known once it is open. */
  nameDoor(id: string, address: ManageAddress): void;
  /** Something is due now. */
  wake(): void;
  /** This proxy has just spoken to us, and may have been away. */
  hasSpoken(proxy: string): void;
  close(): Promise<void>;
};

type Door = ProxyDoor & { close(): void };
type Teller = {
  doors: ReadonlyMap<string, Door | undefined>;
  named: ReadonlyMap<string, string | undefined>;
  readonly own: Map<string, Door>;
  readonly retired: ReturnType<typeof createRetired>;
  readonly running: Set<Promise<void>>;
  readonly deps: TellerDeps;
};
type TellerDeps = {
  readonly book: ProxyBook;
  readonly watch: MachineWatch;
  /** Whose the proxy is; undefined while nobody's. */
  readonly operatorOf: (proxy: string) => Promise<string | undefined>;
  readonly now: () => Date;
  readonly onFault: (name: string, error: unknown) => void;
};

export function startProxyTeller(deps: TellerDeps, proxies: readonly KnownProxy[]): ProxyTeller {
  const retired = createRetired();
  const teller: Teller = {
    doors: new Map(),
    named: new Map(),
    own: new Map(),
    retired,
    running: new Set(),
    deps,
  };
  const prepare = (next: readonly KnownProxy[]) => prepared(teller, next);
  prepare(proxies)();
  const loop: Loop = startLoop({
    name: "proxies",
    pauseMs: POLL_MS,
    pass: () => pass(teller).then(() => false),
    onFailure: deps.onFault,
  });
  return {
    byOperator: () => byOperator(teller),
    operatorNamed: (proxy) => teller.named.get(proxy),
    prepare,
    nameDoor(id, address) {
      teller.own.set(id, openDoor(teller, id, address));
      loop.wake();
    },
    wake: () => loop.wake(),
    hasSpoken(proxy) {
      const wake = async (): Promise<void> => {
        const operatorId = await deps.operatorOf(proxy);
        if (operatorId !== undefined) await deps.book.wake(operatorId, proxy);
        loop.wake();
      };
      void wake().catch((error: unknown) => deps.onFault("proxies", error));
    },
    async close() {
      await loop.stop();
      await Promise.all(teller.running);
      await retired.close();
      for (const door of [...teller.doors.values(), ...teller.own.values()]) door?.close();
    },
  };
}

function prepared(teller: Teller, proxies: readonly KnownProxy[]): () => void {
  const next = new Map(proxies.map(({ id, manage }) => [id, manage && openDoor(teller, id, manage)]));
  return () => {
    for (const door of teller.doors.values()) if (door) teller.retired.add(door);
    teller.doors = next;
    teller.named = new Map(proxies.map(({ id, operator }) => [id, operator]));
  };
}

function openDoor({ deps: { watch } }: Teller, id: string, address: ManageAddress): Door {
  try {
    const door = proxyDoor({ ...address, timeoutMs: DOOR_TIMEOUT_MS });
    return watch.watch(machineAt("proxy", address.url), door);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TurnupError("config_invalid", `The door of the proxy ${id}: ${cause.message}.`, { cause });
  }
}

async function pass(teller: Teller): Promise<void> {
  const { doors, own, running, deps } = teller;
  const doorOf = (proxy: string): Door | undefined => doors.get(proxy) ?? own.get(proxy);
  for (const [operatorId, proxies] of await byOperator(teller)) {
    for (const due of await deps.book.claimDue(operatorId, proxies, LEASE_MS)) {
      const told = tellProxy({ ...deps, operatorId, doorOf }, due)
        .catch((error: unknown) => deps.onFault("proxies", error))
        .finally(() => running.delete(told));
      running.add(told);
    }
  }
}

async function byOperator({ doors, deps }: Teller): Promise<Map<string, string[]>> {
  const proxies = new Map<string, string[]>();
  for (const proxy of doors.keys()) {
    const operatorId = await deps.operatorOf(proxy);
    if (operatorId !== undefined) proxies.set(operatorId, [...(proxies.get(operatorId) ?? []), proxy]);
  }
  return proxies;
}
