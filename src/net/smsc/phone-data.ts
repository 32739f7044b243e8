/** What a phone sent, in what a centre delivers: octets of an application, or what a subscriber wrote. */
import type { TextPart } from "../../kernel/order/reply-store.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { partOf, userDataOf } from "../../wire/smpp/user-data.ts";
import type { DefaultAlphabet } from "../../wire/sms/default-alphabet.ts";
import { DATA_CODING, decodeText, isUcs2 } from "../../wire/sms/text.ts";
import { decodeUdh, nationalShiftsOf } from "../../wire/sms/udh.ts";

/** Undefined for what is no 8-bit data, or where a header that is cut short heads nothing of ours. */
export function applicationOctets(pdu: DeliverSm): Uint8Array | undefined {
  if (!isEightBit(pdu.data_coding)) return undefined;
  try {
    return userDataOf(pdu).data;
  } catch {
    return undefined;
  }
}

type SubscriberText = {
  readonly text: string;
  /** Which part of a longer text it is (TS 23.040 9.2.3.24.1, or SMPP v3.4 §5.3.2.22 to 24); undefined of a whole one. */
  readonly part: TextPart | undefined;
};

/** Undefined for octets of an application, or a coding that nobody reads. */
export function subscriberText(
  pdu: DeliverSm,
  alphabet: DefaultAlphabet = "gsm7",
): SubscriberText | undefined {
  try {
    const { udh, data } = partOf(pdu);
    const header = decodeUdh(udh);
    const text = decodeText(codingOf(pdu, alphabet), evenOf(pdu, data), nationalShiftsOf(header));
    const { concat } = header;
    const part = concat && concat.total > 1 ? { seq: concat.seq, total: concat.total } : undefined;
    return { text: text.replaceAll("\0", ""), part };
  } catch {
    return undefined;
  }
}

/** ASCII is a part of Latin-1. */
const codingOf = ({ data_coding }: DeliverSm, alphabet: DefaultAlphabet): number =>
  data_coding === DATA_CODING.gsm7 && alphabet !== "gsm7" ? DATA_CODING.latin1 : data_coding;

/** A centre or a phone that ends its text with a NUL leaves half a character of UCS-2 behind. */
const evenOf = ({ data_coding }: DeliverSm, data: Uint8Array): Uint8Array =>
  isUcs2(data_coding) ? data.subarray(0, data.length & ~1) : data;

/** 3GPP TS 23.038 clause 4: the general group by its bits 3 and 2, the message class group by bit 2. */
export const isEightBit = (coding: number): boolean => (coding & 0xcc) === 0x04 || (coding & 0xf4) === 0xf4;
