/** What a subscriber wrote, in what a centre delivers from his phone; undefined where it is no text. */
import type { TextPart } from "../../kernel/order/reply-store.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { decodeUdh, splitHeader, type UserDataPart } from "../../wire/sms/udh.ts";

const UDHI = 0x40;

export type SubscriberText = {
  readonly text: string;
  /** Which part of a longer text it is (TS 23.040 9.2.3.24.1, or SMPP v3.4 5.3.2.22 to 24); undefined of a whole one. */
  readonly part: TextPart | undefined;
};

export function subscriberText(pdu: DeliverSm): SubscriberText | undefined {
  const whole =
    pdu.short_message.length > 0
      ? pdu.short_message
      : (tlvValue(pdu.tlvs, "message_payload") ?? pdu.short_message);
  try {
    const user = (pdu.esm_class & UDHI) === 0 ? { udh: new Uint8Array(), data: whole } : splitHeader(whole);
    return { text: decodeText(pdu.data_coding, user.data), part: partOf(pdu, user) };
  } catch {
    return undefined; // octets of an application, or a coding that nobody reads
  }
}

function partOf({ tlvs }: DeliverSm, { udh }: UserDataPart): TextPart | undefined {
  const number = tlvValue(tlvs, "sar_segment_seqnum");
  const total = tlvValue(tlvs, "sar_total_segments");
  const told = number === undefined || total === undefined ? undefined : { seq: number, total };
  const part = decodeUdh(udh).concat ?? told;
  return part && part.total > 1 ? { seq: part.seq, total: part.total } : undefined;
}
