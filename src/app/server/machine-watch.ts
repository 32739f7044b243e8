/**
 * Watches the machines of others that this process asks: which of them refuses our credentials and since when, and how
 * long what was asked has been waiting. Each call of a port goes by here; what it is about does not.
 *
 *   accepted ── an answer that says "not you" (401, 403, TLS, AUTH, bind) ──> refused ── the next answer to us ──> accepted
 */
import { membersOf } from "../../term/narrow.ts";
export const MACHINES = [
  "smsc",
  "maker",
  "bank",
  "identity",
  "payment",
  "service",
  "element",
  "billing",
  "mail",
  "peer",
  "proxy",
  "module",
] as const;
/** `server`: a provisioning server, as a proxy sees it. */
export type MachineKind = (typeof MACHINES)[number] | "server";
/**
 * `host` is that of its configured address, and all that is told; never a path, which could hold a name. Two doors of one host
 * may know us by two credentials, so that the whole address, where there is one, tells machines apart.
 */
export type Machine = { readonly kind: MachineKind; readonly host: string; readonly address?: string };

export type MachineState = Machine & {
  /** Answers that refused our credentials, since the start of this process. */
  readonly refusals: number;
  /** Since when it refuses us; null where it does not. */
  readonly refusedSinceMs: number | null;
  /** Calls that were made and are not answered. */
  readonly openCalls: number;
  readonly oldestCallMs: number | null;
};
export type MachineNews =
  /** Told at once, then again every `REMIND_MS` for as long as it goes on. */
  | {
      readonly kind: "refused";
      readonly machine: string;
      readonly cause: string;
      readonly since: Date;
      readonly refusals: number;
    }
  | { readonly kind: "accepted"; readonly machine: string; readonly refusedSeconds: number };

export type MachineWatch = {
  /** The same port, watched. */
  watch<Port extends object>(machine: Machine, port: Port): Port;
  /** One call, where a port is of several machines. */
  during<T>(machine: Machine, answer: Promise<T>): Promise<T>;
  refused(machine: Machine, cause: string): void;
  accepted(machine: Machine): void;
  states(): readonly MachineState[];
};

const REMIND_MS = 600_000;
/** What a port's answer calls a "not you", in either direction: who shows the wrong key cannot be told anything either. */
const REFUSALS: ReadonlySet<string> = new Set([
  "unauthorised",
  "tls",
  "wrong_key",
  "server_not_proven",
  "server_refused_us",
  "server_not_proved",
]);
/** Failures behind which the other had let us in. */
const LET_IN: ReadonlySet<string> = new Set(["pending", "bad_request"]);

type Watched = {
  refusals: number;
  refusedSinceMs: number | null;
  toldAtMs: number;
  cause: string;
  readonly open: Map<number, number>;
};

const nameOf = ({ kind, host }: Machine): string => (host === "" ? kind : `${kind} ${host}`);

/** The machine behind a configured address. */
export const machineAt = (kind: MachineKind, url: string | undefined): Machine => ({
  kind,
  host: url !== undefined && URL.canParse(url) ? new URL(url).host : "",
  ...(url !== undefined && { address: url }),
});

type WatchState = {
  readonly nowMs: () => number;
  readonly tell: (news: MachineNews) => void;
  readonly machines: Map<string, Machine & { readonly state: Watched }>;
  /** Ports that are watched, so that none is watched twice. */
  readonly wrapped: WeakMap<object, object>;
  calls: number;
};

export function createMachineWatch(options: {
  readonly nowMs: () => number;
  readonly tell?: ((news: MachineNews) => void) | undefined;
}): MachineWatch {
  const { nowMs, tell = () => undefined } = options;
  const watch: WatchState = { nowMs, tell, machines: new Map(), wrapped: new WeakMap(), calls: 0 };

  return {
    watch: (machine, port) => watched(watch, machine, port),
    during: (machine, answer) => during(watch, machine, answer),
    refused: (machine, cause) => refused(watch, machine, cause),
    accepted: (machine) => accepted(watch, machine),
    states: () =>
      [...watch.machines.values()].map(({ state, kind, host }) => ({
        kind,
        host,
        refusals: state.refusals,
        refusedSinceMs: state.refusedSinceMs,
        openCalls: state.open.size,
        oldestCallMs: state.open.size === 0 ? null : Math.min(...state.open.values()),
      })),
  };
}

function watched<Port extends object>(watch: WatchState, machine: Machine, port: Port): Port {
  const known = watch.wrapped.get(port) as Port | undefined; // it was put there under its own port
  if (known) return known;
  stateOf(watch, machine);
  const wrapped = new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const answer: unknown = member.apply(target, args);
        return answer instanceof Promise && name !== "close" ? during(watch, machine, answer) : answer;
      };
    },
  });
  watch.wrapped.set(port, wrapped);
  return wrapped;
}

function stateOf(watch: WatchState, machine: Machine): Watched {
  const which = `${machine.kind} ${machine.address ?? machine.host}`;
  const known = watch.machines.get(which);
  if (known) return known.state;
  const state: Watched = { refusals: 0, refusedSinceMs: null, toldAtMs: 0, cause: "", open: new Map() };
  watch.machines.set(which, { ...machine, state });
  return state;
}

function refused(watch: WatchState, machine: Machine, cause: string): void {
  const state = stateOf(watch, machine);
  const now = watch.nowMs();
  const isNew = state.refusedSinceMs === null || state.cause !== cause;
  state.refusals++;
  state.refusedSinceMs ??= now;
  state.cause = cause;
  if (!isNew && now - state.toldAtMs < REMIND_MS) return;
  state.toldAtMs = now;
  const since = new Date(state.refusedSinceMs);
  watch.tell({ kind: "refused", machine: nameOf(machine), cause, since, refusals: state.refusals });
}

function accepted(watch: WatchState, machine: Machine): void {
  const state = stateOf(watch, machine);
  if (state.refusedSinceMs === null) return;
  const refusedSeconds = Math.round((watch.nowMs() - state.refusedSinceMs) / 1_000);
  state.refusedSinceMs = null;
  watch.tell({ kind: "accepted", machine: nameOf(machine), refusedSeconds });
}

async function during<T>(watch: WatchState, machine: Machine, answer: Promise<T>): Promise<T> {
  const { open } = stateOf(watch, machine);
  const call = ++watch.calls;
  open.set(call, watch.nowMs());
  try {
    const outcome = await answer;
    for (const one of [outcome].flat()) note(watch, machine, one);
    return outcome;
  } catch (error) {
    if (error instanceof Error && typeof error.cause === "string")
      note(watch, machine, { kind: "failed", cause: error.cause });
    throw error;
  } finally {
    open.delete(call);
  }
}

function note(watch: WatchState, machine: Machine, outcome: unknown): void {
  const { kind, cause } = membersOf(outcome);
  if (typeof cause === "string" && REFUSALS.has(cause)) refused(watch, machine, cause);
  else if (kind !== "failed" || LET_IN.has(String(cause))) accepted(watch, machine);
}

/** What refuses us now, by what it is for, each since the first of its kind: for an answer that anybody may read. */
export function refusalsOf(
  watch: Pick<MachineWatch, "states">,
): readonly { readonly machine: (typeof MACHINES)[number]; readonly since: Date }[] {
  return MACHINES.flatMap((machine) => {
    const moments = watch
      .states()
      .flatMap(({ kind, refusedSinceMs }) =>
        kind === machine && refusedSinceMs !== null ? [refusedSinceMs] : [],
      );
    return moments.length === 0 ? [] : [{ machine, since: new Date(Math.min(...moments)) }];
  });
}
