/**
 * The centre of multimedia messages (MMSC), as OMA-TS-MMS_CTR has it: a handset's message is taken, its recipients are told by
 * a WAP push over SMS, each fetches it over an access point of its own and says so, and the sender hears of the delivery.
 *
 *   POST M-Send.req           -> M-Send.conf, and M-Notification.ind to each recipient by SMS
 *   GET  /m/{place}           -> M-Retrieve.conf, to its recipient alone
 *   POST M-NotifyResp.ind, M-Acknowledge.ind  -> 204; M-Delivery.ind to the sender by SMS, where it asked for one
 *
 * It believes the network of who asks (`x-msisdn`, as the packet gateway enriches requests), and nothing that a handset says
 * of itself. Two messages are evidence that an application works: one that all its recipients fetched is told of its sender, and
 * of each recipient that it fetched.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DecodeError } from "../../wire/decode-error.ts";
import {
  decodeMms,
  encodeMms,
  MMS_CONTENT_TYPE,
  type MmsPduOf,
  type NewMmsPdu,
} from "../../wire/mms/codec.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import type { ApplicationWorked } from "./application-worked.ts";
import { octetsOf, reply, replyOctets } from "./packet-gateway.ts";

const MAX_RECIPIENTS = 20;
const MAX_MESSAGES = 100_000;
const VALIDITY_S = 86_400;
const PLACE_OCTETS = 9;
const VERSION = "1.2";
const PLACE = /^\/m\/([A-Za-z0-9_-]{12})$/;
const NUMBER = /^\+?(\d{5,15})(?:\/TYPE=PLMN)?$/i;
/** x-wap-application:mms.ua, in the registry of WAP applications. */
const MMS_APPLICATION = 4;

/** Who asks, by the network's word. */
type Subscriber = Pick<ApplicationWorked, "imsi" | "imei" | "apn" | "server"> & { readonly msisdn: string };
type Message = {
  readonly id: string;
  readonly from: Subscriber;
  readonly at: Date;
  readonly subject: string | undefined;
  readonly sent: MmsPduOf<"m-send-req">;
  readonly octets: number;
  /** Recipients that have not said that they have it. */
  readonly waiting: Set<string>;
};
/** One recipient's copy: where it is fetched, and by whom. */
type Copy = {
  readonly message: Message;
  readonly place: string;
  readonly to: string;
  readonly transactionId: string;
  fetched: boolean;
};

type MmscOptions = {
  /** What message ids end with. */
  readonly domain: string;
  /** Where a subscriber fetches who never came here: the operator's own name of the centre. */
  readonly defaultHost: string;
  /** Hands a WAP push to the message centre. */
  push(msisdn: string, push: Uint8Array): Promise<void>;
  onWorked?(worked: ApplicationWorked): void;
  onFault?(error: unknown): void;
  now?(): Date;
};
export type Mmsc = ReturnType<typeof createMmsc>;

type Centre = {
  readonly options: MmscOptions;
  readonly copies: Map<string, Copy>;
  /** By recipient and transaction. */
  readonly open: Map<string, Copy>;
  /** The name by which a subscriber's handset reaches the centre: where its next message waits. */
  readonly hostOf: Map<string, string>;
  readonly counts: { sent: number; refused: number; fetched: number; acknowledged: number; reports: number };
  lastTransaction: number;
  now(): Date;
};

export function createMmsc(options: MmscOptions) {
  const centre: Centre = {
    options,
    copies: new Map(),
    open: new Map(),
    hostOf: new Map(),
    counts: { sent: 0, refused: 0, fetched: 0, acknowledged: 0, reports: 0 },
    lastTransaction: 0,
    now: options.now ?? (() => new Date()),
  };
  return {
    /** Whether a request is one for the centre: the application server has other doors under the same name. */
    isFor: ({ method, url = "", headers }: IncomingMessage): boolean =>
      method === "GET" ? PLACE.test(url) : headers["content-type"] === MMS_CONTENT_TYPE,
    answer: (request: IncomingMessage, response: ServerResponse) => answer(centre, request, response),
    counts: () => ({ ...centre.counts, waiting: centre.copies.size }),
  };
}

async function answer(centre: Centre, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const who = subscriberOf(request);
  if (!who) {
    request.resume();
    return reply(response, 403, { cause: "unknown_subscriber" });
  }
  centre.hostOf.set(who.msisdn, who.server);
  if (request.method === "GET") {
    request.resume();
    const [, place = ""] = PLACE.exec(request.url ?? "") ?? [];
    return retrieve(centre, who, place, response);
  }
  try {
    take(centre, who, decodeMms(await octetsOf(request)), response);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    reply(response, 400, { cause: "malformed" });
  }
}

function subscriberOf({ headers }: IncomingMessage): Subscriber | undefined {
  const [msisdn, imsi, imei] = [headers["x-msisdn"], headers["x-3gpp-imsi"], headers["x-3gpp-imei"]];
  if (typeof msisdn !== "string" || typeof imsi !== "string" || typeof imei !== "string") return undefined;
  const [apn, server] = [headers["x-called-station-id"], headers["x-forwarded-host"]];
  return { msisdn, imsi, imei, apn: String(apn ?? "unknown"), server: String(server ?? headers.host) };
}

