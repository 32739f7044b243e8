/** What lists of models say of a part of the hardware: that it is not there, or how good it is. */

/** `none`, `no`, `0 MP`; anything else says that it is there, and null that nobody knows. */
export const isWithout = (text: string | null): boolean =>
  text !== null &&
  /^(?:no(?:ne|t present)?|without|-|0(?:\.0+)?(?:\s*(?:MP|megapixels?))?)$/i.test(text.trim());
