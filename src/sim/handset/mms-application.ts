/**
 * The application for multimedia messages on a phone, as OMA-TS-MMS_CTR has a client: it sends to the centre of its settings, hears
 * of a message by a WAP push, fetches it over its own access point and says so. What it could not fetch it fetches when a new road
 * has come.
 */
import { decodeMms, encodeMms, MMS_CONTENT_TYPE, type MmsPdu, type NewMmsPdu } from "../../wire/mms/codec.ts";
import type { MmsNotification } from "./application-state.ts";
import type { FleetState, Phone } from "./fleet-state.ts";
import { type Asked, ask, mmscOf, note } from "./roads.ts";

const VERSION = "1.2";
const MAX_WAITING = 8;
const MAX_SEEN = 16;

export type OutgoingMessage = {
  /** Numbers; several make it a group message. */
  readonly to: readonly string[];
  readonly text: string;
  readonly wantsReport?: boolean;
};
export type SendOutcome =
  | { readonly kind: "sent"; readonly messageId: string; readonly apn: string }
  | { readonly kind: "refused"; readonly status: string }
  | { readonly kind: "cut_off"; readonly apn: string | null };

/** Under which name its attempts are seen. */
const nameOf = ({ to }: OutgoingMessage): "mms" | "group_message" =>
  to.length > 1 ? "group_message" : "mms";

export async function sendMessage(
  fleet: FleetState,
  phone: Phone,
  message: OutgoingMessage,
): Promise<SendOutcome> {
  const url = mmscOf(fleet, phone);
  if (url === undefined) return { kind: "cut_off", apn: null };
  const asked = await tell(fleet, phone, nameOf(message), url, {
    type: "m-send-req",
    transactionId: String(++phone.lastTransaction),
    version: VERSION,
    date: fleet.now(),
    from: null,
    to: message.to.map((number) => `+${number}/TYPE=PLMN`),
    ...(message.wantsReport ? { deliveryReport: "yes" } : {}),
    content: {
      contentType: "application/vnd.wap.multipart.mixed",
      parts: [{ contentType: "text/plain", params: { Charset: 106 }, body: Buffer.from(message.text) }],
    },
  });
  if (asked.kind === "cut_off") return asked;
  const conf = pduIn(asked);
  if (conf?.type !== "m-send-conf") return { kind: "refused", status: `http-${asked.answer.status}` };
  if (conf.responseStatus !== "ok" || conf.messageId === undefined)
    return { kind: "refused", status: conf.responseStatus };
  return { kind: "sent", messageId: conf.messageId, apn: asked.apn };
}

/** What a push told the phone of its messages. */
export async function onMmsPush(fleet: FleetState, phone: Phone, pdu: MmsPdu): Promise<void> {
  if (pdu.type === "m-delivery-ind")
    return fleet.onEvent({ kind: "message_delivered", phone: phone.status, to: pdu.to.join(" ") });
  if (pdu.type !== "m-notification-ind" || phone.notified.includes(pdu.contentLocation)) return;
  phone.notified = [...phone.notified, pdu.contentLocation].slice(-MAX_SEEN);
  if (await fetchMessage(fleet, phone, pdu, "at once")) return;
  phone.unfetched = [...phone.unfetched, pdu].slice(-MAX_WAITING);
}

/** The messages that waited for a road. */
export async function fetchWaiting(fleet: FleetState, phone: Phone): Promise<void> {
  for (const notification of phone.unfetched.splice(0))
    if (!(await fetchMessage(fleet, phone, notification, "later"))) phone.unfetched.push(notification);
}

/** False where it waits on, since no road leads there. One that the centre does not have any more is done with. */
async function fetchMessage(
  fleet: FleetState,
  phone: Phone,
  { contentLocation: url, transactionId }: MmsNotification,
  when: "at once" | "later",
): Promise<boolean> {
  const asked = await ask(fleet, phone, { application: "mms", method: "GET", url });
  if (asked.kind === "cut_off") {
    const server = URL.canParse(url) ? new URL(url).hostname : "";
    fleet.onEvent({ kind: "message_not_fetched", phone: phone.status, server });
    return false;
  }
  const message = pduIn(asked);
  if (message?.type !== "m-retrieve-conf") return true;
  const { origin, hostname: server } = new URL(url);
  await tell(fleet, phone, "mms", `${origin}/m`, {
    // A message that is fetched at once is answered by M-NotifyResp.ind, a later one by M-Acknowledge.ind.
    ...(when === "at once"
      ? { type: "m-notifyresp-ind", status: "retrieved" }
      : { type: "m-acknowledge-ind" }),
    transactionId,
    version: VERSION,
  });
  const from = message.from ?? "";
  const text = message.content.parts?.find(({ contentType }) => contentType === "text/plain")?.body;
  fleet.onEvent({
    kind: "message_fetched",
    phone: phone.status,
    from,
    text: Buffer.from(text ?? []).toString("utf8"),
  });
  if (from.startsWith(`+${phone.status.spec.msisdn}/`) && fleet.options.applications)
    note(fleet, phone, "mms", { outcome: "works", server, apn: asked.apn });
  return true;
}

const tell = (
  fleet: FleetState,
  phone: Phone,
  application: string,
  url: string,
  pdu: NewMmsPdu,
): Promise<Asked> =>
  ask(fleet, phone, {
    application,
    method: "POST",
    url,
    contentType: MMS_CONTENT_TYPE,
    body: encodeMms(pdu),
  });

/** The answer's PDU; undefined where it is none, which a phone drops. */
function pduIn({ answer }: Extract<Asked, { kind: "answered" }>): MmsPdu | undefined {
  if (answer.status !== 200 || answer.contentType !== MMS_CONTENT_TYPE) return undefined;
  try {
    return decodeMms(answer.octets);
  } catch {
    return undefined; // DecodeError alone
  }
}
