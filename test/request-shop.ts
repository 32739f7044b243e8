/** Requests of the device's road on a database of the test file's own; every machine of others is scripted by the test. */
import { createHash, randomBytes } from "node:crypto";
import type { UserData } from "../src/kernel/account/user-data.ts";
import type { CatalogItem } from "../src/kernel/catalog/catalog-item.ts";
import { sampleItem } from "../src/kernel/catalog/catalog-samples.ts";
import { createBookkeeper } from "../src/kernel/order/bookkeeper.ts";
import { createErrands } from "../src/kernel/order/errands.ts";
import { DEFAULT_POLICY } from "../src/kernel/order/policy.ts";
import type {
  BillingCentre,
  IdentityBureau,
  MailPort,
  NetworkElementPort,
  PaymentHouse,
  PeerServer,
  ServiceServerPort,
} from "../src/kernel/order/request/connectors.ts";
import { type Connectors, REQUEST_CALL_KINDS } from "../src/kernel/order/request/errands.ts";
import type { NewRequest, RequestScope } from "../src/kernel/order/request/request.ts";
import type { RequestPolicy } from "../src/kernel/order/request/request-policy.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import { decodeNotice, type Notice } from "../src/wire/message/notice.ts";
import { encodeReply, type ReplyKind } from "../src/wire/message/reply.ts";
import { decodePush } from "../src/wire/wsp/push.ts";
import { orderShop, pair } from "./order-shop.ts";

const SMSC = "smsc.invalid:2775";
const LEASE_MS = 120_000;
const PASSES_MAX = 20;

export type Told = {
  readonly kind: Notice["kind"] | "text";
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly itemId: string | null;
  readonly messageId: string;
  readonly noticeId: Uint8Array;
  readonly content: Uint8Array | undefined;
  readonly parts: number;
};

type Elements = Parameters<NetworkElementPort["apply"]>[0];
type Mail = Parameters<MailPort["send"]>[0];
type Billing = Parameters<BillingCentre["tell"]>[0];
type Removing = Parameters<ServiceServerPort["remove"]>[0];
type Registering = Parameters<ServiceServerPort["register"]>[0];

function noted<One, Answer>(list: One[], one: One, answer: () => Answer): Answer {
  list.push(one);
  return answer();
}

/** What the machines of others were told, and what a test has them answer. */
export function machines() {
  const saw = {
    identities: [] as Parameters<IdentityBureau["verify"]>[0][],
    cards: [] as Parameters<PaymentHouse["authorise"]>[0][],
    registrations: [] as Registering[],
    removals: [] as Removing[],
    elements: [] as Elements[],
    billing: [] as Billing[],
    mails: [] as Mail[],
    forwarded: [] as (Parameters<PeerServer["forward"]>[0] & { readonly server: string })[],
  };
  const answers = {
    identity: (): ReturnType<IdentityBureau["verify"]> =>
      Promise.resolve({ kind: "answered", outcome: "match", score: 99, mismatched: [] }),
    card: (): ReturnType<PaymentHouse["authorise"]> =>
      Promise.resolve({ kind: "approved", reference: "auth-1" }),
    register: (_: Registering): ReturnType<ServiceServerPort["register"]> =>
      Promise.resolve({
        kind: "registered",
        remoteId: "scim-1",
        accessData: { user: "ada", password: "open-Sesame-77" },
      }),
    remove: (_: Removing): ReturnType<ServiceServerPort["remove"]> => Promise.resolve({ kind: "done" }),
    element: (_: Elements): ReturnType<NetworkElementPort["apply"]> =>
      Promise.resolve({ kind: "done", reference: null }),
    forward: (_: Parameters<PeerServer["forward"]>[0]): ReturnType<PeerServer["forward"]> =>
      Promise.resolve({ kind: "failed", cause: "unreachable", reason: "nobody is there" }),
    billing: (_: Billing): ReturnType<BillingCentre["tell"]> =>
      Promise.resolve({ kind: "done", reference: "bill-1" }),
    mail: (_: Mail): ReturnType<MailPort["send"]> => Promise.resolve({ kind: "done", reference: null }),
  };
  const connectors: Connectors = {
    bureauOf: () => ({ verify: (one) => noted(saw.identities, one, () => answers.identity()) }),
    paymentHouseOf: () => ({
      tokenise: () => Promise.reject(new Error("doors take cards, requests do not")),
      authorise: (one) => noted(saw.cards, one, () => answers.card()),
    }),
    serviceAt: () => ({
      register: (one) => noted(saw.registrations, one, () => answers.register(one)),
      remove: (one) => noted(saw.removals, one, () => answers.remove(one)),
    }),
    elementOf: () => ({ apply: (one) => noted(saw.elements, one, () => answers.element(one)) }),
    billingOf: () => ({ tell: (one) => noted(saw.billing, one, () => answers.billing(one)) }),
    peerAt: (_operatorId, server) => ({
      forward: (one) => noted(saw.forwarded, { ...one, server }, () => answers.forward(one)),
    }),
    mailOf: () => ({
      send: (one) => noted(saw.mails, one, () => answers.mail(one)),
    }),
  };
  return { saw, answers, connectors };
}

