/**
 * Several binds at one centre as one session: what is submitted waits in one queue and leaves by whichever bind is free, each
 * with its own window, all at the centre's one pace. A bind that falls gives back what it had unanswered; the rest goes by the
 * others. It is bound while one that sends is.
 */
import { systemClock } from "./clock.ts";
import { createEsme } from "./esme.ts";
import type { Esme, EsmeEvents, EsmeOptions, EsmeState, EsmeStats } from "./esme-api.ts";
import { Submits } from "./submits.ts";

/** How one centre is bound to. */
export type BindPlan = {
  /** Whether one bind sends and receives, or each has its own. Default `transceiver`. */
  readonly bind?: "transceiver" | "transmitter+receiver";
  /** So many of them, or pairs of them. Default 1. */
  readonly binds?: number;
};
/** One of them, as it is now. */
export type Bind = Pick<Esme, "state" | "stats"> & {
  readonly role: NonNullable<EsmeOptions["bind"]>;
  /** From 1, in the order of their making. */
  readonly number: number;
};
export type Binds = Esme & { readonly all: readonly Bind[] };

/** @throws TurnupError `smpp_field_invalid`: a name, password or type longer than its field */
export function createBinds({
  bind = "transceiver",
  binds = 1,
  ...options
}: Omit<EsmeOptions, "bind"> & BindPlan): Binds {
  const roles = bind === "transceiver" ? (["transceiver"] as const) : (["transmitter", "receiver"] as const);
  const submits = new Submits(options, options.clock ?? systemClock);
  const sessions = Array.from({ length: binds }, () => roles)
    .flat()
    .map((role) => ({ role, esme: createEsme({ ...options, bind: role }, submits) }));
  const senders = sessions.filter(({ role }) => role !== "receiver").map(({ esme }) => esme);
  return {
    ...group(
      sessions.map(({ esme }) => esme),
      senders,
      submits,
    ),
    get state() {
      return stateOf(senders);
    },
    get stats() {
      return statsOf(
        sessions.map(({ esme }) => esme),
        submits,
      );
    },
    get ratePerSecond() {
      return submits.ratePerSecond;
    },
    get all() {
      return sessions.map(({ role, esme }, at) => ({
        role,
        number: at + 1,
        state: esme.state,
        stats: esme.stats,
      }));
    },
  };
}

type Listeners = { readonly [Event in keyof EsmeEvents]: Set<EsmeEvents[Event]> };

function group(
  sessions: readonly Esme[],
  senders: readonly Esme[],
  submits: Submits,
): Omit<Esme, "state" | "stats" | "ratePerSecond"> {
  const listeners: Listeners = { state: new Set(), trouble: new Set() };
  for (const esme of sessions) {
    // Whatever bind changed, what is told is how all of them stand.
    esme.on("state", () => {
      for (const listener of listeners.state) listener(stateOf(senders));
    });
    esme.on("trouble", (error) => {
      for (const listener of listeners.trouble) listener(error);
    });
  }
  return {
    start: () => {
      for (const esme of sessions) esme.start();
    },
    async stop(options) {
      await Promise.all(sessions.map((esme) => esme.stop(options)));
    },
    on(event, listener) {
      const heard: Listeners[typeof event] = listeners[event];
      heard.add(listener);
      return () => heard.delete(listener);
    },
    submit: (message) => submits.submit(message),
    submitBatch: (messages) => submits.submitBatch(messages),
    submitWith: (message, done, token) => submits.submitWith(message, done, token),
  };
}

/** That of the bind which is furthest. */
function stateOf(senders: readonly Esme[]): EsmeState {
  const states = senders.map(({ state }) => state);
  for (const name of FURTHEST_FIRST) {
    const found = states.find((state) => state.name === name);
    if (found) return found;
  }
  return { name: "idle" };
}
const FURTHEST_FIRST: readonly EsmeState["name"][] = [
  "bound",
  "binding",
  "connecting",
  "waiting",
  "refused",
  "stopping",
  "idle",
  "stopped",
];

/** What is submitted is counted once for all of them. */
function statsOf(sessions: readonly Esme[], submits: Submits): EsmeStats {
  const sum = (of: (stats: EsmeStats) => number): number =>
    sessions.reduce((total, { stats }) => total + of(stats), 0);
  return {
    ...submits.stats,
    deliveries: sum(({ deliveries }) => deliveries),
    brokenPdus: sum(({ brokenPdus }) => brokenPdus),
    binds: sum(({ binds }) => binds),
    unansweredDeliveries: sum(({ unansweredDeliveries }) => unansweredDeliveries),
  };
}
