/**
 * Offers of upgrades by SMS (US 6,647,260, column 8; R67): each names one item, a number to reply with and a link. Either
 * starts the same request as any other, with the offer filled in; it is verified and agreed to like any other.
 */
import { createHash } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import { costsOf, isBilledElsewhere } from "../catalog/charges.ts";
import { expandSelection, lackWith } from "../catalog/expand.ts";
import { localized } from "../catalog/localized.ts";
import { OFFER_OUTCOMES, type Offered, type OfferOutcome } from "../catalog/offered.ts";
import { NO_PEERS, peerName } from "../catalog/peers.ts";
import { priceWords } from "../catalog/price-words.ts";
import { filled, freshCode, queueNotice } from "../notices/notices.ts";
import { noticeText } from "../operator/notice-texts.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import { quietUntil } from "../operator/quiet-hours.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { NewRequest, RequestDesk } from "../order/request.ts";
import type { OpenQuestion } from "../order/request-store.ts";
import type { InStep, Step } from "../order/step.ts";
import { composeText } from "../payload/compose.ts";
import { needsClient } from "./needs-client.ts";
import {
  askedByText,
  askForLacking,
  type Considered,
  considered,
  fieldsLacking,
  lackingWords,
} from "./offer-fields.ts";
import type { Desk } from "./on-request.ts";
import { submitRequest } from "./submit.ts";

const TOKEN_OCTETS = 16;
const DAY_HOURS = 24;

type Offering = Parameters<RequestDesk["sendOffers"]>[1];

/** How often each came out; those that did not come out are not there. */
export function countOffers(results: readonly Offered[]): Readonly<Partial<Record<OfferOutcome, number>>> {
  const counts = new Map<OfferOutcome, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return Object.fromEntries(
    OFFER_OUTCOMES.flatMap((one) => (counts.has(one) ? [[one, counts.get(one)]] : [])),
  );
}

/** A yes to it could only be answered with a no. @throws TurnupError `item_elsewhere` */
function refuseElsewhere({ peers = NO_PEERS }: ConductorDeps, { id, provisioningServer }: CatalogItem): void {
  if (provisioningServer === null || peers.of(provisioningServer)?.takesRequests) return;
  const name = peerName(peers, provisioningServer);
  throw new TurnupError(
    "item_elsewhere",
    `${id} is provisioned by ${name}, which takes no requests from here.`,
    {
      nextStep: `Let ${name} offer it; or give that server in peer.file with apiUrl and tokenFile.`,
    },
  );
}

/** @throws TurnupError `catalog_item_unknown`, `item_elsewhere` */
export async function sendOffers(
  deps: ConductorDeps,
  inStep: InStep,
  operatorId: string,
  offer: Offering,
): Promise<readonly Offered[]> {
  const item = (await deps.catalog.catalogWith(operatorId, [])).get(offer.itemId);
  if (!item) {
    throw new TurnupError("catalog_item_unknown", `The catalog has no item ${offer.itemId}.`, {
      nextStep: "Take ids from the catalog as it is now.",
    });
  }
  refuseElsewhere(deps, item);
  const sent: Offered[] = [];
  // One transaction each: a long list holds no locks, and what was sent stays sent.
  for (const who of offer.to)
    sent.push(await inStep((step) => offerTo(deps, step, { operatorId, offer }, who)));
  return sent;
}

const notSent = (outcome: OfferOutcome): Offered => ({ outcome, offerId: null, sendsAt: null });