function take(
  centre: Centre,
  who: Subscriber,
  pdu: ReturnType<typeof decodeMms>,
  response: ServerResponse,
): void {
  switch (pdu.type) {
    case "m-send-req":
      return say(response, send(centre, who, pdu));
    case "m-notifyresp-ind":
    case "m-acknowledge-ind": {
      const isHere = pdu.type === "m-acknowledge-ind" || pdu.status === "retrieved";
      const copy = centre.open.get(openName(who.msisdn, pdu.transactionId));
      if (copy?.fetched && isHere) acknowledged(centre, who, copy);
      return replyOctets(response, 204, MMS_CONTENT_TYPE, new Uint8Array(0));
    }
    default:
      return reply(response, 400, { cause: "not_of_a_client" });
  }
}

const say = (response: ServerResponse, pdu: NewMmsPdu): void =>
  replyOctets(response, 200, MMS_CONTENT_TYPE, encodeMms(pdu));

/** What nobody fetched in time makes room; they stand in the order in which they came. */
function dropExpired({ copies, open, now }: Centre): void {
  const oldest = now().getTime() - VALIDITY_S * 1_000;
  for (const [where, { message, to, transactionId }] of copies) {
    if (message.at.getTime() > oldest) return;
    copies.delete(where);
    open.delete(openName(to, transactionId));
  }
}

function send(centre: Centre, from: Subscriber, sent: MmsPduOf<"m-send-req">): NewMmsPdu {
  const { transactionId } = sent;
  const conf = { type: "m-send-conf", transactionId, version: VERSION } as const;
  const addresses = [...(sent.to ?? []), ...(sent.cc ?? []), ...(sent.bcc ?? [])];
  const recipients = new Set(addresses.flatMap((address) => NUMBER.exec(address)?.[1] ?? []));
  dropExpired(centre);
  const refusal =
    recipients.size === 0 || recipients.size > MAX_RECIPIENTS
      ? "error-permanent-sending-address-unresolved"
      : centre.copies.size + recipients.size > MAX_MESSAGES
        ? "error-transient-failure"
        : undefined;
  if (refusal) {
    centre.counts.refused++;
    return { ...conf, responseStatus: refusal };
  }
  const id = `${newPlace()}@${centre.options.domain}`;
  const message: Message = {
    id,
    from,
    at: centre.now(),
    subject: sent.subject,
    sent,
    octets: sent.content.body.length,
    waiting: new Set(recipients),
  };
  for (const to of recipients) notify(centre, message, to);
  centre.counts.sent++;
  return { ...conf, responseStatus: "ok", messageId: id };
}

const newPlace = (): string => randomBytes(PLACE_OCTETS).toString("base64url");
const openName = (msisdn: string, transactionId: string): string => `${msisdn} ${transactionId}`;
const addressOf = (msisdn: string): string => `+${msisdn}/TYPE=PLMN`;

function notify(centre: Centre, message: Message, to: string): void {
  const transactionId = String(++centre.lastTransaction);
  const copy: Copy = { message, to, transactionId, place: newPlace(), fetched: false };
  centre.copies.set(copy.place, copy);
  centre.open.set(openName(to, transactionId), copy);
  pushTo(centre, to, {
    type: "m-notification-ind",
    transactionId,
    version: VERSION,
    from: addressOf(message.from.msisdn),
    messageClass: "personal",
    messageSize: message.octets,
    expiry: { kind: "relative", seconds: VALIDITY_S },
    contentLocation: `http://${centre.hostOf.get(to) ?? centre.options.defaultHost}/m/${copy.place}`,
  });
}

function pushTo({ options }: Centre, msisdn: string, pdu: NewMmsPdu): void {
  const push = encodePush({
    transactionId: 1,
    contentType: MMS_CONTENT_TYPE,
    applicationId: MMS_APPLICATION,
    body: encodeMms(pdu),
  });
  options.push(msisdn, push).catch((error: unknown) => options.onFault?.(error));
}

/** A copy is its recipient's alone: whoever else knows its place is told nothing of it. */
function retrieve(centre: Centre, who: Subscriber, where: string, response: ServerResponse): void {
  const copy = centre.copies.get(where);
  if (!copy || copy.to !== who.msisdn) return reply(response, 404, { cause: "no_such_message" });
  const { message } = copy;
  copy.fetched = true;
  centre.counts.fetched++;
  const { content } = message.sent;
  say(response, {
    type: "m-retrieve-conf",
    transactionId: copy.transactionId,
    version: VERSION,
    messageId: message.id,
    date: message.at,
    from: addressOf(message.from.msisdn),
    ...(message.sent.to ? { to: message.sent.to } : {}),
    ...(message.subject === undefined ? {} : { subject: message.subject }),
    retrieveStatus: "ok",
    content: { ...content, parts: content.parts ?? [{ ...content }] },
  });
}

function acknowledged(centre: Centre, who: Subscriber, copy: Copy): void {
  const { message, to, transactionId } = copy;
  centre.counts.acknowledged++;
  centre.open.delete(openName(to, transactionId));
  centre.copies.delete(copy.place);
  message.waiting.delete(to);
  if (message.sent.deliveryReport === "yes") {
    centre.counts.reports++;
    pushTo(centre, message.from.msisdn, {
      type: "m-delivery-ind",
      version: VERSION,
      messageId: message.id,
      to: [addressOf(to)],
      date: centre.now(),
      status: "retrieved",
    });
  }
  tell(centre, who, "mms");
  if (message.waiting.size > 0) return;
  const addressed = (message.sent.to?.length ?? 0) + (message.sent.cc?.length ?? 0);
  if (addressed > 1) tell(centre, message.from, "group_message");
  else if (message.from.msisdn !== to) tell(centre, message.from, "mms");
}

function tell({ options, now }: Centre, { msisdn: _, ...who }: Subscriber, application: string): void {
  options.onWorked?.({ ...who, application, at: now() });
}
