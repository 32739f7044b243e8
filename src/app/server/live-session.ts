/**
 * The session with the message centre, which may be another one while messages are under way: what was handed to the former is
 * sent and answered there before it unbinds, then the new one binds, since a centre may take one bind of a name alone. What is
 * submitted meanwhile waits for the new one.
 */
import type { Esme, EsmeEvents, EsmeState } from "../../net/smsc/esme-api.ts";

export type LiveSession = Esme & {
  /** From now on what is submitted goes by this session, which is not started yet. */
  change(next: Esme): void;
};

export function liveSession(first: Esme): LiveSession {
  const listeners = {
    state: new Set<EsmeEvents["state"]>(),
    trouble: new Set<EsmeEvents["trouble"]>(),
  };
  let current = first;
  let former: Promise<void> = Promise.resolve();
  const tell = (state: EsmeState): void => {
    for (const listener of listeners.state) listener(state);
  };
  const hear = (session: Esme): (() => void) => {
    const deafen = [
      session.on("state", tell),
      session.on("trouble", (error) => {
        for (const listener of listeners.trouble) listener(error);
      }),
    ];
    return () => {
      for (const one of deafen) one();
    };
  };
  let deafen = hear(first);
  let isStopping = false;
  return {
    get state() {
      return current.state;
    },
    get stats() {
      return current.stats;
    },
    get ratePerSecond() {
      return current.ratePerSecond;
    },
    start: () => current.start(),
    async stop(options) {
      isStopping = true;
      await former;
      await current.stop(options);
    },
    on(event, listener) {
      const all = listeners[event] as Set<typeof listener>; // by event
      all.add(listener);
      return () => all.delete(listener);
    },
    submit: (message) => current.submit(message),
    submitBatch: (messages) => current.submitBatch(messages),
    submitWith: (message, done, token) => current.submitWith(message, done, token),
    change(next) {
      deafen();
      deafen = hear(next);
      const before = current;
      current = next;
      tell(next.state);
      former = former
        .then(() => before.stop())
        .then(() => {
          if (!isStopping && current === next) next.start();
        });
    },
  };
}
