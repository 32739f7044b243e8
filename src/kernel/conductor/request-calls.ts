/**
 * Goes to the machines that a request asks: identity bureau, payment provider, service servers, elements of the network, the
 * billing centre, the mail server. Calls go side by side; a call that breaks is one without an answer, and holds up no other.
 */
import { MAKE_CHARACTERS_MAX, MODEL_CHARACTERS_MAX } from "../../wire/message/billing-api.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { NOT_CONFIGURED } from "../calls/ask.ts";
import type {
  BillingCentre,
  IdentityBureau,
  MailPort,
  NetworkElementPort,
  PaymentProvider,
  PeerServer,
  ServiceServerPort,
} from "../calls/connectors.ts";
import { NETWORK_ELEMENTS, type NetworkElement } from "../catalog/catalog-item.ts";
import type { Subscriber } from "../order/order-draft.ts";
import type { OrderStore } from "../order/order-store.ts";
import type { OutboundCall, RequestCall } from "../order/outbound-call.ts";
import type { AccountDraft } from "../order/request-draft.ts";
import { collectionNameOf } from "../settlement/collection-return.ts";

/** Machines of others, of each operator; undefined where none is configured: then its calls fail, and say so. */
export type Connectors = {
  readonly bureauOf: (operatorId: string) => IdentityBureau | undefined;
  readonly paymentProviderOf: (operatorId: string) => PaymentProvider | undefined;
  readonly serviceAt: (operatorId: string, uri: string) => ServiceServerPort | undefined;
  readonly elementOf: (operatorId: string, element: NetworkElement) => NetworkElementPort | undefined;
  readonly billingOf: (operatorId: string) => BillingCentre | undefined;
  readonly mailOf: (operatorId: string) => MailPort | undefined;
  /** Other provisioning servers, by their origin. */
  readonly peerAt?: (operatorId: string, origin: string) => PeerServer | undefined;
};
export const NO_CONNECTORS: Connectors = {
  bureauOf: () => undefined,
  paymentProviderOf: () => undefined,
  serviceAt: () => undefined,
  elementOf: () => undefined,
  billingOf: () => undefined,
  mailOf: () => undefined,
};

/** One party answers so many of our calls at once; the others wait for their turn. */
const CALLS_AT_ONCE = 16;

type World = {
  readonly connectors: Connectors;
  readonly subjects: ReadonlyMap<string, Subscriber>;
  readonly accounts: Map<string, AccountDraft>;
};

/** What the connectors make: calls of requests, and word to servers of all orders. */
type OthersCall = RequestCall | OutboundCall<"server_notice">;

export async function askOthers(
  deps: { readonly store: OrderStore; readonly connectors: Connectors },
  /** All of one kind. */
  calls: readonly OthersCall[],
): Promise<ReadonlyMap<string, CallAnswer>> {
  const orderIds = calls.map(({ orderId }) => orderId);
  const kind = calls[0]?.kind;
  const world: World = {
    connectors: deps.connectors,
    subjects:
      kind === "card_check" || kind === "collection" ? new Map() : await deps.store.subjectsOf(orderIds),
    accounts:
      kind === "billing_notice" || kind === "server_notice"
        ? new Map(await deps.store.accountsOf(orderIds))
        : new Map(),
  };
  const answers = new Map<string, CallAnswer>();
  const askAll = async (some: readonly OthersCall[]): Promise<void> => {
    const waiting = [...some].sort((one, other) => (one.id < other.id ? -1 : 1)); // as they were asked for
    await Promise.all(
      Array.from({ length: Math.min(CALLS_AT_ONCE, waiting.length) }, async () => {
        for (let call = waiting.shift(); call; call = waiting.shift()) {
          answers.set(call.id, await ask(world, call).catch(broken));
        }
      }),
    );
  };
  // Two orders of one subscriber may each want their account registered: the second finds that it is.
  const ofAccounts = new Map(
    calls.filter(isOfAccount).map((call) => [world.accounts.get(call.orderId)?.id ?? call.id, call]),
  );
  await askAll([...ofAccounts.values()]);
  await askAll(calls.filter((call) => isOfAccount(call) && !answers.has(call.id)));
  await askAll(calls.filter((call) => !isOfAccount(call)));
  return answers;
}

/** An account goes to the billing centre before what is booked to it, also where both are due at once. */
const isOfAccount = (call: OthersCall): boolean =>
  call.kind === "billing_notice" && call.body.kind === "account";

/** Its message may quote what was sent: only that it broke is told. */
const broken = (error: unknown): CallAnswer => ({
  kind: "failed",
  cause: "call_failed",
  reason: error instanceof Error ? error.name : "an error",
});
const unset = (what: string): CallAnswer => ({
  kind: "failed",
  cause: NOT_CONFIGURED,
  reason: `no ${what} is configured`,
});

