/**
 * A knock: a provisioning server tells a device, by WAP push, that something waits for it there. It is for devices that never
 * asked this server for anything, so that there is no key yet to seal a notice with. Nothing in it is believed: it names where
 * to look, the proxy leads to proved servers alone, and what is fetched is signed for this device.
 *
 *   4B 01 | reference : 8 | item : 1, its octets 16 | item id | server : 1 + n |
 */
import { DecodeError } from "../decode-error.ts";
import { itemIn, itemOctets, referenceIn, referenceOctets, serverIn, serverOctets } from "./notice.ts";
import { joined, readOctets } from "./octets.ts";

/** Media type of a knock in a WAP push. */
export const KNOCK_CONTENT_TYPE = "application/vnd.turnup.knock";
const MAGIC = Uint8Array.of(0x4b, 0x01);

/** Where to look, and for what; nothing in it is believed. */
export type Knock = {
  /** `host:port`, as the device's proxy names it. */
  readonly server: string;
  readonly reference: string;
  readonly itemId: string;
};

/** @throws RangeError: a value that the format cannot hold */
export const encodeKnock = ({ server, reference, itemId }: Knock): Uint8Array =>
  joined([MAGIC, referenceOctets(reference), itemOctets(itemId), serverOctets(server)]);

/**
 * Reads a knock; nothing in it is proved.
 * @throws DecodeError with the offset: cut short, left over, or a field of another form
 */
export function decodeKnock(bytes: Uint8Array): Knock {
  const reader = readOctets(bytes);
  if (Buffer.compare(reader.octets(MAGIC.length, "magic"), MAGIC) !== 0) throw new DecodeError("no knock", 0);
  const reference = referenceIn(reader);
  const itemId = itemIn(reader);
  const server = serverIn(reader);
  if (reader.left > 0) throw new DecodeError("octets after a knock", reader.at);
  if (itemId === null) throw new DecodeError("a knock names an item", reader.at);
  return { server, reference, itemId };
}
