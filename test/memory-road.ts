/** The device's road in memory, for tests of the doors: one request, one subscriber, one offer, all of operator A. */
import type { RoadDeps } from "../src/http/ports.ts";
import type { RequestStatus } from "../src/kernel/order/request/request.ts";
import type { OfferView, RequestDetail, Standing } from "../src/kernel/order/request/request-reader.ts";
import { TurnupError } from "../src/term/error.ts";
import { OPERATOR_A, ORDER_ID, THING_ID } from "./http-house.ts";

export const REFERENCE = "7HK2MQ9T";
export const MSISDN = "491701234567";

export function memoryRoad(
  stamp: string,
  called: (name: string, operatorId: string, input: unknown) => void,
): RoadDeps {
  const ofA = <T>(operatorId: string, row: T): T | undefined => (operatorId === OPERATOR_A ? row : undefined);
  const pageOf = <T>(operatorId: string, row: T) => ({
    rows: operatorId === OPERATOR_A ? [row] : [],
    nextCursor: null,
  });
  const status: RequestStatus = {
    orderId: ORDER_ID,
    reference: REFERENCE,
    road: "partner",
    state: "awaiting_consent",
    reason: "terms wait for an answer: mail-terms",
    nextAction: "the subscriber agrees or declines",
    deadlineAt: stamp,
    items: [],
    terms: [{ consentId: THING_ID, termsId: "mail-terms", version: 1, text: "Mail costs." }],
    createdAt: stamp,
  };
  const detail: RequestDetail = {
    id: ORDER_ID,
    reference: REFERENCE,
    road: "partner",
    action: "add",
    selection: ["mms"],
    actor: "partner-token",
    assurance: "otp",
    language: "en",
    state: "awaiting_consent",
    reason: status.reason,
    nextAction: status.nextAction,
    deadlineAt: stamp,
    subscriberId: THING_ID,
    createdAt: stamp,
    endedAt: null,
    imsiMasked: "262019*********",
    msisdnMasked: "49********67",
    imeiMasked: "35693803*******",
    make: "Nokia",
    model: "6610",
    card: "411111******1111",
    consents: [],
    verification: { verdict: "approved", road: "full", identity: "bureau", card: true, reasons: [] },
  };
  const offer: OfferView = {
    id: THING_ID,
    subscriberId: THING_ID,
    msisdnMasked: "49********67",
    itemId: "mms",
    state: "sent",
    madeBy: "care-token",
    createdAt: stamp,
    expiresAt: stamp,
    answeredAt: null,
    orderId: null,
  };
  const standing: Standing = {
    subscriberId: THING_ID,
    imsiMasked: "262019*********",
    msisdnMasked: "49********67",
    homePlmn: "26201",
    account: null,
    devices: [],
    orders: [],
    offers: [],
    lastScreen: { screen: "list", channel: "screen", at: stamp },
  };
  const isThere = (operatorId: string, name: string): boolean =>
    operatorId === OPERATOR_A && [ORDER_ID, REFERENCE].includes(name);
  const onRequest = async (name: string, operatorId: string, orderId: string, input: unknown) => {
    if (!isThere(operatorId, orderId)) throw new TurnupError("order_not_found", "there is no such request");
    called(name, operatorId, input);
  };
  return {
    desk: {
      async submit(operatorId, request) {
        called("road.submit", operatorId, request);
        return { orderId: ORDER_ID, reference: REFERENCE, created: true };
      },
      find: async ({ operatorId }, name) => (isThere(operatorId, name) ? status : undefined),
      ofSubscriber: async ({ operatorId }) => (operatorId === OPERATOR_A ? [status] : []),
      provisioned: async ({ operatorId }) =>
        operatorId === OPERATOR_A
          ? [{ itemId: "mms", name: "MMS", kind: "feature", since: stamp, deviceId: ORDER_ID }]
          : [],
      review: (operatorId, orderId, answer) => onRequest("road.review", operatorId, orderId, answer),
      underReview: async (operatorId, name) =>
        isThere(operatorId, name) ? { orderId: ORDER_ID, user: { givenName: "Ada" } } : undefined,
      answerTerms: ({ operatorId }, orderId, answer, channel) =>
        onRequest("road.answerTerms", operatorId, orderId, { answer, channel }),
      supplyFields: ({ operatorId }, orderId, itemId, fields) =>
        onRequest("road.supplyFields", operatorId, orderId, { itemId, fields }),
      chooseRetransmission: ({ operatorId }, orderId, itemId, choice, channel) =>
        onRequest("road.choose", operatorId, orderId, { itemId, choice, channel }),
      content: async () => undefined,
      deviceReports: async () => false,
      textCame: async () => false,
      replyCame: async () => false,
      findOffer: async () => undefined,
      async sendOffers(operatorId, given) {
        called("road.sendOffers", operatorId, given);
        return given.to.map(() => ({ outcome: "sent" as const, offerId: THING_ID, sendsAt: stamp }));
      },
    },
    reader: {
      async list(operatorId, filter, page) {
        called("road.list", operatorId, { filter, page });
        return pageOf(operatorId, detail);
      },
      detail: async (operatorId, name, of) =>
        isThere(operatorId, name) && (!of || of.actor === detail.actor) ? detail : undefined,
      offers: async (operatorId) => pageOf(operatorId, offer),
      subscriberOf: async (operatorId, { msisdn, imsi }) =>
        msisdn === MSISDN || imsi !== undefined ? ofA(operatorId, THING_ID) : undefined,
      standing: async (operatorId) => ofA(operatorId, standing),
      noteScreen: async (seen) => called("road.noteScreen", seen.operatorId, seen),
    },
    people: {
      find: async (operatorId, { msisdn, subscriberId }) =>
        msisdn === MSISDN || subscriberId === THING_ID
          ? ofA(operatorId, { subscriberId: THING_ID, deviceId: THING_ID, tac: "35693803", msisdn: MSISDN })
          : undefined,
      known: async () => ({ isKnownDevice: false, account: null }),
      async addLink(link) {
        called("road.addLink", link.operatorId, link);
        return true;
      },
      useLink: async () => undefined,
      useCode: async () => undefined,
      forgetLinks: async () => 0,
    },
    cardsOf: () => undefined,
    putAccountNumber: async (given) => called("road.putAccountNumber", given.operatorId, given),
    operatorOf: async (id) => ({ id, name: "Telco", care: { phone: null, url: null } }),
    agentOf: () => "tel:+491701110000",
    publicUrl: () => "https://turnup.invalid",
    freshOctets: (octets) => new Uint8Array(octets).fill(7),
    key: new Uint8Array(32).fill(3),
  };
}
