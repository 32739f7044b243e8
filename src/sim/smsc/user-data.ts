/**
 * What a submitted message is on the air: short messages, each with its user data header. The centre builds headers
 * from port and segment parameters (SMPP v3.4 §5.3.2.20-25) and cuts a message_payload that one cannot hold.
 */

import { type Tlv, tlvValue } from "../../wire/smpp/tlv.ts";
import { hasHeader, userDataOf } from "../../wire/smpp/user-data.ts";
import { splitUserData, USER_DATA_OCTETS } from "../../wire/sms/split.ts";
import { decodeUdh, encodeUdh, type Udh, type UserDataPart } from "../../wire/sms/udh.ts";

/** Characters of a message in the default alphabet: SMPP carries one in an octet, the air 8 in 7. */
const DEFAULT_ALPHABET_OCTETS = 160;

export type Submitted = {
  readonly esm_class: number;
  readonly data_coding: number;
  readonly short_message: Uint8Array;
  readonly tlvs: readonly Tlv[];
};

/**
 * @throws DecodeError: a header that cannot be read
 * @throws TurnupError `payload_too_long`: more than 255 parts
 */
export function userDataParts(message: Submitted, reference: number): UserDataPart[] {
  const { data_coding, tlvs } = message;
  const given = userDataOf(message);
  const maxOctets = data_coding === 0 ? DEFAULT_ALPHABET_OCTETS : USER_DATA_OCTETS;
  const fromTlvs = headerOf(tlvs);
  if (!fromTlvs && given.udh.length + given.data.length <= maxOctets) return [given];

  const header: Udh = { ...decodeUdh(given.udh), ...fromTlvs };
  if (header.concat) return [{ udh: encodeUdh(header), data: given.data }];
  const { destPort, srcPort } = header;
  const ports = { ...(destPort !== undefined && { destPort }), ...(srcPort !== undefined && { srcPort }) };
  return splitUserData(given.data, { ...ports, reference, referenceBits: 8, maxOctets });
}

function headerOf(tlvs: readonly Tlv[]): Udh | undefined {
  if (tlvs.length === 0) return undefined;
  const destPort = tlvValue(tlvs, "destination_port");
  const srcPort = tlvValue(tlvs, "source_port");
  const ref = tlvValue(tlvs, "sar_msg_ref_num");
  const total = tlvValue(tlvs, "sar_total_segments");
  const seq = tlvValue(tlvs, "sar_segment_seqnum");
  if (destPort === undefined && srcPort === undefined && ref === undefined) return undefined;
  return {
    ...(destPort !== undefined && { destPort }),
    ...(srcPort !== undefined && { srcPort }),
    ...(ref !== undefined && total !== undefined && seq !== undefined && total > 1
      ? { concat: { refBits: 16, ref, total, seq } }
      : {}),
  };
}

/** Whether it is a message of its own, or the last part of a long one. */
export function endsMessage(message: Submitted): boolean {
  const concat = hasHeader(message) ? decodeUdh(userDataOf(message).udh).concat : undefined;
  return !concat || concat.seq === concat.total;
}
