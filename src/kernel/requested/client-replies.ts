/**
 * Binary replies of the client module by SMS, sealed under the key that came with its request: which request one is for, and
 * what it says.
 */
import { TurnupError } from "../../term/error.ts";
import { openReply, peekReply, type Reply } from "../../wire/message/reply.ts";
import { reachOnDevice } from "../fulfilment/feature.ts";
import { featuresOf, servicesOf } from "../fulfilment/modules.ts";
import { noticeIdOf } from "../notices/notices.ts";
import { isClosed } from "../order/ending.ts";
import type { DeviceOutcome } from "../order/request.ts";
import { itemOf, itemsOf, type RequestTurn } from "../order/turn.ts";
import { termsAnswered } from "./consent.ts";
import { type Desk, onRequest } from "./on-request.ts";

/** False where it is none of ours. */
export async function replyCame(desk: Desk, bytes: Uint8Array): Promise<boolean> {
  const peeked = peekReply(bytes);
  if (!peeked) return false;
  for (const known of await desk.requests.requestsByKey(peeked.keyReference)) {
    const reply = opened(bytes, known.noticeKey);
    if (!reply || reply.reference !== known.reference) continue;
    const scope = { operatorId: known.operatorId, subscriberId: known.subscriberId };
    await onRequest(desk, scope, known.orderId, (turn) => take(turn, reply));
    return true;
  }
  return false;
}

function opened(bytes: Uint8Array, noticeKey: Uint8Array): Reply | undefined {
  try {
    return openReply(bytes, noticeKey);
  } catch {
    return undefined; // another key with the same reference, or octets that were changed
  }
}

/** A reply that asks for what is over changes nothing: the client may say everything twice. */
function take(turn: RequestTurn, reply: Reply): void {
  const item = itemOf(turn, reply.itemId);
  const channel = "client_sms";
  try {
    switch (reply.kind) {
      case "ack":
        return acknowledged(turn, reply);
      case "accept":
      case "decline":
        return termsAnswered(turn, reply.kind, channel);
      case "retransmit":
      case "give_up":
        return item && featuresOf(turn).chosen(turn, item.id, reply.kind, channel);
      default: {
        const outcome: DeviceOutcome =
          reply.kind === "installed"
            ? { kind: "installed" }
            : { kind: "failed", cause: reply.cause ?? "unknown" };
        if (item) featuresOf(turn).reported(turn, item.id, outcome, channel);
      }
    }
  } catch (error) {
    if (!(error instanceof TurnupError) || error.code !== "nothing_to_answer") throw error;
    turn.scribe.note(turn.order, {
      kind: "late_reply",
      itemId: item?.id ?? null,
      reason: `the client said "${reply.kind}" when nothing waited for it`,
      evidence: channel,
    });
  }
}

/** It has the notice: what it carried has arrived. */
function acknowledged(turn: RequestTurn, { messageId }: Reply): void {
  const item = itemsOf(turn).find(
    ({ message }) => message && Buffer.from(noticeIdOf(message.payloadId)).equals(messageId),
  );
  if (!item || isClosed(item)) return;
  if (item.kind === "service")
    return servicesOf(turn).accessDelivered(turn, item, "the client has the access data");
  if (item.subject.channel === "narrowband") {
    reachOnDevice(turn, item, "opened", {
      evidence: "client_ack",
      reason: "the client has the content",
    });
  }
}
