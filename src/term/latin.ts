/**
 * Text of whatever script in the letters of ASCII, letter by letter, as any-ascii has it (ISC): `Щербаков` is `Shcherbakov`. What
 * has no letter there is left out. It is for comparing and searching; no name of a person is ever written so.
 */
import anyAscii from "any-ascii";

/** Letters with marks lose them; scripts without vowels stay without: `محمد` is `mhmd`. */
export const latinOf = (text: string): string => anyAscii(text);
