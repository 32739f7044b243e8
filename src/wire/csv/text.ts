/**
 * Octets of a file to text: UTF-8, UTF-16 by its mark or by the zeros between its letters (Unicode 15.0 clause 23.8), XML
 * by its declaration (XML 1.0 Appendix F). Octets that are no UTF-8 become U+FFFD, so that a reader can name the line.
 */

export type TextForm = "utf-8" | "utf-16le" | "utf-16be" | "latin1";

/** Octets that are looked at. */
const HEAD_OCTETS = 256;

/** How the octets are to be read, told from their first ones. */
export function textFormOf(octets: Uint8Array): TextForm {
  const [first = 0, second = 0] = octets;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const head = octets.subarray(0, HEAD_OCTETS);
  if (isHalfZero(head, 1)) return "utf-16le";
  if (isHalfZero(head, 0)) return "utf-16be";
  const declared = /^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.-]+)["']/.exec(
    String.fromCharCode(...head),
  )?.[1];
  return declared && /^(?:iso-8859-1|latin-?1|windows-1252|us-ascii)$/i.test(declared) ? "latin1" : "utf-8";
}

/** UTF-16 without a mark: of each pair of octets that one is 0 and the other is not, nine times in ten. */
function isHalfZero(head: Uint8Array, zeroAt: 0 | 1): boolean {
  const pairs = head.length >> 1;
  let fitting = 0;
  for (let pair = 0; pair < pairs; pair++) {
    if (head[2 * pair + zeroAt] === 0 && head[2 * pair + 1 - zeroAt] !== 0) fitting += 1;
  }
  return pairs >= 2 && fitting * 10 >= pairs * 9;
}

/** Without the byte order mark. */
export const decodedText = (octets: Uint8Array): string => decoderOf(textFormOf(octets)).decode(octets);

/** A decoder for octets that come in pieces: `decode(piece, { stream: true })`. */
export const decoderOf = (form: TextForm): InstanceType<typeof TextDecoder> =>
  new TextDecoder(form === "latin1" ? "windows-1252" : form);
