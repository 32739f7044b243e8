/**
 * Offers of upgrades by SMS (US 6,647,260, column 8; R67): each subscriber gets a text with a number to reply with and a
 * link; either starts the usual request with the offer filled in.
 */
import Type from "typebox";
import { OFFER_OUTCOMES } from "../../kernel/catalog/offered.ts";
import { countOffers } from "../../kernel/requested/offers.ts";
import { OFFER_STATES, type OfferView } from "../../kernel/requested/request-reader.ts";
import { recordOf } from "../../term/record.ts";
import { answerPage, pageOf } from "../page.ts";
import { InvalidRequest } from "../problem.ts";
import { accepted, route } from "../route.ts";
import { instant, instantOrNull, named, page, pageQuery, text, textOrNull, words } from "../schema.ts";
import { itemId } from "./catalog/schema.ts";
import { identifiersIn } from "./identifiers.ts";
import { STAFF } from "./requests.ts";

/** One transaction each: so many fit into the time of one request. */
const OFFERED_AT_ONCE_MAX = 500;
const TEXT_CHARACTERS_MAX = 600;

const Offer = named(
  "Offer",
  Type.Object({
    id: Type.String(),
    subscriberId: Type.String(),
    msisdnMasked: textOrNull(),
    itemId: Type.String(),
    state: words(OFFER_STATES),
    madeBy: Type.String(),
    createdAt: instant(),
    expiresAt: instant(),
    answeredAt: instantOrNull(),
    orderId: textOrNull({ description: "The request that it became." }),
  }),
);

const Asked = Type.Object(
  {
    itemId,
    to: Type.Array(
      Type.Object(
        {
          msisdn: Type.Optional(text("E.164.", 40)),
          imsi: Type.Optional(text("6 to 15 digits.", 15)),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: OFFERED_AT_ONCE_MAX },
    ),
    text: Type.Optional(
      Type.String({
        maxLength: TEXT_CHARACTERS_MAX,
        pattern: "^[^\\u0000]*\\{(?:code|link)\\}[^\\u0000]*$",
        description:
          "A text that holds {code} or {link}; {operator} and {item} are filled in too. The policy's unless given.",
      }),
    ),
  },
  { additionalProperties: false },
);

const Results = Type.Object({
  results: Type.Array(
    Type.Object({
      outcome: words(OFFER_OUTCOMES),
      offerId: textOrNull(),
      sendsAt: textOrNull({
        format: "date-time",
        description: "When its message goes out: at once, or when the operator's quiet hours end.",
      }),
    }),
  ),
  counts: Type.Object(
    recordOf(OFFER_OUTCOMES, () => Type.Optional(Type.Integer())),
    { description: "How often each outcome came; those that did not come are left out." },
  ),
});

export const sendOffers = route({
  method: "POST",
  path: "/v1/offers",
  summary: "Offer an item of the catalog to subscribers by SMS",
  description: [
    "The results stand in the order of `to`. Nothing is provisioned before a subscriber says yes. Nobody is offered what they",
    "have, ordered, cannot have, or declined lately (`offerPauseDays` of the policy), and nobody whose number said STOP.",
  ].join(" "),
  tag: "offers",
  roles: STAFF,
  errors: ["catalog_item_unknown", "item_elsewhere", "imsi_malformed", "msisdn_malformed"],
  status: 202,
  once: "door",
  body: Asked,
  answer: Results,
  async handle({ requests, audit }, { body, caller: { operatorId, label }, once }) {
    const to = body.to.map(({ imsi, msisdn }, at) => {
      if (imsi === undefined && msisdn === undefined)
        throw new InvalidRequest([{ at: `body/to/${at}`, wanted: "msisdn or imsi" }]);
      return identifiersIn({ imsi, msisdn });
    });
    const results = await requests.desk.sendOffers(operatorId, {
      itemId: body.itemId,
      to,
      actor: label,
      text: body.text,
      idempotencyKey: once.subjectId,
    });
    const counts = countOffers(results);
    if (counts.sent) {
      const detail = { ...counts, of: to.length };
      await audit.record(operatorId, { actor: label, action: "offer.send", subject: body.itemId, detail });
    }
    return accepted({ results: results.map((one) => ({ ...one })), counts });
  },
});

export const listOffers = route({
  method: "GET",
  path: "/v1/offers",
  summary: "Offers and what became of them, newest first",
  tag: "offers",
  roles: STAFF,
  errors: [],
  status: 200,
  query: { ...pageQuery, state: Type.Optional(words(OFFER_STATES)), itemId: Type.Optional(itemId) },
  answer: page(Offer),
  async handle({ requests }, { query: { state, itemId, ...asks }, caller, request }) {
    const found = await requests.reader.offers(caller.operatorId, { state, itemId }, pageOf(asks));
    return answerPage<OfferView>(found, request);
  },
});

export { Offer };
