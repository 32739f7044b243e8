/**
 * National language tables: what stands in place of the default alphabet (locking shift) and of its extension (single shift)
 * where the header names a language, information elements 0x25 and 0x24. Source: 3GPP TS 23.038 Annex A.2 and A.3,
 * TS 23.040 §9.2.3.24.15 and .16.
 *
 * The tables of nine Indian languages are one arrangement of a Unicode block, with gaps where the block has no character.
 */

/** The place of the escape in a table, of which no text holds the character. */
export const NO_CHARACTER = "\uffff";
const DEFAULT =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\uffffÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const LATIN_SHIFT = {
  10: "\f",
  20: "^",
  40: "{",
  41: "}",
  47: "\\",
  60: "[",
  61: "~",
  62: "]",
  64: "|",
  101: "€",
};

type Block = {
  /** First code point of the Unicode block. */
  readonly from: number;
  /** Low octets of the characters that the arrangement has and the block, or the table, has not. */
  readonly gaps: string;
  /** Septet 0x60, then 0x7b to 0x7f, counted from the block. */
  readonly last: readonly number[];
  /** Code points of the single shift table, in the order of SHIFTED. */
  readonly shifted: string;
};
const digits = (zero: number): string =>
  Array.from({ length: 10 }, (_, at) => (zero + at).toString(16)).join(" ");
const INDIAN: Readonly<Record<number, Block>> = {
  4: {
    from: 0x0980, // Bengali
    gaps: "0d 0e 11 12 29 31 33 34 35 45 46 49 4a",
    last: [0x4e, 0x57, 0x5c, 0x5d, 0x70, 0x71],
    shifted: `${digits(0x9e6)} 9df 9e0 9e1 9e2 9e3 9f2 9f3 9f4 9f5 9f6 9f7 9f8 9f9 9fa`,
  },
  5: {
    from: 0x0a80, // Gujarati
    gaps: "0e 12 29 31 34 46 4a",
    last: [0x50, 0x60, 0x61, 0x62, 0x63, 0x71],
    shifted: `964 965 ${digits(0xae6)}`,
  },
  6: {
    from: 0x0900, // Hindi
    gaps: "",
    last: [0x50, 0x72, 0x7b, 0x7c, 0x7e, 0x7f],
    shifted: `964 965 ${digits(0x966)} 951 952 953 954 958 959 95a 95b 95c 95d 95e 95f 960 961 962 963 970 971`,
  },
  7: {
    from: 0x0c80, // Kannada
    gaps: "01 0d 11 29 34 45 49",
    last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
    shifted: `964 965 ${digits(0xce6)} cde cf1 cf2`,
  },
  8: {
    from: 0x0d00, // Malayalam
    gaps: "01 0d 11 29 3c 45 49",
    last: [0x57, 0x60, 0x61, 0x62, 0x63, 0x79],
    shifted: `964 965 ${digits(0xd66)} d70 d71 d72 d73 d74 d75 d7a d7b d7c d7d d7e d7f`,
  },
  9: {
    from: 0x0b00, // Oriya
    gaps: "0d 0e 11 12 29 31 34 45 46 49 4a",
    last: [0x56, 0x57, 0x60, 0x61, 0x62, 0x63],
    shifted: `964 965 ${digits(0xb66)} b5c b5d b5f b70 b71`,
  },
  10: {
    from: 0x0a00, // Punjabi
    gaps: "0b 0c 0d 0e 11 12 29 31 34 37 3d 43 44 45 46 49 4a",
    last: [0x51, 0x70, 0x71, 0x72, 0x73, 0x74],
    shifted: `964 965 ${digits(0xa66)} a59 a5a a5b a5c a5e a75`,
  },
  11: {
    from: 0x0b80, // Tamil
    gaps: "01 0b 0c 0d 16 17 18 1b 1d 20 21 22 25 26 27 2b 2c 2d 3c 3d 43 44 45 49",
    last: [0x50, 0x57, 0x70, 0x71, 0x72, 0x79],
    shifted: `964 965 ${digits(0xbe6)} bf3 bf4 bf5 bf6 bf7 bf8 bfa`,
  },
  12: {
    from: 0x0c00, // Telugu
    gaps: "0d 11 29 34 3c 45 49",
    last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
    shifted: `20 20 ${digits(0xc66)} c58 c59 c78 c79 c7a c7b c7c c7d c7e c7f`,
  },
};
/** Low octets of the block by septet; anything else stands for itself. */
const ARRANGEMENT: readonly (number | string)[] = [
  ...[1, 2, 3, 5, 6, 7, 8, 9, 0x0a, 0x0b, "\n", 0x0c, 0x0d, "\r", 0x0e, 0x0f],
  ...[0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, NO_CHARACTER, 0x1b, 0x1c, 0x1d, 0x1e],
  ...[" ", "!", 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, ")", "(", 0x25, 0x26, ",", 0x27, ".", 0x28],
  ...[..."0123456789:;", 0x29, 0x2a, 0x2b, "?"],
  ...[0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3c, 0x3d],
  ...[0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d],
];
/** In code points: letters that are written from right to left change their places in an editor. */
const URDU = [
  "627 622 628 67b 680 67e 6a6 62a 6c2 67f a 679 67d d 67a 67c",
  "62b 62c 681 684 683 685 686 687 62d 62e 62f ffff 68c 688 689 68a",
  "20 21 68f 68d 630 631 691 693 29 28 699 632 2c 696 2e 698",
  "30 31 32 33 34 35 36 37 38 39 3a 3b 69a 633 634 3f",
  "635 636 637 638 639 641 642 6a9 6aa 6ab 6af 6b3 6b1 644 645 646",
  "6ba 6bb 6bc 648 6c4 6d5 6c1 6be 621 6cc 6d0 6d2 64d 650 64f 657",
  "654 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f",
  "70 71 72 73 74 75 76 77 78 79 7a 655 651 653 656 670",
].join(" ");
const URDU_SHIFTED = `600 601 ${digits(0x6f0)} 60c 60d 60e 60f 610 611 612 613 614 61b 61f 640 652 658 66b 66c 672 673 6cd`;
const TURKISH = { 4: "€", 7: "ı", 11: "Ğ", 12: "ğ", 28: "Ş", 29: "ş", 64: "İ", 96: "ç" };
const PORTUGUESE =
  "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\uffffÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?" +
  "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà";

