/** The octets of a report in what a centre delivers from a handset, however it wrapped them. */

import type { DeliverSm } from "../../wire/smpp/command.ts";
import { tlvValue } from "../../wire/smpp/tlv.ts";
import { splitHeader } from "../../wire/sms/udh.ts";

const UDHI = 0x40;

/** Undefined for what is no 8-bit data: a text from a subscriber waits for nobody yet. */
export function reportOctets(pdu: DeliverSm): Uint8Array | undefined {
  if (!isEightBit(pdu.data_coding)) return undefined;
  const userData =
    pdu.short_message.length > 0
      ? pdu.short_message
      : (tlvValue(pdu.tlvs, "message_payload") ?? pdu.short_message);
  if ((pdu.esm_class & UDHI) === 0) return userData;
  try {
    return splitHeader(userData).data;
  } catch {
    return undefined; // a header that is cut short heads nothing of ours
  }
}

/** 3GPP TS 23.038 clause 4: the general group by its bits 3 and 2, the message class group by bit 2. */
export const isEightBit = (coding: number): boolean => (coding & 0xcc) === 0x04 || (coding & 0xf4) === 0xf4;
