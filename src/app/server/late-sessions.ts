/** Sessions are known by the door for RADIUS, which opens after the API that asks for them; without that door there are none. */
import { type LiveSessions, sessionsAsked } from "../../kernel/detection/live-session.ts";
import type { DisconnectSession } from "./sim-lock-book.ts";

export function lateSessions(): {
  readonly port: LiveSessions;
  /** For the lock of SIMs to their devices. */
  readonly disconnect: DisconnectSession;
  open(sessions: LiveSessions | undefined): void;
} {
  let known: LiveSessions | undefined;
  const port: LiveSessions = {
    of: async (...given) => (await known?.of(...given)) ?? [],
    ask: async (asked) => (await known?.ask(asked)) ?? sessionsAsked(asked.request, []),
  };
  return {
    port,
    async disconnect({ operatorId, imsi, reason }) {
      const request = { kind: "disconnect" } as const;
      return (await port.ask({ operatorId, sim: { imsi }, request, reason, actor: "sim lock" })).outcome;
    },
    open(sessions) {
      known = sessions;
    },
  };
}
