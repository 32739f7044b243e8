/**
 * The single tests by which a SIM is told from another of the same MCC/MNC, as Android makes them:
 * GID1 by hexadecimal prefix, SPN whole, IMSI by digits with `x` for any, ICCID by prefix.
 */

/** GID1 `ff…`, `00…` or empty: a SIM whose file says nothing (TS 31.102: unused octets are FF). */
export function saysNothing(gid1: string): boolean {
  return /^(?:f*|0*)$/i.test(gid1);
}

export function gid1Matches(gid1: string, prefix: string): boolean {
  return prefix !== "" && gid1.toLowerCase().startsWith(prefix.toLowerCase());
}

export function spnMatches(spn: string, wanted: string): boolean {
  return foldSpn(spn) === foldSpn(wanted);
}

export function imsiMatches(imsi: string, pattern: string): boolean {
  if (pattern === "" || imsi.length < pattern.length) return false;
  for (let at = 0; at < pattern.length; at++) {
    const wanted = pattern[at];
    if (wanted !== "x" && wanted !== "X" && wanted !== imsi[at]) return false;
  }
  return true;
}

/** How much of an IMSI pattern is fixed: `2382010x` says 7 digits. */
export function fixedDigits(pattern: string): number {
  return pattern.replace(/x/gi, "").length;
}

export function iccidMatches(iccid: string, prefix: string): boolean {
  return prefix !== "" && iccid.startsWith(prefix);
}

const foldSpn = (spn: string): string => spn.normalize("NFKC").trim().toLowerCase();
