/** What a subscriber wrote, in what a centre delivers from their phone; undefined where it is no text. */
import type { TextPart } from "../../kernel/order/reply-store.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { userDataOf } from "../../wire/smpp/user-data.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { decodeUdh, type UserDataPart } from "../../wire/sms/udh.ts";

type SubscriberText = {
  readonly text: string;
  /** Which part of a longer text it is (TS 23.040 9.2.3.24.1, or SMPP v3.4 5.3.2.22 to 24); undefined of a whole one. */
  readonly part: TextPart | undefined;
};

export function subscriberText(pdu: DeliverSm): SubscriberText | undefined {
  try {
    const user = userDataOf(pdu);
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
