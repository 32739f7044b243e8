/** What a subscriber wrote, in what a centre delivers from his phone; undefined where it is no text. */
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { splitHeader } from "../../wire/sms/udh.ts";

const UDHI = 0x40;

export function subscriberText(pdu: DeliverSm): string | undefined {
  const whole =
    pdu.short_message.length > 0
      ? pdu.short_message
      : (tlvValue(pdu.tlvs, "message_payload") ?? pdu.short_message);
  try {
    const data = (pdu.esm_class & UDHI) === 0 ? whole : splitHeader(whole).data;
    return decodeText(pdu.data_coding, data);
  } catch {
    return undefined; // octets of an application, or a coding that nobody reads
  }
}