async function ask(world: World, call: OthersCall): Promise<CallAnswer> {
  switch (call.kind) {
    case "identity_check":
      return checkIdentity(world, call);
    case "card_check":
      return checkCard(world, call);
    case "collection":
      return collect(world, call);
    case "service_registration":
      return visitService(world, call);
    case "element_task":
      return tellElement(world, call);
    case "billing_notice":
      return tellBilling(world, call);
    case "forward_request":
      return forwardTo(world, call);
    case "mail_notice":
      return sendMail(world, call);
    case "server_notice":
      return tellServer(world, call);
  }
}

/** A seal that does not open, or a subscriber without a number: there is nothing to ask with. */
const UNREADABLE: CallAnswer = {
  kind: "failed",
  cause: "data_unreadable",
  reason: "what is to be sent is not there",
};

async function checkIdentity(
  { connectors, subjects }: World,
  call: OutboundCall<"identity_check">,
): Promise<CallAnswer> {
  const bureau = connectors.bureauOf(call.operatorId);
  if (!bureau) return unset("identity bureau");
  const { secret } = call;
  const msisdn = subjects.get(call.orderId)?.msisdn;
  if (!secret || !msisdn) return UNREADABLE;
  return bureau.verify({ id: call.id, msisdn, user: secret.user });
}

async function checkCard({ connectors }: World, call: OutboundCall<"card_check">): Promise<CallAnswer> {
  const provider = connectors.paymentProviderOf(call.operatorId);
  if (!provider) return unset("payment provider");
  const { secret } = call;
  if (!secret) return UNREADABLE;
  const { amountMinor, currency } = call.body;
  const answer = await provider.authorise({
    id: call.id,
    token: secret.token,
    amountMinor: Number(amountMinor),
    currency,
  });
  return answer.kind === "approved" ? { kind: "done", reference: answer.reference } : answer;
}

async function collect({ connectors }: World, call: OutboundCall<"collection">): Promise<CallAnswer> {
  const provider = connectors.paymentProviderOf(call.operatorId);
  if (!provider) return unset("payment provider");
  const { secret } = call;
  if (!secret) return UNREADABLE;
  const { amountMinor, currency, purpose } = call.body;
  const answer = await provider.collect({
    id: call.id,
    token: secret.token,
    mandate: secret.mandate,
    amountMinor: Number(amountMinor),
    currency,
    purpose,
    endToEndId: collectionNameOf(call.body.collectionId),
  });
  return answer.kind === "taken" ? { kind: "done", reference: answer.reference } : answer;
}

async function visitService(
  { connectors, subjects }: World,
  call: OutboundCall<"service_registration">,
): Promise<CallAnswer> {
  const { action, service, registrationId, remoteId, language } = call.body;
  const server = connectors.serviceAt(call.operatorId, service);
  if (!server) return unset("service server at this address");
  if (action === "remove") return done(await server.remove({ id: registrationId, remoteId }));
  const { secret } = call;
  const msisdn = subjects.get(call.orderId)?.msisdn;
  if (!secret || !msisdn) return UNREADABLE;
  return server.register({
    id: registrationId,
    remoteId,
    ...(action !== "register" && { isChange: true }),
    msisdn,
    user: secret.user,
    fields: secret.fields,
    language: language ?? "en",
  });
}

const done = (answer: Awaited<ReturnType<ServiceServerPort["remove"]>>): CallAnswer =>
  answer.kind === "done" ? { kind: "done", reference: null } : answer;

async function tellElement(
  { connectors, subjects }: World,
  { id, operatorId, orderId, body, secret }: OutboundCall<"element_task">,
): Promise<CallAnswer> {
  const { element, action, catalogId, undo } = body;
  const port = connectors.elementOf(operatorId, element);
  if (!port) return unset(`network element ${element}`);
  const subject = subjects.get(orderId);
  const msisdn = (undo ? subject?.formerMsisdn : undefined) ?? subject?.msisdn;
  if (!subject || !msisdn || !secret) return UNREADABLE;
  const { imsi, imei } = subject;
  return port.apply({ id, element, action, catalogId, msisdn, imsi, imei, values: secret.values });
}

/** The centre learns of an account before it learns what is booked to it. */
const ACCOUNT_FIRST: CallAnswer = {
  kind: "failed",
  cause: "account_first",
  reason: "the account is not registered with the billing centre yet",
};

/** By another order of the same subscriber. */
const REGISTERED_ALREADY: CallAnswer = { kind: "done", reference: null };

async function tellBilling(
  { connectors, accounts }: World,
  call: OutboundCall<"billing_notice">,
): Promise<CallAnswer> {
  const billing = connectors.billingOf(call.operatorId);
  if (!billing) return unset("billing centre");
  const account = accounts.get(call.orderId);
  if (!account) return UNREADABLE;
  const { kind: notice, catalogId, action, onceMinor, monthlyMinor, currency, prepared } = call.body;
  if (notice !== "account" && account.state !== "registered") return ACCOUNT_FIRST;
  const isAccount = notice === "account" || notice === "account_change";
  // A call of an earlier release may know an id alone.
  const billed = isAccount ? (call.secret?.account ?? null) : null;
  if (notice === "account" && account.state === "registered" && !billed) return REGISTERED_ALREADY;
  const told = {
    // Opened by another order of the same subscriber meanwhile: what this one knows of them is news all the same.
    kind: isAccount ? (account.state === "registered" ? "account_change" : "account") : notice,
    accountId: account.id,
    catalogId,
    action: action === "remove" && !isAccount ? "remove" : "add",
    onceMinor,
    monthlyMinor,
    currency: isAccount ? null : currency,
    prepared,
    account: billed,
  } as const;
  const answer =
    told.kind === "account"
      ? await registerOnce(billing, account.id, call, told)
      : await billing.tell({ ...told, id: call.id });
  if (isAccount && answer.kind === "done") {
    for (const [orderId, one] of accounts)
      if (one.id === account.id) accounts.set(orderId, { ...one, state: "registered" });
  }
  return answer;
}

