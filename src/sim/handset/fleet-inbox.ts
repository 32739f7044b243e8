/**
 * What a phone of the fleet does with an SMS: puts its parts together, hands a push to its client, shows a text to its user, who
 * may type in what the page behind a link says.
 */
import { insert } from "../../device/settings.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { decodeMms, MMS_CONTENT_TYPE } from "../../wire/mms/codec.ts";
import { NOTIFICATION_CONTENT_TYPE } from "../../wire/omadm/notification.ts";
import type { WholeMessage } from "../../wire/sms/reassembly.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import { act, answerPrompt, goOnline, userDelayMs } from "./fleet-phone.ts";
import {
  type FleetOptions,
  type FleetState,
  type IncomingSms,
  type Phone,
  start,
  typedEntry,
} from "./fleet-state.ts";
import { onNotification } from "./management/managed-phone.ts";
import { onMmsPush } from "./mms-application.ts";

/** WAP push, and Nokia settings. */
const PUSH_PORTS: readonly (number | undefined)[] = [2948, 49_999];
const MAX_INBOX_TEXTS = 8;
/** The GSM and SMPP data codings that hold octets, not text. */
const isBinary = (dataCoding: number): boolean =>
  dataCoding === 0x02 || dataCoding === 0x04 || (dataCoding & 0xf4) === 0xf4 || (dataCoding & 0xcc) === 0x04;

/** One SMS from the message centre, which tries again where a phone is off or the radio lost it. */
export async function onMessage(fleet: FleetState, sms: IncomingSms): Promise<"delivered" | "absent"> {
  const phone = fleet.byMsisdn.get(sms.to);
  if (!phone?.status.attached || fleet.closed || fleet.chance.is(fleet.options.radio?.loss ?? 0))
    return "absent";
  const times = fleet.chance.is(fleet.options.radio?.duplicates ?? 0) ? 2 : 1;
  for (let time = 0; time < times; time++) {
    const delayMs = fleet.options.radio?.reorderMs
      ? fleet.chance.between(0, fleet.options.radio?.reorderMs)
      : 0;
    if (delayMs === 0) takeSms(fleet, phone, sms);
    else start(fleet, async () => fleet.pauses.pause(delayMs).then(() => takeSms(fleet, phone, sms)));
  }
  return "delivered";
}

function takeSms(fleet: FleetState, phone: Phone, sms: IncomingSms): void {
  const { from, to, udh, data, dataCoding } = sms;
  let whole: WholeMessage | null;
  try {
    whole = fleet.reassembler.accept({ from, to, udh, data, atMs: fleet.now().getTime() });
    if (!whole) return;
    if (isBinary(dataCoding)) takePush(fleet, phone, whole);
    else takeText(fleet, phone, decodeText(dataCoding, whole.bytes));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    phone.status.refused = [...phone.status.refused, error.message]; // a phone drops what it cannot read
  }
}

function takePush(fleet: FleetState, phone: Phone, { from, bytes, udh }: WholeMessage): void {
  if (PUSH_PORTS.includes(udh.destPort)) openPush(fleet, phone, { from, bytes }); // no application listens on another port
}

/** A push whose parts are together: a message's word, or what the client looks at. */
export function openPush(
  fleet: FleetState,
  phone: Phone,
  { from, bytes }: Pick<WholeMessage, "from" | "bytes">,
): void {
  const mms = bodyOf(bytes, MMS_CONTENT_TYPE);
  if (mms) return start(fleet, () => onMmsPush(fleet, phone, decodeMms(mms)));
  const notification = bodyOf(bytes, NOTIFICATION_CONTENT_TYPE);
  if (notification) return start(fleet, () => onNotification(fleet, phone, notification));
  act(fleet, phone, phone.client.receive(phone.state, { from, bytes, at: fleet.now() }));
}

/** The octets of a push for another application; whatever else it is, the client looks at it. */
function bodyOf(bytes: Uint8Array, type: string): Uint8Array | undefined {
  try {
    const { contentType, body } = decodePush(bytes);
    return contentType === type ? body : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

export function takeText(fleet: FleetState, phone: Phone, text: string): void {
  phone.texts = [...phone.texts, text].slice(-MAX_INBOX_TEXTS);
  fleet.onEvent({ kind: "text", phone: phone.status, text });
  for (const promptId of phone.pinless.splice(0))
    start(fleet, () => answerPrompt(fleet, phone, promptId, "pin"));
  const [url] = /https?:\/\/\S+/.exec(text) ?? [];
  const { openLink } = fleet.options;
  if (url && openLink) start(fleet, () => typeIn(fleet, phone, url, openLink));
}

async function typeIn(
  fleet: FleetState,
  phone: Phone,
  url: string,
  openLink: NonNullable<FleetOptions["openLink"]>,
): Promise<void> {
  await fleet.pauses.pause(userDelayMs(fleet));
  const typed = await openLink(url, phone.status.spec);
  if (typed.length === 0) return;
  const entries = typed.map(typedEntry);
  phone.state = { ...phone.state, settings: insert(phone.state.settings, entries) };
  phone.status.settingsApplied++;
  await goOnline(fleet, phone, entries);
}
