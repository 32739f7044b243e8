/**
 * Strangers at the doors that ask for certificates: a count by door and cause, and one line a minute of a door at most, since
 * anybody can make a thousand handshakes fail. The first is told at once; what came since is told with the next.
 */
import { Counter, type Registry } from "prom-client";
import { HANDSHAKE_CAUSES, type HandshakeRefusal } from "../../http/handshakes.ts";

const BETWEEN_LINES_MS = 60_000;

type Refused = Omit<HandshakeRefusal, "cause"> & { readonly cause: string };
/** The last refusal, and how many came of each cause since the line before. */
type Line = Refused & { readonly since: Readonly<Record<string, number>> };
export type StrangerNews = Line & { readonly door: string };
export type OnStranger = (refusal: HandshakeRefusal) => void;

export function createStrangers({
  registry,
  nowMs,
  tell = () => undefined,
}: {
  /** Gets `turnup_handshakes_refused_total`. */
  readonly registry: Registry;
  /** Monotonic. */
  nowMs(): number;
  tell?: ((news: StrangerNews) => void) | undefined;
}): { at(door: string): OnStranger } {
  const counter = new Counter({
    name: "turnup_handshakes_refused_total",
    help: "Connections to a door for certificates that got no further than the handshake, by door and cause.",
    labelNames: ["door", "cause"],
    registers: [registry],
  });
  return {
    at(door) {
      for (const cause of HANDSHAKE_CAUSES) counter.inc({ door, cause }, 0);
      const line = strangerLine({ nowMs, tell: (news) => tell({ door, ...news }) });
      return (refusal) => {
        counter.inc({ door, cause: refusal.cause });
        line(refusal);
      };
    },
  };
}

/** Of one door without measures: the lines alone. */
export function strangerLine({
  nowMs,
  tell,
}: {
  nowMs(): number;
  tell(line: Line): void;
}): (refusal: Refused) => void {
  let since: Record<string, number> = {};
  let toldMs = Number.NEGATIVE_INFINITY;
  return (refusal) => {
    since[refusal.cause] = (since[refusal.cause] ?? 0) + 1;
    if (nowMs() - toldMs < BETWEEN_LINES_MS) return;
    toldMs = nowMs();
    tell({ ...refusal, since });
    since = {};
  };
}

/** A line of them for a person at a terminal. */
export const strangerNote =
  (note: (line: string) => void) =>
  ({ cause, detail, peer, since }: Line): void => {
    const counts = Object.entries(since).map(([word, count]) => `${count} ${word}`);
    note(`refused ${peer}: ${cause} (${detail}); since the last such line: ${counts.join(", ")}`);
  };
