/** What became of a request's notices. A notice that was lost proves nothing about the content, nor the content about it. */
import { resendCompanion, resendWaitMinutes } from "../delivery/resend.ts";
import { reachOnDevice } from "../fulfilment/feature.ts";
import { servicesOf } from "../fulfilment/modules.ts";
import { failItem } from "../order/ending.ts";
import type { EndedMessage } from "../order/message.ts";
import { itemsOf, type RequestItem, type RequestTurn } from "../order/turn.ts";
import { holdsTerms, termsNotTaken } from "./consent.ts";

export function noticeEnded(turn: RequestTurn, ended: EndedMessage): void {
  const item = itemsOf(turn).find(({ message }) => message?.payloadId === ended.payloadId);
  if (ended.outcome === "delivered") return delivered(turn, ended, item);
  const { scribe, order, terms } = turn;
  // Where the device has the access data, by the client's own word, its octets are wiped and nothing is sent again.
  const isWiped = item?.kind === "service" && item.state !== "registered";
  if (!isWiped && ended.attempt <= terms.policy.resendLimit) {
    return resendCompanion(turn, ended, { waitMinutes: resendWaitMinutes(ended.attempt) });
  }
  scribe.note(order, {
    kind: "notice_failed",
    itemId: item?.id ?? null,
    reason: `a notice did not reach the device in ${ended.attempt} attempts`,
    detail: { messageId: ended.messageId, errorCode: ended.errorCode },
  });
  if (holdsTerms(turn, ended.payloadId))
    return termsNotTaken(turn, "sms", {
      event: "terms_not_sent",
      cause: ended.errorCode ?? ended.outcome,
    });
  if (item?.kind === "service") return servicesOf(turn).accessLost(turn, item, `${ended.attempt} SMS failed`);
  if (item?.state !== "sending" || item.subject.channel !== "narrowband") return;
  failItem(turn, item, {
    cause: "sms_failed",
    reason: `its content did not reach the device by SMS in ${ended.attempt} attempts`,
  });
}

function delivered(turn: RequestTurn, ended: EndedMessage, item: RequestItem | undefined): void {
  turn.scribe.note(turn.order, {
    kind: "notice_delivered",
    itemId: item?.id ?? null,
    reason: "the SMSC reported every part of a notice delivered",
    evidence: "smsc_receipts",
    detail: { messageId: ended.messageId },
  });
  if (item?.kind === "service")
    return servicesOf(turn).accessDelivered(turn, item, "the access data reached the device");
  if (item?.subject.channel === "narrowband") {
    reachOnDevice(turn, item, "delivered", {
      evidence: "smsc_receipts",
      reason: "the content reached the device by SMS",
    });
  }
}