/**
 * Two orders may want the same account registered, and the word that the first was done may be lost: under one id the centre
 * does it once. Where this order knows more than what stands under that id, its word is a change. A no to an earlier order's
 * word is no answer to this one, which asks under an id of its own.
 */
async function registerOnce(
  billing: BillingCentre,
  accountId: string,
  call: OutboundCall<"billing_notice">,
  told: Omit<Parameters<BillingCentre["tell"]>[0], "id">,
): ReturnType<BillingCentre["tell"]> {
  const answer = await billing.tell({ ...told, id: accountId });
  if (answer.kind !== "refused") return answer;
  if (answer.cause !== "id_reused") return billing.tell({ ...told, id: call.id });
  const changed = await billing.tell({ ...told, kind: "account_change", id: call.id });
  if (changed.kind !== "refused" || changed.cause !== "unknown_account") return changed;
  return billing.tell({ ...told, id: `${call.id}.account` });
}

/** As our partner's request, for this very SIM and device. */
async function forwardTo(
  { connectors, subjects }: World,
  call: OutboundCall<"forward_request">,
): Promise<CallAnswer> {
  const { server, action, selection, language, assurance, reference } = call.body;
  const peer = connectors.peerAt?.(call.operatorId, server);
  if (!peer) return unset("provisioning server at this address");
  const { secret } = call;
  const subject = subjects.get(call.orderId);
  if (!secret || !subject) return UNREADABLE;
  const { imsi, imei } = subject;
  const msisdn = secret.msisdn === undefined ? subject.msisdn : secret.msisdn;
  return peer.forward({
    id: call.id,
    action,
    selection,
    subscriber: { imsi, imei, msisdn },
    user: secret.user,
    fields: secret.fields,
    language,
    assurance,
    noticeKey: secret.noticeKey === null ? null : Uint8Array.from(Buffer.from(secret.noticeKey, "base64")),
    reference,
  });
}

async function sendMail({ connectors }: World, call: OutboundCall<"mail_notice">): Promise<CallAnswer> {
  const mail = connectors.mailOf(call.operatorId);
  if (!mail) return unset("mail server");
  const { secret } = call;
  if (!secret) return UNREADABLE;
  const { channel, language } = call.body;
  const to =
    channel === "fax"
      ? ({ kind: "fax", number: secret.address } as const)
      : ({ kind: "mail", address: secret.address } as const);
  return mail.send({ id: call.id, to, subject: secret.subject, text: secret.text, language });
}

/** Word of what others did on a device that the server serves. */
async function tellServer(
  { connectors, subjects, accounts }: World,
  { id, operatorId, orderId, body }: OutboundCall<"server_notice">,
): Promise<CallAnswer> {
  const { role, server, registrationId, remoteId, ...told } = body;
  const news = { ...told, id };
  if (role === "service") {
    const provider = connectors.serviceAt(operatorId, server);
    if (!provider) return unset("service server at this address");
    return registrationId === null ? UNREADABLE : provider.tell({ ...news, registrationId, remoteId });
  }
  if (role === "element") {
    const element = NETWORK_ELEMENTS.find((name) => name === server);
    const port = element && connectors.elementOf(operatorId, element);
    if (!port) return unset(`network element ${server}`);
    const { msisdn: own, formerMsisdn, imsi, imei } = subjects.get(orderId) ?? NOBODY;
    const msisdn = own ?? formerMsisdn; // it knows them by the number that they had
    return msisdn === undefined ? UNREADABLE : port.tell({ ...news, element, msisdn, imsi, imei });
  }
  const billing = connectors.billingOf(operatorId);
  if (!billing) return unset("billing centre");
  const account = accounts.get(orderId);
  if (!account) return UNREADABLE;
  const { event, items, make, model } = told;
  const provisioning = {
    event,
    items: [...items],
    make: make?.slice(0, MAKE_CHARACTERS_MAX) ?? null,
    model: model?.slice(0, MODEL_CHARACTERS_MAX) ?? null,
  };
  return billing.tell({ ...NOTHING_BOOKED, id, accountId: account.id, provisioning });
}

const NOBODY = { msisdn: null, formerMsisdn: undefined, imsi: "", imei: "" } as const;
const NOTHING_BOOKED = {
  kind: "provisioning",
  catalogId: null,
  action: "add",
  onceMinor: 0,
  monthlyMinor: 0,
  currency: null,
  prepared: null,
  account: null,
} as const;
