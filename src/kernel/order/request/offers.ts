/**
 * Offers of upgrades by SMS (US 6,647,260, column 8; row 67): each names one item, a number to reply with and a link. Either
 * starts the same request as any other, with the offer filled in; it is verified and agreed to like any other.
 */
import { createHash } from "node:crypto";
import { TurnupError } from "../../../term/error.ts";
import { costsOf } from "../../catalog/charges.ts";
import { priceWords } from "../../catalog/price-words.ts";
import { composeText } from "../../payload/compose.ts";
import type { ConductorDeps } from "../deps.ts";
import { hoursAfter } from "../scribe.ts";
import type { Step } from "../step.ts";
import { filled, newCode, queueNotice } from "./notices.ts";
import type { RequestDesk } from "./request.ts";
import { inLanguage } from "./request-draft.ts";
import { noticeText } from "./request-policy.ts";
import type { OpenQuestion } from "./request-store.ts";

const TOKEN_OCTETS = 16;
const DAY_HOURS = 24;

type Offering = Parameters<RequestDesk["sendOffers"]>[1];
type Offered = Awaited<ReturnType<RequestDesk["sendOffers"]>>[number];
type InStep = <T>(work: (step: Step) => Promise<T>) => Promise<T>;

/** @throws TurnupError `catalog_item_unknown` */
export async function sendOffers(
  deps: ConductorDeps,
  inStep: InStep,
  operatorId: string,
  offer: Offering,
): Promise<readonly Offered[]> {
  const catalog = await deps.catalog.catalogWith(operatorId, []);
  const item = catalog.get(offer.itemId);
  if (!item) {
    throw new TurnupError("catalog_item_unknown", `the catalog has no item ${offer.itemId}`, {
      nextStep: "take ids from the catalog as it is now",
    });
  }
  const sent: Offered[] = [];
  // One transaction each: a long list holds no locks, and what was sent stays sent.
  for (const who of offer.to) {
    sent.push(
      await inStep(async ({ tx, scribe }): Promise<Offered> => {
        const terms = await tx.termsOf(operatorId);
        const { request: policy } = terms.policy;
        const asker = await tx.askerOf(operatorId, who, scribe.newId);
        if (!asker) return { outcome: "unknown_subscriber", offerId: null };
        const idempotencyKey = `offer:${offer.idempotencyKey}:${asker.subscriberId}`;
        if (await tx.isQueued(operatorId, idempotencyKey)) return { outcome: "repeated", offerId: null };
        const has = await tx.holdingsOf(operatorId, asker.subscriberId);
        const here = has.flatMap(({ itemId, deviceId }) => (deviceId === asker.deviceId ? [itemId] : []));
        const costs = costsOf(catalog, [item.id], new Set(here)).get(item.id) ?? [];
        const language = (await tx.languageOf(operatorId, asker.subscriberId)) ?? "en";
        const token = Buffer.from(deps.randomBytes(TOKEN_OCTETS)).toString("base64url");
        const [id, code] = [scribe.newId(), newCode(deps)];
        const { subscriberId } = asker;
        scribe.changes.offers.push({
          id,
          operatorId,
          subscriberId,
          itemId: item.id,
          code,
          tokenHash: createHash("sha256").update(token).digest(),
          actor: offer.actor,
          expiresAt: hoursAfter(scribe.now, policy.offerDays * DAY_HOURS),
        });
        const text = filled(offer.text ?? noticeText(policy, "offer", language), {
          operator: terms.operatorName,
          item: inLanguage(item.name, language),
          price: priceWords(costs, language),
          code,
          link: deps.offerUrl(token),
        });
        queueNotice(deps, scribe, terms, {
          bytes: composeText(text),
          protocol: "text",
          payloadId: scribe.newId(),
          orderId: null,
          subscriberId,
          idempotencyKey,
        });
        return { outcome: "sent", offerId: id };
      }),
    );
  }
  return sent;
}

/** A reply by text: possession of the SIM, as the network says it. */
export async function answerOffer(
  { inStep, submit }: { readonly inStep: InStep; readonly submit: RequestDesk["submit"] },
  {
    offerId,
    operatorId,
    subscriberId,
    language,
  }: Extract<OpenQuestion, { kind: "offer" }> & {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly language: string;
  },
  answer: "accept" | "decline",
): Promise<void> {
  const offer = await inStep(async ({ tx, scribe }) => {
    const row = await tx.lockOffer(operatorId, offerId);
    if (row?.state === "sent" && answer === "decline")
      scribe.changes.offerChanges.push({ id: row.id, state: "declined", orderId: null });
    return row;
  });
  if (answer === "decline" || offer?.state !== "sent") return;
  await submit(operatorId, {
    road: "offer",
    action: "add",
    selection: [offer.itemId],
    who: { subscriberId },
    user: {},
    fields: {},
    card: null,
    assurance: "network",
    actor: "sms",
    language,
    bearer: null,
    noticeKey: null,
    agreed: [],
    offerId,
    idempotencyKey: `offer:${offerId}`,
  });
}
