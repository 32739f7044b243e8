/**
 * Looks for identifiers of subscribers and phones in the clear, in any octets: as digits, as hexadecimal of the digits,
 * and packed two digits to an octet as SMS and signalling do (TS 23.040 clause 9.1.2.3, TS 24.008 clause 10.5.1.4).
 * One pass over the octets, however many identifiers there are.
 */
export type Identifiers = { readonly imsi: string; readonly imei: string; readonly msisdn: string };
export type Find = { readonly needle: string; readonly offset: number };

type Needle = { readonly name: string; readonly octets: Buffer };

/** A shorter needle would be met by chance. */
const LEAST_OCTETS = 5;
const KEY_OCTETS = 4;

export function createScan(phones: readonly Identifiers[]): (octets: Buffer) => Find[] {
  const needles = phones.flatMap(needlesOf);
  const byStart = new Map<number, Needle[]>();
  const starts = new Uint8Array(0x10000);
  for (const needle of needles) {
    if (needle.octets.length < LEAST_OCTETS)
      throw new RangeError(`${needle.name} is too short to be looked for`);
    const key = needle.octets.readUInt32BE(0);
    byStart.set(key, [...(byStart.get(key) ?? []), needle]);
    starts[needle.octets.readUInt16BE(0)] = 1;
  }
  return (octets) => {
    const finds: Find[] = [];
    for (let at = 0; at + KEY_OCTETS <= octets.length; at++) {
      if (starts[(octets[at]! << 8) | octets[at + 1]!] === 0) continue;
      for (const needle of byStart.get(octets.readUInt32BE(at)) ?? []) {
        if (octets.subarray(at, at + needle.octets.length).equals(needle.octets))
          finds.push({ needle: needle.name, offset: at });
      }
    }
    return finds;
  };
}

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
    return [
      { name: `${what} in digits`, octets: text },
      { name: `${what} as UTF-16`, octets: Buffer.from(digits, "utf16le") },
      { name: `${what} as hexadecimal of its digits`, octets: Buffer.from(text.toString("hex"), "latin1") },
      { name: `${what} as semi-octets`, octets: packed },
      { name: `${what} as a mobile identity`, octets: mobileIdentity(digits) },
      {
        name: `${what} as hexadecimal of semi-octets`,
        octets: Buffer.from(packed.toString("hex"), "latin1"),
      },
      {
        name: `${what} as hexadecimal of semi-octets, in capitals`,
        octets: Buffer.from(packed.toString("hex").toUpperCase(), "latin1"),
      },
    ];
  });
}

/** The low half of each octet first. An odd last digit stands beside whatever fills the octet, so it is left out. */
const semiOctets = (digits: string): Buffer =>
  Buffer.from((digits.match(/../g) ?? []).map(([first, second]) => second! + first!).join(""), "hex");

/** The first digit shares its octet with the type of identity: from the second digit on it is semi-octets. */
const mobileIdentity = (digits: string): Buffer => semiOctets(digits.slice(1));
