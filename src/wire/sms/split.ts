/**
 * Cuts 8-bit user data into short messages. Source: 3GPP TS 23.040 §9.2.3.24.1 and 9.2.3.24.4.
 *
 * Every part repeats the ports, in the order ports, then concatenation; one part alone has no concatenation.
 */
import { TurnupError } from "../../term/error.ts";
import type { UserDataPart } from "./udh.ts";

/** Octets of user data in one short message. */
export const USER_DATA_OCTETS = 140;
/** The total stands in one octet (§9.2.3.24.1). */
export const PARTS_MAX = 255;
const NO_UDH = new Uint8Array(0);

/** How user data is cut; 140 octets a part, header and all, unless said. */
export type Cut = {
  readonly destPort?: number;
  readonly srcPort?: number;
  /** Fresh for each message to one phone; of a longer counter the low bits are taken. */
  readonly reference: number;
  readonly referenceBits: 8 | 16;
  readonly maxOctets?: number;
};

/**
 * Each part's `data` is a view into `bytes`.
 * @throws TurnupError `payload_too_long`: more than 255 parts
 */
export function splitUserData(bytes: Uint8Array, cut: Cut): UserDataPart[] {
  const { referenceBits, maxOctets = USER_DATA_OCTETS } = cut;
  const hasPorts = cut.destPort !== undefined || cut.srcPort !== undefined;
  const portOctets = hasPorts ? 6 : 0;
  const aloneOctets = hasPorts ? 1 + portOctets : 0;
  if (aloneOctets + bytes.length <= maxOctets) {
    return [{ udh: hasPorts ? header(cut, 1 + portOctets) : NO_UDH, data: bytes }];
  }
  const udhOctets = 1 + portOctets + (referenceBits === 8 ? 5 : 6);
  const dataOctets = maxOctets - udhOctets;
  const total = Math.ceil(bytes.length / dataOctets);
  if (dataOctets < 1 || total > PARTS_MAX) {
    throw new TurnupError("payload_too_long", `${bytes.length} octets need more than ${PARTS_MAX} messages.`);
  }
  const parts: UserDataPart[] = new Array(total);
  for (let i = 0; i < total; i++) {
    const udh = header(cut, udhOctets);
    udh[udhOctets - 2] = total;
    udh[udhOctets - 1] = i + 1;
    parts[i] = { udh, data: bytes.subarray(i * dataOctets, (i + 1) * dataOctets) };
  }
  return parts;
}

/** Written straight to octets, unlike `encodeUdh`: many are made a second. Total and number come after. */
function header({ destPort, srcPort, reference, referenceBits }: Cut, octets: number): Uint8Array {
  const udh = new Uint8Array(octets);
  udh[0] = octets - 1;
  let at = 1;
  if (destPort !== undefined || srcPort !== undefined) {
    udh[1] = 0x05;
    udh[2] = 4;
    udh[3] = (destPort ?? 0) >> 8;
    udh[4] = (destPort ?? 0) & 0xff;
    udh[5] = (srcPort ?? 0) >> 8;
    udh[6] = (srcPort ?? 0) & 0xff;
    at = 7;
  }
  if (at === octets) return udh;
  udh[at] = referenceBits === 8 ? 0x00 : 0x08;
  udh[at + 1] = referenceBits === 8 ? 3 : 4;
  if (referenceBits === 16) udh[at + 2] = reference >> 8;
  udh[octets - 3] = reference;
  return udh;
}
