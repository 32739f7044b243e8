/**
 * The user data of an SMPP message, read in one way by whoever takes one in. SMPP has two places for it, of which one is
 * used: `short_message`, or the parameter `message_payload` where `sm_length` is 0 (SMPP v3.4, 5.3.2.32).
 */
import { decodeUdh, encodeUdh, splitHeader, type UserDataPart } from "../sms/udh.ts";
import { type Tlv, tlvValue } from "./tlv.ts";

/** Bit 6 of `esm_class`: the user data begins with a header (SMPP v3.4, 5.2.12; 3GPP TS 23.040, TP-UDHI). */
export const UDHI = 0x40;

/** Whether the user data begins with a header (UDHI, bit 6 of esm_class; SMPP v3.4, 5.2.12). */
export const hasHeader = ({ esm_class }: { readonly esm_class: number }): boolean => (esm_class & UDHI) !== 0;

/** What of a submit_sm, deliver_sm or data_sm bears user data. */
export type WithUserData = {
  readonly esm_class: number;
  /** A data_sm has none. */
  readonly short_message?: Uint8Array;
  readonly tlvs: readonly Tlv[];
};

const NOTHING = new Uint8Array();

/** Header and data as they came, in octets; empty where the message has none. A view. */
export function octetsOf({ short_message = NOTHING, tlvs }: Omit<WithUserData, "esm_class">): Uint8Array {
  return short_message.length > 0 ? short_message : (tlvValue(tlvs, "message_payload") ?? short_message);
}

/**
 * Header and data apart; the header is empty where `esm_class` announces none. Both are views.
 * @throws DecodeError: a header is announced that the octets do not hold
 */
export function userDataOf(pdu: WithUserData): UserDataPart {
  const octets = octetsOf(pdu);
  return hasHeader(pdu) ? splitHeader(octets) : { udh: octets.subarray(0, 0), data: octets };
}

/**
 * The same, with the part that parameters `sar_*` name written into the header where it names none itself (SMPP v3.4, 5.3.2.22
 * to 5.3.2.24): for whoever joins parts by their headers.
 * @throws DecodeError: a header is announced that the octets do not hold, or cannot be read
 */
export function partOf(pdu: WithUserData): UserDataPart {
  const { udh, data } = userDataOf(pdu);
  const total = tlvValue(pdu.tlvs, "sar_total_segments") ?? 0;
  const seq = tlvValue(pdu.tlvs, "sar_segment_seqnum") ?? 0;
  const ref = tlvValue(pdu.tlvs, "sar_msg_ref_num");
  if (ref === undefined || total < 2 || seq < 1 || seq > total) return { udh, data };
  const header = decodeUdh(udh);
  if (header.concat) return { udh, data };
  return { udh: encodeUdh({ ...header, concat: { refBits: 16, ref, total, seq } }), data };
}
