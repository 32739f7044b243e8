/** What comes to the door for managed devices, and what their sessions bring, for /metrics. */
import { Counter, type Registry } from "prom-client";
import type { ManagedDevices } from "../../kernel/management/exchange.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { MANAGEMENT_EVIDENCE } from "../../kernel/proof/sessions.ts";
import { codeOf } from "../../term/narrow.ts";

type Event = ChangeSet["events"][number];
const OUTCOMES = ["answered", "unknown_device", "malformed", "held_back", "failed"] as const;
type Outcome = (typeof OUTCOMES)[number];
const RESULTS = ["opened", "settings_set", "refused"] as const;
const RESULT_OF: Partial<Record<Event["kind"], (typeof RESULTS)[number]>> = {
  opened: "opened",
  settings_set: "settings_set",
  failed: "refused",
  device_refused: "refused",
};
/** Refusals of the door by their code. */
const REFUSALS: Readonly<Record<string, Outcome>> = {
  payload_malformed: "malformed",
  too_many_requests: "held_back",
};

/** Devices as they were, each message of theirs counted by what became of it. */
export function countManagedMessages(registry: Registry, managed: ManagedDevices): ManagedDevices {
  const messages = new Counter({
    name: "turnup_managed_messages_total",
    help: "Messages of managed devices (OMA DM), by what became of each; held_back: too many in a row proved nothing.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) messages.inc({ outcome }, 0);
  return {
    async exchange(token, request) {
      try {
        const reply = await managed.exchange(token, request);
        messages.inc({ outcome: reply ? "answered" : "unknown_device" });
        return reply;
      } catch (error) {
        messages.inc({ outcome: REFUSALS[codeOf(error) ?? ""] ?? "failed" });
        throw error;
      }
    },
  };
}

/** Counts what sessions bring into the books of orders, each once. */
export function countManagedResults(
  registry: Registry,
): (changes: { readonly events: readonly Pick<Event, "kind" | "evidence">[] }) => void {
  const results = new Counter({
    name: "turnup_managed_results_total",
    help: "What sessions of managed devices (OMA DM) brought: opened, every node set, or refused by the device.",
    labelNames: ["result"],
    registers: [registry],
  });
  for (const result of RESULTS) results.inc({ result }, 0);
  return ({ events }) => {
    for (const { kind, evidence } of events) {
      const result = evidence === MANAGEMENT_EVIDENCE ? RESULT_OF[kind] : undefined;
      if (result !== undefined) results.inc({ result });
    }
  };
}
