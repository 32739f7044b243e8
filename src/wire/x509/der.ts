/**
 * Writes DER (X.690) as far as X.509 certificates and requests for them need it, and the names that both hold.
 */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
const COMMON_NAME = "2.5.4.3";
/** Object identifier of the extension for names (RFC 5280 clause 4.2.1.6). */
export const SUBJECT_ALT_NAME = "2.5.29.17";

/** A name among the alternative ones; an IP address has 4 or 16 octets. */
export type SubjectName =
  | { readonly kind: "dns"; readonly name: string }
  | { readonly kind: "ip"; readonly octets: Uint8Array }
  | { readonly kind: "uri"; readonly uri: string };

/**
 * A distinguished name of a common name alone.
 * @throws RangeError: too long, as `der`
 */
export const nameOf = (commonName: string): Uint8Array =>
  sequence(der(TAG.set, sequence(oid(COMMON_NAME), der(TAG.utf8, new TextEncoder().encode(commonName)))));

/**
 * The name as RFC 5280 clause 4.2.1.6 tags it.
 * @throws RangeError: a name that is not ASCII, an address of another length
 */
export function generalName(name: SubjectName): Uint8Array {
  switch (name.kind) {
    case "dns":
      return der(0x82, ascii(name.name));
    case "uri":
      return der(0x86, ascii(name.uri));
    case "ip":
      if (name.octets.length !== 4 && name.octets.length !== 16)
        throw new RangeError("an IP address has 4 or 16 octets");
      return der(0x87, name.octets);
  }
}

/**
 * An extension: id, whether it is critical, and its value in an octet string (RFC 5280 clause 4.1).
 * @throws RangeError: too long, as `der`
 */
export const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(id), ...(critical ? [der(TAG.boolean, [0xff])] : []), der(TAG.octetString, value));

/**
 * A DER integer: no superfluous leading zeros, and one where the top bit would make it negative.
 * @throws RangeError: too long, as `der`
 */
export function integer(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((octet) => octet !== 0);
  const trimmed = first < 0 ? Uint8Array.of(0) : magnitude.subarray(first);
  return der(TAG.integer, (trimmed[0] ?? 0) & 0x80 ? [0, ...trimmed] : trimmed);
}

/**
 * An object identifier from its dotted form, arcs of at most 32 bits.
 * @throws RangeError: more than 65,535 octets
 */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(TAG.oid, octets);
}

/**
 * Text as octets, one a character.
 * @throws RangeError: a character outside 20 to 7E
 */
export const ascii = (text: string): Uint8Array => {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError("only ASCII fits here");
  return new TextEncoder().encode(text);
};

/**
 * A bit string whose bits fill its octets.
 * @throws RangeError: too long, as `der`
 */
export const bitString = (value: Uint8Array): Uint8Array => der(TAG.bitString, [0, ...value]);

/**
 * A SEQUENCE of values that are DER already.
 * @throws RangeError: too long, as `der`
 */
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array =>
  der(TAG.sequence, Buffer.concat(parts));

/**
 * A value behind its tag and its length, which has one to three octets.
 * @throws RangeError: more than 65,535 octets
 */
export function der(tag: number, value: ArrayLike<number>): Uint8Array {
  const { length } = value;
  const lengthOctets =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError("a DER value is longer than 65535 octets");
  const bytes = new Uint8Array(1 + lengthOctets.length + length);
  bytes.set([tag, ...lengthOctets]);
  bytes.set(value, 1 + lengthOctets.length);
  return bytes;
}