async function offerTo(
  deps: ConductorDeps,
  step: Step,
  { operatorId, offer }: { readonly operatorId: string; readonly offer: Offering },
  who: Offering["to"][number],
): Promise<Offered> {
  const { tx, scribe } = step;
  const terms = await tx.termsOf(operatorId);
  const asker = await tx.askerOf(operatorId, who, scribe.newId);
  if (!asker) return notSent("unknown_subscriber");
  const idempotencyKey = `offer:${offer.idempotencyKey}:${asker.subscriberId}`;
  if (await tx.isQueued(operatorId, idempotencyKey)) return notSent("repeated");
  const of = await considered(deps, step, { operatorId, asker, itemId: offer.itemId });
  const refusal = of ? await whyNot(step, terms, of) : "not_available";
  if (!of || refusal) return notSent(refusal ?? "not_available");
  const { item, catalog, holdings, outdated, lackOf } = of;
  const { subscriberId } = asker;
  const language = (await tx.languageOf(operatorId, subscriberId)) ?? "en";
  const token = Buffer.from(deps.randomBytes(TOKEN_OCTETS)).toString("base64url");
  const id = scribe.newId();
  const code = freshCode(deps, await tx.openCodesOf(operatorId, subscriberId, scribe.now));
  const homePlmn = await tx.homePlmnOf(operatorId, subscriberId);
  const here = new Set(
    holdings.flatMap(({ itemId, deviceId }) => (deviceId === asker.deviceId ? [itemId] : [])),
  );
  const notBefore = quietUntil(terms.policy.quietHours, homePlmn ?? null, scribe.now);
  scribe.changes.offers.push({
    id,
    operatorId,
    subscriberId,
    itemId: item.id,
    code,
    tokenHash: createHash("sha256").update(token).digest(),
    actor: offer.actor,
    expiresAt: hoursAfter(notBefore ?? scribe.now, terms.policy.request.offerDays * DAY_HOURS),
  });
  const lacking = fieldsLacking(of);
  const words = lacking.length === 0 ? "offer" : askedByText(lacking) ? "offerWithField" : "offerWithForm";
  const text = filled(offer.text ?? noticeText(terms.policy.request, words, language), {
    fields: lackingWords(lacking, language),
    operator: terms.operatorName,
    item: localized(item.name, language),
    price: priceWords(
      costsOf(catalog, [item.id], { has: here, outdated, lackOf }).get(item.id) ?? [],
      language,
      isBilledElsewhere(catalog, item),
    ),
    code,
    link: deps.offerUrl(token),
  });
  queueNotice(
    { deps, scribe, terms },
    {
      bytes: composeText(text),
      protocol: "text",
      payloadId: scribe.newId(),
      orderId: null,
      subscriberId,
      idempotencyKey,
      unasked: { notBefore },
    },
  );
  return { outcome: "sent", offerId: id, sendsAt: (notBefore ?? scribe.now).toISOString() };
}

/** Nobody is offered what they have, cannot have, or said no to a while ago. Undefined: they may be. */
async function whyNot(
  { tx, scribe }: Step,
  { operatorId, policy }: OperatorTerms,
  { asker, item, catalog, holdings, outdated, lackOf }: Considered,
): Promise<OfferOutcome | undefined> {
  if (await tx.hasStopped(operatorId, asker.subscriberId)) return "stopped";
  // What another server does for them is no holding of ours, and theirs all the same.
  const elsewhere = await tx.doneElsewhere(operatorId, asker.subscriberId);
  const has = new Set([...holdings.map(({ itemId }) => itemId), ...elsewhere]);
  const underway = new Set((await tx.underwayOf(operatorId, asker, "add")).keys());
  const hasClient = (await tx.noticeKeyOf(operatorId, asker)) !== null;
  const left = expandSelection(catalog, [item.id], {
    has: new Set([...has, ...underway]),
    outdated: new Set([...outdated].filter((id) => !underway.has(id))),
    deviceTakes: (one) => hasClient || !needsClient(one),
    lackOf,
  });
  if (left.items.length === 0 && left.had.length > 0) {
    return left.had.every(({ id }) => has.has(id) && !underway.has(id)) ? "has_already" : "ordered_already";
  }
  if (left.conflicts.length > 0) return "conflict";
  if (lackWith(catalog, item, lackOf) !== undefined) return "device_lacks";
  if (left.items.length === 0 || left.missing.length > 0) return "not_available";
  const { offerPauseDays } = policy.request;
  if (offerPauseDays === 0) return undefined;
  const declinedAt = await tx.declinedAt(operatorId, asker.subscriberId, item.id);
  const isRecent = declinedAt && hoursAfter(declinedAt, offerPauseDays * DAY_HOURS) > scribe.now;
  return isRecent ? "declined_recently" : undefined;
}

/** A reply by text: possession of the SIM, as the network says it. */
export async function answerOffer(
  { deps, inStep }: Pick<Desk, "deps" | "inStep">,
  question: Extract<OpenQuestion, { kind: "offer" }> & {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly language: string;
  },
  answer: "accept" | "decline",
): Promise<void> {
  const { offerId, operatorId, subscriberId, language } = question;
  const taken = await inStep(async (step) => {
    const row = await step.tx.lockOffer(operatorId, offerId);
    if (row?.state !== "sent") return undefined;
    if (answer === "accept") return { row, fields: await askForLacking(deps, step, row, question) };
    step.scribe.changes.offerChanges.push({ id: row.id, state: "declined", orderId: null });
    return undefined;
  });
  if (taken === undefined || taken.fields === "asked") return;
  const { row: offer, fields } = taken;
  const request: NewRequest = {
    channel: "offer",
    action: "add",
    selection: [offer.itemId],
    who: { subscriberId },
    user: {},
    fields,
    card: null,
    assurance: "network",
    actor: "sms",
    language,
    bearer: null,
    noticeKey: null,
    agreed: [],
    offerId,
    idempotencyKey: `offer:${offerId}`,
  };
  await inStep((step) => submitRequest(deps, step, operatorId, request));
}
