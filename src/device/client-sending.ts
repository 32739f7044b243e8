/**
 * What becomes of what the client module sent: an answer, a receipt for an SMS, or nothing. What was lost goes once more after a
 * pause; then by the other channel, where there is one, or the user is told.
 */
import { contentCame, isContentRequest, itemOfPath, readdress, report } from "./client-content.ts";
import { callFailed, centreOf, change, replied, stepApp, type Turn } from "./client-turn.ts";
import { acknowledge, lost } from "./messaging.ts";
import { type ItemAddress, isAway, type Outbound, readAnswer, type WidebandAnswer } from "./outbound.ts";
import { appAnswered } from "./provisioning-app.ts";

const MESSAGE_ID_OCTETS = 8;

export function answered(turn: Turn, id: string, answer: WidebandAnswer): void {
  if (answer.kind === "lost") return wasLost(turn, id);
  const read = readAnswer(answer);
  // A server that is away, or that is not the one that has it: asked once more, as if no answer had come.
  if (isAway(read) || (isContentRequest(turn, id) && read.kind !== "content")) return wasLost(turn, id);
  const message = acknowledged(turn, id);
  if (message?.kind === "content" && read.kind === "content")
    return contentCame(turn, read.bytes, message.item);
  if (message?.kind !== "screen") return; // a report is done, whatever was answered
  if (read.kind !== "screen" && read.kind !== "content") return callFailed(turn, id, "unreadable");
  const item = read.kind === "content" ? itemOfPath(message.path) : undefined;
  if (read.kind === "content" && item) contentCame(turn, read.bytes, item);
  const shown = read.kind === "screen" ? read : ({ kind: "content" } as const);
  const { device, state, at } = turn;
  stepApp(turn, appAnswered(device.app, state.app, id, shown, at.getTime()));
}

export function smsSent(turn: Turn, id: string, isTaken: boolean): void {
  if (isTaken) acknowledged(turn, id);
  else wasLost(turn, id);
}

/** Undefined where nobody waits for it any more. */
function acknowledged(turn: Turn, id: string): Outbound | undefined {
  const { queue, message } = acknowledge(turn.state.outbox, id);
  change(turn, { outbox: queue });
  return message;
}

export function wasLost(turn: Turn, id: string): void {
  const { queue, outcome, message } = lost(turn.state.outbox, id, turn.at.getTime());
  change(turn, { outbox: queue });
  if (!outcome || !message) return;
  turn.effects.push({ kind: outcome, what: message.kind });
  if (outcome === "resent") return readdress(turn, id);
  switch (message.kind) {
    case "screen":
      return callFailed(turn, id, "no_connection");
    case "content":
      // Whoever knocked is not known to be anybody.
      if (!message.isKnocked) reportBySms(turn, message.item, "no_connection");
      return;
    case "report":
      return reportBySms(turn, message.item, message.cause);
    case "sms":
      if (message.report) report(turn, message.report.item, message.report.cause);
      return;
  }
}

function reportBySms(turn: Turn, { server, reference, itemId }: ItemAddress, cause: string | null): void {
  const messageId = turn.device.random(MESSAGE_ID_OCTETS);
  const kind = cause === null ? "installed" : "failed";
  replied(turn, { kind, messageId, reference, itemId, cause }, centreOf(turn, server));
}