export async function requestShop() {
  const shop = await orderShop();
  const { conductor, store, time } = shop;
  const books = createBookkeeper(conductor, () => Promise.resolve());

  const worlds = new Map<string, Connectors>();
  const errands = createErrands({
    store,
    books,
    clock: () => new Date(time.now),
    makerAt: () => undefined,
    bankOf: () => undefined,
    connectors: {
      bureauOf: (of) => worlds.get(of)?.bureauOf(of),
      paymentHouseOf: (of) => worlds.get(of)?.paymentHouseOf(of),
      serviceAt: (of, uri) => worlds.get(of)?.serviceAt(of, uri),
      elementOf: (of, element) => worlds.get(of)?.elementOf(of, element),
      billingOf: (of) => worlds.get(of)?.billingOf(of),
      mailOf: (of) => worlds.get(of)?.mailOf(of),
      peerAt: (of, origin) => worlds.get(of)?.peerAt?.(of, origin),
    },
  });

  /** One subscriber of an operator of his own, with a catalog and a policy. */
  async function house(
    name: string,
    items: readonly (Partial<CatalogItem> & { readonly id: string })[],
    setup: {
      readonly policy?: Partial<RequestPolicy>;
      readonly terms?: readonly string[];
      /** Machines that the operator has not. */
      readonly without?: Partial<Connectors>;
    } = {},
  ) {
    const operatorId = await shop.operator();
    // What these tests tell is not of strangers: who asks is let in by his SIM, unless the test's policy says otherwise.
    const lenient = { statusIntervalMinutes: null, unknownUser: "accept" } as const;
    const policy = { ...DEFAULT_POLICY.request, ...lenient, ...setup.policy };
    await shop.registry.policies.put(operatorId, 0, { ...DEFAULT_POLICY, request: policy }, "test");
    for (const termsId of setup.terms ?? [])
      await shop.catalog.putTerms(
        operatorId,
        termsId,
        { en: `Terms of ${termsId}.`, de: `Bedingungen ${termsId}.` },
        () => true,
        "test",
      );
    for (const { id, ...said } of items) {
      const { id: _, version: __, ...body } = sampleItem(id, said);
      await shop.catalog.put(operatorId, id, body, () => true, "test");
    }
    const world = machines();
    worlds.set(operatorId, { ...world.connectors, ...setup.without });
    const who = pair(name);
    const noticeKey = new Uint8Array(createHash("sha256").update(name).digest());
    const requests = conductor.requests;
    const scope: RequestScope = { operatorId, subscriberId: null };
    const ask = (selection: readonly string[], more: Partial<NewRequest> = {}) =>
      requests.submit(operatorId, { ...newRequest(selection), who, noticeKey, ...more });
    const claimed = async () =>
      (await store.claimMessages({ now: new Date(time.now), limit: 1_000, leaseMs: LEASE_MS })).filter(
        (message) => message.operatorId === operatorId,
      );
    const read = (message: Awaited<ReturnType<typeof claimed>>[number]): Told => {
      const { payload } = message.content!;
      const { messageId, partCount: parts } = message;
      if (message.protocol === "text") {
        const text = new TextDecoder().decode(payload);
        return {
          kind: "text",
          text,
          fields: {},
          itemId: null,
          messageId,
          noticeId: payload,
          content: undefined,
          parts,
        };
      }
      const { body } = decodePush(payload);
      const notice = decodeNotice(body, noticeKey);
      return {
        kind: notice.kind,
        text: notice.text,
        fields: notice.fields,
        itemId: notice.itemId,
        noticeId: notice.messageId,
        content: notice.content,
        messageId,
        parts,
      };
    };
    const submitted = async (told: readonly Pick<Told, "messageId" | "parts">[]): Promise<void> =>
      conductor.bookSubmissions(
        told.flatMap(({ messageId, parts }) =>
          Array.from({ length: parts }, (_, at) => ({
            messageId,
            sequence: at + 1,
            smsc: SMSC,
            smscMessageId: `${messageId}/${at + 1}`,
          })),
        ),
        [],
      );
    const receipt = async (
      told: readonly Pick<Told, "messageId" | "parts">[],
      state: "delivered" | "failed",
    ) =>
      conductor.bookReceipts(
        told.flatMap(({ messageId, parts }) =>
          Array.from({ length: parts }, (_, at) => ({
            smsc: SMSC,
            smscMessageId: `${messageId}/${at + 1}`,
            otherIds: [],
            state,
            errorCode: null,
          })),
        ),
      );
    return {
      ...world,
      ...who,
      operatorId,
      noticeKey,
      scope,
      requests,
      ask,
      submitted,
      receipt,
      /** What was queued for the device since, handed over and delivered. */
      async told(state: "delivered" | "failed" | "none" = "delivered"): Promise<readonly Told[]> {
        const told = (await claimed()).map(read);
        await submitted(told);
        if (state !== "none") await receipt(told, state);
        return told;
      },
      /** All calls that are due, and those that follow from them. */
      async errands(): Promise<void> {
        for (let pass = 0; pass < PASSES_MAX; pass++) {
          let made = 0;
          for (const kind of REQUEST_CALL_KINDS) made += await errands.pass(kind, 100);
          if (made === 0) return;
        }
        throw new Error("calls follow each other without an end");
      },
      status: async (orderId: string) => (await requests.find(scope, orderId))!,
      story: async (orderId: string) => (await shop.reader.findOrder(operatorId, orderId))!,
      events: async (orderId: string) =>
        (await shop.reader.findOrder(operatorId, orderId))!.events.map(({ kind }) => kind),
      reply: (
        kind: ReplyKind,
        to: { reference: string; itemId?: string | null; noticeId?: Uint8Array; cause?: string },
      ) =>
        requests.replyCame(
          encodeReply(
            {
              kind,
              messageId: to.noticeId ?? new Uint8Array(randomBytes(8)),
              reference: to.reference,
              itemId: to.itemId ?? null,
              cause: to.cause ?? null,
            },
            noticeKey,
          ),
        ),
      installed: (orderId: string, itemId: string) =>
        requests.deviceReports(scope, orderId, itemId, { kind: "installed" }, "wideband"),
    };
  }
  return {
    ...shop,
    house,
    async pass(ms: number): Promise<void> {
      time.now += ms;
      while ((await conductor.advance(100)) === 100);
      await conductor.expire(100);
    },
  };
}
export type RequestShop = Awaited<ReturnType<typeof requestShop>>;
export type RequestHouse = Awaited<ReturnType<RequestShop["house"]>>;

export const USER: UserData = {
  givenName: "Ada",
  familyName: "Lovelace",
  email: "ada@example.org",
  country: "GB",
};

const newRequest = (selection: readonly string[]): NewRequest => ({
  road: "self_service",
  action: "add",
  selection,
  who: {},
  user: USER,
  fields: {},
  card: null,
  assurance: "network",
  actor: "device",
  language: "en",
  bearer: "gsm",
  noticeKey: null,
  agreed: [],
  offerId: null,
  idempotencyKey: uuidv7(),
});
