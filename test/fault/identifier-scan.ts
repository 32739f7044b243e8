/**
 * Looks for identifiers of subscribers and phones in the clear, in any octets: as digits, as hexadecimal of the digits,
 * and packed two digits to an octet as SMS and signalling do (TS 23.040 clause 9.1.2.3, TS 24.008 clause 10.5.1.4).
 * One pass over the octets, however many identifiers there are.
 *
 * Nothing may be found by chance among the hundred million octets of a data folder. Ciphertext is even: of six octets it holds one
 * given row once in two million such folders. Tables are not: zeros, small numbers and repeated octets stand everywhere, so
 * an identifier whose packed form ends in zeros (a serial number 000004) is soon met by the padding of some row. So the
 * identifiers that are looked for have no long runs, and one that has is refused; and of an odd number of digits the last
 * half octet is compared too.
 */
export type Identifiers = { readonly imsi: string; readonly imei: string; readonly msisdn: string };
export type Find = { readonly needle: string; readonly offset: number };

type Needle = {
  readonly name: string;
  readonly octets: Buffer;
  /** The digit in the upper half of the octet before, and the one in the lower half of the octet behind. */
  readonly before?: number;
  readonly behind?: number;
};

/** Octets of a needle that say something: neither zero nor the same as the one before. With fewer it would be met by chance. */
const LEAST_TELLING = 5;
const KEY_OCTETS = 4;

const tellingOctets = (octets: Buffer): number =>
  octets.filter((octet, at) => octet !== 0 && octet !== octets[at - 1]).length;

export function createScan(phones: readonly Identifiers[]): (octets: Buffer) => Find[] {
  const needles = phones.flatMap(needlesOf);
  const byStart = new Map<number, Needle[]>();
  const starts = new Uint8Array(0x10000);
  for (const needle of needles) {
    if (tellingOctets(needle.octets) < LEAST_TELLING)
      throw new RangeError(`${needle.name} could be met by chance: choose a number without long runs`);
    const key = needle.octets.readUInt32BE(0);
    byStart.set(key, [...(byStart.get(key) ?? []), needle]);
    starts[needle.octets.readUInt16BE(0)] = 1;
  }
  return (octets) => {
    const finds: Find[] = [];
    for (let at = 0; at + KEY_OCTETS <= octets.length; at++) {
      if (starts[(octets[at]! << 8) | octets[at + 1]!] === 0) continue;
      for (const needle of byStart.get(octets.readUInt32BE(at)) ?? []) {
        if (stands(needle, octets, at)) finds.push({ needle: needle.name, offset: at });
      }
    }
    return finds;
  };
}

function stands({ octets: wanted, before, behind }: Needle, octets: Buffer, at: number): boolean {
  const end = at + wanted.length;
  return (
    octets.subarray(at, end).equals(wanted) &&
    (before === undefined || (octets[at - 1] ?? 0) >> 4 === before) &&
    (behind === undefined || ((octets[end] ?? 0xff) & 0x0f) === behind)
  );
}

/** The octets as somebody would write them: the free half before is a type of identity, the one behind is filled. */
export const written = ({ octets, before, behind }: Needle): Buffer =>
  Buffer.concat([
    before === undefined ? Buffer.of() : Buffer.of((before << 4) | 0x01),
    octets,
    behind === undefined ? Buffer.of() : Buffer.of(0xf0 | behind),
  ]);

/** Every way that one phone's identifiers may be written; exported so that a test can plant each. */
export function needlesOf({ imsi, imei, msisdn }: Identifiers): Needle[] {
  return [
    { what: "IMSI", digits: imsi },
    { what: "IMEI of 14 digits", digits: imei.slice(0, 14) },
    { what: "IMEI of 15 digits", digits: imei },
    { what: "MSISDN", digits: msisdn },
  ].flatMap(({ what, digits }) => {
    const text = Buffer.from(digits, "latin1");
    const packed = semiOctets(digits);
    const packedText = packed.octets.toString("hex");
    return [
      { name: `${what} in digits`, octets: text },
      { name: `${what} as UTF-16`, octets: Buffer.from(digits, "utf16le") },
      { name: `${what} as hexadecimal of its digits`, octets: Buffer.from(text.toString("hex"), "latin1") },
      { name: `${what} as semi-octets`, ...packed },
      { name: `${what} as a mobile identity`, ...mobileIdentity(digits) },
      {
        name: `${what} as hexadecimal of semi-octets`,
        octets: Buffer.from(packedText, "latin1"),
      },
      {
        name: `${what} as hexadecimal of semi-octets, in capitals`,
        octets: Buffer.from(packedText.toUpperCase(), "latin1"),
      },
    ];
  });
}

type Packed = Pick<Needle, "octets" | "before" | "behind">;

/** The low half of each octet first. An odd last digit stands beside whatever fills the octet. */
function semiOctets(digits: string): Packed {
  const pairs = digits.match(/../g) ?? [];
  const octets = Buffer.from(pairs.map(([first, second]) => second! + first!).join(""), "hex");
  return digits.length % 2 === 0 ? { octets } : { octets, behind: Number(digits.at(-1)) };
}

/** The first digit shares its octet with the type of identity: from the second digit on it is semi-octets. */
const mobileIdentity = (digits: string): Packed => ({
  ...semiOctets(digits.slice(1)),
  before: Number(digits[0]),
});
