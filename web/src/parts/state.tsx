/** States of orders, items, messages, charges and jobs: one map to shape, tone and word. A new one does not compile without its row. */
import type { Schemas } from "../api/client.ts";
import { isKey, t, type WordKey } from "../words/words.ts";
import { Icon, type StateIcon } from "./icons.tsx";

type ApiState =
  | Schemas["Order"]["state"]
  | Schemas["OrderItem"]["state"]
  | Schemas["Job"]["state"]
  | "requested"
  | "paid"
  | "settled"
  | "refused"
  | "queued"
  | "submitting"
  | "submitted"
  | "accepted";
export type Tone = "idle" | "move" | "good" | "wait" | "bad";
type Look = { readonly icon: StateIcon; readonly tone: Tone };

const LOOKS: Readonly<Record<ApiState, Look>> = {
  received: { icon: "none", tone: "idle" },
  pending: { icon: "none", tone: "idle" },
  queued: { icon: "none", tone: "idle" },
  verifying: { icon: "quarter", tone: "move" },
  sending: { icon: "quarter", tone: "move" },
  submitting: { icon: "quarter", tone: "move" },
  submitted: { icon: "quarter", tone: "move" },
  accepted: { icon: "quarter", tone: "move" },
  registering: { icon: "quarter", tone: "move" },
  requested: { icon: "quarter", tone: "move" },
  running: { icon: "half", tone: "move" },
  provisioning: { icon: "half", tone: "move" },
  delivered: { icon: "half", tone: "move" },
  registered: { icon: "half", tone: "move" },
  forwarded: { icon: "half", tone: "move" },
  opened: { icon: "three", tone: "move" },
  access_data_sent: { icon: "three", tone: "move" },
  works: { icon: "ok", tone: "good" },
  completed: { icon: "ok", tone: "good" },
  done: { icon: "ok", tone: "good" },
  paid: { icon: "paid", tone: "good" },
  settled: { icon: "paid", tone: "good" },
  partly_completed: { icon: "part", tone: "wait" },
  waiting: { icon: "wait", tone: "wait" },
  waiting_for_key: { icon: "wait", tone: "wait" },
  waiting_approval: { icon: "wait", tone: "wait" },
  awaiting_consent: { icon: "wait", tone: "wait" },
  awaiting_choice: { icon: "wait", tone: "wait" },
  needs_information: { icon: "wait", tone: "wait" },
  failed: { icon: "bad", tone: "bad" },
  rejected: { icon: "no", tone: "bad" },
  refused: { icon: "no", tone: "bad" },
  cancelled: { icon: "off", tone: "idle" },
  declined: { icon: "off", tone: "idle" },
  expired: { icon: "late", tone: "idle" },
};
const OTHER: Look = { icon: "none", tone: "idle" };
const LOOK_OF: Readonly<Record<string, Look | undefined>> = LOOKS;

export const lookOf = (state: string): Look => LOOK_OF[state] ?? OTHER;
export function stateWord(state: string): string {
  const key = `state.${state}`;
  return isKey(key) ? t(key) : t("state.other", { state: state.replaceAll("_", " ") });
}
export const wordOf = (group: "cause" | "kind" | "verdict" | "outcome", code: string): string => {
  const key = `${group}.${code}`;
  return isKey(key) ? t(key as WordKey) : code.replaceAll("_", " ");
};

/** `isPlain`: without a ground, for rows of a list. */
export function Badge({ state, isPlain = false }: { readonly state: string; readonly isPlain?: boolean }) {
  const { icon, tone } = lookOf(state);
  return (
    <span className={`badge ${tone} ${isPlain ? "plain" : ""}`}>
      <Icon name={icon} />
      {stateWord(state)}
    </span>
  );
}
