/**
 * The message centres of a server: a session with each, which comes and goes with the configuration. Which of them takes a
 * message, the kernel says (`conductor/centre-choice.ts`); here it is known how each stands.
 */
import { isDeepStrictEqual } from "node:util";
import type { CentreState } from "../../kernel/conductor/lanes.ts";
import type { PartOutcome, SmscPort } from "../../kernel/conductor/outbox.ts";
import type { Bind, BindPlan, Binds } from "../../net/smsc/binds.ts";
import type { Esme, EsmeOptions, EsmeStats } from "../../net/smsc/esme-api.ts";
import type { ReceiptIds } from "../../net/smsc/receipt-ids.ts";
import { createCentrePort, type SmscForms } from "../../net/smsc/smsc-port.ts";
import { type LiveSession, liveSession } from "./live-session.ts";
import { type Arrivals, noArrivals } from "./measures.ts";

/** A message centre, how we are bound to it, and what goes there. */
export type SmscOptions = Omit<EsmeOptions, "onDeliver" | "messageIdForm" | "bind"> &
  BindPlan & {
    readonly name: string;
    /** What measures and readiness call it: they name no host. */
    readonly label: string;
    readonly route: SmscRoute;
    readonly receiptIds: ReceiptIds;
    readonly receiptsMarked: boolean;
    readonly receiptsPer: "part" | "message";
    readonly forms: SmscForms;
  };
type SmscRoute = Pick<CentreState, "operators" | "prefixes" | "drain" | "failoverMs">;

/** One of them, as it is now. */
type MessageCentre = {
  readonly name: string;
  readonly label: string;
  readonly options: SmscOptions;
  readonly session: Pick<Esme, "state" | "on">;
  readonly stats: EsmeStats;
  readonly binds: readonly Bind[];
  readonly downSinceMs: number | null;
  readonly arrivals: Arrivals;
  /** What it refused or put off, by its own code. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Messages that went by another centre, since this one was unbound. */
  readonly failedOver: number;
};

export type MessageCentres = {
  readonly port: SmscPort;
  /** In the order of the file. */
  all(): readonly MessageCentre[];
  isAnyBound(): boolean;
  /** Called for each that there is, and for each that comes. */
  onOpened(heard: (centre: MessageCentre) => void): void;
  start(): void;
  stop(): Promise<void>;
  /** Answers what puts these in place of what is there. @throws TurnupError `smpp_field_invalid`: nothing is changed */
  prepare(next: readonly SmscOptions[]): () => void;
};

type Held = {
  options: SmscOptions;
  binds: Binds;
  readonly live: LiveSession;
  readonly port: ReturnType<typeof createCentrePort>;
  readonly behind: CentreBehind;
  readonly refusals: Map<string, number>;
  downSinceMs: number | null;
  boundAtMs: number;
  /** Since when it falls within seconds of each bind. */
  shakySinceMs: number | null;
  failedOver: number;
  /** As the kernel was last told of it, and of which options. */
  told: { readonly options: SmscOptions; readonly state: CentreState } | undefined;
  readonly seen: MessageCentre;
};

/** What is behind a session: it stays the same when another session takes its place. */
export type CentreBehind = {
  readonly arrivals: Arrivals;
  /** What goes there now. */
  readonly route: () => SmscRoute;
};

type CentresDeps = {
  /** A session that is not started. */
  readonly open: (smsc: SmscOptions, centre: CentreBehind) => Binds;
  readonly clock: () => Date;
  /** A centre is bound, where it was not. */
  readonly onBound: () => void;
  readonly onTrouble: (centre: string, error: Error) => void;
};

/** Of what a centre takes at its rate in so many seconds, more need not wait in memory: within the time of a submit. */
const ROOM_SECONDS = 20;

export function openCentres(smscs: readonly SmscOptions[], deps: CentresDeps): MessageCentres {
  let centres = smscs.map((smsc) => hold(smsc, deps));
  const listeners: ((centre: MessageCentre) => void)[] = [];
  const leaving = new Set<Promise<void>>();
  return {
    port: portOf(() => centres, deps.clock),
    all: () => centres.map(({ seen }) => seen),
    isAnyBound: () => centres.some(({ downSinceMs }) => downSinceMs === null),
    onOpened(heard) {
      listeners.push(heard);
      for (const { seen } of centres) heard(seen);
    },
    start() {
      for (const { live } of centres) live.start();
    },
    async stop() {
      await Promise.all(centres.map(({ live }) => live.stop()));
      await Promise.all(leaving);
    },
    prepare(next) {
      const changes = next.map((smsc) => changeOf(centres, smsc, deps));
      return () => {
        const gone = centres.filter(({ options: { name } }) => next.every((smsc) => smsc.name !== name));
        centres = changes.map((change) => change());
        for (const { live } of gone) {
          const stopping = live.stop().finally(() => leaving.delete(stopping));
          leaving.add(stopping);
        }
        for (const { live, seen } of centres.filter(({ live }) => live.state.name === "idle")) {
          for (const heard of listeners) heard(seen);
          live.start();
        }
      };
    },
  };
}