type Shift = Readonly<Record<number, string>>;
const TURKISH_SHIFT: Shift = {
  ...LATIN_SHIFT,
  71: "Ğ",
  73: "İ",
  83: "Ş",
  99: "ç",
  103: "ğ",
  105: "ı",
  115: "ş",
};
const SPANISH_SHIFT: Shift = {
  ...LATIN_SHIFT,
  ...{ 9: "ç", 65: "Á", 73: "Í", 79: "Ó", 85: "Ú", 97: "á", 105: "í", 111: "ó", 117: "ú" },
};
const PORTUGUESE_SHIFT: Shift = {
  ...LATIN_SHIFT,
  ...{
    5: "ê",
    9: "ç",
    11: "Ô",
    12: "ô",
    14: "Á",
    15: "á",
    18: "Φ",
    19: "Γ",
    21: "Ω",
    22: "Π",
    23: "Ψ",
    24: "Σ",
    25: "Θ",
  },
  ...{ 31: "Ê", 65: "À", 73: "Í", 79: "Ó", 85: "Ú", 91: "Ã", 92: "Õ", 97: "Â", 105: "í", 111: "ó", 117: "ú" },
  ...{ 123: "ã", 124: "õ", 127: "â" },
};
/** What the single shift tables of the Indian languages and Urdu have in common: signs, and the capitals at their places. */
const SHARED_SHIFT: Shift = Object.fromEntries([
  ...[..."@£$¥¿\"¤%&'\f*+\r-/<=>¡^¡_#*"].map((character, septet) => [septet, character] as const),
  ...([
    [40, "{"],
    [41, "}"],
    [47, "\\"],
    [60, "["],
    [61, "~"],
    [62, "]"],
    [64, "|"],
    [101, "€"],
  ] as const),
  ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((character, at) => [65 + at, character] as const),
]);
/** Septets that hold characters of the language, in order; the escape, `{`, `}` and `\` stand between them. */
const SHIFTED = [
  ...[
    0x19, 0x1a, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2a, 0x2b, 0x2c,
    0x2d, 0x2e,
  ],
  ...[0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b],
];

const charactersOf = (points: string): string[] =>
  points.split(" ").map((point) => String.fromCodePoint(Number.parseInt(point, 16)));
const shiftOf = (points: string): Shift => ({
  ...SHARED_SHIFT,
  ...Object.fromEntries(
    charactersOf(points).flatMap((character, at) =>
      character === " " ? [] : [[SHIFTED[at] ?? 0, character]],
    ),
  ),
});

function arranged({ from, gaps, last }: Block): string {
  const missing = gaps.split(" ");
  const [first = 0, ...others] = last;
  const characters = ARRANGEMENT.map((one) => {
    if (typeof one === "string") return one;
    return missing.includes(one.toString(16).padStart(2, "0")) ? " " : String.fromCodePoint(from + one);
  });
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const rest = others.map((one) => String.fromCodePoint(from + one)).join("");
  return `${characters.join("")}${String.fromCodePoint(from + first)}${letters}${rest}`;
}

const LOCKING: ReadonlyMap<number, string> = new Map([
  [1, [...DEFAULT].map((character, septet) => (TURKISH as Shift)[septet] ?? character).join("")], // a table by septet
  [3, PORTUGUESE],
  ...Object.entries(INDIAN).map(([language, block]) => [Number(language), arranged(block)] as const),
  [13, charactersOf(URDU).join("")],
]);
const SINGLE: ReadonlyMap<number, Shift> = new Map([
  [1, TURKISH_SHIFT],
  [2, SPANISH_SHIFT],
  [3, PORTUGUESE_SHIFT],
  ...Object.entries(INDIAN).map(([language, { shifted }]) => [Number(language), shiftOf(shifted)] as const),
  [13, { ...shiftOf(URDU_SHIFTED), 63: "\u06d4" }],
]);

/** 128 characters, one a septet; the default alphabet for a language that has no table of its own, or that is none. */
export const lockingTable = (language = 0): string => LOCKING.get(language) ?? DEFAULT;

/** What stands behind an escape, by septet; the default alphabet's extension likewise. */
export const singleShiftTable = (language = 0): Shift => SINGLE.get(language) ?? LATIN_SHIFT;
