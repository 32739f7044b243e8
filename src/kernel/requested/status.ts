/** What a screen shows of a request: nothing of the operator's or a service's own (R72). */
import { hasContent } from "../fulfilment/feature.ts";
import { labelOf } from "../fulfilment/service.ts";
import { isReviewed, rejectionOf } from "../fulfilment/settle.ts";
import { nameOf } from "../notices/notices.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { RequestStatus } from "../order/request.ts";
import type { RequestDraft } from "../order/request-draft.ts";
import { isOfRequest, itemsOf, type RequestItem, type RequestTurn } from "../order/turn.ts";

type Shown = Pick<RequestTurn, "order">;

export function statusOf(order: OrderDraft): RequestStatus | undefined {
  if (!isOfRequest(order)) return undefined;
  const { request } = order;
  const shown: Shown = { order };
  return {
    orderId: order.id,
    reference: request.reference,
    channel: order.cause as RequestStatus["channel"], // a request's cause is its channel
    state: order.state,
    reason: order.state === "rejected" ? rejectionOf(shown) : order.reason,
    nextAction: order.nextAction,
    deadlineAt: order.deadlineAt?.toISOString() ?? null,
    waitsFor: order.state === "verifying" ? waitsFor(request) : null,
    items: itemsOf(shown).map((item) => itemStatus(shown, item)),
    askAgain: order.state === "verifying" ? askedAgain(request) : [],
    terms:
      order.state === "awaiting_consent"
        ? request.consents
            .filter(({ answer }) => answer === null)
            .map(({ id, termsId, termsVersion, text }) => ({
              consentId: id,
              termsId,
              version: termsVersion,
              text,
            }))
        : [],
    createdAt: order.createdAt.toISOString(),
  };
}

const waitsFor = (request: RequestDraft): RequestStatus["waitsFor"] =>
  askedAgain(request).length > 0 ? "subscriber" : isReviewed(request) ? "person" : "machines";

const askedAgain = ({ verification }: RequestDraft): RequestStatus["askAgain"] => {
  const record = verification?.findings.record;
  return record?.consequence === "ask_again" ? record.askAgain : [];
};

function itemStatus(shown: Shown, item: RequestItem): RequestStatus["items"][number] {
  const { subject } = item;
  return {
    id: item.id,
    catalogId: subject.catalogId,
    kind: item.kind === "service" ? "service" : "feature",
    package: subject.package,
    server: subject.server ?? null,
    name: nameOf(shown, item),
    state: item.state,
    reason: item.reason,
    missing:
      item.state === "needs_information"
        ? subject.missing.map(({ name }) => ({
            name,
            label: labelOf(shown, item, name),
            kind: subject.service?.fields.find((field) => field.name === name)?.kind ?? "text",
          }))
        : [],
    hasContent: hasContent(item),
  };
}