/** Answers what makes it so; a session is not ended for nothing. @throws TurnupError `smpp_field_invalid` */
function changeOf(centres: readonly Held[], smsc: SmscOptions, deps: CentresDeps): () => Held {
  const known = centres.find(({ options: { name } }) => name === smsc.name);
  if (!known) {
    const made = hold(smsc, deps);
    return () => made;
  }
  const binds = isSameSession(known.options, smsc) ? undefined : deps.open(smsc, known.behind);
  return () => {
    known.options = smsc;
    if (binds) {
      known.binds = binds;
      known.live.change(binds);
    }
    return known;
  };
}

const isSameSession = (one: SmscOptions, other: SmscOptions): boolean =>
  isDeepStrictEqual(sessionOf(one), sessionOf(other));
const sessionOf = ({ route: _route, label: _label, forms: _forms, password, ...session }: SmscOptions) => ({
  ...session,
  password: typeof password === "string" ? password : password(),
});

function hold(smsc: SmscOptions, { open, clock, onBound, onTrouble }: CentresDeps): Held {
  const behind: CentreBehind = { arrivals: noArrivals(), route: () => held.options.route };
  const binds = open(smsc, behind);
  const live = liveSession(binds);
  const held: Held = {
    options: smsc,
    binds,
    live,
    port: createCentrePort(() => held.options.forms, live, clock),
    behind,
    refusals: new Map(),
    downSinceMs: clock().getTime(),
    boundAtMs: 0,
    shakySinceMs: null,
    failedOver: 0,
    told: undefined,
    seen: seenAs(() => held),
  };
  live.on("state", ({ name }) => {
    const wasDown = held.downSinceMs !== null;
    if (wasDown === (name !== "bound")) return;
    const nowMs = clock().getTime();
    if (wasDown) held.boundAtMs = nowMs;
    else held.shakySinceMs = holds(held, nowMs) ? null : (held.shakySinceMs ?? held.boundAtMs);
    held.downSinceMs = wasDown ? null : nowMs;
    if (wasDown) onBound();
  });
  live.on("trouble", (error) => onTrouble(held.options.label, error));
  return held;
}

/** A bind that lasts so long is one; a centre whose binds fall sooner is passed over after its time of fail-over. */
const STEADY_MS = 30_000;
const holds = ({ boundAtMs }: Pick<Held, "boundAtMs">, nowMs: number): boolean =>
  nowMs - boundAtMs >= STEADY_MS;

const seenAs = (held: () => Held): MessageCentre => ({
  get name() {
    return held().options.name;
  },
  get label() {
    return held().options.label;
  },
  get options() {
    return held().options;
  },
  get session() {
    return held().live;
  },
  get stats() {
    return held().live.stats;
  },
  get binds() {
    return held().binds.all;
  },
  get downSinceMs() {
    return held().downSinceMs;
  },
  get arrivals() {
    return held().behind.arrivals;
  },
  get refusals() {
    return held().refusals;
  },
  get failedOver() {
    return held().failedOver;
  },
});

const portOf = (centres: () => readonly Held[], clock: () => Date): SmscPort => ({
  centres: () => centres().map((held) => stateOf(held, clock)),
  canWrite: (part, centre) =>
    centres()
      .find(({ options: { name } }) => name === centre)
      ?.port.canWrite(part) ?? true,
  async submit(part, centre) {
    const held = centres().find(({ options: { name } }) => name === centre);
    if (!held) return { kind: "later", code: "smsc_none" }; // taken out of the configuration in this very turn
    const outcome = await held.port.submit(part);
    const code = refusalIn(outcome);
    if (code !== undefined) held.refusals.set(code, (held.refusals.get(code) ?? 0) + 1);
    return outcome;
  },
  failedOver(centre) {
    const held = centres().find(({ options: { name } }) => name === centre);
    if (held) held.failedOver += 1;
  },
});

/** Asked for several times a message: made anew only when something of it is another. */
function stateOf(held: Held, clock: () => Date): CentreState {
  const { options, downSinceMs, told } = held;
  const isSteady = held.shakySinceMs === null || (downSinceMs === null && holds(held, clock().getTime()));
  const shakySinceMs = isSteady ? null : held.shakySinceMs;
  const room = held.live.ratePerSecond * ROOM_SECONDS;
  const isAsTold =
    told?.options === options &&
    told.state.downSinceMs === downSinceMs &&
    told.state.shakySinceMs === shakySinceMs &&
    told.state.room === room;
  if (isAsTold) return told.state;
  const state = { name: options.name, ...options.route, downSinceMs, shakySinceMs, room };
  held.told = { options, state };
  return state;
}

/** The centre's own word; not ours, and not that of a link which was lost. */
function refusalIn(outcome: PartOutcome): string | undefined {
  if (outcome.kind === "accepted") return undefined;
  return outcome.code.startsWith("ESME_") ? outcome.code : undefined;
}
