/** The octets of a report in what a centre delivers from a handset, however it wrapped them. */

import type { DeliverSm } from "../../wire/smpp/command.ts";
import { userDataOf } from "../../wire/smpp/user-data.ts";

/** Undefined for what is no 8-bit data: a text from a subscriber waits for nobody yet. */
export function reportOctets(pdu: DeliverSm): Uint8Array | undefined {
  if (!isEightBit(pdu.data_coding)) return undefined;
  try {
    return userDataOf(pdu).data;
  } catch {
    return undefined; // a header that is cut short heads nothing of ours
  }
}

/** 3GPP TS 23.038 clause 4: the general group by its bits 3 and 2, the message class group by bit 2. */
export const isEightBit = (coding: number): boolean => (coding & 0xcc) === 0x04 || (coding & 0xf4) === 0xf4;
