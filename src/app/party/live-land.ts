/**
 * A proxy's land leg whose provisioning servers may change while requests are under way: what is under way ends at the servers
 * that it began with, what comes afterwards goes to the new ones.
 */
import type { Gateway } from "../../net/gateway/gateway.ts";
import { createRetired } from "../server/retired.ts";

type LiveLand = Gateway & {
  /** From now on requests go by this leg. */
  change(next: Gateway): void;
  /** Requests that were sent on, by what came of them. */
  readonly forwarded: Readonly<Record<"answered" | "failed", number>>;
};

export function liveLand(first: Gateway): LiveLand {
  let current = first;
  const forwarded = { answered: 0, failed: 0 };
  const retired = createRetired();
  return {
    forwarded,
    get servers() {
      return current.servers;
    },
    authenticate: (server) => current.authenticate(server),
    async forward(request) {
      const answer = await current.forward(request);
      forwarded[answer.kind] += 1;
      return answer;
    },
    enrolmentOf: (...asked) => current.enrolmentOf(...asked),
    change(next) {
      retired.add(current);
      current = next;
    },
    close() {
      void retired.close();
      current.close();
    },
  };
}
