/**
 * Dates in a Service Indication: the digits YYYYMMDDhhmmss of UTC as BCD, trailing zero octets dropped.
 * Source: WAP-167-ServiceInd §8.2.2.
 */

/** Year, month and day at least: a date of midnight is 4 octets. */
const DATE_OCTETS = 4;
const ALL_OCTETS = 7;

/** "2014-09-04T11:25:58Z", or undefined where the octets are no date. */
export function dateOfOctets(octets: Uint8Array): string | undefined {
  if (octets.length < DATE_OCTETS || octets.length > ALL_OCTETS) return undefined;
  const digits = Buffer.from(octets)
    .toString("hex")
    .padEnd(2 * ALL_OCTETS, "0");
  if (!/^\d+$/.test(digits)) return undefined;
  const text = digits.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6Z");
  return isDate(text) ? text : undefined;
}

/** The octets of a date in that form, or undefined where the text is none. */
export function octetsOfDate(text: string): Uint8Array | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) || !isDate(text)) return undefined;
  const octets = Buffer.from(text.replace(/\D/g, ""), "hex");
  let length = ALL_OCTETS;
  while (length > DATE_OCTETS && octets[length - 1] === 0) length--;
  return Uint8Array.from(octets.subarray(0, length));
}

/** A day and a time that exist: written back they read the same. */
function isDate(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text.replace("Z", ".000Z");
}
