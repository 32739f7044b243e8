/** Octets by their place, for codecs that have looked at the length themselves. */

/** The octet at a place that the caller knows to be inside; 0 outside, where there is none to be read. */
export const octetAt = (octets: Uint8Array, at: number): number => octets[at] ?? 0;
