/**
 * SMS of the phone's person and of its applications, as they come by the message centre and leave by it.
 */

import { DecodeError } from "../../wire/decode-error.ts";
import { NOTICE_PORT } from "../../wire/message/notice.ts";
import { UDHI } from "../../wire/smpp/user-data.ts";
import { decodeText, encodeText } from "../../wire/sms/text.ts";
import type { IncomingSms } from "../handset/fleet-state.ts";
import { feed } from "./phone-run.ts";
import { type PhoneState, type Push, type Running, tell } from "./phone-state.ts";

const MAX_TEXTS = 20;

/** One SMS of the message centre, which tries again while a phone is off or the radio lost it. */
export async function onMessage(phone: PhoneState, sms: IncomingSms): Promise<"delivered" | "absent"> {
  const { chance, radio, options } = phone;
  if (!phone.running || sms.to !== options.msisdn || chance.is(radio.smsLoss ?? 0)) return "absent";
  const times = chance.is(radio.smsDuplicates ?? 0) ? 2 : 1;
  for (let time = 0; time < times && phone.running; time++) takeSms(phone, phone.running, sms);
  return phone.running ? "delivered" : "absent";
}

function takeSms(phone: PhoneState, on: Running, { from, to, udh, data, dataCoding }: IncomingSms): void {
  try {
    const whole = phone.reassembler.accept({ from, to, udh, data, atMs: phone.now().getTime() });
    if (!whole) return;
    if (whole.udh.destPort === NOTICE_PORT) return readPush(phone, on, { from, bytes: whole.bytes });
    if (whole.udh.destPort !== undefined)
      return tell(phone, { kind: "other_push", from, bytes: whole.bytes });
    takeText(phone, from, decodeText(dataCoding, whole.bytes));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error; // a phone drops what it cannot read
  }
}

function takeText(phone: PhoneState, from: string, text: string): void {
  phone.texts.push({ from, text });
  phone.texts.splice(0, phone.texts.length - MAX_TEXTS);
  tell(phone, { kind: "text", from, text });
  phone.watch.changed();
}

/** It stands on the SIM until the module took it. */
export function readPush(phone: PhoneState, on: Running, push: Push): void {
  phone.unread.add(push);
  feed(phone, on, { kind: "push", ...push });
  if (phone.running === on) phone.unread.delete(push);
}

/** A text that the person types: `YES 4821`. */
export async function sendText(phone: PhoneState, text: string, to: string): Promise<void> {
  const { dataCoding, parts } = encodeText(text, { reference: phone.smsReference++ });
  const { msisdn: from } = phone.options;
  for (const { udh, data } of parts)
    await phone.options.submitMo({
      from,
      to,
      esmClass: udh.length > 0 ? UDHI : 0,
      dataCoding,
      udh,
      data,
    });
}
